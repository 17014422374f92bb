#include "query/sort_runs.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "query/compute.h"

namespace glaive::query {

namespace {

/// Runs that are merged at once: each holds a batch in memory.
constexpr size_t kFanIn = 16;
constexpr int64_t kMaxOutputRows = 64 << 10;

/// Where a run is read.
struct Cursor {
  std::shared_ptr<arrow::RecordBatchReader> reader;
  std::shared_ptr<arrow::RecordBatch> batch;  // null at the end
  RowKeys keys;
  int64_t row = 0;
  int64_t first = 0;  // row of the batch at which its part of the current output begins

  std::string_view key() const { return keys.at(static_cast<size_t>(row)); }
};

class MergeReader final : public arrow::RecordBatchReader {
 public:
  MergeReader(std::vector<SortedRun> runs, std::shared_ptr<arrow::Schema> schema,
              SortOptions options)
      : runs_(std::move(runs)),
        schema_(std::move(schema)),
        options_(std::move(options)),
        left_(options_.limit.value_or(UINT64_MAX)),
        output_bytes_(RunBatchBytes(options_)),
        held_(options_.budget) {
    // A batch of each run with its keys, and the rows that are put together; whoever works on the
    // result must find room, too.
    const uint64_t wanted = 2 * (runs_.size() + 2) * output_bytes_;
    held_.Grow(options_.budget == nullptr ? wanted
                                          : std::min(wanted, options_.budget->limit_bytes() / 4));
  }

 private:
  /// For a heap whose top is the cursor with the least key, the earliest run among equals.
  auto After() const {
    return [this](size_t a, size_t b) {
      const int order = cursors_[a].key().compare(cursors_[b].key());
      return order != 0 ? order > 0 : a > b;
    };
  }

 public:
  arrow::Status Open() {
    cursors_.resize(runs_.size());
    for (size_t i = 0; i < runs_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(cursors_[i].reader, runs_[i].Read(schema_));
      ARROW_RETURN_NOT_OK(NextBatch(&cursors_[i]));
      if (cursors_[i].batch != nullptr) {
        heap_.push_back(i);
      }
    }
    std::make_heap(heap_.begin(), heap_.end(), After());
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    ARROW_RETURN_NOT_OK(options_.cancel.Check("sort"));
    std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
    // Rows of the output as (part, row of the part); a cursor's open part gets its number first.
    std::vector<std::pair<size_t, int64_t>> rows;
    std::vector<std::optional<size_t>> part_of(cursors_.size());
    uint64_t bytes = 0;
    const auto close_part = [&](size_t at) {
      Cursor& cursor = cursors_[at];
      parts[*part_of[at]] = cursor.batch->Slice(cursor.first, cursor.row - cursor.first);
      part_of[at].reset();
    };
    while (!heap_.empty() && left_ > 0 && bytes < output_bytes_ &&
           rows.size() < static_cast<size_t>(kMaxOutputRows)) {
      std::pop_heap(heap_.begin(), heap_.end(), After());
      const size_t at = heap_.back();
      Cursor& cursor = cursors_[at];
      if (!part_of[at].has_value()) {
        part_of[at] = parts.size();
        parts.emplace_back();
        cursor.first = cursor.row;
      }
      rows.emplace_back(*part_of[at], cursor.row - cursor.first);
      bytes += cursor_row_bytes_[at];
      --left_;
      if (++cursor.row < cursor.batch->num_rows()) {
        std::push_heap(heap_.begin(), heap_.end(), After());
        continue;
      }
      close_part(at);
      ARROW_RETURN_NOT_OK(NextBatch(&cursor));
      if (cursor.batch == nullptr) {
        heap_.pop_back();
      } else {
        std::push_heap(heap_.begin(), heap_.end(), After());
      }
    }
    if (rows.empty()) {
      return arrow::Status::OK();
    }
    for (size_t at = 0; at < part_of.size(); ++at) {
      if (part_of[at].has_value()) {
        close_part(at);
      }
    }
    return Assemble(parts, rows, out);
  }

 private:
  arrow::Status NextBatch(Cursor* cursor) {
    cursor->row = 0;
    cursor->first = 0;
    do {
      ARROW_RETURN_NOT_OK(cursor->reader->ReadNext(&cursor->batch));
    } while (cursor->batch != nullptr && cursor->batch->num_rows() == 0);
    if (cursor->batch == nullptr) {
      cursor->keys = {};
      return arrow::Status::OK();
    }
    cursor_row_bytes_.resize(cursors_.size());
    cursor_row_bytes_[static_cast<size_t>(cursor - cursors_.data())] =
        BatchBytes(*cursor->batch) / static_cast<uint64_t>(cursor->batch->num_rows());
    ARROW_ASSIGN_OR_RAISE(cursor->keys,
                          EncodeOrdered(*cursor->batch, options_.keys, options_.pool));
    return arrow::Status::OK();
  }

  arrow::Status Assemble(const std::vector<std::shared_ptr<arrow::RecordBatch>>& parts,
                         const std::vector<std::pair<size_t, int64_t>>& rows,
                         std::shared_ptr<arrow::RecordBatch>* out) const {
    if (parts.size() == 1) {
      *out = parts.front();
      return arrow::Status::OK();
    }
    std::vector<int64_t> base(parts.size(), 0);
    for (size_t i = 1; i < parts.size(); ++i) {
      base[i] = base[i - 1] + parts[i - 1]->num_rows();
    }
    std::vector<int64_t> indices;
    indices.reserve(rows.size());
    for (const auto& [part, row] : rows) {
      indices.push_back(base[part] + row);
    }
    ARROW_ASSIGN_OR_RAISE(const auto joined, JoinBatches(parts, options_.pool));
    const auto taken = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(indices.size()),
                                                           arrow::Buffer::Wrap(indices));
    ARROW_ASSIGN_OR_RAISE(*out, TakeRows(joined, taken, options_.pool));
    return arrow::Status::OK();
  }

  const std::vector<SortedRun> runs_;
  const std::shared_ptr<arrow::Schema> schema_;
  const SortOptions options_;
  uint64_t left_;
  const uint64_t output_bytes_;
  MemoryReservation held_;
  std::vector<Cursor> cursors_;
  std::vector<uint64_t> cursor_row_bytes_;
  std::vector<size_t> heap_;  // of cursors that have a row
};

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenMerge(
    std::vector<SortedRun> runs, const std::shared_ptr<arrow::Schema>& schema,
    const SortOptions& options) {
  auto reader = std::make_shared<MergeReader>(std::move(runs), schema, options);
  ARROW_RETURN_NOT_OK(reader->Open());
  return std::shared_ptr<arrow::RecordBatchReader>(std::move(reader));
}

}  // namespace

uint64_t RunBatchBytes(const SortOptions& options) {
  constexpr uint64_t kLeast = 32 << 10;
  constexpr uint64_t kMost = 2 << 20;
  if (options.budget == nullptr) {
    return kMost;
  }
  return std::clamp(options.budget->limit_bytes() / (kFanIn * 8), kLeast, kMost);
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> SortedRun::Read(
    const std::shared_ptr<arrow::Schema>& schema) const {
  if (file != nullptr) {
    return file->Read();
  }
  return arrow::RecordBatchReader::Make(batches, schema);
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> MergeRuns(
    std::vector<SortedRun> runs, const std::shared_ptr<arrow::Schema>& schema,
    const SortOptions& options) {
  // Neighbors are merged, so that equal rows keep the order of the runs.
  while (runs.size() > kFanIn) {
    std::vector<SortedRun> fewer;
    for (size_t first = 0; first < runs.size(); first += kFanIn) {
      const size_t end = std::min(runs.size(), first + kFanIn);
      std::vector<SortedRun> group(
          std::make_move_iterator(runs.begin() + static_cast<ptrdiff_t>(first)),
          std::make_move_iterator(runs.begin() + static_cast<ptrdiff_t>(end)));
      ARROW_ASSIGN_OR_RAISE(const auto merged, OpenMerge(std::move(group), schema, options));
      SortedRun run;
      ARROW_ASSIGN_OR_RAISE(run.file,
                            SpillFile::Make(options.spill_directory, schema, options.pool));
      for (;;) {
        std::shared_ptr<arrow::RecordBatch> batch;
        ARROW_RETURN_NOT_OK(merged->ReadNext(&batch));
        if (batch == nullptr) {
          break;
        }
        ARROW_RETURN_NOT_OK(run.file->Write(*batch));
      }
      ARROW_RETURN_NOT_OK(run.file->Finish());
      fewer.push_back(std::move(run));
    }
    runs = std::move(fewer);
  }
  return OpenMerge(std::move(runs), schema, options);
}

}  // namespace glaive::query
