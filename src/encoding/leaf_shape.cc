#include "encoding/leaf_shape.h"

#include <utility>

#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

namespace glaive::encoding {
namespace {

using arrow::DataType;
using arrow::Type;

bool IsListLike(const DataType& type) {
  return type.id() == Type::LIST || type.id() == Type::LARGE_LIST || type.id() == Type::MAP ||
         type.id() == Type::FIXED_SIZE_LIST;
}

// True if a struct is met on the way down through lists.
bool LeadsToStruct(const DataType& type) {
  const DataType* at = &type;
  while (IsListLike(*at)) {
    at = at->field(0)->type().get();
  }
  return at->id() == Type::STRUCT;
}

bool LeadsToList(const DataType& type) {
  const DataType* at = &type;
  while (at->id() == Type::FIXED_SIZE_LIST) {
    at = at->field(0)->type().get();
  }
  return at->id() == Type::LIST || at->id() == Type::LARGE_LIST;
}

// True if `type` is a node on the way, false if it is the leaf.
bool IsNode(const DataType& type, LeafKind kind) {
  switch (type.id()) {
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
      return true;
    case Type::FIXED_SIZE_LIST:
      return LeadsToStruct(type) || LeadsToList(type);
    case Type::STRUCT:
      if (kind == LeafKind::kPrimitive) {
        return type.num_fields() > 0;
      }
      // The packed struct is the innermost one: its members hold no struct.
      return type.num_fields() == 1 && LeadsToStruct(*type.field(0)->type());
    default:
      return false;
  }
}

arrow::Result<LeafShape> MakeFixedSizeListShape(const std::shared_ptr<DataType>& type) {
  LeafShape shape;
  shape.type = type;
  shape.storage = LeafStorage::kFixedSizeList;
  const DataType* at = type.get();
  uint64_t items = 1;
  while (at->id() == Type::FIXED_SIZE_LIST) {
    const int32_t dimension = static_cast<const arrow::FixedSizeListType*>(at)->list_size();
    GLAIVE_CHECK_ARGUMENT(dimension >= 0 &&
                              CheckedMul(items, static_cast<uint64_t>(dimension), &items) &&
                              items <= INT32_MAX,
                          "a fixed-size list of ", type->ToString());
    GLAIVE_CHECK_ARGUMENT(shape.dimensions.size() < kMaxNesting, "lists nested too deep");
    shape.dimensions.push_back(dimension);
    at = at->field(0)->type().get();
  }
  if (!arrow::is_fixed_width(at->id()) || at->id() == Type::DICTIONARY) {
    return Unsupported("type ", type->ToString(),
                       ": a fixed-size list holds values of fixed width");
  }
  shape.item_bits =
      static_cast<uint64_t>(static_cast<const arrow::FixedWidthType*>(at)->bit_width());
  GLAIVE_CHECK_ARGUMENT(CheckedMul(items, shape.item_bits, &shape.bits), "type ", type->ToString(),
                        " is too wide");
  return shape;
}

arrow::Result<LeafShape> MakeStructShape(const std::shared_ptr<DataType>& type) {
  LeafShape shape;
  shape.type = type;
  shape.storage = LeafStorage::kStruct;
  for (const auto& field : type->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto member, MakeLeafShape(field->type(), LeafKind::kPrimitive));
    const bool fits =
        member.storage == LeafStorage::kVariable ||
        ((member.storage == LeafStorage::kFixed || member.storage == LeafStorage::kFixedSizeList) &&
         member.bits % 8 == 0);
    if (!fits) {
      return Unsupported("packed struct with field '", field->name(), "' of type ",
                         field->type()->ToString());
    }
    shape.bits += member.bits;
    shape.fields.push_back(std::move(member));
  }
  return shape;
}

}  // namespace

arrow::Result<LeafShape> MakeLeafShape(const std::shared_ptr<DataType>& type, LeafKind kind) {
  LeafShape shape;
  shape.type = type;
  switch (type->id()) {
    case Type::NA:
      shape.storage = LeafStorage::kNull;
      return shape;
    case Type::STRUCT:
      if (type->num_fields() == 0) {
        shape.storage = LeafStorage::kEmptyStruct;
        return shape;
      }
      GLAIVE_CHECK_ARGUMENT(kind != LeafKind::kPrimitive,
                            "a struct with members is not a leaf: ", type->ToString());
      return MakeStructShape(type);
    case Type::STRING:
    case Type::BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      shape.storage = LeafStorage::kVariable;
      shape.offset_bits = arrow::is_large_binary_like(type->id()) ? 64 : 32;
      shape.is_utf8 = type->id() == Type::STRING || type->id() == Type::LARGE_STRING;
      return shape;
    case Type::DICTIONARY:
      shape.storage = LeafStorage::kDictionary;
      shape.bits =
          static_cast<uint64_t>(static_cast<const arrow::DictionaryType&>(*type).bit_width());
      return shape;
    case Type::FIXED_SIZE_LIST:
      return MakeFixedSizeListShape(type);
    default:
      break;
  }
  if (!arrow::is_fixed_width(type->id())) {
    return Unsupported("a column of type ", type->ToString());
  }
  shape.storage = LeafStorage::kFixed;
  shape.bits = static_cast<uint64_t>(static_cast<const arrow::FixedWidthType&>(*type).bit_width());
  return shape;
}

arrow::Result<PathShape> MakePathShape(const LeafDescriptor& leaf) {
  GLAIVE_CHECK_ARGUMENT(leaf.path_type != nullptr, "leaf '", leaf.name, "' without a type");
  PathShape shape;
  std::shared_ptr<DataType> type = leaf.path_type;
  bool below_list = false;
  while (IsNode(*type, leaf.kind)) {
    GLAIVE_CHECK_ARGUMENT(shape.nodes.size() + 1 < kMaxNesting, "leaf '", leaf.name,
                          "' nested deeper than ", kMaxNesting);
    PathNode node;
    node.type = type;
    switch (type->id()) {
      case Type::STRUCT:
        GLAIVE_CHECK_ARGUMENT(type->num_fields() == 1, "path type of leaf '", leaf.name,
                              "' has a struct of ", type->num_fields(),
                              " members, expected 1: ", leaf.path_type->ToString());
        node.kind = NodeKind::kStruct;
        break;
      case Type::LIST:
        node.kind = NodeKind::kList;
        break;
      case Type::LARGE_LIST:
        node.kind = NodeKind::kLargeList;
        break;
      case Type::FIXED_SIZE_LIST:
        node.kind = NodeKind::kFixedSizeList;
        node.dimension = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
        GLAIVE_CHECK_ARGUMENT(node.dimension > 0, "leaf '", leaf.name, "': fixed-size list of ",
                              node.dimension, " structs");
        GLAIVE_CHECK_ARGUMENT(
            CheckedMul(shape.length_per_row, static_cast<uint64_t>(node.dimension),
                       &shape.length_per_row) &&
                shape.length_per_row <= INT32_MAX,
            "leaf '", leaf.name, "' has too many slots per row");
        if (!below_list) {
          shape.slots_per_row *= static_cast<uint64_t>(node.dimension);
        }
        break;
      default:
        return InvalidArgument("path type of leaf '", leaf.name, "' holds ", type->ToString(),
                               "; a map on the way is a list<struct<one member>>");
    }
    below_list = below_list || node.is_list();
    auto next = type->field(0)->type();
    shape.nodes.push_back(std::move(node));
    type = std::move(next);
  }
  ARROW_ASSIGN_OR_RAISE(shape.leaf, MakeLeafShape(type, leaf.kind));
  return shape;
}

}  // namespace glaive::encoding
