#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "expr/function_fixture.h"
#include "expr/functions/temporal_rows.h"

namespace glaive::expr {
namespace {

using arrow::Datum;

Datum Text(const std::string& text) {
  return Datum(arrow::MakeScalar(text));
}

Datum Int(int64_t value) {
  return Datum(arrow::MakeScalar(value));
}

// 2024-02-29 13:45:56.123456 as a timestamp in microseconds.
Datum Moment(const std::string& zone = "") {
  return Datum(std::make_shared<arrow::TimestampScalar>(
      1709214356123456, arrow::timestamp(arrow::TimeUnit::MICRO, zone)));
}

Datum Date() {
  return Datum(std::make_shared<arrow::Date32Scalar>(19782));
}

std::string One(const std::string& name, const std::vector<Datum>& arguments) {
  auto result = CallFunction(name, arguments, 1709214356123456789);
  if (!result.ok()) return "error: " + result.status().message();
  const auto scalar = (*result)->GetScalar(0).ValueOrDie();
  if (!scalar->is_valid) return "null";
  if (scalar->type->id() == arrow::Type::TIMESTAMP || scalar->type->id() == arrow::Type::INT64) {
    return std::to_string(ValueRows<int64_t>(Datum(scalar))[0]);
  }
  return scalar->ToString();
}

void ExpectBad(const std::string& name, const std::vector<Datum>& arguments,
               const std::string& part) {
  const auto result = CallFunction(name, arguments);
  ASSERT_FALSE(result.ok()) << name << ": " << (*result)->ToString();
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().ToString();
}

std::string Part(const char* part, const Datum& value) {
  return One("date_part", {Text(part), value});
}

std::string Trunc(const char* unit, const Datum& value) {
  return One("date_trunc", {Text(unit), value});
}

std::string Format(const Datum& value, const char* format) {
  return One("date_format", {value, Text(format)});
}

TEST(Civil, DaysAndDatesAgree) {
  for (int64_t days = -800'000; days < 800'000; days += 13) {
    const Civil date = CivilOf(days);
    ASSERT_EQ(DaysOf(date.year, date.month, date.day), days);
  }
  EXPECT_EQ(DaysOf(1970, 1, 1), 0);
  EXPECT_EQ(DaysOf(2024, 2, 29), 19782);
  EXPECT_EQ(WeekdayOf(0), 4);
  EXPECT_EQ(IsoWeekOf(DaysOf(2021, 1, 3)).week, 53);
  EXPECT_EQ(IsoWeekOf(DaysOf(2021, 1, 3)).year, 2020);
}

TEST(TemporalFunctions, Present) {
  EXPECT_EQ(One("now", {}), "1709214356123456789");
  EXPECT_EQ(One("current_timestamp", {}), "1709214356123456789");
  EXPECT_EQ(One("today", {}), "2024-02-29");
}

TEST(TemporalFunctions, Parts) {
  const char* expected[][2] = {
      {"year", "2024"},  {"MONTH", "2"},      {"day", "29"},
      {"hour", "13"},    {"minute", "45"},    {"second", "56"},
      {"ms", "56123"},   {"us", "56123456"},  {"nanosecond", "56123456000"},
      {"dow", "4"},      {"isodow", "4"},     {"doy", "60"},
      {"week", "9"},     {"quarter", "1"},    {"isoyear", "2024"},
      {"century", "21"}, {"\"year\"", "2024"}};
  for (const auto& row : expected) EXPECT_EQ(Part(row[0], Moment()), row[1]) << row[0];
  EXPECT_EQ(Part("epoch", Moment()).substr(0, 12), "1709214356.1");
  EXPECT_EQ(Part("hour", Moment("America/New_York")), "8");
  EXPECT_EQ(Part("hour", Moment("+05:30")), "19");
  EXPECT_EQ(Part("hour", Date()), "0");
  EXPECT_EQ(Part("isodow", Text("2024-03-03")), "7");
  EXPECT_EQ(Part("second", Text("1969-12-31T23:59:59.5")), "59");
  EXPECT_EQ(One("month", {Moment()}), "2");
  ExpectBad("date_part", {Text("foo"), Moment()}, "part 'foo'");
  ExpectBad("date_part", {Text("year"), Int(1)}, "argument 2 is int64");
  ExpectBad("date_part", {Datum(FromJson(arrow::utf8(), R"(["a"])")), Moment()}, "constant");
}

TEST(TemporalFunctions, Trunc) {
  const auto micros = [](int64_t year, int month, int day) {
    return std::to_string(DaysOf(year, month, day) * 86'400'000'000);
  };
  EXPECT_EQ(Trunc("year", Moment()), micros(2024, 1, 1));
  EXPECT_EQ(Trunc("quarter", Moment()), micros(2024, 1, 1));
  EXPECT_EQ(Trunc("MONTH", Moment()), micros(2024, 2, 1));
  EXPECT_EQ(Trunc("week", Moment()), micros(2024, 2, 26));
  EXPECT_EQ(Trunc("day", Moment()), micros(2024, 2, 29));
  EXPECT_EQ(Trunc("hour", Moment()), "1709211600000000");
  EXPECT_EQ(Trunc("second", Moment()), "1709214356000000");
  EXPECT_EQ(Trunc("millisecond", Moment()), "1709214356123000");
  EXPECT_EQ(Trunc("day", Moment("America/New_York")),
            std::to_string((DaysOf(2024, 2, 29) * 24 + 5) * 3'600'000'000));
  EXPECT_EQ(Trunc("month", Date()), std::to_string(DaysOf(2024, 2, 1) * kNanosPerDay));
  ExpectBad("date_trunc", {Text("decade"), Moment()}, "unit 'decade'");
}

TEST(TemporalFunctions, Bin) {
  EXPECT_EQ(One("date_bin", {Text("15 minutes"), Moment()}), "1709214300000000");
  EXPECT_EQ(One("date_bin", {Text("1 month"), Moment(), Text("2024-01-15")}),
            std::to_string(DaysOf(2024, 2, 15) * 86'400'000'000));
  EXPECT_EQ(One("date_bin", {Text("1 day"), Moment(), Text("2024-01-15 18:00")}),
            std::to_string((DaysOf(2024, 2, 28) * 24 + 18) * 3'600'000'000));
  ExpectBad("date_bin", {Text("0 day"), Moment()}, "positive");
  ExpectBad("date_bin", {Text("1 day 1 month"), Moment()}, "months");
  ExpectBad("date_bin", {Text("soon"), Moment()}, "no interval");
}

TEST(TemporalFunctions, FormatFollowsStrftime) {
  EXPECT_EQ(Format(Moment(), "%A %a %B %b %d %e %j %U %W %V %G %u %w %y %C %p %I %l %k %s %f"),
            "Thursday Thu February Feb 29 29 060 08 09 09 2024 4 4 24 20 PM 01  1 13 1709214356 "
            "123456000");
  EXPECT_EQ(Format(Moment(), "%3f %.3f %6f %.6f %9f %.9f %.f %%|%n|%t|%D %F %T %R %r"),
            "123 .123 123456 .123456 123456000 .123456000 .123456 %|\n|\t|02/29/24 2024-02-29 "
            "13:45:56 13:45 01:45:56 PM");
  EXPECT_EQ(Format(Moment(), "%c|%x|%X|%h|%P|%v|%g|%q"),
            "Thu Feb 29 13:45:56 2024|02/29/24|13:45:56|Feb|pm|29-Feb-2024|24|1");
  EXPECT_EQ(Format(Moment("America/New_York"), "%z %Z %:z %+ %s"),
            "-0500 -05:00 -05:00 2024-02-29T08:45:56.123456-05:00 1709214356");
  EXPECT_EQ(Format(Date(), "%Y-%m-%d %H"), "2024-02-29 00");
  EXPECT_EQ(Format(Moment(), "%-d %-m %-I"), "29 2 1");
  for (const char* bad : {"%Q", "a%", "%Z", "%3Y", "%"}) {
    ExpectBad("to_char", {Moment(), Text(bad)}, "format item");
  }
}

TEST(TemporalFunctions, ToTimestamp) {
  const auto read = [](const char* text) { return One("to_timestamp_seconds", {Text(text)}); };
  EXPECT_EQ(read("2024-02-29T13:45:56"), "1709214356");
  EXPECT_EQ(read("2024-02-29T13:45:56+02:00"), "1709207156");
  EXPECT_EQ(read("2024-02-29 13:45:56 America/New_York"), "1709232356");
  EXPECT_EQ(read("9999-01-01"), "253370764800");
  EXPECT_EQ(One("to_timestamp", {Text("2024-02-29 13:45:56.123456789")}), "1709214356123456789");
  EXPECT_EQ(One("to_timestamp", {Int(1)}), "1000000000");
  EXPECT_EQ(One("to_timestamp", {Datum(arrow::MakeScalar(1.5))}), "1500000000");
  EXPECT_EQ(One("to_timestamp_millis", {Int(1)}), "1");
  EXPECT_EQ(One("to_timestamp_millis", {Text("1969-12-31T23:59:59.9999")}), "-1");
  EXPECT_EQ(One("to_timestamp_seconds", {Moment()}), "1709214356");
  ExpectBad("to_timestamp", {Text("2500-01-01")}, "unit");
  ExpectBad("to_timestamp", {Text("2024-02-30")}, "no timestamp");
  ExpectBad("to_timestamp", {Text("")}, "no timestamp");
  ExpectBad("to_timestamp", {Int(INT64_MAX)}, "unit");
  ExpectBad("to_timestamp", {Datum(arrow::MakeScalar(1e30))}, "unit");
  ExpectBad("to_timestamp", {Datum(arrow::MakeScalar(true))}, "argument 1 is bool");
}

TEST(TemporalFunctions, ToTimestampByFormats) {
  const auto read = [](const char* text, const char* format) {
    return One("to_timestamp_seconds", {Text(text), Text(format)});
  };
  EXPECT_EQ(read("03/04/2024", "%d/%m/%Y"), "1712102400");
  EXPECT_EQ(read("May 3 2024 10:11:12", "%b %d %Y %H:%M:%S"), "1714731072");
  EXPECT_EQ(read("2024-05-03 10:11:12 +0200", "%Y-%m-%d %H:%M:%S %z"), "1714723872");
  EXPECT_EQ(read("2024-05-03 10:11:12 Europe/Berlin", "%Y-%m-%d %H:%M:%S %Z"), "1714723872");
  EXPECT_EQ(read("1700000000", "%s"), "1700000000");
  EXPECT_EQ(read("2024-123", "%Y-%j"), "1714608000");
  EXPECT_EQ(read("2024-W10-2", "%G-W%V-%u"), "1709596800");
  EXPECT_EQ(read("2024-02-29 13:45:56 PM", "%Y-%m-%d %H:%M:%S %p"), "1709214356");
  ExpectBad("to_timestamp", {Text("2024"), Text("%Y")}, "formats");
  EXPECT_EQ(One("to_timestamp_seconds", {Text("03/04/2024"), Text("%F"), Text("%d/%m/%Y")}),
            "1712102400");
}

TEST(TemporalFunctions, DatesAndTimes) {
  EXPECT_EQ(One("to_date", {Text("2024-02-29T13:45:56")}), "2024-02-29");
  EXPECT_EQ(One("to_date", {Text("20240229")}), "2024-02-29");
  EXPECT_EQ(One("to_date", {Text("29/02/2024"), Text("%d/%m/%Y")}), "2024-02-29");
  EXPECT_EQ(One("to_date", {Int(19000)}), "2022-01-08");
  EXPECT_EQ(One("to_date", {Moment()}), "2024-02-29");
  ExpectBad("to_date", {Text("x")}, "no date");
  EXPECT_EQ(One("make_date", {Int(2024), Int(2), Text("29")}), "2024-02-29");
  ExpectBad("make_date", {Int(2023), Int(2), Int(29)}, "no date");
  ExpectBad("make_time", {Int(24), Int(0), Int(0)}, "no time");
  EXPECT_EQ(One("date_add", {Date(), Int(1)}), "2024-03-01");
  EXPECT_EQ(One("date_sub", {Date(), Int(29)}), "2024-01-31");
  ExpectBad("date_add", {Date(), Int(INT64_MAX)}, "date_add");
  EXPECT_EQ(One("datediff", {Date(), Text("2024-02-01")}), "28");
  EXPECT_EQ(One("to_unixtime", {Text("2024-01-01")}), "1704067200");
  EXPECT_EQ(One("from_unixtime", {Int(1700000000), Text("America/New_York")}), "1700000000");
  ExpectBad("from_unixtime", {Int(1), Text("nope")}, "nope");
  EXPECT_EQ(One("to_local_time", {Moment("America/New_York")}), "1709196356123456");
}

TEST(TemporalFunctions, NullsAndArrays) {
  const Datum values(FromJson(arrow::timestamp(arrow::TimeUnit::SECOND),
                              R"(["2024-02-29 13:45:56", null, "1969-12-31 23:59:59"])"));
  const auto years = CallFunction("year", {values}).ValueOrDie();
  EXPECT_TRUE(years->Equals(*FromJson(arrow::int32(), "[2024, null, 1969]")));
  const auto texts = CallFunction("date_format", {values, Text("%H")}).ValueOrDie();
  EXPECT_TRUE(texts->Equals(*FromJson(arrow::utf8(), R"(["13", null, "23"])")));
}

// Files may hold any 64 bits as a moment: no arithmetic on the way to a result or an error
// overflows.
TEST(TemporalFunctions, TheFirstAndTheLastMoments) {
  using arrow::TimeUnit;
  constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::MILLI, TimeUnit::MICRO, TimeUnit::NANO}) {
    for (const char* zone : {"", "+05:30"}) {
      for (const int64_t value : {kFirst, kFirst + 1, kLast}) {
        const Datum moment(
            std::make_shared<arrow::TimestampScalar>(value, arrow::timestamp(unit, zone)));
        for (const char* part :
             {"year", "isoyear", "week", "doy", "century", "hour", "nanosecond"}) {
          static_cast<void>(Part(part, moment));
        }
        for (const char* step : {"microsecond", "hour", "day", "week", "month", "year"}) {
          static_cast<void>(Trunc(step, moment));
        }
        for (const char* stride : {"1 month", "7 days", "1 nanosecond"}) {
          static_cast<void>(One("date_bin", {Text(stride), moment}));
          static_cast<void>(One("date_bin", {Text(stride), moment, moment}));
        }
        static_cast<void>(Format(moment, "%Y-%m-%d %j %U %G-%V %H:%M:%S%.f %s %z"));
        static_cast<void>(One("date_add", {moment, Int(kLast)}));
        static_cast<void>(One("date_sub", {moment, Int(kFirst)}));
        static_cast<void>(One("datediff", {moment, Moment()}));
        for (const char* to : {"to_timestamp", "to_timestamp_seconds", "to_timestamp_nanos"}) {
          static_cast<void>(One(to, {moment}));
        }
        static_cast<void>(CastTo(moment, arrow::utf8(), false, arrow::default_memory_pool()));
      }
    }
  }
  const auto seconds = [](int64_t value) {
    return Datum(
        std::make_shared<arrow::TimestampScalar>(value, arrow::timestamp(TimeUnit::SECOND)));
  };
  EXPECT_EQ(std::stod(Part("epoch", seconds(kLast))), 0x1p63);
  EXPECT_EQ(Part("hour", seconds(kFirst)), "8");
  EXPECT_EQ(One("to_timestamp_seconds", {seconds(kFirst)}), std::to_string(kFirst));
  EXPECT_EQ(Trunc("hour", seconds(kFirst + 3600)), std::to_string(kFirst + 1808));
  for (const int64_t value : {kFirst, kLast}) {
    const Datum time(std::make_shared<arrow::Time64Scalar>(value, arrow::time64(TimeUnit::NANO)));
    static_cast<void>(Trunc("hour", time));
    static_cast<void>(Part("hour", time));
    static_cast<void>(Format(time, "%H:%M:%S%.f"));
  }
}

TEST(TemporalFunctions, Intervals) {
  // Nine terms and one that adds up to the most months that there are, then a fraction.
  std::string most;
  for (int i = 0; i < 9; ++i) most += "999999999999999999 months ";
  EXPECT_FALSE(ParseInterval(most + "223372036854775816 months 0.5 century"));
  const auto full = ParseInterval("1 year 2 mons -3 days 04:05:06.5");
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->months, 14);
  EXPECT_EQ(full->days, -3);
  EXPECT_EQ(full->nanos, 14'706'500'000'000);
  EXPECT_EQ(ParseInterval("1.5 hours")->nanos, 5'400 * kNanosPerSecond);
  for (const char* bad :
       {"", "1", "day", "1 fortnight", "99999999999999999999 days", "1..5 days"}) {
    EXPECT_FALSE(ParseInterval(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace glaive::expr
