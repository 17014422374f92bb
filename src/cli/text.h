// Text of single values: JSON strings, base64, dates, times, numbers. Appends, never fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace glaive::cli {

/// `text` in quotes, escaped. Bytes that are not valid UTF-8 become U+FFFD, so the result is valid
/// JSON.
void AppendJsonString(std::string_view text, std::string* out);
/// Base64 of RFC 4648 with padding.
void AppendBase64(std::string_view bytes, std::string* out);
/// The shortest decimal that reads back as the same number; NaN, Infinity, -Infinity without
/// quotes.
void AppendFloat(float value, std::string* out);
void AppendDouble(double value, std::string* out);
void AppendInt(int64_t value, std::string* out);
void AppendUnsigned(uint64_t value, std::string* out);
/// 1970-01-01 + days, of the proleptic Gregorian calendar; years beyond four digits get a sign.
void AppendDate(int64_t days, std::string* out);
/// HH:MM:SS and as many fraction digits as `units_per_second` has zeros.
void AppendTimeOfDay(int64_t value, int64_t units_per_second, std::string* out);
/// Date, 'T' and time of day of a count since 1970-01-01T00:00:00.
void AppendTimestamp(int64_t value, int64_t units_per_second, std::string* out);
/// "PT1.5S", "-PT0.000000001S": ISO 8601 in seconds alone.
void AppendDuration(int64_t value, int64_t units_per_second, std::string* out);
/// 1234567 as "1,234,567".
std::string WithThousands(uint64_t value);
/// 1536 as "1.5 KiB".
std::string HumanBytes(uint64_t bytes);

/// How many terminal cells `text` takes: wide East Asian characters count twice, combining marks
/// not.
size_t DisplayWidth(std::string_view text);
/// The bytes of the longest prefix of `text` that takes at most `cells` terminal cells.
size_t PrefixOfWidth(std::string_view text, size_t cells);
/// The length of the valid UTF-8 sequence at the start of `text`, or 0.
size_t Utf8Length(std::string_view text);

}  // namespace glaive::cli
