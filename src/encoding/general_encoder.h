// General-purpose compression with the sizes that the format puts in front: lz4 blocks and zstd
// frames.
#pragma once

#include <cstdint>
#include <optional>

#include <arrow/result.h>

#include "encoding/byte_arena.h"
#include "encoding/level_encoder.h"
#include "encoding/value_chunks.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

enum class Scheme : uint8_t { kLz4, kZstd };

struct GeneralCompression {
  Scheme scheme = Scheme::kLz4;
  std::optional<int> level;
};

/// The compressed frame, in the arena. kResourceExhausted if the library has no memory.
arrow::Result<Bytes> Compress(const GeneralCompression& compression, Bytes bytes, ByteArena* arena);

/// Turns `encoding` into General{compression}(encoding).
void WrapGeneral(const GeneralCompression& compression,
                 lance::encodings21::CompressiveEncoding* encoding);

/// Compresses the first buffer of every chunk if that makes the page smaller.
arrow::Status CompressChunks(const GeneralCompression& compression, ValueChunks* chunks);

}  // namespace glaive::encoding
