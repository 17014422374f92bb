// Sources of fixed-width values inside a page of file version 2.0: the leaves of an encoding tree,
// whose values lie at computable places of one page buffer.
//
// A source answers twice for the same rows: which byte ranges it needs, then the values from them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "encoding/page.h"

namespace lance::encodings {
class ArrayEncoding;
}

namespace glaive::encoding::v20 {

/// The fetched buffers of a request, taken in the order in which they were asked for.
class Fetched {
 public:
  explicit Fetched(const Buffers& buffers) : buffers_(buffers) {}

  /// kInternal unless the next buffer is there and has the length that was asked for.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Next(uint64_t length);

 private:
  const Buffers& buffers_;
  size_t next_ = 0;
};

/// What sources are made from.
struct PageContext {
  std::vector<uint64_t> buffer_sizes;
  std::string name;  ///< of the column, for messages
};

/// Immutable (apart from a cache of decompressed bytes, which is synchronized); thread-safe.
class FixedSource {
 public:
  virtual ~FixedSource() = default;
  /// Width of a decoded value.
  virtual uint64_t bits() const = 0;

  /// False if any number of rows costs no bytes in the file.
  virtual bool stored() const { return true; }

  /// Rows lie within the length the source was made for.
  virtual void AppendNeeds(const RowRanges& rows, std::vector<BufferRange>* needs) const = 0;
  /// The values of the rows back to back, bits() each, bit 0 first. A slice of the fetched buffer
  /// where that is possible.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Decode(const RowRanges& rows,
                                                               Fetched* fetched,
                                                               arrow::MemoryPool* pool) const = 0;
  /// Appends the numbers of the page buffers it reads.
  virtual void AppendBuffers(std::vector<uint32_t>* buffers) const = 0;

  /// Drops decompressed bytes kept for the next request.
  virtual void ReleaseDecompressed() const {}

  /// Bytes of what it keeps for the next request.
  virtual uint64_t kept_bytes() const { return 0; }
};

inline constexpr uint64_t kUnknownLength = ~uint64_t{0};

/// A source of `length` values from a flat, bitpacked, bitpacked_for_non_neg, fixed_size_binary or
/// constant encoding, possibly below nullable.no_nulls. With kUnknownLength the length is what the
/// buffer holds. kCorruption if the buffer is too small, kUnsupported by name for other encodings.
arrow::Result<std::unique_ptr<FixedSource>> MakeFixedSource(
    const lance::encodings::ArrayEncoding& encoding, uint64_t length, const PageContext& context);

constexpr bool IsIndexWidth(uint64_t bits) {
  return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

/// `count` unsigned little-endian values of 8, 16, 32 or 64 bits as u64. The buffer must hold them.
std::vector<uint64_t> WidenUnsigned(const arrow::Buffer& values, uint64_t bits, uint64_t count);

/// The name of an encoding as the format's messages spell it, e.g. "bitpacked".
std::string_view EncodingName(const lance::encodings::ArrayEncoding& encoding);

}  // namespace glaive::encoding::v20
