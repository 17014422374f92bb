#include "db/table_impl.h"

#include <algorithm>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/clock.h"
#include "base/status.h"
#include "write/append.h"

namespace glaive::db {

namespace {

/// How often an operation that can be computed anew is tried against other writers.
constexpr int kMaxRecomputations = 20;

bool OutcomeUnknown(const arrow::Status& status) {
  return ErrorCodeOf(status) == ErrorCode::kCommitStateUnknown;
}

void SetProperties(const WriteOptions& options, lance::table::Transaction* transaction) {
  for (const auto& [key, value] : options.transaction_properties) {
    (*transaction->mutable_transaction_properties())[key] = value;
  }
}

/// The files of a commit that failed are removed, unless it may have succeeded all the same.
arrow::Status CleanUp(const table::Versions& versions, const write::WrittenFragments& written,
                      arrow::Status failure) {
  if (!OutcomeUnknown(failure)) {
    write::RemoveFragments(*versions.store(), written);
  }
  return failure;
}

/// Whether files written for one schema hold what another one needs: no column that got a new id,
/// and none that must not be missing.
bool StillFits(const file::Schema& written, const file::Schema& now) {
  for (const auto& field : now.fields()) {
    if (written.FindById(field.id) != nullptr) {
      continue;
    }
    const auto& fields = written.fields();
    if (!field.nullable || std::any_of(fields.begin(), fields.end(),
                                       [&](const auto& old) { return old.name == field.name; })) {
      return false;
    }
  }
  return true;
}

lance::table::Transaction OverwriteTransaction(uint64_t read_version, const file::Schema& schema,
                                               const write::WrittenFragments& written,
                                               const WriteOptions& options) {
  auto transaction = table::NewTransaction(read_version);
  SetProperties(options, &transaction);
  auto* overwrite = transaction.mutable_overwrite();
  overwrite->mutable_fragments()->Assign(written.fragments.begin(), written.fragments.end());
  schema.ToProto(overwrite->mutable_schema());
  for (const auto& [key, value] : schema.metadata()) {
    (*overwrite->mutable_schema_metadata())[key] = value;
  }
  return transaction;
}

/// The version to overwrite instead, after a commit that met another one; 0 if there is none that
/// can take these files.
uint64_t NextToOverwrite(const table::Versions& versions, file::FileVersion file_version,
                         const arrow::Status& failure) {
  const ErrorCode code = ErrorCodeOf(failure);
  if (code != ErrorCode::kAlreadyExists && code != ErrorCode::kCommitConflict) {
    return 0;
  }
  const auto newest = versions.OpenLatest();
  if (!newest.ok()) {
    return 0;
  }
  const auto its = FileVersionOf((*newest)->manifest());
  return its.ok() && *its == file_version ? (*newest)->version() : 0;
}

std::string OperationName(const lance::table::Transaction& transaction) {
  using lance::table::Transaction;
  switch (transaction.operation_case()) {
    case Transaction::kAppend:
      return "Append";
    case Transaction::kDelete:
      return "Delete";
    case Transaction::kOverwrite:
      return "Overwrite";
    case Transaction::kCreateIndex:
      return "CreateIndex";
    case Transaction::kRewrite:
      return "Rewrite";
    case Transaction::kMerge:
      return "Merge";
    case Transaction::kRestore:
      return "Restore";
    case Transaction::kReserveFragments:
      return "ReserveFragments";
    case Transaction::kUpdate:
      return "Update";
    case Transaction::kProject:
      return "Project";
    case Transaction::kUpdateConfig:
      return "UpdateConfig";
    case Transaction::kDataReplacement:
      return "DataReplacement";
    case Transaction::kUpdateMemWalState:
      return "UpdateMemWalState";
    case Transaction::kClone:
      return "Clone";
    case Transaction::kUpdateBases:
      return "UpdateBases";
    default:
      return "";
  }
}

VersionInfo InfoOf(const table::Manifest& manifest,
                   const std::optional<lance::table::Transaction>& transaction) {
  VersionInfo info;
  info.version = manifest.version();
  const auto& time = manifest.pb.timestamp();
  if (manifest.pb.has_timestamp() &&
      (__builtin_mul_overflow(time.seconds(), int64_t{1'000'000'000}, &info.timestamp_nanos) ||
       __builtin_add_overflow(info.timestamp_nanos, int64_t{time.nanos()},
                              &info.timestamp_nanos))) {
    info.timestamp_nanos = 0;
  }
  if (transaction.has_value()) {
    info.operation = OperationName(*transaction);
    info.properties.insert(transaction->transaction_properties().begin(),
                           transaction->transaction_properties().end());
  }
  for (const auto& fragment : manifest.pb.fragments()) {
    ++info.num_fragments;
    info.num_data_files += static_cast<uint64_t>(fragment.files_size());
    const uint64_t deleted =
        std::min(fragment.deletion_file().num_deleted_rows(), fragment.physical_rows());
    info.num_deleted_rows += deleted;
    info.num_rows += fragment.physical_rows() - deleted;
  }
  return info;
}

}  // namespace

arrow::Result<file::FileVersion> FileVersionOf(const table::Manifest& manifest) {
  return file::FileVersion::Parse(manifest.pb.data_format().version());
}

arrow::Result<Committed> OverwriteWith(const table::Versions& versions, uint64_t read_version,
                                       file::FileVersion file_version,
                                       arrow::RecordBatchReader& data, const WriteOptions& options,
                                       const table::CommitOptions& commit_options, bool replace) {
  ARROW_ASSIGN_OR_RAISE(const auto schema, file::Schema::FromArrow(*data.schema()));
  ARROW_ASSIGN_OR_RAISE(const auto written,
                        write::WriteFragments(*versions.store(), *versions.session(), schema,
                                              file_version, data, options));
  table::Committer committer(versions, commit_options);
  for (int attempt = 1;; ++attempt) {
    auto snapshot = committer.Commit(OverwriteTransaction(read_version, schema, written, options));
    if (snapshot.ok()) {
      return Committed{written.num_rows, std::move(*snapshot)};
    }
    read_version = replace && attempt < kMaxRecomputations
                       ? NextToOverwrite(versions, file_version, snapshot.status())
                       : 0;
    if (read_version == 0) {
      return CleanUp(versions, written, snapshot.status());
    }
  }
}

arrow::Result<std::shared_ptr<const table::Snapshot>> TableImpl::Latest() const {
  const int64_t now = NowNanos();
  ARROW_ASSIGN_OR_RAISE(auto entry, versions_.Latest());
  {
    std::lock_guard lock(mutex_);
    if (latest_ != nullptr && entry.version == latest_entry_.version &&
        entry.path == latest_entry_.path && entry.manifest_bytes == latest_entry_.manifest_bytes &&
        entry.modified_nanos == latest_entry_.modified_nanos && entry.modified_nanos != 0) {
      looked_at_ = now;
      return latest_;
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto manifest, versions_.Read(entry));
  {
    // The snapshot that a commit of ours returned, and whose file is seen for the first time.
    std::lock_guard lock(mutex_);
    if (latest_ != nullptr && &latest_->manifest() == manifest.get()) {
      latest_entry_ = std::move(entry);
      looked_at_ = now;
      return latest_;
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto snapshot, table::Snapshot::Make(versions_.store(), versions_.session(),
                                                             std::move(manifest)));
  std::lock_guard lock(mutex_);
  latest_ = snapshot;
  latest_entry_ = std::move(entry);
  looked_at_ = now;
  return snapshot;
}

std::shared_ptr<const table::Snapshot> TableImpl::Known() const {
  if (read_consistency_nanos_ == 0) {
    return nullptr;
  }
  std::lock_guard lock(mutex_);
  // A clock that was set back makes an age negative.
  const int64_t age = NowNanos() - looked_at_;
  return read_consistency_nanos_ < 0 || (age >= 0 && age < read_consistency_nanos_) ? latest_
                                                                                    : nullptr;
}

arrow::Result<std::shared_ptr<const table::Snapshot>> TableImpl::Current() const {
  {
    std::lock_guard lock(mutex_);
    if (pinned_.snapshot != nullptr) {
      return pinned_.snapshot;
    }
  }
  if (auto known = Known()) {
    return known;
  }
  return Latest();
}

arrow::Result<std::shared_ptr<const table::Snapshot>> TableImpl::ForWrite() const {
  {
    std::lock_guard lock(mutex_);
    if (pinned_.snapshot != nullptr) {
      return PreconditionFailed("table '", name_, "' is checked out at version ",
                                pinned_.snapshot->version(),
                                ", which is read-only; call CheckoutLatest or Restore first");
    }
  }
  if (versions_.branch().has_value()) {
    return PreconditionFailed("this handle on branch '", *versions_.branch(), "' of table '", name_,
                              "' is read-only");
  }
  return Latest();
}

arrow::Result<Leased> TableImpl::CurrentLeased() const {
  {
    std::lock_guard lock(mutex_);
    if (pinned_.snapshot != nullptr) {
      return pinned_;
    }
  }
  for (int attempt = 0;; ++attempt) {
    Leased current;
    current.snapshot = attempt == 0 ? Known() : nullptr;
    if (current.snapshot == nullptr) {
      ARROW_ASSIGN_OR_RAISE(current.snapshot, Latest());
    }
    auto lease = versions_.Lease(current.snapshot->version());
    if (lease.ok()) {
      current.lease = std::move(*lease);
      return current;
    }
    // Removed in between, because there are newer ones.
    if (ErrorCodeOf(lease.status()) != ErrorCode::kNotFound || attempt >= kMaxRecomputations) {
      return lease.status();
    }
    if (!MayMove()) {
      return NotFound("version ", current.snapshot->version(), " of table '", name_,
                      "' was cleaned up; call Refresh, which alone moves this handle");
    }
  }
}

arrow::Result<AddResult> TableImpl::Add(arrow::RecordBatchReader& data,
                                        const WriteOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(auto snapshot, ForWrite());
  if (write::PrimaryKeyIsEnforced(*snapshot)) {
    return AddUnderKey(snapshot, data, options);
  }
  ARROW_ASSIGN_OR_RAISE(const auto version, FileVersionOf(snapshot->manifest()));
  const file::Schema schema = snapshot->schema();
  ARROW_ASSIGN_OR_RAISE(const auto written,
                        write::WriteFragments(*versions_.store(), *versions_.session(), schema,
                                              version, data, options));
  if (written.fragments.empty()) {
    return AddResult{0, snapshot->version()};
  }
  table::Committer committer(versions_, {});
  for (int attempt = 1;; ++attempt) {
    auto transaction = table::NewTransaction(snapshot->version());
    SetProperties(options, &transaction);
    transaction.mutable_append()->mutable_fragments()->Assign(written.fragments.begin(),
                                                              written.fragments.end());
    const auto committed = committer.Commit(std::move(transaction));
    if (committed.ok()) {
      AfterCommit(*committed);
      return AddResult{written.num_rows, (*committed)->version()};
    }
    // The files are as good on top of a version that changed other columns.
    auto newest = ForWrite();
    if (!IsRetryable(committed.status()) || attempt >= kMaxRecomputations || !newest.ok() ||
        !StillFits(schema, (*newest)->schema())) {
      return CleanUp(versions_, written, committed.status());
    }
    snapshot = std::move(*newest);
  }
}

arrow::Result<AddResult> TableImpl::AddUnderKey(
    const std::shared_ptr<const table::Snapshot>& snapshot, arrow::RecordBatchReader& data,
    const WriteOptions& options) const {
  MergeRequest request;
  request.insert_unmatched = true;
  request.fail_on_match = true;
  request.write = options;
  ARROW_ASSIGN_OR_RAISE(const auto source, write::MergeSource::Read(*snapshot, request, data));
  ARROW_ASSIGN_OR_RAISE(const auto changed,
                        Change(
                            [&](const std::shared_ptr<const table::Snapshot>& current) {
                              return write::MakeMerge(current, request, *source);
                            },
                            {options.transaction_properties}));
  return AddResult{changed.change.num_inserted, changed.version};
}

arrow::Result<AddResult> TableImpl::Overwrite(arrow::RecordBatchReader& data,
                                              const WriteOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, ForWrite());
  ARROW_ASSIGN_OR_RAISE(const auto version, FileVersionOf(snapshot->manifest()));
  ARROW_ASSIGN_OR_RAISE(const auto committed,
                        OverwriteWith(versions_, snapshot->version(), version, data, options, {},
                                      /*replace=*/true));
  AfterCommit(committed.snapshot);
  return AddResult{committed.num_rows, committed.snapshot->version()};
}

arrow::Result<std::vector<VersionInfo>> TableImpl::ListVersions(uint64_t limit) const {
  ARROW_ASSIGN_OR_RAISE(const auto entries, versions_.List());
  const size_t first = limit == 0 || limit >= entries.size() ? 0 : entries.size() - limit;
  std::vector<VersionInfo> infos;
  infos.reserve(entries.size() - first);
  for (size_t i = first; i < entries.size(); ++i) {
    const auto manifest = versions_.Read(entries[i]);
    if (!manifest.ok()) {
      if (ErrorCodeOf(manifest.status()) == ErrorCode::kNotFound) {
        continue;  // cleaned up since the listing
      }
      return manifest.status();
    }
    ARROW_ASSIGN_OR_RAISE(const auto transaction, versions_.ReadTransaction(**manifest));
    infos.push_back(InfoOf(**manifest, transaction));
  }
  return infos;
}

arrow::Status TableImpl::Pin(const table::Versions& versions, uint64_t version) {
  Leased pinned;
  ARROW_ASSIGN_OR_RAISE(pinned.snapshot, versions.Open(version));
  ARROW_ASSIGN_OR_RAISE(pinned.lease, versions.Lease(version));
  std::lock_guard lock(mutex_);
  pinned_ = std::move(pinned);
  return arrow::Status::OK();
}

void TableImpl::Unpin() {
  std::lock_guard lock(mutex_);
  pinned_ = {};
}

bool TableImpl::pinned() const {
  std::lock_guard lock(mutex_);
  return pinned_.snapshot != nullptr;
}

arrow::Status TableImpl::CheckoutTag(const std::string& tag) {
  ARROW_ASSIGN_OR_RAISE(const auto found, versions_.GetTag(tag));
  if (found.branch.has_value()) {
    ARROW_ASSIGN_OR_RAISE(const auto branch, versions_.OpenBranch(*found.branch));
    return Pin(branch, found.version);
  }
  return Pin(versions_, found.version);
}

arrow::Result<uint64_t> TableImpl::Restore() {
  Leased held;  // so that what is restored stays
  {
    std::lock_guard lock(mutex_);
    held = pinned_;
  }
  const auto& pinned = held.snapshot;
  if (pinned == nullptr) {
    return PreconditionFailed(
        "table '", name_, "' follows its latest version; check out the version to restore first");
  }
  if (versions_.branch().has_value() || pinned->store()->root() != versions_.store()->root()) {
    return PreconditionFailed("the checked-out version of table '", name_,
                              "' lies on a branch and cannot be restored to the main line");
  }
  arrow::Status conflict;
  for (int attempt = 0; attempt < kMaxRecomputations; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(const auto latest, versions_.Latest());
    auto transaction = table::NewTransaction(latest.version);
    transaction.mutable_restore()->set_version(pinned->version());
    table::Committer committer(versions_, {});
    const auto committed = committer.Commit(std::move(transaction));
    if (committed.ok()) {
      Unpin();
      AfterCommit(*committed);
      return (*committed)->version();
    }
    conflict = committed.status();
    if (!IsRetryable(conflict)) {
      return conflict;
    }
  }
  return conflict;
}

}  // namespace glaive::db
