// Creates a table, reads it back, searches it: with nothing but the installed headers and library.
#include <cstdio>
#include <memory>

#include <arrow/api.h>

#include "glaive/glaive.h"

namespace {

arrow::Status Run(const char* directory) {
  auto ids = std::make_shared<arrow::Int64Builder>();
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder vectors(arrow::default_memory_pool(), values, 2);
  for (int i = 0; i < 100; ++i) {
    ARROW_RETURN_NOT_OK(ids->Append(i));
    ARROW_RETURN_NOT_OK(vectors.Append());
    ARROW_RETURN_NOT_OK(values->Append(static_cast<float>(i)));
    ARROW_RETURN_NOT_OK(values->Append(1.0F));
  }
  ARROW_ASSIGN_OR_RAISE(auto id_array, ids->Finish());
  ARROW_ASSIGN_OR_RAISE(auto vector_array, vectors.Finish());
  auto schema = arrow::schema(
      {arrow::field("id", arrow::int64()), arrow::field("vector", vector_array->type())});
  auto batch = arrow::RecordBatch::Make(schema, 100, {id_array, vector_array});

  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(directory, {}));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable("t", reader, glaive::CreateMode::kCreate, {}));
  ARROW_ASSIGN_OR_RAISE(auto rows, table.CountRows());
  glaive::VectorQuery query;
  query.k = 1;
  arrow::FloatBuilder point;
  ARROW_RETURN_NOT_OK(point.AppendValues({41.9F, 1.0F}));
  ARROW_ASSIGN_OR_RAISE(query.vectors, point.Finish());
  ARROW_ASSIGN_OR_RAISE(auto found, table.Search(query));
  const auto& best = static_cast<const arrow::Int64Array&>(*found->GetColumnByName("id"));
  std::printf("rows %d best %d\n", static_cast<int>(rows), static_cast<int>(best.Value(0)));
  return arrow::Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  const arrow::Status status = Run(argc > 1 ? argv[1] : "db");
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
