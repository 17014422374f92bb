// A scan bound to a snapshot: what it reads, filters, orders by and hands out. Private to the room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "query/filter.h"
#include "query/output_schema.h"
#include "query/sort.h"
#include "table/snapshot.h"

namespace glaive::query {

enum class OrderMode {
  kTable,  ///< as the rows lie
  kCarry,  ///< the columns that are handed out are sorted along with the keys
  kLate,   ///< keys and addresses are sorted, the rest is read for the rows that are left
};

/// Immutable once made.
struct ScanRequest {
  Output output;                            ///< what is handed out
  std::shared_ptr<const RowFilter> filter;  ///< nullptr: all rows
  OrderMode order = OrderMode::kTable;
  /// What is sorted: kCarry the output's columns, then the keys; kLate the address, then the keys.
  Output sorted;
  std::vector<SortKey> keys;
};

/// Everything that can be wrong with a request is found here.
arrow::Result<ScanRequest> BindScan(const table::Snapshot& snapshot, const ScanOptions& options);

/// How the filter and the rows of an output share what is read.
struct ColumnSharing {
  struct Source {
    bool kept = false;  ///< read by the filter
    int column = 0;     ///< of the kept columns, or of `rest`
  };

  std::vector<int> keep;        ///< fields of the filter's columns
  ReadSet rest;                 ///< what is read for the rows that pass
  std::vector<Source> sources;  ///< of each column of the output's input
};

arrow::Result<ColumnSharing> ShareColumns(const table::Snapshot& snapshot, const Output& output,
                                          const RowFilter* filter);

}  // namespace glaive::query
