#include "base/uuid.h"

#include <set>

#include <gtest/gtest.h>

namespace glaive {
namespace {

TEST(Uuid, Names) {
  Uuid uuid;
  uuid.bytes = {0xA5, 0x01, 0xFF, 0x03, 0x04, 0x05, 0x46, 0x07,
                0x88, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F};
  EXPECT_EQ(uuid.ToString(), "a501ff03-0405-4607-8809-0a0b0c0d0e0f");
  EXPECT_EQ(uuid.ToDataFileStem(), "101001010000000111111111030405460788090a0b0c0d0e0f");
}

TEST(Uuid, RandomOnesAreVersion4AndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::Random();
    EXPECT_EQ(uuid.bytes[6] >> 4, 4);
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
    EXPECT_TRUE(seen.insert(uuid.ToString()).second);
  }
}

}  // namespace
}  // namespace glaive
