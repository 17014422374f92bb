#include "table/bitmap.h"

#include <bit>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::table {

namespace {

constexpr uint32_t kCookieNoRuns = 12346;
constexpr uint32_t kCookieRuns = 12347;
constexpr uint32_t kMaxContainers = 1u << 16;
// Containers of more values than this are bitsets.
constexpr uint32_t kArrayLimit = 4096;
constexpr uint64_t kBitsetBytes = 8192;
// With runs, offsets of containers are listed only from this many containers up.
constexpr uint32_t kOffsetThreshold = 4;

// Walks the portable form and checks what CRoaring takes for granted.
class Checker {
 public:
  Checker(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  arrow::Status Run() {
    ARROW_RETURN_NOT_OK(ReadHeader());
    ARROW_RETURN_NOT_OK(ReadKeys());
    if (!has_runs_ || containers_ >= kOffsetThreshold) {
      ARROW_RETURN_NOT_OK(Need(uint64_t{4} * containers_));
      position_ += uint64_t{4} * containers_;
    }
    for (uint32_t i = 0; i < containers_; ++i) {
      ARROW_RETURN_NOT_OK(CheckContainer(i));
    }
    GLAIVE_CHECK_FORMAT(position_ == bytes_.size(), what_, ": bitmap ends at byte ", position_,
                        " of ", bytes_.size());
    return arrow::Status::OK();
  }

 private:
  arrow::Status Need(uint64_t bytes) const {
    GLAIVE_CHECK_FORMAT(bytes <= bytes_.size() - position_, what_, ": bitmap of ", bytes_.size(),
                        " bytes needs ", bytes, " more at ", position_);
    return arrow::Status::OK();
  }

  uint16_t U16(uint64_t at) const { return LoadLe<uint16_t>(bytes_.data() + at); }

  arrow::Status ReadHeader() {
    ARROW_RETURN_NOT_OK(Need(4));
    const auto cookie = LoadLe<uint32_t>(bytes_.data());
    position_ = 4;
    if ((cookie & 0xFFFF) == kCookieRuns) {
      has_runs_ = true;
      containers_ = (cookie >> 16) + 1;
      run_flags_ = position_;
      ARROW_RETURN_NOT_OK(Need((containers_ + 7) / 8));
      position_ += (containers_ + 7) / 8;
      return arrow::Status::OK();
    }
    GLAIVE_CHECK_FORMAT(cookie == kCookieNoRuns, what_, ": bitmap starts with ", cookie,
                        ", expected ", kCookieNoRuns, " or ", kCookieRuns);
    ARROW_RETURN_NOT_OK(Need(4));
    containers_ = LoadLe<uint32_t>(bytes_.data() + position_);
    position_ += 4;
    GLAIVE_CHECK_FORMAT(containers_ <= kMaxContainers, what_, ": bitmap with ", containers_,
                        " containers, at most ", kMaxContainers);
    return arrow::Status::OK();
  }

  arrow::Status ReadKeys() {
    ARROW_RETURN_NOT_OK(Need(uint64_t{4} * containers_));
    keys_ = position_;
    for (uint32_t i = 1; i < containers_; ++i) {
      GLAIVE_CHECK_FORMAT(U16(keys_ + 4 * (i - 1)) < U16(keys_ + 4 * i), what_,
                          ": containers of the bitmap out of order at ", i);
    }
    position_ += uint64_t{4} * containers_;
    return arrow::Status::OK();
  }

  arrow::Status CheckContainer(uint32_t i) {
    const uint32_t count = U16(keys_ + 4 * i + 2) + 1u;
    const bool run =
        has_runs_ && ((static_cast<uint8_t>(bytes_[run_flags_ + i / 8]) >> (i % 8)) & 1) != 0;
    if (run) {
      return CheckRuns(i, count);
    }
    return count > kArrayLimit ? CheckBitset(i, count) : CheckArray(i, count);
  }

  arrow::Status CheckRuns(uint32_t i, uint32_t count) {
    ARROW_RETURN_NOT_OK(Need(2));
    const uint32_t runs = U16(position_);
    position_ += 2;
    ARROW_RETURN_NOT_OK(Need(uint64_t{4} * runs));
    uint32_t free = 0;  // the first value that the next run may hold
    uint32_t total = 0;
    for (uint32_t r = 0; r < runs; ++r) {
      const uint32_t start = U16(position_ + 4 * r);
      const uint32_t length = U16(position_ + 4 * r + 2) + 1u;
      GLAIVE_CHECK_FORMAT(start >= free && start + length <= kMaxContainers, what_, ": run ", r,
                          " of bitmap container ", i, " is out of order or too long");
      free = start + length;
      total += length;
    }
    GLAIVE_CHECK_FORMAT(total == count, what_, ": bitmap container ", i, " holds ", total,
                        " values, expected ", count);
    position_ += uint64_t{4} * runs;
    return arrow::Status::OK();
  }

  arrow::Status CheckArray(uint32_t i, uint32_t count) {
    ARROW_RETURN_NOT_OK(Need(uint64_t{2} * count));
    for (uint32_t v = 1; v < count; ++v) {
      GLAIVE_CHECK_FORMAT(U16(position_ + 2 * (v - 1)) < U16(position_ + 2 * v), what_,
                          ": values of bitmap container ", i, " out of order");
    }
    position_ += uint64_t{2} * count;
    return arrow::Status::OK();
  }

  arrow::Status CheckBitset(uint32_t i, uint32_t count) {
    ARROW_RETURN_NOT_OK(Need(kBitsetBytes));
    uint32_t total = 0;
    for (uint64_t at = 0; at < kBitsetBytes; at += 8) {
      total +=
          static_cast<uint32_t>(std::popcount(LoadLe<uint64_t>(bytes_.data() + position_ + at)));
    }
    GLAIVE_CHECK_FORMAT(total == count, what_, ": bitmap container ", i, " holds ", total,
                        " values, expected ", count);
    position_ += kBitsetBytes;
    return arrow::Status::OK();
  }

  std::string_view bytes_;
  std::string_view what_;
  uint64_t position_ = 0;
  uint64_t run_flags_ = 0;
  uint64_t keys_ = 0;
  uint32_t containers_ = 0;
  bool has_runs_ = false;
};

}  // namespace

arrow::Result<Bitmap> Bitmap::Parse(std::string_view bytes, std::string_view what) {
  ARROW_RETURN_NOT_OK(Checker(bytes, what).Run());
  roaring_bitmap_t* parsed = roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
  GLAIVE_CHECK_FORMAT(parsed != nullptr, what, ": bitmap of ", bytes.size(),
                      " bytes can't be read");
  return Bitmap(parsed);
}

std::string Bitmap::Serialize() const {
  std::string bytes(roaring_bitmap_portable_size_in_bytes(bitmap_), '\0');
  roaring_bitmap_portable_serialize(bitmap_, bytes.data());
  return bytes;
}

}  // namespace glaive::table
