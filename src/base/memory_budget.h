// A bound on bytes that several operations share. Work that can do with less asks before it takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <arrow/status.h>

namespace glaive {

/// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit_bytes) : limit_(limit_bytes) {}

  uint64_t limit_bytes() const { return limit_; }
  uint64_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

  /// Takes `bytes`, or a kResourceExhausted error that names `what`, the limit and what was wanted.
  arrow::Status Reserve(uint64_t bytes, std::string_view what);
  void Release(uint64_t bytes);

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

}  // namespace glaive
