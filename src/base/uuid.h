// Random (version 4) UUIDs and the names that Lance makes of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace glaive {

struct Uuid {
  std::array<uint8_t, 16> bytes{};

  static Uuid Random();
  /// "8-4-4-4-12" in lower case.
  std::string ToString() const;
  /// The stem of a data file: the first 3 bytes as 24 binary digits, most significant bit first (which
  /// spreads keys in object stores), then the other 13 bytes in lower-case hex: 50 characters.
  std::string ToDataFileStem() const;
};

}  // namespace glaive
