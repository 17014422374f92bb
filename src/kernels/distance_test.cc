#include "kernels/distance.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu.h"
#include "kernels/distance_table.h"

namespace glaive::kernels {
namespace {

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kCosine, Metric::kDot, Metric::kHamming};
constexpr ElementType kTypes[] = {ElementType::kF16, ElementType::kF32, ElementType::kF64,
                                  ElementType::kU8};

size_t ElementBytes(ElementType type) {
  constexpr size_t bytes[] = {2, 4, 8, 1};
  return bytes[static_cast<size_t>(type)];
}

std::vector<CpuLevel> Levels() {
  std::vector<CpuLevel> levels;
  for (CpuLevel level : {CpuLevel::kScalar, CpuLevel::kNeon, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (CpuSupports(level)) levels.push_back(level);
  }
  return levels;
}

double HalfValue(uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const int fraction = h & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction != 0 ? std::nan("") : std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (h & 0x8000) != 0 ? -value : value;
}

double Element(ElementType type, const uint8_t* p) {
  switch (type) {
    case ElementType::kF16: {
      uint16_t h;
      std::memcpy(&h, p, 2);
      return HalfValue(h);
    }
    case ElementType::kF32: {
      float f;
      std::memcpy(&f, p, 4);
      return f;
    }
    case ElementType::kF64: {
      double d;
      std::memcpy(&d, p, 8);
      return d;
    }
    case ElementType::kU8:
      return *p;
  }
  return 0;
}

double Reference(Metric metric, ElementType type, const uint8_t* a, const uint8_t* b, size_t dims) {
  double squares = 0, dot = 0, aa = 0, bb = 0, bits = 0;
  for (size_t i = 0; i < dims; ++i) {
    const double x = Element(type, a + i * ElementBytes(type));
    const double y = Element(type, b + i * ElementBytes(type));
    squares += (x - y) * (x - y);
    dot += x * y;
    aa += x * x;
    bb += y * y;
    if (metric == Metric::kHamming) bits += __builtin_popcount(a[i] ^ b[i]);
  }
  switch (metric) {
    case Metric::kL2:
      return squares;
    case Metric::kCosine:
      return 1 - dot / std::sqrt(aa * bb);
    case Metric::kDot:
      return 1 - dot;
    case Metric::kHamming:
      return bits;
  }
  return 0;
}

/// Finite random elements; halves include subnormals.
std::vector<uint8_t> RandomElements(ElementType type, size_t n, std::mt19937_64& random) {
  std::vector<uint8_t> bytes(n * ElementBytes(type));
  std::normal_distribution<double> normal;
  for (size_t i = 0; i < n; ++i) {
    uint8_t* p = bytes.data() + i * ElementBytes(type);
    if (type == ElementType::kF16) {
      // Exponents up to 2^1, with sign.
      const uint16_t h = static_cast<uint16_t>((random() % 0x4400) | (random() % 2 << 15));
      std::memcpy(p, &h, 2);
    } else if (type == ElementType::kF32) {
      const float f = static_cast<float>(normal(random));
      std::memcpy(p, &f, 4);
    } else if (type == ElementType::kF64) {
      const double d = normal(random);
      std::memcpy(p, &d, 8);
    } else {
      *p = static_cast<uint8_t>(random());
    }
  }
  return bytes;
}

/// What rounding may do: relative to the sum of magnitudes, not to the result, which may cancel.
double Tolerance(Metric metric, ElementType type, const uint8_t* a, const uint8_t* b, size_t dims) {
  double magnitude = 1;
  if (metric != Metric::kCosine) {
    for (size_t i = 0; i < dims; ++i) {
      const double x = Element(type, a + i * ElementBytes(type));
      const double y = Element(type, b + i * ElementBytes(type));
      magnitude += metric == Metric::kDot ? std::abs(x * y) : (x - y) * (x - y);
    }
  }
  return magnitude * 1e-6;
}

struct Case {
  Metric metric;
  ElementType type;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (Metric metric : kMetrics) {
    for (ElementType type : kTypes) {
      if (metric == Metric::kHamming && type != ElementType::kU8) continue;
      cases.push_back({metric, type});
    }
  }
  return cases;
}

DistanceTable::Function FunctionOf(CpuLevel level, const Case& c) {
  return DistanceFor(level).functions[static_cast<size_t>(c.metric)][static_cast<size_t>(c.type)];
}

void CheckTile(CpuLevel level, const Case& c, size_t dims, size_t num_queries, size_t num_rows,
               std::mt19937_64& random) {
  SCOPED_TRACE(testing::Message() << CpuLevelName(level) << " metric " << int(c.metric) << " type "
                                  << int(c.type) << " dims " << dims << " queries " << num_queries
                                  << " rows " << num_rows);
  const size_t width = dims * ElementBytes(c.type);
  // Exactly sized heap blocks at odd addresses: the sanitizer sees a read too far.
  const size_t row_stride = width + 3;
  const auto query_bytes = RandomElements(c.type, dims * num_queries, random);
  const auto row_bytes = RandomElements(c.type, dims * num_rows, random);
  std::vector<uint8_t> queries(1 + num_queries * width);
  std::memcpy(queries.data() + 1, query_bytes.data(), query_bytes.size());
  std::vector<uint8_t> rows(1 + (num_rows - 1) * row_stride + width, 0xff);
  std::vector<const void*> pointers;
  for (size_t i = 0; i < num_rows; ++i) {
    uint8_t* row = rows.data() + 1 + i * row_stride;
    std::memcpy(row, row_bytes.data() + i * width, width);
    pointers.push_back(row);
  }
  std::vector<float> out(num_queries * num_rows, -7);
  std::vector<float> gathered(num_rows, -7);
  const DistanceJob job{queries.data() + 1, width,   num_queries, dims,      rows.data() + 1,
                        row_stride,         nullptr, num_rows,    out.data()};
  FunctionOf(level, c)(job);
  const DistanceJob gather{queries.data() + 1, 0, 1, dims, nullptr, 0, pointers.data(), num_rows,
                           gathered.data()};
  FunctionOf(level, c)(gather);
  for (size_t q = 0; q < num_queries; ++q) {
    for (size_t i = 0; i < num_rows; ++i) {
      const uint8_t* a = queries.data() + 1 + q * width;
      const uint8_t* b = rows.data() + 1 + i * row_stride;
      const double expected = Reference(c.metric, c.type, a, b, dims);
      const double tolerance = Tolerance(c.metric, c.type, a, b, dims);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(out[q * num_rows + i]));
        continue;
      }
      ASSERT_NEAR(out[q * num_rows + i], expected, tolerance) << "query " << q << " row " << i;
      if (q == 0) {
        ASSERT_NEAR(gathered[i], expected, tolerance) << "row " << i;
      }
    }
  }
}

TEST(DistanceTest, EveryKernelAtEveryLevelAgreesWithTheDefinition) {
  std::mt19937_64 random(11);
  for (CpuLevel level : Levels()) {
    for (const Case& c : Cases()) {
      for (size_t dims = 1; dims <= 130; ++dims) CheckTile(level, c, dims, 1, 9, random);
      for (size_t dims : {1, 3, 7, 16, 31, 64, 100, 128, 130, 257, 768, 1536}) {
        for (size_t queries : {2, 5, 8, 67}) CheckTile(level, c, dims, queries, 10, random);
      }
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(DistanceTest, BytesDoNotOverflowOverManyDimensions) {
  const size_t dims = 300'001;
  std::vector<uint8_t> zeros(dims, 0);
  std::vector<uint8_t> ones(dims, 255);
  for (CpuLevel level : Levels()) {
    SCOPED_TRACE(CpuLevelName(level));
    for (Metric metric : kMetrics) {
      std::vector<float> out(5);
      const DistanceJob job{ones.data(), 0, 1, dims, zeros.data(), 0, nullptr, 5, out.data()};
      FunctionOf(level, {metric, ElementType::kU8})(job);
      const double square = 255.0 * 255.0 * dims;
      if (metric == Metric::kL2) {
        EXPECT_EQ(out[4], static_cast<float>(square));
      }
      if (metric == Metric::kDot) {
        EXPECT_EQ(out[4], 1);
      }
      if (metric == Metric::kCosine) {
        EXPECT_TRUE(std::isnan(out[4]));
      }
      if (metric == Metric::kHamming) {
        EXPECT_EQ(out[4], static_cast<float>(8 * dims));
      }
      const DistanceJob self{ones.data(), 0, 1, dims, ones.data(), 0, nullptr, 5, out.data()};
      FunctionOf(level, {metric, ElementType::kU8})(self);
      if (metric == Metric::kL2 || metric == Metric::kHamming) {
        EXPECT_EQ(out[4], 0);
      }
      if (metric == Metric::kDot) {
        EXPECT_EQ(out[4], static_cast<float>(1 - square));
      }
      if (metric == Metric::kCosine) {
        EXPECT_NEAR(out[4], 0, 1e-6);
      }
    }
  }
}

TEST(DistanceTest, HalvesOfEveryKindAreWidenedExactly) {
  // dot with 1.0 over one dimension shows the widened value itself.
  const uint16_t one = 0x3c00;
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  for (CpuLevel level : Levels()) {
    std::vector<float> out(all.size());
    const DistanceJob job{reinterpret_cast<const uint8_t*>(&one),
                          0,
                          1,
                          1,
                          reinterpret_cast<const uint8_t*>(all.data()),
                          2,
                          nullptr,
                          all.size(),
                          out.data()};
    FunctionOf(level, {Metric::kDot, ElementType::kF16})(job);
    for (size_t i = 0; i < all.size(); ++i) {
      const double expected = 1 - HalfValue(all[i]);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(out[i])) << i;
      } else {
        ASSERT_EQ(out[i], static_cast<float>(expected)) << CpuLevelName(level) << " " << i;
      }
    }
  }
}

TEST(DistanceTest, ZeroVectorsHaveNoCosine) {
  const std::vector<float> zero(20, 0.0f);
  const std::vector<float> some(20, 1.5f);
  for (CpuLevel level : Levels()) {
    float out = 0;
    DistanceJob job{reinterpret_cast<const uint8_t*>(some.data()),
                    80,
                    1,
                    20,
                    reinterpret_cast<const uint8_t*>(zero.data()),
                    80,
                    nullptr,
                    1,
                    &out};
    FunctionOf(level, {Metric::kCosine, ElementType::kF32})(job);
    EXPECT_TRUE(std::isnan(out)) << CpuLevelName(level);
  }
}

TEST(SelectAtMostTest, EveryLevelFindsTheSame) {
  std::mt19937 random(3);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t n = 0; n < 200; ++n) {
    std::vector<float> values(n + 1);
    for (float& v : values) {
      const auto kind = random() % 10;
      v = kind == 0 ? nan : kind == 1 ? infinity : static_cast<float>(random() % 100);
    }
    for (float bound : {-1.0f, 0.0f, 50.0f, infinity, nan}) {
      std::vector<uint32_t> expected;
      for (size_t i = 0; i < n; ++i) {
        if (values[i + 1] <= bound) expected.push_back(static_cast<uint32_t>(i));
      }
      for (CpuLevel level : Levels()) {
        std::vector<uint32_t> out(n);
        const size_t found =
            DistanceFor(level).select_at_most(values.data() + 1, n, bound, out.data());
        out.resize(found);
        EXPECT_EQ(out, expected) << CpuLevelName(level) << " n " << n << " bound " << bound;
      }
    }
  }
}

TEST(DistanceTest, TheDoorRunsTheActiveLevel) {
  const std::vector<float> query = {1, 2, 3};
  const std::vector<float> rows = {1, 2, 3, 2, 2, 3, 4, 6, 3};
  float out[6] = {};
  Distances(Metric::kL2, ElementType::kF32, query.data(), 3, rows.data(), 12, 3, out);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 1);
  EXPECT_EQ(out[2], 25);
  DistancesMany(Metric::kDot, ElementType::kF32, rows.data(), 12, 2, 3, rows.data(), 12, 3, out);
  EXPECT_EQ(out[0], 1 - 14);
  EXPECT_EQ(out[5], 1 - 29);
  const void* pointers[] = {rows.data() + 6};
  DistancesGather(Metric::kL2, ElementType::kF32, query.data(), 3, pointers, 1, out);
  EXPECT_EQ(out[0], 25);
}

}  // namespace
}  // namespace glaive::kernels
