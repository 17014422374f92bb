// The Lance schema: a tree of fields with ids, logical types and metadata, and its ways to and from
// Arrow and the wire. Used by data files and by manifests.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace lance::file {
class Field;
class Schema;
}  // namespace lance::file
namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
}

namespace glaive::file {

/// Version of a data file. 2.3 is read only where its pages hold nothing that 2.2 lacks.
struct FileVersion {
  uint16_t major = 2;
  uint16_t minor = 2;
  auto operator<=>(const FileVersion&) const = default;
  std::string ToString() const;
  /// "2.0", "2.1", "2.2"; also "stable" (2.2) and "legacy" as kUnsupported for writing.
  static arrow::Result<FileVersion> Parse(std::string_view text);
};

inline constexpr FileVersion kVersion20{2, 0};
inline constexpr FileVersion kVersion21{2, 1};
inline constexpr FileVersion kVersion22{2, 2};

/// Field metadata keys that matter to us.
inline constexpr std::string_view kPackedKey = "lance-encoding:packed";
inline constexpr std::string_view kPackedKeyOld = "packed";
inline constexpr std::string_view kBlobKey = "lance-encoding:blob";
inline constexpr std::string_view kBlobV2Extension = "lance.blob.v2";
inline constexpr std::string_view kExtensionNameKey = "ARROW:extension:name";
inline constexpr std::string_view kExtensionMetadataKey = "ARROW:extension:metadata";

/// A value.
struct Field {
  int32_t id = -1;
  std::string name;
  std::string logical_type;
  bool nullable = true;
  std::map<std::string, std::string> metadata;  ///< Arrow field metadata, extension keys included
  uint32_t primary_key_position = 0;            ///< 1-based; 0 = not part of an unenforced primary key
  bool unenforced_primary_key = false;
  std::vector<Field> children;  ///< struct members; the item of a list; the entries of a map

  /// The Arrow type of this field with its children: storage types; extension types registered with Arrow
  /// are not instantiated, their keys stay in the metadata (as Arrow IPC does for unknown ones).
  arrow::Result<std::shared_ptr<arrow::DataType>> ArrowType() const;
  arrow::Result<std::shared_ptr<arrow::Field>> ArrowField() const;

  bool is_struct() const { return logical_type == "struct"; }
  bool is_list() const;  ///< list, large_list (with or without ".struct")
  bool is_map() const { return logical_type == "map"; }
  bool is_fixed_size_list_of_struct() const;
  /// struct stored as one leaf because its metadata asks for packing (a blob v2 descriptor included)
  bool is_packed() const;
  /// blob v1: binary whose payload lies out of line
  bool is_blob_v1() const;
  /// blob v2: logically struct<data, uri>, stored as a packed descriptor and payload out of line
  bool is_blob_v2() const;
  /// True if the field owns one physical column in files of 2.1 and later: it has no children, or is
  /// packed, or a blob, or an empty struct.
  bool is_leaf() const;
  bool operator==(const Field&) const = default;
};

/// A value.
class Schema {
 public:
  Schema() = default;
  Schema(std::vector<Field> fields, std::map<std::string, std::string> metadata)
      : fields_(std::move(fields)), metadata_(std::move(metadata)) {}

  /// From Arrow, with ids in pre-order from 0. kUnsupported names the column and type that Lance cannot
  /// hold (unions, intervals, list views, run-end); kInvalidArgument for duplicate, empty or reserved
  /// ("_rowid", "_rowaddr", "_distance" allowed) top-level names or a top-level name with '.'.
  /// An arrow.json or lance.json extension column becomes logical type "json". Blob columns by metadata.
  static arrow::Result<Schema> FromArrow(const arrow::Schema& schema);
  /// kCorruption for orphans, cycles, duplicate ids, nesting over the limit, children that don't fit the
  /// logical type; kUnsupported names an unknown logical type. Handles the blob v2 children with id and
  /// parent -1 (a packed blob struct followed by its five members).
  static arrow::Result<Schema> FromProto(
      const google::protobuf::RepeatedPtrField<lance::file::Field>& fields,
      std::map<std::string, std::string> metadata);
  /// Pre-order; parent -1 explicit for roots; the leftover `encoding` filled as the real writer does.
  void ToProto(google::protobuf::RepeatedPtrField<lance::file::Field>* fields) const;

  arrow::Result<std::shared_ptr<arrow::Schema>> ToArrow() const;

  const std::vector<Field>& fields() const { return fields_; }
  std::vector<Field>* mutable_fields() { return &fields_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::map<std::string, std::string>* mutable_metadata() { return &metadata_; }

  /// The highest id, -1 if none.
  int32_t max_field_id() const;
  /// nullptr if there is none.
  const Field* FindById(int32_t id) const;
  /// By exact path, segments separated by '.'; a segment that holds '.' is quoted with back-ticks. Steps
  /// through structs, lists (their item is implied) and maps ("key", "value"). kNotFound names the nearest
  /// existing name.
  arrow::Result<const Field*> FindByPath(std::string_view path) const;
  /// Keeps the named paths, in schema order within their parents, top level in the order of first mention;
  /// a path names a subtree. kNotFound and kInvalidArgument (empty, twice) by name.
  arrow::Result<Schema> Project(const std::vector<std::string>& paths) const;

  /// All field ids in pre-order.
  std::vector<int32_t> AllIds() const;
  /// Ids of leaves in pre-order: what a 2.1+ data file lists.
  std::vector<int32_t> LeafIds() const;

  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
  std::map<std::string, std::string> metadata_;
};

/// What is stored for a blob v2 column: struct<kind u8, position u64, size u64, blob_id u32, blob_uri utf8>.
std::shared_ptr<arrow::DataType> BlobV2DescriptorType();
/// What a reader hands out for a blob column when it is asked for descriptors instead of bytes (v1:
/// struct<position u64, size u64>).
std::shared_ptr<arrow::DataType> BlobV1DescriptorType();

}  // namespace glaive::file
