// Casts from and to text that Arrow's kernels do differently from SQL or not at all.
#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr {

/// True if CastFromText makes `type`; other types are left to Arrow.
bool CastsFromText(const arrow::DataType& type);
/// `text` is utf8 or large_utf8. A text that is no such value is an error, or null if `try_cast`.
arrow::Result<std::shared_ptr<arrow::Array>> CastFromText(
    const arrow::Array& text, const std::shared_ptr<arrow::DataType>& type, bool try_cast,
    arrow::MemoryPool* pool);

/// True if CastToText prints `type`; other types are left to Arrow.
bool CastsToText(const arrow::DataType& type);
/// Gives utf8.
arrow::Result<std::shared_ptr<arrow::Array>> CastToText(const arrow::Array& values,
                                                        arrow::MemoryPool* pool);

}  // namespace glaive::expr
