// Small steps on streams of batches. Private to the room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "query/compute.h"

namespace glaive::write {

/// Some columns of a stream.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ColumnsOf(
    std::shared_ptr<arrow::RecordBatchReader> stream, const std::vector<int>& columns);

/// kInvalidArgument with `what` and the key if two neighbours of a sorted stream of key columns are
/// equal. Keys with a null are equal to none.
arrow::Status CheckNoRepeats(arrow::RecordBatchReader& sorted, const std::vector<std::string>& key,
                             std::string_view what);

}  // namespace glaive::write
