#include "base/memory_budget.h"

#include "base/status.h"

namespace glaive {

arrow::Status MemoryBudget::Reserve(uint64_t bytes, std::string_view what) {
  uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ || used > limit_ - bytes) {
      return ResourceExhausted("memory budget of ", limit_, " bytes: ", what, " wants ", bytes,
                               " bytes and ", used, " are in use");
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return arrow::Status::OK();
}

void MemoryBudget::Release(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

}  // namespace glaive
