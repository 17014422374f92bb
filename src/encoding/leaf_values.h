// The visible slots of a leaf in the one form that all value encoders understand.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"

namespace glaive::encoding {

/// Immutable once made. Slots that do not count repeat a value that does, are zero, or have no length.
struct LeafValues {
  enum class Kind : uint8_t {
    kNone,            ///< a type without values: null, empty struct
    kFixed,           ///< `bits` per value
    kVariable,        ///< `views`
    kFixedSizeList,   ///< `bits` per innermost item, `levels` outer to inner
    kDictionary,      ///< indices as kFixed plus `dictionary`
    kPackedFixed,     ///< rows of `bits`, members of `member_bits`
    kPackedVariable,  ///< rows as `views`, members of `members`
  };

  struct ListLevel {
    uint64_t dimension = 0;
    /// Validity of the items of this level, bit 0 first; null if all are valid.
    std::shared_ptr<arrow::Buffer> validity;
  };

  struct Member {
    bool variable = false;
    uint64_t bits = 0;                 ///< of the value, or of its length
    std::vector<uint64_t> dimensions;  ///< of a fixed-size list, outer to inner
  };

  Kind kind = Kind::kNone;
  int64_t length = 0;
  uint64_t bits = 0;
  /// Fixed width: value 0 starts at bit 0.
  std::shared_ptr<arrow::Buffer> data;
  /// Width of an offset of this type: 32 or 64.
  uint32_t offset_bits = 32;
  bool is_text = false;  ///< utf8 rather than binary
  std::vector<std::string_view> views;
  std::vector<ListLevel> levels;
  std::vector<Member> members;
  std::shared_ptr<LeafValues> dictionary;
  std::shared_ptr<arrow::Array> keep_alive;

  /// Items in a value: the product of the dimensions, 1 outside lists.
  uint64_t items_per_value() const;
  bool has_item_validity() const;
  uint64_t total_view_bytes() const;
  uint64_t longest_view() const;
};

/// `valid` as in ShreddedLeaf (empty if all count). kUnsupported names a type without an encoding;
/// kInvalidArgument for a null member of a packed struct.
arrow::Result<LeafValues> MakeLeafValues(const std::shared_ptr<arrow::Array>& leaf,
                                         const std::vector<uint8_t>& valid, LeafKind kind,
                                         arrow::MemoryPool* pool);

}  // namespace glaive::encoding
