// Rows of a batch by their key. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "query/row_keys.h"

namespace glaive::write {

/// Immutable once made. Rows with a null in their key are in it under no key.
class KeyIndex {
 public:
  static constexpr int64_t kNone = -1;

  /// `keys` holds the columns of the key only.
  static arrow::Result<KeyIndex> Make(const arrow::RecordBatch& keys, arrow::MemoryPool* pool);

  /// For each row of `keys` (same columns, same types) the first row of its key, or kNone.
  arrow::Result<std::vector<int64_t>> Find(const arrow::RecordBatch& keys,
                                           arrow::MemoryPool* pool) const;

  /// The next row of the same key, or kNone.
  int64_t NextOf(int64_t row) const { return next_[static_cast<size_t>(row)]; }

  /// True if no row before it has its key.
  bool IsFirst(int64_t row) const { return !repeated_[static_cast<size_t>(row)]; }

  uint64_t HashOf(int64_t row) const;

 private:
  /// A key of one integer.
  struct NumberSlot {
    uint64_t number = 0;
    int64_t row = kNone;
  };

  void AddRow(int64_t row, int64_t* slot);
  void MakeNumbers(const arrow::Array& keys);
  void MakeSlots(const arrow::RecordBatch& keys);
  std::vector<int64_t> FindNumbers(const arrow::Array& keys) const;

  size_t SlotOf(uint64_t hash) const { return static_cast<size_t>(hash) & (slots_.size() - 1); }

  query::RowKeys keys_;
  // Instead of the slots below, where the key is one integer.
  std::vector<NumberSlot> number_slots_;
  std::vector<uint64_t> maybe_;  ///< one bit per hash: most keys that are not there stop here
  int hash_bits_ = 0;            ///< of a place in maybe_
  uint64_t least_ = UINT64_MAX;
  uint64_t most_ = 0;
  std::vector<int64_t> slots_;  ///< first rows, by hash; kNone = free
  std::vector<int64_t> next_;
  std::vector<bool> repeated_;
};

}  // namespace glaive::write
