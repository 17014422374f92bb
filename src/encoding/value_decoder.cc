#include "encoding/value_decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/block_decoder.h"
#include "encoding/general_decoder.h"
#include "encoding/scratch.h"
#include "kernels/fastlanes.h"

namespace glaive::encoding {
namespace {

using kernels::kBlockValues;
using Bytes = std::span<const uint8_t>;
using Buffers = std::span<const Bytes>;

constexpr size_t kMaxBuffers = 2 * kMaxNesting;

// Takes general compression off the first buffer of a chunk, as often as the encoding says.
class GeneralStage {
 public:
  // The encoding below the general ones.
  const Encoding& Strip(const Encoding& encoding) {
    const Encoding* at = &encoding;
    while (at->kind == EncodingKind::kGeneral) {
      schemes_.push_back(at->scheme);
      at = at->values.get();
    }
    return *at;
  }

  arrow::Result<Buffers> Unpack(Buffers buffers) {
    if (schemes_.empty()) {
      return buffers;
    }
    std::copy(buffers.begin(), buffers.end(), unpacked_.begin());
    for (size_t i = 0; i < schemes_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(schemes_[i], unpacked_[0]));
      // The output of one stage is the input of the next: they take turns.
      uint8_t* out = scratch_[i % 2].Get(size);
      ARROW_RETURN_NOT_OK(Decompress(schemes_[i], unpacked_[0], out, size));
      unpacked_[0] = Bytes(out, size);
    }
    return Buffers(unpacked_.data(), buffers.size());
  }

 private:
  std::vector<GeneralScheme> schemes_;
  std::array<Scratch, 2> scratch_;
  std::array<Bytes, kMaxBuffers> unpacked_;
};

// Numbers of whole bytes.
class NumberSource {
 public:
  virtual ~NumberSource() = default;
  virtual arrow::Status Load(Buffers buffers, uint64_t num_values) = 0;
  virtual arrow::Status Read(uint64_t start, uint64_t count, uint8_t* out) = 0;
};

arrow::Status CheckFlat(Bytes bytes, uint64_t bits, uint64_t num_values) {
  uint64_t needed = 0;
  GLAIVE_CHECK_FORMAT(CheckedMul(bits, num_values, &needed) && (needed + 7) / 8 <= bytes.size(),
                      "a value buffer of ", bytes.size(), " bytes for ", num_values, " values of ",
                      bits, " bits");
  return arrow::Status::OK();
}

class FlatSource final : public NumberSource {
 public:
  explicit FlatSource(uint64_t value_bytes) : value_bytes_(value_bytes) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    bytes_ = buffers[0];
    return CheckFlat(bytes_, 8 * value_bytes_, num_values);
  }

  arrow::Status Read(uint64_t start, uint64_t count, uint8_t* out) override {
    if (count > 0) {
      std::memcpy(out, bytes_.data() + start * value_bytes_, count * value_bytes_);
    }
    return arrow::Status::OK();
  }

 private:
  const uint64_t value_bytes_;
  Bytes bytes_;
};

template <typename T>
class InlineBitpackedSource final : public NumberSource {
 public:
  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    const Bytes bytes = buffers[0];
    GLAIVE_CHECK_FORMAT(num_values <= kBlockValues, "a bit-packed chunk of ", num_values,
                        " values, at most ", kBlockValues, " are allowed");
    GLAIVE_CHECK_FORMAT(bytes.size() >= sizeof(T), "a bit-packed chunk of ", bytes.size(),
                        " bytes");
    const auto width = static_cast<uint64_t>(LoadLe<T>(bytes.data()));
    GLAIVE_CHECK_FORMAT(width <= 8 * sizeof(T) && bytes.size() >= sizeof(T) + 128 * width,
                        "a chunk of ", bytes.size(), " bytes packed to ", width, " bits");
    width_ = static_cast<unsigned>(width);
    packed_ = bytes.data() + sizeof(T);
    unpacked_ = false;
    return arrow::Status::OK();
  }

  arrow::Status Read(uint64_t start, uint64_t count, uint8_t* out) override {
    if (count == kBlockValues) {
      kernels::UnpackBlock(width_, packed_, reinterpret_cast<T*>(out));
      return arrow::Status::OK();
    }
    if (!unpacked_) {
      kernels::UnpackBlock(width_, packed_, values_);
      unpacked_ = true;
    }
    if (count > 0) {
      std::memcpy(out, values_ + start, count * sizeof(T));
    }
    return arrow::Status::OK();
  }

 private:
  unsigned width_ = 0;
  const uint8_t* packed_ = nullptr;
  bool unpacked_ = false;
  alignas(64) T values_[kBlockValues];
};

template <typename T>
class RleSource final : public NumberSource {
 public:
  explicit RleSource(const Encoding& encoding) : encoding_(encoding) {}

  arrow::Status Load(Buffers buffers, uint64_t) override {
    ARROW_ASSIGN_OR_RAISE(
        runs_, UnpackRuns(encoding_, buffers[0], buffers[1], &values_scratch_, &lengths_scratch_));
    return arrow::Status::OK();
  }

  arrow::Status Read(uint64_t start, uint64_t count, uint8_t* out) override {
    GLAIVE_CHECK_FORMAT(ExpandRuns(runs_.values.data(), runs_.lengths.data(), runs_.length_bytes,
                                   runs_.count, start, count, reinterpret_cast<T*>(out)),
                        "a chunk whose runs end before value ", start + count);
    return arrow::Status::OK();
  }

 private:
  const Encoding& encoding_;
  Runs runs_;
  Scratch values_scratch_;
  Scratch lengths_scratch_;
};

class ByteStreamSplitSource final : public NumberSource {
 public:
  explicit ByteStreamSplitSource(uint64_t value_bytes) : value_bytes_(value_bytes) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    bytes_ = buffers[0];
    num_values_ = num_values;
    return CheckFlat(bytes_, 8 * value_bytes_, num_values);
  }

  arrow::Status Read(uint64_t start, uint64_t count, uint8_t* out) override {
    for (uint64_t byte = 0; byte < value_bytes_; ++byte) {
      const uint8_t* stream = bytes_.data() + byte * num_values_ + start;
      for (uint64_t i = 0; i < count; ++i) {
        out[i * value_bytes_ + byte] = stream[i];
      }
    }
    return arrow::Status::OK();
  }

 private:
  const uint64_t value_bytes_;
  uint64_t num_values_ = 0;
  Bytes bytes_;
};

arrow::Status CheckBuffers(uint64_t found, uint64_t expected, const Encoding& encoding) {
  GLAIVE_CHECK_FORMAT(found == expected, DescribeEncoding(encoding), " in ", found,
                      " value buffers, expected ", expected);
  return arrow::Status::OK();
}

// A source of numbers of encoding.bits bits, general compression already taken off.
arrow::Result<std::unique_ptr<NumberSource>> MakeNumberSource(const Encoding& encoding,
                                                              uint64_t num_buffers) {
  ARROW_RETURN_NOT_OK(
      CheckBuffers(num_buffers, encoding.kind == EncodingKind::kRle ? 2 : 1, encoding));
  switch (encoding.kind) {
    case EncodingKind::kFlat:
    case EncodingKind::kPackedStruct:
      GLAIVE_CHECK_FORMAT(encoding.bits % 8 == 0, "values of ", encoding.bits, " bits");
      return std::make_unique<FlatSource>(encoding.bits / 8);
    case EncodingKind::kByteStreamSplit:
      return std::make_unique<ByteStreamSplitSource>(encoding.bits / 8);
    case EncodingKind::kInlineBitpacking:
      switch (encoding.bits) {
        case 8:
          return std::make_unique<InlineBitpackedSource<uint8_t>>();
        case 16:
          return std::make_unique<InlineBitpackedSource<uint16_t>>();
        case 32:
          return std::make_unique<InlineBitpackedSource<uint32_t>>();
        default:
          return std::make_unique<InlineBitpackedSource<uint64_t>>();
      }
    case EncodingKind::kRle:
      switch (encoding.bits) {
        case 8:
          return std::make_unique<RleSource<uint8_t>>(encoding);
        case 16:
          return std::make_unique<RleSource<uint16_t>>(encoding);
        case 32:
          return std::make_unique<RleSource<uint32_t>>(encoding);
        default:
          return std::make_unique<RleSource<uint64_t>>(encoding);
      }
    default:
      return Unsupported("encoding ", DescribeEncoding(encoding), " for numbers in a chunk");
  }
}

class FixedDecoder final : public ValueDecoder {
 public:
  FixedDecoder(GeneralStage stage, std::unique_ptr<NumberSource> source)
      : stage_(std::move(stage)), source_(std::move(source)) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    return source_->Load(unpacked, num_values);
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, builder->AddFixed(count));
    return source_->Read(start, count, out);
  }

 private:
  GeneralStage stage_;
  std::unique_ptr<NumberSource> source_;
};

class BitDecoder final : public ValueDecoder {
 public:
  explicit BitDecoder(GeneralStage stage) : stage_(std::move(stage)) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    bytes_ = unpacked[0];
    return CheckFlat(bytes_, 1, num_values);
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    return builder->AddBits(bytes_.data(), start, count);
  }

 private:
  GeneralStage stage_;
  Bytes bytes_;
};

class FixedSizeListDecoder final : public ValueDecoder {
 public:
  FixedSizeListDecoder(GeneralStage stage, const LeafShape& shape, std::vector<bool> has_validity)
      : stage_(std::move(stage)), shape_(shape), has_validity_(std::move(has_validity)) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    validity_.clear();
    size_t next = 0;
    uint64_t items = 1;
    for (size_t level = 0; level < has_validity_.size(); ++level) {
      items *= static_cast<uint64_t>(shape_.dimensions[level]);
      if (has_validity_[level]) {
        ARROW_RETURN_NOT_OK(CheckFlat(unpacked[next], items, num_values));
        validity_.push_back(unpacked[next++]);
      }
    }
    values_ = unpacked[next];
    return CheckFlat(values_, shape_.bits, num_values);
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    size_t next = 0;
    uint64_t items = 1;
    for (size_t level = 0; level < has_validity_.size(); ++level) {
      items *= static_cast<uint64_t>(shape_.dimensions[level]);
      if (has_validity_[level]) {
        ARROW_RETURN_NOT_OK(builder->AddItemValidity(level, validity_[next++].data(), start * items,
                                                     count * items));
      }
    }
    if (shape_.item_bits == 1) {
      return builder->AddBits(values_.data(), start, count);
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, builder->AddFixed(count));
    const uint64_t slot_bytes = shape_.bits / 8;
    if (count * slot_bytes > 0) {
      std::memcpy(out, values_.data() + start * slot_bytes, count * slot_bytes);
    }
    return arrow::Status::OK();
  }

 private:
  GeneralStage stage_;
  const LeafShape& shape_;
  const std::vector<bool> has_validity_;
  std::vector<Bytes> validity_;
  Bytes values_;
};

template <typename Offset>
class VariableDecoder final : public ValueDecoder {
 public:
  VariableDecoder(GeneralStage stage, const FsstDecoder* fsst)
      : stage_(std::move(stage)), fsst_(fsst) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    bytes_ = unpacked[0];
    GLAIVE_CHECK_FORMAT(num_values < bytes_.size() / sizeof(Offset), "a buffer of ", bytes_.size(),
                        " bytes for ", num_values, " values and their offsets");
    return arrow::Status::OK();
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    return AppendVariable<Offset>(bytes_.data(), 0, start, count, bytes_, fsst_, builder);
  }

 private:
  GeneralStage stage_;
  const FsstDecoder* fsst_;
  Bytes bytes_;
};

// Arrow dictionary columns: indices as they are, widened or narrowed to the type's index.
class IndexDecoder final : public ValueDecoder {
 public:
  IndexDecoder(GeneralStage stage, std::unique_ptr<NumberSource> source, uint64_t stored_bytes,
               uint64_t index_bytes)
      : stage_(std::move(stage)),
        source_(std::move(source)),
        stored_bytes_(stored_bytes),
        index_bytes_(index_bytes) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    return source_->Load(unpacked, num_values);
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, builder->AddFixed(count));
    if (stored_bytes_ == index_bytes_) {
      return source_->Read(start, count, out);
    }
    uint8_t* stored = scratch_.Get(count * stored_bytes_);
    ARROW_RETURN_NOT_OK(source_->Read(start, count, stored));
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t index = 0;
      std::memcpy(&index, stored + i * stored_bytes_, stored_bytes_);
      GLAIVE_CHECK_FORMAT(index_bytes_ == 8 || (index >> (8 * index_bytes_)) == 0,
                          "dictionary index ", index, " in ", index_bytes_, " bytes");
      std::memcpy(out + i * index_bytes_, &index, index_bytes_);
    }
    return arrow::Status::OK();
  }

 private:
  GeneralStage stage_;
  std::unique_ptr<NumberSource> source_;
  const uint64_t stored_bytes_;
  const uint64_t index_bytes_;
  Scratch scratch_;
};

template <typename Offset, typename Index>
arrow::Status LookUpVariable(const Index* indices, uint64_t count,
                             const arrow::ArrayData& dictionary, LeafBuilder* builder) {
  const auto size = static_cast<uint64_t>(dictionary.length);
  const auto* offsets = dictionary.GetValues<Offset>(1);
  const uint8_t* bytes = dictionary.buffers[2]->data();
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(indices[i]);
    GLAIVE_CHECK_FORMAT(index < size, "dictionary index ", index, " with ", size, " values");
    total += static_cast<uint64_t>(offsets[index + 1] - offsets[index]);
  }
  // Short values are copied 16 bytes at a time, beyond their end.
  constexpr uint64_t kWide = 16;
  GrowingBuffer* out = builder->Bytes();
  ARROW_RETURN_NOT_OK(out->Reserve(total + kWide));
  ARROW_ASSIGN_OR_RAISE(Offset* ends, builder->AddOffsets<Offset>(count));
  const uint64_t base = out->size();
  uint8_t* at = out->data() + base;
  uint64_t end = base;
  const uint64_t bytes_size = static_cast<uint64_t>(dictionary.buffers[2]->size());
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(indices[i]);
    const auto from = static_cast<uint64_t>(offsets[index]);
    const auto length = static_cast<uint64_t>(offsets[index + 1]) - from;
    if (length <= kWide && from + kWide <= bytes_size) {
      std::memcpy(at, bytes + from, kWide);
    } else if (length > 0) {
      std::memcpy(at, bytes + from, length);
    }
    at += length;
    end += length;
    ends[i] = static_cast<Offset>(end);
  }
  out->Advance(total);
  return builder->CheckOffsets();
}

template <typename Index>
arrow::Status LookUpFixed(const Index* indices, uint64_t count, const arrow::ArrayData& dictionary,
                          LeafBuilder* builder) {
  const auto size = static_cast<uint64_t>(dictionary.length);
  const uint8_t* values = dictionary.buffers[1]->data();
  const uint64_t width = builder->shape().bits / 8;
  ARROW_ASSIGN_OR_RAISE(uint8_t* out, builder->AddFixed(count));
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(indices[i]);
    GLAIVE_CHECK_FORMAT(index < size, "dictionary index ", index, " with ", size, " values");
    switch (width) {
      case 8:
        std::memcpy(out + i * 8, values + index * 8, 8);
        break;
      case 16:
        std::memcpy(out + i * 16, values + index * 16, 16);
        break;
      default:
        std::memcpy(out + i * width, values + index * width, width);
    }
  }
  return arrow::Status::OK();
}

// Plain columns that were stored through a dictionary.
class LookUpDecoder final : public ValueDecoder {
 public:
  LookUpDecoder(GeneralStage stage, std::unique_ptr<NumberSource> source, uint64_t index_bytes,
                const arrow::Array* dictionary)
      : stage_(std::move(stage)),
        source_(std::move(source)),
        index_bytes_(index_bytes),
        dictionary_(dictionary) {}

  arrow::Status Load(Buffers buffers, uint64_t num_values) override {
    ARROW_ASSIGN_OR_RAISE(const auto unpacked, stage_.Unpack(buffers));
    return source_->Load(unpacked, num_values);
  }

  arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) override {
    uint8_t* indices = scratch_.Get(count * index_bytes_);
    ARROW_RETURN_NOT_OK(source_->Read(start, count, indices));
    switch (index_bytes_) {
      case 1:
        return LookUp(indices, count, builder);
      case 2:
        return LookUp(reinterpret_cast<const uint16_t*>(indices), count, builder);
      case 4:
        return LookUp(reinterpret_cast<const uint32_t*>(indices), count, builder);
      default:
        return LookUp(reinterpret_cast<const uint64_t*>(indices), count, builder);
    }
  }

 private:
  template <typename Index>
  arrow::Status LookUp(const Index* indices, uint64_t count, LeafBuilder* builder) const {
    const arrow::ArrayData& dictionary = *dictionary_->data();
    if (builder->shape().storage != LeafStorage::kVariable) {
      return LookUpFixed(indices, count, dictionary, builder);
    }
    return builder->shape().offset_bits == 32
               ? LookUpVariable<int32_t>(indices, count, dictionary, builder)
               : LookUpVariable<int64_t>(indices, count, dictionary, builder);
  }

  GeneralStage stage_;
  std::unique_ptr<NumberSource> source_;
  const uint64_t index_bytes_;
  const arrow::Array* dictionary_;
  Scratch scratch_;
};

arrow::Status WrongEncoding(const Encoding& encoding, const LeafShape& shape) {
  return Corruption("values of type ", shape.type->ToString(), " encoded as ",
                    DescribeEncoding(encoding));
}

arrow::Result<std::unique_ptr<ValueDecoder>> MakeDictionaryDecoder(GeneralStage stage,
                                                                   const Encoding& core,
                                                                   const LeafShape& shape,
                                                                   uint64_t num_buffers,
                                                                   const arrow::Array* dictionary) {
  if (core.bits != 8 && core.bits != 16 && core.bits != 32 && core.bits != 64) {
    return WrongEncoding(core, shape);
  }
  ARROW_ASSIGN_OR_RAISE(auto source, MakeNumberSource(core, num_buffers));
  if (shape.storage == LeafStorage::kDictionary) {
    return std::make_unique<IndexDecoder>(std::move(stage), std::move(source), core.bits / 8,
                                          shape.bits / 8);
  }
  const bool has_look_up = shape.storage == LeafStorage::kVariable ||
                           (shape.storage == LeafStorage::kFixed && shape.bits % 8 == 0);
  if (!has_look_up) {
    return WrongEncoding(core, shape);
  }
  return std::make_unique<LookUpDecoder>(std::move(stage), std::move(source), core.bits / 8,
                                         dictionary);
}

arrow::Result<std::unique_ptr<ValueDecoder>> MakeFixedSizeListDecoder(GeneralStage stage,
                                                                      const Encoding& core,
                                                                      const LeafShape& shape,
                                                                      uint64_t num_buffers) {
  std::vector<bool> has_validity;
  const Encoding* at = &core;
  for (const int32_t dimension : shape.dimensions) {
    if (at->kind != EncodingKind::kFixedSizeList ||
        at->items_per_value != static_cast<uint64_t>(dimension)) {
      return WrongEncoding(core, shape);
    }
    has_validity.push_back(at->has_validity);
    at = at->values.get();
  }
  if (at->kind != EncodingKind::kFlat || at->bits != shape.item_bits) {
    return WrongEncoding(core, shape);
  }
  const auto validity_buffers =
      static_cast<uint64_t>(std::count(has_validity.begin(), has_validity.end(), true));
  ARROW_RETURN_NOT_OK(CheckBuffers(num_buffers, validity_buffers + 1, core));
  return std::make_unique<FixedSizeListDecoder>(std::move(stage), shape, std::move(has_validity));
}

arrow::Result<std::unique_ptr<ValueDecoder>> MakeVariableDecoder(GeneralStage stage,
                                                                 const Encoding& core,
                                                                 const LeafShape& shape,
                                                                 uint64_t num_buffers,
                                                                 const FsstDecoder* fsst) {
  const Encoding* at = &core;
  if (at->kind == EncodingKind::kFsst) {
    at = at->values.get();
  } else {
    fsst = nullptr;
  }
  if (at->kind != EncodingKind::kVariable || at->bits != shape.offset_bits) {
    return WrongEncoding(core, shape);
  }
  ARROW_RETURN_NOT_OK(CheckBuffers(num_buffers, 1, core));
  if (shape.offset_bits == 32) {
    return std::make_unique<VariableDecoder<uint32_t>>(std::move(stage), fsst);
  }
  return std::make_unique<VariableDecoder<uint64_t>>(std::move(stage), fsst);
}

}  // namespace

const Encoding* FindFsst(const Encoding& encoding) {
  const Encoding* at = &encoding;
  while (at != nullptr && at->kind != EncodingKind::kFsst) {
    at = at->values.get();
  }
  return at;
}

template <typename Offset>
arrow::Status AppendVariable(const uint8_t* offsets, uint64_t first_offset, uint64_t start,
                             uint64_t count, Bytes bytes, const FsstDecoder* fsst,
                             LeafBuilder* builder) {
  using Signed = std::make_signed_t<Offset>;
  const uint8_t* at = offsets + (first_offset + start) * sizeof(Offset);
  const auto first = static_cast<uint64_t>(LoadLe<Offset>(at));
  // Offsets must grow and stay within the bytes.
  uint64_t previous = first;
  bool ordered = true;
  for (uint64_t i = 1; i <= count; ++i) {
    const auto next = static_cast<uint64_t>(LoadLe<Offset>(at + i * sizeof(Offset)));
    ordered &= previous <= next;
    previous = next;
  }
  const uint64_t last = previous;
  GLAIVE_CHECK_FORMAT(ordered && last <= bytes.size(), "offsets of values that don't fit their ",
                      bytes.size(), " bytes");
  GrowingBuffer* out = builder->Bytes();
  const uint64_t length = last - first;
  if (fsst == nullptr || !fsst->is_encoded()) {
    const uint64_t base = out->size();
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->Extend(length));
    if (length > 0) {
      std::memcpy(to, bytes.data() + first, length);
    }
    ARROW_RETURN_NOT_OK(builder->CheckOffsets());
    ARROW_ASSIGN_OR_RAISE(Signed* ends, builder->template AddOffsets<Signed>(count));
    for (uint64_t i = 0; i < count; ++i) {
      const auto end = static_cast<uint64_t>(LoadLe<Offset>(at + (i + 1) * sizeof(Offset)));
      ends[i] = static_cast<Signed>(base + (end - first));
    }
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(out->Reserve(length * FsstDecoder::kMostPerByte + FsstDecoder::kSlack));
  ARROW_ASSIGN_OR_RAISE(Signed* ends, builder->template AddOffsets<Signed>(count));
  uint8_t* const base = out->data();
  uint8_t* to = base + out->size();
  const uint8_t* from = bytes.data() + first;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t* end = bytes.data() + LoadLe<Offset>(at + (i + 1) * sizeof(Offset));
    to = fsst->Decode(from, end, to);
    GLAIVE_CHECK_FORMAT(to != nullptr, "an fsst value with codes that its table lacks");
    ends[i] = static_cast<Signed>(to - base);
    from = end;
  }
  out->Advance(static_cast<uint64_t>(to - base) - out->size());
  return builder->CheckOffsets();
}

template arrow::Status AppendVariable<uint32_t>(const uint8_t*, uint64_t, uint64_t, uint64_t, Bytes,
                                                const FsstDecoder*, LeafBuilder*);
template arrow::Status AppendVariable<uint64_t>(const uint8_t*, uint64_t, uint64_t, uint64_t, Bytes,
                                                const FsstDecoder*, LeafBuilder*);

arrow::Result<std::unique_ptr<ValueDecoder>> ValueDecoder::Make(const Encoding& encoding,
                                                                const LeafShape& shape,
                                                                uint64_t num_buffers,
                                                                const Context& context) {
  GeneralStage stage;
  const Encoding& core = stage.Strip(encoding);
  if (context.has_dictionary) {
    return MakeDictionaryDecoder(std::move(stage), core, shape, num_buffers, context.dictionary);
  }
  switch (shape.storage) {
    case LeafStorage::kFixed: {
      if (core.bits != shape.bits || core.kind == EncodingKind::kVariable ||
          core.kind == EncodingKind::kPackedStruct) {
        return WrongEncoding(encoding, shape);
      }
      if (shape.bits == 1) {
        ARROW_RETURN_NOT_OK(CheckBuffers(num_buffers, 1, core));
        return core.kind == EncodingKind::kFlat
                   ? arrow::Result<std::unique_ptr<ValueDecoder>>(
                         std::make_unique<BitDecoder>(std::move(stage)))
                   : WrongEncoding(encoding, shape);
      }
      ARROW_ASSIGN_OR_RAISE(auto source, MakeNumberSource(core, num_buffers));
      return std::make_unique<FixedDecoder>(std::move(stage), std::move(source));
    }
    case LeafStorage::kStruct: {
      bool fits = core.kind == EncodingKind::kPackedStruct && core.bits == shape.bits &&
                  core.field_bits.size() == shape.fields.size();
      for (size_t i = 0; fits && i < shape.fields.size(); ++i) {
        fits = core.field_bits[i] == shape.fields[i].bits;
      }
      if (!fits) {
        return WrongEncoding(encoding, shape);
      }
      ARROW_ASSIGN_OR_RAISE(auto source, MakeNumberSource(core, num_buffers));
      return std::make_unique<FixedDecoder>(std::move(stage), std::move(source));
    }
    case LeafStorage::kFixedSizeList:
      return MakeFixedSizeListDecoder(std::move(stage), core, shape, num_buffers);
    case LeafStorage::kVariable:
      return MakeVariableDecoder(std::move(stage), core, shape, num_buffers, context.fsst);
    case LeafStorage::kDictionary:
      return Corruption("a dictionary column in a mini-block page without a dictionary");
    case LeafStorage::kNull:
    case LeafStorage::kEmptyStruct:
      return WrongEncoding(encoding, shape);
  }
  return InternalError("unknown leaf storage");
}

}  // namespace glaive::encoding
