// Scans and takes through tables: what comes out, in which order and batches.
#include "query/scan.h"

#include <algorithm>
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "testing/rows.h"

namespace glaive::query {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using testing::IdsOf;
using testing::Must;
using testing::Rows;
using testing::Sequence;
using testing::Stream;

using Ids = std::vector<int64_t>;

struct Setting {
  size_t threads;
  bool stable;
};

/// A table of 100 rows in fragments of 40, 40, 20, without rows 0, 38..41 and 79.
class ScanTest : public ::testing::TestWithParam<Setting> {
 protected:
  ScanTest() : db_(Open()), table_(Create()) {
    for (int64_t i = 0; i < 100; ++i) {
      if (i != 0 && (i < 38 || i > 41) && i != 79) {
        left_.push_back(i);
      }
    }
  }

  static Database Open() {
    DatabaseOptions options;
    options.num_threads = GetParam().threads;
    options.enable_stable_row_ids = GetParam().stable;
    return Must(Database::Open("memory://", options));
  }

  Table Create() {
    WriteOptions options;
    options.max_rows_per_file = 40;
    Table table = Must(db_.CreateTable("t", Stream({Rows(0, 100)}), CreateMode::kCreate, options));
    row_ids_ = Column(table, "_rowid");
    addresses_ = Column(table, "_rowaddr");
    EXPECT_TRUE(table
                    .DeleteRowIds({At(row_ids_, 0), At(row_ids_, 38), At(row_ids_, 39),
                                   At(row_ids_, 40), At(row_ids_, 41), At(row_ids_, 79)})
                    .ok());
    return table;
  }

  static std::vector<uint64_t> Column(const Table& table, const std::string& name) {
    ScanOptions options;
    options.columns = {"id"};
    options.with_row_id = true;
    options.with_row_address = true;
    const auto batch = Must(Drain(table.Scan(options)));
    const auto values = std::static_pointer_cast<arrow::UInt64Array>(batch->GetColumnByName(name));
    return {values->raw_values(), values->raw_values() + values->length()};
  }

  static uint64_t At(const std::vector<uint64_t>& values, int64_t row) {
    return values[static_cast<size_t>(row)];
  }

  Ids Left(size_t first, size_t count) const {
    return {left_.begin() + static_cast<ptrdiff_t>(first),
            left_.begin() + static_cast<ptrdiff_t>(first + count)};
  }

  Database db_;
  std::vector<uint64_t> row_ids_;    // of all rows, before the deletion
  std::vector<uint64_t> addresses_;  // of all rows
  Table table_;
  Ids left_;
};

INSTANTIATE_TEST_SUITE_P(Settings, ScanTest,
                         ::testing::Values(Setting{1, false}, Setting{1, true}, Setting{4, false},
                                           Setting{4, true}),
                         [](const auto& setting) {
                           return std::to_string(setting.param.threads) +
                                  (setting.param.stable ? "Stable" : "Plain");
                         });

TEST_P(ScanTest, EveryPageOfRows) {
  const size_t total = left_.size();
  for (const uint64_t batch_rows : {0, 1, 7, 40}) {
    for (size_t offset = 0; offset <= total + 1; offset += 13) {
      for (const size_t limit : {0, 1, 30, 200}) {
        ScanOptions options;
        options.columns = {"id"};
        options.batch_rows = batch_rows;
        options.offset = offset;
        options.limit = limit;
        const size_t first = std::min(offset, total);
        EXPECT_EQ(IdsOf(Drain(table_.Scan(options))), Left(first, std::min(limit, total - first)))
            << offset << " + " << limit;
      }
    }
  }
}

TEST_P(ScanTest, BatchesAreAtMostAsLargeAsAsked) {
  ScanOptions options;
  options.batch_rows = 16;
  const auto reader = Must(table_.Scan(options));
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t rows = 0;
  for (;;) {
    ASSERT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    EXPECT_GT(batch->num_rows(), 0);
    EXPECT_LE(batch->num_rows(), 16);
    EXPECT_TRUE(batch->schema()->Equals(*reader->schema()));
    ASSERT_OK(batch->ValidateFull());
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, static_cast<int64_t>(left_.size()));
  ASSERT_OK(reader->ReadNext(&batch));  // and again at the end
  EXPECT_EQ(batch, nullptr);
}

TEST_P(ScanTest, RowIdsAndAddresses) {
  const auto ids = Column(table_, "_rowid");
  const auto addresses = Column(table_, "_rowaddr");
  ASSERT_EQ(ids.size(), left_.size());
  for (size_t i = 0; i < left_.size(); ++i) {
    EXPECT_EQ(ids[i], At(row_ids_, left_[i]));
    EXPECT_EQ(addresses[i], At(addresses_, left_[i]));
    EXPECT_EQ(addresses[i] >> 32, static_cast<uint64_t>(left_[i] / 40));
    EXPECT_EQ(static_cast<int64_t>(addresses[i] & UINT32_MAX), left_[i] % 40);
    if (GetParam().stable) {
      EXPECT_EQ(ids[i], static_cast<uint64_t>(left_[i]));
    } else {
      EXPECT_EQ(ids[i], addresses[i]);
    }
  }
}

TEST_P(ScanTest, TakesInTheOrderAsked) {
  TakeOptions options;
  options.columns = {"id"};
  EXPECT_EQ(IdsOf(table_.TakeOffsets({93, 0, 36, 37, 37, 0, 70}, options)),
            (Ids{left_[93], left_[0], left_[36], left_[37], left_[37], left_[0], left_[70]}));
  std::vector<uint64_t> every(left_.size());
  for (size_t i = 0; i < every.size(); ++i) {
    every[i] = every.size() - 1 - i;
  }
  Ids reversed = left_;
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(IdsOf(table_.TakeOffsets(every, options)), reversed);
  EXPECT_CODE(table_.TakeOffsets({0, 94}, options), kInvalidArgument);
  // Deleted and unknown ids are left out; duplicates stay.
  EXPECT_EQ(
      IdsOf(table_.TakeRowIds({At(row_ids_, 99), At(row_ids_, 38), At(row_ids_, 1), UINT64_MAX,
                               uint64_t{7} << 32, At(row_ids_, 99), At(row_ids_, 42)},
                              options)),
      (Ids{99, 1, 99, 42}));
  options.with_row_id = true;
  options.with_row_address = true;
  const auto taken = Must(table_.TakeRowIds({At(row_ids_, 50)}, options));
  EXPECT_EQ(std::static_pointer_cast<arrow::UInt64Array>(taken->column(1))->Value(0),
            At(row_ids_, 50));
  EXPECT_EQ(std::static_pointer_cast<arrow::UInt64Array>(taken->column(2))->Value(0),
            At(addresses_, 50));
  EXPECT_EQ(Must(table_.TakeRowIds({}, options))->num_rows(), 0);
}

TEST_P(ScanTest, TakenRowsEqualScannedOnes) {
  const auto all = Must(Drain(table_.Scan({})));
  const auto some = Must(table_.TakeOffsets({80, 3, 36}, {}));
  const auto one = [&](int64_t row) { return all->Slice(row, 1); };
  EXPECT_TRUE(some->Slice(0, 1)->Equals(*one(80)));
  EXPECT_TRUE(some->Slice(1, 1)->Equals(*one(3)));
  EXPECT_TRUE(some->Slice(2, 1)->Equals(*one(36)));
}

TEST_P(ScanTest, ProgressCountsTheRows) {
  ScanOptions options;
  options.offset = 10;
  options.batch_rows = 20;
  uint64_t last = 0;
  uint64_t total = 0;
  options.progress = [&](const Progress& progress) {
    EXPECT_GT(progress.rows_done, last);
    last = progress.rows_done;
    total = progress.rows_total;
  };
  ASSERT_OK(Drain(table_.Scan(options)));
  EXPECT_EQ(last, left_.size() - 10);
  EXPECT_EQ(total, left_.size() - 10);
}

TEST_P(ScanTest, CancelStopsInTheMiddle) {
  ScanOptions options;
  options.batch_rows = 10;
  const auto reader = Must(table_.Scan(options));
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(reader->ReadNext(&batch));
  options.cancel.RequestStop();
  EXPECT_CODE(reader->ReadNext(&batch), kCancelled);
  EXPECT_EQ(batch, nullptr);
  EXPECT_CODE(reader->ReadNext(&batch), kCancelled);
}

TEST_P(ScanTest, SeesItsVersionWhateverIsWritten) {
  ScanOptions options;
  options.batch_rows = 10;
  auto reader = Must(table_.Scan(options));
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(reader->ReadNext(&batch));
  ASSERT_OK(table_.Add(Rows(100, 10), {}));
  ASSERT_OK(table_.DeleteRowIds({At(row_ids_, 50)}));
  EXPECT_EQ(Must(reader->ToTable())->num_rows(), static_cast<int64_t>(left_.size()) - 10);
}

TEST_P(ScanTest, OutlivesTableAndDatabase) {
  ScanOptions options;
  options.batch_rows = 5;
  std::shared_ptr<arrow::RecordBatchReader> reader;
  {
    Database db = Open();
    Table table = Must(db.CreateTable("u", Stream({Rows(0, 50)}), CreateMode::kCreate, {}));
    reader = Must(table.Scan(options));
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(reader->ReadNext(&batch));
  }
  EXPECT_EQ(IdsOf(Drain(reader)), Sequence(5, 45));
}

TEST_P(ScanTest, EmptyTables) {
  Table empty = Must(db_.CreateTable("e", testing::TestSchema(), CreateMode::kCreate, {}));
  ScanOptions options;
  options.with_row_id = true;
  const auto rows = Must(Drain(empty.Scan(options)));
  EXPECT_EQ(rows->num_rows(), 0);
  EXPECT_EQ(rows->num_columns(), 4);
  EXPECT_EQ(Must(empty.TakeOffsets({}, {}))->num_rows(), 0);
  EXPECT_EQ(Must(empty.TakeRowIds({1}, {}))->num_rows(), 0);
  EXPECT_CODE(empty.TakeOffsets({0}, {}), kInvalidArgument);
  // All rows deleted: no fragment is left.
  ASSERT_OK(table_.DeleteRowIds(row_ids_));
  EXPECT_EQ(*table_.CountRows(), 0u);
  EXPECT_EQ(Must(Drain(table_.Scan({})))->num_rows(), 0);
}

TEST_P(ScanTest, NestedProjection) {
  const auto inner =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("odd.name", arrow::utf8())});
  const auto type = arrow::struct_({arrow::field("y", arrow::int64()), arrow::field("in", inner)});
  arrow::Int32Builder xs;
  arrow::StringBuilder names;
  arrow::Int64Builder ys;
  for (int i = 0; i < 30; ++i) {
    ASSERT_OK(xs.Append(i));
    ASSERT_OK(names.Append(std::to_string(i)));
    ASSERT_OK(ys.Append(-i));
  }
  const std::shared_ptr<arrow::Array> x = *xs.Finish();
  const std::shared_ptr<arrow::Array> name = *names.Finish();
  const std::shared_ptr<arrow::Array> y = *ys.Finish();
  const auto in = std::make_shared<arrow::StructArray>(inner, 30, arrow::ArrayVector{x, name});
  const auto s = std::make_shared<arrow::StructArray>(type, 30, arrow::ArrayVector{y, in});
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("s", type)}), 30, arrow::ArrayVector{s});
  Table table = Must(db_.CreateTable("n", Stream({batch}), CreateMode::kCreate, {}));
  ScanOptions options;
  options.columns = {"s.in.x"};
  auto read = Must(Drain(table.Scan(options)));
  EXPECT_EQ(read->schema()->ToString(), "s: struct<in: struct<x: int32>>");
  const auto& s_read = static_cast<const arrow::StructArray&>(*read->column(0));
  EXPECT_TRUE(static_cast<const arrow::StructArray&>(*s_read.field(0)).field(0)->Equals(*x));
  options.columns = {"s.in.`odd.name`", "s.y"};
  read = Must(Drain(table.Scan(options)));
  EXPECT_EQ(read->num_columns(), 1);
  EXPECT_EQ(read->column(0)->type()->num_fields(), 2);
  options.columns = {"s"};
  EXPECT_TRUE(Must(Drain(table.Scan(options)))->Equals(*batch));
  options.columns = {"s.z"};
  EXPECT_CODE(table.Scan(options), kNotFound);
  options.columns = {"s..y"};
  EXPECT_FALSE(table.Scan(options).ok());
}

}  // namespace
}  // namespace glaive::query
