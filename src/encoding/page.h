// Door of the encoding room: pages of one leaf column, bytes <-> array. No I/O here: a decoder says which
// byte ranges it needs, its caller brings them.
//
// A *leaf* is a field that owns a physical column (file versions 2.1 and later). Its *path array* is the
// top-level column seen through that leaf alone: every struct on the way has one member, e.g.
// list<struct<a: int32>> for the leaf l.item.a; a map appears as list<struct<key>> or list<struct<value>>.
// Decoders return and encoders take path arrays; the file
// room splits columns into paths and zips paths into columns.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"

namespace glaive::encoding {

enum class LeafKind : uint8_t {
  kPrimitive,     ///< any Arrow type without structural children: fixed width, binary, FSL (nested too),
                  ///< dictionary, null, empty struct
  kPackedStruct,  ///< struct stored row by row
  kBlobV1,        ///< 2.1: struct<position u64, size u64> stored in a blob layout
};

/// What an encoder or decoder must know about a leaf. A value.
struct LeafDescriptor {
  LeafKind kind = LeafKind::kPrimitive;
  /// Type of the path array, from the top-level field down to the leaf.
  std::shared_ptr<arrow::DataType> path_type;
  /// Metadata of the leaf field (compression keys are read here) and of the top-level field
  /// (lance-encoding:structural-encoding is read there).
  std::map<std::string, std::string> leaf_metadata;
  std::map<std::string, std::string> column_metadata;
  /// Names column and leaf in messages.
  std::string name;
};

/// A range of bytes of one buffer of a page.
struct BufferRange {
  uint32_t buffer = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
};

using Buffers = std::vector<std::shared_ptr<arrow::Buffer>>;

/// One page as written in the column metadata.
struct PageDescriptor {
  uint64_t num_rows = 0;  ///< Page.length; under fixed_size_list<struct> flattened slots, see there
  std::vector<uint64_t> buffer_sizes;
  std::string_view encoding;  ///< the bytes of DirectEncoding.encoding: a serialized Any. Only read in Open.
  uint16_t version_minor = 2;  ///< of the file: 1, 2 or 3
};

/// Decodes rows of one page (2.1, 2.2, and 2.3 as far as it holds nothing new). Immutable after LoadIndex;
/// then thread-safe.
///
/// Use: Open; fetch IndexNeeds and hand them to LoadIndex (once, then cache the decoder); for each request
/// fetch RowIndexNeeds (often empty), then DataNeeds, then Decode.
class PageDecoder {
 public:
  /// Parses and validates the layout. kCorruption with found against expected; kUnsupported names an
  /// encoding that is unknown (sparse, range, delta, ...).
  static arrow::Result<std::unique_ptr<PageDecoder>> Open(std::shared_ptr<const LeafDescriptor> leaf,
                                                          const PageDescriptor& page);
  virtual ~PageDecoder() = default;

  /// Top-level rows (for a leaf below fixed_size_list<struct>: page length / dimension).
  virtual uint64_t num_rows() const = 0;
  /// One line for `inspect`: layout, encodings and chunk counts, e.g. "mini-block dict[4] lz4(var32), ib32".
  virtual std::string Describe() const = 0;

  /// What must be read once per page: chunk words, dictionary, mini-block repetition index, constants.
  virtual std::vector<BufferRange> IndexNeeds() const = 0;
  virtual arrow::Status LoadIndex(const Buffers& index) = 0;
  virtual bool index_loaded() const = 0;
  /// What the decoder holds in memory, about: the layout, and what LoadIndex made of the index.
  virtual uint64_t memory_bytes() const = 0;

  /// What must be read before the byte ranges of these rows are known (slices of a FullZip repetition
  /// index). Rows are page-relative, sorted, disjoint, within num_rows().
  virtual std::vector<BufferRange> RowIndexNeeds(const RowRanges& rows) const = 0;
  virtual arrow::Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                                            const Buffers& row_index) const = 0;
  /// The rows, concatenated in order, as a path array. `data` are the ranges of DataNeeds in their order.
  /// Zero-copy slices of `data` where the layout allows (plain fixed width without levels).
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows,
                                                              const Buffers& row_index,
                                                              const Buffers& data,
                                                              arrow::MemoryPool* pool) const = 0;
  /// Checks every invariant of the page (chunk counts, repetition index, levels) by decoding all of it.
  virtual arrow::Status Verify(const Buffers& row_index, const Buffers& data) const = 0;
};

/// An encoded page: what goes into the file and into the column metadata.
struct EncodedPage {
  Buffers buffers;       ///< each is to start on a 64-byte boundary of the file
  uint64_t num_rows = 0; ///< Page.length
  std::string encoding;  ///< serialized Any for DirectEncoding.encoding
};

struct EncoderOptions {
  uint16_t version_minor = 2;  ///< 1 or 2
};

/// Turns path arrays into pages, choosing layout and encodings from the data. Thread-safe (stateless).
class PageEncoder {
 public:
  static arrow::Result<std::unique_ptr<PageEncoder>> Make(std::shared_ptr<const LeafDescriptor> leaf,
                                                          const EncoderOptions& options);
  virtual ~PageEncoder() = default;
  /// One or more pages that together hold the rows of `chunks` (path arrays) in order. kUnsupported where
  /// the format version cannot hold the values (e.g. maps before 2.2), by name.
  virtual arrow::Result<std::vector<EncodedPage>> Encode(const arrow::ArrayVector& chunks,
                                                         arrow::MemoryPool* pool) const = 0;
};

}  // namespace glaive::encoding
