#include "encoding/dictionary_encoder.h"

#include <cstring>

#include <arrow/buffer.h>

#include "base/bytes.h"

namespace glaive::encoding {

namespace {

constexpr size_t kMostCompressed = size_t{1} << 30;

/// Width, start of the bytes, offsets from 0, bytes.
template <typename Offset>
Bytes VariableBlock(const LeafValues& items, ByteArena* arena) {
  const size_t head = (items.views.size() + 3) * sizeof(Offset);
  const size_t size = head + items.total_view_bytes();
  uint8_t* to = arena->Allocate(size);
  StoreLe(to, static_cast<Offset>(8 * sizeof(Offset)));
  StoreLe(to + sizeof(Offset), static_cast<Offset>(head));
  uint8_t* offsets = to + 2 * sizeof(Offset);
  Offset at = 0;
  for (const auto& view : items.views) {
    StoreLe(offsets, at);
    offsets += sizeof(Offset);
    if (!view.empty()) {
      std::memcpy(to + head + at, view.data(), view.size());
    }
    at += static_cast<Offset>(view.size());
  }
  StoreLe(offsets, at);
  return {to, size};
}

}  // namespace

arrow::Result<EncodedDictionary> EncodeDictionary(
    const LeafValues& items, const std::optional<GeneralCompression>& compression,
    ByteArena* arena) {
  EncodedDictionary out;
  out.num_items = static_cast<uint64_t>(items.length);
  if (items.kind == LeafValues::Kind::kVariable) {
    out.encoding.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
        items.offset_bits);
    out.bytes = items.offset_bits == 32 ? VariableBlock<uint32_t>(items, arena)
                                        : VariableBlock<uint64_t>(items, arena);
  } else {
    out.encoding.mutable_flat()->set_bits_per_value(items.bits);
    out.bytes = {items.data->data(), static_cast<size_t>(items.data->size())};
  }
  if (compression.has_value() && !out.bytes.empty() && out.bytes.size() <= kMostCompressed) {
    ARROW_ASSIGN_OR_RAISE(const Bytes frame, Compress(*compression, out.bytes, arena));
    if (frame.size() < out.bytes.size()) {
      out.bytes = frame;
      WrapGeneral(*compression, &out.encoding);
    }
  }
  return out;
}

}  // namespace glaive::encoding
