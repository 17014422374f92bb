// Memory for the parts of a page under construction: never moves what it handed out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace glaive::encoding {

/// Movable; one thread at a time.
class ByteArena {
 public:
  /// Uninitialised bytes, aligned to 8, valid as long as the arena.
  uint8_t* Allocate(size_t size) {
    size = (size + 7) / 8 * 8;
    if (size > left_) {
      const size_t block = std::max(size, kBlockBytes);
      blocks_.push_back(std::unique_ptr<uint8_t[]>(new uint8_t[block]));
      next_ = blocks_.back().get();
      left_ = block;
    }
    uint8_t* result = next_;
    next_ += size;
    left_ -= size;
    return result;
  }

  /// Gives back the tail of the latest allocation.
  void Shrink(uint8_t* allocation, size_t used) {
    used = (used + 7) / 8 * 8;
    left_ += static_cast<size_t>(next_ - (allocation + used));
    next_ = allocation + used;
  }

 private:
  static constexpr size_t kBlockBytes = size_t{256} << 10;
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
  uint8_t* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace glaive::encoding
