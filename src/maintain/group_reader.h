// The live rows of a few fragments as a stream of bounded batches, in the form in which they can be
// written again. Private to the room.
#pragma once

#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "table/snapshot.h"

namespace glaive::maintain {

/// Batches of about `batch_bytes`, payloads of blobs included; one row at least.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ReadGroup(
    std::shared_ptr<const table::Snapshot> snapshot, std::vector<const table::Fragment*> fragments,
    uint64_t batch_bytes);

}  // namespace glaive::maintain
