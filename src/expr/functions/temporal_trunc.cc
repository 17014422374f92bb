// date_trunc and date_bin.
#include <algorithm>
#include <limits>

#include "expr/functions/temporal_rows.h"

namespace glaive::expr {
namespace {

enum class Unit {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear
};

constexpr std::string_view kUnitNames[] = {"microsecond", "millisecond", "second", "minute",
                                           "hour",        "day",         "week",   "month",
                                           "quarter",     "year"};

arrow::Result<Unit> FindUnit(std::string_view function, std::string_view name) {
  for (size_t i = 0; i < std::size(kUnitNames); ++i) {
    if (kUnitNames[i] == name) return static_cast<Unit>(i);
  }
  return InvalidArgument(function, ": unit '", name,
                         "' is unknown, expected microsecond, millisecond, second, minute, hour, "
                         "day, week, month, quarter or year");
}

// Nanoseconds of a unit that is always as long; week and beyond are not asked.
int64_t UnitNanos(Unit unit) {
  switch (unit) {
    case Unit::kMicrosecond:
      return 1000;
    case Unit::kMillisecond:
      return 1'000'000;
    case Unit::kSecond:
      return kNanosPerSecond;
    case Unit::kMinute:
      return 60 * kNanosPerSecond;
    case Unit::kHour:
      return 3600 * kNanosPerSecond;
    default:
      return kNanosPerDay;
  }
}

int64_t TruncateDays(Unit unit, int64_t days) {
  if (unit == Unit::kWeek) return days - FloorModulo(days + 3, 7);
  if (unit < Unit::kWeek) return days;
  const Civil date = CivilOf(days);
  if (unit == Unit::kMonth) return DaysOf(date.year, date.month, 1);
  if (unit == Unit::kQuarter) return DaysOf(date.year, (date.month - 1) / 3 * 3 + 1, 1);
  return DaysOf(date.year, 1, 1);
}

arrow::Result<Signature> ResolveTrunc(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(const std::string name, ConstantText(site, 0, "the unit"));
  ARROW_ASSIGN_OR_RAISE(const Unit unit, FindUnit(site.name, name));
  TypePtr type = TemporalType(site.types[1], true);
  if (type == nullptr) return WrongType(site, 1, "a timestamp, date, time or text");
  const arrow::Type::type id = type->id();
  if (id == arrow::Type::DATE32 || id == arrow::Type::DATE64) {
    type = arrow::timestamp(arrow::TimeUnit::NANO);
  }
  if ((id == arrow::Type::TIME32 || id == arrow::Type::TIME64) && unit > Unit::kHour) {
    return WrongType(site, 1, "a timestamp or a date for this unit");
  }
  return Signature{{arrow::utf8(), type}, type};
}

template <typename T>
arrow::Result<arrow::Datum> TruncTimes(const Call& call, Unit unit) {
  const ValueRows<T> rows(call.arguments[1]);
  const int64_t step =
      std::max<int64_t>(1, UnitNanos(unit) / (kNanosPerSecond / UnitsOf(*call.signature->result)));
  return ValuePerRow<T>(call, [&](int64_t i) -> arrow::Result<std::optional<T>> {
    if (rows.IsNull(i)) return std::optional<T>();
    T out = 0;
    if (__builtin_sub_overflow(rows[i], FloorModulo(rows[i], step), &out)) {
      return OutOfRange("date_trunc");
    }
    return std::optional<T>(out);
  });
}

// Values without a zone, of the type that resolve promised but for the zone.
arrow::Result<arrow::Datum> TruncWall(const Call& call, const arrow::Datum& values, Unit unit) {
  Signature signature{{values.type()}, values.type()};
  Call inner = call;
  inner.signature = &signature;
  inner.arguments = {values};
  const ValueRows<int64_t> raw(values);
  const WallRows rows(values);
  const int64_t units = UnitsOf(*values.type());
  return ValuePerRow<int64_t>(inner, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
    if (rows.IsNull(i)) return std::optional<int64_t>();
    const Wall wall = rows[i];
    const int64_t nanos = unit >= Unit::kDay ? 0 : wall.nanos - wall.nanos % UnitNanos(unit);
    const auto out = InUnits(Wall{TruncateDays(unit, wall.days), nanos}, units);
    if (!out.has_value()) return OutOfRange("date_trunc");
    return out;
  });
}

arrow::Result<arrow::Datum> Trunc(const Call& call) {
  const TextRows written(call.arguments[0]);
  std::string name(written[0]);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  ARROW_ASSIGN_OR_RAISE(const Unit unit, FindUnit("date_trunc", name));
  if (call.signature->result->id() == arrow::Type::TIME32) return TruncTimes<int32_t>(call, unit);
  if (call.signature->result->id() == arrow::Type::TIME64) return TruncTimes<int64_t>(call, unit);
  const std::string zone = ZoneOf(*call.signature->result);
  if (zone.empty()) return TruncWall(call, call.arguments[1], unit);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum local, ToWallClock(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum cut, TruncWall(call, local, unit));
  return FromWallClock(cut, zone, call.pool);
}

arrow::Result<Interval> StrideOf(const arrow::Datum& datum) {
  const auto* text = datum.is_scalar() ? datum.scalar().get() : nullptr;
  if (text == nullptr || !text->is_valid) {
    return InvalidArgument("date_bin: the stride must be a constant interval, not null");
  }
  Interval out;
  if (text->type->id() == arrow::Type::DURATION) {
    const int64_t value = ValueRows<int64_t>(datum)[0];
    if (__builtin_mul_overflow(value, kNanosPerSecond / UnitsOf(*text->type), &out.nanos)) {
      return OutOfRange("date_bin");
    }
  } else if (text->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    const auto value = ValueRows<arrow::MonthDayNanoIntervalType::MonthDayNanos>(datum)[0];
    out = {value.months, value.days, value.nanoseconds};
  } else {
    const std::string_view written = TextRows(datum)[0];
    const auto parsed = ParseInterval(written);
    GLAIVE_CHECK_ARGUMENT(parsed.has_value(), "date_bin: '", written,
                          "' is no interval, expected such as '15 minutes'");
    out = *parsed;
  }
  GLAIVE_CHECK_ARGUMENT(out.months == 0 || (out.days == 0 && out.nanos == 0),
                        "date_bin: a stride of months cannot have days or times as well");
  int64_t day_nanos = 0;
  if (__builtin_mul_overflow(out.days, kNanosPerDay, &day_nanos) ||
      __builtin_add_overflow(out.nanos, day_nanos, &out.nanos)) {
    return OutOfRange("date_bin");
  }
  out.days = 0;
  GLAIVE_CHECK_ARGUMENT(out.months > 0 || out.nanos > 0, "date_bin: the stride must be positive");
  return out;
}

arrow::Result<Signature> ResolveBin(const CallSite& site) {
  const arrow::Type::type stride = site.types[0]->id();
  Signature out;
  if (stride == arrow::Type::DURATION || stride == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    out.arguments.push_back(site.types[0]);
  } else if (IsText(*site.types[0])) {
    out.arguments.push_back(arrow::utf8());
  } else {
    return WrongType(site, 0, "an interval or a duration");
  }
  TypePtr type = TemporalType(site.types[1], false);
  if (type == nullptr) return WrongType(site, 1, "a timestamp, a date or text");
  if (type->id() != arrow::Type::TIMESTAMP) type = arrow::timestamp(arrow::TimeUnit::NANO);
  for (size_t i = 1; i < site.types.size(); ++i) {
    if (TemporalType(site.types[i], false) == nullptr) {
      return WrongType(site, i, "a timestamp, a date or text");
    }
    out.arguments.push_back(type);
  }
  out.result = type;
  return out;
}

std::optional<int64_t> BinMonths(int64_t months, int64_t value, int64_t origin, int64_t units) {
  const int64_t day = units * kSecondsPerDay;
  const int64_t origin_days = FloorDivide(origin, day);
  const int64_t of_day = FloorModulo(origin, day);
  const Civil from = CivilOf(origin_days);
  const Civil at = CivilOf(FloorDivide(value, day));
  int64_t bin = FloorDivide((at.year - from.year) * 12 + at.month - from.month, months);
  for (int back = 0; back < 2; ++back, --bin) {
    const Wall wall{AddMonths(origin_days, bin * months), of_day * (kNanosPerSecond / units)};
    const auto start = InUnits(wall, units);
    if (start.has_value() && *start <= value) return start;
  }
  return std::nullopt;
}

arrow::Result<arrow::Datum> Bin(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const Interval stride, StrideOf(call.arguments[0]));
  const int64_t units = UnitsOf(*call.signature->result);
  const int64_t nanos_per_unit = kNanosPerSecond / units;
  const ValueRows<int64_t> values(call.arguments[1]);
  const arrow::Datum epoch(arrow::MakeScalar(int64_t{0}));
  const ValueRows<int64_t> origins(call.arguments.size() == 3 ? call.arguments[2] : epoch);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
    if (values.IsNull(i) || origins.IsNull(i)) return std::optional<int64_t>();
    if (stride.months != 0) {
      const auto out = BinMonths(stride.months, values[i], origins[i], units);
      return out.has_value() ? arrow::Result<std::optional<int64_t>>(out) : OutOfRange("date_bin");
    }
    const __int128 distance = (static_cast<__int128>(values[i]) - origins[i]) * nanos_per_unit;
    __int128 bin = distance / stride.nanos;
    if (distance % stride.nanos < 0) --bin;
    __int128 start = bin * stride.nanos;
    // Of a stride finer than the unit, what the unit can tell.
    start = (start - ((start % nanos_per_unit) + nanos_per_unit) % nanos_per_unit) / nanos_per_unit;
    const __int128 out = start + origins[i];
    if (out < std::numeric_limits<int64_t>::min()) return OutOfRange("date_bin");
    return std::optional<int64_t>(static_cast<int64_t>(out));
  });
}

}  // namespace

std::vector<Function> TruncFunctions() {
  std::vector<Function> out;
  out.push_back({"date_trunc",
                 {"datetrunc"},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveTrunc,
                 Trunc,
                 "date_trunc(unit, timestamp)",
                 "The begin of the microsecond, millisecond, second, minute, hour, day, week "
                 "(Monday), month, quarter or year that a timestamp, in its own zone, lies in."});
  out.push_back({"date_bin",
                 {},
                 2,
                 3,
                 Volatility::kImmutable,
                 ResolveBin,
                 Bin,
                 "date_bin(stride, timestamp [, origin])",
                 "The begin of the interval that a timestamp lies in, of those of one length that "
                 "follow each other from the origin (1970-01-01); of the timestamp's own unit."});
  return out;
}

}  // namespace glaive::expr
