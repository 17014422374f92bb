// Metadata of fields, schema and table, and the declared primary key.
#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "query/scan.h"
#include "query/sort.h"
#include "table/committer.h"
#include "write/change.h"
#include "write/row_batches.h"

namespace glaive::write {

namespace {

bool IsText(const std::string& text) {
  return text.find('\0') == std::string::npos;
}

arrow::Result<lance::table::Transaction::UpdateMap> MapMessage(const MapUpdate& update,
                                                               const std::string& what) {
  lance::table::Transaction::UpdateMap message;
  for (const auto& [key, value] : update.entries) {
    GLAIVE_CHECK_ARGUMENT(!key.empty() && IsText(key), what,
                          " has a key that is empty or holds a NUL");
    auto* entry = message.add_update_entries();
    entry->set_key(key);
    if (value.has_value()) {
      entry->set_value(*value);
    }
  }
  message.set_replace(update.replace);
  return message;
}

arrow::Status CheckNotEmpty(const MapUpdate& update) {
  GLAIVE_CHECK_ARGUMENT(!update.entries.empty() || update.replace, "there is nothing to update");
  return arrow::Status::OK();
}

Change ConfigChange(const table::Snapshot& snapshot) {
  Change change;
  change.transaction = table::NewTransaction(snapshot.version());
  change.transaction.mutable_update_config();
  return change;
}

struct KeyColumn {
  uint32_t position = 0;
  std::string path;
};

void CollectKey(const std::vector<file::Field>& fields, const std::string& prefix,
                std::vector<KeyColumn>* key) {
  for (const auto& field : fields) {
    const std::string path = prefix + expr::QuoteIdentifier(field.name);
    if (field.primary_key_position != 0 || field.unenforced_primary_key) {
      key->push_back({field.primary_key_position, path});
    }
    CollectKey(field.children, path + ".", key);
  }
}

bool IsKeyType(arrow::Type::type id) {
  return arrow::is_integer(id) || id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING ||
         id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY ||
         id == arrow::Type::FIXED_SIZE_BINARY;
}

/// The field, if it and all above it may be part of a key.
arrow::Result<const file::Field*> KeyField(const file::Schema& schema, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto* field, schema.FindByPath(path));
  const std::vector<file::Field>* level = &schema.fields();
  while (level != nullptr) {
    const std::vector<file::Field>* below = nullptr;
    for (const auto& parent : *level) {
      const file::Schema alone({parent}, {});
      if (alone.FindById(field->id) == nullptr) {
        continue;
      }
      GLAIVE_CHECK_ARGUMENT(!parent.nullable, "key column '", path, "' can't be null, but '",
                            parent.name, "' is declared nullable; alter it to non-nullable first");
      GLAIVE_CHECK_ARGUMENT(parent.id == field->id || parent.is_struct(), "key column '", path,
                            "' lies inside a list or map");
      below = parent.id == field->id ? nullptr : &parent.children;
      break;
    }
    level = below;
  }
  ARROW_ASSIGN_OR_RAISE(const auto type, field->ArrowType());
  if (!IsKeyType(type->id())) {
    return TypeMismatch("key column '", path, "' has type ", type->ToString(),
                        "; a key takes integers, text and binary");
  }
  return field;
}

/// kInvalidArgument naming a key that two rows have.
arrow::Status CheckUnique(const std::shared_ptr<const table::Snapshot>& snapshot,
                          const std::vector<std::string>& columns) {
  ScanOptions scan;
  for (const auto& column : columns) {
    scan.select.push_back({column, Clause(column)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, query::ScanSnapshot(snapshot, scan));
  query::SortOptions sort;
  for (size_t i = 0; i < columns.size(); ++i) {
    sort.keys.push_back({static_cast<int>(i), true, false});
  }
  sort.budget = &snapshot->session()->budget();
  sort.spill_directory = snapshot->session()->options().spill_directory;
  sort.pool = snapshot->session()->options().pool;
  ARROW_ASSIGN_OR_RAISE(const auto sorted, query::Sort(*reader, sort));
  return CheckNoRepeats(*sorted, sorted->schema()->field_names(),
                        "the key is not unique: two rows have ");
}

}  // namespace

ChangeResult MakeFieldMetadata(const table::Snapshot& snapshot,
                               const std::map<std::string, MapUpdate>& by_path) {
  GLAIVE_CHECK_ARGUMENT(!by_path.empty(), "there is no field to update");
  Change change = ConfigChange(snapshot);
  auto* message = change.transaction.mutable_update_config();
  for (const auto& [path, update] : by_path) {
    ARROW_RETURN_NOT_OK(CheckNotEmpty(update));
    ARROW_ASSIGN_OR_RAISE(const auto* field, snapshot.schema().FindByPath(path));
    ARROW_ASSIGN_OR_RAISE((*message->mutable_field_metadata_updates())[field->id],
                          MapMessage(update, "metadata of field '" + path + "'"));
  }
  return change;
}

ChangeResult MakeSchemaMetadata(const table::Snapshot& snapshot, const MapUpdate& update) {
  ARROW_RETURN_NOT_OK(CheckNotEmpty(update));
  Change change = ConfigChange(snapshot);
  ARROW_ASSIGN_OR_RAISE(
      *change.transaction.mutable_update_config()->mutable_schema_metadata_updates(),
      MapMessage(update, "schema metadata"));
  return change;
}

ChangeResult MakeConfig(const table::Snapshot& snapshot, const MapUpdate& update) {
  ARROW_RETURN_NOT_OK(CheckNotEmpty(update));
  Change change = ConfigChange(snapshot);
  ARROW_ASSIGN_OR_RAISE(*change.transaction.mutable_update_config()->mutable_config_updates(),
                        MapMessage(update, "config"));
  return change;
}

ChangeResult MakePrimaryKey(const std::shared_ptr<const table::Snapshot>& snapshot,
                            const std::vector<std::string>& columns, bool enforced) {
  GLAIVE_CHECK_ARGUMENT(!columns.empty(), "a primary key needs at least one column");
  const auto existing = PrimaryKeyOf(*snapshot);
  GLAIVE_CHECK_ARGUMENT(existing.empty(), "the table has a primary key already, on '",
                        existing.empty() ? "" : existing.front(), "'; it can't be changed");
  Change change = ConfigChange(*snapshot);
  auto* message = change.transaction.mutable_update_config();
  for (size_t i = 0; i < columns.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto* field, KeyField(snapshot->schema(), columns[i]));
    auto& update = (*message->mutable_field_metadata_updates())[field->id];
    GLAIVE_CHECK_ARGUMENT(update.update_entries_size() == 0, "key column '", columns[i],
                          "' is named twice");
    auto* entry = update.add_update_entries();
    entry->set_key(table::kPrimaryKeyPosition);
    entry->set_value(Concat(i + 1));
  }
  if (enforced) {
    auto* entry = message->mutable_config_updates()->add_update_entries();
    entry->set_key(table::kPrimaryKeyEnforced);
    entry->set_value("true");
  }
  ARROW_RETURN_NOT_OK(CheckUnique(snapshot, columns));
  return change;
}

std::vector<std::string> PrimaryKeyOf(const table::Snapshot& snapshot) {
  std::vector<KeyColumn> key;
  CollectKey(snapshot.schema().fields(), "", &key);
  std::stable_sort(key.begin(), key.end(),
                   [](const KeyColumn& a, const KeyColumn& b) { return a.position < b.position; });
  std::vector<std::string> paths;
  for (auto& column : key) {
    paths.push_back(std::move(column.path));
  }
  return paths;
}

bool PrimaryKeyIsEnforced(const table::Snapshot& snapshot) {
  const auto& config = snapshot.manifest().pb.config();
  const auto at = config.find(table::kPrimaryKeyEnforced);
  return at != config.end() && at->second == "true" && !PrimaryKeyOf(snapshot).empty();
}

}  // namespace glaive::write
