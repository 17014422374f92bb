#include "io/object_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/status.h"
#include "base/uuid.h"

namespace glaive::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

#define ASSERT_OK(expression)                              \
  do {                                                     \
    const auto ok_status_ = arrow::ToStatus(expression);   \
    ASSERT_TRUE(ok_status_.ok()) << ok_status_.ToString(); \
  } while (false)

#define EXPECT_CODE(expression, code_)                                                 \
  do {                                                                                 \
    const auto code_status_ = arrow::ToStatus(expression);                             \
    EXPECT_EQ(ErrorCodeOf(code_status_), ErrorCode::code_) << code_status_.ToString(); \
  } while (false)

std::string TextOf(const arrow::Result<std::shared_ptr<arrow::Buffer>>& buffer) {
  return buffer.ok() ? (*buffer)->ToString() : buffer.status().ToString();
}

std::vector<std::string> SortedPaths(const arrow::Result<std::vector<ObjectInfo>>& infos) {
  std::vector<std::string> paths;
  if (infos.ok()) {
    for (const auto& info : *infos) {
      paths.push_back(info.path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_(fs::temp_directory_path() / ("glaive-" + Uuid::Random().ToString())) {}

  ~TemporaryDirectory() { fs::remove_all(path_); }

  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

class StoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string kind = GetParam();
    if (kind == "memory") {
      store_ = *OpenMemoryStore();
      return;
    }
    LocalStoreOptions options;
    options.use_mmap = kind != "copying";
    options.durability = kind == "unsynced" ? Durability::kNone : Durability::kSynced;
    store_ = *OpenLocalStore(directory_.path(), options);
  }

  TemporaryDirectory directory_;
  std::shared_ptr<ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest,
                         ::testing::Values("mapped", "copying", "unsynced", "memory"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST_P(StoreTest, PutGetReplace) {
  EXPECT_CODE(store_->Get("a/b"), kNotFound);
  EXPECT_CODE(store_->Open("a/b"), kNotFound);
  EXPECT_CODE(store_->Stat("a/b"), kNotFound);
  EXPECT_FALSE(*store_->Exists("a/b"));
  ASSERT_OK(store_->Put("a/b", "one"));
  EXPECT_EQ(TextOf(store_->Get("a/b")), "one");
  ASSERT_OK(store_->Put("a/b", "three"));
  EXPECT_EQ(TextOf(store_->Get("a/b")), "three");
  EXPECT_TRUE(*store_->Exists("a/b"));
  const auto info = *store_->Stat("a/b");
  EXPECT_EQ(info.path, "a/b");
  EXPECT_EQ(info.size, 5u);
  EXPECT_GT(info.modified_nanos, int64_t{1'500'000'000} * 1'000'000'000);
  EXPECT_CODE(store_->Get("a"), kNotFound);
  EXPECT_CODE(store_->Get("a/b/c"), kNotFound);
  EXPECT_FALSE(*store_->Exists("a"));
}

TEST_P(StoreTest, PutIfAbsentSucceedsOnce) {
  ASSERT_OK(store_->PutIfAbsent("v/1", "first"));
  EXPECT_CODE(store_->PutIfAbsent("v/1", "second"), kAlreadyExists);
  EXPECT_EQ(TextOf(store_->Get("v/1")), "first");
  EXPECT_THAT(SortedPaths(store_->List("v")), ElementsAre("v/1"));
}

TEST_P(StoreTest, PutIfAbsentHasOneWinnerAmongThreads) {
  for (int round = 0; round < 20; ++round) {
    const std::string path = "race/" + std::to_string(round);
    std::atomic<int> wins{0};
    std::atomic<int> others{0};
    std::string winner;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const std::string text = "thread " + std::to_string(t);
        const arrow::Status status = store_->PutIfAbsent(path, text);
        if (status.ok()) {
          ++wins;
          winner = text;
        } else if (ErrorCodeOf(status) == ErrorCode::kAlreadyExists) {
          ++others;
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(wins, 1);
    EXPECT_EQ(others, 3);
    EXPECT_EQ(TextOf(store_->Get(path)), winner);
  }
}

TEST_P(StoreTest, WriterIsInvisibleUntilFinish) {
  auto writer = *store_->Create("d/file");
  ASSERT_OK(writer->Append("abc", 3));
  EXPECT_EQ(writer->position(), 3u);
  EXPECT_FALSE(*store_->Exists("d/file"));
  EXPECT_THAT(SortedPaths(store_->List("d")), IsEmpty());
  EXPECT_EQ(*writer->Finish(), 3u);
  EXPECT_EQ(TextOf(store_->Get("d/file")), "abc");
  EXPECT_CODE(writer->Append("x", 1), kPreconditionFailed);
  EXPECT_CODE(writer->Finish(), kPreconditionFailed);
}

TEST_P(StoreTest, AbortedAndAbandonedWritersLeaveNothing) {
  {
    auto aborted = *store_->Create("d/aborted");
    ASSERT_OK(aborted->Append("abc", 3));
    ASSERT_OK(aborted->Abort());
    EXPECT_CODE(aborted->Finish(), kPreconditionFailed);
    auto abandoned = *store_->Create("d/abandoned");
    ASSERT_OK(abandoned->Append("abc", 3));
  }
  EXPECT_THAT(SortedPaths(store_->ListRecursive("")), IsEmpty());
  if (fs::exists(directory_.path() + "/d")) {
    EXPECT_TRUE(fs::is_empty(directory_.path() + "/d"));  // staging files are hidden from List
  }
}

TEST_P(StoreTest, WritesManyPiecesInOrder) {
  auto writer = *store_->Create("big");
  std::string expected;
  std::vector<std::shared_ptr<arrow::Buffer>> pieces;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece(static_cast<size_t>(i % 701), static_cast<char>('a' + i % 26));
    expected += piece;
    pieces.push_back(arrow::Buffer::FromString(piece));
  }
  ASSERT_OK(writer->AppendMany(pieces));
  EXPECT_EQ(writer->position(), expected.size());
  const std::string large(600'000, 'L');
  for (const std::string& text : {std::string("small"), large, std::string("tail")}) {
    ASSERT_OK(writer->Append(text.data(), text.size()));
    expected += text;
  }
  EXPECT_EQ(*writer->Finish(), expected.size());
  EXPECT_EQ(TextOf(store_->Get("big")), expected);
}

TEST_P(StoreTest, ReadsRanges) {
  std::string text(300'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * 7 + i / 256);
  }
  ASSERT_OK(store_->Put("o", text));
  auto object = *store_->Open("o");
  EXPECT_EQ(object->size(), text.size());
  EXPECT_EQ(TextOf(object->Read(0, 10)), text.substr(0, 10));
  EXPECT_EQ(TextOf(object->Read(text.size(), 0)), "");
  EXPECT_CODE(object->Read(text.size(), 1), kCorruption);
  EXPECT_CODE(object->Read(UINT64_MAX, 2), kCorruption);
  EXPECT_CODE(object->Read(1, UINT64_MAX), kCorruption);
  // Out of order, overlapping, near and far, empty.
  const std::vector<ByteRange> ranges{{200'000, 100}, {5, 10}, {0, 20},      {64, 64},
                                      {299'999, 1},   {7, 0},  {150'000, 1}, {200'050, 100}};
  object->Prefetch(ranges);
  auto buffers = object->ReadMany(ranges);
  ASSERT_OK(buffers);
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ((*buffers)[i]->ToString(), text.substr(ranges[i].offset, ranges[i].length)) << i;
  }
  EXPECT_EQ((*buffers)[3]->address() % 64, 0u);
  EXPECT_CODE(object->ReadMany(std::vector<ByteRange>{{0, 1}, {299'999, 2}}), kCorruption);
  object->Prefetch(std::vector<ByteRange>{{UINT64_MAX, 5}, {299'999, 100}});
  // Buffers outlive reader and object.
  auto kept = *object->Read(100, 50);
  object.reset();
  buffers = arrow::Status::Invalid("dropped");
  ASSERT_OK(store_->Delete("o"));
  EXPECT_EQ(kept->ToString(), text.substr(100, 50));
}

TEST_P(StoreTest, EmptyObjects) {
  ASSERT_OK(store_->Put("empty", ""));
  auto object = *store_->Open("empty");
  EXPECT_EQ(object->size(), 0u);
  EXPECT_EQ(TextOf(object->Read(0, 0)), "");
  EXPECT_CODE(object->Read(0, 1), kCorruption);
  EXPECT_EQ((*store_->Get("empty"))->size(), 0);
}

TEST_P(StoreTest, ListsAndDeletes) {
  for (const char* path :
       {"t.lance/data/1", "t.lance/data/2", "t.lance/_versions/1", "t.lancet/x", "top"}) {
    ASSERT_OK(store_->Put(path, path));
  }
  EXPECT_THAT(SortedPaths(store_->List("")), ElementsAre("top"));
  EXPECT_THAT(SortedPaths(store_->List("t.lance")), IsEmpty());
  EXPECT_THAT(SortedPaths(store_->List("t.lance/data")),
              ElementsAre("t.lance/data/1", "t.lance/data/2"));
  EXPECT_THAT(SortedPaths(store_->List("missing")), IsEmpty());
  auto directories = *store_->ListDirectories("");
  std::sort(directories.begin(), directories.end());
  EXPECT_THAT(directories, ElementsAre("t.lance", "t.lancet"));
  EXPECT_THAT(*store_->ListDirectories("missing"), IsEmpty());
  EXPECT_THAT(SortedPaths(store_->ListRecursive("t.lance")),
              ElementsAre("t.lance/_versions/1", "t.lance/data/1", "t.lance/data/2"));
  ASSERT_OK(store_->Delete("t.lance/data/1"));
  ASSERT_OK(store_->Delete("t.lance/data/1"));
  ASSERT_OK(store_->DeleteTree("t.lance"));
  ASSERT_OK(store_->DeleteTree("t.lance"));
  EXPECT_THAT(SortedPaths(store_->ListRecursive("")), ElementsAre("t.lancet/x", "top"));
  // A directory that was known and is gone is made anew.
  ASSERT_OK(store_->Put("t.lance/data/3", "again"));
  EXPECT_CODE(store_->DeleteTree(""), kInvalidArgument);
  EXPECT_CODE(store_->DeleteTree("../x"), kInvalidArgument);
}

TEST_P(StoreTest, LocksExcludeEachOther) {
  EXPECT_CODE(store_->TryLock("d/a", LockMode::kShared), kNotFound);
  ASSERT_OK(store_->Put("d/a", "1"));
  auto first = *store_->TryLock("d/a", LockMode::kShared);
  auto second = *store_->TryLock("d/a", LockMode::kShared);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*store_->TryLock("d/a", LockMode::kExclusive), nullptr);
  first = nullptr;
  EXPECT_EQ(*store_->TryLock("d/a", LockMode::kExclusive), nullptr);
  second = nullptr;
  auto alone = *store_->TryLock("d/a", LockMode::kExclusive);
  ASSERT_NE(alone, nullptr);
  EXPECT_EQ(*store_->TryLock("d/a", LockMode::kShared), nullptr);
  alone = nullptr;
  EXPECT_NE(*store_->TryLock("d", LockMode::kExclusive), nullptr);
  ASSERT_OK(store_->Delete("d/a"));
  EXPECT_CODE(store_->TryLock("d/a", LockMode::kExclusive), kNotFound);
}

TEST_P(StoreTest, RenamesTrees) {
  ASSERT_OK(store_->Put("a.lance/data/1", "1"));
  ASSERT_OK(store_->Put("c.lance/data/1", "c"));
  EXPECT_CODE(store_->RenameTree("a.lance", "c.lance"), kAlreadyExists);
  EXPECT_CODE(store_->RenameTree("b.lance", "d.lance"), kNotFound);
  ASSERT_OK(store_->RenameTree("a.lance", "b.lance"));
  EXPECT_EQ(TextOf(store_->Get("b.lance/data/1")), "1");
  EXPECT_FALSE(*store_->Exists("a.lance/data/1"));
  ASSERT_OK(store_->Put("a.lance/data/2", "2"));
}

TEST_P(StoreTest, SubStoresAreRootedBelow) {
  auto sub = *store_->Sub("t.lance");
  EXPECT_EQ(sub->root(), store_->root() + "/t.lance");
  EXPECT_THAT(SortedPaths(sub->List("")), IsEmpty());
  ASSERT_OK(sub->Put("x/y", "1"));
  EXPECT_EQ(TextOf(store_->Get("t.lance/x/y")), "1");
  EXPECT_THAT(SortedPaths(sub->ListRecursive("")), ElementsAre("x/y"));
  auto deeper = *sub->Sub("x");
  EXPECT_EQ(TextOf(deeper->Get("y")), "1");
}

TEST_P(StoreTest, RefusesBadPaths) {
  for (const char* path : {"", "/abs", "a//b", "a/", "./a", "a/..", "..", "a/./b"}) {
    EXPECT_CODE(store_->Get(path), kInvalidArgument);
    EXPECT_CODE(store_->Put(path, "x"), kInvalidArgument);
    EXPECT_CODE(store_->PutIfAbsent(path, "x"), kInvalidArgument);
    EXPECT_CODE(store_->Create(path), kInvalidArgument);
    EXPECT_CODE(store_->Delete(path), kInvalidArgument);
    EXPECT_CODE(store_->Exists(path), kInvalidArgument);
    EXPECT_CODE(store_->Sub(path), kInvalidArgument);
  }
  EXPECT_CODE(CheckObjectPath(std::string_view("a\0b", 3)), kInvalidArgument);
  EXPECT_TRUE(CheckObjectPath("a/.hidden/b..c").ok());
}

TEST(LocalStore, DirectoryRemovedByOthersIsMadeAgain) {
  TemporaryDirectory directory;
  auto store = *OpenLocalStore(directory.path());
  EXPECT_FALSE(fs::exists(directory.path()));  // nothing is made before the first write
  ASSERT_OK(store->Put("d/1", "1"));
  fs::remove_all(directory.path());
  ASSERT_OK(store->Put("d/2", "2"));
  EXPECT_EQ(TextOf(store->Get("d/2")), "2");
}

TEST(LocalStore, ForeignStagingFilesAreHidden) {
  TemporaryDirectory directory;
  auto store = *OpenLocalStore(directory.path());
  ASSERT_OK(store->Put("v/1.manifest", "1"));
  std::ofstream(directory.path() + "/v/.tmp_2.manifest") << "x";
  EXPECT_THAT(SortedPaths(store->List("v")), ElementsAre("v/1.manifest"));
}

TEST(LocalStore, UnfinishedFilesAreListedApart) {
  TemporaryDirectory directory;
  auto store = *OpenLocalStore(directory.path());
  ASSERT_OK(store->Put("d/whole", "1"));
  const auto writer = *store->Create("d/open");
  const auto unfinished = store->ListUnfinished("d");
  ASSERT_OK(unfinished);
  ASSERT_EQ(unfinished->size(), 1u);
  ASSERT_OK(store->Delete(unfinished->front().path));
  EXPECT_TRUE(store->ListUnfinished("d")->empty());
  EXPECT_TRUE(store->ListUnfinished("none")->empty());
}

TEST(LocalStore, DeleteTreeDoesNotFollowLinks) {
  TemporaryDirectory directory;
  auto store = *OpenLocalStore(directory.path());
  ASSERT_OK(store->Put("outside/precious", "1"));
  ASSERT_OK(store->Put("t.lance/data/1", "1"));
  fs::create_directory_symlink(directory.path() + "/outside", directory.path() + "/t.lance/link");
  fs::create_directory_symlink(directory.path() + "/outside", directory.path() + "/link");
  ASSERT_OK(store->DeleteTree("t.lance"));
  ASSERT_OK(store->DeleteTree("link"));
  EXPECT_TRUE(*store->Exists("outside/precious"));
}

TEST(LocalStore, ErrorsNamePathAndKind) {
  TemporaryDirectory directory;
  auto store = *OpenLocalStore(directory.path());
  ASSERT_OK(store->Put("file", "1"));
  EXPECT_CODE(store->Put("file/below", "1"), kIo);
  EXPECT_CODE(OpenLocalStore(directory.path() + "/file"), kInvalidArgument);
  EXPECT_CODE(OpenLocalStore(directory.path() + "/file/x"), kInvalidArgument);
  EXPECT_THAT(store->Get("nothing/here").status().message(), HasSubstr("nothing/here"));
}

TEST(LocalStore, TruncatedWhileOpenIsCorruptionWithoutMapping) {
  TemporaryDirectory directory;
  LocalStoreOptions options;
  options.use_mmap = false;
  auto store = *OpenLocalStore(directory.path(), options);
  ASSERT_OK(store->Put("o", "0123456789"));
  auto object = *store->Open("o");
  fs::resize_file(directory.path() + "/o", 4);
  EXPECT_EQ(TextOf(object->Read(0, 4)), "0123");
  EXPECT_CODE(object->Read(0, 10), kCorruption);
}

TEST(MemoryStore, SharesByName) {
  const std::string name = Uuid::Random().ToString();
  auto one = *OpenMemoryStore(name);
  auto two = *OpenStore("memory://" + name);
  auto below = *OpenStore("memory://" + name + "/d");
  auto other = *OpenMemoryStore();
  ASSERT_OK(one->Put("d/x", "1"));
  EXPECT_EQ(TextOf(two->Get("d/x")), "1");
  EXPECT_EQ(TextOf(below->Get("x")), "1");
  EXPECT_CODE(other->Get("d/x"), kNotFound);
  EXPECT_NE(other->root(), (*OpenMemoryStore())->root());
}

TEST(OpenStore, ByUri) {
  TemporaryDirectory directory;
  EXPECT_EQ((*OpenStore(directory.path() + "/"))->root(), directory.path());
  EXPECT_EQ((*OpenStore("file://" + directory.path()))->root(), directory.path());
  EXPECT_EQ((*OpenStore("file://localhost" + directory.path()))->root(), directory.path());
  EXPECT_EQ((*OpenStore("file:///a%20b/%C3%A9"))->root(), "/a b/\xC3\xA9");
  EXPECT_EQ((*OpenStore("FILE:///x"))->root(), "/x");
  EXPECT_EQ((*OpenStore("/a%20b"))->root(), "/a%20b");
  EXPECT_EQ((*OpenStore("x/../y"))->root(), (fs::current_path() / "y").string());
  EXPECT_CODE(OpenStore(""), kInvalidArgument);
  EXPECT_CODE(OpenStore("file://host/x"), kInvalidArgument);
  EXPECT_CODE(OpenStore("file://"), kInvalidArgument);
  EXPECT_CODE(OpenStore("file:///a%2"), kInvalidArgument);
  EXPECT_CODE(OpenStore("file:///a%zz"), kInvalidArgument);
  EXPECT_CODE(OpenStore("file:///a%00b"), kInvalidArgument);
  EXPECT_CODE(OpenStore("s3://bucket/x"), kUnsupported);
  EXPECT_THAT(OpenStore("s3://bucket/x").status().message(), HasSubstr("'s3'"));
}

}  // namespace
}  // namespace glaive::io
