// What a session keeps, and that it is bounded by bytes.
#include "table/session.h"

#include <thread>

#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "file/file_writer.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

std::shared_ptr<const int> Number(int value) {
  return std::make_shared<const int>(value);
}

TEST(MetadataCache, DropsTheLeastRecentlyUsedBeyondItsBytes) {
  MetadataCache cache(100);
  cache.Put("a", Number(1), 40);
  cache.Put("b", Number(2), 40);
  ASSERT_NE(cache.Get<int>("a"), nullptr);
  cache.Put("c", Number(3), 40);
  EXPECT_EQ(cache.Get<int>("b"), nullptr);
  ASSERT_NE(cache.Get<int>("a"), nullptr);
  EXPECT_EQ(*cache.Get<int>("a"), 1);
  EXPECT_EQ(*cache.Get<int>("c"), 3);
  EXPECT_EQ(cache.bytes(), 80U);
}

TEST(MetadataCache, TheFirstToComeStays) {
  MetadataCache cache(100);
  const auto first = cache.Put("a", Number(1), 10);
  const auto second = cache.Put("a", Number(2), 20);
  EXPECT_EQ(first, second);
  EXPECT_EQ(*second, 1);
  EXPECT_EQ(cache.bytes(), 10U);
}

TEST(MetadataCache, AnEntryThatGrowsPushesOthersOut) {
  MetadataCache cache(100);
  cache.Put("a", Number(1), 10);
  cache.Put("b", Number(2), 10);
  cache.Resize("b", 75);
  EXPECT_EQ(cache.bytes(), 95U);
  cache.Resize("b", 10);
  EXPECT_EQ(cache.Get<int>("a"), nullptr);
  EXPECT_NE(cache.Get<int>("b"), nullptr);
  EXPECT_EQ(cache.bytes(), 95U);
  cache.Resize("b", -90);
  EXPECT_EQ(cache.bytes(), 5U);
  cache.Resize("b", -90);
  EXPECT_EQ(cache.bytes(), 0U);
  cache.Resize("gone", 50);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(MetadataCache, WhatIsLargerThanItAllIsNotKept) {
  MetadataCache cache(100);
  cache.Put("a", Number(1), 10);
  EXPECT_EQ(*cache.Put("huge", Number(2), 101), 2);
  EXPECT_EQ(cache.Get<int>("huge"), nullptr);
  EXPECT_NE(cache.Get<int>("a"), nullptr);
  cache.Put("b", Number(3), 10);
  cache.Resize("b", 1000);
  EXPECT_EQ(cache.Get<int>("b"), nullptr);
  EXPECT_NE(cache.Get<int>("a"), nullptr);
  MetadataCache none(0);
  EXPECT_EQ(*none.Put("a", Number(4), 1), 4);
  EXPECT_EQ(none.Get<int>("a"), nullptr);
}

class SessionFiles : public ::testing::Test {
 protected:
  static constexpr int kFiles = 40;

  std::shared_ptr<io::ObjectStore> store_ = Must(io::OpenMemoryStore());

  void SetUp() override {
    const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
    const auto lance = Must(file::Schema::FromArrow(*schema));
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < 20'000; ++i) {
      ASSERT_OK(builder.Append(i * 7919 % 100'003));
    }
    const auto batch = arrow::RecordBatch::Make(schema, 20'000, {*builder.Finish()});
    for (int i = 0; i < kFiles; ++i) {
      auto writer = Must(file::FileWriter::Open(Must(store_->Create(Name(i))), lance, {}));
      ASSERT_OK(writer->Write(*batch));
      ASSERT_OK(writer->Finish().status());
    }
  }

  static std::string Name(int i) { return "data/" + std::to_string(i) + ".lance"; }

  static void ReadAll(Session& session, io::ObjectStore& store, int i) {
    const auto file = Must(session.OpenFile(store, Name(i)));
    const auto projection = Must(file->IdentityProjection());
    const auto batch = Must(file->Read(projection, {{0, 20'000}}, {}));
    ASSERT_EQ(batch->num_rows(), 20'000);
  }
};

TEST_F(SessionFiles, StayWithinTheBytesWhileTheirIndicesLoad) {
  Session::Options options;
  options.num_threads = 1;
  options.metadata_cache_bytes = 1 << 20;
  Session session(options);
  auto& cache = *session.impl().cache;
  for (int i = 0; i < kFiles; ++i) {
    const auto file = Must(session.OpenFile(*store_, Name(i)));
    const uint64_t opened = file->memory_bytes();
    EXPECT_GE(opened, file->metadata_bytes());
    const uint64_t before = cache.bytes();
    ReadAll(session, *store_, i);
    EXPECT_GT(file->memory_bytes(), opened);
    if (before + (file->memory_bytes() - opened) <= options.metadata_cache_bytes) {
      EXPECT_EQ(cache.bytes() - before, file->memory_bytes() - opened);
    }
    EXPECT_LE(cache.bytes(), options.metadata_cache_bytes);
  }
  EXPECT_GT(cache.bytes(), options.metadata_cache_bytes / 2);
  // The last one is still there, the first one went.
  const auto last = Must(session.OpenFile(*store_, Name(kFiles - 1)));
  EXPECT_EQ(last, Must(session.OpenFile(*store_, Name(kFiles - 1))));
  const auto first = Must(session.OpenFile(*store_, Name(0)));
  ReadAll(session, *store_, 0);
  for (int i = 1; i < kFiles; ++i) {
    ReadAll(session, *store_, i);
  }
  EXPECT_NE(first, Must(session.OpenFile(*store_, Name(0))));
}

TEST_F(SessionFiles, WorkWithoutACacheAndAfterTheSession) {
  std::shared_ptr<const file::FileReader> kept;
  {
    Session::Options options;
    options.metadata_cache_bytes = 0;
    Session session(options);
    kept = Must(session.OpenFile(*store_, Name(0)));
    EXPECT_NE(kept, Must(session.OpenFile(*store_, Name(0))));
    EXPECT_EQ(session.impl().cache->bytes(), 0U);
  }
  const auto batch = Must(kept->Read(Must(kept->IdentityProjection()), {{5, 6}}, {}));
  EXPECT_EQ(batch->num_rows(), 1);
}

TEST_F(SessionFiles, ManyThreadsThatPushEachOthersFilesOut) {
  Session::Options options;
  options.num_threads = 1;
  options.metadata_cache_bytes = 128 << 10;
  Session session(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2 * kFiles; ++i) {
        ReadAll(session, *store_, (i * (t + 1)) % kFiles);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_LE(session.impl().cache->bytes(), options.metadata_cache_bytes);
}

}  // namespace
}  // namespace glaive::table
