// A filter as a scan applies it: its terms in the order of their cost, each step reading only what
// it adds, for the rows that are left. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"
#include "glaive/query.h"

#include "base/rows.h"
#include "query/output_schema.h"
#include "query/row_columns.h"
#include "table/snapshot.h"

namespace glaive::query {

/// Immutable; thread-safe.
class RowFilter {
 public:
  struct Step {
    ReadSet adds;                                ///< columns that no step before has read
    std::vector<expr::BoundExpression> terms;    ///< all must be true
    std::shared_ptr<arrow::Schema> held_schema;  ///< of all columns read so far
  };

  /// What is left of rows of a fragment.
  struct Outcome {
    RowRanges rows;
    uint64_t num_rows = 0;
    /// Columns of `keep` that were read, of the rows that are left; nullptr without rows.
    std::shared_ptr<arrow::RecordBatch> kept;
  };

  /// kInvalidArgument and kTypeMismatch of the binder. Errors begin with "filter".
  static arrow::Result<std::shared_ptr<const RowFilter>> Make(const table::Snapshot& snapshot,
                                                              const Clause& clause,
                                                              const Parameters& parameters,
                                                              int64_t now_nanos);

  bool always_true() const { return !always_false_ && steps_.empty(); }

  bool always_false() const { return always_false_; }

  /// Every column of every step.
  const ReadSet& all() const { return all_; }

  const std::vector<Step>& steps() const { return steps_; }

  /// The only rows that can pass, by address in ascending order, where the filter names rows.
  const std::optional<std::vector<uint64_t>>& addresses() const { return addresses_; }

  const std::string& text() const { return text_; }

  /// `keep` are indices of fields of all().schema, in the order of kept.
  arrow::Result<Outcome> Apply(FragmentAccess* access, const RowRanges& rows,
                               const std::vector<int>& keep, arrow::MemoryPool* pool) const;

 private:
  arrow::Status Bind(const table::Snapshot& snapshot, const Clause& clause,
                     const Parameters& parameters, int64_t now_nanos);

  std::string text_;
  bool always_false_ = false;
  ReadSet all_;
  std::vector<Step> steps_;
  std::optional<std::vector<uint64_t>> addresses_;
};

}  // namespace glaive::query
