#include "encoding/value_chunks.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "kernels/fastlanes.h"

namespace glaive::encoding {

namespace {

constexpr size_t kBlock = kernels::kBlockValues;
constexpr size_t kLongestRun = 255;
/// Values of a chunk of run lengths: more would make reading one of them slow.
constexpr size_t kLongestRunChunk = 4096;
constexpr size_t kChunkHeader = 16;

uint64_t BytesOfBits(uint64_t bits) {
  return (bits + 7) / 8;
}

uint64_t BitsPerValue(const LeafValues& values) {
  uint64_t bits = values.bits * values.items_per_value();
  uint64_t items = 1;
  for (const auto& level : values.levels) {
    items *= level.dimension;
    bits += level.validity != nullptr ? items : 0;
  }
  return bits;
}

/// `count` groups of `width` bits from group `first` of a bitmap; a copy unless it starts at a
/// byte.
Bytes SliceBits(const uint8_t* bitmap, uint64_t first_bit, uint64_t bits, ByteArena* arena) {
  const uint64_t size = BytesOfBits(bits);
  if (first_bit % 8 == 0) {
    return {bitmap + first_bit / 8, size};
  }
  uint8_t* to = arena->Allocate(size);
  std::memset(to, 0, size);
  arrow::internal::CopyBitmap(bitmap, static_cast<int64_t>(first_bit), static_cast<int64_t>(bits),
                              to, 0);
  return {to, size};
}

void DescribeFlat(const LeafValues& values, lance::encodings21::CompressiveEncoding* encoding) {
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
  encoding->mutable_flat()->set_bits_per_value(values.bits);
}

template <typename Run>
void VisitFixed(uint64_t bits, Run run) {
  switch (bits) {
    case 8:
      return run(uint8_t{});
    case 16:
      return run(uint16_t{});
    case 32:
      return run(uint32_t{});
    default:
      return run(uint64_t{});
  }
}

template <typename T>
unsigned WidthOf(const uint8_t* from, size_t count) {
  T all = 0;
  for (size_t i = 0; i < count; ++i) {
    all = static_cast<T>(all | LoadLe<T>(from + i * sizeof(T)));
  }
  return static_cast<unsigned>(std::bit_width(all));
}

template <typename T>
size_t CountChanges(const uint8_t* from, size_t count) {
  size_t changes = 0;
  for (size_t i = 1; i < count; ++i) {
    changes += LoadLe<T>(from + i * sizeof(T)) != LoadLe<T>(from + (i - 1) * sizeof(T)) ? 1 : 0;
  }
  return changes;
}

/// Length of the run that starts at `from`, at most `limit`.
template <typename T>
size_t RunLength(const uint8_t* from, size_t limit) {
  const T first = LoadLe<T>(from);
  size_t length = 1;
  while (length < limit && LoadLe<T>(from + length * sizeof(T)) == first) {
    ++length;
  }
  return length;
}

template <typename T>
size_t CountRuns(const uint8_t* from, size_t count) {
  size_t runs = 0;
  for (size_t i = 0; i < count; ++runs) {
    i += RunLength<T>(from + i * sizeof(T), std::min(kLongestRun, count - i));
  }
  return runs;
}

/// A chunk of run lengths: at least `least` values, and more while that stays below `most_bytes`.
template <typename T>
struct RunChunk {
  size_t count = 0;
  size_t runs = 0;

  RunChunk(const uint8_t* from, size_t left, size_t least, const ChunkLimits& limits) {
    const size_t most = std::bit_floor(std::min<size_t>(limits.values, kLongestRunChunk));
    for (size_t n = std::max(least, most);; n /= 2) {
      count = std::min(n, left);
      runs = CountRuns<T>(from, count);
      if (n <= least || runs * (sizeof(T) + 1) <= limits.bytes) {
        return;
      }
    }
  }
};

template <typename T>
FixedStatistics Measure(const uint8_t* from, size_t count, size_t chunk,
                        const ChunkLimits& limits) {
  FixedStatistics result;
  size_t changes = 0;
  for (size_t i = 0; i < count; i += kBlock) {
    const size_t n = std::min(kBlock, count - i);
    const uint8_t* at = from + i * sizeof(T);
    result.bitpacked_bytes += PadTo(sizeof(T) + kBlock / 8 * WidthOf<T>(at, n), 8) + kChunkHeader;
    // The step into a block counts with the block.
    changes += i == 0 ? CountChanges<T>(at, n) : CountChanges<T>(at - sizeof(T), n + 1);
  }
  const size_t chunks = (count + chunk - 1) / chunk;
  result.flat_bytes = count * sizeof(T) + chunks * kChunkHeader;
  result.all_equal = changes == 0;
  result.runs = changes + 1;
  result.rle_bytes = result.runs * (sizeof(T) + 1);
  if (result.rle_bytes < result.flat_bytes) {
    // Near enough to matter: count what splitting at 255 and at chunk ends adds.
    result.rle_bytes = 0;
    for (size_t i = 0; i < count;) {
      const RunChunk<T> part(from + i * sizeof(T), count - i, chunk, limits);
      result.rle_bytes += PadTo(part.runs * sizeof(T), 8) + PadTo(part.runs, 8) + kChunkHeader;
      i += part.count;
    }
  }
  return result;
}

template <typename T>
void PackChunks(const uint8_t* from, size_t count, ValueChunks* out) {
  for (size_t i = 0; i < count; i += kBlock) {
    const size_t n = std::min(kBlock, count - i);
    T block[kBlock];
    std::memcpy(block, from + i * sizeof(T), n * sizeof(T));
    std::fill(block + n, block + kBlock, T{0});
    const unsigned width = WidthOf<T>(from + i * sizeof(T), n);
    const size_t size = sizeof(T) + kBlock / 8 * width;
    uint8_t* to = out->arena.Allocate(size);
    StoreLe<T>(to, static_cast<T>(width));
    kernels::PackBlock(width, block, to + sizeof(T));
    out->counts.push_back(static_cast<uint32_t>(n));
    out->buffers.emplace_back(to, size);
  }
}

template <typename T>
void RunChunks(const uint8_t* from, size_t count, size_t chunk, const ChunkLimits& limits,
               ValueChunks* out) {
  for (size_t i = 0; i < count;) {
    const uint8_t* at = from + i * sizeof(T);
    const RunChunk<T> part(at, count - i, chunk, limits);
    const size_t n = part.count;
    const size_t runs = part.runs;
    uint8_t* values = out->arena.Allocate(runs * sizeof(T));
    uint8_t* lengths = out->arena.Allocate(runs);
    out->counts.push_back(static_cast<uint32_t>(n));
    out->buffers.emplace_back(values, runs * sizeof(T));
    out->buffers.emplace_back(lengths, runs);
    for (size_t k = 0; k < n;) {
      const size_t length = RunLength<T>(at + k * sizeof(T), std::min(kLongestRun, n - k));
      std::memcpy(values, at + k * sizeof(T), sizeof(T));
      values += sizeof(T);
      *lengths++ = static_cast<uint8_t>(length);
      k += length;
    }
    i += n;
  }
}

template <typename Offset>
Bytes WriteVariable(std::span<const std::string_view> views, uint64_t payload, ByteArena* arena) {
  const size_t head = (views.size() + 1) * sizeof(Offset);
  const size_t size = PadTo(head + payload, sizeof(Offset));
  uint8_t* to = arena->Allocate(size);
  size_t at = head;
  bool contiguous = !views.empty();
  const char* expected = views.empty() ? nullptr : views.front().data();
  for (size_t i = 0; i < views.size(); ++i) {
    StoreLe<Offset>(to + i * sizeof(Offset), static_cast<Offset>(at));
    at += views[i].size();
    contiguous &= views[i].empty() || views[i].data() == expected;
    expected += views[i].size();
  }
  StoreLe<Offset>(to + views.size() * sizeof(Offset), static_cast<Offset>(at));
  uint8_t* bytes = to + head;
  if (contiguous && payload > 0) {
    std::memcpy(bytes, views.front().data(), payload);
  } else if (payload > 0) {
    for (const auto& view : views) {
      if (!view.empty()) {
        std::memcpy(bytes, view.data(), view.size());
      }
      bytes += view.size();
    }
  }
  std::memset(to + at, 0x48, size - at);
  return {to, size};
}

}  // namespace

uint64_t ValueChunks::EncodedBytes() const {
  uint64_t total = counts.size() * (8 + 4);
  for (const auto& buffer : buffers) {
    total += PadTo(buffer.size(), 8);
  }
  return total;
}

uint32_t FlatChunkValues(const LeafValues& values, const ChunkLimits& limits) {
  const uint64_t bits = std::max<uint64_t>(1, BitsPerValue(values));
  const uint64_t fit = std::clamp<uint64_t>(limits.bytes * 8 / bits, 2, limits.values);
  return static_cast<uint32_t>(std::bit_floor(fit));
}

ValueChunks EncodeFlat(const LeafValues& values, const ChunkLimits& limits) {
  ValueChunks out;
  DescribeFlat(values, &out.encoding);
  const uint32_t chunk = FlatChunkValues(values, limits);
  const uint64_t items = values.items_per_value();
  out.num_buffers = 1;
  for (const auto& level : values.levels) {
    out.num_buffers += level.validity != nullptr ? 1 : 0;
  }
  const auto count = static_cast<uint64_t>(values.length);
  for (uint64_t i = 0; i < count; i += chunk) {
    const uint64_t n = std::min<uint64_t>(chunk, count - i);
    out.counts.push_back(static_cast<uint32_t>(n));
    uint64_t slots = 1;
    for (const auto& level : values.levels) {
      slots *= level.dimension;
      if (level.validity != nullptr) {
        out.buffers.push_back(SliceBits(level.validity->data(), i * slots, n * slots, &out.arena));
      }
    }
    const uint64_t width = values.bits * items;
    out.buffers.push_back(SliceBits(values.data->data(), i * width, n * width, &out.arena));
  }
  return out;
}

ValueChunks EncodeBitpacked(const LeafValues& values) {
  ValueChunks out;
  out.encoding.mutable_inline_bitpacking()->set_uncompressed_bits_per_value(values.bits);
  VisitFixed(values.bits, [&](auto zero) {
    PackChunks<decltype(zero)>(values.data->data(), static_cast<size_t>(values.length), &out);
  });
  return out;
}

ValueChunks EncodeRle(const LeafValues& values, const ChunkLimits& limits) {
  ValueChunks out;
  out.encoding.mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(values.bits);
  out.encoding.mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
  out.num_buffers = 2;
  VisitFixed(values.bits, [&](auto zero) {
    RunChunks<decltype(zero)>(values.data->data(), static_cast<size_t>(values.length),
                              FlatChunkValues(values, limits), limits, &out);
  });
  return out;
}

ValueChunks EncodeByteStreamSplit(const LeafValues& values, const ChunkLimits& limits) {
  ValueChunks out = EncodeFlat(values, limits);
  const size_t width = values.bits / 8;
  for (auto& buffer : out.buffers) {
    const size_t count = buffer.size() / width;
    uint8_t* to = out.arena.Allocate(buffer.size());
    for (size_t byte = 0; byte < width; ++byte) {
      for (size_t i = 0; i < count; ++i) {
        to[byte * count + i] = buffer[i * width + byte];
      }
    }
    buffer = {to, buffer.size()};
  }
  lance::encodings21::CompressiveEncoding split;
  *split.mutable_byte_stream_split()->mutable_values() = std::move(out.encoding);
  out.encoding = std::move(split);
  return out;
}

ValueChunks EncodeVariable(const LeafValues& values, const ChunkLimits& limits) {
  ValueChunks out;
  out.encoding.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
      values.offset_bits);
  const uint64_t width = values.offset_bits / 8;
  const std::span<const std::string_view> all(values.views);
  for (size_t i = 0; i < all.size();) {
    // The longest power of two that fits; what is left, whatever its number, can be the last chunk.
    const size_t most = std::min<size_t>(limits.values, all.size() - i);
    uint64_t payload = 0;
    size_t fit = 0;
    size_t count = 0;
    uint64_t count_payload = 0;
    for (; fit < most; ++fit) {
      if (fit >= 2 && payload + all[i + fit].size() + (fit + 2) * width > limits.bytes) {
        break;
      }
      payload += all[i + fit].size();
      if (std::has_single_bit(fit + 1)) {
        count = fit + 1;
        count_payload = payload;
      }
    }
    if (i + fit == all.size()) {
      count = fit;
      count_payload = payload;
    }
    const auto part = all.subspan(i, count);
    out.buffers.push_back(values.offset_bits == 32
                              ? WriteVariable<uint32_t>(part, count_payload, &out.arena)
                              : WriteVariable<uint64_t>(part, count_payload, &out.arena));
    out.counts.push_back(static_cast<uint32_t>(count));
    i += count;
  }
  return out;
}

FixedStatistics MeasureFixed(const LeafValues& values, const ChunkLimits& limits) {
  FixedStatistics result;
  VisitFixed(values.bits, [&](auto zero) {
    result = Measure<decltype(zero)>(values.data->data(), static_cast<size_t>(values.length),
                                     FlatChunkValues(values, limits), limits);
  });
  return result;
}

}  // namespace glaive::encoding
