#include "encoding/dictionary_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>

#include "base/bytes.h"

namespace glaive::encoding {

namespace {

constexpr uint64_t kSampleBlocks = 32;
constexpr uint64_t kSampleValues = 4096;
constexpr uint64_t kLeastSample = 1024;
constexpr double kUniqueShare = 0.98;

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product =
      static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t HashOf(std::string_view value) {
  uint64_t hash = value.size();
  const char* at = value.data();
  size_t left = value.size();
  for (; left >= 8; left -= 8, at += 8) {
    hash = Mix(hash, LoadLe<uint64_t>(at));
  }
  uint64_t tail = 0;
  std::memcpy(&tail, at, left);
  return Mix(hash, tail);
}

/// Open addressing over the distinct values met so far.
class DistinctValues {
 public:
  DistinctValues() : slots_(1024, kFree) {}

  /// The number of a value, in order of first appearance.
  uint32_t Add(std::string_view value) {
    const uint64_t hash = HashOf(value);
    size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot] != kFree) {
      const uint32_t number = slots_[slot];
      if (hashes_[number] == hash && values_[number] == value) {
        return number;
      }
      slot = (slot + 1) & (slots_.size() - 1);
    }
    const auto number = static_cast<uint32_t>(values_.size());
    slots_[slot] = number;
    values_.push_back(value);
    hashes_.push_back(hash);
    bytes_ += value.size();
    if (values_.size() * 2 > slots_.size()) {
      Grow();
    }
    return number;
  }

  size_t size() const { return values_.size(); }

  uint64_t bytes() const { return bytes_; }

  std::vector<std::string_view>& values() { return values_; }

 private:
  static constexpr uint32_t kFree = 0xffffffff;

  void Grow() {
    slots_.assign(slots_.size() * 2, kFree);
    for (uint32_t number = 0; number < hashes_.size(); ++number) {
      size_t slot = hashes_[number] & (slots_.size() - 1);
      while (slots_[slot] != kFree) {
        slot = (slot + 1) & (slots_.size() - 1);
      }
      slots_[slot] = number;
    }
  }

  std::vector<uint32_t> slots_;
  std::vector<std::string_view> values_;
  std::vector<uint64_t> hashes_;
  uint64_t bytes_ = 0;
};

/// Slots as bytes, whatever their kind.
class Slots {
 public:
  explicit Slots(const LeafValues& values) : values_(values), width_(values.bits / 8) {}

  std::string_view operator[](size_t i) const {
    if (values_.kind == LeafValues::Kind::kVariable) {
      return values_.views[i];
    }
    return {reinterpret_cast<const char*>(values_.data->data()) + i * width_, width_};
  }

 private:
  const LeafValues& values_;
  size_t width_;
};

bool SampleRepeats(const Slots& slots, const std::vector<uint8_t>& valid, uint64_t count,
                   const DictionaryBudget& budget) {
  if (count < kLeastSample) {
    return true;
  }
  DistinctValues distinct;
  uint64_t seen = 0;
  const uint64_t per_block = std::min(kSampleValues / kSampleBlocks, count / kSampleBlocks);
  for (uint64_t block = 0; block < kSampleBlocks; ++block) {
    const uint64_t start = block * (count / kSampleBlocks);
    for (uint64_t i = start; i < start + per_block; ++i) {
      if (valid.empty() || valid[i]) {
        distinct.Add(slots[i]);
        ++seen;
      }
    }
  }
  const double share =
      seen == 0 ? 0 : static_cast<double>(distinct.size()) / static_cast<double>(seen);
  // All of the sample's values may be all there are.
  return share < kUniqueShare && (share < 0.5 || share * static_cast<double>(count) <=
                                                     2.0 * static_cast<double>(budget.entries));
}

}  // namespace

arrow::Result<std::optional<BuiltDictionary>> BuildDictionary(const LeafValues& values,
                                                              const std::vector<uint8_t>& valid,
                                                              const DictionaryBudget& budget,
                                                              arrow::MemoryPool* pool) {
  const Slots slots(values);
  const auto count = static_cast<size_t>(values.length);
  if (!SampleRepeats(slots, valid, count, budget)) {
    return std::nullopt;
  }
  const uint64_t per_item = values.kind == LeafValues::Kind::kVariable ? values.offset_bits / 8 : 0;
  BuiltDictionary built;
  ARROW_ASSIGN_OR_RAISE(built.indices.data,
                        arrow::AllocateBuffer(static_cast<int64_t>(count * 4), pool));
  uint8_t* indices = built.indices.data->mutable_data();
  DistinctValues distinct;
  const auto index_bytes = [&](size_t entries) {
    return std::min(budget.index_run_bytes,
                    count * (2 * static_cast<uint64_t>(std::bit_width(entries)) + 1) / 16);
  };
  uint32_t number = 0;
  for (size_t i = 0; i < count; ++i) {
    number = valid.empty() || valid[i] ? distinct.Add(slots[i]) : number;
    StoreLe(indices + i * 4, number);
    if (distinct.size() > budget.entries ||
        distinct.bytes() + distinct.size() * per_item + index_bytes(distinct.size()) >
            budget.bytes) {
      return std::nullopt;
    }
  }
  built.indices.kind = LeafValues::Kind::kFixed;
  built.indices.bits = 32;
  built.indices.length = values.length;
  LeafValues& items = built.items;
  items.kind = values.kind;
  items.bits = values.bits;
  items.offset_bits = values.offset_bits;
  items.is_text = values.is_text;
  items.length = static_cast<int64_t>(distinct.size());
  if (values.kind == LeafValues::Kind::kVariable) {
    items.views = std::move(distinct.values());
  } else {
    ARROW_ASSIGN_OR_RAISE(items.data,
                          arrow::AllocateBuffer(static_cast<int64_t>(distinct.bytes()), pool));
    uint8_t* to = items.data->mutable_data();
    for (const auto& value : distinct.values()) {
      std::memcpy(to, value.data(), value.size());
      to += value.size();
    }
  }
  return built;
}

}  // namespace glaive::encoding
