// Bounds that hold on write and are checked on read, so that no forged number leads to an unbounded
// allocation or recursion.
#pragma once

#include <cstdint>

namespace glaive {

inline constexpr uint64_t kMaxManifestBytes = uint64_t{4} << 30;
inline constexpr uint64_t kMaxFileMetadataBytes = uint64_t{2} << 30;
inline constexpr uint32_t kMaxNesting = 64;
inline constexpr uint32_t kMaxColumns = 1u << 20;
/// The most bytes that one decoded page chunk, dictionary or constant may claim to unpack to.
inline constexpr uint64_t kMaxDecompressedBytes = uint64_t{4} << 30;

}  // namespace glaive
