// Door: reading a Lance data file of versions 2.0 to 2.2 (2.3 where its pages hold nothing new).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "file/schema.h"

namespace glaive::io {
class ObjectReader;
}

namespace glaive::file {

/// How blob columns come out.
enum class BlobMode {
  kBytes,       ///< large_binary with the payload
  kDescriptors, ///< the stored descriptor struct
};

struct ReadOptions {
  arrow::MemoryPool* pool = nullptr;  ///< default pool if null
  BlobMode blob_mode = BlobMode::kDescriptors;
  /// Blob v2 bytes in sidecars: called with the sidecar's file name ("<32 binary digits>.blob"), opens the
  /// object in data/<stem>/. Without it such a blob is kUnsupported.
  std::function<arrow::Result<std::shared_ptr<io::ObjectReader>>(const std::string&)> open_sidecar;
  /// External blobs below a base path of the table: called with its id and the relative path, which was
  /// checked not to lead out of it. Without it such a blob is kUnsupported.
  std::function<arrow::Result<std::shared_ptr<io::ObjectReader>>(uint32_t, const std::string&)>
      open_in_base;
};

/// What to read of a file: columns by their Lance field (pruned to the wanted subtrees), and where each
/// leaf's data lies. The table room makes it from DataFile.fields/column_indices; a file read alone uses
/// FileReader::IdentityProjection.
struct Projection {
  std::vector<Field> columns;  ///< top-level fields, pruned
  /// field id -> physical column; for 2.0 every field of a column, for 2.1+ every leaf. Ids of `columns`
  /// that are missing here read as null.
  std::vector<std::pair<int32_t, uint32_t>> column_of_field;
};

struct PageSummary {
  uint64_t num_rows = 0;
  std::vector<uint64_t> buffer_offsets;
  std::vector<uint64_t> buffer_sizes;
  std::string encoding;  ///< as PageDecoder::Describe
};

struct ColumnSummary {
  std::string path;  ///< field path, e.g. "l.item.a"
  std::string logical_type;
  std::vector<PageSummary> pages;
};

/// Immutable (apart from caches of page indices, which are synchronized); thread-safe.
class FileReader {
 public:
  /// Hears by how much memory_bytes() changed, after the reader was opened. Called from any thread that
  /// reads.
  using HeldChanged = std::function<void(int64_t)>;

  /// Reads footer and metadata, checks them. `object` must be the file whole.
  static arrow::Result<std::shared_ptr<FileReader>> Open(std::shared_ptr<io::ObjectReader> object,
                                                         HeldChanged held_changed = {});
  virtual ~FileReader() = default;

  virtual FileVersion version() const = 0;
  virtual uint64_t num_rows() const = 0;
  virtual const Schema& schema() const = 0;  ///< as stored in the file
  virtual uint32_t num_columns() const = 0;  ///< physical
  virtual uint64_t size_bytes() const = 0;
  virtual uint64_t metadata_bytes() const = 0;
  /// What the reader holds in memory, about: metadata, and the page indices loaded so far.
  virtual uint64_t memory_bytes() const = 0;

  /// All columns of the file itself, in order, physical columns by position.
  virtual arrow::Result<Projection> IdentityProjection() const = 0;

  /// The given rows (of the file), in order, as one batch with one column per projected field. Reads only
  /// the pages, chunks and byte ranges that hold them; page indices are cached in the reader. Columns are
  /// contiguous arrays. kInvalidArgument for rows beyond num_rows().
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(const Projection& projection,
                                                                  const RowRanges& rows,
                                                                  const ReadOptions& options) const = 0;

  /// Boundaries in (0, num_rows] at which the largest projected columns have pages: batches cut there are
  /// decoded without copying across pages. Sorted; the last is num_rows.
  virtual std::vector<uint64_t> PreferredCuts(const Projection& projection) const = 0;
  /// Encoded bytes per row of the projection, as an average over the file: for choosing batch sizes.
  virtual double BytesPerRow(const Projection& projection) const = 0;

  virtual arrow::Result<std::vector<ColumnSummary>> Inspect() const = 0;
  /// Decodes everything and checks every invariant of container, pages and levels.
  virtual arrow::Status Verify() const = 0;
};

}  // namespace glaive::file
