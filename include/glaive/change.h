// Changes of a table: requests and results of delete, update, merge, schema evolution and upkeep.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "glaive/cancel.h"
#include "glaive/expression.h"
#include "glaive/options.h"

namespace arrow {
class DataType;
class Field;
}  // namespace arrow

namespace glaive {

struct DeleteOptions {
  Parameters parameters;
  std::map<std::string, std::string> transaction_properties;
  ProgressCallback progress;
  CancelToken cancel;
};

struct DeleteResult {
  uint64_t num_deleted_rows = 0;
  uint64_t version = 0;
};

/// New values of the rows for which `where` is true (empty: of all rows).
struct UpdateRequest {
  Clause where;
  /// Column path and its new value, an expression over the old row. Several see the same old row.
  std::vector<std::pair<std::string, Clause>> set;
  Parameters parameters;
  BadVectors bad_vectors = BadVectors::kError;
  std::map<std::string, std::string> transaction_properties;
  ProgressCallback progress;
  CancelToken cancel;
};

struct UpdateResult {
  uint64_t num_updated_rows = 0;
  uint64_t version = 0;
};

/// A merge of source rows into the table, matched by key. Conditions and values name columns as
/// source.x and target.x.
struct MergeRequest {
  /// Columns of the key; empty: the table's declared primary key. Null keys match nothing.
  std::vector<std::string> on;
  /// Matched rows take the source's columns (those it has), or what `set` says.
  bool update_matched = false;
  Clause update_condition;  ///< only matched rows for which it is true
  std::vector<std::pair<std::string, Clause>> set;
  bool insert_unmatched = false;  ///< source rows without a match; columns it lacks become null
  bool delete_unmatched_by_source = false;  ///< rows of the table without a match
  Clause delete_condition;                  ///< over target columns, unqualified too
  /// A matched row is an error instead: kAlreadyExists naming its key.
  bool fail_on_match = false;
  Parameters parameters;
  /// Give up recomputing against other writers after this time; 0 = only after the usual attempts.
  int64_t timeout_nanos = 0;
  WriteOptions write;
};

struct MergeResult {
  uint64_t num_inserted_rows = 0;
  uint64_t num_updated_rows = 0;
  uint64_t num_deleted_rows = 0;
  uint64_t num_source_rows = 0;
  uint32_t num_attempts = 0;
  uint64_t version = 0;
};

struct NewColumn {
  std::string name;
  Clause expression;  ///< over the other columns
};

struct ColumnAlteration {
  std::string path;
  std::optional<std::string> rename;      ///< a bare name, not a path
  std::shared_ptr<arrow::DataType> type;  ///< null: unchanged
  std::optional<bool> nullable;           ///< false only if no row is null
};

/// Entries of a text map: a value to set, or nullopt to remove the key. With `replace` all others
/// go.
struct MapUpdate {
  std::map<std::string, std::optional<std::string>> entries;
  bool replace = false;
};

struct SchemaChangeResult {
  uint64_t version = 0;
};

struct OptimizeOptions {
  uint64_t target_rows_per_fragment = 1024 * 1024;
  uint64_t max_bytes_per_fragment = uint64_t{90} << 30;
  /// Rewrites fragments with more than this part of their rows deleted.
  double materialize_deletions_threshold = 0.1;
  bool compact = true;
  /// Versions older than this are removed then; nullopt: none.
  std::optional<int64_t> cleanup_older_than_nanos = int64_t{7} * 24 * 3600 * 1'000'000'000;
  ProgressCallback progress;
  CancelToken cancel;
};

struct OptimizeResult {
  uint64_t fragments_removed = 0;
  uint64_t fragments_added = 0;
  uint64_t files_removed = 0;
  uint64_t files_added = 0;
  uint64_t versions_removed = 0;
  uint64_t bytes_removed = 0;
  uint64_t version = 0;
};

struct CleanupOptions {
  /// Removes versions that are all of these (the latest, tagged ones, and those that branches stand
  /// on always stay): older than this age; if given, below this number; if given, not among the
  /// newest n.
  int64_t older_than_nanos = int64_t{7} * 24 * 3600 * 1'000'000'000;
  std::optional<uint64_t> before_version;
  std::optional<uint64_t> keep_newest;
  /// Also files that no version names and that are younger than 7 days. Dangerous while others
  /// write.
  bool delete_unverified = false;
  bool error_if_tagged_old_versions = false;
  bool dry_run = false;  ///< counts, removes nothing
  ProgressCallback progress;
  CancelToken cancel;
};

struct CleanupResult {
  uint64_t versions_removed = 0;
  uint64_t data_files_removed = 0;
  uint64_t deletion_files_removed = 0;
  uint64_t index_files_removed = 0;
  uint64_t transaction_files_removed = 0;
  uint64_t bytes_removed = 0;
};

}  // namespace glaive
