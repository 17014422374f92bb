// Requests: plain structs, the same for C++, the tool and later HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glaive/cancel.h"

namespace arrow {
class Array;
}

namespace glaive {

/// How blob columns come out of scans and takes.
enum class BlobRead {
  kDescriptors,  ///< where the payload lies: struct<position, size> or blob v2's five fields
  kBytes,        ///< large_binary
};

struct ScanOptions {
  /// Paths of columns to return, in this order ("a", "s.x", "`odd.name`"). Empty: all columns.
  std::vector<std::string> columns;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;            ///< rows to skip first, in table order
  bool with_row_id = false;       ///< appends _rowid uint64
  bool with_row_address = false;  ///< appends _rowaddr uint64 (fragment id << 32 | offset)
  /// Rows per batch at most; 0 chooses by bytes and page boundaries (usually the fastest).
  uint64_t batch_rows = 0;
  BlobRead blobs = BlobRead::kDescriptors;
  /// Batches that may be decoded ahead of the consumer; 0 chooses twice the threads. Bounds memory.
  uint32_t readahead_batches = 0;
  ProgressCallback progress;
  CancelToken cancel;
};

struct TakeOptions {
  std::vector<std::string> columns;
  bool with_row_id = false;
  bool with_row_address = false;
  BlobRead blobs = BlobRead::kDescriptors;
  CancelToken cancel;
};

enum class DistanceType { kL2, kCosine, kDot, kHamming };

/// Exact nearest-neighbour search over one vector column: fixed_size_list of f16, f32, f64 or u8, or a
/// list of such (multivector).
struct VectorQuery {
  /// The vector column; may be empty if the table has exactly one.
  std::string column;
  /// One query: an array of numbers of the column's dimension. Several: a fixed_size_list array of that
  /// dimension, one query per element; results then carry query_index int32 as last column, ordered by
  /// query, then distance. For a multivector column the elements of a fixed_size_list array are the
  /// vectors of one query. Numbers are cast to the column's element type. NaN or infinite components are
  /// kInvalidArgument.
  std::shared_ptr<arrow::Array> vectors;
  /// Default: l2, and hamming for u8 columns. l2 is squared; cosine is 1 - cos; dot is 1 - product;
  /// hamming counts bits (u8 only). Multivector: sum over query vectors of the smallest distance to any
  /// vector of the row.
  std::optional<DistanceType> distance_type;
  uint64_t k = 10;      ///< rows to return per query, after `offset`
  uint64_t offset = 0;  ///< best rows to skip
  std::optional<float> lower_bound;  ///< keep distance >= lower_bound
  std::optional<float> upper_bound;  ///< keep distance < upper_bound
  /// Columns to return; empty: all. _distance float32 is always appended.
  std::vector<std::string> columns;
  bool with_row_id = false;
  BlobRead blobs = BlobRead::kDescriptors;
  ProgressCallback progress;
  CancelToken cancel;
};

}  // namespace glaive
