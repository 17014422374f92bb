// What a fuzz target demands of the Arrow data it was handed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <arrow/status.h>

/// Ends the process unless the result of ValidateFull() is one that no consumer can crash on. Text that is
/// not UTF-8 and decimals of too many digits are wrong values, not broken arrays, and are handed out as they
/// were stored.
inline void RequireSound(const arrow::Status& status) {
  if (!status.ok() && status.message().find("UTF8") == std::string::npos &&
      status.message().find("does not fit in precision") == std::string::npos) {
    std::fprintf(stderr, "handed out: %s\n", status.ToString().c_str());
    std::abort();
  }
}
