// A bounded pool of threads that belongs to one Database. No thread exists before the first task; all
// end in the destructor. With num_threads == 1 tasks run on the caller's thread inside ParallelFor.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <arrow/status.h>

namespace glaive {

/// Thread-safe.
class Executor {
 public:
  /// \param num_threads how many threads work at once, the caller of ParallelFor included; 0 means the
  ///        number of cores.
  explicit Executor(size_t num_threads = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  size_t num_threads() const { return num_threads_; }

  /// Runs body(0..count-1), each once, on the pool and on the calling thread; returns after all of them
  /// ended. The first error stops further ones from starting and is returned. May be nested.
  arrow::Status ParallelFor(size_t count, const std::function<arrow::Status(size_t)>& body);

  /// Runs `task` on a pool thread some time later (on the calling thread if num_threads is 1). The task
  /// must not throw. Tasks not yet started when the executor ends are run by the destructor.
  void Submit(std::function<void()> task);

 private:
  void EnsureStarted();  // with mutex_ held
  void Work();

  const size_t num_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

}  // namespace glaive
