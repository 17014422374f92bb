// The rows that a merge brings: read once, fitted to the table, kept in memory or spilled. Private
// to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/memory_budget.h"
#include "query/spill.h"
#include "write/change.h"

namespace glaive::write {

class KeptSource final : public MergeSource {
 public:
  static arrow::Result<std::shared_ptr<KeptSource>> Make(const table::Snapshot& snapshot,
                                                         const MergeRequest& request,
                                                         arrow::RecordBatchReader& data);

  uint64_t num_rows() const override { return num_rows_; }

  /// The columns of the table that the source has, in the table's types.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Names of the key's columns.
  const std::vector<std::string>& key() const { return key_; }

  /// True if it does not fit the memory budget; then it comes in several chunks.
  bool spilled() const { return spill_ != nullptr; }

  /// The rows again, from the first, in chunks that fit the budget; each is one batch.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Chunks() const;

  /// kCommitIncompatible if the table changed so that the rows no longer fit it.
  arrow::Status CheckStillFits(const table::Snapshot& snapshot) const;

  /// kInvalidArgument if two rows have one key; for rows that come in several chunks.
  arrow::Status CheckUnique(const table::Snapshot& snapshot) const;

 private:
  arrow::Status ReadAll(const table::Snapshot& snapshot, const MergeRequest& request,
                        arrow::RecordBatchReader& data);
  arrow::Status Keep(const table::Snapshot& snapshot, std::shared_ptr<arrow::RecordBatch> batch);
  arrow::Status Spill(const table::Snapshot& snapshot);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::string> key_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::unique_ptr<query::SpillFile> spill_;
  MemoryReservation reserved_;
  uint64_t num_rows_ = 0;
  uint64_t num_bytes_ = 0;
  uint64_t chunk_bytes_ = 0;
  arrow::MemoryPool* pool_ = nullptr;
};

/// Key values as text, for messages.
std::string KeyText(const arrow::RecordBatch& batch, const std::vector<std::string>& key,
                    int64_t row);

}  // namespace glaive::write
