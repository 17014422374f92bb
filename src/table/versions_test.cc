#include "table/versions.h"

#include <arrow/buffer.h>

#include "base/clock.h"
#include "base/status.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

// A table of `count` versions, one append each.
Versions Table(const std::shared_ptr<io::ObjectStore>& store, uint64_t count) {
  auto versions = NewVersions(store);
  EXPECT_TRUE(Committer(versions, {}).Commit(CreateTransaction({})).ok());
  for (uint64_t version = 1; version < count; ++version) {
    EXPECT_TRUE(
        Committer(versions, {}).Commit(AppendTransaction(version, Concat("f", version), 1)).ok());
  }
  return versions;
}

TEST(Versions, HintIsOnlyAHint) {
  auto store = Must(io::OpenMemoryStore());
  Table(store, 5);
  EXPECT_EQ(Must(store->Get("_versions/latest_version_hint.json"))->ToString(), "{\"version\":1}");
  for (const char* hint : {"{\"version\":2}", "{\"version\":900}", "{\"version\":-1}", "", "[",
                           "null", "{\"version\":\"3\"}", "{\"version\":18446744073709551615}"}) {
    ASSERT_TRUE(store->Put("_versions/latest_version_hint.json", hint).ok());
    EXPECT_EQ(Must(NewVersions(store).Latest()).version, 5u) << hint;
  }
  ASSERT_TRUE(store->Delete("_versions/latest_version_hint.json").ok());
  EXPECT_EQ(Must(NewVersions(store).Latest()).version, 5u);
}

TEST(Versions, HintFollowsInSteps) {
  auto store = Must(io::OpenMemoryStore());
  Table(store, 37);
  EXPECT_EQ(Must(store->Get("_versions/latest_version_hint.json"))->ToString(), "{\"version\":32}");
  EXPECT_EQ(Must(NewVersions(store).Latest()).version, 37u);
}

TEST(Versions, ForeignCommitsAreSeenByAHandleThatKnowsAnOlderOne) {
  auto store = Must(io::OpenMemoryStore());
  auto ours = Table(store, 3);
  auto theirs = NewVersions(store);
  ASSERT_TRUE(Committer(theirs, {}).Commit(AppendTransaction(3, "x", 1)).ok());
  EXPECT_EQ(Must(ours.Latest()).version, 4u);
}

TEST(Versions, TableMadeAnewInTheSamePlaceIsSeen) {
  auto store = Must(io::OpenMemoryStore());
  auto ours = Table(store, 4);
  ASSERT_TRUE(store->DeleteTree("_versions").ok());
  EXPECT_EQ(CodeOf(ours.Latest()), ErrorCode::kNotFound);
  Table(store, 2);
  EXPECT_EQ(Must(ours.Latest()).version, 2u);
  EXPECT_EQ(Must(Must(ours.OpenLatest())->CountRows()), 1u);
}

TEST(Versions, GapThatATagLeavesBehindIsSeen) {
  auto store = Must(io::OpenMemoryStore());
  const int64_t start = NowNanos();
  SetNowForTest(start);
  auto stale = Table(store, 3);
  ASSERT_TRUE(stale.CreateTag("keep", 3).ok());
  auto theirs = NewVersions(store);
  for (uint64_t version = 3; version < 8; ++version) {
    ASSERT_TRUE(
        Committer(theirs, {}).Commit(AppendTransaction(version, Concat("g", version), 1)).ok());
  }
  for (uint64_t version = 4; version < 8; ++version) {
    ASSERT_TRUE(store->Delete("_versions/" + ManifestName(version, ManifestNaming::kV2)).ok());
  }
  SetNowForTest(start + 10'000'000'000);
  EXPECT_EQ(Must(stale.Latest()).version, 8u);
  SetNowForTest(-1);
}

TEST(Versions, MixedNamesAndDamagedManifestsAreReported) {
  auto store = Must(io::OpenMemoryStore());
  Table(store, 2);
  ASSERT_TRUE(store->Put("_versions/1.manifest", "x").ok());
  EXPECT_EQ(CodeOf(NewVersions(store).List()), ErrorCode::kCorruption);
  ASSERT_TRUE(store->Delete("_versions/1.manifest").ok());
  const std::string first = "_versions/" + ManifestName(1, ManifestNaming::kV2);
  ASSERT_TRUE(store
                  ->Put("_versions/" + ManifestName(2, ManifestNaming::kV2),
                        Must(store->Get(first))->ToString())
                  .ok());
  EXPECT_EQ(CodeOf(NewVersions(store).OpenLatest()), ErrorCode::kCorruption);  // holds version 1
}

TEST(Versions, AsOf) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = NewVersions(store);
  for (uint64_t version = 1; version <= 6; ++version) {
    // The clock stands still at version 4 and jumps back at 5: times ascend all the same.
    SetNowForTest(version == 5 ? 1000 : static_cast<int64_t>(version) * 1'000'000'000);
    auto transaction =
        version == 1 ? CreateTransaction({}) : AppendTransaction(version - 1, "f", 1);
    ASSERT_TRUE(Committer(versions, {}).Commit(transaction).ok());
  }
  SetNowForTest(-1);
  EXPECT_EQ(CodeOf(versions.OpenAsOf(999'999'999)), ErrorCode::kNotFound);
  EXPECT_EQ(Must(versions.OpenAsOf(1'000'000'000))->version(), 1u);
  EXPECT_EQ(Must(versions.OpenAsOf(3'999'999'999))->version(), 3u);
  EXPECT_EQ(Must(versions.OpenAsOf(4'000'000'001))->version(), 5u);
  EXPECT_EQ(Must(versions.OpenAsOf(INT64_MAX))->version(), 6u);
}

TEST(Tags, LifeOfATag) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = Table(store, 3);
  SetNowForTest(1'785'844'496'123'456'789);
  ASSERT_TRUE(versions.CreateTag("v1.0-rc_1", 2).ok());
  const auto entry = Must(versions.List())[1];
  EXPECT_EQ(Must(store->Get("_refs/tags/v1.0-rc_1.json"))->ToString(),
            Concat("{\n  \"branch\": null,\n  \"version\": 2,\n"
                   "  \"createdAt\": \"2026-08-04T11:54:56.123456789Z\",\n"
                   "  \"updatedAt\": \"2026-08-04T11:54:56.123456789Z\",\n  \"manifestSize\": ",
                   entry.manifest_bytes, ",\n  \"metadata\": {}\n}"));
  EXPECT_EQ(ErrorCodeOf(versions.CreateTag("v1.0-rc_1", 2)), ErrorCode::kAlreadyExists);
  EXPECT_EQ(ErrorCodeOf(versions.CreateTag("other", 9)), ErrorCode::kNotFound);
  SetNowForTest(1'785'844'497'000'000'000);
  ASSERT_TRUE(versions.UpdateTag("v1.0-rc_1", 3).ok());
  SetNowForTest(-1);
  const auto tag = Must(versions.GetTag("v1.0-rc_1"));
  EXPECT_EQ(tag.version, 3u);
  EXPECT_EQ(tag.created_at, "2026-08-04T11:54:56.123456789Z");
  EXPECT_EQ(tag.updated_at, "2026-08-04T11:54:57.000000000Z");
  EXPECT_EQ(Must(versions.ListTags()).size(), 1u);
  ASSERT_TRUE(versions.DeleteTag("v1.0-rc_1").ok());
  EXPECT_EQ(ErrorCodeOf(versions.DeleteTag("v1.0-rc_1")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(versions.GetTag("v1.0-rc_1")), ErrorCode::kNotFound);
  EXPECT_EQ(ErrorCodeOf(versions.UpdateTag("v1.0-rc_1", 1)), ErrorCode::kNotFound);
}

TEST(Tags, NamesAreChecked) {
  auto versions = Table(Must(io::OpenMemoryStore()), 1);
  for (const char* name : {"", "a/b", ".a", "a.", "a..b", "x.lock", "a b", "ä", "../x"}) {
    EXPECT_EQ(ErrorCodeOf(versions.CreateTag(name, 1)), ErrorCode::kInvalidArgument) << name;
  }
}

TEST(Tags, OldAndDamagedFiles) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = Table(store, 1);
  ASSERT_TRUE(store->Put("_refs/tags/old.json", "{\"version\": 1, \"manifestSize\": 5}").ok());
  const auto tag = Must(versions.GetTag("old"));
  EXPECT_EQ(tag.version, 1u);
  EXPECT_EQ(tag.manifest_bytes, 5u);
  EXPECT_EQ(tag.created_at, "");
  for (const char* bytes : {"", "{", "[]", "{}", "{\"version\":-1}", "{\"version\":\"1\"}"}) {
    ASSERT_TRUE(store->Put("_refs/tags/bad.json", bytes).ok());
    EXPECT_EQ(CodeOf(versions.GetTag("bad")), ErrorCode::kCorruption) << bytes;
  }
}

TEST(Branches, ListedAndOpened) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = Table(store, 2);
  EXPECT_TRUE(Must(versions.ListBranches()).empty());
  ASSERT_TRUE(store
                  ->Put("_refs/branches/feature%2Fa.json",
                        "{\"parentBranch\":null,\"parentVersion\":2,\"createAt\":1700000000}")
                  .ok());
  const auto branches = Must(versions.ListBranches());
  ASSERT_EQ(branches.size(), 1u);
  EXPECT_EQ(branches[0].name, "feature/a");
  EXPECT_EQ(branches[0].parent_version, 2u);
  EXPECT_EQ(branches[0].created_at_seconds, 1700000000);
  auto branch = Must(versions.OpenBranch("feature/a"));
  ASSERT_TRUE(Committer(branch, {}).Commit(CreateTransaction({})).ok());
  EXPECT_TRUE(
      Must(store->Exists("tree/feature/a/_versions/" + ManifestName(1, ManifestNaming::kV2))));
  // Tags of a branch's versions lie with the table and name the branch.
  ASSERT_TRUE(branch.CreateTag("b1", 1).ok());
  EXPECT_EQ(Must(versions.GetTag("b1")).branch, "feature/a");
  EXPECT_EQ(CodeOf(versions.OpenBranch("none")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(versions.OpenBranch("../x")), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace glaive::table
