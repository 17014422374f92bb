// AVX-512 (F, BW, VL, DQ, VNNI, VPOPCNTDQ).
#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/distance_table.h"

namespace glaive::kernels {
namespace {

constexpr int kRowTile = 4;
constexpr int kQueryTile = 4;
constexpr size_t kAheadBytes = 4096;

inline __attribute__((always_inline)) void Prefetch(const uint8_t* p) {
  _mm_prefetch(p, _MM_HINT_T0);
}

struct F32 {
  using V = __m512;
  using Acc = __m512;
  using Total = float;
  static constexpr size_t kStep = 16;
  static constexpr size_t kElementBytes = 4;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return _mm512_loadu_ps(p); }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
  }

  static Acc Zero() { return _mm512_setzero_ps(); }

  static Total Sum(Acc a) { return _mm512_reduce_add_ps(a); }

  static Acc AddSquares(Acc acc, V a, V b) {
    const V d = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(d, d, acc);
  }

  static Acc AddProducts(Acc acc, V a, V b) { return _mm512_fmadd_ps(a, b, acc); }
};

struct F16 : F32 {
  static constexpr size_t kElementBytes = 2;

  static V Load(const uint8_t* p) { return _mm512_cvtph_ps(_mm256_loadu_epi16(p)); }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p));
  }
};

struct F64 {
  using V = __m512d;
  using Acc = __m512d;
  using Total = double;
  static constexpr size_t kStep = 8;
  static constexpr size_t kElementBytes = 8;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return _mm512_loadu_pd(p); }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
  }

  static Acc Zero() { return _mm512_setzero_pd(); }

  static Total Sum(Acc a) { return _mm512_reduce_add_pd(a); }

  static Acc AddSquares(Acc acc, V a, V b) {
    const V d = _mm512_sub_pd(a, b);
    return _mm512_fmadd_pd(d, d, acc);
  }

  static Acc AddProducts(Acc acc, V a, V b) { return _mm512_fmadd_pd(a, b, acc); }
};

inline __m512i LoadBytes(const uint8_t* p) {
  return _mm512_loadu_si512(p);
}

inline __m512i LoadBytesPart(const uint8_t* p, size_t n) {
  return _mm512_maskz_loadu_epi8((__mmask64{1} << n) - 1, p);
}

/// 64 numbers widened to 16 bits, in an order that is the same for every vector.
struct U8 {
  struct V {
    __m512i low;
    __m512i high;
  };

  using Acc = __m512i;
  using Total = double;
  static constexpr size_t kStep = 64;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = 1 << 18;  // a 32-bit lane gets 4 * 255^2 per step

  static V Load(const uint8_t* p) { return Widen(LoadBytes(p)); }

  static V LoadPart(const uint8_t* p, size_t n) { return Widen(LoadBytesPart(p, n)); }

  static Acc Zero() { return _mm512_setzero_si512(); }

  static Total Sum(Acc a) {
    const __m512i low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(a));
    const __m512i high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(a, 1));
    return static_cast<double>(_mm512_reduce_add_epi64(_mm512_add_epi64(low, high)));
  }

  static Acc AddSquares(Acc acc, V a, V b) {
    const __m512i low = _mm512_sub_epi16(a.low, b.low);
    const __m512i high = _mm512_sub_epi16(a.high, b.high);
    return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(acc, low, low), high, high);
  }

  static Acc AddProducts(Acc acc, V a, V b) {
    return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(acc, a.low, b.low), a.high, b.high);
  }

 private:
  static V Widen(__m512i v) {
    const __m512i zero = _mm512_setzero_si512();
    return {_mm512_unpacklo_epi8(v, zero), _mm512_unpackhi_epi8(v, zero)};
  }
};

struct Bits {
  using V = __m512i;
  using Acc = __m512i;
  using Total = double;
  static constexpr size_t kStep = 64;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadBytes(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadBytesPart(p, n); }

  static Acc Zero() { return _mm512_setzero_si512(); }

  static Total Sum(Acc a) { return static_cast<double>(_mm512_reduce_add_epi64(a)); }

  static Acc AddSquares(Acc acc, V a, V b) {
    return _mm512_add_epi64(acc, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
  }
};

/// Halves of a and of b added: [a0+a1 | b0+b1] of 256 bits each.
inline __m512 AddHalves(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}

/// Four sums in the 128-bit lanes, each of 4 floats still to be added.
inline __m512 AddQuarters(const __m512* a) {
  const __m512 x = AddHalves(a[0], a[1]);
  const __m512 y = AddHalves(a[2], a[3]);
  return _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x88), _mm512_shuffle_f32x4(x, y, 0xdd));
}

/// Sixteen sums by one tree of shuffles in place of sixteen.
inline void SumSixteen(const __m512* acc, float* sums) {
  const __m512 a = AddQuarters(acc);
  const __m512 b = AddQuarters(acc + 4);
  const __m512 c = AddQuarters(acc + 8);
  const __m512 d = AddQuarters(acc + 12);
  const __m512 ab = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
  const __m512 cd = _mm512_add_ps(_mm512_shuffle_ps(c, d, 0x44), _mm512_shuffle_ps(c, d, 0xee));
  const __m512 all =
      _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x88), _mm512_shuffle_ps(ab, cd, 0xdd));
  // Lane l, element k is the sum of acc[4 * k + l]: transposed back by one permutation.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_ps(sums, _mm512_permutexvar_ps(order, all));
}

/// Four sums at once.
inline void SumFour(const __m512* acc, float* sums) {
  const __m512 a = AddQuarters(acc);
  const __m512 pairs = _mm512_add_ps(a, _mm512_permute_ps(a, 0x4e));
  const __m512 all = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
  _mm_storeu_ps(sums,
                _mm512_castps512_ps128(_mm512_permutexvar_ps(
                    _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), all)));
}

template <class E, int N>
inline __attribute__((always_inline)) void SumTile(const typename E::Acc (&acc)[N],
                                                   typename E::Total (&sums)[N]) {
  if constexpr (E::kElementBytes == 2 || E::kElementBytes == 4) {
    if constexpr (N == 16) return SumSixteen(acc, sums);
    if constexpr (N == 4) return SumFour(acc, sums);
  }
  for (int i = 0; i < N; ++i) sums[i] = E::Sum(acc[i]);
}

#include "kernels/distance_body.inc"

size_t Select(const float* values, size_t n, float bound, uint32_t* out) {
  const __m512 limit = _mm512_set1_ps(bound);
  __m512i ordinals = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0;
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 valid =
        n - i >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m512 v = _mm512_maskz_loadu_ps(valid, values + i);
    const __mmask16 hits = _mm512_mask_cmp_ps_mask(valid, v, limit, _CMP_LE_OQ);
    if (hits != 0) {
      // Compressed in the register: a compressing store is slow on some machines.
      const auto count = static_cast<unsigned>(__builtin_popcount(hits));
      _mm512_mask_storeu_epi32(out + found, static_cast<__mmask16>((1u << count) - 1),
                               _mm512_maskz_compress_epi32(hits, ordinals));
      found += count;
    }
    ordinals = _mm512_add_epi32(ordinals, _mm512_set1_epi32(16));
  }
  return found;
}

}  // namespace

extern constinit const DistanceTable kDistanceAvx512 = MakeDistanceTable(&Select);

}  // namespace glaive::kernels
