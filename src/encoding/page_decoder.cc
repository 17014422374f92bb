#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

#include "base/status.h"
#include "encoding/layout_decoders.h"
#include "encoding/page.h"

namespace glaive::encoding {
namespace {

// Pages of empty structs have one nullable layer and nothing else, whatever stands around them; all
// their slots are valid.
std::vector<LayerKind> LayersOf(const Layout& layout, const PathShape& shape,
                                const PageDescriptor& descriptor) {
  const bool is_bare = layout.kind == LayoutKind::kConstant && !layout.has_inline_value &&
                       descriptor.buffer_sizes.empty() && layout.layers.size() == 1;
  const bool below_list = std::any_of(shape.nodes.begin(), shape.nodes.end(),
                                      [](const PathNode& node) { return node.is_list(); });
  if (is_bare && !below_list && shape.leaf.storage == LeafStorage::kEmptyStruct) {
    return std::vector<LayerKind>(shape.nodes.size() + 1, LayerKind::kAllValidItem);
  }
  return layout.layers;
}

arrow::Result<std::unique_ptr<PageDecoder>> OpenPage(const LeafDescriptor& leaf,
                                                     const PageDescriptor& descriptor) {
  OpenedPage page;
  ARROW_ASSIGN_OR_RAISE(auto shape, MakePathShape(leaf));
  page.shape = std::make_shared<const PathShape>(std::move(shape));
  ARROW_ASSIGN_OR_RAISE(page.layout, ParseLayout(descriptor.encoding, descriptor.version_minor));
  page.layers = MakeLayers(LayersOf(*page.layout, *page.shape, descriptor));
  ARROW_RETURN_NOT_OK(CheckLayers(page.layers, *page.shape));
  const uint64_t slots = page.shape->length_per_row;
  GLAIVE_CHECK_FORMAT(descriptor.num_rows % slots == 0, "page of ", descriptor.num_rows,
                      " slots below fixed-size lists of ", slots);
  GLAIVE_CHECK_FORMAT(descriptor.num_rows <= INT64_MAX, "page of ", descriptor.num_rows, " rows");
  page.num_rows = descriptor.num_rows / slots;
  page.page_rows = page.num_rows * page.shape->slots_per_row;
  page.buffer_sizes = descriptor.buffer_sizes;
  return MakeLayoutDecoder(std::move(page));
}

}  // namespace

arrow::Result<std::unique_ptr<PageDecoder>> PageDecoder::Open(
    std::shared_ptr<const LeafDescriptor> leaf, const PageDescriptor& page) {
  GLAIVE_CHECK_ARGUMENT(leaf != nullptr, "no leaf given");
  if (page.version_minor < 1 || page.version_minor > 3) {
    return Unsupported("pages of file version 2.", page.version_minor);
  }
  auto decoder = OpenPage(*leaf, page);
  if (!decoder.ok()) {
    return WithContext(decoder.status(), Concat("page of column '", leaf->name, "'"));
  }
  return decoder;
}

arrow::Result<std::unique_ptr<PageDecoder>> MakeLayoutDecoder(OpenedPage page) {
  switch (page.layout->kind) {
    case LayoutKind::kMiniBlock:
      return MakeMiniBlockDecoder(std::move(page));
    case LayoutKind::kFullZip:
      return MakeFullZipDecoder(std::move(page));
    case LayoutKind::kConstant:
      return MakeConstantDecoder(std::move(page));
    case LayoutKind::kBlob:
      return MakeBlobLayoutDecoder(std::move(page));
  }
  return InternalError("unknown page layout");
}

arrow::Status CheckBuffers(const std::vector<BufferRange>& needs, const Buffers& data) {
  GLAIVE_CHECK_ARGUMENT(needs.size() == data.size(), "got ", data.size(),
                        " buffers of a page, expected ", needs.size());
  for (size_t i = 0; i < needs.size(); ++i) {
    GLAIVE_CHECK_ARGUMENT(
        data[i] != nullptr && static_cast<uint64_t>(data[i]->size()) >= needs[i].length, "got ",
        data[i] ? data[i]->size() : 0, " bytes of a page buffer, expected ", needs[i].length);
  }
  return arrow::Status::OK();
}

arrow::Status LayoutDecoder::CheckRequest(const RowRanges& rows) const {
  GLAIVE_CHECK_ARGUMENT(index_loaded_, "the index of the page is not loaded");
  uint64_t end = 0;
  for (const auto& range : rows) {
    GLAIVE_CHECK_ARGUMENT(
        range.start >= end && range.start < range.end && range.end <= page_.num_rows, "rows [",
        range.start, ", ", range.end, ") of a page of ", page_.num_rows,
        " rows, asked for after row ", end);
    end = range.end;
  }
  return arrow::Status::OK();
}

RowRanges LayoutDecoder::PageRows(const RowRanges& rows) const {
  const uint64_t slots = page_.shape->slots_per_row;
  RowRanges merged;
  merged.reserve(rows.size());
  for (const auto& range : rows) {
    if (!merged.empty() && merged.back().end == range.start * slots) {
      merged.back().end = range.end * slots;
    } else {
      merged.push_back({range.start * slots, range.end * slots});
    }
  }
  return merged;
}

arrow::Result<std::shared_ptr<arrow::Array>> LayoutDecoder::Assemble(
    const Levels& levels, LeafBuilder* builder, uint64_t num_rows, arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(auto validity, LeafValidity(levels, page_.layers, pool));
  ARROW_ASSIGN_OR_RAISE(auto leaf, builder->Finish(std::move(validity)));
  ARROW_ASSIGN_OR_RAISE(auto data,
                        AssemblePath(levels, page_.layers, *page_.shape, std::move(leaf), pool));
  GLAIVE_CHECK_FORMAT(static_cast<uint64_t>(data->length) == num_rows, "levels give ", data->length,
                      " rows, expected ", num_rows);
  return arrow::MakeArray(std::move(data));
}

arrow::Status LayoutDecoder::Verify(const Buffers& row_index, const Buffers& data) const {
  if (page_.num_rows == 0) {
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(
      auto array, Decode({{0, page_.num_rows}}, row_index, data, arrow::default_memory_pool()));
  const arrow::Status valid = array->ValidateFull();
  GLAIVE_CHECK_FORMAT(valid.ok(), "values that are not valid: ", valid.message());
  return arrow::Status::OK();
}

}  // namespace glaive::encoding
