// Which instruction set the kernels use: found at start, lowered by GLAIVE_CPU=scalar|avx2|avx512.
#pragma once

namespace glaive::kernels {

enum class CpuLevel { kScalar = 0, kNeon = 1, kAvx2 = 2, kAvx512 = 3 };

/// The level in use. Fixed at the first call of any kernel. An unknown or unavailable level in the
/// environment falls back to the best that the machine has at or below it.
CpuLevel ActiveCpuLevel();
const char* CpuLevelName(CpuLevel level);
/// True if the machine can run kernels of `level`.
bool CpuSupports(CpuLevel level);

}  // namespace glaive::kernels
