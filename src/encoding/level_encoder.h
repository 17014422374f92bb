// Encoding of repetition and definition levels: one encoding for all chunks of a page, the
// smallest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "encoding/byte_arena.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

using LevelSpan = std::span<const uint16_t>;
using Bytes = std::span<const uint8_t>;

/// Level entries [start, end) of one chunk.
struct EntryRange {
  size_t start = 0;
  size_t end = 0;

  size_t size() const { return end - start; }
};

struct EncodedLevels {
  lance::encodings21::CompressiveEncoding encoding;
  std::vector<Bytes> chunks;  ///< one per range, inside the arena
};

/// `limit`: the most bytes that one chunk may take. Returns false if no encoding keeps within it.
/// `allow_rle` for versions whose writers emit run lengths (2.2).
bool EncodeLevels(LevelSpan levels, const std::vector<EntryRange>& ranges, uint16_t max_level,
                  bool allow_rle, size_t limit, ByteArena* arena, EncodedLevels* out);

}  // namespace glaive::encoding
