#include "cli/instant.h"

#include <gtest/gtest.h>

#include "glaive/error.h"

namespace glaive::cli {
namespace {

constexpr int64_t kSecond = 1000000000;

TEST(InstantTest, ReadsWhatPeopleType) {
  EXPECT_EQ(*ParseInstant("1970-01-01"), 0);
  EXPECT_EQ(*ParseInstant("1969-12-31T23:59:59"), -kSecond);
  EXPECT_EQ(*ParseInstant("2024-02-29T12:34:56Z"), 1709210096 * kSecond);
  EXPECT_EQ(*ParseInstant("2024-02-29 12:34:56.25"), 1709210096 * kSecond + 250000000);
  EXPECT_EQ(*ParseInstant("2024-02-29T14:34:56+02:00"), 1709210096 * kSecond);
  EXPECT_EQ(*ParseInstant("2024-02-29T11:04:56-0130"), 1709210096 * kSecond);
  EXPECT_EQ(*ParseInstant("2024-02-29T12:34"), 1709210040 * kSecond);
  EXPECT_EQ(*ParseInstant("@1709210096.5"), 1709210096 * kSecond + kSecond / 2);
}

TEST(InstantTest, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "yesterday", "2024", "2024-13-01", "2023-02-29", "2024-02-30", "2024-01-01T25:00",
        "2024-01-01T10:60", "2024-01-01T10:00:00X", "2024-01-01T10:00+25:00", "1500-01-01",
        "2300-01-01", "@", "@12x", "@99999999999", "2024-01-01T10:00:00.", "2024-1-1"}) {
    EXPECT_EQ(ErrorCodeOf(ParseInstant(text).status()), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(InstantTest, WhatIsWrittenReadsBack) {
  EXPECT_EQ(FormatInstant(1709210096 * kSecond + 250000000), "2024-02-29T12:34:56.250Z");
  EXPECT_EQ(FormatInstant(0), "");
  EXPECT_EQ(*ParseInstant(FormatInstant(1709210096 * kSecond)), 1709210096 * kSecond);
}

TEST(Duration, Parses) {
  EXPECT_EQ(*ParseDuration("0"), 0);
  EXPECT_EQ(*ParseDuration("90s"), int64_t{90'000'000'000});
  EXPECT_EQ(*ParseDuration("2w"), int64_t{14} * 24 * 3600 * 1'000'000'000);
  for (const char* bad : {"", "7", "d", "-1d", "7 d", "1h30m", "999999999w", "7x"}) {
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace glaive::cli
