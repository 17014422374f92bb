// Shredding: a path array becomes repetition and definition levels plus the leaf's visible slots.
//
// Levels are numbered as the format has it: definition 0 is valid, each layer from the leaf
// outwards takes the next 0, 1 or 2 numbers (null, then empty); repetition 0 continues the
// innermost list, M (the number of lists on the way) starts a row. An entry has a slot among the
// leaf's values unless a null or empty list, or a null struct around a list, ends it first.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"

namespace glaive::encoding {

/// Numbers of lance.encodings21.RepDefLayer.
enum class RepDefLayer : uint8_t {
  kAllValidItem = 1,
  kAllValidList = 2,
  kNullableItem = 3,
  kNullableList = 4,
  kEmptyableList = 5,
  kNullAndEmptyList = 6,
};

/// A product of Shred.
struct ShreddedLeaf {
  std::vector<RepDefLayer> layers;  ///< inner to outer
  std::vector<uint16_t> rep;        ///< empty if there is no list on the way
  std::vector<uint16_t> def;        ///< empty if no layer owns a definition level
  int64_t num_entries = 0;
  int64_t num_rows = 0;
  uint16_t max_rep = 0;                ///< M
  uint16_t max_def = 0;                ///< the largest level owned by a layer
  uint16_t max_visible = 0;            ///< entries up to this definition level have a slot
  std::shared_ptr<arrow::Array> leaf;  ///< one slot per visible entry
  std::vector<uint8_t> valid;          ///< per slot: 1 if its value counts; empty if all do

  int64_t num_visible() const;
  bool all_null() const;
  /// A nullable item layer outside a list that has levels: such a page must not be a FullZip of
  /// variable width, as other readers misjudge which of its entries have values.
  bool nullable_item_outside_list() const;
};

/// True if `type` is stored as one leaf when it is met on the way down a path.
bool IsLeafType(const arrow::DataType& type, LeafKind kind);

/// Validity of each slot of `array` as bytes; a dictionary's value nulls count. Empty if all are
/// valid.
std::vector<uint8_t> ValidityBytes(const arrow::Array& array);

/// kUnsupported where the path holds a type that has no place in the format.
arrow::Result<ShreddedLeaf> Shred(const std::shared_ptr<arrow::Array>& path, LeafKind kind,
                                  arrow::MemoryPool* pool);

}  // namespace glaive::encoding
