#include "large_table.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>

namespace glaive::testing {

namespace {

constexpr int32_t kDimension = 640;
constexpr int32_t kBodyBytes = 1400;
constexpr int64_t kBatchRows = (1 << 20) / kRowBytes;

int64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("RssAnon:", 0) == 0) {
      return std::stoll(line.substr(8)) << 10;
    }
  }
  return 0;
}

void RaiseTo(std::atomic<int64_t>* peak, int64_t value) {
  int64_t old = *peak;
  while (old < value && !peak->compare_exchange_weak(old, value)) {
  }
}

/// A stream of numbers that depends on nothing but its seed.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}

  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_;
};

class LargeRowsReader final : public arrow::RecordBatchReader {
 public:
  LargeRowsReader(int64_t first, int64_t count, int64_t step)
      : next_(first), left_(count), step_(step) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    const int64_t count = std::min(left_, kBatchRows);
    if (count == 0) {
      return arrow::Status::OK();
    }
    arrow::MemoryPool* pool = arrow::system_memory_pool();
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::RecordBatchBuilder::Make(schema_, pool, count));
    for (int64_t i = 0; i < count; ++i, next_ += step_) {
      ARROW_RETURN_NOT_OK(AddRow(builder.get()));
    }
    left_ -= count;
    return builder->Flush().Value(batch);
  }

 private:
  arrow::Status AddRow(arrow::RecordBatchBuilder* builder) const {
    Numbers numbers(static_cast<uint64_t>(next_));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(0)->Append(next_));
    std::string name = std::to_string(NameNumber(next_));
    name.insert(0, 12 - name.size(), '0');
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::StringBuilder>(1)->Append(name));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::DoubleBuilder>(2)->Append(
        static_cast<double>(NameNumber(next_ + 1)) / 2));
    ARROW_RETURN_NOT_OK(
        builder->GetFieldAs<arrow::StringBuilder>(3)->Append("kind-" + std::to_string(next_ % 16)));
    char body[kBodyBytes];
    for (int32_t at = 0; at < kBodyBytes; at += 8) {
      const uint64_t number = numbers.Next();
      for (int32_t k = 0; k < 8; ++k) {
        body[at + k] = static_cast<char>('0' + (number >> (8 * k)) % 64);
      }
    }
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::StringBuilder>(4)->Append(body, kBodyBytes));
    float vector[kDimension];
    for (float& value : vector) {
      value = static_cast<float>(numbers.Next() >> 40) / static_cast<float>(1 << 24);
    }
    auto* vectors = builder->GetFieldAs<arrow::FixedSizeListBuilder>(5);
    ARROW_RETURN_NOT_OK(vectors->Append());
    ARROW_RETURN_NOT_OK(static_cast<arrow::FloatBuilder*>(vectors->value_builder())
                            ->AppendValues(vector, kDimension));
    auto* tags = builder->GetFieldAs<arrow::ListBuilder>(6);
    ARROW_RETURN_NOT_OK(tags->Append());
    auto* values = static_cast<arrow::Int32Builder*>(tags->value_builder());
    for (int64_t k = 0; k < next_ % 7; ++k) {
      ARROW_RETURN_NOT_OK(values->Append(static_cast<int32_t>(numbers.Next() % 1000)));
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::Schema> schema_ = LargeRowsSchema();
  int64_t next_;
  int64_t left_;
  const int64_t step_;
};

}  // namespace

arrow::Status CountingPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(below_->Allocate(size, alignment, out));
  Add(size);
  return arrow::Status::OK();
}

arrow::Status CountingPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                       uint8_t** pointer) {
  ARROW_RETURN_NOT_OK(below_->Reallocate(old_size, new_size, alignment, pointer));
  Add(new_size - old_size);
  return arrow::Status::OK();
}

void CountingPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  below_->Free(buffer, size, alignment);
  Add(-size);
}

void CountingPool::Add(int64_t bytes) {
  now_ += bytes;
  Look();
}

void CountingPool::Look() {
  RaiseTo(&peak_, now_ + arrow::default_memory_pool()->bytes_allocated());
}

ResidentWatch::ResidentWatch(CountingPool* pool)
    : thread_([this, pool] {
        while (!stop_) {
          pool->Look();
          RaiseTo(&peak_, AnonymousBytes());
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
      }) {}

ResidentWatch::~ResidentWatch() {
  stop_ = true;
  thread_.join();
}

int64_t ResidentWatch::Restart() {
  RaiseTo(&peak_, AnonymousBytes());
  return peak_.exchange(0);
}

std::shared_ptr<arrow::Schema> LargeRowsSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("name", arrow::utf8()),
       arrow::field("score", arrow::float64()), arrow::field("kind", arrow::utf8()),
       arrow::field("body", arrow::utf8()),
       arrow::field("vector", arrow::fixed_size_list(arrow::float32(), kDimension)),
       arrow::field("tags", arrow::list(arrow::int32()))});
}

std::shared_ptr<arrow::RecordBatchReader> LargeRows(int64_t first, int64_t count, int64_t step) {
  return std::make_shared<LargeRowsReader>(first, count, step);
}

int64_t NameNumber(int64_t id) {
  // Multiplication modulo a prime.
  constexpr int64_t kPrime = (int64_t{1} << 31) - 1;
  return (id + 1) % kPrime * 1000003 % kPrime;
}

}  // namespace glaive::testing
