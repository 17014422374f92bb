// The distance functions of one instruction set. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu.h"
#include "kernels/distance.h"

namespace glaive::kernels {

/// Distances of num_queries queries to num_rows rows: out[q * num_rows + i].
struct DistanceJob {
  const uint8_t* queries;
  size_t query_stride;
  size_t num_queries;
  size_t dims;
  const uint8_t* rows;  ///< row i at rows + i * row_stride, unless row_pointers is set
  size_t row_stride;
  const void* const* row_pointers;
  size_t num_rows;
  float* out;
};

struct DistanceTable {
  using Function = void (*)(const DistanceJob& job);
  /// [metric][element type]; nullptr for hamming over anything but u8.
  Function functions[4][4];
  size_t (*select_at_most)(const float* values, size_t n, float bound, uint32_t* out);
};

extern const DistanceTable kDistanceScalar;
extern const DistanceTable kDistanceAvx2;
extern const DistanceTable kDistanceAvx512;

/// The table of `level`, which this machine must support.
const DistanceTable& DistanceFor(CpuLevel level);

}  // namespace glaive::kernels
