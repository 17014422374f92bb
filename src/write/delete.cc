#include <algorithm>
#include <map>

#include "base/status.h"
#include "table/committer.h"
#include "table/deletion_file.h"
#include "write/append.h"

namespace glaive::write {

namespace {

/// Newly deleted offsets by fragment id, each sorted and unique.
using OffsetsByFragment = std::map<uint64_t, std::vector<uint32_t>>;

arrow::Result<OffsetsByFragment> FindRows(const table::Snapshot& snapshot,
                                          const std::vector<uint64_t>& row_ids) {
  ARROW_ASSIGN_OR_RAISE(const auto addresses, snapshot.ResolveRowIds(row_ids));
  OffsetsByFragment found;
  for (const auto& address : addresses) {
    if (address.has_value()) {
      found[*address >> 32].push_back(static_cast<uint32_t>(*address));
    }
  }
  for (auto& [id, offsets] : found) {
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  }
  return found;
}

arrow::Status AddFragment(const table::Snapshot& snapshot, uint64_t id,
                          const std::vector<uint32_t>& offsets,
                          lance::table::Transaction::Delete* message,
                          std::vector<std::string>* written) {
  const table::Fragment* fragment = snapshot.FindFragment(id);
  if (fragment == nullptr) {
    return InternalError("a row was resolved to fragment ", id, ", which is not in version ",
                         snapshot.version());
  }
  ARROW_ASSIGN_OR_RAISE(const auto old, fragment->deletions());
  const uint64_t gone = offsets.size() + (old != nullptr ? old->cardinality() : 0);
  if (gone >= fragment->physical_rows()) {
    message->add_deleted_fragment_ids(id);
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(
      auto file,
      table::WriteDeletionFile(*snapshot.store(), id, snapshot.version(), old.get(), offsets));
  written->push_back(table::DeletionFilePath(id, file));
  auto* updated = message->add_updated_fragments();
  *updated = fragment->pb();
  *updated->mutable_deletion_file() = std::move(file);
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::optional<lance::table::Transaction>> DeleteRowIdsTransaction(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& row_ids, uint64_t* num_deleted) {
  *num_deleted = 0;
  ARROW_ASSIGN_OR_RAISE(const auto rows, FindRows(snapshot, row_ids));
  if (rows.empty()) {
    return std::nullopt;
  }
  auto transaction = table::NewTransaction(snapshot.version());
  auto* message = transaction.mutable_delete_();
  std::vector<std::string> written;
  for (const auto& [id, offsets] : rows) {
    const arrow::Status status = AddFragment(snapshot, id, offsets, message, &written);
    if (!status.ok()) {
      for (const auto& path : written) {
        static_cast<void>(snapshot.store()->Delete(path));
      }
      static_cast<void>(snapshot.store()->RemoveEmptyDirectory("_deletions"));
      return status;
    }
    *num_deleted += offsets.size();
  }
  message->set_predicate(Concat("_rowid IN (", *num_deleted, " ids)"));
  return transaction;
}

}  // namespace glaive::write
