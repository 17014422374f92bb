#include "query/scan.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/clock.h"
#include "base/status.h"
#include "query/compute.h"
#include "query/distinct.h"
#include "query/filter_stream.h"
#include "query/read_ahead.h"
#include "query/scan_plan.h"
#include "query/scan_request.h"
#include "query/take.h"
#include "query/top_rows.h"

namespace glaive::query {

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;
using Reader = std::shared_ptr<arrow::RecordBatchReader>;
using SnapshotPtr = std::shared_ptr<const table::Snapshot>;

/// Rows that pass are gathered up to this before they are read on, so that few of them in many
/// places do not become many small batches.
constexpr uint64_t kGatheredRows = 4096;
constexpr size_t kGatheredPieces = 64;
/// Encoded bytes of the columns that are read for the rows of one batch.
constexpr double kBatchBytes = 4 << 20;
constexpr uint64_t kMaxBatchRows = 256 << 10;

/// What a scan in table order needs of a request.
struct ScanSettings {
  uint64_t batch_rows = 0;
  uint32_t readahead = 0;
  uint64_t offset = 0;
  std::optional<uint64_t> limit;
  ProgressCallback progress;
  CancelToken cancel;
  std::shared_ptr<TopRows> top;  ///< only rows that it lets pass are handed out
};

/// What becomes one batch.
struct BatchTask {
  std::vector<RowPiece> pieces;
  uint64_t num_rows = 0;
  uint64_t num_bytes = 0;  // encoded, an estimate
};

/// Scans in table order. Without a filter the planner's units become batches. With one, the rows
/// that pass are taken from the filter stream, gathered or cut, and then the rest of their columns
/// is read.
class ScanReader final : public arrow::RecordBatchReader {
 public:
  static arrow::Result<Reader> Make(SnapshotPtr snapshot, const Output& output,
                                    std::shared_ptr<const RowFilter> filter,
                                    const ScanSettings& settings) {
    auto reader = std::shared_ptr<ScanReader>(
        new ScanReader(std::move(snapshot), output, std::move(filter), settings));
    ARROW_RETURN_NOT_OK(reader->Start());
    return Reader(std::move(reader));
  }

  ~ScanReader() override { DropAll(); }

  std::shared_ptr<arrow::Schema> schema() const override { return output_.schema; }

  arrow::Status ReadNext(Batch* batch) override {
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
    ended_ = true;
    pending_.clear();
    return arrow::Status::OK();
  }

 private:
  ScanReader(SnapshotPtr snapshot, const Output& output, std::shared_ptr<const RowFilter> filter,
             const ScanSettings& settings)
      : snapshot_(std::move(snapshot)),
        output_(output),
        filter_(std::move(filter)),
        settings_(settings),
        window_(settings.readahead != 0 ? settings.readahead : DefaultWindow(*snapshot_)),
        to_skip_(settings.offset),
        left_(settings.limit.value_or(UINT64_MAX)),
        ahead_(&snapshot_->session()->executor(), &snapshot_->session()->budget(), window_) {}

  arrow::Status Start() {
    ARROW_ASSIGN_OR_RAISE(sharing_, ShareColumns(*snapshot_, output_, filter_.get()));
    if (filter_ == nullptr) {
      planner_ = std::make_unique<ScanPlanner>(
          *snapshot_, ScanPlan{&sharing_.rest, settings_.batch_rows, settings_.offset,
                               settings_.limit, nullptr});
    } else if (left_ > 0) {
      stream_ = std::make_unique<FilterStream>(*snapshot_, filter_, sharing_.keep, window_,
                                               settings_.limit.has_value(), settings_.cancel);
    }
    if (settings_.progress) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t live, snapshot_->CountRows());
      rows_total_ = filter_ != nullptr ? live
                                       : std::min(live - std::min(live, settings_.offset),
                                                  settings_.limit.value_or(UINT64_MAX));
    }
    return arrow::Status::OK();
  }

  arrow::Status ReadNextBatch(Batch* batch) {
    ARROW_RETURN_NOT_OK(settings_.cancel.Check("scan"));
    ARROW_RETURN_NOT_OK(FillWindow());
    if (ahead_.empty()) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(*batch, ahead_.Take());
    if (filter_ == nullptr && settings_.top == nullptr) {
      rows_done_ += static_cast<uint64_t>((*batch)->num_rows());
    }
    if (settings_.progress) {
      settings_.progress({"scan", std::min(rows_done_, rows_total_), rows_total_, 0});
    }
    return arrow::Status::OK();
  }

  arrow::Status FillWindow() {
    while (!ended_ && ahead_.wants_more()) {
      // While there is something to hand out nobody waits for the filter.
      ARROW_ASSIGN_OR_RAISE(auto task,
                            filter_ == nullptr ? NextUnit() : NextGathered(ahead_.empty()));
      if (!task.has_value()) {
        break;
      }
      // Encoded and decoded.
      const uint64_t bytes = 2 * task->num_bytes;
      auto shared = std::make_shared<BatchTask>(std::move(*task));
      ahead_.Add([this, shared] { return Read(*shared); }, bytes);
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::optional<BatchTask>> NextUnit() {
    ARROW_ASSIGN_OR_RAISE(auto unit, planner_->Next());
    if (!unit.has_value()) {
      ended_ = true;
      return std::nullopt;
    }
    BatchTask task;
    task.num_rows = unit->num_rows;
    task.num_bytes = unit->num_bytes;
    rows_done_ += settings_.top != nullptr ? unit->num_rows : 0;
    for (auto& piece : unit->pieces) {
      const uint64_t rows = CountRows(piece.rows);
      task.pieces.push_back({std::move(piece.access), std::move(piece.rows), rows, nullptr});
    }
    return task;
  }

  /// nullopt at the end, or, unless it may wait, if too few rows have been found so far.
  arrow::Result<std::optional<BatchTask>> NextGathered(bool may_wait) {
    const uint64_t enough =
        settings_.batch_rows != 0 ? std::min(settings_.batch_rows, kGatheredRows) : kGatheredRows;
    while (stream_ != nullptr && pending_rows_ < enough && pending_bytes_ < kBatchBytes &&
           pending_.size() < kGatheredPieces) {
      if (!may_wait && !stream_->ready()) {
        return std::nullopt;
      }
      ARROW_ASSIGN_OR_RAISE(auto survivors, stream_->Next());
      if (!survivors.has_value()) {
        stream_.reset();
        break;
      }
      rows_done_ += survivors->num_examined;
      for (auto& piece : survivors->pieces) {
        ARROW_RETURN_NOT_OK(AddPending(std::move(piece)));
      }
      if (left_ == 0) {
        stream_.reset();
      }
    }
    if (pending_.empty()) {
      ended_ = stream_ == nullptr;
      return std::nullopt;
    }
    BatchTask task;
    const uint64_t most = settings_.batch_rows != 0 ? settings_.batch_rows : kMaxBatchRows;
    while (!pending_.empty() && task.pieces.size() < kGatheredPieces &&
           (task.pieces.empty() ||
            (task.num_rows < enough && task.num_bytes < static_cast<uint64_t>(kBatchBytes) &&
             task.num_rows + pending_.front().piece.num_rows <= most))) {
      auto& next = pending_.front();
      task.num_rows += next.piece.num_rows;
      task.num_bytes += static_cast<uint64_t>(next.num_bytes);
      pending_rows_ -= next.piece.num_rows;
      pending_bytes_ -= next.num_bytes;
      task.pieces.push_back(std::move(next.piece));
      pending_.pop_front();
    }
    return task;
  }

  /// Skips what the offset skips, stops at the limit, and cuts what is too much for one batch.
  arrow::Status AddPending(RowPiece piece) {
    const uint64_t skipped = std::min(to_skip_, piece.num_rows);
    const uint64_t taken = std::min(piece.num_rows - skipped, left_);
    to_skip_ -= skipped;
    if (left_ != UINT64_MAX) {
      left_ -= taken;
    }
    if (taken == 0) {
      return arrow::Status::OK();
    }
    double row_bytes = 1;
    if (piece.kept != nullptr) {
      row_bytes += static_cast<double>(BatchBytes(*piece.kept)) /
                   static_cast<double>(std::max<uint64_t>(1, piece.num_rows));
    }
    if (sharing_.rest.reads_files()) {
      ARROW_ASSIGN_OR_RAISE(const auto reader, piece.access->Reader(sharing_.rest));
      row_bytes += reader->BytesPerRow();
    }
    uint64_t step =
        std::clamp<uint64_t>(static_cast<uint64_t>(kBatchBytes / row_bytes), 1, kMaxBatchRows);
    if (settings_.batch_rows != 0) {
      step = settings_.batch_rows;
    }
    for (uint64_t done = 0; done < taken; done += step) {
      const uint64_t count = std::min(step, taken - done);
      RowPiece part;
      part.access = piece.access;
      part.num_rows = count;
      part.rows =
          count == piece.num_rows ? piece.rows : SliceRows(piece.rows, skipped + done, count);
      if (piece.kept != nullptr) {
        part.kept =
            piece.kept->Slice(static_cast<int64_t>(skipped + done), static_cast<int64_t>(count));
      }
      const double bytes = row_bytes * static_cast<double>(count);
      pending_rows_ += count;
      pending_bytes_ += bytes;
      pending_.push_back({std::move(part), bytes});
    }
    return arrow::Status::OK();
  }

  arrow::Result<Batch> Read(const BatchTask& task) const {
    ARROW_RETURN_NOT_OK(settings_.cancel.Check("scan"));
    arrow::MemoryPool* pool = snapshot_->session()->options().pool;
    std::vector<Batch> batches;
    for (const auto& piece : task.pieces) {
      Batch rest;
      if (sharing_.rest.schema->num_fields() > 0) {
        ARROW_ASSIGN_OR_RAISE(rest, ReadRows(sharing_.rest, piece.access.get(), piece.rows, pool));
      }
      if (sharing_.keep.empty() && rest != nullptr) {
        batches.push_back(std::move(rest));
        continue;
      }
      arrow::ArrayVector columns;
      for (const auto& source : sharing_.sources) {
        columns.push_back((source.kept ? piece.kept : rest)->column(source.column));
      }
      batches.push_back(arrow::RecordBatch::Make(
          output_.input.schema, static_cast<int64_t>(piece.num_rows), std::move(columns)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto rows, JoinBatches(batches, pool));
    if (settings_.top == nullptr) {
      return output_.Apply(rows);
    }
    ARROW_ASSIGN_OR_RAISE(const auto made, output_.Apply(rows));
    return settings_.top->Reduce(made);
  }

  void DropAll() {
    ahead_.Drop();
    stream_.reset();
  }

  struct Pending {
    RowPiece piece;
    double num_bytes = 0;
  };

  const SnapshotPtr snapshot_;
  const Output output_;
  const std::shared_ptr<const RowFilter> filter_;
  const ScanSettings settings_;
  const size_t window_;
  ColumnSharing sharing_;
  std::unique_ptr<ScanPlanner> planner_;  // without a filter
  std::unique_ptr<FilterStream> stream_;  // with one, until it ends
  std::deque<Pending> pending_;           // rows that passed and are not in a task yet
  uint64_t pending_rows_ = 0;
  double pending_bytes_ = 0;
  uint64_t to_skip_;
  uint64_t left_;
  bool ended_ = false;  // no more tasks
  ReadAhead<Batch> ahead_;
  uint64_t rows_done_ = 0;
  uint64_t rows_total_ = 0;
  arrow::Status failed_;
};

/// Makes its reader when it is first read: work that takes long belongs there.
class DeferredReader final : public arrow::RecordBatchReader {
 public:
  DeferredReader(std::shared_ptr<arrow::Schema> schema, std::function<arrow::Result<Reader>()> make)
      : schema_(std::move(schema)), make_(std::move(make)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(Batch* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(failed_);
    if (make_) {
      auto made = std::exchange(make_, nullptr)();
      failed_ = made.status();
      ARROW_RETURN_NOT_OK(failed_);
      reader_ = std::move(made).ValueUnsafe();
    }
    return reader_ == nullptr ? arrow::Status::OK() : reader_->ReadNext(batch);
  }

  arrow::Status Close() override {
    make_ = nullptr;
    reader_.reset();
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  std::function<arrow::Result<Reader>()> make_;
  Reader reader_;
  arrow::Status failed_;
};

/// Rows [offset, offset + limit) of a stream, its first columns, in batches of at most so many
/// rows.
class SliceReader final : public arrow::RecordBatchReader {
 public:
  SliceReader(Reader input, std::shared_ptr<arrow::Schema> schema, uint64_t offset,
              std::optional<uint64_t> limit, uint64_t batch_rows)
      : input_(std::move(input)),
        schema_(std::move(schema)),
        to_skip_(offset),
        left_(limit.value_or(UINT64_MAX)),
        batch_rows_(batch_rows != 0 ? batch_rows : kMaxBatchRows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(Batch* out) override {
    out->reset();
    while (left_ > 0) {
      if (rest_ == nullptr || rest_->num_rows() == 0) {
        ARROW_RETURN_NOT_OK(input_->ReadNext(&rest_));
        if (rest_ == nullptr) {
          left_ = 0;
          break;
        }
      }
      const auto rows = static_cast<uint64_t>(rest_->num_rows());
      const uint64_t skipped = std::min(to_skip_, rows);
      const uint64_t taken = std::min({rows - skipped, left_, batch_rows_});
      to_skip_ -= skipped;
      auto columns =
          rest_->Slice(static_cast<int64_t>(skipped), static_cast<int64_t>(taken))->columns();
      rest_ = rest_->Slice(static_cast<int64_t>(skipped + taken));
      if (taken == 0) {
        continue;
      }
      if (left_ != UINT64_MAX) {
        left_ -= taken;
      }
      columns.resize(static_cast<size_t>(schema_->num_fields()));
      *out = arrow::RecordBatch::Make(schema_, static_cast<int64_t>(taken), std::move(columns));
      return arrow::Status::OK();
    }
    rest_.reset();
    input_.reset();
    return arrow::Status::OK();
  }

 private:
  Reader input_;
  const std::shared_ptr<arrow::Schema> schema_;
  uint64_t to_skip_;
  uint64_t left_;
  const uint64_t batch_rows_;
  Batch rest_;
};

/// Reads rows by address, a batch at a time.
class LateReader final : public arrow::RecordBatchReader {
 public:
  LateReader(SnapshotPtr snapshot, Output output, std::vector<uint64_t> addresses,
             uint64_t batch_rows, CancelToken cancel)
      : snapshot_(std::move(snapshot)),
        output_(std::move(output)),
        addresses_(std::move(addresses)),
        batch_rows_(batch_rows != 0 ? batch_rows : kGatheredRows),
        cancel_(std::move(cancel)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return output_.schema; }

  arrow::Status ReadNext(Batch* out) override {
    out->reset();
    ARROW_RETURN_NOT_OK(cancel_.Check("scan"));
    const auto count = std::min<uint64_t>(batch_rows_, addresses_.size() - next_);
    if (count == 0) {
      return arrow::Status::OK();
    }
    const auto first = addresses_.begin() + static_cast<ptrdiff_t>(next_);
    const std::vector<uint64_t> some(first, first + static_cast<ptrdiff_t>(count));
    next_ += count;
    ARROW_ASSIGN_OR_RAISE(*out, TakeOutput(*snapshot_, some, output_, cancel_));
    return arrow::Status::OK();
  }

 private:
  const SnapshotPtr snapshot_;
  const Output output_;
  const std::vector<uint64_t> addresses_;
  const uint64_t batch_rows_;
  const CancelToken cancel_;
  uint64_t next_ = 0;
};

SortOptions SortOptionsOf(const table::Snapshot& snapshot, const ScanRequest& request,
                          const ScanOptions& options) {
  SortOptions sort;
  sort.keys = request.keys;
  sort.budget = &snapshot.session()->budget();
  sort.spill_directory = snapshot.session()->options().spill_directory;
  sort.pool = snapshot.session()->options().pool;
  sort.cancel = options.cancel;
  if (options.limit.has_value() && !options.distinct) {
    sort.limit = *options.limit + std::min(options.offset, UINT64_MAX - *options.limit);
  }
  return sort;
}

DistinctOptions DistinctOptionsOf(const table::Snapshot& snapshot, const ScanOptions& options) {
  DistinctOptions distinct;
  distinct.budget = &snapshot.session()->budget();
  distinct.spill_directory = snapshot.session()->options().spill_directory;
  distinct.pool = snapshot.session()->options().pool;
  distinct.cancel = options.cancel;
  return distinct;
}

ScanSettings SettingsOf(const ScanOptions& options) {
  ScanSettings settings;
  settings.batch_rows = options.batch_rows;
  settings.readahead = options.readahead_batches;
  settings.offset = options.offset;
  settings.limit = options.limit;
  settings.progress = options.progress;
  settings.cancel = options.cancel;
  return settings;
}

/// A scan of everything in table order, for what is sorted or made distinct after it.
ScanSettings WholeOf(const ScanOptions& options) {
  ScanSettings settings = SettingsOf(options);
  settings.batch_rows = 0;
  settings.offset = 0;
  settings.limit.reset();
  return settings;
}

/// Sorts keys and addresses, then reads the rows.
arrow::Result<Reader> LateSorted(const SnapshotPtr& snapshot, const ScanRequest& request,
                                 const ScanOptions& options) {
  const SortOptions order = SortOptionsOf(*snapshot, request, options);
  ScanSettings whole = WholeOf(options);
  if (order.limit.has_value() && *order.limit > 0) {
    whole.top = std::make_shared<TopRows>(order.keys, *order.limit, order.pool);
  }
  ARROW_ASSIGN_OR_RAISE(const auto keys,
                        ScanReader::Make(snapshot, request.sorted, request.filter, whole));
  ARROW_ASSIGN_OR_RAISE(const auto sorted, Sort(*keys, order));
  std::vector<uint64_t> addresses;
  for (;;) {
    Batch batch;
    ARROW_RETURN_NOT_OK(sorted->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    const auto& values = static_cast<const arrow::UInt64Array&>(*batch->column(0));
    addresses.insert(addresses.end(), values.raw_values(), values.raw_values() + values.length());
  }
  const auto skipped = static_cast<ptrdiff_t>(std::min<uint64_t>(options.offset, addresses.size()));
  addresses.erase(addresses.begin(), addresses.begin() + skipped);
  return std::make_shared<LateReader>(snapshot, request.output, std::move(addresses),
                                      options.batch_rows, options.cancel);
}

/// Sorts or makes distinct, or both, whole rows.
arrow::Result<Reader> Rearranged(const SnapshotPtr& snapshot, const ScanRequest& request,
                                 const ScanOptions& options) {
  const bool ordered = request.order == OrderMode::kCarry;
  ARROW_ASSIGN_OR_RAISE(auto rows,
                        ScanReader::Make(snapshot, ordered ? request.sorted : request.output,
                                         request.filter, WholeOf(options)));
  if (ordered) {
    ARROW_ASSIGN_OR_RAISE(auto sorted, Sort(*rows, SortOptionsOf(*snapshot, request, options)));
    rows =
        std::make_shared<SliceReader>(std::move(sorted), request.output.schema, 0, std::nullopt, 0);
  }
  if (options.distinct) {
    ARROW_ASSIGN_OR_RAISE(rows, Distinct(std::move(rows), DistinctOptionsOf(*snapshot, options)));
  }
  return std::make_shared<SliceReader>(std::move(rows), request.output.schema, options.offset,
                                       options.limit, options.batch_rows);
}

}  // namespace

arrow::Result<Reader> ScanSnapshot(SnapshotPtr snapshot, const ScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto request, BindScan(*snapshot, options));
  if (request.order == OrderMode::kTable && !options.distinct) {
    return ScanReader::Make(std::move(snapshot), request.output, request.filter,
                            SettingsOf(options));
  }
  const auto schema = request.output.schema;
  return std::make_shared<DeferredReader>(
      schema, [snapshot = std::move(snapshot), request, options] {
        return request.order == OrderMode::kLate ? LateSorted(snapshot, request, options)
                                                 : Rearranged(snapshot, request, options);
      });
}

arrow::Result<uint64_t> CountSnapshot(const SnapshotPtr& snapshot, const CountOptions& options) {
  if (options.filter.empty()) {
    return snapshot->CountRows();
  }
  ARROW_ASSIGN_OR_RAISE(const auto filter,
                        RowFilter::Make(*snapshot, options.filter, options.parameters, NowNanos()));
  if (filter->always_true()) {
    return snapshot->CountRows();
  }
  FilterStream stream(*snapshot, filter, {}, DefaultWindow(*snapshot), /*begin_small=*/false,
                      options.cancel);
  uint64_t rows = 0;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto survivors, stream.Next());
    if (!survivors.has_value()) {
      return rows;
    }
    rows += survivors->num_rows;
  }
}

}  // namespace glaive::query
