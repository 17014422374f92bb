#include "query/compute.h"

#include <vector>

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include "query/gather.h"

namespace glaive::query {

namespace {

arrow::Status Initialize() {
  static const arrow::Status initialized = arrow::compute::Initialize();
  return initialized;
}

/// Our threads are the executor's, not Arrow's.
arrow::compute::ExecContext Context(arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool != nullptr ? pool : arrow::default_memory_pool());
  context.set_use_threads(false);
  return context;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Array>& indices,
    arrow::MemoryPool* pool) {
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) {
    ARROW_ASSIGN_OR_RAISE(auto taken, TakeValues(column, indices, pool));
    columns.push_back(std::move(taken));
  }
  return arrow::RecordBatch::Make(batch->schema(), indices->length(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeValues(
    const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& indices,
    arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(Initialize());
  auto context = Context(pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum taken,
      arrow::compute::Take(arrow::Datum(values), arrow::Datum(indices),
                           arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return taken.make_array();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FilterRows(
    const std::shared_ptr<arrow::RecordBatch>& batch,
    const std::shared_ptr<arrow::BooleanArray>& mask, arrow::MemoryPool* pool) {
  const int64_t rows = mask->true_count();
  if (rows == batch->num_rows()) {
    return batch;
  }
  const auto places = RowsOf(*mask);
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) {
    ARROW_ASSIGN_OR_RAISE(auto kept, Gather(column, places, pool));
    columns.push_back(std::move(kept));
  }
  return arrow::RecordBatch::Make(batch->schema(), rows, std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> JoinBatches(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, arrow::MemoryPool* pool) {
  if (batches.size() == 1) {
    return batches.front();
  }
  return arrow::ConcatenateRecordBatches(batches,
                                         pool != nullptr ? pool : arrow::default_memory_pool());
}

uint64_t BatchBytes(const arrow::RecordBatch& batch) {
  const auto referenced = arrow::util::ReferencedBufferSize(batch);
  const int64_t bytes = referenced.ok() ? *referenced : arrow::util::TotalBufferSize(batch);
  return static_cast<uint64_t>(bytes);
}

}  // namespace glaive::query
