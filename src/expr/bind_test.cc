#include "expr/bind.h"

#include <limits>

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expr/function_fixture.h"
#include "expr/parse.h"

namespace glaive::expr {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<arrow::RecordBatch> Sample() {
  struct Column {
    const char* name;
    TypePtr type;
    const char* json;
  };

  const Column columns[] = {
      {"id", arrow::int64(), "[1, 2, 3, 4, 5]"},
      {"i32", arrow::int32(), "[0, -7, null, 2147483647, 5]"},
      {"u8", arrow::uint8(), "[0, 255, null, 3, 5]"},
      {"u64", arrow::uint64(), "[0, 18446744073709551615, null, 3, 5]"},
      {"d", arrow::float64(), "[1.5, NaN, null, 3.5, Inf]"},
      {"f", arrow::float32(), "[0.1, NaN, null, 3.5, -1]"},
      {"h", arrow::float16(), "[0.5, NaN, null, 3.5, -1]"},
      {"s", arrow::utf8(), R"(["a", "B", null, "", "ab%c"])"},
      {"dict", arrow::dictionary(arrow::int32(), arrow::utf8()), R"(["a", "B", null, "a", "c"])"},
      {"b", arrow::boolean(), "[true, false, null, true, false]"},
      {"ts", arrow::timestamp(arrow::TimeUnit::MICRO), "[0, 1, null, 86400000000, 5]"},
      {"tz", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[0, 1, null, 86400000000, 5]"},
      {"dt", arrow::date32(), "[0, 1, null, 3, 4]"},
      {"dec", arrow::decimal128(10, 2), R"(["1.50", "-2.25", null, "3.00", "99.99"])"},
      {"l", arrow::list(arrow::int64()), "[[1, 2, 3], [], null, [null, 4], [5]]"},
      {"bin", arrow::binary(), R"(["a", "b", null, "", "z"])"},
      {"vec", arrow::fixed_size_list(arrow::float32(), 2),
       "[[1, 2], [3, 4], null, [5, 6], [0, 0]]"},
      {"st", arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("Y", arrow::utf8())}),
       R"([{"x": 1, "Y": "p"}, {"x": null, "Y": "q"}, null, {"x": 4, "Y": "r"}, {"x": 5, "Y": "s"}])"},
  };
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const Column& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    auto array = column.type->id() == arrow::Type::DICTIONARY
                     ? CastTo(FromJson(arrow::utf8(), column.json), column.type, false, nullptr)
                           .ValueOrDie()
                           .make_array()
                     : FromJson(column.type, column.json);
    arrays.push_back(array);
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 5, arrays);
}

class Binding : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(arrow::compute::Initialize().ok()); }

  arrow::Result<std::shared_ptr<arrow::Array>> Compute(const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(NodePtr tree, Parse(sql));
    ARROW_ASSIGN_OR_RAISE(BoundExpression bound, Bind(tree, *batch_->schema(), options_));
    ARROW_ASSIGN_OR_RAISE(auto array, bound.Evaluate(*batch_));
    EXPECT_TRUE(array->ValidateFull().ok()) << sql;
    EXPECT_EQ(array->length(), batch_->num_rows()) << sql;
    EXPECT_TRUE(array->type()->Equals(*bound.type())) << sql;
    return array;
  }

  // Rows (from 1) for which the filter is true, or the error's message.
  std::string Rows(const std::string& sql) {
    auto tree = Parse(sql);
    if (!tree.ok()) return tree.status().message();
    auto bound = BindFilter(*tree, *batch_->schema(), options_);
    if (!bound.ok()) return bound.status().message();
    auto flags = bound->EvaluateFilter(*batch_);
    if (!flags.ok()) return flags.status().message();
    EXPECT_EQ((*flags)->null_count(), 0) << sql;
    std::string rows;
    for (int64_t i = 0; i < (*flags)->length(); ++i) {
      if ((*flags)->Value(i)) rows += static_cast<char>('1' + i);
    }
    return rows;
  }

  void ExpectValues(const std::string& sql, const TypePtr& type, const std::string& json) {
    auto array = Compute(sql);
    ASSERT_TRUE(array.ok()) << sql << ": " << array.status().ToString();
    ASSERT_TRUE((*array)->type()->Equals(*type)) << sql << ": " << (*array)->type()->ToString();
    EXPECT_TRUE(
        (*array)->Equals(*FromJson(type, json), arrow::EqualOptions::Defaults().nans_equal(true)))
        << sql << ": " << (*array)->ToString();
  }

  std::string Error(const std::string& sql) {
    auto array = Compute(sql);
    return array.ok() ? "" : array.status().message();
  }

  std::shared_ptr<arrow::RecordBatch> batch_ = Sample();
  BindOptions options_;
};

TEST_F(Binding, Comparisons) {
  EXPECT_EQ(Rows("id = 1"), "1");
  EXPECT_EQ(Rows("id = 1.0"), "1");
  EXPECT_EQ(Rows("id < 1.5"), "1");
  EXPECT_EQ(Rows("id >= 1.5"), "2345");
  EXPECT_EQ(Rows("2 <= id"), "2345");
  EXPECT_EQ(Rows("id <> 1.5"), "12345");
  EXPECT_EQ(Rows("i32 > 3000000000"), "");
  EXPECT_EQ(Rows("i32 < 3000000000"), "1245");
  EXPECT_EQ(Rows("i32 <> 3000000000"), "1245");
  EXPECT_EQ(Rows("u8 > -1"), "1245");
  EXPECT_EQ(Rows("u8 = 256"), "");
  EXPECT_EQ(Rows("id < 1e300"), "12345");
  EXPECT_EQ(Rows("u64 > id"), "2");
  EXPECT_EQ(Rows("u64 = 18446744073709551615"), "2");
  EXPECT_EQ(Rows("dec = 1.5"), "1");
  EXPECT_EQ(Rows("dec > 99.985"), "5");
  EXPECT_EQ(Rows("dec < 3"), "12");
  EXPECT_EQ(Rows("s = 'a'"), "1");
  EXPECT_EQ(Rows("dict = 'a'"), "14");
  EXPECT_EQ(Rows("bin = X'61'"), "1");
  EXPECT_EQ(Rows("b"), "14");
  EXPECT_EQ(Rows("not b"), "25");
  EXPECT_EQ(Rows("b = true"), "14");
  EXPECT_EQ(Rows("l = [1, 2, 3]"), "1");
  EXPECT_EQ(Rows("st.x = 4"), "4");
  EXPECT_EQ(Rows("st.y = 'q'"), "2");
  EXPECT_EQ(Rows("st['x'] > 3"), "45");
  EXPECT_EQ(Rows("ID = 3"), "3");
}

TEST_F(Binding, NaNIsTheGreatestNumber) {
  EXPECT_EQ(Rows("d > 3"), "245");
  EXPECT_EQ(Rows("d <= 3.5"), "14");
  EXPECT_EQ(Rows("d = cast('NaN' as double)"), "2");
  EXPECT_EQ(Rows("d < cast('NaN' as double)"), "145");
  EXPECT_EQ(Rows("d >= cast('NaN' as double)"), "2");
  EXPECT_EQ(Rows("d = d"), "1245");
  EXPECT_EQ(Rows("f = 0.1"), "1");
  EXPECT_EQ(Rows("f < 1e300"), "145");
  EXPECT_EQ(Rows("h > 0.4"), "124");
  EXPECT_EQ(Rows("d >= f"), "1245");
}

TEST_F(Binding, Moments) {
  EXPECT_EQ(Rows("ts > '1970-01-01'"), "245");
  EXPECT_EQ(Rows("ts >= '1970-01-02 00:00:00'"), "4");
  EXPECT_EQ(Rows("tz = '1970-01-02T01:00:00+01:00'"), "4");
  EXPECT_EQ(Rows("dt < '1970-01-02 10:00:00'"), "12");
  EXPECT_EQ(Rows("dt = date '1970-01-02'"), "2");
  EXPECT_EQ(Rows("ts > date '1970-01-01'"), "245");
  EXPECT_THAT(Rows("ts > 'yesterday'"), HasSubstr("'yesterday'"));
  ExpectValues("dt + interval '1 month'", arrow::date32(), "[31, 32, null, 34, 35]");
  ExpectValues("dt - dt", arrow::int64(), "[0, 0, null, 0, 0]");
  ExpectValues("dt + 1", arrow::date32(), "[1, 2, null, 4, 5]");
  ExpectValues("ts - ts", arrow::duration(arrow::TimeUnit::MICRO), "[0, 0, null, 0, 0]");
}

TEST_F(Binding, ThreeValues) {
  EXPECT_EQ(Rows("i32 in (5, null)"), "5");
  EXPECT_EQ(Rows("i32 not in (5, null)"), "");
  EXPECT_EQ(Rows("i32 not in (5, 6)"), "124");
  EXPECT_EQ(Rows("id in (1, 2.0, 2.5, 99999999999999999999)"), "12");
  EXPECT_EQ(Rows("id in (1, 2, 3, 9, 10, 11)"), "123");
  EXPECT_EQ(Rows("s in ('a', 'B', 'x')"), "12");
  EXPECT_EQ(Rows("id in (i32, 1)"), "15");
  EXPECT_EQ(Rows("b is null"), "3");
  EXPECT_EQ(Rows("b is not true"), "235");
  EXPECT_EQ(Rows("b is unknown"), "3");
  EXPECT_EQ(Rows("b or null"), "14");
  EXPECT_EQ(Rows("not (b and null)"), "25");
  EXPECT_EQ(Rows("i32 is distinct from 5"), "1234");
  EXPECT_EQ(Rows("i32 is not distinct from null"), "3");
  EXPECT_EQ(Rows("id between 2 and 3.5"), "23");
  EXPECT_EQ(Rows("id not between 2 and 3.5"), "145");
  EXPECT_EQ(Rows("null"), "");
  EXPECT_EQ(Rows("1 = 1"), "12345");
}

TEST_F(Binding, Patterns) {
  EXPECT_EQ(Rows("s like 'a%'"), "15");
  EXPECT_EQ(Rows("s like '%b%'"), "5");
  EXPECT_EQ(Rows("s like 'ab\\%c'"), "5");
  EXPECT_EQ(Rows("s like 'ab!%c' escape '!'"), "5");
  EXPECT_EQ(Rows("s like '_'"), "12");
  EXPECT_EQ(Rows("s like '%_c'"), "5");
  EXPECT_EQ(Rows("s not like 'a%'"), "24");
  EXPECT_EQ(Rows("s ilike 'b'"), "2");
  EXPECT_EQ(Rows("s like s"), "1245");
  EXPECT_EQ(Rows("dict like 'a%'"), "14");
  EXPECT_EQ(Rows("s ~ '^a'"), "15");
  EXPECT_EQ(Rows("s ~* 'A'"), "15");
  EXPECT_EQ(Rows("s similar to '(a|B)'"), "12");
  EXPECT_EQ(Rows("s like null"), "");
  EXPECT_THAT(Rows("s ~ '('"), HasSubstr("regular expression"));
  EXPECT_THAT(Rows("id like 'a'"), HasSubstr("int64"));
}

TEST_F(Binding, Arithmetic) {
  ExpectValues("i32 / 2", arrow::int32(), "[0, -3, null, 1073741823, 2]");
  ExpectValues("i32 % 2", arrow::int32(), "[0, -1, null, 1, 1]");
  ExpectValues("id / 2.0", arrow::float64(), "[0.5, 1, 1.5, 2, 2.5]");
  ExpectValues("d / 0", arrow::float64(), "[Inf, NaN, null, Inf, Inf]");
  ExpectValues("-id", arrow::int64(), "[-1, -2, -3, -4, -5]");
  ExpectValues("f * 2", arrow::float32(), "[0.2, NaN, null, 7, -2]");
  ExpectValues("s || 'x'", arrow::utf8(), R"(["ax", "Bx", null, "x", "ab%cx"])");
  ExpectValues("id & 1", arrow::int64(), "[1, 0, 1, 0, 1]");
  ExpectValues("id << 2", arrow::int64(), "[4, 8, 12, 16, 20]");
  ExpectValues("-9223372036854775808 + id - id", arrow::int64(),
               "[-9223372036854775808, -9223372036854775808, -9223372036854775808, "
               "-9223372036854775808, -9223372036854775808]");
  EXPECT_THAT(Error("id / 0"), HasSubstr("divide by zero"));
  EXPECT_THAT(Error("i32 + 1"), HasSubstr("overflow"));
  EXPECT_THAT(Error("i32 + 1"), HasSubstr("i32"));
  EXPECT_THAT(Error("s + 1"), HasSubstr("string"));
}

TEST_F(Binding, GuardsKeepErrorsOut) {
  EXPECT_EQ(Rows("i32 <> 0 and 10 / i32 = 2"), "5");
  EXPECT_EQ(Rows("i32 = 0 or 10 / i32 = 2"), "15");
  ExpectValues("case when i32 = 0 then -1 else 10 / i32 end", arrow::int32(),
               "[-1, -1, null, 0, 2]");
  ExpectValues("case id when 1 then 'one' when 2 then 'two' end", arrow::utf8(),
               R"(["one", "two", null, null, null])");
  ExpectValues("coalesce(i32, 0)", arrow::int64(), "[0, -7, 0, 2147483647, 5]");
  ExpectValues("nullif(id, 1.0)", arrow::int64(), "[null, 2, 3, 4, 5]");
  ExpectValues("if(id > 3, 1, 0)", arrow::int64(), "[0, 0, 0, 1, 1]");
}

TEST_F(Binding, Lists) {
  ExpectValues("l[1]", arrow::int64(), "[1, null, null, null, 5]");
  ExpectValues("l[-1]", arrow::int64(), "[3, null, null, 4, 5]");
  ExpectValues("l[0]", arrow::int64(), "[null, null, null, null, null]");
  ExpectValues("vec[2]", arrow::float32(), "[2, 4, null, 6, 0]");
  ExpectValues("[id, 2]", arrow::list(arrow::int64()), "[[1, 2], [2, 2], [3, 2], [4, 2], [5, 2]]");
  EXPECT_EQ(Rows("4 = any(l)"), "4");
  EXPECT_EQ(Rows("id in l"), "145");
  EXPECT_EQ(Rows("id > all([1, 2])"), "345");
  EXPECT_EQ(Rows("id = any([1, 2])"), "12");
  EXPECT_EQ(Rows("any_match(l, x -> x > id)"), "1");
  ExpectValues("array_filter(l, x -> x > 1)", arrow::list(arrow::int64()),
               "[[2, 3], [], null, [4], [5]]");
  ExpectValues("array_transform(l, x -> x + id)", arrow::list(arrow::int64()),
               "[[2, 3, 4], [], null, [null, 8], [10]]");
}

TEST_F(Binding, Functions) {
  ExpectValues("abs(i32)", arrow::int32(), "[0, 7, null, 2147483647, 5]");
  ExpectValues("round(d)", arrow::float64(), "[2, NaN, null, 4, Inf]");
  ExpectValues("round(-2.567, 2)", arrow::float64(), "[-2.57, -2.57, -2.57, -2.57, -2.57]");
  ExpectValues("trunc(-2.567, 1)", arrow::float64(), "[-2.5, -2.5, -2.5, -2.5, -2.5]");
  ExpectValues("gcd(id, 4)", arrow::int64(), "[1, 2, 1, 4, 1]");
  ExpectValues("greatest(id, i32, 1.5)", arrow::float64(), "[1.5, 2, 3, 2147483647, 5]");
  ExpectValues("iszero(i32)", arrow::boolean(), "[true, false, null, false, false]");
  ExpectValues("nanvl(d, 0.0)", arrow::float64(), "[1.5, 0, null, 3.5, Inf]");
  ExpectValues("power(2, 3)", arrow::float64(), "[8, 8, 8, 8, 8]");
  ExpectValues("mod(i32, 4)", arrow::int64(), "[0, -3, null, 3, 1]");
  ExpectValues("arrow_cast(id, 'Int8')", arrow::int8(), "[1, 2, 3, 4, 5]");
  ExpectValues("try_cast(s as int)", arrow::int32(), "[null, null, null, null, null]");
  EXPECT_THAT(Error("abss(id)"), HasSubstr("'abs'"));
  EXPECT_THAT(Error("abs('x')"), HasSubstr("number"));
  EXPECT_THAT(Error("abs()"), HasSubstr("abs(x)"));
}

TEST_F(Binding, ErrorsNameWhatWasMeant) {
  EXPECT_THAT(Rows("idd = 1"), HasSubstr("did you mean 'id'"));
  EXPECT_THAT(Rows("st.z = 1"), HasSubstr("alid names: x, Y"));
  EXPECT_THAT(Rows("s = 1"), HasSubstr("string"));
  EXPECT_THAT(Rows("s = 1"), HasSubstr("int64"));
  EXPECT_THAT(Rows("id = '1'"), HasSubstr("can't compare"));
  EXPECT_THAT(Rows("bin = 'a'"), HasSubstr("binary"));
  EXPECT_THAT(Rows("id"), HasSubstr("a filter must be boolean"));
  EXPECT_THAT(Rows("id = :who"), HasSubstr("no value for parameter :who"));
}

TEST_F(Binding, ParametersAreValues) {
  Parameters parameters;
  parameters.positional = {Value(2), Value("' or 1 = 1 --")};
  parameters.named.emplace("who", Value("a"));
  options_.parameters = &parameters;
  EXPECT_EQ(Rows("id = $1"), "2");
  EXPECT_EQ(Rows("s = $2"), "");
  EXPECT_EQ(Rows("s = :who"), "1");
  EXPECT_EQ(ParameterNames(*Parse("a = $1 and b = :x")), (std::set<std::string>{"$1", "x"}));
}

TEST_F(Binding, KnowsItsColumns) {
  auto columns = [&](const std::string& sql) {
    auto bound = Bind(*Parse(sql), *batch_->schema(), options_);
    EXPECT_TRUE(bound.ok()) << bound.status().ToString();
    return bound->columns();
  };
  using Paths = std::vector<std::vector<std::string>>;
  EXPECT_EQ(columns("st.x > 1 and id = 2"), (Paths{{"id"}, {"st", "x"}}));
  EXPECT_EQ(columns("st is null and st.y = 'a'"), (Paths{{"st"}}));
  EXPECT_TRUE(Bind(*Parse("1 + 2"), *batch_->schema(), options_)->is_constant());
  EXPECT_FALSE(Bind(*Parse("random()"), *batch_->schema(), options_)->is_constant());
  EXPECT_TRUE(Bind(*Parse("ST.y"), *batch_->schema(), options_)->is_column());
  EXPECT_EQ(SplitConjunction(*Parse("a = 1 and (b = 2 and c = 3) and (d = 4 or e = 5)")).size(),
            4u);
}

TEST_F(Binding, Assignments) {
  auto assign = [&](const std::string& sql, const TypePtr& type) -> std::string {
    auto bound = BindAs(*Parse(sql), *batch_->schema(), type, options_);
    if (!bound.ok()) return std::string(ErrorCodeName(ErrorCodeOf(bound.status())));
    auto array = bound->Evaluate(*batch_);
    if (!array.ok()) return std::string(ErrorCodeName(ErrorCodeOf(array.status())));
    EXPECT_TRUE((*array)->type()->Equals(*type));
    return (*array)->GetScalar(0).ValueOrDie()->ToString();
  };
  EXPECT_EQ(assign("[0.1, 2]", arrow::fixed_size_list(arrow::float32(), 2)),
            FromJson(arrow::fixed_size_list(arrow::float32(), 2), "[[0.1, 2]]")
                ->GetScalar(0)
                .ValueOrDie()
                ->ToString());
  EXPECT_EQ(assign("[0.1]", arrow::fixed_size_list(arrow::float32(), 2)), "InvalidArgument");
  EXPECT_EQ(assign("300", arrow::int8()), "InvalidArgument");
  EXPECT_EQ(assign("1.5", arrow::int8()), "InvalidArgument");
  EXPECT_EQ(assign("2.0", arrow::int8()), "2");
  EXPECT_EQ(assign("null", arrow::int8()), "null");
  EXPECT_EQ(assign("'1970-01-02'", arrow::date32()), "1970-01-02");
  EXPECT_EQ(assign("l", arrow::int8()), "TypeMismatch");
}

TEST_F(Binding, HostileSizes) {
  std::string chain = "id = 1";
  for (int i = 0; i < 20000; ++i) chain += " or id = 2";
  EXPECT_EQ(Rows(chain), "12");
  auto deep = std::make_shared<Node>();
  deep->kind = NodeKind::kUnary;
  deep->op = Op::kNegate;
  deep->children = {*Parse("1")};
  for (int i = 0; i < 400; ++i) {
    auto outer = std::make_shared<Node>(*deep);
    outer->children = {deep};
    deep = outer;
  }
  EXPECT_FALSE(Bind(deep, *batch_->schema(), options_).ok());
}

}  // namespace
}  // namespace glaive::expr
