// Which versions a table keeps by itself. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "glaive/options.h"

#include "table/manifest.h"

namespace glaive::maintain {

/// A value.
struct Retention {
  uint64_t every = 0;   ///< versions between two clean-ups; 0: never
  uint64_t newest = 0;  ///< so many stay
  int64_t nanos = 0;    ///< so old ones go
  bool either = false;  ///< a version goes for one of both reasons; else only for both
};

/// What the table's own keys (lance.auto_cleanup.*, as other writers of the format know them) say;
/// without them, the options.
Retention RetentionOf(const table::Manifest& manifest, const UpkeepOptions& options);

/// Of texts like "14days" and "1h 30m"; nullopt for others.
std::optional<int64_t> ParseDuration(std::string_view text);

}  // namespace glaive::maintain
