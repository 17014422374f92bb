#include "write/column_files.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "base/uuid.h"
#include "query/compute.h"
#include "write/append.h"
#include "write/deletions.h"
#include "write/fit.h"

namespace glaive::write {

namespace {

class ColumnFileWriter {
 public:
  ColumnFileWriter(const table::Snapshot& snapshot, const file::Schema& added,
                   const BatchFitter& fitter, ColumnSource& source)
      : snapshot_(snapshot), added_(added), fitter_(fitter), source_(source) {}

  arrow::Status Run() {
    ARROW_ASSIGN_OR_RAISE(
        version_, file::FileVersion::Parse(snapshot_.manifest().pb.data_format().version()));
    for (const auto& fragment : snapshot_.fragments()) {
      ARROW_RETURN_NOT_OK(AddFile(*fragment));
    }
    return arrow::Status::OK();
  }

  ColumnFiles files;

 private:
  arrow::Status AddFile(const table::Fragment& fragment) {
    const std::string stem = Uuid::Random().ToDataFileStem();
    const std::string name = stem + ".lance";
    files.paths.push_back("data/" + name);
    ARROW_ASSIGN_OR_RAISE(auto object, snapshot_.store()->Create(files.paths.back()));
    auto options = FileOptions(*snapshot_.session(), version_);
    options.make_sidecar = [this, stem](const std::string& sidecar) {
      files.paths.push_back("data/" + stem + "/" + sidecar);
      return snapshot_.store()->Create(files.paths.back());
    };
    ARROW_ASSIGN_OR_RAISE(auto writer, file::FileWriter::Open(std::move(object), added_, options));
    arrow::Status status = WriteRows(fragment, *writer);
    if (!status.ok()) {
      static_cast<void>(writer->Abort());
      return status;
    }
    ARROW_ASSIGN_OR_RAISE(const auto summary, writer->Finish());
    lance::table::DataFragment next = fragment.pb();
    auto* file = next.add_files();
    file->set_path(name);
    file->mutable_fields()->Assign(summary.field_ids.begin(), summary.field_ids.end());
    file->mutable_column_indices()->Assign(summary.column_indices.begin(),
                                           summary.column_indices.end());
    file->set_file_major_version(summary.version.major);
    file->set_file_minor_version(summary.version.minor);
    file->set_file_size_bytes(summary.size_bytes);
    files.fragments.push_back(std::move(next));
    return arrow::Status::OK();
  }

  arrow::Status WriteRows(const table::Fragment& fragment, file::FileWriter& writer) {
    ARROW_RETURN_NOT_OK(source_.Begin(fragment));
    ARROW_ASSIGN_OR_RAISE(const auto deletions, fragment.deletions());
    const uint64_t step = std::max<uint64_t>(source_.StepRows(), 1);
    for (uint64_t start = 0; start < fragment.physical_rows(); start += step) {
      const uint64_t end = std::min(start + step, fragment.physical_rows());
      RowRanges live{{start, end}};
      if (deletions != nullptr && !source_.reads_deleted()) {
        live = deletions->LiveRanges(start, end);
      }
      ARROW_ASSIGN_OR_RAISE(const auto values, source_.Read(live));
      if (static_cast<uint64_t>(values->num_rows()) != CountRows(live)) {
        return InternalError("new columns gave ", values->num_rows(), " rows, expected ",
                             CountRows(live));
      }
      ARROW_ASSIGN_OR_RAISE(auto fitted, fitter_.Fit(*values, live_rows_));
      live_rows_ += CountRows(live);
      if (CountRows(live) != end - start) {
        ARROW_ASSIGN_OR_RAISE(fitted, Spread(*fitted, live, {start, end}));
      }
      ARROW_RETURN_NOT_OK(writer.Write(*fitted));
    }
    return arrow::Status::OK();
  }

  /// Values of live rows -> values of all physical rows, deleted ones null.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Spread(const arrow::RecordBatch& values,
                                                            const RowRanges& live, RowRange all) {
    arrow::MemoryPool* pool = snapshot_.session()->options().pool;
    arrow::Int64Builder places(pool != nullptr ? pool : arrow::default_memory_pool());
    ARROW_RETURN_NOT_OK(places.Reserve(static_cast<int64_t>(all.size())));
    uint64_t row = all.start;
    int64_t next = 0;
    for (const RowRange& range : live) {
      for (; row < range.start; ++row) {
        places.UnsafeAppendNull();
      }
      for (; row < range.end; ++row) {
        places.UnsafeAppend(next++);
      }
    }
    for (; row < all.end; ++row) {
      places.UnsafeAppendNull();
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
    arrow::ArrayVector columns;
    for (const auto& column : values.columns()) {
      ARROW_ASSIGN_OR_RAISE(auto taken, query::TakeValues(column, indices, pool));
      columns.push_back(std::move(taken));
    }
    return arrow::RecordBatch::Make(values.schema(), static_cast<int64_t>(all.size()),
                                    std::move(columns));
  }

  const table::Snapshot& snapshot_;
  const file::Schema& added_;
  const BatchFitter& fitter_;
  ColumnSource& source_;
  file::FileVersion version_;
  uint64_t live_rows_ = 0;
};

}  // namespace

arrow::Result<ColumnFiles> WriteColumnFiles(const table::Snapshot& snapshot,
                                            const file::Schema& added,
                                            const arrow::Schema& source_schema,
                                            ColumnSource& source) {
  ARROW_ASSIGN_OR_RAISE(const auto fitter,
                        BatchFitter::Make(added, source_schema, BadVectors::kAllow,
                                          snapshot.session()->options().pool));
  ColumnFileWriter writer(snapshot, added, fitter, source);
  const arrow::Status status = writer.Run();
  if (!status.ok()) {
    RemovePaths(*snapshot.store(), writer.files.paths);
    return status;
  }
  return std::move(writer.files);
}

}  // namespace glaive::write
