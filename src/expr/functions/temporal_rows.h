// Dates, times and timestamps read as a clock on the wall shows them, time zones, and intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/datum.h>
#include <arrow/result.h>

#include "expr/function.h"
#include "expr/functions/civil.h"
#include "expr/functions/rows.h"

namespace glaive::expr {

/// A moment on the wall.
struct Wall {
  int64_t days = 0;
  int64_t nanos = 0;  ///< of the day
};

/// A timestamp of any unit (its zone is ignored: UTC), date or time, row by row.
class WallRows {
 public:
  explicit WallRows(const arrow::Datum& values);

  bool IsNull(int64_t row) const { return narrow_ ? narrow_->IsNull(row) : wide_->IsNull(row); }

  Wall operator[](int64_t row) const;

 private:
  std::optional<ValueRows<int32_t>> narrow_;
  std::optional<ValueRows<int64_t>> wide_;
  int64_t per_second_ = 1;
  bool is_date32_ = false;
};

/// Units per second of a timestamp, time or duration type.
int64_t UnitsOf(const arrow::DataType& type);
/// In units of `per_second`; nullopt if that passes 64 bits.
std::optional<int64_t> InUnits(int64_t seconds, int64_t nanos, int64_t per_second);
std::optional<int64_t> InUnits(const Wall& wall, int64_t per_second);
/// kInvalidArgument naming the function and the moment that does not fit.
arrow::Status OutOfRange(std::string_view function);

/// Timestamps with a zone -> timestamps without, as clocks there show; others unchanged. Zones are
/// names of the IANA database or offsets such as +05:30.
arrow::Result<arrow::Datum> ToWallClock(const arrow::Datum& values, arrow::MemoryPool* pool);
/// The way back: of two moments with one clock the earlier; clocks that never show go on.
arrow::Result<arrow::Datum> FromWallClock(const arrow::Datum& values, const std::string& zone,
                                          arrow::MemoryPool* pool);
std::string ZoneOf(const arrow::DataType& type);
/// kInvalidArgument if there is no such zone.
arrow::Status CheckZone(const std::string& zone, std::string_view function);

struct Interval {
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanos = 0;
};

/// "1 year 2 months -3 days 04:05:06.7", "15 minutes".
std::optional<Interval> ParseInterval(std::string_view text);

/// The type as which a function takes an argument: timestamps, dates and times (if `times`) as they
/// are, text and null as timestamp[ns]; else nullptr.
TypePtr TemporalType(const TypePtr& type, bool times);

std::vector<Function> PartFunctions();      ///< date_part, year ...
std::vector<Function> TruncFunctions();     ///< date_trunc, date_bin
std::vector<Function> ParseFunctions();     ///< to_timestamp, to_date ...
std::vector<Function> CalendarFunctions();  ///< make_date, date_add, to_char ...

}  // namespace glaive::expr
