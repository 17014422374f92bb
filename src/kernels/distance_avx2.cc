// AVX2 with FMA and F16C.
#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "kernels/distance_table.h"

namespace glaive::kernels {
namespace {

// Sixteen registers: eight sums, four queries, a row and a difference.
constexpr int kRowTile = 4;
constexpr int kQueryTile = 2;
constexpr size_t kAheadBytes = 4096;

inline __attribute__((always_inline)) void Prefetch(const uint8_t* p) {
  _mm_prefetch(p, _MM_HINT_T0);
}

inline __m256i LoadBytes(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

/// The first n < 32 bytes, the rest zero; nothing beyond them is touched.
inline __m256i LoadBytesPart(const uint8_t* p, size_t n) {
  alignas(32) uint8_t bytes[32] = {};
  __builtin_memcpy(bytes, p, n);
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
}

inline float SumFloats(__m256 a) {
  __m128 v = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)));
}

inline uint64_t SumLongs(__m256i a) {
  const __m128i v = _mm_add_epi64(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(v)) +
         static_cast<uint64_t>(_mm_extract_epi64(v, 1));
}

struct F32 {
  using V = __m256;
  using Acc = __m256;
  using Total = float;
  static constexpr size_t kStep = 8;
  static constexpr size_t kElementBytes = 4;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return _mm256_castsi256_ps(LoadBytes(p)); }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm256_castsi256_ps(LoadBytesPart(p, n * 4));
  }

  static Acc Zero() { return _mm256_setzero_ps(); }

  static Total Sum(Acc a) { return SumFloats(a); }

  static Acc AddSquares(Acc acc, V a, V b) {
    const V d = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(d, d, acc);
  }

  static Acc AddProducts(Acc acc, V a, V b) { return _mm256_fmadd_ps(a, b, acc); }
};

struct F16 : F32 {
  static constexpr size_t kElementBytes = 2;

  static V Load(const uint8_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm256_cvtph_ps(_mm256_castsi256_si128(LoadBytesPart(p, n * 2)));
  }
};

struct F64 {
  using V = __m256d;
  using Acc = __m256d;
  using Total = double;
  static constexpr size_t kStep = 4;
  static constexpr size_t kElementBytes = 8;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return _mm256_castsi256_pd(LoadBytes(p)); }

  static V LoadPart(const uint8_t* p, size_t n) {
    return _mm256_castsi256_pd(LoadBytesPart(p, n * 8));
  }

  static Acc Zero() { return _mm256_setzero_pd(); }

  static Total Sum(Acc a) {
    const __m128d v = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)));
  }

  static Acc AddSquares(Acc acc, V a, V b) {
    const V d = _mm256_sub_pd(a, b);
    return _mm256_fmadd_pd(d, d, acc);
  }

  static Acc AddProducts(Acc acc, V a, V b) { return _mm256_fmadd_pd(a, b, acc); }
};

/// 32 numbers widened to 16 bits, in an order that is the same for every vector.
struct U8 {
  struct V {
    __m256i low;
    __m256i high;
  };

  using Acc = __m256i;
  using Total = double;
  static constexpr size_t kStep = 32;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = 1 << 17;  // a 32-bit lane gets 4 * 255^2 per step

  static V Load(const uint8_t* p) { return Widen(LoadBytes(p)); }

  static V LoadPart(const uint8_t* p, size_t n) { return Widen(LoadBytesPart(p, n)); }

  static Acc Zero() { return _mm256_setzero_si256(); }

  static Total Sum(Acc a) {
    const __m256i zero = _mm256_setzero_si256();
    return static_cast<double>(
        SumLongs(_mm256_add_epi64(_mm256_unpacklo_epi32(a, zero), _mm256_unpackhi_epi32(a, zero))));
  }

  static Acc AddSquares(Acc acc, V a, V b) {
    const __m256i low = _mm256_sub_epi16(a.low, b.low);
    const __m256i high = _mm256_sub_epi16(a.high, b.high);
    return Add(acc, _mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high));
  }

  static Acc AddProducts(Acc acc, V a, V b) {
    return Add(acc, _mm256_madd_epi16(a.low, b.low), _mm256_madd_epi16(a.high, b.high));
  }

 private:
  static V Widen(__m256i v) {
    const __m256i zero = _mm256_setzero_si256();
    return {_mm256_unpacklo_epi8(v, zero), _mm256_unpackhi_epi8(v, zero)};
  }

  static Acc Add(Acc acc, __m256i a, __m256i b) {
    return _mm256_add_epi32(acc, _mm256_add_epi32(a, b));
  }
};

struct Bits {
  using V = __m256i;
  using Acc = __m256i;
  using Total = double;
  static constexpr size_t kStep = 32;
  static constexpr size_t kElementBytes = 1;
  static constexpr size_t kSegment = ~size_t{0};

  static V Load(const uint8_t* p) { return LoadBytes(p); }

  static V LoadPart(const uint8_t* p, size_t n) { return LoadBytesPart(p, n); }

  static Acc Zero() { return _mm256_setzero_si256(); }

  static Total Sum(Acc a) { return static_cast<double>(SumLongs(a)); }

  /// Counts by nibble with a table of sixteen, then adds eight bytes at a time.
  static Acc AddSquares(Acc acc, V a, V b) {
    const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i v = _mm256_xor_si256(a, b);
    const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(v, nibble));
    const __m256i high =
        _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
    return _mm256_add_epi64(acc,
                            _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256()));
  }
};

/// Four sums at once.
inline __m128 SumFour(const __m256* a) {
  const __m256 v = _mm256_hadd_ps(_mm256_hadd_ps(a[0], a[1]), _mm256_hadd_ps(a[2], a[3]));
  return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
}

template <class E, int N>
inline __attribute__((always_inline)) void SumTile(const typename E::Acc (&acc)[N],
                                                   typename E::Total (&sums)[N]) {
  if constexpr ((E::kElementBytes == 2 || E::kElementBytes == 4) && N % 4 == 0) {
    for (int i = 0; i < N; i += 4) _mm_storeu_ps(sums + i, SumFour(acc + i));
  } else {
    for (int i = 0; i < N; ++i) sums[i] = E::Sum(acc[i]);
  }
}

#include "kernels/distance_body.inc"

size_t Select(const float* values, size_t n, float bound, uint32_t* out) {
  const __m256 limit = _mm256_set1_ps(bound);
  size_t found = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(values + i);
    auto hits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(v, limit, _CMP_LE_OQ)));
    for (; hits != 0; hits &= hits - 1) {
      out[found++] = static_cast<uint32_t>(i + static_cast<unsigned>(__builtin_ctz(hits)));
    }
  }
  for (; i < n; ++i) {
    if (values[i] <= bound) out[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

}  // namespace

extern constinit const DistanceTable kDistanceAvx2 = MakeDistanceTable(&Select);

}  // namespace glaive::kernels
