// Verify finds what is wrong with tables whose files are all readable, and tells how far it is.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "base/status.h"
#include "db/database_impl.h"
#include "table/manifest.h"
#include "testing/rows.h"

namespace glaive {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using testing::Rows;
using testing::Stream;

/// A table of three fragments in memory whose manifest can be forged.
class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() : store_(Must(io::OpenMemoryStore())) {
    WriteOptions options;
    options.max_rows_per_file = 10;
    options.enable_stable_row_ids = true;
    EXPECT_TRUE(Open().CreateTable("t", Stream({Rows(0, 30)}), CreateMode::kCreate, options).ok());
  }

  Database Open() {
    return db::DatabaseImpl::Wrap(Must(db::DatabaseImpl::Make("test", store_, {})));
  }

  void Forge(const std::function<void(table::Manifest*)>& change) {
    const std::string path = Must(store_->List("t.lance/_versions")).front().path;
    const auto parsed = Must(table::ParseManifest(*Must(store_->Get(path)), path));
    table::Manifest manifest;
    *manifest.mutable_pb() = parsed->pb;
    manifest.indices = parsed->indices;
    manifest.transaction = parsed->transaction;
    change(&manifest);
    ASSERT_OK(
        store_->Put(path, Must(table::SerializeManifest(manifest.mutable_pb(), manifest.indices,
                                                        &*manifest.transaction))));
  }

  std::vector<arrow::Status> Defects() {
    return Must(Must(Open().OpenTable("t")).Verify({}, {})).defects;
  }

  std::shared_ptr<io::ObjectStore> store_;
};

TEST_F(VerifyTest, TellsHowFarItIs) {
  std::vector<uint64_t> rows;
  const auto report = Must(Must(Open().OpenTable("t"))
                               .Verify(
                                   [&](const Progress& progress) {
                                     EXPECT_EQ(progress.phase, "verify");
                                     EXPECT_EQ(progress.rows_total, 30u);
                                     rows.push_back(progress.rows_done);
                                   },
                                   {}));
  EXPECT_THAT(rows, ::testing::ElementsAre(10, 20, 30));
  EXPECT_THAT(report.defects, IsEmpty());
  EXPECT_EQ(report.num_files, 3u);
}

TEST_F(VerifyTest, StopsInTheMiddle) {
  CancelToken stop;
  int calls = 0;
  const auto report = Must(Open().OpenTable("t"))
                          .Verify(
                              [&](const Progress&) {
                                ++calls;
                                stop.RequestStop();
                              },
                              stop);
  EXPECT_CODE(report, kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(VerifyTest, RowIdsThatOccurTwice) {
  Forge([](table::Manifest* manifest) {
    auto* fragments = manifest->mutable_pb()->mutable_fragments();
    fragments->Mutable(2)->set_inline_row_ids(fragments->at(0).inline_row_ids());
  });
  const auto defects = Defects();
  ASSERT_EQ(defects.size(), 1u);
  EXPECT_CODE(defects.front(), kCorruption);
  EXPECT_THAT(defects.front().message(), HasSubstr("row 0 of fragment 2 has the row id 0"));
}

TEST_F(VerifyTest, IndicesWithoutTheirFiles) {
  const std::string uuid(16, '\x11');
  const std::string directory = "t.lance/_indices/11111111-1111-1111-1111-111111111111/";
  const auto add = [&](const std::string& file, uint64_t size) {
    Forge([&](table::Manifest* manifest) {
      manifest->indices.clear();
      auto& index = manifest->indices.emplace_back();
      index.mutable_uuid()->set_uuid(uuid);
      index.set_name("by_id");
      index.add_fields(0);
      if (!file.empty()) {
        auto* named = index.add_files();
        named->set_path(file);
        named->set_size_bytes(size);
      }
    });
  };
  add("", 0);
  auto defects = Defects();
  ASSERT_EQ(defects.size(), 1u);
  EXPECT_THAT(defects.front().message(), HasSubstr("by_id"));
  ASSERT_OK(store_->Put(directory + "index.idx", "12345"));
  EXPECT_THAT(Defects(), IsEmpty());
  add("index.idx", 5);
  EXPECT_THAT(Defects(), IsEmpty());
  add("index.idx", 6);
  EXPECT_EQ(Defects().size(), 1u);
  add("other.idx", 5);
  defects = Defects();
  ASSERT_EQ(defects.size(), 1u);
  EXPECT_CODE(defects.front(), kNotFound);
  EXPECT_THAT(defects.front().message(), HasSubstr("other.idx"));
  add("../../data/x", 5);
  defects = Defects();
  ASSERT_EQ(defects.size(), 1u);
  EXPECT_CODE(defects.front(), kCorruption);
}

}  // namespace
}  // namespace glaive
