// Door: changes of rows and of schemas, computed on one snapshot. Committing them, and computing
// them anew against other writers, is the business of db.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/change.h"

#include "expr/syntax.h"
#include "proto/transaction.pb.h"
#include "table/snapshot.h"

namespace glaive::write {

/// A transaction whose files are written and not yet committed.
struct Change {
  lance::table::Transaction transaction;
  std::vector<std::string> paths;  ///< everything that was created, for clean-up after a failure
  uint64_t num_inserted = 0;
  uint64_t num_updated = 0;
  uint64_t num_deleted = 0;
  uint64_t num_source = 0;
};

/// nullopt: nothing changes. After an error nothing that was written is left.
using ChangeResult = arrow::Result<std::optional<Change>>;

/// Removes the files of a change that was not committed, and directories left empty.
void RemoveFiles(io::ObjectStore& store, const Change& change);

/// Deletes by row id; unknown ids are ignored.
ChangeResult MakeDeleteRowIds(const table::Snapshot& snapshot,
                              const std::vector<uint64_t>& row_ids);
ChangeResult MakeDelete(const std::shared_ptr<const table::Snapshot>& snapshot, const Clause& where,
                        const DeleteOptions& options);
ChangeResult MakeUpdate(const std::shared_ptr<const table::Snapshot>& snapshot,
                        const UpdateRequest& request);

/// The source of a merge. Read once, kept (in memory, or spilled) for as many attempts as it takes.
class MergeSource {
 public:
  virtual ~MergeSource() = default;
  /// Reads the whole stream; checks key columns, nulls and what else schemas tell.
  static arrow::Result<std::shared_ptr<MergeSource>> Read(const table::Snapshot& snapshot,
                                                          const MergeRequest& request,
                                                          arrow::RecordBatchReader& data);
  virtual uint64_t num_rows() const = 0;
};

ChangeResult MakeMerge(const std::shared_ptr<const table::Snapshot>& snapshot,
                       const MergeRequest& request, MergeSource& source);

ChangeResult MakeAddColumns(const std::shared_ptr<const table::Snapshot>& snapshot,
                            const std::vector<NewColumn>& columns, const Parameters& parameters);
ChangeResult MakeAddNullColumns(const table::Snapshot& snapshot, const arrow::Schema& columns);
ChangeResult MakeAddColumnsFrom(const std::shared_ptr<const table::Snapshot>& snapshot,
                                arrow::RecordBatchReader& columns);
ChangeResult MakeAlterColumns(const std::shared_ptr<const table::Snapshot>& snapshot,
                              const std::vector<ColumnAlteration>& alterations);
ChangeResult MakeDropColumns(const table::Snapshot& snapshot,
                             const std::vector<std::string>& paths);
ChangeResult MakeFieldMetadata(const table::Snapshot& snapshot,
                               const std::map<std::string, MapUpdate>& by_path);
ChangeResult MakeSchemaMetadata(const table::Snapshot& snapshot, const MapUpdate& update);
ChangeResult MakeConfig(const table::Snapshot& snapshot, const MapUpdate& update);
ChangeResult MakePrimaryKey(const std::shared_ptr<const table::Snapshot>& snapshot,
                            const std::vector<std::string>& columns, bool enforced);

/// The declared key's columns (paths), in order; empty if there is none. And whether it is
/// enforced.
std::vector<std::string> PrimaryKeyOf(const table::Snapshot& snapshot);
bool PrimaryKeyIsEnforced(const table::Snapshot& snapshot);

}  // namespace glaive::write
