#include "encoding/v20_compression.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <arrow/buffer.h>
#include <lz4.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace glaive::encoding::v20 {
namespace {

using arrow::Buffer;
using arrow::Result;

using BufferPtr = std::shared_ptr<Buffer>;

constexpr uint32_t kZstdMagic = 0xFD2FB528;
/// An lz4 block can't grow by more than this factor.
constexpr uint64_t kLz4MaxRatio = 256;

Result<BufferPtr> DecompressLz4(const Buffer& stored) {
  constexpr uint64_t kPrefix = sizeof(uint32_t);
  const auto bytes = static_cast<uint64_t>(stored.size());
  GLAIVE_CHECK_FORMAT(bytes >= kPrefix, "an lz4 block of ", bytes, " bytes lacks its size");
  const uint64_t size = LoadLe<uint32_t>(stored.data());
  const uint64_t packed = bytes - kPrefix;
  GLAIVE_CHECK_FORMAT(size <= packed * kLz4MaxRatio &&
                          size <= std::numeric_limits<int32_t>::max() &&
                          packed <= std::numeric_limits<int32_t>::max(),
                      "an lz4 block of ", packed, " bytes claims to unpack to ", size);
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateBuffer(static_cast<int64_t>(size)));
  const int got = LZ4_decompress_safe(reinterpret_cast<const char*>(stored.data() + kPrefix),
                                      reinterpret_cast<char*>(out->mutable_data()),
                                      static_cast<int>(packed), static_cast<int>(size));
  GLAIVE_CHECK_FORMAT(got >= 0 && static_cast<uint64_t>(got) == size, "an lz4 block unpacks to ",
                      got, " bytes, expected ", size);
  return BufferPtr(std::move(out));
}

Result<BufferPtr> DecompressZstd(const Buffer& stored) {
  const uint8_t* frame = stored.data();
  auto packed = static_cast<uint64_t>(stored.size());
  GLAIVE_CHECK_FORMAT(packed >= sizeof(uint64_t), "a zstd block of ", packed,
                      " bytes is too short");
  uint64_t size = 0;
  if (LoadLe<uint32_t>(frame) == kZstdMagic) {
    size = ZSTD_getFrameContentSize(frame, packed);
    GLAIVE_CHECK_FORMAT(size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR,
                        "a zstd frame does not state its size");
  } else {
    size = LoadLe<uint64_t>(frame);
    frame += sizeof(uint64_t);
    packed -= sizeof(uint64_t);
    // A frame that states its size states the same one: known before anything is allocated.
    const uint64_t stated = ZSTD_getFrameContentSize(frame, packed);
    GLAIVE_CHECK_FORMAT(
        stated != ZSTD_CONTENTSIZE_ERROR && (stated == ZSTD_CONTENTSIZE_UNKNOWN || stated == size),
        "a zstd frame of another size than the ", size, " bytes in front of it");
  }
  GLAIVE_CHECK_FORMAT(size <= kMaxDecompressedBytes, "a zstd block claims to unpack to ", size,
                      " bytes, the limit is ", kMaxDecompressedBytes);
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateBuffer(static_cast<int64_t>(size)));
  const size_t got = ZSTD_decompress(out->mutable_data(), size, frame, packed);
  GLAIVE_CHECK_FORMAT(ZSTD_isError(got) == 0, "a zstd frame is broken: ", ZSTD_getErrorName(got));
  GLAIVE_CHECK_FORMAT(got == size, "a zstd frame unpacks to ", got, " bytes, expected ", size);
  return BufferPtr(std::move(out));
}

Result<BufferPtr> CompressLz4(const Buffer& bytes, arrow::MemoryPool* pool) {
  GLAIVE_CHECK_ARGUMENT(bytes.size() <= LZ4_MAX_INPUT_SIZE, "lz4 holds at most ",
                        LZ4_MAX_INPUT_SIZE, " bytes in a block, found ", bytes.size());
  const int bound = LZ4_compressBound(static_cast<int>(bytes.size()));
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateResizableBuffer(sizeof(uint32_t) + bound, pool));
  StoreLe(out->mutable_data(), static_cast<uint32_t>(bytes.size()));
  const int got =
      LZ4_compress_default(reinterpret_cast<const char*>(bytes.data()),
                           reinterpret_cast<char*>(out->mutable_data() + sizeof(uint32_t)),
                           static_cast<int>(bytes.size()), bound);
  if (got <= 0) {
    return InternalError("lz4 failed on ", bytes.size(), " bytes");
  }
  ARROW_RETURN_NOT_OK(out->Resize(static_cast<int64_t>(sizeof(uint32_t)) + got));
  return BufferPtr(std::move(out));
}

Result<BufferPtr> CompressZstd(int level, const Buffer& bytes, arrow::MemoryPool* pool) {
  const size_t bound = ZSTD_compressBound(static_cast<size_t>(bytes.size()));
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateResizableBuffer(
                                      static_cast<int64_t>(sizeof(uint64_t) + bound), pool));
  StoreLe(out->mutable_data(), static_cast<uint64_t>(bytes.size()));
  const size_t got = ZSTD_compress(out->mutable_data() + sizeof(uint64_t), bound, bytes.data(),
                                   static_cast<size_t>(bytes.size()), level);
  if (ZSTD_isError(got) != 0) {
    return InternalError("zstd failed: ", ZSTD_getErrorName(got));
  }
  ARROW_RETURN_NOT_OK(out->Resize(static_cast<int64_t>(sizeof(uint64_t) + got)));
  return BufferPtr(std::move(out));
}

}  // namespace

Result<Scheme> ParseScheme(std::string_view name) {
  if (name == "lz4") {
    return Scheme::kLz4;
  }
  if (name == "zstd") {
    return Scheme::kZstd;
  }
  return Unsupported("compression scheme '", name, "'");
}

Result<BufferPtr> Decompress(Scheme scheme, const Buffer& stored) {
  return scheme == Scheme::kLz4 ? DecompressLz4(stored) : DecompressZstd(stored);
}

Result<BufferPtr> Compress(Scheme scheme, std::optional<int> level, const Buffer& bytes,
                           arrow::MemoryPool* pool) {
  return scheme == Scheme::kLz4 ? CompressLz4(bytes, pool)
                                : CompressZstd(level.value_or(ZSTD_CLEVEL_DEFAULT), bytes, pool);
}

}  // namespace glaive::encoding::v20
