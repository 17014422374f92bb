#include "encoding/v20_array_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/byte_size.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/fsst_decoder.h"
#include "encoding/v20_source.h"
#include "proto/encodings_v2_0.pb.h"
#include "proto/file.pb.h"
#include "proto/parse.h"

namespace glaive::encoding {
namespace {

namespace pb = lance::encodings;
using arrow::ArrayData;
using arrow::Buffer;
using arrow::DataType;
using arrow::MemoryPool;
using arrow::Result;
using arrow::Status;
using arrow::Type;
using v20::Fetched;
using v20::FixedSource;
using v20::kUnknownLength;
using v20::PageContext;

using ArrayDataPtr = std::shared_ptr<ArrayData>;
using BufferPtr = std::shared_ptr<Buffer>;
using TypePtr = std::shared_ptr<DataType>;

/// Values of one type: a node of a page's encoding tree. Every method that takes `Fetched` consumes
/// from it exactly the ranges that the node asked for, in that order.
class Node {
 public:
  virtual ~Node() = default;

  virtual bool IndexLoaded() const { return true; }

  /// Numbers of the buffers that LoadIndex wants whole.
  virtual void AppendIndexBuffers(std::vector<uint32_t>*) const {}

  virtual Status LoadIndex(const PageContext&, const std::vector<BufferPtr>& /*by number*/) {
    return Status::OK();
  }

  virtual void AppendRowIndexNeeds(const RowRanges&, std::vector<BufferRange>*) const {}

  virtual Status AppendDataNeeds(const RowRanges& rows, Fetched* row_index,
                                 std::vector<BufferRange>* needs) const = 0;
  virtual Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched* row_index, Fetched* data,
                                      MemoryPool* pool) const = 0;
  /// All page buffers below the node.
  virtual void AppendBuffers(std::vector<uint32_t>* buffers) const = 0;

  virtual void ReleaseDecompressed() const {}

  /// Bytes of what it keeps: decompressed pages, dictionaries.
  virtual uint64_t kept_bytes() const { return 0; }
};

using NodePtr = std::unique_ptr<Node>;

Result<NodePtr> MakeNode(const pb::ArrayEncoding& encoding, const TypePtr& type, uint64_t length,
                         const PageContext& context, uint32_t depth);

// ---- Values of a fixed width

ArrayDataPtr FixedArray(const TypePtr& type, uint64_t rows, BufferPtr values) {
  return ArrayData::Make(type, static_cast<int64_t>(rows), {nullptr, std::move(values)}, 0);
}

class FixedNode final : public Node {
 public:
  FixedNode(TypePtr type, std::unique_ptr<FixedSource> source)
      : type_(std::move(type)), source_(std::move(source)) {}

  Status AppendDataNeeds(const RowRanges& rows, Fetched*,
                         std::vector<BufferRange>* needs) const override {
    source_->AppendNeeds(rows, needs);
    return Status::OK();
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto values, source_->Decode(rows, data, pool));
    return FixedArray(type_, CountRows(rows), std::move(values));
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    source_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { source_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override { return source_->kept_bytes(); }

 private:
  TypePtr type_;
  std::unique_ptr<FixedSource> source_;
};

// ---- Nulls

/// Bytes of a row of nulls: what making an array of them costs at least.
double NullRowBytes(const DataType& type) {
  if (type.id() == Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    return 1 + NullRowBytes(*list.value_type()) * list.list_size();
  }
  if (type.id() == Type::STRUCT) {
    double bytes = 1;
    for (const auto& field : type.fields()) {
      bytes += NullRowBytes(*field->type());
    }
    return bytes;
  }
  if (type.id() == Type::NA) {
    return 0;
  }
  const int bits = type.bit_width();
  return bits > 0 ? bits / 8.0 + 1 : 9;
}

class AllNullNode final : public Node {
 public:
  AllNullNode(TypePtr type, std::string name) : type_(std::move(type)), name_(std::move(name)) {}

  Status AppendDataNeeds(const RowRanges&, Fetched*, std::vector<BufferRange>*) const override {
    return Status::OK();
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched*,
                              MemoryPool* pool) const override {
    const uint64_t count = CountRows(rows);
    if (static_cast<double>(count) * NullRowBytes(*type_) >
        static_cast<double>(kMaxDecompressedBytes)) {
      return ResourceExhausted("column ", name_, ": ", count, " null values of type ",
                               type_->ToString(), " at once; read fewer rows at a time");
    }
    ARROW_ASSIGN_OR_RAISE(auto array,
                          arrow::MakeArrayOfNull(type_, static_cast<int64_t>(count), pool));
    return array->data();
  }

  void AppendBuffers(std::vector<uint32_t>*) const override {}

 private:
  TypePtr type_;
  std::string name_;
};

/// nullable.some_nulls: validity beside values.
class SomeNullNode final : public Node {
 public:
  SomeNullNode(std::unique_ptr<FixedSource> validity, NodePtr values)
      : validity_(std::move(validity)), values_(std::move(values)) {}

  bool IndexLoaded() const override { return values_->IndexLoaded(); }

  void AppendIndexBuffers(std::vector<uint32_t>* buffers) const override {
    values_->AppendIndexBuffers(buffers);
  }

  Status LoadIndex(const PageContext& context, const std::vector<BufferPtr>& buffers) override {
    return values_->LoadIndex(context, buffers);
  }

  void AppendRowIndexNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    values_->AppendRowIndexNeeds(rows, needs);
  }

  Status AppendDataNeeds(const RowRanges& rows, Fetched* row_index,
                         std::vector<BufferRange>* needs) const override {
    validity_->AppendNeeds(rows, needs);
    return values_->AppendDataNeeds(rows, row_index, needs);
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched* row_index, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto validity, validity_->Decode(rows, data, pool));
    ARROW_ASSIGN_OR_RAISE(auto array, values_->Decode(rows, row_index, data, pool));
    if (array->type->id() == Type::NA) {
      return array;
    }
    if (array->buffers[0] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          array->buffers[0],
          arrow::internal::BitmapAnd(pool, array->buffers[0]->data(), array->offset,
                                     validity->data(), 0, array->length, array->offset));
    } else {
      array->buffers[0] = std::move(validity);
    }
    array->null_count = arrow::kUnknownNullCount;
    return array;
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    validity_->AppendBuffers(buffers);
    values_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override {
    validity_->ReleaseDecompressed();
    values_->ReleaseDecompressed();
  }

  uint64_t kept_bytes() const override { return validity_->kept_bytes() + values_->kept_bytes(); }

 private:
  std::unique_ptr<FixedSource> validity_;
  NodePtr values_;
};

// ---- Fixed size lists

class FixedSizeListNode final : public Node {
 public:
  FixedSizeListNode(TypePtr type, uint64_t dimension, NodePtr items)
      : type_(std::move(type)), dimension_(dimension), items_(std::move(items)) {}

  void AppendRowIndexNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    items_->AppendRowIndexNeeds(Scaled(rows), needs);
  }

  Status AppendDataNeeds(const RowRanges& rows, Fetched* row_index,
                         std::vector<BufferRange>* needs) const override {
    return items_->AppendDataNeeds(Scaled(rows), row_index, needs);
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched* row_index, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto items, items_->Decode(Scaled(rows), row_index, data, pool));
    return ArrayData::Make(type_, static_cast<int64_t>(CountRows(rows)), {nullptr},
                           {std::move(items)}, 0);
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    items_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { items_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override { return items_->kept_bytes(); }

 private:
  RowRanges Scaled(RowRanges rows) const {
    for (auto& range : rows) {
      range = {range.start * dimension_, range.end * dimension_};
    }
    return rows;
  }

  TypePtr type_;
  uint64_t dimension_;
  NodePtr items_;
};

// ---- End offsets, of strings and of lists

/// The ranges of an end offset column that tell where rows begin and end: each starts one row
/// early.
RowRanges WithRowBefore(const RowRanges& rows) {
  RowRanges out;
  out.reserve(rows.size());
  for (const auto& range : rows) {
    const RowRange wanted{range.start == 0 ? 0 : range.start - 1, range.end};
    // Neighbours overlap by one row: then they are one range.
    if (!out.empty() && wanted.start < out.back().end) {
      out.back().end = wanted.end;
    } else {
      out.push_back(wanted);
    }
  }
  return out;
}

/// End offsets of the rows in WithRowBefore(rows), and how to read them.
class EndOffsets {
 public:
  EndOffsets(std::vector<uint64_t> raw, const RowRanges& rows, uint64_t null_adjustment)
      : raw_(std::move(raw)), spans_(WithRowBefore(rows)), adjustment_(null_adjustment) {}

  /// Calls visit(range, first_start, ends) for each range of `rows`: the end of the row before the
  /// range (0 if there is none) and a pointer to the raw ends of the range's rows.
  template <typename Visit>
  Status ForEachRange(const RowRanges& rows, Visit&& visit) const {
    size_t span = 0;
    uint64_t span_at = 0;  // where the values of spans_[span] begin in raw_
    for (const auto& range : rows) {
      while (range.end > spans_[span].end) {
        span_at += spans_[span].size();
        ++span;
      }
      const uint64_t at = span_at + (range.start - spans_[span].start);
      const uint64_t start = range.start == 0 ? 0 : End(raw_[at - 1]);
      ARROW_RETURN_NOT_OK(visit(range, start, raw_.data() + at));
    }
    return Status::OK();
  }

  uint64_t End(uint64_t raw) const { return raw >= adjustment_ ? raw - adjustment_ : raw; }

  bool IsNull(uint64_t raw) const { return raw >= adjustment_; }

 private:
  std::vector<uint64_t> raw_;
  RowRanges spans_;
  uint64_t adjustment_;
};

/// A source of end offsets with their null adjustment.
class OffsetSource {
 public:
  static Result<OffsetSource> Make(const pb::ArrayEncoding& encoding, uint64_t length,
                                   uint64_t null_adjustment, const PageContext& context) {
    GLAIVE_CHECK_FORMAT(length == 0 || null_adjustment > 0, "column ", context.name,
                        ": offsets without null adjustment");
    ARROW_ASSIGN_OR_RAISE(auto source, v20::MakeFixedSource(encoding, length, context));
    const uint64_t bits = source->bits();
    GLAIVE_CHECK_FORMAT(v20::IsIndexWidth(bits) && source->stored(), "column ", context.name,
                        ": offsets of ", bits, " bits that are not stored one by one");
    return OffsetSource(std::move(source), null_adjustment);
  }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const {
    source_->AppendNeeds(WithRowBefore(rows), needs);
  }

  Result<EndOffsets> Decode(const RowRanges& rows, Fetched* fetched, MemoryPool* pool) const {
    const RowRanges spans = WithRowBefore(rows);
    ARROW_ASSIGN_OR_RAISE(auto values, source_->Decode(spans, fetched, pool));
    return EndOffsets(v20::WidenUnsigned(*values, source_->bits(), CountRows(spans)), rows,
                      adjustment_);
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const { source_->AppendBuffers(buffers); }

  void ReleaseDecompressed() const { source_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const { return source_->kept_bytes(); }

 private:
  OffsetSource(std::unique_ptr<FixedSource> source, uint64_t adjustment)
      : source_(std::move(source)), adjustment_(adjustment) {}

  std::unique_ptr<FixedSource> source_;
  uint64_t adjustment_;
};

// ---- Strings and binary

bool IsLarge(const DataType& type) {
  return type.id() == Type::LARGE_STRING || type.id() == Type::LARGE_BINARY;
}

bool IsVariable(const DataType& type) {
  return IsLarge(type) || type.id() == Type::STRING || type.id() == Type::BINARY;
}

/// Collects offsets, of 32 or 64 bits as the type asks.
class OffsetWriter {
 public:
  static Result<OffsetWriter> Make(const DataType& type, uint64_t rows, uint64_t total_bytes,
                                   const std::string& name, MemoryPool* pool) {
    const bool large = IsLarge(type);
    if (!large && total_bytes > std::numeric_limits<int32_t>::max()) {
      return ResourceExhausted("column ", name, ": ", total_bytes, " bytes in ", rows,
                               " values do not fit one array of type ", type.ToString(),
                               "; read fewer rows at a time");
    }
    const uint64_t width = large ? sizeof(int64_t) : sizeof(int32_t);
    if (rows >= kMaxDecompressedBytes / width || total_bytes > kMaxDecompressedBytes) {
      return ResourceExhausted("column ", name, ": ", rows, " values of ", total_bytes,
                               " bytes at once; read fewer rows at a time");
    }
    ARROW_ASSIGN_OR_RAISE(auto buffer,
                          arrow::AllocateBuffer(static_cast<int64_t>((rows + 1) * width), pool));
    OffsetWriter writer(large, std::move(buffer));
    writer.Add(0);
    return writer;
  }

  void Add(uint64_t offset) {
    uint8_t* out = buffer_->mutable_data();
    if (large_) {
      StoreLe(out + 8 * next_++, static_cast<int64_t>(offset));
    } else {
      StoreLe(out + 4 * next_++, static_cast<int32_t>(offset));
    }
  }

  BufferPtr Take() { return std::move(buffer_); }

 private:
  OffsetWriter(bool large, std::unique_ptr<Buffer> buffer)
      : large_(large), buffer_(std::move(buffer)) {}

  bool large_;
  std::unique_ptr<Buffer> buffer_;
  uint64_t next_ = 0;
};

/// Makes a validity bitmap as nulls turn up: none if there are none.
class ValidityWriter {
 public:
  ValidityWriter(uint64_t rows, MemoryPool* pool) : rows_(rows), pool_(pool) {}

  Status SetNull(uint64_t row) {
    if (bitmap_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::AllocateBitmap(static_cast<int64_t>(rows_), pool_));
      std::memset(bitmap_->mutable_data(), 0xFF, static_cast<size_t>(bitmap_->size()));
    }
    arrow::bit_util::ClearBit(bitmap_->mutable_data(), static_cast<int64_t>(row));
    ++null_count_;
    return Status::OK();
  }

  int64_t null_count() const { return null_count_; }

  BufferPtr Take() { return std::move(bitmap_); }

 private:
  uint64_t rows_;
  MemoryPool* pool_;
  BufferPtr bitmap_;
  int64_t null_count_ = 0;
};

class BinaryNode final : public Node {
 public:
  BinaryNode(TypePtr type, std::string name, OffsetSource offsets,
             std::unique_ptr<FixedSource> bytes, uint64_t num_bytes)
      : type_(std::move(type)),
        name_(std::move(name)),
        offsets_(std::move(offsets)),
        bytes_(std::move(bytes)),
        num_bytes_(num_bytes) {}

  void SetFsst(FsstDecoder fsst) { fsst_ = fsst; }

  void AppendRowIndexNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    offsets_.AppendNeeds(rows, needs);
  }

  Status AppendDataNeeds(const RowRanges& rows, Fetched* row_index,
                         std::vector<BufferRange>* needs) const override {
    ARROW_ASSIGN_OR_RAISE(const auto offsets,
                          offsets_.Decode(rows, row_index, arrow::default_memory_pool()));
    ARROW_ASSIGN_OR_RAISE(const RowRanges spans, ByteSpans(rows, offsets));
    bytes_->AppendNeeds(spans, needs);
    return Status::OK();
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched* row_index, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(const auto offsets, offsets_.Decode(rows, row_index, pool));
    ARROW_ASSIGN_OR_RAISE(const RowRanges spans, ByteSpans(rows, offsets));
    ARROW_ASSIGN_OR_RAISE(auto bytes, bytes_->Decode(spans, data, pool));
    const uint64_t count = CountRows(rows);
    ARROW_ASSIGN_OR_RAISE(auto ends,
                          OffsetWriter::Make(*type_, count, CountRows(spans), name_, pool));
    ValidityWriter validity(count, pool);
    uint64_t row = 0;
    uint64_t written = 0;
    ARROW_RETURN_NOT_OK(offsets.ForEachRange(
        rows, [&](const RowRange& range, uint64_t start, const uint64_t* raw) -> Status {
          for (uint64_t i = 0; i < range.size(); ++i, ++row) {
            const uint64_t end = offsets.End(raw[i]);
            GLAIVE_CHECK_FORMAT(end >= start && end <= num_bytes_, "column ", name_, ": row ",
                                range.start + i, " of a page ends at byte ", end,
                                ", the row before at ", start);
            written += end - start;
            start = end;
            ends.Add(written);
            if (offsets.IsNull(raw[i])) {
              ARROW_RETURN_NOT_OK(validity.SetNull(row));
            }
          }
          return Status::OK();
        }));
    const int64_t null_count = validity.null_count();
    auto array = ArrayData::Make(type_, static_cast<int64_t>(count),
                                 {validity.Take(), ends.Take(), std::move(bytes)}, null_count);
    return fsst_.has_value() && fsst_->is_encoded() ? Expand(*array, pool) : array;
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    offsets_.AppendBuffers(buffers);
    bytes_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override {
    offsets_.ReleaseDecompressed();
    bytes_->ReleaseDecompressed();
  }

  uint64_t kept_bytes() const override { return offsets_.kept_bytes() + bytes_->kept_bytes(); }

 private:
  /// The bytes of each range of rows, empty ones left out.
  Result<RowRanges> ByteSpans(const RowRanges& rows, const EndOffsets& offsets) const {
    RowRanges spans;
    ARROW_RETURN_NOT_OK(offsets.ForEachRange(
        rows, [&](const RowRange& range, uint64_t start, const uint64_t* raw) -> Status {
          const uint64_t end = offsets.End(raw[range.size() - 1]);
          const uint64_t before = spans.empty() ? 0 : spans.back().end;
          GLAIVE_CHECK_FORMAT(start >= before && end >= start && end <= num_bytes_, "column ",
                              name_, ": rows [", range.start, ", ", range.end,
                              ") of a page lie at bytes [", start, ", ", end, ") of ", num_bytes_);
          if (end > start) {
            spans.push_back({start, end});
          }
          return Status::OK();
        }));
    return spans;
  }

  /// Decodes the values of an FSST page one by one.
  Result<ArrayDataPtr> Expand(const ArrayData& coded, MemoryPool* pool) const {
    const auto rows = static_cast<uint64_t>(coded.length);
    const auto num_codes = static_cast<uint64_t>(coded.buffers[2]->size());
    const uint64_t room = num_codes * FsstDecoder::kMostPerByte + FsstDecoder::kSlack;
    if (room > kMaxDecompressedBytes) {
      return ResourceExhausted("column ", name_, ": ", num_codes,
                               " FSST codes at once; read fewer rows at a time");
    }
    ARROW_ASSIGN_OR_RAISE(auto text,
                          arrow::AllocateResizableBuffer(static_cast<int64_t>(room), pool));
    const uint8_t* codes = coded.buffers[2]->data();
    const uint8_t* offsets = coded.buffers[1]->data();
    std::vector<uint64_t> ends(rows);
    uint8_t* out = text->mutable_data();
    for (uint64_t row = 0; row < rows; ++row) {
      out = fsst_->Decode(codes + OffsetAt(offsets, row), codes + OffsetAt(offsets, row + 1), out);
      GLAIVE_CHECK_FORMAT(out != nullptr, "column ", name_,
                          ": an FSST value has a code without symbol");
      ends[row] = static_cast<uint64_t>(out - text->data());
    }
    const uint64_t total = rows == 0 ? 0 : ends.back();
    ARROW_RETURN_NOT_OK(text->Resize(static_cast<int64_t>(total)));
    ARROW_ASSIGN_OR_RAISE(auto writer, OffsetWriter::Make(*type_, rows, total, name_, pool));
    for (const uint64_t end : ends) {
      writer.Add(end);
    }
    return ArrayData::Make(type_, coded.length,
                           {coded.buffers[0], writer.Take(), BufferPtr(std::move(text))},
                           coded.null_count);
  }

  uint64_t OffsetAt(const uint8_t* offsets, uint64_t row) const {
    return static_cast<uint64_t>(IsLarge(*type_) ? LoadLe<int64_t>(offsets + 8 * row)
                                                 : LoadLe<int32_t>(offsets + 4 * row));
  }

  TypePtr type_;
  std::string name_;
  OffsetSource offsets_;
  std::unique_ptr<FixedSource> bytes_;
  uint64_t num_bytes_;  // an upper bound for offsets
  std::optional<FsstDecoder> fsst_;
};

/// Strings that all have the same length (fixed_size_binary or constant under a variable-width
/// type).
class EqualLengthNode final : public Node {
 public:
  EqualLengthNode(TypePtr type, std::string name, std::unique_ptr<FixedSource> source)
      : type_(std::move(type)), name_(std::move(name)), source_(std::move(source)) {}

  Status AppendDataNeeds(const RowRanges& rows, Fetched*,
                         std::vector<BufferRange>* needs) const override {
    source_->AppendNeeds(rows, needs);
    return Status::OK();
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto bytes, source_->Decode(rows, data, pool));
    const uint64_t count = CountRows(rows);
    const uint64_t width = source_->bits() / 8;
    ARROW_ASSIGN_OR_RAISE(auto ends, OffsetWriter::Make(*type_, count, count * width, name_, pool));
    for (uint64_t i = 1; i <= count; ++i) {
      ends.Add(i * width);
    }
    return ArrayData::Make(type_, static_cast<int64_t>(count),
                           {nullptr, ends.Take(), std::move(bytes)}, 0);
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    source_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { source_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override { return source_->kept_bytes(); }

 private:
  TypePtr type_;
  std::string name_;
  std::unique_ptr<FixedSource> source_;
};

// ---- Dictionaries

/// Decodes all `length` rows of a node from whole buffers.
Result<std::shared_ptr<arrow::Array>> DecodeWhole(const Node& node, uint64_t length,
                                                  const TypePtr& type,
                                                  const std::vector<BufferPtr>& by_number,
                                                  MemoryPool* pool) {
  if (length == 0) {
    return arrow::MakeEmptyArray(type, pool);
  }
  const auto slices = [&](const std::vector<BufferRange>& needs) {
    Buffers out;
    for (const auto& need : needs) {
      out.push_back(arrow::SliceBuffer(by_number[need.buffer], static_cast<int64_t>(need.offset),
                                       static_cast<int64_t>(need.length)));
    }
    return out;
  };
  const RowRanges rows{{0, length}};
  std::vector<BufferRange> needs;
  node.AppendRowIndexNeeds(rows, &needs);
  const Buffers row_index = slices(needs);
  needs.clear();
  Fetched for_needs(row_index);
  ARROW_RETURN_NOT_OK(node.AppendDataNeeds(rows, &for_needs, &needs));
  const Buffers data = slices(needs);
  Fetched fetched_index(row_index);
  Fetched fetched_data(data);
  ARROW_ASSIGN_OR_RAISE(auto decoded, node.Decode(rows, &fetched_index, &fetched_data, pool));
  return arrow::MakeArray(std::move(decoded));
}

/// Common to both conventions: items are loaded once per page.
class DictionaryNode : public Node {
 public:
  DictionaryNode(TypePtr type, TypePtr item_type, std::string name,
                 std::unique_ptr<FixedSource> indices, NodePtr items, uint64_t num_items)
      : type_(std::move(type)),
        item_type_(std::move(item_type)),
        name_(std::move(name)),
        indices_(std::move(indices)),
        items_node_(std::move(items)),
        num_items_(num_items) {}

  bool IndexLoaded() const override { return items_ != nullptr; }

  void AppendIndexBuffers(std::vector<uint32_t>* buffers) const override {
    items_node_->AppendBuffers(buffers);
  }

  Status LoadIndex(const PageContext&, const std::vector<BufferPtr>& buffers) override {
    ARROW_ASSIGN_OR_RAISE(auto items, DecodeWhole(*items_node_, num_items_, item_type_, buffers,
                                                  arrow::default_memory_pool()));
    items_node_->ReleaseDecompressed();
    ARROW_RETURN_NOT_OK(Prepare(*items));
    items_ = std::move(items);
    return Status::OK();
  }

  Status AppendDataNeeds(const RowRanges& rows, Fetched*,
                         std::vector<BufferRange>* needs) const override {
    indices_->AppendNeeds(rows, needs);
    return Status::OK();
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    indices_->AppendBuffers(buffers);
    items_node_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { indices_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override {
    const int64_t items = items_ ? arrow::util::TotalBufferSize(*items_) : 0;
    return indices_->kept_bytes() + static_cast<uint64_t>(items);
  }

 protected:
  virtual Status Prepare(const arrow::Array& items) = 0;

  Result<std::vector<uint64_t>> Indices(const RowRanges& rows, Fetched* data,
                                        MemoryPool* pool) const {
    ARROW_ASSIGN_OR_RAISE(auto values, indices_->Decode(rows, data, pool));
    return v20::WidenUnsigned(*values, indices_->bits(), CountRows(rows));
  }

  TypePtr type_;
  TypePtr item_type_;
  std::string name_;
  std::unique_ptr<FixedSource> indices_;
  NodePtr items_node_;
  uint64_t num_items_;
  std::shared_ptr<arrow::Array> items_;
};

/// The dictionary that a writer chose for a plain string column: index 0 is null, item = index - 1.
class HiddenDictionaryNode final : public DictionaryNode {
 public:
  using DictionaryNode::DictionaryNode;

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(const auto indices, Indices(rows, data, pool));
    uint64_t total = 0;
    for (const uint64_t index : indices) {
      GLAIVE_CHECK_FORMAT(index <= num_items_, "column ", name_, ": dictionary index ", index,
                          ", the dictionary has ", num_items_, " items");
      total += index == 0 ? 0 : views_[index - 1].size();
    }
    ARROW_ASSIGN_OR_RAISE(auto ends,
                          OffsetWriter::Make(*type_, indices.size(), total, name_, pool));
    ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::AllocateBuffer(static_cast<int64_t>(total), pool));
    ValidityWriter validity(indices.size(), pool);
    uint64_t end = 0;
    for (uint64_t row = 0; row < indices.size(); ++row) {
      if (indices[row] == 0 || items_->IsNull(static_cast<int64_t>(indices[row] - 1))) {
        ARROW_RETURN_NOT_OK(validity.SetNull(row));
      } else {
        const std::string_view view = views_[indices[row] - 1];
        std::memcpy(bytes->mutable_data() + end, view.data(), view.size());
        end += view.size();
      }
      ends.Add(end);
    }
    const int64_t null_count = validity.null_count();
    return ArrayData::Make(type_, static_cast<int64_t>(indices.size()),
                           {validity.Take(), ends.Take(), BufferPtr(std::move(bytes))}, null_count);
  }

 private:
  Status Prepare(const arrow::Array& items) override {
    views_.resize(static_cast<size_t>(items.length()));
    for (int64_t i = 0; i < items.length(); ++i) {
      if (items.IsValid(i)) {
        views_[static_cast<size_t>(i)] =
            IsLarge(*type_) ? static_cast<const arrow::LargeBinaryArray&>(items).GetView(i)
                            : static_cast<const arrow::BinaryArray&>(items).GetView(i);
      }
    }
    return Status::OK();
  }

  std::vector<std::string_view> views_;  // into items_; empty for null items
};

/// An Arrow dictionary column: item = index, nulls are items that are null.
class ArrowDictionaryNode final : public DictionaryNode {
 public:
  using DictionaryNode::DictionaryNode;

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched* data,
                              MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(const auto indices, Indices(rows, data, pool));
    const uint64_t width = static_cast<uint64_t>(type_->bit_width()) / 8;
    ARROW_ASSIGN_OR_RAISE(
        auto keys, arrow::AllocateBuffer(static_cast<int64_t>(indices.size() * width), pool));
    ValidityWriter validity(indices.size(), pool);
    for (uint64_t row = 0; row < indices.size(); ++row) {
      GLAIVE_CHECK_FORMAT(indices[row] < num_items_, "column ", name_, ": dictionary index ",
                          indices[row], ", the dictionary has ", num_items_, " items");
      uint64_t key = key_of_[indices[row]];
      if (key == kNull) {
        ARROW_RETURN_NOT_OK(validity.SetNull(row));
        key = 0;
      }
      std::memcpy(keys->mutable_data() + row * width, &key, width);
    }
    const int64_t null_count = validity.null_count();
    auto array = ArrayData::Make(type_, static_cast<int64_t>(indices.size()),
                                 {validity.Take(), BufferPtr(std::move(keys))}, null_count);
    array->dictionary = dictionary_->data();
    return array;
  }

 private:
  static constexpr uint64_t kNull = ~uint64_t{0};

  /// Null items leave the dictionary, so that dictionaries of several pages can be united.
  Status Prepare(const arrow::Array& items) override {
    arrow::ArrayVector valid;
    key_of_.resize(static_cast<size_t>(items.length()));
    uint64_t next = 0;
    int64_t run = 0;
    for (int64_t i = 0; i < items.length(); ++i) {
      if (items.IsNull(i)) {
        key_of_[static_cast<size_t>(i)] = kNull;
        valid.push_back(items.Slice(run, i - run));
        run = i + 1;
      } else {
        key_of_[static_cast<size_t>(i)] = next++;
      }
    }
    valid.push_back(items.Slice(run));
    if (valid.size() == 1) {
      dictionary_ = valid[0];
    } else {
      ARROW_ASSIGN_OR_RAISE(dictionary_, arrow::Concatenate(valid));
    }
    const int bits = type_->bit_width();
    const bool is_signed = arrow::is_signed_integer(
        static_cast<const arrow::DictionaryType&>(*type_).index_type()->id());
    const uint64_t most = ~uint64_t{0} >> (64 - bits + (is_signed ? 1 : 0));
    GLAIVE_CHECK_FORMAT(next == 0 || next - 1 <= most, "column ", name_, ": ", next,
                        " dictionary items do not fit keys of type ", type_->ToString());
    return Status::OK();
  }

  std::vector<uint64_t> key_of_;
  std::shared_ptr<arrow::Array> dictionary_;
};

// ---- Packed structs

class PackedStructNode final : public Node {
 public:
  PackedStructNode(TypePtr type, std::vector<uint64_t> widths, std::unique_ptr<FixedSource> rows)
      : type_(std::move(type)), widths_(std::move(widths)), rows_(std::move(rows)) {}

  Status AppendDataNeeds(const RowRanges& rows, Fetched*,
                         std::vector<BufferRange>* needs) const override {
    rows_->AppendNeeds(rows, needs);
    return Status::OK();
  }

  Result<ArrayDataPtr> Decode(const RowRanges& rows, Fetched*, Fetched* data,
                              MemoryPool* pool) const override {
    const uint64_t count = CountRows(rows);
    ARROW_ASSIGN_OR_RAISE(auto packed, rows_->Decode(rows, data, pool));
    const uint64_t stride = rows_->bits() / 8;
    std::vector<ArrayDataPtr> children;
    uint64_t at = 0;
    for (size_t i = 0; i < widths_.size(); ++i) {
      const uint64_t width = widths_[i];
      ARROW_ASSIGN_OR_RAISE(auto values,
                            arrow::AllocateBuffer(static_cast<int64_t>(count * width), pool));
      for (uint64_t row = 0; row < count; ++row) {
        std::memcpy(values->mutable_data() + row * width, packed->data() + row * stride + at,
                    width);
      }
      children.push_back(MakeValues(type_->field(static_cast<int>(i))->type(), count,
                                    BufferPtr(std::move(values))));
      at += width;
    }
    return ArrayData::Make(type_, static_cast<int64_t>(count), {nullptr}, std::move(children), 0);
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    rows_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { rows_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override { return rows_->kept_bytes(); }

 private:
  static ArrayDataPtr MakeValues(const TypePtr& type, uint64_t rows, BufferPtr values) {
    if (type->id() != Type::FIXED_SIZE_LIST) {
      return FixedArray(type, rows, std::move(values));
    }
    const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
    auto items = MakeValues(list.value_type(), rows * static_cast<uint64_t>(list.list_size()),
                            std::move(values));
    return ArrayData::Make(type, static_cast<int64_t>(rows), {nullptr}, {std::move(items)}, 0);
  }

  TypePtr type_;
  std::vector<uint64_t> widths_;
  std::unique_ptr<FixedSource> rows_;
};

// ---- From messages to nodes

std::string Describe(const pb::ArrayEncoding& encoding);

Status WrongEncoding(const pb::ArrayEncoding& encoding, const DataType& type,
                     const PageContext& context) {
  return Corruption("column ", context.name, ": encoding ", v20::EncodingName(encoding),
                    " cannot hold values of type ", type.ToString());
}

bool IsFixedWidthLeaf(const DataType& type) {
  return type.id() != Type::DICTIONARY && type.id() != Type::NA && type.id() != Type::EXTENSION &&
         type.num_fields() == 0 && type.bit_width() > 0;
}

Result<NodePtr> MakeNullable(const pb::Nullable& nullable, const TypePtr& type, uint64_t length,
                             const PageContext& context, uint32_t depth) {
  switch (nullable.nullability_case()) {
    case pb::Nullable::kNoNulls:
      return MakeNode(nullable.no_nulls().values(), type, length, context, depth + 1);
    case pb::Nullable::kAllNulls:
      return std::make_unique<AllNullNode>(type, context.name);
    case pb::Nullable::kSomeNulls: {
      ARROW_ASSIGN_OR_RAISE(
          auto validity, v20::MakeFixedSource(nullable.some_nulls().validity(), length, context));
      GLAIVE_CHECK_FORMAT(validity->bits() == 1, "column ", context.name, ": validity of ",
                          validity->bits(), " bits, expected 1");
      ARROW_ASSIGN_OR_RAISE(
          auto values, MakeNode(nullable.some_nulls().values(), type, length, context, depth + 1));
      return std::make_unique<SomeNullNode>(std::move(validity), std::move(values));
    }
    default:
      return Corruption("column ", context.name, ": a nullable encoding that says nothing");
  }
}

Result<NodePtr> MakeFixedSizeList(const pb::FixedSizeList& encoding, const TypePtr& type,
                                  uint64_t length, const PageContext& context, uint32_t depth) {
  const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
  const uint64_t dimension = encoding.dimension();
  GLAIVE_CHECK_FORMAT(dimension == static_cast<uint64_t>(list.list_size()), "column ", context.name,
                      ": lists of ", dimension, " items, expected ", list.list_size());
  GLAIVE_CHECK_FORMAT(dimension > 0, "column ", context.name, ": lists of no items");
  uint64_t items = 0;
  GLAIVE_CHECK_FORMAT(CheckedMul(length, dimension, &items), "column ", context.name, ": ", length,
                      " lists of ", dimension, " items");
  ARROW_ASSIGN_OR_RAISE(auto node,
                        MakeNode(encoding.items(), list.value_type(), items, context, depth + 1));
  return std::make_unique<FixedSizeListNode>(type, dimension, std::move(node));
}

Result<std::unique_ptr<BinaryNode>> MakeBinary(const pb::Binary& binary, const TypePtr& type,
                                               uint64_t length, const PageContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto offsets, OffsetSource::Make(binary.indices(), length,
                                                         binary.null_adjustment(), context));
  ARROW_ASSIGN_OR_RAISE(auto bytes, v20::MakeFixedSource(binary.bytes(), kUnknownLength, context));
  GLAIVE_CHECK_FORMAT(bytes->bits() == 8, "column ", context.name, ": bytes of ", bytes->bits(),
                      " bits, expected 8");
  // What offsets may reach to: the buffer's size. A compressed one is checked when it is unpacked.
  uint64_t num_bytes = kMaxDecompressedBytes;
  const auto& flat = binary.bytes().has_nullable() ? binary.bytes().nullable().no_nulls().values()
                                                   : binary.bytes();
  const auto& scheme = flat.flat().compression().scheme();
  if (flat.has_flat() && (scheme.empty() || scheme == "none")) {
    num_bytes = context.buffer_sizes[flat.flat().buffer().buffer_index()];
  } else if (!flat.has_flat()) {
    return Unsupported("column ", context.name, ": encoding ", v20::EncodingName(flat),
                       " for the bytes of strings");
  }
  return std::make_unique<BinaryNode>(type, context.name, std::move(offsets), std::move(bytes),
                                      num_bytes);
}

Result<NodePtr> MakeFsst(const pb::Fsst& fsst, const TypePtr& type, uint64_t length,
                         const PageContext& context) {
  if (!fsst.binary().has_binary()) {
    return WrongEncoding(fsst.binary(), *type, context);
  }
  auto decoder = FsstDecoder::Make(fsst.symbol_table());
  if (!decoder.ok()) {
    return WithContext(decoder.status(), Concat("column ", context.name));
  }
  ARROW_ASSIGN_OR_RAISE(auto node, MakeBinary(fsst.binary().binary(), type, length, context));
  node->SetFsst(*decoder);
  return node;
}

Result<NodePtr> MakeDictionary(const pb::Dictionary& dictionary, const TypePtr& type,
                               uint64_t length, const PageContext& context, uint32_t depth) {
  const bool arrow_dictionary = type->id() == Type::DICTIONARY;
  const TypePtr item_type =
      arrow_dictionary ? static_cast<const arrow::DictionaryType&>(*type).value_type() : type;
  ARROW_ASSIGN_OR_RAISE(auto indices, v20::MakeFixedSource(dictionary.indices(), length, context));
  const uint64_t bits = indices->bits();
  GLAIVE_CHECK_FORMAT(v20::IsIndexWidth(bits) && indices->stored(), "column ", context.name,
                      ": dictionary indices of ", bits, " bits that are not stored one by one");
  const uint64_t num_items = dictionary.num_dictionary_items();
  ARROW_ASSIGN_OR_RAISE(auto items,
                        MakeNode(dictionary.items(), item_type, num_items, context, depth + 1));
  GLAIVE_CHECK_FORMAT(items->IndexLoaded(), "column ", context.name,
                      ": a dictionary inside a dictionary");
  if (arrow_dictionary) {
    return std::make_unique<ArrowDictionaryNode>(type, item_type, context.name, std::move(indices),
                                                 std::move(items), num_items);
  }
  return std::make_unique<HiddenDictionaryNode>(type, item_type, context.name, std::move(indices),
                                                std::move(items), num_items);
}

/// Bytes of one value of a packed struct's member: checked against the encoding.
Result<uint64_t> PackedWidth(const pb::ArrayEncoding& encoding, const DataType& type,
                             const PageContext& context, uint32_t depth) {
  GLAIVE_CHECK_FORMAT(depth < kMaxNesting, "column ", context.name, ": encodings nested too deep");
  if (encoding.has_nullable() && encoding.nullable().has_no_nulls()) {
    return PackedWidth(encoding.nullable().no_nulls().values(), type, context, depth + 1);
  }
  if (encoding.has_fixed_size_list() && type.id() == Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    GLAIVE_CHECK_FORMAT(
        encoding.fixed_size_list().dimension() == static_cast<uint64_t>(list.list_size()),
        "column ", context.name, ": lists of ", encoding.fixed_size_list().dimension(),
        " items, expected ", list.list_size());
    ARROW_ASSIGN_OR_RAISE(
        const uint64_t width,
        PackedWidth(encoding.fixed_size_list().items(), *list.value_type(), context, depth + 1));
    uint64_t total = 0;
    GLAIVE_CHECK_FORMAT(CheckedMul(width, static_cast<uint64_t>(list.list_size()), &total),
                        "column ", context.name, ": a packed list too wide");
    return total;
  }
  if (!encoding.has_flat() || !IsFixedWidthLeaf(type)) {
    return WrongEncoding(encoding, type, context);
  }
  const uint64_t bits = encoding.flat().bits_per_value();
  GLAIVE_CHECK_FORMAT(bits == static_cast<uint64_t>(type.bit_width()) && bits % 8 == 0, "column ",
                      context.name, ": a packed member of type ", type.ToString(), " has ", bits,
                      " bits");
  return bits / 8;
}

Result<NodePtr> MakePackedStruct(const pb::PackedStruct& packed, const TypePtr& type,
                                 uint64_t length, const PageContext& context, uint32_t depth) {
  GLAIVE_CHECK_FORMAT(packed.inner_size() == type->num_fields() && packed.inner_size() > 0,
                      "column ", context.name, ": a packed struct of ", packed.inner_size(),
                      " members, expected ", type->num_fields());
  std::vector<uint64_t> widths;
  uint64_t row = 0;
  for (int i = 0; i < packed.inner_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        const uint64_t width,
        PackedWidth(packed.inner(i), *type->field(i)->type(), context, depth + 1));
    widths.push_back(width);
    GLAIVE_CHECK_FORMAT(CheckedAdd(row, width, &row) && row < uint64_t{1} << 31, "column ",
                        context.name, ": packed rows too wide");
  }
  pb::ArrayEncoding flat;
  flat.mutable_flat()->set_bits_per_value(row * 8);
  *flat.mutable_flat()->mutable_buffer() = packed.buffer();
  ARROW_ASSIGN_OR_RAISE(auto source, v20::MakeFixedSource(flat, length, context));
  return std::make_unique<PackedStructNode>(type, std::move(widths), std::move(source));
}

Result<NodePtr> MakeFixed(const pb::ArrayEncoding& encoding, const TypePtr& type, uint64_t length,
                          const PageContext& context) {
  const bool fixed = IsFixedWidthLeaf(*type);
  const bool equal_lengths =
      IsVariable(*type) && (encoding.has_fixed_size_binary() || encoding.has_constant());
  if (!fixed && !equal_lengths) {
    return WrongEncoding(encoding, *type, context);
  }
  ARROW_ASSIGN_OR_RAISE(auto source, v20::MakeFixedSource(encoding, length, context));
  if (equal_lengths) {
    return std::make_unique<EqualLengthNode>(type, context.name, std::move(source));
  }
  GLAIVE_CHECK_FORMAT(source->bits() == static_cast<uint64_t>(type->bit_width()), "column ",
                      context.name, ": values of ", source->bits(), " bits, type ",
                      type->ToString(), " has ", type->bit_width());
  return std::make_unique<FixedNode>(type, std::move(source));
}

Result<NodePtr> MakeNode(const pb::ArrayEncoding& encoding, const TypePtr& type, uint64_t length,
                         const PageContext& context, uint32_t depth) {
  GLAIVE_CHECK_FORMAT(depth < kMaxNesting, "column ", context.name,
                      ": encodings nested deeper than ", kMaxNesting);
  switch (encoding.array_encoding_case()) {
    case pb::ArrayEncoding::kNullable:
      return MakeNullable(encoding.nullable(), type, length, context, depth);
    case pb::ArrayEncoding::kFlat:
    case pb::ArrayEncoding::kBitpacked:
    case pb::ArrayEncoding::kBitpackedForNonNeg:
    case pb::ArrayEncoding::kFixedSizeBinary:
    case pb::ArrayEncoding::kConstant:
      return MakeFixed(encoding, type, length, context);
    case pb::ArrayEncoding::kFixedSizeList:
      if (type->id() != Type::FIXED_SIZE_LIST) {
        return WrongEncoding(encoding, *type, context);
      }
      return MakeFixedSizeList(encoding.fixed_size_list(), type, length, context, depth);
    case pb::ArrayEncoding::kBinary: {
      if (!IsVariable(*type)) {
        return WrongEncoding(encoding, *type, context);
      }
      return MakeBinary(encoding.binary(), type, length, context);
    }
    case pb::ArrayEncoding::kFsst:
      if (!IsVariable(*type)) {
        return WrongEncoding(encoding, *type, context);
      }
      return MakeFsst(encoding.fsst(), type, length, context);
    case pb::ArrayEncoding::kDictionary:
      if (type->id() != Type::DICTIONARY && !IsVariable(*type)) {
        return WrongEncoding(encoding, *type, context);
      }
      return MakeDictionary(encoding.dictionary(), type, length, context, depth);
    case pb::ArrayEncoding::kPackedStruct:
      if (type->id() != Type::STRUCT) {
        return WrongEncoding(encoding, *type, context);
      }
      return MakePackedStruct(encoding.packed_struct(), type, length, context, depth);
    case pb::ArrayEncoding::kList:
    case pb::ArrayEncoding::kStruct:
      return WrongEncoding(encoding, *type, context);
    default:
      return Unsupported("column ", context.name, ": array encoding ", v20::EncodingName(encoding),
                         " (", static_cast<int>(encoding.array_encoding_case()), ")");
  }
}

// ---- Descriptions

std::string DescribeNullable(const pb::Nullable& nullable) {
  if (nullable.has_no_nulls()) {
    return Describe(nullable.no_nulls().values());
  }
  if (nullable.has_some_nulls()) {
    return Concat("nullable(", Describe(nullable.some_nulls().values()), ")");
  }
  return "all null";
}

std::string Describe(const pb::ArrayEncoding& encoding) {
  switch (encoding.array_encoding_case()) {
    case pb::ArrayEncoding::kFlat: {
      const auto& flat = encoding.flat();
      const std::string text = Concat("flat", flat.bits_per_value());
      return flat.has_compression() ? Concat(flat.compression().scheme(), "(", text, ")") : text;
    }
    case pb::ArrayEncoding::kNullable:
      return DescribeNullable(encoding.nullable());
    case pb::ArrayEncoding::kFixedSizeList:
      return Concat("fsl", encoding.fixed_size_list().dimension(), "(",
                    Describe(encoding.fixed_size_list().items()), ")");
    case pb::ArrayEncoding::kList:
      return Concat("list[", encoding.list().num_items(), "](", Describe(encoding.list().offsets()),
                    ")");
    case pb::ArrayEncoding::kBinary:
      return Concat("binary(", Describe(encoding.binary().indices()), ", ",
                    Describe(encoding.binary().bytes()), ")");
    case pb::ArrayEncoding::kDictionary:
      return Concat("dict[", encoding.dictionary().num_dictionary_items(), "](",
                    Describe(encoding.dictionary().indices()), ", ",
                    Describe(encoding.dictionary().items()), ")");
    case pb::ArrayEncoding::kFsst:
      return Concat("fsst(", Describe(encoding.fsst().binary()), ")");
    case pb::ArrayEncoding::kPackedStruct: {
      std::string members;
      for (const auto& inner : encoding.packed_struct().inner()) {
        members += (members.empty() ? "" : ", ") + Describe(inner);
      }
      return Concat("packed(", members, ")");
    }
    case pb::ArrayEncoding::kBitpacked:
      return Concat("bitpacked", encoding.bitpacked().compressed_bits_per_value());
    case pb::ArrayEncoding::kBitpackedForNonNeg:
      return Concat("fastlanes", encoding.bitpacked_for_non_neg().compressed_bits_per_value());
    case pb::ArrayEncoding::kFixedSizeBinary:
      return Concat("fixed", encoding.fixed_size_binary().byte_width(), "(",
                    Describe(encoding.fixed_size_binary().bytes()), ")");
    default:
      return std::string(v20::EncodingName(encoding));
  }
}

// ---- Pages

/// The message inside a serialized Any of the given type.
template <typename Message>
Status ParseAny(std::string_view bytes, std::string_view type_url, std::string_view name,
                Message* message) {
  lance::file::Any any;
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(bytes, &any), "column ", name,
                      ": an encoding is no message");
  if (!std::string_view(any.type_url()).ends_with(type_url)) {
    return Unsupported("column ", name, ": encoding of type '", any.type_url(), "', expected ",
                       type_url);
  }
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(any.value(), message), "column ", name, ": a broken ",
                      type_url);
  return Status::OK();
}

constexpr std::string_view kArrayEncodingUrl = "/lance.encodings.ArrayEncoding";
constexpr std::string_view kColumnEncodingUrl = "/lance.encodings.ColumnEncoding";

/// Rows that a page may claim: pages without buffers can claim any number.
constexpr uint64_t kMaxPageRows = uint64_t{1} << 40;
/// The tree of nodes of a page with its message, about.
constexpr uint64_t kTreeBytes = 1024;

Status CheckPageRows(const PageDescriptor& page, std::string_view name) {
  GLAIVE_CHECK_FORMAT(page.num_rows <= kMaxPageRows, "column ", name, ": a page claims ",
                      page.num_rows, " rows, the limit is ", kMaxPageRows);
  return Status::OK();
}

class LeafPage final : public V20PageDecoder {
 public:
  LeafPage(std::shared_ptr<const LeafDescriptor> leaf, PageContext context, uint64_t num_rows,
           std::unique_ptr<pb::ArrayEncoding> encoding, NodePtr root)
      : leaf_(std::move(leaf)),
        context_(std::move(context)),
        num_rows_(num_rows),
        encoding_(std::move(encoding)),
        root_(std::move(root)) {
    root_->AppendIndexBuffers(&index_buffers_);
  }

  uint64_t num_rows() const override { return num_rows_; }

  std::string Describe() const override { return encoding::Describe(*encoding_); }

  std::vector<BufferRange> IndexNeeds() const override {
    std::vector<BufferRange> needs;
    for (const uint32_t buffer : index_buffers_) {
      needs.push_back({buffer, 0, context_.buffer_sizes[buffer]});
    }
    return needs;
  }

  Status LoadIndex(const Buffers& index) override {
    GLAIVE_CHECK_ARGUMENT(index.size() == index_buffers_.size(), "column ", context_.name, ": ",
                          index.size(), " index buffers, expected ", index_buffers_.size());
    std::vector<BufferPtr> by_number(context_.buffer_sizes.size());
    for (size_t i = 0; i < index.size(); ++i) {
      const uint32_t number = index_buffers_[i];
      GLAIVE_CHECK_ARGUMENT(
          static_cast<uint64_t>(index[i]->size()) == context_.buffer_sizes[number], "column ",
          context_.name, ": index buffer ", number, " has ", index[i]->size(), " bytes, expected ",
          context_.buffer_sizes[number]);
      by_number[number] = index[i];
    }
    return root_->LoadIndex(context_, by_number);
  }

  bool index_loaded() const override { return root_->IndexLoaded(); }

  std::vector<BufferRange> RowIndexNeeds(const RowRanges& rows) const override {
    std::vector<BufferRange> needs;
    root_->AppendRowIndexNeeds(rows, &needs);
    return needs;
  }

  Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                             const Buffers& row_index) const override {
    ARROW_RETURN_NOT_OK(CheckRows(rows));
    std::vector<BufferRange> needs;
    Fetched fetched(row_index);
    ARROW_RETURN_NOT_OK(root_->AppendDataNeeds(rows, &fetched, &needs));
    return needs;
  }

  Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows, const Buffers& row_index,
                                               const Buffers& data,
                                               MemoryPool* pool) const override {
    ARROW_RETURN_NOT_OK(CheckRows(rows));
    GLAIVE_CHECK_ARGUMENT(index_loaded(), "column ", context_.name, ": page index not loaded");
    pool = pool == nullptr ? arrow::default_memory_pool() : pool;
    if (rows.empty()) {
      return arrow::MakeEmptyArray(leaf_->path_type, pool);
    }
    Fetched fetched_index(row_index);
    Fetched fetched_data(data);
    ARROW_ASSIGN_OR_RAISE(auto array, root_->Decode(rows, &fetched_index, &fetched_data, pool));
    return arrow::MakeArray(std::move(array));
  }

  Status Verify(const Buffers& row_index, const Buffers& data) const override {
    if (num_rows_ == 0 || context_.buffer_sizes.empty()) {
      return Status::OK();  // nothing stored, so nothing to be wrong
    }
    ARROW_ASSIGN_OR_RAISE(auto array, Decode({{0, num_rows_}}, row_index, data, nullptr));
    const Status valid = array->ValidateFull();
    GLAIVE_CHECK_FORMAT(valid.ok(), "column ", context_.name, ": ", valid.message());
    return Status::OK();
  }

  void ReleaseDecompressed() const override { root_->ReleaseDecompressed(); }

  uint64_t memory_bytes() const override { return kTreeBytes + root_->kept_bytes(); }

 private:
  Status CheckRows(const RowRanges& rows) const {
    GLAIVE_CHECK_ARGUMENT(rows.empty() || rows.back().end <= num_rows_, "column ", context_.name,
                          ": rows up to ", rows.back().end, " of a page of ", num_rows_);
    return Status::OK();
  }

  std::shared_ptr<const LeafDescriptor> leaf_;
  PageContext context_;
  uint64_t num_rows_;
  std::unique_ptr<pb::ArrayEncoding> encoding_;
  NodePtr root_;
  std::vector<uint32_t> index_buffers_;
};

class ListPage final : public V20ListPage {
 public:
  ListPage(std::string name, uint64_t num_rows, uint64_t num_items, std::string description,
           OffsetSource offsets)
      : name_(std::move(name)),
        num_rows_(num_rows),
        num_items_(num_items),
        description_(std::move(description)),
        offsets_(std::move(offsets)) {}

  uint64_t num_rows() const override { return num_rows_; }

  uint64_t num_items() const override { return num_items_; }

  std::string Describe() const override { return description_; }

  std::vector<BufferRange> DataNeeds(const RowRanges& rows) const override {
    std::vector<BufferRange> needs;
    offsets_.AppendNeeds(rows, &needs);
    return needs;
  }

  Status Decode(const RowRanges& rows, const Buffers& data, uint64_t first_item, MemoryPool* pool,
                V20Lists* lists) const override {
    GLAIVE_CHECK_ARGUMENT(rows.empty() || rows.back().end <= num_rows_, "column ", name_,
                          ": rows up to ", rows.back().end, " of a page of ", num_rows_);
    Fetched fetched(data);
    ARROW_ASSIGN_OR_RAISE(const auto offsets, offsets_.Decode(rows, &fetched, pool));
    return offsets.ForEachRange(
        rows, [&](const RowRange& range, uint64_t start, const uint64_t* raw) -> Status {
          uint64_t first = start;
          for (uint64_t i = 0; i < range.size(); ++i) {
            const uint64_t end = offsets.End(raw[i]);
            GLAIVE_CHECK_FORMAT(end >= start && end <= num_items_, "column ", name_, ": list ",
                                range.start + i, " of a page ends at item ", end, " of ",
                                num_items_, ", the list before at ", start);
            const bool valid = !offsets.IsNull(raw[i]);
            if (!valid && end > start) {  // a null list may own items: nobody's
              ARROW_RETURN_NOT_OK(
                  AddItems({first_item + first, first_item + start}, &lists->items));
              first = end;
            }
            lists->lengths.push_back(valid ? end - start : 0);
            lists->valid.push_back(valid);
            lists->null_count += valid ? 0 : 1;
            start = end;
          }
          return AddItems({first_item + first, first_item + start}, &lists->items);
        });
  }

 private:
  Status AddItems(RowRange items, RowRanges* ranges) const {
    if (items.size() == 0) {
      return Status::OK();
    }
    if (!ranges->empty() && ranges->back().end >= items.start) {
      GLAIVE_CHECK_FORMAT(ranges->back().end == items.start, "column ", name_,
                          ": offsets run backwards at item ", items.start);
      ranges->back().end = items.end;
    } else {
      ranges->push_back(items);
    }
    return Status::OK();
  }

  std::string name_;
  uint64_t num_rows_;
  uint64_t num_items_;
  std::string description_;
  OffsetSource offsets_;
};

}  // namespace

Result<std::unique_ptr<V20PageDecoder>> V20PageDecoder::Open(
    std::shared_ptr<const LeafDescriptor> leaf, const PageDescriptor& page) {
  ARROW_RETURN_NOT_OK(CheckPageRows(page, leaf->name));
  auto encoding = std::make_unique<pb::ArrayEncoding>();
  ARROW_RETURN_NOT_OK(ParseAny(page.encoding, kArrayEncodingUrl, leaf->name, encoding.get()));
  PageContext context{page.buffer_sizes, leaf->name};
  NodePtr root;
  // A page without rows may say anything, e.g. "struct" below lists that are all empty.
  if (page.num_rows == 0) {
    root = std::make_unique<AllNullNode>(leaf->path_type, leaf->name);
  } else {
    ARROW_ASSIGN_OR_RAISE(root, MakeNode(*encoding, leaf->path_type, page.num_rows, context, 0));
  }
  return std::make_unique<LeafPage>(std::move(leaf), std::move(context), page.num_rows,
                                    std::move(encoding), std::move(root));
}

Result<std::unique_ptr<V20ListPage>> V20ListPage::Open(const PageDescriptor& page,
                                                       std::string_view name) {
  ARROW_RETURN_NOT_OK(CheckPageRows(page, name));
  pb::ArrayEncoding encoding;
  ARROW_RETURN_NOT_OK(ParseAny(page.encoding, kArrayEncodingUrl, name, &encoding));
  GLAIVE_CHECK_FORMAT(encoding.has_list(), "column ", name, ": encoding ",
                      v20::EncodingName(encoding), " of a list's column, expected list");
  PageContext context{page.buffer_sizes, std::string(name)};
  ARROW_ASSIGN_OR_RAISE(auto offsets,
                        OffsetSource::Make(encoding.list().offsets(), page.num_rows,
                                           encoding.list().null_offset_adjustment(), context));
  return std::make_unique<ListPage>(std::string(name), page.num_rows, encoding.list().num_items(),
                                    encoding::Describe(encoding), std::move(offsets));
}

Status CheckV20StructPage(const PageDescriptor& page, std::string_view name) {
  ARROW_RETURN_NOT_OK(CheckPageRows(page, name));
  pb::ArrayEncoding encoding;
  ARROW_RETURN_NOT_OK(ParseAny(page.encoding, kArrayEncodingUrl, name, &encoding));
  GLAIVE_CHECK_FORMAT(encoding.has_struct_(), "column ", name, ": encoding ",
                      v20::EncodingName(encoding), " of a struct's column, expected struct");
  return Status::OK();
}

Result<bool> IsV20BlobColumn(std::string_view encoding) {
  pb::ColumnEncoding column;
  ARROW_RETURN_NOT_OK(ParseAny(encoding, kColumnEncodingUrl, "", &column));
  const pb::ColumnEncoding* at = &column;
  // The depth of a parsed message is bounded, so this ends.
  while (at->has_zone_index()) {
    at = &at->zone_index().inner();
  }
  return at->has_blob();
}

}  // namespace glaive::encoding
