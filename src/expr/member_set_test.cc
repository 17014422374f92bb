// Sets of constants, and text looked for inside of text, against a plain loop.
#include "expr/member_set.h"

#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "expr/bind.h"
#include "expr/parse.h"

namespace glaive::expr {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

template <typename Builder, typename Next>
ArrayPtr Make(int64_t rows, bool nulls, std::mt19937_64& random, const Next& next) {
  Builder builder;
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE((nulls && random() % 7 == 0 ? builder.AppendNull() : builder.Append(next())).ok());
  }
  return builder.Finish().ValueOrDie();
}

void Check(const ArrayPtr& members, const ArrayPtr& values) {
  const auto set = MemberSet::Make(members);
  ASSERT_NE(set, nullptr);
  for (const auto& part : {values, values->Slice(3), values->Slice(5, 2)}) {
    const auto found = set->Contains(*part, arrow::default_memory_pool()).ValueOrDie();
    ASSERT_TRUE(found->ValidateFull().ok());
    ASSERT_EQ(found->length(), part->length());
    const auto& flags = static_cast<const arrow::BooleanArray&>(*found);
    for (int64_t i = 0; i < part->length(); ++i) {
      ASSERT_EQ(flags.IsNull(i), part->IsNull(i)) << i;
      bool expected = false;
      for (int64_t k = 0; k < members->length(); ++k) {
        expected = expected || part->RangeEquals(*members, i, i + 1, k);
      }
      if (part->IsValid(i)) {
        ASSERT_EQ(flags.Value(i), expected) << i;
      }
    }
  }
}

TEST(MemberSet, Numbers) {
  std::mt19937_64 random(1);
  for (const int64_t count : {1, 2, 9, 60}) {
    for (const int64_t span : {10, 1000, 1 << 30}) {
      const auto next = [&] {
        return static_cast<int64_t>(random() % static_cast<uint64_t>(span)) - span / 2;
      };
      const auto wide = [&] { return next() * 1'000'003; };
      const auto narrow = [&] { return static_cast<int8_t>(next()); };
      Check(Make<arrow::Int64Builder>(count, false, random, wide),
            Make<arrow::Int64Builder>(500, true, random, wide));
      Check(Make<arrow::Int8Builder>(count, false, random, narrow),
            Make<arrow::Int8Builder>(500, true, random, narrow));
      const auto half = [&] { return static_cast<uint32_t>(next()); };
      Check(Make<arrow::UInt32Builder>(count, false, random, half),
            Make<arrow::UInt32Builder>(500, false, random, half));
    }
  }
}

TEST(MemberSet, Texts) {
  std::mt19937_64 random(2);
  const auto next = [&] {
    return std::string(random() % 20, 'x') + std::string(1, static_cast<char>(random() % 3)) +
           std::string(random() % 3, 'y');
  };
  for (const int64_t count : {1, 2, 9, 60}) {
    Check(Make<arrow::StringBuilder>(count, false, random, next),
          Make<arrow::StringBuilder>(500, true, random, next));
    Check(Make<arrow::LargeBinaryBuilder>(count, false, random, next),
          Make<arrow::LargeBinaryBuilder>(500, true, random, next));
  }
}

TEST(MemberSet, NotForOtherTypes) {
  std::mt19937_64 random(3);
  EXPECT_EQ(MemberSet::Make(Make<arrow::DoubleBuilder>(3, false, random, [] { return 1.0; })),
            nullptr);
  EXPECT_EQ(MemberSet::Make(Make<arrow::Int64Builder>(0, false, random, [] { return 1; })),
            nullptr);
}

/// LIKE '%text%' does not find what lies across two rows.
TEST(MemberSet, TextInsideOfText) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  std::mt19937_64 random(4);
  const auto next = [&] {
    std::string text;
    for (uint64_t left = random() % 7; left > 0; --left) {
      text += random() % 3 == 0 ? 'b' : 'a';
    }
    return text;
  };
  for (const bool large : {false, true}) {
    const auto values = large ? Make<arrow::LargeStringBuilder>(2000, true, random, next)
                              : Make<arrow::StringBuilder>(2000, true, random, next);
    const auto schema = arrow::schema({arrow::field("s", values->type())});
    for (const std::string wanted : {"a", "b", "ab", "aab", "aaaaa", "babab", "aaaaaaaaaa"}) {
      const auto tree = Parse("s LIKE '%" + wanted + "%'").ValueOrDie();
      const auto bound = Bind(tree, *schema, {}).ValueOrDie();
      for (const auto& part : {values, values->Slice(17, 900)}) {
        const auto batch = arrow::RecordBatch::Make(schema, part->length(), {part});
        const auto found = bound.Evaluate(*batch).ValueOrDie();
        const auto& flags = static_cast<const arrow::BooleanArray&>(*found);
        for (int64_t i = 0; i < part->length(); ++i) {
          ASSERT_EQ(flags.IsNull(i), part->IsNull(i));
          if (part->IsValid(i)) {
            const auto text = part->GetScalar(i).ValueOrDie()->ToString();
            ASSERT_EQ(flags.Value(i), text.find(wanted) != std::string::npos)
                << text << " " << wanted;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace glaive::expr
