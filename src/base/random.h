// Randomness for names and backoff: seeded from the system, or by a test.
#pragma once

#include <cstdint>

namespace glaive {

/// 64 random bits from a per-thread generator. Not for cryptography.
uint64_t RandomU64();

/// Makes this thread's RandomU64 repeatable. For tests.
void SeedRandomForTest(uint64_t seed);

}  // namespace glaive
