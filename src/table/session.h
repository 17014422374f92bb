// What a session keeps: bounded caches and what is known of the tables' latest versions. Private to
// the room.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "table/snapshot.h"

namespace glaive::table {

/// Immutable products by key, of several kinds (the key says which), at most `capacity` bytes of
/// them together: the least recently used ones go. Thread-safe.
class MetadataCache {
 public:
  explicit MetadataCache(uint64_t capacity) : capacity_(capacity) {}

  /// nullptr if absent. `T` must be what was put under this key.
  template <typename T>
  std::shared_ptr<const T> Get(const std::string& key) {
    return std::static_pointer_cast<const T>(Find(key));
  }

  /// The value that is kept under the key from now on: the first to come stays.
  template <typename T>
  std::shared_ptr<const T> Put(const std::string& key, std::shared_ptr<const T> value,
                               uint64_t bytes) {
    return std::static_pointer_cast<const T>(Insert(key, std::move(value), bytes));
  }

  /// An entry holds so many bytes more (or less) than it did. Nothing happens if it is gone.
  void Resize(const std::string& key, int64_t change);

  /// What all entries hold.
  uint64_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const void> value;
    uint64_t bytes = 0;
  };

  using Entries = std::list<Entry>;

  std::shared_ptr<const void> Find(const std::string& key);
  std::shared_ptr<const void> Insert(const std::string& key, std::shared_ptr<const void> value,
                                     uint64_t bytes);
  void Drop(Entries::iterator entry, Entries* dropped);
  void Shrink(Entries* dropped);

  const uint64_t capacity_;
  mutable std::mutex mutex_;
  uint64_t bytes_ = 0;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

/// The latest version as last seen, and when a listing last confirmed it.
struct KnownLatest {
  uint64_t version = 0;
  ManifestNaming naming = ManifestNaming::kV2;
  int64_t listed_nanos = 0;  ///< 0 = never by a listing
};

/// An append that waits for its turn, and then for whoever commits it.
struct PendingAppend {
  lance::table::Transaction transaction;
  std::optional<arrow::Result<std::shared_ptr<const Snapshot>>> result;
};

/// Appends of one table that arrive while another commit is under way: the next to commit takes
/// them all along.
struct AppendQueue {
  std::mutex mutex;
  std::condition_variable done;
  std::vector<PendingAppend*> waiting;
  bool led = false;  ///< a thread is committing some
};

struct Session::Impl {
  explicit Impl(const Options& options)
      : cache(std::make_shared<MetadataCache>(options.metadata_cache_bytes)) {}

  /// Files, deletion vectors and manifests. Shared with the files, which tell how they grow and may
  /// outlive the session.
  std::shared_ptr<MetadataCache> cache;

  std::mutex mutex;
  std::unordered_map<std::string, KnownLatest> latest;  // by root of the table
  std::unordered_map<std::string, std::shared_ptr<std::mutex>>
      commit_locks,  // by root of the table
      change_turns;  // by root of the table
  std::unordered_map<std::string, std::shared_ptr<AppendQueue>>
      append_queues;  // by root of the table
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
    return MadeOnce(&commit_locks[root]);
  }

  std::shared_ptr<std::mutex> ChangeTurn(const std::string& root) {
    std::lock_guard<std::mutex> lock(mutex);
    return MadeOnce(&change_turns[root]);
  }

  std::shared_ptr<AppendQueue> QueueOf(const std::string& root) {
    std::lock_guard<std::mutex> lock(mutex);
    return MadeOnce(&append_queues[root]);
  }

 private:
  template <typename T>
  static std::shared_ptr<T> MadeOnce(std::shared_ptr<T>* slot) {
    if (*slot == nullptr) {
      *slot = std::make_shared<T>();
    }
    return *slot;
  }
};

}  // namespace glaive::table
