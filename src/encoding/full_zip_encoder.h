// The full-zip layout: every entry is its control word and its value, so that one row can be read
// alone.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/leaf_values.h"
#include "encoding/page.h"
#include "encoding/shred.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

/// kFixed, kFixedSizeList or kPackedFixed. Without levels and item validity the page's buffer is
/// the input's. kUnsupported for items of bits that don't fill bytes.
arrow::Result<EncodedPage> EncodeFullZipFixed(const ShreddedLeaf& leaf, const LeafValues& values,
                                              arrow::MemoryPool* pool);

/// kVariable or kPackedVariable; `values.views` hold what is stored for each slot, already encoded
/// as `encoding` says.
arrow::Result<EncodedPage> EncodeFullZipVariable(
    const ShreddedLeaf& leaf, const LeafValues& values,
    const lance::encodings21::CompressiveEncoding& encoding, arrow::MemoryPool* pool);

}  // namespace glaive::encoding
