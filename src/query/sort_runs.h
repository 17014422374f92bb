// Sorted runs, in memory or spilled, and their merge. Private to the room.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/memory_budget.h"
#include "query/sort.h"
#include "query/spill.h"

namespace glaive::query {

/// Rows in order, as batches. Those in memory hold their bytes of the budget.
struct SortedRun {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  MemoryReservation held;
  std::unique_ptr<SpillFile> file;  ///< instead of batches

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const std::shared_ptr<arrow::Schema>& schema) const;
};

/// The rows of all runs in order; equal ones in the order of the runs. Keeps the runs alive.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> MergeRuns(
    std::vector<SortedRun> runs, const std::shared_ptr<arrow::Schema>& schema,
    const SortOptions& options);

/// Bytes of the batches that runs are cut into, so that a merge fits the budget.
uint64_t RunBatchBytes(const SortOptions& options);

}  // namespace glaive::query
