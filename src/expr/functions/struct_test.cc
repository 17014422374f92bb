// The functions on structs, maps and vectors, against what LanceDB answers.
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "expr/function_fixture.h"

namespace glaive::expr {
namespace {

using arrow::list;

class Structs : public testing::TestWithParam<bool> {
 protected:
  arrow::Datum Column(const TypePtr& type, const std::string& json) const {
    auto array = FromJson(type, json);
    if (!GetParam()) return array;
    return arrow::Concatenate({array, array, array})
        .ValueOrDie()
        ->Slice(array->length(), array->length());
  }

  static arrow::Datum Value(const TypePtr& type, const std::string& json) {
    return FromJson(type, "[" + json + "]")->GetScalar(0).ValueOrDie();
  }

  static arrow::Datum Text(const std::string& value) { return arrow::MakeScalar(value); }

  void Expect(const std::string& function, const std::vector<arrow::Datum>& arguments,
              const TypePtr& type, const std::string& json) {
    SCOPED_TRACE(function);
    auto result = CallFunction(function, arguments);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_TRUE((*result)->ValidateFull().ok()) << (*result)->ValidateFull().ToString();
    auto expected = FromJson(type, json);
    EXPECT_TRUE((*result)->type()->Equals(*type)) << (*result)->type()->ToString();
    EXPECT_TRUE((*result)->ApproxEquals(*expected)) << (*result)->ToString();
  }

  void ExpectError(const std::string& function, const std::vector<arrow::Datum>& arguments,
                   ErrorCode code, const std::string& part) {
    auto result = CallFunction(function, arguments);
    ASSERT_FALSE(result.ok()) << function;
    EXPECT_EQ(ErrorCodeOf(result.status()), code) << result.status().ToString();
    EXPECT_NE(result.status().message().find(part), std::string::npos)
        << result.status().ToString();
  }

  TypePtr inner_ = arrow::struct_({arrow::field("deep", arrow::int64())});
  TypePtr type_ = arrow::struct_({arrow::field("a", arrow::int32()),
                                  arrow::field("b", arrow::utf8()), arrow::field("c", inner_)});
  TypePtr map_type_ = arrow::map(arrow::utf8(), arrow::int64());

  arrow::Datum structs() const {
    return Column(type_, R"([[1,"x",[7]],null,[null,"z",null],[4,null,[null]]])");
  }

  arrow::Datum maps() const {
    return Column(map_type_, R"([[["a",1],["b",2]],[],null,[["b",null]]])");
  }
};

INSTANTIATE_TEST_SUITE_P(WholeAndSliced, Structs, testing::Bool());

TEST_P(Structs, GetField) {
  Expect("get_field", {structs(), Text("a")}, arrow::int32(), "[1,null,null,4]");
  Expect("get_field", {structs(), Text("B")}, arrow::utf8(), R"(["x",null,"z",null])");
  Expect("get_field", {structs(), Text("c"), Text("deep")}, arrow::int64(), "[7,null,null,null]");
  Expect("get_field", {maps(), Text("b")}, arrow::int64(), "[2,null,null,null]");
  Expect("get_field", {maps(), Text("a")}, arrow::int64(), "[1,null,null,null]");
  Expect("get_field", {maps(), Column(arrow::utf8(), R"(["a","a","a","b"])")}, arrow::int64(),
         "[1,null,null,null]");
  Expect("get_field", {Value(type_, R"([5,"q",[8]])"), Text("c"), Text("deep")}, arrow::int64(),
         "[8]");
  ExpectError("get_field", {structs(), Text("zz")}, ErrorCode::kNotFound, "a, b, c");
  ExpectError("get_field", {structs(), Text("a"), Text("b")}, ErrorCode::kTypeMismatch, "int32");
}

TEST_P(Structs, Made) {
  auto x = Column(arrow::int64(), "[1,null,3,4]");
  auto t = Column(arrow::utf8(), R"(["a","b",null,"d"])");
  TypePtr named =
      arrow::struct_({arrow::field("x", arrow::int64()), arrow::field("y", arrow::utf8())});
  Expect("named_struct", {Text("x"), x, Text("y"), t}, named,
         R"([[1,"a"],[null,"b"],[3,null],[4,"d"]])");
  ExpectError("named_struct", {Text("x")}, ErrorCode::kInvalidArgument, "alternate");
  ExpectError("named_struct", {t, x}, ErrorCode::kTypeMismatch, "constant text");
  ExpectError("named_struct", {Text("x"), x, Text("x"), t}, ErrorCode::kInvalidArgument, "twice");
  TypePtr counted =
      arrow::struct_({arrow::field("c0", arrow::int64()), arrow::field("c1", arrow::utf8())});
  Expect("row", {arrow::MakeScalar(int64_t{9}), t}, counted,
         R"([[9,"a"],[9,"b"],[9,null],[9,"d"]])");
}

TEST_P(Structs, Maps) {
  auto keys = Column(list(arrow::utf8()), R"([["a","b"],[],null,["c"]])");
  auto values = Column(list(arrow::int64()), "[[1,null],[],[],[3]]");
  Expect("map", {keys, values}, map_type_, R"([[["a",1],["b",null]],[],null,[["c",3]]])");
  ExpectError("map",
              {Value(list(arrow::utf8()), R"(["a","a"])"), Value(list(arrow::int64()), "[1,2]")},
              ErrorCode::kInvalidArgument, "twice");
  ExpectError("map", {Value(list(arrow::utf8()), "[null]"), Value(list(arrow::int64()), "[1]")},
              ErrorCode::kInvalidArgument, "key is null");
  ExpectError("map", {Value(list(arrow::utf8()), R"(["a"])"), Value(list(arrow::int64()), "[]")},
              ErrorCode::kInvalidArgument, "as many");
  Expect("make_map",
         {Text("k"), Column(arrow::int64(), "[1,null]"), Text("l"), arrow::MakeScalar(int64_t{2})},
         map_type_, R"([[["k",1],["l",2]],[["k",null],["l",2]]])");
  Expect("map_keys", {maps()}, list(arrow::utf8()), R"([["a","b"],[],null,["b"]])");
  Expect("map_values", {maps()}, list(arrow::int64()), "[[1,2],[],null,[null]]");
  Expect("map_entries", {maps()}, list(map_type_->field(0)->type()),
         R"([[["a",1],["b",2]],[],null,[["b",null]]])");
  Expect("map_extract", {maps(), Text("b")}, list(arrow::int64()), "[[2],[],null,[null]]");
  Expect("element_at", {maps(), Text("z")}, list(arrow::int64()), "[[],[],null,[]]");
  ExpectError("map_keys", {structs()}, ErrorCode::kTypeMismatch, "a map is needed");
}

class Vectors : public Structs {
 protected:
  arrow::Datum Of(const TypePtr& element) const {
    return Column(arrow::fixed_size_list(element, 3), "[[1,2,3],[0,0,0],null,[4,5,6],[1,0,0]]");
  }

  arrow::Datum query_ = Value(list(arrow::float64()), "[1,2,3]");
};

INSTANTIATE_TEST_SUITE_P(WholeAndSliced, Vectors, testing::Bool());

TEST_P(Vectors, Distances) {
  for (const TypePtr& element : {arrow::float16(), arrow::float32(), arrow::float64()}) {
    Expect("array_distance", {Of(element), query_}, arrow::float64(),
           "[0.0,3.7416573867739413,null,5.196152422706632,3.605551275463989]");
    Expect("cosine_distance", {query_, Of(element)}, arrow::float64(),
           "[0.0,null,null,0.025368153802923787,0.7327387580875756]");
    Expect("dot_product", {Of(element), query_}, arrow::float64(), "[14,0,null,32,1]");
    Expect("list_distance", {Of(element), Of(element)}, arrow::float64(), "[0,0,null,0,0]");
  }
  Expect("cosine_similarity", {Of(arrow::float32()), query_}, arrow::float64(),
         "[1.0,null,null,0.9746318461970762,0.2672612419124244]");
  Expect("array_distance",
         {Value(list(arrow::int64()), "[1,2]"), Value(list(arrow::int64()), "[3,4]")},
         arrow::float64(), "[2.8284271247461903]");
  Expect("inner_product",
         {Value(list(arrow::float64()), "[1,null]"), Value(list(arrow::int64()), "[3,4]")},
         arrow::float64(), "[null]");
  Expect("inner_product",
         {Value(list(arrow::float64()), "[]"), Value(list(arrow::float64()), "[]")},
         arrow::float64(), "[0]");
  Expect("array_distance", {Of(arrow::float32()), arrow::MakeNullScalar(arrow::null())},
         arrow::float64(), "[null,null,null,null,null]");
  ExpectError("array_distance", {Of(arrow::float32()), Value(list(arrow::float64()), "[1]")},
              ErrorCode::kInvalidArgument, "3 and 1 dimensions");
  ExpectError("array_distance", {Text("x"), query_}, ErrorCode::kTypeMismatch, "a list of numbers");
}

TEST_P(Vectors, Normalized) {
  Expect("array_normalize", {Of(arrow::float32())}, list(arrow::float64()),
         "[[0.2672612419124244,0.5345224838248488,0.8017837257372732],null,null,"
         "[0.4558423058385518,0.5698028822981898,0.6837634587578276],[1,0,0]]");
  Expect("list_normalize", {Column(list(arrow::int64()), "[[],[null,5],[3,4]]")},
         list(arrow::float64()), "[[],null,[0.6,0.8]]");
}

}  // namespace
}  // namespace glaive::expr
