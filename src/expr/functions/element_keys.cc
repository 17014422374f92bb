#include "expr/functions/element_keys.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_map>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include "base/status.h"

namespace glaive::expr::lists {

namespace {

/// Number of each distinct 64-bit key, by open addressing.
class NumberCodes {
 public:
  explicit NumberCodes(int32_t first) : next_(first), slots_(64) {}

  int32_t Of(uint64_t key) {
    if (static_cast<size_t>(used_) * 2 >= slots_.size()) Grow();
    Slot& slot = Find(key);
    if (slot.code < 0) {
      slot = {key, next_++};
      ++used_;
    }
    return slot.code;
  }

  int32_t next() const { return next_; }

 private:
  struct Slot {
    uint64_t key = 0;
    int32_t code = -1;
  };

  Slot& Find(uint64_t key) {
    uint64_t hash = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15u;
    hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9u;
    size_t mask = slots_.size() - 1;
    size_t at = static_cast<size_t>(hash ^ (hash >> 32)) & mask;
    while (slots_[at].code >= 0 && slots_[at].key != key) at = (at + 1) & mask;
    return slots_[at];
  }

  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.code >= 0) Find(slot.key) = slot;
    }
  }

  int32_t next_;
  int32_t used_ = 0;
  std::vector<Slot> slots_;
};

uint64_t DoubleKey(double value) {
  if (value == 0) value = 0;  // -0.0
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<uint64_t>(value);
}

bool IsFloat(arrow::Type::type id) {
  return id == arrow::Type::HALF_FLOAT || id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE;
}

double FloatAt(const arrow::Array& array, int64_t i) {
  switch (array.type_id()) {
    case arrow::Type::HALF_FLOAT:
      return arrow::util::Float16::FromBits(
                 static_cast<const arrow::HalfFloatArray&>(array).Value(i))
          .ToDouble();
    case arrow::Type::FLOAT:
      return static_cast<const arrow::FloatArray&>(array).Value(i);
    default:
      return static_cast<const arrow::DoubleArray&>(array).Value(i);
  }
}

/// Bytes per value of types stored as plain bytes, else 0.
int FixedBytes(const arrow::DataType& type) {
  if (!arrow::is_fixed_width(type) || arrow::is_dictionary(type.id())) return 0;
  int bits = static_cast<const arrow::FixedWidthType&>(type).bit_width();
  return type.id() == arrow::Type::FIXED_SIZE_LIST || bits % 8 != 0 ? 0 : bits / 8;
}

const uint8_t* FixedData(const arrow::Array& array, int bytes) {
  const auto& data = *array.data();
  return data.buffers[1] == nullptr ? nullptr : data.buffers[1]->data() + data.offset * bytes;
}

bool IsBinaryLike(arrow::Type::type id) {
  return id == arrow::Type::STRING || id == arrow::Type::BINARY ||
         id == arrow::Type::LARGE_STRING || id == arrow::Type::LARGE_BINARY;
}

std::string_view BytesAt(const arrow::Array& array, int64_t i) {
  if (array.type_id() == arrow::Type::STRING || array.type_id() == arrow::Type::BINARY) {
    return static_cast<const arrow::BinaryArray&>(array).GetView(i);
  }
  return static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
}

/// The elements of row `i` of a list or map: child and range.
struct Range {
  const arrow::Array* child;
  int64_t begin;
  int64_t end;
};

Range RangeAt(const arrow::Array& array, int64_t i) {
  if (array.type_id() == arrow::Type::LARGE_LIST) {
    const auto& list = static_cast<const arrow::LargeListArray&>(array);
    return {list.values().get(), list.value_offset(i), list.value_offset(i + 1)};
  }
  if (array.type_id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
    return {list.values().get(), list.value_offset(i), list.value_offset(i + 1)};
  }
  const auto& list = static_cast<const arrow::ListArray&>(array);
  return {list.values().get(), list.value_offset(i), list.value_offset(i + 1)};
}

bool HasRanges(arrow::Type::type id) {
  return id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST ||
         id == arrow::Type::FIXED_SIZE_LIST || id == arrow::Type::MAP;
}

void AppendRaw(uint64_t value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
void EncodeFixed(const arrow::Array& array, NumberCodes* codes, std::vector<int32_t>* out) {
  const uint8_t* data = FixedData(array, sizeof(T));
  bool nulls = array.null_count() > 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (nulls && array.IsNull(i)) continue;
    T value;
    std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    (*out)[static_cast<size_t>(i)] = codes->Of(static_cast<uint64_t>(value));
  }
}

void EncodeFloats(const arrow::Array& array, NumberCodes* codes, std::vector<int32_t>* out) {
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    (*out)[static_cast<size_t>(i)] = codes->Of(DoubleKey(FloatAt(array, i)));
  }
}

/// True if the type was encoded.
bool EncodeNumbers(const arrow::Array& array, NumberCodes* codes, std::vector<int32_t>* out) {
  if (IsFloat(array.type_id())) {
    EncodeFloats(array, codes, out);
    return true;
  }
  switch (FixedBytes(*array.type())) {
    case 1:
      EncodeFixed<uint8_t>(array, codes, out);
      return true;
    case 2:
      EncodeFixed<uint16_t>(array, codes, out);
      return true;
    case 4:
      EncodeFixed<uint32_t>(array, codes, out);
      return true;
    case 8:
      EncodeFixed<uint64_t>(array, codes, out);
      return true;
    default:
      return false;
  }
}

int CompareBytes(std::string_view a, std::string_view b) {
  int order = a.compare(b);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int CompareFloats(double a, double b) {
  bool a_nan = std::isnan(a);
  bool b_nan = std::isnan(b);
  if (a_nan || b_nan) return static_cast<int>(a_nan) - static_cast<int>(b_nan);
  return a < b ? -1 : (a > b ? 1 : 0);
}

template <typename ArrayType>
int CompareValues(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  auto x = static_cast<const ArrayType&>(a).Value(i);
  auto y = static_cast<const ArrayType&>(b).Value(j);
  return x < y ? -1 : (y < x ? 1 : 0);
}

/// Of dates, times and the like, by their stored integers.
template <typename T>
int CompareStored(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  T x;
  T y;
  std::memcpy(&x, FixedData(a, sizeof(T)) + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  std::memcpy(&y, FixedData(b, sizeof(T)) + j * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return x < y ? -1 : (y < x ? 1 : 0);
}

template <typename DecimalType, typename ArrayType>
int CompareDecimals(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  DecimalType x(static_cast<const ArrayType&>(a).GetValue(i));
  DecimalType y(static_cast<const ArrayType&>(b).GetValue(j));
  return x < y ? -1 : (y < x ? 1 : 0);
}

int CompareRanges(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  Range x = RangeAt(a, i);
  Range y = RangeAt(b, j);
  for (; x.begin < x.end && y.begin < y.end; ++x.begin, ++y.begin) {
    int order = CompareElements(*x.child, x.begin, *y.child, y.begin);
    if (order != 0) return order;
  }
  return static_cast<int>(x.begin < x.end) - static_cast<int>(y.begin < y.end);
}

int CompareStructs(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  const auto& x = static_cast<const arrow::StructArray&>(a);
  const auto& y = static_cast<const arrow::StructArray&>(b);
  for (int field = 0; field < x.num_fields(); ++field) {
    int order = CompareElements(*x.field(field), i, *y.field(field), j);
    if (order != 0) return order;
  }
  return 0;
}

}  // namespace

arrow::Status AppendKey(const arrow::Array& array, int64_t i, std::string* out) {
  if (array.IsNull(i)) {
    out->push_back('\0');
    return arrow::Status::OK();
  }
  out->push_back('\1');
  arrow::Type::type id = array.type_id();
  if (id == arrow::Type::BOOL) {
    out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(i) ? '\1' : '\0');
  } else if (IsFloat(id)) {
    AppendRaw(DoubleKey(FloatAt(array, i)), out);
  } else if (IsBinaryLike(id)) {
    std::string_view bytes = BytesAt(array, i);
    AppendRaw(bytes.size(), out);
    out->append(bytes);
  } else if (HasRanges(id)) {
    Range range = RangeAt(array, i);
    AppendRaw(static_cast<uint64_t>(range.end - range.begin), out);
    for (int64_t k = range.begin; k < range.end; ++k) {
      ARROW_RETURN_NOT_OK(AppendKey(*range.child, k, out));
    }
  } else if (id == arrow::Type::STRUCT) {
    for (const auto& field : static_cast<const arrow::StructArray&>(array).fields()) {
      ARROW_RETURN_NOT_OK(AppendKey(*field, i, out));
    }
  } else if (int bytes = FixedBytes(*array.type()); bytes > 0) {
    const uint8_t* data = FixedData(array, bytes);
    out->append(reinterpret_cast<const char*>(data + i * bytes), static_cast<size_t>(bytes));
  } else {
    return TypeMismatch("values of type ", array.type()->ToString(), " cannot be compared");
  }
  return arrow::Status::OK();
}

arrow::Result<Codes> EncodeElements(const std::vector<const arrow::Array*>& arrays) {
  Codes codes;
  NumberCodes numbers(Codes::kNullCode + 1);
  std::unordered_map<std::string_view, int32_t> by_bytes;
  std::unordered_map<std::string, int32_t> by_key;
  int32_t next = Codes::kNullCode + 1;
  std::string key;
  int64_t total = 0;
  for (const arrow::Array* array : arrays) total += array->length();
  GLAIVE_CHECK_ARGUMENT(total < std::numeric_limits<int32_t>::max(), "the lists of one batch hold ",
                        total, " elements, more than can be compared; use smaller batches");
  for (const arrow::Array* array : arrays) {
    std::vector<int32_t>& out =
        codes.of.emplace_back(static_cast<size_t>(array->length()), Codes::kNullCode);
    if (EncodeNumbers(*array, &numbers, &out)) continue;
    bool binary = IsBinaryLike(array->type_id());
    for (int64_t i = 0; i < array->length(); ++i) {
      if (array->IsNull(i)) continue;
      int32_t* code = nullptr;
      if (binary) {
        code = &by_bytes.emplace(BytesAt(*array, i), 0).first->second;
      } else {
        key.clear();
        ARROW_RETURN_NOT_OK(AppendKey(*array, i, &key));
        code = &by_key.emplace(key, 0).first->second;
      }
      if (*code == 0) *code = next++;
      out[static_cast<size_t>(i)] = *code;
    }
  }
  codes.count = std::max(next, numbers.next());
  return codes;
}

bool IsOrdered(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return IsOrdered(*type.field(0)->type());
    case arrow::Type::STRUCT:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const auto& field) { return IsOrdered(*field->type()); });
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return true;
    default:
      return arrow::is_primitive(type.id()) && type.id() != arrow::Type::INTERVAL_DAY_TIME &&
             type.id() != arrow::Type::INTERVAL_MONTH_DAY_NANO;
  }
}

int CompareElements(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  bool a_null = a.IsNull(i);
  bool b_null = b.IsNull(j);
  if (a_null || b_null) return static_cast<int>(b_null) - static_cast<int>(a_null);
  switch (a.type_id()) {
    case arrow::Type::BOOL:
      return CompareValues<arrow::BooleanArray>(a, i, b, j);
    case arrow::Type::INT8:
      return CompareValues<arrow::Int8Array>(a, i, b, j);
    case arrow::Type::INT16:
      return CompareValues<arrow::Int16Array>(a, i, b, j);
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
    case arrow::Type::INTERVAL_MONTHS:
      return CompareStored<int32_t>(a, i, b, j);
    case arrow::Type::UINT8:
      return CompareValues<arrow::UInt8Array>(a, i, b, j);
    case arrow::Type::UINT16:
      return CompareValues<arrow::UInt16Array>(a, i, b, j);
    case arrow::Type::UINT32:
      return CompareValues<arrow::UInt32Array>(a, i, b, j);
    case arrow::Type::UINT64:
      return CompareValues<arrow::UInt64Array>(a, i, b, j);
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return CompareFloats(FloatAt(a, i), FloatAt(b, j));
    case arrow::Type::DECIMAL128:
      return CompareDecimals<arrow::Decimal128, arrow::Decimal128Array>(a, i, b, j);
    case arrow::Type::DECIMAL256:
      return CompareDecimals<arrow::Decimal256, arrow::Decimal256Array>(a, i, b, j);
    case arrow::Type::FIXED_SIZE_BINARY:
      return CompareBytes(static_cast<const arrow::FixedSizeBinaryArray&>(a).GetView(i),
                          static_cast<const arrow::FixedSizeBinaryArray&>(b).GetView(j));
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return CompareRanges(a, i, b, j);
    case arrow::Type::STRUCT:
      return CompareStructs(a, i, b, j);
    default:
      break;
  }
  if (IsBinaryLike(a.type_id())) return CompareBytes(BytesAt(a, i), BytesAt(b, j));
  return CompareStored<int64_t>(a, i, b, j);  // int64, dates, times, timestamps
}

}  // namespace glaive::expr::lists
