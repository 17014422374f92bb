// What Table::Inspect and Table::Verify report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <arrow/status.h>

namespace glaive {

struct PageLayout {
  uint64_t num_rows = 0;
  uint64_t num_bytes = 0;
  std::vector<uint64_t> buffer_offsets;
  std::vector<uint64_t> buffer_bytes;
  std::string encoding;  ///< e.g. "mini-block dict[4] lz4(var32), ib32"
};

struct ColumnLayout {
  std::string path;
  std::string logical_type;
  int32_t column = 0;  ///< physical column of the file
  uint64_t num_bytes = 0;
  std::vector<PageLayout> pages;
};

struct DataFileLayout {
  std::string path;  ///< below the table directory
  std::string version;
  uint64_t num_rows = 0;
  uint64_t num_bytes = 0;
  std::vector<ColumnLayout> columns;
};

struct FragmentLayout {
  uint64_t id = 0;
  uint64_t physical_rows = 0;
  uint64_t deleted_rows = 0;
  std::string deletion_file;  ///< empty if none
  std::vector<DataFileLayout> files;
};

struct TableLayout {
  uint64_t version = 0;
  std::string manifest;  ///< path below the table directory
  uint64_t manifest_bytes = 0;
  uint64_t reader_feature_flags = 0;
  uint64_t writer_feature_flags = 0;
  std::string data_format;
  bool stable_row_ids = false;
  std::vector<FragmentLayout> fragments;
};

struct VerifyReport {
  uint64_t num_fragments = 0;
  uint64_t num_files = 0;
  uint64_t num_rows = 0;
  uint64_t num_bytes = 0;
  std::vector<arrow::Status> defects;  ///< empty: all is well
};

}  // namespace glaive
