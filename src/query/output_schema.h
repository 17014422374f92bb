// What a request reads of fragments, and what it hands out of that. Private to the room.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "expr/bind.h"
#include "file/file_reader.h"
#include "file/schema.h"
#include "table/snapshot.h"

namespace glaive::query {

inline constexpr char kRowIdColumn[] = "_rowid";
inline constexpr char kRowAddressColumn[] = "_rowaddr";
inline constexpr char kRowOffsetColumn[] = "_rowoffset";
inline constexpr char kCreatedAtColumn[] = "_row_created_at_version";
inline constexpr char kUpdatedAtColumn[] = "_row_last_updated_at_version";

/// Columns that every table has besides its own.
enum class Meta { kRowId, kRowAddress, kRowOffset, kCreatedAt, kUpdatedAt };

/// nullopt if it is none, or if the table has a column of its own by this name.
std::optional<Meta> FindMeta(const file::Schema& schema, std::string_view name);
const char* NameOf(Meta meta);

/// Columns of the table and meta columns that are read together. A value.
struct ReadSet {
  file::Schema projection;
  file::BlobMode blob_mode = file::BlobMode::kDescriptors;
  std::vector<Meta> metas;
  /// Live rows before each fragment, by its id; only with kRowOffset.
  std::shared_ptr<const std::map<uint64_t, uint64_t>> live_before;
  std::shared_ptr<arrow::Schema> schema;  ///< of the batches: columns, then meta columns

  bool reads_files() const { return !projection.fields().empty(); }
};

/// `paths` as in requests, without meta columns; none of them: no columns.
arrow::Result<ReadSet> MakeReadSet(const table::Snapshot& snapshot,
                                   const std::vector<std::string>& paths,
                                   const std::vector<Meta>& metas, file::BlobMode blobs);
/// Some of the columns of another set, by their places among projection fields.
arrow::Result<ReadSet> PartOf(const table::Snapshot& snapshot, const ReadSet& whole,
                              const std::vector<size_t>& fields, const std::vector<Meta>& metas);

/// A column that is handed out: one that was read, or an expression over those.
struct OutputItem {
  int column = -1;  ///< of the input's schema, if it is just that
  std::optional<expr::BoundExpression> expression;
  /// Of a column with JSON in it: the field as stored, while the output's has text.
  std::shared_ptr<arrow::Field> stored;
};

/// A value.
struct Output {
  ReadSet input;
  std::vector<OutputItem> items;
  bool as_read = true;                    ///< the items are the columns of the input in order
  std::shared_ptr<arrow::Schema> schema;  ///< of what is handed out
  arrow::MemoryPool* pool = nullptr;

  /// From a batch of the input's schema.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Apply(
      const std::shared_ptr<arrow::RecordBatch>& input_rows) const;
};

/// Which columns a request wants.
struct Selection {
  std::vector<std::string> columns;  ///< empty: all; meta columns may be among them
  std::vector<SelectItem> select;    ///< instead
  std::vector<OrderBy> hidden;       ///< appended, as columns without a name
  bool only_hidden = false;          ///< no other columns but meta columns below
  Parameters parameters;
  BlobRead blobs = BlobRead::kDescriptors;
  bool with_row_id = false;
  bool with_row_address = false;
  int64_t now_nanos = 0;
  /// What expressions may name besides; the rows given to Apply then have these columns, too, after
  /// those of the input.
  arrow::FieldVector extra;
};

/// Everything is checked here: kNotFound with the nearest name of a column, and the binder's
/// errors.
arrow::Result<Output> MakeOutput(const table::Snapshot& snapshot, const Selection& selection);

/// What expressions may name: the table's columns, as `blobs` makes them, meta columns, and
/// `extra`.
arrow::Result<std::shared_ptr<arrow::Schema>> ExpressionSchema(const table::Snapshot& snapshot,
                                                               file::BlobMode blobs,
                                                               const arrow::FieldVector& extra);

/// Columns and meta columns that expressions read, as paths of MakeReadSet. Names of `extra` are
/// left out.
struct NeededColumns {
  std::vector<std::string> paths;
  std::vector<Meta> metas;
};

NeededColumns ColumnsOf(const file::Schema& schema,
                        const std::vector<const expr::BoundExpression*>& expressions,
                        const std::vector<std::string>& extra);

/// Puts what is wrong into the words of the request: "filter: …".
arrow::Status InClause(const arrow::Status& status, std::string_view clause);

}  // namespace glaive::query
