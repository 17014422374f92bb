// The constants of JSONB. Private to the room.
#pragma once

#include <cstdint>
#include <cstring>

namespace glaive::jsonb {

inline constexpr uint32_t kScalarHeader = 0x20000000;
inline constexpr uint32_t kObjectHeader = 0x40000000;
inline constexpr uint32_t kArrayHeader = 0x80000000;
inline constexpr uint32_t kHeaderKindMask = 0xE0000000;
inline constexpr uint32_t kMaxCount = 0x1FFFFFFF;

inline constexpr uint32_t kNullEntry = 0x00000000;
inline constexpr uint32_t kStringEntry = 0x10000000;
inline constexpr uint32_t kNumberEntry = 0x20000000;
inline constexpr uint32_t kFalseEntry = 0x30000000;
inline constexpr uint32_t kTrueEntry = 0x40000000;
inline constexpr uint32_t kContainerEntry = 0x50000000;
inline constexpr uint32_t kExtensionEntry = 0x60000000;
inline constexpr uint32_t kEntryKindMask = 0xF0000000;
inline constexpr uint32_t kMaxLength = 0x0FFFFFFF;

inline constexpr uint8_t kZero = 0x00;
inline constexpr uint8_t kNaN = 0x10;
inline constexpr uint8_t kInfinity = 0x20;
inline constexpr uint8_t kMinusInfinity = 0x30;
inline constexpr uint8_t kSigned = 0x40;
inline constexpr uint8_t kUnsigned = 0x50;
inline constexpr uint8_t kFloat = 0x60;
inline constexpr uint8_t kDecimal = 0x70;

inline uint32_t LoadBe32(const char* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return __builtin_bswap32(value);
}

inline void StoreBe32(char* at, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof(value));
}

}  // namespace glaive::jsonb
