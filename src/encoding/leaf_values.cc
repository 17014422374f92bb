#include "encoding/leaf_values.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding {

namespace {

using arrow::bit_util::BytesForBits;

/// Bits [offset, offset + length) of `bitmap`, moved to bit 0; no copy where the offset is whole
/// bytes.
arrow::Result<std::shared_ptr<arrow::Buffer>> AlignBits(
    const std::shared_ptr<arrow::Buffer>& bitmap, int64_t offset, int64_t length,
    arrow::MemoryPool* pool) {
  if (offset % 8 == 0) {
    return arrow::SliceBuffer(bitmap, offset / 8, BytesForBits(length));
  }
  return arrow::internal::CopyBitmap(pool, bitmap->data(), offset, length);
}

/// The first slot that counts, which there may not be.
size_t FirstValid(const std::vector<uint8_t>& valid) {
  return static_cast<size_t>(std::find(valid.begin(), valid.end(), uint8_t{1}) - valid.begin());
}

template <typename T>
void FillInvalid(const uint8_t* in, const std::vector<uint8_t>& valid, uint8_t* out) {
  const size_t first = FirstValid(valid);
  T last = first < valid.size() ? LoadLe<T>(in + first * sizeof(T)) : T{0};
  for (size_t i = 0; i < valid.size(); ++i) {
    const T value = LoadLe<T>(in + i * sizeof(T));
    last = valid[i] ? value : last;
    StoreLe<T>(out + i * sizeof(T), last);
  }
}

void ZeroInvalidWide(const uint8_t* in, const std::vector<uint8_t>& valid, size_t width,
                     uint8_t* out) {
  for (size_t i = 0; i < valid.size(); ++i) {
    if (valid[i]) {
      std::memcpy(out + i * width, in + i * width, width);
    } else {
      std::memset(out + i * width, 0, width);
    }
  }
}

/// A copy of byte-wide values in which slots that don't count repeat the value before them (runs
/// stay runs, and what the producer left in them is not stored), or are zero where values are wide.
arrow::Result<std::shared_ptr<arrow::Buffer>> Filled(const uint8_t* in,
                                                     const std::vector<uint8_t>& valid,
                                                     size_t width, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(static_cast<int64_t>(valid.size() * width), pool));
  uint8_t* to = out->mutable_data();
  switch (width) {
    case 1:
      FillInvalid<uint8_t>(in, valid, to);
      break;
    case 2:
      FillInvalid<uint16_t>(in, valid, to);
      break;
    case 4:
      FillInvalid<uint32_t>(in, valid, to);
      break;
    case 8:
      FillInvalid<uint64_t>(in, valid, to);
      break;
    default:
      ZeroInvalidWide(in, valid, width, to);
  }
  return out;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ZeroedBits(const arrow::Buffer& bits,
                                                         const std::vector<uint8_t>& valid,
                                                         arrow::MemoryPool* pool) {
  const auto length = static_cast<int64_t>(valid.size());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(BytesForBits(length), pool));
  std::memset(out->mutable_data(), 0, static_cast<size_t>(out->size()));
  for (int64_t i = 0; i < length; ++i) {
    if (valid[static_cast<size_t>(i)] && arrow::bit_util::GetBit(bits.data(), i)) {
      arrow::bit_util::SetBit(out->mutable_data(), i);
    }
  }
  return out;
}

/// Values of a fixed-width array, value 0 at bit 0, without a look at validity.
arrow::Result<std::shared_ptr<arrow::Buffer>> FixedData(const arrow::ArrayData& array, int64_t bits,
                                                        arrow::MemoryPool* pool) {
  const auto& buffer = array.buffers[1];
  if (buffer == nullptr || array.length == 0) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> none, arrow::AllocateBuffer(0, pool));
    return none;
  }
  if (bits == 1) {
    return AlignBits(buffer, array.offset, array.length, pool);
  }
  return arrow::SliceBuffer(buffer, array.offset * (bits / 8), array.length * (bits / 8));
}

arrow::Status FillFixed(const arrow::ArrayData& array, int64_t bits,
                        const std::vector<uint8_t>& valid, LeafValues* out,
                        arrow::MemoryPool* pool) {
  out->bits = static_cast<uint64_t>(bits);
  ARROW_ASSIGN_OR_RAISE(out->data, FixedData(array, bits, pool));
  if (!valid.empty() && bits == 1) {
    ARROW_ASSIGN_OR_RAISE(out->data, ZeroedBits(*out->data, valid, pool));
  } else if (!valid.empty()) {
    ARROW_ASSIGN_OR_RAISE(out->data,
                          Filled(out->data->data(), valid, static_cast<size_t>(bits / 8), pool));
  }
  return arrow::Status::OK();
}

template <typename Offset>
void FillViews(const arrow::ArrayData& array, const std::vector<uint8_t>& valid, LeafValues* out) {
  out->views.resize(static_cast<size_t>(array.length));
  if (array.length == 0) {
    return;
  }
  const auto* offsets = array.GetValues<Offset>(1);
  const char* bytes =
      array.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(array.buffers[2]->data());
  for (size_t i = 0; i < out->views.size(); ++i) {
    out->views[i] = {bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  for (size_t i = 0; i < valid.size(); ++i) {
    if (!valid[i]) {
      out->views[i] = {out->views[i].data(), 0};
    }
  }
}

/// Validity of the items of one list level: nulls below a row that does not count are none of its
/// own.
arrow::Result<std::shared_ptr<arrow::Buffer>> ItemValidity(const arrow::ArrayData& items,
                                                           uint64_t items_per_row,
                                                           const std::vector<uint8_t>& valid,
                                                           arrow::MemoryPool* pool) {
  if (items.GetNullCount() == 0 || items.buffers[0] == nullptr) {
    return std::shared_ptr<arrow::Buffer>();
  }
  ARROW_ASSIGN_OR_RAISE(auto bits, arrow::internal::CopyBitmap(pool, items.buffers[0]->data(),
                                                               items.offset, items.length));
  for (size_t row = 0; row < valid.size(); ++row) {
    if (!valid[row]) {
      arrow::bit_util::SetBitsTo(bits->mutable_data(), static_cast<int64_t>(row * items_per_row),
                                 static_cast<int64_t>(items_per_row), true);
    }
  }
  if (arrow::internal::CountSetBits(bits->data(), 0, items.length) == items.length) {
    return std::shared_ptr<arrow::Buffer>();
  }
  return bits;
}

/// Width of a type whose values are bits in one buffer, or 0.
int64_t FixedWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
    case arrow::Type::EXTENSION:
      return 0;
    default:
      return std::max(0, type.bit_width());
  }
}

arrow::Status FillFixedSizeList(const std::shared_ptr<arrow::Array>& leaf,
                                const std::vector<uint8_t>& valid, LeafValues* out,
                                arrow::MemoryPool* pool) {
  out->kind = LeafValues::Kind::kFixedSizeList;
  std::shared_ptr<arrow::Array> current = leaf;
  uint64_t items = 1;
  while (current->type_id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListArray&>(*current);
    const auto dimension = static_cast<uint64_t>(list.list_type()->list_size());
    GLAIVE_CHECK_ARGUMENT(dimension > 0, "a fixed_size_list of 0 items cannot be stored");
    items *= dimension;
    current =
        list.values()->Slice(list.value_offset(0), list.length() * static_cast<int64_t>(dimension));
    ARROW_ASSIGN_OR_RAISE(auto validity, ItemValidity(*current->data(), items, valid, pool));
    out->levels.push_back({dimension, std::move(validity)});
  }
  const int64_t bits = FixedWidth(*current->type());
  if (bits == 0) {
    return Unsupported("fixed_size_list of ", current->type()->ToString());
  }
  out->bits = static_cast<uint64_t>(bits);
  ARROW_ASSIGN_OR_RAISE(out->data, FixedData(*current->data(), bits, pool));
  if (!valid.empty() && bits * static_cast<int64_t>(items) % 8 == 0) {
    ARROW_ASSIGN_OR_RAISE(
        out->data, Filled(out->data->data(), valid, static_cast<size_t>(bits) * items / 8, pool));
  }
  return arrow::Status::OK();
}

/// The items that are not null, and for each item its place among these.
arrow::Result<std::shared_ptr<arrow::Array>> ValidItems(const std::shared_ptr<arrow::Array>& items,
                                                        std::vector<uint64_t>* places,
                                                        arrow::MemoryPool* pool) {
  arrow::ArrayVector runs;
  int64_t kept = 0;
  int64_t start = 0;
  places->resize(static_cast<size_t>(items->length()));
  for (int64_t i = 0; i <= items->length(); ++i) {
    const bool valid = i < items->length() && items->IsValid(i);
    if (i < items->length()) {
      (*places)[static_cast<size_t>(i)] = static_cast<uint64_t>(kept);
    }
    if (valid) {
      ++kept;
      continue;
    }
    if (i > start) {
      runs.push_back(items->Slice(start, i - start));
    }
    start = i + 1;
  }
  return runs.empty() ? items->Slice(0, 0) : arrow::Concatenate(runs, pool);
}

/// Keys that point to `places` instead of items. A key without a place belongs to a null.
arrow::Status MoveKeys(const std::vector<uint64_t>& places, LeafValues* keys,
                       arrow::MemoryPool* pool) {
  const size_t width = keys->bits / 8;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> moved,
                        arrow::AllocateBuffer(keys->length * static_cast<int64_t>(width), pool));
  for (size_t row = 0; row < static_cast<size_t>(keys->length); ++row) {
    uint64_t key = 0;
    std::memcpy(&key, keys->data->data() + row * width, width);
    const uint64_t place = key < places.size() ? places[key] : 0;
    std::memcpy(moved->mutable_data() + row * width, &place, width);
  }
  keys->data = std::move(moved);
  return arrow::Status::OK();
}

/// Null items are left out of the dictionary: the rows that have them are null by their levels.
arrow::Status FillDictionary(const std::shared_ptr<arrow::Array>& leaf,
                             const std::vector<uint8_t>& valid, LeafValues* out,
                             arrow::MemoryPool* pool) {
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*leaf);
  out->kind = LeafValues::Kind::kDictionary;
  ARROW_RETURN_NOT_OK(FillFixed(*dictionary.indices()->data(),
                                FixedWidth(*dictionary.indices()->type()), valid, out, pool));
  auto items = dictionary.dictionary();
  if (items->null_count() > 0) {
    std::vector<uint64_t> places;
    ARROW_ASSIGN_OR_RAISE(items, ValidItems(items, &places, pool));
    ARROW_RETURN_NOT_OK(MoveKeys(places, out, pool));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, MakeLeafValues(items, {}, LeafKind::kPrimitive, pool));
  if (values.kind != LeafValues::Kind::kFixed && values.kind != LeafValues::Kind::kVariable) {
    return Unsupported("a dictionary of ", items->type()->ToString());
  }
  out->dictionary = std::make_shared<LeafValues>(std::move(values));
  return arrow::Status::OK();
}

arrow::Result<LeafValues> MemberValues(const std::shared_ptr<arrow::Array>& member,
                                       const std::string& name, const std::vector<uint8_t>& valid,
                                       arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto values, MakeLeafValues(member, valid, LeafKind::kPrimitive, pool));
  const bool fixed =
      (values.kind == LeafValues::Kind::kFixed ||
       (values.kind == LeafValues::Kind::kFixedSizeList && !values.has_item_validity())) &&
      values.bits % 8 == 0;
  if (!fixed && values.kind != LeafValues::Kind::kVariable) {
    return Unsupported("member ", name, " of type ", member->type()->ToString(),
                       " in a packed struct");
  }
  for (int64_t i = 0; i < member->length(); ++i) {
    GLAIVE_CHECK_ARGUMENT(member->IsValid(i) || (!valid.empty() && !valid[static_cast<size_t>(i)]),
                          "member ", name, " of a packed struct is null in slot ", i,
                          "; packed members cannot be null");
  }
  return values;
}

arrow::Status PackFixedRows(const std::vector<LeafValues>& members, LeafValues* out,
                            arrow::MemoryPool* pool) {
  const size_t stride = out->bits / 8;
  const auto rows = static_cast<size_t>(out->length);
  ARROW_ASSIGN_OR_RAISE(out->data,
                        arrow::AllocateBuffer(static_cast<int64_t>(rows * stride), pool));
  uint8_t* to = out->data->mutable_data();
  for (const auto& member : members) {
    const size_t width = member.bits / 8;
    const uint8_t* from = member.data->data();
    for (size_t row = 0; row < rows; ++row) {
      std::memcpy(to + row * stride, from + row * width, width);
    }
    to += width;
  }
  return arrow::Status::OK();
}

void StoreLength(uint64_t bits, uint64_t length, uint8_t* to) {
  if (bits == 32) {
    StoreLe(to, static_cast<uint32_t>(length));
  } else {
    StoreLe(to, length);
  }
}

arrow::Status PackVariableRows(const std::vector<LeafValues>& members,
                               const std::vector<uint8_t>& valid, LeafValues* out,
                               arrow::MemoryPool* pool) {
  const auto rows = static_cast<size_t>(out->length);
  uint64_t total = 0;
  for (const auto& member : members) {
    total += member.kind == LeafValues::Kind::kVariable
                 ? member.total_view_bytes() + rows * (member.offset_bits / 8)
                 : rows * (member.bits * member.items_per_value() / 8);
  }
  ARROW_ASSIGN_OR_RAISE(out->data, arrow::AllocateBuffer(static_cast<int64_t>(total), pool));
  uint8_t* to = out->data->mutable_data();
  out->views.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t* start = to;
    const bool counts = valid.empty() || valid[row];
    for (size_t m = 0; counts && m < members.size(); ++m) {
      const auto& member = members[m];
      if (member.kind == LeafValues::Kind::kVariable) {
        const auto view = member.views[row];
        StoreLength(member.offset_bits, view.size(), to);
        to += member.offset_bits / 8;
        std::memcpy(to, view.data(), view.size());
        to += view.size();
      } else {
        const size_t width = member.bits * member.items_per_value() / 8;
        std::memcpy(to, member.data->data() + row * width, width);
        to += width;
      }
    }
    out->views[row] = {reinterpret_cast<const char*>(start), static_cast<size_t>(to - start)};
  }
  return arrow::Status::OK();
}

arrow::Status FillPacked(const std::shared_ptr<arrow::Array>& leaf,
                         const std::vector<uint8_t>& valid, LeafValues* out,
                         arrow::MemoryPool* pool) {
  const auto& rows = static_cast<const arrow::StructArray&>(*leaf);
  std::vector<LeafValues> members;
  bool variable = false;
  for (int i = 0; i < rows.num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        auto values,
        MemberValues(rows.field(i), rows.struct_type()->field(i)->name(), valid, pool));
    const bool is_variable = values.kind == LeafValues::Kind::kVariable;
    // Other writers store rows with list members the variable way, too.
    variable |= is_variable || !values.levels.empty();
    LeafValues::Member described{is_variable, is_variable ? values.offset_bits : values.bits, {}};
    for (const auto& level : values.levels) {
      described.dimensions.push_back(level.dimension);
    }
    out->members.push_back(std::move(described));
    out->bits += is_variable ? 0 : values.bits;
    members.push_back(std::move(values));
  }
  if (variable) {
    out->kind = LeafValues::Kind::kPackedVariable;
    return PackVariableRows(members, valid, out, pool);
  }
  out->kind = LeafValues::Kind::kPackedFixed;
  return PackFixedRows(members, out, pool);
}

}  // namespace

uint64_t LeafValues::items_per_value() const {
  uint64_t items = 1;
  for (const auto& level : levels) {
    items *= level.dimension;
  }
  return items;
}

bool LeafValues::has_item_validity() const {
  return std::any_of(levels.begin(), levels.end(),
                     [](const auto& level) { return level.validity != nullptr; });
}

uint64_t LeafValues::total_view_bytes() const {
  uint64_t total = 0;
  for (const auto& view : views) {
    total += view.size();
  }
  return total;
}

uint64_t LeafValues::longest_view() const {
  uint64_t longest = 0;
  for (const auto& view : views) {
    longest = std::max<uint64_t>(longest, view.size());
  }
  return longest;
}

arrow::Result<LeafValues> MakeLeafValues(const std::shared_ptr<arrow::Array>& leaf,
                                         const std::vector<uint8_t>& valid, LeafKind kind,
                                         arrow::MemoryPool* pool) {
  LeafValues out;
  out.length = leaf->length();
  out.keep_alive = leaf;
  const auto& type = *leaf->type();
  if (type.id() == arrow::Type::NA ||
      (type.id() == arrow::Type::STRUCT && type.num_fields() == 0)) {
    return out;
  }
  if (type.id() == arrow::Type::STRUCT && kind != LeafKind::kPrimitive) {
    ARROW_RETURN_NOT_OK(FillPacked(leaf, valid, &out, pool));
    return out;
  }
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    ARROW_RETURN_NOT_OK(FillFixedSizeList(leaf, valid, &out, pool));
    return out;
  }
  if (type.id() == arrow::Type::DICTIONARY) {
    ARROW_RETURN_NOT_OK(FillDictionary(leaf, valid, &out, pool));
    return out;
  }
  if (arrow::is_base_binary_like(type.id())) {
    const bool large = arrow::is_large_binary_like(type.id());
    out.kind = LeafValues::Kind::kVariable;
    out.offset_bits = large ? 64 : 32;
    out.is_text = arrow::is_string(type.id());
    if (large) {
      FillViews<int64_t>(*leaf->data(), valid, &out);
    } else {
      FillViews<int32_t>(*leaf->data(), valid, &out);
    }
    return out;
  }
  const int64_t bits = FixedWidth(type);
  if (bits == 0) {
    return Unsupported("type ", type.ToString(), " cannot be stored in a page");
  }
  out.kind = LeafValues::Kind::kFixed;
  ARROW_RETURN_NOT_OK(FillFixed(*leaf->data(), bits, valid, &out, pool));
  return out;
}

}  // namespace glaive::encoding
