#include "maintain/coverage.h"

#include "base/status.h"

namespace glaive::maintain {

namespace {

constexpr const char* kFragmentReuse = "__lance_frag_reuse";

}  // namespace

Coverage::Coverage(const table::Manifest& manifest) : stable_row_ids_(manifest.stable_row_ids()) {
  for (size_t i = 0; i < manifest.indices.size(); ++i) {
    const auto& index = manifest.indices[i];
    if (index.name() == kFragmentReuse) {
      // It leads from rows that indices know to fragments of today: they must stay.
      frozen_ = frozen_ || !stable_row_ids_;
      continue;
    }
    auto bitmap = table::Bitmap::Parse(index.fragment_bitmap(), index.name());
    if (index.fragment_bitmap().empty() || !bitmap.ok()) {
      frozen_ = true;
      continue;
    }
    bitmaps_.emplace_back(i, std::move(*bitmap));
  }
}

std::optional<std::vector<size_t>> Coverage::SetOf(uint64_t fragment_id) const {
  std::vector<size_t> set;
  for (const auto& [place, bitmap] : bitmaps_) {
    if (bitmap.Contains(static_cast<uint32_t>(fragment_id))) {
      set.push_back(place);
    }
  }
  // Row addresses change, stable row ids don't.
  if (frozen_ || (!set.empty() && !stable_row_ids_)) {
    return std::nullopt;
  }
  return set;
}

}  // namespace glaive::maintain
