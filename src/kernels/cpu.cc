#include "kernels/cpu.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(__x86_64__)
#  include <cpuid.h>
#endif

namespace glaive::kernels {
namespace {

#if defined(__x86_64__)
// Half floats to floats and back; Clang 14 has no probe for it.
bool CpuSupportsF16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

CpuLevel BestLevel() {
#if defined(__x86_64__)
  if (CpuSupports(CpuLevel::kAvx512)) return CpuLevel::kAvx512;
  if (CpuSupports(CpuLevel::kAvx2)) return CpuLevel::kAvx2;
  return CpuLevel::kScalar;
#elif defined(__aarch64__)
  return CpuLevel::kNeon;
#else
  return CpuLevel::kScalar;
#endif
}

CpuLevel ChooseLevel() {
  const CpuLevel best = BestLevel();
  const char* wanted = std::getenv("GLAIVE_CPU");
  if (wanted == nullptr) return best;
  for (CpuLevel level : {CpuLevel::kScalar, CpuLevel::kNeon, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (std::strcmp(wanted, CpuLevelName(level)) != 0) continue;
    if (CpuSupports(level)) return level;
    return best < level ? best : CpuLevel::kScalar;
  }
  return best;
}

}  // namespace

CpuLevel ActiveCpuLevel() {
  static const CpuLevel level = ChooseLevel();
  return level;
}

const char* CpuLevelName(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar:
      return "scalar";
    case CpuLevel::kNeon:
      return "neon";
    case CpuLevel::kAvx2:
      return "avx2";
    case CpuLevel::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool CpuSupports(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar:
      return true;
    case CpuLevel::kNeon:
#if defined(__aarch64__)
      return true;
#else
      return false;
#endif
    case CpuLevel::kAvx2:
#if defined(__x86_64__)
      // The compiler's probe also asks the operating system whether it saves the wide registers.
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && CpuSupportsF16c();
#else
      return false;
#endif
    case CpuLevel::kAvx512:
#if defined(__x86_64__)
      // VNNI and VPOPCNTDQ leave out the first AVX-512 machines, which clock down under wide code
      // and are served as well by AVX2.
      return CpuSupports(CpuLevel::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni") &&
             __builtin_cpu_supports("avx512vpopcntdq");
#else
      return false;
#endif
  }
  return false;
}

}  // namespace glaive::kernels
