// General compression: one buffer in an lz4 or zstd frame as the format has it. Private to the
// encoding room.
#pragma once

#include <cstdint>
#include <span>

#include <arrow/result.h>

#include "encoding/layout.h"

namespace glaive::encoding {

/// The bytes that `frame` claims to unpack to, checked against what its scheme can make of its
/// length.
arrow::Result<uint64_t> DecompressedSize(GeneralScheme scheme, std::span<const uint8_t> frame);

/// Unpacks `frame` into exactly `size` bytes (its DecompressedSize) at `out`.
arrow::Status Decompress(GeneralScheme scheme, std::span<const uint8_t> frame, uint8_t* out,
                         uint64_t size);

}  // namespace glaive::encoding
