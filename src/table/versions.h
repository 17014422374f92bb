// Door: the versions of one table directory: listing, opening, tags and branches.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "table/snapshot.h"

namespace glaive::table {

struct VersionEntry {
  uint64_t version = 0;
  std::string path;  ///< of the manifest, relative to the table directory
  ManifestNaming naming = ManifestNaming::kV2;
  uint64_t manifest_bytes = 0;
  int64_t modified_nanos = 0;  ///< of the manifest file, as the store says
};

struct Tag {
  std::string name;
  std::optional<std::string> branch;
  uint64_t version = 0;
  uint64_t manifest_bytes = 0;
  std::string created_at;  ///< RFC 3339, empty if the file has none
  std::string updated_at;
};

struct Branch {
  std::string name;
  std::optional<std::string> parent_branch;  ///< nullopt = main
  uint64_t parent_version = 0;
  int64_t created_at_seconds = 0;
};

/// Versions of the table whose directory is the root of `store`. Of a branch (see OpenBranch) the
/// store is rooted at tree/<branch>, while tags and branches stay those of the table. Stateless but
/// for the session's caches; thread-safe.
class Versions {
 public:
  Versions(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Session> session);

  /// Ascending. kNotFound if the directory holds no manifest (no table). Names only: no file is
  /// opened.
  arrow::Result<std::vector<VersionEntry>> List() const;
  /// The highest. Uses the hint file and upward probing where that is cheaper than a listing; a
  /// stale, missing or damaged hint is harmless.
  arrow::Result<VersionEntry> Latest() const;
  arrow::Result<std::shared_ptr<const Manifest>> Read(const VersionEntry& entry) const;
  /// kNotFound names the versions that there are.
  arrow::Result<std::shared_ptr<const Manifest>> ReadVersion(uint64_t version) const;
  arrow::Result<std::shared_ptr<const Snapshot>> Open(uint64_t version) const;
  arrow::Result<std::shared_ptr<const Snapshot>> OpenLatest() const;
  /// The newest version whose timestamp is at or before `nanos`; kNotFound names the oldest there
  /// is.
  arrow::Result<std::shared_ptr<const Snapshot>> OpenAsOf(int64_t nanos) const;
  /// The transaction of a version: inline, else from its file; nullopt if it has none.
  arrow::Result<std::optional<lance::table::Transaction>> ReadTransaction(
      const Manifest& manifest) const;

  arrow::Result<std::vector<Tag>> ListTags() const;
  arrow::Result<Tag> GetTag(const std::string& name) const;
  /// kAlreadyExists if taken, kNotFound if the version is not there, kInvalidArgument for a bad
  /// name.
  arrow::Status CreateTag(const std::string& name, uint64_t version) const;
  arrow::Status UpdateTag(const std::string& name, uint64_t version) const;
  arrow::Status DeleteTag(const std::string& name) const;
  arrow::Result<std::vector<Branch>> ListBranches() const;
  /// The versions of a branch of this table; kNotFound by name.
  arrow::Result<Versions> OpenBranch(const std::string& name) const;

  /// Keeps the files of a version from clean-ups of this and other processes of Glaive, until it is
  /// given back; a process that dies gives back all of its leases. kNotFound if the version is gone,
  /// or on its way out. About as dear as opening a file.
  arrow::Result<std::shared_ptr<io::ObjectLock>> Lease(uint64_t version) const;

  /// For clean-ups, before they remove versions below `version`: what is below is never the latest,
  /// and nothing can be committed there, though its numbers are free again. Keeps the highest.
  arrow::Status RaiseFloor(uint64_t version) const;
  /// 0 if no clean-up of Glaive removed anything.
  arrow::Result<uint64_t> Floor() const;

  const std::shared_ptr<io::ObjectStore>& store() const { return store_; }

  const std::shared_ptr<Session>& session() const { return session_; }

  /// nullopt = main
  const std::optional<std::string>& branch() const { return branch_; }

  /// For the committer: `manifest` was just put at `version` and is the latest.
  void NoteCommitted(uint64_t version, ManifestNaming naming,
                     const std::shared_ptr<const Manifest>& manifest) const;

 private:
  arrow::Result<std::optional<VersionEntry>> Find(uint64_t version, ManifestNaming naming) const;
  arrow::Result<std::optional<VersionEntry>> Probe(uint64_t version, ManifestNaming naming) const;
  arrow::Result<bool> HasRefs() const;
  arrow::Result<std::optional<VersionEntry>> KnownLatestNow() const;
  arrow::Result<VersionEntry> LatestByListing() const;
  std::optional<uint64_t> ReadHint() const;
  arrow::Result<VersionEntry> EntryOf(uint64_t version) const;
  arrow::Result<int64_t> TimestampOf(const VersionEntry& entry) const;
  arrow::Result<std::string> TagJson(uint64_t version, const std::string& created_at,
                                     const std::string& updated_at) const;

  std::optional<std::string> branch_;
  std::shared_ptr<io::ObjectStore> refs_store_;  ///< the table's own directory
  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<Session> session_;
};

}  // namespace glaive::table
