// Deleting rows: by row id, and by what is true of them.
#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/status.h"
#include "query/scan.h"
#include "table/committer.h"
#include "write/append.h"
#include "write/change.h"
#include "write/deletions.h"

namespace glaive::write {

namespace {

Change DeleteChange(const table::Snapshot& snapshot, Deletions deletions, std::string predicate) {
  Change change;
  change.transaction = table::NewTransaction(snapshot.version());
  auto* message = change.transaction.mutable_delete_();
  message->mutable_updated_fragments()->Assign(deletions.updated.begin(), deletions.updated.end());
  message->mutable_deleted_fragment_ids()->Assign(deletions.removed.begin(),
                                                  deletions.removed.end());
  message->set_predicate(std::move(predicate));
  change.paths = std::move(deletions.paths);
  change.num_deleted = deletions.num_rows;
  return change;
}

}  // namespace

ChangeResult MakeDeleteRowIds(const table::Snapshot& snapshot,
                              const std::vector<uint64_t>& row_ids) {
  ARROW_ASSIGN_OR_RAISE(const auto addresses, snapshot.ResolveRowIds(row_ids));
  RowSet rows;
  for (const auto& address : addresses) {
    if (address.has_value()) {
      rows.Add(*address);
    }
  }
  if (rows.empty()) {
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(auto deletions, WriteDeletions(snapshot, std::move(rows)));
  std::string predicate = Concat("_rowid IN (", deletions.num_rows, " ids)");
  return DeleteChange(snapshot, std::move(deletions), std::move(predicate));
}

ChangeResult MakeDelete(const std::shared_ptr<const table::Snapshot>& snapshot, const Clause& where,
                        const DeleteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(!where.empty(),
                        "a delete needs a condition; write 'true' to delete all rows");
  ScanOptions scan;
  scan.columns = {"_rowaddr"};
  scan.filter = where;
  scan.parameters = options.parameters;
  scan.progress = options.progress;
  scan.cancel = options.cancel;
  ARROW_ASSIGN_OR_RAISE(const auto reader, query::ScanSnapshot(snapshot, scan));
  RowSet rows;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    rows.Add(static_cast<const arrow::UInt64Array&>(*batch->column(0)));
  }
  if (rows.empty()) {
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(auto deletions, WriteDeletions(*snapshot, std::move(rows)));
  return DeleteChange(*snapshot, std::move(deletions), where.ToSql());
}

void RemoveFiles(io::ObjectStore& store, const Change& change) {
  RemovePaths(store, change.paths);
}

}  // namespace glaive::write
