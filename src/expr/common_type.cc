#include <algorithm>

#include <arrow/type.h>

#include "base/status.h"
#include "expr/function.h"

namespace glaive::expr {
namespace {

using arrow::Type;

constexpr int kMaxTypeDepth = 64;

TypePtr Common(const TypePtr& a, const TypePtr& b, int depth);

int Bits(const arrow::DataType& type) {
  return type.bit_width();
}

TypePtr Signed(int bits) {
  switch (bits) {
    case 8:
      return arrow::int8();
    case 16:
      return arrow::int16();
    case 32:
      return arrow::int32();
    default:
      return arrow::int64();
  }
}

TypePtr CommonInteger(const TypePtr& a, const TypePtr& b) {
  const bool a_signed = arrow::is_signed_integer(a->id());
  const bool b_signed = arrow::is_signed_integer(b->id());
  if (a_signed == b_signed) return Bits(*a) >= Bits(*b) ? a : b;
  const int unsigned_bits = Bits(a_signed ? *b : *a);
  const int signed_bits = Bits(a_signed ? *a : *b);
  if (unsigned_bits == 64) return arrow::decimal128(20, 0);
  return Signed(std::max(signed_bits, unsigned_bits * 2));
}

TypePtr CommonFloat(const TypePtr& a, const TypePtr& b) {
  auto wanted_bits = [](const arrow::DataType& type) {
    if (arrow::is_floating(type.id())) return Bits(type);
    if (arrow::is_integer(type.id())) return Bits(type) <= 16 ? 32 : 64;
    return 64;  // decimals
  };
  const int bits = std::max(wanted_bits(*a), wanted_bits(*b));
  if (bits == 16) return arrow::float16();
  return bits == 32 ? arrow::float32() : arrow::float64();
}

// Digits before and after the point.
std::pair<int, int> Digits(const arrow::DataType& type) {
  if (arrow::is_decimal(type.id())) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(type);
    return {decimal.precision() - decimal.scale(), decimal.scale()};
  }
  switch (Bits(type)) {
    case 8:
      return {3, 0};
    case 16:
      return {5, 0};
    case 32:
      return {10, 0};
    default:
      return {20, 0};
  }
}

TypePtr CommonDecimal(const TypePtr& a, const TypePtr& b) {
  const auto [whole_a, scale_a] = Digits(*a);
  const auto [whole_b, scale_b] = Digits(*b);
  const int scale = std::max(scale_a, scale_b);
  const int precision = std::max(std::max(whole_a, whole_b) + scale, 1);
  if (precision > arrow::Decimal256Type::kMaxPrecision) return arrow::float64();
  if (precision > arrow::Decimal128Type::kMaxPrecision) return arrow::decimal256(precision, scale);
  return arrow::decimal128(precision, scale);
}

TypePtr CommonNumber(const TypePtr& a, const TypePtr& b) {
  if (arrow::is_floating(a->id()) || arrow::is_floating(b->id())) return CommonFloat(a, b);
  if (arrow::is_decimal(a->id()) || arrow::is_decimal(b->id())) return CommonDecimal(a, b);
  return CommonInteger(a, b);
}

bool IsBinary(const arrow::DataType& type) {
  return type.id() == Type::BINARY || type.id() == Type::LARGE_BINARY ||
         type.id() == Type::BINARY_VIEW || type.id() == Type::FIXED_SIZE_BINARY;
}

bool IsLargeBytes(const arrow::DataType& type) {
  return type.id() == Type::LARGE_STRING || type.id() == Type::LARGE_BINARY;
}

bool IsPointInTime(const arrow::DataType& type) {
  return type.id() == Type::DATE32 || type.id() == Type::DATE64 || type.id() == Type::TIMESTAMP;
}

bool IsTime(const arrow::DataType& type) {
  return type.id() == Type::TIME32 || type.id() == Type::TIME64;
}

TypePtr CommonPointInTime(const TypePtr& a, const TypePtr& b) {
  const bool a_stamp = a->id() == Type::TIMESTAMP;
  const bool b_stamp = b->id() == Type::TIMESTAMP;
  if (!a_stamp && !b_stamp) return arrow::date64();
  if (!a_stamp) return b;
  if (!b_stamp) return a;
  const auto& x = static_cast<const arrow::TimestampType&>(*a);
  const auto& y = static_cast<const arrow::TimestampType&>(*b);
  const auto unit = std::max(x.unit(), y.unit());
  if (x.timezone() == y.timezone()) return arrow::timestamp(unit, x.timezone());
  if (x.timezone().empty()) return arrow::timestamp(unit, y.timezone());
  if (y.timezone().empty()) return arrow::timestamp(unit, x.timezone());
  return arrow::timestamp(unit, "UTC");
}

TypePtr CommonTime(const TypePtr& a, const TypePtr& b) {
  const auto unit = std::max(static_cast<const arrow::TimeType&>(*a).unit(),
                             static_cast<const arrow::TimeType&>(*b).unit());
  if (unit <= arrow::TimeUnit::MILLI) return arrow::time32(unit);
  return arrow::time64(unit);
}

TypePtr CommonList(const TypePtr& a, const TypePtr& b, int depth) {
  const auto& x = static_cast<const arrow::BaseListType&>(*a);
  const auto& y = static_cast<const arrow::BaseListType&>(*b);
  TypePtr element = Common(x.value_type(), y.value_type(), depth + 1);
  if (element == nullptr) return nullptr;
  auto field = arrow::field("item", std::move(element));
  if (a->id() == Type::FIXED_SIZE_LIST && b->id() == Type::FIXED_SIZE_LIST) {
    const int32_t size = static_cast<const arrow::FixedSizeListType&>(*a).list_size();
    if (size == static_cast<const arrow::FixedSizeListType&>(*b).list_size()) {
      return arrow::fixed_size_list(std::move(field), size);
    }
  }
  if (a->id() == Type::LARGE_LIST || b->id() == Type::LARGE_LIST) {
    return arrow::large_list(std::move(field));
  }
  return arrow::list(std::move(field));
}

TypePtr CommonStruct(const TypePtr& a, const TypePtr& b, int depth) {
  const auto& x = static_cast<const arrow::StructType&>(*a);
  const auto& y = static_cast<const arrow::StructType&>(*b);
  if (x.num_fields() != y.num_fields()) return nullptr;
  arrow::FieldVector fields;
  for (const auto& field : x.fields()) {
    const auto other = y.GetFieldByName(field->name());
    if (other == nullptr) return nullptr;
    TypePtr type = Common(field->type(), other->type(), depth + 1);
    if (type == nullptr) return nullptr;
    fields.push_back(arrow::field(field->name(), std::move(type)));
  }
  return arrow::struct_(std::move(fields));
}

TypePtr CommonMap(const TypePtr& a, const TypePtr& b, int depth) {
  const auto& x = static_cast<const arrow::MapType&>(*a);
  const auto& y = static_cast<const arrow::MapType&>(*b);
  TypePtr key = Common(x.key_type(), y.key_type(), depth + 1);
  TypePtr item = Common(x.item_type(), y.item_type(), depth + 1);
  if (key == nullptr || item == nullptr) return nullptr;
  return arrow::map(std::move(key), std::move(item));
}

bool IsList(const arrow::DataType& type) {
  return type.id() == Type::LIST || type.id() == Type::LARGE_LIST ||
         type.id() == Type::FIXED_SIZE_LIST;
}

TypePtr CommonBytes(const TypePtr& a, const TypePtr& b) {
  const bool large = IsLargeBytes(*a) || IsLargeBytes(*b);
  if (IsText(*a)) return large ? arrow::large_utf8() : arrow::utf8();
  return large ? arrow::large_binary() : arrow::binary();
}

TypePtr Plain(const TypePtr& type) {
  if (type->id() == Type::DICTIONARY) {
    return static_cast<const arrow::DictionaryType&>(*type).value_type();
  }
  if (type->id() == Type::EXTENSION) {
    return static_cast<const arrow::ExtensionType&>(*type).storage_type();
  }
  return type;
}

TypePtr Common(const TypePtr& a, const TypePtr& b, int depth) {
  if (depth > kMaxTypeDepth) return nullptr;
  if (a->id() == Type::NA) return b;
  if (b->id() == Type::NA || a->Equals(*b)) return a;
  const TypePtr x = Plain(a);
  const TypePtr y = Plain(b);
  if (x != a || y != b) return Common(x, y, depth + 1);
  if (IsNumber(*a) && IsNumber(*b)) return CommonNumber(a, b);
  if ((IsText(*a) && IsText(*b)) || (IsBinary(*a) && IsBinary(*b))) return CommonBytes(a, b);
  if (IsPointInTime(*a) && IsPointInTime(*b)) return CommonPointInTime(a, b);
  if (IsTime(*a) && IsTime(*b)) return CommonTime(a, b);
  if (IsText(*a) && (IsPointInTime(*b) || IsTime(*b))) return b;
  if (IsText(*b) && (IsPointInTime(*a) || IsTime(*a))) return a;
  if (a->id() == Type::DURATION && b->id() == Type::DURATION) {
    return arrow::duration(std::max(static_cast<const arrow::DurationType&>(*a).unit(),
                                    static_cast<const arrow::DurationType&>(*b).unit()));
  }
  if (IsList(*a) && IsList(*b)) return CommonList(a, b, depth);
  if (a->id() == Type::STRUCT && b->id() == Type::STRUCT) return CommonStruct(a, b, depth);
  if (a->id() == Type::MAP && b->id() == Type::MAP) return CommonMap(a, b, depth);
  return nullptr;
}

}  // namespace

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  return Common(a, b, 0);
}

bool IsText(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      return true;
    case Type::DICTIONARY:
      return IsText(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return false;
  }
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

}  // namespace glaive::expr
