// The rows of a snapshot that pass a filter, in table order, found ahead of the consumer. Private
// to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "query/filter.h"
#include "query/read_ahead.h"
#include "query/scan_plan.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Rows of one fragment to hand out.
struct RowPiece {
  std::shared_ptr<FragmentAccess> access;
  RowRanges rows;
  uint64_t num_rows = 0;
  /// Columns that the filter has read already; nullptr if none are wanted.
  std::shared_ptr<arrow::RecordBatch> kept;
};

/// What is left of one unit of the scan.
struct Survivors {
  std::vector<RowPiece> pieces;
  uint64_t num_rows = 0;
  uint64_t num_examined = 0;
};

/// One thread at a time.
class FilterStream {
 public:
  /// `keep`: indices of fields of the filter's columns to hand on. The window begins at one unit
  /// and grows, if few rows may be wanted.
  FilterStream(const table::Snapshot& snapshot, std::shared_ptr<const RowFilter> filter,
               std::vector<int> keep, size_t window, bool begin_small, CancelToken cancel);
  ~FilterStream();

  /// nullopt at the end.
  arrow::Result<std::optional<Survivors>> Next();

  /// True if Next would not wait for work that has not been done.
  bool ready() const { return ahead_.front_done() || (planned_all_ && ahead_.empty()); }

 private:
  arrow::Status Fill();
  arrow::Result<Survivors> Filter(const ScanUnit& unit) const;

  const table::Snapshot& snapshot_;
  const std::shared_ptr<const RowFilter> filter_;
  const std::vector<int> keep_;
  const size_t window_;
  const CancelToken cancel_;
  ScanPlanner planner_;
  size_t current_window_;
  bool planned_all_ = false;
  ReadAhead<Survivors> ahead_;
};

/// Units that may be decoded ahead, unless the request says how many.
size_t DefaultWindow(const table::Snapshot& snapshot);

}  // namespace glaive::query
