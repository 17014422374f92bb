// Pages of file version 2.0, array -> bytes; the counterpart of v20_array_decoder.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"

namespace glaive::encoding {

/// An encoder of leaf columns. LeafDescriptor.path_type is the leaf's own type; leaf_metadata may
/// ask for lz4 or zstd of string and binary bytes. kUnsupported by column name for types that 2.0
/// cannot hold.
///
/// Blob pages (LeafKind::kBlobV1) take arrays of struct<position: uint64, size: uint64>. Packed
/// structs must have no nulls at any level: kUnsupported else. Dictionary columns whose chunks have
/// dictionaries that cannot be united make one page per chunk.
arrow::Result<std::unique_ptr<PageEncoder>> MakeV20PageEncoder(
    std::shared_ptr<const LeafDescriptor> leaf);

/// A page of a list's offsets column: the number of items of each list, 0 for null lists.
arrow::Result<EncodedPage> EncodeV20Lists(const std::vector<uint64_t>& lengths,
                                          const std::vector<bool>& valid, arrow::MemoryPool* pool);

/// The page of a struct's header column.
EncodedPage EncodeV20Struct(uint64_t num_rows);

/// The column encoding (a serialized Any) of a blob column.
std::string V20BlobColumnEncoding();

}  // namespace glaive::encoding
