// Rows that a change deletes where they are and writes anew. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/options.h"

#include "table/snapshot.h"
#include "write/change.h"
#include "write/deletions.h"

namespace glaive::write {

/// What a stream of new rows replaces; filled while the stream is read. Rows that replace one come
/// first in it, in the order of row_ids; those after them are new.
struct MovedRows {
  bool keeps_row_ids = false;     ///< of a table with stable ones
  RowSet rows;                    ///< to be deleted
  std::vector<uint64_t> row_ids;  ///< of the rows written anew, if they keep theirs
  uint64_t num_moved = 0;         ///< rows written anew
  uint64_t num_inserted = 0;      ///< rows of the stream that replace none
  uint64_t num_dropped = 0;       ///< of `rows`, those that are not written anew

  /// A batch of rows that are written anew.
  void Add(const arrow::UInt64Array& ids, const arrow::UInt64Array& addresses);
  void Add(uint64_t id, uint64_t address);
  /// One row that only goes.
  void Drop(uint64_t address);
};

/// Writes `data` (in the table's schema) as new fragments and deletes the rows that `moved` holds
/// at its end, as one Update. With stable row ids the moved rows keep theirs. nullopt if there is
/// nothing to do; after an error nothing that was written is left.
ChangeResult WriteMoved(const table::Snapshot& snapshot, arrow::RecordBatchReader& data,
                        const WriteOptions& options, MovedRows* moved);

}  // namespace glaive::write
