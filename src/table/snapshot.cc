#include "table/snapshot.h"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/executor.h"
#include "base/status.h"
#include "base/uuid.h"
#include "table/bitmap.h"
#include "table/deletion_file.h"
#include "table/fragment_reader.h"
#include "table/row_ids.h"
#include "table/session.h"

namespace glaive::table {

namespace {

// What an open file costs besides its metadata, as the cache counts it: page tables of a mapping;
// or a descriptor, of which a process has about a thousand.
constexpr uint64_t kMappedFileCost = 32 << 10;
constexpr uint64_t kDescriptorCost = 512 << 10;

}  // namespace

Session::Session(const Options& options)
    : options_(options),
      budget_(options.memory_limit_bytes != 0 ? options.memory_limit_bytes : DefaultMemoryLimit()),
      executor_(std::make_unique<Executor>(options.num_threads)),
      impl_(std::make_unique<Impl>(options)) {}

Session::~Session() = default;

arrow::Result<std::shared_ptr<const file::FileReader>> Session::OpenFile(io::ObjectStore& store,
                                                                         const std::string& path) {
  const std::string key = "file\n" + store.root() + "\n" + path;
  if (auto cached = impl_->cache->Get<file::FileReader>(key)) {
    return cached;
  }
  ARROW_ASSIGN_OR_RAISE(auto object, store.Open(path));
  const uint64_t open_cost = object->zero_copy() ? kMappedFileCost : kDescriptorCost;
  const auto resize = [cache = std::weak_ptr(impl_->cache), key](int64_t change) {
    if (const auto alive = cache.lock()) {
      alive->Resize(key, change);
    }
  };
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<const file::FileReader> reader,
                        file::FileReader::Open(std::move(object), resize));
  const uint64_t bytes = reader->memory_bytes() + open_cost;
  return impl_->cache->Put(key, std::move(reader), bytes);
}

std::shared_ptr<std::mutex> Session::ChangeTurn(const std::string& root) {
  return impl_->ChangeTurn(root);
}

arrow::Result<std::shared_ptr<io::ObjectStore>> Session::OpenBase(const std::string& uri) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  auto& store = impl_->bases[uri];
  if (store == nullptr) {
    auto opened = io::OpenStore(uri, options_.store);
    if (!opened.ok()) {
      impl_->bases.erase(uri);
      return WithContext(opened.status(), Concat("base path ", uri));
    }
    store = std::move(opened).ValueUnsafe();
  }
  return store;
}

namespace {

using lance::table::DataFragment;

// A product that is made once, at first use; an error is not kept.
template <typename T>
class Lazy {
 public:
  template <typename Make>
  arrow::Result<std::shared_ptr<const T>> Get(const Make& make) const {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!made_) {
      ARROW_ASSIGN_OR_RAISE(value_, make());
      made_ = true;
    }
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  mutable bool made_ = false;
  mutable std::shared_ptr<const T> value_;
};

class FragmentImpl final : public Fragment {
 public:
  FragmentImpl(const DataFragment& pb, const lance::table::Manifest& manifest,
               const std::shared_ptr<io::ObjectStore>& store,
               const std::shared_ptr<Session>& session)
      : pb_(pb),
        manifest_(manifest),
        store_(store),
        session_(session),
        physical_rows_(pb.physical_rows()),
        num_deleted_(pb.deletion_file().num_deleted_rows()) {}

  uint64_t id() const override { return pb_.id(); }

  const DataFragment& pb() const override { return pb_; }

  uint64_t physical_rows() const override { return physical_rows_; }

  uint64_t num_deleted() const override { return num_deleted_; }

  void set_physical_rows(uint64_t rows) { physical_rows_ = rows; }

  // Manifests of old writers lack the number.
  arrow::Status CountDeleted() {
    ARROW_ASSIGN_OR_RAISE(auto vector, deletions());
    num_deleted_ = vector->cardinality();
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<const DeletionVector>> deletions() const override {
    if (!pb_.has_deletion_file()) {
      return nullptr;
    }
    return deletions_.Get([this] { return LoadDeletions(); });
  }

  arrow::Result<std::shared_ptr<const RowIdSequence>> row_ids() const override {
    if ((manifest_.reader_feature_flags() & kFlagStableRowIds) == 0) {
      return nullptr;
    }
    return row_ids_.Get([this]() -> arrow::Result<std::shared_ptr<const RowIdSequence>> {
      ARROW_ASSIGN_OR_RAISE(auto bytes,
                            SequenceBytes(pb_.has_inline_row_ids(), pb_.inline_row_ids(),
                                          pb_.has_external_row_ids(), pb_.external_row_ids()));
      GLAIVE_CHECK_FORMAT(bytes.has_value(), Name(),
                          " has no row ids in a table with stable row ids");
      return ParseRowIds(*bytes, physical_rows_, Name());
    });
  }

  arrow::Result<uint64_t> CreatedAt(uint64_t offset) const override {
    ARROW_ASSIGN_OR_RAISE(auto versions, CreatedAtVersions());
    return VersionOf(versions.get(), offset);
  }

  arrow::Result<uint64_t> LastUpdatedAt(uint64_t offset) const override {
    ARROW_ASSIGN_OR_RAISE(auto versions, LastUpdatedAtVersions());
    return VersionOf(versions.get(), offset);
  }

  arrow::Result<std::shared_ptr<const RowVersions>> CreatedAtVersions() const {
    return created_.Get([this] {
      return LoadVersions(SequenceBytes(
          pb_.has_inline_created_at_versions(), pb_.inline_created_at_versions(),
          pb_.has_external_created_at_versions(), pb_.external_created_at_versions()));
    });
  }

  arrow::Result<std::shared_ptr<const RowVersions>> LastUpdatedAtVersions() const {
    return updated_.Get([this] {
      return LoadVersions(SequenceBytes(
          pb_.has_inline_last_updated_at_versions(), pb_.inline_last_updated_at_versions(),
          pb_.has_external_last_updated_at_versions(), pb_.external_last_updated_at_versions()));
    });
  }

 private:
  std::string Name() const { return Concat("fragment ", pb_.id()); }

  arrow::Result<std::shared_ptr<const DeletionVector>> LoadDeletions() const {
    const auto& file = pb_.deletion_file();
    ARROW_ASSIGN_OR_RAISE(
        auto place, PlaceOf(store_, *session_, manifest_, file.has_base_id(), file.base_id()));
    const std::string path = DeletionFilePath(pb_.id(), file);
    auto& cache = *session_->impl().cache;
    const std::string key = "deletions\n" + place.store->root() + "\n" + path;
    auto vector = cache.Get<DeletionVector>(key);
    if (vector == nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto bytes, place.store->Get(path));
      ARROW_ASSIGN_OR_RAISE(vector,
                            ParseDeletionFile(bytes, file.file_type(), physical_rows_, path));
      vector = cache.Put(key, vector, vector->memory_bytes());
    }
    GLAIVE_CHECK_FORMAT(
        file.num_deleted_rows() == 0 || file.num_deleted_rows() == vector->cardinality(),
        "deletion file ", path, " holds ", vector->cardinality(), " offsets, expected ",
        file.num_deleted_rows());
    GLAIVE_CHECK_FORMAT(vector->cardinality() <= physical_rows_, "deletion file ", path, " holds ",
                        vector->cardinality(), " offsets for ", physical_rows_, " rows");
    return vector;
  }

  // nullopt if there is none.
  arrow::Result<std::optional<std::string>> SequenceBytes(
      bool has_inline, const std::string& bytes, bool has_external,
      const lance::table::ExternalFile& file) const {
    if (has_inline) {
      return bytes;
    }
    if (!has_external) {
      return std::nullopt;
    }
    GLAIVE_CHECK_FORMAT(io::CheckObjectPath(file.path()).ok(), Name(), ": sequence in the file \"",
                        file.path(), "\"");
    ARROW_ASSIGN_OR_RAISE(auto object, store_->Open(file.path()));
    ARROW_ASSIGN_OR_RAISE(auto read, object->Read(file.offset(), file.size()));
    return read->ToString();
  }

  arrow::Result<std::shared_ptr<const RowVersions>> LoadVersions(
      const arrow::Result<std::optional<std::string>>& bytes) const {
    ARROW_RETURN_NOT_OK(bytes.status());
    if (!bytes->has_value()) {
      return nullptr;
    }
    return RowVersions::Parse(**bytes, physical_rows_, Name());
  }

  arrow::Result<uint64_t> VersionOf(const RowVersions* versions, uint64_t offset) const {
    GLAIVE_CHECK_ARGUMENT(offset < physical_rows_, "row ", offset, " of ", Name(), " with ",
                          physical_rows_, " rows");
    return versions == nullptr ? 1 : versions->Get(offset);
  }

  // All of the snapshot that owns this fragment.
  const DataFragment& pb_;
  const lance::table::Manifest& manifest_;
  const std::shared_ptr<io::ObjectStore>& store_;
  const std::shared_ptr<Session>& session_;

  uint64_t physical_rows_;
  uint64_t num_deleted_;
  Lazy<DeletionVector> deletions_;
  Lazy<RowIdSequence> row_ids_;
  Lazy<RowVersions> created_;
  Lazy<RowVersions> updated_;
};

// Fragments by the span of their row ids, to find the few that can hold one.
struct RowIdIndex {
  struct Span {
    uint64_t lowest = 0;
    uint64_t highest = 0;
    const Fragment* fragment = nullptr;
    std::shared_ptr<const RowIdSequence> ids;
  };

  std::vector<Span> spans;               // by lowest
  std::vector<uint64_t> highest_so_far;  // over spans
};

class SnapshotImpl final : public Snapshot {
 public:
  SnapshotImpl(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Session> session,
               std::shared_ptr<const Manifest> manifest)
      : store_(std::move(store)), session_(std::move(session)), manifest_(std::move(manifest)) {}

  arrow::Status Open() {
    ARROW_ASSIGN_OR_RAISE(arrow_schema_, manifest_->schema.ToArrow());
    fragments_.reserve(static_cast<size_t>(manifest_->pb.fragments_size()));
    for (const auto& pb : manifest_->pb.fragments()) {
      ascending_ = ascending_ && (fragments_.empty() || fragments_.back()->id() < pb.id());
      FragmentImpl& fragment = owned_.emplace_back(pb, manifest_->pb, store_, session_);
      ARROW_RETURN_NOT_OK(FillCounts(&fragment));
      num_rows_ += fragment.num_rows();
      // Owned by the snapshot as a whole, thousands at a time.
      fragments_.emplace_back(std::shared_ptr<const Fragment>(), &fragment);
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<io::ObjectStore>& store() const override { return store_; }

  const std::shared_ptr<Session>& session() const override { return session_; }

  const Manifest& manifest() const override { return *manifest_; }

  const std::shared_ptr<arrow::Schema>& arrow_schema() const override { return arrow_schema_; }

  const std::vector<std::shared_ptr<const Fragment>>& fragments() const override {
    return fragments_;
  }

  arrow::Result<uint64_t> CountRows() const override { return num_rows_; }

  const Fragment* FindFragment(uint64_t id) const override {
    if (!ascending_) {
      const auto at = std::find_if(fragments_.begin(), fragments_.end(),
                                   [id](const auto& fragment) { return fragment->id() == id; });
      return at == fragments_.end() ? nullptr : at->get();
    }
    const auto at =
        std::lower_bound(fragments_.begin(), fragments_.end(), id,
                         [](const auto& fragment, uint64_t key) { return fragment->id() < key; });
    return at == fragments_.end() || (*at)->id() != id ? nullptr : at->get();
  }

  arrow::Result<std::shared_ptr<FragmentReader>> OpenFragment(
      const Fragment& fragment, const file::Schema& projection) const override {
    return OpenFragmentReader(shared_from_this(), fragment, projection);
  }

  arrow::Result<std::vector<std::optional<uint64_t>>> ResolveRowIds(
      const std::vector<uint64_t>& row_ids) const override {
    std::vector<std::optional<uint64_t>> addresses;
    addresses.reserve(row_ids.size());
    for (const uint64_t row_id : row_ids) {
      ARROW_ASSIGN_OR_RAISE(auto address, manifest_->stable_row_ids() ? ResolveStable(row_id)
                                                                      : ResolveAddress(row_id));
      addresses.push_back(address);
    }
    return addresses;
  }

  arrow::Status Verify(const std::function<void(const arrow::Status&)>& found,
                       const ProgressCallback& progress, const CancelToken& cancel) const override;

 private:
  // Old manifests lack counts; then the files tell.
  arrow::Status FillCounts(FragmentImpl* fragment) const {
    const auto& pb = fragment->pb();
    if (pb.physical_rows() == 0 && pb.files_size() > 0 && pb.files(0).file_major_version() >= 2) {
      ARROW_ASSIGN_OR_RAISE(auto file, OpenDataFile(*this, pb, pb.files(0)));
      fragment->set_physical_rows(file->num_rows());
    }
    if (pb.has_deletion_file() && pb.deletion_file().num_deleted_rows() == 0) {
      return fragment->CountDeleted();
    }
    GLAIVE_CHECK_FORMAT(fragment->num_deleted() <= fragment->physical_rows(), "fragment ", pb.id(),
                        " has ", fragment->num_deleted(), " deleted of ", fragment->physical_rows(),
                        " rows");
    return arrow::Status::OK();
  }

  static arrow::Result<bool> IsLive(const Fragment& fragment, uint64_t offset) {
    if (offset >= fragment.physical_rows()) {
      return false;
    }
    ARROW_ASSIGN_OR_RAISE(auto deleted, fragment.deletions());
    return deleted == nullptr || !deleted->Contains(static_cast<uint32_t>(offset));
  }

  arrow::Result<std::optional<uint64_t>> ResolveAddress(uint64_t address) const {
    const Fragment* fragment = FindFragment(address >> 32);
    if (fragment == nullptr) {
      return std::nullopt;
    }
    ARROW_ASSIGN_OR_RAISE(const bool live, IsLive(*fragment, address & UINT32_MAX));
    return live ? std::optional<uint64_t>(address) : std::nullopt;
  }

  // An id may occur in several fragments, after its row was moved; in one of them it is live.
  arrow::Result<std::optional<uint64_t>> ResolveStable(uint64_t row_id) const {
    ARROW_ASSIGN_OR_RAISE(auto index, index_.Get([this] { return BuildIndex(); }));
    const auto after =
        std::upper_bound(index->spans.begin(), index->spans.end(), row_id,
                         [](uint64_t id, const auto& span) { return id < span.lowest; });
    for (auto i = static_cast<size_t>(after - index->spans.begin()); i > 0; --i) {
      if (index->highest_so_far[i - 1] < row_id) {
        break;
      }
      const auto& span = index->spans[i - 1];
      const auto offset = row_id <= span.highest ? span.ids->Find(row_id) : std::nullopt;
      if (!offset) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const bool live, IsLive(*span.fragment, *offset));
      if (live) {
        return (span.fragment->id() << 32) | *offset;
      }
    }
    return std::nullopt;
  }

  arrow::Result<std::shared_ptr<const RowIdIndex>> BuildIndex() const {
    auto index = std::make_shared<RowIdIndex>();
    for (const auto& fragment : fragments_) {
      ARROW_ASSIGN_OR_RAISE(auto ids, fragment->row_ids());
      if (ids == nullptr || ids->size() == 0) {
        continue;
      }
      const auto [lowest, highest] = ids->Bounds();
      index->spans.push_back({lowest, highest, fragment.get(), std::move(ids)});
    }
    std::sort(index->spans.begin(), index->spans.end(),
              [](const auto& a, const auto& b) { return a.lowest < b.lowest; });
    uint64_t highest = 0;
    for (const auto& span : index->spans) {
      highest = std::max(highest, span.highest);
      index->highest_so_far.push_back(highest);
    }
    return std::shared_ptr<const RowIdIndex>(std::move(index));
  }

  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<const Manifest> manifest_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::deque<FragmentImpl> owned_;
  std::vector<std::shared_ptr<const Fragment>> fragments_;  // views of owned_
  bool ascending_ = true;
  uint64_t num_rows_ = 0;
  Lazy<RowIdIndex> index_;
};

// A set of row ids: about a bit for each where they are dense, however large the numbers are.
class RowIdSet {
 public:
  // False if it was there already.
  bool Insert(uint64_t id) {
    uint64_t& word = blocks_[id / kBlockBits][id % kBlockBits / 64];
    const uint64_t bit = uint64_t{1} << (id % 64);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
  }

 private:
  static constexpr uint64_t kBlockBits = 512;
  std::unordered_map<uint64_t, std::array<uint64_t, kBlockBits / 64>> blocks_;
};

// Collects the defects of one snapshot.
class Verifier {
 public:
  Verifier(const Snapshot& snapshot, const std::function<void(const arrow::Status&)>& found,
           const ProgressCallback& progress, const CancelToken& cancel)
      : snapshot_(snapshot), found_(found), progress_(progress), cancel_(cancel) {}

  arrow::Status Run() {
    const auto& manifest = snapshot_.manifest();
    Note(CheckFragments(manifest.pb, Concat("version ", manifest.version())));
    for (const auto& fragment : snapshot_.fragments()) {
      ARROW_ASSIGN_OR_RAISE(const bool sound, CheckFiles(*fragment));
      Note(fragment->deletions().status());
      CheckSequences(static_cast<const FragmentImpl&>(*fragment));
      if (sound) {  // so its number of rows is true
        Note(CheckUnique(*fragment));
      }
    }
    for (const auto& index : manifest.indices) {
      ARROW_RETURN_NOT_OK(cancel_.Check("verify"));
      Note(CheckIndex(index));
      Note(CheckIndexFiles(index));
    }
    return arrow::Status::OK();
  }

 private:
  void Note(const arrow::Status& status) {
    if (!status.ok()) {
      found_(status);
    }
  }

  // False if there is a defect.
  arrow::Result<bool> CheckFiles(const Fragment& fragment) {
    bool sound = true;
    for (const auto& pb : fragment.pb().files()) {
      ARROW_RETURN_NOT_OK(cancel_.Check("verify"));
      const arrow::Status checked = CheckFile(fragment, pb);
      Note(checked);
      sound = sound && checked.ok();
      done_.bytes_done += pb.file_size_bytes();
      if (&pb == &*fragment.pb().files().rbegin()) {
        done_.rows_done += fragment.num_rows();
      }
      if (progress_) {
        done_.phase = "verify";
        ARROW_ASSIGN_OR_RAISE(done_.rows_total, snapshot_.CountRows());
        progress_(done_);
      }
    }
    return sound;
  }

  arrow::Status CheckFile(const Fragment& fragment, const lance::table::DataFile& pb) const {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenDataFile(snapshot_, fragment.pb(), pb));
    const std::string what = Concat("data file ", pb.path(), " of fragment ", fragment.id());
    GLAIVE_CHECK_FORMAT(file->num_rows() == fragment.physical_rows(), what, ": ", file->num_rows(),
                        " rows, expected ", fragment.physical_rows());
    for (const int32_t column : pb.column_indices()) {
      GLAIVE_CHECK_FORMAT(column < static_cast<int64_t>(file->num_columns()), what, ": column ",
                          column, " of ", file->num_columns());
    }
    const arrow::Status verified = file->Verify();
    return verified.ok() ? verified : WithContext(verified, what);
  }

  void CheckSequences(const FragmentImpl& fragment) {
    Note(fragment.row_ids().status());
    Note(fragment.CreatedAtVersions().status());
    Note(fragment.LastUpdatedAtVersions().status());
    const auto ids = fragment.row_ids();
    if (ids.ok() && *ids != nullptr && (*ids)->size() > 0) {
      const uint64_t highest = (*ids)->Bounds().second;
      const uint64_t next = snapshot_.manifest().pb.next_row_id();
      if (highest >= next) {
        found_(Corruption("fragment ", fragment.id(), " holds the row id ", highest,
                          ", but the next free one is ", next));
      }
    }
  }

  // Live rows only: a row that was updated leaves its id behind, deleted.
  arrow::Status CheckUnique(const Fragment& fragment) {
    const auto ids = fragment.row_ids();
    const auto deletions = fragment.deletions();
    if (!ids.ok() || *ids == nullptr || !deletions.ok()) {
      return arrow::Status::OK();  // noted before, or nothing to check
    }
    for (uint64_t row = 0; row < (*ids)->size(); ++row) {
      if (*deletions != nullptr && (*deletions)->Contains(static_cast<uint32_t>(row))) {
        continue;
      }
      const uint64_t id = (*ids)->Get(row);
      GLAIVE_CHECK_FORMAT(row_ids_.Insert(id), "row ", row, " of fragment ", fragment.id(),
                          " has the row id ", id, ", which another live row has, too");
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckIndexFiles(const lance::table::IndexMetadata& index) const {
    const std::string& bytes = index.uuid().uuid();
    Uuid uuid;
    if (bytes.size() != uuid.bytes.size()) {
      return arrow::Status::OK();  // noted before
    }
    std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
    ARROW_ASSIGN_OR_RAISE(const auto place,
                          PlaceOf(snapshot_.store(), *snapshot_.session(), snapshot_.manifest().pb,
                                  index.has_base_id(), index.base_id()));
    const std::string directory = (place.dataset_root ? "_indices/" : "") + uuid.ToString();
    for (const auto& file : index.files()) {
      const std::string path = directory + "/" + file.path();
      GLAIVE_CHECK_FORMAT(io::CheckObjectPath(path).ok(), "index ", index.name(),
                          " names the file \"", file.path(), "\"");
      const auto info = place.store->Stat(path);
      if (!info.ok()) {
        return WithContext(info.status(), Concat("index ", index.name()));
      }
      GLAIVE_CHECK_FORMAT(file.size_bytes() == 0 || info->size == file.size_bytes(), "index ",
                          index.name(), ": file ", path, " has ", info->size, " bytes, expected ",
                          file.size_bytes());
    }
    // Indices of the system may live in the manifest alone.
    if (index.files_size() > 0 || index.name().rfind("__lance_", 0) == 0) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto objects, place.store->ListRecursive(directory));
    GLAIVE_CHECK_FORMAT(!objects.empty(), "index ", index.name(), ": there are no files in ",
                        directory);
    return arrow::Status::OK();
  }

  arrow::Status CheckIndex(const lance::table::IndexMetadata& index) const {
    GLAIVE_CHECK_FORMAT(index.uuid().uuid().size() == 16, "index ", index.name(), " has a uuid of ",
                        index.uuid().uuid().size(), " bytes");
    for (const int32_t id : index.fields()) {
      GLAIVE_CHECK_FORMAT(snapshot_.schema().FindById(id) != nullptr, "index ", index.name(),
                          " is over field ", id, ", which the schema lacks");
    }
    if (index.fragment_bitmap().empty()) {
      return arrow::Status::OK();
    }
    return Bitmap::Parse(index.fragment_bitmap(), Concat("fragment bitmap of index ", index.name()))
        .status();
  }

  const Snapshot& snapshot_;
  const std::function<void(const arrow::Status&)>& found_;
  const ProgressCallback& progress_;
  const CancelToken& cancel_;
  Progress done_;
  RowIdSet row_ids_;
};

arrow::Status SnapshotImpl::Verify(const std::function<void(const arrow::Status&)>& found,
                                   const ProgressCallback& progress,
                                   const CancelToken& cancel) const {
  return Verifier(*this, found, progress, cancel).Run();
}

}  // namespace

arrow::Result<std::shared_ptr<const Snapshot>> Snapshot::Make(
    std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Session> session,
    std::shared_ptr<const Manifest> manifest) {
  auto snapshot =
      std::make_shared<SnapshotImpl>(std::move(store), std::move(session), std::move(manifest));
  const arrow::Status opened = snapshot->Open();
  if (!opened.ok()) {
    return WithContext(opened,
                       Concat("version ", snapshot->version(), " of ", snapshot->store()->root()));
  }
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

}  // namespace glaive::table
