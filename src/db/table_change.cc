// Changes of a table: computed on a snapshot, committed, and computed anew where another writer was
// faster.
#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "db/table_impl.h"
#include "write/change.h"

namespace glaive::db {

namespace {

constexpr uint32_t kMinAttempts = 20;
/// Other writers may win for so long before a change gives up.
constexpr int64_t kDefaultPatienceNanos = int64_t{30} * 1'000'000'000;

}  // namespace

arrow::Result<SchemaChangeResult> TableImpl::ChangeSchema(const MakeChange& make) const {
  ARROW_ASSIGN_OR_RAISE(const auto changed, Change(make, {}));
  return SchemaChangeResult{changed.version};
}

arrow::Result<Changed> TableImpl::Change(const MakeChange& make,
                                         const ChangeOptions& options) const {
  const int64_t began = NowNanos();
  const int64_t patience =
      options.timeout_nanos > 0 ? options.timeout_nanos : kDefaultPatienceNanos;
  const auto taking_turns = versions_.session()->ChangeTurn(versions_.store()->root());
  std::unique_lock<std::mutex> turn(*taking_turns, std::defer_lock);
  for (uint32_t attempt = 1;; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, ForWrite());
    const auto lease = versions_.Lease(snapshot->version());
    if (!lease.ok()) {
      // Removed in between, because there are newer ones.
      if (ErrorCodeOf(lease.status()) == ErrorCode::kNotFound && NowNanos() - began < patience) {
        continue;
      }
      return lease.status();
    }
    ARROW_ASSIGN_OR_RAISE(auto change, make(snapshot));
    if (!change.has_value()) {
      return Changed{{}, snapshot->version(), attempt};
    }
    for (const auto& [key, value] : options.properties) {
      (*change->transaction.mutable_transaction_properties())[key] = value;
    }
    table::Committer committer(versions_, {});
    const auto committed = committer.Commit(std::move(change->transaction));
    if (committed.ok()) {
      AfterCommit(*committed);
      return Changed{std::move(*change), (*committed)->version(), attempt};
    }
    const arrow::Status& failure = committed.status();
    if (ErrorCodeOf(failure) != ErrorCode::kCommitStateUnknown) {
      write::RemoveFiles(*versions_.store(), *change);
    }
    const int64_t elapsed = NowNanos() - began;
    const bool patient =
        elapsed < patience &&
        (options.timeout_nanos > 0 || attempt < kMinAttempts || elapsed < kDefaultPatienceNanos);
    if (!IsRetryable(failure) || !options.recompute || !patient) {
      return failure;
    }
    // From now on writers of this process take turns, so that each round one of them gets through;
    // others are met after a random pause.
    if (!turn.owns_lock()) {
      turn.lock();
    }
    const int64_t most = std::min<int64_t>(int64_t{1'000'000} << std::min(attempt, 7u), patience);
    std::this_thread::sleep_for(
        std::chrono::nanoseconds(static_cast<int64_t>(RandomU64() % static_cast<uint64_t>(most))));
  }
}

}  // namespace glaive::db

namespace glaive {

namespace {

arrow::Status CheckData(const std::shared_ptr<arrow::RecordBatchReader>& data) {
  GLAIVE_CHECK_ARGUMENT(data != nullptr, "the stream of rows is null");
  return arrow::Status::OK();
}

}  // namespace

using db::ChangeOptions;
using SnapshotPtr = std::shared_ptr<const table::Snapshot>;

arrow::Result<DeleteResult> Table::DeleteRowIds(const std::vector<uint64_t>& row_ids) {
  ARROW_ASSIGN_OR_RAISE(
      const auto changed,
      impl_->Change(
          [&](const SnapshotPtr& snapshot) { return write::MakeDeleteRowIds(*snapshot, row_ids); },
          {}));
  return DeleteResult{changed.change.num_deleted, changed.version};
}

arrow::Result<DeleteResult> Table::Delete(const Clause& where, const DeleteOptions& options) {
  ARROW_ASSIGN_OR_RAISE(
      const auto changed,
      impl_->Change(
          [&](const SnapshotPtr& snapshot) { return write::MakeDelete(snapshot, where, options); },
          {options.transaction_properties}));
  return DeleteResult{changed.change.num_deleted, changed.version};
}

arrow::Result<UpdateResult> Table::Update(const UpdateRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const auto changed, impl_->Change(
                                                [&](const SnapshotPtr& snapshot) {
                                                  return write::MakeUpdate(snapshot, request);
                                                },
                                                {request.transaction_properties}));
  return UpdateResult{changed.change.num_updated, changed.version};
}

arrow::Result<MergeResult> Table::Merge(const MergeRequest& request,
                                        std::shared_ptr<arrow::RecordBatchReader> source) {
  ARROW_RETURN_NOT_OK(CheckData(source));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->ForWrite());
  ARROW_ASSIGN_OR_RAISE(const auto rows, write::MergeSource::Read(*snapshot, request, *source));
  ARROW_ASSIGN_OR_RAISE(
      const auto changed,
      impl_->Change(
          [&](const SnapshotPtr& current) { return write::MakeMerge(current, request, *rows); },
          {request.write.transaction_properties, request.timeout_nanos}));
  return MergeResult{changed.change.num_inserted,
                     changed.change.num_updated,
                     changed.change.num_deleted,
                     rows->num_rows(),
                     changed.attempts,
                     changed.version};
}

arrow::Result<MergeResult> Table::Upsert(std::shared_ptr<arrow::RecordBatchReader> source,
                                         const std::vector<std::string>& on,
                                         const WriteOptions& options) {
  MergeRequest request;
  request.on = on;
  request.update_matched = true;
  request.insert_unmatched = true;
  request.write = options;
  return Merge(request, std::move(source));
}

arrow::Result<SchemaChangeResult> Table::AddColumns(const std::vector<NewColumn>& columns,
                                                    const Parameters& parameters) {
  return impl_->ChangeSchema([&](const SnapshotPtr& snapshot) {
    return write::MakeAddColumns(snapshot, columns, parameters);
  });
}

arrow::Result<SchemaChangeResult> Table::AddNullColumns(std::shared_ptr<arrow::Schema> columns) {
  GLAIVE_CHECK_ARGUMENT(columns != nullptr, "the schema of the new columns is null");
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeAddNullColumns(*snapshot, *columns); });
}

arrow::Result<SchemaChangeResult> Table::AddColumnsFrom(
    std::shared_ptr<arrow::RecordBatchReader> columns) {
  ARROW_RETURN_NOT_OK(CheckData(columns));
  ChangeOptions options;
  options.recompute = false;  // the stream can be read once
  ARROW_ASSIGN_OR_RAISE(const auto changed, impl_->Change(
                                                [&](const SnapshotPtr& snapshot) {
                                                  return write::MakeAddColumnsFrom(snapshot,
                                                                                   *columns);
                                                },
                                                options));
  return SchemaChangeResult{changed.version};
}

arrow::Result<SchemaChangeResult> Table::AlterColumns(
    const std::vector<ColumnAlteration>& alterations) {
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeAlterColumns(snapshot, alterations); });
}

arrow::Result<SchemaChangeResult> Table::DropColumns(const std::vector<std::string>& paths) {
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeDropColumns(*snapshot, paths); });
}

arrow::Result<SchemaChangeResult> Table::UpdateFieldMetadata(
    const std::map<std::string, MapUpdate>& by_path) {
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeFieldMetadata(*snapshot, by_path); });
}

arrow::Result<SchemaChangeResult> Table::UpdateSchemaMetadata(const MapUpdate& update) {
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeSchemaMetadata(*snapshot, update); });
}

arrow::Result<SchemaChangeResult> Table::UpdateConfig(const MapUpdate& update) {
  return impl_->ChangeSchema(
      [&](const SnapshotPtr& snapshot) { return write::MakeConfig(*snapshot, update); });
}

arrow::Result<std::map<std::string, std::string>> Table::Config() const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  const auto& config = snapshot->manifest().pb.config();
  return std::map<std::string, std::string>(config.begin(), config.end());
}

arrow::Result<SchemaChangeResult> Table::SetPrimaryKey(const std::vector<std::string>& columns,
                                                       bool enforced) {
  return impl_->ChangeSchema([&](const SnapshotPtr& snapshot) {
    return write::MakePrimaryKey(snapshot, columns, enforced);
  });
}

arrow::Result<std::vector<std::string>> Table::PrimaryKey() const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return write::PrimaryKeyOf(*snapshot);
}

}  // namespace glaive
