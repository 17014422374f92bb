// Cuts a scan into units of work: which rows of which fragments make up the next batch. Private to
// the room.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/result.h>

#include "base/rows.h"
#include "query/row_columns.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Live rows of one fragment, as physical ranges.
struct ScanPiece {
  std::shared_ptr<FragmentAccess> access;  ///< shared by the pieces of a fragment
  RowRanges rows;
};

/// What becomes one batch. Several pieces only where fragments are so small that a batch each would
/// cost more than joining them.
struct ScanUnit {
  std::vector<ScanPiece> pieces;
  uint64_t num_rows = 0;
  uint64_t num_bytes = 0;  ///< encoded, an estimate
};

/// What a planner is to cut.
struct ScanPlan {
  const ReadSet* columns = nullptr;  ///< whose bytes and pages decide where to cut
  uint64_t batch_rows = 0;           ///< at most; 0: by bytes
  uint64_t offset = 0;
  std::optional<uint64_t> limit;
  /// Only these rows, by address, ascending; nullptr: all.
  const std::vector<uint64_t>* addresses = nullptr;
};

/// One thread at a time. Looks at fragments only as far as units are asked for.
class ScanPlanner {
 public:
  ScanPlanner(const table::Snapshot& snapshot, const ScanPlan& plan)
      : snapshot_(snapshot),
        plan_(plan),
        to_skip_(plan.offset),
        left_(plan.limit.value_or(UINT64_MAX)) {}

  /// nullopt at the end.
  arrow::Result<std::optional<ScanUnit>> Next();

 private:
  struct Planned {
    ScanPiece piece;
    uint64_t num_rows = 0;
    uint64_t num_bytes = 0;  ///< an estimate
    bool small = false;      ///< may join others
  };

  /// Fills pieces_ from the next fragment that has rows; leaves it empty at the end.
  arrow::Status Advance();
  arrow::Result<RowRanges> WantedRows(const table::Fragment& fragment);
  RowRanges NamedRows(const table::Fragment& fragment) const;
  arrow::Status CutFragment(const table::Fragment& fragment, RowRanges rows);
  std::vector<uint64_t> Boundaries(const table::FragmentReader& reader) const;

  const table::Snapshot& snapshot_;
  const ScanPlan plan_;
  uint64_t to_skip_;
  uint64_t left_;
  size_t next_fragment_ = 0;
  std::deque<Planned> pieces_;
};

}  // namespace glaive::query
