#include "write/deletions.h"

#include <arrow/array.h>

#include "base/status.h"
#include "table/deletion_file.h"

namespace glaive::write {

namespace {

arrow::Status AddFragment(const table::Snapshot& snapshot, uint64_t id, table::Bitmap offsets,
                          Deletions* deletions) {
  const table::Fragment* fragment = snapshot.FindFragment(id);
  if (fragment == nullptr) {
    return InternalError("a row was resolved to fragment ", id, ", which is not in version ",
                         snapshot.version());
  }
  ARROW_ASSIGN_OR_RAISE(const auto old, fragment->deletions());
  const uint64_t count = offsets.Count();
  deletions->num_rows += count;
  const uint64_t gone = count + (old != nullptr ? old->cardinality() : 0);
  if (gone >= fragment->physical_rows()) {
    deletions->removed.push_back(id);
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(
      auto file, table::WriteDeletionFile(*snapshot.store(), id, snapshot.version(), old.get(),
                                          std::move(offsets)));
  deletions->paths.push_back(table::DeletionFilePath(id, file));
  lance::table::DataFragment updated = fragment->pb();
  *updated.mutable_deletion_file() = std::move(file);
  deletions->updated.push_back(std::move(updated));
  return arrow::Status::OK();
}

}  // namespace

void RowSet::Add(const arrow::UInt64Array& addresses) {
  const uint64_t* values = addresses.raw_values();
  std::vector<uint32_t> offsets;
  for (int64_t i = 0; i < addresses.length();) {
    const uint64_t fragment = values[i] >> 32;
    offsets.clear();
    for (; i < addresses.length() && values[i] >> 32 == fragment; ++i) {
      offsets.push_back(static_cast<uint32_t>(values[i]));
    }
    roaring_bitmap_add_many(by_fragment_[fragment].get(), offsets.size(), offsets.data());
  }
}

arrow::Result<Deletions> WriteDeletions(const table::Snapshot& snapshot, RowSet rows) {
  Deletions deletions;
  for (auto& [id, offsets] : rows.TakeAll()) {
    const arrow::Status status = AddFragment(snapshot, id, std::move(offsets), &deletions);
    if (!status.ok()) {
      RemovePaths(*snapshot.store(), deletions.paths);
      return status;
    }
  }
  return deletions;
}

void RemovePaths(io::ObjectStore& store, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    // What cannot be removed is an orphan that no manifest names: harmless.
    static_cast<void>(store.Delete(path));
  }
  for (const auto& path : paths) {
    static_cast<void>(store.RemoveEmptyDirectory(path.substr(0, path.rfind('/'))));
  }
  static_cast<void>(store.RemoveEmptyDirectory("data"));
}

}  // namespace glaive::write
