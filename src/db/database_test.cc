#include "glaive/database.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/wait.h>
#include <thread>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/uuid.h"
#include "db/database_impl.h"
#include "testing/fault_store.h"
#include "testing/rows.h"

namespace glaive {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using testing::IdsOf;
using testing::kDimension;
using testing::Rows;
using testing::Sequence;
using testing::Stream;
using testing::TestSchema;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadAll(const Table& table,
                                                           const ScanOptions& options = {}) {
  return testing::Drain(table.Scan(options));
}

class DatabaseTest : public ::testing::Test {
 protected:
  Database Open(DatabaseOptions options = {}) {
    options.sync = SyncMode::kNone;
    auto database = Database::Open(path_.string(), options);
    EXPECT_TRUE(database.ok()) << database.status().ToString();
    return std::move(*database);
  }

  testing::ScratchDirectory directory_;
  const fs::path path_ = directory_.path();
};

TEST_F(DatabaseTest, CreateAppendScan) {
  for (const size_t threads : {1, 4}) {
    DatabaseOptions options;
    options.num_threads = threads;
    auto db = Open(options);
    EXPECT_THAT(*db.ListTables(), IsEmpty());
    auto created =
        db.CreateTable("t", Stream({Rows(0, 100), Rows(100, 50)}), CreateMode::kCreate, {});
    ASSERT_OK(created);
    Table table = std::move(*created);
    EXPECT_EQ(*table.Version(), 1u);
    EXPECT_EQ(*table.CountRows(), 150u);
    EXPECT_TRUE((*table.Schema())->Equals(*TestSchema()));
    auto added = table.Add(Rows(150, 10), {});
    ASSERT_OK(added);
    EXPECT_EQ(added->version, 2u);
    EXPECT_EQ(added->num_rows, 10u);
    auto all = ReadAll(table);
    ASSERT_OK(all);
    EXPECT_TRUE((*all)->Equals(*Rows(0, 160))) << (*all)->ToString();
    EXPECT_THAT(*db.ListTables(), ElementsAre("t"));
    ASSERT_OK(db.DropTable("t"));
    EXPECT_THAT(*db.ListTables(), IsEmpty());
    EXPECT_CODE(db.DropTable("t"), kNotFound);
  }
}

TEST_F(DatabaseTest, ScanOptions) {
  auto db = Open();
  Table table = *db.CreateTable("t", Stream({Rows(0, 1000)}), CreateMode::kCreate, {});
  for (int64_t i = 0; i < 20; ++i) {
    ASSERT_OK(table.Add(Rows(1000 + i, 1), {}));
  }
  ScanOptions options;
  options.columns = {"text", "id"};
  options.offset = 990;
  options.limit = 20;
  options.with_row_id = true;
  options.with_row_address = true;
  auto some = ReadAll(table, options);
  ASSERT_OK(some);
  EXPECT_EQ((*some)->schema()->field_names(),
            (std::vector<std::string>{"text", "id", "_rowid", "_rowaddr"}));
  EXPECT_EQ(IdsOf(some), Sequence(990, 20));
  const auto addresses = std::static_pointer_cast<arrow::UInt64Array>((*some)->column(3));
  EXPECT_EQ(addresses->Value(0), 990u);
  EXPECT_EQ(addresses->Value(10), uint64_t{1} << 32);
  options = {};
  options.batch_rows = 7;
  auto reader = *table.Scan(options);
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t rows = 0;
  for (;;) {
    ASSERT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    EXPECT_LE(batch->num_rows(), 7);
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 1020);
  options.columns = {"idd"};
  EXPECT_CODE(table.Scan(options), kNotFound);
  options = {};
  options.cancel.RequestStop();
  EXPECT_CODE(ReadAll(table, options), kCancelled);
  options = {};
  options.limit = 0;
  EXPECT_EQ((*ReadAll(table, options))->num_rows(), 0);
  // A reader that is dropped in the middle, and one that outlives its table and database.
  auto dropped = *table.Scan({});
  ASSERT_OK(dropped->ReadNext(&batch));
  dropped.reset();
  auto survivor = *table.Scan({});
  { Table gone = std::move(table); }
  { Database closed = std::move(db); }
  EXPECT_EQ((*survivor->ToTable())->num_rows(), 1020);
}

TEST_F(DatabaseTest, DeleteAndTake) {
  for (const bool stable : {false, true}) {
    auto db = Open();
    WriteOptions options;
    options.enable_stable_row_ids = stable;
    options.max_rows_per_file = 40;
    Table table = *db.CreateTable("t", Stream({Rows(0, 100)}), CreateMode::kOverwrite, options);
    ScanOptions ids;
    ids.columns = {"id"};
    ids.with_row_id = true;
    auto all = *ReadAll(table, ids);
    ASSERT_EQ(all->num_rows(), 100);
    const auto row_ids = std::static_pointer_cast<arrow::UInt64Array>(all->column(1));
    std::vector<uint64_t> doomed{row_ids->Value(3), row_ids->Value(5), UINT64_MAX,
                                 row_ids->Value(3)};
    for (int64_t i = 40; i < 80; ++i) {
      doomed.push_back(row_ids->Value(i));  // a whole fragment
    }
    auto deleted = table.DeleteRowIds(doomed);
    ASSERT_OK(deleted);
    EXPECT_EQ(deleted->num_deleted_rows, 42u);
    EXPECT_EQ(*table.CountRows(), 58u);
    auto left = Sequence(0, 100);
    left.erase(left.begin() + 40, left.begin() + 80);
    left.erase(left.begin() + 5);
    left.erase(left.begin() + 3);
    EXPECT_EQ(IdsOf(ReadAll(table)), left);
    auto again = table.DeleteRowIds({row_ids->Value(3), row_ids->Value(6)});
    ASSERT_OK(again);
    EXPECT_EQ(again->num_deleted_rows, 1u);
    left.erase(left.begin() + 4);
    EXPECT_EQ(IdsOf(ReadAll(table)), left);
    const uint64_t version = *table.Version();
    EXPECT_EQ(table.DeleteRowIds({row_ids->Value(3)})->num_deleted_rows, 0u);
    EXPECT_EQ(*table.Version(), version);
    ScanOptions page;
    page.offset = 30;
    page.limit = 10;
    EXPECT_EQ(IdsOf(ReadAll(table, page)),
              std::vector<int64_t>(left.begin() + 30, left.begin() + 40));
    TakeOptions take;
    take.columns = {"id"};
    EXPECT_EQ(IdsOf(table.TakeOffsets({56, 0, 3, 3, 40}, take)),
              (std::vector<int64_t>{left[56], left[0], left[3], left[3], left[40]}));
    EXPECT_EQ(IdsOf(table.TakeOffsets({}, take)), std::vector<int64_t>{});
    EXPECT_CODE(table.TakeOffsets({57}, take), kInvalidArgument);
    EXPECT_EQ(
        IdsOf(table.TakeRowIds({row_ids->Value(99), row_ids->Value(3), row_ids->Value(1)}, take)),
        (std::vector<int64_t>{99, 1}));
    auto report = *table.Verify({}, {});
    EXPECT_THAT(report.defects, IsEmpty());
    ASSERT_OK(db.DropTable("t"));
  }
}

TEST_F(DatabaseTest, VersionsTagsRestore) {
  auto db = Open();
  Table table = *db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
  WriteOptions options;
  options.transaction_properties["who"] = "me";
  ASSERT_OK(table.Add(Rows(10, 5), options));
  ASSERT_OK(table.DeleteRowIds({0}));
  ASSERT_OK(table.CreateTag("two", 2));
  EXPECT_CODE(table.CreateTag("two", 1), kAlreadyExists);
  EXPECT_CODE(table.CreateTag("none", 77), kNotFound);
  auto versions = *table.ListVersions(0);
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].operation, "Overwrite");
  EXPECT_EQ(versions[1].operation, "Append");
  EXPECT_EQ(versions[1].properties.at("who"), "me");
  EXPECT_EQ(versions[2].operation, "Delete");
  EXPECT_EQ(versions[2].num_rows, 14u);
  EXPECT_EQ(versions[2].num_deleted_rows, 1u);
  EXPECT_EQ((*table.ListVersions(1)).front().version, 3u);
  ASSERT_OK(table.CheckoutTag("two"));
  EXPECT_TRUE(table.is_checked_out());
  EXPECT_EQ(*table.CountRows(), 15u);
  EXPECT_CODE(table.Add(Rows(0, 1), {}), kPreconditionFailed);
  EXPECT_CODE(table.CheckoutTag("three"), kNotFound);
  EXPECT_CODE(table.Checkout(99), kNotFound);
  ASSERT_OK(table.Checkout(1));
  EXPECT_EQ(IdsOf(ReadAll(table)), Sequence(0, 10));
  EXPECT_EQ(*table.Restore(), 4u);
  EXPECT_FALSE(table.is_checked_out());
  EXPECT_EQ(*table.CountRows(), 10u);
  EXPECT_CODE(table.Restore(), kPreconditionFailed);
  ASSERT_OK(table.CheckoutAsOf(versions[1].timestamp_nanos));
  EXPECT_EQ(*table.Version(), 2u);
  EXPECT_CODE(table.CheckoutAsOf(1), kNotFound);
  ASSERT_OK(table.CheckoutLatest());
  EXPECT_EQ(*table.Version(), 4u);
  ASSERT_OK(table.UpdateTag("two", 3));
  EXPECT_EQ((*table.ListTags()).front().version, 3u);
  ASSERT_OK(table.DeleteTag("two"));
  EXPECT_CODE(table.DeleteTag("two"), kNotFound);
  EXPECT_CODE(table.OpenBranch("b"), kNotFound);
  EXPECT_THAT(*table.ListBranches(), IsEmpty());
}

TEST_F(DatabaseTest, HandlesLookForNewVersionsAsOftenAsTheyAreTold) {
  Table writer = *Open().CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
  const auto open = [&](int64_t nanos) {
    DatabaseOptions options;
    options.read_consistency_nanos = nanos;
    return *Open(options).OpenTable("t");
  };
  constexpr int64_t kHour = int64_t{3600} * 1'000'000'000;
  Table strong = open(0);
  Table hourly = open(kHour);
  Table still = open(-1);
  ASSERT_OK(writer.Add(Rows(10, 5), {}));
  EXPECT_EQ(*strong.CountRows(), 15u);
  EXPECT_EQ(*hourly.CountRows(), 10u);
  EXPECT_EQ(*still.CountRows(), 10u);
  EXPECT_EQ((*ReadAll(hourly))->num_rows(), 10);
  SetNowForTest(NowNanos() + 2 * kHour);
  EXPECT_EQ((*ReadAll(hourly))->num_rows(), 15);
  EXPECT_EQ((*ReadAll(still))->num_rows(), 10);
  SetNowForTest(-1);
  ASSERT_OK(still.Refresh());
  EXPECT_EQ(*still.Version(), 2u);
  // Own writes are made on the latest version and seen at once.
  ASSERT_OK(writer.Add(Rows(15, 1), {}));
  ASSERT_OK(hourly.Add(Rows(16, 1), {}));
  EXPECT_EQ(*hourly.CountRows(), 17u);
  ASSERT_OK(still.Add(Rows(17, 1), {}));
  EXPECT_EQ(*still.CountRows(), 18u);
  // Pinned handles stay where they are.
  ASSERT_OK(strong.Checkout(1));
  ASSERT_OK(strong.Refresh());
  EXPECT_EQ(*strong.Version(), 1u);
}

TEST_F(DatabaseTest, HandlesWhoseVersionWasCleanedUpMoveIfTheyMay) {
  Table writer = *Open().CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
  const auto open = [&](int64_t nanos) {
    DatabaseOptions options;
    options.read_consistency_nanos = nanos;
    return *Open(options).OpenTable("t");
  };
  Table hourly = open(int64_t{3600} * 1'000'000'000);
  Table still = open(-1);
  ASSERT_OK(writer.Overwrite(Stream({Rows(0, 3)}), {}));
  CleanupOptions cleanup;
  cleanup.older_than_nanos = 0;
  cleanup.delete_unverified = true;
  EXPECT_EQ((*writer.Cleanup(cleanup)).versions_removed, 1u);
  EXPECT_EQ((*ReadAll(hourly))->num_rows(), 3);
  const auto lost = ReadAll(still);
  EXPECT_CODE(lost, kNotFound);
  EXPECT_THAT(lost.status().message(), HasSubstr("Refresh"));
  ASSERT_OK(still.Refresh());
  EXPECT_EQ((*ReadAll(still))->num_rows(), 3);
}

TEST_F(DatabaseTest, CreateModesAndNames) {
  auto db = Open();
  ASSERT_OK(db.CreateTable("docs", TestSchema(), CreateMode::kCreate, {}));
  Table empty = *db.OpenTable("docs");
  auto rows = ReadAll(empty);
  ASSERT_OK(rows);
  EXPECT_EQ((*rows)->num_rows(), 0);
  EXPECT_TRUE((*rows)->schema()->Equals(*TestSchema()));
  EXPECT_CODE(db.CreateTable("docs", TestSchema(), CreateMode::kCreate, {}), kAlreadyExists);
  ASSERT_OK(db.CreateTable("docs", TestSchema(), CreateMode::kExistOk, {}));
  EXPECT_CODE(db.CreateTable("docs", arrow::schema({arrow::field("x", arrow::int8())}),
                             CreateMode::kExistOk, {}),
              kInvalidArgument);
  auto missing = db.OpenTable("dosc");
  EXPECT_CODE(missing, kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("'docs'"));
  for (const char* bad : {"", ".hidden", "a/b", "a b", "\xC3\xA9"}) {
    EXPECT_CODE(db.CreateTable(bad, TestSchema(), CreateMode::kCreate, {}), kInvalidArgument);
    EXPECT_CODE(db.OpenTable(bad), kInvalidArgument);
  }
  ASSERT_OK(empty.Add(Rows(0, 3), {}));
  const auto other = arrow::schema({arrow::field("x", arrow::int8())});
  Table replaced = *db.CreateTable("docs", other, CreateMode::kOverwrite, {});
  EXPECT_EQ(*replaced.Version(), 3u);
  EXPECT_TRUE((*replaced.Schema())->Equals(*other));
  ASSERT_OK(db.RenameTable("docs", "papers"));
  EXPECT_THAT(*db.ListTables(), ElementsAre("papers"));
  EXPECT_CODE(db.RenameTable("docs", "x"), kNotFound);
  ASSERT_OK(db.CreateTable("docs", TestSchema(), CreateMode::kCreate, {}));
  EXPECT_CODE(db.RenameTable("docs", "papers"), kAlreadyExists);
  EXPECT_CODE(Database::Open("s3://bucket", {}), kUnsupported);
  EXPECT_CODE(Database::Open("", {}), kInvalidArgument);
}

TEST_F(DatabaseTest, RefusesWhatDoesNotFit) {
  auto db = Open();
  Table table = *db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
  const auto rows = Rows(10, 10);
  const auto with = [&](int column, std::shared_ptr<arrow::Field> field,
                        std::shared_ptr<arrow::Array> array) {
    return *rows->SetColumn(column, field, array);
  };
  EXPECT_CODE(table.Add(*rows->RemoveColumn(0), {}), kInvalidArgument);
  EXPECT_CODE(table.Add(*rows->AddColumn(3, "extra", rows->column(0)), {}), kInvalidArgument);
  EXPECT_CODE(table.Add(*rows->AddColumn(3, "id", rows->column(0)), {}), kInvalidArgument);
  EXPECT_CODE(table.Add(with(0, arrow::field("id", arrow::utf8()), rows->column(1)), {}),
              kTypeMismatch);
  auto floats = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder vectors(arrow::default_memory_pool(), floats, kDimension);
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(vectors.Append());
    for (int d = 0; d < kDimension; ++d) {
      ASSERT_OK(floats->Append(i == 7 && d == 2 ? NAN : 1.0F));
    }
  }
  const auto nan = *vectors.Finish();
  const auto field = TestSchema()->field(2);
  auto refused = table.Add(with(2, field, nan), {});
  EXPECT_CODE(refused, kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("'vector', row 7"));
  EXPECT_THAT(refused.status().message(), HasSubstr("NaN"));
  WriteOptions allow;
  allow.bad_vectors = BadVectors::kAllow;
  ASSERT_OK(table.Add(with(2, field, nan), allow));
  EXPECT_EQ(*table.CountRows(), 20u);
  // Lists become vectors where all lengths fit; a null stays one.
  auto doubles = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), doubles);
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(i == 4 ? lists.AppendNull() : lists.Append());
    for (int d = 0; i != 4 && d < kDimension; ++d) {
      ASSERT_OK(doubles->Append(i + 0.5));
    }
  }
  auto list = *lists.Finish();
  ASSERT_OK(table.Add(with(2, arrow::field("vector", list->type()), list), {}));
  ScanOptions last;
  last.offset = 24;
  last.limit = 2;
  auto read = *ReadAll(table, last);
  EXPECT_TRUE(read->column(2)->IsNull(0));
  EXPECT_FALSE(read->column(2)->IsNull(1));
  ASSERT_OK(lists.Append());
  ASSERT_OK(doubles->AppendValues({1, 2, 3}));
  list = *lists.Finish();
  refused =
      table.Add(*rows->Slice(0, 1)->SetColumn(2, arrow::field("vector", list->type()), list), {});
  EXPECT_CODE(refused, kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("length 3"));
  EXPECT_THAT(refused.status().message(), HasSubstr("length 4"));
  // A missing nullable column is filled, an int32 widened, a null refused.
  ASSERT_OK(table.Add(*rows->RemoveColumn(1), {}));
  arrow::Int64Builder nulls;
  ASSERT_OK(nulls.AppendNulls(10));
  EXPECT_CODE(table.Add(with(0, arrow::field("id", arrow::int64()), *nulls.Finish()), {}),
              kInvalidArgument);
  EXPECT_EQ(*table.CountRows(), 40u);
  EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty());
}

TEST_F(DatabaseTest, ConcurrentAppendsAllLand) {
  auto db = Open();
  Table table = *db.CreateTable("t", TestSchema(), CreateMode::kCreate, {});
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 8; ++i) {
        failures += table.Add(Rows(t * 8 + i, 1), {}).ok() ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
  auto ids = IdsOf(ReadAll(table));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, Sequence(0, 32));
}

TEST_F(DatabaseTest, ConcurrentProcessesAllLand) {
  { ASSERT_OK(Open().CreateTable("t", TestSchema(), CreateMode::kCreate, {})); }
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      DatabaseOptions options;
      options.num_threads = 1;
      auto db = Open(options);
      auto table = db.OpenTable("t");
      int failures = table.ok() ? 0 : 100;
      for (int i = 0; i < 6 && table.ok(); ++i) {
        failures += table->Add(Rows(p * 6 + i, 1), {}).ok() ? 0 : 1;
      }
      ::_exit(failures);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  auto ids = IdsOf(ReadAll(*Open().OpenTable("t")));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, Sequence(0, 18));
}

TEST_F(DatabaseTest, OneOfTwoCreatesSucceeds) {
  for (int round = 0; round < 10; ++round) {
    const std::string name = "t" + std::to_string(round);
    std::atomic<int> wins{0};
    std::atomic<int> losses{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        auto db = Open();  // a session each, as two processes have
        auto made = db.CreateTable(name, Stream({Rows(t * 10, 10)}), CreateMode::kCreate, {});
        wins += made.ok() ? 1 : 0;
        losses += ErrorCodeOf(made.status()) == ErrorCode::kAlreadyExists ? 1 : 0;
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(wins, 1);
    EXPECT_EQ(losses, 1);
    Table table = *Open().OpenTable(name);
    EXPECT_EQ(*table.CountRows(), 10u);
    EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty());
    EXPECT_EQ(std::distance(fs::directory_iterator(path_ / (name + ".lance") / "data"), {}), 1);
  }
}

TEST_F(DatabaseTest, StreamsThroughC) {
  auto db = Open();
  Table table = *db.CreateTable("t", TestSchema(), CreateMode::kCreate, {});
  struct ArrowArrayStream stream;
  ASSERT_OK(arrow::ExportRecordBatchReader(Stream({Rows(0, 5), Rows(5, 6)}), &stream));
  ASSERT_OK(table.AddFromCStream(&stream, {}));
  ASSERT_OK(table.ScanToCStream({}, &stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  ASSERT_OK(reader);
  EXPECT_EQ((*(*reader)->ToTable())->num_rows(), 11);
}

TEST_F(DatabaseTest, RecreatedTableIsNotMistakenForTheOld) {
  auto db = Open();
  auto other = Open();
  Table table = *db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
  ASSERT_OK(table.Add(Rows(10, 10), {}));
  ASSERT_OK(other.DropTable("t"));
  EXPECT_CODE(table.Version(), kNotFound);
  ASSERT_OK(other.CreateTable("t", Stream({Rows(100, 3)}), CreateMode::kCreate, {}));
  EXPECT_EQ(IdsOf(ReadAll(table)), Sequence(100, 3));
}

TEST_F(DatabaseTest, DamagedFilesAreCorruptionAndVerifyFindsThem) {
  auto db = Open();
  { ASSERT_OK(db.CreateTable("t", Stream({Rows(0, 100)}), CreateMode::kCreate, {})); }
  for (const auto& entry : fs::directory_iterator(path_ / "t.lance" / "data")) {
    fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  }
  Table table = *Open().OpenTable("t");
  EXPECT_CODE(ReadAll(table), kCorruption);
  EXPECT_THAT((*table.Verify({}, {})).defects, ::testing::Not(IsEmpty()));
  for (const auto& entry : fs::directory_iterator(path_ / "t.lance" / "_versions")) {
    std::ofstream(entry.path(), std::ios::trunc) << "junk";
  }
  EXPECT_CODE(Open().OpenTable("t"), kCorruption);
}

// ---- crashes and faults: the table is as before or as after, at every step ----

struct FaultCase {
  testing::FaultKind kind;
  const char* name;
};

class FaultTest : public ::testing::TestWithParam<FaultCase> {};

INSTANTIATE_TEST_SUITE_P(Kinds, FaultTest,
                         ::testing::Values(FaultCase{testing::FaultKind::kError, "error"},
                                           FaultCase{testing::FaultKind::kCrash, "crash"},
                                           FaultCase{testing::FaultKind::kAmbiguous, "ambiguous"},
                                           FaultCase{testing::FaultKind::kTorn, "torn"},
                                           FaultCase{testing::FaultKind::kFull, "full"}),
                         [](const auto& kind) { return std::string(kind.param.name); });

Database OpenOn(std::shared_ptr<io::ObjectStore> store) {
  DatabaseOptions options;
  options.num_threads = 1;
  return db::DatabaseImpl::Wrap(*db::DatabaseImpl::Make("test", std::move(store), options));
}

TEST_P(FaultTest, AppendIsAllOrNothingAtEveryStep) {
  for (uint64_t step = 0;; ++step) {
    ASSERT_LT(step, 100u);
    auto inner = *io::OpenMemoryStore();
    { ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {})); }
    auto counter = std::make_shared<std::atomic<uint64_t>>(0);
    arrow::Status added;
    {
      auto db = OpenOn(testing::WrapWithFaults(inner, counter, {GetParam().kind, step}));
      Table table = *db.OpenTable("t");
      added = table.Add(Rows(10, 5), {}).status();
    }
    Table table = *OpenOn(inner).OpenTable("t");
    const auto ids = IdsOf(ReadAll(table));
    if (added.ok()) {
      EXPECT_EQ(ids, Sequence(0, 15)) << "step " << step;
    } else {
      EXPECT_TRUE(ids == Sequence(0, 10) ||
                  (ids == Sequence(0, 15) && GetParam().kind == testing::FaultKind::kCrash) ||
                  ErrorCodeOf(added) == ErrorCode::kCommitStateUnknown)
          << "step " << step << ": " << added.ToString();
      if (GetParam().kind == testing::FaultKind::kFull) {
        EXPECT_EQ(ErrorCodeOf(added), ErrorCode::kResourceExhausted) << "step " << step;
      }
    }
    EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty());
    ASSERT_OK(table.Add(Rows(15, 1), {}));
    if (*counter <= step) {
      return;  // no operation was left to hit
    }
  }
}

TEST_P(FaultTest, CreateLeavesAWholeTableOrNone) {
  for (uint64_t step = 0;; ++step) {
    ASSERT_LT(step, 100u);
    auto inner = *io::OpenMemoryStore();
    auto counter = std::make_shared<std::atomic<uint64_t>>(0);
    arrow::Status created;
    {
      auto db = OpenOn(testing::WrapWithFaults(inner, counter, {GetParam().kind, step}));
      created = db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}).status();
    }
    auto db = OpenOn(inner);
    const auto names = *db.ListTables();
    if (!names.empty()) {
      Table table = *db.OpenTable("t");
      EXPECT_EQ(IdsOf(ReadAll(table)), Sequence(0, 10));
      EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty());
    } else {
      EXPECT_FALSE(created.ok()) << "step " << step;
      if (GetParam().kind == testing::FaultKind::kError ||
          GetParam().kind == testing::FaultKind::kFull) {
        EXPECT_THAT(*inner->List("t.lance/data"), IsEmpty()) << "step " << step;
      }
      ASSERT_OK(db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
    }
    if (*counter <= step) {
      return;
    }
  }
}

TEST_P(FaultTest, DeleteIsAllOrNothingAtEveryStep) {
  for (uint64_t step = 0;; ++step) {
    ASSERT_LT(step, 100u);
    auto inner = *io::OpenMemoryStore();
    { ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {})); }
    auto counter = std::make_shared<std::atomic<uint64_t>>(0);
    arrow::Status deleted;
    {
      auto db = OpenOn(testing::WrapWithFaults(inner, counter, {GetParam().kind, step}));
      Table table = *db.OpenTable("t");
      deleted = table.DeleteRowIds({0, 1, 2}).status();
    }
    Table table = *OpenOn(inner).OpenTable("t");
    const auto ids = IdsOf(ReadAll(table));
    if (deleted.ok()) {
      EXPECT_EQ(ids, Sequence(3, 7)) << "step " << step;
    } else {
      EXPECT_TRUE(ids == Sequence(0, 10) || ids == Sequence(3, 7)) << "step " << step;
    }
    EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty());
    if (*counter <= step) {
      return;
    }
  }
}

}  // namespace
}  // namespace glaive
