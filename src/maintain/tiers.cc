// Merging in tiers, as the levels of a log-structured tree: a fragment is rewritten only together
// with at least as many rows as it has itself, so the rows around a row at least double each time,
// and it is rewritten at most log2(rows of the table) times.
#include "maintain/tiers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "maintain/coverage.h"

namespace glaive::maintain {

namespace {

/// Rewriting so much fits in the time that a commit may spend.
constexpr uint64_t kMaxGroupBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxGroupRows = 1 << 20;
/// A fragment with so large a part of the table's rows is not small: as there can't be many of
/// them, they need not be merged, and what old versions keep of them stays small.
constexpr uint64_t kLargeParts = 16;
/// Runs are not looked at beyond this, so planning stays short for any number of fragments.
constexpr size_t kMaxRun = 1024;
/// Deleted rows that make a fragment worth rewriting by itself, if they are more than half of it.
constexpr uint64_t kManyDeleted = 4096;

struct Candidate {
  uint64_t id = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::vector<size_t> coverage;
};

/// A run of candidates [begin, end) and how good it is.
struct Choice {
  size_t begin = 0;
  size_t end = 0;
  uint64_t removed = 0;  ///< fragments less, as far as that many are wanted
  double cost = 0;       ///< rows to rewrite per fragment less

  bool BetterThan(const Choice& other) const {
    return removed != other.removed ? removed > other.removed : cost < other.cost;
  }
};

class Planner {
 public:
  Planner(const table::Snapshot& snapshot, const UpkeepOptions& options)
      : snapshot_(snapshot),
        most_small_(options.max_small_fragments),
        wanted_(std::max<uint64_t>(options.max_small_fragments / 2, 1)),
        coverage_(snapshot.manifest()) {}

  std::vector<CompactionGroup> Plan(uint64_t total_rows) {
    for (const auto& fragment : snapshot_.fragments()) {
      const uint64_t deleted = fragment->num_deleted();
      auto set = coverage_.SetOf(fragment->id());
      if (set.has_value() && deleted >= kManyDeleted && deleted * 2 > fragment->physical_rows() &&
          BytesOf(*fragment) <= kMaxGroupBytes) {
        return {{{fragment->id()}, fragment->num_rows(), BytesOf(*fragment)}};
      }
      const bool small = IsSmall(*fragment, total_rows) && set.has_value();
      if (!run_.empty() && (!small || *set != run_.back().coverage)) {
        EndRun();
      }
      if (small) {
        ++num_small_;
        run_.push_back({fragment->id(), fragment->num_rows(), BytesOf(*fragment), std::move(*set)});
      }
    }
    EndRun();
    return best_.has_value() && num_small_ > most_small_ ? std::vector<CompactionGroup>{group_}
                                                         : std::vector<CompactionGroup>{};
  }

  static bool IsSmall(const table::Fragment& fragment, uint64_t total_rows) {
    return (fragment.num_rows() < total_rows / kLargeParts || fragment.num_rows() <= 1) &&
           fragment.num_rows() < kMaxGroupRows / 2 && BytesOf(fragment) < kMaxGroupBytes / 2;
  }

 private:
  void EndRun() {
    improved_ = false;
    for (size_t begin = 0; begin < run_.size(); ++begin) {
      LookFrom(begin);
    }
    if (improved_) {
      group_ = {};
      for (size_t i = best_->begin; i < best_->end; ++i) {
        group_.fragment_ids.push_back(run_[i].id);
        group_.num_rows += run_[i].rows;
        group_.num_bytes += run_[i].bytes;
      }
    }
    run_.clear();
  }

  void LookFrom(size_t begin) {
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t most = 0;
    for (size_t i = begin; i < run_.size() && i - begin < kMaxRun; ++i) {
      rows += run_[i].rows;
      bytes += run_[i].bytes;
      most = std::max(most, run_[i].rows);
      if (rows > kMaxGroupRows || bytes > kMaxGroupBytes) {
        return;
      }
      if (i > begin && 2 * most <= rows) {
        const auto removed = static_cast<double>(i - begin);
        Offer({begin, i + 1, std::min<uint64_t>(i - begin, wanted_),
               static_cast<double>(rows) / removed});
      }
    }
  }

  void Offer(const Choice& choice) {
    if (!best_.has_value() || choice.BetterThan(*best_)) {
      best_ = choice;
      improved_ = true;
    }
  }

  const table::Snapshot& snapshot_;
  const uint64_t most_small_;
  const uint64_t wanted_;
  uint64_t num_small_ = 0;
  const Coverage coverage_;
  std::vector<Candidate> run_;
  std::optional<Choice> best_;
  bool improved_ = false;  // in this run
  CompactionGroup group_;
};

}  // namespace

std::vector<CompactionGroup> PlanTiers(const table::Snapshot& snapshot,
                                       const UpkeepOptions& options) {
  uint64_t rows = 0;
  for (const auto& fragment : snapshot.fragments()) {
    rows += fragment->num_rows();
  }
  uint64_t worth_a_look = 0;
  bool many_deleted = false;
  for (const auto& fragment : snapshot.fragments()) {
    worth_a_look += Planner::IsSmall(*fragment, rows) ? 1 : 0;
    many_deleted = many_deleted || fragment->num_deleted() >= kManyDeleted;
  }
  if (worth_a_look <= options.max_small_fragments && !many_deleted) {
    return {};
  }
  return Planner(snapshot, options).Plan(rows);
}

}  // namespace glaive::maintain
