// The small reader: opens a Lance dataset and streams it as record batches. It needs only the rooms
// base, kernels, io, proto, encoding, file and table (library glaive_reader): no network, no
// threads, no stores. Its C twin is reader_c.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/export.h"

namespace glaive {

/// One version of a Lance dataset. Immutable; thread-safe.
class GLAIVE_EXPORT DatasetReader final {
 public:
  /// `path` is a dataset directory (e.g. db/t.lance). Without `version` the latest one.
  /// kNotFound, kCorruption, kUnsupported.
  static arrow::Result<DatasetReader> Open(const std::string& path,
                                           std::optional<uint64_t> version);
  ~DatasetReader();
  DatasetReader(DatasetReader&&) noexcept;
  DatasetReader& operator=(DatasetReader&&) noexcept;

  /// All versions of the dataset at `path`, ascending.
  static arrow::Result<std::vector<uint64_t>> ListVersions(const std::string& path);

  uint64_t version() const;
  std::shared_ptr<arrow::Schema> schema() const;
  arrow::Result<uint64_t> CountRows() const;
  /// Live rows [offset, offset + limit) in table order, decoded on the calling thread as they are
  /// pulled. `columns` are paths; empty means all.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const std::vector<std::string>& columns, uint64_t offset,
      std::optional<uint64_t> limit) const;

 private:
  struct Impl;
  explicit DatasetReader(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace glaive
