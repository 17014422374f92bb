#include "maintain/group_reader.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/executor.h"
#include "base/status.h"
#include "file/schema.h"
#include "maintain/compact.h"

namespace glaive::maintain {

namespace {

constexpr uint64_t kFirstRows = 1024;
constexpr uint64_t kMaxRows = 64 << 10;
/// Descriptors of so many blobs are looked at to decide how many payloads fit in a batch.
constexpr uint64_t kMaxBlobRows = 1024;
constexpr uint8_t kExternalKind = 3;
/// Fragments up to this are opened and read many at a time.
constexpr uint64_t kSmallRows = 4096;
constexpr uint64_t kSmallBytes = 256 << 10;
constexpr size_t kSmallOnes = 64;

/// The first `count` rows of `rows`, which lose them.
RowRanges TakeFront(RowRanges* rows, uint64_t count) {
  RowRanges taken;
  size_t used = 0;
  while (used < rows->size() && count > 0) {
    RowRange& range = (*rows)[used];
    const uint64_t part = std::min(count, range.size());
    taken.push_back({range.start, range.start + part});
    range.start += part;
    count -= part;
    used += range.size() == 0 ? 1 : 0;
  }
  rows->erase(rows->begin(), rows->begin() + static_cast<int64_t>(used));
  return taken;
}

/// What a blob column stores, by row.
struct Descriptors {
  explicit Descriptors(const arrow::Array& array)
      : all(static_cast<const arrow::StructArray&>(array)),
        kinds(std::static_pointer_cast<arrow::UInt8Array>(all.field(0))),
        positions(std::static_pointer_cast<arrow::UInt64Array>(all.field(1))),
        sizes(std::static_pointer_cast<arrow::UInt64Array>(all.field(2))),
        uris(std::static_pointer_cast<arrow::StringArray>(all.field(4))) {}

  bool IsExternal(int64_t i) const { return all.IsValid(i) && kinds->Value(i) == kExternalKind; }

  uint64_t PayloadBytes(int64_t i) const {
    return all.IsNull(i) || IsExternal(i) ? 0 : sizes->Value(i);
  }

  const arrow::StructArray& all;
  std::shared_ptr<arrow::UInt8Array> kinds;
  std::shared_ptr<arrow::UInt64Array> positions;
  std::shared_ptr<arrow::UInt64Array> sizes;
  std::shared_ptr<arrow::StringArray> uris;
};

/// The form in which a blob that lies elsewhere is written again: nothing of it is read.
class BlobBuilder {
 public:
  explicit BlobBuilder(arrow::MemoryPool* pool)
      : data_(std::make_shared<arrow::LargeBinaryBuilder>(pool)),
        uri_(std::make_shared<arrow::StringBuilder>(pool)),
        position_(std::make_shared<arrow::UInt64Builder>(pool)),
        size_(std::make_shared<arrow::UInt64Builder>(pool)),
        all_(Type(), pool, {data_, uri_, position_, size_}) {}

  static std::shared_ptr<arrow::DataType> Type() {
    return arrow::struct_(
        {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8()),
         arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())});
  }

  arrow::Status AppendNull() { return all_.AppendNull(); }

  arrow::Status AppendBytes(std::string_view bytes) {
    ARROW_RETURN_NOT_OK(all_.Append());
    ARROW_RETURN_NOT_OK(data_->Append(bytes));
    ARROW_RETURN_NOT_OK(uri_->AppendNull());
    ARROW_RETURN_NOT_OK(position_->AppendNull());
    return size_->AppendNull();
  }

  arrow::Status AppendExternal(std::string_view uri, uint64_t position, uint64_t size) {
    ARROW_RETURN_NOT_OK(all_.Append());
    ARROW_RETURN_NOT_OK(data_->AppendNull());
    ARROW_RETURN_NOT_OK(uri_->Append(uri));
    ARROW_RETURN_NOT_OK(position_->Append(position));
    return size_->Append(size);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish() { return all_.Finish(); }

 private:
  std::shared_ptr<arrow::LargeBinaryBuilder> data_;
  std::shared_ptr<arrow::StringBuilder> uri_;
  std::shared_ptr<arrow::UInt64Builder> position_;
  std::shared_ptr<arrow::UInt64Builder> size_;
  arrow::StructBuilder all_;
};

/// Reads one fragment after the other. One thread at a time.
class GroupReader final : public arrow::RecordBatchReader {
 public:
  GroupReader(std::shared_ptr<const table::Snapshot> snapshot,
              std::vector<const table::Fragment*> fragments, uint64_t batch_bytes)
      : snapshot_(std::move(snapshot)),
        fragments_(std::move(fragments)),
        batch_bytes_(batch_bytes),
        pool_(snapshot_->session()->options().pool) {
    if (pool_ == nullptr) {
      pool_ = arrow::default_memory_pool();
    }
    std::vector<file::Field> plain;
    for (const auto& field : snapshot_->schema().fields()) {
      if (field.is_blob_v2()) {
        blobs_.emplace_back(std::vector<file::Field>{field}, std::map<std::string, std::string>());
      } else {
        plain.push_back(field);
      }
    }
    plain_ = file::Schema(std::move(plain), snapshot_->schema().metadata());
  }

  /// The types of the columns are those of the first batch.
  arrow::Status Start() {
    ARROW_ASSIGN_OR_RAISE(first_, Next());
    schema_ = first_ != nullptr ? first_->schema() : snapshot_->arrow_schema();
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (first_ != nullptr) {
      *batch = std::move(first_);
      return arrow::Status::OK();
    }
    return Next().Value(batch);
  }

 private:
  using BatchResult = arrow::Result<std::shared_ptr<arrow::RecordBatch>>;

  BatchResult Next() {
    while (rows_.empty()) {
      if (ready_.empty()) {
        ARROW_RETURN_NOT_OK(ReadSmallOnes());
      }
      if (!ready_.empty()) {
        auto batch = std::move(ready_.front());
        ready_.pop_front();
        return batch;
      }
      if (next_fragment_ == fragments_.size()) {
        return nullptr;
      }
      ARROW_RETURN_NOT_OK(OpenFragment(*fragments_[next_fragment_++]));
    }
    ARROW_ASSIGN_OR_RAISE(const uint64_t wanted, RowsOfNextBatch());
    const uint64_t left = CountRows(rows_);
    const RowRanges rows = TakeFront(&rows_, std::min(wanted, left));
    ARROW_ASSIGN_OR_RAISE(auto batch, Read(rows, plain_reader_.get()));
    Learn(*batch);
    return batch;
  }

  bool IsSmall(const table::Fragment& fragment) const {
    const uint64_t bytes = BytesOf(fragment);
    return blobs_.empty() && fragment.num_rows() > 0 && fragment.num_rows() <= kSmallRows &&
           bytes > 0 && bytes <= kSmallBytes;
  }

  /// The next fragments, as long as they are small, each as a batch: opening them is most of the
  /// work, and all threads take part in it.
  arrow::Status ReadSmallOnes() {
    size_t end = next_fragment_;
    uint64_t bytes = 0;
    while (end < fragments_.size() && end - next_fragment_ < kSmallOnes &&
           bytes < batch_bytes_ / 4 && IsSmall(*fragments_[end])) {
      bytes += BytesOf(*fragments_[end++]);
    }
    if (end - next_fragment_ < 2) {
      return arrow::Status::OK();
    }
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches(end - next_fragment_);
    ARROW_RETURN_NOT_OK(snapshot_->session()->executor().ParallelFor(
        batches.size(), [&](size_t i) -> arrow::Status {
          const auto& fragment = *fragments_[next_fragment_ + i];
          ARROW_ASSIGN_OR_RAISE(const auto rows, LiveRows(fragment));
          ARROW_ASSIGN_OR_RAISE(const auto reader, snapshot_->OpenFragment(fragment, plain_));
          return Read(rows, reader.get()).Value(&batches[i]);
        }));
    ready_.assign(batches.begin(), batches.end());
    next_fragment_ = end;
    return arrow::Status::OK();
  }

  static arrow::Result<RowRanges> LiveRows(const table::Fragment& fragment) {
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment.deletions());
    if (deletions != nullptr) {
      return deletions->LiveRanges(0, fragment.physical_rows());
    }
    return fragment.physical_rows() > 0 ? RowRanges{{0, fragment.physical_rows()}} : RowRanges{};
  }

  arrow::Status OpenFragment(const table::Fragment& fragment) {
    ARROW_ASSIGN_OR_RAISE(rows_, LiveRows(fragment));
    plain_reader_ = nullptr;
    blob_readers_.clear();
    if (rows_.empty()) {
      return arrow::Status::OK();
    }
    if (!plain_.fields().empty()) {
      ARROW_ASSIGN_OR_RAISE(plain_reader_, snapshot_->OpenFragment(fragment, plain_));
    }
    for (const auto& blob : blobs_) {
      ARROW_ASSIGN_OR_RAISE(auto reader, snapshot_->OpenFragment(fragment, blob));
      blob_readers_.push_back(std::move(reader));
    }
    return arrow::Status::OK();
  }

  /// From what the batch before took per row, and from the sizes of the next payloads.
  arrow::Result<uint64_t> RowsOfNextBatch() {
    uint64_t rows = kFirstRows;
    if (plain_reader_ != nullptr) {
      const double per_row = std::max(bytes_per_row_, plain_reader_->BytesPerRow());
      rows = static_cast<uint64_t>(static_cast<double>(batch_bytes_) / std::max(per_row, 1.0));
      rows = bytes_per_row_ == 0 ? std::min(rows, kFirstRows) : rows;
    }
    rows = std::clamp<uint64_t>(rows, 1, kMaxRows);
    if (blob_readers_.empty()) {
      return rows;
    }
    RowRanges ahead = rows_;
    const RowRanges looked_at = TakeFront(&ahead, std::min(rows, kMaxBlobRows));
    std::vector<uint64_t> bytes(CountRows(looked_at));
    for (const auto& reader : blob_readers_) {
      ARROW_ASSIGN_OR_RAISE(const auto stored, ReadColumn(*reader, looked_at, false));
      const Descriptors descriptors(*stored);
      for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] += descriptors.PayloadBytes(static_cast<int64_t>(i));
      }
    }
    uint64_t fit = 0;
    for (uint64_t sum = 0; fit < bytes.size() && (fit == 0 || sum + bytes[fit] <= batch_bytes_);) {
      sum += bytes[fit++];
    }
    return std::max<uint64_t>(fit, 1);
  }

  void Learn(const arrow::RecordBatch& batch) {
    const auto bytes = static_cast<double>(arrow::util::TotalBufferSize(batch));
    bytes_per_row_ = bytes / static_cast<double>(std::max<int64_t>(batch.num_rows(), 1));
  }

  BatchResult Read(const RowRanges& rows, const table::FragmentReader* plain_reader) const {
    std::shared_ptr<arrow::RecordBatch> plain;
    if (plain_reader != nullptr) {
      file::ReadOptions options;
      options.pool = pool_;
      options.blob_mode = file::BlobMode::kBytes;
      ARROW_ASSIGN_OR_RAISE(plain, plain_reader->Read(rows, options));
    }
    arrow::ArrayVector columns;
    arrow::FieldVector fields;
    size_t next_plain = 0;
    size_t next_blob = 0;
    for (int i = 0; i < snapshot_->arrow_schema()->num_fields(); ++i) {
      const bool is_blob = snapshot_->schema().fields()[static_cast<size_t>(i)].is_blob_v2();
      if (is_blob) {
        ARROW_ASSIGN_OR_RAISE(auto blobs, ReadBlobs(*blob_readers_[next_blob++], rows));
        columns.push_back(std::move(blobs));
      } else {
        columns.push_back(plain->column(static_cast<int>(next_plain++)));
      }
      fields.push_back(snapshot_->arrow_schema()->field(i)->WithType(columns.back()->type()));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)),
                                    static_cast<int64_t>(CountRows(rows)), std::move(columns));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> ReadColumn(const table::FragmentReader& reader,
                                                          const RowRanges& rows, bool bytes) const {
    file::ReadOptions options;
    options.pool = pool_;
    options.blob_mode = bytes ? file::BlobMode::kBytes : file::BlobMode::kDescriptors;
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader.Read(rows, options));
    return batch->column(0);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> ReadBlobs(const table::FragmentReader& reader,
                                                         const RowRanges& rows) const {
    ARROW_ASSIGN_OR_RAISE(const auto stored, ReadColumn(reader, rows, false));
    const Descriptors descriptors(*stored);
    RowRanges own;  // rows whose payload the table holds
    int64_t at = 0;
    for (const auto& range : rows) {
      for (uint64_t row = range.start; row < range.end; ++row, ++at) {
        if (descriptors.IsExternal(at)) {
          continue;
        }
        if (!own.empty() && own.back().end == row) {
          ++own.back().end;
        } else {
          own.push_back({row, row + 1});
        }
      }
    }
    std::shared_ptr<arrow::Array> payloads;
    if (!own.empty()) {
      ARROW_ASSIGN_OR_RAISE(payloads, ReadColumn(reader, own, true));
    }
    return Assemble(descriptors, static_cast<const arrow::LargeBinaryArray*>(payloads.get()));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Assemble(
      const Descriptors& descriptors, const arrow::LargeBinaryArray* payloads) const {
    BlobBuilder out(pool_);
    int64_t next = 0;
    for (int64_t i = 0; i < descriptors.all.length(); ++i) {
      if (descriptors.IsExternal(i)) {
        ARROW_RETURN_NOT_OK(out.AppendExternal(descriptors.uris->GetView(i),
                                               descriptors.positions->Value(i),
                                               descriptors.sizes->Value(i)));
        continue;
      }
      const bool valid = payloads->IsValid(next);
      ARROW_RETURN_NOT_OK(valid ? out.AppendBytes(payloads->GetView(next)) : out.AppendNull());
      ++next;
    }
    return out.Finish();
  }

  const std::shared_ptr<const table::Snapshot> snapshot_;
  const std::vector<const table::Fragment*> fragments_;
  const uint64_t batch_bytes_;
  arrow::MemoryPool* pool_;
  file::Schema plain_;                                     // all columns but blobs
  std::vector<file::Schema> blobs_;                        // of one column each
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;  // of small fragments
  size_t next_fragment_ = 0;
  RowRanges rows_;  // of the open fragment, not yet read
  std::shared_ptr<table::FragmentReader> plain_reader_;
  std::vector<std::shared_ptr<table::FragmentReader>> blob_readers_;
  double bytes_per_row_ = 0;  // of the last batch
  std::shared_ptr<arrow::RecordBatch> first_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ReadGroup(
    std::shared_ptr<const table::Snapshot> snapshot, std::vector<const table::Fragment*> fragments,
    uint64_t batch_bytes) {
  auto reader =
      std::make_shared<GroupReader>(std::move(snapshot), std::move(fragments), batch_bytes);
  ARROW_RETURN_NOT_OK(reader->Start());
  return reader;
}

}  // namespace glaive::maintain
