#include "query/output_schema.h"

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

/// Takes a pseudo column out of the paths; true if it was there and no column has this name.
bool TakePseudoColumn(const file::Schema& schema, const char* name,
                      std::vector<std::string>* paths) {
  for (const auto& field : schema.fields()) {
    if (field.name == name) {
      return false;
    }
  }
  return std::erase(*paths, name) > 0;
}

}  // namespace

arrow::Result<Output> MakeOutput(const table::Snapshot& snapshot,
                                 const std::vector<std::string>& columns, BlobRead blobs,
                                 bool with_row_id, bool with_row_address) {
  const file::Schema& all = snapshot.schema();
  std::vector<std::string> paths = columns;
  Output output;
  output.with_row_id = TakePseudoColumn(all, kRowIdColumn, &paths) || with_row_id;
  output.with_row_address = TakePseudoColumn(all, kRowAddressColumn, &paths) || with_row_address;
  output.blob_mode =
      blobs == BlobRead::kBytes ? file::BlobMode::kBytes : file::BlobMode::kDescriptors;
  if (columns.empty()) {
    output.projection = all;
  } else if (!paths.empty()) {
    ARROW_ASSIGN_OR_RAISE(output.projection, all.Project(paths));
  }
  const auto parsed = file::FileVersion::Parse(snapshot.manifest().pb.data_format().version());
  const file::FileVersion version = parsed.ok() ? *parsed : file::kVersion22;
  arrow::FieldVector fields;
  for (const auto& field : output.projection.fields()) {
    ARROW_ASSIGN_OR_RAISE(auto made, OutputField(field, version, output.blob_mode));
    output.holds_json = output.holds_json || file::WithJsonText(made) != made;
    output.stored.push_back(std::move(made));
    fields.push_back(file::WithJsonText(output.stored.back()));
  }
  if (output.with_row_id) {
    fields.push_back(arrow::field(kRowIdColumn, arrow::uint64(), /*nullable=*/true));
  }
  if (output.with_row_address) {
    fields.push_back(arrow::field(kRowAddressColumn, arrow::uint64(), /*nullable=*/true));
  }
  output.schema = arrow::schema(std::move(fields), snapshot.arrow_schema()->metadata());
  return output;
}

}  // namespace glaive::query
