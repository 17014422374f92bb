#include "encoding/general_decoder.h"

#include <memory>

#include <lz4.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace glaive::encoding {
namespace {

constexpr uint32_t kZstdMagic = 0xFD2FB528;
constexpr uint64_t kLz4Prefix = 4;
constexpr uint64_t kZstdPrefix = 8;
// What one byte of a frame can stand for at most: lz4 extends a match by 255 per byte, zstd repeats
// up to 128 KiB per block of 4 bytes.
constexpr uint64_t kLz4MostPerByte = 256;
constexpr uint64_t kZstdMostPerByte = 32 * 1024;

// Old writers left the size out in front of a zstd frame.
bool IsBareZstd(std::span<const uint8_t> frame) {
  return frame.size() >= 4 && LoadLe<uint32_t>(frame.data()) == kZstdMagic;
}

struct ZstdContextFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// A context costs 160 KB: one per thread, for values that are compressed one by one.
ZSTD_DCtx* ThreadContext() {
  thread_local std::unique_ptr<ZSTD_DCtx, ZstdContextFree> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

arrow::Result<uint64_t> DecompressedSize(GeneralScheme scheme, std::span<const uint8_t> frame) {
  uint64_t size = 0;
  uint64_t most = 0;
  if (scheme == GeneralScheme::kLz4) {
    GLAIVE_CHECK_FORMAT(frame.size() >= kLz4Prefix, "lz4 buffer of ", frame.size(), " bytes");
    size = LoadLe<uint32_t>(frame.data());
    most = (frame.size() - kLz4Prefix) * kLz4MostPerByte;
  } else {
    GLAIVE_CHECK_FORMAT(frame.size() >= kZstdPrefix, "zstd buffer of ", frame.size(), " bytes");
    size = IsBareZstd(frame) ? ZSTD_getFrameContentSize(frame.data(), frame.size())
                             : LoadLe<uint64_t>(frame.data());
    GLAIVE_CHECK_FORMAT(size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR,
                        "zstd buffer that does not say its size");
    most = frame.size() * kZstdMostPerByte;
  }
  GLAIVE_CHECK_FORMAT(size <= kMaxDecompressedBytes && size <= most, "a compressed buffer of ",
                      frame.size(), " bytes claims to hold ", size);
  return size;
}

arrow::Status Decompress(GeneralScheme scheme, std::span<const uint8_t> frame, uint8_t* out,
                         uint64_t size) {
  if (scheme == GeneralScheme::kLz4) {
    GLAIVE_CHECK_FORMAT(
        frame.size() >= kLz4Prefix && frame.size() <= INT32_MAX && size <= INT32_MAX,
        "lz4 buffer of ", frame.size(), " bytes for ", size);
    if (size == 0) {
      return arrow::Status::OK();
    }
    const int got = LZ4_decompress_safe(
        reinterpret_cast<const char*>(frame.data() + kLz4Prefix), reinterpret_cast<char*>(out),
        static_cast<int>(frame.size() - kLz4Prefix), static_cast<int>(size));
    GLAIVE_CHECK_FORMAT(got >= 0 && static_cast<uint64_t>(got) == size, "lz4 buffer of ",
                        frame.size(), " bytes unpacks to ", got, ", expected ", size);
    return arrow::Status::OK();
  }
  const uint64_t skip = IsBareZstd(frame) ? 0 : kZstdPrefix;
  GLAIVE_CHECK_FORMAT(frame.size() >= skip, "zstd buffer of ", frame.size(), " bytes");
  ZSTD_DCtx* context = ThreadContext();
  if (context == nullptr) {
    return ResourceExhausted("no memory for a zstd context");
  }
  const size_t got =
      ZSTD_decompressDCtx(context, out, size, frame.data() + skip, frame.size() - skip);
  GLAIVE_CHECK_FORMAT(!ZSTD_isError(got), "zstd buffer of ", frame.size(),
                      " bytes: ", ZSTD_getErrorName(got));
  GLAIVE_CHECK_FORMAT(got == size, "zstd buffer unpacks to ", got, " bytes, expected ", size);
  return arrow::Status::OK();
}

}  // namespace glaive::encoding
