#include "maintain/upkeep.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <sys/wait.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "glaive/database.h"

#include "base/clock.h"
#include "maintain/retention.h"
#include "testing/rows.h"

namespace glaive::maintain {
namespace {

namespace fs = std::filesystem;
using testing::Drain;
using testing::IdsOf;
using testing::Must;
using testing::Rows;
using testing::ScratchDirectory;
using testing::Sequence;
using testing::Stream;

constexpr int64_t kHour = int64_t{3600} * 1'000'000'000;

DatabaseOptions Unsynced() {
  DatabaseOptions options;
  options.sync = SyncMode::kNone;
  return options;
}

std::vector<int64_t> SortedIds(const Table& table) {
  auto ids = IdsOf(Drain(table.Scan({})));
  std::sort(ids.begin(), ids.end());
  return ids;
}

uint64_t BytesBelow(const fs::path& path) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  }
  return bytes;
}

std::shared_ptr<arrow::RecordBatch> Message(int64_t id) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8())});
  arrow::Int64Builder ids;
  arrow::StringBuilder texts;
  EXPECT_TRUE(ids.Append(id).ok());
  std::string text = std::to_string(id * 7919);
  while (text.size() < 300) {
    text += std::to_string(std::hash<std::string>()(text));
  }
  EXPECT_TRUE(texts.Append(text).ok());
  return arrow::RecordBatch::Make(schema, 1, arrow::ArrayVector{*ids.Finish(), *texts.Finish()});
}

TEST(Upkeep, KeepsATableOfSmallWritesInShape) {
  ScratchDirectory directory;
  auto database = Must(Database::Open(directory.path().string(), Unsynced()));
  auto table =
      Must(database.CreateTable("t", Stream({Message(0)}), CreateMode::kCreate, WriteOptions{}));
  constexpr int64_t kWrites = 1500;
  std::set<int64_t> expected = {0};
  for (int64_t i = 1; i < kWrites; ++i) {
    ASSERT_OK(table.Add(Message(i), WriteOptions{}));
    expected.insert(i);
    if (i % 10 == 0) {  // the oldest row that is left
      ScanOptions first;
      first.limit = 1;
      first.with_row_id = true;
      const auto row = Must(Drain(table.Scan(first)));
      expected.erase(IdsOf(row)[0]);
      const auto& ids = static_cast<const arrow::UInt64Array&>(*row->GetColumnByName("_rowid"));
      ASSERT_EQ(Must(table.DeleteRowIds({ids.Value(0)})).num_deleted_rows, 1u);
    }
  }
  EXPECT_EQ(SortedIds(table), std::vector<int64_t>(expected.begin(), expected.end()));
  const auto versions = Must(table.ListVersions(0));
  EXPECT_LE(versions.back().num_data_files, 50u);
  EXPECT_GE(versions.size(), 100u);
  EXPECT_LE(versions.size(), 130u);
  const auto layout = Must(table.Inspect());
  uint64_t live = 0;
  for (const auto& fragment : layout.fragments) {
    for (const auto& file : fragment.files) {
      live += fs::file_size(directory.path() / "t.lance" / file.path);
    }
  }
  // So few rows weigh little against the versions that are kept; see the test of 10,000 writes.
  EXPECT_LE(BytesBelow(directory.path()), 3 * live);
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
  const int64_t began = NowNanos();
  auto fresh = Must(Database::Open(directory.path().string(), Unsynced()));
  EXPECT_EQ(Must(Must(fresh.OpenTable("t")).CountRows()), expected.size());
  EXPECT_LT(NowNanos() - began, 50'000'000);
}

TEST(Upkeep, CanBeTurnedOff) {
  ScratchDirectory directory;
  DatabaseOptions options = Unsynced();
  options.upkeep.enabled = false;
  auto database = Must(Database::Open(directory.path().string(), options));
  auto table =
      Must(database.CreateTable("t", Stream({Message(0)}), CreateMode::kCreate, WriteOptions{}));
  for (int64_t i = 1; i < 150; ++i) {
    ASSERT_OK(table.Add(Message(i), WriteOptions{}));
  }
  EXPECT_EQ(Must(table.ListVersions(0)).size(), 150u);
  EXPECT_EQ(Must(table.ListVersions(1))[0].num_fragments, 150u);
}

TEST(Upkeep, TagsPinsAndRestoredVersionsStay) {
  ScratchDirectory directory;
  DatabaseOptions options = Unsynced();
  options.upkeep.retain_versions = 8;
  auto database = Must(Database::Open(directory.path().string(), options));
  auto table =
      Must(database.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, WriteOptions{}));
  ASSERT_OK(table.CreateTag("first", 1));
  ASSERT_OK(table.Overwrite(Stream({Rows(100, 3)}), WriteOptions{}));
  auto pinned = Must(database.OpenTable("t"));
  ASSERT_OK(pinned.Checkout(2));
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(table.Overwrite(Stream({Rows(200 + i, 5)}), WriteOptions{}));
  }
  EXPECT_EQ(IdsOf(Drain(pinned.Scan({}))), Sequence(100, 3));
  EXPECT_LE(Must(table.ListVersions(0)).size(), 13u);
  ASSERT_OK(table.CheckoutTag("first"));
  ASSERT_OK(table.Restore());
  ASSERT_OK(table.DeleteTag("first"));
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(table.Add(Rows(1000 + i, 1), WriteOptions{}));
  }
  EXPECT_EQ(Must(table.CountRows()), 50u);
  EXPECT_EQ(SortedIds(table).front(), 0);
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
  EXPECT_TRUE(Must(pinned.Verify({}, {})).defects.empty());
  ASSERT_OK(pinned.CheckoutLatest());
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(table.Add(Rows(2000 + i, 1), WriteOptions{}));
  }
  EXPECT_GT(Must(table.ListVersions(0)).front().version, 2u);
}

TEST(Upkeep, ObeysTheKeysOfOtherWriters) {
  table::Manifest manifest;
  const UpkeepOptions options;
  EXPECT_EQ(RetentionOf(manifest, options).newest, 100u);
  EXPECT_EQ(RetentionOf(manifest, options).every, 25u);
  auto& config = *manifest.mutable_pb()->mutable_config();
  config["lance.auto_cleanup.interval"] = "20";
  config["lance.auto_cleanup.older_than"] = "14days";
  const auto keys = RetentionOf(manifest, options);
  EXPECT_EQ(keys.every, 20u);
  EXPECT_EQ(keys.nanos, 14 * 24 * kHour);
  EXPECT_FALSE(keys.either);
  config["lance.auto_cleanup.older_than"] = "soon";
  EXPECT_EQ(RetentionOf(manifest, options).every, 0u);
  EXPECT_EQ(ParseDuration("1h 30m"), kHour * 3 / 2);
  EXPECT_EQ(ParseDuration("2 weeks"), 14 * 24 * kHour);
  for (const char* text : {"", "5", "h", "1 fortnight", "99999999999999999999s", "9999999999y"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(Upkeep, AdviceIsForTablesInNeed) {
  ScratchDirectory directory;
  DatabaseOptions off = Unsynced();
  off.upkeep.enabled = false;
  auto database = Must(Database::Open(directory.path().string(), off));
  auto table =
      Must(database.CreateTable("t", Stream({Message(0)}), CreateMode::kCreate, WriteOptions{}));
  table::Versions versions(Must(io::OpenLocalStore(directory.path().string() + "/t.lance")),
                           std::make_shared<table::Session>(table::Session::Options{}));
  EXPECT_FALSE(Advise(*Must(versions.OpenLatest()), UpkeepOptions{}).compact);
  for (int64_t i = 1; i < 50; ++i) {
    ASSERT_OK(table.Add(Message(i), WriteOptions{}));
  }
  const auto snapshot = Must(versions.OpenLatest());
  const auto advice = Advise(*snapshot, UpkeepOptions{});
  EXPECT_TRUE(advice.compact);
  EXPECT_TRUE(advice.clean_up);  // version 50
  UpkeepOptions disabled;
  disabled.enabled = false;
  EXPECT_FALSE(Advise(*snapshot, disabled).compact);
  UpkeepMemory memory;
  {
    const auto taken = Must(versions.store()->TryLock("_versions", io::LockMode::kExclusive));
    ASSERT_OK(Follow(versions, snapshot, advice, UpkeepOptions{}, &memory));
    EXPECT_EQ(Must(versions.Latest()).version, 50u);
  }
  ASSERT_OK(Follow(versions, snapshot, advice, UpkeepOptions{}, &memory));
  EXPECT_EQ(Must(table.ListVersions(1))[0].num_fragments, 1u);
}

// Processes that write at once, one of which is killed again and again.
TEST(Upkeep, ProcessesThatDieLeaveAGoodTable) {
  ScratchDirectory directory;
  DatabaseOptions options = Unsynced();
  options.num_threads = 1;
  options.upkeep.max_small_fragments = 4;
  options.upkeep.retain_versions = 4;
  {
    auto database = Must(Database::Open(directory.path().string(), options));
    ASSERT_OK(database.CreateTable("t", Stream({Message(0)}), CreateMode::kCreate, WriteOptions{}));
  }
  int progress[2];
  ASSERT_EQ(::pipe(progress), 0);
  const auto append_forever = [&](int64_t first) {
    auto database = Must(Database::Open(directory.path().string(), options));
    auto table = Must(database.OpenTable("t"));
    for (int64_t i = first;; ++i) {
      if (!table.Add(Message(i), WriteOptions{}).ok() ||
          ::write(progress[1], &i, sizeof(i)) != sizeof(i)) {
        ::_exit(1);
      }
    }
  };
  for (int64_t round = 1; round <= 12; ++round) {
    const pid_t writers[2] = {::fork(), 0};
    if (writers[0] == 0) {
      append_forever(round * 100'000);
    }
    const pid_t other = ::fork();
    if (other == 0) {
      append_forever(round * 100'000 + 50'000);
    }
    ::usleep(static_cast<useconds_t>(20'000 + round * 7'000));
    ::kill(writers[0], SIGKILL);
    ::kill(other, SIGKILL);
    int status = 0;
    ::waitpid(writers[0], &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    ::waitpid(other, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
  ::close(progress[1]);
  std::set<int64_t> acknowledged = {0};
  for (int64_t id = 0; ::read(progress[0], &id, sizeof(id)) == sizeof(id);) {
    acknowledged.insert(id);
  }
  ::close(progress[0]);
  auto database = Must(Database::Open(directory.path().string(), options));
  auto table = Must(database.OpenTable("t"));
  const auto found = SortedIds(table);
  const std::set<int64_t> distinct(found.begin(), found.end());
  EXPECT_EQ(distinct.size(), found.size()) << "a row came twice";
  EXPECT_TRUE(
      std::includes(distinct.begin(), distinct.end(), acknowledged.begin(), acknowledged.end()))
      << "a row is lost";
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
  OptimizeOptions everything;
  everything.cleanup_older_than_nanos = 0;
  ASSERT_OK(table.Optimize(everything));
  EXPECT_EQ(SortedIds(table), found);
  EXPECT_EQ(Must(table.ListVersions(0)).size(), 1u);
}

}  // namespace
}  // namespace glaive::maintain
