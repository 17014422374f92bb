// Door: upkeep that follows commits: decides from a snapshot's statistics what is worth doing, and
// does it within a time budget.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include <arrow/result.h>

#include "glaive/change.h"
#include "glaive/options.h"

#include "table/snapshot.h"
#include "table/versions.h"

namespace glaive::maintain {

/// What a snapshot's statistics advise. A value.
struct Advice {
  bool compact = false;
  bool clean_up = false;
};

/// What a handle remembers between commits, so that clean-up does not read history again. One
/// thread at a time.
class UpkeepMemory {
 public:
  /// `snapshot` was just committed, or read.
  void Note(const table::Manifest& manifest);

  /// False if the version may have brought back files of an older one.
  bool IsPlain(uint64_t version) const { return plain_.count(version) != 0; }

  void ForgetBefore(uint64_t version);

  /// The highest known version that another writer of the format made; 0 if there is none.
  uint64_t latest_foreign() const { return latest_foreign_; }

 private:
  std::set<uint64_t> plain_;
  uint64_t latest_foreign_ = 0;
};

/// Pure, and cheap enough for every commit: looks at the manifest only. Small fragments are merged
/// in tiers (about equal sizes together), so that a row is rewritten a number of times that grows
/// with the logarithm of the table, not with the number of writes.
Advice Advise(const table::Snapshot& snapshot, const UpkeepOptions& options);

/// Follows the advice. One process at a time per table does it; others find it taken and go on.
/// Errors are returned for tests and logs; the write that set it off has long succeeded.
arrow::Status Follow(const table::Versions& versions,
                     const std::shared_ptr<const table::Snapshot>& snapshot, const Advice& advice,
                     const UpkeepOptions& options, UpkeepMemory* memory);

}  // namespace glaive::maintain
