#include "expr/binder.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/arithmetic.h"
#include "expr/compare.h"
#include "expr/element.h"
#include "expr/like.h"
#include "expr/logic.h"
#include "expr/nearest.h"
#include "expr/parse.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

std::string JoinPath(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

std::string Listed(const std::vector<std::string_view>& names) {
  constexpr size_t kShown = 50;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  if (names.size() > kShown) text += Concat(" and ", names.size() - kShown, " more");
  return text;
}

// Index of the field: exactly, or without case if only one fits. -1: none, -2: several.
int FindField(const arrow::FieldVector& fields, const std::string& name) {
  int exact = -1;
  int folded = -1;
  const std::string lower = Lower(name);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i]->name() == name) {
      if (exact >= 0) return -2;
      exact = static_cast<int>(i);
    } else if (Lower(fields[i]->name()) == lower) {
      folded = folded == -1 ? static_cast<int>(i) : -2;
    }
  }
  return exact >= 0 ? exact : folded;
}

arrow::Status NoField(const arrow::FieldVector& fields, const std::string& name, int found,
                      const std::string& inside) {
  std::vector<std::string_view> names;
  for (const auto& field : fields) names.push_back(field->name());
  const std::string where = inside.empty() ? "" : Concat(" in ", inside);
  if (found == -2) {
    return InvalidArgument("'", name, "' names several columns", where,
                           "; write the exact name of one of: ", Listed(names));
  }
  const std::string_view nearest = Nearest(name, names);
  return InvalidArgument("unknown column '", name, "'", where,
                         nearest.empty() ? "" : Concat("; did you mean '", nearest, "'?"),
                         nearest.empty() ? "; valid names: " : " Valid names: ", Listed(names));
}

arrow::Result<ArrayPtr> ReadColumn(const arrow::RecordBatch& batch,
                                   const std::vector<std::string>& path, const Scope& scope) {
  ArrayPtr array = batch.GetColumnByName(path[0]);
  for (size_t i = 1; array != nullptr && i < path.size(); ++i) {
    if (array->type_id() != Type::STRUCT) return InternalError("no struct above ", JoinPath(path));
    const auto& parent = static_cast<const arrow::StructArray&>(*array);
    const int at = parent.struct_type()->GetFieldIndex(path[i]);
    if (at < 0) {
      array = nullptr;
      break;
    }
    ARROW_ASSIGN_OR_RAISE(array, parent.GetFlattenedField(at, scope.pool));
  }
  if (array == nullptr) return InternalError("the batch has no column ", JoinPath(path));
  return array;
}

constexpr std::string_view kFilterNames[] = {"array_filter", "list_filter"};
constexpr std::string_view kTransformNames[] = {"array_transform", "list_transform"};
constexpr std::string_view kAnyNames[] = {"any_match", "array_any_match", "list_any_match"};
constexpr std::string_view kAllNames[] = {"all_match", "array_all_match", "list_all_match"};

template <size_t N>
bool OneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

arrow::Result<BoundPtr> MakeColumn(const std::vector<std::string>& path, const TypePtr& type,
                                   bool nested) {
  auto node = MakeOperation(type, {}, JoinPath(path), "", "");
  node->column = path;
  node->lazy = [](const BoundNode& self, const Scope& scope) -> arrow::Result<Datum> {
    if (scope.batch == nullptr) return InternalError("a column while folding constants");
    ARROW_ASSIGN_OR_RAISE(ArrayPtr array, ReadColumn(*scope.batch, self.column, scope));
    if (array->type() != self.type && !array->type()->Equals(*self.type)) {
      return InternalError("column ", self.opening, " of the batch is ", array->type()->ToString(),
                           ", bound as ", self.type->ToString());
    }
    if (scope.selection == nullptr) return Datum(array);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr chosen, TakeRows(array, scope.selection, scope.pool));
    return Datum(chosen);
  };
  return BoundPtr(std::move(node));
}

Binder::Binder(const arrow::Schema& schema, const BindOptions& options)
    : schema_(schema), options_(options) {
  scope_.num_rows = 1;
  scope_.now_nanos = options.now_nanos;
  scope_.pool = options.pool == nullptr ? arrow::default_memory_pool() : options.pool;
}

arrow::Result<BoundPtr> Binder::Bind(const Node& node) {
  GLAIVE_CHECK_ARGUMENT(depth_ < kMaxDepth, "the expression is nested deeper than ", kMaxDepth,
                        " levels");
  ++depth_;
  arrow::Result<BoundPtr> bound = Dispatch(node);
  --depth_;
  // The innermost node that fails shows its place.
  if (bound.ok() || placed_ || node.source == nullptr) return bound;
  placed_ = true;
  return MakeError(ErrorCodeOf(bound.status()), Concat(bound.status().message(), " ",
                                                       Locate(*node.source, node.begin, node.end)));
}

arrow::Result<std::vector<BoundPtr>> Binder::BindAll(const Node& node, size_t first) {
  std::vector<BoundPtr> bound;
  for (size_t i = first; i < node.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr child, Bind(*node.children[i]));
    bound.push_back(std::move(child));
  }
  return bound;
}

arrow::Result<BoundPtr> Binder::Dispatch(const Node& node) {
  switch (node.kind) {
    case NodeKind::kLiteral:
      return MakeLiteral(node.literal, true);
    case NodeKind::kColumn:
      return Column(node);
    case NodeKind::kParameter:
      return Parameter(node);
    case NodeKind::kUnary:
      return Unary(node);
    case NodeKind::kBinary:
      return Binary(node);
    case NodeKind::kBetween:
      return Between(node);
    case NodeKind::kCase:
      return Case(node);
    case NodeKind::kCall:
      return Call(node);
    case NodeKind::kLambda:
      return InvalidArgument(
          "a lambda can only be an argument of array_filter, array_transform, "
          "any_match and all_match");
    case NodeKind::kError:
      return InvalidArgument(node.name);
    default:
      break;
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<BoundPtr> children, BindAll(node, 0));
  if (node.kind == NodeKind::kArray) return BindArray(children, scope_);
  GLAIVE_CHECK_ARGUMENT(!children.empty(), "an expression without operands");
  const BoundPtr value = children[0];
  switch (node.kind) {
    case NodeKind::kIn:
      children.erase(children.begin());
      return BindIn(value, children, node.negated, scope_);
    case NodeKind::kIs:
      return BindIs(value, node.test, node.negated, scope_);
    case NodeKind::kCast:
      return MakeCast(value, node.type, node.try_cast, scope_);
    case NodeKind::kMember:
      return BindMember(value, node.name, scope_);
    default:
      break;
  }
  GLAIVE_CHECK_ARGUMENT(children.size() == 2, "an expression of two operands has ",
                        children.size());
  if (node.kind == NodeKind::kLike) {
    return BindLike(node.op, value, children[1], node.escape, node.negated, scope_);
  }
  if (node.kind == NodeKind::kQuantified) {
    return BindQuantified(node.op, node.negated, value, children[1], scope_);
  }
  if (node.kind == NodeKind::kSubscript) return BindSubscript(value, children[1], scope_);
  // x IN list column
  return BindQuantified(node.negated ? Op::kNe : Op::kEq, node.negated, value, children[1], scope_);
}

arrow::Result<BoundPtr> Binder::Column(const Node& node) {
  GLAIVE_CHECK_ARGUMENT(!node.path.empty(), "a column without a name");
  for (size_t i = variables_.size(); i-- > 0;) {
    if (variables_[i].name != node.path[0]) continue;
    auto variable = MakeOperation(variables_[i].type, {}, variables_[i].name, "", "");
    variable->lazy = [i](const BoundNode&, const Scope& scope) -> arrow::Result<Datum> {
      if (i >= scope.variables.size()) return InternalError("a variable while folding constants");
      return scope.variables[i];
    };
    BoundPtr value = std::move(variable);
    for (size_t k = 1; k < node.path.size(); ++k) {
      ARROW_ASSIGN_OR_RAISE(value, BindMember(value, node.path[k], scope_));
    }
    return value;
  }
  std::vector<std::string> path;
  size_t used = 1;
  int at = FindField(schema_.fields(), node.path[0]);
  if (at < 0 && node.path.size() > 1) {
    // A column whose name has dots.
    const int whole = FindField(schema_.fields(), JoinPath(node.path));
    if (whole >= 0) {
      at = whole;
      used = node.path.size();
    }
  }
  if (at < 0) return NoField(schema_.fields(), node.path[0], at, "");
  TypePtr type = schema_.field(at)->type();
  path.push_back(schema_.field(at)->name());
  while (used < node.path.size() && type->id() == Type::STRUCT) {
    const int child = FindField(type->fields(), node.path[used]);
    if (child < 0) return NoField(type->fields(), node.path[used], child, JoinPath(path));
    path.push_back(type->field(child)->name());
    type = type->field(child)->type();
    ++used;
  }
  columns_.insert(path);
  ARROW_ASSIGN_OR_RAISE(BoundPtr value, MakeColumn(path, type, path.size() > 1));
  for (; used < node.path.size(); ++used) {
    ARROW_ASSIGN_OR_RAISE(value, BindMember(value, node.path[used], scope_));
  }
  return value;
}

arrow::Result<BoundPtr> Binder::Parameter(const Node& node) {
  const Parameters* parameters = options_.parameters;
  if (node.name.empty()) {
    const size_t given = parameters == nullptr ? 0 : parameters->positional.size();
    GLAIVE_CHECK_ARGUMENT(node.ordinal >= 1 && static_cast<size_t>(node.ordinal) <= given,
                          "no value for parameter $", node.ordinal, "; ", given,
                          " positional values were given");
    return MakeLiteral(parameters->positional[static_cast<size_t>(node.ordinal) - 1].scalar(),
                       true);
  }
  if (parameters != nullptr) {
    const auto found = parameters->named.find(node.name);
    if (found != parameters->named.end()) return MakeLiteral(found->second.scalar(), true);
  }
  std::vector<std::string_view> names;
  if (parameters != nullptr) {
    for (const auto& entry : parameters->named) names.push_back(entry.first);
  }
  return InvalidArgument("no value for parameter :", node.name,
                         "; given: ", names.empty() ? "none" : Listed(names));
}

arrow::Result<BoundPtr> Binder::Unary(const Node& node) {
  GLAIVE_CHECK_ARGUMENT(node.children.size() == 1, "a unary operator with ", node.children.size(),
                        " operands");
  ARROW_ASSIGN_OR_RAISE(BoundPtr operand, Bind(*node.children[0]));
  if (node.op == Op::kNot) return BindNot(operand, scope_);
  return BindSign(node.op, operand, scope_);
}

// Chains of AND and OR are as long as their text, so they are not walked by recursion.
arrow::Result<BoundPtr> Binder::Logic(const Node& node) {
  std::vector<const Node*> open{&node};
  std::vector<BoundPtr> terms;
  while (!open.empty()) {
    const Node* next = open.back();
    open.pop_back();
    if (next->kind == NodeKind::kBinary && next->op == node.op) {
      for (size_t i = next->children.size(); i-- > 0;) open.push_back(next->children[i].get());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(BoundPtr term, Bind(*next));
    terms.push_back(std::move(term));
  }
  return BindLogic(node.op, std::move(terms), scope_);
}

arrow::Result<BoundPtr> Binder::Binary(const Node& node) {
  if (node.op == Op::kAnd || node.op == Op::kOr) return Logic(node);
  GLAIVE_CHECK_ARGUMENT(node.children.size() == 2, "a binary operator with ", node.children.size(),
                        " operands");
  ARROW_ASSIGN_OR_RAISE(BoundPtr left, Bind(*node.children[0]));
  ARROW_ASSIGN_OR_RAISE(BoundPtr right, Bind(*node.children[1]));
  switch (node.op) {
    case Op::kEq:
    case Op::kNe:
    case Op::kLt:
    case Op::kLe:
    case Op::kGt:
    case Op::kGe:
    case Op::kDistinct:
    case Op::kNotDistinct:
      return BindComparison(node.op, left, right, scope_);
    default:
      return BindArithmetic(node.op, left, right, scope_);
  }
}

arrow::Result<BoundPtr> Binder::Between(const Node& node) {
  ARROW_ASSIGN_OR_RAISE(std::vector<BoundPtr> children, BindAll(node, 0));
  GLAIVE_CHECK_ARGUMENT(children.size() == 3, "BETWEEN with ", children.size(), " operands");
  ARROW_ASSIGN_OR_RAISE(BoundPtr low, BindComparison(node.negated ? Op::kLt : Op::kGe, children[0],
                                                     children[1], scope_));
  ARROW_ASSIGN_OR_RAISE(BoundPtr high, BindComparison(node.negated ? Op::kGt : Op::kLe, children[0],
                                                      children[2], scope_));
  return BindLogic(node.negated ? Op::kOr : Op::kAnd, {low, high}, scope_);
}

arrow::Result<BoundPtr> Binder::Case(const Node& node) {
  ARROW_ASSIGN_OR_RAISE(std::vector<BoundPtr> children, BindAll(node, 0));
  const size_t first = node.has_operand ? 1 : 0;
  const size_t last = children.size() - (node.has_else ? 1 : 0);
  GLAIVE_CHECK_ARGUMENT(
      children.size() >= first + (node.has_else ? 1 : 0) + 2 && (last - first) % 2 == 0,
      "a malformed CASE");
  std::vector<BoundPtr> conditions;
  std::vector<BoundPtr> results;
  for (size_t i = first; i < last; i += 2) {
    BoundPtr condition = children[i];
    if (node.has_operand) {
      ARROW_ASSIGN_OR_RAISE(condition, BindComparison(Op::kEq, children[0], condition, scope_));
    }
    conditions.push_back(std::move(condition));
    results.push_back(children[i + 1]);
  }
  results.push_back(node.has_else ? children.back()
                                  : MakeLiteral(arrow::MakeNullScalar(arrow::null()), true));
  return BindCase(conditions, results, scope_);
}

// Functions that are CASE in disguise: arguments that do not matter are not evaluated.
arrow::Result<BoundPtr> Binder::Conditional(const Node& node, std::string_view name, bool* is_one) {
  const size_t count = node.children.size();
  const bool choose = (name == "if" || name == "iff") && (count == 2 || count == 3);
  const bool nvl2 = name == "nvl2" && count == 3;
  const bool nullif = name == "nullif" && count == 2;
  const bool nvl = (name == "coalesce" || name == "nvl" || name == "ifnull") && count >= 2;
  *is_one = choose || nvl2 || nullif || nvl;
  if (!*is_one) return BoundPtr();
  ARROW_ASSIGN_OR_RAISE(std::vector<BoundPtr> arguments, BindAll(node, 0));
  const BoundPtr null = MakeLiteral(arrow::MakeNullScalar(arrow::null()), true);
  if (choose) {
    return BindCase({arguments[0]}, {arguments[1], count == 3 ? arguments[2] : null}, scope_);
  }
  if (nullif) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr same,
                          BindComparison(Op::kEq, arguments[0], arguments[1], scope_));
    return BindCase({same}, {null, arguments[0]}, scope_);
  }
  if (nvl2) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr known, BindIs(arguments[0], IsTest::kNull, true, scope_));
    return BindCase({known}, {arguments[1], arguments[2]}, scope_);
  }
  bool can_fail = false;
  for (const BoundPtr& argument : arguments) can_fail |= argument->can_fail;
  *is_one = can_fail;
  if (!can_fail) return BoundPtr();  // the kernel is faster
  std::vector<BoundPtr> conditions;
  for (size_t i = 0; i + 1 < count; ++i) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr known, BindIs(arguments[i], IsTest::kNull, true, scope_));
    conditions.push_back(std::move(known));
  }
  return BindCase(conditions, arguments, scope_);
}

arrow::Result<BoundPtr> Binder::CallLambda(const Node& node, std::string_view name) {
  GLAIVE_CHECK_ARGUMENT(node.children.size() == 2 && node.children[1]->kind == NodeKind::kLambda,
                        name, " takes a list and a lambda, as in ", name, "(tags, t -> t = 'x')");
  const Node& lambda = *node.children[1];
  GLAIVE_CHECK_ARGUMENT(lambda.path.size() == 1 && lambda.children.size() == 1, "the lambda of ",
                        name, " takes one parameter");
  ARROW_ASSIGN_OR_RAISE(BoundPtr list, Bind(*node.children[0]));
  const TypePtr element = ElementType(*list->type);
  if (element == nullptr) {
    return TypeMismatch("argument 1 of ", name, " must be a list; ", Print(*list, 100), " is ",
                        list->type->ToString());
  }
  const size_t depth = variables_.size();
  variables_.push_back({lambda.path[0], element});
  scope_.variables.emplace_back();
  auto body = Bind(*lambda.children[0]);
  variables_.pop_back();
  scope_.variables.pop_back();
  ARROW_RETURN_NOT_OK(body.status());
  LambdaKind kind = LambdaKind::kAll;
  if (OneOf(name, kFilterNames)) kind = LambdaKind::kFilter;
  if (OneOf(name, kTransformNames)) kind = LambdaKind::kTransform;
  if (OneOf(name, kAnyNames)) kind = LambdaKind::kAny;
  return BindOverElements(kind, list, *body, depth, scope_);
}

arrow::Result<BoundPtr> Binder::CallRegistered(const Node& node, const std::string& name) {
  const Function* function = FindFunction(name);
  if (function == nullptr) {
    const std::string nearest = NearestFunction(name);
    return InvalidArgument("unknown function '", node.name, "'",
                           nearest.empty() ? "" : Concat("; did you mean '", nearest, "'?"));
  }
  const auto count = static_cast<int>(node.children.size());
  if (count < function->min_arguments ||
      (function->max_arguments >= 0 && count > function->max_arguments)) {
    return InvalidArgument(function->name, " takes ", function->min_arguments,
                           function->max_arguments < 0 ? " or more"
                           : function->max_arguments == function->min_arguments
                               ? ""
                               : Concat(" to ", function->max_arguments),
                           " arguments, ", count, " were given: ", function->usage);
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<BoundPtr> arguments, BindAll(node, 0));
  CallSite site;
  site.name = function->name;
  for (const BoundPtr& argument : arguments) {
    site.types.push_back(argument->type);
    site.constants.push_back(argument->value);
  }
  ARROW_ASSIGN_OR_RAISE(Signature resolved, function->resolve(site));
  auto signature = std::make_shared<const Signature>(std::move(resolved));
  GLAIVE_CHECK_ARGUMENT(signature->arguments.size() == arguments.size(), function->name,
                        ": resolved to another number of arguments");
  for (size_t i = 0; i < arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arguments[i],
                          MakeCast(arguments[i], signature->arguments[i], false, scope_));
  }
  auto call =
      MakeOperation(signature->result, std::move(arguments), function->name + "(", ", ", ")");
  call->can_fail = true;
  call->costly = true;
  call->is_volatile = function->volatility == Volatility::kVolatile;
  call->eager = [function, signature](const Operands& operands,
                                      const Scope& scope) -> arrow::Result<Datum> {
    glaive::expr::Call values;
    values.signature = signature.get();
    values.arguments = operands;
    values.num_rows = scope.num_rows;
    values.now_nanos = scope.now_nanos;
    values.pool = scope.pool;
    ARROW_ASSIGN_OR_RAISE(Datum result, function->evaluate(values));
    const bool right_length = result.is_scalar() || result.length() == scope.num_rows;
    if (!right_length || !result.type()->Equals(*signature->result)) {
      return InternalError(function->name, " gave ", result.type()->ToString(), ", promised ",
                           signature->result->ToString());
    }
    return result;
  };
  return Finish(std::move(call), scope_);
}

arrow::Result<BoundPtr> Binder::Call(const Node& node) {
  const std::string name = Lower(node.name);
  if (OneOf(name, kFilterNames) || OneOf(name, kTransformNames) || OneOf(name, kAnyNames) ||
      OneOf(name, kAllNames)) {
    return CallLambda(node, name);
  }
  bool is_one = false;
  ARROW_ASSIGN_OR_RAISE(BoundPtr conditional, Conditional(node, name, &is_one));
  if (is_one) return conditional;
  return CallRegistered(node, name);
}

}  // namespace glaive::expr
