// A database: a directory (or memory) of tables, each in <name>.lance, as LanceDB lays it out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/export.h"
#include "glaive/options.h"
#include "glaive/table.h"

namespace glaive {

namespace db {
class DatabaseImpl;
}

/// Movable; thread-safe. Tables opened from it stay valid after it is gone.
class GLAIVE_EXPORT Database final {
 public:
  /// `uri`: a directory path, file://…, or memory://name (shared within the process by name).
  /// Nothing is created before the first table. kInvalidArgument, kUnsupported (scheme),
  /// kPermissionDenied.
  static arrow::Result<Database> Open(const std::string& uri, const DatabaseOptions& options);
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  const std::string& uri() const;

  /// Sorted names of the tables that have at least one version.
  arrow::Result<std::vector<std::string>> ListTables() const;
  /// kNotFound names the nearest table.
  arrow::Result<Table> OpenTable(const std::string& name) const;
  /// Creates a table from a stream of batches (its schema counts even if it yields none). Of two
  /// creations of one name at the same time exactly one succeeds. A name is letters, digits, '_',
  /// '-', '.', not beginning with '.'. Errors leave nothing behind: see Table::Add, and
  /// kAlreadyExists.
  arrow::Result<Table> CreateTable(const std::string& name,
                                   std::shared_ptr<arrow::RecordBatchReader> data, CreateMode mode,
                                   const WriteOptions& options);
  /// An empty table.
  arrow::Result<Table> CreateTable(const std::string& name, std::shared_ptr<arrow::Schema> schema,
                                   CreateMode mode, const WriteOptions& options);
  /// Removes the table with all its versions. kNotFound if there is none.
  arrow::Status DropTable(const std::string& name);
  /// kNotFound, kAlreadyExists.
  arrow::Status RenameTable(const std::string& from, const std::string& to);

 private:
  friend class db::DatabaseImpl;
  explicit Database(std::shared_ptr<db::DatabaseImpl> impl);
  std::shared_ptr<db::DatabaseImpl> impl_;
};

}  // namespace glaive
