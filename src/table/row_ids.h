// Door: stable row ids of a fragment and the versions of its rows: reading all segment forms, writing
// the smallest one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "table/snapshot.h"

namespace glaive::table {

/// kCorruption unless the sequence holds exactly `rows` ids. `what` names the object in messages.
arrow::Result<std::shared_ptr<const RowIdSequence>> ParseRowIds(std::string_view bytes,
                                                                uint64_t rows,
                                                                std::string_view what);
/// How many ids a serialized sequence holds; checks its segments as ParseRowIds does.
arrow::Result<uint64_t> CountRowIds(std::string_view bytes, std::string_view what);

/// The ids [start, start + count).
std::string SerializeRowIdRange(uint64_t start, uint64_t count);
/// `bytes` (a serialized sequence) followed by the ids [start, start + count).
std::string AppendRowIdRange(std::string_view bytes, uint64_t start, uint64_t count);
/// Any ids, as one segment in the smallest of the forms.
std::string SerializeRowIds(const std::vector<uint64_t>& ids);

/// Versions of the rows of a fragment, as runs. Immutable.
class RowVersions {
 public:
  /// kCorruption unless the runs cover exactly `rows` rows.
  static arrow::Result<std::shared_ptr<const RowVersions>> Parse(std::string_view bytes,
                                                                 uint64_t rows,
                                                                 std::string_view what);
  /// The version of a row; `offset` must be less than the number of rows.
  uint64_t Get(uint64_t offset) const;

 private:
  std::vector<uint64_t> ends_;  // exclusive, ascending
  std::vector<uint64_t> versions_;
};

/// Runs of equal versions, one per row.
std::string SerializeVersions(const std::vector<uint64_t>& versions);
/// One run.
std::string SerializeVersionRun(uint64_t rows, uint64_t version);

}  // namespace glaive::table
