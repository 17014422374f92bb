#include "expr/functions/temporal_rows.h"

#include <cctype>
#include <cstdlib>
#include <limits>
#include <utility>

#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>

#include "expr/temporal_text.h"

namespace glaive::expr {

WallRows::WallRows(const arrow::Datum& values) {
  const arrow::DataType& type = *values.type();
  is_date32_ = type.id() == arrow::Type::DATE32;
  if (is_date32_ || type.id() == arrow::Type::TIME32) {
    narrow_.emplace(values);
  } else {
    wide_.emplace(values);
  }
  per_second_ = UnitsOf(type);
}

Wall WallRows::operator[](int64_t row) const {
  const int64_t value = narrow_ ? (*narrow_)[row] : (*wide_)[row];
  if (is_date32_) return {value, 0};
  const int64_t seconds = FloorDivide(value, per_second_);
  const int64_t rest = FloorModulo(value, per_second_);
  return {FloorDivide(seconds, kSecondsPerDay),
          FloorModulo(seconds, kSecondsPerDay) * kNanosPerSecond +
              rest * (kNanosPerSecond / per_second_)};
}

int64_t UnitsOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return UnitsPerSecond(static_cast<const arrow::TimestampType&>(type).unit());
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return UnitsPerSecond(static_cast<const arrow::TimeType&>(type).unit());
    case arrow::Type::DURATION:
      return UnitsPerSecond(static_cast<const arrow::DurationType&>(type).unit());
    case arrow::Type::DATE64:
      return 1000;
    default:
      return 1;
  }
}

std::optional<int64_t> InUnits(int64_t seconds, int64_t nanos, int64_t per_second) {
  int64_t out = 0;
  if (__builtin_mul_overflow(seconds, per_second, &out) ||
      __builtin_add_overflow(out, FloorDivide(nanos, kNanosPerSecond / per_second), &out)) {
    return std::nullopt;
  }
  return out;
}

std::optional<int64_t> InUnits(const Wall& wall, int64_t per_second) {
  const __int128 out = static_cast<__int128>(wall.days) * (kSecondsPerDay * per_second) +
                       wall.nanos / (kNanosPerSecond / per_second);
  const auto narrow = static_cast<int64_t>(out);
  return narrow == out ? std::optional<int64_t>(narrow) : std::nullopt;
}

arrow::Status OutOfRange(std::string_view function) {
  return InvalidArgument(function,
                         ": the result is a moment beyond what its unit can count "
                         "(nanoseconds reach from 1677-09-21 to 2262-04-11)");
}

std::string ZoneOf(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP
             ? static_cast<const arrow::TimestampType&>(type).timezone()
             : std::string();
}

namespace {

// Seconds ahead of UTC of "+05:30", "-0800", "+02", "UTC", "Z".
std::optional<int64_t> FixedOffset(std::string_view zone) {
  if (zone == "UTC" || zone == "Z" || zone == "utc" || zone == "Etc/UTC") return 0;
  if (zone.size() < 3 || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  std::string digits;
  for (char c : zone.substr(1)) {
    if (c == ':' && digits.size() == 2) continue;
    if (c < '0' || c > '9' || digits.size() == 4) return std::nullopt;
    digits += c;
  }
  if (digits.size() != 2 && digits.size() != 4) return std::nullopt;
  digits.resize(4, '0');
  const int64_t hours = (digits[0] - '0') * 10 + (digits[1] - '0');
  const int64_t minutes = (digits[2] - '0') * 10 + (digits[3] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (zone[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

// The same values, shifted, as another type of the same unit.
arrow::Result<arrow::Datum> Shift(const arrow::Datum& values, int64_t seconds, const TypePtr& type,
                                  arrow::MemoryPool* pool) {
  if (values.is_array() && seconds == 0) {
    auto data = values.array()->Copy();
    data->type = type;
    return arrow::Datum(std::move(data));
  }
  Signature signature{{type}, type};
  Call call;
  call.signature = &signature;
  call.arguments = {values};
  call.num_rows = values.is_scalar() ? 1 : values.length();
  call.pool = pool;
  const ValueRows<int64_t> rows(values);
  const int64_t delta = seconds * UnitsOf(*type);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
    if (rows.IsNull(i)) return std::optional<int64_t>();
    int64_t out = 0;
    if (__builtin_add_overflow(rows[i], delta, &out)) return OutOfRange("time zone");
    return std::optional<int64_t>(out);
  });
}

arrow::Status ZoneError(const std::string& zone, const arrow::Status& status) {
  return InvalidArgument("time zone '", zone, "': ", status.message());
}

}  // namespace

arrow::Result<arrow::Datum> ToWallClock(const arrow::Datum& values, arrow::MemoryPool* pool) {
  const std::string zone = ZoneOf(*values.type());
  if (zone.empty()) return values;
  const TypePtr plain =
      arrow::timestamp(static_cast<const arrow::TimestampType&>(*values.type()).unit());
  if (const auto offset = FixedOffset(zone); offset.has_value()) {
    return Shift(values, *offset, plain, pool);
  }
  arrow::compute::ExecContext context(pool);
  auto result = arrow::compute::CallFunction("local_timestamp", {values}, &context);
  if (!result.ok()) return ZoneError(zone, result.status());
  return result;
}

arrow::Result<arrow::Datum> FromWallClock(const arrow::Datum& values, const std::string& zone,
                                          arrow::MemoryPool* pool) {
  if (zone.empty()) return values;
  const TypePtr type =
      arrow::timestamp(static_cast<const arrow::TimestampType&>(*values.type()).unit(), zone);
  if (const auto offset = FixedOffset(zone); offset.has_value()) {
    return Shift(values, -*offset, type, pool);
  }
  using Options = arrow::compute::AssumeTimezoneOptions;
  const Options options(zone, Options::AMBIGUOUS_EARLIEST, Options::NONEXISTENT_LATEST);
  arrow::compute::ExecContext context(pool);
  auto result = arrow::compute::CallFunction("assume_timezone", {values}, &options, &context);
  if (!result.ok()) return ZoneError(zone, result.status());
  return result;
}

arrow::Status CheckZone(const std::string& zone, std::string_view function) {
  const arrow::Datum zero(
      std::make_shared<arrow::TimestampScalar>(0, arrow::timestamp(arrow::TimeUnit::SECOND)));
  const auto found = FromWallClock(zero, zone, arrow::default_memory_pool());
  return found.ok() ? arrow::Status::OK() : WithContext(found.status(), function);
}

namespace {

class IntervalParser {
 public:
  explicit IntervalParser(std::string_view text) : rest_(text) {}

  std::optional<Interval> Run() {
    SkipBlanks();
    if (rest_.empty()) return std::nullopt;
    while (!rest_.empty()) {
      if (!Term()) return std::nullopt;
      SkipBlanks();
    }
    return out_;
  }

 private:
  void SkipBlanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == ',')) rest_.remove_prefix(1);
  }

  bool Term() {
    const bool negative = rest_.front() == '-';
    if (rest_.front() == '-' || rest_.front() == '+') rest_.remove_prefix(1);
    const std::string_view number = Take([](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    if (number.empty() || number.size() > 18) return false;
    if (!rest_.empty() && rest_.front() == ':') return Clock(number, negative);
    SkipBlanks();
    std::string unit(Take([](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }));
    for (char& c : unit) c = static_cast<char>(c | 0x20);
    return Add(number, unit, negative ? -1 : 1);
  }

  template <typename Test>
  std::string_view Take(Test&& test) {
    size_t end = 0;
    while (end < rest_.size() && test(rest_[end])) ++end;
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return taken;
  }

  bool Clock(std::string_view hours, bool negative) {
    const std::string_view rest =
        Take([](char c) { return (c >= '0' && c <= '9') || c == ':' || c == '.'; });
    std::string text(hours);
    text += rest;
    const auto nanos = ParseTimeOfDay(text);
    return nanos.has_value() && AddNanos(negative ? -*nanos : *nanos, 1);
  }

  // Whole and fraction apart, so that nothing is lost.
  bool Add(std::string_view number, const std::string& unit, int64_t sign) {
    const size_t point = number.find('.');
    const std::string whole_text(number.substr(0, point));
    std::string fraction_text(point == std::string_view::npos ? std::string_view()
                                                              : number.substr(point + 1));
    if (fraction_text.find('.') != std::string::npos) return false;
    fraction_text.resize(9, '0');
    const int64_t whole = sign * std::strtoll(whole_text.c_str(), nullptr, 10);
    const int64_t billionth = sign * std::strtoll(fraction_text.c_str(), nullptr, 10);

    static constexpr struct {
      std::string_view name;
      int64_t months;
      int64_t days;
      int64_t nanos;
    } kUnits[] = {
        {"nanosecond", 0, 0, 1},
        {"ns", 0, 0, 1},
        {"microsecond", 0, 0, 1000},
        {"us", 0, 0, 1000},
        {"millisecond", 0, 0, 1000'000},
        {"ms", 0, 0, 1000'000},
        {"second", 0, 0, kNanosPerSecond},
        {"sec", 0, 0, kNanosPerSecond},
        {"s", 0, 0, kNanosPerSecond},
        {"minute", 0, 0, 60 * kNanosPerSecond},
        {"min", 0, 0, 60 * kNanosPerSecond},
        {"m", 0, 0, 60 * kNanosPerSecond},
        {"hour", 0, 0, 3600 * kNanosPerSecond},
        {"hr", 0, 0, 3600 * kNanosPerSecond},
        {"h", 0, 0, 3600 * kNanosPerSecond},
        {"day", 0, 1, 0},
        {"d", 0, 1, 0},
        {"week", 0, 7, 0},
        {"w", 0, 7, 0},
        {"month", 1, 0, 0},
        {"mon", 1, 0, 0},
        {"year", 12, 0, 0},
        {"yr", 12, 0, 0},
        {"y", 12, 0, 0},
        {"decade", 120, 0, 0},
        {"century", 1200, 0, 0},
    };

    for (const auto& known : kUnits) {
      const bool plural = unit.size() == known.name.size() + 1 && unit.back() == 's' &&
                          unit.compare(0, known.name.size(), known.name) == 0;
      if (unit != known.name && !plural) continue;
      int64_t add = 0;
      if (__builtin_mul_overflow(whole, known.months, &add) ||
          __builtin_add_overflow(out_.months, add, &out_.months) ||
          __builtin_mul_overflow(whole, known.days, &add) ||
          __builtin_add_overflow(out_.days, add, &out_.days)) {
        return false;
      }
      if (billionth != 0 && known.months != 0) {
        // Of a year, whole months; of a month, whole days of thirty.
        const int64_t months = billionth * known.months / kNanosPerSecond;
        const int64_t days = billionth * known.months % kNanosPerSecond * 30 / kNanosPerSecond;
        return !__builtin_add_overflow(out_.months, months, &out_.months) &&
               !__builtin_add_overflow(out_.days, days, &out_.days);
      }
      const int64_t unit_nanos = known.days != 0 ? kNanosPerDay * known.days : known.nanos;
      const auto part = static_cast<__int128>(unit_nanos) * billionth / kNanosPerSecond;
      return AddNanos(static_cast<int64_t>(part), 1) && AddNanos(whole, known.nanos);
    }
    return false;
  }

  bool AddNanos(int64_t count, int64_t nanos) {
    int64_t add = 0;
    return !__builtin_mul_overflow(count, nanos, &add) &&
           !__builtin_add_overflow(out_.nanos, add, &out_.nanos);
  }

  std::string_view rest_;
  Interval out_;
};

}  // namespace

std::optional<Interval> ParseInterval(std::string_view text) {
  const auto out = IntervalParser(text).Run();
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  const bool fits =
      out && out->months >= -kMax && out->months <= kMax && out->days >= -kMax && out->days <= kMax;
  return fits ? out : std::nullopt;
}

TypePtr TemporalType(const TypePtr& type, bool times) {
  switch (type->id()) {
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return type;
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return times ? type : nullptr;
    case arrow::Type::NA:
      return arrow::timestamp(arrow::TimeUnit::NANO);
    default:
      return IsText(*type) ? arrow::timestamp(arrow::TimeUnit::NANO) : nullptr;
  }
}

}  // namespace glaive::expr
