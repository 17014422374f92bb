// Fits batches to the schema of a table: columns by name, missing ones as nulls, lossless casts,
// checked vectors. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/options.h"

#include "file/schema.h"

namespace glaive::write {

/// Immutable; made once per stream.
class BatchFitter {
 public:
  /// Checks what schemas alone can tell. kInvalidArgument: extra, missing or duplicate column.
  /// kTypeMismatch: no lossless cast leads from the column's type to the table's.
  static arrow::Result<BatchFitter> Make(const file::Schema& schema, const arrow::Schema& input,
                                         BadVectors bad_vectors, arrow::MemoryPool* pool);

  /// `first_row` is the batch's place in the stream, for messages. kInvalidArgument names column,
  /// row, what was found and what is expected.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Fit(const arrow::RecordBatch& batch,
                                                         uint64_t first_row) const;

 private:
  std::vector<file::Field> fields_;
  std::shared_ptr<arrow::Schema> target_;
  std::vector<int> source_;  ///< column of the input per column of the table; -1 = all null
  BadVectors bad_vectors_ = BadVectors::kError;
  arrow::MemoryPool* pool_ = nullptr;
};

}  // namespace glaive::write
