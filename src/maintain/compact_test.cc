#include "maintain/compact.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include <arrow/array.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "maintain/cleanup.h"
#include "testing/fault_store.h"
#include "testing/rows.h"

namespace glaive::maintain {
namespace {

using testing::Drain;
using testing::IdsOf;
using testing::Must;
using testing::Rows;
using testing::ScratchDirectory;
using testing::Stream;

DatabaseOptions Plain() {
  DatabaseOptions options;
  options.sync = SyncMode::kNone;
  options.upkeep.enabled = false;
  return options;
}

std::vector<int64_t> SortedIds(const Table& table) {
  auto ids = IdsOf(Drain(table.Scan({})));
  std::sort(ids.begin(), ids.end());
  return ids;
}

OptimizeOptions CompactOnly() {
  OptimizeOptions options;
  options.cleanup_older_than_nanos = std::nullopt;
  return options;
}

/// A table of `fragments` appends of ten rows; row 3 of each is deleted.
Table MakeTable(Database& database, int fragments, const WriteOptions& options = {}) {
  auto table = Must(database.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, options));
  for (int i = 1; i < fragments; ++i) {
    EXPECT_TRUE(table.Add(Rows(10 * i, 10), WriteOptions{}).ok());
  }
  ScanOptions scan;
  scan.with_row_id = true;
  const auto all = Must(Drain(table.Scan(scan)));
  const auto& row_ids = static_cast<const arrow::UInt64Array&>(*all->GetColumnByName("_rowid"));
  std::vector<uint64_t> gone;
  for (int64_t i = 3; i < all->num_rows(); i += 10) {
    gone.push_back(row_ids.Value(i));
  }
  EXPECT_EQ(Must(table.DeleteRowIds(gone)).num_deleted_rows, gone.size());
  return table;
}

TEST(Compact, KeepsRowsAndMaterializesDeletions) {
  for (const char* version : {"2.0", "2.1", "2.2"}) {
    ScratchDirectory directory;
    DatabaseOptions options = Plain();
    options.data_storage_version = version;
    auto database = Must(Database::Open(directory.path().string(), options));
    auto table = MakeTable(database, 20);
    const auto before = Must(Drain(table.Scan({})));
    const auto result = Must(table.Optimize(CompactOnly()));
    EXPECT_EQ(result.fragments_removed, 20u);
    EXPECT_EQ(result.fragments_added, 1u);
    EXPECT_EQ(result.version, Must(table.Version()));
    const auto after = Must(Drain(table.Scan({})));
    EXPECT_TRUE(before->Equals(*after)) << version;
    const auto versions = Must(table.ListVersions(2));
    EXPECT_EQ(versions[0].operation, "ReserveFragments");
    EXPECT_EQ(versions[1].operation, "Rewrite");
    EXPECT_EQ(versions[1].num_fragments, 1u);
    EXPECT_EQ(versions[1].num_deleted_rows, 0u);
    EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
    // Nothing is left to do.
    EXPECT_EQ(Must(table.Optimize(CompactOnly())).fragments_removed, 0u);
  }
}

TEST(Compact, CutsAtTheTarget) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Plain()));
  auto table = MakeTable(database, 20);
  OptimizeOptions options = CompactOnly();
  options.target_rows_per_fragment = 40;
  const auto result = Must(table.Optimize(options));
  EXPECT_EQ(result.fragments_removed, 20u);
  EXPECT_EQ(Must(table.CountRows()), 180u);
  for (const auto& fragment : Must(table.Inspect()).fragments) {
    EXPECT_LE(fragment.physical_rows, 40u);
  }
}

TEST(Compact, KeepsStableRowIdsAndLineage) {
  ScratchDirectory directory;
  DatabaseOptions options = Plain();
  options.enable_stable_row_ids = true;
  auto database = Must(Database::Open(directory.path().string(), options));
  auto table = MakeTable(database, 12);
  ScanOptions scan;
  scan.with_row_id = true;
  const auto before = Must(Drain(table.Scan(scan)));
  EXPECT_EQ(Must(table.Optimize(CompactOnly())).fragments_added, 1u);
  const auto after = Must(Drain(table.Scan(scan)));
  EXPECT_TRUE(before->Equals(*after));
  const auto& ids = static_cast<const arrow::UInt64Array&>(*after->GetColumnByName("_rowid"));
  TakeOptions take;
  const auto taken = Must(table.TakeRowIds({ids.Value(50), ids.Value(0)}, take));
  EXPECT_EQ(IdsOf(taken), (std::vector<int64_t>{IdsOf(after)[50], 0}));
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
}

TEST(Compact, LineageIsKeptPerRow) {
  ScratchDirectory directory;
  auto store = Must(io::OpenLocalStore(directory.path().string() + "/t.lance"));
  DatabaseOptions options = Plain();
  options.enable_stable_row_ids = true;
  auto database = Must(Database::Open(directory.path().string(), options));
  auto table = MakeTable(database, 5);
  table::Versions versions(store, std::make_shared<table::Session>(table::Session::Options{}));
  std::vector<uint64_t> before;
  const auto versions_of = [](const table::Snapshot& snapshot) {
    std::vector<uint64_t> all;
    for (const auto& fragment : snapshot.fragments()) {
      const auto deletions = Must(fragment->deletions());
      for (uint32_t row = 0; row < fragment->physical_rows(); ++row) {
        if (deletions == nullptr || !deletions->Contains(row)) {
          all.push_back(Must(fragment->CreatedAt(row)));
          all.push_back(Must(fragment->LastUpdatedAt(row)));
        }
      }
    }
    return all;
  };
  const auto old = versions_of(*Must(versions.OpenLatest()));
  EXPECT_EQ(Must(table.Optimize(CompactOnly())).fragments_added, 1u);
  EXPECT_EQ(versions_of(*Must(versions.OpenLatest())), old);
  EXPECT_EQ(old.front(), 1u);
  EXPECT_EQ(old.back(), 5u);
}

TEST(Compact, BlobsOfEveryKindSurvive) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Plain()));
  const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  const auto schema = arrow::schema(
      {arrow::field("id", arrow::int64()),
       arrow::field("b", type, true,
                    arrow::key_value_metadata({"ARROW:extension:name"}, {"lance.blob.v2"}))});
  const std::vector<std::string> payloads = {"small", std::string(70000, 'p'),
                                             std::string(5 << 20, 'd'), ""};
  const auto batch_of = [&](int64_t id, const std::string* data, const char* uri) {
    arrow::Int64Builder ids;
    EXPECT_TRUE(ids.Append(id).ok());
    auto bytes = std::make_shared<arrow::LargeBinaryBuilder>();
    auto uris = std::make_shared<arrow::StringBuilder>();
    arrow::StructBuilder blobs(type, arrow::default_memory_pool(), {bytes, uris});
    if (data == nullptr && uri == nullptr) {
      EXPECT_TRUE(blobs.AppendNull().ok());
    } else {
      EXPECT_TRUE(blobs.Append().ok());
      EXPECT_TRUE((data != nullptr ? bytes->Append(*data) : bytes->AppendNull()).ok());
      EXPECT_TRUE((uri != nullptr ? uris->Append(uri) : uris->AppendNull()).ok());
    }
    return arrow::RecordBatch::Make(schema, 1, arrow::ArrayVector{*ids.Finish(), *blobs.Finish()});
  };
  auto table = Must(database.CreateTable("t", schema, CreateMode::kCreate, {}));
  int64_t id = 0;
  for (const auto& payload : payloads) {
    ASSERT_OK(table.Add(batch_of(id++, &payload, nullptr), WriteOptions{}));
  }
  ASSERT_OK(table.Add(batch_of(id++, nullptr, nullptr), WriteOptions{}));
  ScanOptions bytes;
  bytes.blobs = BlobRead::kBytes;
  const auto before = Must(Drain(table.Scan(bytes)));
  ASSERT_OK(table.Add(batch_of(id++, nullptr, "https://example.com/elsewhere"), WriteOptions{}));
  EXPECT_EQ(Must(table.Optimize(CompactOnly())).fragments_added, 1u);
  bytes.limit = 5;
  const auto after = Must(Drain(table.Scan(bytes)));
  EXPECT_TRUE(before->Equals(*after));
  const auto stored = Must(Drain(table.Scan({})));
  const auto& blobs = static_cast<const arrow::StructArray&>(*stored->GetColumnByName("b"));
  const auto& kinds = static_cast<const arrow::UInt8Array&>(*blobs.field(0));
  const auto& uris = static_cast<const arrow::StringArray&>(*blobs.field(4));
  EXPECT_EQ(kinds.Value(5), 3);
  EXPECT_EQ(uris.GetView(5), "https://example.com/elsewhere");
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
}

TEST(Compact, ReadersAreUndisturbed) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Plain()));
  auto table = MakeTable(database, 20);
  ScanOptions slow;
  slow.readahead_batches = 1;
  slow.batch_rows = 5;
  const auto reader = Must(table.Scan(slow));
  std::shared_ptr<arrow::RecordBatch> first;
  ASSERT_OK(reader->ReadNext(&first));
  OptimizeOptions options;
  options.cleanup_older_than_nanos = 0;
  const auto result = Must(table.Optimize(options));
  EXPECT_GT(result.versions_removed, 0u);
  int64_t rows = first->num_rows();
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 180);
}

TEST(Compact, GroupsThatOthersChangedAreSkipped) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Plain()));
  auto table = MakeTable(database, 8);
  table::Versions versions(Must(io::OpenLocalStore(directory.path().string() + "/t.lance")),
                           std::make_shared<table::Session>(table::Session::Options{}));
  const auto snapshot = Must(versions.OpenLatest());
  const std::vector<CompactionGroup> groups = {{{0, 1, 2}, 27, 0}, {{4, 5, 6}, 27, 0}};
  ASSERT_EQ(Must(table.DeleteRowIds({uint64_t{1} << 32})).num_deleted_rows, 1u);
  const auto result = Must(Compact(versions, snapshot, groups, CompactOnly(), 0));
  EXPECT_EQ(result.fragments_removed, 3u);
  EXPECT_EQ(Must(table.CountRows()), 71u);
  EXPECT_EQ(Must(table.ListVersions(1))[0].num_fragments, 6u);
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
}

// Whatever step a process dies at, the table keeps its rows, and the next compaction succeeds.
TEST(Compact, SurvivesDeathAtEveryStep) {
  for (const auto kind : {testing::FaultKind::kCrash, testing::FaultKind::kTorn,
                          testing::FaultKind::kAmbiguous, testing::FaultKind::kFull}) {
    for (uint64_t at = 0;; ++at) {
      ScratchDirectory directory;
      auto database = Must(Database::Open(directory.path().string(), Plain()));
      auto table = MakeTable(database, 6);
      const auto rows = SortedIds(table);
      io::LocalStoreOptions unsynced;
      unsynced.durability = io::Durability::kNone;
      auto counter = std::make_shared<std::atomic<uint64_t>>(0);
      auto store = testing::WrapWithFaults(
          Must(io::OpenLocalStore(directory.path().string() + "/t.lance", unsynced)), counter,
          {kind, at});
      const table::Versions dying(store,
                                  std::make_shared<table::Session>(table::Session::Options{}));
      if (const auto snapshot = dying.OpenLatest(); snapshot.ok()) {
        const auto groups = PlanCompaction(**snapshot, CompactOnly());
        static_cast<void>(Compact(dying, *snapshot, groups, CompactOnly(), 0));
        CleanupOptions old;
        old.older_than_nanos = 0;
        static_cast<void>(Cleanup(dying, old));
      }
      OptimizeOptions all;
      all.cleanup_older_than_nanos = 0;
      const bool reached = counter->load() > at;
      auto survivor = Must(Database::Open(directory.path().string(), Plain()));
      auto again = Must(survivor.OpenTable("t"));
      EXPECT_EQ(SortedIds(again), rows) << "step " << at;
      EXPECT_TRUE(Must(again.Verify({}, {})).defects.empty()) << "step " << at;
      ASSERT_OK(again.Optimize(all));
      EXPECT_EQ(SortedIds(again), rows) << "step " << at;
      EXPECT_EQ(Must(again.ListVersions(0)).size(), 1u) << "step " << at;
      if (!reached) {
        EXPECT_GT(at, 10u);
        break;
      }
    }
  }
}

TEST(Compact, RefusesNonsense) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Plain()));
  auto table = MakeTable(database, 2);
  OptimizeOptions options = CompactOnly();
  options.target_rows_per_fragment = 0;
  EXPECT_CODE(table.Optimize(options), kInvalidArgument);
  options = CompactOnly();
  options.cancel.RequestStop();
  EXPECT_CODE(table.Optimize(options), kCancelled);
  ASSERT_OK(table.Checkout(1));
  EXPECT_CODE(table.Optimize(CompactOnly()), kPreconditionFailed);
}

}  // namespace
}  // namespace glaive::maintain
