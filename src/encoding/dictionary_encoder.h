// Dictionaries of a page: the block of distinct values.
#pragma once

#include <arrow/result.h>

#include "encoding/leaf_values.h"
#include "encoding/mini_block_encoder.h"

namespace glaive::encoding {

/// `items` are kFixed or kVariable. The bytes live in the arena.
EncodedDictionary EncodeDictionary(const LeafValues& items, ByteArena* arena);

}  // namespace glaive::encoding
