// The block form of encodings: one self-contained buffer. Levels, the level buffers of constant
// pages and dictionaries are stored so. Private to the encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/layout.h"
#include "encoding/leaf_shape.h"
#include "encoding/scratch.h"

namespace glaive::encoding {

/// Decodes `count` unsigned values of T from a block into `out`.
template <typename T>
arrow::Status DecodeBlock(const Encoding& encoding, std::span<const uint8_t> block, uint64_t count,
                          T* out);

/// The most values that a block of this size can hold, as a bound before `count` values are
/// allocated.
uint64_t MostBlockValues(const Encoding& encoding, uint64_t block_bytes);

/// Decodes a page's dictionary of `count` values into an array of `type` (fixed width or variable).
arrow::Result<std::shared_ptr<arrow::Array>> DecodeDictionary(const Encoding& encoding,
                                                              std::span<const uint8_t> block,
                                                              uint64_t count,
                                                              const LeafShape& value_shape,
                                                              arrow::MemoryPool* pool);

/// Bytes of an encoding whose size is known from the bytes alone (flat, general over such):
/// unpacked into `scratch` where they are compressed.
arrow::Result<std::span<const uint8_t>> UnpackBytes(const Encoding& encoding,
                                                    std::span<const uint8_t> bytes,
                                                    Scratch* scratch);

/// Runs to values: `out` has room for count - skip... see the source; used by rle blocks and
/// mini-blocks. Values [skip, skip + count) of the runs; false if the runs hold fewer.
template <typename T>
bool ExpandRuns(const uint8_t* values, const uint8_t* lengths, uint32_t length_bytes,
                uint64_t num_runs, uint64_t skip, uint64_t count, T* out);

/// The two children of rle as plain arrays, unpacked into the scratches where needed.
struct Runs {
  std::span<const uint8_t> values;
  std::span<const uint8_t> lengths;
  uint32_t length_bytes = 1;
  uint64_t count = 0;
};

arrow::Result<Runs> UnpackRuns(const Encoding& rle, std::span<const uint8_t> values,
                               std::span<const uint8_t> lengths, Scratch* values_scratch,
                               Scratch* lengths_scratch);

}  // namespace glaive::encoding
