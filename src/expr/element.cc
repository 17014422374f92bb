#include "expr/element.h"

#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/compare.h"
#include "expr/logic.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

// A list column as elements in a row, and where each list begins and ends among them.
struct Lists {
  ArrayPtr elements;
  std::vector<int64_t> ends;  // of list i, starting at ends[i - 1]
  std::vector<bool> valid;
  ArrayPtr parents;  // int64, the list of each element

  int64_t begin(size_t row) const { return row == 0 ? 0 : ends[row - 1]; }
};

arrow::Result<Lists> Flatten(const ArrayPtr& array, const Scope& scope) {
  Lists lists;
  ARROW_ASSIGN_OR_RAISE(Datum lengths, Run("list_value_length", {array}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum wide, CastTo(lengths, arrow::int64(), false, scope.pool));
  const ArrayPtr holder = wide.make_array();
  const auto& sizes = static_cast<const arrow::Int64Array&>(*holder);
  arrow::Int64Builder parents(scope.pool);
  int64_t end = 0;
  for (int64_t i = 0; i < sizes.length(); ++i) {
    const int64_t size = sizes.IsValid(i) ? sizes.Value(i) : 0;
    for (int64_t k = 0; k < size; ++k) ARROW_RETURN_NOT_OK(parents.Append(i));
    end += size;
    lists.ends.push_back(end);
    lists.valid.push_back(sizes.IsValid(i));
  }
  ARROW_ASSIGN_OR_RAISE(lists.parents, parents.Finish());
  ARROW_ASSIGN_OR_RAISE(Datum flat, Run("list_flatten", {array}, scope));
  lists.elements = flat.make_array();
  return lists;
}

arrow::Result<Datum> MakeLists(const TypePtr& type, const std::vector<int64_t>& ends,
                               const std::vector<bool>& valid, const ArrayPtr& elements,
                               arrow::MemoryPool* pool) {
  GLAIVE_CHECK_ARGUMENT(ends.empty() || ends.back() <= std::numeric_limits<int32_t>::max(),
                        "too many list elements for one batch");
  arrow::TypedBufferBuilder<int32_t> offsets(pool);
  arrow::TypedBufferBuilder<bool> validity(pool);
  ARROW_RETURN_NOT_OK(offsets.Append(0));
  for (size_t i = 0; i < ends.size(); ++i) {
    ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(ends[i])));
    ARROW_RETURN_NOT_OK(validity.Append(valid[i]));
  }
  ARROW_ASSIGN_OR_RAISE(auto offset_buffer, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(auto validity_buffer, validity.Finish());
  return Datum(arrow::MakeArray(arrow::ArrayData::Make(type, static_cast<int64_t>(ends.size()),
                                                       {validity_buffer, offset_buffer},
                                                       {elements->data()})));
}

// Any or all of the flags of each list, unknown where nulls leave it open.
arrow::Result<Datum> Summarize(const arrow::Array& flags_in, const Lists& lists, bool all,
                               arrow::MemoryPool* pool) {
  const auto& flags = static_cast<const arrow::BooleanArray&>(flags_in);
  arrow::BooleanBuilder builder(pool);
  for (size_t row = 0; row < lists.ends.size(); ++row) {
    if (!lists.valid[row]) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    bool decided = false;
    bool unknown = false;
    for (int64_t i = lists.begin(row); i < lists.ends[row] && !decided; ++i) {
      if (flags.IsNull(i)) {
        unknown = true;
      } else {
        decided = flags.Value(i) != all;
      }
    }
    if (!decided && unknown) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(builder.Append(decided != all));
    }
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

arrow::Result<Datum> BuildArrays(const TypePtr& type, const Operands& operands,
                                 const Scope& scope) {
  const auto width = static_cast<int64_t>(operands.size());
  std::vector<ArrayPtr> columns;
  for (const Datum& operand : operands) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr column, AsArray(operand, scope));
    columns.push_back(std::move(column));
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr joined, arrow::Concatenate(columns, scope.pool));
  arrow::Int64Builder order(scope.pool);
  std::vector<int64_t> ends;
  for (int64_t row = 0; row < scope.num_rows; ++row) {
    for (int64_t k = 0; k < width; ++k) {
      ARROW_RETURN_NOT_OK(order.Append(k * scope.num_rows + row));
    }
    ends.push_back((row + 1) * width);
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr rows, order.Finish());
  ARROW_ASSIGN_OR_RAISE(ArrayPtr elements, TakeRows(joined, rows, scope.pool));
  return MakeLists(type, ends, std::vector<bool>(ends.size(), true), elements, scope.pool);
}

arrow::Result<Datum> ElementAt(const Operands& operands, const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(ArrayPtr array, AsArray(operands[0], scope));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr index, AsArray(operands[1], scope));
  const auto& wanted = static_cast<const arrow::Int64Array&>(*index);
  ARROW_ASSIGN_OR_RAISE(Datum lengths, Run("list_value_length", {array}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum wide, CastTo(lengths, arrow::int64(), false, scope.pool));
  const ArrayPtr holder = wide.make_array();
  const auto& sizes = static_cast<const arrow::Int64Array&>(*holder);
  ARROW_ASSIGN_OR_RAISE(Datum flat, Run("list_flatten", {array}, scope));
  arrow::Int64Builder rows(scope.pool);
  int64_t begin = 0;
  for (int64_t i = 0; i < sizes.length(); ++i) {
    const int64_t size = sizes.IsValid(i) ? sizes.Value(i) : 0;
    const int64_t at = wanted.IsValid(i) ? wanted.Value(i) : 0;
    const bool from_front = at > 0 && at <= size;
    const bool from_back = at < 0 && at >= -size;
    if (from_front || from_back) {
      ARROW_RETURN_NOT_OK(rows.Append(begin + (from_front ? at - 1 : size + at)));
    } else {
      ARROW_RETURN_NOT_OK(rows.AppendNull());
    }
    begin += size;
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr order, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(ArrayPtr taken, TakeRows(flat.make_array(), order, scope.pool));
  return Datum(taken);
}

arrow::Result<BoundPtr> MapValue(const BoundPtr& map, const BoundPtr& key, const Scope& folding) {
  const auto& type = static_cast<const arrow::MapType&>(*map->type);
  if (key->value == nullptr || !key->value->is_valid) {
    return TypeMismatch("the key of ", Print(*map, 100), " must be a constant; ", Print(*key, 100),
                        " is none");
  }
  ARROW_ASSIGN_OR_RAISE(BoundPtr wanted, MakeCast(key, type.key_type(), false, folding));
  if (wanted->value == nullptr) {
    return TypeMismatch("the keys of ", Print(*map, 100), " are ", type.key_type()->ToString(),
                        ", not ", Print(*key, 100));
  }
  auto node = MakeOperation(type.item_type(), {map}, "", "", Concat("[", Print(*key, 100), "]"));
  node->eager = [key_value = wanted->value](const Operands& operands,
                                            const Scope& scope) -> arrow::Result<Datum> {
    const arrow::compute::MapLookupOptions options(key_value,
                                                   arrow::compute::MapLookupOptions::FIRST);
    return Run("map_lookup", {operands[0]}, scope, &options);
  };
  return Finish(std::move(node), folding);
}

int MemberIndex(const arrow::StructType& type, const std::string& name) {
  const int exact = type.GetFieldIndex(name);
  if (exact >= 0) return exact;
  auto fold = [](std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return lower;
  };
  int found = -1;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (fold(type.field(i)->name()) != fold(name)) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

}  // namespace

TypePtr ElementType(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::BaseListType&>(type).value_type();
    default:
      return nullptr;
  }
}

arrow::Result<BoundPtr> BindArray(const std::vector<BoundPtr>& elements, const Scope& folding) {
  ARROW_ASSIGN_OR_RAISE(TypePtr element, TypeOfAll(elements, "the elements of a list", folding));
  const TypePtr type = arrow::list(element);
  if (elements.empty()) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr none, arrow::MakeEmptyArray(element, folding.pool));
    return MakeLiteral(std::make_shared<arrow::ListScalar>(none, type), true);
  }
  std::vector<BoundPtr> children;
  bool flexible = true;
  for (const BoundPtr& node : elements) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr cast, MakeCast(node, element, false, folding));
    flexible &= node->flexible;
    children.push_back(std::move(cast));
  }
  auto node = MakeOperation(type, std::move(children), "[", ", ", "]");
  node->eager = [type](const Operands& operands, const Scope& scope) {
    return BuildArrays(type, operands, scope);
  };
  BoundPtr result = Finish(std::move(node), folding);
  return flexible && result->value != nullptr ? MakeLiteral(result->value, true) : result;
}

arrow::Result<BoundPtr> BindMember(const BoundPtr& value, const std::string& name,
                                   const Scope& folding) {
  if (value->type->id() == Type::MAP) {
    return MapValue(value, MakeLiteral(arrow::MakeScalar(name), true), folding);
  }
  if (value->type->id() != Type::STRUCT) {
    return TypeMismatch(Print(*value, 100), " is ", value->type->ToString(),
                        ", which has no member '", name, "'");
  }
  const auto& type = static_cast<const arrow::StructType&>(*value->type);
  const int at = MemberIndex(type, name);
  if (at < 0) {
    std::string names;
    for (const auto& field : type.fields()) names += (names.empty() ? "" : ", ") + field->name();
    return InvalidArgument(Print(*value, 100), " has no single member '", name,
                           "'; its members: ", names);
  }
  auto node = MakeOperation(type.field(at)->type(), {value}, "", "", "." + type.field(at)->name());
  node->eager = [at](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr array, AsArray(operands[0], scope));
    ARROW_ASSIGN_OR_RAISE(
        ArrayPtr member,
        static_cast<const arrow::StructArray&>(*array).GetFlattenedField(at, scope.pool));
    return Datum(member);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> BindSubscript(const BoundPtr& value, const BoundPtr& index,
                                      const Scope& folding) {
  if (value->type->id() == Type::MAP) return MapValue(value, index, folding);
  if (value->type->id() == Type::STRUCT && index->value != nullptr && index->value->is_valid &&
      arrow::is_base_binary_like(index->type->id())) {
    return BindMember(
        value, std::string(static_cast<const arrow::BaseBinaryScalar&>(*index->value).view()),
        folding);
  }
  const TypePtr element = ElementType(*value->type);
  if (element == nullptr ||
      !(arrow::is_integer(index->type->id()) || index->type->id() == Type::NA)) {
    return TypeMismatch("no element ", Print(*index, 100), " (", index->type->ToString(), ") of ",
                        Print(*value, 100), " (", value->type->ToString(), ")");
  }
  ARROW_ASSIGN_OR_RAISE(BoundPtr at, MakeCast(index, arrow::int64(), false, folding));
  auto node = MakeOperation(element, {value, at}, "", "[", "]");
  node->eager = ElementAt;
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> BindQuantified(Op op, bool all, const BoundPtr& left, const BoundPtr& list,
                                       const Scope& folding) {
  if (list->type->id() == Type::NA) {
    return MakeLiteral(arrow::MakeNullScalar(arrow::boolean()), false);
  }
  const TypePtr element = ElementType(*list->type);
  if (element == nullptr) {
    return TypeMismatch(all ? "ALL" : "ANY", " takes a list; ", Print(*list, 100), " is ",
                        list->type->ToString());
  }
  if (list->value != nullptr && list->value->is_valid &&
      ((op == Op::kEq && !all) || (op == Op::kNe && all))) {
    const auto& elements = *static_cast<const arrow::BaseListScalar&>(*list->value).value;
    std::vector<BoundPtr> members;
    for (int64_t i = 0; i < elements.length(); ++i) {
      ARROW_ASSIGN_OR_RAISE(ScalarPtr member, elements.GetScalar(i));
      members.push_back(MakeLiteral(std::move(member), list->flexible));
    }
    return BindIn(left, members, all, folding);
  }
  // The element as if it were a variable: the usual rules for literals and types then hold.
  auto variable = std::make_shared<BoundNode>();
  variable->type = element;
  variable->opening = "element";
  const size_t depth = folding.variables.size();
  variable->lazy = [depth](const BoundNode&, const Scope& scope) -> arrow::Result<Datum> {
    return scope.variables[depth];
  };
  Scope inner = folding;
  inner.variables.emplace_back();
  ARROW_ASSIGN_OR_RAISE(BoundPtr body, BindComparison(op, left, variable, inner));
  return BindOverElements(all ? LambdaKind::kAll : LambdaKind::kAny, list, body, depth, folding);
}

arrow::Result<BoundPtr> BindOverElements(LambdaKind kind, const BoundPtr& list,
                                         const BoundPtr& body_in, size_t depth,
                                         const Scope& folding) {
  const TypePtr element = ElementType(*list->type);
  if (element == nullptr) {
    return TypeMismatch("a lambda runs over the elements of a list; ", Print(*list, 100), " is ",
                        list->type->ToString());
  }
  BoundPtr body = body_in;
  TypePtr type = arrow::boolean();
  if (kind == LambdaKind::kTransform) {
    type = arrow::list(body->type);
  } else {
    ARROW_ASSIGN_OR_RAISE(body, AsBoolean(body, "what a lambda gives here", folding));
  }
  if (kind == LambdaKind::kFilter) type = arrow::list(element);
  const char* names[] = {"array_filter(", "array_transform(", "any_match(", "all_match("};
  auto node =
      MakeOperation(type, {list, body}, names[static_cast<int>(kind)], ", element -> ", ")");
  node->can_fail = list->can_fail || body->can_fail;
  node->costly = true;
  node->is_volatile = list->is_volatile || body->is_volatile;
  node->lazy = [kind, depth, type](const BoundNode& self,
                                   const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr array, EvaluateArray(*self.children[0], scope));
    ARROW_ASSIGN_OR_RAISE(Lists lists, Flatten(array, scope));
    ARROW_ASSIGN_OR_RAISE(Scope inner, scope.Select(lists.parents));
    inner.variables.resize(depth);
    inner.variables.emplace_back(lists.elements);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr values, EvaluateArray(*self.children[1], inner));
    if (kind == LambdaKind::kTransform) {
      return MakeLists(type, lists.ends, lists.valid, values, scope.pool);
    }
    if (kind != LambdaKind::kFilter) {
      return Summarize(*values, lists, kind == LambdaKind::kAll, scope.pool);
    }
    const auto& flags = static_cast<const arrow::BooleanArray&>(*values);
    arrow::Int64Builder kept(scope.pool);
    std::vector<int64_t> ends;
    for (size_t row = 0; row < lists.ends.size(); ++row) {
      for (int64_t i = lists.begin(row); i < lists.ends[row]; ++i) {
        if (flags.IsValid(i) && flags.Value(i)) ARROW_RETURN_NOT_OK(kept.Append(i));
      }
      ends.push_back(kept.length());
    }
    ARROW_ASSIGN_OR_RAISE(ArrayPtr rows, kept.Finish());
    ARROW_ASSIGN_OR_RAISE(ArrayPtr elements, TakeRows(lists.elements, rows, scope.pool));
    return MakeLists(type, ends, lists.valid, elements, scope.pool);
  };
  return BoundPtr(std::move(node));
}

}  // namespace glaive::expr
