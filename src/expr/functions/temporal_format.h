// Dates and times as text by a pattern of strftime, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "expr/functions/temporal_rows.h"

namespace glaive::expr {

/// What a moment to be written has.
struct Shown {
  Wall wall;
  bool has_date = true;
  bool has_time = true;
  std::optional<int64_t> offset_seconds;  ///< of a timestamp with a zone
  std::string_view zone;
};

/// What a text told.
struct Told {
  int64_t seconds = 0;  ///< since 1970, as the clock shows; only of the day without a date
  int64_t nanos = 0;
  bool has_date = false;
  std::optional<int64_t> offset_seconds;
  std::string zone;  ///< a name, by %Z
};

class TimeFormat {
 public:
  /// kInvalidArgument naming the function and the item that is unknown.
  static arrow::Result<TimeFormat> Parse(std::string_view pattern, std::string_view function);

  /// kInvalidArgument if an item asks for what there is not.
  arrow::Status Append(const Shown& shown, std::string* out) const;
  /// nullopt if the text does not fit the pattern, or does not tell a whole date.
  std::optional<Told> Read(std::string_view text) const;

 private:
  struct Item {
    char kind = 0;       ///< of strftime; 0: `text`
    char pad = 0;        ///< '-', '_' or '0' where given
    int digits = -1;     ///< of %3f
    bool point = false;  ///< %.f
    int colons = 0;      ///< of %:z
    std::string text;
  };

  std::vector<Item> items_;
  std::string function_;
};

}  // namespace glaive::expr
