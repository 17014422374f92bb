#include "expr/member_set.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

namespace glaive::expr {
namespace {

using arrow::Type;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr uint64_t kMix = 0x9E3779B97F4A7C15;

/// body(row) for all rows, eight bits at a time.
template <typename Body>
void FillBits(int64_t rows, uint8_t* bits, const Body& body) {
  int64_t row = 0;
  for (; row + 8 <= rows; row += 8) {
    unsigned byte = 0;
    for (int i = 0; i < 8; ++i) {
      byte |= static_cast<unsigned>(body(row + i)) << i;
    }
    *bits++ = static_cast<uint8_t>(byte);
  }
  unsigned byte = 0;
  for (int i = 0; row + i < rows; ++i) {
    byte |= static_cast<unsigned>(body(row + i)) << i;
  }
  if (row < rows) *bits = static_cast<uint8_t>(byte);
}

/// Integers of one width, by their bits. Close ones are bits of a map, others in a table.
template <typename T>
class NumberSet final : public MemberSet {
 public:
  explicit NumberSet(const arrow::Array& members) {
    const T* values = members.data()->GetValues<T>(1);
    const auto [least, most] = std::minmax_element(values, values + members.length());
    least_ = *least;
    span_ = static_cast<T>(*most - *least);
    const auto count = static_cast<uint64_t>(members.length());
    if (span_ <= std::max<uint64_t>(kSmallSpan, 64 * count)) {
      map_.resize(uint64_t{span_} / 64 + 1);
      for (uint64_t i = 0; i < count; ++i) {
        const uint64_t at = static_cast<T>(values[i] - least_);
        map_[at / 64] |= uint64_t{1} << (at % 64);
      }
      return;
    }
    shift_ = 64 - std::countr_zero(std::bit_ceil(count * 4));
    table_.assign(uint64_t{1} << (64 - shift_), least_);  // what is free holds a member
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t slot = SlotOf(values[i]);
      while (table_[slot] != least_ && table_[slot] != values[i]) slot = Next(slot);
      table_[slot] = values[i];
    }
  }

 protected:
  void Find(const arrow::Array& array, uint8_t* bits) const override {
    const T* values = array.data()->GetValues<T>(1);
    if (!map_.empty()) {
      FillBits(array.length(), bits, [&](int64_t row) {
        const uint64_t at = static_cast<T>(values[row] - least_);
        return at <= span_ && (map_[at / 64] >> (at % 64) & 1) != 0;
      });
      return;
    }
    FillBits(array.length(), bits, [&](int64_t row) { return Has(values[row]); });
  }

 private:
  static constexpr uint64_t kSmallSpan = 1 << 16;

  bool Has(T value) const {
    if (static_cast<T>(value - least_) > span_) return false;
    if (value == least_) return true;
    for (uint64_t slot = SlotOf(value); table_[slot] != least_; slot = Next(slot)) {
      if (table_[slot] == value) return true;
    }
    return false;
  }

  uint64_t SlotOf(T value) const {
    return ((uint64_t{value} ^ (uint64_t{value} >> 32)) * kMix) >> shift_;
  }

  uint64_t Next(uint64_t slot) const { return (slot + 1) & (table_.size() - 1); }

  T least_ = 0;
  T span_ = 0;
  std::vector<uint64_t> map_;
  int shift_ = 0;
  std::vector<T> table_;
};

uint64_t Head(std::string_view text) {
  uint64_t head = 0;
  if (!text.empty()) std::memcpy(&head, text.data(), std::min(text.size(), sizeof(head)));
  return head;
}

uint64_t HashOf(std::string_view text) {
  uint64_t hash = text.size() * kMix;
  for (; text.size() > sizeof(hash); text.remove_prefix(sizeof(hash))) {
    hash = (hash ^ Head(text)) * kMix;
    hash ^= hash >> 29;
  }
  hash = (hash ^ Head(text)) * kMix;
  return hash ^ (hash >> 32);
}

template <typename Texts>
class TextSet final : public MemberSet {
 public:
  explicit TextSet(ArrayPtr members) : members_(std::move(members)) {
    const auto& texts = static_cast<const Texts&>(*members_);
    slots_.assign(std::bit_ceil(static_cast<uint64_t>(texts.length()) * 4), kFree);
    for (int64_t i = 0; i < texts.length(); ++i) {
      const std::string_view text = texts.GetView(i);
      lengths_ |= LengthBit(text.size());
      uint64_t slot = HashOf(text) & (slots_.size() - 1);
      while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = i;
    }
  }

 protected:
  void Find(const arrow::Array& array, uint8_t* bits) const override {
    const auto& values = static_cast<const Texts&>(array);
    const auto& texts = static_cast<const Texts&>(*members_);
    FillBits(values.length(), bits, [&](int64_t row) {
      const std::string_view text = values.GetView(row);
      if ((lengths_ & LengthBit(text.size())) == 0) return false;
      for (uint64_t slot = HashOf(text) & (slots_.size() - 1); slots_[slot] != kFree;
           slot = (slot + 1) & (slots_.size() - 1)) {
        if (texts.GetView(slots_[slot]) == text) return true;
      }
      return false;
    });
  }

 private:
  static constexpr int64_t kFree = -1;

  static uint64_t LengthBit(size_t length) { return uint64_t{1} << std::min<size_t>(length, 63); }

  const ArrayPtr members_;
  std::vector<int64_t> slots_;
  uint64_t lengths_ = 0;  ///< one bit per length of a member, the last for all longer ones
};

}  // namespace

std::shared_ptr<const MemberSet> MemberSet::Make(ArrayPtr members) {
  if (members->length() == 0) return nullptr;
  switch (members->type_id()) {
    case Type::INT8:
    case Type::UINT8:
      return std::make_shared<NumberSet<uint8_t>>(*members);
    case Type::INT16:
    case Type::UINT16:
      return std::make_shared<NumberSet<uint16_t>>(*members);
    case Type::INT32:
    case Type::UINT32:
    case Type::DATE32:
    case Type::TIME32:
      return std::make_shared<NumberSet<uint32_t>>(*members);
    case Type::INT64:
    case Type::UINT64:
    case Type::DATE64:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
      return std::make_shared<NumberSet<uint64_t>>(*members);
    case Type::STRING:
    case Type::BINARY:
      return std::make_shared<TextSet<arrow::BinaryArray>>(std::move(members));
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return std::make_shared<TextSet<arrow::LargeBinaryArray>>(std::move(members));
    default:
      return nullptr;
  }
}

arrow::Result<ArrayPtr> MemberSet::Contains(const arrow::Array& values,
                                            arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(values.length(), pool));
  Find(values, bits->mutable_data());
  std::shared_ptr<arrow::Buffer> validity;
  if (values.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(pool, values.null_bitmap_data(),
                                                                values.offset(), values.length()));
  }
  return std::make_shared<arrow::BooleanArray>(values.length(), std::move(bits),
                                               std::move(validity), values.null_count());
}

}  // namespace glaive::expr
