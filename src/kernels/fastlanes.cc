#include "kernels/fastlanes.h"

#include <cassert>

#include "kernels/fastlanes_table.h"

namespace glaive::kernels {
namespace {

const FastlanesTable& Active() {
  static const FastlanesTable& table = FastlanesFor(ActiveCpuLevel());
  return table;
}

template <typename T>
uint8_t* Bytes(T* values) {
  return reinterpret_cast<uint8_t*>(values);
}

template <typename T>
const uint8_t* Bytes(const T* values) {
  return reinterpret_cast<const uint8_t*>(values);
}

}  // namespace

const FastlanesTable& FastlanesFor(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::kAvx512) return kFastlanesAvx512;
  if (level == CpuLevel::kAvx2) return kFastlanesAvx2;
#endif
  return kFastlanesScalar;  // 16-byte vectors: also what NEON runs
}

void UnpackBlock(unsigned width, const uint8_t* packed, uint8_t* out) {
  assert(width <= 8);
  Active().unpack8[width](packed, out);
}

void UnpackBlock(unsigned width, const uint8_t* packed, uint16_t* out) {
  assert(width <= 16);
  Active().unpack16[width](packed, Bytes(out));
}

void UnpackBlock(unsigned width, const uint8_t* packed, uint32_t* out) {
  assert(width <= 32);
  Active().unpack32[width](packed, Bytes(out));
}

void UnpackBlock(unsigned width, const uint8_t* packed, uint64_t* out) {
  assert(width <= 64);
  Active().unpack64[width](packed, Bytes(out));
}

void PackBlock(unsigned width, const uint8_t* in, uint8_t* packed) {
  assert(width <= 8);
  Active().pack8[width](in, packed);
}

void PackBlock(unsigned width, const uint16_t* in, uint8_t* packed) {
  assert(width <= 16);
  Active().pack16[width](Bytes(in), packed);
}

void PackBlock(unsigned width, const uint32_t* in, uint8_t* packed) {
  assert(width <= 32);
  Active().pack32[width](Bytes(in), packed);
}

void PackBlock(unsigned width, const uint64_t* in, uint8_t* packed) {
  assert(width <= 64);
  Active().pack64[width](Bytes(in), packed);
}

}  // namespace glaive::kernels
