// Points in time as people type and read them.
#pragma once

#include <cstdint>
#include <string>

#include <arrow/result.h>

namespace glaive::cli {

/// Nanoseconds since 1970-01-01 UTC of "2026-01-31", "2026-01-31T12:00", "2026-01-31
/// 12:00:05.25+02:00" (UTC without a zone) or "@1769817600.5" (seconds since 1970).
/// kInvalidArgument otherwise.
arrow::Result<int64_t> ParseInstant(const std::string& text);

/// "2026-01-31T12:00:05.250Z"; empty for 0, which stands for unknown.
std::string FormatInstant(int64_t nanos);

/// Nanoseconds of "90s", "15m", "12h", "7d", "2w", or "0". kInvalidArgument otherwise.
arrow::Result<int64_t> ParseDuration(const std::string& text);

}  // namespace glaive::cli
