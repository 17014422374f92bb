// Door: the one way to a new version. Conflict resolution is a pure function of two transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "table/versions.h"

namespace glaive::table {

enum class Conflict {
  kNone,          ///< both can stand, ours on top of theirs
  kRetryable,     ///< recompute the whole operation from the newer version
  kIncompatible,  ///< never together
  kRebase,        ///< both deleted disjoint rows of a common fragment: merge the deletion vectors
};

/// Ours against one that was committed since our read version. Pure; tested as a matrix.
Conflict CheckConflict(const lance::table::Transaction& ours,
                       const lance::table::Transaction& theirs);

struct CommitOptions {
  uint32_t max_attempts = 20;
  file::FileVersion data_version = file::kVersion22;  ///< recorded when a table is created
  ManifestNaming naming = ManifestNaming::kV2;        ///< when a table is created
  bool stable_row_ids = false;                        ///< when a table is created
  bool write_transaction_file = true;                 ///< also besides the inline section
};

/// The manifest that `transaction` makes of `base` (nullptr: a new table): ids assigned, feature
/// flags recomputed, invariants checked. Fills the message and the indices of `next`, which is
/// empty before. Pure.
arrow::Status BuildManifest(const Manifest* base, const lance::table::Transaction& transaction,
                            uint64_t new_version, const CommitOptions& options,
                            const Manifest* restore_source, Manifest* next);

/// Thread-safe.
class Committer {
 public:
  Committer(Versions versions, const CommitOptions& options);

  /// Commits on top of whatever is latest: rebases over what was committed since
  /// transaction.read_version, puts the next manifest if absent, retries with jitter. Returns the
  /// new version as a snapshot. kAlreadyExists: the transaction creates a table (Overwrite with
  /// read_version 0) that exists already; kCommitConflict, kCommitIncompatible: see Conflict;
  /// kCommitStateUnknown: the put answered ambiguously and the outcome could not be found out by
  /// looking for our transaction's uuid. A delete or update that meets another one on the same
  /// fragments is rebased if their rows differ: our newly deleted rows are those of our deletion
  /// file that the one at our read version lacks.
  arrow::Result<std::shared_ptr<const Snapshot>> Commit(lance::table::Transaction transaction);

 private:
  Versions versions_;
  CommitOptions options_;
};

/// A new transaction with a fresh uuid on `read_version`.
lance::table::Transaction NewTransaction(uint64_t read_version);

}  // namespace glaive::table
