// Door: batches put aside in a file without a name, for work that does not fit the memory budget.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::query {

/// One thread at a time; a finished file may be read by several readers at once, each by one
/// thread.
class SpillFile {
 public:
  /// `directory` empty: the system's. kIo if it can't be made there, kResourceExhausted for a full
  /// disk.
  static arrow::Result<std::unique_ptr<SpillFile>> Make(const std::string& directory,
                                                        std::shared_ptr<arrow::Schema> schema,
                                                        arrow::MemoryPool* pool = nullptr);
  virtual ~SpillFile() = default;
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  /// No more writes after it.
  virtual arrow::Status Finish() = 0;
  virtual uint64_t num_bytes() const = 0;
  virtual uint64_t num_rows() const = 0;
  /// From the beginning. Outlives the file object.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read() const = 0;
};

}  // namespace glaive::query
