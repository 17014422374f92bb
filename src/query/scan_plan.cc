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

/// Drops the first `skip` rows and keeps `count` of the rest.
RowRanges SliceRows(const RowRanges& rows, uint64_t skip, uint64_t count) {
  RowRanges sliced;
  for (const auto& range : rows) {
    if (skip >= range.size()) {
      skip -= range.size();
      continue;
    }
    const uint64_t start = range.start + skip;
    skip = 0;
    const uint64_t taken = std::min(range.end - start, count);
    if (taken == 0) {
      break;
    }
    sliced.push_back({start, start + taken});
    count -= taken;
  }
  return sliced;
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
  uint64_t bytes = 0;
  const uint64_t most_rows = batch_rows_ != 0 ? std::min(batch_rows_, kJoinedRows) : kJoinedRows;
  while (!pieces_.empty()) {
    Planned& next = pieces_.front();
    const bool joins = next.num_bytes != 0 && unit.num_rows + next.num_rows <= most_rows &&
                       bytes + next.num_bytes <= kSmallBytes && unit.pieces.size() < kJoinedPieces;
    if (!unit.pieces.empty() && !joins) {
      break;
    }
    const bool small = next.num_bytes != 0;
    unit.num_rows += next.num_rows;
    bytes += next.num_bytes;
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
    if (to_skip_ >= fragment.num_rows()) {
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

arrow::Status ScanPlanner::CutFragment(const table::Fragment& fragment, RowRanges rows) {
  const auto file_bytes = FileBytes(fragment);
  const bool small = fragment.physical_rows() <= kSmallRows && file_bytes.has_value() &&
                     *file_bytes <= kSmallBytes;
  std::shared_ptr<table::FragmentReader> reader;
  if (!small && !output_.projection.fields().empty()) {
    ARROW_ASSIGN_OR_RAISE(reader, snapshot_.OpenFragment(fragment, output_.projection));
  }
  if (batch_rows_ != 0) {
    const uint64_t count = CountRows(rows);
    for (uint64_t done = 0; done < count; done += batch_rows_) {
      AddPiece(fragment, count <= batch_rows_ ? rows : SliceRows(rows, done, batch_rows_), reader,
               small ? *file_bytes : 0);
    }
    return arrow::Status::OK();
  }
  if (small) {
    AddPiece(fragment, std::move(rows), nullptr, std::max<uint64_t>(1, *file_bytes));
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
      AddPiece(fragment, std::move(piece), reader, 0);
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

void ScanPlanner::AddPiece(const table::Fragment& fragment, RowRanges rows,
                           const std::shared_ptr<table::FragmentReader>& reader,
                           uint64_t num_bytes) {
  const uint64_t count = CountRows(rows);
  pieces_.push_back({{&fragment, std::move(rows), reader}, count, num_bytes});
}

}  // namespace glaive::query
