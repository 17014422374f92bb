// The JSON functions, on binary documents and on text, against what LanceDB answers.
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "base/jsonb.h"
#include "expr/function_fixture.h"

namespace glaive::expr {
namespace {

const char* const kDocuments[] = {
    R"({"a":{"b":1,"c":"x"},"arr":[1,"two",null,true,{"k":2}],"f":1.5,"t":true,"n":null,"s":"12",)"
    R"("big":12345678901234,"fs":"2.5","bs":"true","i2":3.0})",
    "[1,2,3]",
    "\"str\"",
    nullptr,
    "{}",
    "null",
    "42"};

class Json : public testing::TestWithParam<bool> {
 protected:
  /// The documents, after a null row that is sliced away; as text or in binary form.
  static arrow::Datum Documents() {
    arrow::LargeBinaryBuilder binary;
    arrow::StringBuilder text;
    EXPECT_TRUE(binary.AppendNull().ok());
    EXPECT_TRUE(text.AppendNull().ok());
    for (const char* document : kDocuments) {
      if (document == nullptr) {
        EXPECT_TRUE(binary.AppendNull().ok());
        EXPECT_TRUE(text.AppendNull().ok());
        continue;
      }
      std::string bytes;
      EXPECT_TRUE(jsonb::Encode(document, &bytes).ok());
      EXPECT_TRUE(binary.Append(bytes).ok());
      EXPECT_TRUE(text.Append(document).ok());
    }
    if (GetParam()) return text.Finish().ValueOrDie()->Slice(1);
    return binary.Finish().ValueOrDie()->Slice(1);
  }

  static arrow::Datum Text(const std::string& value) { return arrow::MakeScalar(value); }

  void Expect(const std::string& function, const std::vector<arrow::Datum>& more,
              const TypePtr& type, const std::string& json) {
    std::vector<arrow::Datum> arguments{Documents()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto result = CallFunction(function, arguments);
    ASSERT_TRUE(result.ok()) << function << more[0].ToString() << result.status().ToString();
    auto expected = FromJson(type, json);
    EXPECT_TRUE((*result)->Equals(*expected))
        << function << more[0].scalar()->ToString() << (*result)->ToString();
  }

  /// What json_extract makes of the first document; "" for null.
  std::string First(const std::string& path) {
    auto result = CallFunction("json_extract", {Documents(), Text(path)});
    if (!result.ok()) return result.status().ToString();
    const auto& texts = static_cast<const arrow::StringArray&>(**result);
    return texts.IsNull(0) ? "" : texts.GetString(0);
  }
};

INSTANTIATE_TEST_SUITE_P(BinaryAndText, Json, testing::Bool());

TEST_P(Json, Paths) {
  EXPECT_EQ(First("$.a.b"), "1");
  EXPECT_EQ(First("$.a.c"), "\"x\"");
  EXPECT_EQ(First("$.a"), R"({"b":1,"c":"x"})");
  EXPECT_EQ(First("$.arr[*]"), R"([1,"two",null,true,{"k":2}])");
  EXPECT_EQ(First("$.arr[0]"), "1");
  EXPECT_EQ(First("$.n"), "null");
  EXPECT_EQ(First("$.zz"), "");
  EXPECT_EQ(First("$.arr[last]"), R"({"k":2})");
  EXPECT_EQ(First("$.arr[last - 1]"), "true");
  EXPECT_EQ(First("$.arr[1 to 3]"), R"(["two",null,true])");
  EXPECT_EQ(First("$.arr[0, 1]"), R"([1,"two"])");
  EXPECT_EQ(First("$.arr[-1]"), "");
  EXPECT_EQ(First("$.arr[99]"), "");
  EXPECT_EQ(First("$[\"a\"][\"b\"]"), "1");
  EXPECT_EQ(First("$.\"a\".\"b\""), "1");
  EXPECT_EQ(First("$.a:b"), "1");
  EXPECT_EQ(First("a.b"), "1");
  EXPECT_EQ(First("$.A"), "");
  EXPECT_EQ(First("$.i2"), "3.0");
  EXPECT_EQ(First("$.f[*]"), "1.5");
  EXPECT_EQ(First("$.a[0]"), "");
  EXPECT_EQ(First("$.**.b"), "1");
  EXPECT_EQ(First("$.a.**{1}"), R"([1,"x"])");
  EXPECT_EQ(First("$.a.*"), R"([1,"x"])");
  EXPECT_EQ(First("$.arr[*].k"), "2");
  EXPECT_EQ(First(""), First("$"));
}

TEST_P(Json, Filters) {
  EXPECT_EQ(First("$.arr[*] ? (@ == 1)"), "1");
  EXPECT_EQ(First("$.arr[*] ? (@.k == 2)"), R"({"k":2})");
  EXPECT_EQ(First("$.a ? (@.b == 1 && @.c == \"x\")"), R"({"b":1,"c":"x"})");
  EXPECT_EQ(First("$.a ? (exists(@.b))"), R"({"b":1,"c":"x"})");
  EXPECT_EQ(First("$.a ? (!(@.b > 0))"), "");
  EXPECT_EQ(First("$.a?(@.b == $.a.b).c"), "\"x\"");
  EXPECT_EQ(First("$.s ? (@ starts with \"1\")"), "\"12\"");
  EXPECT_EQ(First("$.arr[*] ? (@ == \"two\" || @ == 1)"), R"([1,"two"])");
  EXPECT_EQ(First("$.a.b == 1"), "true");
  EXPECT_EQ(First("$.a.b > 1.5"), "false");
}

TEST_P(Json, BadPaths) {
  for (const char* path : {"$.", "$[", "$..b", "$.a.b + 1", "$[1", "$.a ? (", "$.a ? (@ == )",
                           "strict $.a", "$.\"a", "$[99999999999999999999]", "$.a ? (@ = 1)"}) {
    EXPECT_NE(First(path).find("JSON path"), std::string::npos) << path << ": " << First(path);
  }
  std::string deep = "$ ? (";
  for (int i = 0; i < 100000; ++i) deep += "(";
  EXPECT_NE(First(deep).find("less nesting"), std::string::npos);
  std::string nots = "$ ? (";
  for (int i = 0; i < 100000; ++i) nots += "!";
  EXPECT_NE(First(nots).find("less nesting"), std::string::npos);
}

TEST_P(Json, ExistsAndArrays) {
  Expect("json_exists", {Text("$.a.b")}, arrow::boolean(),
         "[true,false,false,null,false,false,false]");
  Expect("json_exists", {Text("$.n")}, arrow::boolean(),
         "[true,false,false,null,false,false,false]");
  Expect("json_exists", {Text("$.a.b ? (@ > 5)")}, arrow::boolean(),
         "[false,false,false,null,false,false,false]");
  for (const char* value : {"two", "1", "null", "true", "\"two\""}) {
    Expect("json_array_contains", {Text("$.arr"), Text(value)}, arrow::boolean(),
           "[true,false,false,null,false,false,false]");
  }
  Expect("json_array_contains", {Text("$"), arrow::MakeScalar(int64_t{2})}, arrow::boolean(),
         "[false,true,false,null,false,false,false]");
  Expect("json_array_contains", {Text("$.arr"), arrow::MakeNullScalar(arrow::utf8())},
         arrow::boolean(), "[null,null,null,null,null,null,null]");
  Expect("json_array_length", {Text("$.arr")}, arrow::int64(), "[5,null,null,null,null,null,null]");
  Expect("json_array_length", {Text("$")}, arrow::int64(), "[0,3,0,null,0,0,0]");
}

TEST_P(Json, Get) {
  auto first = [&](const std::string& function, const char* key, const TypePtr& type,
                   const std::string& json) {
    Expect(function, {Text(key)}, type, "[" + json + ",null,null,null,null,null,null]");
  };
  first("json_get_string", "f", arrow::utf8(), "\"1.5\"");
  first("json_get_string", "s", arrow::utf8(), "\"12\"");
  first("json_get_string", "t", arrow::utf8(), "\"true\"");
  first("json_get_string", "a", arrow::utf8(), "null");
  first("json_get_string", "n", arrow::utf8(), "null");
  first("json_get_int", "f", arrow::int64(), "2");
  first("json_get_int", "s", arrow::int64(), "12");
  first("json_get_int", "big", arrow::int64(), "12345678901234");
  first("json_get_int", "t", arrow::int64(), "1");
  first("json_get_int", "fs", arrow::int64(), "3");
  first("json_get_int", "a", arrow::int64(), "null");
  first("json_get_float", "fs", arrow::float64(), "2.5");
  first("json_get_float", "t", arrow::float64(), "1");
  first("json_get_bool", "t", arrow::boolean(), "true");
  first("json_get_bool", "bs", arrow::boolean(), "true");
  first("json_get_bool", "s", arrow::boolean(), "null");
  Expect("json_get_int", {arrow::MakeScalar(int64_t{0})}, arrow::int64(),
         "[null,1,null,null,null,null,null]");
  Expect("json_get_int", {Text("-1")}, arrow::int64(), "[null,null,null,null,null,null,null]");
  auto inner = CallFunction("json_get", {Documents(), Text("a")});
  ASSERT_TRUE(inner.ok()) << inner.status().ToString();
  auto b = CallFunction("json_get_int", {*inner, Text("b")});
  ASSERT_TRUE(b.ok()) << b.status().ToString();
  EXPECT_TRUE((*b)->Equals(*FromJson(arrow::int64(), "[1,null,null,null,null,null,null]")));
}

TEST(JsonErrors, SayWhatIsWrong) {
  auto bad = CallFunction(
      "json_get", {FromJson(arrow::utf8(), R"(["{"])"), arrow::MakeScalar(std::string("a"))});
  EXPECT_EQ(ErrorCodeOf(bad.status()), ErrorCode::kInvalidArgument);
  bad = CallFunction("json_get",
                     {FromJson(arrow::int64(), "[1]"), arrow::MakeScalar(std::string("a"))});
  EXPECT_EQ(ErrorCodeOf(bad.status()), ErrorCode::kTypeMismatch);
  arrow::LargeBinaryBuilder junk;
  ASSERT_TRUE(junk.Append("\xff\xff\xff\xff\xff").ok());
  bad = CallFunction("json_extract",
                     {junk.Finish().ValueOrDie(), arrow::MakeScalar(std::string("$.a"))});
  EXPECT_FALSE(bad.ok());
}

}  // namespace
}  // namespace glaive::expr
