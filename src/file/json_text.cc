#include "file/json_text.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "base/jsonb.h"
#include "base/status.h"
#include "file/schema.h"

namespace glaive::file {

namespace {

constexpr char kStoredExtension[] = "lance.json";
constexpr char kTextExtension[] = "arrow.json";

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

ArrayResult TextOf(const arrow::LargeBinaryArray& documents, const std::string& column,
                   arrow::MemoryPool* pool) {
  arrow::StringBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(documents.length()));
  std::string text;
  for (int64_t i = 0; i < documents.length(); ++i) {
    if (documents.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    text.clear();
    GLAIVE_WITH_CONTEXT(jsonb::Decode(documents.GetView(i), &text), "column '", column, "', value ",
                        i);
    ARROW_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

/// `type` with other children, whose names and number are the same.
std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type,
                                              arrow::FieldVector children) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(std::move(children));
    case arrow::Type::LIST:
      return arrow::list(children[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(children[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(children[0],
                                    static_cast<const arrow::FixedSizeListType&>(type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(
          children[0], static_cast<const arrow::MapType&>(type).keys_sorted());
    default:
      return nullptr;
  }
}

}  // namespace

bool IsStoredJson(const arrow::Field& field) {
  if (field.metadata() == nullptr || field.type()->id() != arrow::Type::LARGE_BINARY) {
    return false;
  }
  const auto name = field.metadata()->Get(std::string(kExtensionNameKey));
  return name.ok() && *name == kStoredExtension;
}

std::shared_ptr<arrow::Field> WithJsonText(const std::shared_ptr<arrow::Field>& field) {
  if (IsStoredJson(*field)) {
    auto metadata = field->metadata()->Copy();
    static_cast<void>(metadata->Set(std::string(kExtensionNameKey), kTextExtension));
    static_cast<void>(metadata->Set(std::string(kExtensionMetadataKey), ""));
    return field->WithType(arrow::utf8())->WithMetadata(std::move(metadata));
  }
  bool changed = false;
  arrow::FieldVector children;
  for (const auto& child : field->type()->fields()) {
    children.push_back(WithJsonText(child));
    changed = changed || children.back() != child;
  }
  if (!changed) {
    return field;
  }
  auto type = WithChildren(*field->type(), std::move(children));
  return type == nullptr ? field : field->WithType(std::move(type));
}

std::shared_ptr<arrow::Schema> WithJsonText(const std::shared_ptr<arrow::Schema>& schema) {
  bool changed = false;
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    fields.push_back(WithJsonText(field));
    changed = changed || fields.back() != field;
  }
  return changed ? arrow::schema(std::move(fields), schema->metadata()) : schema;
}

ArrayResult ColumnWithJsonText(const arrow::Field& stored,
                               const std::shared_ptr<arrow::Array>& column,
                               arrow::MemoryPool* pool) {
  if (IsStoredJson(stored)) {
    if (column->type_id() != arrow::Type::LARGE_BINARY) {
      return InternalError("JSON column '", stored.name(), "' was read as ",
                           column->type()->ToString());
    }
    return TextOf(static_cast<const arrow::LargeBinaryArray&>(*column), stored.name(), pool);
  }
  const auto& children = stored.type()->fields();
  if (children.size() != column->data()->child_data.size()) {
    return column;
  }
  auto data = column->data()->Copy();
  arrow::FieldVector fields;
  bool changed = false;
  for (size_t i = 0; i < children.size(); ++i) {
    const auto before = arrow::MakeArray(data->child_data[i]);
    ARROW_ASSIGN_OR_RAISE(const auto after, ColumnWithJsonText(*children[i], before, pool));
    changed = changed || after != before;
    data->child_data[i] = after->data();
    fields.push_back(column->type()->field(static_cast<int>(i))->WithType(after->type()));
    if (IsStoredJson(*children[i])) {
      fields.back() = WithJsonText(children[i]);
    }
  }
  auto type = changed ? WithChildren(*column->type(), std::move(fields)) : nullptr;
  if (type == nullptr) {
    return column;
  }
  data->type = std::move(type);
  return arrow::MakeArray(data);
}

}  // namespace glaive::file
