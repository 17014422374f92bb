#include "query/scan.h"

#include <condition_variable>
#include <mutex>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/executor.h"
#include "base/status.h"
#include "query/output_schema.h"
#include "query/row_columns.h"
#include "query/scan_plan.h"

namespace glaive::query {

namespace {

using BatchResult = arrow::Result<std::shared_ptr<arrow::RecordBatch>>;

/// One unit on its way to becoming a batch: whoever claims it first decodes it, a pool thread or
/// the consumer that waits for it.
class Slot {
 public:
  explicit Slot(std::function<BatchResult()> work) : work_(std::move(work)) {}

  /// Decodes, if nobody else has begun. Everything the work refers to is let go before it counts as
  /// done, so a pool thread never is the last owner of the session whose pool it belongs to.
  void Run() {
    std::function<BatchResult()> work = Claim();
    if (!work) {
      return;
    }
    BatchResult result = work();
    work = nullptr;
    std::lock_guard lock(mutex_);
    result_ = std::move(result);
    done_.notify_all();
  }

  BatchResult Wait() {
    Run();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
    return std::move(*result_);
  }

  /// Keeps the work from starting, or waits until it has ended.
  void Drop() {
    if (Claim()) {
      return;
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
  }

 private:
  std::function<BatchResult()> Claim() {
    std::lock_guard lock(mutex_);
    return std::exchange(work_, nullptr);
  }

  std::mutex mutex_;
  std::condition_variable done_;
  std::function<BatchResult()> work_;  // empty once claimed
  std::optional<BatchResult> result_;
};

class ScanReader final : public arrow::RecordBatchReader {
 public:
  ScanReader(std::shared_ptr<const table::Snapshot> snapshot, Output output,
             const ScanOptions& options)
      : snapshot_(std::move(snapshot)),
        output_(std::move(output)),
        options_(options),
        planner_(*snapshot_, output_, options.batch_rows, options.offset, options.limit) {
    const size_t threads = snapshot_->session()->executor().num_threads();
    window_ = threads <= 1                     ? 1
              : options.readahead_batches != 0 ? options.readahead_batches
                                               : 2 * threads;
    parallel_ = threads > 1 && window_ > 1;
  }

  ~ScanReader() override { DropAll(); }

  arrow::Status Start() {
    if (options_.progress) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t live, snapshot_->CountRows());
      const uint64_t after_offset = live - std::min(live, options_.offset);
      rows_total_ = std::min(after_offset, options_.limit.value_or(UINT64_MAX));
    }
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return output_.schema; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(failed_);
    failed_ = ReadNextBatch(batch);
    if (!failed_.ok()) {
      DropAll();
    }
    return failed_;
  }

  arrow::Status Close() override {
    DropAll();
    planned_all_ = true;
    return arrow::Status::OK();
  }

 private:
  arrow::Status ReadNextBatch(std::shared_ptr<arrow::RecordBatch>* batch) {
    ARROW_RETURN_NOT_OK(options_.cancel.Check("scan"));
    ARROW_RETURN_NOT_OK(FillWindow());
    if (slots_.empty()) {
      return arrow::Status::OK();
    }
    const std::shared_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    ARROW_ASSIGN_OR_RAISE(*batch, slot->Wait());
    rows_done_ += static_cast<uint64_t>((*batch)->num_rows());
    if (options_.progress) {
      options_.progress({"scan", rows_done_, rows_total_, 0});
    }
    return arrow::Status::OK();
  }

  arrow::Status FillWindow() {
    while (!planned_all_ && slots_.size() < window_) {
      ARROW_ASSIGN_OR_RAISE(auto unit, planner_.Next());
      if (!unit.has_value()) {
        planned_all_ = true;
        break;
      }
      auto shared = std::make_shared<ScanUnit>(std::move(*unit));
      auto slot = std::make_shared<Slot>([this, shared] { return Decode(*shared); });
      slots_.push_back(slot);
      // The first is decoded by the consumer right away; handing it out would only cost a wake-up.
      if (parallel_ && slots_.size() > 1) {
        snapshot_->session()->executor().Submit([slot] { slot->Run(); });
      }
    }
    return arrow::Status::OK();
  }

  BatchResult Decode(const ScanUnit& unit) const {
    ARROW_RETURN_NOT_OK(options_.cancel.Check("scan"));
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const auto& piece : unit.pieces) {
      auto reader = piece.reader;
      if (reader == nullptr && !output_.projection.fields().empty()) {
        ARROW_ASSIGN_OR_RAISE(reader, snapshot_->OpenFragment(*piece.fragment, output_.projection));
      }
      ARROW_ASSIGN_OR_RAISE(auto batch, ReadRows(output_, *piece.fragment, reader.get(), piece.rows,
                                                 snapshot_->session()->options().pool));
      batches.push_back(std::move(batch));
    }
    if (batches.size() == 1) {
      return std::move(batches.front());
    }
    arrow::MemoryPool* pool = snapshot_->session()->options().pool;
    return arrow::ConcatenateRecordBatches(batches,
                                           pool != nullptr ? pool : arrow::default_memory_pool());
  }

  void DropAll() {
    for (const auto& slot : slots_) {
      slot->Drop();
    }
    slots_.clear();
  }

  const std::shared_ptr<const table::Snapshot> snapshot_;
  const Output output_;
  const ScanOptions options_;
  ScanPlanner planner_;
  size_t window_ = 1;
  bool parallel_ = false;
  bool planned_all_ = false;
  std::deque<std::shared_ptr<Slot>> slots_;  // in table order
  uint64_t rows_done_ = 0;
  uint64_t rows_total_ = 0;
  arrow::Status failed_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanSnapshot(
    std::shared_ptr<const table::Snapshot> snapshot, const ScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto output, MakeOutput(*snapshot, options.columns, options.blobs,
                                                options.with_row_id, options.with_row_address));
  auto reader = std::make_shared<ScanReader>(std::move(snapshot), std::move(output), options);
  ARROW_RETURN_NOT_OK(reader->Start());
  return reader;
}

}  // namespace glaive::query
