// Pages whose rows lie one after the other, each with its levels: a row is read alone.
//
// Buffers: rows, [repetition index]. An entry is a control word of levels, then its value: for
// fixed width its bytes, for variable width a length and bytes (absent for nulls).
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/status.h"
#include "encoding/fsst_decoder.h"
#include "encoding/general_decoder.h"
#include "encoding/layout_decoders.h"
#include "encoding/scratch.h"

namespace glaive::encoding {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr uint32_t kRowsBuffer = 0;
constexpr uint32_t kIndexBuffer = 1;

uint64_t LoadNumber(const uint8_t* at, uint64_t bytes) {
  switch (bytes) {
    case 0:
      return 0;
    case 1:
      return *at;
    case 2:
      return LoadLe<uint16_t>(at);
    case 4:
      return LoadLe<uint32_t>(at);
    default:
      return LoadLe<uint64_t>(at);
  }
}

// Turns the stored bytes of one value of variable width into a slot of a builder. Immutable.
class ValueReader {
 public:
  static arrow::Result<ValueReader> Make(const Encoding& encoding, const LeafShape& shape) {
    ValueReader reader;
    const Encoding* at = &encoding;
    while (at->kind == EncodingKind::kGeneral) {
      reader.schemes_.push_back(at->scheme);
      at = at->values.get();
    }
    if (at->kind == EncodingKind::kFsst) {
      ARROW_ASSIGN_OR_RAISE(auto fsst, FsstDecoder::Make(at->symbol_table));
      if (fsst.is_encoded()) {
        reader.fsst_ = std::make_shared<const FsstDecoder>(std::move(fsst));
      }
      at = at->values.get();
    }
    if (at->kind == EncodingKind::kVariablePackedStruct) {
      ARROW_RETURN_NOT_OK(reader.AddFields(*at, shape));
    } else {
      GLAIVE_CHECK_FORMAT(
          at->kind == EncodingKind::kVariable && shape.storage == LeafStorage::kVariable &&
              at->bits == shape.offset_bits,
          "values of type ", shape.type->ToString(), " encoded as ", DescribeEncoding(encoding));
    }
    return reader;
  }

  bool is_plain() const { return schemes_.empty() && !fsst_ && fields_.empty(); }

  arrow::Status Append(Bytes stored, Scratch scratch[2], LeafBuilder* builder) const {
    for (size_t i = 0; i < schemes_.size() && !stored.empty(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(schemes_[i], stored));
      uint8_t* out = scratch[i % 2].Get(size);
      ARROW_RETURN_NOT_OK(Decompress(schemes_[i], stored, out, size));
      stored = Bytes(out, size);
    }
    if (!fields_.empty()) {
      return AppendFields(stored, scratch, builder);
    }
    GrowingBuffer* bytes = builder->Bytes();
    if (fsst_) {
      ARROW_RETURN_NOT_OK(
          bytes->Reserve(stored.size() * FsstDecoder::kMostPerByte + FsstDecoder::kSlack));
      uint8_t* to = bytes->data() + bytes->size();
      const uint8_t* end = fsst_->Decode(stored.data(), stored.data() + stored.size(), to);
      GLAIVE_CHECK_FORMAT(end != nullptr, "an fsst value with codes that its table lacks");
      bytes->Advance(static_cast<uint64_t>(end - to));
    } else {
      ARROW_ASSIGN_OR_RAISE(uint8_t* to, bytes->Extend(stored.size()));
      if (!stored.empty()) {
        std::memcpy(to, stored.data(), stored.size());
      }
    }
    return builder->EndValue();
  }

 private:
  struct Field {
    bool is_variable = false;
    uint64_t bytes = 0;  // of the value, or of the length in front of it
    std::shared_ptr<const ValueReader> reader;
  };

  arrow::Status AddFields(const Encoding& encoding, const LeafShape& shape) {
    GLAIVE_CHECK_FORMAT(shape.storage == LeafStorage::kStruct && !shape.fields.empty() &&
                            shape.fields.size() == encoding.fields.size(),
                        "values of type ", shape.type->ToString(), " encoded as ",
                        DescribeEncoding(encoding));
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      const PackedField& from = encoding.fields[i];
      const LeafShape& member = shape.fields[i];
      Field field;
      field.is_variable = from.is_variable;
      field.bytes = from.bits / 8;
      if (field.is_variable) {
        ARROW_ASSIGN_OR_RAISE(auto reader, Make(*from.value, member));
        field.reader = std::make_shared<const ValueReader>(std::move(reader));
      } else {
        GLAIVE_CHECK_FORMAT(member.storage != LeafStorage::kVariable && member.bits == from.bits &&
                                (from.value->kind == EncodingKind::kFlat ||
                                 from.value->kind == EncodingKind::kFixedSizeList),
                            "packed member of type ", member.type->ToString(), " encoded as ",
                            DescribeEncoding(*from.value), " in ", from.bits, " bits");
      }
      fields_.push_back(std::move(field));
    }
    return arrow::Status::OK();
  }

  arrow::Status AppendFields(Bytes row, Scratch scratch[2], LeafBuilder* builder) const {
    uint64_t at = 0;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const Field& field = fields_[i];
      GLAIVE_CHECK_FORMAT(row.size() - at >= field.bytes, "packed row of ", row.size(),
                          " bytes that ends within member ", i);
      if (!field.is_variable) {
        ARROW_ASSIGN_OR_RAISE(uint8_t* to, builder->field(i)->AddFixed(1));
        std::memcpy(to, row.data() + at, field.bytes);
        at += field.bytes;
        continue;
      }
      const uint64_t length = LoadNumber(row.data() + at, field.bytes);
      at += field.bytes;
      GLAIVE_CHECK_FORMAT(length <= row.size() - at, "packed row of ", row.size(), " bytes with ",
                          length, " bytes for member ", i);
      // Rows under general compression fill the first scratches: their members take others.
      Scratch own[2];
      Scratch* use = schemes_.empty() ? scratch : own;
      ARROW_RETURN_NOT_OK(field.reader->Append(row.subspan(at, length), use, builder->field(i)));
      at += length;
    }
    GLAIVE_CHECK_FORMAT(at == row.size(), "packed row of ", row.size(), " bytes, its members take ",
                        at);
    builder->EndRow();
    return arrow::Status::OK();
  }

  std::vector<GeneralScheme> schemes_;
  std::shared_ptr<const FsstDecoder> fsst_;
  std::vector<Field> fields_;
};

class FullZipDecoder final : public LayoutDecoder {
 public:
  explicit FullZipDecoder(OpenedPage page) : LayoutDecoder(std::move(page)) {}

  arrow::Status Init();

  std::string Describe() const override;

  std::vector<BufferRange> IndexNeeds() const override { return {}; }

  arrow::Status LoadIndex(const Buffers& index) override { return CheckBuffers({}, index); }

  std::vector<BufferRange> RowIndexNeeds(const RowRanges& rows) const override;
  arrow::Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                                    const Buffers& row_index) const override;
  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows,
                                                      const Buffers& row_index, const Buffers& data,
                                                      arrow::MemoryPool* pool) const override;

 private:
  const Layout& layout() const { return *page_.layout; }

  bool has_row_index() const { return page_.has_lists() || layout().is_variable; }

  arrow::Status InitFixed();
  arrow::Status InitIndex();

  uint16_t Rep(uint64_t word) const { return static_cast<uint16_t>(word >> layout().bits_def); }

  uint16_t Def(uint64_t word) const {
    return static_cast<uint16_t>(word & ((uint64_t{1} << layout().bits_def) - 1));
  }

  // Takes the levels of an entry; false if one is out of bounds.
  bool AddLevels(uint64_t word, Levels* levels) const;

  arrow::Status AppendFixed(const uint8_t* values, uint64_t count, LeafBuilder* builder) const;
  arrow::Status DecodeFixed(Bytes rows, Levels* levels, LeafBuilder* builder) const;
  arrow::Status DecodeVariable(Bytes rows, Levels* levels, LeafBuilder* builder) const;
  bool CanSlice(const arrow::Buffer& rows) const;

  uint64_t control_bytes_ = 0;
  uint64_t value_bytes_ = 0;              // fixed width, item validity included
  uint64_t index_bytes_ = 0;              // of one number of the repetition index
  std::vector<uint64_t> validity_bytes_;  // per level of a fixed-size list, 0: all valid
  std::vector<uint64_t> validity_bits_;
  uint64_t validity_total_ = 0;
  bool items_absent_ = false;
  std::optional<ValueReader> reader_;
};

arrow::Status FullZipDecoder::Init() {
  const uint32_t bits = layout().bits_rep + layout().bits_def;
  control_bytes_ = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  GLAIVE_CHECK_FORMAT(page_.has_lists() == (layout().bits_rep > 0), "full-zip page with ",
                      page_.layers.num_lists, " list layers and ", layout().bits_rep,
                      " bits of repetition");
  const size_t expected = has_row_index() ? 2 : 1;
  GLAIVE_CHECK_FORMAT(page_.buffer_sizes.size() == expected, "full-zip page of ",
                      page_.buffer_sizes.size(), " buffers, expected ", expected);
  if (layout().is_variable) {
    ARROW_ASSIGN_OR_RAISE(auto reader, ValueReader::Make(*layout().value, page_.shape->leaf));
    reader_ = std::move(reader);
    GLAIVE_CHECK_FORMAT(page_.shape->leaf.storage != LeafStorage::kVariable ||
                            page_.shape->leaf.offset_bits == layout().bits,
                        "full-zip lengths of ", layout().bits, " bits for ",
                        page_.shape->leaf.type->ToString());
  } else {
    ARROW_RETURN_NOT_OK(InitFixed());
  }
  index_loaded_ = true;
  return InitIndex();
}

arrow::Status FullZipDecoder::InitFixed() {
  const LeafShape& leaf = page_.shape->leaf;
  value_bytes_ = layout().bits / 8;
  const Encoding* at = layout().value.get();
  bool fits = false;
  uint64_t expected = 0;
  switch (leaf.storage) {
    case LeafStorage::kFixed:
      expected = leaf.bits == 1 ? 8 : leaf.bits;  // bools take a byte here
      fits = at->kind == EncodingKind::kFlat && at->bits == expected;
      break;
    case LeafStorage::kStruct:
      expected = leaf.bits;
      fits = at->kind == EncodingKind::kPackedStruct && at->bits == expected;
      for (const auto& field : leaf.fields) {
        fits = fits && field.storage != LeafStorage::kVariable;
      }
      break;
    case LeafStorage::kFixedSizeList: {
      uint64_t items = 1;
      fits = true;
      for (const int32_t dimension : leaf.dimensions) {
        fits = fits && at->kind == EncodingKind::kFixedSizeList &&
               at->items_per_value == static_cast<uint64_t>(dimension);
        if (!fits) {
          break;
        }
        items *= static_cast<uint64_t>(dimension);
        validity_bits_.push_back(items);
        validity_bytes_.push_back(at->has_validity ? (items + 7) / 8 : 0);
        validity_total_ += validity_bytes_.back();
        at = at->values.get();
      }
      // Items that are all null have no bytes.
      items_absent_ = at->kind == EncodingKind::kConstant;
      fits = fits && (items_absent_ ||
                      (at->kind == EncodingKind::kFlat && at->bits == leaf.item_bits));
      expected = 8 * (validity_total_ + (items_absent_ ? 0 : (leaf.bits + 7) / 8));
      break;
    }
    default:
      break;
  }
  GLAIVE_CHECK_FORMAT(fits && layout().bits == expected, "full-zip values of type ",
                      leaf.type->ToString(), " encoded as ", DescribeEncoding(*layout().value),
                      " in ", layout().bits, " bits");
  return arrow::Status::OK();
}

arrow::Status FullZipDecoder::InitIndex() {
  if (has_row_index()) {
    const uint64_t size = page_.buffer_sizes[kIndexBuffer];
    index_bytes_ = size / (page_.page_rows + 1);
    GLAIVE_CHECK_FORMAT(
        size % (page_.page_rows + 1) == 0 &&
            (index_bytes_ == 1 || index_bytes_ == 2 || index_bytes_ == 4 || index_bytes_ == 8),
        "repetition index of ", size, " bytes for ", page_.page_rows, " rows");
    return arrow::Status::OK();
  }
  uint64_t needed = 0;
  GLAIVE_CHECK_FORMAT(CheckedMul(page_.page_rows, control_bytes_ + value_bytes_, &needed) &&
                          needed <= page_.buffer_sizes[kRowsBuffer],
                      "full-zip page of ", page_.page_rows, " rows of ",
                      control_bytes_ + value_bytes_, " bytes in a buffer of ",
                      page_.buffer_sizes[kRowsBuffer]);
  return arrow::Status::OK();
}

std::string FullZipDecoder::Describe() const {
  std::string text = "full-zip " + DescribeEncoding(*layout().value);
  if (layout().bits_rep > 0) {
    text += Concat(", rep ", layout().bits_rep, " bits");
  }
  if (layout().bits_def > 0) {
    text += Concat(", def ", layout().bits_def, " bits");
  }
  return text;
}

std::vector<BufferRange> FullZipDecoder::RowIndexNeeds(const RowRanges& rows) const {
  std::vector<BufferRange> needs;
  if (has_row_index()) {
    for (const auto& range : PageRows(rows)) {
      needs.push_back(
          {kIndexBuffer, range.start * index_bytes_, (range.size() + 1) * index_bytes_});
    }
  }
  return needs;
}

arrow::Result<std::vector<BufferRange>> FullZipDecoder::DataNeeds(const RowRanges& rows,
                                                                  const Buffers& row_index) const {
  ARROW_RETURN_NOT_OK(CheckRequest(rows));
  ARROW_RETURN_NOT_OK(CheckBuffers(RowIndexNeeds(rows), row_index));
  std::vector<BufferRange> needs;
  size_t next = 0;
  for (const auto& range : PageRows(rows)) {
    if (!has_row_index()) {
      const uint64_t stride = control_bytes_ + value_bytes_;
      needs.push_back({kRowsBuffer, range.start * stride, range.size() * stride});
      continue;
    }
    const uint8_t* index = row_index[next++]->data();
    const uint64_t from = LoadNumber(index, index_bytes_);
    const uint64_t to = LoadNumber(index + range.size() * index_bytes_, index_bytes_);
    GLAIVE_CHECK_FORMAT(from <= to && to <= page_.buffer_sizes[kRowsBuffer], "rows [", range.start,
                        ", ", range.end, ") at bytes ", from, " to ", to, " of ",
                        page_.buffer_sizes[kRowsBuffer]);
    needs.push_back({kRowsBuffer, from, to - from});
  }
  return needs;
}

bool FullZipDecoder::AddLevels(uint64_t word, Levels* levels) const {
  ++levels->num_entries;
  bool fits = true;
  if (layout().bits_rep > 0) {
    levels->rep.push_back(Rep(word));
    fits = levels->rep.back() <= page_.layers.num_lists;
  }
  if (layout().bits_def > 0) {
    levels->def.push_back(Def(word));
    fits &= levels->def.back() <= page_.layers.max_def;
  }
  return fits;
}

arrow::Status FullZipDecoder::AppendFixed(const uint8_t* values, uint64_t count,
                                          LeafBuilder* builder) const {
  const LeafShape& leaf = page_.shape->leaf;
  if (leaf.bits == 1 && leaf.storage == LeafStorage::kFixed) {
    return builder->AddBytesAsBits(values, count);
  }
  const bool is_bits = leaf.storage == LeafStorage::kFixedSizeList && leaf.item_bits == 1;
  if (validity_total_ == 0 && !is_bits && !items_absent_) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, builder->AddFixed(count));
    if (count * value_bytes_ > 0) {
      std::memcpy(to, values, count * value_bytes_);
    }
    return arrow::Status::OK();
  }
  for (uint64_t i = 0; i < count; ++i) {
    for (size_t level = 0; level < validity_bytes_.size(); ++level) {
      if (validity_bytes_[level] > 0) {
        ARROW_RETURN_NOT_OK(builder->AddItemValidity(level, values, 0, validity_bits_[level]));
        values += validity_bytes_[level];
      }
    }
    const uint64_t bytes = value_bytes_ - validity_total_;
    if (items_absent_) {
      ARROW_RETURN_NOT_OK(builder->AddZeros(1));
    } else if (is_bits) {
      ARROW_RETURN_NOT_OK(builder->AddBits(values, 0, 1));
    } else {
      ARROW_ASSIGN_OR_RAISE(uint8_t* to, builder->AddFixed(1));
      if (bytes > 0) {
        std::memcpy(to, values, bytes);
      }
    }
    values += bytes;
  }
  return arrow::Status::OK();
}

arrow::Status FullZipDecoder::DecodeFixed(Bytes rows, Levels* levels, LeafBuilder* builder) const {
  if (control_bytes_ == 0) {
    const uint64_t count = value_bytes_ == 0 ? 0 : rows.size() / value_bytes_;
    levels->num_entries += count;
    return AppendFixed(rows.data(), count, builder);
  }
  uint64_t at = 0;
  while (at < rows.size()) {
    GLAIVE_CHECK_FORMAT(rows.size() - at >= control_bytes_, "rows that end within a control word");
    const uint64_t word = LoadNumber(rows.data() + at, control_bytes_);
    at += control_bytes_;
    GLAIVE_CHECK_FORMAT(AddLevels(word, levels), "control word ", word,
                        " with levels out of bounds");
    if (Def(word) > page_.layers.max_visible) {
      continue;
    }
    GLAIVE_CHECK_FORMAT(rows.size() - at >= value_bytes_, "rows that end within a value");
    ARROW_RETURN_NOT_OK(AppendFixed(rows.data() + at, 1, builder));
    at += value_bytes_;
  }
  return arrow::Status::OK();
}

arrow::Status FullZipDecoder::DecodeVariable(Bytes rows, Levels* levels,
                                             LeafBuilder* builder) const {
  const uint64_t length_bytes = layout().bits / 8;
  const bool plain = reader_->is_plain();
  if (plain) {
    ARROW_RETURN_NOT_OK(builder->Bytes()->Reserve(rows.size()));
  }
  Scratch scratch[2];
  uint64_t at = 0;
  while (at < rows.size()) {
    GLAIVE_CHECK_FORMAT(rows.size() - at >= control_bytes_, "rows that end within a control word");
    const uint64_t word = LoadNumber(rows.data() + at, control_bytes_);
    at += control_bytes_;
    GLAIVE_CHECK_FORMAT(AddLevels(word, levels), "control word ", word,
                        " with levels out of bounds");
    const uint16_t def = Def(word);
    if (def != 0) {
      if (def <= page_.layers.max_visible) {
        ARROW_RETURN_NOT_OK(builder->AddFiller(1));
      }
      continue;
    }
    GLAIVE_CHECK_FORMAT(rows.size() - at >= length_bytes, "rows that end within a length");
    const uint64_t length = LoadNumber(rows.data() + at, length_bytes);
    at += length_bytes;
    GLAIVE_CHECK_FORMAT(length <= rows.size() - at, "a value of ", length, " bytes where ",
                        rows.size() - at, " are left");
    const Bytes stored = rows.subspan(at, length);
    at += length;
    if (plain) {
      ARROW_ASSIGN_OR_RAISE(uint8_t* to, builder->Bytes()->Extend(length));
      if (length > 0) {
        std::memcpy(to, stored.data(), length);
      }
      ARROW_RETURN_NOT_OK(builder->EndValue());
    } else {
      ARROW_RETURN_NOT_OK(reader_->Append(stored, scratch, builder));
    }
  }
  return arrow::Status::OK();
}

// Values can be handed out where they lie if nothing stands between them and they are aligned.
bool FullZipDecoder::CanSlice(const arrow::Buffer& rows) const {
  const LeafShape& leaf = page_.shape->leaf;
  const bool plain = leaf.storage == LeafStorage::kFixed ||
                     (leaf.storage == LeafStorage::kFixedSizeList && leaf.item_bits % 8 == 0);
  if (layout().is_variable || control_bytes_ != 0 || validity_total_ != 0 || items_absent_ || !plain ||
      leaf.bits == 1) {
    return false;
  }
  const uint64_t item = (leaf.storage == LeafStorage::kFixed ? leaf.bits : leaf.item_bits) / 8;
  const bool is_number = item == 2 || item == 4 || item == 8 || item == 16 || item == 32;
  const uint64_t alignment = is_number ? std::min<uint64_t>(item, 8) : 1;
  return reinterpret_cast<uintptr_t>(rows.data()) % alignment == 0;
}

arrow::Result<std::shared_ptr<arrow::Array>> FullZipDecoder::Decode(const RowRanges& rows,
                                                                    const Buffers& row_index,
                                                                    const Buffers& data,
                                                                    arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(const auto needs, DataNeeds(rows, row_index));
  ARROW_RETURN_NOT_OK(CheckBuffers(needs, data));
  const uint64_t num_rows = CountRows(rows);
  LeafBuilder builder(page_.shape->leaf, pool);
  Levels levels;
  if (needs.size() == 1 && CanSlice(*data[0])) {
    levels.num_entries = num_rows * page_.shape->slots_per_row;
    builder.TakeValues(arrow::SliceBuffer(data[0], 0, static_cast<int64_t>(needs[0].length)),
                       levels.num_entries);
    return Assemble(levels, &builder, num_rows, pool);
  }
  if (!has_row_index() || !page_.has_lists()) {
    ARROW_RETURN_NOT_OK(builder.Reserve(num_rows * page_.shape->slots_per_row));
  }
  if (control_bytes_ == 0 && !layout().is_variable && value_bytes_ == 0) {
    // Lists of no items: rows take no bytes.
    levels.num_entries = num_rows * page_.shape->slots_per_row;
    ARROW_RETURN_NOT_OK(builder.AddZeros(levels.num_entries));
    return Assemble(levels, &builder, num_rows, pool);
  }
  for (size_t i = 0; i < needs.size(); ++i) {
    const Bytes bytes(data[i]->data(), needs[i].length);
    ARROW_RETURN_NOT_OK(layout().is_variable ? DecodeVariable(bytes, &levels, &builder)
                                             : DecodeFixed(bytes, &levels, &builder));
  }
  return Assemble(levels, &builder, num_rows, pool);
}

}  // namespace

arrow::Result<std::unique_ptr<PageDecoder>> MakeFullZipDecoder(OpenedPage page) {
  auto decoder = std::make_unique<FullZipDecoder>(std::move(page));
  ARROW_RETURN_NOT_OK(decoder->Init());
  return decoder;
}

}  // namespace glaive::encoding
