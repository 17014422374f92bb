// One pass over a vector column of a snapshot that finds the nearest rows of all queries of a
// request. Private to the room.
#pragma once

#include <vector>

#include <arrow/result.h>

#include "query/filter.h"
#include "query/knn_topk.h"
#include "query/vector_request.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Per query the neighbors at ranks [query.offset, query.offset + query.k), nearest first. Rows are
/// read in pieces of a few MB on the session's executor; memory does not grow with the table beyond
/// the results themselves. With a `filter` (may be null) only rows that pass it: it is applied to
/// each piece first, and the vectors of pieces without such rows are not read.
arrow::Result<std::vector<std::vector<Neighbor>>> FindNearest(const table::Snapshot& snapshot,
                                                              const VectorRequest& request,
                                                              const VectorQuery& query,
                                                              const RowFilter* filter);

}  // namespace glaive::query
