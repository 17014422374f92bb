// Every change of a table, killed or failed at every step: it is there whole, or not at all.
#include <functional>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "db/database_impl.h"
#include "testing/fault_store.h"
#include "testing/rows.h"

namespace glaive {
namespace {

using testing::FaultKind;
using ::testing::IsEmpty;
using testing::Rows;
using testing::Stream;

struct Operation {
  const char* name;
  std::function<arrow::Status(Table&)> run;
};

std::shared_ptr<arrow::RecordBatchReader> Merged() {
  return Stream({Rows(5, 10)});
}

std::vector<Operation> Operations() {
  return {
      {"Delete", [](Table& table) { return table.Delete("id < 4", {}).status(); }},
      {"Update",
       [](Table& table) {
         UpdateRequest request;
         request.where = "id % 2 = 0";
         request.set = {{"text", "concat('new ', id)"}};
         return table.Update(request).status();
       }},
      {"Upsert", [](Table& table) { return table.Upsert(Merged(), {"id"}, {}).status(); }},
      {"Replace",
       [](Table& table) {
         MergeRequest request;
         request.on = {"id"};
         request.update_matched = true;
         request.insert_unmatched = true;
         request.delete_unmatched_by_source = true;
         return table.Merge(request, Merged()).status();
       }},
      {"AddColumns",
       [](Table& table) {
         return table.AddColumns({{"twice", "id * 2"}}, {}).status();
       }},
      {"AlterType",
       [](Table& table) {
         ColumnAlteration alteration;
         alteration.path = "id";
         alteration.type = arrow::int32();
         return table.AlterColumns({alteration}).status();
       }},
      {"DropColumn", [](Table& table) { return table.DropColumns({"vector"}).status(); }},
      {"Overwrite",
       [](Table& table) { return table.Overwrite(Stream({Rows(50, 3)}), {}).status(); }},
      {"SetPrimaryKey", [](Table& table) { return table.SetPrimaryKey({"id"}, true).status(); }},
  };
}

Database OpenOn(std::shared_ptr<io::ObjectStore> store) {
  DatabaseOptions options;
  options.num_threads = 1;
  return db::DatabaseImpl::Wrap(*db::DatabaseImpl::Make("test", std::move(store), options));
}

std::shared_ptr<io::ObjectStore> Before() {
  auto store = *io::OpenMemoryStore();
  WriteOptions write;
  write.max_rows_per_file = 5;
  Database database = OpenOn(store);
  EXPECT_TRUE(database.CreateTable("t", Stream({Rows(0, 12)}), CreateMode::kCreate, write).ok());
  return store;
}

std::shared_ptr<arrow::RecordBatch> Content(const Table& table) {
  ScanOptions scan;
  scan.order_by = {{"id"}};
  auto content = testing::Drain(table.Scan(scan));
  EXPECT_TRUE(content.ok()) << content.status().ToString();
  return content.ok() ? *content : nullptr;
}

class ChangeFaultTest : public ::testing::TestWithParam<std::tuple<size_t, FaultKind>> {};

TEST_P(ChangeFaultTest, AllOrNothingAtEveryStep) {
  const Operation operation = Operations()[std::get<0>(GetParam())];
  const FaultKind kind = std::get<1>(GetParam());
  const auto before = Content(*OpenOn(Before()).OpenTable("t"));
  std::shared_ptr<arrow::RecordBatch> after;
  {
    Database database = OpenOn(Before());
    Table table = *database.OpenTable("t");
    ASSERT_OK(operation.run(table));
    after = Content(table);
  }
  for (uint64_t step = 0;; ++step) {
    ASSERT_LT(step, 200u);
    const auto inner = Before();
    auto counter = std::make_shared<std::atomic<uint64_t>>(0);
    arrow::Status changed;
    {
      Database database = OpenOn(testing::WrapWithFaults(inner, counter, {kind, step}));
      auto table = database.OpenTable("t");
      ASSERT_TRUE(table.ok());
      changed = operation.run(*table);
    }
    Database database = OpenOn(inner);
    Table table = *database.OpenTable("t");
    const auto content = Content(table);
    ASSERT_NE(content, nullptr);
    const bool none = content->Equals(*before);
    const bool all = content->Equals(*after);
    EXPECT_TRUE(none || all) << "step " << step << ": " << content->ToString();
    if (changed.ok()) {
      EXPECT_TRUE(all) << "step " << step;
    } else if (kind == FaultKind::kError || kind == FaultKind::kFull) {
      EXPECT_TRUE(none) << "step " << step << ": " << changed.ToString();
    }
    EXPECT_THAT((*table.Verify({}, {})).defects, IsEmpty()) << "step " << step;
    EXPECT_TRUE(operation.run(table).ok() || all) << "it must still be possible";
    if (*counter <= step) {
      return;
    }
  }
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<size_t, FaultKind>>& info) {
  const std::vector<std::string> kinds = {"None", "Error", "Crash", "Ambiguous", "Torn", "Full"};
  return Operations()[std::get<0>(info.param)].name +
         kinds[static_cast<size_t>(std::get<1>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(Faults, ChangeFaultTest,
                         ::testing::Combine(::testing::Range<size_t>(0, Operations().size()),
                                            ::testing::Values(FaultKind::kError, FaultKind::kCrash,
                                                              FaultKind::kAmbiguous,
                                                              FaultKind::kTorn, FaultKind::kFull)),
                         NameOf);

}  // namespace
}  // namespace glaive
