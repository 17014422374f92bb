#include "cli/value_writer.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_run_end.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/builder_union.h>
#include <arrow/extension/uuid.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace glaive::cli {
namespace {

using arrow::TimeUnit;
using Strings = std::vector<std::string>;

// Each value as JSON, proven to be valid JSON by a parser.
Strings JsonOf(const std::shared_ptr<arrow::Array>& array) {
  Strings values;
  const auto writer = ValueWriter::Make(array).ValueOrDie();
  for (int64_t i = 0; i < array->length(); ++i) {
    std::string text;
    writer->Json(i, &text);
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    values.push_back(text);
  }
  return values;
}

std::string TextOf(const std::shared_ptr<arrow::Array>& array, int64_t i) {
  std::string text;
  ValueWriter::Make(array).ValueOrDie()->Text(i, &text);
  return text;
}

std::string ShortOf(const std::shared_ptr<arrow::Array>& array, int64_t i) {
  std::string text;
  ValueWriter::Make(array).ValueOrDie()->Short(i, &text);
  return text;
}

// The values, then a null.
template <typename Builder, typename Value, typename... Args>
std::shared_ptr<arrow::Array> Build(const std::vector<Value>& values, Args&&... args) {
  Builder builder(std::forward<Args>(args)...);
  for (const Value& value : values) {
    EXPECT_TRUE(builder.Append(value).ok());
  }
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> BuildTyped(const std::vector<Value>& values,
                                         const std::shared_ptr<arrow::DataType>& type) {
  return Build<Builder>(values, type, arrow::default_memory_pool());
}

TEST(ValueWriterTest, IntegersKeepAllDigits) {
  EXPECT_EQ(JsonOf(Build<arrow::Int64Builder, int64_t>({INT64_MIN, INT64_MAX, (1LL << 53) + 1})),
            (Strings{"-9223372036854775808", "9223372036854775807", "9007199254740993", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::UInt64Builder, uint64_t>({UINT64_MAX, 0})),
            (Strings{"18446744073709551615", "0", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::Int8Builder, int8_t>({-128, 127})),
            (Strings{"-128", "127", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::UInt8Builder, uint8_t>({255})), (Strings{"255", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::Int16Builder, int16_t>({-32768})), (Strings{"-32768", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::UInt16Builder, uint16_t>({65535})), (Strings{"65535", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::Int32Builder, int32_t>({INT32_MIN})),
            (Strings{"-2147483648", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::UInt32Builder, uint32_t>({UINT32_MAX})),
            (Strings{"4294967295", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::BooleanBuilder, bool>({true, false})),
            (Strings{"true", "false", "null"}));
}

TEST(ValueWriterTest, FloatsReadBackEqualAndSpecialOnesAreStrings) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(JsonOf(Build<arrow::DoubleBuilder, double>({0.1, 1e300, -0.0, kInf, -kInf, NAN})),
            (Strings{"0.1", "1e+300", "-0", "\"Infinity\"", "\"-Infinity\"", "\"NaN\"", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::FloatBuilder, float>(
                {0.1f, 16777216.0f, std::numeric_limits<float>::denorm_min()})),
            (Strings{"0.1", "16777216", "1e-45", "null"}));
  // 0x3555 is the half nearest to a third, 0x7C00 infinity, 0x7E00 NaN, 0x0001 the smallest.
  EXPECT_EQ(
      JsonOf(Build<arrow::HalfFloatBuilder, uint16_t>({0x3C00, 0x3555, 0xFC00, 0x7E00, 0x0001})),
      (Strings{"1", "0.33325195", "\"-Infinity\"", "\"NaN\"", "5.9604645e-08", "null"}));
}

TEST(ValueWriterTest, StringsAreEscapedAndAlwaysUtf8) {
  const std::vector<std::string> texts = {"a\"b\\c\n\t\x01", "Grüße 😀", std::string("nul\0.", 5),
                                          "bad\xFF\xC3!", "\xED\xA0\x80"};
  const Strings expected = {R"("a\"b\\c\n\t\u0001")",
                            "\"Grüße 😀\"",
                            R"("nul\u0000.")",
                            "\"bad\xEF\xBF\xBD\xEF\xBF\xBD!\"",
                            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
                            "null"};
  EXPECT_EQ(JsonOf(Build<arrow::StringBuilder>(texts)), expected);
  EXPECT_EQ(JsonOf(Build<arrow::LargeStringBuilder>(texts)), expected);
  EXPECT_EQ(JsonOf(Build<arrow::StringViewBuilder>(texts)), expected);
  EXPECT_EQ(TextOf(Build<arrow::StringBuilder>(texts), 0), texts[0]);
  EXPECT_EQ(TextOf(Build<arrow::StringBuilder>(texts), 5), "");
}

TEST(ValueWriterTest, BinaryIsBase64) {
  const std::vector<std::string> bytes = {"", "f", "fo", "foo", "foobar", "\xFF\xFE"};
  const Strings expected = {"\"\"",         "\"Zg==\"", "\"Zm8=\"", "\"Zm9v\"",
                            "\"Zm9vYmFy\"", "\"//4=\"", "null"};
  EXPECT_EQ(JsonOf(Build<arrow::BinaryBuilder>(bytes)), expected);
  EXPECT_EQ(JsonOf(Build<arrow::LargeBinaryBuilder>(bytes)), expected);
  EXPECT_EQ(JsonOf(Build<arrow::BinaryViewBuilder>(bytes)), expected);
  EXPECT_EQ(JsonOf(BuildTyped<arrow::FixedSizeBinaryBuilder, std::string>(
                {"foo"}, arrow::fixed_size_binary(3))),
            (Strings{"\"Zm9v\"", "null"}));
}

TEST(ValueWriterTest, DecimalsAreStrings) {
  const auto type = arrow::decimal128(38, 2);
  EXPECT_EQ(JsonOf(BuildTyped<arrow::Decimal128Builder, arrow::Decimal128>(
                {arrow::Decimal128(-12345), arrow::Decimal128(5)}, type)),
            (Strings{"\"-123.45\"", "\"0.05\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::Decimal256Builder, arrow::Decimal256>(
                {arrow::Decimal256(7)}, arrow::decimal256(50, 0))),
            (Strings{"\"7\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::Decimal32Builder, arrow::Decimal32>({arrow::Decimal32(15)},
                                                                         arrow::decimal32(5, 1))),
            (Strings{"\"1.5\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::Decimal64Builder, arrow::Decimal64>({arrow::Decimal64(-15)},
                                                                         arrow::decimal64(12, 1))),
            (Strings{"\"-1.5\"", "null"}));
}

TEST(ValueWriterTest, DatesAndTimesAreIso8601) {
  EXPECT_EQ(JsonOf(Build<arrow::Date32Builder, int32_t>({0, -1, 19782, 11016, -719529, 2932897})),
            (Strings{"\"1970-01-01\"", "\"1969-12-31\"", "\"2024-02-29\"", "\"2000-02-29\"",
                     "\"-000001-12-31\"", "\"+010000-01-01\"", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::Date64Builder, int64_t>({86400000, -1})),
            (Strings{"\"1970-01-02\"", "\"1969-12-31\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::TimestampBuilder, int64_t>({-1, 1709210096000001},
                                                                arrow::timestamp(TimeUnit::MICRO))),
            (Strings{"\"1969-12-31T23:59:59.999999\"", "\"2024-02-29T12:34:56.000001\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::TimestampBuilder, int64_t>(
                {1709210096}, arrow::timestamp(TimeUnit::SECOND, "Europe/Berlin"))),
            (Strings{"\"2024-02-29T12:34:56Z\"", "null"}));
  EXPECT_EQ(
      JsonOf(BuildTyped<arrow::TimestampBuilder, int64_t>({INT64_MIN, INT64_MAX},
                                                          arrow::timestamp(TimeUnit::NANO))),
      (Strings{"\"1677-09-21T00:12:43.145224192\"", "\"2262-04-11T23:47:16.854775807\"", "null"}));
  EXPECT_EQ(
      JsonOf(BuildTyped<arrow::Time32Builder, int32_t>({86399}, arrow::time32(TimeUnit::SECOND))),
      (Strings{"\"23:59:59\"", "null"}));
  EXPECT_EQ(JsonOf(BuildTyped<arrow::Time64Builder, int64_t>({1}, arrow::time64(TimeUnit::NANO))),
            (Strings{"\"00:00:00.000000001\"", "null"}));
}

TEST(ValueWriterTest, DurationsAndIntervalsAreIso8601) {
  EXPECT_EQ(
      JsonOf(BuildTyped<arrow::DurationBuilder, int64_t>({1500, -1, 0, INT64_MIN},
                                                         arrow::duration(TimeUnit::MILLI))),
      (Strings{"\"PT1.5S\"", "\"-PT0.001S\"", "\"PT0S\"", "\"-PT9223372036854775.808S\"", "null"}));
  EXPECT_EQ(JsonOf(Build<arrow::MonthIntervalBuilder, int32_t>({14})),
            (Strings{"\"P14M\"", "null"}));
  EXPECT_EQ(
      JsonOf(Build<arrow::DayTimeIntervalBuilder, arrow::DayTimeIntervalType::DayMilliseconds>(
          {{2, -500}})),
      (Strings{"\"P2DT-0.5S\"", "null"}));
  EXPECT_EQ(
      JsonOf(
          Build<arrow::MonthDayNanoIntervalBuilder, arrow::MonthDayNanoIntervalType::MonthDayNanos>(
              {{1, 2, 3000000004}, {0, 0, 0}})),
      (Strings{"\"P1M2DT3.000000004S\"", "\"P0D\"", "null"}));
}

// [[1,null],null,[]] as `type`, shifted by one row to make offsets matter.
std::shared_ptr<arrow::Array> Lists(const std::shared_ptr<arrow::DataType>& type) {
  auto builder = arrow::MakeBuilder(type).ValueOrDie();
  auto append = [&](auto& lists) {
    auto& values = static_cast<arrow::Int32Builder&>(*lists.value_builder());
    EXPECT_TRUE(lists.Append(true, 1).ok() && values.Append(9).ok());
    EXPECT_TRUE(lists.Append(true, 2).ok() && values.Append(1).ok() && values.AppendNull().ok());
    EXPECT_TRUE(lists.AppendNull().ok());
    EXPECT_TRUE(lists.Append(true, 0).ok());
  };
  switch (type->id()) {
    case arrow::Type::LIST:
      append(static_cast<arrow::ListBuilder&>(*builder));
      break;
    case arrow::Type::LARGE_LIST:
      append(static_cast<arrow::LargeListBuilder&>(*builder));
      break;
    case arrow::Type::LIST_VIEW:
      append(static_cast<arrow::ListViewBuilder&>(*builder));
      break;
    default:
      append(static_cast<arrow::LargeListViewBuilder&>(*builder));
  }
  return builder->Finish().ValueOrDie()->Slice(1);
}

TEST(ValueWriterTest, ListsAreArrays) {
  const Strings expected = {"[1,null]", "null", "[]"};
  EXPECT_EQ(JsonOf(Lists(arrow::list(arrow::int32()))), expected);
  EXPECT_EQ(JsonOf(Lists(arrow::large_list(arrow::int32()))), expected);
  EXPECT_EQ(JsonOf(Lists(arrow::list_view(arrow::int32()))), expected);
  EXPECT_EQ(JsonOf(Lists(arrow::large_list_view(arrow::int32()))), expected);
}

TEST(ValueWriterTest, VectorsAreArraysAndShortInTables) {
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, 6);
  ASSERT_TRUE(builder.AppendNull().ok());
  ASSERT_TRUE(builder.Append().ok());
  ASSERT_TRUE(values->AppendValues({0.5f, 1, 2, 3, 4, 0.123456789f}).ok());
  const auto array = builder.Finish().ValueOrDie();
  EXPECT_EQ(JsonOf(array), (Strings{"null", "[0.5,1,2,3,4,0.12345679]"}));
  EXPECT_EQ(ShortOf(array, 1), "[0.5, 1, 2, 3, … 6]");
  EXPECT_EQ(JsonOf(array->Slice(1)), (Strings{"[0.5,1,2,3,4,0.12345679]"}));
}

TEST(ValueWriterTest, StructsAreObjectsAndMapsAreListsOfPairs) {
  const auto ints = Build<arrow::Int32Builder, int32_t>({1});
  const auto texts = Build<arrow::StringBuilder, std::string>({"x"});
  const auto both = arrow::StructArray::Make({ints, texts}, Strings{"a\"", "b"}).ValueOrDie();
  EXPECT_EQ(JsonOf(both), (Strings{R"({"a\"":1,"b":"x"})", R"({"a\"":null,"b":null})"}));
  EXPECT_EQ(JsonOf(both->Slice(1)), (Strings{R"({"a\"":null,"b":null})"}));
  EXPECT_EQ(ShortOf(both, 0), "{a\": 1, b: x}");

  auto keys = std::make_shared<arrow::StringBuilder>();
  auto items = std::make_shared<arrow::Int64Builder>();
  arrow::MapBuilder builder(arrow::default_memory_pool(), keys, items);
  ASSERT_TRUE(builder.Append().ok());
  ASSERT_TRUE(keys->AppendValues({"k", "l"}).ok() && items->Append(1).ok() &&
              items->AppendNull().ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto map = builder.Finish().ValueOrDie();
  EXPECT_EQ(JsonOf(map), (Strings{R"([["k",1],["l",null]])", "null"}));
  EXPECT_EQ(ShortOf(map, 0), "{k: 1, l: null}");
}

TEST(ValueWriterTest, DictionariesAndRunsAppearAsTheirValues) {
  arrow::StringDictionaryBuilder builder;
  for (const char* text : {"x", "y", "x"}) {
    ASSERT_TRUE(builder.Append(text).ok());
  }
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto dictionary = builder.Finish().ValueOrDie();
  EXPECT_EQ(JsonOf(dictionary), (Strings{"\"x\"", "\"y\"", "\"x\"", "null"}));
  EXPECT_EQ(JsonOf(dictionary->Slice(1)), (Strings{"\"y\"", "\"x\"", "null"}));

  arrow::Int16Builder ends;
  ASSERT_TRUE(ends.AppendValues({2, 3, 5}).ok());
  auto values = Build<arrow::Int64Builder, int64_t>({7, 8});
  const auto runs =
      arrow::RunEndEncodedArray::Make(5, ends.Finish().ValueOrDie(), values).ValueOrDie();
  EXPECT_EQ(JsonOf(runs), (Strings{"7", "7", "8", "null", "null"}));
  EXPECT_EQ(JsonOf(runs->Slice(1, 3)), (Strings{"7", "8", "null"}));
}

TEST(ValueWriterTest, UnionsAppearAsTheChosenValue) {
  arrow::Int8Builder types;
  ASSERT_TRUE(types.AppendValues({0, 1, 1}).ok());
  const auto ids = types.Finish().ValueOrDie();
  arrow::Int32Builder offsets;
  ASSERT_TRUE(offsets.AppendValues({0, 1, 0}).ok());
  const auto ints = Build<arrow::Int32Builder, int32_t>({5});
  const auto texts = Build<arrow::StringBuilder, std::string>({"a", "b"});
  const auto dense =
      arrow::DenseUnionArray::Make(*ids, *offsets.Finish().ValueOrDie(), {ints, texts})
          .ValueOrDie();
  EXPECT_EQ(JsonOf(dense), (Strings{"5", "\"b\"", "\"a\""}));
  EXPECT_EQ(JsonOf(dense->Slice(1)), (Strings{"\"b\"", "\"a\""}));
  const auto three = Build<arrow::Int32Builder, int32_t>({5, 6});
  const auto sparse = arrow::SparseUnionArray::Make(*ids, {three, texts}).ValueOrDie();
  EXPECT_EQ(JsonOf(sparse), (Strings{"5", "\"b\"", "null"}));
  EXPECT_EQ(JsonOf(sparse->Slice(1)), (Strings{"\"b\"", "null"}));
}

TEST(ValueWriterTest, ExtensionsAppearAsTheirStorageAndNullsAsNull) {
  auto storage = BuildTyped<arrow::FixedSizeBinaryBuilder, std::string>(
      {"0123456789abcdef"}, arrow::fixed_size_binary(16));
  EXPECT_EQ(JsonOf(arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage)),
            (Strings{"\"MDEyMzQ1Njc4OWFiY2RlZg==\"", "null"}));
  EXPECT_EQ(JsonOf(std::make_shared<arrow::NullArray>(2)), (Strings{"null", "null"}));
}

TEST(ValueWriterTest, ShortTextsFitOnOneLine) {
  const auto texts = Build<arrow::StringBuilder, std::string>(
      {"two\nlines", std::string(500, 'x'), std::string(199, 'x') + "é" + "yy"});
  EXPECT_EQ(ShortOf(texts, 0), "two lines");
  EXPECT_EQ(ShortOf(texts, 1), std::string(200, 'x') + "…");
  EXPECT_EQ(ShortOf(texts, 2), std::string(199, 'x') + "…");
  EXPECT_EQ(ShortOf(texts, 3), "null");
}

TEST(JsonRowsTest, WritesOneObjectPerLine) {
  const auto schema =
      arrow::schema({arrow::field("i", arrow::int64()), arrow::field("t", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(
      schema, 2,
      {Build<arrow::Int64Builder, int64_t>({1}), Build<arrow::StringBuilder, std::string>({"x"})});
  std::string text;
  ASSERT_TRUE(JsonRows(*schema).Append(*batch, &text).ok());
  EXPECT_EQ(text, "{\"i\":1,\"t\":\"x\"}\n{\"i\":null,\"t\":null}\n");
}

}  // namespace
}  // namespace glaive::cli
