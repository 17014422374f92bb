// The functions on lists, against what LanceDB answers on the same table of five rows.
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "expr/function_fixture.h"

namespace glaive::expr {
namespace {

using arrow::list;

arrow::Datum Value(const TypePtr& type, const std::string& json) {
  return FromJson(type, "[" + json + "]")->GetScalar(0).ValueOrDie();
}

arrow::Datum Number(int64_t value) {
  return arrow::MakeScalar(value);
}

arrow::Datum Text(const std::string& value) {
  return arrow::MakeScalar(value);
}

arrow::Datum Null(const TypePtr& type = arrow::null()) {
  return arrow::MakeNullScalar(type);
}

arrow::Datum Numbers(const std::string& json) {
  return Value(list(arrow::int64()), json);
}

/// The columns of the table: whole, or as a slice out of a longer array.
struct Table {
  bool sliced = false;

  arrow::Datum Column(const TypePtr& type, const std::string& json) const {
    auto array = FromJson(type, json);
    if (!sliced) return array;
    return arrow::Concatenate({array, array, array}).ValueOrDie()->Slice(5, 5);
  }

  arrow::Datum l() const {
    return Column(list(arrow::int64()), "[[1,2,3,2],[],null,[null,5],[7]]");
  }

  arrow::Datum m() const { return Column(list(arrow::int64()), "[[2,9],[1],[1],[5,null],null]"); }

  arrow::Datum s() const {
    return Column(list(arrow::utf8()), R"([["a","b","a"],[],null,[null,"c"],[""]])");
  }

  arrow::Datum n() const {
    return Column(list(list(arrow::int32())), "[[[1,2],[3]],[[]],null,[null,[5,null]],[]]");
  }

  arrow::Datum x() const { return Column(arrow::int64(), "[2,1,1,null,0]"); }

  arrow::Datum t() const { return Column(arrow::utf8(), R"(["a","b","c",null,""])"); }

  arrow::Datum v() const {
    return Column(arrow::fixed_size_list(arrow::float32(), 3),
                  "[[1,2,3],[0,0,0],null,[4,5,6],[1,0,0]]");
  }

  arrow::Datum f() const {
    return Column(list(arrow::float64()), "[[1.0,2.5],[],null,[null,NaN],[Inf]]");
  }
};

class Lists : public testing::TestWithParam<bool> {
 protected:
  Table c{GetParam()};

  void Expect(const std::string& function, const std::vector<arrow::Datum>& arguments,
              const TypePtr& type, const std::string& json) {
    SCOPED_TRACE(function);
    auto result = CallFunction(function, arguments);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_TRUE((*result)->ValidateFull().ok()) << (*result)->ValidateFull().ToString();
    auto expected = FromJson(type, json);
    EXPECT_TRUE((*result)->type()->Equals(*type)) << (*result)->type()->ToString();
    EXPECT_TRUE((*result)->Equals(*expected, arrow::EqualOptions::Defaults().nans_equal(true)))
        << (*result)->ToString() << "\nexpected " << expected->ToString();
  }

  void ExpectNumbers(const std::string& function, const std::vector<arrow::Datum>& arguments,
                     const std::string& json) {
    Expect(function, arguments, list(arrow::int64()), json);
  }

  void ExpectBools(const std::string& function, const std::vector<arrow::Datum>& arguments,
                   const std::string& json) {
    Expect(function, arguments, arrow::boolean(), json);
  }

  void ExpectCounts(const std::string& function, const std::vector<arrow::Datum>& arguments,
                    const std::string& json) {
    Expect(function, arguments, arrow::uint64(), json);
  }

  void ExpectError(const std::string& function, const std::vector<arrow::Datum>& arguments,
                   ErrorCode code, const std::string& part) {
    auto result = CallFunction(function, arguments);
    ASSERT_FALSE(result.ok()) << function;
    EXPECT_EQ(ErrorCodeOf(result.status()), code) << result.status().ToString();
    EXPECT_NE(result.status().message().find(part), std::string::npos)
        << result.status().ToString();
  }
};

INSTANTIATE_TEST_SUITE_P(WholeAndSliced, Lists, testing::Bool());

TEST_P(Lists, Has) {
  ExpectBools("array_has", {c.l(), Number(2)}, "[true,false,null,false,false]");
  ExpectBools("list_contains", {c.l(), c.x()}, "[true,false,null,null,false]");
  ExpectBools("array_has", {c.l(), Null()}, "[null,null,null,null,null]");
  ExpectBools("array_has", {c.s(), Text("a")}, "[true,false,null,false,false]");
  ExpectBools("array_has", {c.s(), c.t()}, "[true,false,null,null,true]");
  ExpectBools("array_has", {c.n(), Numbers("[1,2]")}, "[true,false,null,false,false]");
  ExpectBools("array_has", {c.n(), Numbers("[5,null]")}, "[false,false,null,true,false]");
  ExpectBools("array_has", {c.v(), arrow::MakeScalar(1.0)}, "[true,false,null,false,true]");
  ExpectBools("array_has", {c.l(), arrow::MakeScalar(2.0)}, "[true,false,null,false,false]");
  ExpectBools("array_has", {c.l(), arrow::MakeScalar(2.5)}, "[false,false,null,false,false]");
  ExpectBools("array_has", {Numbers("[1,2,null]"), Number(2)}, "[true]");
  ExpectBools("array_has", {Numbers("[1,2,null]"), c.x()}, "[true,true,true,null,false]");
  ExpectBools("array_has", {Null(), Number(2)}, "[null]");
}

TEST_P(Lists, HasAnyAndAll) {
  ExpectBools("array_has_any", {c.l(), Numbers("[2,5]")}, "[true,false,null,true,false]");
  ExpectBools("arrays_overlap", {c.l(), c.m()}, "[true,false,null,true,null]");
  ExpectBools("list_has_any", {c.s(), Value(list(arrow::utf8()), R"(["a","z"])")},
              "[true,false,null,false,false]");
  ExpectBools("array_has_any", {Value(list(arrow::utf8()), R"(["a","z"])"), c.s()},
              "[true,false,null,false,false]");
  ExpectBools("array_has_any", {c.l(), Numbers("[]")}, "[false,false,null,false,false]");
  ExpectBools("array_has_any", {c.l(), Numbers("[null]")}, "[false,false,null,true,false]");
  ExpectBools("array_has_any", {c.l(), Null()}, "[null,null,null,null,null]");
  ExpectBools("array_has_all", {c.l(), Numbers("[2,3]")}, "[true,false,null,false,false]");
  ExpectBools("array_has_all", {c.l(), Numbers("[2,2]")}, "[true,false,null,false,false]");
  ExpectBools("array_has_all", {c.l(), c.m()}, "[false,false,null,true,null]");
  ExpectBools("array_has_all", {c.l(), Numbers("[]")}, "[true,true,null,true,true]");
  ExpectBools("array_has_all", {c.l(), Numbers("[null]")}, "[false,false,null,true,false]");
  ExpectBools("array_has_all", {Numbers("[1,2,9,null,5]"), c.m()}, "[true,true,true,true,null]");
  ExpectBools("array_has_any", {c.l(), Numbers("[11,12,13,14,15,16,17,18,19,5,20]")},
              "[false,false,null,true,false]");
  ExpectBools("array_has_any", {c.n(), Value(list(list(arrow::int64())), "[[3],[9]]")},
              "[true,false,null,false,false]");
  ExpectBools("array_has_any", {c.f(), Value(list(arrow::float64()), "[NaN]")},
              "[false,false,null,true,false]");
}

TEST_P(Lists, Shape) {
  ExpectCounts("array_length", {c.l()}, "[4,0,null,2,1]");
  ExpectCounts("list_length", {c.l(), Number(1)}, "[4,0,null,2,1]");
  ExpectCounts("array_length", {c.l(), Number(2)}, "[null,null,null,null,null]");
  ExpectCounts("array_length", {c.n(), Number(2)}, "[2,0,null,0,null]");
  ExpectCounts("array_length", {c.l(), Number(0)}, "[null,null,null,null,null]");
  ExpectCounts("array_length", {c.v()}, "[3,3,null,3,3]");
  ExpectCounts("cardinality", {c.l()}, "[4,0,null,2,1]");
  ExpectCounts("cardinality", {c.n()}, "[3,0,null,2,0]");
  ExpectCounts("array_ndims", {c.n()}, "[2,2,null,2,2]");
  ExpectCounts("array_ndims", {c.v()}, "[1,1,null,1,1]");
  Expect("array_dims", {c.l()}, list(arrow::uint64()), "[[4],null,null,[2],[1]]");
  Expect("array_dims", {c.n()}, list(arrow::uint64()), "[[2,2],[1,0],null,[2,0],null]");
  ExpectBools("empty", {c.l()}, "[false,true,null,false,false]");
  ExpectBools("array_empty", {c.v()}, "[false,false,null,false,false]");
  ExpectCounts("cardinality",
               {Value(arrow::map(arrow::utf8(), arrow::int32()), R"([["a",1],["b",2]])")}, "[2]");
}

TEST_P(Lists, Pick) {
  Expect("array_element", {c.l(), Number(1)}, arrow::int64(), "[1,null,null,null,7]");
  Expect("array_element", {c.l(), Number(-1)}, arrow::int64(), "[2,null,null,5,7]");
  Expect("list_extract", {c.l(), Number(0)}, arrow::int64(), "[null,null,null,null,null]");
  Expect("array_element", {c.l(), c.x()}, arrow::int64(), "[2,null,null,null,null]");
  Expect("array_element", {c.v(), Number(2)}, arrow::float32(), "[2,0,null,5,0]");
  Expect("array_element", {c.s(), Number(2)}, arrow::utf8(), R"(["b",null,null,"c",null])");
  Expect("array_element", {c.l(), Number(std::numeric_limits<int64_t>::min())}, arrow::int64(),
         "[null,null,null,null,null]");
  Expect("array_element", {Numbers("[4,6,8]"), c.x()}, arrow::int64(), "[6,4,4,null,null]");
  Expect("array_any_value", {c.l()}, arrow::int64(), "[1,null,null,5,7]");
  Expect("array_any_value", {c.n()}, list(arrow::int32()), "[[1,2],[],null,[5,null],null]");
  Expect("array_max", {c.l()}, arrow::int64(), "[3,null,null,5,7]");
  Expect("array_max", {c.s()}, arrow::utf8(), R"(["b",null,null,"c",""])");
  Expect("array_max", {c.f()}, arrow::float64(), "[2.5,null,null,NaN,Inf]");
  Expect("array_min", {c.f()}, arrow::float64(), "[1,null,null,NaN,Inf]");
  Expect("array_max", {c.n()}, list(arrow::int32()), "[[3],[],null,[5,null],null]");
  Expect("array_min", {Value(list(arrow::float64()), "[NaN,1,-2]")}, arrow::float64(), "[-2]");
  Expect("array_sum", {c.l()}, arrow::int64(), "[8,null,null,5,7]");
  Expect("array_sum", {c.v()}, arrow::float64(), "[6,0,null,15,1]");
  ExpectError("array_sum", {Numbers("[9223372036854775807,1]")}, ErrorCode::kInvalidArgument,
              "does not fit");
}

TEST_P(Lists, Position) {
  ExpectCounts("array_position", {c.l(), Number(2)}, "[2,null,null,null,null]");
  ExpectCounts("array_position", {c.l(), Number(2), Number(3)}, "[4,null,null,null,null]");
  ExpectCounts("array_position", {c.l(), Null()}, "[null,null,null,1,null]");
  ExpectCounts("list_indexof", {c.l(), Number(2), Number(0)}, "[null,null,null,null,null]");
  ExpectCounts("array_position", {c.l(), c.x()}, "[2,null,null,1,null]");
  Expect("array_positions", {c.l(), Number(2)}, list(arrow::uint64()), "[[2,4],[],null,[],[]]");
  Expect("array_positions", {c.l(), Null()}, list(arrow::uint64()), "[[],[],null,[1],[]]");
}

TEST_P(Lists, ToText) {
  Expect("array_to_string", {c.l(), Text(",")}, arrow::utf8(), R"(["1,2,3,2","",null,"5","7"])");
  Expect("array_join", {c.l(), Text(","), Text("N")}, arrow::utf8(),
         R"(["1,2,3,2","",null,"N,5","7"])");
  Expect("array_to_string", {c.n(), Text(","), Text("*")}, arrow::utf8(),
         R"(["1,2,3","",null,"*,5,*",""])");
  Expect("array_to_string", {c.f(), Text(",")}, arrow::utf8(), R"(["1,2.5","",null,"NaN","inf"])");
  Expect("array_to_string", {c.s(), c.t()}, arrow::utf8(), R"(["aabaa","",null,null,""])");
  Expect("array_to_string", {c.v(), Text(",")}, arrow::utf8(),
         R"(["1,2,3","0,0,0",null,"4,5,6","1,0,0"])");
  Expect("array_to_string", {Value(list(arrow::boolean()), "[true,false]"), Text("/")},
         arrow::utf8(), R"(["true/false"])");
}

TEST_P(Lists, Sort) {
  ExpectNumbers("array_sort", {c.l()}, "[[1,2,2,3],[],null,[null,5],[7]]");
  ExpectNumbers("list_sort", {c.l(), Text("DESC")}, "[[3,2,2,1],[],null,[null,5],[7]]");
  ExpectNumbers("array_sort", {c.l(), Text("desc"), Text("nulls last")},
                "[[3,2,2,1],[],null,[5,null],[7]]");
  ExpectNumbers("array_sort", {c.l(), Null()}, "[null,null,null,null,null]");
  ExpectError("array_sort", {c.l(), Text("foo")}, ErrorCode::kInvalidArgument, "'foo'");
  Expect("array_sort", {Value(list(arrow::float64()), "[NaN,null,1,-3]")}, list(arrow::float64()),
         "[[null,-3,1,NaN]]");
  Expect("array_sort", {Value(list(list(arrow::int32())), "[[2],[1,5],[1],null]")},
         list(list(arrow::int32())), "[[null,[1],[1,5],[2]]]");
  Expect("array_sort", {c.v()}, list(arrow::float32()), "[[1,2,3],[0,0,0],null,[4,5,6],[0,0,1]]");
}

TEST_P(Lists, Slice) {
  auto slice = [&](int64_t from, int64_t to, const std::string& json) {
    ExpectNumbers("array_slice", {c.l(), Number(from), Number(to)}, json);
  };
  slice(1, 2, "[[1,2],[],null,[null,5],[7]]");
  slice(2, 9, "[[2,3,2],[],null,[5],[]]");
  slice(-2, -1, "[[3,2],[],null,[null,5],[7]]");
  slice(0, 2, "[[1,2],[],null,[null,5],[7]]");
  slice(3, 1, "[[],[],null,[],[]]");
  slice(-9, 2, "[[1,2],[],null,[null,5],[7]]");
  slice(-3, -2, "[[2,3],[],null,[null],[]]");
  slice(-1, 1, "[[],[],null,[],[7]]");
  slice(1, 0, "[[],[],null,[],[]]");
  slice(2, -2, "[[2,3],[],null,[],[]]");
  slice(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
        "[[1,2,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("array_slice", {c.l(), Number(1), Number(4), Number(2)},
                "[[1,3],[],null,[null],[7]]");
  ExpectNumbers("array_slice", {c.l(), Number(4), Number(1), Number(-1)},
                "[[2,3,2,1],[],null,[],[]]");
  ExpectNumbers("array_slice",
                {c.l(), Number(1), Number(4), Number(std::numeric_limits<int64_t>::max())},
                "[[1],[],null,[null],[7]]");
  ExpectNumbers("array_slice", {c.l(), c.x(), Number(2)}, "[[2],[],null,null,[7]]");
  ExpectError("array_slice", {c.l(), Number(1), Number(4), Number(0)}, ErrorCode::kInvalidArgument,
              "stride is 0");
  Expect("array_slice", {c.v(), Number(1), Number(2)}, list(arrow::float32()),
         "[[1,2],[0,0],null,[4,5],[1,0]]");
}

TEST_P(Lists, Join) {
  ExpectNumbers("array_concat", {c.l(), c.m()}, "[[1,2,3,2,2,9],[1],[1],[null,5,5,null],[7]]");
  ExpectNumbers("list_cat", {c.l(), Null()}, "[[1,2,3,2],[],null,[null,5],[7]]");
  Expect("array_concat", {c.l(), Value(list(arrow::float64()), "[2.5]")}, list(arrow::float64()),
         "[[1,2,3,2,2.5],[2.5],[2.5],[null,5,2.5],[7,2.5]]");
  Expect("array_concat", {c.n(), c.l()}, list(list(arrow::int64())),
         "[[[1,2],[3],[1,2,3,2]],[[],[]],[null],[null,[5,null],[null,5]],[[7]]]");
  Expect("array_concat", {c.v(), c.v()}, list(arrow::float32()),
         "[[1,2,3,1,2,3],[0,0,0,0,0,0],null,[4,5,6,4,5,6],[1,0,0,1,0,0]]");
  ExpectNumbers("array_append", {c.l(), c.x()}, "[[1,2,3,2,2],[1],[1],[null,5,null],[7,0]]");
  ExpectNumbers("list_push_back", {c.l(), Null()},
                "[[1,2,3,2,null],[null],[null],[null,5,null],"
                "[7,null]]");
  Expect("array_append", {c.s(), Text("z")}, list(arrow::utf8()),
         R"([["a","b","a","z"],["z"],["z"],[null,"c","z"],["","z"]])");
  Expect("array_append", {c.v(), arrow::MakeScalar(2.5)}, list(arrow::float32()),
         "[[1,2,3,2.5],[0,0,0,2.5],[2.5],[4,5,6,2.5],[1,0,0,2.5]]");
  ExpectNumbers("array_prepend", {c.x(), c.l()}, "[[2,1,2,3,2],[1],[1],[null,null,5],[0,7]]");
  ExpectNumbers("list_push_front", {Number(9), c.l()}, "[[9,1,2,3,2],[9],[9],[9,null,5],[9,7]]");
}

TEST_P(Lists, RemoveAndReplace) {
  ExpectNumbers("array_remove", {c.l(), Number(2)}, "[[1,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("array_remove", {c.l(), Null()}, "[null,null,null,null,null]");
  ExpectNumbers("array_remove", {c.l(), c.x()}, "[[1,3,2],[],null,null,[7]]");
  ExpectNumbers("array_remove_n", {c.l(), Number(2), Number(1)}, "[[1,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("array_remove_n", {c.l(), Number(2), Number(-1)},
                "[[1,2,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("list_remove_all", {c.l(), Number(2)}, "[[1,3],[],null,[null,5],[7]]");
  ExpectNumbers("array_replace", {c.l(), Number(2), Number(9)}, "[[1,9,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("array_replace", {c.l(), Number(2), Null()}, "[[1,null,3,2],[],null,[null,5],[7]]");
  ExpectNumbers("array_replace", {c.l(), Null(), Number(9)}, "[[1,2,3,2],[],null,[9,5],[7]]");
  ExpectNumbers("array_replace_n", {c.l(), Number(2), Number(9), Number(2)},
                "[[1,9,3,9],[],null,[null,5],[7]]");
  ExpectNumbers("array_replace_all", {c.l(), Number(2), Number(9)},
                "[[1,9,3,9],[],null,[null,5],[7]]");
}

TEST_P(Lists, Sets) {
  ExpectNumbers("array_distinct", {c.l()}, "[[1,2,3],[],null,[null,5],[7]]");
  Expect("array_distinct", {c.s()}, list(arrow::utf8()), R"([["a","b"],[],null,[null,"c"],[""]])");
  Expect("array_distinct", {Value(list(arrow::float64()), "[NaN,NaN,0.0,-0.0,null,null]")},
         list(arrow::float64()), "[[NaN,0,null]]");
  Expect("array_distinct", {Value(list(list(arrow::int32())), "[[1],[1],[1,2],null,[],null]")},
         list(list(arrow::int32())), "[[[1],[1,2],null,[]]]");
  ExpectNumbers("array_except", {c.l(), c.m()}, "[[1,3],[],null,[],null]");
  ExpectNumbers("array_except", {c.l(), Numbers("[]")}, "[[1,2,3],[],null,[null,5],[7]]");
  ExpectNumbers("array_except", {c.l(), Null()}, "[null,null,null,null,null]");
  ExpectNumbers("array_intersect", {c.l(), c.m()}, "[[2],[],null,[null,5],null]");
  ExpectNumbers("list_intersect", {c.l(), Numbers("[2,2,1]")}, "[[1,2],[],null,[],[]]");
  ExpectNumbers("array_union", {c.l(), c.m()}, "[[1,2,3,9],[1],null,[null,5],null]");
  ExpectNumbers("array_union", {Numbers("[3,1,3,null,null]"), Numbers("[1,4]")}, "[[3,1,null,4]]");
}

TEST_P(Lists, Edits) {
  ExpectNumbers("array_reverse", {c.l()}, "[[2,3,2,1],[],null,[5,null],[7]]");
  ExpectNumbers("array_pop_back", {c.l()}, "[[1,2,3],[],null,[null],[]]");
  ExpectNumbers("array_pop_front", {c.l()}, "[[2,3,2],[],null,[5],[]]");
  ExpectNumbers("array_compact", {c.l()}, "[[1,2,3,2],[],null,[5],[7]]");
  ExpectNumbers("array_resize", {c.l(), Number(3)},
                "[[1,2,3],[null,null,null],null,[null,5,null],[7,null,null]]");
  ExpectNumbers("array_resize", {c.l(), c.x(), Number(7)}, "[[1,2],[7],null,null,[]]");
  ExpectNumbers("array_resize", {c.l(), Number(3), c.x()},
                "[[1,2,3],[1,1,1],null,[null,5,null],[7,0,0]]");
  ExpectError("array_resize", {c.l(), Number(-1)}, ErrorCode::kInvalidArgument, "size -1");
  ExpectError("array_resize", {c.l(), Number(int64_t{1} << 40)}, ErrorCode::kInvalidArgument,
              "array_resize");
  Expect("flatten", {c.n()}, list(arrow::int32()), "[[1,2,3],[],null,[5,null],[]]");
  ExpectNumbers("flatten", {c.l()}, "[[1,2,3,2],[],null,[null,5],[7]]");
  Expect("flatten", {Value(list(list(list(arrow::int32()))), "[[[1,2]],[[3]]]")},
         list(list(arrow::int32())), "[[[1,2],[3]]]");
}

TEST_P(Lists, Made) {
  ExpectNumbers("make_array", {c.x(), Number(1), Null()},
                "[[2,1,null],[1,1,null],[1,1,null],[null,1,null],[0,1,null]]");
  Expect("make_array", {Number(1), arrow::MakeScalar(2.5)}, list(arrow::float64()), "[[1,2.5]]");
  Expect("make_array", {}, list(arrow::null()), "[[]]");
  Expect("make_list", {c.l(), c.m()}, list(list(arrow::int64())),
         "[[[1,2,3,2],[2,9]],[[],[1]],[null,[1]],[[null,5],[5,null]],[[7],null]]");
  ExpectNumbers("range", {Number(5)}, "[[0,1,2,3,4]]");
  ExpectNumbers("range", {Number(1), Number(10), Number(3)}, "[[1,4,7]]");
  ExpectNumbers("range", {Number(5), Number(1), Number(-2)}, "[[5,3]]");
  ExpectNumbers("range", {c.x()}, "[[0,1],[0],[0],null,[]]");
  ExpectNumbers("range", {Number(5), Number(1)}, "[[]]");
  ExpectNumbers("range", {Null()}, "[null]");
  ExpectNumbers(
      "range",
      {Number(std::numeric_limits<int64_t>::min()), Number(std::numeric_limits<int64_t>::max()),
       Number(std::numeric_limits<int64_t>::max())},
      "[[-9223372036854775808,-1,9223372036854775806]]");
  ExpectError("range", {Number(1), Number(5), Number(0)}, ErrorCode::kInvalidArgument, "step is 0");
  ExpectError("range", {Number(int64_t{1} << 40)}, ErrorCode::kInvalidArgument, "more than");
  ExpectNumbers("generate_series", {Number(3)}, "[[0,1,2,3]]");
  ExpectNumbers("generate_series", {Number(5), Number(1), Number(-2)}, "[[5,3,1]]");
  ExpectNumbers("array_repeat", {c.x(), Number(2)}, "[[2,2],[1,1],[1,1],[null,null],[0,0]]");
  Expect("array_repeat", {c.t(), c.x()}, list(arrow::utf8()), R"([["a","a"],["b"],["c"],null,[]])");
  ExpectNumbers("array_repeat", {Number(1), Number(-1)}, "[[]]");
  ExpectError("array_repeat", {Number(1), Number(int64_t{1} << 40)}, ErrorCode::kInvalidArgument,
              "array_repeat");
  TypePtr pairs =
      list(arrow::struct_({arrow::field("1", arrow::int64()), arrow::field("2", arrow::int64())}));
  Expect("arrays_zip", {c.l(), c.m()}, pairs,
         "[[[1,2],[2,9],[3,null],[2,null]],[[null,1]],[[null,1]],[[null,5],[5,null]],[[7,null]]]");
}

TEST_P(Lists, OtherElements) {
  TypePtr person =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())});
  arrow::Datum people =
      c.Column(list(person), R"([[[1,"x"],[1,"x"],[2,"y"]],[],null,[null,[1,"x"]],[[1,null]]])");
  ExpectBools("array_has", {people, Value(person, R"([1,"x"])")}, "[true,false,null,true,false]");
  Expect("array_distinct", {people}, list(person),
         R"([[[1,"x"],[2,"y"]],[],null,[null,[1,"x"]],[[1,null]]])");
  Expect("array_max", {people}, person, R"([[2,"y"],null,null,[1,"x"],[1,null]])");
  arrow::Datum big =
      c.Column(arrow::large_list(arrow::large_utf8()), R"([["a","b"],[],null,[null,"a"],["c"]])");
  ExpectBools("array_has", {big, Text("a")}, "[true,false,null,true,false]");
  Expect("array_reverse", {big}, arrow::large_list(arrow::large_utf8()),
         R"([["b","a"],[],null,["a",null],["c"]])");
  arrow::Datum decimals = c.Column(list(arrow::decimal128(9, 2)),
                                   R"([["1.50","0.25"],[],null,[null,"9.00"],["1.50"]])");
  Expect("array_sort", {decimals}, list(arrow::decimal128(9, 2)),
         R"([["0.25","1.50"],[],null,[null,"9.00"],["1.50"]])");
  ExpectBools("array_has", {decimals, Value(arrow::decimal128(9, 2), R"("1.50")")},
              "[true,false,null,false,true]");
  arrow::Datum dates = c.Column(list(arrow::date32()), "[[1,2],[],null,[null,3],[1]]");
  ExpectBools("array_has", {dates, Value(arrow::date32(), "1")}, "[true,false,null,false,true]");
  Expect("array_max", {dates}, arrow::date32(), "[2,null,null,3,1]");
  arrow::Datum words = c.Column(list(arrow::dictionary(arrow::int8(), arrow::utf8())),
                                R"([["a","b"],[],null,[null,"a"],["c"]])");
  ExpectBools("array_has", {words, Text("a")}, "[true,false,null,true,false]");
  Expect("array_distinct", {words}, list(arrow::utf8()), R"([["a","b"],[],null,[null,"a"],["c"]])");
}

TEST_P(Lists, WrongTypesAreNamed) {
  ExpectError("array_has", {c.x(), Number(1)}, ErrorCode::kTypeMismatch,
              "array_has: argument 1 is int64; a list is needed");
  ExpectError("array_has", {c.l(), Value(arrow::boolean(), "true")}, ErrorCode::kTypeMismatch,
              "argument 2");
  ExpectError("array_element", {c.l(), Text("1")}, ErrorCode::kTypeMismatch, "an integer");
  ExpectError("array_to_string", {c.l(), Number(1)}, ErrorCode::kTypeMismatch, "text");
  ExpectError("array_sum", {c.s()}, ErrorCode::kTypeMismatch, "numbers");
}

}  // namespace
}  // namespace glaive::expr
