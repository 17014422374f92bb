#include "file/leaf_paths.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include "base/bytes.h"
#include "base/status.h"
#include "file/logical_type.h"

namespace glaive::file {
namespace {

using arrow::Type;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

void Collect(const Field& field, std::vector<const Field*>* chain, std::vector<Leaf>* leaves) {
  chain->push_back(&field);
  if (field.is_leaf()) {
    leaves->push_back({*chain, 1, nullptr});
  } else {
    for (const auto& child : field.children) {
      Collect(child, chain, leaves);
    }
  }
  chain->pop_back();
}

arrow::Result<TypePtr> LeafType(const Field& field, encoding::LeafKind kind) {
  if (field.is_blob_v2()) {
    return BlobV2DescriptorType();
  }
  if (kind == encoding::LeafKind::kBlobV1) {
    return BlobV1DescriptorType();
  }
  return field.ArrowType();
}

std::shared_ptr<arrow::Field> Wrap(const Field& field, TypePtr type) {
  return arrow::field(field.name, std::move(type), field.nullable, ArrowMetadata(field));
}

// The type of chain[at..] given the type of the leaf.
arrow::Result<TypePtr> PathType(const std::vector<const Field*>& chain, size_t at,
                                const TypePtr& leaf) {
  if (at + 1 == chain.size()) {
    return leaf;
  }
  const Field& field = *chain[at];
  ARROW_ASSIGN_OR_RAISE(auto inner, PathType(chain, at + 1, leaf));
  auto child = Wrap(*chain[at + 1], std::move(inner));
  if (field.is_struct()) {
    return arrow::struct_({std::move(child)});
  }
  if (field.is_fixed_size_list_of_struct()) {
    ARROW_ASSIGN_OR_RAISE(const int32_t size, FixedSizeListOfStructDimension(field.logical_type));
    return arrow::fixed_size_list(std::move(child), size);
  }
  const bool large = field.logical_type.rfind("large_", 0) == 0;
  return large ? arrow::large_list(std::move(child)) : arrow::list(std::move(child));
}

// Walks raw array data (offsets are kept as they are, so nothing is sliced or copied).
arrow::Result<std::shared_ptr<arrow::ArrayData>> SplitData(const arrow::ArrayData& data,
                                                           const std::vector<const Field*>& chain,
                                                           size_t at, const TypePtr& type) {
  auto out = data.Copy();
  out->type = type;
  if (at + 1 == chain.size()) {
    return out;
  }
  const auto& children = chain[at]->children;
  const auto number = static_cast<size_t>(chain[at + 1] - children.data());
  if (number >= data.child_data.size()) {
    return InternalError("column '", chain[0]->name, "' has fewer members than its schema");
  }
  ARROW_ASSIGN_OR_RAISE(auto child,
                        SplitData(*data.child_data[number], chain, at + 1, type->field(0)->type()));
  out->child_data = {std::move(child)};
  return out;
}

bool SameChildren(const arrow::DataType& a, const arrow::DataType& b, bool compare_names) {
  if (a.num_fields() != b.num_fields()) {
    return false;
  }
  for (int i = 0; i < a.num_fields(); ++i) {
    if ((compare_names && a.field(i)->name() != b.field(i)->name()) ||
        !SameStorage(*a.field(i)->type(), *b.field(i)->type())) {
      return false;
    }
  }
  return true;
}

// ---- zipping
// ----------------------------------------------------------------------------------------

class Zipper {
 public:
  Zipper(arrow::ArrayVector* paths, const LeafFinisher& finisher, arrow::MemoryPool* pool)
      : paths_(*paths), finisher_(finisher), pool_(pool) {}

  arrow::Result<ArrayPtr> Zip(const ZipNode& node, int64_t length) {
    if (node.first_leaf < 0) {
      ARROW_ASSIGN_OR_RAISE(auto type, NullType(*node.field));
      return arrow::MakeArrayOfNull(type, length, pool_);
    }
    ArrayPtr& first = paths_[static_cast<size_t>(node.first_leaf)];
    if (node.leaf >= 0) {
      return finisher_.Finish(*node.field, node.leaf, std::move(first));
    }
    switch (first->type_id()) {
      case Type::STRUCT:
        return ZipStruct(node, length);
      case Type::LIST:
        return ZipList<arrow::ListArray>(node, length);
      case Type::LARGE_LIST:
        return ZipList<arrow::LargeListArray>(node, length);
      case Type::FIXED_SIZE_LIST:
        return ZipFixedSizeList(node, length);
      default:
        return InternalError("field '", node.field->name, "' has a path array of type ",
                             first->type()->ToString());
    }
  }

 private:
  arrow::Result<TypePtr> NullType(const Field& field) {
    if (field.is_leaf()) {
      return finisher_.TypeOf(field);
    }
    // Blobs below would change their type; rebuild only what can hold them.
    if (field.is_struct() || field.is_list()) {
      arrow::FieldVector members;
      for (const auto& child : field.children) {
        ARROW_ASSIGN_OR_RAISE(auto type, NullType(child));
        members.push_back(Wrap(child, std::move(type)));
      }
      if (field.is_struct()) {
        return arrow::struct_(std::move(members));
      }
      return field.logical_type.rfind("large_", 0) == 0 ? arrow::large_list(members[0])
                                                        : arrow::list(members[0]);
    }
    return field.ArrowType();
  }

  // The validity of `array` as a bitmap that starts at bit 0.
  arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array) {
    if (array.null_count() == 0) {
      return nullptr;
    }
    if (array.offset() == 0) {
      return array.null_bitmap();
    }
    return arrow::internal::CopyBitmap(pool_, array.null_bitmap_data(), array.offset(),
                                       array.length());
  }

  template <typename Visit>
  arrow::Status ForEachLeaf(const ZipNode& node, const Visit& visit) {
    if (node.leaf >= 0) {
      return visit(&paths_[static_cast<size_t>(node.leaf)]);
    }
    for (const auto& child : node.children) {
      if (child.first_leaf >= 0) {
        ARROW_RETURN_NOT_OK(ForEachLeaf(child, visit));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckLength(const Field& field, int64_t found, int64_t expected) {
    GLAIVE_CHECK_FORMAT(found == expected, "field '", field.name,
                        "': its leaves disagree, one has ", found, " values where another has ",
                        expected);
    return arrow::Status::OK();
  }

  // Zips the children of a struct; leaves below must already be stepped down into the struct.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Members(
      const ZipNode& node, int64_t length, std::shared_ptr<arrow::Buffer> validity) {
    arrow::FieldVector fields;
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (const auto& child : node.children) {
      ARROW_ASSIGN_OR_RAISE(auto array, Zip(child, length));
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, array->length(), length));
      fields.push_back(Wrap(*child.field, array->type()));
      children.push_back(array->data());
    }
    return arrow::ArrayData::Make(arrow::struct_(std::move(fields)), length, {std::move(validity)},
                                  std::move(children));
  }

  arrow::Result<ArrayPtr> ZipStruct(const ZipNode& node, int64_t length) {
    ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*paths_[static_cast<size_t>(node.first_leaf)]));
    ARROW_RETURN_NOT_OK(ForEachLeaf(node, [&](ArrayPtr* path) {
      GLAIVE_CHECK_FORMAT((*path)->type_id() == Type::STRUCT, "field '", node.field->name,
                          "' is no struct in the file, but ", (*path)->type()->ToString());
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, (*path)->length(), length));
      *path = static_cast<const arrow::StructArray&>(**path).field(0);
      return arrow::Status::OK();
    }));
    ARROW_ASSIGN_OR_RAISE(auto data, Members(node, length, std::move(validity)));
    return arrow::MakeArray(std::move(data));
  }

  // Offsets that start at 0.
  template <typename ListArray>
  arrow::Result<std::shared_ptr<arrow::Buffer>> OffsetsOf(const ListArray& list) {
    using Offset = typename ListArray::offset_type;
    const int64_t bytes = (list.length() + 1) * static_cast<int64_t>(sizeof(Offset));
    const Offset first = list.value_offset(0);
    if (first == 0) {
      return arrow::SliceBuffer(list.value_offsets(),
                                list.offset() * static_cast<int64_t>(sizeof(Offset)), bytes);
    }
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(bytes, pool_));
    auto* out = reinterpret_cast<Offset*>(buffer->mutable_data());
    for (int64_t i = 0; i <= list.length(); ++i) {
      out[i] = list.value_offset(i) - first;
    }
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  template <typename ListArray>
  arrow::Result<ArrayPtr> ZipList(const ZipNode& node, int64_t length) {
    const ArrayPtr first = paths_[static_cast<size_t>(node.first_leaf)];
    const auto& list = static_cast<const ListArray&>(*first);
    if (length == 0) {  // an empty list array may lack even its one offset
      return EmptyOf(node);
    }
    ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(list));
    ARROW_ASSIGN_OR_RAISE(auto offsets, OffsetsOf(list));
    const int64_t items = list.value_offset(length) - list.value_offset(0);
    ARROW_RETURN_NOT_OK(ForEachLeaf(node, [&](ArrayPtr* path) {
      GLAIVE_CHECK_FORMAT((*path)->type_id() == first->type_id(), "field '", node.field->name,
                          "' is no list in the file, but ", (*path)->type()->ToString());
      const ArrayPtr held = *path;
      const auto& other = static_cast<const ListArray&>(*held);
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, other.length(), length));
      const int64_t begin = other.value_offset(0);
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, other.value_offset(length) - begin, items));
      *path = other.values()->Slice(begin, items);
      return arrow::Status::OK();
    }));
    if (node.field->is_map()) {
      return MakeMap(node, length, items, std::move(validity), std::move(offsets));
    }
    const ZipNode& item = node.children[0];
    ARROW_ASSIGN_OR_RAISE(auto values, Zip(item, items));
    auto type = ListType<ListArray>(Wrap(*item.field, values->type()));
    return arrow::MakeArray(arrow::ArrayData::Make(
        std::move(type), length, {std::move(validity), std::move(offsets)}, {values->data()}));
  }

  template <typename ListArray>
  static TypePtr ListType(std::shared_ptr<arrow::Field> item) {
    return std::make_shared<typename ListArray::TypeClass>(std::move(item));
  }

  arrow::Result<ArrayPtr> EmptyOf(const ZipNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto type, NullType(*node.field));
    return arrow::MakeArrayOfNull(type, 0, pool_);
  }

  arrow::Result<ArrayPtr> MakeMap(const ZipNode& node, int64_t length, int64_t items,
                                  std::shared_ptr<arrow::Buffer> validity,
                                  std::shared_ptr<arrow::Buffer> offsets) {
    const ZipNode& entries = node.children[0];
    ARROW_RETURN_NOT_OK(ForEachLeaf(entries, [&](ArrayPtr* path) {
      GLAIVE_CHECK_FORMAT((*path)->type_id() == Type::STRUCT, "map '", node.field->name,
                          "' has entries of type ", (*path)->type()->ToString());
      GLAIVE_CHECK_FORMAT((*path)->null_count() == 0, "map '", node.field->name,
                          "' has a null entry");
      *path = static_cast<const arrow::StructArray&>(**path).field(0);
      return arrow::Status::OK();
    }));
    ARROW_ASSIGN_OR_RAISE(auto members, Members(entries, items, nullptr));
    GLAIVE_CHECK_FORMAT(
        members->child_data.size() == 2 && members->child_data[0]->GetNullCount() == 0, "map '",
        node.field->name, "' has a null key");
    const auto& made = *members->type;
    members->type = arrow::struct_({made.field(0)->WithNullable(false), made.field(1)});
    ARROW_ASSIGN_OR_RAISE(
        auto type, arrow::MapType::Make(arrow::field(entries.field->name, members->type, false,
                                                     ArrowMetadata(*entries.field))));
    return arrow::MakeArray(arrow::ArrayData::Make(
        std::move(type), length, {std::move(validity), std::move(offsets)}, {std::move(members)}));
  }

  arrow::Result<ArrayPtr> ZipFixedSizeList(const ZipNode& node, int64_t length) {
    const ArrayPtr first = paths_[static_cast<size_t>(node.first_leaf)];
    const int32_t size = static_cast<const arrow::FixedSizeListType&>(*first->type()).list_size();
    ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*first));
    ARROW_RETURN_NOT_OK(ForEachLeaf(node, [&](ArrayPtr* path) {
      GLAIVE_CHECK_FORMAT((*path)->type_id() == Type::FIXED_SIZE_LIST, "field '", node.field->name,
                          "' is no fixed-size list in the file, but ", (*path)->type()->ToString());
      const ArrayPtr held = *path;
      const auto& other = static_cast<const arrow::FixedSizeListArray&>(*held);
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, other.length(), length));
      ARROW_RETURN_NOT_OK(CheckLength(*node.field, other.list_type()->list_size(), size));
      *path = other.values()->Slice(other.offset() * size, length * size);
      return arrow::Status::OK();
    }));
    const ZipNode& item = node.children[0];
    ARROW_ASSIGN_OR_RAISE(auto values, Zip(item, length * size));
    auto type = arrow::fixed_size_list(Wrap(*item.field, values->type()), size);
    return arrow::MakeArray(
        arrow::ArrayData::Make(std::move(type), length, {std::move(validity)}, {values->data()}));
  }

  arrow::ArrayVector& paths_;
  const LeafFinisher& finisher_;
  arrow::MemoryPool* pool_;
};

}  // namespace

std::string Leaf::Path() const {
  std::string path;
  for (const Field* field : chain) {
    path += (path.empty() ? "" : ".") + field->name;
  }
  return path;
}

std::vector<Leaf> LeavesOf(const Field& field) {
  std::vector<Leaf> leaves;
  std::vector<const Field*> chain;
  Collect(field, &chain, &leaves);
  return leaves;
}

arrow::Status Describe(Leaf* leaf, FileVersion version) {
  auto out = std::make_shared<encoding::LeafDescriptor>();
  const Field& field = leaf->field();
  if (field.is_blob_v2() || (field.is_packed() && !field.children.empty())) {
    out->kind = encoding::LeafKind::kPackedStruct;
  } else if (field.is_blob_v1() && version < kVersion22) {
    out->kind = encoding::LeafKind::kBlobV1;
  }
  ARROW_ASSIGN_OR_RAISE(const auto type, LeafType(field, out->kind));
  ARROW_ASSIGN_OR_RAISE(out->path_type, PathType(leaf->chain, 0, type));
  out->leaf_metadata = field.metadata;
  out->column_metadata = leaf->chain.front()->metadata;
  out->name = leaf->Path();
  leaf->slots_per_row = 1;
  for (const Field* above : leaf->chain) {
    if (above->is_fixed_size_list_of_struct()) {
      ARROW_ASSIGN_OR_RAISE(const int32_t size,
                            FixedSizeListOfStructDimension(above->logical_type));
      GLAIVE_CHECK_FORMAT(
          CheckedMul(leaf->slots_per_row, static_cast<uint64_t>(size), &leaf->slots_per_row),
          "column '", out->name, "': the dimensions of its fixed-size lists overflow");
    }
  }
  leaf->descriptor = std::move(out);
  return arrow::Status::OK();
}

arrow::Result<ArrayPtr> SplitPath(const arrow::Array& column, const Leaf& leaf) {
  ARROW_ASSIGN_OR_RAISE(auto data,
                        SplitData(*column.data(), leaf.chain, 0, leaf.descriptor->path_type));
  return arrow::MakeArray(std::move(data));
}

bool SameStorage(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() == Type::EXTENSION) {
    return SameStorage(*static_cast<const arrow::ExtensionType&>(a).storage_type(), b);
  }
  if (b.id() == Type::EXTENSION) {
    return SameStorage(a, *static_cast<const arrow::ExtensionType&>(b).storage_type());
  }
  if (a.id() != b.id()) {
    return false;
  }
  switch (a.id()) {
    case Type::STRUCT:
      return SameChildren(a, b, true);
    case Type::LIST:
    case Type::LARGE_LIST:
      return SameChildren(a, b, false);
    case Type::MAP: {
      const auto& left = static_cast<const arrow::MapType&>(a);
      const auto& right = static_cast<const arrow::MapType&>(b);
      return SameStorage(*left.key_type(), *right.key_type()) &&
             SameStorage(*left.item_type(), *right.item_type());
    }
    case Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::FixedSizeListType&>(a).list_size() ==
                 static_cast<const arrow::FixedSizeListType&>(b).list_size() &&
             SameChildren(a, b, false);
    default:
      return a.Equals(b);
  }
}

std::shared_ptr<const arrow::KeyValueMetadata> ArrowMetadata(const Field& field) {
  if (field.metadata.empty()) {
    return nullptr;
  }
  auto out = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : field.metadata) {
    out->Append(key, value);
  }
  return out;
}

arrow::Result<ArrayPtr> ZipColumn(const ZipNode& node, arrow::ArrayVector* paths, int64_t length,
                                  const LeafFinisher& finisher, arrow::MemoryPool* pool) {
  return Zipper(paths, finisher, pool).Zip(node, length);
}

}  // namespace glaive::file
