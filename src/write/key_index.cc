#include "write/key_index.h"

#include <bit>

#include <arrow/array.h>
#include <arrow/record_batch.h>
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
  index.slots_.assign(std::bit_ceil(rows * 2 + 1), kNone);
  index.next_.assign(rows, kNone);
  index.repeated_.assign(rows, false);
  const bool nulls = MayHaveNull(keys);
  // From the last to the first, so that chains are in the order of the rows.
  for (size_t row = rows; row-- > 0;) {
    if (nulls && HasNull(keys, static_cast<int64_t>(row))) {
      continue;
    }
    const std::string_view key = index.keys_.at(row);
    for (size_t slot = index.SlotOf(Hash(key));; slot = (slot + 1) & (index.slots_.size() - 1)) {
      const int64_t there = index.slots_[slot];
      if (there == kNone || index.keys_.at(static_cast<size_t>(there)) == key) {
        if (there != kNone) {
          index.next_[row] = there;
          index.repeated_[static_cast<size_t>(there)] = true;
        }
        index.slots_[slot] = static_cast<int64_t>(row);
        break;
      }
    }
  }
  return index;
}

arrow::Result<std::vector<int64_t>> KeyIndex::Find(const arrow::RecordBatch& keys,
                                                   arrow::MemoryPool* pool) const {
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
