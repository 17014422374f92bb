// Random arrays of any type that Lance holds, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace glaive::file {

/// How the values of a random array look.
struct ValueShape {
  double nulls = 0;       ///< share of nulls at every nullable level
  uint64_t distinct = 0;  ///< values are drawn from so many; 0: from all
  size_t max_bytes = 12;  ///< of a string
  size_t max_items = 5;   ///< of a list
};

class RandomArrays {
 public:
  RandomArrays(uint64_t seed, ValueShape shape) : random_(seed), shape_(shape) {}

  std::shared_ptr<arrow::Array> Make(const std::shared_ptr<arrow::DataType>& type, int64_t length,
                                     bool nullable = true) {
    return arrow::MakeArray(Data(type, length, nullable));
  }

 private:
  using DataPtr = std::shared_ptr<arrow::ArrayData>;
  using BufferPtr = std::shared_ptr<arrow::Buffer>;

  uint64_t Next() {
    const uint64_t value = random_();
    return shape_.distinct > 0 ? value % shape_.distinct : value;
  }

  bool Chance(double share) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < share;
  }

  BufferPtr Bitmap(int64_t length, double unset) {
    auto buffer = arrow::AllocateBuffer(arrow::bit_util::BytesForBits(length)).ValueOrDie();
    std::fill_n(buffer->mutable_data(), buffer->size(), uint8_t{0});
    for (int64_t i = 0; i < length; ++i) {
      arrow::bit_util::SetBitTo(buffer->mutable_data(), i, !Chance(unset));
    }
    return BufferPtr(std::move(buffer));
  }

  BufferPtr Validity(int64_t length, bool nullable) {
    return nullable && shape_.nulls > 0 ? Bitmap(length, shape_.nulls) : nullptr;
  }

  // Values whose every `width` bytes hold one little-endian number below `limit` (0: any).
  BufferPtr Fixed(int64_t length, int64_t width, uint64_t limit = 0) {
    auto buffer = arrow::AllocateBuffer(length * width).ValueOrDie();
    std::fill_n(buffer->mutable_data(), buffer->size(), uint8_t{0});
    for (int64_t i = 0; i < length; ++i) {
      uint64_t value = Next();
      value = limit > 0 ? value % limit : value;
      std::memcpy(buffer->mutable_data() + i * width, &value,
                  static_cast<size_t>(std::min<int64_t>(width, 8)));
    }
    return BufferPtr(std::move(buffer));
  }

  template <typename Offset>
  BufferPtr Offsets(int64_t length, size_t max, const BufferPtr& validity, int64_t* total) {
    auto buffer =
        arrow::AllocateBuffer((length + 1) * static_cast<int64_t>(sizeof(Offset))).ValueOrDie();
    auto* out = reinterpret_cast<Offset*>(buffer->mutable_data());
    *total = 0;
    for (int64_t i = 0; i < length; ++i) {
      out[i] = static_cast<Offset>(*total);
      const bool valid = validity == nullptr || arrow::bit_util::GetBit(validity->data(), i);
      *total += valid ? static_cast<int64_t>(Next() % (max + 1)) : 0;
    }
    out[length] = static_cast<Offset>(*total);
    return BufferPtr(std::move(buffer));
  }

  BufferPtr Text(int64_t bytes) {
    auto buffer = arrow::AllocateBuffer(bytes).ValueOrDie();
    for (int64_t i = 0; i < bytes; ++i) {
      buffer->mutable_data()[i] = static_cast<uint8_t>('a' + Next() % 26);
    }
    return BufferPtr(std::move(buffer));
  }

  // The largest number a value may have plus one, where the type has a limit; 0: none.
  static uint64_t LimitOf(const arrow::DataType& type) {
    switch (type.id()) {
      case arrow::Type::TIME32:
        return 86400;
      case arrow::Type::TIME64:
        return 86400000000ull;
      case arrow::Type::DECIMAL128:
      case arrow::Type::DECIMAL256:
        return 99999;
      default:
        return 0;
    }
  }

  DataPtr Data(const std::shared_ptr<arrow::DataType>& type, int64_t length, bool nullable) {
    using arrow::ArrayData;
    const BufferPtr validity = Validity(length, nullable);
    int64_t total = 0;
    switch (type->id()) {
      case arrow::Type::NA:
        return arrow::NullArray(length).data();
      case arrow::Type::BOOL:
        return ArrayData::Make(type, length, {validity, Bitmap(length, 0.5)});
      case arrow::Type::DATE64: {  // whole days
        auto values = Fixed(length, 8, 100000);
        auto* days = reinterpret_cast<int64_t*>(values->mutable_data());
        for (int64_t i = 0; i < length; ++i) {
          days[i] *= 86400000;
        }
        return ArrayData::Make(type, length, {validity, values});
      }
      case arrow::Type::STRING:
      case arrow::Type::BINARY: {
        auto offsets = Offsets<int32_t>(length, shape_.max_bytes, validity, &total);
        return ArrayData::Make(type, length, {validity, offsets, Text(total)});
      }
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY: {
        auto offsets = Offsets<int64_t>(length, shape_.max_bytes, validity, &total);
        return ArrayData::Make(type, length, {validity, offsets, Text(total)});
      }
      case arrow::Type::LIST: {
        auto offsets = Offsets<int32_t>(length, shape_.max_items, validity, &total);
        return ArrayData::Make(type, length, {validity, offsets},
                               {Data(type->field(0)->type(), total, type->field(0)->nullable())});
      }
      case arrow::Type::LARGE_LIST: {
        auto offsets = Offsets<int64_t>(length, shape_.max_items, validity, &total);
        return ArrayData::Make(type, length, {validity, offsets},
                               {Data(type->field(0)->type(), total, type->field(0)->nullable())});
      }
      case arrow::Type::MAP: {
        auto offsets = Offsets<int32_t>(length, shape_.max_items, validity, &total);
        const auto& entries = type->field(0)->type();
        return ArrayData::Make(type, length, {validity, offsets},
                               {ArrayData::Make(entries, total, {nullptr},
                                                {Data(entries->field(0)->type(), total, false),
                                                 Data(entries->field(1)->type(), total, true)})});
      }
      case arrow::Type::FIXED_SIZE_LIST: {
        const auto size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
        return ArrayData::Make(
            type, length, {validity},
            {Data(type->field(0)->type(), length * size, type->field(0)->nullable())});
      }
      case arrow::Type::STRUCT: {
        std::vector<DataPtr> children;
        for (const auto& member : type->fields()) {
          children.push_back(Data(member->type(), length, member->nullable()));
        }
        return ArrayData::Make(type, length, {validity}, std::move(children));
      }
      case arrow::Type::DICTIONARY: {
        const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
        constexpr int64_t kItems = 7;
        auto data = ArrayData::Make(type, length,
                                    {validity, Fixed(length, dictionary.index_type()->byte_width(),
                                                     static_cast<uint64_t>(kItems))});
        data->dictionary = Data(dictionary.value_type(), kItems, false);
        return data;
      }
      default:
        return ArrayData::Make(type, length,
                               {validity, Fixed(length, type->byte_width(), LimitOf(*type))});
    }
  }

  std::mt19937_64 random_;
  ValueShape shape_;
};

}  // namespace glaive::file
