#include "query/output_schema.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "base/status.h"
#include "file/json_text.h"

namespace glaive::query {

namespace {

bool HoldsBlob(const file::Field& field) {
  if (field.is_blob_v1() || field.is_blob_v2()) {
    return true;
  }
  for (const auto& child : field.children) {
    if (HoldsBlob(child)) {
      return true;
    }
  }
  return false;
}

/// A blob that was read is bytes or a descriptor, no longer of the extension type of the column.
std::shared_ptr<arrow::Field> WithoutExtension(const std::shared_ptr<arrow::Field>& field) {
  if (field->metadata() == nullptr) {
    return field;
  }
  auto metadata = field->metadata()->Copy();
  for (const auto key : {file::kExtensionNameKey, file::kExtensionMetadataKey}) {
    if (metadata->Contains(std::string(key))) {
      (void)metadata->Delete(std::string(key));
    }
  }
  return field->WithMetadata(std::move(metadata));
}

arrow::Result<std::shared_ptr<arrow::Field>> OutputField(const file::Field& field,
                                                         file::FileVersion version,
                                                         file::BlobMode mode) {
  ARROW_ASSIGN_OR_RAISE(auto plain, field.ArrowField());
  if (!HoldsBlob(field)) {
    return plain;
  }
  if (field.is_blob_v2()) {
    return WithoutExtension(plain)->WithType(
        mode == file::BlobMode::kBytes ? arrow::large_binary() : file::BlobV2DescriptorType());
  }
  if (field.is_blob_v1()) {
    // From 2.2 on such a field is a plain binary one.
    if (version >= file::kVersion22) {
      return plain;
    }
    return plain->WithType(mode == file::BlobMode::kBytes ? arrow::large_binary()
                                                          : file::BlobV1DescriptorType());
  }
  arrow::FieldVector children;
  for (const auto& child : field.children) {
    ARROW_ASSIGN_OR_RAISE(auto member, OutputField(child, version, mode));
    children.push_back(std::move(member));
  }
  if (field.is_struct()) {
    return plain->WithType(arrow::struct_(std::move(children)));
  }
  switch (plain->type()->id()) {
    case arrow::Type::LIST:
      return plain->WithType(arrow::list(children[0]));
    case arrow::Type::LARGE_LIST:
      return plain->WithType(arrow::large_list(children[0]));
    case arrow::Type::MAP:
      return plain->WithType(std::make_shared<arrow::MapType>(children[0]));
    default:
      return Unsupported("column '", field.name, "' holds blobs below ", plain->type()->ToString());
  }
}

constexpr Meta kMetas[] = {Meta::kRowId, Meta::kRowAddress, Meta::kRowOffset, Meta::kCreatedAt,
                           Meta::kUpdatedAt};

file::FileVersion VersionOf(const table::Snapshot& snapshot) {
  const auto parsed = file::FileVersion::Parse(snapshot.manifest().pb.data_format().version());
  return parsed.ok() ? *parsed : file::kVersion22;
}

file::BlobMode ModeOf(BlobRead blobs) {
  return blobs == BlobRead::kBytes ? file::BlobMode::kBytes : file::BlobMode::kDescriptors;
}

std::shared_ptr<arrow::Field> MetaField(Meta meta) {
  return arrow::field(NameOf(meta), arrow::uint64(), /*nullable=*/true);
}

/// The names of a well-formed path.
std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> segments(1);
  bool quoted = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '`' && quoted && i + 1 < path.size() && path[i + 1] == '`') {
      segments.back() += '`';
      ++i;
    } else if (c == '`') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

std::string QuotePath(const std::vector<std::string>& names) {
  std::string path;
  for (const auto& name : names) {
    path += path.empty() ? "`" : ".`";
    for (const char c : name) {
      path += c;
      if (c == '`') {
        path += c;
      }
    }
    path += '`';
  }
  return path;
}

arrow::Status FillSchema(const table::Snapshot& snapshot, ReadSet* set) {
  const file::FileVersion version = VersionOf(snapshot);
  arrow::FieldVector fields;
  for (const auto& field : set->projection.fields()) {
    ARROW_ASSIGN_OR_RAISE(auto made, OutputField(field, version, set->blob_mode));
    fields.push_back(std::move(made));
  }
  for (const Meta meta : set->metas) {
    fields.push_back(MetaField(meta));
    if (meta == Meta::kRowOffset && set->live_before == nullptr) {
      auto before = std::make_shared<std::map<uint64_t, uint64_t>>();
      uint64_t rows = 0;
      for (const auto& fragment : snapshot.fragments()) {
        (*before)[fragment->id()] = rows;
        rows += fragment->num_rows();
      }
      set->live_before = std::move(before);
    }
  }
  set->schema = arrow::schema(std::move(fields), snapshot.arrow_schema()->metadata());
  return arrow::Status::OK();
}

/// Adds what is not in the list yet.
template <typename T>
void AddOnce(const T& value, std::vector<T>* list) {
  if (std::find(list->begin(), list->end(), value) == list->end()) {
    list->push_back(value);
  }
}

/// An output under construction: names of input columns until the input is known.
struct Draft {
  struct Item {
    std::string name;
    std::string input;  // name of the input column; empty: the expression
    std::optional<expr::BoundExpression> expression;
  };

  std::vector<std::string> paths;
  std::vector<Meta> metas;
  std::vector<Item> items;

  void AddMeta(Meta meta) {
    AddOnce(meta, &metas);
    for (const auto& item : items) {
      if (item.name == NameOf(meta)) {
        return;
      }
    }
    items.push_back({NameOf(meta), NameOf(meta), std::nullopt});
  }
};

void AddColumns(const file::Schema& schema, const std::vector<std::string>& columns, Draft* draft) {
  if (columns.empty()) {
    for (const auto& field : schema.fields()) {
      draft->paths.push_back(QuotePath({field.name}));
      draft->items.push_back({field.name, field.name, std::nullopt});
    }
    return;
  }
  std::set<std::string> seen;
  for (const auto& path : columns) {
    if (const auto meta = FindMeta(schema, path)) {
      draft->AddMeta(*meta);
      continue;
    }
    draft->paths.push_back(path);
    const std::string name = Segments(path).front();
    if (seen.insert(name).second) {
      draft->items.push_back({name, name, std::nullopt});
    }
  }
}

arrow::Status AddExpressions(const table::Snapshot& snapshot, const Selection& selection,
                             Draft* draft) {
  ARROW_ASSIGN_OR_RAISE(const auto schema,
                        ExpressionSchema(snapshot, ModeOf(selection.blobs), selection.extra));
  expr::BindOptions options;
  options.parameters = &selection.parameters;
  options.now_nanos = selection.now_nanos;
  options.pool = snapshot.session()->options().pool;
  std::set<std::string> names;
  for (const auto& item : selection.select) {
    GLAIVE_CHECK_ARGUMENT(!item.name.empty(), "select: an item has no name");
    GLAIVE_CHECK_ARGUMENT(names.insert(item.name).second, "select: two items are named '",
                          item.name, "'");
    const auto tree = item.expression.Parse();
    if (!tree.ok()) {
      return InClause(tree.status(), Concat("select item '", item.name, "'"));
    }
    auto bound = expr::Bind(tree->node(), *schema, options);
    if (!bound.ok()) {
      return InClause(bound.status(), Concat("select item '", item.name, "'"));
    }
    draft->items.push_back({item.name, "", std::move(bound).ValueUnsafe()});
  }
  return arrow::Status::OK();
}

arrow::Status AddHidden(const table::Snapshot& snapshot, const Selection& selection, Draft* draft) {
  ARROW_ASSIGN_OR_RAISE(const auto schema,
                        ExpressionSchema(snapshot, ModeOf(selection.blobs), selection.extra));
  expr::BindOptions options;
  options.parameters = &selection.parameters;
  options.now_nanos = selection.now_nanos;
  options.pool = snapshot.session()->options().pool;
  for (const auto& key : selection.hidden) {
    const auto tree = key.expression.Parse();
    if (!tree.ok()) {
      return InClause(tree.status(), "order by");
    }
    auto bound = expr::Bind(tree->node(), *schema, options);
    if (!bound.ok()) {
      return InClause(bound.status(), "order by");
    }
    const std::string name = bound->ToString();
    draft->items.push_back({name, "", std::move(bound).ValueUnsafe()});
  }
  return arrow::Status::OK();
}

/// Paths below others are dropped, and equal ones but one.
std::vector<std::string> DisjointPaths(std::vector<std::vector<std::string>> paths) {
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> disjoint;
  const std::vector<std::string>* last = nullptr;
  for (const auto& path : paths) {
    if (last != nullptr && path.size() >= last->size() &&
        std::equal(last->begin(), last->end(), path.begin())) {
      continue;
    }
    disjoint.push_back(QuotePath(path));
    last = &path;
  }
  return disjoint;
}

/// Expressions may want the whole of a column of which the columns want a part.
void MergePaths(Draft* draft) {
  std::vector<std::vector<std::string>> names;
  for (const auto& path : draft->paths) {
    names.push_back(Segments(path));
  }
  draft->paths = DisjointPaths(std::move(names));
}

/// The members that `type` has, of a column that was read with more of them.
std::shared_ptr<arrow::ArrayData> Pruned(const std::shared_ptr<arrow::ArrayData>& data,
                                         const std::shared_ptr<arrow::DataType>& type) {
  if (data->type->Equals(*type)) {
    return data;
  }
  auto pruned = data->Copy();
  pruned->type = type;
  if (type->id() != arrow::Type::STRUCT) {
    for (int i = 0; i < type->num_fields(); ++i) {
      auto& child = pruned->child_data[static_cast<size_t>(i)];
      child = Pruned(child, type->field(i)->type());
    }
    return pruned;
  }
  pruned->child_data.clear();
  for (const auto& field : type->fields()) {
    const int at = static_cast<const arrow::StructType&>(*data->type).GetFieldIndex(field->name());
    pruned->child_data.push_back(Pruned(data->child_data[static_cast<size_t>(at)], field->type()));
  }
  return pruned;
}

/// `asked` are the columns as the request names them, before expressions added to them.
arrow::Result<Output> Finish(const table::Snapshot& snapshot, const Selection& selection,
                             const std::shared_ptr<arrow::Schema>& asked, Draft draft) {
  Output output;
  arrow::MemoryPool* pool = snapshot.session()->options().pool;
  output.pool = pool != nullptr ? pool : arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(output.input,
                        MakeReadSet(snapshot, draft.paths, draft.metas, ModeOf(selection.blobs)));
  arrow::FieldVector fields;
  for (auto& item : draft.items) {
    OutputItem made;
    if (item.expression.has_value()) {
      fields.push_back(arrow::field(item.name, item.expression->type()));
      made.expression = std::move(item.expression);
      // A column that is just renamed keeps what its field says.
      if (made.expression->is_column() && made.expression->columns().size() == 1 &&
          made.expression->columns()[0].size() == 1) {
        made.column = output.input.schema->GetFieldIndex(made.expression->columns()[0][0]);
        if (made.column >= 0 &&
            output.input.schema->field(made.column)->type()->Equals(*fields.back()->type())) {
          fields.back() = output.input.schema->field(made.column)->WithName(item.name);
          made.expression.reset();
        } else {
          made.column = -1;
        }
      }
    } else {
      made.column = output.input.schema->GetFieldIndex(item.input);
      fields.push_back(output.input.schema->field(made.column));
      const auto wanted = asked->GetFieldByName(item.input);
      if (wanted != nullptr && !wanted->type()->Equals(*fields.back()->type())) {
        fields.back() = wanted;
        output.as_read = false;
      }
    }
    const auto text = made.column >= 0 ? file::WithJsonText(fields.back()) : fields.back();
    if (text != fields.back()) {
      made.stored = fields.back();
      fields.back() = text;
      output.as_read = false;
    }
    output.as_read = output.as_read && made.column == static_cast<int>(output.items.size()) &&
                     item.name == output.input.schema->field(made.column)->name();
    output.items.push_back(std::move(made));
  }
  output.as_read =
      output.as_read && static_cast<int>(output.items.size()) == output.input.schema->num_fields();
  output.schema = arrow::schema(std::move(fields), snapshot.arrow_schema()->metadata());
  return output;
}

}  // namespace

std::optional<Meta> FindMeta(const file::Schema& schema, std::string_view name) {
  for (const Meta meta : kMetas) {
    if (name == NameOf(meta)) {
      const bool shadowed =
          std::any_of(schema.fields().begin(), schema.fields().end(),
                      [name](const file::Field& field) { return field.name == name; });
      return shadowed ? std::nullopt : std::optional<Meta>(meta);
    }
  }
  return std::nullopt;
}

const char* NameOf(Meta meta) {
  switch (meta) {
    case Meta::kRowId:
      return kRowIdColumn;
    case Meta::kRowAddress:
      return kRowAddressColumn;
    case Meta::kRowOffset:
      return kRowOffsetColumn;
    case Meta::kCreatedAt:
      return kCreatedAtColumn;
    case Meta::kUpdatedAt:
      return kUpdatedAtColumn;
  }
  return "";
}

arrow::Result<ReadSet> MakeReadSet(const table::Snapshot& snapshot,
                                   const std::vector<std::string>& paths,
                                   const std::vector<Meta>& metas, file::BlobMode blobs) {
  ReadSet set;
  set.blob_mode = blobs;
  set.metas = metas;
  if (!paths.empty()) {
    ARROW_ASSIGN_OR_RAISE(set.projection, snapshot.schema().Project(paths));
  }
  ARROW_RETURN_NOT_OK(FillSchema(snapshot, &set));
  return set;
}

arrow::Result<ReadSet> PartOf(const table::Snapshot& snapshot, const ReadSet& whole,
                              const std::vector<size_t>& fields, const std::vector<Meta>& metas) {
  ReadSet part;
  part.blob_mode = whole.blob_mode;
  part.metas = metas;
  part.live_before = whole.live_before;
  std::vector<file::Field> kept;
  for (const size_t field : fields) {
    kept.push_back(whole.projection.fields()[field]);
  }
  part.projection = file::Schema(std::move(kept), whole.projection.metadata());
  ARROW_RETURN_NOT_OK(FillSchema(snapshot, &part));
  return part;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Output::Apply(
    const std::shared_ptr<arrow::RecordBatch>& input_rows) const {
  if (as_read) {
    return input_rows;
  }
  arrow::ArrayVector columns;
  for (const auto& item : items) {
    if (item.column >= 0) {
      std::shared_ptr<arrow::Array> column = input_rows->column(item.column);
      const auto& field =
          item.stored != nullptr ? item.stored : schema->field(static_cast<int>(columns.size()));
      if (!column->type()->Equals(*field->type())) {
        column = arrow::MakeArray(Pruned(column->data(), field->type()));
      }
      if (item.stored != nullptr) {
        ARROW_ASSIGN_OR_RAISE(column, file::ColumnWithJsonText(*item.stored, column, pool));
      }
      columns.push_back(std::move(column));
    } else {
      ARROW_ASSIGN_OR_RAISE(auto values, item.expression->Evaluate(*input_rows));
      columns.push_back(std::move(values));
    }
  }
  return arrow::RecordBatch::Make(schema, input_rows->num_rows(), std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::Schema>> ExpressionSchema(const table::Snapshot& snapshot,
                                                               file::BlobMode blobs,
                                                               const arrow::FieldVector& extra) {
  const file::FileVersion version = VersionOf(snapshot);
  arrow::FieldVector fields;
  for (const auto& field : snapshot.schema().fields()) {
    auto made = OutputField(field, version, blobs);
    // A column that can't be handed out in this form can be in none; others do not suffer.
    if (made.ok()) {
      fields.push_back(std::move(made).ValueUnsafe());
    }
  }
  for (const Meta meta : kMetas) {
    if (FindMeta(snapshot.schema(), NameOf(meta)).has_value()) {
      fields.push_back(MetaField(meta));
    }
  }
  fields.insert(fields.end(), extra.begin(), extra.end());
  return arrow::schema(std::move(fields), snapshot.arrow_schema()->metadata());
}

NeededColumns ColumnsOf(const file::Schema& schema,
                        const std::vector<const expr::BoundExpression*>& expressions,
                        const std::vector<std::string>& extra) {
  NeededColumns needed;
  std::vector<std::vector<std::string>> paths;
  for (const auto* expression : expressions) {
    for (const auto& path : expression->columns()) {
      if (path.size() == 1 && std::find(extra.begin(), extra.end(), path[0]) != extra.end()) {
        continue;
      }
      const auto meta = path.size() == 1 ? FindMeta(schema, path[0]) : std::nullopt;
      if (meta.has_value()) {
        AddOnce(*meta, &needed.metas);
      } else {
        paths.push_back(path);
      }
    }
  }
  needed.paths = DisjointPaths(std::move(paths));
  return needed;
}

arrow::Result<Output> MakeOutput(const table::Snapshot& snapshot, const Selection& selection) {
  GLAIVE_CHECK_ARGUMENT(selection.columns.empty() || selection.select.empty(),
                        "a request names columns or select items, not both");
  Draft draft;
  if (!selection.select.empty()) {
    ARROW_RETURN_NOT_OK(AddExpressions(snapshot, selection, &draft));
  } else if (!selection.only_hidden) {
    AddColumns(snapshot.schema(), selection.columns, &draft);
  }
  // What is wrong with a path is said of the path as it was written.
  ARROW_ASSIGN_OR_RAISE(const ReadSet asked,
                        MakeReadSet(snapshot, draft.paths, {}, ModeOf(selection.blobs)));
  if (selection.with_row_id) {
    draft.AddMeta(Meta::kRowId);
  }
  if (selection.with_row_address) {
    draft.AddMeta(Meta::kRowAddress);
  }
  ARROW_RETURN_NOT_OK(AddHidden(snapshot, selection, &draft));
  std::vector<const expr::BoundExpression*> expressions;
  for (const auto& item : draft.items) {
    if (item.expression.has_value()) {
      expressions.push_back(&*item.expression);
    }
  }
  if (!expressions.empty()) {
    std::vector<std::string> extra;
    for (const auto& field : selection.extra) {
      extra.push_back(field->name());
    }
    const NeededColumns needed = ColumnsOf(snapshot.schema(), expressions, extra);
    draft.paths.insert(draft.paths.end(), needed.paths.begin(), needed.paths.end());
    for (const Meta meta : needed.metas) {
      AddOnce(meta, &draft.metas);
    }
    MergePaths(&draft);
  }
  return Finish(snapshot, selection, asked.schema, std::move(draft));
}

arrow::Status InClause(const arrow::Status& status, std::string_view clause) {
  return WithContext(status, clause);
}

}  // namespace glaive::query
