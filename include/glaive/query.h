// Requests: plain structs, the same for C++, the tool and later HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glaive/cancel.h"
#include "glaive/expression.h"

namespace arrow {
class Array;
}

namespace glaive {

/// How blob columns come out of scans and takes.
enum class BlobRead {
  kDescriptors,  ///< where the payload lies: struct<position, size> or blob v2's five fields
  kBytes,        ///< large_binary
};

/// A computed column of a result.
struct SelectItem {
  std::string name;
  Clause expression;
};

struct OrderBy {
  Clause expression;  ///< of the table's columns, also of ones that are not returned
  bool ascending = true;
  bool nulls_first = false;
};

/// Columns that every table has besides its own: usable in filters, and returned where `columns` or
/// `select` name them: _rowid, _rowaddr (fragment id << 32 | offset), _rowoffset (position among
/// the live rows), all uint64, and _row_created_at_version, _row_last_updated_at_version (uint64; 1
/// where unknown).
struct ScanOptions {
  /// Paths of columns to return, in this order ("a", "s.x", "`odd.name`"). Empty: all columns.
  std::vector<std::string> columns;
  /// Instead of `columns`: computed columns. Both together are kInvalidArgument.
  std::vector<SelectItem> select;
  /// Rows for which it is true. Columns that only the filter needs are read first, all others only
  /// for the rows that pass.
  Clause filter;
  Parameters parameters;  ///< of filter, select and order_by
  /// Empty: table order. NaN is greater than all numbers; equal rows keep their table order.
  /// Memory: with a limit only the best offset + limit rows are kept; without, runs are spilled
  /// within the memory budget.
  std::vector<OrderBy> order_by;
  /// Each different row of the result once, the first in order. Memory grows with them, within the
  /// budget.
  bool distinct = false;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;            ///< rows of the result to skip first
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

struct CountOptions {
  Clause filter;  ///< empty: all rows
  Parameters parameters;
  CancelToken cancel;
};

struct TakeOptions {
  std::vector<std::string> columns;
  std::vector<SelectItem> select;  ///< instead of `columns`
  Parameters parameters;
  bool with_row_id = false;
  bool with_row_address = false;
  BlobRead blobs = BlobRead::kDescriptors;
  CancelToken cancel;
};

enum class DistanceType { kL2, kCosine, kDot, kHamming };

/// Exact nearest-neighbour search over one vector column: fixed_size_list of f16, f32, f64 or u8,
/// or a list of such (multivector).
struct VectorQuery {
  /// The vector column; may be empty if the table has exactly one.
  std::string column;
  /// One query: an array of numbers of the column's dimension. Several: a fixed_size_list array of
  /// that dimension, one query per element; results then carry query_index int32 as last column,
  /// ordered by query, then distance. For a multivector column the elements of a fixed_size_list
  /// array are the vectors of one query. Numbers are cast to the column's element type. NaN or
  /// infinite components are kInvalidArgument.
  std::shared_ptr<arrow::Array> vectors;
  /// Default: l2, and hamming for u8 columns. l2 is squared; cosine is 1 - cos; dot is 1 - product;
  /// hamming counts bits (u8 only). Multivector: sum over query vectors of the smallest distance to
  /// any vector of the row.
  std::optional<DistanceType> distance_type;
  uint64_t k = 10;                   ///< rows to return per query, after `offset`
  uint64_t offset = 0;               ///< best rows to skip
  std::optional<float> lower_bound;  ///< keep distance >= lower_bound
  std::optional<float> upper_bound;  ///< keep distance < upper_bound
  /// Only rows for which it is true. With `prefilter` they are the candidates, so up to k come
  /// back; without, the k nearest of all rows are filtered, so fewer may.
  Clause filter;
  Parameters parameters;
  bool prefilter = true;
  /// Columns to return; empty: all. _distance float32 is always appended.
  std::vector<std::string> columns;
  std::vector<SelectItem> select;  ///< instead of `columns`; may use _distance
  /// Orders the k results (of each query) instead of their distance; may use _distance.
  std::vector<OrderBy> order_by;
  bool with_row_id = false;
  BlobRead blobs = BlobRead::kDescriptors;
  ProgressCallback progress;
  CancelToken cancel;
};

}  // namespace glaive
