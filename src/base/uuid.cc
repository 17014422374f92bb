#include "base/uuid.h"

#include <cstring>

#include "base/random.h"

namespace glaive {

namespace {
constexpr char kHex[] = "0123456789abcdef";
}  // namespace

Uuid Uuid::Random() {
  Uuid uuid;
  const uint64_t words[2] = {RandomU64(), RandomU64()};
  std::memcpy(uuid.bytes.data(), words, sizeof(words));
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
  return uuid;
}

std::string Uuid::ToString() const {
  std::string out;
  out.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out += '-';
    }
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 0x0F];
  }
  return out;
}

std::string Uuid::ToDataFileStem() const {
  std::string out;
  out.reserve(50);
  for (size_t i = 0; i < 3; ++i) {
    for (int bit = 7; bit >= 0; --bit) {
      out += ((bytes[i] >> bit) & 1) != 0 ? '1' : '0';
    }
  }
  for (size_t i = 3; i < bytes.size(); ++i) {
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 0x0F];
  }
  return out;
}

}  // namespace glaive
