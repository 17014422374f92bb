#include "base/clock.h"

#include <atomic>
#include <chrono>

namespace glaive {

namespace {
std::atomic<int64_t> fixed_nanos{-1};
}  // namespace

int64_t NowNanos() {
  const int64_t fixed = fixed_nanos.load(std::memory_order_relaxed);
  if (fixed >= 0) {
    return fixed;
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void SetNowForTest(int64_t nanos) { fixed_nanos.store(nanos, std::memory_order_relaxed); }

}  // namespace glaive
