// Reads rows of one fragment in the form that a request hands out. Private to the room.
#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "query/output_schema.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Physical `rows` of the reader's fragment with the row id and address columns appended. `reader`
/// may be null if the output has none of the table's columns.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const Output& output,
                                                            const table::Fragment& fragment,
                                                            const table::FragmentReader* reader,
                                                            const RowRanges& rows,
                                                            arrow::MemoryPool* pool);

}  // namespace glaive::query
