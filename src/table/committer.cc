#include "table/committer.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <arrow/buffer.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "base/uuid.h"
#include "proto/parse.h"
#include "table/deletion_file.h"
#include "table/fragment_reader.h"
#include "table/session.h"

namespace glaive::table {

namespace {

using lance::table::DataFragment;
using lance::table::Transaction;
using SnapshotResult = arrow::Result<std::shared_ptr<const Snapshot>>;

constexpr int kMaxBackoffSlots = 64;
constexpr int64_t kMinBackoffNanos = 200'000;
constexpr int64_t kMaxBackoffNanos = 1'000'000'000;

bool CreatesTable(const Transaction& transaction) {
  return transaction.has_overwrite() && transaction.read_version() == 0;
}

const DataFragment* FindFragment(const lance::table::Manifest& pb, uint64_t id) {
  const auto at = std::find_if(pb.fragments().begin(), pb.fragments().end(),
                               [id](const auto& fragment) { return fragment.id() == id; });
  return at == pb.fragments().end() ? nullptr : &*at;
}

// Text that is not UTF-8 can be written, but then nobody, neither we nor others, reads the table
// again.
bool IsReadable(const Transaction& transaction) {
  const google::protobuf::LogSilencer silencer;
  Transaction read;
  return proto::ParseMessage(transaction.SerializeAsString(), &read);
}

// One commit: what it has learnt between its attempts.
class Attempts {
 public:
  Attempts(const Versions& versions, const CommitOptions& options, Transaction transaction)
      : versions_(versions), options_(options), ours_(std::move(transaction)) {}

  SnapshotResult Run() {
    GLAIVE_CHECK_ARGUMENT(ours_.operation_case() != Transaction::OPERATION_NOT_SET,
                          "the transaction has no operation");
    GLAIVE_CHECK_ARGUMENT(!ours_.uuid().empty(), "the transaction has no uuid");
    GLAIVE_CHECK_ARGUMENT(IsReadable(ours_),
                          "the transaction holds a name, a key or a value that is not UTF-8");
    checked_ = ours_.read_version();
    auto committed = RunAttempts();
    if (!committed.ok() && ErrorCodeOf(committed.status()) != ErrorCode::kCommitStateUnknown) {
      RemoveWritten();
    }
    return committed;
  }

 private:
  SnapshotResult RunAttempts() {
    for (uint32_t attempt = 0; attempt < std::max(options_.max_attempts, 1u); ++attempt) {
      const int64_t began = NowNanos();
      ARROW_ASSIGN_OR_RAISE(auto snapshot, TryOnce());
      if (snapshot != nullptr) {
        return snapshot;
      }
      Backoff(attempt, NowNanos() - began);
    }
    return CommitConflict(versions_.store()->root(), ": other writers were faster ",
                          options_.max_attempts, " times");
  }

  void RemoveWritten() const {
    for (const auto& path : written_) {
      // What cannot be removed is an orphan that no manifest names: harmless.
      static_cast<void>(versions_.store()->Delete(path));
    }
  }

  // nullptr: another commit took the version; to be tried again.
  SnapshotResult TryOnce() {
    const std::shared_ptr<std::mutex> turn =
        versions_.session()->impl().CommitLock(versions_.store()->root());
    std::lock_guard<std::mutex> lock(*turn);
    if (CreatesTable(ours_)) {
      ARROW_RETURN_NOT_OK(CheckAbsent());
      return Put(nullptr, 1, options_.naming);
    }
    ARROW_ASSIGN_OR_RAISE(auto latest, versions_.Latest());
    ARROW_ASSIGN_OR_RAISE(auto base, versions_.Read(latest));
    ARROW_ASSIGN_OR_RAISE(auto landed, Rebase(base));
    if (landed != nullptr) {
      return Snapshot::Make(versions_.store(), versions_.session(), std::move(landed));
    }
    return Put(base, latest.version + 1, latest.naming);
  }

  // An earlier attempt of ours may have landed though its put did not say so.
  arrow::Status CheckAbsent() const {
    const auto latest = versions_.Latest();
    if (latest.ok()) {
      return AlreadyExists("table ", versions_.store()->root(), " exists at version ",
                           latest->version);
    }
    return ErrorCodeOf(latest.status()) == ErrorCode::kNotFound ? arrow::Status::OK()
                                                                : latest.status();
  }

  // Checks our transaction against all that was committed since. Returns the manifest that holds
  // our transaction already, if one does.
  arrow::Result<std::shared_ptr<const Manifest>> Rebase(
      const std::shared_ptr<const Manifest>& latest) {
    if (ours_.read_version() > latest->version()) {
      return CommitIncompatible("the transaction was made on version ", ours_.read_version(),
                                " of ", versions_.store()->root(), ", whose latest is ",
                                latest->version());
    }
    bool merge = false;
    for (uint64_t version = checked_ + 1; version <= latest->version(); ++version) {
      std::shared_ptr<const Manifest> manifest = latest;
      if (version != latest->version()) {
        ARROW_ASSIGN_OR_RAISE(manifest, ReadVersion(version));
      }
      ARROW_ASSIGN_OR_RAISE(auto theirs, versions_.ReadTransaction(*manifest));
      if (!theirs) {
        return CommitConflict(
            "version ", version, " of ", versions_.store()->root(),
            " does not say what it changed, so nothing can be put on top of it that was "
            "made on version ",
            ours_.read_version());
      }
      if (theirs->uuid() == ours_.uuid()) {
        return manifest;
      }
      ARROW_ASSIGN_OR_RAISE(const bool rebase, Check(version, *theirs));
      merge = merge || rebase;
    }
    if (merge) {
      ARROW_RETURN_NOT_OK(MergeDeletions(*latest));
    }
    checked_ = latest->version();
    return nullptr;
  }

  arrow::Result<std::shared_ptr<const Manifest>> ReadVersion(uint64_t version) const {
    auto manifest = versions_.ReadVersion(version);
    if (!manifest.ok() && ErrorCodeOf(manifest.status()) == ErrorCode::kNotFound) {
      return CommitConflict("version ", version, " of ", versions_.store()->root(),
                            ", which the transaction on version ", ours_.read_version(),
                            " has to be checked against, was cleaned up");
    }
    return manifest;
  }

  // True if deletion vectors have to be merged.
  arrow::Result<bool> Check(uint64_t version, const Transaction& theirs) const {
    switch (CheckConflict(ours_, theirs)) {
      case Conflict::kNone:
        return false;
      case Conflict::kRebase:
        return true;
      case Conflict::kRetryable:
        return CommitConflict("version ", version, " of ", versions_.store()->root(),
                              " changed what the transaction on version ", ours_.read_version(),
                              " was computed from");
      case Conflict::kIncompatible:
        break;
    }
    return CommitIncompatible("version ", version, " of ", versions_.store()->root(),
                              " can't stand together with the transaction on version ",
                              ours_.read_version());
  }

  // ---- deletion vectors ----

  arrow::Result<std::shared_ptr<const DeletionVector>> LoadDeletions(
      const Manifest& manifest, const DataFragment& fragment) const {
    if (!fragment.has_deletion_file()) {
      return nullptr;
    }
    const auto& file = fragment.deletion_file();
    ARROW_ASSIGN_OR_RAISE(auto place, PlaceOf(versions_.store(), *versions_.session(), manifest.pb,
                                              file.has_base_id(), file.base_id()));
    const std::string path = DeletionFilePath(fragment.id(), file);
    ARROW_ASSIGN_OR_RAISE(auto bytes, place.store->Get(path));
    return ParseDeletionFile(bytes, file.file_type(), fragment.physical_rows(), path);
  }

  // Puts our deletions on top of those of `latest` in all fragments that both changed.
  arrow::Status MergeDeletions(const Manifest& latest) {
    ARROW_ASSIGN_OR_RAISE(auto read, ReadVersion(ours_.read_version()));
    auto* updated = ours_.has_delete_() ? ours_.mutable_delete_()->mutable_updated_fragments()
                                        : ours_.mutable_update()->mutable_updated_fragments();
    for (int i = updated->size() - 1; i >= 0; --i) {
      const DataFragment* now = FindFragment(latest.pb, updated->at(i).id());
      const DataFragment* then = FindFragment(read->pb, updated->at(i).id());
      if (now == nullptr || then == nullptr) {
        return CommitConflict("fragment ", updated->at(i).id(), " is gone from version ",
                              latest.version());
      }
      if (now->deletion_file().SerializeAsString() == then->deletion_file().SerializeAsString()) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const bool empty,
                            MergeFragment(latest, *now, *read, *then, updated->Mutable(i)));
      if (empty) {
        const uint64_t id = updated->at(i).id();
        updated->DeleteSubrange(i, 1);
        if (ours_.has_delete_()) {
          ours_.mutable_delete_()->add_deleted_fragment_ids(id);
        } else {
          ours_.mutable_update()->add_removed_fragment_ids(id);
        }
      }
    }
    ours_.set_read_version(latest.version());
    return arrow::Status::OK();
  }

  // True if no row is left. kCommitConflict if both deleted the same row.
  arrow::Result<bool> MergeFragment(const Manifest& latest, const DataFragment& now,
                                    const Manifest& read, const DataFragment& then,
                                    DataFragment* mine) {
    ARROW_ASSIGN_OR_RAISE(auto ours, LoadDeletions(latest, *mine));
    ARROW_ASSIGN_OR_RAISE(auto theirs, LoadDeletions(latest, now));
    ARROW_ASSIGN_OR_RAISE(auto before, LoadDeletions(read, then));
    if (ours == nullptr || theirs == nullptr) {
      return CommitConflict("fragment ", now.id(), " was changed in both versions");
    }
    for (const uint32_t offset : ours->ToVector()) {
      const bool new_of_ours = before == nullptr || !before->Contains(offset);
      if (new_of_ours && theirs->Contains(offset)) {
        return CommitConflict("row ", offset, " of fragment ", now.id(),
                              " was deleted or updated in version ", latest.version(), " too");
      }
    }
    const auto merged = UnionOf(*ours, *theirs);
    const lance::table::DeletionFile old = mine->deletion_file();
    if (merged.size() == mine->physical_rows()) {
      return true;
    }
    ARROW_ASSIGN_OR_RAISE(
        *mine->mutable_deletion_file(),
        WriteDeletionBitmap(*versions_.store(), mine->id(), latest.version(), merged));
    written_.push_back(DeletionFilePath(mine->id(), mine->deletion_file()));
    // Nothing refers to the file that the merged one replaces.
    [[maybe_unused]] const auto removed =
        versions_.store()->Delete(DeletionFilePath(mine->id(), old));
    return false;
  }

  // ---- the put ----

  SnapshotResult Put(const std::shared_ptr<const Manifest>& base, uint64_t version,
                     ManifestNaming naming) {
    std::shared_ptr<const Manifest> source;
    if (ours_.has_restore()) {
      ARROW_ASSIGN_OR_RAISE(source, versions_.ReadVersion(ours_.restore().version()));
    }
    auto next = std::make_shared<Manifest>();
    ARROW_RETURN_NOT_OK(
        BuildManifest(base.get(), ours_, version, options_, source.get(), next.get()));
    ARROW_RETURN_NOT_OK(SetSchema(next.get()));
    ARROW_RETURN_NOT_OK(WriteTransactionFile(next->mutable_pb()));
    next->transaction = ours_;
    ARROW_ASSIGN_OR_RAISE(
        auto bytes, SerializeManifest(next->mutable_pb(), next->indices, &*next->transaction));
    next->file_bytes = bytes.size();
    // Made before the put: what could not be opened must not become the latest version.
    ARROW_ASSIGN_OR_RAISE(auto snapshot,
                          Snapshot::Make(versions_.store(), versions_.session(), next));
    const std::string path = "_versions/" + ManifestName(version, naming);
    const arrow::Status put = versions_.store()->PutIfAbsent(path, bytes);
    if (!put.ok()) {
      ARROW_ASSIGN_OR_RAISE(const bool landed, Landed(put, path));
      if (!landed) {
        return nullptr;
      }
    }
    // Others may have been so fast meanwhile that a clean-up removed the version of this number:
    // then its place was free, but it is no longer at the end.
    ARROW_ASSIGN_OR_RAISE(const uint64_t floor, versions_.Floor());
    if (floor > version) {
      ARROW_RETURN_NOT_OK(versions_.store()->Delete(path));
      return nullptr;
    }
    versions_.NoteCommitted(version, naming, next);
    return snapshot;
  }

  // After a put that failed: true if our manifest is there all the same, false if another one is.
  // The put's own error if none is.
  arrow::Result<bool> Landed(const arrow::Status& put, const std::string& path) const {
    auto bytes = versions_.store()->Get(path);
    if (bytes.ok()) {
      auto manifest = ParseManifest(**bytes, path);
      if (manifest.ok()) {
        const auto& theirs = (*manifest)->transaction;
        return theirs.has_value() && theirs->uuid() == ours_.uuid();
      }
      if (ErrorCodeOf(put) == ErrorCode::kAlreadyExists) {
        return manifest.status();
      }
    } else if (ErrorCodeOf(bytes.status()) == ErrorCode::kNotFound &&
               ErrorCodeOf(put) != ErrorCode::kAlreadyExists) {
      return put;
    }
    if (ErrorCodeOf(put) == ErrorCode::kAlreadyExists) {
      return false;
    }
    return MakeError(ErrorCode::kCommitStateUnknown,
                     Concat("whether transaction ", ours_.uuid(), " is committed as ", path,
                            " is not known: ", put.message()));
  }

  static arrow::Status SetSchema(Manifest* next) {
    std::map<std::string, std::string> metadata(next->pb.schema_metadata().begin(),
                                                next->pb.schema_metadata().end());
    auto schema = file::Schema::FromProto(next->pb.fields(), std::move(metadata));
    if (!schema.ok()) {
      return InvalidArgument("the transaction makes no valid schema: ", schema.status().message());
    }
    next->schema = std::move(schema).ValueUnsafe();
    return arrow::Status::OK();
  }

  // Repeats the inline section, for readers that know only the file; so it need not be durable.
  arrow::Status WriteTransactionFile(lance::table::Manifest* pb) {
    if (!options_.write_transaction_file) {
      return arrow::Status::OK();
    }
    const std::string name = Concat(ours_.read_version(), "-", ours_.uuid(), ".txn");
    const std::string path = "_transactions/" + name;
    pb->set_transaction_file(name);
    if (path == transaction_file_) {
      return arrow::Status::OK();
    }
    if (!transaction_file_.empty()) {  // of an attempt before a rebase: no manifest names it
      static_cast<void>(versions_.store()->Delete(transaction_file_));
    }
    written_.push_back(path);
    transaction_file_ = path;
    return versions_.store()->PutRelaxed(path, ours_.SerializeAsString());
  }

  // A random slot of a growing number of slots, each about as long as an attempt.
  static void Backoff(uint32_t attempt, int64_t took_nanos) {
    const int slots = std::min(kMaxBackoffSlots, 2 << std::min(attempt, 6u));
    const int64_t unit = std::max(took_nanos + took_nanos / 10, kMinBackoffNanos);
    const auto slot = static_cast<int64_t>(RandomU64() % static_cast<uint64_t>(slots));
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(slot * unit, kMaxBackoffNanos)));
  }

  const Versions& versions_;
  const CommitOptions& options_;
  Transaction ours_;
  uint64_t checked_ = 0;  // versions up to here can stand below ours
  std::string transaction_file_;
  std::vector<std::string> written_;  // besides the manifest
};

// ---- appends of several threads as one version ----

bool JoinsOthers(const Transaction& transaction, const CommitOptions& options) {
  const auto& fragments = transaction.append().fragments();
  return transaction.has_append() && transaction.transaction_properties().empty() &&
         transaction.tag().empty() && options.write_transaction_file &&
         std::all_of(fragments.begin(), fragments.end(),
                     [](const auto& fragment) { return fragment.id() == 0; });
}

// All of them as one append, which stands where the one with the oldest read version could.
Transaction Joined(const std::vector<PendingAppend*>& appends) {
  Transaction joined = appends.front()->transaction;
  for (size_t i = 1; i < appends.size(); ++i) {
    const Transaction& other = appends[i]->transaction;
    joined.set_read_version(std::min(joined.read_version(), other.read_version()));
    joined.mutable_append()->mutable_fragments()->MergeFrom(other.append().fragments());
  }
  return joined;
}

void CommitAll(const Versions& versions, const CommitOptions& options,
               const std::vector<PendingAppend*>& appends) {
  if (appends.size() > 1) {
    const auto together = Attempts(versions, options, Joined(appends)).Run();
    if (together.ok() || ErrorCodeOf(together.status()) == ErrorCode::kCommitStateUnknown) {
      for (auto* append : appends) {
        append->result = together;
      }
      return;
    }
    // What one of them met may not concern the others.
  }
  for (auto* append : appends) {
    append->result = Attempts(versions, options, append->transaction).Run();
  }
}

// Whoever finds nobody at work commits all that wait; the others get the version from it.
SnapshotResult CommitWithOthers(const Versions& versions, const CommitOptions& options,
                                Transaction transaction) {
  const auto queue = versions.session()->impl().QueueOf(versions.store()->root());
  PendingAppend mine;
  mine.transaction = std::move(transaction);
  std::unique_lock<std::mutex> lock(queue->mutex);
  queue->waiting.push_back(&mine);
  while (!mine.result.has_value()) {
    if (queue->led) {
      queue->done.wait(lock);
      continue;
    }
    queue->led = true;
    const auto appends = std::exchange(queue->waiting, {});
    lock.unlock();
    CommitAll(versions, options, appends);
    lock.lock();
    queue->led = false;
    queue->done.notify_all();
  }
  return std::move(*mine.result);
}

}  // namespace

Committer::Committer(Versions versions, const CommitOptions& options)
    : versions_(std::move(versions)), options_(options) {}

SnapshotResult Committer::Commit(Transaction transaction) {
  if (JoinsOthers(transaction, options_)) {
    return CommitWithOthers(versions_, options_, std::move(transaction));
  }
  return Attempts(versions_, options_, std::move(transaction)).Run();
}

Transaction NewTransaction(uint64_t read_version) {
  Transaction transaction;
  transaction.set_read_version(read_version);
  transaction.set_uuid(Uuid::Random().ToString());
  return transaction;
}

}  // namespace glaive::table
