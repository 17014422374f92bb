// Payloads of blob columns on their way out: bytes in, descriptors back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "file/container.h"
#include "file/file_writer.h"

namespace glaive::file {

/// True if `field` or a field below it is a blob whose payload lies out of line in files of
/// `version`.
bool HoldsBlobs(const Field& field, FileVersion version);

/// The field as a file of 2.2 keeps it: blob v2 becomes its packed descriptor.
Field StoredField(const Field& field);

/// True if a value of `type` can be written to the blob v2 column: bytes, or a struct of data and
/// uri.
bool FitsBlobV2(const arrow::DataType& type);

/// Writes payloads into the data file and its sidecars. One thread at a time.
class BlobWriter {
 public:
  using MakeSidecar =
      std::function<arrow::Result<std::unique_ptr<io::ObjectWriter>>(const std::string&)>;

  BlobWriter(ContainerWriter* file, MakeSidecar make_sidecar)
      : file_(file), make_sidecar_(std::move(make_sidecar)) {}

  /// The column with every blob leaf replaced by an array of descriptors.
  arrow::Result<std::shared_ptr<arrow::Array>> Store(const Field& field, const arrow::Array& column,
                                                     FileVersion version, arrow::MemoryPool* pool);
  /// Makes the open sidecar visible. To be called before the data file ends.
  arrow::Status Finish();
  arrow::Status Abort();

 private:
  class Descriptors;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> StoreRange(const Field& field,
                                                              const arrow::ArrayData& data,
                                                              int64_t begin, int64_t end,
                                                              FileVersion version,
                                                              arrow::MemoryPool* pool);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> StoreV1(const arrow::Array& values,
                                                           int64_t begin, int64_t end,
                                                           arrow::MemoryPool* pool);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> StoreV2(const arrow::Array& values,
                                                           int64_t begin, int64_t end,
                                                           arrow::MemoryPool* pool);
  arrow::Status StoreBytes(std::string_view bytes, Descriptors* out);
  arrow::Result<std::unique_ptr<io::ObjectWriter>> NextSidecar();

  ContainerWriter* file_;
  MakeSidecar make_sidecar_;
  uint32_t last_sidecar_ = 0;
  std::unique_ptr<io::ObjectWriter> packed_;  // the sidecar that small blobs share
  uint32_t packed_id_ = 0;
};

}  // namespace glaive::file
