// Payloads of blob columns: descriptors in, bytes out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "file/file_reader.h"

namespace glaive::file {

/// Kinds of a blob v2 descriptor.
enum class BlobKind : uint8_t { kInline = 0, kPacked = 1, kDedicated = 2, kExternal = 3 };

/// "<32 binary digits>.blob": the bits of the id, lowest first.
std::string BlobSidecarName(uint32_t blob_id);

/// The payloads as large_binary, for an array of BlobV1DescriptorType; `object` is the data file.
arrow::Result<std::shared_ptr<arrow::Array>> ReadBlobsV1(const arrow::Array& descriptors,
                                                         io::ObjectReader& object,
                                                         arrow::MemoryPool* pool);

/// The same for BlobV2DescriptorType.
arrow::Result<std::shared_ptr<arrow::Array>> ReadBlobsV2(const arrow::Array& descriptors,
                                                         std::shared_ptr<io::ObjectReader> object,
                                                         const ReadOptions& options,
                                                         arrow::MemoryPool* pool);

}  // namespace glaive::file
