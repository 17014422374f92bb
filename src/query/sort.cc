#include "query/sort.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "query/compute.h"
#include "query/sort_runs.h"

namespace glaive::query {

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// Rows sorted in one piece, so that text columns of one array keep well below 2 GiB.
constexpr uint64_t kMaxRunBytes = 512 << 20;
constexpr uint64_t kMaxRunRows = UINT32_MAX;
/// Rows kept beyond the limit before the surplus is thrown away.
constexpr uint64_t kSurplusRows = 8 << 10;

/// A row on its way to its place. Most comparisons are decided by the prefix.
struct Entry {
  uint64_t prefix = 0;
  const char* key = nullptr;
  uint32_t key_size = 0;
  uint32_t row = 0;  // among those buffered

  std::string_view rest() const {
    return key_size <= sizeof(prefix)
               ? std::string_view()
               : std::string_view(key + sizeof(prefix), key_size - sizeof(prefix));
  }

  bool operator<(const Entry& other) const {
    if (prefix != other.prefix) {
      return prefix < other.prefix;
    }
    const int order = rest().compare(other.rest());
    // A short key that ends in zeros has the prefix of a longer one.
    if (order != 0) {
      return order < 0;
    }
    return key_size != other.key_size ? key_size < other.key_size : row < other.row;
  }
};

Batch Sliced(const Batch& batch, int64_t first, int64_t count) {
  return first == 0 && count == batch->num_rows() ? batch : batch->Slice(first, count);
}

/// Hands out rows of a batch by their indices.
class IndexedReader final : public arrow::RecordBatchReader {
 public:
  IndexedReader(Batch rows, std::vector<uint32_t> order, int64_t rows_at_once,
                MemoryReservation held, SortOptions options)
      : rows_(std::move(rows)),
        schema_(rows_->schema()),
        order_(std::move(order)),
        rows_at_once_(rows_at_once),
        held_(std::move(held)),
        options_(std::move(options)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(Batch* out) override {
    out->reset();
    ARROW_RETURN_NOT_OK(options_.cancel.Check("sort"));
    const auto count =
        std::min<int64_t>(rows_at_once_, static_cast<int64_t>(order_.size()) - next_);
    if (count <= 0) {
      rows_.reset();
      held_.Reset();
      return arrow::Status::OK();
    }
    const auto indices = std::make_shared<arrow::UInt32Array>(
        count,
        std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(order_.data() + next_),
                                        count * static_cast<int64_t>(sizeof(uint32_t))));
    ARROW_ASSIGN_OR_RAISE(*out, TakeRows(rows_, indices, options_.pool));
    next_ += count;
    return arrow::Status::OK();
  }

 private:
  Batch rows_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<uint32_t> order_;
  const int64_t rows_at_once_;
  MemoryReservation held_;
  const SortOptions options_;
  int64_t next_ = 0;
};

class Sorter {
 public:
  Sorter(std::shared_ptr<arrow::Schema> schema, const SortOptions& options)
      : schema_(std::move(schema)), options_(options), held_(options.budget) {}

  arrow::Status Add(const Batch& whole) {
    // Steps that a small budget can take.
    const uint64_t bytes = BatchBytes(*whole);
    const uint64_t most =
        options_.budget == nullptr ? kMaxRunBytes / 4 : options_.budget->limit_bytes() / 16;
    const auto parts = static_cast<int64_t>(bytes / std::max<uint64_t>(most, 1) + 1);
    const int64_t step = std::max<int64_t>(1, (whole->num_rows() + parts - 1) / parts);
    for (int64_t first = 0; first < whole->num_rows(); first += step) {
      ARROW_RETURN_NOT_OK(AddPart(Sliced(whole, first, std::min(step, whole->num_rows() - first))));
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Finish() {
    if (runs_.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto rows, JoinBuffered());
      auto order = SortBuffered();
      const int64_t at_once = RowsAtOnce(*rows);
      keys_.clear();
      batches_.clear();
      return std::make_shared<IndexedReader>(std::move(rows), std::move(order), at_once,
                                             std::move(held_), options_);
    }
    ARROW_RETURN_NOT_OK(FlushRun(/*spill=*/true));
    return MergeRuns(std::move(runs_), schema_, options_);
  }

 private:
  arrow::Status AddPart(Batch batch) {
    ARROW_RETURN_NOT_OK(options_.cancel.Check("sort"));
    ARROW_ASSIGN_OR_RAISE(auto keys, EncodeOrdered(*batch, options_.keys, options_.pool));
    ARROW_RETURN_NOT_OK(DropBeyondBound(&batch, &keys));
    if (batch->num_rows() == 0) {
      return arrow::Status::OK();
    }
    // The rows twice: they are joined before they are handed out.
    const uint64_t bytes = BatchBytes(*batch);
    const uint64_t needed =
        2 * bytes + keys.bytes.size() +
        static_cast<uint64_t>(batch->num_rows()) * (sizeof(Entry) + 2 * sizeof(uint64_t));
    const auto rows = static_cast<uint64_t>(batch->num_rows());
    if (num_bytes_ + bytes > kMaxRunBytes || num_rows_ + rows > kMaxRunRows) {
      ARROW_RETURN_NOT_OK(Flush());
    }
    if (!Hold(needed)) {
      ARROW_RETURN_NOT_OK(MakeRoom());
      if (!Hold(needed)) {
        held_.Grow(needed);
      }
    }
    num_bytes_ += bytes;
    num_rows_ += rows;
    batches_.push_back(std::move(batch));
    keys_.push_back(std::move(keys));
    if (options_.limit.has_value() && num_rows_ > *options_.limit &&
        num_rows_ - *options_.limit > std::max(*options_.limit, kSurplusRows)) {
      return KeepBest();
    }
    return arrow::Status::OK();
  }

  /// Three quarters of the budget at most: the rows on their way in and out take room, too.
  bool Hold(uint64_t bytes) {
    const uint64_t most =
        options_.budget == nullptr ? UINT64_MAX : options_.budget->limit_bytes() / 4 * 3;
    return held_.bytes() + bytes <= most && held_.TryGrow(bytes);
  }

  /// Rows that are not before the worst one of those kept can't get into the result.
  arrow::Status DropBeyondBound(Batch* batch, RowKeys* keys) const {
    if (!bound_.has_value()) {
      return arrow::Status::OK();
    }
    const std::string_view bound = *bound_;
    std::vector<int64_t> kept;
    for (int64_t row = 0; row < (*batch)->num_rows(); ++row) {
      if (keys->at(static_cast<size_t>(row)) < bound) {
        kept.push_back(row);
      }
    }
    if (kept.size() == static_cast<size_t>((*batch)->num_rows())) {
      return arrow::Status::OK();
    }
    if (kept.empty()) {
      *batch = (*batch)->Slice(0, 0);
      return arrow::Status::OK();
    }
    RowKeys fewer;
    fewer.offsets.push_back(0);
    for (const int64_t row : kept) {
      const std::string_view key = keys->at(static_cast<size_t>(row));
      fewer.bytes.insert(fewer.bytes.end(), key.begin(), key.end());
      fewer.offsets.push_back(fewer.bytes.size());
    }
    const auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(kept.size()),
                                                             arrow::Buffer::Wrap(kept));
    ARROW_ASSIGN_OR_RAISE(*batch, TakeRows(*batch, indices, options_.pool));
    *keys = std::move(fewer);
    return arrow::Status::OK();
  }

  /// The places of the buffered rows, the best `limit` of them.
  std::vector<uint32_t> SortBuffered() const {
    std::vector<Entry> entries;
    entries.reserve(num_rows_);
    for (const auto& keys : keys_) {
      for (size_t row = 0; row + 1 < keys.offsets.size(); ++row) {
        const std::string_view key = keys.at(row);
        entries.push_back({KeyPrefix(key), key.data(), static_cast<uint32_t>(key.size()),
                           static_cast<uint32_t>(entries.size())});
      }
    }
    const auto wanted = static_cast<ptrdiff_t>(
        std::min<uint64_t>(entries.size(), options_.limit.value_or(UINT64_MAX)));
    if (static_cast<size_t>(wanted) < entries.size()) {
      std::nth_element(entries.begin(), entries.begin() + wanted, entries.end());
      entries.resize(static_cast<size_t>(wanted));
    }
    std::sort(entries.begin(), entries.end());
    std::vector<uint32_t> order;
    order.reserve(entries.size());
    for (const auto& entry : entries) {
      order.push_back(entry.row);
    }
    return order;
  }

  arrow::Result<Batch> JoinBuffered() const {
    if (batches_.empty()) {
      return arrow::RecordBatch::MakeEmpty(
          schema_, options_.pool != nullptr ? options_.pool : arrow::default_memory_pool());
    }
    return JoinBatches(batches_, options_.pool);
  }

  /// Throws away what is beyond the limit.
  arrow::Status KeepBest() {
    const auto order = SortBuffered();
    ARROW_ASSIGN_OR_RAISE(auto rows, JoinBuffered());
    Drop();
    const auto indices = std::make_shared<arrow::UInt32Array>(static_cast<int64_t>(order.size()),
                                                              arrow::Buffer::Wrap(order));
    ARROW_ASSIGN_OR_RAISE(auto best, TakeRows(rows, indices, options_.pool));
    rows.reset();
    ARROW_ASSIGN_OR_RAISE(auto keys, EncodeOrdered(*best, options_.keys, options_.pool));
    if (order.empty()) {
      bound_ = std::string();
      return arrow::Status::OK();
    }
    bound_ = std::string(keys.at(order.size() - 1));
    num_bytes_ = BatchBytes(*best);
    num_rows_ = order.size();
    held_.Grow(2 * num_bytes_ + keys.bytes.size() +
               num_rows_ * (sizeof(Entry) + 2 * sizeof(uint64_t)));
    batches_.push_back(std::move(best));
    keys_.push_back(std::move(keys));
    return arrow::Status::OK();
  }

  /// Frees memory for more rows.
  arrow::Status MakeRoom() {
    if (options_.limit.has_value() && num_rows_ > *options_.limit) {
      ARROW_RETURN_NOT_OK(KeepBest());
      // Worth it only if most of it went.
      if (num_rows_ * 2 <= kSurplusRows) {
        return arrow::Status::OK();
      }
    }
    for (auto& run : runs_) {
      ARROW_RETURN_NOT_OK(Spill(&run));
    }
    return FlushRun(/*spill=*/true);
  }

  arrow::Status Flush() { return FlushRun(/*spill=*/false); }

  /// The buffered rows become a run.
  arrow::Status FlushRun(bool spill) {
    if (batches_.empty()) {
      return arrow::Status::OK();
    }
    const auto order = SortBuffered();
    if (options_.limit.has_value() && order.size() == *options_.limit && !order.empty()) {
      Tighten(order.back());
    }
    keys_.clear();
    ARROW_ASSIGN_OR_RAISE(const auto rows, JoinBuffered());
    batches_.clear();
    SortedRun run;
    if (spill) {
      ARROW_ASSIGN_OR_RAISE(run.file,
                            SpillFile::Make(options_.spill_directory, schema_, options_.pool));
    }
    const auto step = static_cast<size_t>(RowsAtOnce(*rows));
    for (size_t first = 0; first < order.size(); first += step) {
      ARROW_RETURN_NOT_OK(options_.cancel.Check("sort"));
      const auto count = static_cast<int64_t>(std::min(step, order.size() - first));
      const auto indices = std::make_shared<arrow::UInt32Array>(
          count,
          std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(order.data() + first),
                                          count * static_cast<int64_t>(sizeof(uint32_t))));
      ARROW_ASSIGN_OR_RAISE(auto batch, TakeRows(rows, indices, options_.pool));
      if (spill) {
        ARROW_RETURN_NOT_OK(run.file->Write(*batch));
      } else {
        run.batches.push_back(std::move(batch));
      }
    }
    const uint64_t bytes = num_bytes_;
    Drop();
    if (spill) {
      ARROW_RETURN_NOT_OK(run.file->Finish());
    } else {
      run.held = MemoryReservation(options_.budget);
      run.held.Grow(bytes);
    }
    runs_.push_back(std::move(run));
    return arrow::Status::OK();
  }

  /// The bound becomes the key of this buffered row if that is better.
  void Tighten(uint32_t row) {
    size_t at = row;
    for (const auto& keys : keys_) {
      const size_t count = keys.offsets.size() - 1;
      if (at < count) {
        if (!bound_.has_value() || keys.at(at) < std::string_view(*bound_)) {
          bound_ = std::string(keys.at(at));
        }
        return;
      }
      at -= count;
    }
  }

  arrow::Status Spill(SortedRun* run) const {
    if (run->file != nullptr) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(run->file,
                          SpillFile::Make(options_.spill_directory, schema_, options_.pool));
    for (const auto& batch : run->batches) {
      ARROW_RETURN_NOT_OK(run->file->Write(*batch));
    }
    run->batches.clear();
    run->held.Reset();
    return run->file->Finish();
  }

  int64_t RowsAtOnce(const arrow::RecordBatch& rows) const {
    constexpr int64_t kMostRows = 64 << 10;
    if (rows.num_rows() == 0) {
      return kMostRows;
    }
    const uint64_t row_bytes =
        std::max<uint64_t>(1, BatchBytes(rows) / static_cast<uint64_t>(rows.num_rows()));
    return std::clamp<int64_t>(static_cast<int64_t>(RunBatchBytes(options_) / row_bytes), 1,
                               kMostRows);
  }

  void Drop() {
    batches_.clear();
    keys_.clear();
    num_bytes_ = 0;
    num_rows_ = 0;
    held_.Reset();
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const SortOptions options_;
  // Buffered rows, their keys, and what they hold of the budget.
  std::vector<Batch> batches_;
  std::vector<RowKeys> keys_;
  MemoryReservation held_;
  uint64_t num_bytes_ = 0;
  uint64_t num_rows_ = 0;
  std::optional<std::string> bound_;  // rows from this key on are too late
  std::vector<SortedRun> runs_;       // in the order of the input
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Sort(arrow::RecordBatchReader& input,
                                                              const SortOptions& options) {
  const auto schema = input.schema();
  for (const auto& key : options.keys) {
    const auto& field = *schema->field(key.column);
    if (!IsOrdered(*field.type())) {
      return TypeMismatch("rows can't be ordered by column '", field.name(), "' of type ",
                          field.type()->ToString(),
                          "; numbers, booleans, text, binary, dates and times have an order");
    }
  }
  Sorter sorter(schema, options);
  for (;;) {
    ARROW_RETURN_NOT_OK(options.cancel.Check("sort"));
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(input.ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    ARROW_RETURN_NOT_OK(sorter.Add(batch));
  }
  return sorter.Finish();
}

}  // namespace glaive::query
