#include "cli/text.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace glaive::cli {
namespace {

TEST(TextTest, ReadableNumbers) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(uint64_t{3} << 30), "3.0 GiB");
}

TEST(TextTest, Utf8LengthRefusesWhatIsNotUtf8) {
  EXPECT_EQ(Utf8Length("a"), 1u);
  EXPECT_EQ(Utf8Length("é"), 2u);
  EXPECT_EQ(Utf8Length("€"), 3u);
  EXPECT_EQ(Utf8Length("😀"), 4u);
  EXPECT_EQ(Utf8Length("\xF4\x8F\xBF\xBF"), 4u);
  for (const char* bad :
       {"", "\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_EQ(Utf8Length(bad), 0u);
  }
}

TEST(TextTest, WidthCountsCells) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é€"), 2u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1u);
  EXPECT_EQ(PrefixOfWidth("日本", 3), 3u);
  EXPECT_EQ(PrefixOfWidth("abc", 2), 2u);
}

TEST(TextTest, DatesMatchAnotherAlgorithm) {
  // Walk every day of 900 years with the plain rules of the calendar.
  static constexpr int kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t days = -135140;  // 1600-01-01
  for (int year = 1600; year < 2500; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= kMonthDays[month - 1] + (month == 2 && leap ? 1 : 0);
           ++day, ++days) {
        char expected[64];
        std::snprintf(expected, sizeof(expected), "%04d-%02d-%02d", year, month, day);
        std::string found;
        AppendDate(days, &found);
        ASSERT_EQ(found, expected);
      }
    }
  }
}

}  // namespace
}  // namespace glaive::cli
