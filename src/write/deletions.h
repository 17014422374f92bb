// Rows on their way out: deletion files of the fragments they lie in. Private to the room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "proto/table.pb.h"
#include "table/snapshot.h"

namespace glaive::write {

/// Newly deleted offsets by fragment id, in any order, with repeats.
using OffsetsByFragment = std::map<uint64_t, std::vector<uint32_t>>;

struct Deletions {
  std::vector<lance::table::DataFragment> updated;  ///< with their new deletion files
  std::vector<uint64_t> removed;                    ///< fragments without a live row
  std::vector<std::string> paths;                   ///< what was written
  uint64_t num_rows = 0;                            ///< newly deleted
};

/// Writes one deletion file per fragment that keeps rows. The rows must be live in `snapshot`.
/// After an error nothing that was written is left.
arrow::Result<Deletions> WriteDeletions(const table::Snapshot& snapshot, OffsetsByFragment rows);

/// Removes files that no manifest names, and the directory if it is left empty.
void RemovePaths(io::ObjectStore& store, const std::vector<std::string>& paths);

}  // namespace glaive::write
