// Reading columns of a fragment out of its data files. Private to the room.
#pragma once

#include <memory>
#include <vector>

#include <arrow/result.h>

#include "table/snapshot.h"

namespace glaive::table {

/// A data file opened and checked against what the fragment says of it.
arrow::Result<std::shared_ptr<const file::FileReader>> OpenDataFile(
    const Snapshot& snapshot, const lance::table::DataFragment& fragment,
    const lance::table::DataFile& file);

/// Where a file lies: of the table itself, or of one of its base paths.
struct Place {
  std::shared_ptr<io::ObjectStore> store;
  bool dataset_root = true;  ///< false: data files lie directly under the store's root
};

arrow::Result<Place> PlaceOf(const std::shared_ptr<io::ObjectStore>& own, Session& session,
                             const lance::table::Manifest& manifest, bool has_base_id,
                             uint32_t base_id);

arrow::Result<std::shared_ptr<FragmentReader>> OpenFragmentReader(
    std::shared_ptr<const Snapshot> snapshot, const Fragment& fragment,
    const file::Schema& projection);

}  // namespace glaive::table
