// Work done ahead of a consumer that takes the results in order. Private to the room.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <arrow/result.h>

#include "base/executor.h"
#include "base/memory_budget.h"

namespace glaive::query {

/// One piece of work: whoever claims it first does it, a pool thread or the consumer that waits for
/// it. Thread-safe.
template <typename T>
class Slot {
 public:
  Slot(std::function<arrow::Result<T>()> work, MemoryReservation held)
      : held_(std::move(held)), work_(std::move(work)) {}

  /// Works, if nobody else has begun. Everything the work refers to is let go before it counts as
  /// done, so a pool thread never is the last owner of the session whose pool it belongs to.
  void Run() {
    std::function<arrow::Result<T>()> work = Claim();
    if (!work) {
      return;
    }
    arrow::Result<T> result = work();
    work = nullptr;
    std::lock_guard lock(mutex_);
    result_ = std::move(result);
    done_.notify_all();
  }

  arrow::Result<T> Wait() {
    Run();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
    held_.Reset();
    return std::move(*result_);
  }

  /// Keeps the work from starting, or waits until it has ended.
  void Drop() {
    if (Claim()) {
      return;
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
  }

  bool done() {
    std::lock_guard lock(mutex_);
    return result_.has_value();
  }

 private:
  std::function<arrow::Result<T>()> Claim() {
    std::lock_guard lock(mutex_);
    return std::exchange(work_, nullptr);
  }

  MemoryReservation held_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::function<arrow::Result<T>()> work_;  // empty once claimed
  std::optional<arrow::Result<T>> result_;
};

/// A queue of work whose results come out in the order in which it went in. One thread at a time.
template <typename T>
class ReadAhead {
 public:
  ReadAhead(Executor* executor, MemoryBudget* budget, size_t window)
      : executor_(executor), budget_(budget), window_(executor->num_threads() <= 1 ? 1 : window) {}

  ~ReadAhead() { Drop(); }

  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  bool empty() const { return slots_.empty(); }

  /// True if one more may be added: the window shrinks where the budget has no room, to one.
  bool wants_more() const { return slots_.size() < window_ && (slots_.empty() || !crowded_); }

  void set_window(size_t window) {
    window_ = executor_->num_threads() <= 1 ? 1 : std::max<size_t>(1, window);
  }

  /// `bytes` that the work and its result will hold.
  void Add(std::function<arrow::Result<T>()> work, uint64_t bytes) {
    MemoryReservation held(budget_);
    crowded_ = !held.TryGrow(bytes);
    if (crowded_) {
      held.Grow(bytes);
    }
    auto slot = std::make_shared<Slot<T>>(std::move(work), std::move(held));
    slots_.push_back(slot);
    // The first is done by the consumer right away; handing it out would only cost a wake-up.
    if (window_ > 1 && slots_.size() > 1) {
      executor_->Submit([slot] { slot->Run(); });
    }
  }

  bool front_done() const { return !slots_.empty() && slots_.front()->done(); }

  arrow::Result<T> Take() {
    const std::shared_ptr<Slot<T>> slot = std::move(slots_.front());
    slots_.pop_front();
    crowded_ = false;
    return slot->Wait();
  }

  void Drop() {
    for (const auto& slot : slots_) {
      slot->Drop();
    }
    slots_.clear();
  }

 private:
  Executor* const executor_;
  MemoryBudget* const budget_;
  size_t window_;
  bool crowded_ = false;
  std::deque<std::shared_ptr<Slot<T>>> slots_;
};

}  // namespace glaive::query
