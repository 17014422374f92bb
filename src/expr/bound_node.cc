#include "expr/bound_node.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

constexpr size_t kShownInErrors = 300;

arrow::Status Explain(const BoundNode& node, const arrow::Status& status) {
  const bool ours = status.detail() != nullptr;
  if (ours && status.message().find(", in the expression ") != std::string::npos) return status;
  const ErrorCode code = ours ? ErrorCodeOf(status) : ErrorCode::kInvalidArgument;
  if (status.IsOutOfMemory() || status.IsCancelled()) return status;
  return MakeError(code,
                   Concat(status.message(), ", in the expression ", Print(node, kShownInErrors)));
}

void PrintTo(const BoundNode& node, size_t limit, std::string* out) {
  if (out->size() >= limit) return;
  *out += node.opening;
  for (size_t i = 0; i < node.children.size() && out->size() < limit; ++i) {
    if (i > 0) *out += node.separator;
    PrintTo(*node.children[i], limit, out);
  }
  *out += node.closing;
}

}  // namespace

arrow::Result<Scope> Scope::Select(const ArrayPtr& rows) const {
  Scope chosen = *this;
  chosen.num_rows = rows->length();
  chosen.selection = rows;
  if (selection != nullptr) {
    ARROW_ASSIGN_OR_RAISE(chosen.selection, TakeRows(selection, rows, pool));
  }
  for (arrow::Datum& variable : chosen.variables) {
    if (!variable.is_array()) continue;
    ARROW_ASSIGN_OR_RAISE(ArrayPtr taken, TakeRows(variable.make_array(), rows, pool));
    variable = std::move(taken);
  }
  return chosen;
}

arrow::Result<arrow::Datum> Evaluate(const BoundNode& node, const Scope& scope) {
  if (node.value != nullptr) return arrow::Datum(node.value);
  if (node.lazy) return node.lazy(node, scope);
  Operands operands;
  operands.reserve(node.children.size());
  for (const BoundPtr& child : node.children) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum operand, Evaluate(*child, scope));
    operands.push_back(std::move(operand));
  }
  arrow::Result<arrow::Datum> result = node.eager(operands, scope);
  if (!result.ok()) return Explain(node, result.status());
  return result;
}

arrow::Result<ArrayPtr> AsArray(const arrow::Datum& datum, const Scope& scope) {
  if (datum.is_scalar()) {
    return arrow::MakeArrayFromScalar(*datum.scalar(), scope.num_rows, scope.pool);
  }
  return datum.make_array();
}

arrow::Result<ArrayPtr> EvaluateArray(const BoundNode& node, const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum datum, Evaluate(node, scope));
  return AsArray(datum, scope);
}

std::string Print(const BoundNode& node, size_t limit) {
  std::string text;
  PrintTo(node, limit, &text);
  if (text.size() > limit) text = text.substr(0, limit) + "...";
  return text;
}

BoundPtr MakeLiteral(ScalarPtr value, bool flexible) {
  auto node = std::make_shared<BoundNode>();
  node->type = value->type;
  node->opening = LiteralText(*value);
  node->value = std::move(value);
  node->flexible = flexible;
  return node;
}

BoundPtr Finish(std::shared_ptr<BoundNode> node, const Scope& folding) {
  bool constant = true;
  for (const BoundPtr& child : node->children) {
    node->can_fail |= child->can_fail;
    node->is_volatile |= child->is_volatile;
    node->costly |= child->costly;
    constant &= child->value != nullptr;
  }
  if (!constant || node->is_volatile) return node;
  Scope one = folding;
  one.num_rows = 1;
  auto folded = Evaluate(*node, one);
  // What fails is left to fail where it is evaluated, if it is.
  if (!folded.ok()) return node;
  if (folded->is_scalar()) return MakeLiteral(folded->scalar(), false);
  auto scalar = folded->make_array()->GetScalar(0);
  return scalar.ok() ? MakeLiteral(*scalar, false) : BoundPtr(node);
}

std::shared_ptr<BoundNode> MakeOperation(TypePtr type, std::vector<BoundPtr> children,
                                         std::string opening, std::string separator,
                                         std::string closing) {
  auto node = std::make_shared<BoundNode>();
  node->type = std::move(type);
  node->children = std::move(children);
  node->opening = std::move(opening);
  node->separator = std::move(separator);
  node->closing = std::move(closing);
  return node;
}

arrow::Result<BoundPtr> MakeCast(const BoundPtr& node, const TypePtr& type, bool try_cast,
                                 const Scope& folding) {
  if (node->type->Equals(*type)) return node;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr none, arrow::MakeEmptyArray(node->type, folding.pool));
  ARROW_RETURN_NOT_OK(CastTo(none, type, try_cast, folding.pool));
  auto cast = MakeOperation(type, {node}, try_cast ? "TRY_CAST(" : "CAST(", "",
                            " AS " + type->ToString() + ")");
  // To the same numbers and to text from numbers nothing fails; that is not worth telling apart.
  cast->can_fail = !try_cast && node->type->id() != arrow::Type::NA;
  cast->eager = [type, try_cast](const Operands& operands,
                                 const Scope& scope) -> arrow::Result<arrow::Datum> {
    return CastTo(operands[0], type, try_cast, scope.pool);
  };
  return Finish(std::move(cast), folding);
}

arrow::Result<BoundPtr> MakeAssignment(const BoundPtr& node, const TypePtr& type,
                                       const Scope& folding) {
  if (node->type->Equals(*type)) return node;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr none, arrow::MakeEmptyArray(node->type, folding.pool));
  ARROW_RETURN_NOT_OK(AssignTo(none, type, folding.pool));
  auto cast = MakeOperation(type, {node}, "CAST(", "", " AS " + type->ToString() + ")");
  cast->can_fail = true;
  cast->eager = [type](const Operands& operands, const Scope& scope) {
    return AssignTo(operands[0], type, scope.pool);
  };
  return Finish(std::move(cast), folding);
}

arrow::Result<arrow::Datum> Run(const char* name, const Operands& operands, const Scope& scope,
                                const arrow::compute::FunctionOptions* options) {
  arrow::compute::ExecContext context(scope.pool);
  return arrow::compute::CallFunction(name, operands, options, &context);
}

arrow::Result<ArrayPtr> TakeRows(const ArrayPtr& values, const ArrayPtr& rows,
                                 arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum taken,
      arrow::compute::Take(values, rows, arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return taken.make_array();
}

}  // namespace glaive::expr
