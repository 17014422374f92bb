#include "write/row_batches.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "write/merge_source.h"

namespace glaive::write {

namespace {

class SelectedColumns final : public arrow::RecordBatchReader {
 public:
  SelectedColumns(std::shared_ptr<arrow::RecordBatchReader> stream, std::vector<int> columns,
                  std::shared_ptr<arrow::Schema> schema)
      : stream_(std::move(stream)), columns_(std::move(columns)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(stream_->ReadNext(batch));
    if (*batch != nullptr) {
      ARROW_ASSIGN_OR_RAISE(*batch, (*batch)->SelectColumns(columns_));
    }
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> stream_;
  const std::vector<int> columns_;
  const std::shared_ptr<arrow::Schema> schema_;
};

bool EqualRows(const arrow::RecordBatch& a, int64_t row_a, const arrow::RecordBatch& b,
               int64_t row_b) {
  for (int column = 0; column < a.num_columns(); ++column) {
    if (a.column(column)->IsNull(row_a) ||
        !a.column(column)->RangeEquals(row_a, row_a + 1, row_b, b.column(column))) {
      return false;
    }
  }
  return true;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ColumnsOf(
    std::shared_ptr<arrow::RecordBatchReader> stream, const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (const int column : columns) {
    fields.push_back(stream->schema()->field(column));
  }
  return std::make_shared<SelectedColumns>(std::move(stream), columns,
                                           arrow::schema(std::move(fields)));
}

arrow::Status CheckNoRepeats(arrow::RecordBatchReader& sorted, const std::vector<std::string>& key,
                             std::string_view what) {
  std::shared_ptr<arrow::RecordBatch> last;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(sorted.ReadNext(&batch));
    if (batch == nullptr) {
      return arrow::Status::OK();
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const bool first = row == 0;
      if (first && last == nullptr) {
        continue;
      }
      const auto& before = first ? *last : *batch;
      const int64_t place = first ? last->num_rows() - 1 : row - 1;
      GLAIVE_CHECK_ARGUMENT(!EqualRows(*batch, row, before, place), what, KeyText(*batch, key, row),
                            "; keep one of them");
    }
    if (batch->num_rows() > 0) {
      last = std::move(batch);
    }
  }
}

}  // namespace glaive::write
