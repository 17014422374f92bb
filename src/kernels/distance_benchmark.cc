// Bandwidth of one query and arithmetic of many, per instruction set, over rows that do not fit in
// cache. The rows are read in blocks as a search does it.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "kernels/cpu.h"
#include "kernels/distance_table.h"

namespace glaive::kernels {
namespace {

struct Shape {
  ElementType type;
  size_t dims;
  size_t num_queries;
};

size_t ElementBytes(ElementType type) {
  constexpr size_t bytes[] = {2, 4, 8, 1};
  return bytes[static_cast<size_t>(type)];
}

std::vector<uint8_t> RandomBytes(ElementType type, size_t n) {
  std::vector<uint8_t> bytes(n * ElementBytes(type));
  std::minstd_rand random(1);
  // Any pattern that is no NaN: the high byte of each number stays at 0x3c or below.
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>((i + 1) % ElementBytes(type) == 0 ? 0x3c : random());
  }
  return bytes;
}

void Search(benchmark::State& state, CpuLevel level, Metric metric, Shape shape,
            size_t total_bytes) {
  const size_t width = shape.dims * ElementBytes(shape.type);
  const size_t num_rows = total_bytes / width;
  constexpr size_t kBlock = 256;
  const auto rows = RandomBytes(shape.type, num_rows * shape.dims);
  const auto queries = RandomBytes(shape.type, shape.num_queries * shape.dims);
  std::vector<float> out(kBlock * shape.num_queries);
  const auto function =
      DistanceFor(level).functions[static_cast<size_t>(metric)][static_cast<size_t>(shape.type)];
  for (auto _ : state) {
    for (size_t i = 0; i < num_rows; i += kBlock) {
      const size_t n = std::min(kBlock, num_rows - i);
      function({queries.data(), width, shape.num_queries, shape.dims, rows.data() + i * width,
                width, nullptr, n, out.data()});
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * num_rows * width));
  state.SetItemsProcessed(
      static_cast<int64_t>(state.iterations() * num_rows * shape.dims * shape.num_queries));
}

void RegisterAll() {
  const char* types[] = {"f16", "f32", "f64", "u8"};
  const char* metrics[] = {"l2", "cosine", "dot", "hamming"};
  for (CpuLevel level : {CpuLevel::kScalar, CpuLevel::kNeon, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (!CpuSupports(level)) continue;
    for (Metric metric : {Metric::kL2, Metric::kCosine, Metric::kDot, Metric::kHamming}) {
      for (Shape shape : {Shape{ElementType::kF32, 128, 1}, Shape{ElementType::kF32, 768, 1},
                          Shape{ElementType::kF32, 128, 16}, Shape{ElementType::kF32, 768, 16},
                          Shape{ElementType::kF16, 768, 1}, Shape{ElementType::kF16, 768, 16},
                          Shape{ElementType::kF64, 768, 1}, Shape{ElementType::kU8, 768, 1},
                          Shape{ElementType::kU8, 768, 16}, Shape{ElementType::kU8, 96, 1}}) {
        if (metric == Metric::kHamming && shape.type != ElementType::kU8) continue;
        const std::string name =
            std::string(CpuLevelName(level)) + "/" + metrics[static_cast<size_t>(metric)] + "/" +
            types[static_cast<size_t>(shape.type)] + "x" + std::to_string(shape.dims) +
            "/queries:" + std::to_string(shape.num_queries);
        benchmark::RegisterBenchmark(name.c_str(), Search, level, metric, shape, size_t{256} << 20);
      }
    }
  }
}

}  // namespace
}  // namespace glaive::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  glaive::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
