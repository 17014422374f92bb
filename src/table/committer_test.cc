#include "table/committer.h"

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "table/deletion_file.h"
#include "table/fixture.h"
#include "table/row_ids.h"
#include "testing/fault_store.h"

namespace glaive::table {
namespace {

using lance::table::Transaction;

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "glaive-table-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }

  ~Directory() { std::filesystem::remove_all(path_); }

  std::shared_ptr<io::ObjectStore> Store() const {
    io::LocalStoreOptions options;
    options.durability = io::Durability::kNone;
    return Must(io::OpenLocalStore(path_ + "/t.lance", options));
  }

 private:
  std::string path_;
};

std::shared_ptr<const Snapshot> Commit(const Versions& versions, Transaction transaction,
                                       const CommitOptions& options = {}) {
  return Must(Committer(versions, options).Commit(std::move(transaction)));
}

uint64_t Rows(const std::shared_ptr<const Snapshot>& snapshot) {
  return Must(snapshot->CountRows());
}

// Deletes rows of one fragment of `snapshot`.
Transaction DeleteTransaction(const Snapshot& snapshot, uint64_t fragment_id,
                              const std::vector<uint32_t>& offsets) {
  auto transaction = NewTransaction(snapshot.version());
  const Fragment* fragment = snapshot.FindFragment(fragment_id);
  auto* updated = transaction.mutable_delete_()->add_updated_fragments();
  *updated = fragment->pb();
  const auto old = Must(fragment->deletions());
  *updated->mutable_deletion_file() = Must(
      WriteDeletionFile(*snapshot.store(), fragment_id, snapshot.version(), old.get(), offsets));
  transaction.mutable_delete_()->set_predicate("test");
  return transaction;
}

TEST(Committer, CreatesAppendsAndDeletes) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  EXPECT_EQ(CodeOf(versions.Latest()), ErrorCode::kNotFound);
  auto created = Commit(versions, CreateTransaction({NewFragment("a.lance", 10)}));
  EXPECT_EQ(created->version(), 1u);
  EXPECT_EQ(created->manifest().pb.data_format().version(), "2.2");
  EXPECT_EQ(created->manifest().pb.max_fragment_id(), 0u);
  auto appended = Commit(versions, AppendTransaction(1, "b.lance", 5));
  EXPECT_EQ(appended->version(), 2u);
  EXPECT_EQ(Rows(appended), 15u);
  ASSERT_EQ(appended->fragments().size(), 2u);
  EXPECT_EQ(appended->fragments()[1]->id(), 1u);
  auto deleted = Commit(versions, DeleteTransaction(*appended, 1, {0, 4}));
  EXPECT_EQ(Rows(deleted), 13u);
  EXPECT_EQ(deleted->manifest().pb.reader_feature_flags(), kFlagDeletionFiles);
  EXPECT_EQ(Must(deleted->ResolveRowIds(
                {0, (1ull << 32), (1ull << 32) | 1, (1ull << 32) | 5, 7ull << 32})),
            (std::vector<std::optional<uint64_t>>{0, std::nullopt, (1ull << 32) | 1, std::nullopt,
                                                  std::nullopt}));
  auto restore = NewTransaction(3);
  restore.mutable_restore()->set_version(1);
  auto restored = Commit(versions, restore);
  EXPECT_EQ(restored->version(), 4u);
  EXPECT_EQ(Rows(restored), 10u);
  EXPECT_EQ(restored->manifest().pb.max_fragment_id(), 1u);
  EXPECT_EQ(restored->manifest().pb.reader_feature_flags(), 0u);
  auto again = Commit(versions, AppendTransaction(4, "c.lance", 1));
  EXPECT_EQ(again->fragments().back()->id(), 2u);
  // Everything is there for a new session, too.
  auto fresh = NewVersions(versions.store());
  EXPECT_EQ(Must(fresh.List()).size(), 5u);
  EXPECT_EQ(Rows(Must(fresh.Open(2))), 15u);
  EXPECT_EQ(CodeOf(fresh.Open(9)), ErrorCode::kNotFound);
  EXPECT_EQ(Must(fresh.ReadTransaction(Must(fresh.OpenLatest())->manifest()))->operation_case(),
            Transaction::kAppend);
}

TEST(Committer, OverwriteKeepsCountingAndDropsIndices) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Commit(versions, CreateTransaction({NewFragment("a.lance", 10)}));
  auto index = NewTransaction(1);
  auto* added = index.mutable_create_index()->add_new_indices();
  added->set_name("by_id");
  added->add_fields(0);
  added->mutable_uuid()->set_uuid(std::string(16, 'x'));
  EXPECT_EQ(Commit(versions, index)->manifest().indices.size(), 1u);
  auto overwrite = CreateTransaction({NewFragment("b.lance", 3)});
  overwrite.set_read_version(2);
  auto snapshot = Commit(versions, overwrite);
  EXPECT_EQ(snapshot->version(), 3u);
  EXPECT_EQ(snapshot->fragments()[0]->id(), 1u);
  EXPECT_TRUE(snapshot->manifest().indices.empty());
}

TEST(Committer, ProjectDropsFilesAndIndicesOfDroppedColumns) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  auto fragment = NewFragment("a.lance", 10);
  fragment.mutable_files(0)->mutable_fields()->RemoveLast();
  fragment.mutable_files(0)->mutable_column_indices()->RemoveLast();
  auto* second = fragment.add_files();
  *second = fragment.files(0);
  second->set_path("b.lance");
  second->set_fields(0, 1);
  Commit(versions, CreateTransaction({fragment}));
  auto index = NewTransaction(1);
  index.mutable_create_index()->add_new_indices()->add_fields(1);
  Commit(versions, index);
  auto project = NewTransaction(2);
  auto schema = TwoColumns();
  schema.mutable_fields()->pop_back();
  schema.ToProto(project.mutable_project()->mutable_schema());
  auto snapshot = Commit(versions, project);
  EXPECT_EQ(snapshot->schema().fields().size(), 1u);
  ASSERT_EQ(snapshot->fragments()[0]->pb().files_size(), 1);
  EXPECT_EQ(snapshot->fragments()[0]->pb().files(0).path(), "a.lance");
  EXPECT_TRUE(snapshot->manifest().indices.empty());
}

TEST(Committer, ConfigIsUpdatedAndFlagged) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Commit(versions, CreateTransaction({}));
  auto update = NewTransaction(1);
  auto* entry = update.mutable_update_config()->mutable_config_updates()->add_update_entries();
  entry->set_key("lance.auto_cleanup.interval");
  entry->set_value("20");
  auto* key =
      (*update.mutable_update_config()->mutable_field_metadata_updates())[0].add_update_entries();
  key->set_key("lance-schema:unenforced-primary-key:position");
  key->set_value("1");
  auto snapshot = Commit(versions, update);
  EXPECT_EQ(snapshot->manifest().pb.config().at("lance.auto_cleanup.interval"), "20");
  EXPECT_EQ(snapshot->manifest().pb.writer_feature_flags(), kFlagTableConfig);
  EXPECT_EQ(snapshot->manifest().pb.reader_feature_flags(), 0u);
  EXPECT_TRUE(snapshot->manifest().pb.fields(0).unenforced_primary_key());
  auto remove = NewTransaction(2);
  remove.mutable_update_config()->mutable_config_updates()->add_update_entries()->set_key(
      "lance.auto_cleanup.interval");
  EXPECT_TRUE(Commit(versions, remove)->manifest().pb.config().empty());
}

TEST(Committer, RefusesTextThatNobodyCouldReadBack) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Commit(versions, CreateTransaction({}));
  auto update = NewTransaction(1);
  auto* entry = update.mutable_update_config()->mutable_config_updates()->add_update_entries();
  entry->set_key("key");
  entry->set_value("\xff");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(std::move(update))), ErrorCode::kInvalidArgument);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(Must(versions.Latest()).version, 1u);
}

TEST(Committer, StableRowIdsAndLineage) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  CommitOptions options;
  options.stable_row_ids = true;
  Commit(versions, CreateTransaction({NewFragment("a.lance", 4)}), options);
  auto appended = Commit(versions, AppendTransaction(1, "b.lance", 3));
  EXPECT_EQ(appended->manifest().pb.next_row_id(), 7u);
  EXPECT_EQ(appended->manifest().pb.reader_feature_flags(), kFlagStableRowIds);
  EXPECT_EQ(Must(appended->fragments()[1]->row_ids())->Get(0), 4u);
  EXPECT_EQ(Must(appended->fragments()[1]->CreatedAt(2)), 2u);
  // An update moves rows 1 and 5 into a new fragment and adds one more.
  auto update = NewTransaction(2);
  for (const uint64_t id : {0, 1}) {
    *update.mutable_update()->add_updated_fragments() =
        DeleteTransaction(*appended, id, {1}).delete_().updated_fragments(0);
  }
  auto moved = NewFragment("c.lance", 3);
  moved.set_inline_row_ids(SerializeRowIds({5, 1}));
  *update.mutable_update()->add_new_fragments() = moved;
  auto updated = Commit(versions, update);
  EXPECT_EQ(updated->manifest().pb.next_row_id(), 8u);
  const auto& fragment = *updated->fragments()[2];
  EXPECT_EQ(Must(fragment.CreatedAt(0)), 2u);
  EXPECT_EQ(Must(fragment.CreatedAt(1)), 1u);
  EXPECT_EQ(Must(fragment.CreatedAt(2)), 3u);
  EXPECT_EQ(Must(fragment.LastUpdatedAt(0)), 3u);
  EXPECT_EQ(Must(updated->fragments()[0]->LastUpdatedAt(0)), 1u);
  EXPECT_EQ(Must(updated->ResolveRowIds({0, 1, 5, 7, 8})),
            (std::vector<std::optional<uint64_t>>{0, (2ull << 32) | 1, 2ull << 32, (2ull << 32) | 2,
                                                  std::nullopt}));
}

TEST(Committer, MixedVersionsAreFlagged) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Commit(versions, CreateTransaction({NewFragment("a.lance", 4)}));
  auto append = AppendTransaction(1, "b.lance", 3);
  append.mutable_append()->mutable_fragments(0)->mutable_files(0)->set_file_minor_version(0);
  auto snapshot = Commit(versions, append);
  EXPECT_EQ(snapshot->manifest().pb.reader_feature_flags(), kFlagMixedFileVersions);
  EXPECT_EQ(snapshot->manifest().pb.writer_feature_flags(), kFlagMixedFileVersions);
}

TEST(Committer, V1NamesContinue) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  CommitOptions options;
  options.naming = ManifestNaming::kV1;
  Commit(versions, CreateTransaction({}), options);
  Commit(versions, AppendTransaction(1, "b.lance", 3));
  auto fresh = NewVersions(versions.store());
  EXPECT_EQ(Must(fresh.Latest()).path, "_versions/2.manifest");
  EXPECT_EQ(Rows(Must(fresh.Open(2))), 3u);
}

TEST(Committer, UnknownWriterFlagsAreRefused) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = NewVersions(store);
  auto pb = Commit(versions, CreateTransaction({}))->manifest().pb;
  pb.set_version(2);
  pb.set_writer_feature_flags(512);
  auto transaction = AppendTransaction(1, "x.lance", 1);
  ASSERT_OK(store->PutIfAbsent("_versions/" + ManifestName(2, ManifestNaming::kV2),
                               Must(SerializeManifest(&pb, {}, &transaction))));
  EXPECT_EQ(Must(versions.OpenLatest())->version(), 2u);
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(AppendTransaction(2, "b.lance", 3))),
            ErrorCode::kUnsupported);
}

TEST(Committer, ConflictsAreReported) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Commit(versions, CreateTransaction({NewFragment("a.lance", 4)}));
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(CreateTransaction({}))),
            ErrorCode::kAlreadyExists);
  auto overwrite = CreateTransaction({NewFragment("b.lance", 4)});
  overwrite.set_read_version(1);
  Commit(versions, overwrite);
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(AppendTransaction(1, "c.lance", 1))),
            ErrorCode::kCommitIncompatible);
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(AppendTransaction(7, "c.lance", 1))),
            ErrorCode::kCommitIncompatible);
}

TEST(Committer, DeletesOfDifferentRowsAreMerged) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  auto base = Commit(versions, CreateTransaction({NewFragment("a.lance", 6)}));
  base = Commit(versions, DeleteTransaction(*base, 0, {5}));
  auto first = DeleteTransaction(*base, 0, {0, 1});
  auto second = DeleteTransaction(*base, 0, {2});
  auto same = DeleteTransaction(*base, 0, {1, 3});
  auto rest = DeleteTransaction(*base, 0, {3, 4});
  Commit(versions, first);
  auto merged = Commit(versions, second);
  EXPECT_EQ(Must(merged->fragments()[0]->deletions())->ToVector(),
            (std::vector<uint32_t>{0, 1, 2, 5}));
  EXPECT_EQ(merged->fragments()[0]->pb().deletion_file().file_type(),
            lance::table::DeletionFile::BITMAP);
  EXPECT_EQ(merged->fragments()[0]->pb().deletion_file().read_version(), 3u);
  EXPECT_EQ(merged->manifest().transaction->read_version(), 3u);
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(same)), ErrorCode::kCommitConflict);
  auto empty = Commit(versions, rest);
  EXPECT_EQ(Rows(empty), 0u);
  EXPECT_TRUE(empty->fragments().empty());
  EXPECT_EQ(empty->manifest().pb.reader_feature_flags(), 0u);
}

TEST(Committer, VersionWithoutTransactionStopsOlderOnes) {
  auto store = Must(io::OpenMemoryStore());
  auto versions = NewVersions(store);
  auto pb = Commit(versions, CreateTransaction({}))->manifest().pb;
  pb.set_version(2);
  pb.clear_transaction_file();
  ASSERT_OK(store->PutIfAbsent("_versions/" + ManifestName(2, ManifestNaming::kV2),
                               Must(SerializeManifest(&pb, {}, nullptr))));
  EXPECT_EQ(CodeOf(Committer(versions, {}).Commit(AppendTransaction(1, "b.lance", 3))),
            ErrorCode::kCommitConflict);
  Commit(versions, AppendTransaction(2, "b.lance", 3));
}

// Several handles on one table, each with a session of its own, as processes have.
void Race(const std::function<std::shared_ptr<io::ObjectStore>()>& open) {
  constexpr int kWriters = 4;
  constexpr int kCommits = 12;
  Commit(NewVersions(open()), CreateTransaction({}));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      auto versions = NewVersions(open());
      CommitOptions options;
      options.max_attempts = 200;
      for (int i = 0; i < kCommits; ++i) {
        const std::string file = std::to_string(writer) + "-" + std::to_string(i) + ".lance";
        auto latest = versions.Latest();
        const auto result =
            latest.ok()
                ? Committer(versions, options).Commit(AppendTransaction(latest->version, file, 1))
                : arrow::Result<std::shared_ptr<const Snapshot>>(latest.status());
        if (!result.ok()) {
          ADD_FAILURE() << result.status().ToString();
          ++failures;
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
  auto versions = NewVersions(open());
  const auto entries = Must(versions.List());
  ASSERT_EQ(entries.size(), 1u + kWriters * kCommits);
  std::set<std::string> files;
  const auto latest = Must(versions.OpenLatest());
  for (const auto& fragment : latest->fragments()) {
    files.insert(fragment->pb().files(0).path());
  }
  EXPECT_EQ(files.size(), size_t{kWriters} * kCommits);
  for (const auto& entry : entries) {
    EXPECT_TRUE(Must(versions.ReadTransaction(*Must(versions.Read(entry)))).has_value());
  }
}

TEST(Committer, ConcurrentAppendsOnMemory) {
  auto store = Must(io::OpenMemoryStore());
  Race([&] { return store; });
}

TEST(Committer, ConcurrentAppendsOnDisk) {
  Directory directory;
  Race([&] { return directory.Store(); });
}

TEST(Committer, OfTwoCreationsExactlyOneSucceeds) {
  for (int round = 0; round < 20; ++round) {
    Directory directory;
    std::atomic<int> created{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        const auto result =
            Committer(NewVersions(directory.Store()), {}).Commit(CreateTransaction({}));
        created += result.ok() ? 1 : 0;
        refused += CodeOf(result) == ErrorCode::kAlreadyExists ? 1 : 0;
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(created, 1);
    EXPECT_EQ(refused, 2);
  }
}

// A life of a table; each step needs the ones before. Returns how many commits were acknowledged.
struct Life {
  uint64_t acknowledged = 0;
  arrow::Status status;
};

Life Live(const std::shared_ptr<io::ObjectStore>& store) {
  Life life;
  auto versions = NewVersions(store);
  const auto commit = [&](Transaction transaction) {
    auto result = Committer(versions, {}).Commit(std::move(transaction));
    life.status = result.status();
    life.acknowledged += result.ok() ? 1 : 0;
    return result.ok();
  };
  if (!commit(CreateTransaction({NewFragment("a.lance", 10)})) ||
      !commit(AppendTransaction(1, "b.lance", 5))) {
    return life;
  }
  auto file = WriteDeletionFile(*store, 1, 2, nullptr, {0, 1});
  if (!file.ok()) {
    life.status = file.status();
    return life;
  }
  auto remove = NewTransaction(2);
  auto* updated = remove.mutable_delete_()->add_updated_fragments();
  *updated = NewFragment("b.lance", 5);
  updated->set_id(1);
  *updated->mutable_deletion_file() = *file;
  auto restore = NewTransaction(3);
  restore.mutable_restore()->set_version(1);
  if (commit(remove)) {
    commit(restore);
  }
  return life;
}

TEST(Committer, SurvivesDeathAtEveryOperation) {
  const std::vector<uint64_t> rows_of_version = {0, 10, 15, 13, 10};
  auto counter = std::make_shared<std::atomic<uint64_t>>(0);
  const auto whole = Live(testing::WrapWithFaults(Must(io::OpenMemoryStore()), counter, {}));
  ASSERT_EQ(whole.acknowledged, 4u) << whole.status.ToString();
  const uint64_t operations = counter->load();
  ASSERT_GE(operations, 9u);
  for (const auto kind :
       {testing::FaultKind::kCrash, testing::FaultKind::kTorn, testing::FaultKind::kError,
        testing::FaultKind::kFull, testing::FaultKind::kAmbiguous}) {
    for (uint64_t at = 0; at < operations; ++at) {
      auto store = Must(io::OpenMemoryStore());
      auto count = std::make_shared<std::atomic<uint64_t>>(0);
      const Life life = Live(testing::WrapWithFaults(store, count, {kind, at}));
      auto versions = NewVersions(store);
      auto latest = versions.OpenLatest();
      if (!latest.ok()) {
        ASSERT_EQ(ErrorCodeOf(latest.status()), ErrorCode::kNotFound);
        ASSERT_EQ(life.acknowledged, 0u);
        continue;
      }
      const uint64_t version = (*latest)->version();
      // What was acknowledged is there; at most the one in flight more, whole.
      ASSERT_GE(version, life.acknowledged) << at;
      ASSERT_LE(version, life.acknowledged + 1) << at;
      ASSERT_LT(version, rows_of_version.size());
      ASSERT_EQ(Rows(*latest), rows_of_version[version]) << at;
      for (const auto& fragment : (*latest)->fragments()) {
        ASSERT_TRUE(fragment->deletions().ok());
      }
    }
  }
}

TEST(Committer, AppendsOfManyThreadsShareVersions) {
  constexpr int kThreads = 8;
  constexpr int kAppends = 20;
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  ASSERT_OK(
      Committer(versions, {}).Commit(CreateTransaction({NewFragment("a.lance", 1)})).status());
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  std::mutex mutex;
  std::map<uint64_t, uint64_t> per_version;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kAppends; ++i) {
        const std::string file = Concat(thread, "-", i, ".lance");
        const auto committed = Committer(versions, {}).Commit(AppendTransaction(1, file, 1));
        if (!committed.ok()) {
          ++failed;
          continue;
        }
        // What the version that we are told holds our rows.
        const auto& fragments = (*committed)->manifest().pb.fragments();
        failed +=
            std::any_of(fragments.begin(), fragments.end(),
                        [&](const auto& fragment) { return fragment.files(0).path() == file; })
                ? 0
                : 1;
        std::lock_guard lock(mutex);
        ++per_version[(*committed)->version()];
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failed, 0);
  const auto latest = Must(versions.OpenLatest());
  EXPECT_EQ(latest->fragments().size(), 1u + kThreads * kAppends);
  EXPECT_EQ(Must(latest->CountRows()), 1u + kThreads * kAppends);
  EXPECT_EQ(latest->version(), 1 + per_version.size());
}

TEST(Committer, AnAppendThatCannotStandFailsAlone) {
  auto versions = NewVersions(Must(io::OpenMemoryStore()));
  Committer committer(versions, {});
  ASSERT_OK(committer.Commit(CreateTransaction({NewFragment("a.lance", 1)})).status());
  auto overwrite = CreateTransaction({NewFragment("b.lance", 1)});
  overwrite.set_read_version(1);
  ASSERT_OK(committer.Commit(overwrite).status());
  std::vector<std::thread> threads;
  std::atomic<int> succeeded{0};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      const uint64_t read_version = thread % 2 == 0 ? 1 : 2;  // the first was overwritten
      const auto committed =
          Committer(versions, {})
              .Commit(AppendTransaction(read_version, Concat("f", thread, ".lance"), 1));
      succeeded += committed.ok() ? 1 : 0;
      EXPECT_EQ(committed.ok(), read_version == 2) << committed.status().ToString();
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(succeeded, 4);
  EXPECT_EQ(Must(Must(versions.OpenLatest())->CountRows()), 5u);
}

TEST(Committer, AmbiguousPutIsResolvedByLooking) {
  auto counter = std::make_shared<std::atomic<uint64_t>>(0);
  auto log = std::make_shared<std::vector<std::string>>();
  auto memory = Must(io::OpenMemoryStore());
  ASSERT_EQ(Live(testing::WrapWithFaults(memory, counter, {}, log)).acknowledged, 4u);
  for (uint64_t at = 0; at < log->size(); ++at) {
    if ((*log)[at].find(".manifest") == std::string::npos) {
      continue;
    }
    auto store = Must(io::OpenMemoryStore());
    auto count = std::make_shared<std::atomic<uint64_t>>(0);
    const Life life =
        Live(testing::WrapWithFaults(store, count, {testing::FaultKind::kAmbiguous, at}));
    EXPECT_EQ(life.acknowledged, 4u) << life.status.ToString();
    EXPECT_EQ(Must(NewVersions(store).Latest()).version, 4u);
  }
}

}  // namespace
}  // namespace glaive::table
