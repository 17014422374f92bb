// Cancellation and progress: how a caller watches and stops long work.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <arrow/status.h>

#include "glaive/export.h"

namespace glaive {

/// A flag that a caller sets to stop work. Copies share the flag. Thread-safe; RequestStop may be
/// called from a signal handler.
class GLAIVE_EXPORT CancelToken {
 public:
  CancelToken() : stop_(std::make_shared<std::atomic<bool>>(false)) {}

  void RequestStop() const { stop_->store(true, std::memory_order_relaxed); }

  bool stop_requested() const { return stop_->load(std::memory_order_relaxed); }

  /// OK, or a kCancelled error that names `what`.
  arrow::Status Check(std::string_view what) const;

 private:
  std::shared_ptr<std::atomic<bool>> stop_;
};

/// How far long work has come. `total` is 0 where it is not known beforehand.
struct Progress {
  std::string_view phase;  ///< "write", "scan", "verify", ...
  uint64_t rows_done = 0;
  uint64_t rows_total = 0;
  uint64_t bytes_done = 0;
};

/// Called from time to time (about every batch) on the thread that does the work. Must not throw
/// and must not call back into the same object.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace glaive
