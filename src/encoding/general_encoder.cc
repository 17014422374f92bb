#include "encoding/general_encoder.h"

#include <memory>
#include <utility>
#include <vector>

#include <lz4.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding {

namespace {

/// Pages whose first buffers are smaller in all are left alone, as other writers do.
constexpr uint64_t kLeastBytes = 4096;

arrow::Result<Bytes> CompressLz4(const GeneralCompression& compression, Bytes bytes,
                                 ByteArena* arena) {
  GLAIVE_CHECK_ARGUMENT(bytes.size() <= LZ4_MAX_INPUT_SIZE, "lz4 takes at most ",
                        LZ4_MAX_INPUT_SIZE, " bytes, not ", bytes.size());
  const int bound = LZ4_compressBound(static_cast<int>(bytes.size()));
  uint8_t* to = arena->Allocate(4 + static_cast<size_t>(bound));
  StoreLe(to, static_cast<uint32_t>(bytes.size()));
  const int size =
      LZ4_compress_default(reinterpret_cast<const char*>(bytes.data()),
                           reinterpret_cast<char*>(to + 4), static_cast<int>(bytes.size()), bound);
  if (size <= 0) {
    return InternalError("lz4 cannot compress ", bytes.size(), " bytes");
  }
  arena->Shrink(to, 4 + static_cast<size_t>(size));
  return Bytes(to, 4 + static_cast<size_t>(size));
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

arrow::Result<Bytes> CompressZstd(const GeneralCompression& compression, Bytes bytes,
                                  ByteArena* arena) {
  // One context per thread: making one costs more than compressing a small value.
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (context == nullptr) {
    return ResourceExhausted("no memory for a zstd context");
  }
  const size_t bound = ZSTD_compressBound(bytes.size());
  uint8_t* to = arena->Allocate(8 + bound);
  StoreLe(to, static_cast<uint64_t>(bytes.size()));
  const size_t size = ZSTD_compressCCtx(context.get(), to + 8, bound, bytes.data(), bytes.size(),
                                        compression.level.value_or(0));
  if (ZSTD_isError(size) != 0) {
    return ResourceExhausted("zstd cannot compress ", bytes.size(),
                             " bytes: ", ZSTD_getErrorName(size));
  }
  arena->Shrink(to, 8 + size);
  return Bytes(to, 8 + size);
}

}  // namespace

arrow::Result<Bytes> Compress(const GeneralCompression& compression, Bytes bytes,
                              ByteArena* arena) {
  return compression.scheme == Scheme::kLz4 ? CompressLz4(compression, bytes, arena)
                                            : CompressZstd(compression, bytes, arena);
}

void WrapGeneral(const GeneralCompression& compression,
                 lance::encodings21::CompressiveEncoding* encoding) {
  lance::encodings21::CompressiveEncoding wrapped;
  auto* general = wrapped.mutable_general();
  general->mutable_compression()->set_scheme(compression.scheme == Scheme::kLz4
                                                 ? lance::encodings21::COMPRESSION_ALGORITHM_LZ4
                                                 : lance::encodings21::COMPRESSION_ALGORITHM_ZSTD);
  if (compression.level.has_value()) {
    general->mutable_compression()->set_level(*compression.level);
  }
  *general->mutable_values() = std::move(*encoding);
  *encoding = std::move(wrapped);
}

arrow::Status CompressChunks(const GeneralCompression& compression, ValueChunks* chunks) {
  uint64_t before = 0;
  for (size_t i = 0; i < chunks->buffers.size(); i += chunks->num_buffers) {
    before += PadTo(chunks->buffers[i].size(), 8);
  }
  if (before < kLeastBytes) {
    return arrow::Status::OK();
  }
  std::vector<Bytes> compressed;
  uint64_t after = 0;
  for (size_t i = 0; i < chunks->buffers.size(); i += chunks->num_buffers) {
    ARROW_ASSIGN_OR_RAISE(const Bytes frame,
                          Compress(compression, chunks->buffers[i], &chunks->arena));
    compressed.push_back(frame);
    after += PadTo(compressed.back().size(), 8);
  }
  if (after >= before) {
    return arrow::Status::OK();
  }
  for (size_t chunk = 0; chunk < compressed.size(); ++chunk) {
    chunks->buffers[chunk * chunks->num_buffers] = compressed[chunk];
  }
  WrapGeneral(compression, &chunks->encoding);
  return arrow::Status::OK();
}

}  // namespace glaive::encoding
