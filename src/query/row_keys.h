// Rows of columns as byte strings: their order is that of the rows, or, for any type, equal strings
// mean equal rows. Private to the room.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::query {

/// How a column takes part in the order.
struct KeyColumn {
  int column = 0;
  bool ascending = true;
  bool nulls_first = false;
};

/// The keys of a batch's rows, one behind the other.
struct RowKeys {
  std::vector<uint8_t> bytes;
  std::vector<uint64_t> offsets;  ///< one more than rows

  std::string_view at(size_t row) const {
    return {reinterpret_cast<const char*>(bytes.data()) + offsets[row],
            offsets[row + 1] - offsets[row]};
  }
};

/// True if rows can be ordered by a column of this type: numbers, decimals, booleans, text, binary,
/// dates, times, timestamps, durations, and dictionaries of these.
bool IsOrdered(const arrow::DataType& type);

/// Keys that compare (bytes, as unsigned; a prefix is less) as the rows do. NaN is after all
/// numbers, -0 equals 0. kTypeMismatch for types without an order.
arrow::Result<RowKeys> EncodeOrdered(const arrow::RecordBatch& batch,
                                     const std::vector<KeyColumn>& columns,
                                     arrow::MemoryPool* pool);

/// Keys of all columns that are equal exactly for equal rows. NaN equals NaN, null null, -0 0.
arrow::Result<RowKeys> EncodeEquality(const arrow::RecordBatch& batch, arrow::MemoryPool* pool);

/// The first eight bytes as a number that orders as they do; shorter keys are filled with zeros.
inline uint64_t KeyPrefix(std::string_view key) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof(prefix); ++i) {
    prefix = prefix << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0);
  }
  return prefix;
}

}  // namespace glaive::query
