// Rows on their way out: deletion files of the fragments they lie in. Private to the room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "proto/table.pb.h"
#include "table/bitmap.h"
#include "table/snapshot.h"

namespace glaive::write {

/// Rows by fragment id, as bitmaps: millions of them take little memory. One thread at a time.
class RowSet {
 public:
  void Add(uint64_t address) { by_fragment_[address >> 32].Add(static_cast<uint32_t>(address)); }

  void Add(const arrow::UInt64Array& addresses);

  bool Contains(uint64_t address) const {
    const auto at = by_fragment_.find(address >> 32);
    return at != by_fragment_.end() && at->second.Contains(static_cast<uint32_t>(address));
  }

  bool empty() const { return by_fragment_.empty(); }

  std::map<uint64_t, table::Bitmap> TakeAll() { return std::exchange(by_fragment_, {}); }

 private:
  std::map<uint64_t, table::Bitmap> by_fragment_;
};

struct Deletions {
  std::vector<lance::table::DataFragment> updated;  ///< with their new deletion files
  std::vector<uint64_t> removed;                    ///< fragments without a live row
  std::vector<std::string> paths;                   ///< what was written
  uint64_t num_rows = 0;                            ///< newly deleted
};

/// Writes one deletion file per fragment that keeps rows. The rows must be live in `snapshot`.
/// After an error nothing that was written is left.
arrow::Result<Deletions> WriteDeletions(const table::Snapshot& snapshot, RowSet rows);

/// Removes files that no manifest names, and the directory if it is left empty.
void RemovePaths(io::ObjectStore& store, const std::vector<std::string>& paths);

}  // namespace glaive::write
