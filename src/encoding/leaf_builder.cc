#include "encoding/leaf_builder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding {
namespace {

// More than one read can ever mean: a guard for sizes that were multiplied.
constexpr uint64_t kMostBytes = uint64_t{1} << 46;

}  // namespace

arrow::Status GrowingBuffer::Reserve(uint64_t more) {
  if (more <= capacity_ - size_) {
    return arrow::Status::OK();
  }
  if (more > kMostBytes || size_ > kMostBytes) {
    return ResourceExhausted("a column of more than ", kMostBytes, " bytes in one read");
  }
  const uint64_t wanted = std::max(size_ + more, capacity_ * 2);
  if (!buffer_) {
    ARROW_ASSIGN_OR_RAISE(buffer_,
                          arrow::AllocateResizableBuffer(static_cast<int64_t>(wanted), pool_));
  } else {
    ARROW_RETURN_NOT_OK(buffer_->Resize(static_cast<int64_t>(wanted), false));
  }
  data_ = buffer_->mutable_data();
  capacity_ = wanted;
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> GrowingBuffer::Finish() {
  if (!buffer_) {
    ARROW_ASSIGN_OR_RAISE(buffer_, arrow::AllocateResizableBuffer(0, pool_));
  }
  const bool shrink = capacity_ - size_ > capacity_ / 4;
  ARROW_RETURN_NOT_OK(buffer_->Resize(static_cast<int64_t>(size_), shrink));
  data_ = nullptr;
  size_ = capacity_ = 0;
  return std::shared_ptr<arrow::Buffer>(std::move(buffer_));
}

arrow::Result<uint8_t*> GrowingBits::Extend(uint64_t count) {
  const uint64_t bytes = (size_ + count + 7) / 8;
  const uint64_t before = bytes_.size();
  if (bytes > before) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* at, bytes_.Extend(bytes - before));
    at[bytes - before - 1] = 0;
  }
  size_ += count;
  return bytes_.data();
}

arrow::Status GrowingBits::Append(const uint8_t* bits, uint64_t offset, uint64_t count) {
  const uint64_t at = size_;
  ARROW_ASSIGN_OR_RAISE(uint8_t* out, Extend(count));
  if (count > 0) {
    arrow::internal::CopyBitmap(bits, static_cast<int64_t>(offset), static_cast<int64_t>(count),
                                out, static_cast<int64_t>(at));
  }
  return arrow::Status::OK();
}

arrow::Status GrowingBits::AppendSame(bool bit, uint64_t count) {
  const uint64_t at = size_;
  ARROW_ASSIGN_OR_RAISE(uint8_t* out, Extend(count));
  arrow::bit_util::SetBitsTo(out, static_cast<int64_t>(at), static_cast<int64_t>(count), bit);
  return arrow::Status::OK();
}

LeafBuilder::LeafBuilder(const LeafShape& shape, arrow::MemoryPool* pool)
    : shape_(shape), pool_(pool), values_(pool), bits_(pool), offsets_(pool), bytes_(pool) {
  is_bits_ = (shape.storage == LeafStorage::kFixed && shape.bits == 1) ||
             (shape.storage == LeafStorage::kFixedSizeList && shape.item_bits == 1);
  slot_bytes_ = is_bits_ ? 0 : shape.bits / 8;
  for (size_t level = 0; level < shape.dimensions.size(); ++level) {
    item_validity_.emplace_back(pool);
    has_validity_.push_back(false);
  }
  for (const auto& field : shape.fields) {
    fields_.push_back(std::make_unique<LeafBuilder>(field, pool));
  }
}

arrow::Status LeafBuilder::Reserve(uint64_t slots) {
  switch (shape_.storage) {
    case LeafStorage::kVariable:
      return offsets_.Reserve((slots + 1) * (shape_.offset_bits / 8));
    case LeafStorage::kNull:
    case LeafStorage::kEmptyStruct:
      return arrow::Status::OK();
    case LeafStorage::kStruct:
      if (slot_bytes_ == 0) {
        return arrow::Status::OK();
      }
      [[fallthrough]];
    default: {
      uint64_t bits = 0;
      if (!CheckedMul(slots, shape_.bits, &bits)) {
        return ResourceExhausted("a column of ", slots, " values of ", shape_.bits,
                                 " bits in one read");
      }
      return is_bits_ ? bits_.Reserve(bits) : values_.Reserve(bits / 8);
    }
  }
}

arrow::Status LeafBuilder::AddBits(const uint8_t* bits, uint64_t offset_slots, uint64_t count) {
  num_slots_ += count;
  return bits_.Append(bits, offset_slots * shape_.bits, count * shape_.bits);
}

arrow::Status LeafBuilder::AddBytesAsBits(const uint8_t* bytes, uint64_t count) {
  num_slots_ += count;
  uint8_t packed[64];
  for (uint64_t done = 0; done < count;) {
    const uint64_t some = std::min<uint64_t>(count - done, 8 * sizeof(packed));
    std::memset(packed, 0, (some + 7) / 8);
    for (uint64_t i = 0; i < some; ++i) {
      packed[i / 8] |= static_cast<uint8_t>((bytes[done + i] != 0) << (i % 8));
    }
    ARROW_RETURN_NOT_OK(bits_.Append(packed, 0, some));
    done += some;
  }
  return arrow::Status::OK();
}

arrow::Status LeafBuilder::CheckOffsets() const {
  if (shape_.offset_bits == 32 && bytes_.size() > INT32_MAX) [[unlikely]] {
    return ResourceExhausted("more than 2 GiB of ", shape_.type->ToString(),
                             " in one read; read fewer rows at once");
  }
  return arrow::Status::OK();
}

arrow::Status LeafBuilder::StartOffsets() {
  const uint64_t width = shape_.offset_bits / 8;
  ARROW_ASSIGN_OR_RAISE(uint8_t* first, offsets_.Extend(width));
  std::memset(first, 0, width);
  return arrow::Status::OK();
}

arrow::Status LeafBuilder::EndValue() {
  if (shape_.offset_bits == 64) {
    ARROW_ASSIGN_OR_RAISE(int64_t* at, AddOffsets<int64_t>(1));
    *at = static_cast<int64_t>(bytes_.size());
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(CheckOffsets());
  ARROW_ASSIGN_OR_RAISE(int32_t* at, AddOffsets<int32_t>(1));
  *at = static_cast<int32_t>(bytes_.size());
  return arrow::Status::OK();
}

arrow::Status LeafBuilder::AddFiller(uint64_t count) {
  switch (shape_.storage) {
    case LeafStorage::kNull:
    case LeafStorage::kEmptyStruct:
      num_slots_ += count;
      return arrow::Status::OK();
    case LeafStorage::kVariable:
      for (uint64_t i = 0; i < count; ++i) {
        ARROW_RETURN_NOT_OK(EndValue());
      }
      return arrow::Status::OK();
    case LeafStorage::kStruct:
      for (const auto& field : fields_) {
        ARROW_RETURN_NOT_OK(field->AddFiller(count));
      }
      num_slots_ += count;
      return arrow::Status::OK();
    default:
      break;
  }
  uint64_t items = 1;
  for (size_t level = 0; level < shape_.dimensions.size(); ++level) {
    items *= static_cast<uint64_t>(shape_.dimensions[level]);
    if (has_validity_[level]) {
      ARROW_RETURN_NOT_OK(item_validity_[level].AppendSame(true, count * items));
    }
  }
  return AddZeros(count);
}

arrow::Status LeafBuilder::AddZeros(uint64_t count) {
  if (is_bits_) {
    num_slots_ += count;
    return bits_.AppendSame(false, count * shape_.bits);
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* at, AddFixed(count));
  if (count * slot_bytes_ > 0) {
    std::memset(at, 0, count * slot_bytes_);
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> LeafBuilder::FinishValues() {
  if (whole_) {
    return std::move(whole_);
  }
  return is_bits_ ? bits_.Finish() : values_.Finish();
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LeafBuilder::FinishFixedSizeList(
    Validity validity) {
  ARROW_ASSIGN_OR_RAISE(auto values, FinishValues());
  std::vector<std::shared_ptr<arrow::DataType>> types{shape_.type};
  std::vector<uint64_t> lengths{num_slots_};
  for (const int32_t dimension : shape_.dimensions) {
    types.push_back(types.back()->field(0)->type());
    lengths.push_back(lengths.back() * static_cast<uint64_t>(dimension));
  }
  // From the items outwards; validity `level` belongs to the items of list `level`.
  std::shared_ptr<arrow::ArrayData> array;
  for (size_t depth = types.size(); depth-- > 0;) {
    Validity of_depth;
    const auto length = static_cast<int64_t>(lengths[depth]);
    if (depth == 0) {
      of_depth = std::move(validity);
    } else if (has_validity_[depth - 1]) {
      ARROW_ASSIGN_OR_RAISE(of_depth.bitmap, item_validity_[depth - 1].Finish());
      of_depth.null_count =
          length - arrow::internal::CountSetBits(of_depth.bitmap->data(), 0, length);
      if (of_depth.null_count == 0) {
        of_depth.bitmap = nullptr;
      }
    }
    if (!array) {
      array = arrow::ArrayData::Make(types[depth], length,
                                     {std::move(of_depth.bitmap), std::move(values)},
                                     of_depth.null_count);
    } else {
      array = arrow::ArrayData::Make(types[depth], length, {std::move(of_depth.bitmap)},
                                     {std::move(array)}, of_depth.null_count);
    }
  }
  return array;
}

namespace {

// Indices of null slots may be anything: they become 0. Others must be within the dictionary.
template <typename T>
arrow::Status CheckIndices(uint8_t* bytes, uint64_t count, uint64_t dictionary_size,
                           const uint8_t* validity) {
  T* indices = reinterpret_cast<T*>(bytes);
  using Unsigned = std::make_unsigned_t<T>;
  Unsigned highest = 0;
  for (uint64_t i = 0; i < count; ++i) {
    highest = std::max(highest, static_cast<Unsigned>(indices[i]));
  }
  if (count == 0 || static_cast<uint64_t>(highest) < dictionary_size) {
    return arrow::Status::OK();
  }
  for (uint64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(static_cast<Unsigned>(indices[i]));
    if (index >= dictionary_size) {
      GLAIVE_CHECK_FORMAT(
          validity != nullptr && !arrow::bit_util::GetBit(validity, static_cast<int64_t>(i)),
          "dictionary index ", index, " with ", dictionary_size, " values");
      indices[i] = 0;
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::ArrayData>> LeafBuilder::FinishDictionary(Validity validity) {
  const auto& type = static_cast<const arrow::DictionaryType&>(*shape_.type);
  std::shared_ptr<arrow::Array> dictionary = dictionary_;
  if (!dictionary) {
    ARROW_ASSIGN_OR_RAISE(dictionary, arrow::MakeEmptyArray(type.value_type(), pool_));
  }
  uint8_t* indices = values_.data();
  const auto size = static_cast<uint64_t>(dictionary->length());
  const uint8_t* bitmap = validity.bitmap ? validity.bitmap->data() : nullptr;
  switch (type.index_type()->id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      ARROW_RETURN_NOT_OK(CheckIndices<int8_t>(indices, num_slots_, size, bitmap));
      break;
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      ARROW_RETURN_NOT_OK(CheckIndices<int16_t>(indices, num_slots_, size, bitmap));
      break;
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
      ARROW_RETURN_NOT_OK(CheckIndices<int32_t>(indices, num_slots_, size, bitmap));
      break;
    default:
      ARROW_RETURN_NOT_OK(CheckIndices<int64_t>(indices, num_slots_, size, bitmap));
      break;
  }
  ARROW_ASSIGN_OR_RAISE(auto values, FinishValues());
  auto array =
      arrow::ArrayData::Make(shape_.type, static_cast<int64_t>(num_slots_),
                             {std::move(validity.bitmap), std::move(values)}, validity.null_count);
  array->dictionary = dictionary->data();
  return array;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LeafBuilder::FinishStruct(Validity validity) {
  if (values_.size() > 0 || whole_) {
    // Rows of fixed width: a column per field.
    ARROW_ASSIGN_OR_RAISE(auto rows, FinishValues());
    const uint8_t* row = rows->data();
    for (const auto& field : fields_) {
      const uint64_t bytes = field->shape_.bits / 8;
      ARROW_ASSIGN_OR_RAISE(uint8_t* out, field->AddFixed(num_slots_));
      for (uint64_t i = 0; i < num_slots_; ++i) {
        std::memcpy(out + i * bytes, row + i * slot_bytes_, bytes);
      }
      row += bytes;
    }
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> members;
  for (const auto& field : fields_) {
    GLAIVE_CHECK_FORMAT(field->num_slots_ == num_slots_, "packed struct of ", num_slots_,
                        " rows with a field of ", field->num_slots_);
    ARROW_ASSIGN_OR_RAISE(auto member, field->Finish(Validity{}));
    members.push_back(std::move(member));
  }
  return arrow::ArrayData::Make(shape_.type, static_cast<int64_t>(num_slots_),
                                {std::move(validity.bitmap)}, std::move(members),
                                validity.null_count);
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LeafBuilder::Finish(Validity validity) {
  const auto length = static_cast<int64_t>(num_slots_);
  switch (shape_.storage) {
    case LeafStorage::kFixed: {
      ARROW_ASSIGN_OR_RAISE(auto values, FinishValues());
      return arrow::ArrayData::Make(shape_.type, length,
                                    {std::move(validity.bitmap), std::move(values)},
                                    validity.null_count);
    }
    case LeafStorage::kVariable: {
      if (offsets_.size() == 0) {
        ARROW_RETURN_NOT_OK(StartOffsets());
      }
      ARROW_ASSIGN_OR_RAISE(auto offsets, offsets_.Finish());
      ARROW_ASSIGN_OR_RAISE(auto bytes, bytes_.Finish());
      return arrow::ArrayData::Make(
          shape_.type, length, {std::move(validity.bitmap), std::move(offsets), std::move(bytes)},
          validity.null_count);
    }
    case LeafStorage::kFixedSizeList:
      return FinishFixedSizeList(std::move(validity));
    case LeafStorage::kDictionary:
      return FinishDictionary(std::move(validity));
    case LeafStorage::kNull:
      return arrow::ArrayData::Make(shape_.type, length, {nullptr}, length);
    case LeafStorage::kEmptyStruct:
      return arrow::ArrayData::Make(shape_.type, length, {std::move(validity.bitmap)},
                                    validity.null_count);
    case LeafStorage::kStruct:
      return FinishStruct(std::move(validity));
  }
  return InternalError("unknown leaf storage");
}

}  // namespace glaive::encoding
