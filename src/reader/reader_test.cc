// The small reader through C++ and C, on tables that the writer made.
#include "glaive/reader.h"

#include <fstream>

#include <arrow/c/bridge.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"
#include "glaive/reader_c.h"

#include "testing/rows.h"

namespace glaive {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IdsOf;
using testing::Must;
using testing::Rows;
using testing::Sequence;
using testing::Stream;
using testing::TestSchema;

int NumThreads() {
  std::ifstream status("/proc/self/status");
  std::string key;
  int threads = 0;
  while (status >> key) {
    if (key == "Threads:") {
      status >> threads;
    }
  }
  return threads;
}

/// Versions 1 to 3: 100 rows in files of 40, then without rows 10, 39, 40, then 5 more.
class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    DatabaseOptions options;
    options.sync = SyncMode::kNone;
    options.num_threads = 1;
    auto db = Must(Database::Open(scratch_.path().string(), options));
    WriteOptions write;
    write.max_rows_per_file = 40;
    Table table = Must(db.CreateTable("t", Stream({Rows(0, 100)}), CreateMode::kCreate, write));
    EXPECT_TRUE(table.DeleteRowIds({10, 39, uint64_t{1} << 32}).ok());
    EXPECT_TRUE(table.Add(Rows(100, 5), {}).ok());
    for (int64_t i = 0; i < 105; ++i) {
      if (i != 10 && i != 39 && i != 40) {
        left_.push_back(i);
      }
    }
  }

  std::string path() const { return (scratch_.path() / "t.lance").string(); }

  std::vector<int64_t> Left(size_t first, size_t count) const {
    return {left_.begin() + static_cast<ptrdiff_t>(first),
            left_.begin() + static_cast<ptrdiff_t>(first + count)};
  }

  testing::ScratchDirectory scratch_;
  std::vector<int64_t> left_;
};

TEST_F(ReaderTest, VersionsAndRows) {
  EXPECT_THAT(Must(DatasetReader::ListVersions(path())), ElementsAre(1, 2, 3));
  const auto latest = Must(DatasetReader::Open(path(), std::nullopt));
  EXPECT_EQ(latest.version(), 3u);
  EXPECT_EQ(Must(latest.CountRows()), 102u);
  EXPECT_TRUE(latest.schema()->Equals(*TestSchema()));
  const auto all = Must(Drain(latest.Read({}, 0, std::nullopt)));
  EXPECT_EQ(IdsOf(all), left_);
  ASSERT_OK(all->ValidateFull());
  EXPECT_TRUE(all->Slice(0, 10)->Equals(*Rows(0, 10)));
  const auto first = Must(DatasetReader::Open(path(), 1));
  EXPECT_TRUE(Must(Drain(first.Read({}, 0, std::nullopt)))->Equals(*Rows(0, 100)));
}

TEST_F(ReaderTest, OffsetsAndLimitsOverDeletions) {
  const auto reader = Must(DatasetReader::Open(path(), std::nullopt));
  for (size_t offset = 0; offset <= left_.size(); offset += 6) {
    for (const size_t limit : {0, 1, 37, 500}) {
      EXPECT_EQ(IdsOf(Drain(reader.Read({"id"}, offset, limit))),
                Left(offset, std::min(limit, left_.size() - offset)))
          << offset << " + " << limit;
    }
  }
  EXPECT_EQ(IdsOf(Drain(reader.Read({"id"}, 5000, std::nullopt))), std::vector<int64_t>{});
}

TEST_F(ReaderTest, BatchesHaveTheSchemaOfTheirStream) {
  const auto reader = Must(DatasetReader::Open(path(), std::nullopt));
  const auto stream = Must(reader.Read({"vector", "id"}, 0, std::nullopt));
  EXPECT_EQ(stream->schema()->field_names(), (std::vector<std::string>{"vector", "id"}));
  std::shared_ptr<arrow::RecordBatch> batch;
  for (;;) {
    ASSERT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    EXPECT_TRUE(batch->schema()->Equals(*stream->schema()));
    ASSERT_OK(batch->ValidateFull());
  }
}

TEST_F(ReaderTest, NestedColumnsAndBlobs) {
  auto db = Must(Database::Open(scratch_.path().string(), {}));
  const auto metadata = arrow::key_value_metadata({"ARROW:extension:name"}, {"lance.blob.v2"});
  const auto blob = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  const auto point =
      arrow::struct_({arrow::field("x", arrow::int64()), arrow::field("y", arrow::int64())});
  const auto schema =
      arrow::schema({arrow::field("p", point), arrow::field("blob", blob, true, metadata)});
  Table table = Must(db.CreateTable("nested", schema, CreateMode::kCreate, {}));
  const auto ids = Rows(0, 3)->column(0);
  arrow::LargeBinaryBuilder payloads;
  ASSERT_OK(payloads.Append("small"));
  ASSERT_OK(payloads.AppendNull());
  ASSERT_OK(payloads.Append(std::string(100 << 10, 'x')));  // goes to a file of its own
  const std::shared_ptr<arrow::Array> bytes = *payloads.Finish();
  const auto points = std::make_shared<arrow::StructArray>(point, 3, arrow::ArrayVector{ids, ids});
  ASSERT_OK(
      table.Add(arrow::RecordBatch::Make(
                    arrow::schema({schema->field(0), arrow::field("blob", arrow::large_binary())}),
                    3, arrow::ArrayVector{points, bytes}),
                {}));
  const auto reader = Must(DatasetReader::Open(table.location(), std::nullopt));
  const auto stream = Must(reader.Read({"blob", "p.y"}, 0, std::nullopt));
  const auto read = Must(Drain(stream));
  EXPECT_TRUE(read->schema()->Equals(*stream->schema()));
  ASSERT_OK(read->ValidateFull());
  EXPECT_TRUE(read->column(0)->Equals(*bytes)) << read->column(0)->type()->ToString();
  EXPECT_EQ(read->column(1)->type()->ToString(), "struct<y: int64>");
  const auto whole = Must(Drain(reader.Read({}, 1, 2)));
  EXPECT_TRUE(whole->schema()->Equals(*reader.schema()));
  EXPECT_TRUE(whole->column(1)->Equals(*bytes->Slice(1)));
}

TEST_F(ReaderTest, Errors) {
  EXPECT_CODE(DatasetReader::Open((scratch_.path() / "none.lance").string(), std::nullopt),
              kNotFound);
  EXPECT_CODE(DatasetReader::Open(path(), 9), kNotFound);
  EXPECT_CODE(DatasetReader::Open("", std::nullopt), kInvalidArgument);
  EXPECT_CODE(DatasetReader::ListVersions((scratch_.path() / "none.lance").string()), kNotFound);
  const auto reader = Must(DatasetReader::Open(path(), std::nullopt));
  const auto misspelt = reader.Read({"idd"}, 0, std::nullopt);
  EXPECT_CODE(misspelt, kNotFound);
  EXPECT_THAT(misspelt.status().message(), HasSubstr("idd"));
  for (const auto& entry : std::filesystem::directory_iterator(path() + "/data")) {
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  }
  const auto damaged = Must(DatasetReader::Open(path(), std::nullopt));
  EXPECT_CODE(Drain(damaged.Read({}, 0, std::nullopt)), kCorruption);
}

TEST_F(ReaderTest, StartsNoThreads) {
  const int before = NumThreads();
  const auto reader = Must(DatasetReader::Open(path(), std::nullopt));
  const auto stream = Must(reader.Read({}, 0, std::nullopt));
  std::shared_ptr<arrow::RecordBatch> batch;
  do {
    ASSERT_OK(stream->ReadNext(&batch));
    EXPECT_EQ(NumThreads(), before);
  } while (batch != nullptr);
}

TEST_F(ReaderTest, StreamOutlivesReader) {
  std::shared_ptr<arrow::RecordBatchReader> stream;
  {
    const auto reader = Must(DatasetReader::Open(path(), std::nullopt));
    stream = Must(reader.Read({"id"}, 0, std::nullopt));
  }
  EXPECT_EQ(IdsOf(Drain(stream)), left_);
}

TEST_F(ReaderTest, ThroughC) {
  uint64_t versions[2] = {0, 0};
  size_t count = 0;
  ASSERT_EQ(glaive_dataset_versions(path().c_str(), versions, 2, &count), 0);
  EXPECT_EQ(count, 3u);  // more than there was room for
  EXPECT_EQ(versions[1], 2u);
  glaive_dataset* dataset = nullptr;
  ASSERT_EQ(glaive_dataset_open(path().c_str(), 0, &dataset), 0) << glaive_last_error();
  EXPECT_EQ(glaive_dataset_version(dataset), 3u);
  uint64_t rows = 0;
  ASSERT_EQ(glaive_dataset_count_rows(dataset, &rows), 0);
  EXPECT_EQ(rows, 102u);
  struct ArrowSchema schema;
  ASSERT_EQ(glaive_dataset_schema(dataset, &schema), 0);
  EXPECT_TRUE(Must(arrow::ImportSchema(&schema))->Equals(*TestSchema()));
  const char* columns[] = {"id"};
  struct ArrowArrayStream stream;
  ASSERT_EQ(glaive_dataset_read(dataset, columns, 1, 5, UINT64_MAX, &stream), 0);
  glaive_dataset_close(dataset);  // the stream keeps what it needs
  EXPECT_EQ(IdsOf(Drain(arrow::ImportRecordBatchReader(&stream))), Left(5, left_.size() - 5));
}

TEST_F(ReaderTest, ErrorsThroughC) {
  glaive_dataset* dataset = nullptr;
  EXPECT_EQ(glaive_dataset_open(nullptr, 0, &dataset), 1);
  EXPECT_EQ(glaive_dataset_open(path().c_str(), 0, nullptr), 1);
  EXPECT_EQ(glaive_dataset_open((path() + "x").c_str(), 0, &dataset), 3);
  EXPECT_EQ(dataset, nullptr);
  EXPECT_THAT(glaive_last_error(), HasSubstr("t.lancex"));
  EXPECT_EQ(glaive_dataset_open(path().c_str(), 77, &dataset), 3);
  ASSERT_EQ(glaive_dataset_open(path().c_str(), 1, &dataset), 0);
  struct ArrowArrayStream stream;
  const char* columns[] = {"idd", nullptr};
  EXPECT_EQ(glaive_dataset_read(dataset, columns, 1, 0, UINT64_MAX, &stream), 3);
  EXPECT_EQ(glaive_dataset_read(dataset, columns + 1, 1, 0, UINT64_MAX, &stream), 1);
  EXPECT_EQ(glaive_dataset_read(dataset, nullptr, 1, 0, UINT64_MAX, &stream), 1);
  EXPECT_EQ(glaive_dataset_read(dataset, nullptr, 0, 0, UINT64_MAX, nullptr), 1);
  EXPECT_EQ(glaive_dataset_count_rows(dataset, nullptr), 1);
  EXPECT_EQ(glaive_dataset_schema(nullptr, nullptr), 1);
  EXPECT_EQ(glaive_dataset_version(nullptr), 0u);
  glaive_dataset_close(dataset);
  glaive_dataset_close(nullptr);
}

}  // namespace
}  // namespace glaive
