#define GLAIVE_VECTOR_BYTES 32
#define GLAIVE_TABLE kFastlanesAvx2
#include "kernels/fastlanes_body.inc"  // NOLINT(bugprone-suspicious-include): one copy per instruction set
