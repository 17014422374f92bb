// One test for each error code, provoked through the public interface; and nothing is left behind.
#include "glaive/error.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <arrow/array/util.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "base/status.h"
#include "db/database_impl.h"
#include "io/object_store.h"
#include "testing/fault_store.h"
#include "testing/rows.h"

namespace glaive {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::FaultKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kDimension;
using testing::Must;
using ::testing::Not;
using testing::Rows;
using testing::Sequence;
using testing::Stream;
using testing::TestSchema;
using testing::With;

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

ArrayPtr Vectors(int64_t count, int dimension, int64_t odd_row = -1, float odd = 0) {
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder vectors(arrow::default_memory_pool(), values, dimension);
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_TRUE(vectors.Append().ok());
    for (int d = 0; d < dimension; ++d) {
      EXPECT_TRUE(values->Append(i == odd_row && d == 1 ? odd : 1.0F).ok());
    }
  }
  return *vectors.Finish();
}

ArrayPtr Ids(int64_t count, int64_t null_row) {
  arrow::Int64Builder ids;
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_TRUE((i == null_row ? ids.AppendNull() : ids.Append(i)).ok());
  }
  return *ids.Finish();
}

class ErrorTest : public ::testing::Test {
 protected:
  Database Open(size_t threads = 2) {
    DatabaseOptions options;
    options.sync = SyncMode::kNone;
    options.num_threads = threads;
    return Must(Database::Open(scratch_.path().string(), options));
  }

  Table Create(Database& db, int64_t rows = 10) {
    return Must(db.CreateTable("t", Stream({Rows(0, rows)}), CreateMode::kCreate, {}));
  }

  /// The operation fails so, and the directory is as before.
  void ExpectRefused(const std::function<arrow::Status()>& operation, ErrorCode code,
                     const std::vector<std::string>& words) {
    const auto before = scratch_.Listing();
    const arrow::Status status = operation();
    EXPECT_EQ(ErrorCodeOf(status), code) << status.ToString();
    for (const auto& word : words) {
      EXPECT_THAT(status.message(), HasSubstr(word));
    }
    EXPECT_EQ(scratch_.Listing(), before) << status.ToString();
  }

  testing::ScratchDirectory scratch_;
};

struct BadBatch {
  const char* what;
  BatchPtr batch;
  std::vector<std::string> words;
  ErrorCode code = ErrorCode::kInvalidArgument;
};

std::vector<BadBatch> BadBatches() {
  const auto good = Rows(0, 10);
  const auto vector = TestSchema()->field(2);
  const auto other = arrow::field("vector", arrow::fixed_size_list(arrow::float32(), 3));
  const auto null_id = arrow::field("id", arrow::int64());
  return {
      {"length", With(good, 2, other, Vectors(10, 3)), {"'vector'", "length 3", "length 4"}},
      {"NaN", With(good, 2, vector, Vectors(10, 4, 6, NAN)), {"'vector', row 6", "NaN", "finite"}},
      {"infinity",
       With(good, 2, vector, Vectors(10, 4, 9, -INFINITY)),
       {"'vector', row 9", "-infinity", "finite"}},
      {"extra", Must(good->AddColumn(3, "more", good->column(0))), {"'more'", "'id', 'text'"}},
      {"missing", Must(good->RemoveColumn(0)), {"'id'", "missing", "'text', 'vector'"}},
      {"twice", Must(good->AddColumn(3, "id", good->column(0))), {"'id'", "more than once"}},
      {"null", With(good, 0, null_id, Ids(10, 4)), {"'id'", "row 4", "not nullable"}},
      {"type",
       With(good, 0, arrow::field("id", arrow::utf8()), good->column(1)),
       {"'id'", "string", "int64"},
       ErrorCode::kTypeMismatch},
  };
}

TEST_F(ErrorTest, RefusedAppendsWriteNothing) {
  auto db = Open();
  Table table = Create(db);
  for (const auto& bad : BadBatches()) {
    SCOPED_TRACE(bad.what);
    ExpectRefused([&] { return table.Add(bad.batch, {}).status(); }, bad.code, bad.words);
  }
  EXPECT_EQ(*table.Version(), 1u);
}

TEST_F(ErrorTest, RowsAreCountedThroughTheStreamAndWhatWasWrittenGoes) {
  auto db = Open();
  Table table = Must(db.CreateTable("t", TestSchema(), CreateMode::kCreate, {}));
  WriteOptions options;
  options.max_rows_per_file = 7;
  const auto nan = With(Rows(0, 10), 2, TestSchema()->field(2), Vectors(10, 4, 6, NAN));
  ExpectRefused(
      [&] {
        return table.Add(Stream({Rows(0, 10), Rows(0, 10), nan}), options).status();
      },
      ErrorCode::kInvalidArgument, {"row 26"});
  const auto schema = arrow::schema(
      {arrow::field("id", arrow::int64()), TestSchema()->field(1), TestSchema()->field(2)});
  const auto as_nullable = [&](const BatchPtr& batch) {
    return arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns());
  };
  const auto null = With(as_nullable(Rows(0, 10)), 0, schema->field(0), Ids(10, 4));
  ExpectRefused(
      [&] {
        return table.Add(Stream({as_nullable(Rows(0, 10)), null}), options).status();
      },
      ErrorCode::kInvalidArgument, {"row 14"});
}

TEST_F(ErrorTest, RefusedCreatesLeaveNothing) {
  auto db = Open();
  Create(db);
  const auto expect = [&](const std::string& name, const std::shared_ptr<arrow::Schema>& schema,
                          ErrorCode code) {
    SCOPED_TRACE(name);
    ExpectRefused([&] { return db.CreateTable(name, schema, CreateMode::kCreate, {}).status(); },
                  code, {});
  };
  for (const char* name : {"", "a/b", "../up", "a\\b", ".hidden", "a b", "a\nb"}) {
    expect(name, TestSchema(), ErrorCode::kInvalidArgument);
  }
  expect(std::string(300, 'x'), TestSchema(), ErrorCode::kInvalidArgument);
  const auto id = arrow::field("id", arrow::int64());
  expect("twice", arrow::schema({id, id}), ErrorCode::kInvalidArgument);
  expect("nameless", arrow::schema({arrow::field("", arrow::int64())}),
         ErrorCode::kInvalidArgument);
  expect("union", arrow::schema({arrow::field("u", arrow::sparse_union({id}))}),
         ErrorCode::kUnsupported);
  expect("t", TestSchema(), ErrorCode::kAlreadyExists);
  for (const int64_t rows : {0, 10}) {  // nothing, and something, was written before the bad batch
    const auto nan = With(Rows(0, 10), 2, TestSchema()->field(2), Vectors(10, 4, 6, NAN));
    WriteOptions options;
    options.max_rows_per_file = 4;
    for (const auto mode : {CreateMode::kCreate, CreateMode::kOverwrite, CreateMode::kExistOk}) {
      ExpectRefused(
          [&] {
            return db.CreateTable("bad", Stream({Rows(0, rows), nan}), mode, options).status();
          },
          ErrorCode::kInvalidArgument, {"'vector'"});
    }
  }
}

TEST_F(ErrorTest, InvalidArgumentOfReads) {
  auto db = Open();
  Table table = Create(db);
  EXPECT_CODE(table.TakeOffsets({10}, {}), kInvalidArgument);
  VectorQuery query;
  query.vectors = *arrow::MakeArrayOfNull(arrow::float32(), 3);
  EXPECT_CODE(table.Search(query), kInvalidArgument);
  WriteOptions none;
  none.max_rows_per_file = 0;
  EXPECT_CODE(table.Add(Rows(0, 1), none), kInvalidArgument);
  EXPECT_CODE(table.Add(BatchPtr(), {}), kInvalidArgument);
  EXPECT_CODE(table.CreateTag("a/b", 1), kInvalidArgument);
}

TEST_F(ErrorTest, NotFoundNamesTheNearest) {
  auto db = Open();
  Table table = Create(db);
  ScanOptions options;
  options.columns = {"vectr"};
  const auto scanned = table.Scan(options);
  EXPECT_CODE(scanned, kNotFound);
  EXPECT_THAT(scanned.status().message(), AllOf(HasSubstr("vectr"), HasSubstr("vector")));
  const auto opened = db.OpenTable("tt");
  EXPECT_CODE(opened, kNotFound);
  EXPECT_THAT(opened.status().message(), AllOf(HasSubstr("'tt'"), HasSubstr("'t'")));
  EXPECT_CODE(table.Checkout(7), kNotFound);
  EXPECT_CODE(table.CheckoutTag("none"), kNotFound);
  EXPECT_CODE(table.OpenBranch("none"), kNotFound);
  EXPECT_CODE(db.DropTable("none"), kNotFound);
}

TEST_F(ErrorTest, AlreadyExists) {
  auto db = Open();
  Table table = Create(db);
  EXPECT_CODE(db.CreateTable("t", TestSchema(), CreateMode::kCreate, {}), kAlreadyExists);
  ASSERT_OK(table.CreateTag("tag", 1));
  EXPECT_CODE(table.CreateTag("tag", 1), kAlreadyExists);
  ASSERT_OK(db.CreateTable("u", TestSchema(), CreateMode::kCreate, {}));
  EXPECT_CODE(db.RenameTable("u", "t"), kAlreadyExists);
}

TEST_F(ErrorTest, PreconditionFailed) {
  auto db = Open();
  Table table = Create(db);
  EXPECT_CODE(table.Restore(), kPreconditionFailed);
  ASSERT_OK(table.Checkout(1));
  EXPECT_CODE(table.Add(Rows(0, 1), {}), kPreconditionFailed);
  EXPECT_CODE(table.Overwrite(Stream({Rows(0, 1)}), {}), kPreconditionFailed);
  EXPECT_CODE(table.DeleteRowIds({0}), kPreconditionFailed);
}

TEST_F(ErrorTest, Cancelled) {
  auto db = Open();
  Table table = Create(db);
  ScanOptions scan;
  scan.cancel.RequestStop();
  EXPECT_CODE(testing::Drain(table.Scan(scan)), kCancelled);
  VectorQuery search;
  search.vectors = std::static_pointer_cast<arrow::FixedSizeListArray>(Vectors(1, 4))->values();
  ASSERT_OK(table.Search(search));
  search.cancel.RequestStop();
  EXPECT_CODE(table.Search(search), kCancelled);
  TakeOptions take;
  take.cancel.RequestStop();
  EXPECT_CODE(table.TakeOffsets({1}, take), kCancelled);
  CancelToken stop;
  stop.RequestStop();
  EXPECT_CODE(table.Verify({}, stop), kCancelled);
  // In the middle of a write: what was written goes.
  WriteOptions write;
  write.max_rows_per_file = 5;
  write.progress = [&](const Progress& progress) {
    if (progress.rows_done >= 20) {
      write.cancel.RequestStop();
    }
  };
  ExpectRefused(
      [&] {
        return table.Add(Stream({Rows(0, 10), Rows(10, 10), Rows(20, 10)}), write).status();
      },
      ErrorCode::kCancelled, {});
  EXPECT_EQ(*table.CountRows(), 10u);
}

// ---- damaged and foreign files ----

void Flip(const fs::path& path, int64_t position) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<int64_t>(fs::file_size(path));
  file.seekg(position < 0 ? size + position : position);
  const char byte = static_cast<char>(file.get());
  file.seekp(position < 0 ? size + position : position);
  file.put(static_cast<char>(byte ^ 0x55));
}

fs::path OnlyFileIn(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".lance" || entry.path().extension() == ".manifest") {
      return entry.path();
    }
  }
  ADD_FAILURE() << "no file in " << directory;
  return {};
}

TEST_F(ErrorTest, Corruption) {
  {
    auto db = Open();
    Create(db, 1000);
  }
  Flip(OnlyFileIn(scratch_.path() / "t.lance" / "data"), -1);  // the magic of the data file
  {
    Table table = Must(Open().OpenTable("t"));
    const auto read = testing::Drain(table.Scan({}));
    EXPECT_CODE(read, kCorruption);
    EXPECT_THAT(read.status().message(), HasSubstr(".lance"));
    EXPECT_THAT(Must(table.Verify({}, {})).defects, Not(IsEmpty()));
  }
  Flip(OnlyFileIn(scratch_.path() / "t.lance" / "_versions"), -1);
  const auto opened = Open().OpenTable("t");
  EXPECT_CODE(opened, kCorruption);
  EXPECT_THAT(opened.status().message(), HasSubstr("_versions/"));
}

TEST_F(ErrorTest, UnsupportedNamesTheFeature) {
  {
    auto db = Open();
    Create(db);
  }
  const auto path = OnlyFileIn(scratch_.path() / "t.lance" / "_versions");
  auto store = Must(io::OpenLocalStore(scratch_.path().string() + "/t.lance"));
  const std::string name = "_versions/" + path.filename().string();
  const auto bytes = Must(store->Get(name));
  lance::table::Manifest pb = Must(table::ParseManifest(*bytes, name))->pb;
  pb.set_reader_feature_flags(pb.reader_feature_flags() | 1024);
  ASSERT_OK(store->Put(name, Must(table::SerializeManifest(&pb, {}, nullptr))));
  const auto opened = Open().OpenTable("t");
  EXPECT_CODE(opened, kUnsupported);
  EXPECT_THAT(opened.status().message(), HasSubstr("1024"));
  const auto scheme = Database::Open("ftp://somewhere/db", {});
  EXPECT_CODE(scheme, kUnsupported);
  EXPECT_THAT(scheme.status().message(), HasSubstr("ftp"));
  DatabaseOptions options;
  options.data_storage_version = "9.9";
  EXPECT_FALSE(Database::Open(scratch_.path().string(), options).ok());
}

// ---- failing stores ----

Database OpenOn(std::shared_ptr<io::ObjectStore> store) {
  DatabaseOptions options;
  options.num_threads = 1;
  return db::DatabaseImpl::Wrap(*db::DatabaseImpl::Make("test", std::move(store), options));
}

/// Forwards to another store; what a test overrides differs.
class HookedStore : public io::ObjectStore {
 public:
  explicit HookedStore(std::shared_ptr<io::ObjectStore> store) : store_(std::move(store)) {}

  std::function<arrow::Status(const std::string& path)> before_create;
  std::function<arrow::Status(const std::string& path)> before_put;

  const std::string& root() const override { return store_->root(); }

  arrow::Result<std::shared_ptr<io::ObjectReader>> Open(const std::string& path) override {
    return store_->Open(path);
  }

  arrow::Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string& path) override {
    if (before_create) {
      ARROW_RETURN_NOT_OK(before_create(path));
    }
    return store_->Create(path);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    return store_->Get(path);
  }

  arrow::Status Put(const std::string& path, std::string_view bytes) override {
    return store_->Put(path, bytes);
  }

  arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    if (before_put) {
      ARROW_RETURN_NOT_OK(before_put(path));
    }
    return store_->PutIfAbsent(path, bytes);
  }

  arrow::Result<bool> Exists(const std::string& path) override { return store_->Exists(path); }

  arrow::Result<io::ObjectInfo> Stat(const std::string& path) override {
    return store_->Stat(path);
  }

  arrow::Result<std::vector<io::ObjectInfo>> List(const std::string& directory) override {
    return store_->List(directory);
  }

  arrow::Result<std::vector<std::string>> ListDirectories(const std::string& directory) override {
    return store_->ListDirectories(directory);
  }

  arrow::Status Delete(const std::string& path) override { return store_->Delete(path); }

  arrow::Status DeleteTree(const std::string& directory) override {
    return store_->DeleteTree(directory);
  }

  arrow::Status RenameTree(const std::string& from, const std::string& to) override {
    return store_->RenameTree(from, to);
  }

  arrow::Result<std::shared_ptr<io::ObjectStore>> Sub(const std::string& directory) override {
    ARROW_ASSIGN_OR_RAISE(auto sub, store_->Sub(directory));
    auto hooked = std::make_shared<HookedStore>(std::move(sub));
    hooked->before_create = before_create;
    hooked->before_put = before_put;
    return hooked;
  }

 private:
  std::shared_ptr<io::ObjectStore> store_;
};

/// Calls `meanwhile` once, at the first put of a manifest: a writer that is faster.
std::shared_ptr<HookedStore> Raced(const std::shared_ptr<io::ObjectStore>& inner,
                                   std::function<void()> meanwhile) {
  auto store = std::make_shared<HookedStore>(inner);
  auto pending = std::make_shared<std::function<void()>>(std::move(meanwhile));
  store->before_put = [pending](const std::string&) {
    if (const auto race = std::exchange(*pending, nullptr)) {
      race();
    }
    return arrow::Status::OK();
  };
  return store;
}

size_t NumDataFiles(io::ObjectStore& store) {
  return Must(store.ListRecursive("t.lance/data")).size();
}

TEST(ErrorOfStoreTest, PermissionDeniedComesThrough) {
  auto store = std::make_shared<HookedStore>(Must(io::OpenMemoryStore()));
  store->before_create = [](const std::string& path) {
    return IoErrorFromErrno(EACCES, "create", path);
  };
  const auto created =
      OpenOn(store).CreateTable("t", Stream({Rows(0, 1)}), CreateMode::kCreate, {});
  EXPECT_CODE(created, kPermissionDenied);
  EXPECT_THAT(created.status().message(), HasSubstr("data/"));
  EXPECT_THAT(Must(store->ListRecursive("")), IsEmpty());
}

TEST(ErrorOfStoreTest, IoAndResourceExhaustedLeaveNothing) {
  for (const auto& [kind, code] : {std::pair{FaultKind::kError, ErrorCode::kIo},
                                   std::pair{FaultKind::kFull, ErrorCode::kResourceExhausted}}) {
    for (uint64_t step = 0;; ++step) {
      ASSERT_LT(step, 100u);
      auto inner = Must(io::OpenMemoryStore());
      auto counter = std::make_shared<std::atomic<uint64_t>>(0);
      auto db = OpenOn(testing::WrapWithFaults(inner, counter, {kind, step}));
      const auto created = db.CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {});
      if (created.ok()) {
        EXPECT_GT(step, 3u);
        break;
      }
      EXPECT_EQ(ErrorCodeOf(created.status()), code) << created.status().ToString();
      EXPECT_THAT(Must(inner->ListRecursive("")), IsEmpty()) << "step " << step;
    }
  }
}

TEST(ErrorOfStoreTest, CommitStateUnknownKeepsTheFiles) {
  // The put takes effect, says it failed, and then the manifest can't be read back.
  class DeafStore final : public HookedStore {
   public:
    DeafStore(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<bool> deaf)
        : HookedStore(std::move(store)), deaf_(std::move(deaf)) {}

    arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
      return *deaf_ ? IoErrorFromErrno(EIO, "read", path) : HookedStore::Get(path);
    }

    arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
      ARROW_RETURN_NOT_OK(HookedStore::PutIfAbsent(path, bytes));
      *deaf_ = true;
      return IoErrorFromErrno(EIO, "put", path);
    }

    arrow::Result<std::shared_ptr<io::ObjectStore>> Sub(const std::string& directory) override {
      ARROW_ASSIGN_OR_RAISE(auto sub, HookedStore::Sub(directory));
      return std::make_shared<DeafStore>(std::move(sub), deaf_);
    }

   private:
    std::shared_ptr<bool> deaf_;
  };

  auto inner = Must(io::OpenMemoryStore());
  ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
  {
    auto db = OpenOn(std::make_shared<DeafStore>(inner, std::make_shared<bool>(false)));
    Table table = Must(db.OpenTable("t"));
    const auto added = table.Add(Rows(10, 5), {});
    EXPECT_CODE(added, kCommitStateUnknown);
    EXPECT_FALSE(IsRetryable(added.status()));
  }
  // It had been committed, so its files must be there.
  Table table = Must(OpenOn(inner).OpenTable("t"));
  EXPECT_EQ(testing::IdsOf(testing::Drain(table.Scan({}))), Sequence(0, 15));
}

TEST(ErrorOfStoreTest, AmbiguousPutThatLandedIsASuccess) {
  for (uint64_t step = 0; step < 20; ++step) {
    auto inner = Must(io::OpenMemoryStore());
    ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
    auto log = std::make_shared<std::vector<std::string>>();
    auto db = OpenOn(testing::WrapWithFaults(inner, nullptr, {FaultKind::kAmbiguous, step}, log));
    const auto added = Must(db.OpenTable("t")).Add(Rows(10, 5), {});
    if (log->size() > step && (*log)[step].rfind("PutIfAbsent _versions/", 0) == 0) {
      ASSERT_OK(added);
      EXPECT_EQ(added->version, 2u);
      return;
    }
  }
  FAIL() << "no step put a manifest";
}

TEST(ErrorOfStoreTest, CommitIncompatibleWhereTheTableWasOverwritten) {
  auto inner = Must(io::OpenMemoryStore());
  ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
  auto db = OpenOn(Raced(inner, [&] {
    Table other = Must(OpenOn(inner).OpenTable("t"));
    ASSERT_OK(other.Overwrite(Stream({Rows(50, 5)}), {}));
  }));
  Table table = Must(db.OpenTable("t"));
  const auto added = table.Add(Rows(10, 5), {});
  EXPECT_CODE(added, kCommitIncompatible);
  EXPECT_FALSE(IsRetryable(added.status()));
  EXPECT_EQ(NumDataFiles(*inner), 2u);  // of the two versions, none of ours
  EXPECT_EQ(Must(inner->ListRecursive("t.lance/_transactions")).size(), 2u);
}

TEST(ErrorOfStoreTest, CommitConflictAfterTooManyRaces) {
  auto inner = Must(io::OpenMemoryStore());
  ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
  auto store = std::make_shared<HookedStore>(inner);
  int64_t next = 100;
  store->before_put = [&](const std::string&) {
    Table other = Must(OpenOn(inner).OpenTable("t"));
    return other.Add(Rows(next++, 1), {}).status();
  };
  const auto added = Must(OpenOn(store).OpenTable("t")).Add(Rows(10, 5), {});
  EXPECT_CODE(added, kCommitConflict);
  EXPECT_TRUE(IsRetryable(added.status()));
  Table table = Must(OpenOn(inner).OpenTable("t"));
  const uint64_t others = static_cast<uint64_t>(next - 100);
  EXPECT_EQ(*table.CountRows(), 10 + others);
  EXPECT_EQ(NumDataFiles(*inner), 1 + others);
  EXPECT_EQ(Must(inner->ListRecursive("t.lance/_transactions")).size(), 1 + others);
}

TEST(ErrorOfStoreTest, RacingOverwritesGoOnTopOfEachOther) {
  for (const bool exists : {false, true}) {
    auto inner = Must(io::OpenMemoryStore());
    if (exists) {
      ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(0, 10)}), CreateMode::kCreate, {}));
    }
    auto db = OpenOn(Raced(inner, [&] {
      ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(50, 5)}), CreateMode::kOverwrite, {}));
    }));
    const auto made = db.CreateTable("t", Stream({Rows(70, 5)}), CreateMode::kOverwrite, {});
    ASSERT_OK(made);
    EXPECT_EQ(*made->Version(), exists ? 3u : 2u);
    EXPECT_EQ(testing::IdsOf(testing::Drain(made->Scan({}))), Sequence(70, 5));
    EXPECT_THAT(Must(made->Verify({}, {})).defects, IsEmpty());
  }
}

TEST(ErrorOfStoreTest, LoserOfARacingCreateLeavesTheWinnerAlone) {
  auto inner = Must(io::OpenMemoryStore());
  auto db = OpenOn(Raced(inner, [&] {
    ASSERT_OK(OpenOn(inner).CreateTable("t", Stream({Rows(50, 5)}), CreateMode::kCreate, {}));
  }));
  EXPECT_CODE(db.CreateTable("t", Stream({Rows(70, 5)}), CreateMode::kCreate, {}), kAlreadyExists);
  EXPECT_EQ(NumDataFiles(*inner), 1u);
  Table table = Must(OpenOn(inner).OpenTable("t"));
  EXPECT_EQ(testing::IdsOf(testing::Drain(table.Scan({}))), Sequence(50, 5));
}

TEST(ErrorOfStoreTest, SidecarsOfFailedWritesGo) {
  testing::ScratchDirectory scratch;
  DatabaseOptions options;
  options.sync = SyncMode::kNone;
  auto db = Must(Database::Open(scratch.path().string(), options));
  const auto metadata = arrow::key_value_metadata({{"ARROW:extension:name", "lance.blob.v2"}});
  const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  const auto schema = arrow::schema({arrow::field("blob", type, true, metadata)});
  Table table = Must(db.CreateTable("t", schema, CreateMode::kCreate, {}));
  const auto before = scratch.Listing();
  arrow::LargeBinaryBuilder payload;
  ASSERT_OK(payload.Append(std::string(200 << 10, 'x')));
  const ArrayPtr column = *payload.Finish();
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("blob", arrow::large_binary())}), 1, {column});
  WriteOptions write;
  bool sidecar = false;
  write.progress = [&](const Progress&) {
    for (const auto& name : scratch.Listing()) {
      sidecar = sidecar || std::count(name.begin(), name.end(), '/') == 3;
    }
    write.cancel.RequestStop();
  };
  EXPECT_CODE(table.Add(Stream({batch, batch}), write), kCancelled);
  EXPECT_TRUE(sidecar);
  EXPECT_EQ(scratch.Listing(), before);
}

// Rows that end in an error of no known kind.
class BrokenStream final : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return testing::TestSchema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (++batches_ > 2) {
      return arrow::Status::UnknownError("the source broke");
    }
    *batch = Rows(batches_ * 10, 10);
    return arrow::Status::OK();
  }

 private:
  int64_t batches_ = 0;
};

TEST(ErrorOfStoreTest, ErrorsOfNoKnownKindAreInternal) {
  testing::ScratchDirectory scratch;
  DatabaseOptions options;
  options.sync = SyncMode::kNone;
  auto db = Must(Database::Open(scratch.path().string(), options));
  Table table = Must(db.CreateTable("t", Stream({Rows(0, 5)}), CreateMode::kCreate, {}));
  const auto before = scratch.Listing();
  const auto status = arrow::ToStatus(table.Add(std::make_shared<BrokenStream>(), {}));
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kInternal) << status.ToString();
  EXPECT_NE(status.message().find("the source broke"), std::string::npos) << status.ToString();
  EXPECT_EQ(scratch.Listing(), before);
}

TEST(ErrorOfStoreTest, EveryCodeHasANameAndARemedy) {
  std::set<std::string_view> names;
  for (int32_t code = 0; code <= static_cast<int32_t>(ErrorCode::kInternal); ++code) {
    names.insert(ErrorCodeName(static_cast<ErrorCode>(code)));
    EXPECT_FALSE(ErrorRemedy(static_cast<ErrorCode>(code)).empty() && code != 0) << code;
  }
  EXPECT_EQ(names.size(), 16u);
}

}  // namespace
}  // namespace glaive
