// Door: removes old versions and the files that only they use.
#pragma once

#include <arrow/result.h>

#include "glaive/change.h"

#include "table/versions.h"

namespace glaive::maintain {

/// See glaive/change.h. Safe beside readers, writers and other clean-ups: a version that a process
/// of Glaive reads stays; files younger than 7 days that no version names stay, since they may
/// belong to a transaction under way. Whatever fails to be removed is left for the next time.
arrow::Result<CleanupResult> Cleanup(const table::Versions& versions,
                                     const CleanupOptions& options);

}  // namespace glaive::maintain
