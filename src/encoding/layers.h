// Layers and levels: the numbers behind the layers of a page, and the way from (repetition,
// definition) levels to validity bitmaps and offsets. Private to the encoding room.
//
// Layers are counted from the inside out. Definition 0 is a valid leaf; walking outwards each layer
// owns the next 0, 1 or 2 numbers. Repetition k starts a new list at list layer k (1 = innermost)
// and below. An entry has a value slot iff its definition is at most `max_visible`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/layout.h"
#include "encoding/leaf_shape.h"

namespace glaive::encoding {

/// A value: one layer and its numbers.
struct Layer {
  LayerKind kind = LayerKind::kAllValidItem;
  uint16_t own = 0;     ///< definition levels that it owns
  uint16_t below = 0;   ///< owned by the layers inside it
  uint16_t within = 0;  ///< below + own
  uint16_t exists = 0;  ///< a slot of it exists for definitions up to this
  uint16_t lists_inside = 0;
  bool is_list() const;
  bool is_nullable() const;   ///< below + 1 means null
  bool is_emptyable() const;  ///< the last number it owns means empty
};

/// A value: the layers of a page, inner to outer.
struct Layers {
  std::vector<Layer> items;
  uint16_t num_lists = 0;  ///< the repetition of a new row; 0: there are no repetition levels
  uint16_t max_def = 0;    ///< 0: there are no definition levels
  uint16_t max_visible = 0;
};

Layers MakeLayers(const std::vector<LayerKind>& kinds);

/// The layers of a page must have one entry per node of the path and one for the leaf, of the right
/// kind.
arrow::Status CheckLayers(const Layers& layers, const PathShape& shape);

/// Levels of consecutive entries. Empty rep: no repetition levels, empty def: all 0.
struct Levels {
  std::vector<uint16_t> rep;
  std::vector<uint16_t> def;
  uint64_t num_entries = 0;
};

/// Every level within its bounds; the first entry starts a row.
arrow::Status CheckLevels(std::span<const uint16_t> rep, std::span<const uint16_t> def,
                          const Layers& layers);

/// How many of the definitions have a value slot.
uint64_t CountVisible(std::span<const uint16_t> def, uint16_t max_visible);

/// A validity bitmap; null if all are valid.
struct Validity {
  std::shared_ptr<arrow::Buffer> bitmap;
  int64_t null_count = 0;
};

/// Validity of the leaf's slots (one per visible entry), before AssemblePath.
arrow::Result<Validity> LeafValidity(const Levels& levels, const Layers& layers,
                                     arrow::MemoryPool* pool);

/// Wraps the leaf (one slot per visible entry, its validity set) into the nodes of the path.
arrow::Result<std::shared_ptr<arrow::ArrayData>> AssemblePath(
    const Levels& levels, const Layers& layers, const PathShape& shape,
    std::shared_ptr<arrow::ArrayData> leaf, arrow::MemoryPool* pool);

}  // namespace glaive::encoding
