#include "query/filter_stream.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>

namespace glaive::query {

size_t DefaultWindow(const table::Snapshot& snapshot) {
  return 2 * snapshot.session()->executor().num_threads();
}

FilterStream::FilterStream(const table::Snapshot& snapshot, std::shared_ptr<const RowFilter> filter,
                           std::vector<int> keep, size_t window, bool begin_small,
                           CancelToken cancel)
    : snapshot_(snapshot),
      filter_(std::move(filter)),
      keep_(std::move(keep)),
      window_(window),
      cancel_(std::move(cancel)),
      planner_(snapshot, {&filter_->all(), 0, 0, std::nullopt,
                          filter_->addresses().has_value() ? &*filter_->addresses() : nullptr}),
      current_window_(begin_small ? 1 : window),
      planned_all_(filter_->always_false()),
      ahead_(&snapshot.session()->executor(), &snapshot.session()->budget(), current_window_) {}

FilterStream::~FilterStream() {
  ahead_.Drop();
}

arrow::Status FilterStream::Fill() {
  while (!planned_all_ && ahead_.wants_more()) {
    ARROW_ASSIGN_OR_RAISE(auto unit, planner_.Next());
    if (!unit.has_value()) {
      planned_all_ = true;
      break;
    }
    // Encoded, decoded, and what is kept of it.
    const uint64_t bytes = 3 * unit->num_bytes;
    auto shared = std::make_shared<ScanUnit>(std::move(*unit));
    ahead_.Add([this, shared] { return Filter(*shared); }, bytes);
  }
  return arrow::Status::OK();
}

arrow::Result<std::optional<Survivors>> FilterStream::Next() {
  ARROW_RETURN_NOT_OK(cancel_.Check("scan"));
  ARROW_RETURN_NOT_OK(Fill());
  if (ahead_.empty()) {
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(auto survivors, ahead_.Take());
  current_window_ = std::min(window_, current_window_ * 2);
  ahead_.set_window(current_window_);
  ARROW_RETURN_NOT_OK(Fill());
  return survivors;
}

arrow::Result<Survivors> FilterStream::Filter(const ScanUnit& unit) const {
  ARROW_RETURN_NOT_OK(cancel_.Check("scan"));
  Survivors survivors;
  survivors.num_examined = unit.num_rows;
  for (const auto& piece : unit.pieces) {
    ARROW_ASSIGN_OR_RAISE(auto left, filter_->Apply(piece.access.get(), piece.rows, keep_,
                                                    snapshot_.session()->options().pool));
    if (left.num_rows > 0) {
      survivors.num_rows += left.num_rows;
      survivors.pieces.push_back(
          {piece.access, std::move(left.rows), left.num_rows, std::move(left.kept)});
    }
  }
  return survivors;
}

}  // namespace glaive::query
