// Room for bytes that a decoder works with between input and output: grows, never shrinks, is not
// cleared. Private to the encoding room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace glaive::encoding {

/// One thread at a time.
class Scratch {
 public:
  /// At least `size` bytes, 8-byte aligned; what was there is lost if it grows.
  uint8_t* Get(size_t size) {
    if (size > capacity_) {
      capacity_ = size < 4096 ? 4096 : size;
      bytes_.reset(new uint64_t[(capacity_ + 7) / 8]);
    }
    return reinterpret_cast<uint8_t*>(bytes_.get());
  }

 private:
  std::unique_ptr<uint64_t[]> bytes_;
  size_t capacity_ = 0;
};

}  // namespace glaive::encoding
