// Each different row of a stream once. Private to the room.
#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "base/memory_budget.h"

namespace glaive::query {

struct DistinctOptions {
  MemoryBudget* budget = nullptr;
  std::string spill_directory;
  arrow::MemoryPool* pool = nullptr;
  CancelToken cancel;
};

/// The first of equal rows, in the order of the input. Streams as long as the keys of the rows seen
/// fit the budget; what comes later is sorted on disk. NaN equals NaN, null null.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Distinct(
    std::shared_ptr<arrow::RecordBatchReader> input, const DistinctOptions& options);

}  // namespace glaive::query
