#include "encoding/v20_source.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/general_decoder.h"
#include "kernels/fastlanes.h"
#include "proto/encodings_v2_0.pb.h"

namespace glaive::encoding::v20 {
namespace {

namespace pb = lance::encodings;
using arrow::Buffer;
using arrow::MemoryPool;
using arrow::Result;
using arrow::Status;

using BufferPtr = std::shared_ptr<Buffer>;

/// Bytes that hold the bits [start, end).
RowRange ByteSpan(uint64_t start_bit, uint64_t end_bit) {
  return {start_bit / 8, (end_bit + 7) / 8};
}

/// True if the address allows typed access to values of `bits`.
bool IsAligned(const Buffer& buffer, uint64_t bits) {
  const uint64_t width = bits / 8;
  const uint64_t alignment = width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
  return width == 0 || reinterpret_cast<uintptr_t>(buffer.data()) % alignment == 0;
}

/// Zeroed so that bits behind the last value are defined.
Result<std::unique_ptr<Buffer>> AllocateZeroed(uint64_t bytes, MemoryPool* pool) {
  if (bytes > kMaxDecompressedBytes) {
    return ResourceExhausted("decoding would take ", bytes, " bytes at once, the limit is ",
                             kMaxDecompressedBytes, "; read fewer rows at a time");
  }
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(static_cast<int64_t>(bytes), pool));
  std::memset(buffer->mutable_data(), 0, bytes);
  return buffer;
}

Result<BufferPtr> AllocateValues(uint64_t rows, uint64_t bits, MemoryPool* pool) {
  uint64_t total = 0;
  if (!CheckedMul(rows, bits, &total) || total > kMaxDecompressedBytes * 8) {
    return ResourceExhausted("decoding would take ", rows, " values of ", bits,
                             " bits at once; read fewer rows at a time");
  }
  return AllocateZeroed((total + 7) / 8, pool);
}

/// Gathers values that lie in `pieces`: piece i holds the values of range i from bit
/// `first_bits[i]` on.
class Gatherer {
 public:
  Gatherer(uint64_t bits, uint8_t* out) : bits_(bits), out_(out) {}

  void Add(const uint8_t* piece, uint64_t first_bit, uint64_t count) {
    if (bits_ % 8 == 0) {
      std::memcpy(out_ + bit_ / 8, piece + first_bit / 8, count * bits_ / 8);
    } else {
      arrow::internal::CopyBitmap(piece, static_cast<int64_t>(first_bit),
                                  static_cast<int64_t>(count * bits_), out_,
                                  static_cast<int64_t>(bit_));
    }
    bit_ += count * bits_;
  }

 private:
  uint64_t bits_;
  uint8_t* out_;
  uint64_t bit_ = 0;
};

/// flat: values at their place.
class FlatSource final : public FixedSource {
 public:
  FlatSource(uint64_t bits, uint32_t buffer) : bits_(bits), buffer_(buffer) {}

  uint64_t bits() const override { return bits_; }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    for (const auto& range : rows) {
      const RowRange span = ByteSpan(range.start * bits_, range.end * bits_);
      needs->push_back({buffer_, span.start, span.size()});
    }
  }

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched* fetched,
                           MemoryPool* pool) const override {
    if (rows.size() == 1 && rows[0].start * bits_ % 8 == 0) {
      const RowRange span = ByteSpan(rows[0].start * bits_, rows[0].end * bits_);
      ARROW_ASSIGN_OR_RAISE(auto buffer, fetched->Next(span.size()));
      if (IsAligned(*buffer, bits_)) {
        return buffer;
      }
      return buffer->CopySlice(0, buffer->size(), pool);
    }
    ARROW_ASSIGN_OR_RAISE(auto out, AllocateValues(CountRows(rows), bits_, pool));
    Gatherer gatherer(bits_, out->mutable_data());
    for (const auto& range : rows) {
      const RowRange span = ByteSpan(range.start * bits_, range.end * bits_);
      ARROW_ASSIGN_OR_RAISE(auto piece, fetched->Next(span.size()));
      gatherer.Add(piece->data(), range.start * bits_ % 8, range.size());
    }
    return out;
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override { buffers->push_back(buffer_); }

 private:
  uint64_t bits_;
  uint32_t buffer_;
};

/// flat with compression: the buffer is one lz4 or zstd block. Consecutive requests share its
/// bytes.
class CompressedSource final : public FixedSource {
 public:
  CompressedSource(uint64_t bits, uint32_t buffer, uint64_t stored_bytes, GeneralScheme scheme,
                   uint64_t length, std::string name)
      : bits_(bits),
        buffer_(buffer),
        stored_bytes_(stored_bytes),
        scheme_(scheme),
        length_(length),
        name_(std::move(name)) {}

  uint64_t bits() const override { return bits_; }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    if (!rows.empty()) {
      needs->push_back({buffer_, 0, stored_bytes_});
    }
  }

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched* fetched,
                           MemoryPool* pool) const override {
    if (rows.empty()) {
      return AllocateValues(0, bits_, pool);
    }
    ARROW_ASSIGN_OR_RAISE(auto stored, fetched->Next(stored_bytes_));
    ARROW_ASSIGN_OR_RAISE(auto all, Decompressed(*stored));
    const uint64_t last = rows.back().end;
    GLAIVE_CHECK_FORMAT(last <= static_cast<uint64_t>(all->size()) * 8 / bits_, "column ", name_,
                        ": compressed buffer ", buffer_, " unpacks to ", all->size(),
                        " bytes, expected ", last, " values of ", bits_, " bits");
    if (rows.size() == 1 && rows[0].start * bits_ % 8 == 0) {
      const RowRange span = ByteSpan(rows[0].start * bits_, rows[0].end * bits_);
      auto slice = arrow::SliceBuffer(all, static_cast<int64_t>(span.start),
                                      static_cast<int64_t>(span.size()));
      if (IsAligned(*slice, bits_)) {
        return slice;
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto out, AllocateValues(CountRows(rows), bits_, pool));
    Gatherer gatherer(bits_, out->mutable_data());
    for (const auto& range : rows) {
      gatherer.Add(all->data(), range.start * bits_, range.size());
    }
    return out;
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override { buffers->push_back(buffer_); }

  void ReleaseDecompressed() const override {
    std::lock_guard lock(mutex_);
    decompressed_.reset();
  }

  uint64_t kept_bytes() const override {
    std::lock_guard lock(mutex_);
    return decompressed_ == nullptr ? 0 : static_cast<uint64_t>(decompressed_->size());
  }

 private:
  // From the default pool: the bytes outlive the request.
  Result<BufferPtr> Decompressed(const Buffer& stored) const {
    std::lock_guard lock(mutex_);
    if (decompressed_ == nullptr) {
      auto bytes = Unpack(stored);
      if (!bytes.ok()) {
        return WithContext(bytes.status(), Concat("column ", name_, ", buffer ", buffer_));
      }
      GLAIVE_CHECK_FORMAT(length_ == kUnknownLength ||
                              length_ <= static_cast<uint64_t>((*bytes)->size()) * 8 / bits_,
                          "column ", name_, ": compressed buffer ", buffer_, " unpacks to ",
                          (*bytes)->size(), " bytes, expected ", length_, " values of ", bits_,
                          " bits");
      decompressed_ = *std::move(bytes);
    }
    return decompressed_;
  }

  Result<BufferPtr> Unpack(const Buffer& stored) const {
    const std::span<const uint8_t> frame(stored.data(), static_cast<size_t>(stored.size()));
    ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(scheme_, frame));
    ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateBuffer(static_cast<int64_t>(size)));
    ARROW_RETURN_NOT_OK(Decompress(scheme_, frame, out->mutable_data(), size));
    return BufferPtr(std::move(out));
  }

  uint64_t bits_;
  uint32_t buffer_;
  uint64_t stored_bytes_;
  GeneralScheme scheme_;
  uint64_t length_;
  std::string name_;
  mutable std::mutex mutex_;
  mutable BufferPtr decompressed_;
};

/// bitpacked: values of c bits one after the other, bit 0 first.
class BitpackedSource final : public FixedSource {
 public:
  BitpackedSource(uint64_t packed, uint64_t bits, bool is_signed, uint32_t buffer)
      : packed_(packed), bits_(bits), signed_(is_signed), buffer_(buffer) {}

  uint64_t bits() const override { return bits_; }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    for (const auto& range : rows) {
      const RowRange span = ByteSpan(range.start * packed_, range.end * packed_);
      needs->push_back({buffer_, span.start, span.size()});
    }
  }

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched* fetched,
                           MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto out, AllocateValues(CountRows(rows), bits_, pool));
    uint8_t* at = out->mutable_data();
    for (const auto& range : rows) {
      const RowRange span = ByteSpan(range.start * packed_, range.end * packed_);
      ARROW_ASSIGN_OR_RAISE(auto piece, fetched->Next(span.size()));
      uint64_t bit = range.start * packed_ % 8;
      for (uint64_t i = 0; i < range.size(); ++i, bit += packed_, at += bits_ / 8) {
        const uint64_t value = Extract(*piece, bit);
        std::memcpy(at, &value, bits_ / 8);
      }
    }
    return out;
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override { buffers->push_back(buffer_); }

 private:
  uint64_t Extract(const Buffer& piece, uint64_t bit) const {
    uint64_t value = 0;
    for (uint64_t done = 0; done < packed_;) {
      const uint64_t offset = (bit + done) % 8;
      const uint64_t take = std::min<uint64_t>(8 - offset, packed_ - done);
      const uint64_t byte = piece.data()[(bit + done) / 8];
      value |= ((byte >> offset) & ((uint64_t{1} << take) - 1)) << done;
      done += take;
    }
    if (signed_ && packed_ > 0 && packed_ < 64 && ((value >> (packed_ - 1)) & 1) != 0) {
      value |= ~uint64_t{0} << packed_;
    }
    return value;
  }

  uint64_t packed_;
  uint64_t bits_;
  bool signed_;
  uint32_t buffer_;
};

/// bitpacked_for_non_neg: FastLanes blocks of 1024 values.
class FastLanesSource final : public FixedSource {
 public:
  FastLanesSource(uint64_t packed, uint64_t bits, uint32_t buffer)
      : packed_(packed), bits_(bits), buffer_(buffer) {}

  uint64_t bits() const override { return bits_; }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    for (const auto& range : rows) {
      const RowRange blocks = Blocks(range);
      needs->push_back({buffer_, blocks.start * block_bytes(), blocks.size() * block_bytes()});
    }
  }

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched* fetched,
                           MemoryPool* pool) const override {
    switch (bits_) {
      case 8:
        return DecodeAs<uint8_t>(rows, fetched, pool);
      case 16:
        return DecodeAs<uint16_t>(rows, fetched, pool);
      case 32:
        return DecodeAs<uint32_t>(rows, fetched, pool);
      default:
        return DecodeAs<uint64_t>(rows, fetched, pool);
    }
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override { buffers->push_back(buffer_); }

 private:
  uint64_t block_bytes() const { return kernels::kBlockValues / 8 * packed_; }

  static RowRange Blocks(const RowRange& range) {
    return {range.start / kernels::kBlockValues,
            (range.end + kernels::kBlockValues - 1) / kernels::kBlockValues};
  }

  template <typename T>
  Result<BufferPtr> DecodeAs(const RowRanges& rows, Fetched* fetched, MemoryPool* pool) const {
    ARROW_ASSIGN_OR_RAISE(auto out, AllocateValues(CountRows(rows), bits_, pool));
    uint8_t* at = out->mutable_data();
    T values[kernels::kBlockValues];
    for (const auto& range : rows) {
      const RowRange blocks = Blocks(range);
      ARROW_ASSIGN_OR_RAISE(auto piece, fetched->Next(blocks.size() * block_bytes()));
      for (uint64_t block = blocks.start; block < blocks.end; ++block) {
        kernels::UnpackBlock(static_cast<unsigned>(packed_),
                             piece->data() + (block - blocks.start) * block_bytes(), values);
        const uint64_t first = block * kernels::kBlockValues;
        const uint64_t from = std::max(range.start, first) - first;
        const uint64_t to = std::min(range.end, first + kernels::kBlockValues) - first;
        std::memcpy(at, values + from, (to - from) * sizeof(T));
        at += (to - from) * sizeof(T);
      }
    }
    return out;
  }

  uint64_t packed_;
  uint64_t bits_;
  uint32_t buffer_;
};

/// fixed_size_binary: values that are runs of `width` bytes of another source.
class WideSource final : public FixedSource {
 public:
  WideSource(uint64_t width, std::unique_ptr<FixedSource> bytes)
      : width_(width), bytes_(std::move(bytes)) {}

  uint64_t bits() const override { return width_ * 8; }

  bool stored() const override { return bytes_->stored(); }

  void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const override {
    bytes_->AppendNeeds(Scaled(rows), needs);
  }

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched* fetched,
                           MemoryPool* pool) const override {
    return bytes_->Decode(Scaled(rows), fetched, pool);
  }

  void AppendBuffers(std::vector<uint32_t>* buffers) const override {
    bytes_->AppendBuffers(buffers);
  }

  void ReleaseDecompressed() const override { bytes_->ReleaseDecompressed(); }

  uint64_t kept_bytes() const override { return bytes_->kept_bytes(); }

 private:
  RowRanges Scaled(RowRanges rows) const {
    for (auto& range : rows) {
      range = {range.start * width_, range.end * width_};
    }
    return rows;
  }

  uint64_t width_;
  std::unique_ptr<FixedSource> bytes_;
};

/// constant: one value for all rows.
class ConstantSource final : public FixedSource {
 public:
  ConstantSource(uint64_t bits, std::string value) : bits_(bits), value_(std::move(value)) {}

  bool stored() const override { return false; }

  uint64_t bits() const override { return bits_; }

  void AppendNeeds(const RowRanges&, std::vector<BufferRange>*) const override {}

  Result<BufferPtr> Decode(const RowRanges& rows, Fetched*, MemoryPool* pool) const override {
    const uint64_t count = CountRows(rows);
    ARROW_ASSIGN_OR_RAISE(auto out, AllocateValues(count, bits_, pool));
    for (uint64_t i = 0; i < count; ++i) {
      std::memcpy(out->mutable_data() + i * value_.size(), value_.data(), value_.size());
    }
    return out;
  }

  void AppendBuffers(std::vector<uint32_t>*) const override {}

 private:
  uint64_t bits_;
  std::string value_;
};

Result<GeneralScheme> ParseScheme(const std::string& name, const PageContext& context) {
  if (name == "lz4") {
    return GeneralScheme::kLz4;
  }
  if (name == "zstd") {
    return GeneralScheme::kZstd;
  }
  return Unsupported("column ", context.name, ": compression scheme '", name, "'");
}

/// The size of the page buffer that a message points to.
Result<uint64_t> StoredBytes(const pb::Buffer& buffer, const PageContext& context) {
  if (buffer.buffer_type() != pb::Buffer::page) {
    return Unsupported("column ", context.name, ": an encoding refers to a buffer of type ",
                       static_cast<int>(buffer.buffer_type()), ", only page buffers are known");
  }
  GLAIVE_CHECK_FORMAT(buffer.buffer_index() < context.buffer_sizes.size(), "column ", context.name,
                      ": an encoding refers to page buffer ", buffer.buffer_index(),
                      ", the page has ", context.buffer_sizes.size());
  return context.buffer_sizes[buffer.buffer_index()];
}

/// kCorruption unless `stored` bytes hold `length` values of `bits`.
Status CheckHolds(uint64_t stored, uint64_t length, uint64_t bits, const PageContext& context) {
  uint64_t total_bits = 0;
  GLAIVE_CHECK_FORMAT(CheckedMul(length, bits, &total_bits) && total_bits / 8 <= stored &&
                          (total_bits + 7) / 8 <= stored,
                      "column ", context.name, ": a buffer has ", stored, " bytes, expected ",
                      length, " values of ", bits, " bits");
  return Status::OK();
}

bool IsIndexWidth(uint64_t bits) {
  return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

Result<std::unique_ptr<FixedSource>> MakeFlat(const pb::Flat& flat, uint64_t length,
                                              const PageContext& context) {
  const uint64_t bits = flat.bits_per_value();
  GLAIVE_CHECK_FORMAT(bits == 1 || (bits > 0 && bits % 8 == 0 && bits <= uint64_t{1} << 35),
                      "column ", context.name, ": flat values have ", bits,
                      " bits, expected 1 or a multiple of 8");
  ARROW_ASSIGN_OR_RAISE(const uint64_t stored, StoredBytes(flat.buffer(), context));
  const std::string& scheme = flat.compression().scheme();
  if (!flat.has_compression() || scheme == "none" || scheme.empty()) {
    if (length != kUnknownLength) {
      ARROW_RETURN_NOT_OK(CheckHolds(stored, length, bits, context));
    }
    return std::make_unique<FlatSource>(bits, flat.buffer().buffer_index());
  }
  uint64_t total_bits = 0;
  GLAIVE_CHECK_FORMAT(length == kUnknownLength || CheckedMul(length, bits, &total_bits), "column ",
                      context.name, ": a page of ", length, " values of ", bits, " bits");
  ARROW_ASSIGN_OR_RAISE(const GeneralScheme known, ParseScheme(scheme, context));
  return std::make_unique<CompressedSource>(bits, flat.buffer().buffer_index(), stored, known,
                                            length, context.name);
}

Status CheckPackedWidths(uint64_t packed, uint64_t bits, const PageContext& context) {
  GLAIVE_CHECK_FORMAT(IsIndexWidth(bits) && packed > 0 && packed <= bits, "column ", context.name,
                      ": bit packing of ", bits, " bits into ", packed,
                      ", expected 8, 16, 32 or 64 bits into at most as many");
  return Status::OK();
}

Result<std::unique_ptr<FixedSource>> MakeBitpacked(const pb::Bitpacked& encoding, uint64_t length,
                                                   const PageContext& context) {
  const uint64_t packed = encoding.compressed_bits_per_value();
  const uint64_t bits = encoding.uncompressed_bits_per_value();
  ARROW_RETURN_NOT_OK(CheckPackedWidths(packed, bits, context));
  ARROW_ASSIGN_OR_RAISE(const uint64_t stored, StoredBytes(encoding.buffer(), context));
  ARROW_RETURN_NOT_OK(CheckHolds(stored, length, packed, context));
  return std::make_unique<BitpackedSource>(packed, bits, encoding.signed_(),
                                           encoding.buffer().buffer_index());
}

Result<std::unique_ptr<FixedSource>> MakeFastLanes(const pb::BitpackedForNonNeg& encoding,
                                                   uint64_t length, const PageContext& context) {
  const uint64_t packed = encoding.compressed_bits_per_value();
  const uint64_t bits = encoding.uncompressed_bits_per_value();
  ARROW_RETURN_NOT_OK(CheckPackedWidths(packed, bits, context));
  ARROW_ASSIGN_OR_RAISE(const uint64_t stored, StoredBytes(encoding.buffer(), context));
  const uint64_t blocks =
      length / kernels::kBlockValues + (length % kernels::kBlockValues != 0 ? 1 : 0);
  ARROW_RETURN_NOT_OK(CheckHolds(stored, blocks, kernels::kBlockValues * packed, context));
  return std::make_unique<FastLanesSource>(packed, bits, encoding.buffer().buffer_index());
}

Result<std::unique_ptr<FixedSource>> MakeWide(const pb::FixedSizeBinary& encoding, uint64_t length,
                                              const PageContext& context) {
  const uint64_t width = encoding.byte_width();
  uint64_t bytes = 0;
  GLAIVE_CHECK_FORMAT(width > 0 && CheckedMul(length, width, &bytes), "column ", context.name,
                      ": fixed size binary of ", length, " values of ", width, " bytes");
  ARROW_ASSIGN_OR_RAISE(auto source, MakeFixedSource(encoding.bytes(), bytes, context));
  GLAIVE_CHECK_FORMAT(source->bits() == 8, "column ", context.name,
                      ": the bytes of a fixed size binary have ", source->bits(),
                      " bits, expected 8");
  return std::make_unique<WideSource>(width, std::move(source));
}

}  // namespace

Result<BufferPtr> Fetched::Next(uint64_t length) {
  if (next_ >= buffers_.size() || buffers_[next_] == nullptr ||
      static_cast<uint64_t>(buffers_[next_]->size()) != length) {
    return InternalError("page buffer ", next_, " of a request was not handed over with ", length,
                         " bytes");
  }
  return buffers_[next_++];
}

Result<std::unique_ptr<FixedSource>> MakeFixedSource(const pb::ArrayEncoding& encoding,
                                                     uint64_t length, const PageContext& context) {
  switch (encoding.array_encoding_case()) {
    case pb::ArrayEncoding::kFlat:
      return MakeFlat(encoding.flat(), length, context);
    case pb::ArrayEncoding::kNullable:
      GLAIVE_CHECK_FORMAT(encoding.nullable().has_no_nulls(), "column ", context.name,
                          ": nulls inside indices, offsets, bytes or validity");
      return MakeFixedSource(encoding.nullable().no_nulls().values(), length, context);
    case pb::ArrayEncoding::kBitpacked:
      return MakeBitpacked(encoding.bitpacked(), length, context);
    case pb::ArrayEncoding::kBitpackedForNonNeg:
      return MakeFastLanes(encoding.bitpacked_for_non_neg(), length, context);
    case pb::ArrayEncoding::kFixedSizeBinary:
      return MakeWide(encoding.fixed_size_binary(), length, context);
    case pb::ArrayEncoding::kConstant:
      GLAIVE_CHECK_FORMAT(!encoding.constant().value().empty(), "column ", context.name,
                          ": a constant without value");
      return std::make_unique<ConstantSource>(encoding.constant().value().size() * 8,
                                              encoding.constant().value());
    default:
      return Unsupported("column ", context.name, ": encoding ", EncodingName(encoding),
                         " where fixed-width values are expected");
  }
}

std::vector<uint64_t> WidenUnsigned(const Buffer& values, uint64_t bits, uint64_t count) {
  std::vector<uint64_t> wide(count);
  if (bits == 64) {
    if (count > 0) {
      std::memcpy(wide.data(), values.data(), count * sizeof(uint64_t));
    }
    return wide;
  }
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t* at = values.data() + i * bits / 8;
    wide[i] = bits == 8 ? *at : bits == 16 ? LoadLe<uint16_t>(at) : LoadLe<uint32_t>(at);
  }
  return wide;
}

std::string_view EncodingName(const pb::ArrayEncoding& encoding) {
  switch (encoding.array_encoding_case()) {
    case pb::ArrayEncoding::kFlat:
      return "flat";
    case pb::ArrayEncoding::kNullable:
      return "nullable";
    case pb::ArrayEncoding::kFixedSizeList:
      return "fixed_size_list";
    case pb::ArrayEncoding::kList:
      return "list";
    case pb::ArrayEncoding::kStruct:
      return "struct";
    case pb::ArrayEncoding::kBinary:
      return "binary";
    case pb::ArrayEncoding::kDictionary:
      return "dictionary";
    case pb::ArrayEncoding::kFsst:
      return "fsst";
    case pb::ArrayEncoding::kPackedStruct:
      return "packed_struct";
    case pb::ArrayEncoding::kBitpacked:
      return "bitpacked";
    case pb::ArrayEncoding::kFixedSizeBinary:
      return "fixed_size_binary";
    case pb::ArrayEncoding::kBitpackedForNonNeg:
      return "bitpacked_for_non_neg";
    case pb::ArrayEncoding::kConstant:
      return "constant";
    case pb::ArrayEncoding::kInlineBitpacking:
      return "inline_bitpacking";
    case pb::ArrayEncoding::kOutOfLineBitpacking:
      return "out_of_line_bitpacking";
    case pb::ArrayEncoding::kVariable:
      return "variable";
    case pb::ArrayEncoding::kPackedStructFixedWidthMiniBlock:
      return "packed_struct_fixed_width_mini_block";
    case pb::ArrayEncoding::kBlock:
      return "block";
    case pb::ArrayEncoding::kRle:
      return "rle";
    case pb::ArrayEncoding::kGeneralMiniBlock:
      return "general_mini_block";
    case pb::ArrayEncoding::kByteStreamSplit:
      return "byte_stream_split";
    default:
      return "unknown";
  }
}

}  // namespace glaive::encoding::v20
