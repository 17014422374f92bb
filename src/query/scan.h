// Door: reading rows of a snapshot: scans in table order with readahead, and takes by position or
// id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "table/snapshot.h"

namespace glaive::query {

/// Batches in table order, or in that of order_by. Reading, filtering and decoding run ahead on the
/// session's executor, bounded by options.readahead_batches and the session's memory budget; with
/// one thread everything happens in ReadNext. A filter's columns are read first, the others for the
/// rows that pass. Everything that is wrong with the request is found here, before any row is read.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ScanSnapshot(
    std::shared_ptr<const table::Snapshot> snapshot, const ScanOptions& options);

/// Rows that pass the filter; reads the filter's columns only.
arrow::Result<uint64_t> CountSnapshot(const std::shared_ptr<const table::Snapshot>& snapshot,
                                      const CountOptions& options);

/// How a scan would be answered, for people.
arrow::Result<std::string> ExplainScan(const table::Snapshot& snapshot, const ScanOptions& options);

/// Rows by ordinal among the live rows, in the order asked, with duplicates.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeOffsets(const table::Snapshot& snapshot,
                                                               const std::vector<uint64_t>& offsets,
                                                               const TakeOptions& options);
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeRowIds(const table::Snapshot& snapshot,
                                                              const std::vector<uint64_t>& row_ids,
                                                              const TakeOptions& options);
/// Rows by address (fragment id << 32 | offset), which must be live; in the order asked.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeAddresses(
    const table::Snapshot& snapshot, const std::vector<uint64_t>& addresses,
    const TakeOptions& options);

}  // namespace glaive::query
