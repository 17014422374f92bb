// date_part and the functions named after its parts.
#include <algorithm>
#include <limits>

#include "expr/functions/temporal_rows.h"

namespace glaive::expr {
namespace {

enum class Part {
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kEpoch,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kDecade,
  kCentury,
  kMillennium,
};

struct PartName {
  std::string_view name;
  Part part;
};

constexpr PartName kParts[] = {
    {"year", Part::kYear},
    {"years", Part::kYear},
    {"y", Part::kYear},
    {"yr", Part::kYear},
    {"yrs", Part::kYear},
    {"isoyear", Part::kIsoYear},
    {"quarter", Part::kQuarter},
    {"quarters", Part::kQuarter},
    {"qtr", Part::kQuarter},
    {"month", Part::kMonth},
    {"months", Part::kMonth},
    {"mon", Part::kMonth},
    {"mons", Part::kMonth},
    {"week", Part::kWeek},
    {"weeks", Part::kWeek},
    {"w", Part::kWeek},
    {"day", Part::kDay},
    {"days", Part::kDay},
    {"d", Part::kDay},
    {"hour", Part::kHour},
    {"hours", Part::kHour},
    {"h", Part::kHour},
    {"hr", Part::kHour},
    {"hrs", Part::kHour},
    {"minute", Part::kMinute},
    {"minutes", Part::kMinute},
    {"m", Part::kMinute},
    {"min", Part::kMinute},
    {"mins", Part::kMinute},
    {"second", Part::kSecond},
    {"seconds", Part::kSecond},
    {"s", Part::kSecond},
    {"sec", Part::kSecond},
    {"secs", Part::kSecond},
    {"millisecond", Part::kMillisecond},
    {"milliseconds", Part::kMillisecond},
    {"ms", Part::kMillisecond},
    {"msec", Part::kMillisecond},
    {"msecs", Part::kMillisecond},
    {"microsecond", Part::kMicrosecond},
    {"microseconds", Part::kMicrosecond},
    {"us", Part::kMicrosecond},
    {"usec", Part::kMicrosecond},
    {"usecs", Part::kMicrosecond},
    {"nanosecond", Part::kNanosecond},
    {"nanoseconds", Part::kNanosecond},
    {"ns", Part::kNanosecond},
    {"epoch", Part::kEpoch},
    {"dow", Part::kDayOfWeek},
    {"dayofweek", Part::kDayOfWeek},
    {"isodow", Part::kIsoDayOfWeek},
    {"doy", Part::kDayOfYear},
    {"dayofyear", Part::kDayOfYear},
    {"decade", Part::kDecade},
    {"century", Part::kCentury},
    {"millennium", Part::kMillennium},
};

arrow::Result<Part> FindPart(std::string_view function, std::string name) {
  if (name.size() > 2 && (name.front() == '"' || name.front() == '\'') &&
      name.back() == name.front()) {
    name = name.substr(1, name.size() - 2);
  }
  for (const PartName& known : kParts) {
    if (known.name == name) return known.part;
  }
  return InvalidArgument(function, ": part '", name,
                         "' is unknown, expected year, isoyear, quarter, month, week, day, hour, "
                         "minute, second, millisecond, microsecond, nanosecond, epoch, dow, "
                         "isodow, doy, decade, century or millennium");
}

bool IsOfClock(Part part) {
  return part >= Part::kHour && part <= Part::kEpoch;
}

TypePtr PartType(Part part) {
  if (part == Part::kEpoch) return arrow::float64();
  return part == Part::kNanosecond ? arrow::int64() : arrow::int32();
}

int64_t ClockPart(Part part, int64_t nanos) {
  const int64_t of_minute = nanos % (60 * kNanosPerSecond);
  switch (part) {
    case Part::kHour:
      return nanos / (3600 * kNanosPerSecond);
    case Part::kMinute:
      return nanos / (60 * kNanosPerSecond) % 60;
    case Part::kSecond:
      return of_minute / kNanosPerSecond;
    case Part::kMillisecond:
      return of_minute / 1'000'000;
    case Part::kMicrosecond:
      return of_minute / 1000;
    default:
      return of_minute;
  }
}

int64_t DatePart(Part part, int64_t days) {
  const Civil date = CivilOf(days);
  switch (part) {
    case Part::kYear:
      return date.year;
    case Part::kIsoYear:
      return IsoWeekOf(days).year;
    case Part::kQuarter:
      return (date.month + 2) / 3;
    case Part::kMonth:
      return date.month;
    case Part::kWeek:
      return IsoWeekOf(days).week;
    case Part::kDay:
      return date.day;
    case Part::kDayOfWeek:
      return WeekdayOf(days);
    case Part::kIsoDayOfWeek:
      return (WeekdayOf(days) + 6) % 7 + 1;
    case Part::kDayOfYear:
      return DayOfYear(days);
    case Part::kDecade:
      return FloorDivide(date.year, 10);
    case Part::kCentury:
      return date.year > 0 ? (date.year + 99) / 100 : FloorDivide(date.year, 100);
    default:
      return date.year > 0 ? (date.year + 999) / 1000 : FloorDivide(date.year, 1000);
  }
}

// The number of whole units in a length of time.
arrow::Result<int64_t> DurationPart(Part part, int64_t nanos) {
  switch (part) {
    case Part::kWeek:
      return nanos / (7 * kNanosPerDay);
    case Part::kDay:
      return nanos / kNanosPerDay;
    case Part::kHour:
      return nanos / (3600 * kNanosPerSecond);
    case Part::kMinute:
      return nanos / (60 * kNanosPerSecond);
    case Part::kSecond:
      return nanos / kNanosPerSecond;
    case Part::kMillisecond:
      return nanos / 1'000'000;
    case Part::kMicrosecond:
      return nanos / 1000;
    default:
      return nanos;
  }
}

arrow::Result<std::optional<int32_t>> Narrow(int64_t value) {
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return InvalidArgument("date_part: ", value, " does not fit an int");
  }
  return std::optional<int32_t>(static_cast<int32_t>(value));
}

template <typename IsNull, typename Get>
arrow::Result<arrow::Datum> Numbers(const Call& call, IsNull&& is_null, Get&& get) {
  if (call.signature->result->id() == arrow::Type::INT64) {
    return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
      if (is_null(i)) return std::optional<int64_t>();
      ARROW_ASSIGN_OR_RAISE(const int64_t value, get(i));
      return std::optional<int64_t>(value);
    });
  }
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int32_t>> {
    if (is_null(i)) return std::optional<int32_t>();
    ARROW_ASSIGN_OR_RAISE(const int64_t value, get(i));
    return Narrow(value);
  });
}

// Seconds since 1970: of the moment, not of the clock on the wall.
arrow::Result<arrow::Datum> Epoch(const Call& call, const arrow::Datum& values) {
  const WallRows rows(values);
  const arrow::Type::type id = values.type()->id();
  const bool time = id == arrow::Type::TIME32 || id == arrow::Type::TIME64;
  return ValuePerRow<double>(call, [&](int64_t i) -> std::optional<double> {
    if (rows.IsNull(i)) return std::nullopt;
    const Wall wall = rows[i];
    const __int128 micros =
        static_cast<__int128>(time ? 0 : wall.days) * 86'400'000'000 + wall.nanos / 1000;
    return static_cast<double>(micros) / 1e6 + static_cast<double>(wall.nanos % 1000) / 1e9;
  });
}

arrow::Result<arrow::Datum> OfDuration(const Call& call, const arrow::Datum& values, Part part) {
  const ValueRows<int64_t> rows(values);
  const int64_t units = UnitsOf(*values.type());
  if (part == Part::kEpoch) {
    return ValuePerRow<double>(call, [&](int64_t i) -> std::optional<double> {
      if (rows.IsNull(i)) return std::nullopt;
      return static_cast<double>(rows[i]) / static_cast<double>(units);
    });
  }
  return Numbers(
      call, [&](int64_t i) { return rows.IsNull(i); },
      [&](int64_t i) -> arrow::Result<int64_t> {
        int64_t nanos = 0;
        if (__builtin_mul_overflow(rows[i], kNanosPerSecond / units, &nanos)) {
          return OutOfRange("date_part");
        }
        return DurationPart(part, nanos);
      });
}

arrow::Result<arrow::Datum> OfInterval(const Call& call, const arrow::Datum& values, Part part) {
  using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  const ValueRows<MonthDayNanos> rows(values);
  if (part == Part::kEpoch) {
    return ValuePerRow<double>(call, [&](int64_t i) -> std::optional<double> {
      if (rows.IsNull(i)) return std::nullopt;
      const MonthDayNanos value = rows[i];
      return (static_cast<double>(value.months) * 30 + value.days) * kSecondsPerDay +
             static_cast<double>(value.nanoseconds) / 1e9;
    });
  }
  return Numbers(
      call, [&](int64_t i) { return rows.IsNull(i); },
      [&](int64_t i) -> arrow::Result<int64_t> {
        const MonthDayNanos value = rows[i];
        if (part == Part::kYear) return value.months / 12;
        if (part == Part::kMonth) return value.months % 12;
        if (part == Part::kDay) return value.days;
        if (part == Part::kWeek) return value.days / 7;
        if (part == Part::kHour) return value.nanoseconds / (3600 * kNanosPerSecond);
        return ClockPart(part, value.nanoseconds);
      });
}

arrow::Result<arrow::Datum> Extract(const Call& call, const arrow::Datum& values, Part part) {
  const arrow::Type::type id = values.type()->id();
  if (id == arrow::Type::DURATION) return OfDuration(call, values, part);
  if (id == arrow::Type::INTERVAL_MONTH_DAY_NANO) return OfInterval(call, values, part);
  if (part == Part::kEpoch) return Epoch(call, values);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum local, ToWallClock(values, call.pool));
  const WallRows rows(local);
  return Numbers(
      call, [&](int64_t i) { return rows.IsNull(i); },
      [&](int64_t i) -> arrow::Result<int64_t> {
        const Wall wall = rows[i];
        return IsOfClock(part) ? ClockPart(part, wall.nanos) : DatePart(part, wall.days);
      });
}

arrow::Result<TypePtr> ExtractType(const CallSite& site, size_t index, Part part) {
  TypePtr type = TemporalType(site.types[index], true);
  const arrow::Type::type id = site.types[index]->id();
  const bool time = id == arrow::Type::TIME32 || id == arrow::Type::TIME64;
  if (id == arrow::Type::DURATION || id == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    type = site.types[index];
    const bool of_interval =
        id != arrow::Type::DURATION && (part == Part::kYear || part == Part::kMonth);
    if (!IsOfClock(part) && part != Part::kDay && part != Part::kWeek && !of_interval) {
      return WrongType(site, index, "a timestamp or a date for this part");
    }
  }
  if (type == nullptr) {
    return WrongType(site, index, "a timestamp, date, time, duration, interval or text");
  }
  if (time && !IsOfClock(part))
    return WrongType(site, index, "a timestamp or a date for this part");
  return type;
}

arrow::Result<Signature> ResolvePart(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(const std::string name, ConstantText(site, 0, "the part"));
  ARROW_ASSIGN_OR_RAISE(const Part part, FindPart(site.name, name));
  ARROW_ASSIGN_OR_RAISE(TypePtr type, ExtractType(site, 1, part));
  return Signature{{arrow::utf8(), std::move(type)}, PartType(part)};
}

arrow::Result<arrow::Datum> EvaluatePart(const Call& call) {
  const TextRows written(call.arguments[0]);
  std::string name(written[0]);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  ARROW_ASSIGN_OR_RAISE(const Part part, FindPart("date_part", name));
  return Extract(call, call.arguments[1], part);
}

Function Named(std::string name, Part part) {
  Function out;
  out.usage = name + "(timestamp)";
  out.summary = "The same as date_part('" + name + "', timestamp).";
  out.name = std::move(name);
  out.min_arguments = out.max_arguments = 1;
  out.resolve = [part](const CallSite& site) -> arrow::Result<Signature> {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, ExtractType(site, 0, part));
    return Signature{{std::move(type)}, PartType(part)};
  };
  out.evaluate = [part](const Call& call) { return Extract(call, call.arguments[0], part); };
  return out;
}

}  // namespace

std::vector<Function> PartFunctions() {
  std::vector<Function> out;
  out.push_back({"date_part",
                 {"datepart"},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolvePart,
                 EvaluatePart,
                 "date_part(part, timestamp)",
                 "A part of a timestamp (in its own zone), date, time, duration or interval: year, "
                 "isoyear, quarter, month, week (ISO), day, hour, minute, second, millisecond, "
                 "microsecond and nanosecond (with the seconds of the minute), epoch (a double), "
                 "dow (Sunday is 0), isodow (Monday is 1), doy, decade, century, millennium."});
  for (const auto& [name, part] :
       {std::pair("year", Part::kYear), std::pair("quarter", Part::kQuarter),
        std::pair("month", Part::kMonth), std::pair("week", Part::kWeek),
        std::pair("day", Part::kDay), std::pair("hour", Part::kHour),
        std::pair("minute", Part::kMinute), std::pair("second", Part::kSecond)}) {
    out.push_back(Named(name, part));
  }
  return out;
}

}  // namespace glaive::expr
