#include "encoding/shred.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "base/limits.h"
#include "base/status.h"

namespace glaive::encoding {

namespace {

constexpr std::array<uint64_t, 256> MakeBitsToBytes() {
  std::array<uint64_t, 256> table{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    for (uint64_t bit = 0; bit < 8; ++bit) {
      table[byte] |= ((byte >> bit) & 1) << (8 * bit);
    }
  }
  return table;
}

constexpr std::array<uint64_t, 256> kBitsToBytes = MakeBitsToBytes();

void ExpandBitmap(const uint8_t* bitmap, int64_t offset, int64_t length, uint8_t* out) {
  int64_t i = 0;
  for (; i < length && (offset + i) % 8 != 0; ++i) {
    out[i] = arrow::bit_util::GetBit(bitmap, offset + i) ? 1 : 0;
  }
  for (; i + 8 <= length; i += 8) {
    std::memcpy(out + i, &kBitsToBytes[bitmap[(offset + i) / 8]], 8);
  }
  for (; i < length; ++i) {
    out[i] = arrow::bit_util::GetBit(bitmap, offset + i) ? 1 : 0;
  }
}

std::vector<uint8_t> DictionaryValidity(const arrow::DictionaryArray& array) {
  const auto& dictionary = *array.dictionary();
  std::vector<uint8_t> valid(static_cast<size_t>(array.length()), 1);
  bool any_null = false;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i) || dictionary.IsNull(array.GetValueIndex(i))) {
      valid[static_cast<size_t>(i)] = 0;
      any_null = true;
    }
  }
  if (!any_null) {
    valid.clear();
  }
  return valid;
}

/// While walking down, definition levels are codes by depth (0 = valid so far, 2d = null at depth
/// d, 2d+1 = empty list at depth d; the top-level field has depth 1) and repetition levels are the
/// ordinal of the list that goes on (1 = outermost, 0 = a new row). Which numbers they become is
/// known at the leaf.
class Shredder {
 public:
  Shredder(LeafKind kind, arrow::MemoryPool* pool) : kind_(kind), pool_(pool) {}

  arrow::Result<ShreddedLeaf> Run(const std::shared_ptr<arrow::Array>& path) {
    current_ = path;
    entries_ = path->length();
    while (!IsLeafType(*current_->type(), kind_)) {
      ARROW_RETURN_NOT_OK(Descend());
      GLAIVE_CHECK_ARGUMENT(depth_ < kMaxNesting, "nesting deeper than ", kMaxNesting);
    }
    BeginLayer(/*is_list=*/false);
    const bool no_values =
        current_->type_id() == arrow::Type::STRUCT && current_->type()->num_fields() == 0;
    if (no_values) {
      MarkNulls(std::vector<uint8_t>(static_cast<size_t>(current_->length()), 0));
    } else {
      MarkNulls(ValidityBytes(*current_));
    }
    return Finish(path->length());
  }

 private:
  struct Step {
    bool is_list = false;
    bool has_null = false;
    bool has_empty = false;
  };

  void BeginLayer(bool is_list) {
    ++depth_;
    steps_.push_back({is_list, false, false});
  }

  uint8_t NullCode() const { return static_cast<uint8_t>(2 * depth_); }

  uint8_t EmptyCode() const { return static_cast<uint8_t>(2 * depth_ + 1); }

  /// An entry that ended above or at the innermost list has no slot below it.
  bool HasSlot(uint8_t code) const { return code == 0 || code > last_list_code_; }

  arrow::Status Descend() {
    switch (current_->type_id()) {
      case arrow::Type::STRUCT:
        GLAIVE_CHECK_ARGUMENT(current_->type()->num_fields() == 1,
                              "a path struct must have one member, ", current_->type()->ToString(),
                              " has ", current_->type()->num_fields());
        BeginLayer(false);
        MarkNulls(ValidityBytes(*current_));
        current_ = std::static_pointer_cast<arrow::StructArray>(current_)->field(0);
        return arrow::Status::OK();
      case arrow::Type::LIST:
        BeginLayer(true);
        return DescendList(static_cast<const arrow::ListArray&>(*current_));
      case arrow::Type::LARGE_LIST:
        BeginLayer(true);
        return DescendList(static_cast<const arrow::LargeListArray&>(*current_));
      case arrow::Type::FIXED_SIZE_LIST:
        BeginLayer(false);
        return DescendFixedSizeList(static_cast<const arrow::FixedSizeListArray&>(*current_));
      default:
        return Unsupported("type ", current_->type()->ToString(), " cannot be stored in a page");
    }
  }

  void MarkNulls(const std::vector<uint8_t>& valid) {
    if (valid.empty()) {
      return;
    }
    if (def_.empty()) {
      def_.resize(static_cast<size_t>(entries_), 0);
    }
    const uint8_t code = NullCode();
    bool any = false;
    size_t slot = 0;
    for (auto& def : def_) {
      if (!HasSlot(def)) {
        continue;
      }
      const bool null = def == 0 && valid[slot] == 0;
      def = null ? code : def;
      any |= null;
      ++slot;
    }
    steps_.back().has_null = any;
  }

  template <typename ListArray>
  arrow::Status DescendList(const ListArray& list) {
    const auto valid = ValidityBytes(list);
    const auto* offsets = list.raw_value_offsets();
    ++lists_;
    const auto ordinal = static_cast<uint8_t>(lists_);
    std::vector<uint8_t> rep;
    std::vector<uint8_t> def;
    const auto expected = static_cast<size_t>(
        entries_ + (list.length() > 0 ? offsets[list.length()] - offsets[0] : 0));
    rep.reserve(expected);
    def.reserve(expected);
    Step& step = steps_.back();
    size_t slot = 0;
    for (size_t entry = 0; entry < static_cast<size_t>(entries_); ++entry) {
      const uint8_t entry_rep = rep_.empty() ? uint8_t{0} : rep_[entry];
      uint8_t entry_def = def_.empty() ? uint8_t{0} : def_[entry];
      if (HasSlot(entry_def)) {
        const int64_t start = offsets[slot];
        const int64_t count = offsets[slot + 1] - start;
        const bool null = !valid.empty() && valid[slot] == 0;
        ++slot;
        if (entry_def == 0) {
          if (!null && count > 0) {
            AddChildren(start, count);
            rep.push_back(entry_rep);
            rep.insert(rep.end(), static_cast<size_t>(count - 1), ordinal);
            def.insert(def.end(), static_cast<size_t>(count), uint8_t{0});
            continue;
          }
          entry_def = null ? NullCode() : EmptyCode();
          (null ? step.has_null : step.has_empty) = true;
        }
      }
      rep.push_back(entry_rep);
      def.push_back(entry_def);
    }
    rep_ = std::move(rep);
    def_ = std::move(def);
    entries_ = static_cast<int64_t>(rep_.size());
    last_list_code_ = EmptyCode();
    return TakeChildren(list.values());
  }

  /// Every slot, null or not, has `dimension` children that all count as entries.
  arrow::Status DescendFixedSizeList(const arrow::FixedSizeListArray& list) {
    if (lists_ > 0) {
      return Unsupported("fixed_size_list of struct below a list");
    }
    const auto dimension = static_cast<size_t>(list.list_type()->list_size());
    MarkNulls(ValidityBytes(list));
    if (!def_.empty()) {
      std::vector<uint8_t> def;
      def.reserve(def_.size() * dimension);
      for (uint8_t code : def_) {
        def.insert(def.end(), dimension, code);
      }
      def_ = std::move(def);
    }
    entries_ *= static_cast<int64_t>(dimension);
    current_ = list.values()->Slice(list.value_offset(0), entries_);
    return arrow::Status::OK();
  }

  void AddChildren(int64_t start, int64_t count) {
    if (!children_.empty() && children_.back().first + children_.back().second == start) {
      children_.back().second += count;
    } else {
      children_.emplace_back(start, count);
    }
  }

  arrow::Status TakeChildren(const std::shared_ptr<arrow::Array>& values) {
    const auto ranges = std::exchange(children_, {});
    if (ranges.size() <= 1) {
      current_ =
          ranges.empty() ? values->Slice(0, 0) : values->Slice(ranges[0].first, ranges[0].second);
      return arrow::Status::OK();
    }
    arrow::ArrayVector slices;
    slices.reserve(ranges.size());
    for (const auto& [start, count] : ranges) {
      slices.push_back(values->Slice(start, count));
    }
    ARROW_ASSIGN_OR_RAISE(current_, arrow::Concatenate(slices, pool_));
    return arrow::Status::OK();
  }

  ShreddedLeaf Finish(int64_t path_rows) {
    ShreddedLeaf out;
    std::array<uint16_t, 2 * kMaxNesting + 4> levels{};
    uint16_t next = 1;
    bool met_list = false;
    for (size_t depth = steps_.size(); depth >= 1; --depth) {
      const Step& step = steps_[depth - 1];
      if (step.is_list && !met_list) {
        met_list = true;
        out.max_visible = static_cast<uint16_t>(next - 1);
      }
      out.layers.push_back(LayerOf(step));
      if (step.has_null) {
        levels[2 * depth] = next++;
      }
      if (step.has_empty) {
        levels[2 * depth + 1] = next++;
      }
    }
    out.max_def = static_cast<uint16_t>(next - 1);
    if (!met_list) {
      out.max_visible = out.max_def;
    }
    out.max_rep = static_cast<uint16_t>(lists_);
    out.num_entries = entries_;
    out.num_rows = lists_ > 0 ? path_rows : entries_;
    out.leaf = current_;
    if (out.max_def > 0) {
      FillLevels(levels, &out);
    }
    if (lists_ > 0) {
      out.rep.resize(rep_.size());
      for (size_t i = 0; i < rep_.size(); ++i) {
        out.rep[i] = static_cast<uint16_t>(lists_ - rep_[i]);
      }
    }
    return out;
  }

  template <typename Levels>
  void FillLevels(const Levels& levels, ShreddedLeaf* out) {
    out->def.resize(def_.size());
    for (size_t i = 0; i < def_.size(); ++i) {
      out->def[i] = levels[def_[i]];
    }
    if (out->max_visible == 0) {
      return;
    }
    out->valid.resize(static_cast<size_t>(current_->length()));
    size_t slot = 0;
    for (uint16_t def : out->def) {
      if (def <= out->max_visible) {
        out->valid[slot++] = def == 0 ? 1 : 0;
      }
    }
  }

  static RepDefLayer LayerOf(const Step& step) {
    if (!step.is_list) {
      return step.has_null ? RepDefLayer::kNullableItem : RepDefLayer::kAllValidItem;
    }
    if (step.has_null) {
      return step.has_empty ? RepDefLayer::kNullAndEmptyList : RepDefLayer::kNullableList;
    }
    return step.has_empty ? RepDefLayer::kEmptyableList : RepDefLayer::kAllValidList;
  }

  LeafKind kind_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::Array> current_;
  int64_t entries_ = 0;
  uint32_t depth_ = 0;
  uint32_t lists_ = 0;
  uint8_t last_list_code_ = 0;
  std::vector<Step> steps_;
  std::vector<uint8_t> rep_;
  std::vector<uint8_t> def_;
  std::vector<std::pair<int64_t, int64_t>> children_;
};

bool IsStructural(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return type.num_fields() > 0;
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::MAP:
      return true;
    case arrow::Type::FIXED_SIZE_LIST:
      return IsStructural(*type.field(0)->type());
    default:
      return false;
  }
}

}  // namespace

bool IsLeafType(const arrow::DataType& type, LeafKind kind) {
  if (kind == LeafKind::kPrimitive) {
    return !IsStructural(type);
  }
  // The leaf is a struct itself: the one whose members have no structure of their own.
  return !IsStructural(type) ||
         (type.id() == arrow::Type::STRUCT &&
          std::none_of(type.fields().begin(), type.fields().end(),
                       [](const auto& field) { return IsStructural(*field->type()); }));
}

std::vector<uint8_t> ValidityBytes(const arrow::Array& array) {
  if (array.type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
    if (array.null_count() == 0 && dictionary.dictionary()->null_count() == 0) {
      return {};
    }
    return DictionaryValidity(dictionary);
  }
  if (array.null_count() == 0) {
    return {};
  }
  std::vector<uint8_t> valid(static_cast<size_t>(array.length()), 0);
  if (array.type_id() != arrow::Type::NA) {
    ExpandBitmap(array.null_bitmap_data(), array.offset(), array.length(), valid.data());
  }
  return valid;
}

int64_t ShreddedLeaf::num_visible() const {
  return leaf->length();
}

bool ShreddedLeaf::all_null() const {
  return !valid.empty() && std::find(valid.begin(), valid.end(), uint8_t{1}) == valid.end();
}

bool ShreddedLeaf::nullable_item_outside_list() const {
  bool met_list = false;
  for (RepDefLayer layer : layers) {
    if (layer == RepDefLayer::kNullableItem && met_list) {
      return true;
    }
    met_list |= layer != RepDefLayer::kNullableItem && layer != RepDefLayer::kAllValidItem;
  }
  return false;
}

arrow::Result<ShreddedLeaf> Shred(const std::shared_ptr<arrow::Array>& path, LeafKind kind,
                                  arrow::MemoryPool* pool) {
  return Shredder(kind, pool).Run(path);
}

}  // namespace glaive::encoding
