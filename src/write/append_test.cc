// Streams cut into files; and memory stays bounded, however long the stream is.
#include "write/append.h"

#include <atomic>
#include <fstream>

#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "testing/rows.h"

namespace glaive::write {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using testing::IdsOf;
using testing::Must;
using testing::Rows;
using testing::Sequence;
using testing::Stream;

constexpr uint64_t kMiB = 1 << 20;

std::vector<uint64_t> RowsPerFile(const Table& table) {
  std::vector<uint64_t> rows;
  for (const auto& fragment : Must(table.Inspect()).fragments) {
    rows.push_back(fragment.physical_rows);
  }
  return rows;
}

TEST(AppendTest, CutsByRows) {
  auto db = Must(Database::Open("memory://", {}));
  WriteOptions options;
  options.max_rows_per_file = 30;
  Table table = Must(db.CreateTable("t", Stream({Rows(0, 10), Rows(10, 65), Rows(75, 15)}),
                                    CreateMode::kCreate, options));
  EXPECT_THAT(RowsPerFile(table), ElementsAre(30, 30, 30));
  EXPECT_EQ(IdsOf(Drain(table.Scan({}))), Sequence(0, 90));
  const auto added = Must(table.Add(Rows(90, 31), options));
  EXPECT_EQ(added.num_rows, 31u);
  EXPECT_THAT(RowsPerFile(table), ElementsAre(30, 30, 30, 30, 1));
}

TEST(AppendTest, CutsByBytes) {
  auto db = Must(Database::Open("memory://", {}));
  WriteOptions options;
  options.max_bytes_per_file = 256 << 10;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int64_t i = 0; i < 40; ++i) {
    batches.push_back(Rows(i * 2000, 2000));  // about 70 KB each
  }
  Table table = Must(db.CreateTable("t", Stream(batches), CreateMode::kCreate, options));
  const auto rows = RowsPerFile(table);
  EXPECT_GE(rows.size(), 5u);
  EXPECT_LE(rows.size(), 20u);
  EXPECT_EQ(IdsOf(Drain(table.Scan({}))), Sequence(0, 80000));
}

TEST(AppendTest, EmptyBatchesMakeNoFiles) {
  auto db = Must(Database::Open("memory://", {}));
  Table table =
      Must(db.CreateTable("t", Stream({Rows(0, 0), Rows(0, 0)}), CreateMode::kCreate, {}));
  EXPECT_THAT(RowsPerFile(table), ElementsAre());
  const auto added = Must(table.Add(Rows(0, 0), {}));
  EXPECT_EQ(added.num_rows, 0u);
  EXPECT_EQ(added.version, 1u);
}

TEST(AppendTest, AStreamThatFailsLeavesNothing) {
  class Failing final : public arrow::RecordBatchReader {
   public:
    std::shared_ptr<arrow::Schema> schema() const override { return testing::TestSchema(); }

    arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
      *batch = Rows(count_ * 10, 10);
      return count_++ < 5 ? arrow::Status::OK() : arrow::Status::IOError("the source broke");
    }

   private:
    int64_t count_ = 0;
  };

  testing::ScratchDirectory scratch;
  auto db = Must(Database::Open(scratch.path().string(), {}));
  Table table = Must(db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
  const auto before = scratch.Listing();
  WriteOptions options;
  options.max_rows_per_file = 20;
  const auto added = table.Add(std::make_shared<Failing>(), options);
  EXPECT_CODE(added, kIo);
  EXPECT_EQ(scratch.Listing(), before);
}

/// Bytes of this process that are its own, not mappings of files.
uint64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  uint64_t kilobytes = 0;
  while (status >> key) {
    if (key == "RssAnon:") {
      status >> kilobytes;
      break;
    }
  }
  return kilobytes << 10;
}

/// `count` batches of 2 MiB of noise, made as they are pulled. Watches the memory as it goes.
class Endless final : public arrow::RecordBatchReader {
 public:
  static constexpr int64_t kRows = 2048;
  static constexpr int kDimensions = 256;

  Endless(int64_t count, uint64_t* peak) : left_(count), peak_(peak) {}

  std::shared_ptr<arrow::Schema> schema() const override {
    return arrow::schema(
        {arrow::field("v", arrow::fixed_size_list(arrow::float32(), kDimensions))});
  }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    *peak_ = std::max(*peak_, AnonymousBytes());
    if (left_-- == 0) {
      return arrow::Status::OK();
    }
    arrow::FloatBuilder values;
    ARROW_RETURN_NOT_OK(values.Reserve(kRows * kDimensions));
    for (int64_t i = 0; i < kRows * kDimensions; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      values.UnsafeAppend(static_cast<float>(state_ >> 40));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, values.Finish());
    *batch = arrow::RecordBatch::Make(
        schema(), kRows,
        arrow::ArrayVector{*arrow::FixedSizeListArray::FromArrays(array, kDimensions)});
    return arrow::Status::OK();
  }

 private:
  int64_t left_;
  uint64_t* peak_;
  uint64_t state_ = 1;
};

TEST(AppendTest, LongStreamsNeedLittleMemory) {
  constexpr int64_t kBatches = 300;  // 600 MiB
  testing::ScratchDirectory scratch;
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  DatabaseOptions options;
  options.sync = SyncMode::kNone;
  options.num_threads = 4;
  options.pool = &pool;
  auto db = Must(Database::Open(scratch.path().string(), options));
  uint64_t peak = 0;
  const uint64_t before = AnonymousBytes();
  Table table = Must(db.CreateTable("t", Endless(0, &peak).schema(), CreateMode::kCreate, {}));
  ASSERT_OK(table.Add(std::make_shared<Endless>(kBatches, &peak), {}));
  EXPECT_EQ(*table.CountRows(), static_cast<uint64_t>(kBatches * Endless::kRows));
  EXPECT_LT(peak - std::min(peak, before), 256 * kMiB);
  EXPECT_LT(static_cast<uint64_t>(pool.max_memory()), 256 * kMiB);
  RecordProperty("add_peak_bytes", std::to_string(peak - std::min(peak, before)));

  // And so do scans: each batch goes before the next is asked for.
  ScanOptions scan;
  scan.readahead_batches = 4;
  const auto reader = Must(table.Scan(scan));
  std::shared_ptr<arrow::RecordBatch> batch;
  uint64_t scan_peak = 0;
  int64_t rows = 0;
  do {
    ASSERT_OK(reader->ReadNext(&batch));
    rows += batch != nullptr ? batch->num_rows() : 0;
    scan_peak = std::max(scan_peak, AnonymousBytes());
  } while (batch != nullptr);
  EXPECT_EQ(rows, kBatches * Endless::kRows);
  EXPECT_LT(scan_peak - std::min(scan_peak, before), 256 * kMiB);
}

}  // namespace
}  // namespace glaive::write
