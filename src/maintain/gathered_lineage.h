// Row ids and versions of rows that are gathered from several fragments into new ones. Private to
// the room.
#pragma once

#include <cstdint>
#include <vector>

#include <arrow/result.h>

#include "proto/table.pb.h"
#include "table/snapshot.h"

namespace glaive::maintain {

/// The live rows of fragments in order. A value; 24 bytes per row.
class GatheredLineage {
 public:
  /// Empty where the table has no stable row ids.
  static arrow::Result<GatheredLineage> Of(const std::vector<const table::Fragment*>& fragments);

  /// Gives `fragment`, which holds the rows from `first` on, their ids and versions. Nothing where
  /// the table has no stable row ids.
  void Stamp(uint64_t first, lance::table::DataFragment* fragment) const;

 private:
  std::vector<uint64_t> ids_;
  std::vector<uint64_t> created_;
  std::vector<uint64_t> updated_;
};

}  // namespace glaive::maintain
