// Where decoders put the values of a leaf: buffers that grow, and at the end an array. Private to
// the encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/layers.h"
#include "encoding/leaf_shape.h"

namespace glaive::encoding {

/// A buffer that grows at its end. One thread at a time.
class GrowingBuffer {
 public:
  explicit GrowingBuffer(arrow::MemoryPool* pool) : pool_(pool) {}

  uint64_t size() const { return size_; }

  uint8_t* data() { return data_; }

  /// Makes room for `more` bytes behind size() without changing it.
  arrow::Status Reserve(uint64_t more);

  /// Room for `more` bytes; size() grows by them. Their content is undefined.
  arrow::Result<uint8_t*> Extend(uint64_t more) {
    if (more > capacity_ - size_) [[unlikely]] {
      ARROW_RETURN_NOT_OK(Reserve(more));
    }
    uint8_t* at = data_ + size_;
    size_ += more;
    return at;
  }

  /// Takes `bytes` that were written behind size() after a Reserve.
  void Advance(uint64_t bytes) { size_ += bytes; }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Finish();

 private:
  arrow::MemoryPool* pool_;
  std::unique_ptr<arrow::ResizableBuffer> buffer_;
  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t capacity_ = 0;
};

/// Bits, LSB first.
class GrowingBits {
 public:
  explicit GrowingBits(arrow::MemoryPool* pool) : bytes_(pool) {}

  uint64_t size() const { return size_; }

  arrow::Status Reserve(uint64_t more) { return bytes_.Reserve(more / 8 + 2); }

  arrow::Status Append(const uint8_t* bits, uint64_t offset, uint64_t count);
  arrow::Status AppendSame(bool bit, uint64_t count);

  arrow::Result<std::shared_ptr<arrow::Buffer>> Finish() { return bytes_.Finish(); }

 private:
  arrow::Result<uint8_t*> Extend(uint64_t count);

  GrowingBuffer bytes_;
  uint64_t size_ = 0;
};

/// Collects slots of one leaf. Which Add functions fit depends on the storage of the shape. One
/// thread at a time; must not outlive the shape.
class LeafBuilder {
 public:
  LeafBuilder(const LeafShape& shape, arrow::MemoryPool* pool);

  const LeafShape& shape() const { return shape_; }

  arrow::MemoryPool* pool() const { return pool_; }

  uint64_t num_slots() const { return num_slots_; }

  /// Hints at how many slots will come.
  arrow::Status Reserve(uint64_t slots);

  /// Fixed width (whole bytes), fixed-size lists of such, dictionary indices, packed rows of fixed
  /// width: room for `count` slots.
  arrow::Result<uint8_t*> AddFixed(uint64_t count) {
    num_slots_ += count;
    return values_.Extend(count * slot_bytes_);
  }

  /// Values of one bit (bool, lists of bool): `count` slots from bit `offset` slots on.
  arrow::Status AddBits(const uint8_t* bits, uint64_t offset_slots, uint64_t count);
  /// Bools stored a byte each.
  arrow::Status AddBytesAsBits(const uint8_t* bytes, uint64_t count);

  /// Validity of items at nesting `level` of a fixed-size list, beside AddFixed or AddBits.
  arrow::Status AddItemValidity(size_t level, const uint8_t* bits, uint64_t offset,
                                uint64_t count) {
    has_validity_[level] = true;
    return item_validity_[level].Append(bits, offset, count);
  }

  /// Variable width: bytes are written into Bytes() first, then their end offsets are added.
  GrowingBuffer* Bytes() { return &bytes_; }

  /// `count` end offsets to be filled with positions in Bytes().
  template <typename Offset>
  arrow::Result<Offset*> AddOffsets(uint64_t count) {
    num_slots_ += count;
    if (offsets_.size() == 0) {
      ARROW_RETURN_NOT_OK(StartOffsets());
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* at, offsets_.Extend(count * sizeof(Offset)));
    return reinterpret_cast<Offset*>(at);
  }

  /// kResourceExhausted if Bytes() has outgrown the offsets.
  arrow::Status CheckOffsets() const;
  /// One slot whose bytes are those added to Bytes() since the last one.
  arrow::Status EndValue();

  /// Packed struct with variable fields: one builder per field; EndRow counts a slot.
  LeafBuilder* field(size_t index) { return fields_[index].get(); }

  void EndRow() { ++num_slots_; }

  /// `count` slots of zeros, beside AddItemValidity where lists have it.
  arrow::Status AddZeros(uint64_t count);
  /// A slot that is null: filler for its storage.
  arrow::Status AddFiller(uint64_t count);

  void set_dictionary(std::shared_ptr<arrow::Array> dictionary) {
    dictionary_ = std::move(dictionary);
  }

  /// Values given whole (zero-copy) instead of by AddFixed.
  void TakeValues(std::shared_ptr<arrow::Buffer> values, uint64_t slots) {
    whole_ = std::move(values);
    num_slots_ = slots;
  }

  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish(Validity validity);

 private:
  arrow::Status StartOffsets();
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishFixedSizeList(Validity validity);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishDictionary(Validity validity);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishStruct(Validity validity);
  arrow::Result<std::shared_ptr<arrow::Buffer>> FinishValues();

  const LeafShape& shape_;
  arrow::MemoryPool* pool_;
  uint64_t slot_bytes_ = 0;
  bool is_bits_ = false;
  uint64_t num_slots_ = 0;
  GrowingBuffer values_;
  GrowingBits bits_;
  GrowingBuffer offsets_;
  GrowingBuffer bytes_;
  std::vector<GrowingBits> item_validity_;
  std::vector<bool> has_validity_;
  std::vector<std::unique_ptr<LeafBuilder>> fields_;
  std::shared_ptr<arrow::Array> dictionary_;
  std::shared_ptr<arrow::Buffer> whole_;
};

}  // namespace glaive::encoding
