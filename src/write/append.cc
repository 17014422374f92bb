#include "write/append.h"

#include <algorithm>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/executor.h"
#include "base/status.h"
#include "base/uuid.h"
#include "write/fit.h"

namespace glaive::write {

namespace {

constexpr char kDataDirectory[] = "data/";
/// Large batches go in pieces, so that the byte limit of a file is looked at in between.
constexpr int64_t kRowsPerSlice = 64 << 10;
/// The part of the memory budget that the values waiting in a writer may hold.
constexpr uint64_t kBufferShare = 4;

/// Cuts a stream of fitted batches into data files.
class FragmentWriter {
 public:
  FragmentWriter(io::ObjectStore& store, table::Session& session, const file::Schema& schema,
                 file::FileVersion version, const WriteOptions& options)
      : store_(store), session_(session), schema_(schema), version_(version), options_(options) {}

  arrow::Status Write(const arrow::RecordBatch& batch) {
    int64_t done = 0;
    while (done < batch.num_rows()) {
      if (writer_ == nullptr) {
        ARROW_RETURN_NOT_OK(OpenFile());
      }
      const auto room = static_cast<int64_t>(std::min<uint64_t>(
          options_.max_rows_per_file - writer_->num_rows(), static_cast<uint64_t>(INT64_MAX)));
      const int64_t count = std::min({batch.num_rows() - done, room, kRowsPerSlice});
      ARROW_RETURN_NOT_OK(writer_->Write(*batch.Slice(done, count)));
      done += count;
      if (writer_->num_rows() >= options_.max_rows_per_file ||
          writer_->EstimatedBytes() >= options_.max_bytes_per_file) {
        ARROW_RETURN_NOT_OK(FinishFile());
      }
    }
    written_.num_rows += static_cast<uint64_t>(batch.num_rows());
    return arrow::Status::OK();
  }

  arrow::Result<WrittenFragments> Finish() {
    if (writer_ != nullptr) {
      ARROW_RETURN_NOT_OK(FinishFile());
    }
    return std::move(written_);
  }

  void Discard() {
    if (writer_ != nullptr) {
      static_cast<void>(writer_->Abort());
      writer_ = nullptr;
    }
    RemoveFragments(store_, written_);
  }

  uint64_t bytes() const {
    return finished_bytes_ + (writer_ != nullptr ? writer_->EstimatedBytes() : 0);
  }

 private:
  arrow::Status OpenFile() {
    const std::string stem = Uuid::Random().ToDataFileStem();
    name_ = stem + ".lance";
    written_.paths.push_back(kDataDirectory + name_);
    ARROW_ASSIGN_OR_RAISE(auto object, store_.Create(written_.paths.back()));
    auto options = FileOptions(session_, version_);
    options.make_sidecar = [this, stem](const std::string& sidecar) {
      written_.paths.push_back(kDataDirectory + stem + "/" + sidecar);
      return store_.Create(written_.paths.back());
    };
    ARROW_ASSIGN_OR_RAISE(writer_, file::FileWriter::Open(std::move(object), schema_, options));
    return arrow::Status::OK();
  }

  arrow::Status FinishFile() {
    ARROW_ASSIGN_OR_RAISE(const auto summary, writer_->Finish());
    writer_ = nullptr;
    finished_bytes_ += summary.size_bytes;
    lance::table::DataFragment fragment;
    fragment.set_physical_rows(summary.num_rows);
    auto* data_file = fragment.add_files();
    data_file->set_path(name_);
    data_file->mutable_fields()->Assign(summary.field_ids.begin(), summary.field_ids.end());
    data_file->mutable_column_indices()->Assign(summary.column_indices.begin(),
                                                summary.column_indices.end());
    data_file->set_file_major_version(summary.version.major);
    data_file->set_file_minor_version(summary.version.minor);
    data_file->set_file_size_bytes(summary.size_bytes);
    written_.fragments.push_back(std::move(fragment));
    return arrow::Status::OK();
  }

  io::ObjectStore& store_;
  table::Session& session_;
  const file::Schema& schema_;
  const file::FileVersion version_;
  const WriteOptions& options_;
  std::unique_ptr<file::FileWriter> writer_;
  std::string name_;  ///< of the open file
  uint64_t finished_bytes_ = 0;
  WrittenFragments written_;
};

arrow::Status WriteStream(FragmentWriter& writer, const BatchFitter& fitter,
                          arrow::RecordBatchReader& data, const WriteOptions& options) {
  uint64_t rows = 0;
  for (;;) {
    ARROW_RETURN_NOT_OK(options.cancel.Check("write"));
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(data.ReadNext(&batch));
    if (batch == nullptr) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto fitted, fitter.Fit(*batch, rows));
    ARROW_RETURN_NOT_OK(writer.Write(*fitted));
    rows += static_cast<uint64_t>(batch->num_rows());
    if (options.progress) {
      options.progress({"write", rows, 0, writer.bytes()});
    }
  }
}

}  // namespace

file::FileWriterOptions FileOptions(table::Session& session, file::FileVersion version) {
  file::FileWriterOptions options;
  options.version = version;
  options.pool = session.options().pool;
  options.executor = &session.executor();
  const uint64_t share = std::max<uint64_t>(session.budget().limit_bytes() / kBufferShare, 1 << 20);
  options.max_buffered_bytes = std::min(options.max_buffered_bytes, share);
  options.page_bytes = std::min(options.page_bytes, options.max_buffered_bytes / 2);
  return options;
}

arrow::Result<WrittenFragments> WriteFragments(io::ObjectStore& store, table::Session& session,
                                               const file::Schema& schema,
                                               file::FileVersion version,
                                               arrow::RecordBatchReader& data,
                                               const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(options.max_rows_per_file > 0 && options.max_rows_per_file <= UINT32_MAX,
                        "max_rows_per_file is ", options.max_rows_per_file,
                        "; it must be between 1 and 4294967295");
  GLAIVE_CHECK_ARGUMENT(options.max_bytes_per_file > 0, "max_bytes_per_file must not be 0");
  ARROW_ASSIGN_OR_RAISE(
      const auto fitter,
      BatchFitter::Make(schema, *data.schema(), options.bad_vectors, session.options().pool));
  FragmentWriter writer(store, session, schema, version, options);
  arrow::Status status = WriteStream(writer, fitter, data, options);
  if (status.ok()) {
    auto written = writer.Finish();
    if (written.ok()) {
      return written;
    }
    status = written.status();
  }
  writer.Discard();
  return status;
}

arrow::Status CheckFits(const file::Schema& schema, const arrow::Schema& input) {
  return BatchFitter::Make(schema, input, BadVectors::kError, nullptr).status();
}

void RemoveFragments(io::ObjectStore& store, const WrittenFragments& written) {
  for (const auto& path : written.paths) {
    // What cannot be removed is an orphan that no manifest names: harmless.
    static_cast<void>(store.Delete(path));
  }
  for (const auto& path : written.paths) {
    const std::string directory = path.substr(0, path.rfind('/'));
    if (directory.find('/') != std::string::npos) {  // of the sidecars of one file
      static_cast<void>(store.RemoveEmptyDirectory(directory));
    }
  }
  static_cast<void>(store.RemoveEmptyDirectory("data"));
}

}  // namespace glaive::write
