// Door: fewer and fuller fragments with the same rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "glaive/change.h"

#include "proto/transaction.pb.h"
#include "table/snapshot.h"
#include "table/versions.h"

namespace glaive::maintain {

/// Adjacent fragments that become one or more new ones. A value.
struct CompactionGroup {
  std::vector<uint64_t> fragment_ids;
  uint64_t num_rows = 0;   ///< live
  uint64_t num_bytes = 0;  ///< of their data files, as far as the manifest knows
};

/// Bytes of a fragment's data files, as far as the manifest knows.
uint64_t BytesOf(const table::Fragment& fragment);

/// Which fragments are worth rewriting. Pure; reads nothing but the manifest. Groups never mix
/// fragments that an index covers with ones that it does not, and leave alone what only a rewritten
/// index could follow.
std::vector<CompactionGroup> PlanCompaction(const table::Snapshot& snapshot,
                                            const OptimizeOptions& options);

/// Rewrites the groups and commits each as one Rewrite, on top of whatever is committed meanwhile.
/// A group that another writer changed is skipped. Memory within the session's budget. Stops at
/// `deadline_nanos` (clock of base/clock.h; 0 = none) between groups.
arrow::Result<OptimizeResult> Compact(const table::Versions& versions,
                                      const std::shared_ptr<const table::Snapshot>& snapshot,
                                      const std::vector<CompactionGroup>& groups,
                                      const OptimizeOptions& options, int64_t deadline_nanos);

}  // namespace glaive::maintain
