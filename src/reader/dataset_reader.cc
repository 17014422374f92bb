// Streams one version of a dataset on the calling thread.
#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "glaive/reader.h"

#include "base/status.h"
#include "table/snapshot.h"
#include "table/versions.h"

namespace glaive {

namespace {

constexpr uint64_t kBatchRows = 64 << 10;
constexpr double kBatchBytes = 4 << 20;

arrow::Result<table::Versions> OpenVersions(const std::string& path) {
  table::Session::Options options;
  options.num_threads = 1;
  ARROW_ASSIGN_OR_RAISE(auto store, io::OpenStore(path, options.store));
  return table::Versions(std::move(store), std::make_shared<table::Session>(options));
}

/// Live rows in table order, fragment by fragment.
class StreamReader final : public arrow::RecordBatchReader {
 public:
  StreamReader(std::shared_ptr<const table::Snapshot> snapshot, file::Schema projection,
               std::shared_ptr<arrow::Schema> schema, uint64_t offset, uint64_t limit)
      : snapshot_(std::move(snapshot)),
        projection_(std::move(projection)),
        schema_(std::move(schema)),
        to_skip_(offset),
        left_(limit) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    while (left_ > 0) {
      if (live_.empty()) {
        if (next_fragment_ >= snapshot_->fragments().size()) {
          return arrow::Status::OK();
        }
        ARROW_RETURN_NOT_OK(OpenNext());
        continue;
      }
      const RowRanges rows = NextRows();
      if (!rows.empty()) {
        file::ReadOptions options;
        options.blob_mode = file::BlobMode::kBytes;
        ARROW_ASSIGN_OR_RAISE(const auto read, reader_->Read(rows, options));
        *batch = arrow::RecordBatch::Make(schema_, read->num_rows(), read->columns());
        return arrow::Status::OK();
      }
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status OpenNext() {
    const table::Fragment& fragment = *snapshot_->fragments()[next_fragment_++];
    if (to_skip_ >= fragment.num_rows()) {
      to_skip_ -= fragment.num_rows();
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(reader_, snapshot_->OpenFragment(fragment, projection_));
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment.deletions());
    live_ = deletions != nullptr ? deletions->LiveRanges(0, fragment.physical_rows())
                                 : RowRanges{{0, fragment.physical_rows()}};
    std::reverse(live_.begin(), live_.end());
    const double fitting = kBatchBytes / std::max(reader_->BytesPerRow(), 1e-6);
    batch_rows_ = fitting >= static_cast<double>(kBatchRows)
                      ? kBatchRows
                      : std::max<uint64_t>(1, static_cast<uint64_t>(fitting));
    return arrow::Status::OK();
  }

  /// Takes the rows of the next batch off live_.
  RowRanges NextRows() {
    RowRanges rows;
    uint64_t room = std::min(batch_rows_, left_);
    while (room > 0 && !live_.empty()) {
      RowRange& range = live_.back();
      const uint64_t skipped = std::min(to_skip_, range.size());
      range.start += skipped;
      to_skip_ -= skipped;
      const uint64_t taken = std::min(room, range.size());
      if (taken > 0) {
        rows.push_back({range.start, range.start + taken});
        range.start += taken;
        room -= taken;
        left_ -= taken;
      }
      if (range.size() == 0) {
        live_.pop_back();
      }
    }
    return rows;
  }

  const std::shared_ptr<const table::Snapshot> snapshot_;
  const file::Schema projection_;
  const std::shared_ptr<arrow::Schema> schema_;
  uint64_t to_skip_;
  uint64_t left_;
  size_t next_fragment_ = 0;
  std::shared_ptr<table::FragmentReader> reader_;
  RowRanges live_;  // what is left of the current fragment, last range first
  uint64_t batch_rows_ = kBatchRows;
};

/// Blobs come as bytes.
arrow::Result<std::shared_ptr<arrow::Schema>> SchemaOf(const file::Schema& projection) {
  ARROW_ASSIGN_OR_RAISE(auto schema, projection.ToArrow());
  for (size_t i = 0; i < projection.fields().size(); ++i) {
    if (projection.fields()[i].is_blob_v2()) {
      const int at = static_cast<int>(i);
      ARROW_ASSIGN_OR_RAISE(
          schema, schema->SetField(at, schema->field(at)->WithType(arrow::large_binary())));
    }
  }
  return schema;
}

}  // namespace

struct DatasetReader::Impl {
  std::shared_ptr<const table::Snapshot> snapshot;
  std::shared_ptr<arrow::Schema> schema;
};

DatasetReader::DatasetReader(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

DatasetReader::~DatasetReader() = default;
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;

arrow::Result<DatasetReader> DatasetReader::Open(const std::string& path,
                                                 std::optional<uint64_t> version) {
  ARROW_ASSIGN_OR_RAISE(const auto versions, OpenVersions(path));
  auto impl = std::make_shared<Impl>();
  ARROW_ASSIGN_OR_RAISE(impl->snapshot,
                        version.has_value() ? versions.Open(*version) : versions.OpenLatest());
  ARROW_ASSIGN_OR_RAISE(impl->schema, SchemaOf(impl->snapshot->schema()));
  return DatasetReader(std::move(impl));
}

arrow::Result<std::vector<uint64_t>> DatasetReader::ListVersions(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto versions, OpenVersions(path));
  ARROW_ASSIGN_OR_RAISE(const auto entries, versions.List());
  std::vector<uint64_t> numbers;
  numbers.reserve(entries.size());
  for (const auto& entry : entries) {
    numbers.push_back(entry.version);
  }
  return numbers;
}

uint64_t DatasetReader::version() const {
  return impl_->snapshot->version();
}

std::shared_ptr<arrow::Schema> DatasetReader::schema() const {
  return impl_->schema;
}

arrow::Result<uint64_t> DatasetReader::CountRows() const {
  return impl_->snapshot->CountRows();
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> DatasetReader::Read(
    const std::vector<std::string>& columns, uint64_t offset, std::optional<uint64_t> limit) const {
  file::Schema projection = impl_->snapshot->schema();
  if (!columns.empty()) {
    ARROW_ASSIGN_OR_RAISE(projection, projection.Project(columns));
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaOf(projection));
  return std::make_shared<StreamReader>(impl_->snapshot, std::move(projection), std::move(schema),
                                        offset, limit.value_or(UINT64_MAX));
}

}  // namespace glaive
