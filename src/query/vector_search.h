// Door: exact nearest-neighbour search over a vector column of a snapshot.
#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "table/snapshot.h"

namespace glaive::query {

/// See glaive/query.h for semantics. One pass over the column for all queries of the request; top-k
/// is kept per thread and merged; ties by row id.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> SearchSnapshot(
    const std::shared_ptr<const table::Snapshot>& snapshot, const VectorQuery& query);

/// How a search would be answered, for people.
arrow::Result<std::string> ExplainSearch(const table::Snapshot& snapshot, const VectorQuery& query);

}  // namespace glaive::query
