// The first rows of an order, as the parallel parts of a scan find them: each throws away what
// can't be among them. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "query/row_keys.h"

namespace glaive::query {

/// Thread-safe.
class TopRows {
 public:
  /// `limit` rows are wanted, at least one.
  TopRows(std::vector<KeyColumn> keys, uint64_t limit, arrow::MemoryPool* pool)
      : keys_(std::move(keys)), limit_(limit), pool_(pool) {}

  /// The rows of a batch that may be among the first, in the order of the batch. Of rows with equal
  /// keys any may come first, as batches arrive in no order; so those that equal the worst stay.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Reduce(
      const std::shared_ptr<arrow::RecordBatch>& batch);

 private:
  /// A key as bytes, or as a number that orders as the column does, after `rank`: nulls before or
  /// after it.
  struct Key {
    uint8_t rank = 0;
    uint64_t number = 0;
    std::string_view bytes;

    bool operator<(const Key& other) const {
      if (rank != other.rank) {
        return rank < other.rank;
      }
      return number != other.number ? number < other.number : bytes < other.bytes;
    }
  };

  struct Candidate {
    Key key;
    uint32_t row = 0;

    bool operator<(const Candidate& other) const {
      if (key < other.key) {
        return true;
      }
      return !(other.key < key) && row < other.row;
    }
  };

  /// A copy of the bound for the time of one batch.
  struct Bound {
    Key key;
    std::string bytes;
  };

  template <typename T>
  void Numbers(const arrow::Array& array, const Bound* bound, std::vector<Candidate>* found) const;
  bool FindByNumber(const arrow::Array& array, const Bound* bound,
                    std::vector<Candidate>* found) const;
  void Tighten(const Key& worst);

  const std::vector<KeyColumn> keys_;
  const uint64_t limit_;
  arrow::MemoryPool* const pool_;
  std::mutex mutex_;
  std::shared_ptr<const Bound> bound_;  ///< the worst key that is still wanted, once known
};

}  // namespace glaive::query
