// The policy: which layout and which value encoding a page gets. The one place that decides.
//
// Order of decisions for a page:
//   1. no values, or all null                               constant layout with levels
//   2. one value throughout (2.2; not lists, dictionaries)  constant layout, if levels are none or
//   few
//   3. a struct packed with a variable member               full-zip
//   4. lance-encoding:structural-encoding, else the largest value: below 256 bytes mini-block, else
//      full-zip; an all-visible fixed-width vector thus stays a plain array that readers can map
//   5. variable width in full-zip with a nullable struct around a list moves to mini-block: other
//   readers
//      misread that combination
//   6. in a mini-block the smallest of plain, bit-packed and run lengths, where packing must save 5
//   % and
//      run lengths 5 % more, because plain chunks can be read without copying.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <arrow/result.h>

#include "encoding/leaf_values.h"
#include "encoding/page.h"
#include "encoding/shred.h"
#include "encoding/value_chunks.h"

namespace glaive::encoding {

enum class Structure : uint8_t { kAutomatic, kMiniBlock, kFullZip };

/// What field metadata asks for.
struct EncodingWishes {
  Structure structure = Structure::kAutomatic;

  static arrow::Result<EncodingWishes> Parse(const LeafDescriptor& leaf);
};

/// Bytes of the largest value: what decides between mini-block and full-zip.
uint64_t LargestValueBytes(const LeafValues& values);

/// kMiniBlock or kFullZip.
Structure ChooseStructure(const ShreddedLeaf& leaf, const LeafValues& values,
                          const EncodingWishes& wishes);

/// Encodes the values of a mini-block page, dictionary indices included.
ValueChunks EncodeMiniBlockValues(const LeafValues& values, const ChunkLimits& limits,
                                  const EncodingWishes& wishes);

}  // namespace glaive::encoding
