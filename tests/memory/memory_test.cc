// 64 MiB are enough for any operation on a table of 2 GiB: every operation on a large table, with a
// pool that counts. GLAIVE_MEMORY_TABLE_MIB sets the size of the table; by default it is scaled
// down so that the test stays short (the budget is not).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <tuple>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "glaive/database.h"

#include "large_table.h"
#include "testing/rows.h"

namespace glaive {
namespace {

using testing::CountingPool;
using testing::kRowBytes;
using testing::LargeRows;
using testing::LargeRowsSchema;
using testing::Must;
using testing::ResidentWatch;
using testing::ScratchDirectory;

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kBudget = 64 * kMiB;
constexpr int64_t kDefaultTableMiB = 320;
constexpr int64_t kFragments = 40;

int64_t TableRows() {
  const char* asked = std::getenv("GLAIVE_MEMORY_TABLE_MIB");
  const int64_t mebibytes = asked != nullptr ? std::atoll(asked) : kDefaultTableMiB;
  return std::max<int64_t>(mebibytes, 1) * kMiB / kRowBytes / (2 * kFragments) * (2 * kFragments);
}

/// What a stream held, looked at batch by batch.
struct Seen {
  int64_t rows = 0;
  uint64_t sum = 0;       // of the first column, if it is an integer
  bool ascending = true;  // the second column
};

template <typename ArrayType>
bool Ascends(const arrow::Array& column, std::string* last, double* last_number) {
  const auto& values = static_cast<const ArrayType&>(column);
  for (int64_t i = 0; i < values.length(); ++i) {
    if constexpr (std::is_same_v<ArrayType, arrow::StringArray>) {
      if (std::string_view(*last) > values.GetView(i)) {
        return false;
      }
      *last = values.GetView(i);
    } else {
      if (*last_number > values.Value(i)) {
        return false;
      }
      *last_number = values.Value(i);
    }
  }
  return true;
}

Seen Consume(arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> opened) {
  const auto reader = Must(std::move(opened));
  Seen seen;
  std::string last;
  double last_number = -1;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const auto status = reader->ReadNext(&batch);
    EXPECT_TRUE(status.ok()) << status.ToString();
    if (!status.ok() || batch == nullptr) {
      return seen;
    }
    seen.rows += batch->num_rows();
    if (batch->column(0)->type_id() == arrow::Type::INT64) {
      const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
      for (int64_t i = 0; i < ids.length(); ++i) {
        seen.sum += static_cast<uint64_t>(ids.Value(i));
      }
    }
    if (batch->num_columns() > 1) {
      const auto& column = *batch->column(1);
      if (column.type_id() == arrow::Type::STRING) {
        seen.ascending = seen.ascending && Ascends<arrow::StringArray>(column, &last, &last_number);
      } else if (column.type_id() == arrow::Type::DOUBLE) {
        seen.ascending = seen.ascending && Ascends<arrow::DoubleArray>(column, &last, &last_number);
      }
    }
  }
}

uint64_t SumBelow(int64_t end) {
  return static_cast<uint64_t>(end) * static_cast<uint64_t>(end - 1) / 2;
}

/// Whether files are mapped, and whether rows have stable ids.
class MemoryTest : public ::testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  MemoryTest() : pool_(arrow::system_memory_pool()), watch_(&pool_) {
    DatabaseOptions options;
    options.memory_limit_bytes = kBudget;
    options.metadata_cache_bytes = 4 * kMiB;
    options.pool = &pool_;
    options.sync = SyncMode::kNone;
    options.use_mmap = std::get<0>(GetParam());
    options.enable_stable_row_ids = std::get<1>(GetParam());
    options.spill_directory = directory_.path().string();
    options.upkeep.enabled = false;
    database_ =
        std::make_unique<Database>(Must(Database::Open(directory_.path().string(), options)));
  }

  /// Runs one operation and looks at what it took.
  void Step(const char* name, const std::function<void()>& operation) {
    malloc_trim(0);
    pool_.Restart();
    watch_.Restart();
    const auto begin = std::chrono::steady_clock::now();
    operation();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("  %-26s %7.2f s   pool %6.1f MiB   resident %6.1f MiB\n", name, seconds.count(),
                static_cast<double>(pool_.max_memory()) / kMiB,
                static_cast<double>(watch_.Restart()) / kMiB);
    std::fflush(stdout);
    EXPECT_LE(pool_.max_memory(), kBudget) << name;
    EXPECT_LE(pool_.bytes_allocated(), 8 * kMiB) << name << " leaves memory in use";
  }

  ScratchDirectory directory_;
  CountingPool pool_;
  ResidentWatch watch_;
  std::unique_ptr<Database> database_;
};

TEST_P(MemoryTest, EveryOperationKeepsToTheBudget) {
  const int64_t rows = TableRows();
  std::printf("%lld rows, about %lld MiB, mapped: %d, stable row ids: %d\n",
              static_cast<long long>(rows), static_cast<long long>(rows * kRowBytes / kMiB),
              std::get<0>(GetParam()), std::get<1>(GetParam()));
  std::optional<Table> opened;
  Step("create", [&] {
    WriteOptions write;
    write.max_rows_per_file = static_cast<uint64_t>(rows / kFragments);
    opened.emplace(
        Must(database_->CreateTable("t", LargeRows(0, rows, 1), CreateMode::kCreate, write)));
  });
  Table& table = *opened;

  Step("scan", [&] {
    const Seen seen = Consume(table.Scan({}));
    EXPECT_EQ(seen.rows, rows);
    EXPECT_EQ(seen.sum, SumBelow(rows));
  });
  Step("filtered scan", [&] {
    ScanOptions scan;
    scan.filter = "kind = 'kind-3' AND body LIKE '%0%'";
    EXPECT_NEAR(static_cast<double>(Consume(table.Scan(scan)).rows), static_cast<double>(rows) / 16,
                2);
  });
  Step("filtered scan of half", [&] {
    ScanOptions scan;
    scan.filter = "id % 2 = 0";
    EXPECT_EQ(Consume(table.Scan(scan)).rows, rows / 2);
  });
  Step("order by text", [&] {
    ScanOptions scan;
    scan.columns = {"id", "name", "body", "vector", "tags"};
    scan.order_by = {{"name"}};
    const Seen seen = Consume(table.Scan(scan));
    EXPECT_EQ(seen.sum, SumBelow(rows));
    EXPECT_TRUE(seen.ascending);
  });
  Step("order by number", [&] {
    ScanOptions scan;
    scan.columns = {"id", "score", "body", "vector"};
    scan.order_by = {{"score"}};
    const Seen seen = Consume(table.Scan(scan));
    EXPECT_EQ(seen.sum, SumBelow(rows));
    EXPECT_TRUE(seen.ascending);
  });
  Step("order by long text", [&] {
    ScanOptions scan;
    scan.columns = {"id"};
    scan.order_by = {{"body"}};
    EXPECT_EQ(Consume(table.Scan(scan)).sum, SumBelow(rows));
  });
  Step("order by with limit", [&] {
    ScanOptions scan;
    scan.order_by = {{"name"}};
    scan.limit = 100;
    EXPECT_EQ(Consume(table.Scan(scan)).rows, 100);
  });
  Step("distinct of few", [&] {
    ScanOptions scan;
    scan.columns = {"kind"};
    scan.distinct = true;
    EXPECT_EQ(Consume(table.Scan(scan)).rows, 16);
  });
  Step("distinct of long text", [&] {
    ScanOptions scan;
    scan.columns = {"body"};
    scan.distinct = true;
    EXPECT_EQ(Consume(table.Scan(scan)).rows, rows);
  });
  Step("count", [&] {
    CountOptions count;
    count.filter = "score > 100 AND array_length(tags) > 2";
    EXPECT_GT(Must(table.CountRows(count)), 0U);
  });
  Step("vector search, filtered", [&] {
    VectorQuery query;
    query.column = "vector";
    std::shared_ptr<arrow::RecordBatch> first;
    ASSERT_OK(LargeRows(rows / 2, 1, 1)->ReadNext(&first));
    query.vectors = static_cast<const arrow::FixedSizeListArray&>(*first->column(5)).values();
    query.filter = "id >= 10 AND kind <> 'kind-1'";
    query.k = 100;
    const auto found = Must(table.Search(query));
    EXPECT_EQ(found->num_rows(), 100);
  });
  Step("take", [&] {
    std::vector<uint64_t> offsets;
    for (int64_t i = 0; i < 1000; ++i) {
      offsets.push_back(static_cast<uint64_t>(i * rows / 1000));
    }
    EXPECT_EQ(Must(table.TakeOffsets(offsets, {}))->num_rows(), 1000);
  });

  Step("compaction", [&] {
    OptimizeOptions optimize;
    optimize.cleanup_older_than_nanos = std::nullopt;
    const auto done = Must(table.Optimize(optimize));
    EXPECT_EQ(done.fragments_removed, static_cast<uint64_t>(kFragments));
    EXPECT_EQ(done.fragments_added, 1U);
  });
  Step("update of all rows", [&] {
    UpdateRequest update;
    update.set = {{"score", "score + 1"}};
    EXPECT_EQ(Must(table.Update(update)).num_updated_rows, static_cast<uint64_t>(rows));
  });
  Step("delete of half", [&] {
    EXPECT_EQ(Must(table.Delete("id % 2 = 1", {})).num_deleted_rows,
              static_cast<uint64_t>(rows / 2));
  });
  Step("upsert", [&] {
    // Half of a table: a quarter of its rows is there, the other is new.
    const auto merged = Must(table.Upsert(LargeRows(rows / 2, rows / 2, 1), {"id"}, {}));
    EXPECT_EQ(merged.num_updated_rows, static_cast<uint64_t>(rows / 4));
    EXPECT_EQ(merged.num_inserted_rows, static_cast<uint64_t>(rows / 4));
  });
  Step("merge that deletes", [&] {
    MergeRequest merge;
    merge.on = {"name"};
    merge.update_matched = true;
    merge.set = {{"score", "target.score + source.score"}};
    merge.delete_unmatched_by_source = true;
    merge.delete_condition = "id < 1000";
    const auto merged = Must(table.Merge(merge, LargeRows(1000, rows - 1000, 1)));
    EXPECT_EQ(merged.num_deleted_rows, 500U);
  });
  Step("add a computed column", [&] {
    ASSERT_OK(table.AddColumns({{"shouted", "upper(body)"}, {"n", "array_length(tags)"}}, {}));
  });
  Step("alter types", [&] {
    ASSERT_OK(table.AlterColumns(
        {{"body", {}, arrow::large_utf8(), {}}, {"score", {}, arrow::float32(), {}}}));
  });
  Step("delete of a quarter", [&] { ASSERT_OK(table.Delete("id % 4 = 2", {})); });
  Step("compaction after deletion", [&] {
    OptimizeOptions optimize;
    optimize.cleanup_older_than_nanos = std::nullopt;
    EXPECT_GT(Must(table.Optimize(optimize)).fragments_removed, 0U);
  });
  Step("cleanup", [&] {
    CleanupOptions cleanup;
    cleanup.older_than_nanos = 0;
    EXPECT_GT(Must(table.Cleanup(cleanup)).bytes_removed, 0U);
  });
  Step("verify", [&] {
    const auto report = Must(table.Verify({}, {}));
    EXPECT_TRUE(report.defects.empty());
  });
  Step("scan at the end", [&] {
    const Seen seen = Consume(table.Scan({}));
    EXPECT_GT(seen.rows, rows / 4);
  });
}

INSTANTIATE_TEST_SUITE_P(Stores, MemoryTest,
                         ::testing::Values(std::make_tuple(true, false),
                                           std::make_tuple(false, true)));

}  // namespace
}  // namespace glaive
