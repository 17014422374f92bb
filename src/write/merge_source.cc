#include "write/merge_source.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/parse.h"
#include "query/compute.h"
#include "query/row_keys.h"
#include "query/sort.h"
#include "write/fit.h"
#include "write/row_batches.h"

namespace glaive::write {

namespace {

/// Part of the budget that a source may hold; the rest is for reading the table and for the rows
/// written.
constexpr uint64_t kShareOfBudget = 8;
constexpr uint64_t kLeastChunkBytes = 1 << 20;
/// What the index of a chunk's keys and its matches take per row, besides the keys.
constexpr uint64_t kIndexBytesPerRow = 96;

uint64_t HeldBytes(const arrow::RecordBatch& batch) {
  return query::BatchBytes(batch) + static_cast<uint64_t>(batch.num_rows()) * kIndexBytesPerRow;
}

arrow::Result<std::vector<std::string>> KeyOf(const table::Snapshot& snapshot,
                                              const MergeRequest& request) {
  const auto paths = request.on.empty() ? PrimaryKeyOf(snapshot) : request.on;
  GLAIVE_CHECK_ARGUMENT(!paths.empty(),
                        "the merge names no key columns, and the table has no primary key");
  std::vector<std::string> key;
  for (const auto& path : paths) {
    ARROW_ASSIGN_OR_RAISE(auto names, expr::ParseColumnPath(path));
    ARROW_RETURN_NOT_OK(snapshot.schema().FindByPath(path).status());
    GLAIVE_CHECK_ARGUMENT(names.size() == 1, "key column '", path,
                          "' is part of a struct; a merge takes whole columns as its key");
    GLAIVE_CHECK_ARGUMENT(std::find(key.begin(), key.end(), names[0]) == key.end(), "key column '",
                          path, "' is named twice");
    key.push_back(std::move(names[0]));
  }
  return key;
}

/// Batches joined to chunks of about `chunk_bytes`.
class ChunkReader final : public arrow::RecordBatchReader {
 public:
  ChunkReader(std::shared_ptr<arrow::RecordBatchReader> batches, uint64_t chunk_bytes,
              arrow::MemoryPool* pool)
      : batches_(std::move(batches)), chunk_bytes_(chunk_bytes), pool_(pool) {}

  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* chunk) override {
    std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
    uint64_t bytes = 0;
    while (bytes < chunk_bytes_) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      if (batch == nullptr) {
        break;
      }
      bytes += HeldBytes(*batch);
      parts.push_back(std::move(batch));
    }
    chunk->reset();
    if (!parts.empty()) {
      ARROW_ASSIGN_OR_RAISE(*chunk, query::JoinBatches(parts, pool_));
    }
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  const uint64_t chunk_bytes_;
  arrow::MemoryPool* const pool_;
};

}  // namespace

arrow::Result<std::shared_ptr<MergeSource>> MergeSource::Read(const table::Snapshot& snapshot,
                                                              const MergeRequest& request,
                                                              arrow::RecordBatchReader& data) {
  return KeptSource::Make(snapshot, request, data);
}

arrow::Result<std::shared_ptr<KeptSource>> KeptSource::Make(const table::Snapshot& snapshot,
                                                            const MergeRequest& request,
                                                            arrow::RecordBatchReader& data) {
  auto source = std::make_shared<KeptSource>();
  ARROW_ASSIGN_OR_RAISE(source->key_, KeyOf(snapshot, request));
  ARROW_RETURN_NOT_OK(source->ReadAll(snapshot, request, data));
  return source;
}

arrow::Status KeptSource::ReadAll(const table::Snapshot& snapshot, const MergeRequest& request,
                                  arrow::RecordBatchReader& data) {
  pool_ = snapshot.session()->options().pool;
  pool_ = pool_ != nullptr ? pool_ : arrow::default_memory_pool();
  MemoryBudget& budget = snapshot.session()->budget();
  reserved_ = MemoryReservation(&budget);
  chunk_bytes_ = std::max(budget.limit_bytes() / kShareOfBudget, kLeastChunkBytes);
  const auto input = data.schema();
  std::vector<file::Field> fields;
  for (const auto& field : snapshot.schema().fields()) {
    if (input->GetFieldIndex(field.name) >= 0) {
      fields.push_back(field);
    } else {
      GLAIVE_CHECK_ARGUMENT(std::find(key_.begin(), key_.end(), field.name) == key_.end(),
                            "the rows to merge have no key column '", field.name, "'");
    }
  }
  const file::Schema part(std::move(fields), {});
  ARROW_ASSIGN_OR_RAISE(const auto fitter,
                        BatchFitter::Make(part, *input, request.write.bad_vectors, pool_));
  ARROW_ASSIGN_OR_RAISE(schema_, part.ToArrow());
  for (;;) {
    ARROW_RETURN_NOT_OK(request.write.cancel.Check("merge"));
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(data.ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    ARROW_ASSIGN_OR_RAISE(auto fitted, fitter.Fit(*batch, num_rows_));
    num_rows_ += static_cast<uint64_t>(fitted->num_rows());
    if (fitted->num_rows() > 0) {
      schema_ = fitted->schema();
      ARROW_RETURN_NOT_OK(Keep(snapshot, std::move(fitted)));
    }
    if (request.write.progress) {
      request.write.progress({"read", num_rows_, 0, num_bytes_});
    }
  }
  return spill_ != nullptr ? spill_->Finish() : arrow::Status::OK();
}

arrow::Status KeptSource::Keep(const table::Snapshot& snapshot,
                               std::shared_ptr<arrow::RecordBatch> batch) {
  const uint64_t bytes = HeldBytes(*batch);
  num_bytes_ += bytes;
  if (spill_ != nullptr) {
    return spill_->Write(*batch);
  }
  batches_.push_back(std::move(batch));
  if (num_bytes_ > chunk_bytes_ || !reserved_.TryGrow(bytes)) {
    return Spill(snapshot);
  }
  return arrow::Status::OK();
}

arrow::Status KeptSource::Spill(const table::Snapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(spill_, query::SpillFile::Make(
                                    snapshot.session()->options().spill_directory, schema_, pool_));
  for (const auto& batch : batches_) {
    ARROW_RETURN_NOT_OK(spill_->Write(*batch));
  }
  batches_.clear();
  reserved_.Reset();
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> KeptSource::Chunks() const {
  std::shared_ptr<arrow::RecordBatchReader> batches;
  if (spill_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(batches, spill_->Read());
  } else {
    ARROW_ASSIGN_OR_RAISE(batches, arrow::RecordBatchReader::Make(batches_, schema_));
  }
  // What fit the budget is one chunk, however it came.
  return std::make_shared<ChunkReader>(std::move(batches),
                                       spill_ != nullptr ? chunk_bytes_ : UINT64_MAX, pool_);
}

arrow::Status KeptSource::CheckStillFits(const table::Snapshot& snapshot) const {
  for (const auto& field : schema_->fields()) {
    const auto now = snapshot.arrow_schema()->GetFieldByName(field->name());
    if (now == nullptr || !now->type()->Equals(field->type())) {
      return CommitIncompatible("column '", field->name(),
                                "' was altered or dropped while its rows were merged");
    }
  }
  return arrow::Status::OK();
}

arrow::Status KeptSource::CheckUnique(const table::Snapshot& snapshot) const {
  ARROW_ASSIGN_OR_RAISE(const auto chunks, Chunks());
  std::vector<int> columns;
  query::SortOptions options;
  for (const auto& name : key_) {
    columns.push_back(schema_->GetFieldIndex(name));
    options.keys.push_back({static_cast<int>(columns.size()) - 1, true, false});
  }
  ARROW_ASSIGN_OR_RAISE(const auto keys, ColumnsOf(chunks, columns));
  options.budget = &snapshot.session()->budget();
  options.spill_directory = snapshot.session()->options().spill_directory;
  options.pool = pool_;
  ARROW_ASSIGN_OR_RAISE(const auto sorted, query::Sort(*keys, options));
  return CheckNoRepeats(*sorted, key_, "the rows to merge hold two rows with the key ");
}

std::string KeyText(const arrow::RecordBatch& batch, const std::vector<std::string>& key,
                    int64_t row) {
  std::string text;
  for (const auto& name : key) {
    const auto column = batch.GetColumnByName(name);
    const auto value = column != nullptr ? column->GetScalar(row) : nullptr;
    text += Concat(text.empty() ? "" : ", ", name, " = ",
                   value.ok() && *value != nullptr ? (*value)->ToString() : "?");
  }
  return text;
}

}  // namespace glaive::write
