#include "base/spelling.h"

#include <gtest/gtest.h>

namespace glaive {
namespace {

TEST(EditDistance, CountsEditsWithoutCase) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("abc", ""), 3U);
  EXPECT_EQ(EditDistance("Vector", "vector"), 0U);
  EXPECT_EQ(EditDistance("vectr", "vector"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("sitting", "kitten"), 3U);
}

}  // namespace
}  // namespace glaive
