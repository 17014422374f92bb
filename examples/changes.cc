// Filters, changes and keys: a small list of tasks that several agents work on.   changes [DATABASE]
#include <iostream>

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "glaive/glaive.h"

namespace {

using glaive::Col;

std::shared_ptr<arrow::Schema> TaskSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("title", arrow::utf8()),
                        arrow::field("tries", arrow::int32()), arrow::field("due", arrow::date32())});
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Tasks(const std::string& json) {
  ARROW_ASSIGN_OR_RAISE(auto rows,
                        arrow::json::ArrayFromJSONString(arrow::struct_(TaskSchema()->fields()), json));
  const auto& columns = static_cast<const arrow::StructArray&>(*rows).fields();
  return arrow::RecordBatchReader::Make({arrow::RecordBatch::Make(TaskSchema(), rows->length(), columns)});
}

arrow::Status Show(const glaive::Table& table, const glaive::ScanOptions& scan) {
  ARROW_ASSIGN_OR_RAISE(auto reader, table.Scan(scan));
  ARROW_ASSIGN_OR_RAISE(auto rows, reader->ToTable());
  std::cout << rows->ToString() << "\n";
  return arrow::Status::OK();
}

arrow::Status Run(const std::string& uri) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(uri, {}));
  ARROW_ASSIGN_OR_RAISE(auto first, Tasks(R"([{"id": 1, "title": "Read the mail", "tries": 0, "due": 20000},
                                              {"id": 2, "title": "Pay O'Brien", "tries": 2, "due": null}])"));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable("tasks", first, glaive::CreateMode::kOverwrite, {}));
  ARROW_RETURN_NOT_OK(table.SetPrimaryKey({"id"}, /*enforced=*/true).status());

  // Rows are matched by the key: one is replaced, one is new.
  ARROW_ASSIGN_OR_RAISE(auto more, Tasks(R"([{"id": 2, "title": "Pay O'Brien", "tries": 3, "due": 20005},
                                             {"id": 3, "title": "Call back", "tries": 0, "due": 20001}])"));
  ARROW_ASSIGN_OR_RAISE(const auto merged, table.Upsert(more, {}, {}));
  std::cout << merged.num_updated_rows << " updated, " << merged.num_inserted_rows << " inserted\n";

  // Text and C++ make the same filters; values come as parameters or literals, never pasted into text.
  glaive::UpdateRequest retry;
  retry.where = Col("tries") < 3 && Col("due").IsNotNull();
  retry.set = {{"tries", "tries + 1"}, {"due", "due + interval '1 day'"}};
  ARROW_ASSIGN_OR_RAISE(const auto updated, table.Update(retry));
  std::cout << updated.num_updated_rows << " tried again\n";

  ARROW_RETURN_NOT_OK(
      table.AddColumns({{"urgent", "due < date '2024-10-10' AND tries < :limit"}}, {{}, {{"limit", 3}}}).status());

  glaive::ScanOptions scan;
  scan.filter = "title LIKE :pattern OR urgent";
  scan.parameters.named.emplace("pattern", "%O'Brien%");
  scan.select = {{"task", "concat(id, ': ', title)"}, {"due", "due"}, {"urgent", "urgent"}};
  scan.order_by = {{"due", /*ascending=*/false}};
  ARROW_ASSIGN_OR_RAISE(const std::string plan, table.Explain(scan));
  std::cout << plan;
  ARROW_RETURN_NOT_OK(Show(table, scan));

  ARROW_ASSIGN_OR_RAISE(const auto deleted, table.Delete(Col("id").In({1, 3}), {}));
  ARROW_ASSIGN_OR_RAISE(const auto optimized, table.Optimize({}));
  std::cout << deleted.num_deleted_rows << " deleted; version " << optimized.version << " has "
            << optimized.fragments_added << " new fragment(s)\n";

  ARROW_ASSIGN_OR_RAISE(auto again, Tasks(R"([{"id": 2, "title": "twice", "tries": 0, "due": null}])"));
  const auto refused = table.Add(again, {}).status();
  std::cout << glaive::ErrorCodeName(glaive::ErrorCodeOf(refused)) << ": " << refused.message() << "\n";
  return glaive::ErrorCodeOf(refused) == glaive::ErrorCode::kAlreadyExists
             ? arrow::Status::OK()
             : arrow::Status::UnknownError("the key should have refused the row");
}

}  // namespace

int main(int argc, char** argv) {
  const auto status = Run(argc > 1 ? argv[1] : "./changes-db");
  if (!status.ok()) {
    std::cerr << glaive::ErrorCodeName(glaive::ErrorCodeOf(status)) << ": " << status.message() << "\n";
  }
  return status.ok() ? 0 : 1;
}
