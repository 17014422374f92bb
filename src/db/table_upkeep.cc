// Compaction and clean-up of a table: by hand, and by itself after commits.
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "db/table_impl.h"
#include "maintain/cleanup.h"
#include "maintain/compact.h"
#include "maintain/upkeep.h"

namespace glaive {

arrow::Result<OptimizeResult> Table::Optimize(const OptimizeOptions& options) {
  return impl_->Optimize(options);
}

arrow::Result<CleanupResult> Table::Cleanup(const CleanupOptions& options) {
  return impl_->Cleanup(options);
}

namespace db {

void TableImpl::AfterCommit(const std::shared_ptr<const table::Snapshot>& committed) const {
  {
    std::lock_guard lock(mutex_);
    if (latest_ == nullptr || latest_->version() < committed->version()) {
      latest_ = committed;
      looked_at_ = NowNanos();
      latest_entry_ = {};  // Latest will tell whether it still is the latest
    }
  }
  if (!upkeep_.enabled) {
    return;
  }
  std::unique_lock turn(upkeep_mutex_, std::try_to_lock);
  if (!turn.owns_lock()) {
    return;  // another thread is at it
  }
  memory_.Note(committed->manifest());
  const auto advice = maintain::Advise(*committed, upkeep_);
  static_cast<void>(maintain::Follow(versions_, committed, advice, upkeep_, &memory_));
}

arrow::Result<OptimizeResult> TableImpl::Optimize(const OptimizeOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, ForWrite());
  OptimizeResult result;
  result.version = snapshot->version();
  if (options.compact) {
    // Old versions that others remove meanwhile must not take the files away that are rewritten.
    ARROW_ASSIGN_OR_RAISE(const auto lease, versions_.Lease(snapshot->version()));
    ARROW_ASSIGN_OR_RAISE(
        result, maintain::Compact(versions_, snapshot, maintain::PlanCompaction(*snapshot, options),
                                  options, /*deadline_nanos=*/0));
  }
  if (options.cleanup_older_than_nanos.has_value()) {
    CleanupOptions cleanup;
    cleanup.older_than_nanos = *options.cleanup_older_than_nanos;
    cleanup.progress = options.progress;
    cleanup.cancel = options.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto cleaned, maintain::Cleanup(versions_, cleanup));
    result.versions_removed = cleaned.versions_removed;
    result.bytes_removed = cleaned.bytes_removed;
  }
  return result;
}

arrow::Result<CleanupResult> TableImpl::Cleanup(const CleanupOptions& options) const {
  ARROW_RETURN_NOT_OK(ForWrite().status());
  return maintain::Cleanup(versions_, options);
}

}  // namespace db

}  // namespace glaive
