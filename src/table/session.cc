#include "table/session.h"

#include <algorithm>
#include <iterator>

namespace glaive::table {

std::shared_ptr<const void> MetadataCache::Find(const std::string& key) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, at->second);
  return at->second->value;
}

std::shared_ptr<const void> MetadataCache::Insert(const std::string& key,
                                                  std::shared_ptr<const void> value,
                                                  uint64_t bytes) {
  Entries dropped;  // freed after the lock
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = by_key_.find(key);
  if (at != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, at->second);
    return at->second->value;
  }
  if (bytes > capacity_) {
    return value;  // would push out everything else
  }
  entries_.push_front({key, value, bytes});
  by_key_[key] = entries_.begin();
  bytes_ += bytes;
  Shrink(&dropped);
  return value;
}

void MetadataCache::Resize(const std::string& key, int64_t change) {
  Entries dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) {
    return;
  }
  auto& entry = *at->second;
  const uint64_t less = change < 0 ? static_cast<uint64_t>(-change) : 0;
  const uint64_t bytes = change < 0 ? entry.bytes - std::min(less, entry.bytes)
                                    : entry.bytes + static_cast<uint64_t>(change);
  bytes_ = bytes_ - entry.bytes + bytes;
  entry.bytes = bytes;
  if (bytes > capacity_) {
    Drop(at->second, &dropped);
  }
  Shrink(&dropped);
}

uint64_t MetadataCache::bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

void MetadataCache::Drop(Entries::iterator entry, Entries* dropped) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  dropped->splice(dropped->end(), entries_, entry);
}

void MetadataCache::Shrink(Entries* dropped) {
  while (bytes_ > capacity_) {
    Drop(std::prev(entries_.end()), dropped);
  }
}

}  // namespace glaive::table
