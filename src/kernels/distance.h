// Distances between vectors: one row against one query, blocks of rows against one query, and
// blocks of rows against many queries. No Arrow, no allocation.
//
// Conventions (LanceDB's): l2 is squared Euclid; cosine = 1 - cos, NaN where either vector is zero
// (the caller decides what that means); dot = 1 - dot product; hamming = number of differing bits.
// Results are float. Sums are formed in float for f16/f32, in double for f64 and exactly for u8;
// the order of additions differs between levels and between the functions here, so results agree to
// relative 1e-5 (f32), not bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glaive::kernels {

enum class Metric : uint8_t { kL2 = 0, kCosine = 1, kDot = 2, kHamming = 3 };

enum class ElementType : uint8_t { kF16 = 0, kF32 = 1, kF64 = 2, kU8 = 3 };

/// distances[i] = distance(query, rows + i*row_stride_bytes) for i in [0, num_rows). `query` has
/// the element type of the rows (f16 queries: raw half bits). Hamming needs kU8, where dims counts
/// bytes; kU8 with l2/cosine/dot treats bytes as unsigned numbers. Any alignment. dims > 0.
void Distances(Metric metric, ElementType type, const void* query, size_t dims, const void* rows,
               size_t row_stride_bytes, size_t num_rows, float* distances);

/// distances[q*num_rows + i] for num_queries queries of `query_stride_bytes`: each row is loaded
/// once for a tile of queries. Same conventions.
void DistancesMany(Metric metric, ElementType type, const void* queries, size_t query_stride_bytes,
                   size_t num_queries, size_t dims, const void* rows, size_t row_stride_bytes,
                   size_t num_rows, float* distances);

/// As Distances, over rows picked by address: rows[i] points at row i.
void DistancesGather(Metric metric, ElementType type, const void* query, size_t dims,
                     const void* const* rows, size_t num_rows, float* distances);

/// Appends to `out` the ordinals i (ascending) with values[i] <= bound; returns how many. `out` has
/// room for n. NaN is never below a bound.
size_t SelectAtMost(const float* values, size_t n, float bound, uint32_t* out);

}  // namespace glaive::kernels
