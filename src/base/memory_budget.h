// A bound on bytes that several operations share. Work that can do with less asks before it takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

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
  /// Takes `bytes` if they fit.
  bool TryReserve(uint64_t bytes);

  /// Takes `bytes` whether they fit or not: for the smallest step that work can take at all.
  void ForceReserve(uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }

  void Release(uint64_t bytes);

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

/// Bytes of a budget that are given back at the end. Without a budget everything fits. One thread
/// at a time.
class MemoryReservation {
 public:
  MemoryReservation() = default;

  explicit MemoryReservation(MemoryBudget* budget) : budget_(budget) {}

  ~MemoryReservation() { Reset(); }

  MemoryReservation(MemoryReservation&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}

  MemoryReservation& operator=(MemoryReservation&& other) noexcept {
    if (this != &other) {
      Reset();
      budget_ = other.budget_;
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }

  uint64_t bytes() const { return bytes_; }

  /// False if the budget has no room for so many more.
  bool TryGrow(uint64_t bytes) {
    if (budget_ != nullptr && !budget_->TryReserve(bytes)) {
      return false;
    }
    bytes_ += bytes;
    return true;
  }

  /// See MemoryBudget::ForceReserve.
  void Grow(uint64_t bytes) {
    if (budget_ != nullptr) {
      budget_->ForceReserve(bytes);
    }
    bytes_ += bytes;
  }

  void Reset() {
    if (budget_ != nullptr && bytes_ > 0) {
      budget_->Release(bytes_);
    }
    bytes_ = 0;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

/// A quarter of the memory that this process may use: of the machine's, or of its control group's.
uint64_t DefaultMemoryLimit();

}  // namespace glaive
