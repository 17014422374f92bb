// Door: writing a Lance data file of version 2.0, 2.1 or 2.2.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "file/schema.h"
#include "io/object_store.h"

namespace glaive {
class Executor;
}

namespace glaive::file {

struct FileWriterOptions {
  FileVersion version = kVersion22;
  /// A column's buffered values become a page when they exceed this. Bounds memory (columns x this), with
  /// max_buffered_bytes over all columns together.
  uint64_t page_bytes = 8u << 20;
  uint64_t max_buffered_bytes = 64u << 20;
  arrow::MemoryPool* pool = nullptr;
  /// Pages of different columns are encoded in parallel if given; version 2.0 encodes one by one.
  Executor* executor = nullptr;
  /// Blob v2 sidecars: called with the sidecar's file name ("<32 binary digits>.blob"), makes the object
  /// in data/<stem>/. Without it all blobs are stored inline.
  std::function<arrow::Result<std::unique_ptr<io::ObjectWriter>>(const std::string&)> make_sidecar;
};

/// What a manifest must know of a finished file.
struct FileSummary {
  FileVersion version;
  uint64_t num_rows = 0;
  uint64_t size_bytes = 0;
  std::vector<int32_t> field_ids;       ///< 2.0: all; 2.1+: leaves only
  std::vector<int32_t> column_indices;  ///< as long as field_ids
};

/// One thread at a time. Destroying an unfinished writer aborts it.
class FileWriter {
 public:
  /// `schema` holds the fields with their ids. kUnsupported names a column that the version can't hold.
  static arrow::Result<std::unique_ptr<FileWriter>> Open(std::unique_ptr<io::ObjectWriter> object,
                                                         const Schema& schema,
                                                         const FileWriterOptions& options);
  virtual ~FileWriter() = default;
  /// Columns must match the schema in number, order, name and type; nulls in a non-nullable field are
  /// kInvalidArgument with column and row. Buffers are referenced, not copied, until their page is written.
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  virtual uint64_t num_rows() const = 0;
  /// Bytes written plus an estimate of what is buffered.
  virtual uint64_t EstimatedBytes() const = 0;
  virtual arrow::Result<FileSummary> Finish() = 0;
  virtual arrow::Status Abort() = 0;
};

}  // namespace glaive::file
