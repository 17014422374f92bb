// Rows by address in the form that a request hands out. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "query/output_schema.h"
#include "table/snapshot.h"

namespace glaive::query {

/// In the order asked, duplicates as often as asked. The addresses must be of live rows.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeOutput(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses, const Output& output,
    const CancelToken& cancel);

/// The same, of what is read alone.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeColumns(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses, const ReadSet& set,
    const CancelToken& cancel);

}  // namespace glaive::query
