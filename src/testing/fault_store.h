// An object store that wraps another and fails, or "dies", at a chosen operation: the instrument of the
// crash tests. Test-only.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/object_store.h"

namespace glaive::testing {

enum class FaultKind {
  kNone,
  kError,      ///< the operation fails with kIo and does nothing
  kCrash,      ///< as kError, and every later operation fails too (the process is gone)
  kAmbiguous,  ///< the operation takes effect, but reports kIo
  kTorn,       ///< for writes: only a part of the bytes arrives under a staging name, then as kCrash
  kFull,       ///< kResourceExhausted (no space left), nothing written
};

/// Which operation to hit: the n-th mutating one (Create/Append/Finish/Put/PutIfAbsent/Delete), from 0.
struct FaultPlan {
  FaultKind kind = FaultKind::kNone;
  uint64_t at_operation = 0;
};

class FaultStore;
/// `log`, if given, receives one line per mutating operation ("PutIfAbsent _versions/…").
std::shared_ptr<io::ObjectStore> WrapWithFaults(std::shared_ptr<io::ObjectStore> store,
                                                std::shared_ptr<std::atomic<uint64_t>> counter,
                                                FaultPlan plan,
                                                std::shared_ptr<std::vector<std::string>> log = nullptr);

}  // namespace glaive::testing
