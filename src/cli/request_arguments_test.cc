#include "cli/request_arguments.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glaive::cli {
namespace {

using ::testing::HasSubstr;

std::string Shown(std::string_view text) {
  const auto value = ParseValue(text);
  return value.ok() ? value->scalar()->type->ToString() + " " + value->scalar()->ToString()
                    : value.status().message();
}

TEST(ParameterValues, AreJsonOrText) {
  EXPECT_EQ(Shown("5"), "int64 5");
  EXPECT_EQ(Shown("-5"), "int64 -5");
  EXPECT_EQ(Shown("18446744073709551615"), "uint64 18446744073709551615");
  EXPECT_EQ(Shown("1.5"), "double 1.5");
  EXPECT_EQ(Shown("true"), "bool true");
  EXPECT_EQ(Shown("null"), "null null");
  EXPECT_EQ(Shown("\"5\""), "string 5");
  EXPECT_EQ(Shown("O'Brien"), "string O'Brien");
  EXPECT_EQ(Shown(""), "string ");
  EXPECT_THAT(Shown("[1, 2]"), HasSubstr("list<item: int64>"));
  EXPECT_THAT(Shown("[\"a\", null]"), HasSubstr("list<item: string>"));
  EXPECT_THAT(Shown("[1, \"a\"]"), HasSubstr("expected a list of"));
}

TEST(Parameters, NamesAndPositions) {
  ParameterArguments arguments{{"2=two", "a=1", "1=one"}};
  const auto made = arguments.Make();
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  ASSERT_EQ(made->positional.size(), 2);
  EXPECT_EQ(made->positional[0].scalar()->ToString(), "one");
  EXPECT_EQ(made->positional[1].scalar()->ToString(), "two");
  EXPECT_EQ(made->named.at("a").scalar()->ToString(), "1");
  EXPECT_FALSE(ParameterArguments{{"a"}}.Make().ok());
  EXPECT_FALSE(ParameterArguments{{"=1"}}.Make().ok());
  EXPECT_FALSE((ParameterArguments{{"a=1", "a=2"}}.Make().ok()));
  EXPECT_FALSE(ParameterArguments{{"7=1"}}.Make().ok());
  EXPECT_FALSE(ParameterArguments{{"0=1"}}.Make().ok());
}

TEST(Order, WordsAtTheEndOfEachPart) {
  const auto order = ParseOrder("a, concat(b, 'x, desc') DESC nulls first,`c asc` , d nulls last");
  ASSERT_TRUE(order.ok()) << order.status().ToString();
  ASSERT_EQ(order->size(), 4);
  EXPECT_EQ((*order)[0].expression.ToSql(), "a");
  EXPECT_TRUE((*order)[0].ascending);
  EXPECT_EQ((*order)[1].expression.ToSql(), "concat(b, 'x, desc')");
  EXPECT_FALSE((*order)[1].ascending);
  EXPECT_TRUE((*order)[1].nulls_first);
  EXPECT_EQ((*order)[2].expression.ToSql(), "`c asc`");
  EXPECT_EQ((*order)[3].expression.ToSql(), "d");
  EXPECT_FALSE((*order)[3].nulls_first);
  EXPECT_TRUE(ParseOrder("")->empty());
  EXPECT_FALSE(ParseOrder("a,,b").ok());
}

TEST(Assignments, SplitAtTheFirstEqualsSign) {
  const auto assignment = ParseAssignment(" x = a = 'b' ", "set");
  ASSERT_TRUE(assignment.ok());
  EXPECT_EQ(assignment->first, "x");
  EXPECT_EQ(assignment->second, "a = 'b'");
  EXPECT_THAT(ParseAssignment("x", "set").status().message(), HasSubstr("NAME=VALUE"));
}

}  // namespace
}  // namespace glaive::cli
