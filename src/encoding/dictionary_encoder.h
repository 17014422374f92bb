// Dictionaries of a page: the block of distinct values.
#pragma once

#include <optional>

#include <arrow/result.h>

#include "encoding/general_encoder.h"
#include "encoding/leaf_values.h"
#include "encoding/mini_block_encoder.h"

namespace glaive::encoding {

/// `items` are kFixed or kVariable. The bytes live in the arena or in `items`; they are compressed
/// if that is asked for and makes them smaller.
arrow::Result<EncodedDictionary> EncodeDictionary(
    const LeafValues& items, const std::optional<GeneralCompression>& compression,
    ByteArena* arena);

}  // namespace glaive::encoding
