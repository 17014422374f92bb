// Pages of blobs (2.1): an inner page of descriptors, rows of (position, size). Nulls and their
// levels hide in descriptors of size 0: position = definition << 16 | repetition.
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/status.h"
#include "encoding/layout_decoders.h"

namespace glaive::encoding {
namespace {

class BlobLayoutDecoder final : public LayoutDecoder {
 public:
  BlobLayoutDecoder(OpenedPage page, std::unique_ptr<PageDecoder> inner)
      : LayoutDecoder(std::move(page)), inner_(std::move(inner)) {
    index_loaded_ = inner_->index_loaded();
  }

  std::string Describe() const override { return "blob " + inner_->Describe(); }

  std::vector<BufferRange> IndexNeeds() const override { return inner_->IndexNeeds(); }

  arrow::Status LoadIndex(const Buffers& index) override {
    ARROW_RETURN_NOT_OK(inner_->LoadIndex(index));
    index_loaded_ = true;
    return arrow::Status::OK();
  }

  std::vector<BufferRange> RowIndexNeeds(const RowRanges& rows) const override {
    return inner_->RowIndexNeeds(PageRows(rows));
  }

  arrow::Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                                    const Buffers& row_index) const override {
    ARROW_RETURN_NOT_OK(CheckRequest(rows));
    return inner_->DataNeeds(PageRows(rows), row_index);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows,
                                                      const Buffers& row_index, const Buffers& data,
                                                      arrow::MemoryPool* pool) const override {
    ARROW_RETURN_NOT_OK(CheckRequest(rows));
    ARROW_ASSIGN_OR_RAISE(auto descriptors, inner_->Decode(PageRows(rows), row_index, data, pool));
    auto leaf = descriptors->data()->Copy();
    uint64_t* positions = leaf->child_data[0]->GetMutableValues<uint64_t>(1);
    const uint64_t* sizes = leaf->child_data[1]->GetValues<uint64_t>(1);
    Levels levels;
    levels.num_entries = static_cast<uint64_t>(leaf->length);
    levels.def.assign(levels.num_entries, 0);
    for (uint64_t i = 0; i < levels.num_entries; ++i) {
      if (sizes[i] != 0 || positions[i] == 0) {
        continue;
      }
      const uint64_t def = positions[i] >> 16;
      GLAIVE_CHECK_FORMAT((positions[i] & 0xFFFF) == 0 && def <= page_.layers.max_def,
                          "blob descriptor with levels ", positions[i]);
      levels.def[i] = static_cast<uint16_t>(def);
      positions[i] = 0;
    }
    ARROW_ASSIGN_OR_RAISE(auto validity, LeafValidity(levels, page_.layers, pool));
    leaf->buffers[0] = std::move(validity.bitmap);
    leaf->null_count = validity.null_count;
    ARROW_ASSIGN_OR_RAISE(auto path,
                          AssemblePath(levels, page_.layers, *page_.shape, std::move(leaf), pool));
    return arrow::MakeArray(std::move(path));
  }

 protected:
  uint64_t IndexBytes() const override { return inner_->memory_bytes(); }

 private:
  std::unique_ptr<PageDecoder> inner_;
};

}  // namespace

arrow::Result<std::unique_ptr<PageDecoder>> MakeBlobLayoutDecoder(OpenedPage page) {
  if (page.has_lists()) {
    return Unsupported("a blob page below lists");
  }
  const LeafShape& leaf = page.shape->leaf;
  bool fits = leaf.storage == LeafStorage::kStruct && leaf.fields.size() == 2;
  for (const auto& field : leaf.fields) {
    fits = fits && field.type->id() == arrow::Type::UINT64;
  }
  GLAIVE_CHECK_FORMAT(fits, "a blob page for a column of ", leaf.type->ToString(),
                      ", expected struct<position, size>");
  OpenedPage inner;
  PathShape shape;
  shape.leaf = leaf;
  inner.shape = std::make_shared<const PathShape>(std::move(shape));
  inner.layout = page.layout->inner;
  inner.layers = MakeLayers(inner.layout->layers);
  ARROW_RETURN_NOT_OK(CheckLayers(inner.layers, *inner.shape));
  inner.page_rows = inner.num_rows = page.page_rows;
  inner.buffer_sizes = page.buffer_sizes;
  ARROW_ASSIGN_OR_RAISE(auto decoder, MakeLayoutDecoder(std::move(inner)));
  return std::make_unique<BlobLayoutDecoder>(std::move(page), std::move(decoder));
}

}  // namespace glaive::encoding
