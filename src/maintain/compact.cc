#include "maintain/compact.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>

#include "base/clock.h"
#include "base/status.h"
#include "file/file_writer.h"
#include "maintain/gathered_lineage.h"
#include "maintain/group_reader.h"
#include "table/committer.h"
#include "write/append.h"

namespace glaive::maintain {

namespace {

using lance::table::Transaction;

/// Decoded bytes that are on their way from the old files to the new ones at a time: a part of the
/// budget, within bounds.
constexpr uint64_t kMostBatchBytes = 16 << 20;
constexpr uint64_t kLeastBatchBytes = 1 << 20;
constexpr uint64_t kBudgetParts = 16;

/// The work on one group.
class Rewriter {
 public:
  Rewriter(const table::Versions& versions, std::shared_ptr<const table::Snapshot> snapshot,
           const CompactionGroup& group, const OptimizeOptions& options)
      : versions_(versions), snapshot_(std::move(snapshot)), group_(group), options_(options) {}

  /// Adds to `result`; leaves nothing behind if it fails.
  arrow::Status Run(OptimizeResult* result) {
    ARROW_RETURN_NOT_OK(FindFragments());
    ARROW_RETURN_NOT_OK(Write());
    const arrow::Status committed = Commit(result);
    if (!committed.ok() && ErrorCodeOf(committed) != ErrorCode::kCommitStateUnknown) {
      write::RemoveFragments(*versions_.store(), written_);
    }
    return committed;
  }

 private:
  arrow::Status FindFragments() {
    for (const uint64_t id : group_.fragment_ids) {
      const auto* fragment = snapshot_->FindFragment(id);
      GLAIVE_CHECK_ARGUMENT(fragment != nullptr, "fragment ", id,
                            " to be rewritten is not in version ", snapshot_->version());
      fragments_.push_back(fragment);
    }
    return arrow::Status::OK();
  }

  arrow::Status Write() {
    const uint64_t batch_bytes =
        std::clamp(versions_.session()->budget().limit_bytes() / kBudgetParts, kLeastBatchBytes,
                   kMostBatchBytes);
    ARROW_ASSIGN_OR_RAISE(const auto data, ReadGroup(snapshot_, fragments_, batch_bytes));
    ARROW_ASSIGN_OR_RAISE(
        const auto version,
        file::FileVersion::Parse(snapshot_->manifest().pb.data_format().version()));
    WriteOptions options;
    options.max_rows_per_file = std::min<uint64_t>(options_.target_rows_per_fragment, UINT32_MAX);
    options.max_bytes_per_file = options_.max_bytes_per_fragment;
    options.bad_vectors = BadVectors::kAllow;  // what is stored stays
    options.cancel = options_.cancel;
    ARROW_ASSIGN_OR_RAISE(written_,
                          write::WriteFragments(*versions_.store(), *versions_.session(),
                                                snapshot_->schema(), version, *data, options));
    return arrow::Status::OK();
  }

  arrow::Status Commit(OptimizeResult* result) {
    uint64_t live = 0;
    for (const auto* fragment : fragments_) {
      live += fragment->num_rows();
    }
    GLAIVE_CHECK_FORMAT(written_.num_rows == live, "fragments to be rewritten gave ",
                        written_.num_rows, " rows, expected ", live);
    auto transaction = table::NewTransaction(snapshot_->version());
    auto* group = transaction.mutable_rewrite()->add_groups();
    for (const auto* fragment : fragments_) {
      *group->add_old_fragments() = fragment->pb();
      result->files_removed += static_cast<uint64_t>(fragment->pb().files_size());
    }
    ARROW_ASSIGN_OR_RAISE(uint64_t next_id, ReserveIds());
    ARROW_ASSIGN_OR_RAISE(const auto lineage, GatheredLineage::Of(fragments_));
    uint64_t first = 0;
    for (auto& fragment : written_.fragments) {
      fragment.set_id(next_id++);
      lineage.Stamp(first, &fragment);
      first += fragment.physical_rows();
      *group->add_new_fragments() = fragment;
    }
    ARROW_ASSIGN_OR_RAISE(const auto committed,
                          table::Committer(versions_, {}).Commit(std::move(transaction)));
    result->version = committed->version();
    result->fragments_removed += fragments_.size();
    result->fragments_added += written_.fragments.size();
    result->files_added += written_.fragments.size();
    return arrow::Status::OK();
  }

  /// Ids for the new fragments that no other writer will give away.
  arrow::Result<uint64_t> ReserveIds() {
    const auto count = static_cast<uint32_t>(written_.fragments.size());
    if (count == 0) {
      return 0;
    }
    auto transaction = table::NewTransaction(snapshot_->version());
    transaction.mutable_reserve_fragments()->set_num_fragments(count);
    ARROW_ASSIGN_OR_RAISE(const auto reserved,
                          table::Committer(versions_, {}).Commit(std::move(transaction)));
    return uint64_t{reserved->manifest().pb.max_fragment_id()} - count + 1;
  }

  const table::Versions& versions_;
  const std::shared_ptr<const table::Snapshot> snapshot_;
  const CompactionGroup& group_;
  const OptimizeOptions& options_;
  std::vector<const table::Fragment*> fragments_;
  write::WrittenFragments written_;
};

/// Another writer changed the group, or removed files that only the planned version used.
bool IsOvertaken(const arrow::Status& status) {
  const ErrorCode code = ErrorCodeOf(status);
  return code == ErrorCode::kCommitConflict || code == ErrorCode::kCommitIncompatible ||
         code == ErrorCode::kNotFound;
}

}  // namespace

arrow::Result<OptimizeResult> Compact(const table::Versions& versions,
                                      const std::shared_ptr<const table::Snapshot>& snapshot,
                                      const std::vector<CompactionGroup>& groups,
                                      const OptimizeOptions& options, int64_t deadline_nanos) {
  GLAIVE_CHECK_ARGUMENT(options.target_rows_per_fragment > 0 && options.max_bytes_per_fragment > 0,
                        "the target rows and bytes of a fragment must not be 0");
  OptimizeResult total;
  total.version = snapshot->version();
  Progress progress;
  progress.phase = "compact";
  for (const auto& group : groups) {
    progress.rows_total += group.num_rows;
  }
  for (const auto& group : groups) {
    ARROW_RETURN_NOT_OK(options.cancel.Check("compact"));
    if (deadline_nanos != 0 && NowNanos() >= deadline_nanos) {
      break;
    }
    OptimizeResult with_group = total;
    const arrow::Status status = Rewriter(versions, snapshot, group, options).Run(&with_group);
    if (status.ok()) {
      total = with_group;
    } else if (!IsOvertaken(status)) {
      return status;
    }
    progress.rows_done += group.num_rows;
    progress.bytes_done += group.num_bytes;
    if (options.progress) {
      options.progress(progress);
    }
  }
  return total;
}

}  // namespace glaive::maintain
