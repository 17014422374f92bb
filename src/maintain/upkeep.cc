#include "maintain/upkeep.h"

#include <algorithm>

#include "base/clock.h"
#include "base/status.h"
#include "maintain/compact.h"
#include "maintain/oldest_versions.h"
#include "maintain/retention.h"
#include "maintain/tiers.h"

namespace glaive::maintain {

namespace {

/// Versions remembered, at most.
constexpr size_t kMaxRemembered = 4096;
constexpr const char* kLocked = "_versions";

bool IsTurn(uint64_t version, const Retention& retention) {
  return retention.every != 0 && version % retention.every == 0;
}

}  // namespace

void UpkeepMemory::Note(const table::Manifest& manifest) {
  if (manifest.pb.writer_version().library() != "glaive") {
    latest_foreign_ = std::max(latest_foreign_, manifest.version());
  }
  if (!manifest.transaction.has_value() || manifest.transaction->has_restore()) {
    return;
  }
  if (plain_.size() >= kMaxRemembered) {
    plain_.clear();
  }
  plain_.insert(manifest.version());
}

void UpkeepMemory::ForgetBefore(uint64_t version) {
  plain_.erase(plain_.begin(), plain_.lower_bound(version));
}

Advice Advise(const table::Snapshot& snapshot, const UpkeepOptions& options) {
  Advice advice;
  if (!options.enabled) {
    return advice;
  }
  advice.compact = !PlanTiers(snapshot, options).empty();
  advice.clean_up = IsTurn(snapshot.version(), RetentionOf(snapshot.manifest(), options));
  return advice;
}

arrow::Status Follow(const table::Versions& versions,
                     const std::shared_ptr<const table::Snapshot>& snapshot, const Advice& advice,
                     const UpkeepOptions& options, UpkeepMemory* memory) {
  if (!advice.compact && !advice.clean_up) {
    return arrow::Status::OK();
  }
  const int64_t deadline = NowNanos() + options.time_budget_nanos;
  ARROW_ASSIGN_OR_RAISE(const auto lock,
                        versions.store()->TryLock(kLocked, io::LockMode::kExclusive));
  if (lock == nullptr) {
    return arrow::Status::OK();  // another process is at it
  }
  OptimizeOptions compaction;
  auto current = snapshot;
  bool clean_up = advice.clean_up;
  const Retention retention = RetentionOf(snapshot->manifest(), options);
  while (advice.compact && NowNanos() < deadline) {
    const auto groups = PlanTiers(*current, options);
    if (groups.empty()) {
      break;
    }
    ARROW_ASSIGN_OR_RAISE(const auto done,
                          Compact(versions, current, groups, compaction, deadline));
    if (done.fragments_removed == 0) {
      break;  // others are changing these fragments; the next commit will look again
    }
    for (uint64_t version = current->version() + 1; version <= done.version; ++version) {
      clean_up = clean_up || IsTurn(version, retention);
    }
    ARROW_ASSIGN_OR_RAISE(current, versions.OpenLatest());
  }
  return clean_up ? RemoveOldest(versions, retention, memory, deadline) : arrow::Status::OK();
}

}  // namespace glaive::maintain
