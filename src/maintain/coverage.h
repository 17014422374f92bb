// Which indices cover which fragments, as far as it matters for rewriting them. Private to the
// room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "table/bitmap.h"
#include "table/manifest.h"

namespace glaive::maintain {

/// Immutable.
class Coverage {
 public:
  explicit Coverage(const table::Manifest& manifest);

  /// The indices that cover a fragment, by their place in the manifest; fragments are rewritten
  /// together only if these are equal. nullopt: the fragment must stay, because an index could not
  /// follow its rows.
  std::optional<std::vector<size_t>> SetOf(uint64_t fragment_id) const;

 private:
  bool stable_row_ids_ = false;
  bool frozen_ = false;  // what an index covers is not known
  std::vector<std::pair<size_t, table::Bitmap>> bitmaps_;
};

}  // namespace glaive::maintain
