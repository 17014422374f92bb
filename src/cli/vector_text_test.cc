#include "cli/vector_text.h"

#include <gtest/gtest.h>

#include "glaive/error.h"

namespace glaive::cli {
namespace {

TEST(VectorTextTest, ReadsLists) {
  EXPECT_EQ(*ParseVector(" [1, -2.5 ,3e2]\n"), (std::vector<double>{1, -2.5, 300}));
  EXPECT_EQ(*ParseVector("[]"), std::vector<double>{});
  for (const char* text :
       {"", "1", "[", "[1", "[1,]", "[1 2]", "[a]", "[1]x", "[,1]", "[1,,2]", "[[1]]"}) {
    EXPECT_EQ(ErrorCodeOf(ParseVector(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(VectorTextTest, ReadsListsOfLists) {
  using Vectors = std::vector<std::vector<double>>;
  EXPECT_EQ(*ParseVectors("[1, 2]"), (Vectors{{1, 2}}));
  EXPECT_EQ(*ParseVectors("[[1, 2]]"), (Vectors{{1, 2}}));
  EXPECT_EQ(*ParseVectors("[ [1, 2] , [3] ]"), (Vectors{{1, 2}, {3}}));
  for (const char* text : {"", "[[1]", "[[1],]", "[[1], 2]", "[[1] [2]]", "[[[1]]]", "[[1]]]"}) {
    EXPECT_EQ(ErrorCodeOf(ParseVectors(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace glaive::cli
