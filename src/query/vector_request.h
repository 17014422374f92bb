// A vector query bound to a schema: which column, which kernel, the queries in the column's element
// type. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "file/schema.h"
#include "kernels/distance.h"

namespace glaive::query {

/// Immutable once made.
struct VectorRequest {
  std::string column;       ///< path
  file::Schema projection;  ///< the column alone
  kernels::ElementType element_type = kernels::ElementType::kF32;
  kernels::Metric metric = kernels::Metric::kL2;
  size_t dims = 0;
  bool multivector = false;  ///< the column is a list of vectors
  /// Vectors of the request: independent queries, or, for a multivector column, the parts of one
  /// query.
  size_t num_vectors = 0;
  bool several_queries = false;  ///< they came as an array of vectors: results name the query
  std::shared_ptr<arrow::Buffer> vectors;  ///< num_vectors * vector_bytes, aligned for the kernels

  size_t num_queries() const { return multivector ? 1 : num_vectors; }

  size_t vector_bytes() const;
};

/// Checks everything about the query that the schema decides; see glaive/query.h.
arrow::Result<VectorRequest> BindVectorQuery(const file::Schema& schema, const VectorQuery& query,
                                             arrow::MemoryPool* pool);

}  // namespace glaive::query
