#include "encoding/mini_block_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/status.h"
#include "encoding/page_parts.h"

namespace glaive::encoding {

namespace {

constexpr uint8_t kPad = 0xfe;
constexpr size_t kMaxLevelBytes = 65535;
constexpr size_t kMaxEntries = 65535;
constexpr uint64_t kMaxChunk21 = uint64_t{1} << 15;
constexpr uint64_t kMaxChunk22 = uint64_t{1} << 31;

/// Entries of each chunk: until its values are used up; the last takes what follows.
std::vector<EntryRange> SplitEntries(const ShreddedLeaf& leaf, const ValueChunks& values) {
  std::vector<EntryRange> ranges;
  ranges.reserve(values.counts.size());
  const auto entries = static_cast<size_t>(leaf.num_entries);
  const bool all_visible = leaf.num_entries == leaf.num_visible();
  size_t at = 0;
  for (uint32_t count : values.counts) {
    const size_t start = at;
    if (all_visible) {
      at += count;
    } else {
      for (uint32_t seen = 0; seen < count; ++at) {
        seen += leaf.def[at] <= leaf.max_visible ? 1 : 0;
      }
    }
    ranges.push_back({start, at});
  }
  if (!ranges.empty()) {
    ranges.back().end = entries;
  }
  return ranges;
}

/// Two numbers per chunk: rows that finish in it, and entries after the last of these.
std::vector<uint64_t> RepetitionIndex(LevelSpan rep, uint16_t max_rep,
                                      const std::vector<EntryRange>& ranges) {
  std::vector<uint64_t> index;
  index.reserve(ranges.size() * 2);
  for (const auto& range : ranges) {
    uint64_t rows = 0;
    size_t last_start = range.start;
    bool any = false;
    for (size_t i = range.start; i < range.end; ++i) {
      if (rep[i] == max_rep) {
        rows += i > range.start ? 1 : 0;
        last_start = i;
        any = true;
      }
    }
    const uint64_t left = any ? range.end - last_start : range.size();
    if (!index.empty() && range.size() > 0 && rep[range.start] == max_rep && index.back() != 0) {
      // The row before this chunk ended with the chunk before it.
      index[index.size() - 2] += 1;
      index.back() = 0;
    }
    index.push_back(rows);
    index.push_back(left);
  }
  if (!index.empty()) {
    index[index.size() - 2] += 1;
    index.back() = 0;
  }
  return index;
}

struct Framing {
  bool has_rep = false;
  bool has_def = false;
  bool large = false;

  uint64_t HeaderBytes(uint32_t num_buffers) const {
    const uint64_t fixed = 2 + (has_rep ? 2 : 0) + (has_def ? 2 : 0);
    return PadTo(fixed + num_buffers * (large ? 4 : 2), 8);
  }
};

uint8_t* PutPadded(Bytes bytes, uint8_t* to) {
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  const size_t padded = PadTo(bytes.size(), 8);
  std::memset(to + bytes.size(), kPad, padded - bytes.size());
  return to + padded;
}

uint8_t* PutSmall(uint64_t value, uint8_t* to) {
  StoreLe(to, static_cast<uint16_t>(value));
  return to + 2;
}

struct LevelParts {
  std::vector<EntryRange> ranges;
  EncodedLevels rep;
  EncodedLevels def;
  ByteArena arena;
};

class PageWriter {
 public:
  PageWriter(const ShreddedLeaf& leaf, const ValueChunks& values, uint16_t version_minor)
      : leaf_(leaf), values_(values), version_minor_(version_minor) {
    framing_ = {!leaf.rep.empty(), !leaf.def.empty(), version_minor >= 2};
  }

  /// False if the levels break a limit.
  bool PrepareLevels() {
    if (!framing_.has_rep && !framing_.has_def) {
      return true;
    }
    levels_.ranges = SplitEntries(leaf_, values_);
    for (const auto& range : levels_.ranges) {
      if (range.size() > kMaxEntries) {
        return false;
      }
    }
    const bool allow_rle = version_minor_ >= 2;
    return (!framing_.has_rep || EncodeLevels(leaf_.rep, levels_.ranges, leaf_.max_rep, allow_rle,
                                              kMaxLevelBytes, &levels_.arena, &levels_.rep)) &&
           (!framing_.has_def || EncodeLevels(leaf_.def, levels_.ranges, leaf_.max_def, allow_rle,
                                              kMaxLevelBytes, &levels_.arena, &levels_.def));
  }

  /// False if a chunk is too large.
  bool PrepareSizes() {
    const uint64_t most = framing_.large ? kMaxChunk22 : kMaxChunk21;
    sizes_.reserve(values_.counts.size());
    for (size_t chunk = 0; chunk < values_.counts.size(); ++chunk) {
      uint64_t size = framing_.HeaderBytes(values_.num_buffers);
      size += framing_.has_rep ? PadTo(levels_.rep.chunks[chunk].size(), 8) : 0;
      size += framing_.has_def ? PadTo(levels_.def.chunks[chunk].size(), 8) : 0;
      for (uint32_t b = 0; b < values_.num_buffers; ++b) {
        size += PadTo(Buffer(chunk, b).size(), 8);
      }
      if (size > most) {
        return false;
      }
      sizes_.push_back(size);
      total_ += size;
    }
    return true;
  }

  arrow::Result<EncodedPage> Write(const EncodedDictionary* dictionary, arrow::MemoryPool* pool) {
    EncodedPage page;
    page.num_rows = static_cast<uint64_t>(leaf_.num_rows);
    ARROW_ASSIGN_OR_RAISE(auto words, WriteWords(pool));
    page.buffers.push_back(std::move(words));
    ARROW_ASSIGN_OR_RAISE(auto data, WriteData(pool));
    page.buffers.push_back(std::move(data));
    if (dictionary != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto buffer, CopyToBuffer(dictionary->bytes, pool));
      page.buffers.push_back(std::move(buffer));
    }
    if (framing_.has_rep) {
      const auto index = RepetitionIndex(leaf_.rep, leaf_.max_rep, levels_.ranges);
      ARROW_ASSIGN_OR_RAISE(auto buffer,
                            CopyToBuffer({reinterpret_cast<const uint8_t*>(index.data()),
                                          index.size() * sizeof(uint64_t)},
                                         pool));
      page.buffers.push_back(std::move(buffer));
    }
    page.encoding = Describe(dictionary);
    return page;
  }

 private:
  Bytes Buffer(size_t chunk, uint32_t b) const {
    return values_.buffers[chunk * values_.num_buffers + b];
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> WriteWords(arrow::MemoryPool* pool) const {
    const size_t width = framing_.large ? 4 : 2;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> words,
                          arrow::AllocateBuffer(static_cast<int64_t>(sizes_.size() * width), pool));
    uint8_t* to = words->mutable_data();
    for (size_t chunk = 0; chunk < sizes_.size(); ++chunk) {
      const bool last = chunk + 1 == sizes_.size();
      const auto log = last ? 0u : static_cast<uint32_t>(std::countr_zero(values_.counts[chunk]));
      const auto word = static_cast<uint32_t>(((sizes_[chunk] / 8 - 1) << 4) | log);
      if (framing_.large) {
        StoreLe<uint32_t>(to, word);
      } else {
        StoreLe<uint16_t>(to, static_cast<uint16_t>(word));
      }
      to += width;
    }
    return words;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> WriteData(arrow::MemoryPool* pool) const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> data,
                          arrow::AllocateBuffer(static_cast<int64_t>(total_), pool));
    uint8_t* to = data->mutable_data();
    for (size_t chunk = 0; chunk < sizes_.size(); ++chunk) {
      to = WriteHeader(chunk, to);
      if (framing_.has_rep) {
        to = PutPadded(levels_.rep.chunks[chunk], to);
      }
      if (framing_.has_def) {
        to = PutPadded(levels_.def.chunks[chunk], to);
      }
      for (uint32_t b = 0; b < values_.num_buffers; ++b) {
        to = PutPadded(Buffer(chunk, b), to);
      }
    }
    return data;
  }

  uint8_t* WriteHeader(size_t chunk, uint8_t* to) const {
    const uint64_t header = framing_.HeaderBytes(values_.num_buffers);
    uint8_t* at = to;
    at = PutSmall(levels_.ranges.empty() ? 0 : levels_.ranges[chunk].size(), at);
    if (framing_.has_rep) {
      at = PutSmall(levels_.rep.chunks[chunk].size(), at);
    }
    if (framing_.has_def) {
      at = PutSmall(levels_.def.chunks[chunk].size(), at);
    }
    for (uint32_t b = 0; b < values_.num_buffers; ++b) {
      const uint64_t size = Buffer(chunk, b).size();
      if (framing_.large) {
        StoreLe(at, static_cast<uint32_t>(size));
        at += 4;
      } else {
        at = PutSmall(size, at);
      }
    }
    std::memset(at, kPad, header - static_cast<uint64_t>(at - to));
    return to + header;
  }

  std::string Describe(const EncodedDictionary* dictionary) const {
    lance::encodings21::PageLayout layout;
    auto* mini = layout.mutable_mini_block_layout();
    if (framing_.has_rep) {
      *mini->mutable_rep_compression() = levels_.rep.encoding;
      mini->set_repetition_index_depth(1);
    }
    if (framing_.has_def) {
      *mini->mutable_def_compression() = levels_.def.encoding;
    }
    *mini->mutable_value_compression() = values_.encoding;
    if (dictionary != nullptr) {
      *mini->mutable_dictionary() = dictionary->encoding;
      mini->set_num_dictionary_items(dictionary->num_items);
    }
    AddLayers(leaf_.layers, mini->mutable_layers());
    mini->set_num_buffers(values_.num_buffers);
    mini->set_num_items(static_cast<uint64_t>(leaf_.num_visible()));
    mini->set_has_large_chunk(framing_.large);
    return WrapLayout(layout);
  }

  const ShreddedLeaf& leaf_;
  const ValueChunks& values_;
  uint16_t version_minor_;
  Framing framing_;
  LevelParts levels_;
  std::vector<uint64_t> sizes_;
  uint64_t total_ = 0;
};

}  // namespace

arrow::Result<std::optional<EncodedPage>> EncodeMiniBlock(const ShreddedLeaf& leaf,
                                                          const ValueChunks& values,
                                                          const EncodedDictionary* dictionary,
                                                          uint16_t version_minor,
                                                          arrow::MemoryPool* pool) {
  PageWriter writer(leaf, values, version_minor);
  if (!writer.PrepareLevels() || !writer.PrepareSizes()) {
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(auto page, writer.Write(dictionary, pool));
  return page;
}

}  // namespace glaive::encoding
