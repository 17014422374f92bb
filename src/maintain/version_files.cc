#include "maintain/version_files.h"

#include <algorithm>
#include <utility>

#include <arrow/buffer.h>

#include "base/status.h"
#include "base/uuid.h"
#include "table/deletion_file.h"

namespace glaive::maintain {

void ForEachFile(const table::Manifest& manifest, const std::function<void(std::string)>& visit) {
  for (const auto& fragment : manifest.pb.fragments()) {
    for (const auto& file : fragment.files()) {
      if (!file.has_base_id()) {  // others lie in the directory of another table
        visit("data/" + file.path());
      }
    }
    if (fragment.has_deletion_file() && !fragment.deletion_file().has_base_id()) {
      visit(table::DeletionFilePath(fragment.id(), fragment.deletion_file()));
    }
  }
  if (!manifest.pb.transaction_file().empty()) {
    visit("_transactions/" + manifest.pb.transaction_file());
  }
  for (const auto& index : manifest.indices) {
    Uuid uuid;
    const std::string& bytes = index.uuid().uuid();
    if (!index.has_base_id() && bytes.size() == uuid.bytes.size()) {
      std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
      visit("_indices/" + uuid.ToString());
    }
  }
}

arrow::Result<std::set<uint64_t>> ProtectedVersions(const table::Versions& versions) {
  std::set<uint64_t> numbers;
  ARROW_ASSIGN_OR_RAISE(const auto tags, versions.ListTags());
  for (const auto& tag : tags) {
    if (tag.branch == versions.branch()) {
      numbers.insert(tag.version);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto branches, versions.ListBranches());
  for (const auto& branch : branches) {
    if (branch.parent_branch == versions.branch()) {
      numbers.insert(branch.parent_version);
    }
  }
  return numbers;
}

arrow::Result<std::shared_ptr<const table::Manifest>> ReadManifest(
    io::ObjectStore& store, const table::VersionEntry& entry) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, store.Get(entry.path));
  return table::ParseManifest(*bytes, entry.path);
}

int64_t TimestampOf(const table::Manifest& manifest) {
  const auto& time = manifest.pb.timestamp();
  int64_t nanos = 0;
  if (__builtin_mul_overflow(time.seconds(), int64_t{1'000'000'000}, &nanos) ||
      __builtin_add_overflow(nanos, int64_t{time.nanos()}, &nanos)) {
    return 0;
  }
  return nanos;
}

}  // namespace glaive::maintain
