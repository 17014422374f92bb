#include "query/row_keys.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>

#include "base/status.h"
#include "query/compute.h"

namespace glaive::query {

namespace {

using arrow::Type;

template <typename T>
void StoreBigEndian(T value, uint8_t* out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <typename T>
void StoreInteger(T value, uint8_t* out) {
  using U = std::make_unsigned_t<T>;
  auto bits = static_cast<U>(value);
  if constexpr (std::is_signed_v<T>) {
    bits = static_cast<U>(bits ^ (U{1} << (8 * sizeof(T) - 1)));
  }
  StoreBigEndian<U>(bits, out);
}

template <typename U>
U OrderedBits(U bits, bool is_nan, bool is_zero) {
  constexpr U kSign = static_cast<U>(U{1} << (8 * sizeof(U) - 1));
  if (is_nan) {
    return std::numeric_limits<U>::max();
  }
  if (is_zero) {
    return kSign;
  }
  return (bits & kSign) != 0 ? static_cast<U>(~bits) : static_cast<U>(bits | kSign);
}

void StoreFloat(float value, uint8_t* out) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  StoreBigEndian(OrderedBits(bits, std::isnan(value), value == 0), out);
}

void StoreDouble(double value, uint8_t* out) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  StoreBigEndian(OrderedBits(bits, std::isnan(value), value == 0), out);
}

void StoreHalf(uint16_t bits, uint8_t* out) {
  const auto value = arrow::util::Float16::FromBits(bits);
  StoreBigEndian(OrderedBits(bits, value.is_nan(), value.is_zero()), out);
}

/// Little-endian two's complement of any width.
void StoreDecimal(const uint8_t* value, size_t width, uint8_t* out) {
  for (size_t i = 0; i < width; ++i) {
    out[i] = value[width - 1 - i];
  }
  out[0] = static_cast<uint8_t>(out[0] ^ 0x80);
}

/// Width in bytes of an ordered fixed-width value as stored in a key; 0 for other types.
size_t KeyWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
      return 1;
    case Type::INT8:
    case Type::UINT8:
    case Type::INT16:
    case Type::UINT16:
    case Type::INT32:
    case Type::UINT32:
    case Type::INT64:
    case Type::UINT64:
    case Type::HALF_FLOAT:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return static_cast<size_t>(static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8);
    case Type::FIXED_SIZE_BINARY:
      return static_cast<size_t>(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width());
    default:
      return 0;
  }
}

bool IsBytes(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
      return true;
    default:
      return false;
  }
}

template <typename Body>
void ForEachFixed(const arrow::Array& array, const Body& body) {
  const auto& type = *array.type();
  const auto width =
      static_cast<size_t>(static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8);
  const uint8_t* values =
      array.length() == 0 || array.data()->buffers[1] == nullptr
          ? nullptr
          : array.data()->buffers[1]->data() + static_cast<size_t>(array.offset()) * width;
  for (int64_t i = 0; i < array.length(); ++i) {
    body(i, values + static_cast<size_t>(i) * width);
  }
}

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

/// Calls store(row, pointer to the value) through the encoding of the type: body(row, encode) where
/// encode(out) writes KeyWidth bytes.
template <typename Body>
void VisitFixed(const arrow::Array& array, const Body& body) {
  const auto with = [&](auto encode) {
    ForEachFixed(array, [&](int64_t row, const uint8_t* value) {
      body(row, [&](uint8_t* out) { encode(value, out); });
    });
  };
  switch (array.type_id()) {
    case Type::BOOL: {
      const auto& bits = static_cast<const arrow::BooleanArray&>(array);
      for (int64_t i = 0; i < array.length(); ++i) {
        body(i, [&](uint8_t* out) { *out = bits.Value(i) ? 1 : 0; });
      }
      return;
    }
    case Type::INT8:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<int8_t>(v), out); });
    case Type::UINT8:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<uint8_t>(v), out); });
    case Type::INT16:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<int16_t>(v), out); });
    case Type::UINT16:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<uint16_t>(v), out); });
    case Type::UINT32:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<uint32_t>(v), out); });
    case Type::UINT64:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<uint64_t>(v), out); });
    case Type::INT32:
    case Type::DATE32:
    case Type::TIME32:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<int32_t>(v), out); });
    case Type::INT64:
    case Type::DATE64:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
      return with([](const uint8_t* v, uint8_t* out) { StoreInteger(Load<int64_t>(v), out); });
    case Type::HALF_FLOAT:
      return with([](const uint8_t* v, uint8_t* out) { StoreHalf(Load<uint16_t>(v), out); });
    case Type::FLOAT:
      return with([](const uint8_t* v, uint8_t* out) { StoreFloat(Load<float>(v), out); });
    case Type::DOUBLE:
      return with([](const uint8_t* v, uint8_t* out) { StoreDouble(Load<double>(v), out); });
    default: {
      const size_t width = KeyWidth(*array.type());
      if (array.type_id() == Type::FIXED_SIZE_BINARY) {
        return with([width](const uint8_t* v, uint8_t* out) { std::memcpy(out, v, width); });
      }
      return with([width](const uint8_t* v, uint8_t* out) { StoreDecimal(v, width, out); });
    }
  }
}

/// Calls body(row, bytes) for each row that is not null.
template <typename ArrayType, typename Body>
void ForEachBytes(const arrow::Array& array, const Body& body) {
  const auto& values = static_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsValid(i)) {
      body(i, values.GetView(i));
    }
  }
}

template <typename Body>
void VisitBytes(const arrow::Array& array, const Body& body) {
  switch (array.type_id()) {
    case Type::STRING:
    case Type::BINARY:
      return ForEachBytes<arrow::BinaryArray>(array, body);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return ForEachBytes<arrow::LargeBinaryArray>(array, body);
    default:
      return ForEachBytes<arrow::BinaryViewArray>(array, body);
  }
}

/// Zero bytes are escaped, and two zeros end the text, so that a prefix orders first and the next
/// column's bytes never count.
uint64_t EscapedSize(std::string_view text) {
  uint64_t zeros = 0;
  for (const char c : text) {
    zeros += c == '\0' ? 1 : 0;
  }
  return text.size() + zeros + 2;
}

uint8_t* StoreEscaped(std::string_view text, uint8_t* out) {
  for (const char c : text) {
    *out++ = static_cast<uint8_t>(c);
    if (c == '\0') {
      *out++ = 0xFF;
    }
  }
  *out++ = 0;
  *out++ = 0;
  return out;
}

constexpr uint8_t kNull = 0;
constexpr uint8_t kValue = 1;
constexpr uint8_t kNullLast = 2;

arrow::Result<std::shared_ptr<arrow::Array>> Decoded(const std::shared_ptr<arrow::Array>& array,
                                                     arrow::MemoryPool* pool) {
  if (array->type_id() != Type::DICTIONARY) {
    return array;
  }
  const auto& encoded = static_cast<const arrow::DictionaryArray&>(*array);
  return TakeValues(encoded.dictionary(), encoded.indices(), pool);
}

void AddLengths(const arrow::Array& array, std::vector<uint64_t>* lengths) {
  const size_t width = KeyWidth(*array.type());
  if (IsBytes(*array.type())) {
    for (auto& length : *lengths) {
      ++length;
    }
    VisitBytes(array, [&](int64_t row, std::string_view text) {
      (*lengths)[static_cast<size_t>(row)] += EscapedSize(text);
    });
    return;
  }
  for (size_t row = 0; row < lengths->size(); ++row) {
    (*lengths)[row] += 1 + (width > 0 && array.IsValid(static_cast<int64_t>(row)) ? width : 0);
  }
}

void AppendColumn(const arrow::Array& array, const KeyColumn& column, RowKeys* keys,
                  std::vector<uint64_t>* cursor) {
  const uint8_t null_byte = column.nulls_first ? kNull : kNullLast;
  const auto begin = [&](int64_t row) {
    uint8_t* out = keys->bytes.data() + (*cursor)[static_cast<size_t>(row)];
    *out = kValue;
    return out + 1;
  };
  const auto finish = [&](int64_t row, uint8_t* first, uint8_t* last) {
    if (!column.ascending) {
      for (uint8_t* at = first; at != last; ++at) {
        *at = static_cast<uint8_t>(~*at);
      }
    }
    (*cursor)[static_cast<size_t>(row)] = static_cast<uint64_t>(last - keys->bytes.data());
  };
  if (array.null_count() > 0) {
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        keys->bytes[(*cursor)[static_cast<size_t>(row)]++] = null_byte;
      }
    }
  }
  if (array.type_id() == Type::NA) {
    return;
  }
  if (IsBytes(*array.type())) {
    VisitBytes(array, [&](int64_t row, std::string_view text) {
      uint8_t* first = begin(row);
      finish(row, first, StoreEscaped(text, first));
    });
    return;
  }
  const size_t width = KeyWidth(*array.type());
  const bool nulls = array.null_count() > 0;
  VisitFixed(array, [&](int64_t row, const auto& encode) {
    if (nulls && array.IsNull(row)) {
      return;
    }
    uint8_t* first = begin(row);
    encode(first);
    finish(row, first, first + width);
  });
}

// ---- equality of any type ----

void AppendNumber(uint64_t value, std::vector<uint8_t>* out) {
  uint8_t bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out->insert(out->end(), bytes, bytes + sizeof(bytes));
}

arrow::Status AppendValues(const arrow::Array& array, int64_t row, std::vector<uint8_t>* out);

template <typename ListArray>
arrow::Status AppendList(const arrow::Array& array, int64_t row, std::vector<uint8_t>* out) {
  const auto& list = static_cast<const ListArray&>(array);
  const int64_t first = list.value_offset(row);
  const int64_t count = list.value_length(row);
  AppendNumber(static_cast<uint64_t>(count), out);
  for (int64_t i = 0; i < count; ++i) {
    ARROW_RETURN_NOT_OK(AppendValues(*list.values(), first + i, out));
  }
  return arrow::Status::OK();
}

arrow::Status AppendValues(const arrow::Array& array, int64_t row, std::vector<uint8_t>* out) {
  if (array.IsNull(row)) {
    out->push_back(kNull);
    return arrow::Status::OK();
  }
  out->push_back(kValue);
  switch (array.type_id()) {
    case Type::STRUCT: {
      const auto& members = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < members.num_fields(); ++i) {
        ARROW_RETURN_NOT_OK(AppendValues(*members.field(i), row, out));
      }
      return arrow::Status::OK();
    }
    case Type::LIST:
    case Type::MAP:
      return AppendList<arrow::ListArray>(array, row, out);
    case Type::LARGE_LIST:
      return AppendList<arrow::LargeListArray>(array, row, out);
    case Type::FIXED_SIZE_LIST:
      return AppendList<arrow::FixedSizeListArray>(array, row, out);
    case Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(array);
      out->pop_back();
      return AppendValues(*encoded.dictionary(), encoded.GetValueIndex(row), out);
    }
    default:
      break;
  }
  const auto value = array.Slice(row, 1);
  if (IsBytes(*array.type())) {
    VisitBytes(*value, [&](int64_t, std::string_view text) {
      AppendNumber(text.size(), out);
      out->insert(out->end(), text.begin(), text.end());
    });
    return arrow::Status::OK();
  }
  const size_t width = KeyWidth(*array.type());
  if (width == 0 && array.type_id() != Type::FIXED_SIZE_BINARY) {
    return TypeMismatch("rows with values of type ", array.type()->ToString(),
                        " can't be compared with each other");
  }
  VisitFixed(*value, [&](int64_t, const auto& encode) {
    out->resize(out->size() + width);
    encode(out->data() + out->size() - width);
  });
  return arrow::Status::OK();
}

}  // namespace

bool IsOrdered(const arrow::DataType& type) {
  if (type.id() == Type::DICTIONARY) {
    return IsOrdered(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return type.id() == Type::NA || type.id() == Type::FIXED_SIZE_BINARY || IsBytes(type) ||
         type.id() == Type::BOOL || KeyWidth(type) > 0;
}

arrow::Result<RowKeys> EncodeOrdered(const arrow::RecordBatch& batch,
                                     const std::vector<KeyColumn>& columns,
                                     arrow::MemoryPool* pool) {
  const auto rows = static_cast<size_t>(batch.num_rows());
  arrow::ArrayVector arrays;
  std::vector<uint64_t> cursor(rows, 0);
  for (const auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(auto array, Decoded(batch.column(column.column), pool));
    if (!IsOrdered(*array->type())) {
      return TypeMismatch("rows can't be ordered by column '", batch.column_name(column.column),
                          "' of type ", array->type()->ToString(),
                          "; numbers, booleans, text, binary, dates and times have an order");
    }
    AddLengths(*array, &cursor);
    arrays.push_back(std::move(array));
  }
  RowKeys keys;
  keys.offsets.resize(rows + 1);
  for (size_t row = 0; row < rows; ++row) {
    keys.offsets[row + 1] = keys.offsets[row] + cursor[row];
    cursor[row] = keys.offsets[row];
  }
  keys.bytes.resize(keys.offsets.back());
  for (size_t i = 0; i < columns.size(); ++i) {
    AppendColumn(*arrays[i], columns[i], &keys, &cursor);
  }
  return keys;
}

arrow::Result<RowKeys> EncodeEquality(const arrow::RecordBatch& batch, arrow::MemoryPool* pool) {
  std::vector<KeyColumn> columns;
  bool ordered = true;
  for (int i = 0; i < batch.num_columns(); ++i) {
    columns.push_back({i, true, false});
    ordered = ordered && IsOrdered(*batch.column(i)->type());
  }
  if (ordered) {
    return EncodeOrdered(batch, columns, pool);
  }
  RowKeys keys;
  keys.offsets.reserve(static_cast<size_t>(batch.num_rows()) + 1);
  keys.offsets.push_back(0);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    for (const auto& column : batch.columns()) {
      ARROW_RETURN_NOT_OK(AppendValues(*column, row, &keys.bytes));
    }
    keys.offsets.push_back(keys.bytes.size());
  }
  return keys;
}

}  // namespace glaive::query
