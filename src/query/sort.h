// Door: sorted streams within a memory budget.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "base/memory_budget.h"
#include "query/row_keys.h"

namespace glaive::query {

using SortKey = KeyColumn;

struct SortOptions {
  std::vector<SortKey> keys;
  std::optional<uint64_t> limit;  ///< keeps only the best so many rows
  MemoryBudget* budget = nullptr;
  std::string spill_directory;
  arrow::MemoryPool* pool = nullptr;
  CancelToken cancel;
};

/// Reads all of `input`, hands it out in order. Stable. NaN after all numbers, -0 equal to 0.
/// Columns of any type may be carried along; keys are of ordered types (kTypeMismatch names
/// others).
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Sort(arrow::RecordBatchReader& input,
                                                              const SortOptions& options);

}  // namespace glaive::query
