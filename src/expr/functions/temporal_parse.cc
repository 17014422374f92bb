// Dates, times and timestamps from text and numbers: to_timestamp, to_date, to_time, to_unixtime.
#include <cmath>
#include <limits>

#include "expr/functions/temporal_format.h"
#include "expr/functions/temporal_rows.h"
#include "expr/temporal_text.h"

namespace glaive::expr {
namespace {

// The moment that a clock in a named zone shows, in seconds of UTC.
arrow::Result<int64_t> FromZone(int64_t seconds, const std::string& zone, arrow::MemoryPool* pool) {
  const arrow::Datum local(
      std::make_shared<arrow::TimestampScalar>(seconds, arrow::timestamp(arrow::TimeUnit::SECOND)));
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum found, FromWallClock(local, zone, pool));
  return ValueRows<int64_t>(found)[0];
}

// Texts by the formats given with them (the first that fits), or in ISO 8601 without.
class TextReader {
 public:
  TextReader(const Call& call, std::string_view function)
      : function_(function), pool_(call.pool), text_(call.arguments[0]) {
    for (size_t i = 1; i < call.arguments.size(); ++i) formats_.emplace_back(call.arguments[i]);
    parsed_.resize(formats_.size());
  }

  bool IsNull(int64_t row) const { return text_.IsNull(row); }

  std::string_view operator[](int64_t row) const { return text_[row]; }

  /// As seconds of UTC and nanoseconds; nullopt if no form fits.
  arrow::Result<std::optional<Told>> Get(int64_t row) {
    if (formats_.empty()) return Iso(text_[row]);
    for (size_t f = 0; f < formats_.size(); ++f) {
      if (formats_[f].IsNull(row)) continue;
      if (!parsed_[f].has_value() || !formats_[f].is_scalar()) {
        ARROW_ASSIGN_OR_RAISE(parsed_[f], TimeFormat::Parse(formats_[f][row], function_));
      }
      std::optional<Told> told = parsed_[f]->Read(text_[row]);
      if (told.has_value()) return InUtc(std::move(*told));
    }
    return std::optional<Told>();
  }

  arrow::Status Bad(int64_t row, std::string_view kind) const {
    return InvalidArgument(function_, ": '", text_[row].substr(0, 100), "' is no ", kind,
                           formats_.empty() ? " in a form of ISO 8601, such as 2024-02-29"
                                            : " in any of the formats given");
  }

 private:
  arrow::Result<std::optional<Told>> InUtc(Told told) {
    if (told.offset_seconds.has_value()) {
      told.seconds -= *told.offset_seconds;
    } else if (!told.zone.empty()) {
      ARROW_ASSIGN_OR_RAISE(told.seconds, FromZone(told.seconds, told.zone, pool_));
    }
    return std::optional<Told>(std::move(told));
  }

  arrow::Result<std::optional<Told>> Iso(std::string_view text) {
    auto moment = ParseMoment(text);
    Told told;
    told.has_date = true;
    if (!moment.has_value()) {
      // A zone by its name at the end.
      const size_t blank = text.rfind(' ');
      if (blank == std::string_view::npos || blank + 1 == text.size() ||
          std::isalpha(static_cast<unsigned char>(text[blank + 1])) == 0) {
        return std::optional<Told>();
      }
      moment = ParseMoment(text.substr(0, blank));
      if (!moment.has_value() || moment->offset_seconds.has_value()) return std::optional<Told>();
      told.zone = text.substr(blank + 1);
    }
    told.seconds = moment->seconds;
    told.nanos = moment->nanos;
    if (moment->offset_seconds.has_value()) told.offset_seconds = *moment->offset_seconds;
    return InUtc(std::move(told));
  }

  std::string_view function_;
  arrow::MemoryPool* pool_;
  TextRows text_;
  std::vector<TextRows> formats_;
  std::vector<std::optional<TimeFormat>> parsed_;
};

// Formats only follow text; an argument that is no text ignores them, as the peers do.
arrow::Status AddFormats(const CallSite& site, Signature* signature) {
  for (size_t i = 1; i < site.types.size(); ++i) {
    const TypePtr type = CastType(Kind::kText, site.types[i]);
    if (type == nullptr) return WrongType(site, i, "a format as text");
    signature->arguments.push_back(type);
  }
  return arrow::Status::OK();
}

// Numbers as int64 or double, timestamps as they are, dates as timestamps, text as text.
TypePtr SourceType(const TypePtr& type) {
  if (type->id() == arrow::Type::NA) return arrow::int64();
  if (arrow::is_integer(type->id())) return arrow::int64();
  if (IsNumber(*type)) return arrow::float64();
  if (type->id() == arrow::Type::TIMESTAMP) return type;
  if (type->id() == arrow::Type::DATE32 || type->id() == arrow::Type::DATE64) {
    return arrow::timestamp(arrow::TimeUnit::SECOND);
  }
  return CastType(Kind::kText, type);
}

arrow::Result<Signature> ResolveFrom(const CallSite& site, const TypePtr& result) {
  TypePtr type = SourceType(site.types[0]);
  if (type == nullptr) return WrongType(site, 0, "text, a number, a timestamp or a date");
  Signature out{{std::move(type)}, result};
  ARROW_RETURN_NOT_OK(AddFormats(site, &out));
  return out;
}

using Value = std::optional<int64_t>;

arrow::Result<Value> FromDouble(double value, double scale, std::string_view function) {
  const double scaled = std::trunc(value * scale);
  if (!(scaled >= -9223372036854775808.0 && scaled < 9223372036854775808.0)) {
    return OutOfRange(function);
  }
  return Value(static_cast<int64_t>(scaled));
}

// Numbers count `number_units` per second, the result counts `units`.
arrow::Result<arrow::Datum> ToUnits(const Call& call, std::string_view function, int64_t units,
                                    int64_t number_units) {
  const arrow::Datum& source = call.arguments[0];
  const int64_t scale = units / number_units;
  switch (source.type()->id()) {
    case arrow::Type::INT64: {
      const ValueRows<int64_t> rows(source);
      return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<Value> {
        int64_t out = 0;
        if (rows.IsNull(i)) return Value();
        if (__builtin_mul_overflow(rows[i], scale, &out)) return OutOfRange(function);
        return Value(out);
      });
    }
    case arrow::Type::DOUBLE: {
      const ValueRows<double> rows(source);
      return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<Value> {
        if (rows.IsNull(i)) return Value();
        return FromDouble(rows[i], static_cast<double>(scale), function);
      });
    }
    case arrow::Type::TIMESTAMP: {
      const WallRows rows(source);
      return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<Value> {
        if (rows.IsNull(i)) return Value();
        const Value out = InUnits(rows[i], units);
        if (!out.has_value()) return OutOfRange(function);
        return out;
      });
    }
    default: {
      TextReader rows(call, function);
      return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<Value> {
        if (rows.IsNull(i)) return Value();
        ARROW_ASSIGN_OR_RAISE(const std::optional<Told> told, rows.Get(i));
        if (!told.has_value() || !told->has_date) return rows.Bad(i, "timestamp");
        const Value out = InUnits(told->seconds, told->nanos, units);
        if (!out.has_value()) return OutOfRange(function);
        return out;
      });
    }
  }
}

Function ToTimestamp(std::string name, arrow::TimeUnit::type unit, std::string counted) {
  const int64_t units = UnitsPerSecond(unit);
  const int64_t number_units = name == "to_timestamp" ? 1 : units;
  Function out;
  out.usage = name + "(value [, format, ...])";
  out.summary =
      "A timestamp from text (ISO 8601, or the first of the strftime formats that fits), "
      "a number of " +
      counted +
      " since 1970, a date or a timestamp, in UTC; what the unit cannot tell "
      "is cut towards the past.";
  out.min_arguments = 1;
  out.max_arguments = -1;
  out.resolve = [unit](const CallSite& site) { return ResolveFrom(site, arrow::timestamp(unit)); };
  out.evaluate = [name, units, number_units](const Call& call) {
    return ToUnits(call, name, units, number_units);
  };
  out.name = std::move(name);
  return out;
}

arrow::Result<Signature> ResolveToDate(const CallSite& site) {
  return ResolveFrom(site, arrow::date32());
}

arrow::Result<std::optional<int32_t>> Day(int64_t days) {
  if (days < std::numeric_limits<int32_t>::min() || days > std::numeric_limits<int32_t>::max()) {
    return OutOfRange("to_date");
  }
  return std::optional<int32_t>(static_cast<int32_t>(days));
}

// "20240229" as well.
std::optional<int64_t> CompactDate(std::string_view text) {
  static const auto format = TimeFormat::Parse("%Y%m%d", "to_date");
  if (text.size() != 8 || !format.ok()) return std::nullopt;
  const auto told = format->Read(text);
  return told.has_value() && told->has_date ? Value(told->seconds / kSecondsPerDay) : Value();
}

arrow::Result<arrow::Datum> ToDate(const Call& call) {
  using Date = std::optional<int32_t>;
  const arrow::Type::type id = call.arguments[0].type()->id();
  if (id == arrow::Type::INT64 || id == arrow::Type::DOUBLE) {
    Signature signature{call.signature->arguments, arrow::int64()};
    Call days = call;
    days.signature = &signature;
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum counted, ToUnits(days, "to_date", 1, 1));
    const ValueRows<int64_t> rows(counted);
    return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<Date> {
      if (rows.IsNull(i)) return Date();
      return Day(rows[i]);
    });
  }
  if (id == arrow::Type::TIMESTAMP) {
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum local, ToWallClock(call.arguments[0], call.pool));
    const WallRows rows(local);
    return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<Date> {
      if (rows.IsNull(i)) return Date();
      return Day(rows[i].days);
    });
  }
  TextReader rows(call, "to_date");
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> arrow::Result<Date> {
    if (rows.IsNull(i)) return Date();
    if (call.arguments.size() == 1) {
      if (const auto days = CompactDate(rows[i]); days.has_value()) return Day(*days);
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<Told> told, rows.Get(i));
    if (!told.has_value() || !told->has_date) return rows.Bad(i, "date");
    return Day(FloorDivide(told->seconds, kSecondsPerDay));
  });
}

arrow::Result<Signature> ResolveToTime(const CallSite& site) {
  const TypePtr& type = site.types[0];
  Signature out;
  out.result = arrow::time64(arrow::TimeUnit::NANO);
  const bool time = type->id() == arrow::Type::TIME32 || type->id() == arrow::Type::TIME64;
  if (time || type->id() == arrow::Type::TIMESTAMP) {
    out.arguments.push_back(type);
  } else if (const TypePtr text = CastType(Kind::kText, type); text != nullptr) {
    out.arguments.push_back(text);
  } else {
    return WrongType(site, 0, "text, a timestamp or a time");
  }
  ARROW_RETURN_NOT_OK(AddFormats(site, &out));
  return out;
}

arrow::Result<arrow::Datum> ToTime(const Call& call) {
  if (call.arguments[0].type()->id() == arrow::Type::STRING ||
      call.arguments[0].type()->id() == arrow::Type::LARGE_STRING) {
    TextReader rows(call, "to_time");
    return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<Value> {
      if (rows.IsNull(i)) return Value();
      if (call.arguments.size() == 1) {
        const Value nanos = ParseTimeOfDay(rows[i]);
        if (!nanos.has_value()) {
          return InvalidArgument("to_time: '", rows[i].substr(0, 100),
                                 "' is no time, expected such as 13:45 or 13:45:56.5");
        }
        return nanos;
      }
      ARROW_ASSIGN_OR_RAISE(const std::optional<Told> told, rows.Get(i));
      if (!told.has_value()) return rows.Bad(i, "time");
      return Value(FloorModulo(told->seconds, kSecondsPerDay) * kNanosPerSecond + told->nanos);
    });
  }
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum local, ToWallClock(call.arguments[0], call.pool));
  const WallRows rows(local);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> Value {
    if (rows.IsNull(i)) return std::nullopt;
    return rows[i].nanos;
  });
}

}  // namespace

std::vector<Function> ParseFunctions() {
  using arrow::TimeUnit;
  std::vector<Function> out;
  out.push_back(ToTimestamp("to_timestamp", TimeUnit::NANO, "seconds"));
  out.push_back(ToTimestamp("to_timestamp_seconds", TimeUnit::SECOND, "seconds"));
  out.push_back(ToTimestamp("to_timestamp_millis", TimeUnit::MILLI, "milliseconds"));
  out.push_back(ToTimestamp("to_timestamp_micros", TimeUnit::MICRO, "microseconds"));
  out.push_back(ToTimestamp("to_timestamp_nanos", TimeUnit::NANO, "nanoseconds"));
  out.push_back({"to_date",
                 {},
                 1,
                 -1,
                 Volatility::kImmutable,
                 ResolveToDate,
                 ToDate,
                 "to_date(value [, format, ...])",
                 "A date from text (ISO 8601, 20240229, or the first format that fits), a number "
                 "of days since 1970 or a timestamp."});
  out.push_back({"to_time",
                 {},
                 1,
                 -1,
                 Volatility::kImmutable,
                 ResolveToTime,
                 ToTime,
                 "to_time(value [, format, ...])",
                 "A time of day, in nanoseconds, from text or a timestamp (in its own zone)."});
  out.push_back({"to_unixtime",
                 {},
                 1,
                 -1,
                 Volatility::kImmutable,
                 [](const CallSite& site) { return ResolveFrom(site, arrow::int64()); },
                 [](const Call& call) { return ToUnits(call, "to_unixtime", 1, 1); },
                 "to_unixtime(value [, format, ...])",
                 "Whole seconds since 1970 of a text, number, date or timestamp."});
  return out;
}

}  // namespace glaive::expr
