// New columns for all rows of a table: one more data file per fragment. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "file/schema.h"
#include "table/snapshot.h"

namespace glaive::write {

/// Where the values of new columns come from. One thread at a time; asked in table order.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual arrow::Status Begin(const table::Fragment& fragment) = 0;
  /// How many physical rows of the fragment to ask for at once, at most.
  virtual uint64_t StepRows() const = 0;

  /// True: deleted rows are asked for, too, instead of becoming null.
  virtual bool reads_deleted() const { return false; }

  /// Values of the given rows.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(const RowRanges& rows) = 0;
};

struct ColumnFiles {
  std::vector<lance::table::DataFragment>
      fragments;  ///< all of the snapshot's, with their new file
  std::vector<std::string> paths;
};

/// `added` are the new fields with their ids; nullable if rows are deleted and the source does not
/// read them. The values are fitted as appended ones are; see Table::Add. After an error nothing is
/// left.
arrow::Result<ColumnFiles> WriteColumnFiles(const table::Snapshot& snapshot,
                                            const file::Schema& added,
                                            const arrow::Schema& source_schema,
                                            ColumnSource& source);

}  // namespace glaive::write
