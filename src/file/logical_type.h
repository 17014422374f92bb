// The logical type strings of Lance fields, to and from Arrow types. Types with children in the
// field tree (struct, lists, map, fixed-size lists of structs) are named here, but built by
// Field::ArrowType.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::file {

/// The string of a storage type. kUnsupported if Lance cannot hold it; `path` names the column.
arrow::Result<std::string> LogicalTypeOf(const arrow::DataType& type, const std::string& path);

/// The Arrow type of a logical type that has no children in the field tree. kUnsupported names an
/// unknown one, kCorruption one whose parameters make no sense.
arrow::Result<std::shared_ptr<arrow::DataType>> ParseLogicalType(std::string_view logical_type);

/// n of "fixed_size_list:struct:n"; kCorruption if it is no positive 32-bit number.
arrow::Result<int32_t> FixedSizeListOfStructDimension(std::string_view logical_type);

inline constexpr std::string_view kFixedSizeListOfStructPrefix = "fixed_size_list:struct:";
inline constexpr std::string_view kBfloat16 = "lance.bfloat16";

}  // namespace glaive::file
