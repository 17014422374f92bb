// A table: read, searched, appended to; its versions and tags.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/c/abi.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/change.h"
#include "glaive/export.h"
#include "glaive/inspect.h"
#include "glaive/options.h"
#include "glaive/query.h"

namespace glaive {

namespace db {
class TableImpl;
}

/// A version in the list of versions.
struct VersionInfo {
  uint64_t version = 0;
  int64_t timestamp_nanos = 0;  ///< since 1970-01-01 UTC; 0 if the manifest has none
  std::string operation;        ///< "Append", "Overwrite", "Delete", ...; empty if unknown
  std::map<std::string, std::string> properties;  ///< of its transaction
  uint64_t num_fragments = 0;
  uint64_t num_data_files = 0;
  uint64_t num_rows = 0;
  uint64_t num_deleted_rows = 0;
};

struct TagInfo {
  std::string name;
  uint64_t version = 0;
  std::optional<std::string> branch;
  std::string created_at;  ///< RFC 3339, or empty
};

struct AddResult {
  uint64_t num_rows = 0;
  uint64_t version = 0;
};

/// A handle on a table. It follows the latest version (each call looks, which costs about one stat
/// of the directory) until Checkout pins it. Movable; thread-safe.
class GLAIVE_EXPORT Table final {
 public:
  ~Table();
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;

  const std::string& name() const;
  /// Where its directory is.
  std::string location() const;

  arrow::Result<uint64_t> Version() const;
  arrow::Result<std::shared_ptr<arrow::Schema>> Schema() const;
  /// Live rows. Cost: no file but the manifest, for tables whose manifest has the counts.
  arrow::Result<uint64_t> CountRows() const;
  /// Rows for which a filter is true. Reads only the columns that it names.
  arrow::Result<uint64_t> CountRows(const CountOptions& options) const;

  /// All rows in table order, as batches decoded ahead in parallel. The reader sees exactly the
  /// version that was current at this call, whatever is written meanwhile. Errors: kNotFound
  /// (column, with the nearest name), kCorruption, kUnsupported, kIo, kCancelled.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(const ScanOptions& options) const;
  /// The same through the Arrow C stream interface; release it as usual.
  arrow::Status ScanToCStream(const ScanOptions& options, struct ArrowArrayStream* out) const;

  /// Rows by their position among the live rows, in the order asked, duplicates as often as asked.
  /// Reads only the pages and ranges that hold them. kInvalidArgument for a position beyond the
  /// last.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeOffsets(
      const std::vector<uint64_t>& offsets, const TakeOptions& options) const;
  /// Rows by _rowid, in the order asked; ids that have no live row are left out.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRowIds(
      const std::vector<uint64_t>& row_ids, const TakeOptions& options) const;

  /// Exact search. Result: the columns asked for, _distance float32, then _rowid and query_index if
  /// asked or several queries. Sorted by distance, then row id. Null vectors and NaN distances are
  /// skipped.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Search(const VectorQuery& query) const;

  /// Appends what `data` yields as one commit. Columns are matched by name; missing nullable ones
  /// become null, types that Arrow casts losslessly (e.g. list -> fixed_size_list of equal length)
  /// are cast. Floats are rounded to the nearest of the column's width; one beyond its range is
  /// refused. Errors, with nothing committed: kInvalidArgument (extra or missing column, wrong
  /// vector length, NaN, null in a non-nullable column; column, row and both sides are named),
  /// kTypeMismatch, kIo, kResourceExhausted, kCancelled, kCommitIncompatible (the table was
  /// overwritten meanwhile). Memory: bounded, whatever the length of the stream.
  arrow::Result<AddResult> Add(std::shared_ptr<arrow::RecordBatchReader> data,
                               const WriteOptions& options);
  arrow::Result<AddResult> Add(std::shared_ptr<arrow::RecordBatch> batch,
                               const WriteOptions& options);
  arrow::Result<AddResult> AddFromCStream(struct ArrowArrayStream* stream,
                                          const WriteOptions& options);
  /// Replaces schema and rows by those of `data` as one commit.
  arrow::Result<AddResult> Overwrite(std::shared_ptr<arrow::RecordBatchReader> data,
                                     const WriteOptions& options);
  /// Deletes by _rowid; unknown ids are ignored. One commit, none if nothing matches.
  arrow::Result<DeleteResult> DeleteRowIds(const std::vector<uint64_t>& row_ids);

  // Changes. Each is one commit, atomic, none if nothing changes. Against other writers the change
  // is put on top of theirs or computed anew, up to a bound (then kCommitConflict). Errors change
  // nothing.

  /// Deletes the rows for which `where` is true. An empty clause is kInvalidArgument.
  arrow::Result<DeleteResult> Delete(const Clause& where, const DeleteOptions& options);
  /// kInvalidArgument, kTypeMismatch (column and both types), and the errors of Add for the new
  /// values.
  arrow::Result<UpdateResult> Update(const UpdateRequest& request);
  /// Duplicate keys in the source that match one row, or, when inserting, that equal each other,
  /// are kInvalidArgument naming the key. With insert_unmatched no two rows of one key come into
  /// being, whatever others write at the same time. Memory: within the budget.
  arrow::Result<MergeResult> Merge(const MergeRequest& request,
                                   std::shared_ptr<arrow::RecordBatchReader> source);
  /// Merge by `on` (empty: the declared key) that updates matched and inserts other rows.
  arrow::Result<MergeResult> Upsert(std::shared_ptr<arrow::RecordBatchReader> source,
                                    const std::vector<std::string>& on,
                                    const WriteOptions& options);

  /// Adds columns computed from the others; existing data files stay as they are.
  arrow::Result<SchemaChangeResult> AddColumns(const std::vector<NewColumn>& columns,
                                               const Parameters& parameters);
  /// Adds nullable columns of nulls: no data is written.
  arrow::Result<SchemaChangeResult> AddNullColumns(std::shared_ptr<arrow::Schema> columns);
  /// Adds columns from a stream with as many rows as the table has live ones, in table order.
  arrow::Result<SchemaChangeResult> AddColumnsFrom(
      std::shared_ptr<arrow::RecordBatchReader> columns);
  /// All alterations in one commit.
  arrow::Result<SchemaChangeResult> AlterColumns(const std::vector<ColumnAlteration>& alterations);
  /// Paths; at least one column must be left.
  arrow::Result<SchemaChangeResult> DropColumns(const std::vector<std::string>& paths);
  arrow::Result<SchemaChangeResult> UpdateFieldMetadata(
      const std::map<std::string, MapUpdate>& by_path);
  arrow::Result<SchemaChangeResult> UpdateSchemaMetadata(const MapUpdate& update);
  arrow::Result<SchemaChangeResult> UpdateConfig(const MapUpdate& update);
  arrow::Result<std::map<std::string, std::string>> Config() const;
  /// Declares the key by which rows are upserted: non-nullable-valued columns of integers, text or
  /// binary. It is written as LanceDB's unenforced primary key. With `enforced`, which only Glaive
  /// knows, Add refuses rows whose key exists (kAlreadyExists). kInvalidArgument if the table holds
  /// duplicates or has a key.
  arrow::Result<SchemaChangeResult> SetPrimaryKey(const std::vector<std::string>& columns,
                                                  bool enforced);
  /// The declared key; empty if there is none.
  arrow::Result<std::vector<std::string>> PrimaryKey() const;

  /// Compacts small fragments and materializes deletions, then removes old versions.
  arrow::Result<OptimizeResult> Optimize(const OptimizeOptions& options);
  arrow::Result<CleanupResult> Cleanup(const CleanupOptions& options);

  /// How a request would be answered: steps, columns read when, filters, fragments, coverage. Text
  /// for people.
  arrow::Result<std::string> Explain(const ScanOptions& options) const;
  arrow::Result<std::string> Explain(const VectorQuery& query) const;

  /// Ascending by version. `limit` > 0 keeps the newest that many (manifests of others are not
  /// opened).
  arrow::Result<std::vector<VersionInfo>> ListVersions(uint64_t limit) const;
  /// Pins this handle, read-only, to a version, a tag, or the newest version at or before a time.
  arrow::Status Checkout(uint64_t version);
  arrow::Status CheckoutTag(const std::string& tag);
  arrow::Status CheckoutAsOf(int64_t nanos_since_epoch);
  /// Back to following the latest version.
  arrow::Status CheckoutLatest();
  bool is_checked_out() const;
  /// Looks for a newer version now, whatever read_consistency_nanos says.
  arrow::Status Refresh();
  /// Makes the checked-out version the latest, as a new version; the handle then follows the
  /// latest.
  arrow::Result<uint64_t> Restore();

  arrow::Result<std::vector<TagInfo>> ListTags() const;
  arrow::Status CreateTag(const std::string& tag, uint64_t version);
  arrow::Status UpdateTag(const std::string& tag, uint64_t version);
  arrow::Status DeleteTag(const std::string& tag);

  /// Branch names, and a read handle on the latest version of a branch.
  arrow::Result<std::vector<std::string>> ListBranches() const;
  arrow::Result<Table> OpenBranch(const std::string& branch) const;

  /// Files, pages, encodings and sizes of the current version.
  arrow::Result<TableLayout> Inspect() const;
  /// Reads everything and checks every invariant; each defect is one entry. An error status only if
  /// the table could not be opened at all.
  arrow::Result<VerifyReport> Verify(const ProgressCallback& progress,
                                     const CancelToken& cancel) const;

  explicit Table(std::shared_ptr<db::TableImpl> impl);

 private:
  std::shared_ptr<db::TableImpl> impl_;
};

}  // namespace glaive
