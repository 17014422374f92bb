// Arrow's compute functions, registered once. Private to the room.
#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::query {

/// Rows of the batch at the indices, which must be within it.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Array>& indices,
    arrow::MemoryPool* pool);
arrow::Result<std::shared_ptr<arrow::Array>> TakeValues(
    const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& indices,
    arrow::MemoryPool* pool);
/// Rows for which the mask, without nulls, is true.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> FilterRows(
    const std::shared_ptr<arrow::RecordBatch>& batch,
    const std::shared_ptr<arrow::BooleanArray>& mask, arrow::MemoryPool* pool);
/// One batch of all of them, which have one schema; several.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> JoinBatches(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, arrow::MemoryPool* pool);
/// Bytes that the batch's rows hold, as far as they are known cheaply.
uint64_t BatchBytes(const arrow::RecordBatch& batch);

}  // namespace glaive::query
