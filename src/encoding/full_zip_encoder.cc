#include "encoding/full_zip_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/status.h"
#include "encoding/page_parts.h"

namespace glaive::encoding {

namespace {

uint32_t BitsFor(const std::vector<uint16_t>& levels) {
  uint16_t all = 0;
  for (uint16_t level : levels) {
    all |= level;
  }
  return static_cast<uint32_t>(std::bit_width(all));
}

/// Packs a repetition and a definition level in 0, 1, 2 or 4 bytes.
struct ControlWords {
  explicit ControlWords(const ShreddedLeaf& leaf)
      : rep(leaf.rep.empty() ? nullptr : leaf.rep.data()),
        def(leaf.def.empty() ? nullptr : leaf.def.data()),
        bits_rep(BitsFor(leaf.rep)),
        bits_def(BitsFor(leaf.def)) {
    const uint32_t bits = bits_rep + bits_def;
    size = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  }

  uint8_t* Put(size_t entry, uint8_t* to) const {
    const uint32_t r = rep == nullptr ? 0 : rep[entry];
    const uint32_t d = def == nullptr ? 0 : def[entry];
    const uint32_t word = (r << bits_def) | d;
    switch (size) {
      case 1:
        *to = static_cast<uint8_t>(word);
        break;
      case 2:
        StoreLe(to, static_cast<uint16_t>(word));
        break;
      case 4:
        StoreLe(to, word);
        break;
      default:
        break;
    }
    return to + size;
  }

  const uint16_t* rep;
  const uint16_t* def;
  uint32_t bits_rep;
  uint32_t bits_def;
  size_t size = 0;
};

template <typename T>
void StoreAll(const std::vector<uint64_t>& numbers, uint8_t* to) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    StoreLe(to + i * sizeof(T), static_cast<T>(numbers[i]));
  }
}

/// Row starts and the total, in the narrowest integers that hold the total.
arrow::Result<std::shared_ptr<arrow::Buffer>> RepetitionIndex(const std::vector<uint64_t>& starts,
                                                              arrow::MemoryPool* pool) {
  const uint64_t total = starts.back();
  const size_t width = total <= 0xff ? 1 : total <= 0xffff ? 2 : total <= 0xffffffff ? 4 : 8;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> index,
                        arrow::AllocateBuffer(static_cast<int64_t>(starts.size() * width), pool));
  uint8_t* to = index->mutable_data();
  switch (width) {
    case 1:
      StoreAll<uint8_t>(starts, to);
      break;
    case 2:
      StoreAll<uint16_t>(starts, to);
      break;
    case 4:
      StoreAll<uint32_t>(starts, to);
      break;
    default:
      StoreAll<uint64_t>(starts, to);
  }
  return index;
}

void DescribeLevels(const ShreddedLeaf& leaf, const ControlWords& control,
                    lance::encodings21::FullZipLayout* zip) {
  zip->set_bits_rep(control.bits_rep);
  zip->set_bits_def(control.bits_def);
  zip->set_num_items(static_cast<uint64_t>(leaf.num_entries));
  zip->set_num_visible_items(static_cast<uint64_t>(leaf.num_visible()));
  AddLayers(leaf.layers, zip->mutable_layers());
}

bool Visible(const ShreddedLeaf& leaf, size_t entry) {
  return leaf.def.empty() || leaf.def[entry] <= leaf.max_visible;
}

bool StartsRow(const ShreddedLeaf& leaf, size_t entry) {
  return leaf.rep.empty() || leaf.rep[entry] == leaf.max_rep;
}

/// A boolean takes a whole byte here.
arrow::Result<std::shared_ptr<arrow::Buffer>> WidenBits(const LeafValues& values,
                                                        arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                        arrow::AllocateBuffer(values.length, pool));
  for (int64_t i = 0; i < values.length; ++i) {
    bytes->mutable_data()[i] = arrow::bit_util::GetBit(values.data->data(), i) ? 1 : 0;
  }
  return bytes;
}

/// Where the bytes of a fixed-width value come from.
class FixedRows {
 public:
  FixedRows(const LeafValues& values, const uint8_t* data, uint64_t item_bits) : data_(data) {
    items_bytes_ = item_bits * values.items_per_value() / 8;
    uint64_t slots = 1;
    for (const auto& level : values.levels) {
      slots *= level.dimension;
      if (level.validity != nullptr) {
        validity_.push_back({level.validity->data(), slots});
        validity_bytes_ += (slots + 7) / 8;
      }
    }
  }

  uint64_t size() const { return validity_bytes_ + items_bytes_; }

  uint8_t* Put(size_t slot, uint8_t* to) const {
    for (const auto& [bitmap, slots] : validity_) {
      const uint64_t size = (slots + 7) / 8;
      std::memset(to, 0, size);
      arrow::internal::CopyBitmap(bitmap, static_cast<int64_t>(slot * slots),
                                  static_cast<int64_t>(slots), to, 0);
      to += size;
    }
    std::memcpy(to, data_ + slot * items_bytes_, items_bytes_);
    return to + items_bytes_;
  }

 private:
  const uint8_t* data_;
  std::vector<std::pair<const uint8_t*, uint64_t>> validity_;
  uint64_t validity_bytes_ = 0;
  uint64_t items_bytes_ = 0;
};

void DescribeFixed(const LeafValues& values, uint64_t item_bits,
                   lance::encodings21::CompressiveEncoding* encoding) {
  if (values.kind == LeafValues::Kind::kPackedFixed) {
    auto* packed = encoding->mutable_packed_struct();
    for (const auto& member : values.members) {
      packed->add_bits_per_value(member.bits);
    }
    encoding = packed->mutable_values();
  }
  for (const auto& level : values.levels) {
    auto* list = encoding->mutable_fixed_size_list();
    list->set_items_per_value(level.dimension);
    list->set_has_validity(level.validity != nullptr);
    encoding = list->mutable_values();
  }
  encoding->mutable_flat()->set_bits_per_value(item_bits);
}

}  // namespace

arrow::Result<EncodedPage> EncodeFullZipFixed(const ShreddedLeaf& leaf, const LeafValues& values,
                                              arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Buffer> data = values.data;
  uint64_t item_bits = values.bits;
  if (values.kind == LeafValues::Kind::kFixed && item_bits == 1) {
    ARROW_ASSIGN_OR_RAISE(data, WidenBits(values, pool));
    item_bits = 8;
  }
  if (item_bits * values.items_per_value() % 8 != 0) {
    return Unsupported("full-zip values of ", item_bits * values.items_per_value(), " bits");
  }
  const ControlWords control(leaf);
  const FixedRows rows(values, data->data(), item_bits);
  lance::encodings21::PageLayout layout;
  auto* zip = layout.mutable_full_zip_layout();
  DescribeLevels(leaf, control, zip);
  zip->set_bits_per_value(static_cast<uint32_t>(rows.size() * 8));
  DescribeFixed(values, item_bits, zip->mutable_value_compression());

  EncodedPage page;
  page.num_rows = static_cast<uint64_t>(leaf.num_rows);
  page.encoding = WrapLayout(layout);
  if (control.size == 0 && !values.has_item_validity() && leaf.rep.empty()) {
    page.buffers = {data};
    return page;
  }
  const auto entries = static_cast<size_t>(leaf.num_entries);
  const uint64_t total =
      entries * control.size + static_cast<uint64_t>(leaf.num_visible()) * rows.size();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> zipped,
                        arrow::AllocateBuffer(static_cast<int64_t>(total), pool));
  uint8_t* to = zipped->mutable_data();
  std::vector<uint64_t> starts;
  size_t slot = 0;
  for (size_t entry = 0; entry < entries; ++entry) {
    if (!leaf.rep.empty() && StartsRow(leaf, entry)) {
      starts.push_back(static_cast<uint64_t>(to - zipped->data()));
    }
    to = control.Put(entry, to);
    if (Visible(leaf, entry)) {
      to = rows.Put(slot++, to);
    }
  }
  page.buffers = {zipped};
  if (!leaf.rep.empty()) {
    starts.push_back(total);
    ARROW_ASSIGN_OR_RAISE(auto index, RepetitionIndex(starts, pool));
    page.buffers.push_back(std::move(index));
  }
  return page;
}

arrow::Result<EncodedPage> EncodeFullZipVariable(
    const ShreddedLeaf& leaf, const LeafValues& values,
    const lance::encodings21::CompressiveEncoding& encoding, arrow::MemoryPool* pool) {
  const ControlWords control(leaf);
  const auto entries = static_cast<size_t>(leaf.num_entries);
  const uint64_t length_bytes = values.offset_bits / 8;
  uint64_t total = entries * control.size;
  size_t slot = 0;
  for (size_t entry = 0; entry < entries; ++entry) {
    if (Visible(leaf, entry)) {
      const bool valid = leaf.def.empty() || leaf.def[entry] == 0;
      total += valid ? length_bytes + values.views[slot].size() : 0;
      ++slot;
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> zipped,
                        arrow::AllocateBuffer(static_cast<int64_t>(total), pool));
  uint8_t* to = zipped->mutable_data();
  std::vector<uint64_t> starts;
  starts.reserve(static_cast<size_t>(leaf.num_rows) + 1);
  slot = 0;
  for (size_t entry = 0; entry < entries; ++entry) {
    if (StartsRow(leaf, entry)) {
      starts.push_back(static_cast<uint64_t>(to - zipped->data()));
    }
    to = control.Put(entry, to);
    if (!Visible(leaf, entry)) {
      continue;
    }
    const auto view = values.views[slot++];
    if (!leaf.def.empty() && leaf.def[entry] != 0) {
      continue;
    }
    if (length_bytes == 4) {
      StoreLe(to, static_cast<uint32_t>(view.size()));
    } else {
      StoreLe(to, static_cast<uint64_t>(view.size()));
    }
    to += length_bytes;
    if (!view.empty()) {
      std::memcpy(to, view.data(), view.size());
    }
    to += view.size();
  }
  starts.push_back(total);

  lance::encodings21::PageLayout layout;
  auto* zip = layout.mutable_full_zip_layout();
  DescribeLevels(leaf, control, zip);
  zip->set_bits_per_offset(values.offset_bits);
  *zip->mutable_value_compression() = encoding;
  EncodedPage page;
  page.num_rows = static_cast<uint64_t>(leaf.num_rows);
  page.encoding = WrapLayout(layout);
  ARROW_ASSIGN_OR_RAISE(auto index, RepetitionIndex(starts, pool));
  page.buffers = {zipped, std::move(index)};
  return page;
}

}  // namespace glaive::encoding
