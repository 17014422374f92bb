// FSST: strings as codes of up to 255 symbols of 1 to 8 bytes, after Boncz, Neumann and Leis
// (2020). A code below 255 stands for its symbol, 255 says that the next byte stands for itself.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/byte_arena.h"

namespace glaive::encoding {

/// A trained symbol table. Immutable; thread-safe.
class FsstTable {
 public:
  static constexpr size_t kSerializedBytes = 2312;

  /// Trained on a sample spread over `values`.
  static FsstTable Train(std::span<const std::string_view> values);

  /// At most 2 * value.size() bytes at `out`; returns how many.
  size_t Encode(std::string_view value, uint8_t* out) const;

  /// The table as a page's encoding holds it.
  std::string Serialize() const;

  size_t num_symbols() const { return symbols_.size(); }

 private:
  struct Symbol {
    uint64_t bytes = 0;  ///< little-endian, zero beyond the length
    uint32_t length = 0;
    uint32_t unused_bits = 0;  ///< set once it is in a table
    bool operator==(const Symbol&) const = default;
  };
  struct Counts;

  void SetSymbols(std::vector<Symbol> symbols);
  /// Index of the longest symbol that starts `word`, of which `available` bytes count; -1 if none.
  int Find(uint64_t word, size_t available) const;
  /// The same where all eight bytes count.
  int FindInFull(uint64_t word) const;
  void Count(std::string_view value, Counts* counts) const;
  std::vector<Symbol> BestSymbols(const Counts& counts) const;

  std::vector<Symbol> symbols_;  ///< by descending length
  /// Index of the first symbol with this hash of its first three bytes; `next_` goes on.
  std::vector<int16_t> long_heads_;
  std::vector<int16_t> next_;
  /// By the first two bytes: the best symbol of one or two bytes.
  std::vector<int16_t> short_;
};

/// The values encoded one by one, in the arena; false if that does not save at least a tenth.
bool FsstEncode(const FsstTable& table, std::span<const std::string_view> values, ByteArena* arena,
                std::vector<std::string_view>* coded);

}  // namespace glaive::encoding
