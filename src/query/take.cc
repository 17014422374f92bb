#include "query/take.h"

#include <algorithm>
#include <numeric>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/clock.h"
#include "base/executor.h"
#include "base/status.h"
#include "query/compute.h"
#include "query/row_columns.h"
#include "query/scan.h"

namespace glaive::query {

namespace {

/// The rows to read of one fragment.
struct Group {
  const table::Fragment* fragment = nullptr;
  RowRanges rows;
};

/// Addresses that were asked for, as groups in address order, and where each asked row lies in
/// them.
struct Grouping {
  std::vector<Group> groups;
  std::vector<int64_t> position;  ///< per asked address
  bool identity = true;           ///< the groups are in the order asked
};

arrow::Result<Grouping> GroupAddresses(const table::Snapshot& snapshot,
                                       const std::vector<uint64_t>& addresses) {
  Grouping grouping;
  std::vector<size_t> order(addresses.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (!std::is_sorted(addresses.begin(), addresses.end())) {
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return addresses[a] < addresses[b]; });
  }
  grouping.position.resize(addresses.size());
  int64_t unique = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const uint64_t address = addresses[order[i]];
    if (i > 0 && address == addresses[order[i - 1]]) {
      grouping.position[order[i]] = unique - 1;
      grouping.identity = false;
      continue;
    }
    const uint64_t offset = address & UINT32_MAX;
    if (grouping.groups.empty() || grouping.groups.back().fragment->id() != address >> 32) {
      const table::Fragment* fragment = snapshot.FindFragment(address >> 32);
      GLAIVE_CHECK_ARGUMENT(fragment != nullptr, "row address ", address, " names fragment ",
                            address >> 32, ", which is not in version ", snapshot.version());
      grouping.groups.push_back({fragment, {}});
    }
    Group& group = grouping.groups.back();
    GLAIVE_CHECK_ARGUMENT(offset < group.fragment->physical_rows(), "row address ", address,
                          " names row ", offset, " of fragment ", group.fragment->id(),
                          ", which has ", group.fragment->physical_rows());
    if (!group.rows.empty() && group.rows.back().end == offset) {
      ++group.rows.back().end;
    } else {
      group.rows.push_back({offset, offset + 1});
    }
    grouping.identity = grouping.identity && order[i] == static_cast<size_t>(unique);
    grouping.position[order[i]] = unique++;
  }
  return grouping;
}

arrow::Status CheckLive(const Grouping& grouping) {
  for (const auto& group : grouping.groups) {
    ARROW_ASSIGN_OR_RAISE(const auto deletions, group.fragment->deletions());
    if (deletions == nullptr) {
      continue;
    }
    for (const auto& range : group.rows) {
      for (uint64_t row = range.start; row < range.end; ++row) {
        GLAIVE_CHECK_ARGUMENT(!deletions->Contains(static_cast<uint32_t>(row)), "row ", row,
                              " of fragment ", group.fragment->id(), " is deleted");
      }
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeGrouped(const table::Snapshot& snapshot,
                                                               const Grouping& grouping,
                                                               const ReadSet& set,
                                                               const CancelToken& cancel) {
  arrow::MemoryPool* pool = snapshot.session()->options().pool;
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  if (grouping.groups.empty()) {
    return arrow::RecordBatch::MakeEmpty(set.schema, pool);
  }
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches(grouping.groups.size());
  const auto read = [&](size_t i) -> arrow::Status {
    ARROW_RETURN_NOT_OK(cancel.Check("take"));
    FragmentAccess access(snapshot, *grouping.groups[i].fragment);
    ARROW_ASSIGN_OR_RAISE(batches[i], ReadRows(set, &access, grouping.groups[i].rows, pool));
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(snapshot.session()->executor().ParallelFor(batches.size(), read));
  ARROW_ASSIGN_OR_RAISE(auto batch, JoinBatches(batches, pool));
  if (grouping.identity) {
    return batch;
  }
  const auto indices = std::make_shared<arrow::Int64Array>(
      static_cast<int64_t>(grouping.position.size()), arrow::Buffer::Wrap(grouping.position));
  return TakeRows(batch, indices, pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Take(const table::Snapshot& snapshot,
                                                        const std::vector<uint64_t>& addresses,
                                                        const TakeOptions& options,
                                                        bool check_live) {
  Selection selection;
  selection.columns = options.columns;
  selection.select = options.select;
  selection.parameters = options.parameters;
  selection.blobs = options.blobs;
  selection.with_row_id = options.with_row_id;
  selection.with_row_address = options.with_row_address;
  selection.now_nanos = NowNanos();
  ARROW_ASSIGN_OR_RAISE(const auto output, MakeOutput(snapshot, selection));
  if (check_live) {
    ARROW_ASSIGN_OR_RAISE(const auto grouping, GroupAddresses(snapshot, addresses));
    ARROW_RETURN_NOT_OK(CheckLive(grouping));
  }
  return TakeOutput(snapshot, addresses, output, options.cancel);
}

/// Turns ordinals among the live rows of one fragment into physical rows.
class LiveRows {
 public:
  static arrow::Result<LiveRows> Make(const table::Fragment& fragment) {
    LiveRows live;
    if (fragment.num_deleted() == 0) {
      return live;
    }
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment.deletions());
    if (deletions == nullptr) {
      return live;
    }
    live.ranges_ = deletions->LiveRanges(0, fragment.physical_rows());
    uint64_t before = 0;
    for (const auto& range : live.ranges_) {
      live.before_.push_back(before);
      before += range.size();
    }
    return live;
  }

  uint64_t Physical(uint64_t ordinal) const {
    if (ranges_.empty()) {
      return ordinal;
    }
    const auto after = std::upper_bound(before_.begin(), before_.end(), ordinal);
    const auto at = static_cast<size_t>(after - before_.begin()) - 1;
    return ranges_[at].start + (ordinal - before_[at]);
  }

 private:
  RowRanges ranges_;              // empty: nothing is deleted
  std::vector<uint64_t> before_;  // live rows before each range
};

arrow::Result<std::vector<uint64_t>> AddressesOf(const table::Snapshot& snapshot,
                                                 const std::vector<uint64_t>& offsets) {
  const auto& fragments = snapshot.fragments();
  std::vector<uint64_t> before;  // live rows before each fragment
  uint64_t total = 0;
  for (const auto& fragment : fragments) {
    before.push_back(total);
    total += fragment->num_rows();
  }
  std::vector<std::optional<LiveRows>> live(fragments.size());
  std::vector<uint64_t> addresses;
  addresses.reserve(offsets.size());
  for (const uint64_t offset : offsets) {
    GLAIVE_CHECK_ARGUMENT(offset < total, "row position ", offset, " is beyond the table's ", total,
                          " rows");
    // The last fragment that begins at or before the offset; empty ones before it begin there, too.
    const auto after = std::upper_bound(before.begin(), before.end(), offset);
    const auto at = static_cast<size_t>(after - before.begin()) - 1;
    if (!live[at].has_value()) {
      ARROW_ASSIGN_OR_RAISE(live[at], LiveRows::Make(*fragments[at]));
    }
    addresses.push_back(fragments[at]->id() << 32 | live[at]->Physical(offset - before[at]));
  }
  return addresses;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeColumns(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses, const ReadSet& set,
    const CancelToken& cancel) {
  ARROW_ASSIGN_OR_RAISE(const auto grouping, GroupAddresses(snapshot, addresses));
  return TakeGrouped(snapshot, grouping, set, cancel);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeOutput(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses, const Output& output,
    const CancelToken& cancel) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, TakeColumns(snapshot, addresses, output.input, cancel));
  return output.Apply(rows);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeOffsets(const table::Snapshot& snapshot,
                                                               const std::vector<uint64_t>& offsets,
                                                               const TakeOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto addresses, AddressesOf(snapshot, offsets));
  return Take(snapshot, addresses, options, /*check_live=*/false);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRowIds(const table::Snapshot& snapshot,
                                                              const std::vector<uint64_t>& row_ids,
                                                              const TakeOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto resolved, snapshot.ResolveRowIds(row_ids));
  std::vector<uint64_t> addresses;
  addresses.reserve(resolved.size());
  for (const auto& address : resolved) {
    if (address.has_value()) {
      addresses.push_back(*address);
    }
  }
  return Take(snapshot, addresses, options, /*check_live=*/false);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeAddresses(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses,
    const TakeOptions& options) {
  return Take(snapshot, addresses, options, /*check_live=*/true);
}

}  // namespace glaive::query
