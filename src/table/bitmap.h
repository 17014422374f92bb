// Door: 32-bit roaring bitmaps in their portable form, checked before CRoaring sees them: offsets of
// deleted rows, fragment ids that an index covers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <roaring/roaring.h>

namespace glaive::table {

/// Owns a CRoaring bitmap. Movable.
class Bitmap {
 public:
  Bitmap() : bitmap_(roaring_bitmap_create()) {}

  ~Bitmap() { Free(); }

  Bitmap(Bitmap&& other) noexcept : bitmap_(other.bitmap_) { other.bitmap_ = nullptr; }

  Bitmap& operator=(Bitmap&& other) noexcept {
    std::swap(bitmap_, other.bitmap_);
    return *this;
  }

  Bitmap(const Bitmap&) = delete;
  Bitmap& operator=(const Bitmap&) = delete;

  Bitmap Copy() const { return Bitmap(roaring_bitmap_copy(bitmap_)); }

  /// kCorruption for truncated bytes, containers or values out of order, wrong counts.
  static arrow::Result<Bitmap> Parse(std::string_view bytes, std::string_view what);
  std::string Serialize() const;

  void Add(uint32_t value) { roaring_bitmap_add(bitmap_, value); }

  void Remove(uint32_t value) { roaring_bitmap_remove(bitmap_, value); }

  bool Contains(uint32_t value) const { return roaring_bitmap_contains(bitmap_, value); }

  uint64_t Count() const { return roaring_bitmap_get_cardinality(bitmap_); }

  /// What its containers take, about.
  uint64_t MemoryBytes() const { return roaring_bitmap_portable_size_in_bytes(bitmap_); }

  const roaring_bitmap_t* get() const { return bitmap_; }

  roaring_bitmap_t* get() { return bitmap_; }

 private:
  explicit Bitmap(roaring_bitmap_t* bitmap) : bitmap_(bitmap) {}

  void Free() {
    if (bitmap_ != nullptr) {
      roaring_bitmap_free(bitmap_);
    }
  }

  roaring_bitmap_t* bitmap_;
};

}  // namespace glaive::table
