#include "maintain/cleanup.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "maintain/version_files.h"

namespace glaive::maintain {

namespace {

/// Files that no version names may belong to a transaction under way, for so long.
constexpr int64_t kUnverifiedNanos = int64_t{7} * 24 * 3600 * 1'000'000'000;

bool IsNotFound(const arrow::Status& status) {
  return ErrorCodeOf(status) == ErrorCode::kNotFound;
}

/// Whether anything, and what, still names a file.
enum Use : uint8_t { kUnnamed = 0, kByRemoved = 1, kByKept = 2 };

/// A file or, for an index, a directory of the table.
struct Found {
  std::string path;
  std::string owner;  ///< what versions name: itself, or the data file of a sidecar
  uint64_t bytes = 0;
  int64_t modified_nanos = 0;
  uint64_t CleanupResult::*counter = nullptr;
};

/// One clean-up by listing everything.
class Cleaner {
 public:
  Cleaner(const table::Versions& versions, const CleanupOptions& options)
      : versions_(versions), store_(*versions.store()), options_(options), now_(NowNanos()) {}

  arrow::Result<CleanupResult> Run() {
    // Before the versions: a file of a transaction that commits meanwhile is then either not among
    // these, or named by a version.
    ARROW_RETURN_NOT_OK(FindFiles());
    ARROW_RETURN_NOT_OK(ChooseVersions());
    if (!options_.dry_run && !removed_.empty()) {
      ARROW_RETURN_NOT_OK(versions_.RaiseFloor(removed_.back().version + 1));
    }
    for (const auto& file : files_) {
      ARROW_RETURN_NOT_OK(options_.cancel.Check("cleanup"));
      if (IsGarbage(file)) {
        Remove(file);
      }
    }
    for (const auto& entry : removed_) {
      ARROW_RETURN_NOT_OK(options_.cancel.Check("cleanup"));
      Remove({entry.path, entry.path, entry.manifest_bytes, 0, &CleanupResult::versions_removed});
    }
    return result_;
  }

 private:
  // ---- files ----

  arrow::Status FindFiles() {
    ARROW_RETURN_NOT_OK(FindData());
    ARROW_RETURN_NOT_OK(
        FindIn("_deletions", {".arrow", ".bin"}, &CleanupResult::deletion_files_removed));
    ARROW_RETURN_NOT_OK(
        FindIn("_transactions", {".txn"}, &CleanupResult::transaction_files_removed));
    ARROW_RETURN_NOT_OK(FindIndices());
    const std::pair<const char*, uint64_t CleanupResult::*> unfinished[] = {
        {"data", &CleanupResult::data_files_removed},
        {"_deletions", &CleanupResult::deletion_files_removed},
        {"_transactions", &CleanupResult::transaction_files_removed},
        {"_versions", nullptr}};
    for (const auto& [directory, counter] : unfinished) {
      ARROW_ASSIGN_OR_RAISE(const auto objects, store_.ListUnfinished(directory));
      for (const auto& object : objects) {
        files_.push_back({object.path, object.path, object.size, object.modified_nanos, counter});
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status FindIn(const std::string& directory, const std::vector<std::string>& endings,
                       uint64_t CleanupResult::*counter) {
    ARROW_ASSIGN_OR_RAISE(const auto objects, store_.List(directory));
    for (const auto& object : objects) {
      const bool ours = std::any_of(endings.begin(), endings.end(), [&](const auto& ending) {
        return object.path.ends_with(ending);
      });
      if (ours) {
        files_.push_back({object.path, object.path, object.size, object.modified_nanos, counter});
      }
    }
    return arrow::Status::OK();
  }

  /// Data files, and sidecars in directories named like them.
  arrow::Status FindData() {
    ARROW_RETURN_NOT_OK(FindIn("data", {".lance"}, &CleanupResult::data_files_removed));
    ARROW_ASSIGN_OR_RAISE(const auto directories, store_.ListDirectories("data"));
    for (const auto& name : directories) {
      const std::string directory = "data/" + name;
      const size_t before = files_.size();
      ARROW_RETURN_NOT_OK(FindIn(directory, {".blob"}, &CleanupResult::data_files_removed));
      for (size_t i = before; i < files_.size(); ++i) {
        files_[i].owner = directory + ".lance";
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status FindIndices() {
    ARROW_ASSIGN_OR_RAISE(const auto directories, store_.ListDirectories("_indices"));
    for (const auto& name : directories) {
      const std::string directory = "_indices/" + name;
      ARROW_ASSIGN_OR_RAISE(const auto objects, store_.ListRecursive(directory));
      // The newest file tells the age of all.
      int64_t newest = 0;
      for (const auto& object : objects) {
        newest = std::max(newest, object.modified_nanos);
      }
      for (const auto& object : objects) {
        files_.push_back(
            {object.path, directory, object.size, newest, &CleanupResult::index_files_removed});
      }
    }
    return arrow::Status::OK();
  }

  bool IsGarbage(const Found& file) const {
    const auto use = uses_.find(file.owner);
    if (use != uses_.end() && (use->second & kByKept) != 0) {
      return false;
    }
    return (use != uses_.end() && (use->second & kByRemoved) != 0) || options_.delete_unverified ||
           now_ - file.modified_nanos > kUnverifiedNanos;
  }

  void Remove(const Found& file) {
    if (!options_.dry_run) {
      if (!store_.Delete(file.path).ok()) {
        return;  // the next clean-up will find it again
      }
      const std::string directory = file.path.substr(0, file.path.rfind('/'));
      if (directory.find('/') != std::string::npos) {  // of sidecars, or of an index
        static_cast<void>(store_.RemoveEmptyDirectory(directory));
      }
    }
    if (file.counter != nullptr) {
      ++(result_.*file.counter);
    }
    result_.bytes_removed += file.bytes;
    if (options_.progress) {
      options_.progress(
          {"cleanup", result_.versions_removed, removed_.size(), result_.bytes_removed});
    }
  }

  // ---- versions ----

  arrow::Status ChooseVersions() {
    ARROW_ASSIGN_OR_RAISE(const auto entries, versions_.List());
    ARROW_ASSIGN_OR_RAISE(const auto before, ProtectedVersions(versions_));
    std::vector<table::VersionEntry> chosen;
    for (size_t i = 0; i < entries.size(); ++i) {
      ARROW_RETURN_NOT_OK(options_.cancel.Check("cleanup"));
      ARROW_ASSIGN_OR_RAISE(const bool old, IsOld(entries, i));
      if (old && before.count(entries[i].version) == 0) {
        chosen.push_back(entries[i]);
      } else if (old && options_.error_if_tagged_old_versions && i + 1 < entries.size()) {
        return PreconditionFailed("version ", entries[i].version, " of ", store_.root(),
                                  " is old enough to be removed, but a tag or a branch needs it");
      }
    }
    ARROW_RETURN_NOT_OK(Lock(chosen));
    std::set<uint64_t> numbers;
    for (const auto& entry : removed_) {
      numbers.insert(entry.version);
    }
    for (const auto& entry : entries) {
      ARROW_RETURN_NOT_OK(
          NoteFiles(entry, numbers.count(entry.version) != 0 ? kByRemoved : kByKept));
    }
    return arrow::Status::OK();
  }

  /// By the policy alone; never the latest.
  arrow::Result<bool> IsOld(const std::vector<table::VersionEntry>& entries, size_t i) {
    if (i + 1 == entries.size() ||
        entries[i].version >= options_.before_version.value_or(UINT64_MAX) ||
        entries.size() - i <= options_.keep_newest.value_or(0)) {
      return false;
    }
    const auto manifest = Read(entries[i]);
    if (!manifest.ok()) {
      return IsNotFound(manifest.status()) ? arrow::Result<bool>(false) : manifest.status();
    }
    const int64_t age = now_ - TimestampOf(**manifest);
    return age >= options_.older_than_nanos;
  }

  /// What somebody reads stays; so does what got a tag before the lock was ours.
  arrow::Status Lock(const std::vector<table::VersionEntry>& chosen) {
    for (const auto& entry : chosen) {
      auto lock = store_.TryLock(entry.path, io::LockMode::kExclusive);
      if (!lock.ok() && !IsNotFound(lock.status())) {
        return lock.status();
      }
      if (lock.ok() && *lock != nullptr) {
        removed_.push_back(entry);
        locks_[entry.version] = std::move(*lock);
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto now, ProtectedVersions(versions_));
    std::erase_if(removed_, [&](const auto& entry) { return now.count(entry.version) != 0; });
    return arrow::Status::OK();
  }

  arrow::Status NoteFiles(const table::VersionEntry& entry, Use use) {
    const auto manifest = Read(entry);
    if (!manifest.ok()) {
      // Gone since the listing: whoever removed it kept what other versions need.
      return IsNotFound(manifest.status()) ? arrow::Status::OK() : manifest.status();
    }
    ForEachFile(**manifest, [&](std::string path) { uses_[std::move(path)] |= use; });
    return arrow::Status::OK();
  }

  /// Past the session's cache, which has better things to keep. The last one read is kept: both
  /// passes over few versions meet it.
  arrow::Result<std::shared_ptr<const table::Manifest>> Read(const table::VersionEntry& entry) {
    return ReadManifest(store_, entry);
  }

  const table::Versions& versions_;
  io::ObjectStore& store_;
  const CleanupOptions& options_;
  const int64_t now_;
  std::vector<Found> files_;
  std::vector<table::VersionEntry> removed_;
  std::map<uint64_t, std::unique_ptr<io::ObjectLock>> locks_;
  std::unordered_map<std::string, uint8_t> uses_;  // by path
  CleanupResult result_;
};

/// One clean-up at a time; those that follow commits are short.
arrow::Result<std::unique_ptr<io::ObjectLock>> WaitForTurn(const table::Versions& versions) {
  constexpr auto kPause = std::chrono::milliseconds(10);
  constexpr int kMaxPauses = 6000;
  for (int pause = 0;; ++pause) {
    ARROW_ASSIGN_OR_RAISE(auto turn,
                          versions.store()->TryLock("_versions", io::LockMode::kExclusive));
    if (turn != nullptr) {
      return turn;
    }
    if (pause == kMaxPauses) {
      return CommitConflict("another process has been cleaning up ", versions.store()->root(),
                            " for a minute; try again later");
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

arrow::Result<CleanupResult> Cleanup(const table::Versions& versions,
                                     const CleanupOptions& options) {
  GLAIVE_CHECK_ARGUMENT(options.older_than_nanos >= 0, "older_than is ", options.older_than_nanos,
                        " ns; it must not be negative");
  ARROW_ASSIGN_OR_RAISE(const auto turn, WaitForTurn(versions));
  return Cleaner(versions, options).Run();
}

}  // namespace glaive::maintain
