// Reads rows of one fragment, columns and meta columns. Private to the room.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/rows.h"
#include "query/output_schema.h"
#include "table/snapshot.h"

namespace glaive::query {

/// The readers of one fragment that the steps of a request share, opened when first used.
/// Thread-safe.
class FragmentAccess {
 public:
  FragmentAccess(const table::Snapshot& snapshot, const table::Fragment& fragment)
      : snapshot_(snapshot), fragment_(fragment) {}

  const table::Fragment& fragment() const { return fragment_; }

  /// `set` must live as long as this does; nullptr if it has no columns of files.
  arrow::Result<std::shared_ptr<table::FragmentReader>> Reader(const ReadSet& set);

 private:
  struct Opened {
    const ReadSet* set = nullptr;
    std::shared_ptr<table::FragmentReader> reader;
  };

  const table::Snapshot& snapshot_;
  const table::Fragment& fragment_;
  std::mutex mutex_;
  std::vector<Opened> opened_;
};

/// Physical `rows` in the schema of the set. Many short ranges that lie close are read as one and
/// thinned out afterwards where that is cheaper.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const ReadSet& set,
                                                            FragmentAccess* access,
                                                            const RowRanges& rows,
                                                            arrow::MemoryPool* pool);

/// The values of a meta column.
arrow::Result<std::shared_ptr<arrow::Array>> MetaValues(const ReadSet& set, Meta meta,
                                                        const table::Fragment& fragment,
                                                        const RowRanges& rows,
                                                        arrow::MemoryPool* pool);

/// The rows whose bit of the mask (one per row, in order, without nulls) is set.
RowRanges SelectRows(const RowRanges& rows, const arrow::BooleanArray& mask);
/// Rows at the places [first, first + count) of the ranges.
RowRanges SliceRows(const RowRanges& rows, uint64_t first, uint64_t count);

}  // namespace glaive::query
