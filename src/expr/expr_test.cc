#include <gtest/gtest.h>

#include "expr/function.h"

namespace glaive::expr {
namespace {

TEST(Functions, FamiliesCanBeListed) {
  EXPECT_TRUE(GeoFunctions().empty() || !GeoFunctions()[0].name.empty());
}

}  // namespace
}  // namespace glaive::expr
