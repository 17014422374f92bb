#include "query/distinct.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "query/compute.h"
#include "query/row_keys.h"
#include "query/sort.h"

namespace glaive::query {

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// Keys that were seen: an open hash table over bytes in blocks.
class KeySet {
 public:
  enum class Outcome { kNew, kKnown, kFull };

  /// A quarter of the budget at most, so that what comes before and after has room, too.
  explicit KeySet(MemoryBudget* budget)
      : held_(budget), most_(budget == nullptr ? UINT64_MAX : budget->limit_bytes() / 4) {}

  /// A known key is known also when there is no room for new ones any more.
  Outcome Insert(std::string_view key, bool may_grow) {
    const uint64_t hash = std::hash<std::string_view>()(key);
    if (!slots_.empty()) {
      for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
        const Slot& slot = slots_[at];
        if (slot.key == nullptr) {
          break;
        }
        if (slot.hash == hash && std::string_view(slot.key, slot.size) == key) {
          return Outcome::kKnown;
        }
      }
    }
    if (!may_grow || !MakeRoom(key.size())) {
      return Outcome::kFull;
    }
    char* copy = blocks_.back().get() + block_used_;
    std::memcpy(copy, key.data(), key.size());
    block_used_ += key.size();
    Place({hash, copy, key.size()});
    ++size_;
    return Outcome::kNew;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    const char* key = nullptr;  // null: free
    size_t size = 0;
  };

  static constexpr size_t kBlockBytes = 256 << 10;
  static constexpr size_t kLeastSlots = 1024;

  void Place(const Slot& slot) {
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].key != nullptr) {
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = slot;
  }

  bool Hold(uint64_t bytes) { return held_.bytes() + bytes <= most_ && held_.TryGrow(bytes); }

  bool MakeRoom(size_t key_bytes) {
    if ((size_ + 1) * 2 > slots_.size()) {
      const size_t more = std::max(kLeastSlots, slots_.size() * 2);
      if (!Hold((more - slots_.size()) * sizeof(Slot))) {
        return false;
      }
      std::vector<Slot> old(more);
      old.swap(slots_);
      for (const Slot& slot : old) {
        if (slot.key != nullptr) {
          Place(slot);
        }
      }
    }
    if (blocks_.empty() || block_bytes_ - block_used_ < key_bytes) {
      const size_t bytes = std::max(key_bytes, kBlockBytes);
      if (!Hold(bytes)) {
        return false;
      }
      blocks_.push_back(std::make_unique<char[]>(bytes));
      block_bytes_ = bytes;
      block_used_ = 0;
    }
    return true;
  }

  MemoryReservation held_;
  const uint64_t most_;
  std::vector<Slot> slots_;  // a power of two
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_bytes_ = 0;
  size_t block_used_ = 0;
  size_t size_ = 0;
};

/// Of a stream that is sorted by its second last column, a key, the first row of each.
class FirstOfEach final : public arrow::RecordBatchReader {
 public:
  FirstOfEach(std::shared_ptr<arrow::RecordBatchReader> sorted, arrow::MemoryPool* pool)
      : sorted_(std::move(sorted)), pool_(pool) {}

  std::shared_ptr<arrow::Schema> schema() const override { return sorted_->schema(); }

  arrow::Status ReadNext(Batch* out) override {
    for (;;) {
      ARROW_RETURN_NOT_OK(sorted_->ReadNext(out));
      if (*out == nullptr) {
        return arrow::Status::OK();
      }
      const auto& keys =
          static_cast<const arrow::LargeBinaryArray&>(*(*out)->column((*out)->num_columns() - 2));
      std::vector<int64_t> firsts;
      for (int64_t row = 0; row < keys.length(); ++row) {
        const std::string_view key = keys.GetView(row);
        if (!begun_ || key != last_) {
          firsts.push_back(row);
          last_ = key;
          begun_ = true;
        }
      }
      if (firsts.empty()) {
        continue;
      }
      const auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(firsts.size()),
                                                               arrow::Buffer::Wrap(firsts));
      ARROW_ASSIGN_OR_RAISE(*out, TakeRows(*out, indices, pool_));
      return arrow::Status::OK();
    }
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> sorted_;
  arrow::MemoryPool* const pool_;
  std::string last_;
  bool begun_ = false;
};

class DistinctReader final : public arrow::RecordBatchReader {
 public:
  DistinctReader(std::shared_ptr<arrow::RecordBatchReader> input, const DistinctOptions& options)
      : schema_(input->schema()),
        input_(std::move(input)),
        options_(options),
        seen_(std::make_unique<KeySet>(options.budget)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(Batch* out) override {
    for (;;) {
      ARROW_RETURN_NOT_OK(options_.cancel.Check("distinct"));
      if (late_ != nullptr) {
        return ReadLate(out);
      }
      Batch batch;
      ARROW_RETURN_NOT_OK(input_->ReadNext(&batch));
      if (batch == nullptr) {
        out->reset();
        return arrow::Status::OK();
      }
      ARROW_ASSIGN_OR_RAISE(const auto keys, EncodeEquality(*batch, options_.pool));
      std::vector<int64_t> firsts;
      int64_t row = 0;
      for (; row < batch->num_rows(); ++row) {
        const auto outcome = seen_->Insert(keys.at(static_cast<size_t>(row)), /*may_grow=*/true);
        if (outcome == KeySet::Outcome::kFull) {
          break;
        }
        if (outcome == KeySet::Outcome::kNew) {
          firsts.push_back(row);
        }
      }
      if (row < batch->num_rows()) {
        ARROW_RETURN_NOT_OK(SortTheRest(batch->Slice(row)));
      }
      if (!firsts.empty()) {
        const auto indices = std::make_shared<arrow::Int64Array>(
            static_cast<int64_t>(firsts.size()), arrow::Buffer::Wrap(firsts));
        ARROW_ASSIGN_OR_RAISE(*out, TakeRows(batch, indices, options_.pool));
        return arrow::Status::OK();
      }
    }
  }

 private:
  /// The rest of the input that the set does not know, with two columns more: its key, its number.
  class Unknown final : public arrow::RecordBatchReader {
   public:
    Unknown(DistinctReader* owner, Batch first) : owner_(owner), first_(std::move(first)) {
      auto fields = owner->schema_->fields();
      fields.push_back(arrow::field("key", arrow::large_binary(), /*nullable=*/false));
      fields.push_back(arrow::field("number", arrow::uint64(), /*nullable=*/false));
      schema_ = arrow::schema(std::move(fields), owner->schema_->metadata());
    }

    std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

    arrow::Status ReadNext(Batch* out) override {
      for (;;) {
        Batch batch = std::exchange(first_, nullptr);
        if (batch == nullptr) {
          ARROW_RETURN_NOT_OK(owner_->input_->ReadNext(&batch));
        }
        if (batch == nullptr) {
          out->reset();
          return arrow::Status::OK();
        }
        ARROW_RETURN_NOT_OK(Extend(batch, out));
        if ((*out)->num_rows() > 0) {
          return arrow::Status::OK();
        }
      }
    }

   private:
    arrow::Status Extend(const Batch& batch, Batch* out) {
      arrow::MemoryPool* pool = owner_->options_.pool;
      ARROW_ASSIGN_OR_RAISE(const auto keys, EncodeEquality(*batch, pool));
      std::vector<int64_t> kept;
      arrow::MemoryPool* builders = pool != nullptr ? pool : arrow::default_memory_pool();
      arrow::LargeBinaryBuilder key_builder(builders);
      arrow::UInt64Builder number_builder(builders);
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        const std::string_view key = keys.at(static_cast<size_t>(row));
        if (owner_->seen_->Insert(key, /*may_grow=*/false) == KeySet::Outcome::kKnown) {
          continue;
        }
        kept.push_back(row);
        ARROW_RETURN_NOT_OK(key_builder.Append(key));
        ARROW_RETURN_NOT_OK(number_builder.Append(number_++));
      }
      const auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(kept.size()),
                                                               arrow::Buffer::Wrap(kept));
      ARROW_ASSIGN_OR_RAISE(const auto rows, TakeRows(batch, indices, pool));
      auto columns = rows->columns();
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), key_builder.Finish());
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), number_builder.Finish());
      *out = arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(columns));
      return arrow::Status::OK();
    }

    DistinctReader* const owner_;
    Batch first_;
    std::shared_ptr<arrow::Schema> schema_;
    uint64_t number_ = 0;
  };

  arrow::Status SortTheRest(Batch first) {
    Unknown unknown(this, std::move(first));
    SortOptions sort;
    sort.budget = options_.budget;
    sort.spill_directory = options_.spill_directory;
    sort.pool = options_.pool;
    sort.cancel = options_.cancel;
    const int columns = schema_->num_fields();
    sort.keys = {{columns, true, false}};
    ARROW_ASSIGN_OR_RAISE(auto by_key, Sort(unknown, sort));
    seen_.reset();
    FirstOfEach firsts(std::move(by_key), options_.pool);
    sort.keys = {{columns + 1, true, false}};
    ARROW_ASSIGN_OR_RAISE(late_, Sort(firsts, sort));
    return arrow::Status::OK();
  }

  arrow::Status ReadLate(Batch* out) const {
    ARROW_RETURN_NOT_OK(late_->ReadNext(out));
    if (*out != nullptr) {
      auto columns = (*out)->columns();
      columns.resize(static_cast<size_t>(schema_->num_fields()));
      *out = arrow::RecordBatch::Make(schema_, (*out)->num_rows(), std::move(columns));
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<arrow::RecordBatchReader> input_;
  const DistinctOptions options_;
  std::unique_ptr<KeySet> seen_;
  std::shared_ptr<arrow::RecordBatchReader> late_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Distinct(
    std::shared_ptr<arrow::RecordBatchReader> input, const DistinctOptions& options) {
  return std::make_shared<DistinctReader>(std::move(input), options);
}

}  // namespace glaive::query
