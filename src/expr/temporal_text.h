// Dates, times and timestamps as text, ISO 8601 with a blank or a T in the middle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

namespace glaive::expr {

/// What a text says: seconds since 1970 as its clock shows them, the rest in nanoseconds, and, if
/// the text names a zone, how far that clock is ahead of UTC.
struct Moment {
  int64_t seconds = 0;
  int32_t nanos = 0;
  std::optional<int32_t> offset_seconds;
};

/// "2024-02-29", "2024-02-29 12:30[:05[.123456789]]", with T for the blank, with Z or +hh[[:]mm]
/// at the end. Blanks around are allowed.
std::optional<Moment> ParseMoment(std::string_view text);
/// "12:30[:05[.123456789]]" -> nanoseconds of the day.
std::optional<int64_t> ParseTimeOfDay(std::string_view text);

/// "2024-02-29" of days since 1970.
std::string FormatDate(int64_t days);
/// "12:30:05.123" with 0, 3, 6 or 9 digits after the point, as few as are exact.
std::string FormatTimeOfDay(int64_t nanos);
/// "2024-02-29T12:30:05.123"; `seconds` as a clock on the wall.
std::string FormatDateTime(int64_t seconds, int32_t nanos);

/// How many of `unit` are in a second.
int64_t UnitsPerSecond(arrow::TimeUnit::type unit);

}  // namespace glaive::expr
