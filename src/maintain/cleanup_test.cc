#include "maintain/cleanup.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/time.h>

#include <gtest/gtest.h>

#include "glaive/database.h"

#include "base/clock.h"
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

constexpr int64_t kDay = int64_t{24} * 3600 * 1'000'000'000;

class CleanupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.sync = SyncMode::kNone;
    options.upkeep.enabled = false;
    database_.emplace(Must(Database::Open(directory_.path().string(), options)));
    table_.emplace(Must(
        database_->CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, WriteOptions{})));
    all_.older_than_nanos = 0;
  }

  void TearDown() override { SetNowForTest(-1); }

  /// Versions 2 to n: each replaces all rows.
  void Overwrite(int versions) {
    for (int i = 0; i < versions; ++i) {
      ASSERT_OK(table_->Overwrite(Stream({Rows(i, 5)}), WriteOptions{}));
    }
  }

  std::vector<uint64_t> Versions() const {
    std::vector<uint64_t> numbers;
    for (const auto& version : Must(table_->ListVersions(0))) {
      numbers.push_back(version.version);
    }
    return numbers;
  }

  size_t FilesIn(const std::string& directory) const {
    const auto path = directory_.path() / "t.lance" / directory;
    return fs::exists(path) ? static_cast<size_t>(std::distance(fs::directory_iterator(path), {}))
                            : 0;
  }

  void Write(const std::string& path, int64_t age_nanos) const {
    const auto full = directory_.path() / "t.lance" / path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << "12345";
    fs::last_write_time(full,
                        fs::file_time_type::clock::now() - std::chrono::nanoseconds(age_nanos));
  }

  bool Exists(const std::string& path) const {
    return fs::exists(directory_.path() / "t.lance" / path);
  }

  ScratchDirectory directory_;
  std::optional<Database> database_;
  std::optional<Table> table_;
  CleanupOptions all_;
};

TEST_F(CleanupTest, RemovesOldVersionsAndWhatOnlyTheyUse) {
  Overwrite(3);
  CleanupOptions dry = all_;
  dry.dry_run = true;
  const auto would = Must(table_->Cleanup(dry));
  EXPECT_EQ(would.versions_removed, 3u);
  EXPECT_EQ(Versions().size(), 4u);
  const auto result = Must(table_->Cleanup(all_));
  EXPECT_EQ(result.versions_removed, 3u);
  EXPECT_EQ(result.data_files_removed, 3u);
  EXPECT_EQ(result.transaction_files_removed, 3u);
  EXPECT_EQ(result.bytes_removed, would.bytes_removed);
  EXPECT_GT(result.bytes_removed, 0u);
  EXPECT_EQ(Versions(), (std::vector<uint64_t>{4}));
  EXPECT_EQ(FilesIn("data"), 1u);
  EXPECT_EQ(FilesIn("_transactions"), 1u);
  EXPECT_EQ(IdsOf(Drain(table_->Scan({}))), Sequence(2, 5));
  EXPECT_TRUE(Must(table_->Verify({}, {})).defects.empty());
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 0u);
}

TEST_F(CleanupTest, DeletionFilesGoWithTheirVersions) {
  ASSERT_OK(table_->DeleteRowIds({1}));
  ASSERT_OK(table_->DeleteRowIds({2}));
  EXPECT_EQ(FilesIn("_deletions"), 2u);
  EXPECT_EQ(Must(table_->Cleanup(all_)).deletion_files_removed, 1u);
  EXPECT_EQ(FilesIn("_deletions"), 1u);
  EXPECT_EQ(FilesIn("data"), 1u);
  EXPECT_EQ(Must(table_->CountRows()), 8u);
}

TEST_F(CleanupTest, FollowsThePolicy) {
  Overwrite(5);
  CleanupOptions options = all_;
  options.before_version = 3;
  EXPECT_EQ(Must(table_->Cleanup(options)).versions_removed, 2u);
  options = all_;
  options.keep_newest = 3;
  EXPECT_EQ(Must(table_->Cleanup(options)).versions_removed, 1u);
  EXPECT_EQ(Versions(), (std::vector<uint64_t>{4, 5, 6}));
  EXPECT_EQ(Must(table_->Cleanup({})).versions_removed, 0u);
  SetNowForTest(NowNanos() + 8 * kDay);
  EXPECT_EQ(Must(table_->Cleanup({})).versions_removed, 2u);
  options.older_than_nanos = -1;
  EXPECT_CODE(table_->Cleanup(options), kInvalidArgument);
}

TEST_F(CleanupTest, TagsProtect) {
  Overwrite(4);
  ASSERT_OK(table_->CreateTag("keep", 2));
  CleanupOptions strict = all_;
  strict.error_if_tagged_old_versions = true;
  EXPECT_CODE(table_->Cleanup(strict), kPreconditionFailed);
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 3u);
  EXPECT_EQ(Versions(), (std::vector<uint64_t>{2, 5}));
  ASSERT_OK(table_->CheckoutTag("keep"));
  EXPECT_EQ(IdsOf(Drain(table_->Scan({}))), Sequence(0, 5));
}

TEST_F(CleanupTest, FilesOfAnOlderVersionThatCameBackStay) {
  Overwrite(2);
  ASSERT_OK(table_->Checkout(1));
  ASSERT_OK(table_->Restore());
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 3u);
  EXPECT_EQ(IdsOf(Drain(table_->Scan({}))), Sequence(0, 10));
}

TEST_F(CleanupTest, WhatIsReadStays) {
  Overwrite(3);
  auto reader = Must(database_->OpenTable("t"));
  ASSERT_OK(reader.Checkout(2));
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 2u);
  EXPECT_EQ(IdsOf(Drain(reader.Scan({}))), Sequence(0, 5));
  const auto scan = Must(reader.Scan({}));
  ASSERT_OK(reader.CheckoutLatest());
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 0u);
  EXPECT_EQ(Must(Drain(scan))->num_rows(), 5);
  ASSERT_OK(scan->Close());
  EXPECT_EQ(Must(table_->Cleanup(all_)).versions_removed, 1u);
}

TEST_F(CleanupTest, UnverifiedFilesStayForAWeek) {
  for (const char* path : {"data/young.lance", "_deletions/1-1-1.bin", "_transactions/1-a.txn",
                           "_indices/a/b.idx", "data/.tmp-young", "data/stem/0.blob"}) {
    Write(path, kDay);
  }
  for (const char* path : {"data/old.lance", "_deletions/1-1-2.arrow", "_transactions/1-b.txn",
                           "_indices/b/b.idx", "_versions/.tmp-old", "data/old/0.blob"}) {
    Write(path, 8 * kDay);
  }
  for (const char* path : {"data/foreign.txt", "_mine/x", "stray"}) {
    Write(path, 80 * kDay);
  }
  const auto result = Must(table_->Cleanup({}));
  EXPECT_EQ(result.data_files_removed, 2u);
  EXPECT_EQ(result.deletion_files_removed, 1u);
  EXPECT_EQ(result.transaction_files_removed, 1u);
  EXPECT_EQ(result.index_files_removed, 1u);
  EXPECT_FALSE(Exists("_versions/.tmp-old"));
  EXPECT_FALSE(Exists("data/old"));
  EXPECT_FALSE(Exists("_indices/b"));
  CleanupOptions unverified;
  unverified.delete_unverified = true;
  const auto rest = Must(table_->Cleanup(unverified));
  EXPECT_EQ(rest.data_files_removed, 3u);
  EXPECT_EQ(rest.index_files_removed, 1u);
  EXPECT_TRUE(Exists("data/foreign.txt") && Exists("_mine/x") && Exists("stray"));
  EXPECT_EQ(Must(table_->CountRows()), 10u);
}

TEST_F(CleanupTest, HandlesSurviveCleanUpByOthers) {
  DatabaseOptions options;
  options.upkeep.enabled = false;
  auto other = Must(Database::Open(directory_.path().string(), options));
  auto handle = Must(other.OpenTable("t"));
  EXPECT_EQ(Must(handle.CountRows()), 10u);
  for (int i = 1; i < 5; ++i) {
    ASSERT_OK(table_->Add(Rows(10 * i, 10), WriteOptions{}));
  }
  OptimizeOptions now;
  now.cleanup_older_than_nanos = 0;
  ASSERT_OK(table_->Optimize(now));
  EXPECT_EQ(Must(handle.CountRows()), 50u);
  EXPECT_EQ(IdsOf(handle.TakeOffsets({0, 49}, {})), (std::vector<int64_t>{0, 49}));
  ASSERT_OK(handle.Add(Rows(50, 10), WriteOptions{}));
  EXPECT_EQ(Must(table_->CountRows()), 60u);
}

TEST_F(CleanupTest, MemoryStoresToo) {
  auto database = Must(Database::Open("memory://", {}));
  auto table =
      Must(database.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, WriteOptions{}));
  ASSERT_OK(table.Overwrite(Stream({Rows(0, 3)}), WriteOptions{}));
  auto pinned = Must(database.OpenTable("t"));
  ASSERT_OK(pinned.Checkout(1));
  EXPECT_EQ(Must(table.Cleanup(all_)).versions_removed, 0u);
  ASSERT_OK(pinned.CheckoutLatest());
  EXPECT_EQ(Must(table.Cleanup(all_)).versions_removed, 1u);
  EXPECT_EQ(Must(table.CountRows()), 3u);
}

}  // namespace
}  // namespace glaive::maintain
