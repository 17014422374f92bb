#include "cli/input.h"

#include <filesystem>
#include <fstream>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "glaive/error.h"

#include "cli/output.h"

namespace glaive::cli {
namespace {

class InputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("glaive_input_" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

  std::string WriteFile(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }

  static arrow::Result<std::shared_ptr<arrow::Table>> Read(
      const std::string& path, const std::shared_ptr<arrow::Schema>& expected = nullptr) {
    InputArguments input;
    input.path = path;
    ARROW_ASSIGN_OR_RAISE(auto reader, OpenInput(input, expected, CancelToken()));
    return reader->ToTable();
  }

  std::filesystem::path directory_;
};

TEST_F(InputTest, EveryFormatRoundTrips) {
  const auto type =
      arrow::struct_({arrow::field("id", arrow::int64()), arrow::field("t", arrow::utf8()),
                      arrow::field("f", arrow::float64())});
  const auto rows = arrow::json::ArrayFromJSONString(
                        type, R"([{"id":1,"t":"a,\"b\"\nc","f":0.1},{"id":null,"t":null,"f":null},
                                  {"id":9007199254740993,"t":"","f":-1e300}])")
                        .ValueOrDie();
  const auto batch = arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
  for (const char* name : {"x.parquet", "x.csv", "x.jsonl", "x.arrow", "x.arrows"}) {
    auto sink =
        RowSink::Make(RowFormatOf(name, "").ValueOrDie(), Path(name), batch->schema()).ValueOrDie();
    ASSERT_TRUE(sink->Write(batch).ok());
    EXPECT_FALSE(std::filesystem::exists(Path(name))) << "visible before it is complete";
    ASSERT_TRUE(sink->Finish().ok());
    const auto table = Read(Path(name));
    ASSERT_TRUE(table.ok()) << name << table.status();
    const auto read = (*table)->CombineChunksToBatch().ValueOrDie();
    EXPECT_TRUE(read->Equals(*batch)) << name << read->ToString();
  }
}

TEST_F(InputTest, AnUnfinishedFileLeavesNothing) {
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  { auto sink = RowSink::Make(RowFormat::kCsv, Path("x.csv"), schema).ValueOrDie(); }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(InputTest, ExpectedTypesWinOverInference) {
  const auto expected =
      arrow::schema({arrow::field("a", arrow::float64()), arrow::field("b", arrow::utf8())});
  for (const auto& path :
       {WriteFile("x.csv", "a,b\n1,2\n"), WriteFile("x.jsonl", "{\"a\":1,\"b\":\"2\"}\n")}) {
    const auto table = Read(path, expected).ValueOrDie();
    EXPECT_TRUE(table->schema()->GetFieldByName("a")->type()->Equals(arrow::float64())) << path;
    EXPECT_TRUE(table->schema()->GetFieldByName("b")->type()->Equals(arrow::utf8())) << path;
  }
}

TEST_F(InputTest, DamagedFilesAreErrors) {
  for (const char* name : {"x.parquet", "x.arrow", "x.arrows", "x.jsonl"}) {
    EXPECT_FALSE(Read(WriteFile(name, "neither this nor that")).ok()) << name;
  }
  EXPECT_FALSE(Read(Path("missing.csv")).ok());
  EXPECT_EQ(ErrorCodeOf(RowFormatOf("x.xls", "").status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(RowFormatOf("-", "").status()), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace glaive::cli
