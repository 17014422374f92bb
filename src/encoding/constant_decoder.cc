// Pages without values: all visible slots share one value, or there is none.
//
// Buffers: none; value; rep, def; value, rep, def. A level buffer of no bytes means no such levels.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/block_decoder.h"
#include "encoding/layout_decoders.h"

namespace glaive::encoding {
namespace {

using Bytes = std::span<const uint8_t>;

// Entries at which every so-manieth row starts are kept, so that a take need not count from the
// start.
constexpr uint64_t kRowsPerMark = 256;

class ConstantDecoder final : public LayoutDecoder {
 public:
  explicit ConstantDecoder(OpenedPage page) : LayoutDecoder(std::move(page)) {}

  arrow::Status Init();

  std::string Describe() const override;
  std::vector<BufferRange> IndexNeeds() const override;
  arrow::Status LoadIndex(const Buffers& index) override;

  arrow::Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                                    const Buffers&) const override {
    ARROW_RETURN_NOT_OK(CheckRequest(rows));
    return std::vector<BufferRange>{};
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows,
                                                      const Buffers& row_index, const Buffers& data,
                                                      arrow::MemoryPool* pool) const override;

 protected:
  uint64_t IndexBytes() const override {
    return value_.capacity() +
           (levels_.rep.capacity() + levels_.def.capacity()) * sizeof(uint16_t) +
           marks_.capacity() * sizeof(uint64_t);
  }

 private:
  const Layout& layout() const { return *page_.layout; }

  bool has_value_buffer() const { return page_.buffer_sizes.size() % 2 == 1; }

  bool has_level_buffers() const { return page_.buffer_sizes.size() >= 2; }

  bool has_value() const { return layout().has_inline_value || has_value_buffer(); }

  arrow::Status TakeValue(Bytes value);
  arrow::Status TakeValueBuffer(Bytes buffer);
  arrow::Result<std::vector<uint16_t>> TakeLevels(Bytes block, const EncodingPtr& encoding,
                                                  uint64_t count) const;
  arrow::Status TakeLevelBuffers(Bytes rep, Bytes def);
  arrow::Status MarkRows();
  uint64_t EntryOfRow(uint64_t row) const;
  arrow::Result<Levels> LevelsOf(const RowRanges& rows) const;
  arrow::Status Fill(const Levels& levels, LeafBuilder* builder) const;
  arrow::Status FillFixed(uint64_t slots, LeafBuilder* builder) const;

  std::vector<uint8_t> value_;
  Levels levels_;  // of the whole page, if there are level buffers
  std::vector<uint64_t> marks_;
};

arrow::Status ConstantDecoder::Init() {
  GLAIVE_CHECK_FORMAT(page_.buffer_sizes.size() <= 3, "constant page of ",
                      page_.buffer_sizes.size(), " buffers");
  GLAIVE_CHECK_FORMAT(!(layout().has_inline_value && has_value_buffer()),
                      "constant page with an inline value and a value buffer");
  GLAIVE_CHECK_FORMAT(has_level_buffers() || !page_.has_lists() || page_.page_rows == 0,
                      "constant page with lists but without levels");
  const LeafShape& leaf = page_.shape->leaf;
  if (has_value()) {
    GLAIVE_CHECK_FORMAT(
        leaf.storage == LeafStorage::kFixed || leaf.storage == LeafStorage::kVariable,
        "constant page with a value of type ", leaf.type->ToString());
  }
  if (layout().has_inline_value) {
    GLAIVE_CHECK_FORMAT(leaf.storage == LeafStorage::kFixed, "inline value of type ",
                        leaf.type->ToString());
    const auto* bytes = reinterpret_cast<const uint8_t*>(layout().inline_value.data());
    ARROW_RETURN_NOT_OK(TakeValue(Bytes(bytes, layout().inline_value.size())));
  }
  if (!has_value() && !has_level_buffers()) {
    GLAIVE_CHECK_FORMAT(page_.layers.max_def > 0 || leaf.storage == LeafStorage::kNull ||
                            leaf.storage == LeafStorage::kEmptyStruct || page_.page_rows == 0,
                        "constant page without a value whose layers are all valid");
  }
  index_loaded_ = page_.buffer_sizes.empty();
  return arrow::Status::OK();
}

std::string ConstantDecoder::Describe() const {
  std::string text = "constant ";
  text += layout().has_inline_value ? "inline" : has_value_buffer() ? "value" : "null";
  if (has_level_buffers()) {
    const size_t first = has_value_buffer() ? 1 : 0;
    if (page_.buffer_sizes[first] > 0) {
      text += ", rep " + (layout().rep && !has_value() ? DescribeEncoding(*layout().rep) : "raw");
    }
    if (page_.buffer_sizes[first + 1] > 0) {
      text += ", def " + (layout().def && !has_value() ? DescribeEncoding(*layout().def) : "raw");
    }
  }
  return text;
}

std::vector<BufferRange> ConstantDecoder::IndexNeeds() const {
  std::vector<BufferRange> needs;
  for (uint32_t buffer = 0; buffer < page_.buffer_sizes.size(); ++buffer) {
    needs.push_back({buffer, 0, page_.buffer_sizes[buffer]});
  }
  return needs;
}

arrow::Status ConstantDecoder::LoadIndex(const Buffers& index) {
  ARROW_RETURN_NOT_OK(CheckBuffers(IndexNeeds(), index));
  const auto bytes = [&](size_t i) { return Bytes(index[i]->data(), page_.buffer_sizes[i]); };
  size_t next = 0;
  if (has_value_buffer()) {
    ARROW_RETURN_NOT_OK(TakeValueBuffer(bytes(next++)));
  }
  if (has_level_buffers()) {
    ARROW_RETURN_NOT_OK(TakeLevelBuffers(bytes(next), bytes(next + 1)));
  }
  index_loaded_ = true;
  return arrow::Status::OK();
}

arrow::Status ConstantDecoder::TakeValue(Bytes value) {
  const LeafShape& leaf = page_.shape->leaf;
  if (leaf.storage == LeafStorage::kFixed) {
    const uint64_t expected = leaf.bits == 1 ? 1 : leaf.bits / 8;
    GLAIVE_CHECK_FORMAT(value.size() == expected, "constant value of ", value.size(), " bytes for ",
                        leaf.type->ToString(), ", expected ", expected);
  }
  value_.assign(value.begin(), value.end());
  return arrow::Status::OK();
}

arrow::Status ConstantDecoder::TakeValueBuffer(Bytes buffer) {
  const LeafShape& leaf = page_.shape->leaf;
  GLAIVE_CHECK_FORMAT(buffer.size() >= 4, "constant value buffer of ", buffer.size(), " bytes");
  const auto count = LoadLe<uint32_t>(buffer.data());
  const uint32_t expected = leaf.storage == LeafStorage::kVariable ? 2 : 1;
  GLAIVE_CHECK_FORMAT(count == expected && buffer.size() >= 4 + 4 * uint64_t{count},
                      "constant value in ", count, " buffers, expected ", expected);
  uint64_t at = 4 + 4 * uint64_t{count};
  std::array<Bytes, 2> parts;
  for (uint32_t i = 0; i < count; ++i) {
    const auto length = LoadLe<uint32_t>(buffer.data() + 4 + 4 * i);
    GLAIVE_CHECK_FORMAT(length <= buffer.size() - at, "constant value buffer of ", buffer.size(),
                        " bytes with a part of ", length, " at ", at);
    parts[i] = buffer.subspan(at, length);
    at += length;
  }
  if (leaf.storage == LeafStorage::kFixed) {
    return TakeValue(parts[0]);
  }
  const uint64_t width = leaf.offset_bits / 8;
  GLAIVE_CHECK_FORMAT(parts[0].size() == 2 * width, "constant value with ", parts[0].size(),
                      " bytes of offsets, expected ", 2 * width);
  const uint64_t from =
      width == 4 ? LoadLe<uint32_t>(parts[0].data()) : LoadLe<uint64_t>(parts[0].data());
  const uint64_t to =
      width == 4 ? LoadLe<uint32_t>(parts[0].data() + 4) : LoadLe<uint64_t>(parts[0].data() + 8);
  GLAIVE_CHECK_FORMAT(from <= to && to <= parts[1].size(), "constant value at bytes ", from, " to ",
                      to, " of ", parts[1].size());
  return TakeValue(parts[1].subspan(from, to - from));
}

arrow::Result<std::vector<uint16_t>> ConstantDecoder::TakeLevels(Bytes block,
                                                                 const EncodingPtr& encoding,
                                                                 uint64_t count) const {
  std::vector<uint16_t> levels;
  if (block.empty() && count == 0) {
    return levels;
  }
  // Beside a value, levels are raw whatever the layout says.
  if (!encoding || has_value()) {
    GLAIVE_CHECK_FORMAT(block.size() % 2 == 0, "raw levels of ", block.size(), " bytes");
    levels.resize(block.size() / 2);
    if (!levels.empty()) {
      std::memcpy(levels.data(), block.data(), block.size());
    }
    return levels;
  }
  GLAIVE_CHECK_FORMAT(count <= MostBlockValues(*encoding, block.size()), count, " levels as ",
                      DescribeEncoding(*encoding), " in ", block.size(), " bytes");
  levels.resize(count);
  ARROW_RETURN_NOT_OK(DecodeBlock(*encoding, block, count, levels.data()));
  return levels;
}

arrow::Status ConstantDecoder::TakeLevelBuffers(Bytes rep, Bytes def) {
  ARROW_ASSIGN_OR_RAISE(levels_.rep, TakeLevels(rep, layout().rep, layout().num_rep_values));
  ARROW_ASSIGN_OR_RAISE(levels_.def, TakeLevels(def, layout().def, layout().num_def_values));
  GLAIVE_CHECK_FORMAT(page_.has_lists() || levels_.rep.empty(),
                      "repetition levels on a page without lists");
  GLAIVE_CHECK_FORMAT(
      levels_.rep.empty() || levels_.def.empty() || levels_.rep.size() == levels_.def.size(),
      levels_.rep.size(), " repetition levels and ", levels_.def.size(), " definition levels");
  levels_.num_entries = std::max(levels_.rep.size(), levels_.def.size());
  if (!page_.has_lists()) {
    GLAIVE_CHECK_FORMAT(levels_.def.empty() || levels_.def.size() == page_.page_rows, "page of ",
                        page_.page_rows, " rows with ", levels_.def.size(), " definition levels");
    levels_.num_entries = page_.page_rows;
  } else {
    GLAIVE_CHECK_FORMAT(!levels_.rep.empty() || page_.page_rows == 0,
                        "page with lists without repetition levels");
  }
  ARROW_RETURN_NOT_OK(CheckLevels(levels_.rep, levels_.def, page_.layers));
  return page_.has_lists() ? MarkRows() : arrow::Status::OK();
}

arrow::Status ConstantDecoder::MarkRows() {
  uint64_t rows = 0;
  for (uint64_t entry = 0; entry < levels_.rep.size(); ++entry) {
    if (levels_.rep[entry] == page_.layers.num_lists) {
      if (rows % kRowsPerMark == 0) {
        marks_.push_back(entry);
      }
      ++rows;
    }
  }
  GLAIVE_CHECK_FORMAT(rows == page_.page_rows, "levels of ", rows, " rows, the page has ",
                      page_.page_rows);
  GLAIVE_CHECK_FORMAT(marks_.empty() || marks_[0] == 0, "levels that start in the middle of a row");
  return arrow::Status::OK();
}

uint64_t ConstantDecoder::EntryOfRow(uint64_t row) const {
  if (row >= page_.page_rows) {
    return levels_.num_entries;
  }
  uint64_t entry = marks_[row / kRowsPerMark];
  for (uint64_t left = row % kRowsPerMark; left > 0;) {
    left -= levels_.rep[++entry] == page_.layers.num_lists;
  }
  return entry;
}

arrow::Result<Levels> ConstantDecoder::LevelsOf(const RowRanges& rows) const {
  Levels levels;
  if (!has_level_buffers()) {
    levels.num_entries = CountRows(rows);
    if (!has_value() && page_.layers.max_def > 0) {
      if (levels.num_entries > kMaxDecompressedBytes) {
        return ResourceExhausted("a read of ", levels.num_entries, " null rows at once");
      }
      levels.def.assign(levels.num_entries, 1);  // null at the innermost level that can be
    }
    return levels;
  }
  for (const auto& range : rows) {
    const uint64_t from = page_.has_lists() ? EntryOfRow(range.start) : range.start;
    const uint64_t to = page_.has_lists() ? EntryOfRow(range.end) : range.end;
    levels.num_entries += to - from;
    if (!levels_.rep.empty()) {
      levels.rep.insert(levels.rep.end(), levels_.rep.data() + from, levels_.rep.data() + to);
    }
    if (!levels_.def.empty()) {
      levels.def.insert(levels.def.end(), levels_.def.data() + from, levels_.def.data() + to);
    }
  }
  return levels;
}

arrow::Status ConstantDecoder::FillFixed(uint64_t slots, LeafBuilder* builder) const {
  if (page_.shape->leaf.bits == 1) {
    const std::array<uint8_t, 64> same = [&] {
      std::array<uint8_t, 64> bytes;
      bytes.fill(value_[0] != 0 ? 0xFF : 0);
      return bytes;
    }();
    for (uint64_t done = 0; done < slots;) {
      const uint64_t some = std::min<uint64_t>(slots - done, 8 * same.size());
      ARROW_RETURN_NOT_OK(builder->AddBits(same.data(), 0, some));
      done += some;
    }
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t * out, builder->AddFixed(slots));
  const uint64_t width = value_.size();
  const uint64_t total = slots * width;
  if (total == 0) {
    return arrow::Status::OK();
  }
  // Doubles what is there.
  std::memcpy(out, value_.data(), width);
  for (uint64_t done = width; done < total;) {
    const uint64_t some = std::min(done, total - done);
    std::memcpy(out + done, out, some);
    done += some;
  }
  return arrow::Status::OK();
}

arrow::Status ConstantDecoder::Fill(const Levels& levels, LeafBuilder* builder) const {
  const uint64_t slots =
      levels.def.empty() ? levels.num_entries : CountVisible(levels.def, page_.layers.max_visible);
  ARROW_RETURN_NOT_OK(builder->Reserve(slots));
  if (!has_value()) {
    return builder->AddFiller(slots);
  }
  if (page_.shape->leaf.storage == LeafStorage::kFixed) {
    return FillFixed(slots, builder);
  }
  // A null's value has no bytes.
  for (uint64_t i = 0; i < levels.num_entries; ++i) {
    const uint16_t def = levels.def.empty() ? uint16_t{0} : levels.def[i];
    if (def > page_.layers.max_visible) {
      continue;
    }
    if (def == 0 && !value_.empty()) {
      ARROW_ASSIGN_OR_RAISE(uint8_t * to, builder->Bytes()->Extend(value_.size()));
      std::memcpy(to, value_.data(), value_.size());
    }
    ARROW_RETURN_NOT_OK(builder->EndValue());
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> ConstantDecoder::Decode(
    const RowRanges& rows, const Buffers&, const Buffers& data, arrow::MemoryPool* pool) const {
  ARROW_RETURN_NOT_OK(CheckRequest(rows));
  ARROW_RETURN_NOT_OK(CheckBuffers({}, data));
  ARROW_ASSIGN_OR_RAISE(const Levels levels, LevelsOf(PageRows(rows)));
  LeafBuilder builder(page_.shape->leaf, pool);
  ARROW_RETURN_NOT_OK(Fill(levels, &builder));
  return Assemble(levels, &builder, CountRows(rows), pool);
}

}  // namespace

arrow::Result<std::unique_ptr<PageDecoder>> MakeConstantDecoder(OpenedPage page) {
  auto decoder = std::make_unique<ConstantDecoder>(std::move(page));
  ARROW_RETURN_NOT_OK(decoder->Init());
  return decoder;
}

}  // namespace glaive::encoding
