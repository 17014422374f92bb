#include "query/scan_plan.h"

#include <algorithm>

#include "base/status.h"

namespace glaive::query {

namespace {

/// Encoded bytes that a batch should hold: large enough to make its overhead vanish, small enough
/// for the caches and for many threads.
constexpr double kTargetBytes = 4 << 20;
constexpr uint64_t kMinRows = 1024;
constexpr uint64_t kMaxRows = 256 << 10;
/// Cuts inside a page fall on multiples of this where batches are large: chunks of most pages do,
/// too.
constexpr uint64_t kCutMultiple = 1024;
/// Fragments up to this are not opened for cutting, and join in one batch up to these sums.
constexpr uint64_t kSmallRows = 1024;
constexpr uint64_t kSmallBytes = 1 << 20;
constexpr uint64_t kJoinedRows = 4096;
constexpr size_t kJoinedPieces = 64;

/// Bytes of the data files as the manifest says; nullopt if it does not.
std::optional<uint64_t> FileBytes(const table::Fragment& fragment) {
  uint64_t bytes = 0;
  for (const auto& file : fragment.pb().files()) {
    if (file.file_size_bytes() == 0) {
      return std::nullopt;
    }
    bytes += file.file_size_bytes();
  }
  return bytes;
}

}  // namespace

arrow::Result<std::optional<ScanUnit>> ScanPlanner::Next() {
  if (pieces_.empty()) {
    ARROW_RETURN_NOT_OK(Advance());
  }
  if (pieces_.empty()) {
    return std::nullopt;
  }
  ScanUnit unit;
  const uint64_t most_rows =
      plan_.batch_rows != 0 ? std::min(plan_.batch_rows, kJoinedRows) : kJoinedRows;
  while (!pieces_.empty()) {
    Planned& next = pieces_.front();
    const bool joins = next.small && unit.num_rows + next.num_rows <= most_rows &&
                       unit.num_bytes + next.num_bytes <= kSmallBytes &&
                       unit.pieces.size() < kJoinedPieces;
    if (!unit.pieces.empty() && !joins) {
      break;
    }
    const bool small = next.small;
    unit.num_rows += next.num_rows;
    unit.num_bytes += next.num_bytes;
    unit.pieces.push_back(std::move(next.piece));
    pieces_.pop_front();
    if (!small) {
      break;
    }
    if (pieces_.empty()) {
      ARROW_RETURN_NOT_OK(Advance());
    }
  }
  return unit;
}

arrow::Status ScanPlanner::Advance() {
  const auto& fragments = snapshot_.fragments();
  while (pieces_.empty() && left_ > 0 && next_fragment_ < fragments.size()) {
    const table::Fragment& fragment = *fragments[next_fragment_++];
    if (plan_.addresses == nullptr && to_skip_ >= fragment.num_rows()) {
      to_skip_ -= fragment.num_rows();
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto rows, WantedRows(fragment));
    if (!rows.empty()) {
      ARROW_RETURN_NOT_OK(CutFragment(fragment, std::move(rows)));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<RowRanges> ScanPlanner::WantedRows(const table::Fragment& fragment) {
  if (plan_.addresses != nullptr) {
    RowRanges named = NamedRows(fragment);
    std::shared_ptr<const table::DeletionVector> deletions;
    if (!named.empty() && fragment.num_deleted() > 0) {
      ARROW_ASSIGN_OR_RAISE(deletions, fragment.deletions());
    }
    if (deletions != nullptr) {
      std::erase_if(named, [&](const RowRange& row) {
        return deletions->Contains(static_cast<uint32_t>(row.start));
      });
    }
    // Neighbors become one range.
    RowRanges joined;
    for (const RowRange& row : named) {
      if (!joined.empty() && joined.back().end == row.start) {
        joined.back().end = row.end;
      } else {
        joined.push_back(row);
      }
    }
    return joined;
  }
  RowRanges live{{0, fragment.physical_rows()}};
  if (fragment.num_deleted() > 0) {
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment.deletions());
    if (deletions != nullptr) {
      live = deletions->LiveRanges(0, fragment.physical_rows());
    }
  }
  const uint64_t count = CountRows(live);
  const uint64_t skipped = std::min(to_skip_, count);
  const uint64_t taken = std::min(count - skipped, left_);
  to_skip_ -= skipped;
  if (left_ != UINT64_MAX) {
    left_ -= taken;
  }
  return taken == count ? live : SliceRows(live, skipped, taken);
}

/// Each as a range of its own.
RowRanges ScanPlanner::NamedRows(const table::Fragment& fragment) const {
  RowRanges rows;
  const uint64_t first = fragment.id() << 32;
  auto at = std::lower_bound(plan_.addresses->begin(), plan_.addresses->end(), first);
  for (; at != plan_.addresses->end() && *at - first < fragment.physical_rows(); ++at) {
    rows.push_back({*at - first, *at - first + 1});
  }
  return rows;
}

arrow::Status ScanPlanner::CutFragment(const table::Fragment& fragment, RowRanges rows) {
  const auto file_bytes = FileBytes(fragment);
  const bool named = plan_.addresses != nullptr;
  const bool small = named || (fragment.physical_rows() <= kSmallRows && file_bytes.has_value() &&
                               *file_bytes <= kSmallBytes);
  auto access = std::make_shared<FragmentAccess>(snapshot_, fragment);
  std::shared_ptr<table::FragmentReader> reader;
  double row_bytes = 0;
  if (!small) {
    ARROW_ASSIGN_OR_RAISE(reader, access->Reader(*plan_.columns));
    row_bytes = reader != nullptr ? reader->BytesPerRow() : sizeof(uint64_t);
  } else if (!named) {
    row_bytes = static_cast<double>(*file_bytes) /
                static_cast<double>(std::max<uint64_t>(1, fragment.physical_rows()));
  }
  const auto add = [&](RowRanges piece) {
    const uint64_t count = CountRows(piece);
    pieces_.push_back({{access, std::move(piece)},
                       count,
                       static_cast<uint64_t>(row_bytes * static_cast<double>(count)),
                       small});
  };
  const uint64_t at_most = plan_.batch_rows != 0 ? plan_.batch_rows : named ? kJoinedRows : 0;
  if (at_most != 0) {
    const uint64_t count = CountRows(rows);
    for (uint64_t done = 0; done < count; done += at_most) {
      add(count <= at_most ? rows : SliceRows(rows, done, at_most));
    }
    return arrow::Status::OK();
  }
  if (small) {
    add(std::move(rows));
    return arrow::Status::OK();
  }
  std::vector<uint64_t> ends;
  if (reader != nullptr) {
    ends = Boundaries(*reader);
  } else {
    for (uint64_t end = kMaxRows; end < fragment.physical_rows(); end += kMaxRows) {
      ends.push_back(end);
    }
  }
  ends.push_back(fragment.physical_rows());
  size_t at = 0;
  for (const uint64_t end : ends) {
    RowRanges piece;
    for (; at < rows.size() && rows[at].start < end; ++at) {
      piece.push_back({rows[at].start, std::min(rows[at].end, end)});
      if (rows[at].end > end) {
        rows[at].start = end;
        break;
      }
    }
    if (!piece.empty()) {
      add(std::move(piece));
    }
  }
  return arrow::Status::OK();
}

std::vector<uint64_t> ScanPlanner::Boundaries(const table::FragmentReader& reader) const {
  const double bytes_per_row = std::max(reader.BytesPerRow(), 1e-6);
  const double fitting = kTargetBytes / bytes_per_row;
  const uint64_t target =
      fitting >= static_cast<double>(kMaxRows)
          ? kMaxRows
          : std::max<uint64_t>(1, static_cast<uint64_t>(std::max(
                                      fitting, bytes_per_row > 16384 ? 1.0 : double{kMinRows})));
  std::vector<uint64_t> ends;
  uint64_t start = 0;
  for (const uint64_t cut : reader.PreferredCuts()) {
    if (cut <= start || cut - start < target / 4) {
      continue;  // joins the next page
    }
    const uint64_t parts = (cut - start + target + target / 2 - 1) / (target + target / 2);
    uint64_t step = (cut - start + parts - 1) / parts;
    if (step > 4 * kCutMultiple) {
      step = (step + kCutMultiple - 1) / kCutMultiple * kCutMultiple;
    }
    for (uint64_t end = start + step; end < cut; end += step) {
      ends.push_back(end);
    }
    ends.push_back(cut);
    start = cut;
  }
  return ends;
}

}  // namespace glaive::query
