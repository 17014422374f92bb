// Rows for a table that does not fit in memory, made as they are read, and what watches the memory
// that operations on it take.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type_fwd.h>

namespace glaive::testing {

/// Counts what is allocated through it and, because some of the work does not know of it, through
/// the default pool; remembers the most of both together since it was last asked. Thread-safe.
class CountingPool final : public arrow::MemoryPool {
 public:
  explicit CountingPool(arrow::MemoryPool* below) : below_(below) {}

  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** pointer) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;

  int64_t bytes_allocated() const override { return now_; }

  int64_t max_memory() const override { return peak_; }

  int64_t total_bytes_allocated() const override { return below_->total_bytes_allocated(); }

  int64_t num_allocations() const override { return below_->num_allocations(); }

  std::string backend_name() const override { return below_->backend_name(); }

  void Restart() { peak_ = 0; }

  /// Notes what is allocated at this moment.
  void Look();

 private:
  void Add(int64_t bytes);

  arrow::MemoryPool* const below_;
  std::atomic<int64_t> now_{0};
  std::atomic<int64_t> peak_{0};
};

/// Looks at the anonymous memory of this process and at a pool every few milliseconds.
class ResidentWatch {
 public:
  explicit ResidentWatch(CountingPool* pool);
  ~ResidentWatch();

  /// The most since it was last asked.
  int64_t Restart();

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> peak_{0};
  std::thread thread_;
};

/// About this many bytes is one row of LargeRows.
inline constexpr int64_t kRowBytes = 4096;

/// id int64, name text (a permutation of the ids, zero-padded), score float64 (another one), kind
/// text (one of 16), body text of 1,400 bytes, vector float32[640], tags list<int32>.
std::shared_ptr<arrow::Schema> LargeRowsSchema();

/// Rows with the ids first, first + step, ...; batches of a mebibyte that no counted pool pays for.
std::shared_ptr<arrow::RecordBatchReader> LargeRows(int64_t first, int64_t count, int64_t step);

/// The number in the name of the row `id`, different for each id below 2^31 - 1.
int64_t NameNumber(int64_t id);

}  // namespace glaive::testing
