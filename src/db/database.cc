#include "glaive/database.h"

#include <algorithm>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/executor.h"
#include "base/spelling.h"
#include "base/status.h"
#include "db/database_impl.h"
#include "db/table_impl.h"
#include "write/append.h"

namespace glaive {

namespace db {

namespace {

constexpr std::string_view kTableSuffix = ".lance";
constexpr size_t kMaxNameBytes = 200;

arrow::Status CheckTableName(const std::string& name) {
  const bool good = !name.empty() && name.front() != '.' && name.size() <= kMaxNameBytes &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                    });
  GLAIVE_CHECK_ARGUMENT(good, "'", name, "' is no table name: expected 1 to ", kMaxNameBytes,
                        " letters, digits, '_', '-' or '.', not beginning with '.'");
  return arrow::Status::OK();
}

std::string DirectoryOf(const std::string& name) {
  return name + std::string(kTableSuffix);
}

bool IsCode(const arrow::Status& status, ErrorCode code) {
  return ErrorCodeOf(status) == code;
}

}  // namespace

arrow::Result<std::shared_ptr<DatabaseImpl>> DatabaseImpl::Make(
    std::string uri, std::shared_ptr<io::ObjectStore> store, const DatabaseOptions& options) {
  ARROW_RETURN_NOT_OK(file::FileVersion::Parse(options.data_storage_version).status());
  auto impl = std::make_shared<DatabaseImpl>();
  impl->uri_ = std::move(uri);
  impl->store_ = std::move(store);
  impl->options_ = options;
  table::Session::Options session;
  session.num_threads = options.num_threads;
  session.metadata_cache_bytes = options.metadata_cache_bytes;
  session.store.use_mmap = options.use_mmap;
  session.store.durability =
      options.sync == SyncMode::kSynced ? io::Durability::kSynced : io::Durability::kNone;
  session.pool = options.pool;
  session.memory_limit_bytes = options.memory_limit_bytes;
  session.spill_directory = options.spill_directory;
  impl->session_ = std::make_shared<table::Session>(session);
  return impl;
}

arrow::Result<table::Versions> DatabaseImpl::VersionsOf(const std::string& name) const {
  ARROW_RETURN_NOT_OK(CheckTableName(name));
  ARROW_ASSIGN_OR_RAISE(auto store, store_->Sub(DirectoryOf(name)));
  return table::Versions(std::move(store), session_);
}

arrow::Result<bool> DatabaseImpl::HasVersions(const table::Versions& versions) const {
  const auto latest = versions.Latest();
  if (latest.ok()) {
    return true;
  }
  return IsCode(latest.status(), ErrorCode::kNotFound) ? arrow::Result<bool>(false)
                                                       : latest.status();
}

arrow::Result<std::vector<std::string>> DatabaseImpl::ListTables() const {
  ARROW_ASSIGN_OR_RAISE(const auto directories, store_->ListDirectories(""));
  std::vector<std::string> names;
  for (const auto& directory : directories) {
    if (directory.size() <= kTableSuffix.size() ||
        directory.compare(directory.size() - kTableSuffix.size(), std::string::npos,
                          kTableSuffix) != 0) {
      continue;
    }
    std::string name = directory.substr(0, directory.size() - kTableSuffix.size());
    if (!CheckTableName(name).ok()) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const auto versions, VersionsOf(name));
    // A damaged table is listed: opening it tells what is wrong.
    const auto exists = HasVersions(versions);
    if (!exists.ok() || *exists) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

arrow::Status DatabaseImpl::NoSuchTable(const std::string& name) const {
  std::string hint;
  const auto names = ListTables();
  if (names.ok() && !names->empty()) {
    const auto nearest =
        std::min_element(names->begin(), names->end(), [&](const auto& a, const auto& b) {
          return EditDistance(a, name) < EditDistance(b, name);
        });
    hint = Concat("; the nearest of ", names->size(), " tables is '", *nearest, "'");
  }
  return NotFound("there is no table '", name, "' in ", uri_, hint);
}

arrow::Result<std::shared_ptr<TableImpl>> DatabaseImpl::HandleOf(
    const std::string& name, const table::Versions& versions) const {
  UpkeepOptions upkeep = options_.upkeep;
  upkeep.enabled = upkeep.enabled && versions.store()->root().starts_with('/');  // a local table
  auto table = std::make_shared<TableImpl>(name, versions, upkeep, options_.read_consistency_nanos);
  const auto current = table->Current();
  if (!current.ok()) {
    return IsCode(current.status(), ErrorCode::kNotFound) ? NoSuchTable(name) : current.status();
  }
  return table;
}

arrow::Result<Table> DatabaseImpl::OpenTable(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto versions, VersionsOf(name));
  ARROW_ASSIGN_OR_RAISE(auto table, HandleOf(name, versions));
  return Table(std::move(table));
}

arrow::Result<table::CommitOptions> DatabaseImpl::CommitOptionsOf(
    const WriteOptions& options) const {
  table::CommitOptions commit;
  ARROW_ASSIGN_OR_RAISE(commit.data_version,
                        file::FileVersion::Parse(
                            options.data_storage_version.value_or(options_.data_storage_version)));
  commit.naming =
      options_.enable_v2_manifest_paths ? table::ManifestNaming::kV2 : table::ManifestNaming::kV1;
  commit.stable_row_ids = options.enable_stable_row_ids.value_or(options_.enable_stable_row_ids);
  return commit;
}

arrow::Result<bool> DatabaseImpl::CreateNew(const table::Versions& versions,
                                            arrow::RecordBatchReader& data, CreateMode mode,
                                            const WriteOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto commit, CommitOptionsOf(options));
  const auto committed =
      OverwriteWith(versions, /*read_version=*/0, commit.data_version, data, options, commit,
                    /*replace=*/mode == CreateMode::kOverwrite);
  if (committed.ok()) {
    return true;
  }
  // Directories that the attempt made; those that another writer uses are not empty.
  for (const char* directory : {"_transactions", "_versions", "data", ""}) {
    static_cast<void>(versions.store()->RemoveEmptyDirectory(directory));
  }
  if (mode != CreateMode::kOverwrite && IsCode(committed.status(), ErrorCode::kAlreadyExists)) {
    return false;
  }
  if (IsCode(committed.status(), ErrorCode::kAlreadyExists)) {
    return CommitConflict("another writer created ", versions.store()->root(),
                          " meanwhile, with data files of another version");
  }
  return committed.status();
}

arrow::Result<Table> DatabaseImpl::CreateTable(const std::string& name,
                                               arrow::RecordBatchReader& data, CreateMode mode,
                                               const WriteOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto versions, VersionsOf(name));
  ARROW_ASSIGN_OR_RAISE(const bool exists, HasVersions(versions));
  if (!exists) {
    ARROW_ASSIGN_OR_RAISE(const bool created, CreateNew(versions, data, mode, options));
    if (created) {
      ARROW_ASSIGN_OR_RAISE(auto table, HandleOf(name, versions));
      return Table(std::move(table));
    }
  }
  if (mode == CreateMode::kCreate) {
    return AlreadyExists("table '", name, "' exists already in ", uri_);
  }
  ARROW_ASSIGN_OR_RAISE(auto table, HandleOf(name, versions));
  if (mode == CreateMode::kExistOk) {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, table->Current());
    ARROW_RETURN_NOT_OK(write::CheckFits(snapshot->schema(), *data.schema()));
  } else {
    ARROW_RETURN_NOT_OK(table->Overwrite(data, options).status());
  }
  return Table(std::move(table));
}

arrow::Status DatabaseImpl::DropTable(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto versions, VersionsOf(name));
  ARROW_ASSIGN_OR_RAISE(const auto exists, HasVersions(versions));
  if (!exists) {
    return NoSuchTable(name);
  }
  return store_->DeleteTree(DirectoryOf(name));
}

arrow::Status DatabaseImpl::RenameTable(const std::string& from, const std::string& to) const {
  ARROW_ASSIGN_OR_RAISE(const auto versions, VersionsOf(from));
  ARROW_ASSIGN_OR_RAISE(const auto exists, HasVersions(versions));
  if (!exists) {
    return NoSuchTable(from);
  }
  ARROW_ASSIGN_OR_RAISE(const auto target, VersionsOf(to));
  ARROW_ASSIGN_OR_RAISE(const auto taken, HasVersions(target));
  if (taken) {
    return AlreadyExists("table '", to, "' exists already in ", uri_);
  }
  return store_->RenameTree(DirectoryOf(from), DirectoryOf(to));
}

}  // namespace db

Database::Database(std::shared_ptr<db::DatabaseImpl> impl) : impl_(std::move(impl)) {}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

arrow::Result<Database> Database::Open(const std::string& uri, const DatabaseOptions& options) {
  io::LocalStoreOptions store_options;
  store_options.use_mmap = options.use_mmap;
  store_options.durability =
      options.sync == SyncMode::kSynced ? io::Durability::kSynced : io::Durability::kNone;
  ARROW_ASSIGN_OR_RAISE(auto store, io::OpenStore(uri, store_options));
  ARROW_ASSIGN_OR_RAISE(auto impl, db::DatabaseImpl::Make(uri, std::move(store), options));
  return Database(std::move(impl));
}

const std::string& Database::uri() const {
  return impl_->uri();
}

arrow::Result<std::vector<std::string>> Database::ListTables() const {
  return impl_->ListTables();
}

arrow::Result<Table> Database::OpenTable(const std::string& name) const {
  return impl_->OpenTable(name);
}

arrow::Result<Table> Database::CreateTable(const std::string& name,
                                           std::shared_ptr<arrow::RecordBatchReader> data,
                                           CreateMode mode, const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(data != nullptr, "the data of table '", name, "' is null");
  return impl_->CreateTable(name, *data, mode, options);
}

arrow::Result<Table> Database::CreateTable(const std::string& name,
                                           std::shared_ptr<arrow::Schema> schema, CreateMode mode,
                                           const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(schema != nullptr, "the schema of table '", name, "' is null");
  ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::RecordBatchReader::Make({}, std::move(schema)));
  return impl_->CreateTable(name, *empty, mode, options);
}

arrow::Status Database::DropTable(const std::string& name) {
  return impl_->DropTable(name);
}

arrow::Status Database::RenameTable(const std::string& from, const std::string& to) {
  return impl_->RenameTable(from, to);
}

}  // namespace glaive
