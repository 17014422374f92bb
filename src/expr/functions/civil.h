// The calendar (proleptic Gregorian) by arithmetic alone, for any day of 64 bits' seconds.
#pragma once

#include <cstdint>

namespace glaive::expr {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kNanosPerDay = kNanosPerSecond * kSecondsPerDay;

constexpr int64_t FloorDivide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? quotient - 1 : quotient;
}

constexpr int64_t FloorModulo(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return (rest != 0 && ((rest < 0) != (b < 0))) ? rest + b : rest;
}

struct Civil {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
};

/// Days since 1970-01-01 -> date. Years begin in March here, so that leap days come last.
constexpr Civil CivilOf(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = FloorDivide(shifted, 146'097);
  const int64_t of_era = shifted - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * of_year + 2) / 153;
  Civil out;
  out.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  out.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  out.year = year_of_era + era * 400 + (out.month <= 2 ? 1 : 0);
  return out;
}

constexpr int64_t DaysOf(int64_t year, int month, int day) {
  const int64_t shifted = year - (month <= 2 ? 1 : 0);
  const int64_t era = FloorDivide(shifted, 400);
  const int64_t year_of_era = shifted - era * 400;
  const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year -
         719'468;
}

constexpr int DaysInMonth(int64_t year, int month) {
  const int64_t next = month == 12 ? DaysOf(year + 1, 1, 1) : DaysOf(year, month + 1, 1);
  return static_cast<int>(next - DaysOf(year, month, 1));
}

/// The same day `months` later, or the last of the month if that is shorter.
constexpr int64_t AddMonths(int64_t days, int64_t months) {
  const Civil date = CivilOf(days);
  const int64_t index = date.year * 12 + date.month - 1 + months;
  const int64_t year = FloorDivide(index, 12);
  const int month = static_cast<int>(FloorModulo(index, 12)) + 1;
  const int last = DaysInMonth(year, month);
  return DaysOf(year, month, date.day < last ? date.day : last);
}

/// 0 is Sunday.
constexpr int WeekdayOf(int64_t days) {
  return static_cast<int>(FloorModulo(days + 4, 7));
}

/// From 1.
constexpr int DayOfYear(int64_t days) {
  return static_cast<int>(days - DaysOf(CivilOf(days).year, 1, 1)) + 1;
}

struct IsoWeek {
  int64_t year = 1970;
  int week = 1;
};

/// The week belongs to the year of its Thursday.
constexpr IsoWeek IsoWeekOf(int64_t days) {
  const int64_t thursday = days - FloorModulo(days + 3, 7) + 3;
  return {CivilOf(thursday).year, (DayOfYear(thursday) - 1) / 7 + 1};
}

}  // namespace glaive::expr
