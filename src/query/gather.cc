#include "query/gather.h"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "query/compute.h"

namespace glaive::query {

namespace {

using arrow::Type;
using Data = std::shared_ptr<arrow::ArrayData>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;
using Rows = std::vector<uint32_t>;

/// Short values are copied as so many bytes at once, where there is room.
constexpr int64_t kShort = 32;

arrow::Result<Data> GatherData(const Data& data, const Rows& rows, arrow::MemoryPool* pool);

arrow::Result<BufferPtr> GatherBits(const uint8_t* bits, int64_t offset, const Rows& rows,
                                    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto buffer,
                        arrow::AllocateEmptyBitmap(static_cast<int64_t>(rows.size()), pool));
  uint8_t* out = buffer->mutable_data();
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t at = offset + rows[i];
    out[i / 8] = static_cast<uint8_t>(out[i / 8] | ((bits[at / 8] >> (at % 8) & 1) << (i % 8)));
  }
  return BufferPtr(std::move(buffer));
}

template <typename T>
void CopyValues(const uint8_t* values, const Rows& rows, uint8_t* out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(out + i * sizeof(T), values + rows[i] * sizeof(T), sizeof(T));
  }
}

/// `values` points at the first value.
arrow::Result<BufferPtr> GatherFixed(const uint8_t* values, size_t width, const Rows& rows,
                                     arrow::MemoryPool* pool) {
  struct Sixteen {
    uint64_t halves[2];
  };

  ARROW_ASSIGN_OR_RAISE(auto buffer,
                        arrow::AllocateBuffer(static_cast<int64_t>(rows.size() * width), pool));
  uint8_t* out = buffer->mutable_data();
  switch (width) {
    case 1:
      CopyValues<uint8_t>(values, rows, out);
      break;
    case 2:
      CopyValues<uint16_t>(values, rows, out);
      break;
    case 4:
      CopyValues<uint32_t>(values, rows, out);
      break;
    case 8:
      CopyValues<uint64_t>(values, rows, out);
      break;
    case 16:
      CopyValues<Sixteen>(values, rows, out);
      break;
    default:
      for (const uint32_t row : rows) {
        std::memcpy(out, values + row * width, width);
        out += width;
      }
  }
  return BufferPtr(std::move(buffer));
}

/// Where the values of the rows are in the result.
template <typename Offset>
arrow::Result<BufferPtr> NewOffsets(const Offset* offsets, const Rows& rows,
                                    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(
      auto buffer,
      arrow::AllocateBuffer(static_cast<int64_t>((rows.size() + 1) * sizeof(Offset)), pool));
  auto* out = reinterpret_cast<Offset*>(buffer->mutable_data());
  Offset end = 0;
  *out++ = 0;
  for (const uint32_t row : rows) {
    end += offsets[row + 1] - offsets[row];
    *out++ = end;
  }
  return BufferPtr(std::move(buffer));
}

/// The values between the offsets, of `width` bytes each, in one buffer of `count` values.
template <typename Offset>
arrow::Result<BufferPtr> GatherRuns(const Offset* offsets, const arrow::Buffer* values,
                                    size_t width, int64_t first, const Rows& rows, int64_t count,
                                    arrow::MemoryPool* pool) {
  const auto wide = static_cast<int64_t>(width);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(count * wide + kShort, pool));
  if (count > 0) {
    uint8_t* out = buffer->mutable_data();
    const uint8_t* from = values->data() + first * wide;
    const int64_t end = values->size() - first * wide;
    for (const uint32_t row : rows) {
      const int64_t start = int64_t{offsets[row]} * wide;
      const int64_t size = int64_t{offsets[row + 1]} * wide - start;
      if (size <= kShort && start + kShort <= end) {
        std::memcpy(out, from + start, kShort);  // what is too much is written over
      } else {
        std::memcpy(out, from + start, static_cast<size_t>(size));
      }
      out += size;
    }
  }
  return arrow::SliceBuffer(std::move(buffer), 0, count * wide);
}

template <typename Offset>
Offset LastOf(const arrow::Buffer& offsets, size_t rows) {
  return reinterpret_cast<const Offset*>(offsets.data())[rows];
}

template <typename Offset>
arrow::Status GatherBytes(const arrow::ArrayData& data, const Rows& rows, arrow::MemoryPool* pool,
                          arrow::ArrayData* out) {
  const auto* offsets = data.GetValues<Offset>(1);
  ARROW_ASSIGN_OR_RAISE(auto placed, NewOffsets(offsets, rows, pool));
  const auto count = static_cast<int64_t>(LastOf<Offset>(*placed, rows.size()));
  ARROW_ASSIGN_OR_RAISE(auto values,
                        GatherRuns(offsets, data.buffers[2].get(), 1, 0, rows, count, pool));
  out->buffers.push_back(std::move(placed));
  out->buffers.push_back(std::move(values));
  return arrow::Status::OK();
}

const arrow::DataType& StoredType(const arrow::DataType& type) {
  return type.id() == Type::EXTENSION
             ? StoredType(*static_cast<const arrow::ExtensionType&>(type).storage_type())
             : type;
}

/// Bytes of a value in a buffer of its own; 0 if it has none, or is a bit.
size_t WidthOf(const arrow::DataType& type) {
  if (type.id() == Type::DICTIONARY) {
    return WidthOf(*static_cast<const arrow::DictionaryType&>(type).index_type());
  }
  if (!arrow::is_fixed_width(type.id()) || arrow::is_nested(type.id()) || type.id() == Type::BOOL) {
    return 0;
  }
  return static_cast<size_t>(static_cast<const arrow::FixedWidthType&>(type).bit_width()) / 8;
}

template <typename Offset>
arrow::Status GatherLists(const arrow::ArrayData& data, const Rows& rows, arrow::MemoryPool* pool,
                          arrow::ArrayData* out) {
  const auto* offsets = data.GetValues<Offset>(1);
  ARROW_ASSIGN_OR_RAISE(auto placed, NewOffsets(offsets, rows, pool));
  const auto count = static_cast<int64_t>(LastOf<Offset>(*placed, rows.size()));
  const Data& items = data.child_data[0];
  const size_t width = WidthOf(StoredType(*items->type));
  if (width > 0 && items->GetNullCount() == 0) {
    ARROW_ASSIGN_OR_RAISE(auto values, GatherRuns(offsets, items->buffers[1].get(), width,
                                                  items->offset, rows, count, pool));
    auto gathered = arrow::ArrayData::Make(items->type, count, {nullptr, std::move(values)}, 0, 0);
    gathered->dictionary = items->dictionary;
    out->child_data.push_back(std::move(gathered));
  } else {
    Rows places;
    places.reserve(static_cast<size_t>(count));
    for (const uint32_t row : rows) {
      for (Offset at = offsets[row]; at < offsets[row + 1]; ++at) {
        places.push_back(static_cast<uint32_t>(at));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto gathered, GatherData(items, places, pool));
    out->child_data.push_back(std::move(gathered));
  }
  out->buffers.push_back(std::move(placed));
  return arrow::Status::OK();
}

arrow::Result<Data> TakenByArrow(const Data& data, const Rows& rows, arrow::MemoryPool* pool) {
  const auto indices = std::make_shared<arrow::UInt32Array>(
      static_cast<int64_t>(rows.size()),
      std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(rows.data()),
                                      static_cast<int64_t>(rows.size() * sizeof(uint32_t))));
  ARROW_ASSIGN_OR_RAISE(const auto taken, TakeValues(arrow::MakeArray(data), indices, pool));
  return taken->data();
}

/// True if all rows have an item's worth of bytes, one behind the other.
bool IsPlainVector(const arrow::ArrayData& data, const arrow::DataType& type) {
  const auto& items = *data.child_data[0];
  return WidthOf(StoredType(*items.type)) > 0 && items.dictionary == nullptr &&
         items.GetNullCount() == 0 &&
         static_cast<const arrow::FixedSizeListType&>(type).list_size() > 0;
}

arrow::Result<Data> GatherData(const Data& data, const Rows& rows, arrow::MemoryPool* pool) {
  const arrow::DataType& type = StoredType(*data->type);
  const auto count = static_cast<int64_t>(rows.size());
  if (rows.empty()) {
    return data->Slice(0, 0);
  }
  if (data->length > std::numeric_limits<uint32_t>::max()) {
    return TakenByArrow(data, rows, pool);
  }
  auto out = arrow::ArrayData::Make(data->type, count, {nullptr}, 0, 0);
  if (type.id() != Type::NA && data->GetNullCount() > 0) {
    ARROW_ASSIGN_OR_RAISE(out->buffers[0],
                          GatherBits(data->buffers[0]->data(), data->offset, rows, pool));
    out->null_count = arrow::kUnknownNullCount;
  }
  const size_t width = WidthOf(type);
  if (width > 0) {
    const uint8_t* values = data->buffers[1]->data() + static_cast<size_t>(data->offset) * width;
    ARROW_ASSIGN_OR_RAISE(auto gathered, GatherFixed(values, width, rows, pool));
    out->buffers.push_back(std::move(gathered));
    out->dictionary = data->dictionary;
    return out;
  }
  switch (type.id()) {
    case Type::BOOL: {
      ARROW_ASSIGN_OR_RAISE(auto bits,
                            GatherBits(data->buffers[1]->data(), data->offset, rows, pool));
      out->buffers.push_back(std::move(bits));
      return out;
    }
    case Type::STRING:
    case Type::BINARY:
      ARROW_RETURN_NOT_OK(GatherBytes<int32_t>(*data, rows, pool, out.get()));
      return out;
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      ARROW_RETURN_NOT_OK(GatherBytes<int64_t>(*data, rows, pool, out.get()));
      return out;
    case Type::LIST:
      if (data->child_data[0]->length <= std::numeric_limits<uint32_t>::max()) {
        ARROW_RETURN_NOT_OK(GatherLists<int32_t>(*data, rows, pool, out.get()));
        return out;
      }
      break;
    case Type::LARGE_LIST:
      if (data->child_data[0]->length <= std::numeric_limits<uint32_t>::max()) {
        ARROW_RETURN_NOT_OK(GatherLists<int64_t>(*data, rows, pool, out.get()));
        return out;
      }
      break;
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW: {
      constexpr size_t kView = 16;
      const uint8_t* views = data->buffers[1]->data() + static_cast<size_t>(data->offset) * kView;
      ARROW_ASSIGN_OR_RAISE(auto gathered, GatherFixed(views, kView, rows, pool));
      out->buffers.push_back(std::move(gathered));
      out->buffers.insert(out->buffers.end(), data->buffers.begin() + 2, data->buffers.end());
      return out;
    }
    case Type::STRUCT:
      for (const auto& member : data->child_data) {
        ARROW_ASSIGN_OR_RAISE(auto gathered,
                              GatherData(member->Slice(data->offset, data->length), rows, pool));
        out->child_data.push_back(std::move(gathered));
      }
      return out;
    case Type::FIXED_SIZE_LIST:
      if (IsPlainVector(*data, type)) {
        const Data& items = data->child_data[0];
        const auto size = static_cast<const arrow::FixedSizeListType&>(type).list_size();
        const size_t item = WidthOf(StoredType(*items->type));
        const uint8_t* values = items->buffers[1]->data() +
                                static_cast<size_t>(items->offset + data->offset * size) * item;
        ARROW_ASSIGN_OR_RAISE(auto gathered,
                              GatherFixed(values, item * static_cast<size_t>(size), rows, pool));
        out->child_data.push_back(arrow::ArrayData::Make(items->type, count * size,
                                                         {nullptr, std::move(gathered)}, 0, 0));
        return out;
      }
      break;
    default:
      break;
  }
  return TakenByArrow(data, rows, pool);
}

}  // namespace

std::vector<uint32_t> RowsOf(const arrow::BooleanArray& mask) {
  std::vector<uint32_t> rows(static_cast<size_t>(mask.true_count()));
  uint32_t* out = rows.data();
  const uint8_t* bits = mask.values()->data();
  const int64_t first = mask.offset();
  const int64_t end = first + mask.length();
  int64_t at = first;
  const auto one = [&] {
    if (arrow::bit_util::GetBit(bits, at)) {
      *out++ = static_cast<uint32_t>(at - first);
    }
    ++at;
  };
  while (at < end && at % 8 != 0) {
    one();
  }
  for (; at + 64 <= end; at += 64) {
    uint64_t word = 0;
    std::memcpy(&word, bits + at / 8, sizeof(word));
    for (; word != 0; word &= word - 1) {
      *out++ = static_cast<uint32_t>(at - first + std::countr_zero(word));
    }
  }
  while (at < end) {
    one();
  }
  return rows;
}

arrow::Result<std::shared_ptr<arrow::Array>> Gather(const std::shared_ptr<arrow::Array>& values,
                                                    const std::vector<uint32_t>& rows,
                                                    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(
      const auto data,
      GatherData(values->data(), rows, pool != nullptr ? pool : arrow::default_memory_pool()));
  return arrow::MakeArray(data);
}

}  // namespace glaive::query
