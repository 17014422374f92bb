// The one place where the house asks for the time, so that a test can set it.
#pragma once

#include <cstdint>

namespace glaive {

/// Nanoseconds since 1970-01-01 UTC.
int64_t NowNanos();

/// Fixes NowNanos for tests; a negative value returns to the system clock.
void SetNowForTest(int64_t nanos);

}  // namespace glaive
