#include "encoding/encoding_choice.h"

#include <algorithm>
#include <string_view>

#include "base/status.h"

namespace glaive::encoding {

namespace {

constexpr std::string_view kStructureKey = "lance-encoding:structural-encoding";
constexpr uint64_t kFullZipFrom = 256;

const std::string* Find(const std::map<std::string, std::string>& metadata, std::string_view key) {
  const auto it = metadata.find(std::string(key));
  return it == metadata.end() ? nullptr : &it->second;
}

bool IsWord(const LeafValues& values) {
  return values.bits == 8 || values.bits == 16 || values.bits == 32 || values.bits == 64;
}

ValueChunks EncodeFixed(const LeafValues& values, const ChunkLimits& limits) {
  if (!IsWord(values)) {
    return EncodeFlat(values, limits);
  }
  const auto stats = MeasureFixed(values, limits);
  const auto flat = static_cast<double>(stats.flat_bytes);
  const auto packed = static_cast<double>(stats.bitpacked_bytes);
  const auto runs = static_cast<double>(stats.rle_bytes);
  if (runs < 0.95 * std::min(flat, packed)) {
    return EncodeRle(values, limits);
  }
  return packed < 0.95 * flat ? EncodeBitpacked(values) : EncodeFlat(values, limits);
}

}  // namespace

arrow::Result<EncodingWishes> EncodingWishes::Parse(const LeafDescriptor& leaf) {
  EncodingWishes wishes;
  if (const auto* structure = Find(leaf.column_metadata, kStructureKey)) {
    if (*structure == "miniblock") {
      wishes.structure = Structure::kMiniBlock;
    } else if (*structure == "fullzip") {
      wishes.structure = Structure::kFullZip;
    } else {
      return InvalidArgument("column ", leaf.name, ": ", kStructureKey, " is \"", *structure,
                             "\"; allowed are miniblock and fullzip");
    }
  }
  return wishes;
}

uint64_t LargestValueBytes(const LeafValues& values) {
  switch (values.kind) {
    case LeafValues::Kind::kVariable:
    case LeafValues::Kind::kPackedVariable:
      return values.longest_view();
    case LeafValues::Kind::kDictionary:
      return values.bits / 8;
    default:
      return (values.bits * values.items_per_value() + 7) / 8;
  }
}

Structure ChooseStructure(const ShreddedLeaf& leaf, const LeafValues& values,
                          const EncodingWishes& wishes) {
  if (values.kind == LeafValues::Kind::kPackedVariable) {
    return Structure::kFullZip;
  }
  if (values.kind == LeafValues::Kind::kDictionary) {
    return Structure::kMiniBlock;
  }
  const bool odd_bits = values.bits * values.items_per_value() % 8 != 0;
  if (values.kind == LeafValues::Kind::kFixedSizeList && odd_bits) {
    return Structure::kMiniBlock;
  }
  Structure structure = wishes.structure;
  if (structure == Structure::kAutomatic) {
    structure =
        LargestValueBytes(values) < kFullZipFrom ? Structure::kMiniBlock : Structure::kFullZip;
  }
  if (values.kind == LeafValues::Kind::kVariable && leaf.nullable_item_outside_list()) {
    structure = Structure::kMiniBlock;
  }
  return structure;
}

ValueChunks EncodeMiniBlockValues(const LeafValues& values, const ChunkLimits& limits,
                                  const EncodingWishes& wishes) {
  switch (values.kind) {
    case LeafValues::Kind::kVariable:
      return EncodeVariable(values, limits);
    case LeafValues::Kind::kFixed:
    case LeafValues::Kind::kDictionary:
      return EncodeFixed(values, limits);
    default:
      return EncodeFlat(values, limits);
  }
}

}  // namespace glaive::encoding
