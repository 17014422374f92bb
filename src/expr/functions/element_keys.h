// Equality and order of the elements of arrays of any type. Nulls equal nulls and come first, NaN
// equals NaN and is the greatest number, -0.0 equals 0.0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr::lists {

/// One small number per distinct value, over several arrays of one type.
struct Codes {
  /// codes[k][i] is that of element i of array k. Null is kNullCode.
  std::vector<std::vector<int32_t>> of;
  int32_t count = 0;  ///< all codes are in [0, count)
  static constexpr int32_t kNullCode = 0;
};

/// kTypeMismatch if values of the type cannot be told apart (extension values).
arrow::Result<Codes> EncodeElements(const std::vector<const arrow::Array*>& arrays);

/// Appends bytes that are equal if and only if the elements are.
arrow::Status AppendKey(const arrow::Array& array, int64_t index, std::string* out);

/// True of the types that CompareElements takes; false for maps and unknown ones.
bool IsOrdered(const arrow::DataType& type);
/// Negative, 0 or positive. Both arrays are of one ordered type.
int CompareElements(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j);

}  // namespace glaive::expr::lists
