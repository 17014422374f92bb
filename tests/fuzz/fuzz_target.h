// A fuzz target is one function over bytes. With clang and GLAIVE_FUZZ it is driven by libFuzzer; otherwise
// replay.cc drives it over the corpus and seeded mutations of it, as part of the tests.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
