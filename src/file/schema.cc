#include "file/schema.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/util/utf8.h>

#include "base/limits.h"
#include "base/spelling.h"
#include "base/status.h"
#include "file/logical_type.h"
#include "proto/file.pb.h"

namespace glaive::file {
namespace {

using Metadata = std::map<std::string, std::string>;
using arrow::Type;

constexpr std::string_view kPrimaryKeyKey = "lance-schema:unenforced-primary-key";
constexpr std::string_view kPrimaryKeyPositionKey = "lance-schema:unenforced-primary-key:position";

bool IsTrue(const Metadata& metadata, std::string_view key) {
  const auto it = metadata.find(std::string(key));
  return it != metadata.end() && it->second == "true";
}

bool HasExtension(const Metadata& metadata, std::string_view name) {
  const auto it = metadata.find(std::string(kExtensionNameKey));
  return it != metadata.end() && it->second == name;
}

std::shared_ptr<const arrow::KeyValueMetadata> ToArrowMetadata(const Metadata& metadata) {
  if (metadata.empty()) {
    return nullptr;
  }
  auto out = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : metadata) {
    out->Append(key, value);
  }
  return out;
}

Metadata FromArrowMetadata(const arrow::KeyValueMetadata* metadata) {
  Metadata out;
  if (metadata != nullptr) {
    for (int64_t i = 0; i < metadata->size(); ++i) {
      out.emplace(metadata->key(i), metadata->value(i));
    }
  }
  return out;
}

// ---- Arrow to fields
// --------------------------------------------------------------------------------

class FieldsFromArrow {
 public:
  arrow::Result<Field> Convert(const arrow::Field& source, const std::string& path,
                               uint32_t depth) {
    if (depth > kMaxNesting) {
      return Unsupported("column '", path, "' is nested deeper than ", kMaxNesting);
    }
    Field field;
    field.id = next_id_++;
    field.name = source.name();
    field.nullable = source.nullable();
    field.metadata = FromArrowMetadata(source.metadata().get());
    ARROW_RETURN_NOT_OK(CheckText(path, field));
    auto type = source.type();
    if (type->id() == Type::EXTENSION) {
      const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
      field.metadata[std::string(kExtensionNameKey)] = extension.extension_name();
      field.metadata[std::string(kExtensionMetadataKey)] = extension.Serialize();
      type = extension.storage_type();
    }
    if (HasExtension(field.metadata, "arrow.json") || HasExtension(field.metadata, "lance.json")) {
      field.metadata[std::string(kExtensionNameKey)] = "lance.json";
      field.logical_type = "json";
      return field;
    }
    ARROW_RETURN_NOT_OK(ReadPrimaryKey(path, &field));
    ARROW_ASSIGN_OR_RAISE(field.logical_type, LogicalTypeOf(*type, path));
    ARROW_RETURN_NOT_OK(AddChildren(*type, path, depth, &field));
    return field;
  }

 private:
  // Names and keys are text on the wire: no reader opens a file in which they are anything else.
  static arrow::Status CheckText(const std::string& path, const Field& field) {
    arrow::util::InitializeUTF8();
    GLAIVE_CHECK_ARGUMENT(arrow::util::ValidateUTF8(field.name), "the name of column '", path,
                          "' is not UTF-8");
    for (const auto& [key, value] : field.metadata) {
      GLAIVE_CHECK_ARGUMENT(arrow::util::ValidateUTF8(key), "column '", path,
                            "': a metadata key is not UTF-8");
    }
    return arrow::Status::OK();
  }

  static arrow::Status ReadPrimaryKey(const std::string& path, Field* field) {
    if (const auto it = field->metadata.find(std::string(kPrimaryKeyPositionKey));
        it != field->metadata.end()) {
      const std::string& text = it->second;
      const auto [end, error] =
          std::from_chars(text.data(), text.data() + text.size(), field->primary_key_position);
      GLAIVE_CHECK_ARGUMENT(error == std::errc() && end == text.data() + text.size() &&
                                field->primary_key_position > 0,
                            "column '", path, "': ", kPrimaryKeyPositionKey,
                            " must be a number from 1, found '", text, "'");
      field->unenforced_primary_key = true;
    } else if (IsTrue(field->metadata, kPrimaryKeyKey)) {
      field->unenforced_primary_key = true;
    }
    return arrow::Status::OK();
  }

  arrow::Status AddChildren(const arrow::DataType& type, const std::string& path, uint32_t depth,
                            Field* field) {
    if (type.id() == Type::FIXED_SIZE_LIST && !field->is_fixed_size_list_of_struct()) {
      return arrow::Status::OK();  // the item is in the logical type
    }
    std::unordered_set<std::string_view> names;
    for (const auto& child : type.fields()) {
      const std::string child_path = path + "." + child->name();
      GLAIVE_CHECK_ARGUMENT(names.insert(child->name()).second, "column '", path,
                            "' has two members named '", child->name(), "'");
      ARROW_ASSIGN_OR_RAISE(auto converted, Convert(*child, child_path, depth + 1));
      field->children.push_back(std::move(converted));
    }
    return arrow::Status::OK();
  }

  int32_t next_id_ = 0;
};

bool IsReservedName(std::string_view name) {
  static const std::set<std::string_view> reserved = {"_rowid", "_rowaddr", "_rowoffset",
                                                      "_row_created_at_version",
                                                      "_row_last_updated_at_version"};
  return reserved.count(name) > 0;
}

// ---- fields to Arrow
// --------------------------------------------------------------------------------

arrow::Status CheckChildren(const Field& field, size_t expected) {
  GLAIVE_CHECK_FORMAT(field.children.size() == expected, "field '", field.name, "' of type ",
                      field.logical_type, ": expected ", expected, " children, found ",
                      field.children.size());
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field, uint32_t depth);

arrow::Result<std::shared_ptr<arrow::DataType>> ToArrowType(const Field& field, uint32_t depth) {
  GLAIVE_CHECK_FORMAT(depth <= kMaxNesting, "field '", field.name, "' is nested deeper than ",
                      kMaxNesting);
  if (field.is_struct()) {
    arrow::FieldVector members;
    for (const auto& child : field.children) {
      ARROW_ASSIGN_OR_RAISE(auto member, ToArrowField(child, depth + 1));
      members.push_back(std::move(member));
    }
    return arrow::struct_(std::move(members));
  }
  if (field.is_list()) {
    ARROW_RETURN_NOT_OK(CheckChildren(field, 1));
    ARROW_ASSIGN_OR_RAISE(auto item, ToArrowField(field.children[0], depth + 1));
    const bool large = field.logical_type.rfind("large_", 0) == 0;
    return large ? arrow::large_list(std::move(item)) : arrow::list(std::move(item));
  }
  if (field.is_map()) {
    ARROW_RETURN_NOT_OK(CheckChildren(field, 1));
    const Field& entries = field.children[0];
    GLAIVE_CHECK_FORMAT(entries.is_struct() && entries.children.size() == 2, "field '", field.name,
                        "': the entries of a map must be a struct of key and value");
    ARROW_ASSIGN_OR_RAISE(auto key, ToArrowField(entries.children[0], depth + 2));
    ARROW_ASSIGN_OR_RAISE(auto value, ToArrowField(entries.children[1], depth + 2));
    auto entry = arrow::field(entries.name, arrow::struct_({key->WithNullable(false), value}),
                              false, ToArrowMetadata(entries.metadata));
    return arrow::MapType::Make(std::move(entry));
  }
  if (field.is_fixed_size_list_of_struct()) {
    ARROW_RETURN_NOT_OK(CheckChildren(field, 1));
    GLAIVE_CHECK_FORMAT(field.children[0].is_struct(), "field '", field.name, "' of type ",
                        field.logical_type, " has an item of type ",
                        field.children[0].logical_type);
    ARROW_ASSIGN_OR_RAISE(const int32_t size, FixedSizeListOfStructDimension(field.logical_type));
    ARROW_ASSIGN_OR_RAISE(auto item, ToArrowField(field.children[0], depth + 1));
    return arrow::fixed_size_list(std::move(item), size);
  }
  ARROW_RETURN_NOT_OK(CheckChildren(field, 0));
  auto type = ParseLogicalType(field.logical_type);
  if (!type.ok()) {
    return WithContext(type.status(), Concat("field '", field.name, "'"));
  }
  return type;
}

arrow::Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field, uint32_t depth) {
  ARROW_ASSIGN_OR_RAISE(auto type, ToArrowType(field, depth));
  return arrow::field(field.name, std::move(type), field.nullable, ToArrowMetadata(field.metadata));
}

// ---- fields to and from the wire
// --------------------------------------------------------------------

// The leftover of file version 1 that the real writer still fills.
int32_t LegacyEncoding(const Field& field) {
  const std::string_view type = field.logical_type;
  if (field.is_struct() || type == "null") {
    return 0;
  }
  if (type == "string" || type == "large_string" || type == "binary" || type == "large_binary" ||
      type == "json" || type == "blob") {
    return 2;
  }
  return type.substr(0, 5) == "dict:" ? 3 : 1;
}

void AppendProto(const Field& field, int32_t parent_id,
                 google::protobuf::RepeatedPtrField<lance::file::Field>* out) {
  auto* proto = out->Add();
  proto->set_name(field.name);
  proto->set_id(field.id);
  proto->set_parent_id(parent_id);
  proto->set_logical_type(field.logical_type);
  proto->set_nullable(field.nullable);
  proto->set_encoding(LegacyEncoding(field));
  if (proto->encoding() == 3) {
    proto->mutable_dictionary();
  }
  for (const auto& [key, value] : field.metadata) {
    (*proto->mutable_metadata())[key] = value;
    if (key == kExtensionNameKey) {
      proto->set_extension_name(value);
    }
  }
  proto->set_unenforced_primary_key(field.unenforced_primary_key);
  proto->set_unenforced_primary_key_position(field.primary_key_position);
  for (const auto& child : field.children) {
    AppendProto(child, child.id < 0 ? -1 : field.id, out);
  }
}

Field FromProtoField(const lance::file::Field& proto) {
  Field field;
  field.id = proto.id();
  field.name = proto.name();
  field.logical_type = proto.logical_type();
  field.nullable = proto.nullable();
  field.unenforced_primary_key = proto.unenforced_primary_key();
  field.primary_key_position = proto.unenforced_primary_key_position();
  for (const auto& [key, value] : proto.metadata()) {
    field.metadata.emplace(key, value);
  }
  if (!proto.extension_name().empty()) {
    field.metadata.emplace(std::string(kExtensionNameKey), proto.extension_name());
  }
  return field;
}

// A field of the flat list and the positions of its children there.
struct Node {
  Field field;
  std::vector<size_t> children;
  uint32_t depth = 0;
};

Field Assemble(std::vector<Node>* nodes, size_t at) {
  Field field = std::move((*nodes)[at].field);
  for (const size_t child : (*nodes)[at].children) {
    field.children.push_back(Assemble(nodes, child));
  }
  return field;
}

// ---- paths
// ------------------------------------------------------------------------------------------

arrow::Result<std::vector<std::string>> SplitPath(std::string_view path) {
  std::vector<std::string> segments(1);
  bool quoted = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '`' && quoted && i + 1 < path.size() && path[i + 1] == '`') {
      segments.back() += '`';  // a doubled back-tick inside quotes stands for one
      ++i;
    } else if (c == '`') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  GLAIVE_CHECK_ARGUMENT(!quoted, "column path \"", path, "\" has an unclosed back-tick");
  for (const auto& segment : segments) {
    GLAIVE_CHECK_ARGUMENT(!segment.empty(), "column path \"", path, "\" has an empty segment");
  }
  return segments;
}

// "; did you mean 'x'?" if a name is near, else the names there are (a few of them).
std::string Suggestion(std::string_view wanted, const std::vector<Field>& fields) {
  constexpr size_t kLongestCompared = 256;
  constexpr size_t kNamesListed = 8;
  const Field* best = nullptr;
  size_t best_distance = std::max<size_t>(2, wanted.size() / 3) + 1;
  if (wanted.size() <= kLongestCompared) {
    for (const auto& field : fields) {
      if (field.name.size() > kLongestCompared) {
        continue;
      }
      const size_t distance = EditDistance(wanted, field.name);
      if (distance < best_distance) {
        best = &field;
        best_distance = distance;
      }
    }
  }
  if (best != nullptr) {
    return Concat("; did you mean '", best->name, "'?");
  }
  std::string names;
  for (size_t i = 0; i < std::min(fields.size(), kNamesListed); ++i) {
    names += Concat(i == 0 ? "" : ", ", "'", fields[i].name, "'");
  }
  return Concat("; there are ", names, fields.size() > kNamesListed ? ", ..." : "");
}

const Field* ByName(const std::vector<Field>& fields, std::string_view name) {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const Field& field) { return field.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

bool IsListLike(const Field& field) {
  return field.is_list() || field.is_map() || field.is_fixed_size_list_of_struct();
}

// One step of a path below `parent`: a struct member, through lists whose item is implied. The
// fields stepped over are appended to `chain` too.
arrow::Status Step(std::string_view path, const std::string& segment,
                   std::vector<const Field*>* chain) {
  const Field* at = chain->back();
  while (IsListLike(*at) && !at->children.empty()) {
    const Field* item = &at->children[0];
    const bool named = item->name == segment && ByName(item->children, segment) == nullptr;
    chain->push_back(item);
    if (named) {
      return arrow::Status::OK();
    }
    at = item;
  }
  const Field* next = ByName(at->children, segment);
  if (next == nullptr) {
    return at->children.empty()
               ? NotFound("no column \"", path, "\": '", at->name, "' (", at->logical_type,
                          ") has no members")
               : NotFound("no column \"", path, "\": '", at->name, "' has no member '", segment,
                          "'", Suggestion(segment, at->children));
  }
  chain->push_back(next);
  return arrow::Status::OK();
}

// The fields from the top level down to what the path names.
arrow::Result<std::vector<const Field*>> Resolve(const std::vector<Field>& fields,
                                                 std::string_view path) {
  ARROW_ASSIGN_OR_RAISE(const auto segments, SplitPath(path));
  const Field* top = ByName(fields, segments[0]);
  if (top == nullptr) {
    return NotFound("no column \"", path, "\"",
                    fields.empty() ? "; there are no columns" : Suggestion(segments[0], fields));
  }
  std::vector<const Field*> chain = {top};
  for (size_t i = 1; i < segments.size(); ++i) {
    ARROW_RETURN_NOT_OK(Step(path, segments[i], &chain));
  }
  return chain;
}

struct Selection {
  std::unordered_set<const Field*> whole;
  std::unordered_set<const Field*> partly;
};

Field Prune(const Field& field, const Selection& selection) {
  // A map needs both of its members.
  if (selection.whole.count(&field) > 0 || field.is_map()) {
    return field;
  }
  Field out = field;
  out.children.clear();
  for (const auto& child : field.children) {
    if (selection.whole.count(&child) > 0 || selection.partly.count(&child) > 0) {
      out.children.push_back(Prune(child, selection));
    }
  }
  return out;
}

template <typename Visit>
void ForEach(const std::vector<Field>& fields, const Visit& visit) {
  for (const auto& field : fields) {
    visit(field);
    ForEach(field.children, visit);
  }
}

void CollectLeaves(const std::vector<Field>& fields, std::vector<int32_t>* ids) {
  for (const auto& field : fields) {
    if (field.is_leaf()) {
      ids->push_back(field.id);
    } else {
      CollectLeaves(field.children, ids);
    }
  }
}

}  // namespace

// ---- FileVersion
// ------------------------------------------------------------------------------------

std::string FileVersion::ToString() const {
  return Concat(major, ".", minor);
}

arrow::Result<FileVersion> FileVersion::Parse(std::string_view text) {
  if (text == "2.0") {
    return kVersion20;
  }
  if (text == "2.1") {
    return kVersion21;
  }
  if (text == "2.2" || text == "stable") {
    return kVersion22;
  }
  if (text == "legacy" || text == "0.1" || text == "2.3" || text == "next") {
    return Unsupported("data file version '", text, "' cannot be written; use 2.0, 2.1 or 2.2");
  }
  return InvalidArgument("data file version '", text, "' is not known; use 2.0, 2.1 or 2.2");
}

// ---- Field
// ------------------------------------------------------------------------------------------

arrow::Result<std::shared_ptr<arrow::DataType>> Field::ArrowType() const {
  return ToArrowType(*this, 0);
}

arrow::Result<std::shared_ptr<arrow::Field>> Field::ArrowField() const {
  return ToArrowField(*this, 0);
}

bool Field::is_list() const {
  return logical_type == "list" || logical_type == "list.struct" || logical_type == "large_list" ||
         logical_type == "large_list.struct";
}

bool Field::is_fixed_size_list_of_struct() const {
  return logical_type.rfind(kFixedSizeListOfStructPrefix, 0) == 0;
}

bool Field::is_packed() const {
  return is_struct() &&
         (IsTrue(metadata, kPackedKey) || IsTrue(metadata, kPackedKeyOld) || is_blob_v2());
}

bool Field::is_blob_v1() const {
  return logical_type == "blob" || ((logical_type == "large_binary" || logical_type == "binary") &&
                                    IsTrue(metadata, kBlobKey));
}

bool Field::is_blob_v2() const {
  return is_struct() && (HasExtension(metadata, kBlobV2Extension) || IsTrue(metadata, kBlobKey));
}

bool Field::is_leaf() const {
  return children.empty() || is_packed();
}

// ---- Schema
// -----------------------------------------------------------------------------------------

arrow::Result<Schema> Schema::FromArrow(const arrow::Schema& schema) {
  FieldsFromArrow converter;
  std::vector<Field> fields;
  std::unordered_set<std::string_view> names;
  for (const auto& source : schema.fields()) {
    const std::string& name = source->name();
    GLAIVE_CHECK_ARGUMENT(!name.empty(), "a column has an empty name");
    GLAIVE_CHECK_ARGUMENT(name.find('.') == std::string::npos, "column name '", name,
                          "' holds a '.', which separates the segments of a path");
    GLAIVE_CHECK_ARGUMENT(!IsReservedName(name), "column name '", name, "' is reserved");
    GLAIVE_CHECK_ARGUMENT(names.insert(name).second, "two columns are named '", name, "'");
    ARROW_ASSIGN_OR_RAISE(auto field, converter.Convert(*source, name, 0));
    fields.push_back(std::move(field));
  }
  return Schema(std::move(fields), FromArrowMetadata(schema.metadata().get()));
}

arrow::Result<Schema> Schema::FromProto(
    const google::protobuf::RepeatedPtrField<lance::file::Field>& protos,
    std::map<std::string, std::string> metadata) {
  std::vector<Node> nodes;
  nodes.reserve(static_cast<size_t>(protos.size()));
  std::vector<size_t> roots;
  std::unordered_map<int32_t, size_t> position_of_id;
  size_t last_identified = 0;  // position of the last field that has an id
  for (const auto& proto : protos) {
    const size_t at = nodes.size();
    nodes.push_back({FromProtoField(proto), {}, 0});
    Field& field = nodes.back().field;
    size_t parent = at;
    if (field.id < 0) {
      // A member of a blob descriptor: these carry neither id nor parent, only their place tells.
      GLAIVE_CHECK_FORMAT(
          at > 0 && nodes[last_identified].field.is_blob_v2() && at - last_identified <= 5,
          "field '", field.name, "' has id ", field.id, " outside a blob descriptor");
      parent = last_identified;
    } else {
      GLAIVE_CHECK_FORMAT(position_of_id.emplace(field.id, at).second, "two fields have id ",
                          field.id);
      last_identified = at;
      if (proto.parent_id() >= 0) {
        const auto it = position_of_id.find(proto.parent_id());
        GLAIVE_CHECK_FORMAT(it != position_of_id.end() && it->second != at, "field '", field.name,
                            "' (id ", field.id, ") has parent ", proto.parent_id(),
                            ", which is not before it");
        parent = it->second;
      }
    }
    if (parent == at) {
      roots.push_back(at);
      continue;
    }
    nodes[at].depth = nodes[parent].depth + 1;
    GLAIVE_CHECK_FORMAT(nodes[at].depth <= kMaxNesting, "field '", field.name,
                        "' is nested deeper than ", kMaxNesting);
    nodes[parent].children.push_back(at);
  }
  std::vector<Field> fields;
  for (const size_t root : roots) {
    fields.push_back(Assemble(&nodes, root));
    ARROW_RETURN_NOT_OK(fields.back().ArrowType().status());
  }
  return Schema(std::move(fields), std::move(metadata));
}

void Schema::ToProto(google::protobuf::RepeatedPtrField<lance::file::Field>* fields) const {
  for (const auto& field : fields_) {
    AppendProto(field, -1, fields);
  }
}

arrow::Result<std::shared_ptr<arrow::Schema>> Schema::ToArrow() const {
  arrow::FieldVector fields;
  for (const auto& field : fields_) {
    ARROW_ASSIGN_OR_RAISE(auto converted, field.ArrowField());
    fields.push_back(std::move(converted));
  }
  return arrow::schema(std::move(fields), ToArrowMetadata(metadata_));
}

int32_t Schema::max_field_id() const {
  int32_t max = -1;
  ForEach(fields_, [&](const Field& field) { max = std::max(max, field.id); });
  return max;
}

const Field* Schema::FindById(int32_t id) const {
  const Field* found = nullptr;
  ForEach(fields_, [&](const Field& field) {
    if (field.id == id && id >= 0) {
      found = &field;
    }
  });
  return found;
}

arrow::Result<const Field*> Schema::FindByPath(std::string_view path) const {
  ARROW_ASSIGN_OR_RAISE(const auto chain, Resolve(fields_, path));
  return chain.back();
}

arrow::Result<Schema> Schema::Project(const std::vector<std::string>& paths) const {
  Selection selection;
  std::vector<const Field*> tops;
  for (const auto& path : paths) {
    GLAIVE_CHECK_ARGUMENT(!path.empty(), "a projected column has an empty name");
    ARROW_ASSIGN_OR_RAISE(const auto chain, Resolve(fields_, path));
    GLAIVE_CHECK_ARGUMENT(selection.whole.insert(chain.back()).second, "column \"", path,
                          "\" is projected twice");
    selection.partly.insert(chain.begin(), chain.end());
    if (std::find(tops.begin(), tops.end(), chain.front()) == tops.end()) {
      tops.push_back(chain.front());
    }
  }
  std::vector<Field> fields;
  for (const Field* top : tops) {
    fields.push_back(Prune(*top, selection));
  }
  return Schema(std::move(fields), metadata_);
}

std::vector<int32_t> Schema::AllIds() const {
  std::vector<int32_t> ids;
  ForEach(fields_, [&](const Field& field) { ids.push_back(field.id); });
  return ids;
}

std::vector<int32_t> Schema::LeafIds() const {
  std::vector<int32_t> ids;
  CollectLeaves(fields_, &ids);
  return ids;
}

std::shared_ptr<arrow::DataType> BlobV2DescriptorType() {
  return arrow::struct_({arrow::field("kind", arrow::uint8(), false),
                         arrow::field("position", arrow::uint64(), false),
                         arrow::field("size", arrow::uint64(), false),
                         arrow::field("blob_id", arrow::uint32(), false),
                         arrow::field("blob_uri", arrow::utf8(), false)});
}

std::shared_ptr<arrow::DataType> BlobV1DescriptorType() {
  return arrow::struct_({arrow::field("position", arrow::uint64(), false),
                         arrow::field("size", arrow::uint64(), false)});
}

}  // namespace glaive::file
