#include "table/versions.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/status.h"
#include "proto/parse.h"
#include "table/session.h"

namespace glaive::table {

namespace {

constexpr const char* kDirectory = "_versions";
constexpr const char* kHintPath = "_versions/latest_version_hint.json";
// Clean-ups of Glaive note here which versions are gone for good.
constexpr const char* kFloorPath = "_versions/.glaive-floor";
// A listing may miss versions that come and go meanwhile; so often it is made again.
constexpr int kMaxListings = 50;
// A hint below this saves nothing over listing so few names.
constexpr uint64_t kHintWorthwhile = 256;
constexpr int kMaxProbes = 256;
// Every so many versions the hint is brought up to date: readers probe upwards from it anyway, and
// replacing a file is dear (file systems that keep the numbers of files freed of late from being
// used again pass over all of them whenever a file is made).
constexpr uint64_t kHintStep = 16;
// For so long a listing vouches that versions have no gap. See Latest.
constexpr int64_t kListingTrustedNanos = 1'000'000'000;

std::string ManifestPath(uint64_t version, ManifestNaming naming) {
  return Concat(kDirectory, "/", ManifestName(version, naming));
}

std::string CacheKey(const std::string& root, const VersionEntry& entry) {
  // Size and time tell a manifest from one of an earlier table in the same place.
  return Concat("manifest\n", root, "\n", entry.path, "\n", entry.manifest_bytes, "\n",
                entry.modified_nanos);
}

bool IsNotFound(const arrow::Status& status) {
  return ErrorCodeOf(status) == ErrorCode::kNotFound;
}

int64_t TimestampNanos(const lance::table::Manifest& pb) {
  int64_t nanos = 0;
  if (__builtin_mul_overflow(pb.timestamp().seconds(), int64_t{1'000'000'000}, &nanos) ||
      __builtin_add_overflow(nanos, int64_t{pb.timestamp().nanos()}, &nanos)) {
    return pb.timestamp().seconds() < 0 ? INT64_MIN : INT64_MAX;
  }
  return nanos;
}

}  // namespace

Versions::Versions(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Session> session)
    : refs_store_(store), store_(std::move(store)), session_(std::move(session)) {}

arrow::Result<std::vector<VersionEntry>> Versions::List() const {
  ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(kDirectory));
  std::vector<VersionEntry> entries;
  for (auto& object : objects) {
    const auto slash = object.path.rfind('/');
    const auto parsed = ParseManifestName(std::string_view(object.path).substr(slash + 1));
    if (parsed) {
      entries.push_back({parsed->version, std::move(object.path), parsed->naming, object.size,
                         object.modified_nanos});
    }
  }
  if (entries.empty()) {
    return NotFound("no table at ", store_->root(), ": ", kDirectory, " holds no manifest");
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.version < b.version; });
  for (const auto& entry : entries) {
    GLAIVE_CHECK_FORMAT(entry.naming == entries.front().naming, store_->root(), "/", kDirectory,
                        " mixes two schemes of names: ", entries.front().path, " and ", entry.path);
  }
  session_->impl().SetLatest(store_->root(),
                             {entries.back().version, entries.back().naming, NowNanos()});
  return entries;
}

// nullopt if there is no such version under this scheme of names.
arrow::Result<std::optional<VersionEntry>> Versions::Find(uint64_t version,
                                                          ManifestNaming naming) const {
  const std::string path = ManifestPath(version, naming);
  auto info = store_->Stat(path);
  if (info.ok()) {
    return VersionEntry{version, path, naming, info->size, info->modified_nanos};
  }
  if (IsNotFound(info.status())) {
    return std::nullopt;
  }
  return info.status();
}

// The last of the consecutive versions from `version` on; nullopt if that is not there or very old.
arrow::Result<std::optional<VersionEntry>> Versions::Probe(uint64_t version,
                                                           ManifestNaming naming) const {
  ARROW_ASSIGN_OR_RAISE(auto found, Find(version, naming));
  if (!found) {
    return found;
  }
  for (int i = 0; i < kMaxProbes; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto next, Find(found->version + 1, naming));
    if (!next) {
      return found;
    }
    found = std::move(next);
  }
  return std::nullopt;
}

arrow::Result<bool> Versions::HasRefs() const {
  for (const char* directory : {"_refs/tags", "_refs/branches"}) {
    ARROW_ASSIGN_OR_RAISE(auto refs, refs_store_->List(directory));
    if (!refs.empty()) {
      return true;
    }
  }
  return false;
}

std::optional<uint64_t> Versions::ReadHint() const {
  const auto bytes = store_->Get(kHintPath);
  if (!bytes.ok()) {
    return std::nullopt;
  }
  const auto json =
      nlohmann::json::parse((*bytes)->ToString(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number_unsigned()) {
    return std::nullopt;
  }
  return version->get<uint64_t>();
}

arrow::Result<uint64_t> Versions::Floor() const {
  const auto bytes = store_->Get(kFloorPath);
  if (!bytes.ok()) {
    return IsNotFound(bytes.status()) ? arrow::Result<uint64_t>(0) : bytes.status();
  }
  const std::string text = (*bytes)->ToString();
  uint64_t floor = 0;
  std::from_chars(text.data(), text.data() + text.size(), floor);
  return floor;  // after a crash of the machine it may be empty: then nobody remembers a number
}

arrow::Status Versions::RaiseFloor(uint64_t version) const {
  ARROW_ASSIGN_OR_RAISE(const uint64_t floor, Floor());
  return floor >= version ? arrow::Status::OK()
                          : store_->PutRelaxed(kFloorPath, std::to_string(version));
}

// Versions are put one after the other. A clean-up removes old ones but for those that a tag, a
// branch or a reader protects. So a version that is there without a successor is the latest, unless
// it is one of those: clean-ups of Glaive leave a floor above what they remove, and where
// references may have made others leave a version behind, only a listing can tell, which is trusted
// for a moment.
arrow::Result<std::optional<VersionEntry>> Versions::KnownLatestNow() const {
  auto& impl = session_->impl();
  const auto known = impl.Latest(store_->root());
  std::optional<VersionEntry> found;
  if (known) {
    ARROW_ASSIGN_OR_RAISE(found, Probe(known->version, known->naming));
  } else if (const auto hint = ReadHint(); hint && *hint >= kHintWorthwhile) {
    ARROW_ASSIGN_OR_RAISE(found, Probe(*hint, ManifestNaming::kV2));
    if (!found) {
      ARROW_ASSIGN_OR_RAISE(found, Probe(*hint, ManifestNaming::kV1));
    }
  }
  if (!found) {
    return found;
  }
  const int64_t listed = known ? known->listed_nanos : 0;
  const int64_t age = NowNanos() - listed;
  if (age < 0 || age >= kListingTrustedNanos) {
    ARROW_ASSIGN_OR_RAISE(const bool has_refs, HasRefs());
    if (has_refs) {
      return std::nullopt;
    }
  }
  ARROW_ASSIGN_OR_RAISE(const uint64_t floor, Floor());
  if (found->version < floor) {
    return std::nullopt;
  }
  impl.SetLatest(store_->root(), {found->version, found->naming, listed});
  return found;
}

// What comes and goes during a listing may be missed: the highest that was seen is gone already, or
// there are higher ones.
arrow::Result<VersionEntry> Versions::LatestByListing() const {
  for (int attempt = 0;; ++attempt) {
    const auto entries = List();
    ARROW_ASSIGN_OR_RAISE(const uint64_t floor, Floor());
    if (!entries.ok()) {
      const bool missed = IsNotFound(entries.status()) && floor > 0 && attempt < kMaxListings;
      if (!missed) {
        session_->impl().ForgetLatest(store_->root());
        return entries.status();
      }
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto found, Probe(entries->back().version, entries->back().naming));
    if (found && found->version >= floor) {
      session_->impl().SetLatest(store_->root(), {found->version, found->naming, NowNanos()});
      return *found;
    }
    if (attempt >= kMaxListings) {
      return entries->back();
    }
  }
}

arrow::Result<VersionEntry> Versions::Latest() const {
  ARROW_ASSIGN_OR_RAISE(auto found, KnownLatestNow());
  return found ? arrow::Result<VersionEntry>(std::move(*found)) : LatestByListing();
}

arrow::Result<std::shared_ptr<const Manifest>> Versions::Read(const VersionEntry& entry) const {
  auto& cache = *session_->impl().cache;
  const bool cacheable = entry.manifest_bytes != 0 && entry.modified_nanos != 0;
  const std::string key = CacheKey(store_->root(), entry);
  if (cacheable) {
    if (auto cached = cache.Get<Manifest>(key)) {
      return cached;
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto bytes, store_->Get(entry.path));
  ARROW_ASSIGN_OR_RAISE(auto manifest, ParseManifest(*bytes, entry.path));
  GLAIVE_CHECK_FORMAT(manifest->version() == entry.version, "manifest ", entry.path,
                      " holds version ", manifest->version(), ", expected ", entry.version);
  if (cacheable) {
    manifest = cache.Put(key, manifest, manifest->memory_bytes());
  }
  return manifest;
}

arrow::Result<VersionEntry> Versions::EntryOf(uint64_t version) const {
  const auto known = session_->impl().Latest(store_->root());
  const auto first = known ? known->naming : ManifestNaming::kV2;
  ARROW_ASSIGN_OR_RAISE(auto found, Find(version, first));
  if (!found && !known) {
    ARROW_ASSIGN_OR_RAISE(found, Find(version, ManifestNaming::kV1));
  }
  if (found) {
    return *found;
  }
  ARROW_ASSIGN_OR_RAISE(auto entries, List());
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), version,
                       [](const auto& entry, uint64_t key) { return entry.version < key; });
  if (at != entries.end() && at->version == version) {
    return *at;
  }
  return NotFound("version ", version, " of ", store_->root(), ": there are versions ",
                  entries.front().version, " to ", entries.back().version);
}

arrow::Result<std::shared_ptr<const Manifest>> Versions::ReadVersion(uint64_t version) const {
  ARROW_ASSIGN_OR_RAISE(auto entry, EntryOf(version));
  return Read(entry);
}

arrow::Result<std::shared_ptr<io::ObjectLock>> Versions::Lease(uint64_t version) const {
  const auto known = session_->impl().Latest(store_->root());
  auto naming = known ? known->naming : ManifestNaming::kV2;
  auto lock = store_->TryLock(ManifestPath(version, naming), io::LockMode::kShared);
  if (!known && !lock.ok() && IsNotFound(lock.status())) {
    lock = store_->TryLock(ManifestPath(version, ManifestNaming::kV1), io::LockMode::kShared);
  }
  ARROW_RETURN_NOT_OK(lock.status());
  if (*lock == nullptr) {
    return NotFound("version ", version, " of ", store_->root(), " is being removed by a clean-up");
  }
  return std::shared_ptr<io::ObjectLock>(std::move(*lock));
}

arrow::Result<std::shared_ptr<const Snapshot>> Versions::Open(uint64_t version) const {
  ARROW_ASSIGN_OR_RAISE(auto manifest, ReadVersion(version));
  return Snapshot::Make(store_, session_, std::move(manifest));
}

arrow::Result<std::shared_ptr<const Snapshot>> Versions::OpenLatest() const {
  ARROW_ASSIGN_OR_RAISE(auto entry, Latest());
  ARROW_ASSIGN_OR_RAISE(auto manifest, Read(entry));
  return Snapshot::Make(store_, session_, std::move(manifest));
}

arrow::Result<int64_t> Versions::TimestampOf(const VersionEntry& entry) const {
  ARROW_ASSIGN_OR_RAISE(auto manifest, Read(entry));
  return TimestampNanos(manifest->pb);
}

// By bisection: the committer never gives a version an earlier time than its predecessor's.
arrow::Result<std::shared_ptr<const Snapshot>> Versions::OpenAsOf(int64_t nanos) const {
  ARROW_ASSIGN_OR_RAISE(auto entries, List());
  size_t low = 0;  // all before are old enough
  size_t high = entries.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    ARROW_ASSIGN_OR_RAISE(const int64_t time, TimestampOf(entries[middle]));
    if (time <= nanos) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) {
    ARROW_ASSIGN_OR_RAISE(const int64_t oldest, TimestampOf(entries.front()));
    return NotFound("no version of ", store_->root(), " at or before ", nanos,
                    " ns since 1970: the oldest, ", entries.front().version, ", is of ", oldest);
  }
  ARROW_ASSIGN_OR_RAISE(auto manifest, Read(entries[low - 1]));
  return Snapshot::Make(store_, session_, std::move(manifest));
}

arrow::Result<std::optional<lance::table::Transaction>> Versions::ReadTransaction(
    const Manifest& manifest) const {
  if (manifest.transaction) {
    return manifest.transaction;
  }
  const std::string& name = manifest.pb.transaction_file();
  if (name.empty()) {
    return std::nullopt;
  }
  const std::string path = "_transactions/" + name;
  GLAIVE_CHECK_FORMAT(io::CheckObjectPath(path).ok() && name.find('/') == std::string::npos,
                      "manifest of version ", manifest.version(), " names the transaction file \"",
                      name, "\"");
  auto bytes = store_->Get(path);
  if (!bytes.ok() && IsNotFound(bytes.status())) {
    return std::nullopt;
  }
  ARROW_RETURN_NOT_OK(bytes.status());
  lance::table::Transaction transaction;
  const std::string_view view(reinterpret_cast<const char*>((*bytes)->data()),
                              static_cast<size_t>((*bytes)->size()));
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(view, &transaction), "transaction file ", path, ": ",
                      view.size(), " bytes are no valid message");
  return transaction;
}

void Versions::NoteCommitted(uint64_t version, ManifestNaming naming,
                             const std::shared_ptr<const Manifest>& manifest) const {
  auto& impl = session_->impl();
  const auto known = impl.Latest(store_->root());
  if (known && known->version >= version) {
    return;
  }
  impl.SetLatest(store_->root(), {version, naming, known ? known->listed_nanos : 0});
  const auto entry = Find(version, naming);
  if (entry.ok() && *entry && (*entry)->manifest_bytes == manifest->file_bytes) {
    impl.cache->Put(CacheKey(store_->root(), **entry), manifest, manifest->memory_bytes());
  }
  if (version % kHintStep != 0 && version > 1) {
    return;
  }
  // Only a hint: whether it could be written does not matter.
  [[maybe_unused]] const auto hinted =
      store_->PutRelaxed(kHintPath, Concat("{\"version\":", version, "}"));
}

}  // namespace glaive::table
