// The layout of a page, parsed from its wire message and checked: what a decoder works with.
// Private to the encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

namespace glaive::encoding {

enum class EncodingKind : uint8_t {
  kFlat,
  kVariable,
  kOutOfLineBitpacking,
  kInlineBitpacking,
  kFsst,
  kRle,
  kByteStreamSplit,
  kGeneral,
  kFixedSizeList,
  kPackedStruct,
  kVariablePackedStruct,
  kConstant,  ///< no bytes at all: items of fixed-size lists that are all null
};

enum class GeneralScheme : uint8_t { kLz4, kZstd };

struct Encoding;
using EncodingPtr = std::shared_ptr<const Encoding>;

struct PackedField {
  EncodingPtr value;
  bool is_variable = false;
  uint32_t bits = 0;  ///< of the value, or of the length in front of it
};

/// One node of a tree of compressive encodings; which members count depends on `kind`.
struct Encoding {
  EncodingKind kind = EncodingKind::kFlat;
  uint64_t bits = 0;   ///< flat: per value; variable: per offset; bit packing: uncompressed
  EncodingPtr values;  ///< the encoding inside; out-of-line bit packing: flat of the packed width
  EncodingPtr run_lengths;  ///< rle
  GeneralScheme scheme = GeneralScheme::kLz4;
  std::string symbol_table;          ///< fsst
  uint64_t items_per_value = 0;      ///< fixed-size list
  bool has_validity = false;         ///< fixed-size list
  std::vector<uint64_t> field_bits;  ///< packed struct
  std::vector<PackedField> fields;   ///< variable packed struct
};

/// "lz4(rle(flat32, flat8))"
std::string DescribeEncoding(const Encoding& encoding);

enum class LayerKind : uint8_t {
  kAllValidItem = 1,
  kAllValidList = 2,
  kNullableItem = 3,
  kNullableList = 4,
  kEmptyableList = 5,
  kNullAndEmptyList = 6,
};

enum class LayoutKind : uint8_t { kMiniBlock, kFullZip, kConstant, kBlob };

/// One page layout; which members count depends on `kind`.
struct Layout {
  LayoutKind kind = LayoutKind::kConstant;
  std::vector<LayerKind> layers;  ///< inner to outer, at least one
  EncodingPtr rep, def;           ///< mini-block, constant: null if there are no such levels
  EncodingPtr value;              ///< mini-block, full-zip
  // mini-block
  EncodingPtr dictionary;
  uint64_t num_dictionary_items = 0;
  uint64_t num_buffers = 0;
  uint32_t repetition_index_depth = 0;
  uint64_t num_items = 0;  ///< also full-zip
  bool large_chunks = false;
  // full-zip
  uint32_t bits_rep = 0, bits_def = 0;
  bool is_variable = false;
  uint32_t bits = 0;  ///< per value, or per length if is_variable
  uint64_t num_visible_items = 0;
  // constant
  bool has_inline_value = false;
  std::string inline_value;
  uint64_t num_rep_values = 0, num_def_values = 0;
  // blob
  std::shared_ptr<const Layout> inner;
};

/// From the bytes of DirectEncoding.encoding. kCorruption for what no writer makes, kUnsupported by
/// name for what this build does not know.
arrow::Result<std::shared_ptr<const Layout>> ParseLayout(std::string_view encoding,
                                                         uint16_t version_minor);

}  // namespace glaive::encoding
