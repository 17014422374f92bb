#include "cli/instant.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "cli/text.h"

namespace glaive::cli {

namespace {

constexpr int64_t kNanosPerSecond = 1000000000;

// Reads from the front of a text; every function returns false and stays if it does not fit.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }

  bool Skip(char c) {
    if (rest_.empty() || rest_[0] != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool Digits(size_t least, size_t most, int64_t* value) {
    size_t count = 0;
    int64_t number = 0;
    while (count < most && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      number = number * 10 + (rest_[count] - '0');
      ++count;
    }
    if (count < least) {
      return false;
    }
    rest_.remove_prefix(count);
    *value = number;
    return true;
  }

  // ".25" as nanoseconds; nothing there is 0.
  bool Fraction(int64_t* nanos) {
    *nanos = 0;
    if (!Skip('.')) {
      return true;
    }
    const size_t before = rest_.size();
    int64_t value = 0;
    if (!Digits(1, 9, &value)) {
      return false;
    }
    for (size_t digits = before - rest_.size(); digits < 9; ++digits) {
      value *= 10;
    }
    *nanos = value;
    return true;
  }

 private:
  std::string_view rest_;
};

bool IsLeap(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  static constexpr int64_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const int64_t past = year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400 + kBefore[month - 1] +
         (month > 2 && IsLeap(year) ? 1 : 0) + day - 1 - 719162;
}

bool ParseZone(Cursor& at, int64_t* offset_seconds) {
  *offset_seconds = 0;
  if (at.done() || at.Skip('Z') || at.Skip('z')) {
    return true;
  }
  const bool east = at.Skip('+');
  int64_t hours = 0;
  int64_t minutes = 0;
  if ((!east && !at.Skip('-')) || !at.Digits(2, 2, &hours)) {
    return false;
  }
  at.Skip(':');
  if (!at.done() && !at.Digits(2, 2, &minutes)) {
    return false;
  }
  *offset_seconds = (hours * 60 + minutes) * (east ? 60 : -60);
  return hours < 24 && minutes < 60;
}

bool ParseTime(Cursor& at, int64_t* seconds, int64_t* nanos) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  if (!at.Digits(2, 2, &hour) || !at.Skip(':') || !at.Digits(2, 2, &minute)) {
    return false;
  }
  if (at.Skip(':') && !(at.Digits(2, 2, &second) && at.Fraction(nanos))) {
    return false;
  }
  *seconds = hour * 3600 + minute * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

bool ParseCivil(std::string_view text, int64_t* nanos_since_epoch) {
  static constexpr int64_t kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  Cursor at(text);
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!at.Digits(4, 4, &year) || !at.Skip('-') || !at.Digits(2, 2, &month) || !at.Skip('-') ||
      !at.Digits(2, 2, &day)) {
    return false;
  }
  // The years that fit nanoseconds in 64 bits.
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 ||
      day > kMonthDays[month - 1] + (month == 2 && IsLeap(year) ? 1 : 0)) {
    return false;
  }
  int64_t seconds = 0;
  int64_t nanos = 0;
  int64_t offset = 0;
  if (!at.done()) {
    if (!(at.Skip('T') || at.Skip('t') || at.Skip(' ')) || !ParseTime(at, &seconds, &nanos) ||
        !ParseZone(at, &offset)) {
      return false;
    }
  }
  *nanos_since_epoch =
      (DaysOf(year, month, day) * 86400 + seconds - offset) * kNanosPerSecond + nanos;
  return at.done();
}

bool ParseEpoch(std::string_view text, int64_t* nanos_since_epoch) {
  Cursor at(text);
  int64_t seconds = 0;
  int64_t nanos = 0;
  if (!at.Skip('@') || !at.Digits(1, 10, &seconds) || seconds > 9000000000 ||
      !at.Fraction(&nanos) || !at.done()) {
    return false;
  }
  *nanos_since_epoch = seconds * kNanosPerSecond + nanos;
  return true;
}

}  // namespace

arrow::Result<int64_t> ParseInstant(const std::string& text) {
  int64_t nanos = 0;
  if (ParseCivil(text, &nanos) || ParseEpoch(text, &nanos)) {
    return nanos;
  }
  return InvalidArgument("time '", text,
                         "': expected e.g. 2026-01-31, 2026-01-31T12:00:05.25+02:00 (UTC without a "
                         "zone) or @SECONDS since 1970");
}

std::string FormatInstant(int64_t nanos) {
  std::string text;
  if (nanos != 0) {
    AppendTimestamp(nanos / 1000000, 1000, &text);
    text.push_back('Z');
  }
  return text;
}

arrow::Result<int64_t> ParseDuration(const std::string& text) {
  constexpr int64_t kSecond = 1'000'000'000;
  static constexpr std::pair<char, int64_t> kUnits[] = {{'s', kSecond},
                                                        {'m', 60 * kSecond},
                                                        {'h', 3600 * kSecond},
                                                        {'d', 24 * 3600 * kSecond},
                                                        {'w', 7 * 24 * 3600 * kSecond}};
  if (text == "0") {
    return 0;
  }
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  for (const auto& [unit, nanos] : kUnits) {
    int64_t total = 0;
    if (parsed.ec == std::errc() && parsed.ptr + 1 == end && *parsed.ptr == unit && number >= 0 &&
        !__builtin_mul_overflow(number, nanos, &total)) {
      return total;
    }
  }
  return InvalidArgument("\"", text,
                         "\" is no length of time; write it as 90s, 15m, 12h, 7d, 2w or 0");
}

}  // namespace glaive::cli
