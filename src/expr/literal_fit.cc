#include "expr/literal_fit.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "base/status.h"
#include "expr/temporal_text.h"

namespace glaive::expr {
namespace {

using arrow::Decimal256;
using arrow::Type;
using Wide = __int128;

// A number exactly: an integer part rounded down and whether something was cut off.
struct Floored {
  enum Size { kFinite, kMinusInfinity, kPlusInfinity } size = kFinite;

  Wide whole = 0;
  bool exact = true;
};

std::optional<Wide> IntegerOf(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case Type::INT8:
      return static_cast<const arrow::Int8Scalar&>(scalar).value;
    case Type::INT16:
      return static_cast<const arrow::Int16Scalar&>(scalar).value;
    case Type::INT32:
      return static_cast<const arrow::Int32Scalar&>(scalar).value;
    case Type::INT64:
      return static_cast<const arrow::Int64Scalar&>(scalar).value;
    case Type::UINT8:
      return static_cast<const arrow::UInt8Scalar&>(scalar).value;
    case Type::UINT16:
      return static_cast<const arrow::UInt16Scalar&>(scalar).value;
    case Type::UINT32:
      return static_cast<const arrow::UInt32Scalar&>(scalar).value;
    case Type::UINT64:
      return static_cast<const arrow::UInt64Scalar&>(scalar).value;
    default:
      return std::nullopt;
  }
}

std::optional<double> FloatOf(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case Type::FLOAT:
      return static_cast<const arrow::FloatScalar&>(scalar).value;
    case Type::DOUBLE:
      return static_cast<const arrow::DoubleScalar&>(scalar).value;
    default:
      return std::nullopt;
  }
}

// The digits of a decimal or float as written, so that 0.1 is one tenth.
std::optional<Decimal256> DigitsOf(const arrow::Scalar& scalar, int32_t* scale) {
  *scale = 0;
  if (const auto whole = IntegerOf(scalar)) {
    const bool negative = *whole < 0;
    const auto size = static_cast<unsigned __int128>(negative ? -*whole : *whole);
    Decimal256 value(std::array<uint64_t, 4>{static_cast<uint64_t>(size),
                                             static_cast<uint64_t>(size >> 64), 0, 0});
    return negative ? -value : value;
  }
  if (scalar.type->id() == Type::DECIMAL128) {
    *scale = static_cast<const arrow::DecimalType&>(*scalar.type).scale();
    return Decimal256(static_cast<const arrow::Decimal128Scalar&>(scalar).value);
  }
  if (scalar.type->id() == Type::DECIMAL256) {
    *scale = static_cast<const arrow::DecimalType&>(*scalar.type).scale();
    return static_cast<const arrow::Decimal256Scalar&>(scalar).value;
  }
  const auto number = FloatOf(scalar);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, *number);
  Decimal256 value;
  int32_t precision = 0;
  if (!Decimal256::FromString(std::string_view(buffer, static_cast<size_t>(end.ptr - buffer)),
                              &value, &precision, scale)
           .ok()) {
    return std::nullopt;
  }
  return value;
}

// `value` times ten to the `by`, rounded down; nothing if it has too many digits.
std::optional<Decimal256> Shift(const Decimal256& value, int32_t by, bool* exact) {
  *exact = true;
  constexpr int32_t kMost = 76;
  if (by >= 0) {
    if (value == Decimal256(0)) return value;
    if (by > kMost) return std::nullopt;
    const Decimal256 factor = Decimal256::GetScaleMultiplier(by);
    if (Decimal256::Abs(value) > Decimal256::GetMaxValue(kMost) / factor) return std::nullopt;
    return value * factor;
  }
  if (-by > kMost) {
    *exact = value == Decimal256(0);
    return value < Decimal256(0) ? Decimal256(-1) : Decimal256(0);
  }
  const Decimal256 divisor = Decimal256::GetScaleMultiplier(-by);
  auto parts = value.Divide(divisor);
  if (!parts.ok()) return std::nullopt;
  *exact = parts->second == Decimal256(0);
  Decimal256 down = parts->first;
  if (!*exact && value < Decimal256(0)) down += Decimal256(-1);
  return down;
}

LiteralFit Outside(bool above) {
  LiteralFit fit;
  fit.kind = above ? LiteralFit::kAbove : LiteralFit::kBelow;
  return fit;
}

LiteralFit Inside(bool exact, ScalarPtr value) {
  LiteralFit fit;
  fit.kind = exact ? LiteralFit::kExact : LiteralFit::kBetween;
  fit.value = std::move(value);
  return fit;
}

Floored FloorOf(const arrow::Scalar& literal, bool* known) {
  Floored result;
  *known = true;
  if (const auto whole = IntegerOf(literal)) {
    result.whole = *whole;
    return result;
  }
  if (const auto number = FloatOf(literal)) {
    // NaN is greater than all numbers.
    if (std::isnan(*number) || *number >= 1e30) {
      result.size = Floored::kPlusInfinity;
    } else if (*number <= -1e30) {
      result.size = Floored::kMinusInfinity;
    } else {
      const double down = std::floor(*number);
      result.exact = down == *number;
      result.whole = static_cast<Wide>(down);
    }
    return result;
  }
  int32_t scale = 0;
  const auto digits = DigitsOf(literal, &scale);
  if (!digits) {
    *known = false;
    return result;
  }
  const auto down = Shift(*digits, -scale, &result.exact);
  const Decimal256 bound = Decimal256::GetScaleMultiplier(30);
  if (!down || Decimal256::Abs(*down) > bound) {
    result.size = *digits < Decimal256(0) ? Floored::kMinusInfinity : Floored::kPlusInfinity;
    return result;
  }
  const auto& words = down->little_endian_array();
  result.whole = static_cast<Wide>((static_cast<unsigned __int128>(words[1]) << 64) | words[0]);
  return result;
}

template <typename T>
LiteralFit FitIn(const Floored& value, const TypePtr& type) {
  if (value.size == Floored::kPlusInfinity) return Outside(true);
  if (value.size == Floored::kMinusInfinity) return Outside(false);
  if (value.whole > static_cast<Wide>(std::numeric_limits<T>::max())) return Outside(true);
  if (value.whole < static_cast<Wide>(std::numeric_limits<T>::min())) return Outside(false);
  auto scalar = arrow::MakeScalar(type, static_cast<T>(value.whole));
  if (!scalar.ok()) return LiteralFit{};
  // The greatest value and a bit more.
  if (!value.exact && value.whole == static_cast<Wide>(std::numeric_limits<T>::max())) {
    return Outside(true);
  }
  return Inside(value.exact, *scalar);
}

LiteralFit FitInteger(const arrow::Scalar& literal, const TypePtr& type) {
  bool known = false;
  const Floored value = FloorOf(literal, &known);
  if (!known) return {};
  switch (type->id()) {
    case Type::INT8:
      return FitIn<int8_t>(value, type);
    case Type::INT16:
      return FitIn<int16_t>(value, type);
    case Type::INT32:
      return FitIn<int32_t>(value, type);
    case Type::INT64:
      return FitIn<int64_t>(value, type);
    case Type::UINT8:
      return FitIn<uint8_t>(value, type);
    case Type::UINT16:
      return FitIn<uint16_t>(value, type);
    case Type::UINT32:
      return FitIn<uint32_t>(value, type);
    default:
      return FitIn<uint64_t>(value, type);
  }
}

// The nearest float, as the literal would have been read had it been written in that type. A finite
// literal never becomes an infinity.
arrow::Result<LiteralFit> FitFloat(const arrow::Scalar& literal, const TypePtr& type,
                                   arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum wide, CastTo(arrow::Datum(literal.GetSharedPtr()),
                                                  arrow::float64(), false, pool));
  const double number = static_cast<const arrow::DoubleScalar&>(*wide.scalar()).value;
  if (type->id() == Type::DOUBLE) return Inside(true, wide.scalar());
  if (type->id() == Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum half, CastTo(wide, type, false, pool));
    return Inside(true, half.scalar());
  }
  constexpr float kMost = std::numeric_limits<float>::max();
  const float narrow = static_cast<float>(number);
  if (std::isinf(narrow) && std::isfinite(number)) {
    const float below = number > 0 ? kMost : -std::numeric_limits<float>::infinity();
    return Inside(false, arrow::MakeScalar(below));
  }
  return Inside(true, arrow::MakeScalar(narrow));
}

LiteralFit FitDecimal(const arrow::Scalar& literal, const TypePtr& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  if (const auto number = FloatOf(literal); number && !std::isfinite(*number)) {
    return Outside(!(*number < 0));
  }
  int32_t scale = 0;
  const auto digits = DigitsOf(literal, &scale);
  if (!digits) return {};
  bool exact = true;
  const auto shifted = Shift(*digits, decimal.scale() - scale, &exact);
  const bool fits = shifted && shifted->FitsInPrecision(decimal.precision());
  if (!fits) return Outside(*digits > Decimal256(0));
  if (type->id() == Type::DECIMAL256) {
    return Inside(exact, std::make_shared<arrow::Decimal256Scalar>(*shifted, type));
  }
  if (type->id() != Type::DECIMAL128) return {};
  const auto& words = shifted->little_endian_array();
  const arrow::Decimal128 narrow(static_cast<int64_t>(words[1]), words[0]);
  return Inside(exact, std::make_shared<arrow::Decimal128Scalar>(narrow, type));
}

// A moment in nanoseconds; on the wall clock unless `zoned`.
struct Instant {
  Wide nanos = 0;
  bool zoned = false;
};

std::optional<Instant> InstantOf(const arrow::Scalar& literal) {
  constexpr Wide kDay = Wide{86400} * 1000000000;
  Instant instant;
  switch (literal.type->id()) {
    case Type::DATE32:
      instant.nanos = static_cast<const arrow::Date32Scalar&>(literal).value * kDay;
      return instant;
    case Type::DATE64:
      instant.nanos = static_cast<const arrow::Date64Scalar&>(literal).value * Wide{1000000};
      return instant;
    case Type::TIMESTAMP: {
      const auto& type = static_cast<const arrow::TimestampType&>(*literal.type);
      instant.nanos = static_cast<const arrow::TimestampScalar&>(literal).value *
                      Wide{1000000000 / UnitsPerSecond(type.unit())};
      instant.zoned = !type.timezone().empty();
      return instant;
    }
    default:
      break;
  }
  if (!IsText(*literal.type) || !arrow::is_base_binary_like(literal.type->id())) {
    return std::nullopt;
  }
  const auto moment = ParseMoment(static_cast<const arrow::BaseBinaryScalar&>(literal).view());
  if (!moment) return std::nullopt;
  instant.zoned = moment->offset_seconds.has_value();
  instant.nanos =
      (moment->seconds - moment->offset_seconds.value_or(0)) * Wide{1000000000} + moment->nanos;
  return instant;
}

bool IsUtc(const std::string& zone) {
  return zone == "UTC" || zone == "Z" || zone == "+00:00" || zone == "Etc/UTC" || zone == "utc";
}

arrow::Result<LiteralFit> FitMoment(const arrow::Scalar& literal, const TypePtr& type,
                                    arrow::MemoryPool* pool) {
  const auto instant = InstantOf(literal);
  if (!instant) {
    if (!IsText(*literal.type)) return LiteralFit{};
    return InvalidArgument("the text ", LiteralText(literal), " is no ", type->ToString(),
                           "; write it as '2024-02-29' or '2024-02-29 12:30:05.5'");
  }
  Wide unit = Wide{86400} * 1000000000;
  if (type->id() == Type::TIMESTAMP) {
    const auto& stamp = static_cast<const arrow::TimestampType&>(*type);
    if (!stamp.timezone().empty() && !instant->zoned && !IsUtc(stamp.timezone())) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum cast,
                            CastTo(arrow::Datum(literal.GetSharedPtr()), type, false, pool));
      return Inside(true, cast.scalar());
    }
    unit = 1000000000 / UnitsPerSecond(stamp.unit());
  }
  Floored value;
  value.whole = instant->nanos / unit;
  value.exact = instant->nanos % unit == 0;
  if (!value.exact && instant->nanos < 0) value.whole -= 1;
  if (type->id() == Type::DATE32) return FitIn<int32_t>(value, type);
  if (type->id() == Type::DATE64) value.whole *= 86400000;
  return FitIn<int64_t>(value, type);
}

}  // namespace

arrow::Result<LiteralFit> FitLiteral(const arrow::Scalar& literal, const TypePtr& type,
                                     arrow::MemoryPool* pool) {
  const bool number = IsNumber(*literal.type);
  if (literal.type->Equals(*type)) return Inside(true, literal.GetSharedPtr());
  if (literal.type->id() == Type::DICTIONARY || literal.type->id() == Type::EXTENSION) {
    return LiteralFit{};
  }
  if (number && arrow::is_integer(type->id())) return FitInteger(literal, type);
  if (number && arrow::is_floating(type->id())) return FitFloat(literal, type, pool);
  if (number && arrow::is_decimal(type->id())) return FitDecimal(literal, type);
  switch (type->id()) {
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIMESTAMP:
      return FitMoment(literal, type, pool);
    case Type::TIME32:
    case Type::TIME64:
      if (!IsText(*literal.type)) return LiteralFit{};
      break;
    case Type::STRING:
    case Type::LARGE_STRING:
      if (!IsText(*literal.type)) return LiteralFit{};
      break;
    default:
      return LiteralFit{};
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum cast,
                        CastTo(arrow::Datum(literal.GetSharedPtr()), type, false, pool));
  return Inside(true, cast.scalar());
}

}  // namespace glaive::expr
