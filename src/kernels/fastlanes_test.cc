#include "kernels/fastlanes.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu.h"
#include "kernels/fastlanes_table.h"

namespace glaive::kernels {
namespace {

std::vector<CpuLevel> Levels() {
  std::vector<CpuLevel> levels;
  for (CpuLevel level : {CpuLevel::kScalar, CpuLevel::kNeon, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (CpuSupports(level)) levels.push_back(level);
  }
  return levels;
}

template <typename T>
FastlanesTable::Unpack UnpackOf(CpuLevel level, unsigned width) {
  const FastlanesTable& table = FastlanesFor(level);
  if constexpr (sizeof(T) == 1) return table.unpack8[width];
  if constexpr (sizeof(T) == 2) return table.unpack16[width];
  if constexpr (sizeof(T) == 4) return table.unpack32[width];
  if constexpr (sizeof(T) == 8) return table.unpack64[width];
}

template <typename T>
FastlanesTable::Pack PackOf(CpuLevel level, unsigned width) {
  const FastlanesTable& table = FastlanesFor(level);
  if constexpr (sizeof(T) == 1) return table.pack8[width];
  if constexpr (sizeof(T) == 2) return table.pack16[width];
  if constexpr (sizeof(T) == 4) return table.pack32[width];
  if constexpr (sizeof(T) == 8) return table.pack64[width];
}

/// The definition of the format, bit by bit.
template <typename T>
std::vector<T> PackByDefinition(const std::vector<T>& values, unsigned width) {
  constexpr unsigned kOrder[8] = {0, 4, 2, 6, 1, 5, 3, 7};
  constexpr unsigned bits = 8 * sizeof(T);
  constexpr unsigned lanes = 1024 / bits;
  std::vector<T> words(PackedWords<T>(width), 0);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    for (unsigned row = 0; row < bits; ++row) {
      const T value = values[kOrder[row / 8] * 16 + (row % 8) * 128 + lane];
      for (unsigned i = 0; i < width; ++i) {
        const unsigned b = row * width + i;
        const T bit = static_cast<T>((value >> i) & 1);
        words[(b / bits) * lanes + lane] |= static_cast<T>(bit << (b % bits));
      }
    }
  }
  return words;
}

template <typename T>
class FastlanesTest : public testing::Test {};

using Types = testing::Types<uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(FastlanesTest, Types);

TYPED_TEST(FastlanesTest, EveryWidthAtEveryLevelFollowsTheDefinition) {
  using T = TypeParam;
  constexpr unsigned bits = 8 * sizeof(T);
  std::mt19937_64 random(7);
  for (unsigned width = 0; width <= bits; ++width) {
    std::vector<T> values(1024);
    const T mask = width == 0 ? 0 : static_cast<T>(static_cast<T>(~T{0}) >> (bits - width));
    for (T& v : values) v = static_cast<T>(random()) & mask;
    const std::vector<T> expected = PackByDefinition(values, width);
    const size_t packed_bytes = expected.size() * sizeof(T);
    for (CpuLevel level : Levels()) {
      SCOPED_TRACE(testing::Message() << CpuLevelName(level) << " width " << width);
      // Odd addresses and guard bytes: nothing may be written beside the block.
      std::vector<uint8_t> packed(packed_bytes + 2, 0xa5);
      PackOf<T>(level, width)(reinterpret_cast<const uint8_t*>(values.data()), packed.data() + 1);
      if (packed_bytes > 0) {
        ASSERT_EQ(0, std::memcmp(packed.data() + 1, expected.data(), packed_bytes));
      }
      EXPECT_EQ(packed.front(), 0xa5);
      EXPECT_EQ(packed.back(), 0xa5);
      std::vector<uint8_t> out(1024 * sizeof(T) + 2, 0xa5);
      UnpackOf<T>(level, width)(packed.data() + 1, out.data() + 1);
      ASSERT_EQ(0, std::memcmp(out.data() + 1, values.data(), 1024 * sizeof(T)));
      EXPECT_EQ(out.front(), 0xa5);
      EXPECT_EQ(out.back(), 0xa5);
    }
    std::vector<uint8_t> packed(packed_bytes + 1);
    PackBlock(width, values.data(), packed.data());
    std::vector<T> out(1024);
    UnpackBlock(width, packed.data(), out.data());
    EXPECT_EQ(out, values) << "width " << width;
  }
}

// Words that the format's own writer produced.
TEST(FastlanesValues, ThirtyTwoBitsWidthTen) {
  std::vector<uint32_t> values(1024);
  for (uint32_t i = 0; i < 1024; ++i) values[i] = i;
  std::vector<uint32_t> words(PackedWords<uint32_t>(10));
  PackBlock(10, values.data(), reinterpret_cast<uint8_t*>(words.data()));
  EXPECT_EQ(words[0], 0x10020000u);
  EXPECT_EQ(words[1], 0x50120401u);
  EXPECT_EQ(words[2], 0x90220802u);
  EXPECT_EQ(words[3], 0xd0320c03u);
  EXPECT_EQ(words[32], 0x0a020060u);
  EXPECT_EQ(words[33], 0x1a060160u);
  EXPECT_EQ(words[34], 0x2a0a0260u);
  EXPECT_EQ(words[35], 0x3a0e0360u);
}

TEST(FastlanesValues, SixteenBitsWidthOne) {
  std::vector<uint16_t> values(1024);
  for (size_t i = 0; i < 1024; ++i) values[i] = i % 5 == 2;
  std::vector<uint8_t> packed(128);
  PackBlock(1, values.data(), packed.data());
  const std::vector<uint8_t> expected = {0x10, 0x42, 0x84, 0x10, 0x21, 0x84, 0x08, 0x21};
  EXPECT_EQ(std::vector<uint8_t>(packed.begin(), packed.begin() + 8), expected);
}

TEST(CpuTest, ActiveLevelIsSupported) {
  EXPECT_TRUE(CpuSupports(ActiveCpuLevel()));
  EXPECT_TRUE(CpuSupports(CpuLevel::kScalar));
}

}  // namespace
}  // namespace glaive::kernels
