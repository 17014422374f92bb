// Finding out whether a page's values repeat so much that a dictionary pays, and building it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/leaf_values.h"

namespace glaive::encoding {

struct DictionaryBudget {
  uint64_t entries = 0;
  /// The dictionary and the indices, bit-packed, must stay below this.
  uint64_t bytes = 0;
  /// What the indices take as run lengths, if that is known.
  uint64_t index_run_bytes = std::numeric_limits<uint64_t>::max();
};

struct BuiltDictionary {
  LeafValues items;
  LeafValues indices;  ///< kFixed of 32 bits
};

/// kVariable, or kFixed of 64 or 128 bits. Looks at a sample first; nothing if the values don't
/// repeat enough. Slots that don't count (`valid` 0) repeat an index.
arrow::Result<std::optional<BuiltDictionary>> BuildDictionary(const LeafValues& values,
                                                              const std::vector<uint8_t>& valid,
                                                              const DictionaryBudget& budget,
                                                              arrow::MemoryPool* pool);

}  // namespace glaive::encoding
