// The k nearest of a stream of rows. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace glaive::query {

/// A row and its distance. Ordered by distance, then by row id, so that results do not depend on
/// the order in which rows are looked at. The distance is never NaN.
struct Neighbor {
  float distance = 0;
  uint64_t row_id = 0;
  uint64_t address = 0;

  bool operator<(const Neighbor& other) const {
    return distance != other.distance ? distance < other.distance : row_id < other.row_id;
  }
};

/// A heap of at most k neighbors whose top is the worst. Memory grows with what is offered, up to
/// k. One thread at a time.
class NearestK {
 public:
  explicit NearestK(size_t k) : k_(k) {}

  /// Rows farther than this need not be offered; rows at this distance may still win by their row
  /// id.
  float bound() const { return bound_; }

  void Offer(const Neighbor& neighbor);

  const std::vector<Neighbor>& heap() const { return heap_; }

 private:
  size_t k_;
  float bound_ = std::numeric_limits<float>::infinity();
  std::vector<Neighbor> heap_;
};

/// The neighbors at ranks [offset, offset + k) of several heaps' union, nearest first.
std::vector<Neighbor> MergeNearest(const std::vector<const NearestK*>& parts, uint64_t offset,
                                   uint64_t k);

}  // namespace glaive::query
