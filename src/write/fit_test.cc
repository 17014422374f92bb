// Which data fits which table: casts that keep values are made, others refused by column and row.
#include "write/fit.h"

#include <cmath>
#include <limits>

#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/jsonb.h"
#include "testing/rows.h"

namespace glaive::write {
namespace {

using ::testing::HasSubstr;
using testing::Must;

using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Values from text, by way of a cast of strings.
ArrayPtr Of(const TypePtr& type, const std::vector<std::string>& texts) {
  EXPECT_TRUE(arrow::compute::Initialize().ok());
  arrow::StringBuilder builder;
  for (const auto& text : texts) {
    EXPECT_TRUE((text == "null" ? builder.AppendNull() : builder.Append(text)).ok());
  }
  const ArrayPtr strings = *builder.Finish();
  return type->id() == arrow::Type::STRING ? strings : Must(arrow::compute::Cast(*strings, type));
}

/// `array` as column "c" of a table that has it as `type`.
arrow::Result<ArrayPtr> Fit(const ArrayPtr& array, const TypePtr& type, bool nullable = true,
                            BadVectors bad_vectors = BadVectors::kError) {
  ARROW_ASSIGN_OR_RAISE(
      const auto schema,
      file::Schema::FromArrow(*arrow::schema({arrow::field("c", type, nullable)})));
  const auto input = arrow::schema({arrow::field("c", array->type())});
  ARROW_ASSIGN_OR_RAISE(const auto fitter, BatchFitter::Make(schema, *input, bad_vectors, nullptr));
  ARROW_ASSIGN_OR_RAISE(
      const auto batch,
      fitter.Fit(*arrow::RecordBatch::Make(input, array->length(), arrow::ArrayVector{array}),
                 100));
  return batch->column(0);
}

void ExpectSame(const ArrayPtr& from, const ArrayPtr& to) {
  const auto fitted = Fit(from, to->type());
  ASSERT_OK(fitted);
  EXPECT_TRUE((*fitted)->Equals(*to)) << (*fitted)->ToString() << to->ToString();
  // And where the data is a slice of something larger.
  const auto sliced = Fit(from->Slice(1), to->type());
  ASSERT_OK(sliced);
  EXPECT_TRUE((*sliced)->Equals(*to->Slice(1))) << (*sliced)->ToString();
}

TEST(FitTest, NumbersWhoseValuesAreKept) {
  const std::vector<TypePtr> types{arrow::int8(),    arrow::int16(),          arrow::int32(),
                                   arrow::int64(),   arrow::uint8(),          arrow::uint16(),
                                   arrow::uint32(),  arrow::uint64(),         arrow::float32(),
                                   arrow::float64(), arrow::decimal128(25, 3)};
  for (const auto& from : types) {
    for (const auto& to : types) {
      SCOPED_TRACE(from->ToString() + " -> " + to->ToString());
      ExpectSame(Of(from, {"1", "null", "100"}), Of(to, {"1", "null", "100"}));
    }
  }
}

TEST(FitTest, NumbersThatDoNotFit) {
  const auto refused = [](const ArrayPtr& array, const TypePtr& type) {
    SCOPED_TRACE(array->type()->ToString() + " -> " + type->ToString());
    const auto fitted = Fit(array, type);
    EXPECT_CODE(fitted, kInvalidArgument);
    EXPECT_THAT(fitted.status().message(), HasSubstr("column 'c', row 102"));
    EXPECT_THAT(fitted.status().message(), HasSubstr(array->type()->ToString()));
    EXPECT_THAT(fitted.status().message(), HasSubstr(type->ToString()));
  };
  refused(Of(arrow::int32(), {"1", "2", "300", "4"}), arrow::uint8());
  refused(Of(arrow::int64(), {"1", "2", "-1"}), arrow::uint64());
  refused(Of(arrow::float64(), {"1", "2", "1.5"}), arrow::int32());
  refused(Of(arrow::int64(), {"1", "2", "9007199254740993"}), arrow::float64());
  refused(Of(arrow::int32(), {"1", "2", "16777217"}), arrow::float32());
  refused(Of(arrow::float64(), {"1", "2", "1e300"}), arrow::float32());
  refused(Of(arrow::decimal128(20, 3), {"1", "2", "1.001"}), arrow::int32());
}

TEST(FitTest, FloatsAreRoundedToNearest) {
  ExpectSame(Of(arrow::float64(), {"0.1", "null", "inf", "-inf"}),
             Of(arrow::float32(), {"0.1", "null", "inf", "-inf"}));
}

TEST(FitTest, TextBytesAndTimes) {
  ExpectSame(Of(arrow::utf8(), {"a", "null", "bc"}), Of(arrow::large_utf8(), {"a", "null", "bc"}));
  ExpectSame(Of(arrow::large_utf8(), {"a", "null", "bc"}), Of(arrow::utf8(), {"a", "null", "bc"}));
  ExpectSame(Of(arrow::utf8_view(), {"a", "null", "bc"}), Of(arrow::utf8(), {"a", "null", "bc"}));
  ExpectSame(Of(arrow::binary(), {"a", "null"}), Of(arrow::large_binary(), {"a", "null"}));
  ExpectSame(Of(arrow::date32(), {"2024-01-31", "null"}),
             Of(arrow::date64(), {"2024-01-31", "null"}));
  ExpectSame(Of(arrow::timestamp(arrow::TimeUnit::SECOND), {"2024-01-31 10:00:00", "null"}),
             Of(arrow::timestamp(arrow::TimeUnit::NANO), {"2024-01-31 10:00:00", "null"}));
  EXPECT_CODE(Fit(Of(arrow::timestamp(arrow::TimeUnit::MILLI), {"2024-01-31 10:00:00.123"}),
                  arrow::timestamp(arrow::TimeUnit::SECOND)),
              kInvalidArgument);
}

TEST(FitTest, TypesThatNeverFit) {
  const std::vector<std::pair<TypePtr, TypePtr>> pairs{
      {arrow::utf8(), arrow::int32()},
      {arrow::int32(), arrow::utf8()},
      {arrow::boolean(), arrow::int32()},
      {arrow::utf8(), arrow::binary()},
      {arrow::int32(), arrow::date32()},
      {arrow::list(arrow::int32()), arrow::int32()},
      {arrow::list(arrow::utf8()), arrow::list(arrow::int32())},
      {arrow::struct_({arrow::field("x", arrow::utf8())}),
       arrow::struct_({arrow::field("x", arrow::int8())})},
      {arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), arrow::timestamp(arrow::TimeUnit::MICRO)}};
  for (const auto& [from, to] : pairs) {
    const auto fitted = Fit(Must(arrow::MakeArrayOfNull(from, 2)), to);
    EXPECT_CODE(fitted, kTypeMismatch);
    EXPECT_THAT(fitted.status().message(), HasSubstr("'c"));
  }
}

TEST(FitTest, DictionariesAndNulls) {
  const auto plain = Of(arrow::utf8(), {"a", "b", "null", "a"});
  const auto encoded = Must(arrow::compute::DictionaryEncode(plain)).make_array();
  ExpectSame(encoded, plain);
  ExpectSame(Must(arrow::MakeArrayOfNull(arrow::null(), 3)),
             Of(arrow::int32(), {"null", "null", "null"}));
  EXPECT_CODE(Fit(Must(arrow::MakeArrayOfNull(arrow::null(), 3)), arrow::int32(), false),
              kInvalidArgument);
  const auto refused = Fit(Of(arrow::int32(), {"1", "null"}), arrow::int32(), false);
  EXPECT_CODE(refused, kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("row 101"));
}

ArrayPtr Lists(const std::vector<int>& lengths, const TypePtr& type, bool large, double value = 1) {
  auto items = Must(arrow::MakeBuilder(type));
  const std::shared_ptr<arrow::ArrayBuilder> shared = std::move(items);
  const auto fill = [&](auto& lists) -> ArrayPtr {
    for (const int length : lengths) {
      EXPECT_TRUE((length < 0 ? lists.AppendNull() : lists.Append()).ok());
      for (int i = 0; i < length; ++i) {
        EXPECT_TRUE(shared->AppendScalar(*Must(arrow::MakeScalar(type, value))).ok());
      }
    }
    return *lists.Finish();
  };
  if (large) {
    arrow::LargeListBuilder lists(arrow::default_memory_pool(), shared);
    return fill(lists);
  }
  arrow::ListBuilder lists(arrow::default_memory_pool(), shared);
  return fill(lists);
}

TEST(FitTest, ListsBecomeVectors) {
  const auto type = arrow::fixed_size_list(arrow::float32(), 3);
  for (const bool large : {false, true}) {
    for (const auto& item : {arrow::float64(), arrow::float32()}) {
      const auto fitted = Must(Fit(Lists({3, -1, 3}, item, large), type));
      EXPECT_TRUE(fitted->type()->Equals(*type));
      EXPECT_TRUE(fitted->IsNull(1));
      const auto& vectors = static_cast<const arrow::FixedSizeListArray&>(*fitted);
      EXPECT_EQ(static_cast<const arrow::FloatArray&>(*vectors.values()).Value(8), 1.0F);
      const auto sliced = Must(Fit(Lists({3, 3, 3}, item, large)->Slice(1, 1), type));
      EXPECT_EQ(sliced->length(), 1);
      ASSERT_OK(sliced->ValidateFull());
    }
    const auto refused = Fit(Lists({3, 3, 2}, arrow::float64(), large), type);
    EXPECT_CODE(refused, kInvalidArgument);
    EXPECT_THAT(refused.status().message(), HasSubstr("row 102"));
    EXPECT_THAT(refused.status().message(), HasSubstr("length 2"));
    EXPECT_THAT(refused.status().message(), HasSubstr("length 3"));
  }
}

TEST(FitTest, VectorsMustBeFinite) {
  const auto type = arrow::fixed_size_list(arrow::float32(), 2);
  const double large = 1e300;  // a number, but none of 32 bits
  for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY), large}) {
    const auto refused = Fit(Lists({2}, arrow::float64(), false, bad), type);
    EXPECT_CODE(refused, kInvalidArgument);
    EXPECT_THAT(refused.status().message(), HasSubstr("row 100"));
  }
  ASSERT_OK(Fit(Lists({2}, arrow::float64(), false, NAN), type, true, BadVectors::kAllow));
  EXPECT_CODE(
      Fit(Lists({2}, arrow::float32(), false, NAN), arrow::fixed_size_list(arrow::float64(), 2)),
      kInvalidArgument);
}

TEST(FitTest, MembersByNameAndMissingOnesAsNulls) {
  const auto given =
      arrow::struct_({arrow::field("b", arrow::int32()), arrow::field("a", arrow::int8())});
  const auto array = std::make_shared<arrow::StructArray>(
      given, 2, arrow::ArrayVector{Of(arrow::int32(), {"1", "2"}), Of(arrow::int8(), {"3", "4"})});
  const auto wanted =
      arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64()),
                      arrow::field("c", arrow::utf8())});
  const auto fitted = Must(Fit(array, wanted));
  const auto& members = static_cast<const arrow::StructArray&>(*fitted);
  EXPECT_TRUE(members.field(0)->Equals(*Of(arrow::int64(), {"3", "4"})));
  EXPECT_TRUE(members.field(1)->Equals(*Of(arrow::int64(), {"1", "2"})));
  EXPECT_EQ(members.field(2)->null_count(), 2);
  const auto extra = Fit(array, arrow::struct_({arrow::field("a", arrow::int64())}));
  EXPECT_CODE(extra, kInvalidArgument);
  EXPECT_THAT(extra.status().message(), HasSubstr("'c.b'"));
  EXPECT_CODE(Fit(array, arrow::struct_({arrow::field("a", arrow::int64()),
                                         arrow::field("b", arrow::int64()),
                                         arrow::field("c", arrow::utf8(), false)})),
              kInvalidArgument);
}

arrow::Result<ArrayPtr> FitJson(const ArrayPtr& input) {
  const auto stored =
      arrow::field("j", arrow::large_binary(), true,
                   arrow::key_value_metadata({"ARROW:extension:name"}, {"lance.json"}));
  ARROW_ASSIGN_OR_RAISE(const auto schema, file::Schema::FromArrow(*arrow::schema({stored})));
  const auto given = arrow::schema({arrow::field("j", input->type())});
  ARROW_ASSIGN_OR_RAISE(const auto fitter,
                        BatchFitter::Make(schema, *given, BadVectors::kError, nullptr));
  ARROW_ASSIGN_OR_RAISE(
      const auto batch,
      fitter.Fit(*arrow::RecordBatch::Make(given, input->length(), arrow::ArrayVector{input}),
                 100));
  return batch->column(0);
}

TEST(FitTest, TextBecomesJson) {
  const ArrayPtr text = Of(arrow::utf8(), {R"({"b": 1, "a": [2]})", "null", "\"x\"", "[]"});
  const auto json = Must(FitJson(text));
  ASSERT_EQ(json->type_id(), arrow::Type::LARGE_BINARY);
  const auto& documents = static_cast<const arrow::LargeBinaryArray&>(*json);
  EXPECT_TRUE(documents.IsNull(1));
  std::string back;
  for (const int64_t i : {0, 2, 3}) {
    ASSERT_OK(jsonb::Decode(documents.GetView(i), &back));
  }
  EXPECT_EQ(back, R"({"a":[2],"b":1}"x"[])");
  for (const auto& type : {arrow::large_utf8(), arrow::utf8_view(),
                           arrow::dictionary(arrow::int32(), arrow::utf8())}) {
    EXPECT_TRUE(Must(FitJson(Must(arrow::compute::Cast(*text, type))))->Equals(*json)) << *type;
  }
  EXPECT_TRUE(Must(FitJson(text->Slice(2)))->Equals(*json->Slice(2)));
  EXPECT_TRUE(Must(FitJson(json))->Equals(*json));  // already in the stored form
}

TEST(FitTest, WhatIsNoJsonIsRefusedByRow) {
  const auto text = FitJson(Of(arrow::utf8(), {"1", "null", "{\"a\":}"}));
  EXPECT_CODE(text, kInvalidArgument);
  EXPECT_THAT(text.status().message(), HasSubstr("column 'j', row 102"));
  EXPECT_THAT(text.status().message(), HasSubstr("byte 5"));
  const auto bytes = FitJson(Of(arrow::binary(), {"not JSONB"}));
  EXPECT_CODE(bytes, kInvalidArgument);
  EXPECT_THAT(bytes.status().message(), HasSubstr("column 'j', row 100"));
  EXPECT_CODE(FitJson(Of(arrow::int32(), {"1"})), kTypeMismatch);
}

}  // namespace
}  // namespace glaive::write
