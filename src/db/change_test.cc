// Delete, update, merge, upsert and schema evolution through the public API.
#include <algorithm>
#include <atomic>
#include <map>
#include <sys/wait.h>
#include <thread>

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "glaive/database.h"

#include "testing/rows.h"

namespace glaive {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using testing::ScratchDirectory;

std::shared_ptr<arrow::RecordBatch> Batch(const std::shared_ptr<arrow::Schema>& schema,
                                          const std::string& json) {
  const auto array = Must(arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json));
  return arrow::RecordBatch::Make(schema, array->length(),
                                  static_cast<const arrow::StructArray&>(*array).fields());
}

std::shared_ptr<arrow::RecordBatchReader> Reader(const std::shared_ptr<arrow::Schema>& schema,
                                                 const std::string& json) {
  return Must(arrow::RecordBatchReader::Make({Batch(schema, json)}, schema));
}

std::shared_ptr<arrow::Schema> People() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("name", arrow::utf8()), arrow::field("n", arrow::int32())});
}

constexpr char kPeople[] =
    R"([{"id": 1, "name": "Ada", "n": 10}, {"id": 2, "name": null, "n": 20},
        {"id": 3, "name": "Cy", "n": null}, {"id": 4, "name": "Dee", "n": 40}])";

/// Rows as "id:name:n", sorted by id.
std::vector<std::string> RowsOf(const Table& table) {
  ScanOptions scan;
  scan.order_by = {{"id"}};
  const auto batch = Must(Drain(table.Scan(scan)));
  std::vector<std::string> rows;
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    std::string text;
    for (const auto& column : batch->columns()) {
      text += (text.empty() ? "" : ":") + Must(column->GetScalar(row))->ToString();
    }
    rows.push_back(text);
  }
  return rows;
}

class ChangeTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.sync = SyncMode::kNone;
    options.enable_stable_row_ids = GetParam();
    options.num_threads = 2;
    database_.emplace(Must(Database::Open(directory_.path().string(), options)));
  }

  /// Two fragments of two rows.
  Table Create() {
    WriteOptions write;
    write.max_rows_per_file = 2;
    return Must(database_->CreateTable("t", Reader(People(), kPeople), CreateMode::kCreate, write));
  }

  std::vector<uint64_t> RowIds(const Table& table, const std::string& filter) {
    ScanOptions scan;
    scan.columns = {"_rowid"};
    scan.filter = filter;
    const auto batch = Must(Drain(table.Scan(scan)));
    const auto& ids = static_cast<const arrow::UInt64Array&>(*batch->column(0));
    return {ids.raw_values(), ids.raw_values() + ids.length()};
  }

  ScratchDirectory directory_;
  std::optional<Database> database_;
};

std::string KindOfIds(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "Stable" : "Addresses";
}

INSTANTIATE_TEST_SUITE_P(RowIds, ChangeTest, ::testing::Bool(), KindOfIds);

TEST_P(ChangeTest, DeleteByCondition) {
  Table table = Create();
  const auto deleted = Must(table.Delete("n >= 20 OR name = 'Ada'", {}));
  EXPECT_EQ(deleted.num_deleted_rows, 3);
  EXPECT_EQ(deleted.version, 2);
  EXPECT_THAT(RowsOf(table), ElementsAre("3:Cy:null"));
  EXPECT_EQ(Must(table.Delete("id = 77", {})).version, 2);
  DeleteOptions options;
  options.parameters.named.emplace("who", "Cy");
  EXPECT_EQ(Must(table.Delete("name = :who", options)).num_deleted_rows, 1);
  EXPECT_THAT(RowsOf(table), IsEmpty());
}

TEST_P(ChangeTest, DeleteAllAndErrors) {
  Table table = Create();
  EXPECT_CODE(table.Delete("", {}), kInvalidArgument);
  EXPECT_CODE(table.Delete("nmae = 'x'", {}), kInvalidArgument);
  EXPECT_CODE(table.Delete("id = 1; DROP TABLE t", {}), kInvalidArgument);
  EXPECT_CODE(table.Delete("id + 1", {}), kTypeMismatch);
  EXPECT_EQ(Must(table.Version()), 1);
  EXPECT_EQ(Must(table.Delete("true", {})).num_deleted_rows, 4);
  EXPECT_EQ(Must(table.CountRows()), 0);
}

TEST_P(ChangeTest, UpdateSeesTheOldRow) {
  Table table = Create();
  const auto before = RowIds(table, "id = 1");
  UpdateRequest request;
  request.where = "id IN (1, 3)";
  request.set = {{"n", "coalesce(n, 0) + id"}, {"name", "concat(name, '-', n)"}};
  const auto updated = Must(table.Update(request));
  EXPECT_EQ(updated.num_updated_rows, 2);
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada-10:11", "2:null:20", "3:Cy-:3", "4:Dee:40"));
  if (GetParam()) {
    EXPECT_EQ(RowIds(table, "id = 1"), before);
  }
  EXPECT_EQ(Must(table.CountRows()), 4);
}

TEST_P(ChangeTest, UpdateAllRowsAndNone) {
  Table table = Create();
  UpdateRequest request;
  request.set = {{"name", "upper(name)"}};
  EXPECT_EQ(Must(table.Update(request)).num_updated_rows, 4);
  request.where = "id > 100";
  const uint64_t version = Must(table.Version());
  EXPECT_EQ(Must(table.Update(request)).version, version);
  EXPECT_THAT(RowsOf(table), ElementsAre("1:ADA:10", "2:null:20", "3:CY:null", "4:DEE:40"));
}

TEST_P(ChangeTest, BadUpdatesChangeNothing) {
  Table table = Create();
  const auto files = directory_.Listing();
  const auto refuse = [&](std::vector<std::pair<std::string, Clause>> set, ErrorCode code,
                          const std::string& text) {
    UpdateRequest request;
    request.set = std::move(set);
    const auto result = table.Update(request);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(ErrorCodeOf(result.status()), code) << result.status().ToString();
    EXPECT_THAT(result.status().message(), HasSubstr(text));
  };
  refuse({}, ErrorCode::kInvalidArgument, "at least one column");
  refuse({{"nn", "1"}}, ErrorCode::kNotFound, "nn");
  refuse({{"n", "'text'"}}, ErrorCode::kInvalidArgument, "column 'n'");
  refuse({{"n", "1"}, {"n", "2"}}, ErrorCode::kInvalidArgument, "twice");
  refuse({{"id", "NULL"}}, ErrorCode::kInvalidArgument, "id");
  refuse({{"n", "id * 3000000000"}}, ErrorCode::kInvalidArgument, "column 'n'");
  EXPECT_EQ(directory_.Listing(), files);
  EXPECT_EQ(Must(table.Version()), 1);
}

TEST_P(ChangeTest, NestedMembersAndVectors) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), false),
                     arrow::field("s", arrow::struct_({arrow::field("a", arrow::int32()),
                                                       arrow::field("b", arrow::utf8())})),
                     arrow::field("v", arrow::fixed_size_list(arrow::float32(), 2))});
  Table table = Must(database_->CreateTable(
      "nested", Reader(schema, R"([{"id": 1, "s": {"a": 1, "b": "x"}, "v": [1, 2]},
                         {"id": 2, "s": null, "v": null}])"),
      CreateMode::kCreate, {}));
  UpdateRequest request;
  request.set = {{"s.a", "s.a + 1"}, {"v", "[0.5, 0.25]"}};
  ASSERT_OK(table.Update(request));
  EXPECT_THAT(
      RowsOf(table),
      ElementsAre("1:{a:int32 = 2, b:string = x}:fixed_size_list<item: float>[2][0.5, 0.25]",
                  "2:null:fixed_size_list<item: float>[2][0.5, 0.25]"));
  request.set = {{"v", "[0.5]"}};
  EXPECT_FALSE(table.Update(request).ok());
}

MergeRequest On(const std::string& key) {
  MergeRequest request;
  request.on = {key};
  return request;
}

TEST_P(ChangeTest, UpsertUpdatesAndInserts) {
  Table table = Create();
  const auto before = RowIds(table, "id = 2");
  const auto merged = Must(table.Upsert(
      Reader(People(), R"([{"id": 2, "name": "Bo", "n": 21}, {"id": 9, "name": "New", "n": 9}])"),
      {"id"}, {}));
  EXPECT_EQ(merged.num_updated_rows, 1);
  EXPECT_EQ(merged.num_inserted_rows, 1);
  EXPECT_EQ(merged.num_deleted_rows, 0);
  EXPECT_EQ(merged.num_attempts, 1);
  EXPECT_THAT(RowsOf(table),
              ElementsAre("1:Ada:10", "2:Bo:21", "3:Cy:null", "4:Dee:40", "9:New:9"));
  if (GetParam()) {
    EXPECT_EQ(RowIds(table, "id = 2"), before);
  }
}

TEST_P(ChangeTest, MergeTakesSomeColumnsOnly) {
  Table table = Create();
  const auto part =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("id", arrow::int64(), false)});
  auto request = On("id");
  request.update_matched = true;
  request.insert_unmatched = true;
  ASSERT_OK(table.Merge(request, Reader(part, R"([{"n": 5, "id": 1}, {"n": 6, "id": 8}])")));
  EXPECT_THAT(RowsOf(table),
              ElementsAre("1:Ada:5", "2:null:20", "3:Cy:null", "4:Dee:40", "8:null:6"));
}

TEST_P(ChangeTest, MergeWithConditionsAndSet) {
  Table table = Create();
  auto request = On("id");
  request.update_matched = true;
  request.update_condition = "source.n > target.n";
  request.set = {{"n", "target.n + source.n"}};
  request.delete_unmatched_by_source = true;
  request.delete_condition = "target.n = 20";
  const auto merged = Must(table.Merge(
      request, Reader(People(), R"([{"id": 1, "name": "x", "n": 11}, {"id": 4, "name": "y", "n": 1},
                                    {"id": 7, "name": "z", "n": 7}])")));
  EXPECT_EQ(merged.num_updated_rows, 1);
  EXPECT_EQ(merged.num_deleted_rows, 1);
  EXPECT_EQ(merged.num_inserted_rows, 0);
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada:21", "3:Cy:null", "4:Dee:40"));
}

TEST_P(ChangeTest, MergeDeletesWhatTheSourceLacks) {
  Table table = Create();
  auto request = On("id");
  request.insert_unmatched = true;
  request.delete_unmatched_by_source = true;
  ASSERT_OK(table.Merge(request, Reader(People(), R"([{"id": 4, "name": "q", "n": 0},
                                                      {"id": 5, "name": "E", "n": 5}])")));
  EXPECT_THAT(RowsOf(table), ElementsAre("4:Dee:40", "5:E:5"));
}

TEST_P(ChangeTest, MergeRefusesDuplicatesAndNonsense) {
  Table table = Create();
  auto request = On("id");
  const auto twice = R"([{"id": 1, "name": "a", "n": 1}, {"id": 1, "name": "b", "n": 2}])";
  EXPECT_CODE(table.Merge(request, Reader(People(), twice)), kInvalidArgument);
  request.update_matched = true;
  const auto ambiguous = table.Merge(request, Reader(People(), twice));
  EXPECT_THAT(ambiguous.status().message(), HasSubstr("id = 1"));
  request.update_matched = false;
  request.insert_unmatched = true;
  ASSERT_OK(table.Merge(request, Reader(People(), twice)));  // both match, nothing is inserted
  const auto fresh = R"([{"id": 11, "name": "a", "n": 1}, {"id": 11, "name": "b", "n": 2}])";
  EXPECT_CODE(table.Merge(request, Reader(People(), fresh)), kInvalidArgument);
  EXPECT_CODE(table.Merge(On("idd"), Reader(People(), fresh)), kNotFound);
  EXPECT_CODE(table.Merge({}, Reader(People(), fresh)), kInvalidArgument);
  const auto keyless = arrow::schema({arrow::field("n", arrow::int32())});
  EXPECT_CODE(table.Merge(request, Reader(keyless, R"([{"n": 1}])")), kInvalidArgument);
  const auto extra = arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("zz", arrow::int32())});
  EXPECT_CODE(table.Merge(request, Reader(extra, R"([{"id": 1, "zz": 1}])")), kInvalidArgument);
  EXPECT_EQ(Must(table.Version()), 1);
  EXPECT_EQ(Must(table.CountRows()), 4);
}

TEST_P(ChangeTest, NullKeysMatchNothing) {
  Table table = Create();
  auto request = On("name");
  request.update_matched = true;
  request.insert_unmatched = true;
  const auto merged = Must(table.Merge(
      request,
      Reader(People(), R"([{"id": 50, "name": null, "n": 1}, {"id": 51, "name": null, "n": 2},
                                    {"id": 3, "name": "Cy", "n": 3}])")));
  EXPECT_EQ(merged.num_inserted_rows, 2);
  EXPECT_EQ(merged.num_updated_rows, 1);
  EXPECT_EQ(Must(table.CountRows()), 6);
}

TEST_P(ChangeTest, MergeSpillsWhatDoesNotFit) {
  DatabaseOptions options;
  options.memory_limit_bytes = 4 << 20;
  options.sync = SyncMode::kNone;
  options.enable_stable_row_ids = GetParam();
  Database small = Must(Database::Open(directory_.path().string() + "/small", options));
  const auto rows = [](int64_t first, int64_t count) {
    return Must(arrow::RecordBatchReader::Make(
        {testing::Rows(first, count / 2), testing::Rows(first + count / 2, count - count / 2)},
        testing::TestSchema()));
  };
  Table table = Must(small.CreateTable("t", rows(0, 60'000), CreateMode::kCreate, {}));
  auto request = On("id");
  request.update_matched = true;
  request.insert_unmatched = true;
  const auto merged = Must(table.Merge(request, rows(30'000, 60'000)));
  EXPECT_EQ(merged.num_updated_rows, 30'000);
  EXPECT_EQ(merged.num_inserted_rows, 30'000);
  ScanOptions scan;
  scan.columns = {"id"};
  scan.order_by = {{"id"}};
  EXPECT_EQ(testing::IdsOf(Drain(table.Scan(scan))), testing::Sequence(0, 90'000));
  EXPECT_CODE(table.Merge(request, Must(arrow::RecordBatchReader::Make(
                                       {testing::Rows(0, 40'000), testing::Rows(39'999, 30'000)},
                                       testing::TestSchema()))),
              kInvalidArgument);
}

TEST_P(ChangeTest, ColumnsComeAndGo) {
  Table table = Create();
  ASSERT_OK(table.Delete("id = 2", {}));
  ASSERT_OK(table.AddColumns({{"twice", "n * 2"}, {"label", "concat('#', id)"}}, {}));
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada:10:20:#1", "3:Cy:null:null:#3", "4:Dee:40:80:#4"));
  ASSERT_OK(table.AddNullColumns(arrow::schema({arrow::field("later", arrow::float64())})));
  ColumnAlteration rename;
  rename.path = "label";
  rename.rename = "tag";
  ASSERT_OK(table.AlterColumns({rename}));
  ASSERT_OK(table.DropColumns({"n", "later"}));
  EXPECT_THAT(Must(table.Schema())->field_names(), ElementsAre("id", "name", "twice", "tag"));
  ASSERT_OK(table.Add(Batch(arrow::schema({arrow::field("id", arrow::int64(), false),
                                           arrow::field("tag", arrow::utf8())}),
                            R"([{"id": 6, "tag": "six"}])"),
                      {}));
  EXPECT_THAT(RowsOf(table),
              ElementsAre("1:Ada:20:#1", "3:Cy:null:#3", "4:Dee:80:#4", "6:null:null:six"));
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
  EXPECT_CODE(table.AddColumns({{"id", "1"}}, {}), kAlreadyExists);
  EXPECT_CODE(table.AddColumns({{"x", "nope + 1"}}, {}), kInvalidArgument);
  EXPECT_CODE(table.AddColumns({{"x", "NULL"}}, {}), kInvalidArgument);
  EXPECT_CODE(table.DropColumns({"id", "name", "twice", "tag"}), kInvalidArgument);
  EXPECT_CODE(table.DropColumns({"nope"}), kNotFound);
}

TEST_P(ChangeTest, TypesAndNullability) {
  Table table = Create();
  ASSERT_OK(table.Delete("id = 4", {}));
  ColumnAlteration wider;
  wider.path = "n";
  wider.type = arrow::int64();
  ASSERT_OK(table.AlterColumns({wider}));
  EXPECT_EQ(Must(table.Schema())->GetFieldByName("n")->type()->id(), arrow::Type::INT64);
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada:10", "2:null:20", "3:Cy:null"));
  ColumnAlteration required;
  required.path = "n";
  required.nullable = false;
  EXPECT_CODE(table.AlterColumns({required}), kInvalidArgument);
  ColumnAlteration text;
  text.path = "name";
  text.type = arrow::int32();
  EXPECT_CODE(table.AlterColumns({text}), kTypeMismatch);
  ColumnAlteration key;
  key.path = "id";
  key.type = arrow::int32();
  ASSERT_OK(table.AlterColumns({key}));  // not nullable, and a deleted row is among them
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada:10", "2:null:20", "3:Cy:null"));
  key.type = nullptr;
  key.nullable = true;
  ASSERT_OK(table.AlterColumns({key}));
  EXPECT_TRUE(Must(table.Schema())->GetFieldByName("id")->nullable());
  EXPECT_TRUE(Must(table.Verify({}, {})).defects.empty());
}

TEST_P(ChangeTest, ColumnsFromAStream) {
  Table table = Create();
  ASSERT_OK(table.Delete("id = 2", {}));
  const auto schema = arrow::schema({arrow::field("x", arrow::utf8())});
  EXPECT_CODE(table.AddColumnsFrom(Reader(schema, R"([{"x": "a"}])")), kInvalidArgument);
  EXPECT_CODE(
      table.AddColumnsFrom(Reader(schema, R"([{"x": "a"}, {"x": "b"}, {"x": "c"}, {"x": "d"}])")),
      kInvalidArgument);
  ASSERT_OK(table.AddColumnsFrom(Reader(schema, R"([{"x": "a"}, {"x": null}, {"x": "c"}])")));
  EXPECT_THAT(RowsOf(table), ElementsAre("1:Ada:10:a", "3:Cy:null:null", "4:Dee:40:c"));
}

TEST_P(ChangeTest, MetadataAndConfig) {
  Table table = Create();
  ASSERT_OK(table.UpdateFieldMetadata({{"name", {{{"unit", "person"}}, false}}}));
  ASSERT_OK(table.UpdateSchemaMetadata({{{"owner", "us"}}, false}));
  ASSERT_OK(table.UpdateConfig({{{"a", "1"}, {"b", "2"}}, false}));
  ASSERT_OK(table.UpdateConfig({{{"a", std::nullopt}}, false}));
  const auto schema = Must(table.Schema());
  EXPECT_EQ(*schema->GetFieldByName("name")->metadata()->Get("unit"), "person");
  EXPECT_EQ(*schema->metadata()->Get("owner"), "us");
  EXPECT_EQ(Must(table.Config()), (std::map<std::string, std::string>{{"b", "2"}}));
  EXPECT_CODE(table.UpdateConfig({}), kInvalidArgument);
  EXPECT_CODE(table.UpdateFieldMetadata({{"nope", {{{"a", "b"}}, false}}}), kNotFound);
}

TEST_P(ChangeTest, PrimaryKeys) {
  Table table = Create();
  EXPECT_CODE(table.SetPrimaryKey({"name"}, false), kInvalidArgument);  // nullable
  ASSERT_OK(table.Add(Batch(People(), R"([{"id": 4, "name": "dup", "n": 1}])"), {}));
  const auto duplicates = table.SetPrimaryKey({"id"}, false);
  EXPECT_THAT(duplicates.status().message(), HasSubstr("id = 4"));
  ASSERT_OK(table.Delete("name = 'dup'", {}));
  ASSERT_OK(table.SetPrimaryKey({"id"}, true));
  EXPECT_THAT(Must(table.PrimaryKey()), ElementsAre("id"));
  const auto refused = table.Add(Batch(People(), R"([{"id": 9, "name": "ok", "n": 1},
                                                     {"id": 3, "name": "no", "n": 1}])"),
                                 {});
  EXPECT_CODE(refused, kAlreadyExists);
  EXPECT_THAT(refused.status().message(), HasSubstr("id = 3"));
  ASSERT_OK(table.Add(Batch(People(), R"([{"id": 9, "name": "ok", "n": 1}])"), {}));
  ASSERT_OK(table.Upsert(Reader(People(), R"([{"id": 9, "name": "again", "n": 2}])"), {}, {}));
  EXPECT_EQ(Must(table.CountRows()), 5);
  EXPECT_CODE(table.DropColumns({"id"}), kInvalidArgument);
  EXPECT_CODE(table.SetPrimaryKey({"id"}, false), kInvalidArgument);
}

TEST_P(ChangeTest, NoUpdateIsLost) {
  Table table = Create();
  constexpr int kThreads = 6;
  constexpr int kRounds = 8;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Table own = Must(database_->OpenTable("t"));
      for (int round = 0; round < kRounds; ++round) {
        UpdateRequest request;
        request.where = "id = 1";
        request.set = {{"n", "n + 1"}};
        const auto updated = own.Update(request);
        if (!updated.ok()) {
          ++failures;
          ADD_FAILURE() << updated.status().ToString();
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(RowsOf(table)[0], "1:Ada:" + std::to_string(10 + kThreads * kRounds));
}

TEST_P(ChangeTest, UpsertsNeverDuplicateAKey) {
  Create();
  const auto write = [&](int writer) {
    DatabaseOptions options;
    options.sync = SyncMode::kNone;
    Database own = Must(Database::Open(directory_.path().string(), options));
    Table table = Must(own.OpenTable("t"));
    for (int round = 0; round < 4; ++round) {
      const std::string row = R"([{"id": )" + std::to_string(100 + round) + R"(, "name": "w)" +
                              std::to_string(writer) + R"(", "n": 1}])";
      const auto merged = table.Upsert(Reader(People(), row), {"id"}, {});
      if (!merged.ok()) {
        return 1;
      }
    }
    return 0;
  };
  std::vector<pid_t> children;
  for (int writer = 0; writer < 8; ++writer) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(write(writer));
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const Table table = Must(database_->OpenTable("t"));
  EXPECT_EQ(Must(table.CountRows()), 8);
  CountOptions count;
  count.filter = "id >= 100";
  EXPECT_EQ(Must(table.CountRows(count)), 4);
}

TEST_P(ChangeTest, DisjointDeletesAndUpdatesAllLand) {
  Table table = Must(database_->CreateTable("many", testing::Stream({testing::Rows(0, 400)}),
                                            CreateMode::kCreate, {}));
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([this, i] {
      Table own = Must(database_->OpenTable("many"));
      const std::string where = "id = " + std::to_string(i * 10);
      if (i % 2 == 0) {
        EXPECT_EQ(Must(own.Delete(where, {})).num_deleted_rows, 1);
        return;
      }
      UpdateRequest request;
      request.where = where;
      request.set = {{"text", "'changed'"}};
      EXPECT_EQ(Must(own.Update(request)).num_updated_rows, 1);
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(Must(table.CountRows()), 380);
  CountOptions count;
  count.filter = "text = 'changed'";
  EXPECT_EQ(Must(table.CountRows(count)), 20);
}

}  // namespace
}  // namespace glaive
