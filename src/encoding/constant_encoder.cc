#include "encoding/constant_encoder.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include "base/bytes.h"
#include "encoding/page_parts.h"

namespace glaive::encoding {

namespace {

constexpr size_t kMaxInlineBytes = 32;

Bytes RawLevels(const std::vector<uint16_t>& levels) {
  return {reinterpret_cast<const uint8_t*>(levels.data()), levels.size() * sizeof(uint16_t)};
}

arrow::Status AppendRawLevels(const ShreddedLeaf& leaf, Buffers* buffers, arrow::MemoryPool* pool) {
  for (const auto* levels : {&leaf.rep, &leaf.def}) {
    ARROW_ASSIGN_OR_RAISE(auto buffer, CopyToBuffer(RawLevels(*levels), pool));
    buffers->push_back(std::move(buffer));
  }
  return arrow::Status::OK();
}

/// One block for all levels of the page; no levels, no bytes.
arrow::Status AppendEncodedLevels(
    const std::vector<uint16_t>& levels, uint16_t max_level,
    lance::encodings21::CompressiveEncoding* (lance::encodings21::ConstantLayout::*encoding)(),
    void (lance::encodings21::ConstantLayout::*set_count)(uint64_t),
    lance::encodings21::ConstantLayout* layout, Buffers* buffers, arrow::MemoryPool* pool) {
  EncodedLevels encoded;
  ByteArena arena;
  Bytes bytes;
  if (!levels.empty()) {
    EncodeLevels(levels, {{0, levels.size()}}, max_level, /*allow_rle=*/true,
                 std::numeric_limits<size_t>::max(), &arena, &encoded);
    *(layout->*encoding)() = encoded.encoding;
    (layout->*set_count)(levels.size());
    bytes = encoded.chunks[0];
  }
  ARROW_ASSIGN_OR_RAISE(auto buffer, CopyToBuffer(bytes, pool));
  buffers->push_back(std::move(buffer));
  return arrow::Status::OK();
}

void AppendU32(uint64_t value, std::string* out) {
  char bytes[4];
  StoreLe(bytes, static_cast<uint32_t>(value));
  out->append(bytes, 4);
}

void AppendOffset(uint32_t bits, uint64_t value, std::string* out) {
  char bytes[8];
  StoreLe(bytes, value);
  out->append(bytes, bits / 8);
}

std::string VariableValue(uint32_t offset_bits, std::string_view value) {
  std::string out;
  AppendU32(2, &out);
  AppendU32(2 * offset_bits / 8, &out);
  AppendU32(value.size(), &out);
  AppendOffset(offset_bits, 0, &out);
  AppendOffset(offset_bits, value.size(), &out);
  out.append(value);
  return out;
}

std::string FixedValue(const LeafValues& values, size_t slot) {
  if (values.bits == 1) {
    return std::string(
        1, arrow::bit_util::GetBit(values.data->data(), static_cast<int64_t>(slot)) ? '\1' : '\0');
  }
  const size_t width = values.bits / 8;
  return {reinterpret_cast<const char*>(values.data->data()) + slot * width, width};
}

}  // namespace

arrow::Result<EncodedPage> EncodeNulls(const ShreddedLeaf& leaf, uint16_t version_minor,
                                       arrow::MemoryPool* pool) {
  lance::encodings21::PageLayout layout;
  auto* constant = layout.mutable_constant_layout();
  AddLayers(leaf.layers, constant->mutable_layers());
  EncodedPage page;
  page.num_rows = static_cast<uint64_t>(leaf.num_rows);
  // Every entry null at the leaf itself: nothing to tell apart.
  const bool plain = leaf.layers.size() == 1 && leaf.layers.front() == RepDefLayer::kNullableItem;
  if (!plain && version_minor >= 2) {
    using Layout = lance::encodings21::ConstantLayout;
    ARROW_RETURN_NOT_OK(
        AppendEncodedLevels(leaf.rep, leaf.max_rep, &Layout::mutable_rep_compression,
                            &Layout::set_num_rep_values, constant, &page.buffers, pool));
    ARROW_RETURN_NOT_OK(
        AppendEncodedLevels(leaf.def, leaf.max_def, &Layout::mutable_def_compression,
                            &Layout::set_num_def_values, constant, &page.buffers, pool));
  } else if (!plain) {
    ARROW_RETURN_NOT_OK(AppendRawLevels(leaf, &page.buffers, pool));
  }
  page.encoding = WrapLayout(layout);
  return page;
}

arrow::Result<EncodedPage> EncodeConstant(const ShreddedLeaf& leaf, const LeafValues& values,
                                          size_t slot, arrow::MemoryPool* pool) {
  lance::encodings21::PageLayout layout;
  auto* constant = layout.mutable_constant_layout();
  AddLayers(leaf.layers, constant->mutable_layers());
  EncodedPage page;
  page.num_rows = static_cast<uint64_t>(leaf.num_rows);
  std::string stored;
  if (values.kind == LeafValues::Kind::kVariable) {
    stored = VariableValue(values.offset_bits, values.views[slot]);
  } else {
    std::string value = FixedValue(values, slot);
    if (value.size() <= kMaxInlineBytes) {
      constant->set_inline_value(std::move(value));
    } else {
      AppendU32(1, &stored);
      AppendU32(value.size(), &stored);
      stored += value;
    }
  }
  if (!stored.empty()) {
    page.buffers.push_back(arrow::Buffer::FromString(std::move(stored)));
  }
  if (!leaf.rep.empty() || !leaf.def.empty()) {
    // Beside a value levels are always plain.
    ARROW_RETURN_NOT_OK(AppendRawLevels(leaf, &page.buffers, pool));
  }
  page.encoding = WrapLayout(layout);
  return page;
}

}  // namespace glaive::encoding
