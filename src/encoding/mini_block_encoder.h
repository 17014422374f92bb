// The mini-block layout: chunks of levels and values that are each decoded as a whole.
#pragma once

#include <cstdint>
#include <optional>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"
#include "encoding/shred.h"
#include "encoding/value_chunks.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

/// A dictionary as the page stores it.
struct EncodedDictionary {
  lance::encodings21::CompressiveEncoding encoding;
  uint64_t num_items = 0;
  Bytes bytes;
};

/// The page, or nothing if a chunk would break a limit of the format (levels of a chunk from 64
/// KiB, chunks over 32 KiB in 2.1): the caller then tries smaller chunks, fewer rows or another
/// layout.
arrow::Result<std::optional<EncodedPage>> EncodeMiniBlock(const ShreddedLeaf& leaf,
                                                          const ValueChunks& values,
                                                          const EncodedDictionary* dictionary,
                                                          uint16_t version_minor,
                                                          arrow::MemoryPool* pool);

}  // namespace glaive::encoding
