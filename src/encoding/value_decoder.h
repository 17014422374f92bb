// Values of mini-block chunks: one decoder per page and use, loaded with a chunk at a time. Private
// to the encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/fsst_decoder.h"
#include "encoding/layout.h"
#include "encoding/leaf_builder.h"
#include "encoding/leaf_shape.h"

namespace glaive::encoding {

/// One thread at a time. Holds scratch space; made anew for each use of a page.
class ValueDecoder {
 public:
  /// What a page knows beside its encodings.
  struct Context {
    bool has_dictionary = false;
    const FsstDecoder* fsst = nullptr;         ///< of the first fsst node, if there is one
    const arrow::Array* dictionary = nullptr;  ///< null only where Make is used as a check
  };

  /// kCorruption or kUnsupported if `encoding` can't hold values of `shape` in `num_buffers`
  /// buffers. Neither the encoding nor the shape nor the context's objects may end before the
  /// decoder.
  static arrow::Result<std::unique_ptr<ValueDecoder>> Make(const Encoding& encoding,
                                                           const LeafShape& shape,
                                                           uint64_t num_buffers,
                                                           const Context& context);
  virtual ~ValueDecoder() = default;

  /// The value buffers of the next chunk, which live until the next Load, and how many values they
  /// hold.
  virtual arrow::Status Load(std::span<const std::span<const uint8_t>> buffers,
                             uint64_t num_values) = 0;
  /// Appends values [start, start + count) of the chunk; the caller keeps them within its values.
  virtual arrow::Status Append(uint64_t start, uint64_t count, LeafBuilder* builder) = 0;
};

/// The first fsst node of a tree, or null.
const Encoding* FindFsst(const Encoding& encoding);

/// Appends values [start, start + count) of `offsets` (count + 1 entries from start on, relative to
/// `bytes`) to a variable builder, through fsst where given.
template <typename Offset>
arrow::Status AppendVariable(const uint8_t* offsets, uint64_t first_offset, uint64_t start,
                             uint64_t count, std::span<const uint8_t> bytes,
                             const FsstDecoder* fsst, LeafBuilder* builder);

}  // namespace glaive::encoding
