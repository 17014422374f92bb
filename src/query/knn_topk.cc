#include "query/knn_topk.h"

#include <algorithm>

namespace glaive::query {

void NearestK::Offer(const Neighbor& neighbor) {
  if (heap_.size() < k_) {
    heap_.push_back(neighbor);
    std::push_heap(heap_.begin(), heap_.end());
  } else {
    if (k_ == 0 || !(neighbor < heap_.front())) {
      return;
    }
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.back() = neighbor;
    std::push_heap(heap_.begin(), heap_.end());
  }
  if (heap_.size() == k_) {
    bound_ = heap_.front().distance;
  }
}

std::vector<Neighbor> MergeNearest(const std::vector<const NearestK*>& parts, uint64_t offset,
                                   uint64_t k) {
  std::vector<Neighbor> all;
  for (const NearestK* part : parts) {
    all.insert(all.end(), part->heap().begin(), part->heap().end());
  }
  std::sort(all.begin(), all.end());
  const size_t begin = static_cast<size_t>(std::min<uint64_t>(offset, all.size()));
  const size_t count = static_cast<size_t>(std::min<uint64_t>(k, all.size() - begin));
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begin));
  all.resize(count);
  return all;
}

}  // namespace glaive::query
