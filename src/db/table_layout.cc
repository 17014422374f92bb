// Inspect and Verify: what a table is made of, and whether it is sound.
#include <algorithm>

#include "base/status.h"
#include "db/table_impl.h"
#include "table/deletion_file.h"
#include "table/fragment_reader.h"

namespace glaive::db {

namespace {

PageLayout LayoutOf(const file::PageSummary& summary) {
  PageLayout page;
  page.num_rows = summary.num_rows;
  page.encoding = summary.encoding;
  page.buffer_offsets = summary.buffer_offsets;
  page.buffer_bytes = summary.buffer_sizes;
  for (const uint64_t bytes : summary.buffer_sizes) {
    page.num_bytes += bytes;
  }
  return page;
}

arrow::Result<DataFileLayout> LayoutOf(const file::FileReader& reader, const std::string& path) {
  DataFileLayout layout;
  layout.path = path;
  layout.version = reader.version().ToString();
  layout.num_rows = reader.num_rows();
  layout.num_bytes = reader.size_bytes();
  ARROW_ASSIGN_OR_RAISE(const auto columns, reader.Inspect());
  for (const auto& summary : columns) {
    ColumnLayout column;
    column.path = summary.path;
    column.logical_type = summary.logical_type;
    column.column = static_cast<int32_t>(layout.columns.size());
    for (const auto& page : summary.pages) {
      column.pages.push_back(LayoutOf(page));
      column.num_bytes += column.pages.back().num_bytes;
    }
    layout.columns.push_back(std::move(column));
  }
  return layout;
}

}  // namespace

arrow::Result<TableLayout> TableImpl::Inspect() const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, Current());
  const auto& manifest = snapshot->manifest();
  TableLayout layout;
  layout.version = snapshot->version();
  ARROW_ASSIGN_OR_RAISE(const auto objects, snapshot->store()->List("_versions"));
  for (const auto& object : objects) {
    const auto name = table::ParseManifestName(object.path.substr(object.path.rfind('/') + 1));
    if (name.has_value() && name->version == layout.version) {
      layout.manifest = object.path;
      layout.manifest_bytes = object.size;
    }
  }
  layout.reader_feature_flags = manifest.pb.reader_feature_flags();
  layout.writer_feature_flags = manifest.pb.writer_feature_flags();
  layout.data_format = manifest.pb.data_format().version();
  layout.stable_row_ids = manifest.stable_row_ids();
  for (const auto& fragment : snapshot->fragments()) {
    FragmentLayout part;
    part.id = fragment->id();
    part.physical_rows = fragment->physical_rows();
    part.deleted_rows = fragment->num_deleted();
    if (fragment->pb().has_deletion_file()) {
      part.deletion_file = table::DeletionFilePath(part.id, fragment->pb().deletion_file());
    }
    for (const auto& data_file : fragment->pb().files()) {
      ARROW_ASSIGN_OR_RAISE(const auto reader,
                            table::OpenDataFile(*snapshot, fragment->pb(), data_file));
      ARROW_ASSIGN_OR_RAISE(auto file, LayoutOf(*reader, "data/" + data_file.path()));
      part.files.push_back(std::move(file));
    }
    layout.fragments.push_back(std::move(part));
  }
  return layout;
}

arrow::Result<VerifyReport> TableImpl::Verify(const ProgressCallback& progress,
                                              const CancelToken& cancel) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, Current());
  VerifyReport report;
  for (const auto& fragment : snapshot->fragments()) {
    ++report.num_fragments;
    report.num_rows += fragment->num_rows();
    for (const auto& data_file : fragment->pb().files()) {
      ++report.num_files;
      report.num_bytes += data_file.file_size_bytes();
    }
  }
  const arrow::Status ended = snapshot->Verify(
      [&](const arrow::Status& defect) { report.defects.push_back(defect); }, progress, cancel);
  if (ErrorCodeOf(ended) == ErrorCode::kCancelled) {
    return ended;
  }
  if (!ended.ok()) {
    report.defects.push_back(ended);
  }
  return report;
}

}  // namespace glaive::db
