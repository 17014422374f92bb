#include "embed/ngram_embedder.h"

#include <cmath>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include "glaive/error.h"

namespace glaive::embed {
namespace {

std::vector<float> Vector(const std::string& text, int32_t dim = 256) {
  auto embedder = NgramEmbedder::Make(dim).ValueOrDie();
  std::vector<float> out(static_cast<size_t>(dim));
  EXPECT_TRUE(embedder.Embed(text, out)) << text;
  return out;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

// "ab" stands as "_ab_": features "_ab", "ab_" and "_ab_", worked out here from the documented
// formula.
TEST(NgramEmbedderTest, FollowsTheDocumentedFormula) {
  std::vector<float> expected(64);
  for (const std::string feature : {"_ab", "ab_", "_ab_"}) {
    const uint64_t hash = XXH64(feature.data(), feature.size(), 0);
    // "ab" occurs twice in the text below.
    expected[hash % 64] += static_cast<float>((1 + std::log(2.0)) * (hash >> 63 != 0 ? -1 : 1));
  }
  const double length = std::sqrt(Dot(expected, expected));
  const auto found = Vector("AB, ab!", 64);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_NEAR(found[i], expected[i] / length, 1e-6) << i;
  }
}

// Vectors are stored in tables: the numbers must never change.
TEST(NgramEmbedderTest, StaysTheSameForever) {
  const auto vector = Vector("A web browser for the GNOME desktop", 8);
  const std::vector<float> golden = {
      0.22501757740974426f,  -0.33752638101577759f, 0.22501757740974426f,  0.45003515481948853f,
      -0.45003515481948853f, -0.11250878870487213f, -0.22501757740974426f, 0.56254392862319946f};
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(vector[i], golden[i], 1e-6) << i;
  }
}

TEST(NgramEmbedderTest, HasLengthOneAndIgnoresCaseAndPunctuation) {
  EXPECT_NEAR(Dot(Vector("Chess board"), Vector("Chess board")), 1.0, 1e-5);
  EXPECT_EQ(Vector("Chess board"), Vector("  chess, BOARD."));
  EXPECT_NE(Vector("chess board"), Vector("chessboard"));
}

TEST(NgramEmbedderTest, BringsRelatedTextsNear) {
  const auto query = Vector("image viewer");
  EXPECT_GT(Dot(query, Vector("A fast viewer for images and photos")),
            Dot(query, Vector("Daemon that keeps the clock of the system in time")) + 0.2);
}

TEST(NgramEmbedderTest, CountsCodePointsNotBytes) {
  // One letter of two bytes: the form is "_é_", one feature.
  const std::string feature = "_\xC3\xA9_";
  const auto found = Vector("\xC3\xA9", 32);
  for (size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(std::abs(found[i]), i == XXH64(feature.data(), feature.size(), 0) % 32 ? 1.0f : 0.0f);
  }
}

TEST(NgramEmbedderTest, BytesThatAreNotUtf8SeparateWords) {
  EXPECT_EQ(Vector("chess\xFF"
                   "board"),
            Vector("chess board"));
  EXPECT_EQ(Vector("chess \xE2\x82"), Vector("chess"));
}

TEST(NgramEmbedderTest, TextWithoutWordsIsNull) {
  auto embedder = NgramEmbedder::Make(16).ValueOrDie();
  arrow::LargeStringBuilder builder;
  ASSERT_TRUE(builder.AppendValues({"chess", "", " ... "}).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  auto vectors = embedder.Embed(*builder.Finish().ValueOrDie()).ValueOrDie();
  ASSERT_TRUE(vectors->ValidateFull().ok());
  EXPECT_TRUE(vectors->type()->Equals(arrow::fixed_size_list(arrow::float32(), 16)));
  EXPECT_EQ(vectors->null_count(), 3);
  EXPECT_TRUE(vectors->IsValid(0));
}

TEST(NgramEmbedderTest, RefusesBadArguments) {
  EXPECT_EQ(ErrorCodeOf(NgramEmbedder::Make(7).status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(NgramEmbedder::Make(kMaxNgramDim + 1).status()),
            ErrorCode::kInvalidArgument);
  auto embedder = NgramEmbedder::Make(8).ValueOrDie();
  arrow::BinaryBuilder builder;
  auto binary = builder.Finish().ValueOrDie();
  EXPECT_EQ(ErrorCodeOf(embedder.Embed(*binary).status()), ErrorCode::kTypeMismatch);
}

}  // namespace
}  // namespace glaive::embed
