// The quick start of the README as a whole program: makes a table, appends to it, searches it and reads an
// older version.   quickstart [DATABASE]
#include <iostream>

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "glaive/glaive.h"

namespace {

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Notes(const std::string& json) {
  const auto vector = arrow::fixed_size_list(arrow::float32(), 3);
  const auto type = arrow::struct_({arrow::field("text", arrow::utf8()), arrow::field("vector", vector)});
  ARROW_ASSIGN_OR_RAISE(auto rows, arrow::json::ArrayFromJSONString(type, json));
  ARROW_ASSIGN_OR_RAISE(auto batch, arrow::RecordBatch::FromStructArray(rows));
  return arrow::RecordBatchReader::Make({batch}, batch->schema());
}

arrow::Status Run(const std::string& uri) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(uri, {}));
  ARROW_ASSIGN_OR_RAISE(auto batches, Notes(R"([{"text": "a red apple", "vector": [1, 0, 0]},
                                                {"text": "a green leaf", "vector": [0, 1, 0]}])"));
  ARROW_ASSIGN_OR_RAISE(auto table,
                        database.CreateTable("notes", batches, glaive::CreateMode::kOverwrite, {}));
  ARROW_ASSIGN_OR_RAISE(const uint64_t first, table.Version());

  ARROW_ASSIGN_OR_RAISE(auto more, Notes(R"([{"text": "the blue sea", "vector": [0, 0.1, 1]}])"));
  ARROW_ASSIGN_OR_RAISE(const auto added, table.Add(more, {}));
  std::cout << "version " << added.version << " has " << added.num_rows << " row more\n";

  glaive::VectorQuery query;
  ARROW_ASSIGN_OR_RAISE(query.vectors, arrow::json::ArrayFromJSONString(arrow::float32(), "[0, 0.2, 0.9]"));
  query.columns = {"text"};
  query.k = 2;
  ARROW_ASSIGN_OR_RAISE(auto nearest, table.Search(query));
  std::cout << nearest->ToString() << "\n";

  ARROW_RETURN_NOT_OK(table.Checkout(first));
  ARROW_ASSIGN_OR_RAISE(const uint64_t rows, table.CountRows());
  std::cout << "version " << first << " had " << rows << " rows\n";
  return arrow::Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  const auto status = Run(argc > 1 ? argv[1] : "./quickstart-db");
  if (!status.ok()) {
    std::cerr << glaive::ErrorCodeName(glaive::ErrorCodeOf(status)) << ": " << status.message() << "\n";
  }
  return status.ok() ? 0 : 1;
}
