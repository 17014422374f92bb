// What the decoders of the page layouts share, and how page_decoder.cc makes them. Private to the
// encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "encoding/layers.h"
#include "encoding/layout.h"
#include "encoding/leaf_builder.h"
#include "encoding/leaf_shape.h"
#include "encoding/page.h"

namespace glaive::encoding {

/// A page as Open found it. A value.
struct OpenedPage {
  std::shared_ptr<const PathShape> shape;
  std::shared_ptr<const Layout> layout;
  Layers layers;
  uint64_t page_rows = 0;  ///< rows * shape->slots_per_row
  uint64_t num_rows = 0;
  std::vector<uint64_t> buffer_sizes;

  bool has_lists() const { return layers.num_lists > 0; }
};

/// Immutable after LoadIndex.
class LayoutDecoder : public PageDecoder {
 public:
  uint64_t num_rows() const override { return page_.num_rows; }

  bool index_loaded() const override { return index_loaded_; }

  uint64_t memory_bytes() const override { return kLayoutBytes + IndexBytes(); }

  std::vector<BufferRange> RowIndexNeeds(const RowRanges&) const override { return {}; }

  arrow::Status Verify(const Buffers& row_index, const Buffers& data) const override;

 protected:
  /// Layout, shape and layers of a page with the decoder itself, about.
  static constexpr uint64_t kLayoutBytes = 1024;

  /// What LoadIndex made, besides.
  virtual uint64_t IndexBytes() const { return 0; }

  explicit LayoutDecoder(OpenedPage page) : page_(std::move(page)) {}

  /// The index must be loaded and `rows` be sorted, disjoint and within the page.
  arrow::Status CheckRequest(const RowRanges& rows) const;
  /// Rows in units of Page.length, adjacent ranges merged.
  RowRanges PageRows(const RowRanges& rows) const;
  /// The path array of what was decoded, checked to have `num_rows` rows.
  arrow::Result<std::shared_ptr<arrow::Array>> Assemble(const Levels& levels, LeafBuilder* builder,
                                                        uint64_t num_rows,
                                                        arrow::MemoryPool* pool) const;

  const OpenedPage page_;
  bool index_loaded_ = false;
};

/// `data` must be the buffers of `needs`, none shorter than asked for.
arrow::Status CheckBuffers(const std::vector<BufferRange>& needs, const Buffers& data);

arrow::Result<std::unique_ptr<PageDecoder>> MakeMiniBlockDecoder(OpenedPage page);
arrow::Result<std::unique_ptr<PageDecoder>> MakeFullZipDecoder(OpenedPage page);
arrow::Result<std::unique_ptr<PageDecoder>> MakeConstantDecoder(OpenedPage page);
arrow::Result<std::unique_ptr<PageDecoder>> MakeBlobLayoutDecoder(OpenedPage page);

/// By the kind of page.layout.
arrow::Result<std::unique_ptr<PageDecoder>> MakeLayoutDecoder(OpenedPage page);

}  // namespace glaive::encoding
