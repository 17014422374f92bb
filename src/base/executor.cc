#include "base/executor.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

namespace glaive {

Executor::Executor(size_t num_threads)
    : num_threads_(num_threads != 0 ? num_threads
                                    : std::max<size_t>(1, std::thread::hardware_concurrency())) {}

Executor::~Executor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
}

void Executor::EnsureStarted() {
  // The caller of ParallelFor is the remaining worker.
  while (threads_.size() + 1 < num_threads_) {
    threads_.emplace_back([this] { Work(); });
  }
}

void Executor::Work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

void Executor::Submit(std::function<void()> task) {
  if (num_threads_ <= 1) {
    task();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    EnsureStarted();
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

arrow::Status Executor::ParallelFor(size_t count,
                                    const std::function<arrow::Status(size_t)>& body) {
  if (count == 0) {
    return arrow::Status::OK();
  }
  if (count == 1 || num_threads_ <= 1) {
    for (size_t i = 0; i < count; ++i) {
      ARROW_RETURN_NOT_OK(body(i));
    }
    return arrow::Status::OK();
  }
  // Shared by the tasks, because a task may only get to run after this call has returned.
  struct State {
    std::atomic<size_t> next{0};
    std::atomic<bool> failed{false};
    size_t count = 0;
    const std::function<arrow::Status(size_t)>* body = nullptr;
    std::mutex mutex;
    std::condition_variable done;
    size_t running = 0;
    bool closed = false;  // the caller no longer admits tasks
    arrow::Status status;
  };
  auto state = std::make_shared<State>();
  state->count = count;
  state->body = &body;
  auto drain = [](State& s) {
    while (!s.failed.load(std::memory_order_relaxed)) {
      const size_t i = s.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= s.count) {
        return;
      }
      arrow::Status status = (*s.body)(i);
      if (!status.ok()) {
        std::lock_guard lock(s.mutex);
        if (s.status.ok()) {
          s.status = std::move(status);
        }
        s.failed = true;
      }
    }
  };
  const size_t helpers = std::min(count, num_threads_) - 1;
  for (size_t h = 0; h < helpers; ++h) {
    Submit([state, drain] {
      {
        std::lock_guard lock(state->mutex);
        if (state->closed) {
          return;
        }
        ++state->running;
      }
      drain(*state);
      std::lock_guard lock(state->mutex);
      --state->running;
      state->done.notify_all();
    });
  }
  drain(*state);
  std::unique_lock lock(state->mutex);
  state->closed = true;
  state->done.wait(lock, [&] { return state->running == 0; });
  return state->status;
}

}  // namespace glaive
