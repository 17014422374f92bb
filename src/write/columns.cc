// Adding, altering and dropping columns.
#include <algorithm>
#include <functional>
#include <set>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/bind.h"
#include "expr/parse.h"
#include "file/null_check.h"
#include "table/committer.h"
#include "write/change.h"
#include "write/column_files.h"

namespace glaive::write {

namespace {

/// Encoded bytes to read at once.
constexpr double kStepBytes = 4 << 20;
constexpr uint64_t kMostStepRows = 64 << 10;

uint64_t StepOf(double bytes_per_row) {
  const double rows = kStepBytes / std::max(bytes_per_row, 1.0);
  return std::clamp<uint64_t>(static_cast<uint64_t>(rows), 1, kMostStepRows);
}

/// Ids that no field has, and no column of a data file that a dropped field left behind.
int32_t NextFieldId(const table::Snapshot& snapshot) {
  int32_t highest = snapshot.schema().max_field_id();
  for (const auto& fragment : snapshot.manifest().pb.fragments()) {
    for (const auto& file : fragment.files()) {
      for (const int32_t id : file.fields()) {
        highest = std::max(highest, id);
      }
    }
  }
  return highest + 1;
}

void Renumber(file::Field* field, int32_t* next) {
  field->id = (*next)++;
  for (auto& child : field->children) {
    Renumber(&child, next);
  }
}

/// New top-level fields with ids of their own; kAlreadyExists for a name that is taken.
arrow::Result<file::Schema> NewFields(const table::Snapshot& snapshot,
                                      const arrow::Schema& columns) {
  GLAIVE_CHECK_ARGUMENT(columns.num_fields() > 0, "there is no column to add");
  ARROW_ASSIGN_OR_RAISE(auto added, file::Schema::FromArrow(columns));
  int32_t next = NextFieldId(snapshot);
  for (auto& field : *added.mutable_fields()) {
    for (const auto& existing : snapshot.schema().fields()) {
      if (existing.name == field.name) {
        return AlreadyExists("table has a column '", field.name, "'; drop or rename it first");
      }
    }
    Renumber(&field, &next);
  }
  added.mutable_metadata()->clear();
  return added;
}

void SetSchema(const file::Schema& schema, const table::Snapshot& snapshot,
               lance::table::Transaction::Merge* merge) {
  schema.ToProto(merge->mutable_schema());
  *merge->mutable_schema_metadata() = snapshot.manifest().pb.schema_metadata();
}

/// The schema with `added` behind its own fields.
file::Schema Extended(const file::Schema& schema, const file::Schema& added) {
  file::Schema extended = schema;
  extended.mutable_fields()->insert(extended.mutable_fields()->end(), added.fields().begin(),
                                    added.fields().end());
  return extended;
}

Change MergeChange(const table::Snapshot& snapshot, const file::Schema& schema, ColumnFiles files,
                   bool preserves_nullability) {
  Change change;
  change.transaction = table::NewTransaction(snapshot.version());
  auto* merge = change.transaction.mutable_merge();
  merge->mutable_fragments()->Assign(files.fragments.begin(), files.fragments.end());
  SetSchema(schema, snapshot, merge);
  merge->set_preserves_nullability(preserves_nullability);
  change.paths = std::move(files.paths);
  return change;
}

std::string PathText(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text += (text.empty() ? "" : ".") + expr::QuoteIdentifier(name);
  }
  return text;
}

/// Columns of a fragment, read and handed on as they are or as expressions of them.
class ComputedColumns final : public ColumnSource {
 public:
  ComputedColumns(std::shared_ptr<const table::Snapshot> snapshot, file::Schema projection,
                  std::vector<expr::BoundExpression> values, std::shared_ptr<arrow::Schema> schema,
                  bool reads_deleted)
      : snapshot_(std::move(snapshot)),
        projection_(std::move(projection)),
        values_(std::move(values)),
        schema_(std::move(schema)),
        reads_deleted_(reads_deleted) {}

  arrow::Status Begin(const table::Fragment& fragment) override {
    reader_ = nullptr;
    step_ = kMostStepRows;
    if (!projection_.fields().empty()) {
      ARROW_ASSIGN_OR_RAISE(reader_, snapshot_->OpenFragment(fragment, projection_));
      step_ = StepOf(reader_->BytesPerRow());
    }
    return arrow::Status::OK();
  }

  uint64_t StepRows() const override { return step_; }

  bool reads_deleted() const override { return reads_deleted_; }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(const RowRanges& live) override {
    const auto rows = static_cast<int64_t>(CountRows(live));
    auto batch = arrow::RecordBatch::Make(arrow::schema({}), rows, arrow::ArrayVector{});
    if (reader_ != nullptr) {
      file::ReadOptions options;
      options.pool = snapshot_->session()->options().pool;
      options.blob_mode = file::BlobMode::kBytes;
      ARROW_ASSIGN_OR_RAISE(batch, reader_->Read(live, options));
    }
    if (values_.empty()) {
      return batch;
    }
    arrow::ArrayVector columns;
    for (const auto& value : values_) {
      ARROW_ASSIGN_OR_RAISE(auto column, value.Evaluate(*batch));
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
  }

 private:
  const std::shared_ptr<const table::Snapshot> snapshot_;
  const file::Schema projection_;
  const std::vector<expr::BoundExpression> values_;  ///< empty: the projected columns themselves
  const std::shared_ptr<arrow::Schema> schema_;
  const bool reads_deleted_;
  std::shared_ptr<table::FragmentReader> reader_;
  uint64_t step_ = kMostStepRows;
};

/// Rows of a stream, in table order.
class StreamedColumns final : public ColumnSource {
 public:
  explicit StreamedColumns(arrow::RecordBatchReader& stream) : stream_(stream) {}

  arrow::Status Begin(const table::Fragment&) override { return arrow::Status::OK(); }

  uint64_t StepRows() const override { return 16 << 10; }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(const RowRanges& live) override {
    auto wanted = static_cast<int64_t>(CountRows(live));
    arrow::RecordBatchVector parts;
    while (wanted > 0) {
      ARROW_RETURN_NOT_OK(Advance());
      if (batch_ == nullptr) {
        return InvalidArgument("the new columns end after ", rows_,
                               " rows, but the table has more; give one row per live row of it");
      }
      const int64_t count = std::min(wanted, batch_->num_rows());
      parts.push_back(batch_->Slice(0, count));
      batch_ = batch_->Slice(count);
      rows_ += static_cast<uint64_t>(count);
      wanted -= count;
    }
    if (parts.empty()) {
      return arrow::RecordBatch::MakeEmpty(stream_.schema());
    }
    return arrow::ConcatenateRecordBatches(parts);
  }

  arrow::Status CheckEnd() {
    ARROW_RETURN_NOT_OK(Advance());
    GLAIVE_CHECK_ARGUMENT(batch_ == nullptr, "the new columns have more than the ", rows_,
                          " live rows of the table");
    return arrow::Status::OK();
  }

 private:
  arrow::Status Advance() {
    while (!ended_ && (batch_ == nullptr || batch_->num_rows() == 0)) {
      ARROW_RETURN_NOT_OK(stream_.ReadNext(&batch_));
      ended_ = batch_ == nullptr;
    }
    return arrow::Status::OK();
  }

  arrow::RecordBatchReader& stream_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  bool ended_ = false;
  uint64_t rows_ = 0;
};

/// What the altered columns look like, and which of them have to be written anew.
struct Alteration {
  file::Schema schema;
  std::set<int32_t> made_required;  ///< ids
  std::set<int32_t> retyped;        ///< ids, as they were, of top-level columns
};

/// The field of an id and the list that it is in; the id exists.
file::Field* FindMutable(std::vector<file::Field>* fields, int32_t id,
                         std::vector<file::Field>** siblings) {
  for (auto& field : *fields) {
    if (field.id == id) {
      *siblings = fields;
      return &field;
    }
    if (auto* found = FindMutable(&field.children, id, siblings)) {
      return found;
    }
  }
  return nullptr;
}

bool Contains(const file::Field& field, int32_t id) {
  return field.id == id || std::any_of(field.children.begin(), field.children.end(),
                                       [id](const auto& child) { return Contains(child, id); });
}

bool HoldsBlob(const file::Field& field) {
  return field.is_blob_v1() || field.is_blob_v2() ||
         std::any_of(field.children.begin(), field.children.end(), HoldsBlob);
}

bool HoldsRequired(const file::Field& field) {
  return !field.nullable ||
         std::any_of(field.children.begin(), field.children.end(), HoldsRequired);
}

arrow::Status Rename(const std::string& name, bool top_level, const std::vector<file::Field>& among,
                     file::Field* field) {
  GLAIVE_CHECK_ARGUMENT(!name.empty(), "column '", field->name, "' can't be renamed to nothing");
  GLAIVE_CHECK_ARGUMENT(!top_level || name.find('.') == std::string::npos, "column '", field->name,
                        "' can't be renamed to '", name, "': a column's name holds no '.'");
  for (const auto& other : among) {
    if (other.id != field->id && other.name == name) {
      return AlreadyExists("column '", field->name, "' can't be renamed to '", name,
                           "': there is such a column");
    }
  }
  field->name = name;
  return arrow::Status::OK();
}

arrow::Status Retype(const std::string& path, const std::shared_ptr<arrow::DataType>& type,
                     file::Field* field) {
  GLAIVE_CHECK_ARGUMENT(!HoldsBlob(*field), "the type of blob column '", path,
                        "' can't be changed");
  ARROW_ASSIGN_OR_RAISE(
      const auto made,
      file::Schema::FromArrow(*arrow::schema({arrow::field("item", type, field->nullable)})));
  field->logical_type = made.fields()[0].logical_type;
  field->children = made.fields()[0].children;
  return arrow::Status::OK();
}

arrow::Result<Alteration> Alter(const table::Snapshot& snapshot,
                                const std::vector<ColumnAlteration>& alterations) {
  GLAIVE_CHECK_ARGUMENT(!alterations.empty(), "there is no column to alter");
  Alteration result;
  result.schema = snapshot.schema();
  std::set<int32_t> seen;
  for (const auto& alteration : alterations) {
    ARROW_ASSIGN_OR_RAISE(const auto* old, snapshot.schema().FindByPath(alteration.path));
    GLAIVE_CHECK_ARGUMENT(seen.insert(old->id).second, "column '", alteration.path,
                          "' is altered twice");
    const auto& roots = snapshot.schema().fields();
    const auto root = std::find_if(roots.begin(), roots.end(),
                                   [&](const auto& field) { return Contains(field, old->id); });
    GLAIVE_CHECK_ARGUMENT(!HoldsBlob(*root) || root->id == old->id, "'", alteration.path,
                          "' is part of a blob column and can't be altered by itself");
    std::vector<file::Field>* siblings = nullptr;
    file::Field* field = FindMutable(result.schema.mutable_fields(), old->id, &siblings);
    GLAIVE_CHECK_ARGUMENT(field != nullptr, "'", alteration.path,
                          "' lies inside a column whose type is changed by the same request");
    if (alteration.rename.has_value()) {
      ARROW_RETURN_NOT_OK(Rename(*alteration.rename, root->id == old->id, *siblings, field));
    }
    if (alteration.nullable.has_value() && *alteration.nullable != field->nullable) {
      GLAIVE_CHECK_ARGUMENT(!*alteration.nullable || field->primary_key_position == 0, "column '",
                            alteration.path, "' is part of the primary key and can't be nullable");
      field->nullable = *alteration.nullable;
      if (!field->nullable) {
        result.made_required.insert(field->id);
      }
    }
    if (alteration.type != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const auto now, field->ArrowType());
      if (!now->Equals(*alteration.type)) {
        ARROW_RETURN_NOT_OK(Retype(alteration.path, alteration.type, field));
        result.retyped.insert(root->id);
      }
    }
  }
  return result;
}

/// No row of the columns may be null where the altered schema allows none. Rows that are deleted
/// but still in their files count: readers decode them.
arrow::Status CheckNoNulls(const table::Snapshot& snapshot, const Alteration& alteration) {
  for (const auto& root : alteration.schema.fields()) {
    const auto& ids = alteration.made_required;
    if (std::none_of(ids.begin(), ids.end(), [&](int32_t id) { return Contains(root, id); })) {
      continue;
    }
    const file::Field* old = snapshot.schema().FindById(root.id);
    const file::Schema projection({*old}, {});
    uint64_t row = 0;
    for (const auto& fragment : snapshot.fragments()) {
      ARROW_ASSIGN_OR_RAISE(const auto reader, snapshot.OpenFragment(*fragment, projection));
      const uint64_t step = StepOf(reader->BytesPerRow());
      for (uint64_t start = 0; start < fragment->physical_rows(); start += step) {
        const uint64_t end = std::min(start + step, fragment->physical_rows());
        ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Read({{start, end}}, {}));
        const arrow::Status status = file::CheckNulls(root, *batch->column(0), row + start);
        if (!status.ok()) {
          return status.WithMessage("column '", old->name,
                                    "' can't be made non-nullable: ", status.message(),
                                    " (rows of deleted but not yet compacted rows count)");
        }
      }
      row += fragment->physical_rows();
    }
  }
  return arrow::Status::OK();
}

/// The retyped columns, cast, in new files under new ids.
arrow::Result<ColumnFiles> WriteRetyped(const std::shared_ptr<const table::Snapshot>& snapshot,
                                        Alteration* alteration) {
  std::vector<file::Field> old;
  std::vector<file::Field> added;
  int32_t next = NextFieldId(*snapshot);
  for (auto& root : *alteration->schema.mutable_fields()) {
    if (alteration->retyped.count(root.id) == 0) {
      continue;
    }
    old.push_back(*snapshot->schema().FindById(root.id));
    old.back().name = root.name;
    Renumber(&root, &next);
    added.push_back(root);
  }
  file::Schema projection(std::move(old), {});
  ARROW_ASSIGN_OR_RAISE(const auto source_schema, projection.ToArrow());
  // A deleted row can't become null where the column may not be.
  const bool required = std::any_of(added.begin(), added.end(), HoldsRequired);
  ComputedColumns source(snapshot, projection, {}, source_schema, required);
  return WriteColumnFiles(*snapshot, file::Schema(std::move(added), {}), *source_schema, source);
}

bool Remove(std::vector<file::Field>* fields, int32_t id) {
  for (auto& field : *fields) {
    if (field.id != id && Remove(&field.children, id)) {
      return true;
    }
  }
  return std::erase_if(*fields, [id](const auto& field) { return field.id == id; }) > 0;
}

const file::Field* ParentOf(const std::vector<file::Field>& fields, int32_t id) {
  for (const auto& field : fields) {
    for (const auto& child : field.children) {
      if (child.id == id) {
        return &field;
      }
    }
    if (const auto* found = ParentOf(field.children, id)) {
      return found;
    }
  }
  return nullptr;
}

bool HoldsKey(const file::Field& field) {
  return field.primary_key_position != 0 ||
         std::any_of(field.children.begin(), field.children.end(), HoldsKey);
}

/// Columns that are null in every row need no files.
arrow::Result<bool> AreConstantNulls(const std::vector<expr::BoundExpression>& values) {
  const auto one = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  for (const auto& value : values) {
    if (!value.is_constant()) {
      return false;
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, value.Evaluate(*one));
    if (!array->IsNull(0)) {
      return false;
    }
  }
  return true;
}

}  // namespace

ChangeResult MakeAddColumns(const std::shared_ptr<const table::Snapshot>& snapshot,
                            const std::vector<NewColumn>& columns, const Parameters& parameters) {
  expr::BindOptions options;
  options.parameters = &parameters;
  options.pool = snapshot->session()->options().pool;
  std::vector<expr::BoundExpression> values;
  arrow::FieldVector fields;
  std::vector<std::string> paths;
  for (const auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(const auto tree, column.expression.Parse());
    GLAIVE_CHECK_ARGUMENT(!tree.empty(), "column '", column.name, "' has no expression");
    ARROW_ASSIGN_OR_RAISE(auto value, expr::Bind(tree.node(), *snapshot->arrow_schema(), options));
    GLAIVE_CHECK_ARGUMENT(value.type()->id() != arrow::Type::NA, "column '", column.name,
                          "' is NULL of no type; write CAST(NULL AS type)");
    fields.push_back(arrow::field(column.name, value.type()));
    for (const auto& names : value.columns()) {
      paths.push_back(PathText(names));
    }
    values.push_back(std::move(value));
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  file::Schema projection;
  if (!paths.empty()) {
    ARROW_ASSIGN_OR_RAISE(projection, snapshot->schema().Project(paths));
  }
  const auto schema = arrow::schema(std::move(fields));
  ARROW_ASSIGN_OR_RAISE(const bool all_null, AreConstantNulls(values));
  if (all_null) {
    return MakeAddNullColumns(*snapshot, *schema);
  }
  ARROW_ASSIGN_OR_RAISE(const auto added, NewFields(*snapshot, *schema));
  ComputedColumns source(snapshot, std::move(projection), std::move(values), schema,
                         /*reads_deleted=*/false);
  ARROW_ASSIGN_OR_RAISE(auto files, WriteColumnFiles(*snapshot, added, *schema, source));
  return MergeChange(*snapshot, Extended(snapshot->schema(), added), std::move(files), true);
}

ChangeResult MakeAddNullColumns(const table::Snapshot& snapshot, const arrow::Schema& columns) {
  for (const auto& field : columns.fields()) {
    GLAIVE_CHECK_ARGUMENT(field->nullable() || snapshot.fragments().empty(), "column '",
                          field->name(), "' is not nullable, so it can't be added as nulls");
  }
  ARROW_ASSIGN_OR_RAISE(const auto added, NewFields(snapshot, columns));
  ColumnFiles files;
  for (const auto& fragment : snapshot.fragments()) {
    files.fragments.push_back(fragment->pb());
  }
  return MergeChange(snapshot, Extended(snapshot.schema(), added), std::move(files), true);
}

ChangeResult MakeAddColumnsFrom(const std::shared_ptr<const table::Snapshot>& snapshot,
                                arrow::RecordBatchReader& columns) {
  arrow::FieldVector fields;
  bool required = false;
  for (const auto& field : columns.schema()->fields()) {
    // Deleted rows have no value.
    const bool has_deleted =
        std::any_of(snapshot->fragments().begin(), snapshot->fragments().end(),
                    [](const auto& fragment) { return fragment->num_deleted() > 0; });
    fields.push_back(has_deleted ? field->WithNullable(true) : field);
    required = required || !fields.back()->nullable();
  }
  ARROW_ASSIGN_OR_RAISE(const auto added, NewFields(*snapshot, *arrow::schema(std::move(fields))));
  StreamedColumns source(columns);
  ARROW_ASSIGN_OR_RAISE(auto files, WriteColumnFiles(*snapshot, added, *columns.schema(), source));
  Change change =
      MergeChange(*snapshot, Extended(snapshot->schema(), added), std::move(files), !required);
  const arrow::Status ended = source.CheckEnd();
  if (!ended.ok()) {
    RemoveFiles(*snapshot->store(), change);
    return ended;
  }
  return change;
}

ChangeResult MakeAlterColumns(const std::shared_ptr<const table::Snapshot>& snapshot,
                              const std::vector<ColumnAlteration>& alterations) {
  ARROW_ASSIGN_OR_RAISE(auto alteration, Alter(*snapshot, alterations));
  if (alteration.schema == snapshot->schema()) {
    return std::nullopt;
  }
  ARROW_RETURN_NOT_OK(CheckNoNulls(*snapshot, alteration));
  const bool preserves = alteration.made_required.empty();
  if (!alteration.retyped.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto files, WriteRetyped(snapshot, &alteration));
    // Rows that others append meanwhile have the column under its old id: they must be computed
    // anew.
    return MergeChange(*snapshot, alteration.schema, std::move(files), false);
  }
  Change change;
  change.transaction = table::NewTransaction(snapshot->version());
  auto* project = change.transaction.mutable_project();
  alteration.schema.ToProto(project->mutable_schema());
  project->set_preserves_nullability(preserves);
  return change;
}

ChangeResult MakeDropColumns(const table::Snapshot& snapshot,
                             const std::vector<std::string>& paths) {
  GLAIVE_CHECK_ARGUMENT(!paths.empty(), "there is no column to drop");
  file::Schema schema = snapshot.schema();
  for (const auto& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const auto* field, schema.FindByPath(path));
    GLAIVE_CHECK_ARGUMENT(!HoldsKey(*field), "column '", path,
                          "' belongs to the table's primary key and can't be dropped");
    const file::Field* parent = ParentOf(schema.fields(), field->id);
    GLAIVE_CHECK_ARGUMENT(parent == nullptr || (parent->is_struct() && !parent->is_packed() &&
                                                parent->children.size() > 1),
                          "'", path, "' can't be dropped alone; drop '", parent->name, "' whole");
    Remove(schema.mutable_fields(), field->id);
  }
  GLAIVE_CHECK_ARGUMENT(!schema.fields().empty(),
                        "all columns would be dropped; a table needs at least one");
  Change change;
  change.transaction = table::NewTransaction(snapshot.version());
  auto* project = change.transaction.mutable_project();
  schema.ToProto(project->mutable_schema());
  project->set_preserves_nullability(true);
  return change;
}

}  // namespace glaive::write
