#define GLAIVE_VECTOR_BYTES 64
#define GLAIVE_TABLE kFastlanesAvx512
#include "kernels/fastlanes_body.inc"  // NOLINT(bugprone-suspicious-include): one copy per instruction set
