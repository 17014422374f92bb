#include "encoding/block_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/general_decoder.h"
#include "kernels/fastlanes.h"

namespace glaive::encoding {
namespace {

using kernels::kBlockValues;
using Bytes = std::span<const uint8_t>;

template <typename T>
arrow::Status DecodeInlineBlock(Bytes block, uint64_t count, T* out) {
  GLAIVE_CHECK_FORMAT(count <= kBlockValues, "a bit-packed block of ", count, " values");
  GLAIVE_CHECK_FORMAT(block.size() >= sizeof(T), "a bit-packed block of ", block.size(), " bytes");
  const auto width = static_cast<uint64_t>(LoadLe<T>(block.data()));
  GLAIVE_CHECK_FORMAT(width <= 8 * sizeof(T) && block.size() >= sizeof(T) + 128 * width,
                      "a block of ", block.size(), " bytes packed to ", width, " bits");
  T values[kBlockValues];
  kernels::UnpackBlock(static_cast<unsigned>(width), block.data() + sizeof(T), values);
  std::copy_n(values, count, out);
  return arrow::Status::OK();
}

template <typename T>
arrow::Status DecodeOutOfLineBlock(unsigned width, Bytes block, uint64_t count, T* out) {
  const uint64_t packed_bytes = kernels::PackedWords<T>(width) * sizeof(T);
  const uint64_t full_blocks = count / kBlockValues;
  uint64_t full_bytes = 0;
  GLAIVE_CHECK_FORMAT(
      CheckedMul(full_blocks, packed_bytes, &full_bytes) && block.size() >= full_bytes,
      "bit-packed buffer of ", block.size(), " bytes, expected at least ", full_bytes);
  const uint8_t* in = block.data();
  for (uint64_t i = 0; i < full_blocks; ++i, in += packed_bytes, out += kBlockValues) {
    kernels::UnpackBlock(width, in, out);
  }
  const uint64_t tail = count % kBlockValues;
  if (tail == 0) {
    return arrow::Status::OK();
  }
  const uint64_t left = block.size() - full_bytes;
  if (left / sizeof(T) == tail) {
    std::memcpy(out, in, tail * sizeof(T));
    return arrow::Status::OK();
  }
  GLAIVE_CHECK_FORMAT(left >= packed_bytes, "bit-packed tail of ", left, " bytes, expected ",
                      packed_bytes, " or ", tail * sizeof(T));
  T values[kBlockValues];
  kernels::UnpackBlock(width, in, values);
  std::copy_n(values, tail, out);
  return arrow::Status::OK();
}

template <typename T>
arrow::Status DecodeRleBlock(const Encoding& encoding, Bytes block, uint64_t count, T* out) {
  GLAIVE_CHECK_FORMAT(block.size() >= 8, "rle block of ", block.size(), " bytes");
  const auto value_bytes = LoadLe<uint64_t>(block.data());
  GLAIVE_CHECK_FORMAT(value_bytes <= block.size() - 8, "rle block of ", block.size(),
                      " bytes with ", value_bytes, " bytes of values");
  Scratch values_scratch;
  Scratch lengths_scratch;
  ARROW_ASSIGN_OR_RAISE(const auto runs, UnpackRuns(encoding, block.subspan(8, value_bytes),
                                                    block.subspan(8 + value_bytes), &values_scratch,
                                                    &lengths_scratch));
  GLAIVE_CHECK_FORMAT(ExpandRuns(runs.values.data(), runs.lengths.data(), runs.length_bytes,
                                 runs.count, 0, count, out),
                      "rle block whose runs hold fewer than ", count, " values");
  return arrow::Status::OK();
}

// Values of an rle child, of a count that is known (or 0 if it is to be taken from the bytes).
arrow::Result<Bytes> UnpackChild(const Encoding& child, Bytes bytes, uint64_t count,
                                 Scratch* scratch) {
  if (child.kind != EncodingKind::kOutOfLineBitpacking) {
    return UnpackBytes(child, bytes, scratch);
  }
  const uint64_t value_bytes = child.bits / 8;
  GLAIVE_CHECK_FORMAT(count <= MostBlockValues(child, bytes.size()), "bit-packed runs: ", count,
                      " in ", bytes.size(), " bytes");
  uint8_t* out = scratch->Get(count * value_bytes);
  arrow::Status status;
  switch (value_bytes) {
    case 1:
      status = DecodeBlock(child, bytes, count, out);
      break;
    case 2:
      status = DecodeBlock(child, bytes, count, reinterpret_cast<uint16_t*>(out));
      break;
    case 4:
      status = DecodeBlock(child, bytes, count, reinterpret_cast<uint32_t*>(out));
      break;
    default:
      status = DecodeBlock(child, bytes, count, reinterpret_cast<uint64_t*>(out));
      break;
  }
  ARROW_RETURN_NOT_OK(status);
  return Bytes(out, count * value_bytes);
}

// A child of rle that stands under general compression may itself be bit-packed.
bool StatesItsSize(const Encoding& child) {
  return child.kind == EncodingKind::kFlat ||
         (child.kind == EncodingKind::kGeneral && StatesItsSize(*child.values));
}

template <typename Offset>
arrow::Result<std::shared_ptr<arrow::Array>> VariableDictionary(Bytes block, uint64_t count,
                                                                const LeafShape& shape,
                                                                arrow::MemoryPool* pool) {
  const uint64_t header = 2 * sizeof(Offset);
  GLAIVE_CHECK_FORMAT(block.size() >= header && count < block.size() / sizeof(Offset),
                      "dictionary of ", count, " values in ", block.size(), " bytes");
  const uint64_t bytes_start = header + (count + 1) * sizeof(Offset);
  GLAIVE_CHECK_FORMAT(
      static_cast<uint64_t>(LoadLe<Offset>(block.data() + sizeof(Offset))) == bytes_start &&
          bytes_start <= block.size(),
      "dictionary of ", count, " values whose bytes don't start at ", bytes_start);
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer(static_cast<int64_t>((count + 1) * sizeof(Offset)), pool));
  std::memcpy(offsets->mutable_data(), block.data() + header, (count + 1) * sizeof(Offset));
  const auto* at = reinterpret_cast<const Offset*>(offsets->data());
  bool ordered = at[0] == 0;
  for (uint64_t i = 0; i < count; ++i) {
    ordered &= at[i] <= at[i + 1];
  }
  GLAIVE_CHECK_FORMAT(ordered && static_cast<uint64_t>(at[count]) <= block.size() - bytes_start,
                      "dictionary whose offsets don't fit its ", block.size() - bytes_start,
                      " bytes");
  const auto size = static_cast<int64_t>(at[count]);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(size, pool));
  if (size > 0) {
    std::memcpy(bytes->mutable_data(), block.data() + bytes_start, static_cast<size_t>(size));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(
      shape.type, static_cast<int64_t>(count), {nullptr, std::move(offsets), std::move(bytes)}, 0));
}

// Dictionaries of numbers that are packed as levels are.
arrow::Result<std::shared_ptr<arrow::Array>> NumberDictionary(const Encoding& encoding, Bytes block,
                                                              uint64_t count,
                                                              const LeafShape& shape,
                                                              arrow::MemoryPool* pool) {
  GLAIVE_CHECK_FORMAT(shape.storage == LeafStorage::kFixed && shape.bits == encoding.bits,
                      "a dictionary of ", DescribeEncoding(encoding), " for ",
                      shape.type->ToString());
  GLAIVE_CHECK_FORMAT(count <= MostBlockValues(encoding, block.size()), "dictionary of ", count,
                      " values in ", block.size(), " bytes");
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(static_cast<int64_t>(count * shape.bits / 8), pool));
  uint8_t* out = values->mutable_data();
  arrow::Status status;
  switch (shape.bits) {
    case 8:
      status = DecodeBlock(encoding, block, count, out);
      break;
    case 16:
      status = DecodeBlock(encoding, block, count, reinterpret_cast<uint16_t*>(out));
      break;
    case 32:
      status = DecodeBlock(encoding, block, count, reinterpret_cast<uint32_t*>(out));
      break;
    default:
      status = DecodeBlock(encoding, block, count, reinterpret_cast<uint64_t*>(out));
      break;
  }
  ARROW_RETURN_NOT_OK(status);
  return arrow::MakeArray(arrow::ArrayData::Make(shape.type, static_cast<int64_t>(count),
                                                 {nullptr, std::move(values)}, 0));
}

}  // namespace

template <typename T>
bool ExpandRuns(const uint8_t* values, const uint8_t* lengths, uint32_t length_bytes,
                uint64_t num_runs, uint64_t skip, uint64_t count, T* out) {
  for (uint64_t run = 0; run < num_runs && count > 0; ++run) {
    uint64_t length = lengths[run * length_bytes];
    if (length_bytes == 2) {
      length = LoadLe<uint16_t>(lengths + 2 * run);
    } else if (length_bytes == 4) {
      length = LoadLe<uint32_t>(lengths + 4 * run);
    }
    if (skip >= length) {
      skip -= length;
      continue;
    }
    const uint64_t take = std::min(length - skip, count);
    skip = 0;
    std::fill_n(out, take, LoadLe<T>(values + run * sizeof(T)));
    out += take;
    count -= take;
  }
  return count == 0;
}

arrow::Result<Bytes> UnpackBytes(const Encoding& encoding, Bytes bytes, Scratch* scratch) {
  if (encoding.kind == EncodingKind::kFlat) {
    return bytes;
  }
  if (encoding.kind != EncodingKind::kGeneral || encoding.values->kind != EncodingKind::kFlat) {
    return Unsupported("encoding ", DescribeEncoding(encoding), " as a plain buffer");
  }
  ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(encoding.scheme, bytes));
  uint8_t* out = scratch->Get(size);
  ARROW_RETURN_NOT_OK(Decompress(encoding.scheme, bytes, out, size));
  return Bytes(out, size);
}

arrow::Result<Runs> UnpackRuns(const Encoding& rle, Bytes values, Bytes lengths,
                               Scratch* values_scratch, Scratch* lengths_scratch) {
  Runs runs;
  const uint64_t value_bytes = rle.bits / 8;
  const Encoding* innermost = rle.run_lengths.get();
  while (innermost->kind == EncodingKind::kGeneral) {
    innermost = innermost->values.get();
  }
  runs.length_bytes = static_cast<uint32_t>(innermost->bits / 8);
  // The number of runs comes from the child that states its own size.
  if (StatesItsSize(*rle.values)) {
    ARROW_ASSIGN_OR_RAISE(runs.values, UnpackChild(*rle.values, values, 0, values_scratch));
    runs.count = runs.values.size() / value_bytes;
    ARROW_ASSIGN_OR_RAISE(runs.lengths,
                          UnpackChild(*rle.run_lengths, lengths, runs.count, lengths_scratch));
  } else if (StatesItsSize(*rle.run_lengths)) {
    ARROW_ASSIGN_OR_RAISE(runs.lengths, UnpackChild(*rle.run_lengths, lengths, 0, lengths_scratch));
    runs.count = runs.lengths.size() / runs.length_bytes;
    ARROW_ASSIGN_OR_RAISE(runs.values,
                          UnpackChild(*rle.values, values, runs.count, values_scratch));
  } else {
    return Unsupported(DescribeEncoding(rle), ": neither child states its size");
  }
  runs.count =
      std::min<uint64_t>(runs.values.size() / value_bytes, runs.lengths.size() / runs.length_bytes);
  return runs;
}

uint64_t MostBlockValues(const Encoding& encoding, uint64_t block_bytes) {
  switch (encoding.kind) {
    case EncodingKind::kFlat:
      return block_bytes * 8 / encoding.bits;
    case EncodingKind::kInlineBitpacking:
      return kBlockValues;
    case EncodingKind::kOutOfLineBitpacking:
      // A width of 0 packs any number of values into nothing.
      return encoding.values->bits == 0 ? kMaxDecompressedBytes / 8
                                        : (block_bytes * 8 / encoding.values->bits) + kBlockValues;
    case EncodingKind::kRle:
      return encoding.run_lengths->kind == EncodingKind::kFlat && encoding.run_lengths->bits == 8
                 ? block_bytes * 255
                 : kMaxDecompressedBytes / 8;
    default:
      return kMaxDecompressedBytes / 8;
  }
}

template <typename T>
arrow::Status DecodeBlock(const Encoding& encoding, Bytes block, uint64_t count, T* out) {
  if (count == 0) {
    return arrow::Status::OK();
  }
  GLAIVE_CHECK_FORMAT(encoding.kind == EncodingKind::kGeneral || encoding.bits == 8 * sizeof(T),
                      "a block of ", DescribeEncoding(encoding), ", expected values of ",
                      8 * sizeof(T), " bits");
  switch (encoding.kind) {
    case EncodingKind::kFlat:
      GLAIVE_CHECK_FORMAT(block.size() / sizeof(T) >= count, "a flat block of ", block.size(),
                          " bytes for ", count, " values of ", sizeof(T));
      std::memcpy(out, block.data(), count * sizeof(T));
      return arrow::Status::OK();
    case EncodingKind::kInlineBitpacking:
      return DecodeInlineBlock(block, count, out);
    case EncodingKind::kOutOfLineBitpacking:
      return DecodeOutOfLineBlock(static_cast<unsigned>(encoding.values->bits), block, count, out);
    case EncodingKind::kRle:
      return DecodeRleBlock(encoding, block, count, out);
    case EncodingKind::kGeneral: {
      ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(encoding.scheme, block));
      Scratch scratch;
      uint8_t* bytes = scratch.Get(size);
      ARROW_RETURN_NOT_OK(Decompress(encoding.scheme, block, bytes, size));
      return DecodeBlock(*encoding.values, Bytes(bytes, size), count, out);
    }
    default:
      return Unsupported("encoding ", DescribeEncoding(encoding), " as a block of numbers");
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> DecodeDictionary(const Encoding& encoding, Bytes block,
                                                              uint64_t count,
                                                              const LeafShape& shape,
                                                              arrow::MemoryPool* pool) {
  switch (encoding.kind) {
    case EncodingKind::kGeneral: {
      ARROW_ASSIGN_OR_RAISE(const uint64_t size, DecompressedSize(encoding.scheme, block));
      Scratch scratch;
      uint8_t* bytes = scratch.Get(size);
      ARROW_RETURN_NOT_OK(Decompress(encoding.scheme, block, bytes, size));
      return DecodeDictionary(*encoding.values, Bytes(bytes, size), count, shape, pool);
    }
    case EncodingKind::kFlat: {
      GLAIVE_CHECK_FORMAT(shape.storage == LeafStorage::kFixed && shape.bits == encoding.bits,
                          "a dictionary of ", DescribeEncoding(encoding), " for ",
                          shape.type->ToString());
      uint64_t bits = 0;
      GLAIVE_CHECK_FORMAT(CheckedMul(count, shape.bits, &bits) && (bits + 7) / 8 <= block.size(),
                          "dictionary of ", count, " values in ", block.size(), " bytes");
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                            arrow::AllocateBuffer(static_cast<int64_t>((bits + 7) / 8), pool));
      if (bits > 0) {
        std::memcpy(values->mutable_data(), block.data(), (bits + 7) / 8);
      }
      return arrow::MakeArray(arrow::ArrayData::Make(shape.type, static_cast<int64_t>(count),
                                                     {nullptr, std::move(values)}, 0));
    }
    case EncodingKind::kVariable:
      GLAIVE_CHECK_FORMAT(
          shape.storage == LeafStorage::kVariable && shape.offset_bits == encoding.bits,
          "a dictionary of ", DescribeEncoding(encoding), " for ", shape.type->ToString());
      GLAIVE_CHECK_FORMAT(block.size() >= 4 && LoadLe<uint32_t>(block.data()) == encoding.bits,
                          "a dictionary whose offsets are not of ", encoding.bits, " bits");
      return encoding.bits == 32 ? VariableDictionary<int32_t>(block, count, shape, pool)
                                 : VariableDictionary<int64_t>(block, count, shape, pool);
    case EncodingKind::kInlineBitpacking:
    case EncodingKind::kOutOfLineBitpacking:
    case EncodingKind::kRle:
      return NumberDictionary(encoding, block, count, shape, pool);
    default:
      return Unsupported("encoding ", DescribeEncoding(encoding), " for a dictionary");
  }
}

template arrow::Status DecodeBlock(const Encoding&, Bytes, uint64_t, uint8_t*);
template arrow::Status DecodeBlock(const Encoding&, Bytes, uint64_t, uint16_t*);
template arrow::Status DecodeBlock(const Encoding&, Bytes, uint64_t, uint32_t*);
template arrow::Status DecodeBlock(const Encoding&, Bytes, uint64_t, uint64_t*);
template bool ExpandRuns(const uint8_t*, const uint8_t*, uint32_t, uint64_t, uint64_t, uint64_t,
                         uint8_t*);
template bool ExpandRuns(const uint8_t*, const uint8_t*, uint32_t, uint64_t, uint64_t, uint64_t,
                         uint16_t*);
template bool ExpandRuns(const uint8_t*, const uint8_t*, uint32_t, uint64_t, uint64_t, uint64_t,
                         uint32_t*);
template bool ExpandRuns(const uint8_t*, const uint8_t*, uint32_t, uint64_t, uint64_t, uint64_t,
                         uint64_t*);

}  // namespace glaive::encoding
