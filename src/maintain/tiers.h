// Which small fragments are worth merging after a commit. Private to the room.
#pragma once

#include <vector>

#include "glaive/options.h"

#include "maintain/compact.h"

namespace glaive::maintain {

/// At most one group: of the runs of adjacent small fragments, the one that costs the fewest rows
/// per fragment less. Empty while there are few of them. Pure.
std::vector<CompactionGroup> PlanTiers(const table::Snapshot& snapshot,
                                       const UpkeepOptions& options);

}  // namespace glaive::maintain
