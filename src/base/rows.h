// Row positions that several rooms speak of.
#pragma once

#include <cstdint>
#include <vector>

namespace glaive {

/// Rows [start, end) of a page, a file or a fragment; which one the function says.
struct RowRange {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t size() const { return end - start; }
  bool operator==(const RowRange&) const = default;
};

/// Sorted, disjoint, non-empty ranges.
using RowRanges = std::vector<RowRange>;

inline uint64_t CountRows(const RowRanges& ranges) {
  uint64_t rows = 0;
  for (const auto& range : ranges) {
    rows += range.size();
  }
  return rows;
}

}  // namespace glaive
