#include "file/null_check.h"

#include <memory>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/status.h"

namespace glaive::file {
namespace {

// Which top-level row each value belongs to; -1 for values that no row reaches.
using RowOfValue = std::vector<int64_t>;

bool HasMembers(const Field& field) {
  return !field.is_leaf();
}

// Nothing in a file could tell a null of an empty struct from a value.
bool IsEmptyStruct(const Field& field) {
  return field.is_struct() && field.children.empty();
}

bool MayBeNull(const Field& field) {
  return field.nullable && !IsEmptyStruct(field);
}

// True if a field that is not nullable has nulls at or below, wherever they are.
bool Suspicious(const Field& field, const arrow::ArrayData& data) {
  if (!MayBeNull(field) && data.GetNullCount() > 0) {
    return true;
  }
  if (!HasMembers(field)) {
    return false;
  }
  for (size_t i = 0; i < field.children.size() && i < data.child_data.size(); ++i) {
    if (Suspicious(field.children[i], *data.child_data[i])) {
      return true;
    }
  }
  return false;
}

arrow::Status Check(const Field& field, const arrow::Array& array, const std::string& path,
                    RowOfValue rows);

template <typename ListArray>
arrow::Status CheckItems(const Field& field, const ListArray& list, const std::string& path,
                         const RowOfValue& rows) {
  const auto values = list.values();
  RowOfValue below(static_cast<size_t>(values->length()), -1);
  for (int64_t i = 0; i < list.length(); ++i) {
    const int64_t row = rows[static_cast<size_t>(i)];
    if (row >= 0 && list.IsValid(i)) {
      for (int64_t j = list.value_offset(i); j < list.value_offset(i) + list.value_length(i); ++j) {
        below[static_cast<size_t>(j)] = row;
      }
    }
  }
  return Check(field, *values, path, std::move(below));
}

arrow::Status Check(const Field& field, const arrow::Array& array, const std::string& path,
                    RowOfValue rows) {
  for (int64_t i = 0; i < array.length(); ++i) {
    int64_t& row = rows[static_cast<size_t>(i)];
    if (array.IsNull(i)) {
      if (row >= 0 && IsEmptyStruct(field)) {
        return Unsupported("column '", path,
                           "' is an empty struct, which cannot be null in a file, but row ", row,
                           " is");
      }
      GLAIVE_CHECK_ARGUMENT(field.nullable || row < 0, "column '", path,
                            "' is not nullable, but row ", row, " is null");
      row = -1;
    }
  }
  if (!HasMembers(field)) {
    return arrow::Status::OK();
  }
  const auto path_of = [&](const Field& child) { return path + "." + child.name; };
  switch (array.type_id()) {
    case arrow::Type::STRUCT: {
      const auto& members = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < members.num_fields(); ++i) {
        const Field& child = field.children[static_cast<size_t>(i)];
        ARROW_RETURN_NOT_OK(Check(child, *members.field(i), path_of(child), rows));
      }
      return arrow::Status::OK();
    }
    case arrow::Type::LIST:
      return CheckItems(field.children[0], static_cast<const arrow::ListArray&>(array),
                        path_of(field.children[0]), rows);
    case arrow::Type::LARGE_LIST:
      return CheckItems(field.children[0], static_cast<const arrow::LargeListArray&>(array),
                        path_of(field.children[0]), rows);
    case arrow::Type::MAP:
      return CheckItems(field.children[0], static_cast<const arrow::MapArray&>(array),
                        path_of(field.children[0]), rows);
    case arrow::Type::FIXED_SIZE_LIST:
      return CheckItems(field.children[0], static_cast<const arrow::FixedSizeListArray&>(array),
                        path_of(field.children[0]), rows);
    default:
      return arrow::Status::OK();
  }
}

}  // namespace

arrow::Status CheckNulls(const Field& field, const arrow::Array& array, uint64_t first_row) {
  if (!Suspicious(field, *array.data())) {
    return arrow::Status::OK();
  }
  RowOfValue rows(static_cast<size_t>(array.length()));
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<int64_t>(first_row + i);
  }
  return Check(field, array, field.name, std::move(rows));
}

}  // namespace glaive::file
