#include "encoding/fsst_encoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"

namespace glaive::encoding {

namespace {

constexpr size_t kMaxSymbols = 255;
constexpr uint8_t kEscape = 255;
constexpr size_t kMaxLength = 8;
constexpr size_t kSampleBytes = size_t{32} << 10;
constexpr size_t kSamplePiece = 512;
constexpr int kRounds = 5;
constexpr size_t kHashSlots = 4096;
constexpr uint64_t kMagic = 0x46535354;
constexpr uint64_t kTerminator = 255;
/// A code in training: a byte that stands for itself, or 256 + symbol.
constexpr size_t kCodes = 512;

uint64_t LowBytes(uint64_t word, size_t count) {
  return count >= 8 ? word : word & ((uint64_t{1} << (8 * count)) - 1);
}

size_t HashOf(uint64_t word) {
  return ((word & 0xffffff) * 0x9e3779b97f4a7c15u) >> 52;
}

/// Up to eight bytes from `at`, zero beyond `available`.
uint64_t LoadWord(const char* at, size_t available) {
  if (available >= 8) {
    return LoadLe<uint64_t>(at);
  }
  uint64_t word = 0;
  std::memcpy(&word, at, available);
  return word;
}

/// Pieces of values, evenly spread, about kSampleBytes in all.
std::vector<std::string_view> Sample(std::span<const std::string_view> values) {
  uint64_t total = 0;
  for (const auto& value : values) {
    total += value.size();
  }
  std::vector<std::string_view> sample;
  const double keep =
      total <= kSampleBytes ? 1.0 : static_cast<double>(kSampleBytes) / static_cast<double>(total);
  double budget = 1.0;
  for (const auto& value : values) {
    budget += keep * static_cast<double>(value.size());
    if (value.empty() || budget <= 0) {
      continue;
    }
    size_t at = 0;
    while (at < value.size() && budget > 0) {
      const auto piece = value.substr(at, kSamplePiece);
      sample.push_back(piece);
      budget -= static_cast<double>(piece.size());
      // Long values give pieces from all over.
      at += keep >= 1.0 ? piece.size()
                        : static_cast<size_t>(static_cast<double>(piece.size()) / keep) + 1;
    }
  }
  return sample;
}

}  // namespace

struct FsstTable::Counts {
  std::array<uint32_t, kCodes> single{};
  std::vector<uint16_t> pair = std::vector<uint16_t>(kCodes * kCodes, 0);

  void AddPair(size_t first, size_t second) {
    auto& count = pair[first * kCodes + second];
    count = static_cast<uint16_t>(count + (count < 65535 ? 1 : 0));
  }
};

FsstTable FsstTable::Train(std::span<const std::string_view> values) {
  const auto sample = Sample(values);
  FsstTable table;
  table.SetSymbols({});
  for (int round = 0; round < kRounds; ++round) {
    Counts counts;
    for (const auto& piece : sample) {
      table.Count(piece, &counts);
    }
    table.SetSymbols(table.BestSymbols(counts));
  }
  return table;
}

void FsstTable::SetSymbols(std::vector<Symbol> symbols) {
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const Symbol& a, const Symbol& b) { return a.length > b.length; });
  symbols_ = std::move(symbols);
  for (auto& symbol : symbols_) {
    symbol.unused_bits = 64 - 8 * symbol.length;
  }
  long_heads_.assign(kHashSlots, -1);
  next_.assign(symbols_.size(), -1);
  short_.assign(65536, -1);
  // Chains end up by descending length because heads are pushed in ascending order.
  for (size_t i = symbols_.size(); i-- > 0;) {
    const Symbol& symbol = symbols_[i];
    const auto index = static_cast<int16_t>(i);
    if (symbol.length >= 3) {
      auto& head = long_heads_[HashOf(symbol.bytes)];
      next_[i] = head;
      head = index;
    } else if (symbol.length == 2) {
      short_[symbol.bytes] = index;
    } else {
      for (size_t second = 0; second < 256; ++second) {
        auto& slot = short_[symbol.bytes | (second << 8)];
        slot = slot < 0 ? index : slot;
      }
    }
  }
}

int FsstTable::FindInFull(uint64_t word) const {
  for (int i = long_heads_[HashOf(word)]; i >= 0; i = next_[static_cast<size_t>(i)]) {
    const Symbol& symbol = symbols_[static_cast<size_t>(i)];
    if (((word ^ symbol.bytes) << symbol.unused_bits) == 0) {
      return i;
    }
  }
  return short_[word & 0xffff];
}

int FsstTable::Find(uint64_t word, size_t available) const {
  if (available >= kMaxLength) {
    return FindInFull(word);
  }
  for (int i = long_heads_[HashOf(word)]; i >= 0; i = next_[static_cast<size_t>(i)]) {
    const Symbol& symbol = symbols_[static_cast<size_t>(i)];
    if (symbol.length <= available && LowBytes(word, symbol.length) == symbol.bytes) {
      return i;
    }
  }
  const int i = short_[word & 0xffff];
  if (i >= 0 && symbols_[static_cast<size_t>(i)].length > available) {
    // Only one byte is left: a symbol of one byte may still do.
    for (size_t k = symbols_.size(); k-- > 0 && symbols_[k].length == 1;) {
      if (symbols_[k].bytes == (word & 0xff)) {
        return static_cast<int>(k);
      }
    }
    return -1;
  }
  return i;
}

size_t FsstTable::Encode(std::string_view value, uint8_t* out) const {
  uint8_t* to = out;
  for (size_t at = 0; at < value.size();) {
    const size_t available = value.size() - at;
    const uint64_t word = LoadWord(value.data() + at, available);
    const int found = Find(word, available);
    if (found >= 0) {
      *to++ = static_cast<uint8_t>(found);
      at += symbols_[static_cast<size_t>(found)].length;
    } else {
      *to++ = kEscape;
      *to++ = static_cast<uint8_t>(word);
      ++at;
    }
  }
  return static_cast<size_t>(to - out);
}

void FsstTable::Count(std::string_view value, Counts* counts) const {
  size_t previous = kCodes;
  for (size_t at = 0; at < value.size();) {
    const size_t available = value.size() - at;
    const uint64_t word = LoadWord(value.data() + at, available);
    const int found = Find(word, available);
    const size_t first_byte = word & 0xff;
    const size_t code = found >= 0 ? 256 + static_cast<size_t>(found) : first_byte;
    const size_t length = found >= 0 ? symbols_[static_cast<size_t>(found)].length : 1;
    ++counts->single[code];
    // The shorter way to go on is a candidate, too.
    counts->single[first_byte] += length > 1 ? 1 : 0;
    if (previous < kCodes) {
      counts->AddPair(previous, code);
      if (length > 1) {
        counts->AddPair(previous, first_byte);
      }
    }
    previous = code;
    at += length;
  }
}

std::vector<FsstTable::Symbol> FsstTable::BestSymbols(const Counts& counts) const {
  struct KeyHash {
    size_t operator()(const Symbol& s) const {
      return (s.bytes * 0x9e3779b97f4a7c15u) ^ (uint64_t{s.length} << 56);
    }
  };

  const auto symbol_of = [&](size_t code) {
    return code < 256 ? Symbol{code, 1, 0}
                      : Symbol{symbols_[code - 256].bytes, symbols_[code - 256].length, 0};
  };
  const size_t codes = 256 + symbols_.size();
  std::unordered_map<Symbol, uint64_t, KeyHash> gains;
  gains.reserve(16384);
  for (size_t first = 0; first < codes; ++first) {
    const uint64_t count = counts.single[first];
    if (count == 0) {
      continue;
    }
    const Symbol symbol = symbol_of(first);
    // A byte without a symbol costs two: single bytes are worth more than their length says.
    gains[symbol] += count * (symbol.length == 1 ? 8 : symbol.length);
    if (symbol.length == kMaxLength) {
      continue;
    }
    for (size_t second = 0; second < codes; ++second) {
      const uint64_t pairs = counts.pair[first * kCodes + second];
      if (pairs < 2) {
        continue;
      }
      const Symbol next = symbol_of(second);
      const auto length =
          static_cast<uint32_t>(std::min<size_t>(kMaxLength, symbol.length + next.length));
      const uint64_t bytes = LowBytes(symbol.bytes | (next.bytes << (8 * symbol.length)), length);
      gains[Symbol{bytes, length, 0}] += pairs * length;
    }
  }
  std::vector<std::pair<uint64_t, Symbol>> ranked;
  ranked.reserve(gains.size());
  for (const auto& [symbol, gain] : gains) {
    ranked.emplace_back(gain, symbol);
  }
  const size_t keep = std::min(kMaxSymbols, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(keep),
                    ranked.end(), [](const auto& a, const auto& b) {
                      return std::tuple(a.first, a.second.bytes, a.second.length) >
                             std::tuple(b.first, b.second.bytes, b.second.length);
                    });
  std::vector<Symbol> best;
  best.reserve(keep);
  for (size_t i = 0; i < keep; ++i) {
    best.push_back(ranked[i].second);
  }
  return best;
}

std::string FsstTable::Serialize() const {
  std::string out(kSerializedBytes, '\0');
  const uint64_t header =
      (kMagic << 32) | (uint64_t{1} << 24) | (kTerminator << 8) | symbols_.size();
  StoreLe(out.data(), header);
  for (size_t i = 0; i < symbols_.size(); ++i) {
    StoreLe(out.data() + 8 + 8 * i, symbols_[i].bytes);
    out[8 + 8 * symbols_.size() + i] = static_cast<char>(symbols_[i].length);
  }
  return out;
}

bool FsstEncode(const FsstTable& table, std::span<const std::string_view> values, ByteArena* arena,
                std::vector<std::string_view>* coded) {
  uint64_t before = 0;
  uint64_t after = 0;
  coded->resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    uint8_t* to = arena->Allocate(2 * values[i].size());
    const size_t size = table.Encode(values[i], to);
    arena->Shrink(to, size);
    (*coded)[i] = {reinterpret_cast<const char*>(to), size};
    before += values[i].size();
    after += size;
    if (i == 4096 && after * 10 > before * 9) {
      break;  // it will not get better
    }
  }
  return (after + FsstTable::kSerializedBytes) * 10 <= before * 9;
}

}  // namespace glaive::encoding
