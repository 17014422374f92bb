// Packing the bytes of strings for file version 2.0 with lz4 or zstd; unpacking is in
// general_decoder.h. Private to the encoding room.
#pragma once

#include <memory>
#include <optional>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/layout.h"

namespace glaive::encoding::v20 {

/// The unpacked size (u32 for lz4, u64 for zstd), then one raw lz4 block or one zstd frame.
/// kInvalidArgument if the bytes are too many for the scheme (lz4: 2^31).
arrow::Result<std::shared_ptr<arrow::Buffer>> Compress(GeneralScheme scheme,
                                                       std::optional<int> level,
                                                       const arrow::Buffer& bytes,
                                                       arrow::MemoryPool* pool);

}  // namespace glaive::encoding::v20
