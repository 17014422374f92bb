// FSST: strings whose bytes are codes of a table of up to 255 symbols of 1 to 8 bytes. Private to
// the encoding room.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <arrow/result.h>

namespace glaive::encoding {

/// Immutable; thread-safe.
class FsstDecoder {
 public:
  static constexpr size_t kTableBytes = 2312;
  /// Decoding may store this many bytes beyond what it reports.
  static constexpr size_t kSlack = 8;
  /// The most bytes that one code byte can stand for.
  static constexpr uint64_t kMostPerByte = 8;

  static arrow::Result<FsstDecoder> Make(std::string_view table);

  /// False: the table is switched off and the payload is a plain copy.
  bool is_encoded() const { return is_encoded_; }

  /// Decodes codes [in, end) to `out`, which has room for kMostPerByte * (end - in) + kSlack bytes.
  /// Returns the end of what was written, nullptr for codes that the table lacks or a lone escape.
  uint8_t* Decode(const uint8_t* in, const uint8_t* end, uint8_t* out) const;

 private:
  FsstDecoder() = default;

  static constexpr uint8_t kEscape = 255;
  std::array<uint64_t, 256> symbols_{};
  std::array<uint8_t, 256> lengths_{};  // 0: no such code
  bool is_encoded_ = false;
};

}  // namespace glaive::encoding
