#include "expr/literal.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <locale>
#include <sstream>

#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <arrow/util/formatting.h>
#include <arrow/util/value_parsing.h>

#include "base/status.h"
#include "expr/lexer.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

using arrow::TimeUnit;
using arrow::internal::checked_cast;
using Int128 = __int128;

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

int64_t PerSecond(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return 1;
    case TimeUnit::MILLI:
      return 1'000;
    case TimeUnit::MICRO:
      return 1'000'000;
    case TimeUnit::NANO:
      break;
  }
  return kNanosPerSecond;
}

int DigitsOf(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return 0;
    case TimeUnit::MILLI:
      return 3;
    case TimeUnit::MICRO:
      return 6;
    case TimeUnit::NANO:
      break;
  }
  return 9;
}

int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

arrow::Status Malformed(const arrow::DataType& type, std::string_view text,
                        std::string_view expected) {
  const std::string name = SqlTypeName(type);
  return InvalidArgument("'", text.substr(0, 100), "' is no ",
                         name.empty() ? ArrowTypeName(type) : name, ": expected ", expected);
}

// "hh:mm[:ss[.fraction]]" -> nanoseconds; hours may have more digits if `any_hours`.
bool ParseClock(std::string_view text, bool any_hours, int64_t* nanos) {
  std::string_view parts[3];
  size_t count = 0;
  size_t at = 0;
  while (count < 3) {
    const size_t colon = std::min(text.find(':', at), text.size());
    parts[count++] = text.substr(at, colon - at);
    at = colon + 1;
    if (colon == text.size()) break;
  }
  if (at <= text.size() || count < 2) return false;
  std::string_view fraction;
  if (count == 3) {
    const size_t point = parts[2].find('.');
    if (point != std::string_view::npos) {
      fraction = parts[2].substr(point + 1);
      parts[2] = parts[2].substr(0, point);
      if (!AllDigits(fraction) || fraction.size() > 9) return false;
    }
  }
  int64_t values[3] = {0, 0, 0};
  for (size_t i = 0; i < count; ++i) {
    const size_t most = i == 0 && any_hours ? 7 : 2;
    if (!AllDigits(parts[i]) || parts[i].size() > most) return false;
    std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), values[i]);
  }
  if ((!any_hours && values[0] > 23) || values[1] > 59 || values[2] > 59) return false;
  int64_t sub = 0;
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), sub);
  for (size_t i = fraction.size(); i < 9; ++i) sub *= 10;
  *nanos = ((values[0] * 60 + values[1]) * 60 + values[2]) * kNanosPerSecond + sub;
  return any_hours ? values[0] <= 2'500'000 : true;
}

arrow::Result<ScalarPtr> TimeLiteral(const std::shared_ptr<arrow::DataType>& type,
                                     std::string_view text) {
  int64_t nanos = 0;
  if (!ParseClock(text, false, &nanos)) {
    return Malformed(*type, text, "hh:mm[:ss[.fraction]]");
  }
  const TimeUnit::type unit = checked_cast<const arrow::TimeType&>(*type).unit();
  const int64_t value = nanos / (kNanosPerSecond / PerSecond(unit));
  if (type->id() == arrow::Type::TIME32) {
    return std::make_shared<arrow::Time32Scalar>(static_cast<int32_t>(value), type);
  }
  return std::make_shared<arrow::Time64Scalar>(value, type);
}

// In UTC if the text has a zone.
arrow::Result<ScalarPtr> TimestampLiteral(const std::shared_ptr<arrow::DataType>& type,
                                          std::string_view text) {
  const auto& timestamp = checked_cast<const arrow::TimestampType&>(*type);
  const auto parse = [&](TimeUnit::type unit, int64_t* value) {
    bool zone = false;
    return arrow::internal::ParseTimestampISO8601(text.data(), text.size(), unit, value, &zone);
  };
  int64_t value = 0;
  if (parse(timestamp.unit(), &value)) {
    return std::make_shared<arrow::TimestampScalar>(value, type);
  }
  // A fraction with more digits than the type has.
  if (!parse(TimeUnit::NANO, &value)) {
    return Malformed(*type, text, "YYYY-MM-DD[ hh:mm[:ss[.fraction]]][Z or +hh:mm]");
  }
  if (timestamp.unit() == TimeUnit::MICRO) {
    return std::make_shared<arrow::TimestampScalar>(
        value, arrow::timestamp(TimeUnit::NANO, timestamp.timezone()));
  }
  return std::make_shared<arrow::TimestampScalar>(
      FloorDivide(value, kNanosPerSecond / PerSecond(timestamp.unit())), type);
}

arrow::Result<ScalarPtr> TypedDecimalLiteral(const std::shared_ptr<arrow::DataType>& type,
                                             std::string_view text) {
  const auto& decimal = checked_cast<const arrow::DecimalType&>(*type);
  arrow::Decimal256 value;
  int32_t precision = 0;
  int32_t scale = 0;
  if (text.size() > 200 || text.find_first_of("eE") != std::string_view::npos ||
      !arrow::Decimal256::FromString(text, &value, &precision, &scale).ok()) {
    return Malformed(*type, text, "digits with at most one point");
  }
  if (scale != decimal.scale()) {
    auto rescaled = value.Rescale(scale, decimal.scale());
    if (!rescaled.ok()) return Malformed(*type, text, "a number with so many digits");
    value = *rescaled;
  }
  if (!value.FitsInPrecision(decimal.precision())) {
    return Malformed(*type, text, "a number with so many digits");
  }
  if (type->id() == arrow::Type::DECIMAL256) {
    return std::make_shared<arrow::Decimal256Scalar>(value, type);
  }
  const auto words = value.little_endian_array();
  return std::make_shared<arrow::Decimal128Scalar>(
      arrow::Decimal128(static_cast<int64_t>(words[1]), words[0]), type);
}

template <typename Number, typename Scalar>
arrow::Result<ScalarPtr> NumberLiteral(const std::shared_ptr<arrow::DataType>& type,
                                       std::string_view text) {
  Number value{};
  std::string_view digits = text.substr(!text.empty() && text[0] == '+' ? 1 : 0);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return Malformed(*type, text, "a number in range");
  }
  return std::make_shared<Scalar>(value);
}

template <typename Number>
std::string FloatText(Number value, std::string_view type) {
  if (std::isnan(value)) return Concat(type, " 'NaN'");
  if (std::isinf(value)) return Concat(type, value < 0 ? " '-inf'" : " 'inf'");
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string digits(buffer, written.ptr);
  if (type != "double") return Concat(type, " '", digits, "'");
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return digits;
}

// Exactly this value of a double, rounded; values that are too large fail, too small ones are zero.
arrow::Result<double> ParseDouble(std::string_view digits) {
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec == std::errc()) return value;
  std::istringstream in{std::string(digits)};
  in.imbue(std::locale::classic());
  in >> value;
  if (in.fail() || !std::isfinite(value)) {
    return InvalidArgument("the number is too large for a double");
  }
  return value;
}

struct DateParts {
  int year;
  unsigned month;
  unsigned day;
};

// False outside of the years that text can hold.
bool SplitDays(int64_t days, DateParts* parts) {
  if (days < -719'528 || days > 2'932'896) return false;  // 0000-01-01 .. 9999-12-31
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int32_t>(days)}}};
  *parts = {int{date.year()}, unsigned{date.month()}, unsigned{date.day()}};
  return true;
}

std::string DateText(int64_t days) {
  DateParts parts{};
  if (!SplitDays(days, &parts)) return "";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", parts.year, parts.month, parts.day);
  return buffer;
}

// "hh:mm:ss.fraction" of a value within its day.
std::string ClockText(int64_t value, TimeUnit::type unit) {
  const int64_t per_second = PerSecond(unit);
  if (value < 0 || value >= kSecondsPerDay * per_second) return "";
  const int64_t seconds = value / per_second;
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text = buffer;
  if (value % per_second != 0) {
    std::string fraction = std::to_string(value % per_second);
    text +=
        "." + std::string(static_cast<size_t>(DigitsOf(unit)) - fraction.size(), '0') + fraction;
  }
  return text;
}

std::string TimestampText(const arrow::TimestampScalar& scalar) {
  const auto& type = checked_cast<const arrow::TimestampType&>(*scalar.type);
  const std::string name = SqlTypeName(type);
  const int64_t per_day = PerSecond(type.unit()) * kSecondsPerDay;
  const int64_t days = FloorDivide(scalar.value, per_day);
  const std::string date = DateText(days);
  // Reading goes by whole seconds, and the first one of the range of nanoseconds is cut off.
  const bool cut = type.unit() == TimeUnit::NANO &&
                   scalar.value < std::numeric_limits<int64_t>::min() + kNanosPerSecond;
  if (name.empty() || date.empty() || cut) return "";
  const int64_t rest = (scalar.value % per_day + per_day) % per_day;
  return Concat(name, " '", date, " ", ClockText(rest, type.unit()), "'");
}

std::string TimeText(int64_t value, const arrow::DataType& type) {
  const std::string clock = ClockText(value, checked_cast<const arrow::TimeType&>(type).unit());
  return clock.empty() ? "" : Concat(SqlTypeName(type), " '", clock, "'");
}

std::string IntervalText(const arrow::MonthDayNanoIntervalType::MonthDayNanos& value) {
  std::string text;
  const auto part = [&](int64_t number, std::string_view unit) {
    if (number != 0) text += Concat(text.empty() ? "" : " ", number, " ", unit);
  };
  part(value.months, "months");
  part(value.days, "days");
  part(value.nanoseconds, "nanoseconds");
  return Concat("interval '", text.empty() ? "0 days" : text, "'");
}

// Decimals beyond the range of integers, with as many digits as they have, are bare digits.
template <typename Decimal>
std::string DecimalText(const Decimal& value, const arrow::DataType& type) {
  const auto& decimal = checked_cast<const arrow::DecimalType&>(type);
  if (decimal.scale() == 0) {
    const std::string digits = value.ToIntegerString();
    const bool negative = digits[0] == '-';
    auto bare = IntegerLiteral(std::string_view(digits).substr(negative ? 1 : 0), negative);
    if (bare.ok() && (*bare)->type->Equals(type)) return digits;
  }
  const std::string name = SqlTypeName(type);
  if (name.empty()) return "";
  // ToString writes an exponent for some scales, which is no text of a decimal literal.
  std::string text;
  if (decimal.scale() >= 0) {
    text = value.ToString(decimal.scale());
    if (text.find_first_of("eE") != std::string::npos) {
      std::string digits = value.ToIntegerString();
      const bool negative = digits[0] == '-';
      if (negative) digits.erase(0, 1);
      const size_t scale = static_cast<size_t>(decimal.scale());
      if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
      digits.insert(digits.size() - scale, ".");
      text = (negative ? "-" : "") + digits;
    }
  } else {
    text = value.ToIntegerString();
    if (text != "0") text += std::string(static_cast<size_t>(-decimal.scale()), '0');
  }
  return Concat(name, " '", text, "'");
}

std::string HexText(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text = "X'";
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text + "'";
}

struct IntervalUnit {
  std::string_view names[4];  ///< as written, singular and plural
  int32_t months;
  int32_t days;
  int64_t nanos;
};

constexpr IntervalUnit kIntervalUnits[] = {
    {{"millennium", "millennia", "millenniums", ""}, 12'000, 0, 0},
    {{"century", "centuries", "", ""}, 1'200, 0, 0},
    {{"decade", "decades", "", ""}, 120, 0, 0},
    {{"year", "years", "y", "yr"}, 12, 0, 0},
    {{"quarter", "quarters", "", ""}, 3, 0, 0},
    {{"month", "months", "mon", "mons"}, 1, 0, 0},
    {{"week", "weeks", "w", ""}, 0, 7, 0},
    {{"day", "days", "d", ""}, 0, 1, 0},
    {{"hour", "hours", "h", "hr"}, 0, 0, 3600 * kNanosPerSecond},
    {{"minute", "minutes", "min", "mins"}, 0, 0, 60 * kNanosPerSecond},
    {{"second", "seconds", "s", "sec"}, 0, 0, kNanosPerSecond},
    {{"millisecond", "milliseconds", "ms", "msec"}, 0, 0, 1'000'000},
    {{"microsecond", "microseconds", "us", "usec"}, 0, 0, 1'000},
    {{"nanosecond", "nanoseconds", "ns", ""}, 0, 0, 1},
};

const IntervalUnit* FindIntervalUnit(std::string_view name) {
  for (const IntervalUnit& unit : kIntervalUnits) {
    if (std::find(std::begin(unit.names), std::end(unit.names), name) != std::end(unit.names)) {
      return name.empty() ? nullptr : &unit;
    }
  }
  return nullptr;
}

// Sums the parts of an interval in numbers too wide to overflow.
class IntervalSum {
 public:
  // `scaled`: the number times 10^9.
  bool Add(Int128 scaled, const IntervalUnit& unit) {
    const Int128 most =
        (Int128{1} << 100) / std::max<int64_t>({unit.months, unit.days, unit.nanos});
    if (scaled > most || scaled < -most) {
      nanos_ = Int128{1} << 100;  // out of range, whatever follows
      return true;
    }
    const Int128 months = scaled * unit.months;
    if (months % kNanosPerSecond != 0) return false;
    months_ += months / kNanosPerSecond;
    const Int128 days = scaled * unit.days;
    days_ += days / kNanosPerSecond;
    nanos_ += days % kNanosPerSecond * kSecondsPerDay;  // a fraction of a day, in nanoseconds
    nanos_ += scaled * unit.nanos / kNanosPerSecond;
    return true;
  }

  arrow::Result<ScalarPtr> Finish() const {
    constexpr Int128 kMost32 = std::numeric_limits<int32_t>::max();
    constexpr Int128 kMost64 = std::numeric_limits<int64_t>::max();
    if (months_ > kMost32 || months_ < -kMost32 - 1 || days_ > kMost32 || days_ < -kMost32 - 1 ||
        nanos_ > kMost64 || nanos_ < -kMost64 - 1) {
      return InvalidArgument("the interval is out of range");
    }
    return std::make_shared<arrow::MonthDayNanoIntervalScalar>(
        arrow::MonthDayNanoIntervalType::MonthDayNanos{static_cast<int32_t>(months_),
                                                       static_cast<int32_t>(days_),
                                                       static_cast<int64_t>(nanos_)});
  }

 private:
  Int128 months_ = 0;
  Int128 days_ = 0;
  Int128 nanos_ = 0;
};

// "[+-]digits[.digits]" times 10^9.
bool ParseScaled(std::string_view text, Int128* scaled) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() && fraction.empty()) return false;
  if (whole.size() > 19 || fraction.size() > 9) return false;
  Int128 value = 0;
  for (const char c : std::string(whole) + std::string(fraction)) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  for (size_t i = fraction.size(); i < 9; ++i) value *= 10;
  *scaled = negative ? -value : value;
  return true;
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) words.push_back(LowerCase(word));
  return words;
}

// "3d" -> "3", "d".
void SplitNumberAndUnit(std::string_view word, std::string_view* number, std::string_view* unit) {
  const size_t end = std::min(word.find_first_not_of("+-.0123456789"), word.size());
  *number = word.substr(0, end);
  *unit = word.substr(end);
}

}  // namespace

arrow::Result<ScalarPtr> IntegerLiteral(std::string_view digits, bool negative) {
  const size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  const std::string text = (negative ? "-" : "") + std::string(digits.substr(zeros));
  const char* end = text.data() + text.size();
  int64_t value = 0;
  if (std::from_chars(text.data(), end, value).ec == std::errc()) {
    return std::make_shared<arrow::Int64Scalar>(value);
  }
  uint64_t big = 0;
  if (!negative && std::from_chars(text.data(), end, big).ec == std::errc()) {
    return std::make_shared<arrow::UInt64Scalar>(big);
  }
  const auto precision = static_cast<int32_t>(std::min<size_t>(digits.size() - zeros, 1000));
  if (precision > 76) return DecimalLiteral(digits, negative);
  return TypedDecimalLiteral(
      precision > 38 ? arrow::decimal256(precision, 0) : arrow::decimal128(precision, 0), text);
}

arrow::Result<ScalarPtr> DecimalLiteral(std::string_view digits, bool negative) {
  ARROW_ASSIGN_OR_RAISE(const double value, ParseDouble(digits));
  return std::make_shared<arrow::DoubleScalar>(negative ? -value : value);
}

ScalarPtr TextLiteral(std::string_view text) {
  return std::make_shared<arrow::StringScalar>(std::string(text));
}

ScalarPtr BinaryLiteral(std::string_view bytes) {
  return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::string(bytes)));
}

arrow::Result<ScalarPtr> TypedLiteral(const std::shared_ptr<arrow::DataType>& type,
                                      std::string_view text) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return NumberLiteral<int8_t, arrow::Int8Scalar>(type, text);
    case arrow::Type::INT16:
      return NumberLiteral<int16_t, arrow::Int16Scalar>(type, text);
    case arrow::Type::INT32:
      return NumberLiteral<int32_t, arrow::Int32Scalar>(type, text);
    case arrow::Type::INT64:
      return NumberLiteral<int64_t, arrow::Int64Scalar>(type, text);
    case arrow::Type::UINT8:
      return NumberLiteral<uint8_t, arrow::UInt8Scalar>(type, text);
    case arrow::Type::UINT16:
      return NumberLiteral<uint16_t, arrow::UInt16Scalar>(type, text);
    case arrow::Type::UINT32:
      return NumberLiteral<uint32_t, arrow::UInt32Scalar>(type, text);
    case arrow::Type::UINT64:
      return NumberLiteral<uint64_t, arrow::UInt64Scalar>(type, text);
    case arrow::Type::FLOAT:
      return NumberLiteral<float, arrow::FloatScalar>(type, text);
    case arrow::Type::DOUBLE:
      return NumberLiteral<double, arrow::DoubleScalar>(type, text);
    case arrow::Type::STRING:
      return TextLiteral(text);
    case arrow::Type::BINARY:
      return BinaryLiteral(text);
    case arrow::Type::BOOL: {
      const std::string word = LowerCase(text);
      if (word != "true" && word != "false") return Malformed(*type, text, "true or false");
      return std::make_shared<arrow::BooleanScalar>(word == "true");
    }
    case arrow::Type::DATE32: {
      int32_t days = 0;
      if (!arrow::internal::ParseValue<arrow::Date32Type>(text.data(), text.size(), &days)) {
        return Malformed(*type, text, "YYYY-MM-DD");
      }
      return std::make_shared<arrow::Date32Scalar>(days);
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return TimeLiteral(type, text);
    case arrow::Type::TIMESTAMP:
      return TimestampLiteral(type, text);
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return TypedDecimalLiteral(type, text);
    default:
      return InvalidArgument("a literal of type ", ArrowTypeName(*type),
                             " can't be written as text: use CAST");
  }
}

arrow::Result<ScalarPtr> IntervalLiteral(std::string_view text, std::string_view unit) {
  const auto malformed = [&] {
    return InvalidArgument("'", text.substr(0, 100),
                           "' is no interval: expected numbers with units, as in '1 year 2 days "
                           "03:04:05.6' (year, month, week, day, hour, minute, second, ..; whole "
                           "months)");
  };
  std::vector<std::string> words = SplitWords(text);
  if (words.empty()) return malformed();
  if (!unit.empty()) words.emplace_back(unit);
  IntervalSum sum;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.find(':') != std::string::npos) {
      const bool sign = word[0] == '-' || word[0] == '+';
      int64_t nanos = 0;
      if (!ParseClock(std::string_view(word).substr(sign ? 1 : 0), true, &nanos))
        return malformed();
      if (!sum.Add(Int128{word[0] == '-' ? -nanos : nanos}, *FindIntervalUnit("second"))) {
        return malformed();
      }
      continue;
    }
    std::string_view number;
    std::string_view name;
    SplitNumberAndUnit(word, &number, &name);
    if (name.empty() && i + 1 < words.size()) name = words[++i];
    const IntervalUnit* found = FindIntervalUnit(name);
    Int128 scaled = 0;
    if (found == nullptr || !ParseScaled(number, &scaled) || !sum.Add(scaled, *found)) {
      return malformed();
    }
  }
  return sum.Finish();
}

std::string LiteralText(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return scalar.type->id() == arrow::Type::NA ? "NULL" : "";
  const arrow::DataType& type = *scalar.type;
  const auto typed = [&](const std::string& value) {
    return Concat(SqlTypeName(type), " '", value, "'");
  };
  switch (type.id()) {
    case arrow::Type::BOOL:
      return checked_cast<const arrow::BooleanScalar&>(scalar).value ? "true" : "false";
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
      return typed(scalar.ToString());
    case arrow::Type::INT64:
      return std::to_string(checked_cast<const arrow::Int64Scalar&>(scalar).value);
    case arrow::Type::UINT64: {
      const uint64_t value = checked_cast<const arrow::UInt64Scalar&>(scalar).value;
      const bool bare = value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      return bare ? std::to_string(value) : typed(std::to_string(value));
    }
    case arrow::Type::FLOAT:
      return FloatText(checked_cast<const arrow::FloatScalar&>(scalar).value, "float");
    case arrow::Type::DOUBLE:
      return FloatText(checked_cast<const arrow::DoubleScalar&>(scalar).value, "double");
    case arrow::Type::STRING:
      return QuoteText(checked_cast<const arrow::StringScalar&>(scalar).view());
    case arrow::Type::BINARY:
      return HexText(checked_cast<const arrow::BinaryScalar&>(scalar).view());
    case arrow::Type::DATE32: {
      const std::string date = DateText(checked_cast<const arrow::Date32Scalar&>(scalar).value);
      return date.empty() ? "" : typed(date);
    }
    case arrow::Type::TIME32:
      return TimeText(checked_cast<const arrow::Time32Scalar&>(scalar).value, type);
    case arrow::Type::TIME64:
      return TimeText(checked_cast<const arrow::Time64Scalar&>(scalar).value, type);
    case arrow::Type::TIMESTAMP:
      return TimestampText(checked_cast<const arrow::TimestampScalar&>(scalar));
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return IntervalText(checked_cast<const arrow::MonthDayNanoIntervalScalar&>(scalar).value);
    case arrow::Type::DECIMAL128:
      return DecimalText(checked_cast<const arrow::Decimal128Scalar&>(scalar).value, type);
    case arrow::Type::DECIMAL256:
      return DecimalText(checked_cast<const arrow::Decimal256Scalar&>(scalar).value, type);
    default:
      return "";
  }
}

}  // namespace glaive::expr
