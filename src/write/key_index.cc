#include "write/key_index.h"

#include <algorithm>
#include <bit>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace glaive::write {

namespace {

uint64_t Hash(std::string_view key) {
  return XXH3_64bits(key.data(), key.size());
}

bool HasNull(const arrow::RecordBatch& keys, int64_t row) {
  for (const auto& column : keys.columns()) {
    if (column->IsNull(row)) {
      return true;
    }
  }
  return false;
}

/// Bytes of an integer or of what is stored as one; 0 for others.
size_t NumberWidth(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return static_cast<size_t>(static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8);
    default:
      return 0;
  }
}

template <typename T, typename Body>
void EachNumber(const arrow::Array& keys, bool backwards, const Body& body) {
  const T* values = keys.data()->GetValues<T>(1);
  const bool nulls = keys.null_count() > 0;
  const int64_t rows = keys.length();
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t row = backwards ? rows - 1 - i : i;
    if (!nulls || keys.IsValid(row)) {
      body(row, uint64_t{values[row]});
    }
  }
}

/// Calls body(row, bits of the integer) for each row that is not null.
template <typename Body>
void VisitNumbers(const arrow::Array& keys, bool backwards, const Body& body) {
  switch (NumberWidth(*keys.type())) {
    case 1:
      return EachNumber<uint8_t>(keys, backwards, body);
    case 2:
      return EachNumber<uint16_t>(keys, backwards, body);
    case 4:
      return EachNumber<uint32_t>(keys, backwards, body);
    default:
      return EachNumber<uint64_t>(keys, backwards, body);
  }
}

uint64_t Mixed(uint64_t number) {
  number ^= number >> 32;
  return number * 0x9E3779B97F4A7C15;
}

bool MayHaveNull(const arrow::RecordBatch& keys) {
  for (const auto& column : keys.columns()) {
    if (column->null_count() > 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

arrow::Result<KeyIndex> KeyIndex::Make(const arrow::RecordBatch& keys, arrow::MemoryPool* pool) {
  KeyIndex index;
  ARROW_ASSIGN_OR_RAISE(index.keys_, query::EncodeEquality(keys, pool));
  const auto rows = static_cast<size_t>(keys.num_rows());
  index.next_.assign(rows, kNone);
  index.repeated_.assign(rows, false);
  if (keys.num_columns() == 1 && NumberWidth(*keys.column(0)->type()) > 0) {
    index.MakeNumbers(*keys.column(0));
  } else {
    index.MakeSlots(keys);
  }
  return index;
}

/// Rows come from the last to the first, so that chains are in the order of the rows.
void KeyIndex::AddRow(int64_t row, int64_t* slot) {
  if (*slot != kNone) {
    next_[static_cast<size_t>(row)] = *slot;
    repeated_[static_cast<size_t>(*slot)] = true;
  }
  *slot = row;
}

void KeyIndex::MakeNumbers(const arrow::Array& keys) {
  constexpr int kBitsPerSlot = 3;  // 8 bits
  const auto slots = std::bit_ceil(static_cast<size_t>(keys.length()) * 2 + 64);
  number_slots_.resize(slots);
  hash_bits_ = std::countr_zero(slots) + kBitsPerSlot;
  maybe_.assign((slots << kBitsPerSlot) / 64, 0);
  VisitNumbers(keys, /*backwards=*/true, [this, slots](int64_t row, uint64_t number) {
    const uint64_t place = Mixed(number) >> (64 - hash_bits_);
    maybe_[place / 64] |= uint64_t{1} << (place % 64);
    least_ = std::min(least_, number);
    most_ = std::max(most_, number);
    size_t slot = place >> kBitsPerSlot;
    while (number_slots_[slot].row != kNone && number_slots_[slot].number != number) {
      slot = (slot + 1) & (slots - 1);
    }
    number_slots_[slot].number = number;
    AddRow(row, &number_slots_[slot].row);
  });
}

void KeyIndex::MakeSlots(const arrow::RecordBatch& keys) {
  const auto rows = static_cast<size_t>(keys.num_rows());
  slots_.assign(std::bit_ceil(rows * 2 + 1), kNone);
  const bool nulls = MayHaveNull(keys);
  for (size_t row = rows; row-- > 0;) {
    if (nulls && HasNull(keys, static_cast<int64_t>(row))) {
      continue;
    }
    const std::string_view key = keys_.at(row);
    size_t slot = SlotOf(Hash(key));
    while (slots_[slot] != kNone && keys_.at(static_cast<size_t>(slots_[slot])) != key) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    AddRow(static_cast<int64_t>(row), &slots_[slot]);
  }
}

std::vector<int64_t> KeyIndex::FindNumbers(const arrow::Array& keys) const {
  std::vector<int64_t> found(static_cast<size_t>(keys.length()), kNone);
  const size_t slots = number_slots_.size();
  const int slot_bits = std::countr_zero(slots);
  VisitNumbers(keys, /*backwards=*/false, [&](int64_t row, uint64_t number) {
    if (number < least_ || number > most_) {
      return;
    }
    const uint64_t place = Mixed(number) >> (64 - hash_bits_);
    if ((maybe_[place / 64] >> (place % 64) & 1) == 0) {
      return;
    }
    for (size_t slot = place >> (hash_bits_ - slot_bits); number_slots_[slot].row != kNone;
         slot = (slot + 1) & (slots - 1)) {
      if (number_slots_[slot].number == number) {
        found[static_cast<size_t>(row)] = number_slots_[slot].row;
        return;
      }
    }
  });
  return found;
}

arrow::Result<std::vector<int64_t>> KeyIndex::Find(const arrow::RecordBatch& keys,
                                                   arrow::MemoryPool* pool) const {
  if (!number_slots_.empty()) {
    return FindNumbers(*keys.column(0));
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoded, query::EncodeEquality(keys, pool));
  const bool nulls = MayHaveNull(keys);
  std::vector<int64_t> found(static_cast<size_t>(keys.num_rows()), kNone);
  for (size_t row = 0; row < found.size(); ++row) {
    if (nulls && HasNull(keys, static_cast<int64_t>(row))) {
      continue;
    }
    const std::string_view key = encoded.at(row);
    for (size_t slot = SlotOf(Hash(key)); slots_[slot] != kNone;
         slot = (slot + 1) & (slots_.size() - 1)) {
      if (keys_.at(static_cast<size_t>(slots_[slot])) == key) {
        found[row] = slots_[slot];
        break;
      }
    }
  }
  return found;
}

uint64_t KeyIndex::HashOf(int64_t row) const {
  return Hash(keys_.at(static_cast<size_t>(row)));
}

}  // namespace glaive::write
