#define GLAIVE_VECTOR_BYTES 16
#define GLAIVE_TABLE kFastlanesScalar
#include "kernels/fastlanes_body.inc"  // NOLINT(bugprone-suspicious-include): one copy per instruction set
