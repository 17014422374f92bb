#include "expr/parse.h"

#include <cmath>
#include <random>

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/error.h"
#include "glaive/expression.h"

#include "expr/lexer.h"
#include "expr/literal.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

using testing::HasSubstr;

NodePtr MustParse(std::string_view sql) {
  auto node = Parse(sql);
  EXPECT_TRUE(node.ok()) << sql << "\n" << node.status().ToString();
  return node.ok() ? *node : nullptr;
}

// Parses, prints, parses again: an equal tree. Gives the printed text.
std::string Canonical(std::string_view sql) {
  const NodePtr node = MustParse(sql);
  if (node == nullptr) return "(error)";
  std::string text = ToSql(*node);
  const NodePtr again = MustParse(text);
  if (again == nullptr) return "(printed to what does not parse) " + text;
  EXPECT_TRUE(Equals(*node, *again)) << sql << "\n" << text << "\n" << ToSql(*again);
  return text;
}

std::string ErrorOf(std::string_view sql) {
  auto node = Parse(sql);
  EXPECT_FALSE(node.ok()) << sql;
  if (node.ok()) return "";
  EXPECT_EQ(ErrorCodeOf(node.status()), ErrorCode::kInvalidArgument) << sql;
  return node.status().message();
}

std::shared_ptr<arrow::Scalar> LiteralOf(std::string_view sql) {
  const NodePtr node = MustParse(sql);
  if (node == nullptr || node->kind != NodeKind::kLiteral) {
    ADD_FAILURE() << sql << " is no literal";
    return std::make_shared<arrow::NullScalar>();
  }
  Canonical(sql);
  return node->literal;
}

// Every row: a text, and how it prints. Together they pin precedence, grouping and spelling.
TEST(Parse, PrintsAsExpected) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"a", "a"},
      {"A == 1", "A = 1"},
      {"a != 1", "a <> 1"},
      {"a or b and not c = 1", "a OR b AND NOT c = 1"},
      {"(a or b) and c", "(a OR b) AND c"},
      {"a or (b and c)", "a OR b AND c"},
      {"a and b and c", "a AND b AND c"},
      {"(a and b) and c", "(a AND b) AND c"},
      {"a and (b and c)", "a AND (b AND c)"},
      {"not a and b", "NOT a AND b"},
      {"not (a and b)", "NOT (a AND b)"},
      {"not not a", "NOT NOT a"},
      {"!a = b", "(NOT a) = b"},
      {"!a", "NOT a"},
      {"a = b = c", "(a = b) = c"},
      {"a = b is null", "a = b IS NULL"},
      {"a = (b is null)", "a = (b IS NULL)"},
      {"a is null = b", "(a IS NULL) = b"},
      {"a is null is not null", "(a IS NULL) IS NOT NULL"},
      {"1 + 2 * 3 - 4", "1 + 2 * 3 - 4"},
      {"(1 + 2) * 3", "(1 + 2) * 3"},
      {"1 - (2 - 3)", "1 - (2 - 3)"},
      {"1 - 2 - 3", "1 - 2 - 3"},
      {"a / b / c % d", "a / b / c % d"},
      {"a | b ^ c & d << 1 + 2", "a | b ^ c & d << 1 + 2"},
      {"((a | b) ^ c) & d", "((a | b) ^ c) & d"},
      {"a << b >> c", "a << b >> c"},
      {"a || 'x' || b", "a || 'x' || b"},
      {"a < b | c", "a < b | c"},
      {"- a * b", "-a * b"},
      {"-(a * b)", "-(a * b)"},
      {"- - a", "-(-a)"},
      {"-(1)", "-(1)"},
      {"- -1", "-(-1)"},
      {"2 - -1", "2 - -1"},
      {"2--1\n", "2"},
      {"+a", "+a"},
      {"~a & ~~b", "~a & ~~b"},
      {"a between 1 and 2 and b", "a BETWEEN 1 AND 2 AND b"},
      {"a not between b + 1 and c or d", "a NOT BETWEEN b + 1 AND c OR d"},
      {"a between (b and c) and d", "a BETWEEN (b AND c) AND d"},
      {"a in (1, 2, 3)", "a IN (1, 2, 3)"},
      {"a not in ('x')", "a NOT IN ('x')"},
      {"a in ()", "a IN ()"},
      {"a in tags", "a IN tags"},
      {"a not in [1, 2]", "a NOT IN [1, 2]"},
      {"a in :list", "a IN :list"},
      {"a in f(x)[1]", "a IN f(x)[1]"},
      {"a like 'x%' and b not ilike '_y'", "a LIKE 'x%' AND b NOT ILIKE '_y'"},
      {"a like '10!%' escape '!'", "a LIKE '10!%' ESCAPE '!'"},
      {"a like 'x' escape '\\'", "a LIKE 'x'"},
      {"a not similar to '(x|y)' escape '#'", "a NOT SIMILAR TO '(x|y)' ESCAPE '#'"},
      {"a ~ 'x' or a ~* 'y' or a !~ 'z' or a !~* 'w'",
       "a ~ 'x' OR a ~* 'y' OR a !~ 'z' OR a !~* 'w'"},
      {"a is not true", "a IS NOT TRUE"},
      {"a is false", "a IS FALSE"},
      {"a is unknown", "a IS UNKNOWN"},
      {"a is distinct from b + 1", "a IS DISTINCT FROM b + 1"},
      {"a is not distinct from null", "a IS NOT DISTINCT FROM NULL"},
      {"a = any(tags)", "a = ANY(tags)"},
      {"a <> all([1, 2])", "a <> ALL([1, 2])"},
      {"a < some(tags)", "a < ANY(tags)"},
      {"any = all", "`any` = `all`"},
      {"case when a then 1 else 2 end", "CASE WHEN a THEN 1 ELSE 2 END"},
      {"case a when 1 then 'x' when 2 then 'y' end + 1",
       "CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END + 1"},
      {"cast(a as int)", "CAST(a AS int)"},
      {"try_cast(a + 1 as timestamp(3))", "TRY_CAST(a + 1 AS timestamp(3))"},
      {"a::int::string", "CAST(CAST(a AS int) AS string)"},
      {"-a::int", "-CAST(a AS int)"},
      {"a::int[]", "CAST(a AS int[])"},
      {"a::int[1]", "CAST(a AS int)[1]"},
      {"arrow_cast(a, 'Utf8View')", "arrow_cast(a, 'Utf8View')"},
      {"arrow_cast(a, 'Int64')", "CAST(a AS bigint)"},
      {"arrow_try_cast(a, 'LargeUtf8')", "arrow_try_cast(a, 'LargeUtf8')"},
      {"extract(YEAR from d)", "date_part('year', d)"},
      {"substring(s from 2 for 3)", "substr(s, 2, 3)"},
      {"substring(s for 3)", "substr(s, 1, 3)"},
      {"substring(s, 2)", "substring(s, 2)"},
      {"SUBSTR(s, 2, 3)", "substr(s, 2, 3)"},
      {"trim(s)", "btrim(s)"},
      {"trim(both 'x' from s)", "btrim(s, 'x')"},
      {"trim(leading from s)", "ltrim(s)"},
      {"trim(trailing 'xy' from s)", "rtrim(s, 'xy')"},
      {"trim('x' from s)", "btrim(s, 'x')"},
      {"trim(leading)", "btrim(leading)"},
      {"position('a' in s)", "strpos(s, 'a')"},
      {"position(a, b)", "position(a, b)"},
      {"ceil(x) + floor(y)", "ceil(x) + floor(y)"},
      {"overlay(s placing t from 2 for 3)", "overlay(s, t, 2, 3)"},
      {"overlay(s, t, 2)", "overlay(s, t, 2)"},
      {"[1, [2, 3], []]", "[1, [2, 3], []]"},
      {"array[1, 2][1]", "[1, 2][1]"},
      {"a.b.c", "a.b.c"},
      {"a['b']['c']", "a['b']['c']"},
      {"a['b'].c", "a['b']['c']"},
      {"f(x).b", "f(x)['b']"},
      {"(a).b", "a['b']"},
      {"a[('b')]", "a[('b')]"},
      {"a[i + 1].b", "a[i + 1]['b']"},
      {"(a + b)[1]", "(a + b)[1]"},
      {"`odd name`.\"x\"\"y\".`a``b`", "`odd name`.`x\"y`.`a``b`"},
      {"`select` = `Plain`", "`select` = Plain"},
      {"\"1a\"", "`1a`"},
      {"größe > 1", "größe > 1"},
      {"date = time", "date = time"},
      {"LOWER(Name)", "lower(Name)"},
      {"`Lower`(x)", "lower(x)"},
      {"`trim`(x)", "`trim`(x)"},
      {"array_filter(v, x -> x > 1)", "array_filter(v, x -> x > 1)"},
      {"f((x, y) -> x + y, 0)", "f((x, y) -> x + y, 0)"},
      {"f((x) -> x)", "f(x -> x)"},
      {"current_date - 1", "current_date() - 1"},
      {"current_timestamp", "current_timestamp()"},
      {"a = ? and b = ?", "a = $1 AND b = $2"},
      {"a = $2 or a = $1", "a = $2 OR a = $1"},
      {"a = :name and b = $other", "a = :name AND b = :other"},
      {"a = :`odd name`", "a = :`odd name`"},
      {"/* x /* nested */ y */ a -- comment", "a"},
      {"a -- comment\n+ 1", "a + 1"},
      {"source.id = target.id", "source.id = target.id"},
      {"interval", "`interval`"},
      {"interval - 5", "`interval` - 5"},
      {"now() - interval '1 day'", "now() - interval '1 days'"},
      {"array", "`array`"},
      {"from.`to`", "`from`.to"},
  };
  for (const auto& [sql, printed] : kCases) EXPECT_EQ(Canonical(sql), printed) << sql;
}

TEST(Parse, Numbers) {
  EXPECT_TRUE(LiteralOf("1_000_000")->Equals(arrow::Int64Scalar(1000000)));
  EXPECT_TRUE(LiteralOf("-9223372036854775808")->Equals(arrow::Int64Scalar(INT64_MIN)));
  EXPECT_TRUE(LiteralOf("9223372036854775807")->Equals(arrow::Int64Scalar(INT64_MAX)));
  EXPECT_TRUE(LiteralOf("9223372036854775808")->Equals(arrow::UInt64Scalar(1ULL << 63)));
  EXPECT_TRUE(LiteralOf("18446744073709551615")->Equals(arrow::UInt64Scalar(UINT64_MAX)));
  EXPECT_EQ(LiteralOf("18446744073709551616")->type->ToString(), "decimal128(20, 0)");
  EXPECT_EQ(LiteralOf("-9223372036854775809")->type->ToString(), "decimal128(19, 0)");
  EXPECT_EQ(LiteralOf(std::string(76, '9'))->type->ToString(), "decimal256(76, 0)");
  EXPECT_EQ(LiteralOf(std::string(77, '9'))->type->ToString(), "double");
  EXPECT_TRUE(LiteralOf("007")->Equals(arrow::Int64Scalar(7)));
  EXPECT_TRUE(LiteralOf("0")->Equals(arrow::Int64Scalar(0)));
  EXPECT_TRUE(LiteralOf("1.5e3")->Equals(arrow::DoubleScalar(1500)));
  EXPECT_TRUE(LiteralOf(".5")->Equals(arrow::DoubleScalar(0.5)));
  EXPECT_TRUE(LiteralOf("1.")->Equals(arrow::DoubleScalar(1)));
  EXPECT_TRUE(LiteralOf("1E-400")->Equals(arrow::DoubleScalar(0)));
  EXPECT_TRUE(LiteralOf("5e-324")->Equals(arrow::DoubleScalar(5e-324)));
  const auto zero = LiteralOf("-0.0");
  EXPECT_TRUE(std::signbit(static_cast<const arrow::DoubleScalar&>(*zero).value));
  EXPECT_THAT(ErrorOf("1e400"), HasSubstr("too large"));
  EXPECT_THAT(ErrorOf("12abc"), HasSubstr("runs into letters"));
}

TEST(Parse, TextAndBinary) {
  EXPECT_TRUE(LiteralOf("'it''s'")->Equals(arrow::StringScalar("it's")));
  EXPECT_TRUE(LiteralOf("''")->Equals(arrow::StringScalar("")));
  EXPECT_TRUE(LiteralOf("'\\'")->Equals(arrow::StringScalar("\\")));
  EXPECT_TRUE(LiteralOf("'-- not a comment'")->Equals(arrow::StringScalar("-- not a comment")));
  EXPECT_TRUE(LiteralOf("X'6162'")->Equals(*BinaryLiteral("ab")));
  EXPECT_TRUE(LiteralOf("0x6162")->Equals(*BinaryLiteral("ab")));
  EXPECT_TRUE(LiteralOf("x''")->Equals(*BinaryLiteral("")));
  EXPECT_THAT(ErrorOf("0x616"), HasSubstr("even number of hex digits"));
  EXPECT_THAT(ErrorOf("X'6g'"), HasSubstr("even number of hex digits"));
  EXPECT_THAT(ErrorOf("'abc"), HasSubstr("closing '"));
}

TEST(Parse, TypedLiterals) {
  EXPECT_TRUE(LiteralOf("date '1970-01-02'")->Equals(arrow::Date32Scalar(1)));
  const auto timestamp = [](int64_t value, arrow::TimeUnit::type unit, std::string zone = "") {
    return arrow::TimestampScalar(value, arrow::timestamp(unit, zone));
  };
  EXPECT_TRUE(LiteralOf("timestamp '1970-01-01 00:00:01'")
                  ->Equals(timestamp(1'000'000, arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(LiteralOf("timestamp '1970-01-01T00:00:01.5Z'")
                  ->Equals(timestamp(1'500'000, arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(LiteralOf("timestamp '1970-01-01 02:00:00+02:00'")
                  ->Equals(timestamp(0, arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(LiteralOf("timestamp '1970-01-01 00:00:00.123456789'")
                  ->Equals(timestamp(123456789, arrow::TimeUnit::NANO)));
  EXPECT_TRUE(LiteralOf("timestamp(3) '1969-12-31 23:59:59.9999'")
                  ->Equals(timestamp(-1, arrow::TimeUnit::MILLI)));
  EXPECT_TRUE(LiteralOf("timestamp(0) with time zone '1970-01-01 00:00:01'")
                  ->Equals(timestamp(1, arrow::TimeUnit::SECOND, "UTC")));
  EXPECT_TRUE(
      LiteralOf("time '01:02:03.5'")
          ->Equals(arrow::Time64Scalar(3'723'500'000'000, arrow::time64(arrow::TimeUnit::NANO))));
  EXPECT_TRUE(LiteralOf("smallint '-5'")->Equals(arrow::Int16Scalar(-5)));
  EXPECT_TRUE(LiteralOf("bigint unsigned '5'")->Equals(arrow::UInt64Scalar(5)));
  EXPECT_TRUE(LiteralOf("float '1.5'")->Equals(arrow::FloatScalar(1.5F)));
  EXPECT_TRUE(
      std::isnan(static_cast<const arrow::DoubleScalar&>(*LiteralOf("double 'NaN'")).value));
  EXPECT_TRUE(
      LiteralOf("decimal(5, 2) '-1.5'")
          ->Equals(arrow::Decimal128Scalar(arrow::Decimal128(-150), arrow::decimal128(5, 2))));
  EXPECT_EQ(Canonical("decimal(5, -2) '1200'"), "decimal(5, -2) '1200'");
  EXPECT_EQ(Canonical("decimal(38, 38) '0.00000000000000000001'"),
            "decimal(38, 38) '0.00000000000000000001000000000000000000'");
  for (const char* bad : {"date '2024-02-30'", "timestamp 'yesterday'", "time '25:00:00'",
                          "tinyint '300'", "decimal(3, 1) '1234.5'", "date ''", "time '1'",
                          "boolean 'maybe'", "double '1e999'", "int '5 '"}) {
    EXPECT_THAT(ErrorOf(bad), HasSubstr("line 1, column 1")) << bad;
  }
}

TEST(Parse, Intervals) {
  const auto interval = [](int32_t months, int32_t days, int64_t nanos) {
    return arrow::MonthDayNanoIntervalScalar({months, days, nanos});
  };
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_TRUE(LiteralOf("interval '1 day 2 hours'")->Equals(interval(0, 1, 7200 * kSecond)));
  EXPECT_TRUE(LiteralOf("interval '3' month")->Equals(interval(3, 0, 0)));
  EXPECT_TRUE(LiteralOf("interval '1 year -2 mons 3 d'")->Equals(interval(10, 3, 0)));
  EXPECT_TRUE(LiteralOf("interval '1.5 hours'")->Equals(interval(0, 0, 5400 * kSecond)));
  EXPECT_TRUE(LiteralOf("interval '0.5 days'")->Equals(interval(0, 0, 43'200 * kSecond)));
  EXPECT_TRUE(LiteralOf("interval '1 week 01:02:03.5'")->Equals(interval(0, 7, 3'723'500'000'000)));
  EXPECT_TRUE(LiteralOf("interval '-00:00:01'")->Equals(interval(0, 0, -kSecond)));
  EXPECT_TRUE(LiteralOf("interval '0 days'")->Equals(interval(0, 0, 0)));
  for (const char* bad : {"interval ''", "interval '1'", "interval 'day'", "interval '0.1 months'",
                          "interval '99999999999 years'", "interval '1 fortnight'",
                          "interval '9999999999999999999 hours'", "interval '1 1 day'",
                          "interval '-:'", "interval '--1 day'"}) {
    EXPECT_THAT(ErrorOf(bad), HasSubstr("interval")) << bad;
  }
}

TEST(Parse, TypesOfCasts) {
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"int", "int32"},
      {"integer", "int32"},
      {"INT UNSIGNED", "uint32"},
      {"tinyint", "int8"},
      {"tinyint unsigned", "uint8"},
      {"smallint", "int16"},
      {"smallint unsigned", "uint16"},
      {"bigint", "int64"},
      {"bigint unsigned", "uint64"},
      {"float", "float"},
      {"real", "float"},
      {"double", "double"},
      {"double precision", "double"},
      {"string", "string"},
      {"text", "string"},
      {"varchar", "string"},
      {"varchar(10)", "string"},
      {"char(3)", "string"},
      {"character varying(10)", "string"},
      {"binary", "binary"},
      {"varbinary(10)", "binary"},
      {"bytea", "binary"},
      {"boolean", "bool"},
      {"bool", "bool"},
      {"date", "date32[day]"},
      {"time", "time64[ns]"},
      {"time(3)", "time32[ms]"},
      {"timestamp", "timestamp[us]"},
      {"timestamp(9)", "timestamp[ns]"},
      {"timestamp with time zone", "timestamp[us, tz=UTC]"},
      {"timestamp(0) without time zone", "timestamp[s]"},
      {"datetime", "timestamp[us]"},
      {"datetime(3)", "timestamp[ms]"},
      {"decimal(10, 2)", "decimal128(10, 2)"},
      {"decimal(5)", "decimal128(5, 0)"},
      {"numeric(50, 10)", "decimal256(50, 10)"},
      {"decimal", "decimal128(38, 10)"},
      {"int[][]", "list<item: list<item: int32>>"},
  };
  for (const auto& [sql, arrow_type] : kCases) {
    const NodePtr node = MustParse("CAST(a AS " + std::string(sql) + ")");
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(node->type->ToString(), arrow_type) << sql;
    Canonical("a::" + std::string(sql));
  }
  for (const char* bad : {"int8", "unsigned", "float unsigned", "decimal(0, 0)", "decimal(77, 0)",
                          "decimal(5, 6)", "timestamp(4)", "time with time zone", "blob",
                          "decimal(99999999999)", "varchar(99999999999)", "timestamp with zone"}) {
    ErrorOf("CAST(a AS " + std::string(bad) + ")");
  }
}

TEST(TypeNames, ArrowNamesRoundTrip) {
  for (const char* name : {"Null",
                           "Boolean",
                           "Int8",
                           "UInt64",
                           "Float16",
                           "Float32",
                           "Float64",
                           "Utf8",
                           "LargeUtf8",
                           "Utf8View",
                           "Binary",
                           "LargeBinary",
                           "BinaryView",
                           "Date32",
                           "Date64",
                           "Time32(Second)",
                           "Time32(Millisecond)",
                           "Time64(Microsecond)",
                           "Time64(Nanosecond)",
                           "Timestamp(Second, None)",
                           "Timestamp(Microsecond, Some(\"Europe/Berlin\"))",
                           "Duration(Nanosecond)",
                           "Interval(YearMonth)",
                           "Interval(DayTime)",
                           "Interval(MonthDayNano)",
                           "Decimal32(9, 2)",
                           "Decimal64(18, 2)",
                           "Decimal128(38, 10)",
                           "Decimal256(76, -3)",
                           "FixedSizeBinary(16)",
                           "List(Int32)",
                           "List(non-null Utf8)",
                           "LargeList(List(Int32))",
                           "FixedSizeList(4, Float32)",
                           "Dictionary(Int8, Utf8)",
                           "Map(Utf8, Int64)",
                           "Struct(\"a\": Int32, \"b \\\"c\": non-null Utf8)",
                           "Struct()"}) {
    auto type = ParseArrowTypeName(name);
    ASSERT_TRUE(type.ok()) << name << type.status().ToString();
    EXPECT_EQ(ArrowTypeName(**type), name);
  }
  EXPECT_EQ((*ParseArrowTypeName(" FixedSizeList( 4 x Float32 ) "))->ToString(),
            "fixed_size_list<item: float>[4]");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "List(";
  for (const std::string& bad :
       {std::string(""), std::string("int"), std::string("List"), std::string("List("),
        std::string("List(Int32"), std::string("Int32 x"), std::string("Time32(Nanosecond)"),
        std::string("Decimal128(39, 0)"), std::string("Timestamp(Minute, None)"),
        std::string("FixedSizeList(-1, Int8)"), std::string("Dictionary(Utf8, Utf8)"),
        std::string("Timestamp(Second, Some(\"x)"), std::string("Struct(a: Int32)"), deep}) {
    EXPECT_FALSE(ParseArrowTypeName(bad).ok()) << bad;
  }
}

TEST(Parse, ErrorsNamePlaceAndExpectation) {
  EXPECT_EQ(ErrorOf("a + + "),
            "syntax error: expected an expression, found the end at line 1, column 7:\n"
            "  a + + \n"
            "        ^");
  EXPECT_EQ(ErrorOf("a = 1\n  and b == )"),
            "syntax error: expected an expression, found \")\" at line 2, column 12:\n"
            "    and b == )\n"
            "             ^");
  EXPECT_EQ(ErrorOf("'größe' frob"),
            "syntax error: expected an operator or the end, found \"frob\" at line 1, column 9:\n"
            "  'größe' frob\n"
            "          ^^^^");
  static constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "the expression is empty"},
      {"  -- only a comment", "the expression is empty"},
      {"id = 1; DROP TABLE t", "found \";\""},
      {"id = 1;", "found \";\""},
      {"a b", "found \"b\""},
      {"(a", "expected an operator or \")\", found the end"},
      {"a)", "found \")\""},
      {"f(a", "\",\" or \")\""},
      {"a IN (1", "\",\" or \")\""},
      {"a IN 5", "a list behind IN"},
      {"a IN (select 1)", "subqueries (SELECT) are not supported"},
      {"exists (select 1)", "subqueries (EXISTS) are not supported"},
      {"sum(a) over (partition by b)", "window functions"},
      {"count(a) filter (where b)", "aggregates (FILTER)"},
      {"count(*)", "aggregates are not supported"},
      {"count(distinct a)", "aggregates are not supported"},
      {"a collate \"C\"", "COLLATE is not supported"},
      {"a at time zone 'UTC'", "AT TIME ZONE is not supported"},
      {"a as b", "aliases are given apart"},
      {"(a, b) = (1, 2)", "tuples are not supported"},
      {"*", "all columns"},
      {"a is 5", "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"},
      {"a not 5", "BETWEEN, IN, LIKE, ILIKE or SIMILAR TO"},
      {"a between 1", "expected AND"},
      {"case a end", "expected WHEN"},
      {"case when a then b", "WHEN, ELSE or END"},
      {"case when a then b else c", "expected END"},
      {"a like 'x' escape 'ab'", "one ASCII character"},
      {"a like 'x' escape ''", "one ASCII character"},
      {"cast(a, int)", "expected AS"},
      {"arrow_cast(a, b)", "an Arrow type in quotes"},
      {"arrow_cast(a, 'Int7')", "no Arrow type"},
      {"any(a)", "stand behind a comparison"},
      {"a.b(c)", "the name of a function"},
      {"a.", "a name behind \".\""},
      {"a[1:2]", "array_slice"},
      {"/* a", "comment without its end"},
      {"a # b", "no meaning here"},
      {"$$x$$", "dollar quotes"},
      {"? = $1", "can't be mixed"},
      {"$0", "numbered from 1"},
      {"$99999999999", "numbered from 1"},
      {"``", "empty name"},
      {"a 'text'", "text behind a name"},
      {"x -> x", "found \"->\""},
      {"ceil(a to day)", "date_trunc"},
      {"interval '1' day to second", "range of units"},
      {"a regexp 'x'", "a ~ 'regex'"},
  };
  for (const auto& [sql, message] : kCases) EXPECT_THAT(ErrorOf(sql), HasSubstr(message)) << sql;
  EXPECT_THAT(ErrorOf("a = '\xff'"), HasSubstr("not UTF-8"));
  EXPECT_THAT(ErrorOf(std::string("a = 1\0 + 1", 10)), HasSubstr("no meaning"));
}

TEST(Parse, ShowsAWindowOfLongLines) {
  const std::string sql = std::string(5000, 'a') + " + " + std::string(1000, ')');
  const std::string message = ErrorOf(sql);
  EXPECT_LT(message.size(), 400U);
  EXPECT_THAT(message, HasSubstr("column 5004"));
  EXPECT_THAT(message, HasSubstr("\n  ...aaa"));
}

TEST(Parse, NodesKnowTheirPlace) {
  const NodePtr node = MustParse("  a + bb * 3 ");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->begin, 2U);
  EXPECT_EQ(node->end, 12U);
  EXPECT_EQ(node->children[1]->begin, 6U);
  EXPECT_EQ(node->children[1]->end, 12U);
  EXPECT_EQ(node->children[1]->children[0]->end, 8U);
}

TEST(Parse, ColumnPaths) {
  using Path = std::vector<std::string>;
  EXPECT_EQ(*ParseColumnPath("a"), Path({"a"}));
  EXPECT_EQ(*ParseColumnPath("s.x"), Path({"s", "x"}));
  EXPECT_EQ(*ParseColumnPath("`odd.name`.\"b c\""), Path({"odd.name", "b c"}));
  EXPECT_EQ(*ParseColumnPath("select"), Path({"select"}));
  for (const char* bad : {"", "a.", ".a", "a b", "a + b", "1a", "f(x)", "a['b']"}) {
    EXPECT_FALSE(ParseColumnPath(bad).ok()) << bad;
  }
}

std::string Repeat(std::string_view first, std::string_view piece, int count) {
  std::string text(first);
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Parse, LongChainsTakeNoStack) {
  for (const char* op :
       {" OR b", " AND b", " + 1", " || 'x'", " - b", " * 2", " AND b = 1", "[1]", "['m']", ".m"}) {
    const std::string sql = Repeat("(a)", op, 100'000);
    const NodePtr node = MustParse(sql);
    ASSERT_NE(node, nullptr) << op;
    const NodePtr again = MustParse(ToSql(*node));
    ASSERT_NE(again, nullptr) << op;
    EXPECT_TRUE(Equals(*node, *again)) << op;
  }
  EXPECT_EQ(MustParse(Repeat("a", " OR b", 99'999))->children.size(), 100'000U);
}

TEST(Parse, DeepTextsAreRefused) {
  const int many = 200'000;
  for (const std::string& sql :
       {Repeat("", "(", many), Repeat("", "NOT ", many) + "a", Repeat("", "!", many) + "a",
        Repeat("", "- ", many) + "a", Repeat("", "f(", many), Repeat("", "[", many),
        Repeat("", "CASE WHEN ", many), Repeat("", "CAST(", many), Repeat("a", "[a", many),
        Repeat("a", " IS NULL", many), Repeat("a", " = a", many), Repeat("a", "::int", many),
        Repeat("", "f(x -> ", many), Repeat("a", " BETWEEN 1 AND 2", many),
        Repeat("", "trim(", many), Repeat("a::int", "[]", many), Repeat("", "a = ANY(", many),
        Repeat("a", " LIKE (a", many), Repeat("", "a + (", many)}) {
    EXPECT_THAT(ErrorOf(sql), HasSubstr("deeply")) << sql.substr(0, 20);
  }
  EXPECT_TRUE(Parse(Repeat("", "(", 300) + "a" + Repeat("", ")", 300)).ok());
  EXPECT_TRUE(Parse(Repeat("", "NOT ", 200) + "a").ok());
  EXPECT_THAT(ErrorOf(std::string(kMaxTextBytes + 1, ' ')), HasSubstr("bytes"));
}

TEST(Builder, DeepTreesPrintAndDie) {
  Expression deep = Col("a");
  Expression inner = Lit(1);
  for (int i = 0; i < 200'000; ++i) {
    deep = deep + Lit(1);
    inner = Lit(2) - inner;
  }
  EXPECT_GT(deep.ToSql().size(), 200'000U);
  EXPECT_GT(inner.ToSql().size(), 200'000U);
  EXPECT_TRUE(deep.Equals(deep));
}

// Trees of every kind, as the parser makes them.
class RandomTree {
 public:
  explicit RandomTree(uint64_t seed) : random_(seed) {}

  NodePtr Make(int depth) {
    const int kinds = depth == 0 ? 3 : 16;
    switch (Below(kinds)) {
      case 0:
        return Literal();
      case 1:
        return Column();
      case 2:
        return Parameter();
      case 3:
        return Unary(depth);
      case 4:
      case 5:
        return Binary(depth);
      case 6:
        return Simple(NodeKind::kBetween, 3, depth, true);
      case 7:
        return Simple(NodeKind::kIn, 1 + Below(4), depth, true);
      case 8:
        return Like(depth);
      case 9:
        return Is(depth);
      case 10:
        return Quantified(depth);
      case 11:
        return Cast(depth);
      case 12:
        return Call(depth);
      case 13:
        return Case(depth);
      case 14:
        return Simple(NodeKind::kArray, Below(4), depth, false);
      default:
        return Access(depth);
    }
  }

 private:
  int Below(int end) { return static_cast<int>(random_() % static_cast<uint64_t>(end)); }

  std::string Name() {
    static const char* const kNames[] = {"a",     "Some", "x y", "sel`ect", "select",   "date",
                                         "größe", "1",    "a.b", "any",     "interval", "trim"};
    return kNames[Below(12)];
  }

  std::shared_ptr<Node> New(NodeKind kind) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    return node;
  }

  NodePtr Simple(NodeKind kind, int children, int depth, bool negatable) {
    auto node = New(kind);
    node->negated = negatable && Below(2) == 0;
    for (int i = 0; i < children; ++i) node->children.push_back(Make(depth - 1));
    return node;
  }

  NodePtr Literal() {
    static const std::vector<Value> kValues = {
        nullptr,
        true,
        false,
        0,
        -7,
        INT64_MIN,
        INT64_MAX,
        UINT64_MAX,
        0.1,
        -2.5e-300,
        1e22,
        INFINITY,
        -INFINITY,
        std::nan(""),
        "",
        "it's",
        "\n\\`\"",
        "größe",
        Value::Binary("\xff\x01"),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::Int8Scalar>(-3)),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::UInt64Scalar>(3)),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::FloatScalar>(0.1F)),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::Date32Scalar>(-719528)),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::TimestampScalar>(
            INT64_MIN + 1'000'000'000, arrow::timestamp(arrow::TimeUnit::NANO))),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::TimestampScalar>(
            INT64_MAX, arrow::timestamp(arrow::TimeUnit::NANO, "UTC"))),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::MonthDayNanoIntervalScalar>(
            arrow::MonthDayNanoIntervalType::MonthDayNanos{INT32_MIN, INT32_MAX, INT64_MIN})),
        std::shared_ptr<arrow::Scalar>(std::make_shared<arrow::Decimal128Scalar>(
            arrow::Decimal128(-5), arrow::decimal128(38, 30))),
    };
    auto node = New(NodeKind::kLiteral);
    node->literal = kValues[random_() % kValues.size()].scalar();
    return node;
  }

  NodePtr Column() {
    auto node = New(NodeKind::kColumn);
    for (int i = 0; i <= Below(3); ++i) node->path.push_back(Name());
    return node;
  }

  NodePtr Parameter() {
    auto node = New(NodeKind::kParameter);
    if (Below(2) == 0) {
      node->name = Name();
    } else {
      node->ordinal = 1 + Below(9);
    }
    return node;
  }

  NodePtr Unary(int depth) {
    static constexpr Op kOps[] = {Op::kNot, Op::kNegate, Op::kPlus, Op::kBitNot};
    auto node = New(NodeKind::kUnary);
    node->op = kOps[Below(4)];
    node->children.push_back(Make(depth - 1));
    return node;
  }

  NodePtr Binary(int depth) {
    static constexpr Op kOps[] = {
        Op::kOr,       Op::kAnd,       Op::kEq,        Op::kNe,          Op::kLt,     Op::kLe,
        Op::kGt,       Op::kGe,        Op::kDistinct,  Op::kNotDistinct, Op::kAdd,    Op::kSubtract,
        Op::kMultiply, Op::kDivide,    Op::kModulo,    Op::kConcat,      Op::kBitAnd, Op::kBitOr,
        Op::kBitXor,   Op::kShiftLeft, Op::kShiftRight};
    auto node = New(NodeKind::kBinary);
    node->op = kOps[Below(21)];
    const int count = node->op == Op::kOr || node->op == Op::kAnd ? 2 + Below(3) : 2;
    for (int i = 0; i < count; ++i) node->children.push_back(Make(depth - 1));
    return node;
  }

  NodePtr Like(int depth) {
    static constexpr Op kOps[] = {Op::kLike, Op::kILike, Op::kSimilarTo, Op::kRegex,
                                  Op::kRegexFold};
    auto node = New(NodeKind::kLike);
    node->op = kOps[Below(5)];
    node->negated = Below(2) == 0;
    if (node->op != Op::kRegex && node->op != Op::kRegexFold && Below(3) == 0) node->escape = '\'';
    node->children = {Make(depth - 1), Make(depth - 1)};
    return node;
  }

  NodePtr Is(int depth) {
    auto node = New(NodeKind::kIs);
    node->test = static_cast<IsTest>(Below(4));
    node->negated = Below(2) == 0;
    node->children = {Make(depth - 1)};
    return node;
  }

  NodePtr Quantified(int depth) {
    auto node = New(NodeKind::kQuantified);
    node->op = static_cast<Op>(static_cast<int>(Op::kEq) + Below(6));
    node->negated = Below(2) == 0;
    node->children = {Make(depth - 1), Make(depth - 1)};
    return node;
  }

  NodePtr Cast(int depth) {
    static const char* const kTypes[] = {"Int32",
                                         "Utf8View",
                                         "List(Utf8)",
                                         "Decimal128(5, 2)",
                                         "Timestamp(Second, Some(\"UTC\"))",
                                         "Timestamp(Second, Some(\"it's\"))"};
    auto node = New(NodeKind::kCast);
    node->type = *ParseArrowTypeName(kTypes[Below(6)]);
    node->try_cast = Below(2) == 0;
    node->children = {Make(depth - 1)};
    return node;
  }

  NodePtr Call(int depth) {
    auto node = New(NodeKind::kCall);
    node->name = LowerCase(Name());
    for (int i = Below(4); i > 0; --i) {
      NodePtr argument = Make(depth - 1);
      if (Below(5) == 0) {
        auto lambda = New(NodeKind::kLambda);
        for (int p = 0; p <= Below(2); ++p) lambda->path.push_back(Name());
        lambda->children = {argument};
        argument = lambda;
      }
      node->children.push_back(argument);
    }
    return node;
  }

  NodePtr Case(int depth) {
    auto node = New(NodeKind::kCase);
    node->has_operand = Below(2) == 0;
    node->has_else = Below(2) == 0;
    const int count = (node->has_operand ? 1 : 0) + 2 * (1 + Below(2)) + (node->has_else ? 1 : 0);
    for (int i = 0; i < count; ++i) node->children.push_back(Make(depth - 1));
    return node;
  }

  NodePtr Access(int depth) {
    auto node = New(Below(2) == 0 ? NodeKind::kMember : NodeKind::kSubscript);
    node->children.push_back(Make(depth - 1));
    if (node->kind == NodeKind::kMember) {
      node->name = "it's " + Name();
    } else {
      node->children.push_back(Make(depth - 1));
    }
    return node;
  }

  std::mt19937_64 random_;
};

TEST(Print, RandomTreesParseBackEqual) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    const NodePtr tree = RandomTree(seed).Make(static_cast<int>(seed % 5));
    const std::string sql = ToSql(*tree);
    auto parsed = Parse(sql);
    ASSERT_TRUE(parsed.ok()) << "seed " << seed << "\n"
                             << sql << "\n"
                             << parsed.status().ToString();
    ASSERT_TRUE(Equals(*tree, **parsed)) << "seed " << seed << "\n"
                                         << sql << "\n"
                                         << ToSql(**parsed);
  }
}

TEST(Print, EqualsSeesEveryDifference) {
  const char* texts[] = {"a",
                         "b",
                         "a.b",
                         "1",
                         "'1'",
                         "a = b",
                         "a <> b",
                         "a AND b",
                         "a AND b AND c",
                         "a IN (1)",
                         "a NOT IN (1)",
                         "a IS NULL",
                         "a IS TRUE",
                         "CAST(a AS int)",
                         "TRY_CAST(a AS int)",
                         "CAST(a AS bigint)",
                         "f(a)",
                         "g(a)",
                         "$1",
                         "$2",
                         ":a",
                         "a LIKE b",
                         "a LIKE b ESCAPE 'x'",
                         "a = ANY(b)",
                         "a = ALL(b)",
                         "CASE WHEN a THEN b END",
                         "CASE a WHEN b THEN c END",
                         "a['b']",
                         "a[1]",
                         "1.0",
                         "smallint '1'",
                         "NULL",
                         "a IN b"};
  for (const char* a : texts) {
    for (const char* b : texts) {
      EXPECT_EQ(Equals(*MustParse(a), *MustParse(b)), a == b) << a << " / " << b;
    }
  }
  EXPECT_TRUE(Equals(*MustParse("double 'NaN'"), *MustParse("double 'nan'")));
}

}  // namespace
}  // namespace glaive::expr
