#include "kernels/distance.h"

#include <cassert>

#include "kernels/distance_table.h"

namespace glaive::kernels {
namespace {

const DistanceTable& Active() {
  static const DistanceTable& table = DistanceFor(ActiveCpuLevel());
  return table;
}

void Run(Metric metric, ElementType type, const DistanceJob& job) {
  assert(job.dims > 0);
  const auto function = Active().functions[static_cast<size_t>(metric)][static_cast<size_t>(type)];
  assert(function != nullptr);
  function(job);
}

const uint8_t* Bytes(const void* p) {
  return static_cast<const uint8_t*>(p);
}

}  // namespace

const DistanceTable& DistanceFor(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::kAvx512) return kDistanceAvx512;
  if (level == CpuLevel::kAvx2) return kDistanceAvx2;
#endif
  return kDistanceScalar;  // 16-byte vectors: also what NEON runs
}

void Distances(Metric metric, ElementType type, const void* query, size_t dims, const void* rows,
               size_t row_stride_bytes, size_t num_rows, float* distances) {
  Run(metric, type,
      {Bytes(query), 0, 1, dims, Bytes(rows), row_stride_bytes, nullptr, num_rows, distances});
}

void DistancesMany(Metric metric, ElementType type, const void* queries, size_t query_stride_bytes,
                   size_t num_queries, size_t dims, const void* rows, size_t row_stride_bytes,
                   size_t num_rows, float* distances) {
  Run(metric, type,
      {Bytes(queries), query_stride_bytes, num_queries, dims, Bytes(rows), row_stride_bytes,
       nullptr, num_rows, distances});
}

void DistancesGather(Metric metric, ElementType type, const void* query, size_t dims,
                     const void* const* rows, size_t num_rows, float* distances) {
  Run(metric, type, {Bytes(query), 0, 1, dims, nullptr, 0, rows, num_rows, distances});
}

size_t SelectAtMost(const float* values, size_t n, float bound, uint32_t* out) {
  return Active().select_at_most(values, n, bound, out);
}

}  // namespace glaive::kernels
