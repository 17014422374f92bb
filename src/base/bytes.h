// Bounds-checked reading of little-endian bytes. Every multi-byte value of a Lance file goes through here
// or through a buffer whose length was checked once for a whole loop.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace glaive {

/// Unaligned little-endian load without a bounds check: the caller has checked.
template <typename T>
inline T LoadLe(const void* at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <typename T>
inline void StoreLe(void* at, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(at, &value, sizeof(T));
}

/// a + b, or false if it does not fit. For sizes and offsets that came from bytes.
inline bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* sum) {
  return !__builtin_add_overflow(a, b, sum);
}

inline bool CheckedMul(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

constexpr uint64_t PadTo(uint64_t n, uint64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace glaive
