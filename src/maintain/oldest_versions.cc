#include "maintain/oldest_versions.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "maintain/version_files.h"

namespace glaive::maintain {

namespace {

using Entries = std::vector<table::VersionEntry>;

/// Versions that go together, so that their locks and names do not add up.
constexpr size_t kBatch = 64;
/// Where others write the table, too, versions live at least so long: another writer does not look
/// whether the version that it builds on was removed while it did so.
constexpr int64_t kForeignNanos = int64_t{10} * 1'000'000'000;
constexpr std::string_view kIndices = "_indices/";
constexpr std::string_view kData = "data/";
constexpr std::string_view kDataSuffix = ".lance";

bool IsNotFound(const arrow::Status& status) {
  return ErrorCodeOf(status) == ErrorCode::kNotFound;
}

bool HoldsBlobs(const std::vector<file::Field>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const file::Field& field) {
    return field.is_blob_v2() || HoldsBlobs(field.children);
  });
}

/// The first of the versions that stay, if none is protected.
size_t FirstToStay(const Entries& entries, const Retention& retention, int64_t least_age) {
  const int64_t now = NowNanos();
  size_t first = 0;
  while (first + 1 < entries.size()) {
    const int64_t age = now - entries[first].modified_nanos;
    const bool beyond = entries.size() - first > retention.newest;
    const bool old = age > retention.nanos;
    if ((retention.either ? !beyond && !old : !beyond || !old) || age < least_age) {
      break;
    }
    ++first;
  }
  return first;
}

/// One batch: versions that go, and what tells which of their files go with them.
class Batch {
 public:
  /// `all_plain`: none of the versions that stay brought old files back.
  Batch(const table::Versions& versions, bool all_plain)
      : versions_(versions), store_(*versions.store()), all_plain_(all_plain) {}

  /// Of entries [begin, end); those before are gone or protected, those from `stay` on stay.
  arrow::Status Run(const Entries& entries, size_t begin, size_t end, size_t stay) {
    ARROW_RETURN_NOT_OK(Lock(entries, begin, end));
    if (removed_.empty()) {
      return arrow::Status::OK();
    }
    for (const auto& entry : removed_) {
      ARROW_RETURN_NOT_OK(Read(entry, [this](const table::Manifest& manifest) {
        blobs_ = blobs_ || HoldsBlobs(manifest.schema.fields());
        ForEachFile(manifest, [this](std::string path) { garbage_.insert(std::move(path)); });
      }));
    }
    ARROW_RETURN_NOT_OK(SpareKept(entries, end, stay));
    ARROW_RETURN_NOT_OK(versions_.RaiseFloor(entries[end].version));
    for (const auto& path : garbage_) {
      Remove(path);
    }
    for (const auto& entry : removed_) {
      // What can't be removed now is met again by the next clean-up.
      static_cast<void>(store_.Delete(entry.path));
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status Lock(const Entries& entries, size_t begin, size_t end) {
    ARROW_ASSIGN_OR_RAISE(const auto before, ProtectedVersions(versions_));
    for (size_t i = 0; i < end; ++i) {
      const auto& entry = entries[i];
      if (i < begin || before.count(entry.version) != 0) {
        kept_.push_back(entry);
        continue;
      }
      auto lock = store_.TryLock(entry.path, io::LockMode::kExclusive);
      if (!lock.ok()) {
        if (IsNotFound(lock.status())) {
          continue;  // another process removed it, and its files
        }
        return lock.status();
      }
      (*lock != nullptr ? removed_ : kept_).push_back(entry);
      locks_.push_back(std::move(*lock));
    }
    // A tag may have come before the lock was ours; none can come now.
    ARROW_ASSIGN_OR_RAISE(const auto now, ProtectedVersions(versions_));
    const auto spared =
        std::stable_partition(removed_.begin(), removed_.end(),
                              [&now](const auto& entry) { return now.count(entry.version) == 0; });
    kept_.insert(kept_.end(), spared, removed_.end());
    removed_.erase(spared, removed_.end());
    return arrow::Status::OK();
  }

  template <typename Visit>
  arrow::Status Read(const table::VersionEntry& entry, const Visit& visit) {
    const auto manifest = ReadManifest(store_, entry);
    if (!manifest.ok()) {
      return IsNotFound(manifest.status()) ? arrow::Status::OK() : manifest.status();
    }
    visit(**manifest);
    return arrow::Status::OK();
  }

  /// Takes what versions that stay name out of the garbage.
  arrow::Status SpareKept(const Entries& entries, size_t end, size_t stay) {
    kept_.push_back(entries[end]);
    kept_.push_back(entries[stay]);
    kept_.push_back(entries.back());
    if (!all_plain_) {
      kept_.insert(kept_.end(), entries.begin() + static_cast<int64_t>(stay), entries.end());
    }
    for (const auto& entry : kept_) {
      ARROW_RETURN_NOT_OK(
          Read(entry, [this](const table::Manifest& manifest) { Spare(manifest); }));
    }
    return arrow::Status::OK();
  }

  void Spare(const table::Manifest& manifest) {
    ForEachFile(manifest, [this](const std::string& path) { garbage_.erase(path); });
  }

  void Remove(const std::string& path) {
    if (path.starts_with(kIndices)) {
      static_cast<void>(store_.DeleteTree(path));
      return;
    }
    static_cast<void>(store_.Delete(path));
    if (blobs_ && path.starts_with(kData) && path.ends_with(kDataSuffix)) {
      static_cast<void>(store_.DeleteTree(path.substr(0, path.size() - kDataSuffix.size())));
    }
  }

  const table::Versions& versions_;
  io::ObjectStore& store_;
  const bool all_plain_;
  Entries removed_;
  Entries kept_;
  std::vector<std::unique_ptr<io::ObjectLock>> locks_;
  std::unordered_set<std::string> garbage_;
  bool blobs_ = false;  // data files may have sidecars
};

}  // namespace

arrow::Status RemoveOldest(const table::Versions& versions, const Retention& retention,
                           UpkeepMemory* memory, int64_t deadline_nanos) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, versions.List());
  size_t stay = FirstToStay(entries, retention, 0);
  if (stay == 0) {
    return arrow::Status::OK();
  }
  bool all_plain = true;
  for (size_t i = stay; i < entries.size(); ++i) {
    if (memory->IsPlain(entries[i].version)) {
      continue;
    }
    const auto manifest = ReadManifest(*versions.store(), entries[i]);
    if (!manifest.ok()) {
      return IsNotFound(manifest.status()) ? arrow::Status::OK() : manifest.status();
    }
    memory->Note(**manifest);
    all_plain = all_plain && memory->IsPlain(entries[i].version);
  }
  if (memory->latest_foreign() >= entries[stay].version) {
    stay = FirstToStay(entries, retention, kForeignNanos);
  }
  for (size_t begin = 0; begin < stay && NowNanos() < deadline_nanos; begin += kBatch) {
    const size_t end = std::min(begin + kBatch, stay);
    ARROW_RETURN_NOT_OK(Batch(versions, all_plain).Run(entries, begin, end, stay));
  }
  memory->ForgetBefore(entries[stay].version);
  return arrow::Status::OK();
}

}  // namespace glaive::maintain
