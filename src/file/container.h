// The container of a Lance data file, the same for all versions 2.x: data buffers, global buffers,
// column metadata, offset tables and the 40-byte footer. What a page's bytes mean is for others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "file/schema.h"
#include "io/object_store.h"

namespace glaive::file {

/// One page as the column metadata lists it. Ranges were checked to lie within the file.
struct PageInfo {
  uint64_t num_rows = 0;  ///< Page.length
  uint64_t priority = 0;
  std::vector<io::ByteRange> buffers;
  std::string encoding;  ///< the bytes of DirectEncoding.encoding: a serialized Any
};

struct ColumnInfo {
  std::string encoding;  ///< as PageInfo::encoding
  std::vector<PageInfo> pages;
  std::vector<io::ByteRange> buffers;  ///< column-level; empty in every file seen
};

/// What one read (two, where the metadata is long) of a file's end tells. A value.
struct Container {
  FileVersion version;  ///< (0,3) in a footer is 2.0 here
  Schema schema;
  uint64_t num_rows = 0;  ///< FileDescriptor.length
  std::vector<ColumnInfo> columns;
  std::vector<io::ByteRange> global_buffers;  ///< [0] is the FileDescriptor
  uint64_t size_bytes = 0;
  uint64_t metadata_bytes = 0;  ///< from the first global buffer 0 byte to the end of the file

  /// What this takes in memory, about.
  uint64_t memory_bytes() const;
};

/// Reads and checks. kCorruption with found against expected; kUnsupported for versions before 2.0,
/// after 2.3, and for encodings kept outside the metadata.
arrow::Result<Container> ReadContainer(io::ObjectReader& object);

/// Only the version, from the footer.
arrow::Result<FileVersion> ReadFileVersion(io::ObjectReader& object);

/// Writes the same. One thread at a time; destroying it unfinished aborts the object.
class ContainerWriter {
 public:
  ContainerWriter(std::unique_ptr<io::ObjectWriter> object, FileVersion version,
                  size_t num_columns);

  /// Appends a data buffer on a 64-byte boundary and returns its range (empty buffers have an
  /// offset too).
  arrow::Result<io::ByteRange> WriteBuffer(const std::shared_ptr<arrow::Buffer>& buffer);
  /// Notes a page whose buffers were written.
  void AddPage(size_t column, PageInfo page);
  /// Serialized Any of the column; the default says "values".
  void SetColumnEncoding(size_t column, std::string encoding);

  uint64_t position() const { return object_->position(); }

  /// Descriptor, metadata, tables and footer. Returns the size of the file.
  arrow::Result<uint64_t> Finish(const Schema& schema, uint64_t num_rows);

  arrow::Status Abort() { return object_->Abort(); }

 private:
  arrow::Status Pad();

  std::unique_ptr<io::ObjectWriter> object_;
  FileVersion version_;
  std::vector<ColumnInfo> columns_;
};

/// A serialized Any: the wrapping of every encoding in the metadata.
std::string WrapAny(std::string_view type_url, std::string value);

}  // namespace glaive::file
