#include <arrow/array/util.h>
#include <gtest/gtest.h>

#include "expr/function_fixture.h"

namespace glaive::expr {
namespace {

using arrow::TimeUnit;

std::string CastJson(const TypePtr& from, const std::string& json, const TypePtr& to,
                     bool try_cast = false) {
  EXPECT_TRUE(arrow::compute::Initialize().ok());
  auto cast = CastTo(FromJson(from, json), to, try_cast, nullptr);
  if (!cast.ok()) return std::string(ErrorCodeName(ErrorCodeOf(cast.status())));
  EXPECT_TRUE(cast->make_array()->ValidateFull().ok());
  EXPECT_TRUE(cast->type()->Equals(*to));
  std::string text = cast->make_array()->ToString();
  std::string tight;
  for (char c : text) {
    if (c != '\n' && c != ' ') tight += c;
  }
  return tight;
}

void ExpectCast(const TypePtr& from, const std::string& json, const TypePtr& to,
                const std::string& expected, bool try_cast = false) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  auto cast = CastTo(FromJson(from, json), to, try_cast, nullptr);
  ASSERT_TRUE(cast.ok()) << cast.status().ToString();
  EXPECT_TRUE(cast->make_array()->ValidateFull().ok());
  EXPECT_TRUE(cast->make_array()->Equals(*FromJson(to, expected)))
      << cast->make_array()->ToString();
}

TEST(Cast, TextToNumbersAndBack) {
  ExpectCast(arrow::utf8(), R"(["1", " -7 ", null])", arrow::int32(), "[1, -7, null]");
  ExpectCast(arrow::utf8(), R"(["1", "x", "99999999999", "1.5"])", arrow::int32(),
             "[1, null, null, null]", true);
  EXPECT_EQ(CastJson(arrow::utf8(), R"(["x"])", arrow::int32()), "InvalidArgument");
  ExpectCast(arrow::float64(), "[1, 0.5, 1e16, 1e-7, null]", arrow::utf8(),
             R"(["1.0", "0.5", "1e16", "1e-7", null])");
  ExpectCast(arrow::utf8(), R"(["t", "FALSE", "maybe"])", arrow::boolean(), "[true, false, null]",
             true);
  ExpectCast(arrow::utf8(), R"(["1.25", "3"])", arrow::decimal128(5, 2), R"(["1.25", "3.00"])");
}

TEST(Cast, NumbersKeepTheirRange) {
  ExpectCast(arrow::float64(), "[1.9, -1.9, null]", arrow::int32(), "[1, -1, null]");
  EXPECT_EQ(CastJson(arrow::float64(), "[3e9]", arrow::int32()), "InvalidArgument");
  ExpectCast(arrow::float64(), "[3e9, 1, NaN]", arrow::int32(), "[null, 1, null]", true);
  EXPECT_EQ(CastJson(arrow::int64(), "[300]", arrow::int8()), "InvalidArgument");
  ExpectCast(arrow::int64(), "[300, 5]", arrow::int8(), "[null, 5]", true);
  ExpectCast(arrow::decimal128(5, 2), R"(["1.25", "-1.25"])", arrow::decimal128(4, 1),
             R"(["1.3", "-1.3"])");
}

TEST(Cast, TextAndMoments) {
  ExpectCast(arrow::utf8(),
             R"(["2024-02-29", "2024-02-29 12:30:05.5", "2024-02-29T01:00:00+01:00"])",
             arrow::timestamp(TimeUnit::MILLI), "[1709164800000, 1709209805500, 1709164800000]");
  ExpectCast(arrow::utf8(), R"(["2024-02-30"])", arrow::date32(), "[null]", true);
  ExpectCast(arrow::timestamp(TimeUnit::MICRO), "[0, 1500000, null]", arrow::utf8(),
             R"(["1970-01-01T00:00:00", "1970-01-01T00:00:01.500", null])");
  ExpectCast(arrow::timestamp(TimeUnit::SECOND, "UTC"), "[0]", arrow::utf8(),
             R"(["1970-01-01T00:00:00Z"])");
  ExpectCast(arrow::timestamp(TimeUnit::SECOND, "+02:00"), "[0]",
             arrow::timestamp(TimeUnit::SECOND), "[7200]");
  ExpectCast(arrow::timestamp(TimeUnit::SECOND), "[7200]",
             arrow::timestamp(TimeUnit::SECOND, "+02:00"), "[0]");
  ExpectCast(arrow::utf8(), R"(["10:20", "10:20:30.25"])", arrow::time64(TimeUnit::MICRO),
             "[37200000000, 37230250000]");
}

TEST(Cast, ListsAndStructs) {
  ExpectCast(arrow::list(arrow::float64()), "[[0.5, 1], null, [2, 3]]",
             arrow::fixed_size_list(arrow::float32(), 2), "[[0.5, 1], null, [2, 3]]");
  EXPECT_EQ(
      CastJson(arrow::list(arrow::float64()), "[[1]]", arrow::fixed_size_list(arrow::float32(), 2)),
      "InvalidArgument");
  ExpectCast(arrow::fixed_size_list(arrow::float32(), 2), "[[0.5, 1], null]",
             arrow::large_list(arrow::float64()), "[[0.5, 1], null]");
  auto from = arrow::struct_({arrow::field("b", arrow::int32()), arrow::field("a", arrow::utf8())});
  auto to = arrow::struct_({arrow::field("a", arrow::utf8()), arrow::field("b", arrow::int64())});
  ExpectCast(from, R"([{"a": "x", "b": 1}, null])", to, R"([{"a": "x", "b": 1}, null])");
  EXPECT_EQ(CastJson(from, R"([{"a": "x", "b": 1}])", arrow::struct_({to->field(0)})),
            "TypeMismatch");
  EXPECT_EQ(CastJson(arrow::list(arrow::int8()), "[[1]]", arrow::int8()), "TypeMismatch");
}

TEST(CommonType, LosesNothing) {
  auto common = [](const TypePtr& a, const TypePtr& b) {
    TypePtr type = CommonType(a, b);
    return type == nullptr ? std::string("none") : type->ToString();
  };
  EXPECT_EQ(common(arrow::null(), arrow::utf8()), "string");
  EXPECT_EQ(common(arrow::int8(), arrow::uint8()), "int16");
  EXPECT_EQ(common(arrow::int64(), arrow::uint64()), "decimal128(20, 0)");
  EXPECT_EQ(common(arrow::int64(), arrow::float32()), "double");
  EXPECT_EQ(common(arrow::dictionary(arrow::int8(), arrow::utf8()), arrow::utf8()), "string");
  EXPECT_EQ(common(arrow::utf8(), arrow::date32()), "date32[day]");
  EXPECT_EQ(common(arrow::utf8(), arrow::int32()), "none");
  EXPECT_EQ(common(arrow::utf8(), arrow::binary()), "none");
}

}  // namespace
}  // namespace glaive::expr
