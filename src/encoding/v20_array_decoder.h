// Pages of file version 2.0, bytes -> array. In 2.0 every field owns a physical column: a struct
// has a header column without values, a list a column of offsets, everything else is a leaf column.
// Null structs cannot be expressed. No I/O here, as in page.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "encoding/page.h"

namespace glaive::encoding {

/// A page of a leaf column. LeafDescriptor.path_type is the leaf's own type here. A blob page
/// decodes to its stored descriptors, struct<position: uint64, size: uint64>; (1, 0) stands for
/// null there.
class V20PageDecoder : public PageDecoder {
 public:
  static arrow::Result<std::unique_ptr<V20PageDecoder>> Open(
      std::shared_ptr<const LeafDescriptor> leaf, const PageDescriptor& page);
  /// A page compressed as a whole keeps its decompressed bytes for the next request; this drops
  /// them.
  virtual void ReleaseDecompressed() const = 0;
};

/// Lists of a range of rows: what their offsets say.
struct V20Lists {
  std::vector<uint64_t> lengths;  ///< 0 for a null list
  std::vector<bool> valid;
  uint64_t null_count = 0;
  RowRanges items;  ///< of the column below, relative to the first item of the page; merged where
                    ///< adjacent
};

/// A page of the offsets column of a list. Immutable, thread-safe.
class V20ListPage {
 public:
  /// `name` is the column's, for messages.
  static arrow::Result<std::unique_ptr<V20ListPage>> Open(const PageDescriptor& page,
                                                          std::string_view name);
  virtual ~V20ListPage() = default;
  virtual uint64_t num_rows() const = 0;
  virtual uint64_t num_items() const = 0;  ///< rows of the column below that the page covers
  virtual std::string Describe() const = 0;
  virtual std::vector<BufferRange> DataNeeds(const RowRanges& rows) const = 0;
  /// Appends the rows to `lists`; `first_item` is added to the item ranges.
  virtual arrow::Status Decode(const RowRanges& rows, const Buffers& data, uint64_t first_item,
                               arrow::MemoryPool* pool, V20Lists* lists) const = 0;
};

/// Checks a page of a struct's header column: it must hold no values.
arrow::Status CheckV20StructPage(const PageDescriptor& page, std::string_view name);

/// What the column encoding (a serialized Any) says: true if the column's values are blob
/// descriptors. Zone maps are ignored.
arrow::Result<bool> IsV20BlobColumn(std::string_view encoding);

}  // namespace glaive::encoding
