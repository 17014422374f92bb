#include "write/moved_rows.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/status.h"
#include "table/committer.h"
#include "table/row_ids.h"
#include "write/append.h"

namespace glaive::write {

namespace {

/// Gives the first rows of the new fragments the ids of the rows that they replace; the others get
/// new ones when they are committed.
void KeepRowIds(const std::vector<uint64_t>& ids,
                std::vector<lance::table::DataFragment>* fragments) {
  size_t done = 0;
  for (auto& fragment : *fragments) {
    const size_t count = std::min<size_t>(fragment.physical_rows(), ids.size() - done);
    if (count == 0) {
      return;
    }
    const auto first = ids.begin() + static_cast<ptrdiff_t>(done);
    fragment.set_inline_row_ids(
        table::SerializeRowIds({first, first + static_cast<ptrdiff_t>(count)}));
    done += count;
  }
}

}  // namespace

void MovedRows::Add(const arrow::UInt64Array& ids, const arrow::UInt64Array& addresses) {
  rows.Add(addresses);
  num_moved += static_cast<uint64_t>(addresses.length());
  if (keeps_row_ids) {
    row_ids.insert(row_ids.end(), ids.raw_values(), ids.raw_values() + ids.length());
  }
}

void MovedRows::Add(uint64_t id, uint64_t address) {
  rows.Add(address);
  ++num_moved;
  if (keeps_row_ids) {
    row_ids.push_back(id);
  }
}

void MovedRows::Drop(uint64_t address) {
  rows.Add(address);
  ++num_dropped;
}

ChangeResult WriteMoved(const table::Snapshot& snapshot, arrow::RecordBatchReader& data,
                        const WriteOptions& options, MovedRows* moved) {
  ARROW_ASSIGN_OR_RAISE(const auto version,
                        file::FileVersion::Parse(snapshot.manifest().pb.data_format().version()));
  ARROW_ASSIGN_OR_RAISE(auto written, WriteFragments(*snapshot.store(), *snapshot.session(),
                                                     snapshot.schema(), version, data, options));
  if (written.num_rows == 0 && moved->rows.empty()) {
    return std::nullopt;
  }
  if (moved->keeps_row_ids) {
    KeepRowIds(moved->row_ids, &written.fragments);
  }
  auto deletions = WriteDeletions(snapshot, std::move(moved->rows));
  if (!deletions.ok()) {
    RemoveFragments(*snapshot.store(), written);
    return deletions.status();
  }
  Change change;
  change.transaction = table::NewTransaction(snapshot.version());
  auto* update = change.transaction.mutable_update();
  update->mutable_removed_fragment_ids()->Assign(deletions->removed.begin(),
                                                 deletions->removed.end());
  update->mutable_updated_fragments()->Assign(deletions->updated.begin(), deletions->updated.end());
  update->mutable_new_fragments()->Assign(written.fragments.begin(), written.fragments.end());
  change.paths = std::move(written.paths);
  change.paths.insert(change.paths.end(), deletions->paths.begin(), deletions->paths.end());
  change.num_updated = moved->num_moved;
  change.num_inserted = moved->num_inserted;
  change.num_deleted = moved->num_dropped;
  return change;
}

}  // namespace glaive::write
