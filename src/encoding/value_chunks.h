// Values of a mini-block page cut into chunks: what every mini-block value encoder produces.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "encoding/byte_arena.h"
#include "encoding/leaf_values.h"
#include "encoding/level_encoder.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

/// How large chunks may become. `bytes` is what an encoder aims at; a chunk of two values may be
/// larger.
struct ChunkLimits {
  uint64_t bytes = 16 << 10;
  uint32_t values = 4096;  ///< a power of two, at most 32768
};

/// Movable. Spans point into the arena or into the LeafValues it was made from.
struct ValueChunks {
  lance::encodings21::CompressiveEncoding encoding;
  uint32_t num_buffers = 1;
  std::vector<uint32_t> counts;  ///< values per chunk, a power of two >= 2 except the last
  std::vector<Bytes> buffers;    ///< num_buffers per chunk
  ByteArena arena;

  /// What the chunks take on disk, without levels.
  uint64_t EncodedBytes() const;
};

/// Any kFixed, kPackedFixed or kFixedSizeList: plain values.
ValueChunks EncodeFlat(const LeafValues& values, const ChunkLimits& limits);
/// kFixed of 8, 16, 32 or 64 bits.
ValueChunks EncodeBitpacked(const LeafValues& values);
ValueChunks EncodeRle(const LeafValues& values, const ChunkLimits& limits);
/// kFixed of 32 or 64 bits: all first bytes of a chunk, then all second bytes, ...
ValueChunks EncodeByteStreamSplit(const LeafValues& values, const ChunkLimits& limits);
/// kVariable. Chunks hold as many values as fit `limits.bytes` with their offsets.
ValueChunks EncodeVariable(const LeafValues& values, const ChunkLimits& limits);

/// What the encoders above would need, from one pass over the values.
struct FixedStatistics {
  uint64_t flat_bytes = 0;
  uint64_t bitpacked_bytes = 0;
  uint64_t rle_bytes = 0;
  uint64_t runs = 0;
  bool all_equal = false;
};

/// kFixed of 8, 16, 32 or 64 bits.
FixedStatistics MeasureFixed(const LeafValues& values, const ChunkLimits& limits);

/// Values per chunk of EncodeFlat and EncodeRle.
uint32_t FlatChunkValues(const LeafValues& values, const ChunkLimits& limits);

}  // namespace glaive::encoding
