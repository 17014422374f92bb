// Rows of arrays by their index, or by a mask: what filtered scans spend their time in. Private to
// the room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::query {

/// The rows for which the mask, which has no nulls, is true.
std::vector<uint32_t> RowsOf(const arrow::BooleanArray& mask);

/// The values at `rows`, each less than the length of the array.
arrow::Result<std::shared_ptr<arrow::Array>> Gather(const std::shared_ptr<arrow::Array>& values,
                                                    const std::vector<uint32_t>& rows,
                                                    arrow::MemoryPool* pool);

}  // namespace glaive::query
