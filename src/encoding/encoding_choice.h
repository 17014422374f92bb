// The policy: which layout and which value encoding a page gets. The one place that decides.
//
// Order of decisions for a page:
//   1. no values, or all null                               constant layout with levels
//   2. one value throughout (2.2; not lists, dictionaries)  constant layout, if levels are none or
//   few
//   3. an Arrow dictionary                                  mini-block with that dictionary
//   4. values that repeat (variable width, 128 bits, in 2.2 also 64 bits; a sample decides whether
//   to look
//      closer): mini-block with a dictionary, if dictionary and packed indices stay below the asked
//      ratio of the plain size (0.8), below what bit packing or run lengths need, and, for text,
//      below what FSST can be expected to reach
//   5. a struct packed with a variable member               full-zip
//   6. lance-encoding:structural-encoding, else the largest value: below 256 bytes mini-block, else
//      full-zip; an all-visible fixed-width vector thus stays a plain array that readers can map
//   7. variable width in full-zip with a nullable struct around a list moves to mini-block: other
//   readers
//      misread that combination
//   8. in a mini-block the smallest of plain, bit-packed and run lengths, where packing must save 5
//   % and
//      run lengths 5 % more, because plain chunks can be read without copying; FSST for text from
//      32 KiB if it saves a tenth; lz4 or zstd around all that only when the field asks
//   9. in full-zip zstd per value if one is longer than 32 KiB (or the field asks), else FSST as
//   above
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/dictionary_builder.h"
#include "encoding/general_encoder.h"
#include "encoding/leaf_values.h"
#include "encoding/page.h"
#include "encoding/shred.h"
#include "encoding/value_chunks.h"

namespace glaive::encoding {

enum class Structure : uint8_t { kAutomatic, kMiniBlock, kFullZip };

enum class CompressionWish : uint8_t { kAutomatic, kNone, kGeneral, kFsst };
enum class SplitWish : uint8_t { kAutomatic, kOn, kOff };

/// What field metadata (lance-encoding:...) asks for.
struct EncodingWishes {
  Structure structure = Structure::kAutomatic;
  CompressionWish compression = CompressionWish::kAutomatic;
  GeneralCompression general;  ///< for kGeneral
  std::optional<double> rle_threshold;
  SplitWish byte_stream_split = SplitWish::kAutomatic;
  uint64_t dictionary_divisor = 2;
  double dictionary_ratio = 0.8;
  std::optional<GeneralCompression> dictionary_compression = GeneralCompression{};
  std::optional<uint64_t> chunk_bytes;  ///< of variable width

  /// kInvalidArgument names key, value and what is allowed.
  static arrow::Result<EncodingWishes> Parse(const LeafDescriptor& leaf);

  ChunkLimits FirstLimits(const LeafValues& values, uint16_t version_minor) const;
};

/// Bytes of the largest value: what decides between mini-block and full-zip.
uint64_t LargestValueBytes(const LeafValues& values);

/// kMiniBlock or kFullZip.
Structure ChooseStructure(const ShreddedLeaf& leaf, const LeafValues& values,
                          const EncodingWishes& wishes);

/// The dictionary that the page should have, if any.
arrow::Result<std::optional<BuiltDictionary>> ChooseDictionary(const LeafValues& values,
                                                               const std::vector<uint8_t>& valid,
                                                               const EncodingWishes& wishes,
                                                               uint16_t version_minor,
                                                               arrow::MemoryPool* pool);

/// Encodes the values of a mini-block page, dictionary indices included.
arrow::Result<ValueChunks> EncodeMiniBlockValues(const LeafValues& values,
                                                 const ChunkLimits& limits,
                                                 const EncodingWishes& wishes);

/// Values of a full-zip page as they are to be stored one by one.
struct CodedValues {
  LeafValues values;
  lance::encodings21::CompressiveEncoding encoding;
  ByteArena arena;
};

/// kVariable.
arrow::Result<CodedValues> EncodeFullZipValues(const LeafValues& values,
                                               const EncodingWishes& wishes);

}  // namespace glaive::encoding
