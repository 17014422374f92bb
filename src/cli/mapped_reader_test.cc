#include "cli/mapped_reader.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

namespace glaive::cli {
namespace {

std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                    const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

// One batch per JSON text of one column.
BatchReaderPtr Reader(const std::string& name, const std::shared_ptr<arrow::DataType>& type,
                      const std::vector<std::string>& batches) {
  const auto schema = arrow::schema({arrow::field(name, type)});
  arrow::RecordBatchVector made;
  for (const auto& json : batches) {
    const auto array = Array(type, json);
    made.push_back(arrow::RecordBatch::Make(schema, array->length(), {array}));
  }
  return arrow::RecordBatchReader::Make(std::move(made), schema).ValueOrDie();
}

TEST(WithVectorsTest, InfersTheDimensionFromTheFirstVector) {
  for (const auto& type : {arrow::list(arrow::float64()), arrow::large_list(arrow::float64())}) {
    auto reader =
        WithVectors(Reader("v", type, {"[null]", "[null, [1, 2]]", "[[3, 4.5]]"}), {{"v", 0}});
    ASSERT_TRUE(reader.ok()) << reader.status();
    const auto table = (*reader)->ToTable().ValueOrDie();
    const auto expected = arrow::fixed_size_list(arrow::float32(), 2);
    EXPECT_TRUE(table->column(0)->type()->Equals(expected));
    EXPECT_TRUE(table->column(0)->Equals(
        arrow::ChunkedArray({Array(expected, "[null, null, [1, 2], [3, 4.5]]")})));
  }
}

TEST(WithVectorsTest, ReadsListsInText) {
  auto reader =
      WithVectors(Reader("v", arrow::utf8(), {R"(["[1, 2]", null, " [ 3,-4e1 ] "])"}), {{"v", 0}});
  const auto table = reader.ValueOrDie()->ToTable().ValueOrDie();
  EXPECT_TRUE(table->column(0)->chunk(0)->Equals(
      Array(arrow::fixed_size_list(arrow::float32(), 2), "[[1, 2], null, [3, -40]]")));
}

TEST(WithVectorsTest, RefusesWhatIsNoVectorNamingTheRow) {
  auto wrong = WithVectors(Reader("v", arrow::list(arrow::int64()), {"[[1, 2]]", "[[1, 2], [3]]"}),
                           {{"v", 0}});
  const auto status = wrong.ValueOrDie()->ToTable().status();
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("column 'v', row 2: found a vector of 1 numbers, expected 2"),
            std::string::npos)
      << status;
  auto null = WithVectors(Reader("v", arrow::list(arrow::int64()), {"[[1, null]]"}), {{"v", 2}});
  EXPECT_EQ(ErrorCodeOf(null.ValueOrDie()->ToTable().status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(WithVectors(Reader("v", arrow::int64(), {"[1]"}), {{"v", 0}}).status()),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(WithVectors(Reader("v", arrow::int64(), {"[1]"}), {{"w", 2}}).status()),
            ErrorCode::kNotFound);
  EXPECT_EQ(
      ErrorCodeOf(
          WithVectors(Reader("v", arrow::list(arrow::int64()), {"[null]"}), {{"v", 0}}).status()),
      ErrorCode::kInvalidArgument);
}

TEST(ParseVectorColumnTest, NameAndDimension) {
  EXPECT_EQ(ParseVectorColumn("v")->dim, 0);
  EXPECT_EQ(ParseVectorColumn("a:b:16")->name, "a:b");
  EXPECT_EQ(ParseVectorColumn("a:b:16")->dim, 16);
  for (const char* text : {"v:", "v:0", "v:-1", "v:1x"}) {
    EXPECT_FALSE(ParseVectorColumn(text).ok()) << text;
  }
}

TEST(WithEmbeddingTest, AppendsVectorsAndSaysHow) {
  auto reader = WithEmbedding(Reader("t", arrow::utf8(), {R"(["chess"])", R"([null, "chess"])"}),
                              "t", "v", 16);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto made = EmbeddingsOf(*(*reader)->schema());
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].vector_column, "v");
  EXPECT_EQ(made[0].text_column, "t");
  EXPECT_EQ(made[0].dim, 16);
  const auto table = (*reader)->ToTable().ValueOrDie();
  ASSERT_TRUE(table->ValidateFull().ok());
  EXPECT_EQ(table->column(1)->null_count(), 1);
  EXPECT_EQ(ErrorCodeOf(WithEmbedding(Reader("t", arrow::utf8(), {}), "x", "v", 16).status()),
            ErrorCode::kNotFound);
  EXPECT_EQ(ErrorCodeOf(WithEmbedding(Reader("t", arrow::utf8(), {}), "t", "t", 16).status()),
            ErrorCode::kInvalidArgument);
}

TEST(FitToTest, CastsToTheTypesOfTheTable) {
  const auto fit = [](const std::shared_ptr<arrow::DataType>& from, const std::string& json,
                      const std::shared_ptr<arrow::DataType>& to)
      -> arrow::Result<std::shared_ptr<arrow::Array>> {
    ARROW_ASSIGN_OR_RAISE(auto reader,
                          FitTo(Reader("c", from, {json}), arrow::schema({arrow::field("c", to)})));
    ARROW_ASSIGN_OR_RAISE(const auto table, reader->ToTable());
    return table->column(0)->chunk(0);
  };
  EXPECT_TRUE(fit(arrow::int64(), "[1, null]", arrow::int8())
                  .ValueOrDie()
                  ->Equals(Array(arrow::int8(), "[1, null]")));
  EXPECT_EQ(ErrorCodeOf(fit(arrow::int64(), "[300]", arrow::int8()).status()),
            ErrorCode::kInvalidArgument);
  const auto vectors = arrow::fixed_size_list(arrow::float32(), 2);
  EXPECT_TRUE(fit(arrow::list(arrow::float64()), "[[1, 2]]", vectors)
                  .ValueOrDie()
                  ->Equals(Array(vectors, "[[1, 2]]")));
  EXPECT_EQ(ErrorCodeOf(fit(arrow::list(arrow::float64()), "[[1]]", vectors).status()),
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(fit(arrow::utf8(), R"(["Zm9v", null])", arrow::large_binary())
                  .ValueOrDie()
                  ->Equals(Array(arrow::large_binary(), R"(["foo", null])")));
  EXPECT_TRUE(fit(arrow::utf8(), R"(["x"])", arrow::utf8()).ok());
}

}  // namespace
}  // namespace glaive::cli
