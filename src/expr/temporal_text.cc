#include "expr/temporal_text.h"

#include <chrono>
#include <cstdio>

#include <arrow/type.h>

namespace glaive::expr {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool TakeDigits(std::string_view* text, int least, int most, int32_t* value) {
  int count = 0;
  *value = 0;
  while (count < most && !text->empty() && text->front() >= '0' && text->front() <= '9') {
    *value = *value * 10 + (text->front() - '0');
    text->remove_prefix(1);
    ++count;
  }
  return count >= least;
}

bool Take(std::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text, int64_t* days) {
  const bool before_zero = Take(text, '-');
  int32_t year = 0;
  int32_t month = 0;
  int32_t day = 0;
  if (!TakeDigits(text, 4, 5, &year) || !Take(text, '-') || !TakeDigits(text, 1, 2, &month) ||
      !Take(text, '-') || !TakeDigits(text, 1, 2, &day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year{before_zero ? -year : year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (year > 32767 || !date.ok()) return false;
  *days = std::chrono::sys_days{date}.time_since_epoch().count();
  return true;
}

bool TakeFraction(std::string_view* text, int32_t* nanos) {
  int digits = 0;
  *nanos = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    if (digits < 9) *nanos = *nanos * 10 + (text->front() - '0');
    text->remove_prefix(1);
    ++digits;
  }
  for (int i = digits; i < 9; ++i) *nanos *= 10;
  return digits > 0;
}

bool TakeTime(std::string_view* text, int32_t* seconds, int32_t* nanos) {
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  *nanos = 0;
  if (!TakeDigits(text, 1, 2, &hour) || !Take(text, ':') || !TakeDigits(text, 2, 2, &minute)) {
    return false;
  }
  if (Take(text, ':')) {
    if (!TakeDigits(text, 2, 2, &second)) return false;
    if (Take(text, '.') && !TakeFraction(text, nanos)) return false;
  }
  *seconds = hour * 3600 + minute * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

bool TakeZone(std::string_view* text, int32_t* offset) {
  if (Take(text, 'Z') || Take(text, 'z')) {
    *offset = 0;
    return true;
  }
  if (text->size() >= 3 && (text->substr(0, 3) == "UTC" || text->substr(0, 3) == "utc")) {
    text->remove_prefix(3);
    *offset = 0;
    return true;
  }
  const bool behind = !text->empty() && text->front() == '-';
  if (!Take(text, '+') && !Take(text, '-')) return false;
  int32_t hours = 0;
  int32_t minutes = 0;
  if (!TakeDigits(text, 2, 2, &hours)) return false;
  const bool colon = Take(text, ':');
  if ((colon || !text->empty()) && !TakeDigits(text, 2, 2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  *offset = (hours * 3600 + minutes * 60) * (behind ? -1 : 1);
  return true;
}

}  // namespace

std::optional<Moment> ParseMoment(std::string_view text) {
  text = Trim(text);
  int64_t days = 0;
  if (!TakeDate(&text, &days)) return std::nullopt;
  Moment moment;
  moment.seconds = days * kSecondsPerDay;
  if (text.empty()) return moment;
  if (!Take(&text, 'T') && !Take(&text, 't') && !Take(&text, ' ')) return std::nullopt;
  int32_t seconds = 0;
  if (!TakeTime(&text, &seconds, &moment.nanos)) return std::nullopt;
  moment.seconds += seconds;
  text = Trim(text);
  if (text.empty()) return moment;
  int32_t offset = 0;
  if (!TakeZone(&text, &offset) || !text.empty()) return std::nullopt;
  moment.offset_seconds = offset;
  return moment;
}

std::optional<int64_t> ParseTimeOfDay(std::string_view text) {
  text = Trim(text);
  int32_t seconds = 0;
  int32_t nanos = 0;
  if (!TakeTime(&text, &seconds, &nanos) || !text.empty()) return std::nullopt;
  return seconds * int64_t{1000000000} + nanos;
}

std::string FormatDate(int64_t days) {
  const int64_t kFarthest = int64_t{32767} * 366;
  if (days > kFarthest || days < -kFarthest) return "day " + std::to_string(days);
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int32_t>(days)}}};
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return buffer;
}

std::string FormatTimeOfDay(int64_t nanos) {
  const int64_t seconds = nanos / 1000000000;
  const int64_t fraction = nanos % 1000000000;
  char buffer[64];
  int size =
      std::snprintf(buffer, sizeof buffer, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                    static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text(buffer, static_cast<size_t>(size));
  if (fraction == 0) return text;
  const int digits = fraction % 1000000 == 0 ? 3 : fraction % 1000 == 0 ? 6 : 9;
  int64_t shown = fraction;
  for (int i = digits; i < 9; ++i) shown /= 10;
  std::snprintf(buffer, sizeof buffer, ".%0*d", digits, static_cast<int>(shown));
  return text + buffer;
}

std::string FormatDateTime(int64_t seconds, int32_t nanos) {
  int64_t days = seconds / kSecondsPerDay;
  int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  return FormatDate(days) + "T" + FormatTimeOfDay(rest * 1000000000 + nanos);
}

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1000;
    case arrow::TimeUnit::MICRO:
      return 1000000;
    default:
      return 1000000000;
  }
}

}  // namespace glaive::expr
