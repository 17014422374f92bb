// The baseline: 16-byte vectors of the compiler, which every machine has in some form.
#include <cstddef>
#include <cstdint>

#include "kernels/distance_table.h"

#if defined(__aarch64__)
#  include <arm_neon.h>
#endif

namespace glaive::kernels {
namespace {

constexpr int kRowTile = 4;
constexpr int kQueryTile = 2;
constexpr size_t kAheadBytes = 4096;

using Float4 __attribute__((vector_size(16))) = float;
using Double2 __attribute__((vector_size(16))) = double;
using Half4 __attribute__((vector_size(8))) = uint16_t;
using Word4 __attribute__((vector_size(16))) = uint32_t;

template <class T>
inline T LoadAs(const uint8_t* p) {
  T v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}

template <class T>
inline T LoadPartAs(const uint8_t* p, size_t bytes) {
  T v{};
  __builtin_memcpy(&v, p, bytes);
  return v;
}

inline __attribute__((always_inline)) void Prefetch(const uint8_t* p) {
  __builtin_prefetch(p);
}

struct F32 {
  using V = Float4;
  using Acc = Float4;
  using Total = float;
  static constexpr size_t kStep = 4;
  static constexpr size_t kElementBytes = 4;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadAs<V>(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadPartAs<V>(p, n * 4); }

  static Acc Zero() { return Acc{}; }

  static Total Sum(Acc a) { return (a[0] + a[1]) + (a[2] + a[3]); }

  static Acc AddSquares(Acc acc, V a, V b) { return acc + (a - b) * (a - b); }

  static Acc AddProducts(Acc acc, V a, V b) { return acc + a * b; }
};

struct F16 : F32 {
  static constexpr size_t kElementBytes = 2;

  static V Load(const uint8_t* p) { return Widen(LoadAs<Half4>(p)); }

  static V LoadPart(const uint8_t* p, size_t n) { return Widen(LoadPartAs<Half4>(p, n * 2)); }

 private:
  /// Shifting the fields into place leaves the exponent 112 too small, which a multiplication mends
  /// for subnormal numbers too; infinity and NaN get the widest exponent.
  static V Widen(Half4 half) {
    const Word4 h = __builtin_convertvector(half, Word4);
    const Word4 shifted = (h & 0x7fffu) << 13;
    Float4 value;
    __builtin_memcpy(&value, &shifted, sizeof(value));
    value *= 0x1p112f;
    Word4 bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    const Word4 special = reinterpret_cast<Word4>((h & 0x7c00u) == 0x7c00u);
    bits |= (special & 0x7f800000u) | ((h & 0x8000u) << 16);
    __builtin_memcpy(&value, &bits, sizeof(value));
    return value;
  }
};

struct F64 {
  using V = Double2;
  using Acc = Double2;
  using Total = double;
  static constexpr size_t kStep = 2;
  static constexpr size_t kElementBytes = 8;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadAs<V>(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadPartAs<V>(p, n * 8); }

  static Acc Zero() { return Acc{}; }

  static Total Sum(Acc a) { return a[0] + a[1]; }

  static Acc AddSquares(Acc acc, V a, V b) { return acc + (a - b) * (a - b); }

  static Acc AddProducts(Acc acc, V a, V b) { return acc + a * b; }
};

#if defined(__aarch64__)

// Products of bytes, sums of neighbours and counts of bits are single instructions there, which
// compilers don't find in the portable code.
struct U8 {
  using V = uint8x16_t;
  using Acc = uint32x4_t;
  using Total = double;
  static constexpr size_t kStep = 16;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = 1 << 16;  // a lane gets 4 * 255^2 per step

  static V Load(const uint8_t* p) { return LoadAs<V>(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadPartAs<V>(p, n); }

  static Acc Zero() { return vdupq_n_u32(0); }

  static Total Sum(Acc a) { return static_cast<double>(vaddlvq_u32(a)); }

  static Acc AddSquares(Acc acc, V a, V b) {
    const V d = vabdq_u8(a, b);
    return AddProducts(acc, d, d);
  }

  static Acc AddProducts(Acc acc, V a, V b) {
    acc = vpadalq_u16(acc, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
    return vpadalq_u16(acc, vmull_high_u8(a, b));
  }
};

struct Bits {
  using V = uint8x16_t;
  using Acc = uint64x2_t;
  using Total = double;
  static constexpr size_t kStep = 16;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadAs<V>(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadPartAs<V>(p, n); }

  static Acc Zero() { return vdupq_n_u64(0); }

  static Total Sum(Acc a) { return static_cast<double>(vaddvq_u64(a)); }

  static Acc AddSquares(Acc acc, V a, V b) {
    return vpadalq_u32(acc, vpaddlq_u16(vpaddlq_u8(vcntq_u8(veorq_u8(a, b)))));
  }
};

#else

using Short8 __attribute__((vector_size(16))) = uint16_t;
using Long2 __attribute__((vector_size(16))) = uint64_t;

/// 16 numbers as two vectors of 16 bits: those at even and those at odd places.
struct U8 {
  struct V {
    Short8 even;
    Short8 odd;
  };

  using Acc = Word4;
  using Total = double;
  static constexpr size_t kStep = 16;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = 1 << 16;  // a lane gets 4 * 255^2 per step

  static V Load(const uint8_t* p) { return Split(LoadAs<Short8>(p)); }

  static V LoadPart(const uint8_t* p, size_t n) { return Split(LoadPartAs<Short8>(p, n)); }

  static Acc Zero() { return Acc{}; }

  static Total Sum(Acc a) {
    return static_cast<double>(uint64_t{a[0]} + a[1] + uint64_t{a[2]} + a[3]);
  }

  static Acc AddSquares(Acc acc, V a, V b) {
    const Short8 even = a.even - b.even;
    const Short8 odd = a.odd - b.odd;
    return Add(Add(acc, even * even), odd * odd);  // modulo 2^16, which holds 255^2
  }

  static Acc AddProducts(Acc acc, V a, V b) {
    return Add(Add(acc, a.even * b.even), a.odd * b.odd);
  }

 private:
  static V Split(Short8 v) { return {v & uint16_t{0xff}, v >> 8}; }

  static Acc Add(Acc acc, Short8 v) {
    Word4 pairs;
    __builtin_memcpy(&pairs, &v, sizeof(pairs));
    return acc + (pairs & 0xffffu) + (pairs >> 16);
  }
};

struct Bits {
  using V = Long2;
  using Acc = Long2;
  using Total = double;
  static constexpr size_t kStep = 16;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadAs<V>(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadPartAs<V>(p, n); }

  static Acc Zero() { return Acc{}; }

  static Total Sum(Acc a) { return static_cast<double>(a[0] + a[1]); }

  static Acc AddSquares(Acc acc, V a, V b) {
    V v = a ^ b;
    v -= (v >> 1) & 0x5555555555555555u;
    v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    v += v >> 8;
    v += v >> 16;
    v += v >> 32;
    return acc + (v & 0xffu);
  }
};

#endif

template <class E, int N>
inline void SumTile(const typename E::Acc (&acc)[N], typename E::Total (&sums)[N]) {
  for (int i = 0; i < N; ++i) sums[i] = E::Sum(acc[i]);
}

#include "kernels/distance_body.inc"

size_t Select(const float* values, size_t n, float bound, uint32_t* out) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    out[found] = static_cast<uint32_t>(i);
    found += values[i] <= bound ? 1 : 0;
  }
  return found;
}

}  // namespace

extern constinit const DistanceTable kDistanceScalar = MakeDistanceTable(&Select);

}  // namespace glaive::kernels
