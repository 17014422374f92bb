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
#include "query/output_schema.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Live rows of one fragment, as physical ranges.
struct ScanPiece {
  const table::Fragment* fragment = nullptr;
  RowRanges rows;
  /// Opened while planning where cutting needed it; small fragments are opened by who reads them.
  std::shared_ptr<table::FragmentReader> reader;
};

/// What becomes one batch. Several pieces only where fragments are so small that a batch each would
/// cost more than joining them.
struct ScanUnit {
  std::vector<ScanPiece> pieces;
  uint64_t num_rows = 0;
};

/// One thread at a time. Looks at fragments only as far as units are asked for.
class ScanPlanner {
 public:
  ScanPlanner(const table::Snapshot& snapshot, const Output& output, uint64_t batch_rows,
              uint64_t offset, std::optional<uint64_t> limit)
      : snapshot_(snapshot),
        output_(output),
        batch_rows_(batch_rows),
        to_skip_(offset),
        left_(limit.value_or(UINT64_MAX)) {}

  /// nullopt at the end.
  arrow::Result<std::optional<ScanUnit>> Next();

 private:
  struct Planned {
    ScanPiece piece;
    uint64_t num_rows = 0;
    uint64_t num_bytes = 0;  ///< an estimate, 0 unless the fragment is small
  };

  /// Fills pieces_ from the next fragment that has rows; leaves it empty at the end.
  arrow::Status Advance();
  arrow::Result<RowRanges> WantedRows(const table::Fragment& fragment);
  arrow::Status CutFragment(const table::Fragment& fragment, RowRanges rows);
  std::vector<uint64_t> Boundaries(const table::FragmentReader& reader) const;
  void AddPiece(const table::Fragment& fragment, RowRanges rows,
                const std::shared_ptr<table::FragmentReader>& reader, uint64_t num_bytes);

  const table::Snapshot& snapshot_;
  const Output& output_;
  const uint64_t batch_rows_;
  uint64_t to_skip_;
  uint64_t left_;
  size_t next_fragment_ = 0;
  std::deque<Planned> pieces_;
};

}  // namespace glaive::query
