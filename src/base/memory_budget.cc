#include "base/memory_budget.h"

#include <algorithm>
#include <fstream>

#include <unistd.h>

#include "base/status.h"

namespace glaive {

bool MemoryBudget::TryReserve(uint64_t bytes) {
  uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ || used > limit_ - bytes) {
      return false;
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

arrow::Status MemoryBudget::Reserve(uint64_t bytes, std::string_view what) {
  if (TryReserve(bytes)) {
    return arrow::Status::OK();
  }
  return ResourceExhausted("memory budget of ", limit_, " bytes: ", what, " wants ", bytes,
                           " bytes and ", used_bytes(),
                           " are in use; DatabaseOptions::memory_limit_bytes sets it");
}

void MemoryBudget::Release(uint64_t bytes) {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
}

uint64_t DefaultMemoryLimit() {
  constexpr uint64_t kLeast = 64 << 20;
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  uint64_t memory = uint64_t{4} << 30;
  if (pages > 0 && page_bytes > 0) {
    memory = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  }
  // "max" if there is no limit, which does not parse as a number.
  std::ifstream group("/sys/fs/cgroup/memory.max");
  uint64_t allowed = 0;
  if (group >> allowed && allowed > 0) {
    memory = std::min(memory, allowed);
  }
  return std::max(kLeast, memory / 4);
}

}  // namespace glaive
