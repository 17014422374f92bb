// lz4 and zstd blocks as file version 2.0 stores them: the unpacked size (u32 for lz4, u64 for
// zstd), then one raw lz4 block or one zstd frame. A zstd frame without the size in front is read,
// too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::encoding::v20 {

enum class Scheme { kLz4, kZstd };

/// "lz4" or "zstd"; kUnsupported by name for others.
arrow::Result<Scheme> ParseScheme(std::string_view name);

/// kCorruption if the bytes are not a whole block of the scheme.
arrow::Result<std::shared_ptr<arrow::Buffer>> Decompress(Scheme scheme,
                                                         const arrow::Buffer& stored);

/// kInvalidArgument if the bytes are too many for the scheme (lz4: 2^31).
arrow::Result<std::shared_ptr<arrow::Buffer>> Compress(Scheme scheme, std::optional<int> level,
                                                       const arrow::Buffer& bytes,
                                                       arrow::MemoryPool* pool);

}  // namespace glaive::encoding::v20
