// Clean-up that follows commits: removes the oldest versions without listing files or reading
// history. Private to the room.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/status.h>

#include "maintain/retention.h"
#include "maintain/upkeep.h"

namespace glaive::maintain {

/// Removes versions beyond the retention, oldest first, until the deadline. Their files are found
/// by comparing manifests: a file of a version that goes is garbage if the next version that stays
/// lacks it, as long as no version brought old files back; where one may have, all that stay are
/// asked.
arrow::Status RemoveOldest(const table::Versions& versions, const Retention& retention,
                           UpkeepMemory* memory, int64_t deadline_nanos);

}  // namespace glaive::maintain
