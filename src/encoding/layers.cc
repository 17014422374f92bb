#include "encoding/layers.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding {
namespace {

uint16_t OwnedLevels(LayerKind kind) {
  switch (kind) {
    case LayerKind::kAllValidItem:
    case LayerKind::kAllValidList:
      return 0;
    case LayerKind::kNullAndEmptyList:
      return 2;
    default:
      return 1;
  }
}

// Appends bits to a bitmap whose size was fixed before.
class BitWriter {
 public:
  explicit BitWriter(uint8_t* out) : out_(out) {}

  // Appends `bit` if `take`. Branch-free but for the flush of whole words.
  void Put(bool bit, bool take) {
    word_ |= static_cast<uint64_t>(bit & take) << used_;
    used_ += take;
    if (used_ == 64) {
      StoreLe(out_, word_);
      out_ += 8;
      set_ += std::popcount(word_);
      total_ += 64;
      word_ = 0;
      used_ = 0;
    }
  }

  void Finish() {
    for (uint32_t byte = 0; byte * 8 < used_; ++byte) {
      *out_++ = static_cast<uint8_t>(word_ >> (8 * byte));
    }
    set_ += std::popcount(word_);
    total_ += used_;
    used_ = 0;
    word_ = 0;
  }

  uint64_t total() const { return total_; }

  uint64_t set() const { return static_cast<uint64_t>(set_); }

 private:
  uint8_t* out_;
  uint64_t word_ = 0;
  uint32_t used_ = 0;
  uint64_t total_ = 0;
  int64_t set_ = 0;
};

constexpr int64_t BitmapBytes(uint64_t bits) {
  return static_cast<int64_t>((bits + 7) / 8);
}

Validity FinishBitmap(std::unique_ptr<arrow::ResizableBuffer> bitmap, uint64_t total,
                      uint64_t set) {
  Validity validity;
  validity.null_count = static_cast<int64_t>(total - set);
  if (validity.null_count > 0) {
    validity.bitmap = std::move(bitmap);
  }
  return validity;
}

// Bitmap of def <= limit for entries 0, stride, 2*stride, ...
arrow::Result<Validity> BitmapOfDefinitions(std::span<const uint16_t> def, uint16_t limit,
                                            uint64_t stride, arrow::MemoryPool* pool) {
  const uint64_t count = def.size() / stride;
  ARROW_ASSIGN_OR_RAISE(auto bitmap, arrow::AllocateResizableBuffer(BitmapBytes(count), pool));
  uint8_t* out = bitmap->mutable_data();
  uint64_t set = 0;
  uint64_t at = 0;
  for (; at + 8 <= count; at += 8) {
    uint8_t byte = 0;
    for (uint32_t bit = 0; bit < 8; ++bit) {
      byte |= static_cast<uint8_t>((def[(at + bit) * stride] <= limit) << bit);
    }
    *out++ = byte;
    set += static_cast<uint64_t>(std::popcount(byte));
  }
  uint8_t last = 0;
  for (uint64_t bit = 0; at + bit < count; ++bit) {
    last |= static_cast<uint8_t>((def[(at + bit) * stride] <= limit) << bit);
  }
  if (at < count) {
    *out = last;
    set += static_cast<uint64_t>(std::popcount(last));
  }
  return FinishBitmap(std::move(bitmap), count, set);
}

// Levels read with absent ones as 0.
struct LevelView {
  explicit LevelView(const Levels& levels)
      : rep(levels.rep.empty() ? nullptr : levels.rep.data()),
        def(levels.def.empty() ? nullptr : levels.def.data()),
        count(levels.num_entries) {}

  uint16_t Rep(uint64_t i) const { return rep ? rep[i] : 0; }

  uint16_t Def(uint64_t i) const { return def ? def[i] : 0; }

  const uint16_t* rep;
  const uint16_t* def;
  uint64_t count;
};

struct ItemSlots {
  uint64_t count = 0;
  Validity validity;
};

// Slots of an item layer; `stride` entries of it make one slot (fixed-size lists inside).
arrow::Result<ItemSlots> DecodeItemLayer(const Levels& levels, const Layer& layer, uint64_t stride,
                                         bool has_lists, arrow::MemoryPool* pool) {
  ItemSlots slots;
  if (levels.def.empty() && !has_lists) {
    slots.count = levels.num_entries / stride;
    return slots;
  }
  if (!has_lists) {
    slots.count = levels.def.size() / stride;
    if (layer.own > 0) {
      ARROW_ASSIGN_OR_RAISE(slots.validity,
                            BitmapOfDefinitions(levels.def, layer.below, stride, pool));
    }
    return slots;
  }
  const LevelView view(levels);
  ARROW_ASSIGN_OR_RAISE(auto bitmap, arrow::AllocateResizableBuffer(BitmapBytes(view.count), pool));
  BitWriter writer(bitmap->mutable_data());
  if (stride == 1) {
    for (uint64_t i = 0; i < view.count; ++i) {
      const bool slot = view.Rep(i) >= layer.lists_inside && view.Def(i) <= layer.exists;
      writer.Put(view.Def(i) <= layer.below, slot);
    }
  } else {
    uint64_t position = 0;
    for (uint64_t i = 0; i < view.count; ++i) {
      const bool slot = view.Rep(i) >= layer.lists_inside && view.Def(i) <= layer.exists;
      writer.Put(view.Def(i) <= layer.below, slot && position == 0);
      position = slot ? (position + 1 == stride ? 0 : position + 1) : position;
    }
    GLAIVE_CHECK_FORMAT(position == 0, "a fixed-size list of ", stride, " slots ends after ",
                        position);
  }
  writer.Finish();
  slots.count = writer.total();
  if (layer.own > 0) {
    slots.validity = FinishBitmap(std::move(bitmap), writer.total(), writer.set());
  }
  return slots;
}

struct ListSlots {
  uint64_t count = 0;
  uint64_t num_children = 0;
  std::shared_ptr<arrow::Buffer> offsets;
  Validity validity;
};

// Slots of a list layer; `stride` entries below make one child.
template <typename Offset>
arrow::Result<ListSlots> DecodeListLayer(const Levels& levels, const Layer& layer, uint64_t stride,
                                         arrow::MemoryPool* pool) {
  const LevelView view(levels);
  if (view.count > static_cast<uint64_t>(std::numeric_limits<Offset>::max()) - 1) {
    return ResourceExhausted(
        "a list column of ", view.count,
        " entries in one read: more than its offsets can count; read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(auto bitmap, arrow::AllocateResizableBuffer(BitmapBytes(view.count), pool));
  const int64_t most = static_cast<int64_t>((view.count + 1) * sizeof(Offset));
  ARROW_ASSIGN_OR_RAISE(auto offsets, arrow::AllocateResizableBuffer(most, pool));
  auto* out = reinterpret_cast<Offset*>(offsets->mutable_data());
  BitWriter writer(bitmap->mutable_data());
  const uint16_t null_level =
      layer.is_nullable() ? static_cast<uint16_t>(layer.below + 1) : UINT16_MAX;
  uint64_t lists = 0;
  uint64_t children = 0;
  uint64_t ragged = 0;
  for (uint64_t i = 0; i < view.count; ++i) {
    const uint16_t rep = view.Rep(i);
    const uint16_t def = view.Def(i);
    const bool slot = rep > layer.lists_inside && def <= layer.exists;
    out[lists] = static_cast<Offset>(children);
    lists += slot;
    writer.Put(def != null_level && def <= layer.within, slot);
    if (stride > 1 && slot) {
      ragged |= children % stride;
    }
    children += rep >= layer.lists_inside && def <= layer.below;
  }
  out[lists] = static_cast<Offset>(children);
  writer.Finish();
  GLAIVE_CHECK_FORMAT(lists == 0 ? children == 0 : out[0] == 0, "list items before the first list");
  if (stride > 1) {
    GLAIVE_CHECK_FORMAT(ragged == 0 && children % stride == 0,
                        "a list whose items are no whole fixed-size lists of ", stride);
    for (uint64_t i = 0; i <= lists; ++i) {
      out[i] = static_cast<Offset>(static_cast<uint64_t>(out[i]) / stride);
    }
  }
  ARROW_RETURN_NOT_OK(offsets->Resize(static_cast<int64_t>((lists + 1) * sizeof(Offset)), true));
  ListSlots slots;
  slots.count = lists;
  slots.num_children = children / stride;
  slots.offsets = std::move(offsets);
  slots.validity = FinishBitmap(std::move(bitmap), writer.total(), writer.set());
  return slots;
}

}  // namespace

bool Layer::is_list() const {
  return kind != LayerKind::kAllValidItem && kind != LayerKind::kNullableItem;
}

bool Layer::is_nullable() const {
  return kind == LayerKind::kNullableItem || kind == LayerKind::kNullableList ||
         kind == LayerKind::kNullAndEmptyList;
}

bool Layer::is_emptyable() const {
  return kind == LayerKind::kEmptyableList || kind == LayerKind::kNullAndEmptyList;
}

Layers MakeLayers(const std::vector<LayerKind>& kinds) {
  Layers layers;
  for (const LayerKind kind : kinds) {
    Layer layer;
    layer.kind = kind;
    layer.own = OwnedLevels(kind);
    layer.below = layers.max_def;
    layer.within = static_cast<uint16_t>(layer.below + layer.own);
    layer.lists_inside = layers.num_lists;
    layers.max_def = layer.within;
    layers.num_lists = static_cast<uint16_t>(layers.num_lists + layer.is_list());
    layers.items.push_back(layer);
  }
  // From the outside in: all layers up to the next list strictly outside share their last number.
  uint16_t exists = layers.max_def;
  for (size_t i = layers.items.size(); i-- > 0;) {
    layers.items[i].exists = exists;
    if (layers.items[i].is_list()) {
      exists = layers.items[i].below;
    }
  }
  layers.max_visible = layers.items.empty() ? uint16_t{0} : layers.items[0].exists;
  return layers;
}

arrow::Status CheckLayers(const Layers& layers, const PathShape& shape) {
  GLAIVE_CHECK_FORMAT(layers.items.size() == shape.nodes.size() + 1, "page with ",
                      layers.items.size(), " layers, expected ", shape.nodes.size() + 1);
  GLAIVE_CHECK_FORMAT(!layers.items[0].is_list(), "the innermost layer is a list");
  for (size_t i = 1; i < layers.items.size(); ++i) {
    const PathNode& node = shape.nodes[shape.nodes.size() - i];
    GLAIVE_CHECK_FORMAT(node.is_list() == layers.items[i].is_list(), "layer ", i, " is ",
                        layers.items[i].is_list() ? "a list" : "an item", ", the field there is ",
                        node.type->ToString());
  }
  return arrow::Status::OK();
}

arrow::Status CheckLevels(std::span<const uint16_t> rep, std::span<const uint16_t> def,
                          const Layers& layers) {
  uint16_t highest_rep = 0;
  uint16_t highest_def = 0;
  for (const uint16_t level : rep) {
    highest_rep = std::max(highest_rep, level);
  }
  for (const uint16_t level : def) {
    highest_def = std::max(highest_def, level);
  }
  GLAIVE_CHECK_FORMAT(highest_rep <= layers.num_lists, "repetition level ", highest_rep, " with ",
                      layers.num_lists, " list layers");
  GLAIVE_CHECK_FORMAT(highest_def <= layers.max_def, "definition level ", highest_def,
                      ", the layers own ", layers.max_def);
  return arrow::Status::OK();
}

uint64_t CountVisible(std::span<const uint16_t> def, uint16_t max_visible) {
  uint64_t visible = 0;
  for (const uint16_t level : def) {
    visible += level <= max_visible;
  }
  return visible;
}

arrow::Result<Validity> LeafValidity(const Levels& levels, const Layers& layers,
                                     arrow::MemoryPool* pool) {
  if (levels.def.empty() || layers.items[0].own == 0) {
    // A leaf below a null struct reads as valid; the struct hides it.
    return Validity{};
  }
  ARROW_ASSIGN_OR_RAISE(auto slots,
                        DecodeItemLayer(levels, layers.items[0], 1, layers.num_lists > 0, pool));
  return std::move(slots.validity);
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> AssemblePath(
    const Levels& levels, const Layers& layers, const PathShape& shape,
    std::shared_ptr<arrow::ArrayData> leaf, arrow::MemoryPool* pool) {
  if (layers.num_lists > 0 && levels.num_entries > 0) {
    GLAIVE_CHECK_FORMAT(levels.rep[0] == layers.num_lists,
                        "levels that start in the middle of a row");
  }
  std::shared_ptr<arrow::ArrayData> array = std::move(leaf);
  uint64_t stride = 1;
  for (size_t i = 1; i < layers.items.size(); ++i) {
    const PathNode& node = shape.nodes[shape.nodes.size() - i];
    const Layer& layer = layers.items[i];
    const auto child_length = static_cast<uint64_t>(array->length);
    if (!node.is_list()) {
      stride *= static_cast<uint64_t>(node.dimension);
      ARROW_ASSIGN_OR_RAISE(auto slots,
                            DecodeItemLayer(levels, layer, stride, layers.num_lists > 0, pool));
      GLAIVE_CHECK_FORMAT(slots.count * static_cast<uint64_t>(node.dimension) == child_length,
                          "levels give ", slots.count, " slots of ", node.type->ToString(),
                          " over ", child_length, " children");
      array = arrow::ArrayData::Make(node.type, static_cast<int64_t>(slots.count),
                                     {std::move(slots.validity.bitmap)}, {std::move(array)},
                                     slots.validity.null_count);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto slots, node.kind == NodeKind::kList
                                          ? DecodeListLayer<int32_t>(levels, layer, stride, pool)
                                          : DecodeListLayer<int64_t>(levels, layer, stride, pool));
    GLAIVE_CHECK_FORMAT(slots.num_children == child_length, "levels give ", slots.num_children,
                        " items of ", node.type->ToString(), " over ", child_length, " children");
    array = arrow::ArrayData::Make(node.type, static_cast<int64_t>(slots.count),
                                   {std::move(slots.validity.bitmap), std::move(slots.offsets)},
                                   {std::move(array)}, slots.validity.null_count);
    stride = 1;
  }
  return array;
}

}  // namespace glaive::encoding
