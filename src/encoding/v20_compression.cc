#include "encoding/v20_compression.h"

#include <arrow/buffer.h>
#include <lz4.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding::v20 {
namespace {

using arrow::Buffer;
using arrow::Result;

using BufferPtr = std::shared_ptr<Buffer>;

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

Result<BufferPtr> Compress(GeneralScheme scheme, std::optional<int> level, const Buffer& bytes,
                           arrow::MemoryPool* pool) {
  return scheme == GeneralScheme::kLz4
             ? CompressLz4(bytes, pool)
             : CompressZstd(level.value_or(ZSTD_CLEVEL_DEFAULT), bytes, pool);
}

}  // namespace glaive::encoding::v20
