#include <set>
#include <string>

#include <gtest/gtest.h>

#include "expr/function.h"

namespace glaive::expr {
namespace {

TEST(Functions, AreCompleteAndHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Function* function : AllFunctions()) {
    EXPECT_TRUE(names.insert(function->name).second) << function->name;
    for (const std::string& alias : function->aliases) {
      EXPECT_TRUE(names.insert(alias).second) << alias << " of " << function->name;
    }
    EXPECT_TRUE(function->resolve && function->evaluate) << function->name;
    EXPECT_FALSE(function->usage.empty()) << function->name;
    EXPECT_FALSE(function->summary.empty()) << function->name;
    EXPECT_EQ(FindFunction(function->name), function);
  }
}

}  // namespace
}  // namespace glaive::expr
