// The constant layout: a page without values of its own, or with one value for all slots that
// count.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/leaf_values.h"
#include "encoding/page.h"
#include "encoding/shred.h"

namespace glaive::encoding {

/// No slot counts: everything is null, or there are no slots at all.
arrow::Result<EncodedPage> EncodeNulls(const ShreddedLeaf& leaf, uint16_t version_minor,
                                       arrow::MemoryPool* pool);

/// kFixed or kVariable whose counting slots all equal slot `slot` (2.2).
arrow::Result<EncodedPage> EncodeConstant(const ShreddedLeaf& leaf, const LeafValues& values,
                                          size_t slot, arrow::MemoryPool* pool);

}  // namespace glaive::encoding
