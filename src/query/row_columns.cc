#include "query/row_columns.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "file/json_text.h"

namespace glaive::query {

namespace {

template <typename ValueOf>
arrow::Result<std::shared_ptr<arrow::Array>> MakeUint64(const RowRanges& rows,
                                                        arrow::MemoryPool* pool,
                                                        const ValueOf& value_of) {
  const auto count = static_cast<int64_t>(CountRows(rows));
  ARROW_ASSIGN_OR_RAISE(
      auto values, arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(uint64_t)), pool));
  auto* out = reinterpret_cast<uint64_t*>(values->mutable_data());
  for (const auto& range : rows) {
    for (uint64_t row = range.start; row < range.end; ++row) {
      *out++ = value_of(row);
    }
  }
  return std::make_shared<arrow::UInt64Array>(count,
                                              std::shared_ptr<arrow::Buffer>(std::move(values)));
}

arrow::Result<std::shared_ptr<arrow::Array>> Addresses(const table::Fragment& fragment,
                                                       const RowRanges& rows,
                                                       arrow::MemoryPool* pool) {
  const uint64_t base = fragment.id() << 32;
  return MakeUint64(rows, pool, [base](uint64_t row) { return base | row; });
}

arrow::Result<std::shared_ptr<arrow::Array>> RowIds(const table::Fragment& fragment,
                                                    const RowRanges& rows,
                                                    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto ids, fragment.row_ids());
  if (ids == nullptr) {
    return Addresses(fragment, rows, pool);
  }
  GLAIVE_CHECK_FORMAT(rows.empty() || rows.back().end <= ids->size(), "fragment ", fragment.id(),
                      " has ", ids->size(), " row ids, but ", fragment.physical_rows(), " rows");
  return MakeUint64(rows, pool, [&ids](uint64_t row) { return ids->Get(row); });
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const Output& output,
                                                            const table::Fragment& fragment,
                                                            const table::FragmentReader* reader,
                                                            const RowRanges& rows,
                                                            arrow::MemoryPool* pool) {
  const auto count = static_cast<int64_t>(CountRows(rows));
  arrow::ArrayVector columns;
  if (!output.projection.fields().empty()) {
    file::ReadOptions options;
    options.pool = pool;
    options.blob_mode = output.blob_mode;
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Read(rows, options));
    columns = batch->columns();
  }
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  for (size_t i = 0; output.holds_json && i < columns.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(columns[i],
                          file::ColumnWithJsonText(*output.stored[i], columns[i], pool));
  }
  if (output.with_row_id) {
    ARROW_ASSIGN_OR_RAISE(auto ids, RowIds(fragment, rows, pool));
    columns.push_back(std::move(ids));
  }
  if (output.with_row_address) {
    ARROW_ASSIGN_OR_RAISE(auto addresses, Addresses(fragment, rows, pool));
    columns.push_back(std::move(addresses));
  }
  if (columns.size() != static_cast<size_t>(output.schema->num_fields())) {
    return InternalError("fragment ", fragment.id(), " gave ", columns.size(),
                         " columns, expected ", output.schema->num_fields());
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& field = *output.schema->field(static_cast<int>(i));
    GLAIVE_CHECK_FORMAT(columns[i]->type()->Equals(*field.type()), "fragment ", fragment.id(),
                        ": column '", field.name(), "' has type ", columns[i]->type()->ToString(),
                        ", expected ", field.type()->ToString());
  }
  return arrow::RecordBatch::Make(output.schema, count, std::move(columns));
}

}  // namespace glaive::query
