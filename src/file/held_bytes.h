// Counts what a file reader holds in memory, and tells the cache that keeps the reader. Private to
// the room.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace glaive::file {

/// Thread-safe.
class HeldBytes {
 public:
  /// `changed` (may be empty) hears of every change after the start.
  explicit HeldBytes(std::function<void(int64_t)> changed) : changed_(std::move(changed)) {}

  void Start(uint64_t bytes) { total_ = static_cast<int64_t>(bytes); }

  /// Not to be called with a lock held that a destructor of another reader would need.
  void Add(int64_t change) {
    if (change != 0) {
      total_ += change;
      if (changed_) {
        changed_(change);
      }
    }
  }

  uint64_t total() const { return static_cast<uint64_t>(total_.load()); }

 private:
  const std::function<void(int64_t)> changed_;
  std::atomic<int64_t> total_ = 0;
};

}  // namespace glaive::file
