#include "maintain/gathered_lineage.h"

#include <string>

#include "table/row_ids.h"

namespace glaive::maintain {

namespace {

using Numbers = std::vector<uint64_t>;

/// Ids of gathered fragments ascend in few long runs; each becomes a segment of its own, as long as
/// there are not so many that one array of numbers is smaller.
std::string Serialize(const Numbers& ids) {
  constexpr size_t kRowsPerSegment = 16;
  std::vector<size_t> starts{0};
  for (size_t i = 1; i < ids.size(); ++i) {
    if (ids[i] <= ids[i - 1]) {
      starts.push_back(i);
    }
  }
  if (starts.size() > 1 && starts.size() * kRowsPerSegment > ids.size()) {
    return table::SerializeRowIds(ids);
  }
  // A sequence is a list of segments, so one sequence behind the other is a sequence again.
  std::string bytes;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : ids.size();
    bytes += table::SerializeRowIds(Numbers(ids.begin() + static_cast<int64_t>(starts[i]),
                                            ids.begin() + static_cast<int64_t>(end)));
  }
  return bytes;
}

Numbers Slice(const Numbers& all, uint64_t first, uint64_t count) {
  const auto begin = all.begin() + static_cast<int64_t>(first);
  return Numbers(begin, begin + static_cast<int64_t>(count));
}

}  // namespace

arrow::Result<GatheredLineage> GatheredLineage::Of(
    const std::vector<const table::Fragment*>& fragments) {
  GatheredLineage gathered;
  for (const auto* fragment : fragments) {
    ARROW_ASSIGN_OR_RAISE(const auto ids, fragment->row_ids());
    if (ids == nullptr) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment->deletions());
    const RowRanges live = deletions == nullptr
                               ? RowRanges{{0, fragment->physical_rows()}}
                               : deletions->LiveRanges(0, fragment->physical_rows());
    for (const auto& range : live) {
      for (uint64_t row = range.start; row < range.end; ++row) {
        gathered.ids_.push_back(ids->Get(row));
        ARROW_ASSIGN_OR_RAISE(const uint64_t created, fragment->CreatedAt(row));
        ARROW_ASSIGN_OR_RAISE(const uint64_t updated, fragment->LastUpdatedAt(row));
        gathered.created_.push_back(created);
        gathered.updated_.push_back(updated);
      }
    }
  }
  return gathered;
}

void GatheredLineage::Stamp(uint64_t first, lance::table::DataFragment* fragment) const {
  if (ids_.empty()) {
    return;
  }
  const uint64_t count = fragment->physical_rows();
  fragment->set_inline_row_ids(Serialize(Slice(ids_, first, count)));
  fragment->set_inline_created_at_versions(table::SerializeVersions(Slice(created_, first, count)));
  fragment->set_inline_last_updated_at_versions(
      table::SerializeVersions(Slice(updated_, first, count)));
}

}  // namespace glaive::maintain
