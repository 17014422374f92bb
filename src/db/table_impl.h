// What is behind a Table: its versions and, if checked out, the snapshot it is pinned to. Private
// to the room.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "glaive/error.h"
#include "glaive/table.h"

#include "maintain/upkeep.h"
#include "table/committer.h"
#include "table/versions.h"
#include "write/change.h"

namespace glaive::db {

/// A snapshot whose files stay as long as the lease is held.
struct Leased {
  std::shared_ptr<const table::Snapshot> snapshot;
  std::shared_ptr<io::ObjectLock> lease;
};

/// Computes a change on a snapshot; asked again with a newer one if another writer was faster.
using MakeChange =
    std::function<write::ChangeResult(const std::shared_ptr<const table::Snapshot>&)>;

struct ChangeOptions {
  std::map<std::string, std::string> properties;
  int64_t timeout_nanos = 0;
  bool recompute = true;
};

struct Changed {
  write::Change change;  ///< without its transaction; empty if nothing changed
  uint64_t version = 0;
  uint32_t attempts = 0;
};

/// Thread-safe.
class TableImpl {
 public:
  /// See DatabaseOptions::read_consistency_nanos.
  TableImpl(std::string name, table::Versions versions, const UpkeepOptions& upkeep,
            int64_t read_consistency_nanos)
      : name_(std::move(name)),
        versions_(std::move(versions)),
        upkeep_(upkeep),
        read_consistency_nanos_(read_consistency_nanos) {}

  const std::string& name() const { return name_; }

  const table::Versions& versions() const { return versions_; }

  int64_t read_consistency_nanos() const { return read_consistency_nanos_; }

  /// The pinned snapshot, or the latest one, as old as read_consistency_nanos allows.
  arrow::Result<std::shared_ptr<const table::Snapshot>> Current() const;
  /// The latest one; kPreconditionFailed if the handle is pinned or on a branch, for a write.
  arrow::Result<std::shared_ptr<const table::Snapshot>> ForWrite() const;

  /// What `read` makes of the current snapshot. Files may vanish under a handle that follows the
  /// latest version, when others compact and clean up: then `read` is tried once more, on the
  /// newest.
  template <typename Read>
  auto WithCurrent(const Read& read) const
      -> decltype(read(std::declval<const std::shared_ptr<const table::Snapshot>&>())) {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, Current());
    auto result = read(snapshot);
    if (result.ok() || ErrorCodeOf(result.status()) != ErrorCode::kNotFound || !MayMove()) {
      return result;
    }
    ARROW_ASSIGN_OR_RAISE(const auto newest, Latest());
    return newest == snapshot ? result : read(newest);
  }

  /// The current snapshot for work that takes long: no clean-up removes its files meanwhile.
  arrow::Result<Leased> CurrentLeased() const;

  /// To be called after every commit of this handle: moves it to the new version, and does what
  /// upkeep is due. Never fails: the commit has long succeeded.
  void AfterCommit(const std::shared_ptr<const table::Snapshot>& committed) const;
  arrow::Result<OptimizeResult> Optimize(const OptimizeOptions& options) const;
  arrow::Result<CleanupResult> Cleanup(const CleanupOptions& options) const;

  arrow::Result<AddResult> Add(arrow::RecordBatchReader& data, const WriteOptions& options) const;
  arrow::Result<AddResult> Overwrite(arrow::RecordBatchReader& data,
                                     const WriteOptions& options) const;
  arrow::Result<Changed> Change(const MakeChange& make, const ChangeOptions& options) const;
  arrow::Result<SchemaChangeResult> ChangeSchema(const MakeChange& make) const;
  arrow::Result<std::vector<VersionInfo>> ListVersions(uint64_t limit) const;
  arrow::Status CheckoutTag(const std::string& tag);
  /// Pins the handle to a version of `versions` (the table's or a branch's).
  arrow::Status Pin(const table::Versions& versions, uint64_t version);
  void Unpin();
  bool pinned() const;

  /// Looks for a newer version, which a handle that is not pinned then has.
  arrow::Status Refresh() const { return Latest().status(); }

  arrow::Result<uint64_t> Restore();
  arrow::Result<TableLayout> Inspect() const;
  arrow::Result<VerifyReport> Verify(const ProgressCallback& progress,
                                     const CancelToken& cancel) const;

 private:
  /// Adds rows to a table whose primary key is enforced.
  arrow::Result<AddResult> AddUnderKey(const std::shared_ptr<const table::Snapshot>& snapshot,
                                       arrow::RecordBatchReader& data,
                                       const WriteOptions& options) const;
  /// Looks for the latest version now.
  arrow::Result<std::shared_ptr<const table::Snapshot>> Latest() const;
  /// The latest version when last looked at, if that is not too long ago; else null.
  std::shared_ptr<const table::Snapshot> Known() const;

  /// Whether a read may take a newer version than the one that the handle has.
  bool MayMove() const { return read_consistency_nanos_ >= 0 && !pinned(); }

  const std::string name_;
  const table::Versions versions_;
  mutable std::mutex mutex_;
  Leased pinned_;
  /// The latest snapshot when last looked at, and the manifest it was made of.
  mutable std::shared_ptr<const table::Snapshot> latest_;
  mutable table::VersionEntry latest_entry_;
  mutable int64_t looked_at_ = 0;  // when it was the latest
  const UpkeepOptions upkeep_;
  const int64_t read_consistency_nanos_;
  mutable std::mutex upkeep_mutex_;  // held by the thread that does upkeep
  mutable maintain::UpkeepMemory memory_;
};

/// The version of data files that a table takes. kUnsupported if this build can't write it.
arrow::Result<file::FileVersion> FileVersionOf(const table::Manifest& manifest);

/// Rows written and committed; the files are removed again if the commit certainly failed.
struct Committed {
  uint64_t num_rows = 0;
  std::shared_ptr<const table::Snapshot> snapshot;
};

/// A new version with the schema and rows of `data`. `read_version` 0 creates the table. With
/// `replace` what others committed meanwhile is no obstacle: the same files go on top of it.
arrow::Result<Committed> OverwriteWith(const table::Versions& versions, uint64_t read_version,
                                       file::FileVersion file_version,
                                       arrow::RecordBatchReader& data, const WriteOptions& options,
                                       const table::CommitOptions& commit_options, bool replace);

}  // namespace glaive::db
