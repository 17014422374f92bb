// Temporal functions: the present, values made of parts, arithmetic of days, and writing as text.
#include <limits>

#include "expr/functions/temporal_format.h"
#include "expr/functions/temporal_rows.h"

namespace glaive::expr {
namespace {

Function Present(std::string name, std::vector<std::string> aliases, TypePtr type,
                 std::function<int64_t(int64_t)> value, std::string summary) {
  Function out;
  out.usage = name + "()";
  out.name = std::move(name);
  out.aliases = std::move(aliases);
  out.summary = std::move(summary);
  out.resolve = [type](const CallSite&) -> arrow::Result<Signature> { return Signature{{}, type}; };
  out.evaluate = [type, value](const Call& call) -> arrow::Result<arrow::Datum> {
    if (type->id() == arrow::Type::DATE32) {
      return arrow::Datum(
          std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(value(call.now_nanos))));
    }
    ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeScalar(type, value(call.now_nanos)));
    return arrow::Datum(std::move(scalar));
  };
  return out;
}

// Integers, or text that is one.
arrow::Result<Signature> ResolveNumbers(const CallSite& site, const TypePtr& result) {
  Signature out;
  out.result = result;
  for (size_t i = 0; i < site.types.size(); ++i) {
    if (CastType(Kind::kInteger, site.types[i]) == nullptr && !IsText(*site.types[i])) {
      return WrongType(site, i, "an integer");
    }
    out.arguments.push_back(arrow::int64());
  }
  return out;
}

arrow::Result<arrow::Datum> MakeDate(const Call& call) {
  const ValueRows<int64_t> years(call.arguments[0]);
  const ValueRows<int64_t> months(call.arguments[1]);
  const ValueRows<int64_t> days(call.arguments[2]);
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int32_t>> {
    if (years.IsNull(i) || months.IsNull(i) || days.IsNull(i)) return std::optional<int32_t>();
    const int64_t year = years[i];
    const int64_t month = months[i];
    const int64_t day = days[i];
    const bool valid = year >= -262'143 && year <= 262'142 && month >= 1 && month <= 12 &&
                       day >= 1 && day <= DaysInMonth(year, static_cast<int>(month));
    GLAIVE_CHECK_ARGUMENT(valid, "make_date: there is no date of year ", year, ", month ", month,
                          ", day ", day);
    return std::optional<int32_t>(
        static_cast<int32_t>(DaysOf(year, static_cast<int>(month), static_cast<int>(day))));
  });
}

arrow::Result<arrow::Datum> MakeTime(const Call& call) {
  const ValueRows<int64_t> hours(call.arguments[0]);
  const ValueRows<int64_t> minutes(call.arguments[1]);
  const ValueRows<int64_t> seconds(call.arguments[2]);
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int32_t>> {
    if (hours.IsNull(i) || minutes.IsNull(i) || seconds.IsNull(i)) return std::optional<int32_t>();
    const int64_t hour = hours[i];
    const int64_t minute = minutes[i];
    const int64_t second = seconds[i];
    GLAIVE_CHECK_ARGUMENT(
        hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60,
        "make_time: there is no time of hour ", hour, ", minute ", minute, ", second ", second);
    return std::optional<int32_t>(static_cast<int32_t>(hour * 3600 + minute * 60 + second));
  });
}

arrow::Result<Signature> ResolveFromUnix(const CallSite& site) {
  if (CastType(Kind::kInteger, site.types[0]) == nullptr) {
    return WrongType(site, 0, "an integer");
  }
  Signature out{{arrow::int64()}, arrow::timestamp(arrow::TimeUnit::SECOND)};
  if (site.types.size() == 1) return out;
  const std::shared_ptr<arrow::Scalar>& zone = site.constants[1];
  if (zone == nullptr || !zone->is_valid || CastType(Kind::kText, zone->type) != zone->type) {
    return InvalidArgument("from_unixtime: argument 2 must be a time zone as a constant text");
  }
  const std::string name(static_cast<const arrow::BaseBinaryScalar&>(*zone).view());
  ARROW_RETURN_NOT_OK(CheckZone(name, "from_unixtime"));
  out.arguments.push_back(zone->type);
  out.result = arrow::timestamp(arrow::TimeUnit::SECOND, name);
  return out;
}

arrow::Result<arrow::Datum> FromUnix(const Call& call) {
  const ValueRows<int64_t> rows(call.arguments[0]);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> std::optional<int64_t> {
    if (rows.IsNull(i)) return std::nullopt;
    return rows[i];
  });
}

arrow::Result<Signature> ResolveLocal(const CallSite& site) {
  if (site.types[0]->id() != arrow::Type::TIMESTAMP) return WrongType(site, 0, "a timestamp");
  return Signature{
      {site.types[0]},
      arrow::timestamp(static_cast<const arrow::TimestampType&>(*site.types[0]).unit())};
}

arrow::Result<Signature> ResolveFormat(const CallSite& site) {
  TypePtr type = TemporalType(site.types[0], true);
  if (type == nullptr) return WrongType(site, 0, "a timestamp, date, time or text");
  const TypePtr format = CastType(Kind::kText, site.types[1]);
  if (format == nullptr) return WrongType(site, 1, "a format as text");
  return Signature{{std::move(type), format}, arrow::utf8()};
}

arrow::Result<arrow::Datum> Format(const Call& call) {
  const arrow::Datum& values = call.arguments[0];
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum local, ToWallClock(values, call.pool));
  const WallRows rows(local);
  const WallRows utc(values);
  const TextRows formats(call.arguments[1]);
  const arrow::Type::type id = values.type()->id();
  const bool zoned = !ZoneOf(*values.type()).empty();
  std::optional<TimeFormat> format;
  std::string text;
  return TextPerRow(call, "date_format", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (rows.IsNull(i) || formats.IsNull(i)) return sink.Null();
    if (!format.has_value() || !formats.is_scalar()) {
      ARROW_ASSIGN_OR_RAISE(format, TimeFormat::Parse(formats[i], "date_format"));
    }
    Shown shown;
    shown.wall = rows[i];
    shown.has_date = id != arrow::Type::TIME32 && id != arrow::Type::TIME64;
    if (zoned) {
      const Wall moment = utc[i];
      shown.offset_seconds = (shown.wall.days - moment.days) * kSecondsPerDay +
                             (shown.wall.nanos - moment.nanos) / kNanosPerSecond;
    }
    text.clear();
    ARROW_RETURN_NOT_OK(format->Append(shown, &text));
    return sink.Row(text);
  });
}

// Dates stay dates, timestamps keep their type.
arrow::Result<Signature> ResolveAddDays(const CallSite& site) {
  TypePtr type = TemporalType(site.types[0], false);
  if (type == nullptr) return WrongType(site, 0, "a date, a timestamp or text");
  if (IsText(*site.types[0]) || site.types[0]->id() == arrow::Type::DATE64) type = arrow::date32();
  if (CastType(Kind::kInteger, site.types[1]) == nullptr) {
    return WrongType(site, 1, "a number of days as an integer");
  }
  return Signature{{type, arrow::int64()}, type};
}

template <typename T>
arrow::Result<arrow::Datum> AddDaysAs(const Call& call, int64_t sign, int64_t per_day) {
  const ValueRows<T> rows(call.arguments[0]);
  const ValueRows<int64_t> days(call.arguments[1]);
  return ValuePerRow<T>(call, [&](int64_t i) -> arrow::Result<std::optional<T>> {
    if (rows.IsNull(i) || days.IsNull(i)) return std::optional<T>();
    int64_t delta = 0;
    int64_t out = 0;
    if (__builtin_mul_overflow(days[i], sign * per_day, &delta) ||
        __builtin_add_overflow(int64_t{rows[i]}, delta, &out) ||
        out != static_cast<int64_t>(static_cast<T>(out))) {
      return OutOfRange(sign > 0 ? "date_add" : "date_sub");
    }
    return std::optional<T>(static_cast<T>(out));
  });
}

arrow::Result<arrow::Datum> AddDays(const Call& call, int64_t sign) {
  const TypePtr& type = call.signature->result;
  if (type->id() == arrow::Type::DATE32) return AddDaysAs<int32_t>(call, sign, 1);
  return AddDaysAs<int64_t>(call, sign, UnitsOf(*type) * kSecondsPerDay);
}

arrow::Result<Signature> ResolveDiff(const CallSite& site) {
  Signature out;
  out.result = arrow::int64();
  for (size_t i = 0; i < 2; ++i) {
    TypePtr type = TemporalType(site.types[i], false);
    if (type == nullptr) return WrongType(site, i, "a date, a timestamp or text");
    out.arguments.push_back(std::move(type));
  }
  return out;
}

arrow::Result<arrow::Datum> Diff(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum end_local, ToWallClock(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum start_local, ToWallClock(call.arguments[1], call.pool));
  const WallRows end(end_local);
  const WallRows start(start_local);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> std::optional<int64_t> {
    if (end.IsNull(i) || start.IsNull(i)) return std::nullopt;
    return end[i].days - start[i].days;
  });
}

std::vector<Function> PresentFunctions() {
  std::vector<Function> out;
  out.push_back(Present(
      "now", {"current_timestamp"}, arrow::timestamp(arrow::TimeUnit::NANO),
      [](int64_t now) { return now; },
      "The present moment in UTC, the same for all rows of a request."));
  out.push_back(Present(
      "current_date", {"today"}, arrow::date32(),
      [](int64_t now) { return FloorDivide(now, kNanosPerDay); }, "The present date in UTC."));
  out.push_back(Present(
      "current_time", {}, arrow::time64(arrow::TimeUnit::NANO),
      [](int64_t now) { return FloorModulo(now, kNanosPerDay); },
      "The present time of day in UTC."));
  return out;
}

}  // namespace

std::vector<Function> CalendarFunctions() {
  std::vector<Function> out;
  out.push_back({"make_date",
                 {},
                 3,
                 3,
                 Volatility::kImmutable,
                 [](const CallSite& site) { return ResolveNumbers(site, arrow::date32()); },
                 MakeDate,
                 "make_date(year, month, day)",
                 "The date of its parts; an error if there is none."});
  out.push_back({"make_time",
                 {},
                 3,
                 3,
                 Volatility::kImmutable,
                 [](const CallSite& site) {
                   return ResolveNumbers(site, arrow::time32(arrow::TimeUnit::SECOND));
                 },
                 MakeTime,
                 "make_time(hour, minute, second)",
                 "The time of day of its parts; an error if there is none."});
  out.push_back({"from_unixtime",
                 {},
                 1,
                 2,
                 Volatility::kImmutable,
                 ResolveFromUnix,
                 FromUnix,
                 "from_unixtime(seconds [, zone])",
                 "The timestamp of a number of seconds since 1970, of a time zone if given."});
  out.push_back({"to_local_time",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ResolveLocal,
                 [](const Call& call) { return ToWallClock(call.arguments[0], call.pool); },
                 "to_local_time(timestamp)",
                 "What clocks in the timestamp's zone show, as a timestamp without a zone."});
  out.push_back({"date_format",
                 {"to_char"},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveFormat,
                 Format,
                 "date_format(value, format)",
                 "A timestamp (in its own zone), date or time as text by a format of strftime, "
                 "with %.f, %3f, %.3f and so on for fractions of a second."});
  out.push_back({"date_add",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveAddDays,
                 [](const Call& call) { return AddDays(call, 1); },
                 "date_add(date, days)",
                 "The date or timestamp a number of days later."});
  out.push_back({"date_sub",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveAddDays,
                 [](const Call& call) { return AddDays(call, -1); },
                 "date_sub(date, days)",
                 "The date or timestamp a number of days earlier."});
  out.push_back({"datediff",
                 {"date_diff"},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveDiff,
                 Diff,
                 "datediff(end, start)",
                 "The number of midnights from start to end."});
  return out;
}

std::vector<Function> TemporalFunctions() {
  std::vector<Function> out = PresentFunctions();
  for (auto family : {ParseFunctions, PartFunctions, TruncFunctions, CalendarFunctions}) {
    for (Function& function : family()) out.push_back(std::move(function));
  }
  return out;
}

}  // namespace glaive::expr
