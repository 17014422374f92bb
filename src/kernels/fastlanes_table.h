// The bit packing functions of one instruction set, one per type and width. Private to the room.
#pragma once

#include <cstdint>

#include "kernels/cpu.h"

namespace glaive::kernels {

/// Indexed by width. `packed` and `values` may have any alignment.
struct FastlanesTable {
  using Unpack = void (*)(const uint8_t* packed, uint8_t* values);
  using Pack = void (*)(const uint8_t* values, uint8_t* packed);
  Unpack unpack8[9];
  Unpack unpack16[17];
  Unpack unpack32[33];
  Unpack unpack64[65];
  Pack pack8[9];
  Pack pack16[17];
  Pack pack32[33];
  Pack pack64[65];
};

extern const FastlanesTable kFastlanesScalar;
extern const FastlanesTable kFastlanesAvx2;
extern const FastlanesTable kFastlanesAvx512;

/// The table of `level`, which this machine must support.
const FastlanesTable& FastlanesFor(CpuLevel level);

}  // namespace glaive::kernels
