#include "cli/schema_text.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

namespace glaive::cli {
namespace {

TEST(SchemaTextTest, ParsesEveryType) {
  const auto schema = ParseSchema(
      "id: int64 not null, text:string, vector: vector[256], tags: list<string>, "
      "who: struct<name: string, age: int32 not null>, m: map<string, float64>, t: timestamp[us, "
      "UTC], "
      "u: timestamp[s], d: decimal128(20, 4), b: fixed_size_binary[16], f: "
      "fixed_size_list<float16>[3], "
      "w: time32[ms], x: time64[ns], y: duration[s], z: date32");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const auto expected = arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("text", arrow::utf8()),
       arrow::field("vector", arrow::fixed_size_list(arrow::float32(), 256)),
       arrow::field("tags", arrow::list(arrow::utf8())),
       arrow::field("who", arrow::struct_({arrow::field("name", arrow::utf8()),
                                           arrow::field("age", arrow::int32(), false)})),
       arrow::field("m", arrow::map(arrow::utf8(), arrow::float64())),
       arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("u", arrow::timestamp(arrow::TimeUnit::SECOND)),
       arrow::field("d", arrow::decimal128(20, 4)), arrow::field("b", arrow::fixed_size_binary(16)),
       arrow::field("f", arrow::fixed_size_list(arrow::float16(), 3)),
       arrow::field("w", arrow::time32(arrow::TimeUnit::MILLI)),
       arrow::field("x", arrow::time64(arrow::TimeUnit::NANO)),
       arrow::field("y", arrow::duration(arrow::TimeUnit::SECOND)),
       arrow::field("z", arrow::date32())});
  EXPECT_TRUE((*schema)->Equals(expected)) << (*schema)->ToString();
}

TEST(SchemaTextTest, RefusesWithThePlace) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) {
    deep += "list<";
  }
  for (const std::string& text :
       {std::string(), std::string("id"), std::string("id:"), std::string("id: int65"),
        std::string("id: list<int64"), std::string("v: vector[x]"), std::string("v: vector[-1]"),
        std::string("id: int64,"), std::string("t: time32[ns]"), std::string("a: int8 b: int8"),
        "a: " + deep, std::string("d: decimal128(99, 1)")}) {
    const auto status = ParseSchema(text).status();
    EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kInvalidArgument) << text << ": " << status;
  }
  EXPECT_NE(ParseSchema("id: int65").status().message().find("character 5"), std::string::npos);
}

TEST(SchemaTextTest, JsonNamesTypesAndChildren) {
  const auto schema = ParseSchema("who: struct<name: string>, id: int64 not null").ValueOrDie();
  EXPECT_EQ(Line(SchemaJson(*schema)),
            "{\"fields\":[{\"name\":\"who\",\"type\":\"struct<name: "
            "string>\",\"nullable\":true,\"fields\":["
            "{\"name\":\"name\",\"type\":\"string\",\"nullable\":true}]},"
            "{\"name\":\"id\",\"type\":\"int64\",\"nullable\":false}]}\n");
}

}  // namespace
}  // namespace glaive::cli
