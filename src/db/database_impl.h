// What is behind a Database: a store, a session, settings. Private to the room, and the way in for
// tests that bring a store of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>

#include "glaive/database.h"

#include "file/schema.h"
#include "io/object_store.h"
#include "table/committer.h"
#include "table/versions.h"

namespace glaive::db {

/// Immutable; thread-safe.
class DatabaseImpl : public std::enable_shared_from_this<DatabaseImpl> {
 public:
  /// Checks the options.
  static arrow::Result<std::shared_ptr<DatabaseImpl>> Make(std::string uri,
                                                           std::shared_ptr<io::ObjectStore> store,
                                                           const DatabaseOptions& options);

  static Database Wrap(std::shared_ptr<DatabaseImpl> impl) { return Database(std::move(impl)); }

  const std::string& uri() const { return uri_; }

  const DatabaseOptions& options() const { return options_; }

  const std::shared_ptr<table::Session>& session() const { return session_; }

  arrow::Result<std::vector<std::string>> ListTables() const;
  arrow::Result<Table> OpenTable(const std::string& name) const;
  arrow::Result<Table> CreateTable(const std::string& name, arrow::RecordBatchReader& data,
                                   CreateMode mode, const WriteOptions& options) const;
  arrow::Status DropTable(const std::string& name) const;
  arrow::Status RenameTable(const std::string& from, const std::string& to) const;

 private:
  arrow::Result<table::Versions> VersionsOf(const std::string& name) const;
  arrow::Result<bool> HasVersions(const table::Versions& versions) const;
  arrow::Status NoSuchTable(const std::string& name) const;
  arrow::Result<std::shared_ptr<class TableImpl>> HandleOf(const std::string& name,
                                                           const table::Versions& versions) const;
  /// False: somebody else created it meanwhile, and `mode` is not to overwrite that.
  arrow::Result<bool> CreateNew(const table::Versions& versions, arrow::RecordBatchReader& data,
                                CreateMode mode, const WriteOptions& options) const;
  arrow::Result<table::CommitOptions> CommitOptionsOf(const WriteOptions& options) const;

  std::string uri_;
  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<table::Session> session_;
  DatabaseOptions options_;
};

}  // namespace glaive::db
