// A vector query bound to a snapshot. Private to the room.
#pragma once

#include <memory>
#include <vector>

#include <arrow/result.h>

#include "glaive/query.h"

#include "query/filter.h"
#include "query/output_schema.h"
#include "query/row_keys.h"
#include "query/vector_request.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Immutable once made.
struct VectorPlan {
  VectorRequest request;
  std::shared_ptr<const RowFilter> filter;  ///< nullptr: all rows
  bool postfilter = false;                  ///< the filter is looked at after the search
  Output output;  ///< the columns, the keys to order by, then the filter's value if postfilter
  int num_columns = 0;  ///< of the output, without what is hidden
  std::vector<KeyColumn> keys;
  bool with_row_id = false;
};

/// Everything that can be wrong with a query is found here.
arrow::Result<VectorPlan> BindSearch(const table::Snapshot& snapshot, const VectorQuery& query);

}  // namespace glaive::query
