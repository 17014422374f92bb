#include "expr/cast_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/temporal_text.h"

namespace glaive::expr {
namespace {

using arrow::Type;

std::string_view Trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool EqualsFolded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

std::optional<bool> ParseBool(std::string_view text) {
  text = Trim(text);
  if (text == "1") return true;
  if (text == "0") return false;
  for (std::string_view word : {"true", "t", "yes", "y", "on"}) {
    if (EqualsFolded(text, word)) return true;
  }
  for (std::string_view word : {"false", "f", "no", "n", "off"}) {
    if (EqualsFolded(text, word)) return false;
  }
  return std::nullopt;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    if constexpr (std::is_floating_point_v<T>) {
      if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == text.data() + text.size()) {
        // Too small is zero, too large infinite: the exponent's sign tells which.
        const bool tiny = text.find("e-") != text.npos || text.find("E-") != text.npos;
        const T size = tiny ? T{0} : std::numeric_limits<T>::infinity();
        return text.front() == '-' ? -size : size;
      }
    }
    return std::nullopt;
  }
  return value;
}

arrow::Status NotA(std::string_view text, const arrow::DataType& type) {
  constexpr size_t kShown = 100;
  return InvalidArgument("can't cast '", text.substr(0, kShown), text.size() > kShown ? "…" : "",
                         "' to ", type.ToString(), "; TRY_CAST gives null there");
}

// Calls visit(row, text) for rows that are not null, null(row) for the others.
template <typename Visit, typename Null>
arrow::Status VisitText(const arrow::Array& array, Visit&& visit, Null&& null) {
  auto run = [&](const auto& text) -> arrow::Status {
    for (int64_t i = 0; i < text.length(); ++i) {
      if (text.IsNull(i)) {
        ARROW_RETURN_NOT_OK(null());
      } else {
        ARROW_RETURN_NOT_OK(visit(text.GetView(i)));
      }
    }
    return arrow::Status::OK();
  };
  if (array.type_id() == Type::LARGE_STRING) {
    return run(static_cast<const arrow::LargeStringArray&>(array));
  }
  return run(static_cast<const arrow::StringArray&>(array));
}

template <typename Builder, typename Parse>
arrow::Result<std::shared_ptr<arrow::Array>> Build(const arrow::Array& text,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   bool try_cast, arrow::MemoryPool* pool,
                                                   Parse&& parse) {
  Builder builder(type, pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(text.length()));
  ARROW_RETURN_NOT_OK(VisitText(
      text,
      [&](std::string_view value) -> arrow::Status {
        const auto parsed = parse(value);
        if (parsed.has_value()) {
          builder.UnsafeAppend(*parsed);
          return arrow::Status::OK();
        }
        if (!try_cast) return NotA(value, *type);
        builder.UnsafeAppendNull();
        return arrow::Status::OK();
      },
      [&] {
        builder.UnsafeAppendNull();
        return arrow::Status::OK();
      }));
  return builder.Finish();
}

std::optional<int64_t> InUnits(int64_t seconds, int32_t nanos, arrow::TimeUnit::type unit) {
  const int64_t per_second = UnitsPerSecond(unit);
  int64_t whole = 0;
  int64_t value = 0;
  if (__builtin_mul_overflow(seconds, per_second, &whole) ||
      __builtin_add_overflow(whole, nanos / (1000000000 / per_second), &value)) {
    return std::nullopt;
  }
  return value;
}

bool IsUtc(const std::string& zone) {
  return zone.empty() || zone == "UTC" || zone == "Z" || zone == "+00:00" || zone == "Etc/UTC" ||
         zone == "utc";
}

// Texts without a zone are read on the clocks of the type's zone.
arrow::Result<std::shared_ptr<arrow::Array>> ToTimestamp(
    const arrow::Array& text, const std::shared_ptr<arrow::DataType>& type, bool try_cast,
    arrow::MemoryPool* pool) {
  const auto& stamp = static_cast<const arrow::TimestampType&>(*type);
  auto utc = [&](std::string_view value) -> std::optional<int64_t> {
    const auto moment = ParseMoment(value);
    if (!moment) return std::nullopt;
    return InUnits(moment->seconds - moment->offset_seconds.value_or(0), moment->nanos,
                   stamp.unit());
  };
  if (IsUtc(stamp.timezone())) {
    return Build<arrow::TimestampBuilder>(text, type, try_cast, pool, utc);
  }
  arrow::BooleanBuilder zoned(pool);
  auto noting = [&](std::string_view value) -> std::optional<int64_t> {
    const auto moment = ParseMoment(value);
    const auto out = utc(value);
    // One flag for each row that does not become null.
    if (out && !zoned.Append(moment->offset_seconds.has_value()).ok()) return std::nullopt;
    return out;
  };
  const auto naive = arrow::timestamp(stamp.unit());
  ARROW_ASSIGN_OR_RAISE(auto values,
                        Build<arrow::TimestampBuilder>(text, naive, try_cast, pool, noting));
  std::shared_ptr<arrow::BooleanArray> flags;
  ARROW_RETURN_NOT_OK(zoned.Finish(&flags));
  arrow::compute::ExecContext context(pool);
  arrow::compute::AssumeTimezoneOptions options(
      stamp.timezone(), arrow::compute::AssumeTimezoneOptions::AMBIGUOUS_EARLIEST,
      arrow::compute::AssumeTimezoneOptions::NONEXISTENT_EARLIEST);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum local, arrow::compute::CallFunction(
                                                "assume_timezone", {values}, &options, &context));
  if (flags->true_count() == 0) return local.make_array();
  // One by one: texts with and without a zone in one column are rare.
  const auto local_array = local.make_array();
  const auto& on_clock = static_cast<const arrow::TimestampArray&>(*local_array);
  const auto& exact = static_cast<const arrow::TimestampArray&>(*values);
  arrow::TimestampBuilder builder(type, pool);
  int64_t at = 0;
  for (int64_t i = 0; i < exact.length(); ++i) {
    if (exact.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(builder.Append(flags->Value(at++) ? exact.Value(i) : on_clock.Value(i)));
  }
  return builder.Finish();
}

template <typename ArrowType>
arrow::Result<std::shared_ptr<arrow::Array>> ToNumber(const arrow::Array& text,
                                                      const std::shared_ptr<arrow::DataType>& type,
                                                      bool try_cast, arrow::MemoryPool* pool) {
  return Build<arrow::NumericBuilder<ArrowType>>(text, type, try_cast, pool,
                                                 ParseNumber<typename ArrowType::c_type>);
}

std::optional<int64_t> DaysOf(std::string_view text) {
  const auto moment = ParseMoment(text);
  if (!moment) return std::nullopt;
  const int64_t seconds = moment->seconds;
  return seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400);
}

arrow::Result<std::shared_ptr<arrow::Array>> ToTime(const arrow::Array& text,
                                                    const std::shared_ptr<arrow::DataType>& type,
                                                    bool try_cast, arrow::MemoryPool* pool) {
  const auto unit = static_cast<const arrow::TimeType&>(*type).unit();
  const int64_t nanos_per_unit = 1000000000 / UnitsPerSecond(unit);
  auto parse = [&](std::string_view value) -> std::optional<int64_t> {
    const auto nanos = ParseTimeOfDay(value);
    if (!nanos) return std::nullopt;
    return *nanos / nanos_per_unit;
  };
  if (type->id() == Type::TIME64) {
    return Build<arrow::Time64Builder>(text, type, try_cast, pool, parse);
  }
  return Build<arrow::Time32Builder>(text, type, try_cast, pool,
                                     [&](std::string_view value) -> std::optional<int32_t> {
                                       const auto units = parse(value);
                                       if (!units) return std::nullopt;
                                       return static_cast<int32_t>(*units);
                                     });
}

template <typename T>
std::string FloatText(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[400];
  const T size = std::fabs(value);
  const bool plain = size == 0 || (size >= static_cast<T>(1e-5) && size < static_cast<T>(1e16));
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain && text.find('.') == text.npos) text += ".0";
  if (!plain) {
    // "1e+16" and "1e-07" are written 1e16 and 1e-7.
    const size_t e = text.find('e');
    std::string exponent = text.substr(e + 1);
    const bool negative = exponent[0] == '-';
    exponent.erase(0, exponent.find_first_not_of("+-0"));
    text = text.substr(0, e) + (negative ? "e-" : "e") + exponent;
  }
  return text;
}

template <typename ArrayType, typename Print>
arrow::Result<std::shared_ptr<arrow::Array>> PrintAll(const arrow::Array& array,
                                                      arrow::MemoryPool* pool, Print&& print) {
  const auto& values = static_cast<const ArrayType&>(array);
  arrow::StringBuilder builder(pool);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(builder.Append(print(values.Value(i))));
    }
  }
  return builder.Finish();
}

// As a clock shows it that is `ahead` seconds ahead.
std::string DateTimeText(int64_t value, int64_t per_second, int64_t ahead = 0) {
  int64_t seconds = value / per_second;
  int64_t rest = value % per_second;
  if (rest < 0) {
    rest += per_second;
    --seconds;
  }
  // Passes the end for whole seconds alone, which has no date by far.
  static_cast<void>(__builtin_add_overflow(seconds, ahead, &seconds));
  return FormatDateTime(seconds, static_cast<int32_t>(rest * (1000000000 / per_second)));
}

std::string OffsetText(int64_t seconds) {
  if (seconds == 0) return "Z";
  const int64_t size = std::abs(seconds);
  return (seconds < 0 ? "-" : "+") + FormatTimeOfDay(size * 1000000000).substr(0, 5);
}

arrow::Result<std::shared_ptr<arrow::Array>> TimestampText(const arrow::Array& array,
                                                           arrow::MemoryPool* pool) {
  const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
  const int64_t per_second = UnitsPerSecond(type.unit());
  const std::string suffix = type.timezone().empty() ? "" : "Z";
  if (IsUtc(type.timezone())) {
    return PrintAll<arrow::TimestampArray>(
        array, pool, [&](int64_t value) { return DateTimeText(value, per_second) + suffix; });
  }
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum local,
      arrow::compute::CallFunction("local_timestamp", {arrow::Datum(array.data())}, &context));
  const auto local_array = local.make_array();
  const auto& clock = static_cast<const arrow::TimestampArray&>(*local_array);
  int64_t row = 0;
  const auto& values = static_cast<const arrow::TimestampArray&>(array);
  arrow::StringBuilder builder(pool);
  for (; row < values.length(); ++row) {
    if (values.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const int64_t value = values.Value(row);
    int64_t ahead = 0;  // right even where the clock's value passed the end of 64 bits
    static_cast<void>(__builtin_sub_overflow(clock.Value(row), value, &ahead));
    ahead /= per_second;
    ARROW_RETURN_NOT_OK(builder.Append(DateTimeText(value, per_second, ahead) + OffsetText(ahead)));
  }
  return builder.Finish();
}

}  // namespace

bool CastsFromText(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
      return true;
    default:
      return false;
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> CastFromText(
    const arrow::Array& text, const std::shared_ptr<arrow::DataType>& type, bool try_cast,
    arrow::MemoryPool* pool) {
  switch (type->id()) {
    case Type::BOOL:
      return Build<arrow::BooleanBuilder>(text, type, try_cast, pool, ParseBool);
    case Type::INT8:
      return ToNumber<arrow::Int8Type>(text, type, try_cast, pool);
    case Type::INT16:
      return ToNumber<arrow::Int16Type>(text, type, try_cast, pool);
    case Type::INT32:
      return ToNumber<arrow::Int32Type>(text, type, try_cast, pool);
    case Type::INT64:
      return ToNumber<arrow::Int64Type>(text, type, try_cast, pool);
    case Type::UINT8:
      return ToNumber<arrow::UInt8Type>(text, type, try_cast, pool);
    case Type::UINT16:
      return ToNumber<arrow::UInt16Type>(text, type, try_cast, pool);
    case Type::UINT32:
      return ToNumber<arrow::UInt32Type>(text, type, try_cast, pool);
    case Type::UINT64:
      return ToNumber<arrow::UInt64Type>(text, type, try_cast, pool);
    case Type::FLOAT:
      return ToNumber<arrow::FloatType>(text, type, try_cast, pool);
    case Type::DOUBLE:
      return ToNumber<arrow::DoubleType>(text, type, try_cast, pool);
    case Type::DATE32:
      return Build<arrow::Date32Builder>(text, type, try_cast, pool,
                                         [](std::string_view value) -> std::optional<int32_t> {
                                           const auto days = DaysOf(value);
                                           if (!days) return std::nullopt;
                                           return static_cast<int32_t>(*days);
                                         });
    case Type::DATE64:
      return Build<arrow::Date64Builder>(text, type, try_cast, pool,
                                         [](std::string_view value) -> std::optional<int64_t> {
                                           const auto days = DaysOf(value);
                                           if (!days) return std::nullopt;
                                           return *days * 86400000;
                                         });
    case Type::TIME32:
    case Type::TIME64:
      return ToTime(text, type, try_cast, pool);
    default:
      return ToTimestamp(text, type, try_cast, pool);
  }
}

bool CastsToText(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::TIMESTAMP:
    case Type::TIME32:
    case Type::TIME64:
      return true;
    default:
      return false;
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> CastToText(const arrow::Array& values,
                                                        arrow::MemoryPool* pool) {
  switch (values.type_id()) {
    case Type::FLOAT:
      return PrintAll<arrow::FloatArray>(values, pool, FloatText<float>);
    case Type::DOUBLE:
      return PrintAll<arrow::DoubleArray>(values, pool, FloatText<double>);
    case Type::TIMESTAMP:
      return TimestampText(values, pool);
    default:
      break;
  }
  const auto unit = static_cast<const arrow::TimeType&>(*values.type()).unit();
  const int64_t nanos = 1000000000 / UnitsPerSecond(unit);
  auto print = [&](int64_t value) { return FormatTimeOfDay(value * nanos); };
  if (values.type_id() == Type::TIME32) return PrintAll<arrow::Time32Array>(values, pool, print);
  return PrintAll<arrow::Time64Array>(values, pool, print);
}

}  // namespace glaive::expr
