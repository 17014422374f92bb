// Makes the stored form of a JSON column of what a caller hands in. Private to the room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::write {

/// Whether JsonFrom takes the type: text, dictionaries of text, or the stored form (binary).
bool IsJsonInput(const arrow::DataType& type);

/// JSONB in large_binary. kInvalidArgument starts with what `name_row` says of the first value that
/// is no JSON. Values that are already JSONB are checked and kept.
arrow::Result<std::shared_ptr<arrow::Array>> JsonFrom(
    const std::shared_ptr<arrow::Array>& input, const std::function<std::string(int64_t)>& name_row,
    arrow::MemoryPool* pool);

}  // namespace glaive::write
