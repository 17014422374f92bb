#include "glaive/reader_c.h"

#include <algorithm>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "glaive/reader.h"

#include "base/status.h"

struct glaive_dataset {
  glaive::DatasetReader reader;
};

namespace {

thread_local std::string last_error;  // NOLINT: the C interface promises one per thread

int Report(const arrow::Status& status) {
  if (status.ok()) {
    return 0;
  }
  last_error = status.message();
  return static_cast<int>(glaive::ErrorCodeOf(status));
}

arrow::Status Open(const char* path, uint64_t version, glaive_dataset** out) {
  GLAIVE_CHECK_ARGUMENT(path != nullptr && out != nullptr, "path or out is null");
  *out = nullptr;
  ARROW_ASSIGN_OR_RAISE(
      auto reader,
      glaive::DatasetReader::Open(path, version == 0 ? std::nullopt : std::optional(version)));
  *out = new glaive_dataset{std::move(reader)};
  return arrow::Status::OK();
}

arrow::Status Versions(const char* path, uint64_t* versions, size_t capacity, size_t* count) {
  GLAIVE_CHECK_ARGUMENT(
      path != nullptr && count != nullptr && (versions != nullptr || capacity == 0),
      "path, count or versions is null");
  ARROW_ASSIGN_OR_RAISE(const auto found, glaive::DatasetReader::ListVersions(path));
  *count = found.size();
  std::copy_n(found.begin(), std::min(capacity, found.size()), versions);
  return arrow::Status::OK();
}

arrow::Status Read(const glaive_dataset* dataset, const char* const* columns, size_t num_columns,
                   uint64_t offset, uint64_t limit, struct ArrowArrayStream* out) {
  GLAIVE_CHECK_ARGUMENT(
      dataset != nullptr && out != nullptr && (columns != nullptr || num_columns == 0),
      "dataset, columns or out is null");
  std::vector<std::string> paths;
  for (size_t i = 0; i < num_columns; ++i) {
    GLAIVE_CHECK_ARGUMENT(columns[i] != nullptr, "column ", i, " is null");
    paths.emplace_back(columns[i]);
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, dataset->reader.Read(paths, offset, limit));
  return arrow::ExportRecordBatchReader(std::move(reader), out);
}

}  // namespace

int glaive_dataset_open(const char* path, uint64_t version, glaive_dataset** out) {
  return Report(Open(path, version, out));
}

void glaive_dataset_close(glaive_dataset* dataset) {
  delete dataset;
}

int glaive_dataset_versions(const char* path, uint64_t* versions, size_t capacity, size_t* count) {
  return Report(Versions(path, versions, capacity, count));
}

uint64_t glaive_dataset_version(const glaive_dataset* dataset) {
  return dataset == nullptr ? 0 : dataset->reader.version();
}

int glaive_dataset_schema(const glaive_dataset* dataset, struct ArrowSchema* out) {
  if (dataset == nullptr || out == nullptr) {
    return Report(glaive::InvalidArgument("dataset or out is null"));
  }
  return Report(arrow::ExportSchema(*dataset->reader.schema(), out));
}

int glaive_dataset_count_rows(const glaive_dataset* dataset, uint64_t* out) {
  if (dataset == nullptr || out == nullptr) {
    return Report(glaive::InvalidArgument("dataset or out is null"));
  }
  const auto rows = dataset->reader.CountRows();
  if (rows.ok()) {
    *out = *rows;
  }
  return Report(rows.status());
}

int glaive_dataset_read(const glaive_dataset* dataset, const char* const* columns,
                        size_t num_columns, uint64_t offset, uint64_t limit,
                        struct ArrowArrayStream* out) {
  return Report(Read(dataset, columns, num_columns, offset, limit, out));
}

const char* glaive_last_error(void) {
  return last_error.c_str();
}
