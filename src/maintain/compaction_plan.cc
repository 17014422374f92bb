#include <algorithm>
#include <utility>

#include "base/status.h"
#include "maintain/compact.h"
#include "maintain/coverage.h"

namespace glaive::maintain {

namespace {

/// Gathers adjacent candidates of one coverage.
class Binner {
 public:
  Binner(const OptimizeOptions& options, const Coverage& coverage)
      : options_(options), coverage_(coverage) {}

  void Add(const table::Fragment& fragment) {
    const uint64_t deleted = fragment.num_deleted();
    const bool materialize =
        static_cast<double>(deleted) > options_.materialize_deletions_threshold *
                                           static_cast<double>(fragment.physical_rows()) &&
        deleted > 0;
    const uint64_t bytes = BytesOf(fragment);
    const bool small = fragment.num_rows() < options_.target_rows_per_fragment &&
                       bytes < options_.max_bytes_per_fragment;
    const auto set = coverage_.SetOf(fragment.id());
    if ((!small && !materialize) || !set.has_value()) {
      Close();
      return;
    }
    if (!bin_.fragment_ids.empty() && *set != set_) {
      Close();
    }
    set_ = *set;
    bin_.fragment_ids.push_back(fragment.id());
    bin_.num_rows += fragment.num_rows();
    bin_.num_bytes += bytes;
    materialize_ = materialize_ || materialize;
    if (bin_.num_rows >= options_.target_rows_per_fragment ||
        bin_.num_bytes >= options_.max_bytes_per_fragment) {
      Close();
    }
  }

  void Close() {
    // One fragment alone is worth it only for its deleted rows.
    if (bin_.fragment_ids.size() > 1 || materialize_) {
      groups_.push_back(std::move(bin_));
    }
    bin_ = {};
    materialize_ = false;
  }

  std::vector<CompactionGroup> Finish() {
    Close();
    return std::move(groups_);
  }

 private:
  const OptimizeOptions& options_;
  const Coverage& coverage_;
  CompactionGroup bin_;
  std::vector<size_t> set_;  // indices that cover the bin
  bool materialize_ = false;
  std::vector<CompactionGroup> groups_;
};

}  // namespace

uint64_t BytesOf(const table::Fragment& fragment) {
  uint64_t bytes = 0;
  for (const auto& file : fragment.pb().files()) {
    bytes += file.file_size_bytes();
  }
  return bytes;
}

std::vector<CompactionGroup> PlanCompaction(const table::Snapshot& snapshot,
                                            const OptimizeOptions& options) {
  const Coverage coverage(snapshot.manifest());
  Binner binner(options, coverage);
  for (const auto& fragment : snapshot.fragments()) {
    binner.Add(*fragment);
  }
  return binner.Finish();
}

}  // namespace glaive::maintain
