// What is behind a Table: its versions and, if checked out, the snapshot it is pinned to. Private
// to the room.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "glaive/table.h"

#include "table/committer.h"
#include "table/versions.h"

namespace glaive::db {

/// Thread-safe.
class TableImpl {
 public:
  TableImpl(std::string name, table::Versions versions)
      : name_(std::move(name)), versions_(std::move(versions)) {}

  const std::string& name() const { return name_; }

  const table::Versions& versions() const { return versions_; }

  /// The pinned snapshot, or the latest one as of now.
  arrow::Result<std::shared_ptr<const table::Snapshot>> Current() const;
  /// The latest one; kPreconditionFailed if the handle is pinned or on a branch, for a write.
  arrow::Result<std::shared_ptr<const table::Snapshot>> ForWrite() const;

  arrow::Result<AddResult> Add(arrow::RecordBatchReader& data, const WriteOptions& options) const;
  arrow::Result<AddResult> Overwrite(arrow::RecordBatchReader& data,
                                     const WriteOptions& options) const;
  arrow::Result<DeleteResult> DeleteRowIds(const std::vector<uint64_t>& row_ids) const;
  arrow::Result<std::vector<VersionInfo>> ListVersions(uint64_t limit) const;
  arrow::Status CheckoutTag(const std::string& tag);
  void Pin(std::shared_ptr<const table::Snapshot> snapshot);
  void Unpin();
  bool pinned() const;
  arrow::Result<uint64_t> Restore();
  arrow::Result<TableLayout> Inspect() const;
  arrow::Result<VerifyReport> Verify(const ProgressCallback& progress,
                                     const CancelToken& cancel) const;

 private:
  arrow::Result<std::shared_ptr<const table::Snapshot>> Latest() const;

  const std::string name_;
  const table::Versions versions_;
  mutable std::mutex mutex_;
  std::shared_ptr<const table::Snapshot> pinned_;
  /// The latest snapshot when last looked at, and the manifest it was made of.
  mutable std::shared_ptr<const table::Snapshot> latest_;
  mutable table::VersionEntry latest_entry_;
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
