// Finds nulls where a schema allows none.
#pragma once

#include <cstdint>

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "file/schema.h"

namespace glaive::file {

/// kInvalidArgument with the column's path and the row (`first_row` is that of the array's first
/// value) where `array` is null although `field` or a field below is not nullable; kUnsupported for
/// a null empty struct. A null below a null parent is none.
arrow::Status CheckNulls(const Field& field, const arrow::Array& array, uint64_t first_row);

}  // namespace glaive::file
