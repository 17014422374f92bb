// What a session keeps: bounded caches and what is known of the tables' latest versions. Private to
// the room.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "table/snapshot.h"

namespace glaive::table {

/// The least recently used entry goes when there are more than `capacity`. Thread-safe.
template <typename T>
class LruCache {
 public:
  explicit LruCache(size_t capacity) : capacity_(capacity) {}

  /// nullptr if absent.
  std::shared_ptr<T> Get(const std::string& key) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = by_key_.find(key);
    if (at == by_key_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, at->second);
    return at->second->second;
  }

  void Put(const std::string& key, std::shared_ptr<T> value) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = by_key_.find(key);
    if (at != by_key_.end()) {
      at->second->second = std::move(value);
      entries_.splice(entries_.begin(), entries_, at->second);
      return;
    }
    entries_.emplace_front(key, std::move(value));
    by_key_[key] = entries_.begin();
    while (entries_.size() > capacity_) {
      by_key_.erase(entries_.back().first);
      entries_.pop_back();
    }
  }

 private:
  using Entries = std::list<std::pair<std::string, std::shared_ptr<T>>>;
  const size_t capacity_;
  std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string, typename Entries::iterator> by_key_;
};

/// The latest version as last seen, and when a listing last confirmed it.
struct KnownLatest {
  uint64_t version = 0;
  ManifestNaming naming = ManifestNaming::kV2;
  int64_t listed_nanos = 0;  ///< 0 = never by a listing
};

struct Session::Impl {
  explicit Impl(const Options& options) : files(options.metadata_cache_entries) {}

  static constexpr size_t kManifests = 16;
  static constexpr size_t kDeletionVectors = 1024;

  LruCache<file::FileReader> files;
  LruCache<const DeletionVector> deletions{kDeletionVectors};
  LruCache<const Manifest> manifests{kManifests};

  std::mutex mutex;
  std::unordered_map<std::string, KnownLatest> latest;  // by root of the table
  std::unordered_map<std::string, std::shared_ptr<std::mutex>>
      commit_locks;  // by root of the table
  std::map<std::string, std::shared_ptr<io::ObjectStore>> bases;

  std::optional<KnownLatest> Latest(const std::string& root) {
    std::lock_guard<std::mutex> lock(mutex);
    const auto at = latest.find(root);
    return at == latest.end() ? std::nullopt : std::optional<KnownLatest>(at->second);
  }

  void SetLatest(const std::string& root, const KnownLatest& known) {
    std::lock_guard<std::mutex> lock(mutex);
    latest[root] = known;
  }

  void ForgetLatest(const std::string& root) {
    std::lock_guard<std::mutex> lock(mutex);
    latest.erase(root);
  }

  /// Commits to one table through one session take turns, so they never race each other for a
  /// version.
  std::shared_ptr<std::mutex> CommitLock(const std::string& root) {
    std::lock_guard<std::mutex> lock(mutex);
    auto& found = commit_locks[root];
    if (found == nullptr) {
      found = std::make_shared<std::mutex>();
    }
    return found;
  }
};

}  // namespace glaive::table
