#include "expr/logic.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/compare.h"
#include "expr/literal_fit.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

const arrow::BooleanArray& Booleans(const ArrayPtr& array) {
  return static_cast<const arrow::BooleanArray&>(*array);
}

// Rows that are not `decided` yet: neither false before AND, nor true before OR.
arrow::Result<ArrayPtr> OpenRows(const ArrayPtr& state, bool deciding, arrow::MemoryPool* pool) {
  const auto& flags = Booleans(state);
  arrow::Int64Builder rows(pool);
  for (int64_t i = 0; i < flags.length(); ++i) {
    if (flags.IsNull(i) || flags.Value(i) != deciding) ARROW_RETURN_NOT_OK(rows.Append(i));
  }
  return rows.Finish();
}

// `values` of `rows` back among `num_rows`; null elsewhere.
arrow::Result<ArrayPtr> Scatter(const ArrayPtr& values, const arrow::Int64Array& rows,
                                int64_t num_rows, arrow::MemoryPool* pool) {
  const auto& flags = Booleans(values);
  arrow::BooleanBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
  int64_t next = 0;
  for (int64_t i = 0; i < num_rows; ++i) {
    if (next < rows.length() && rows.Value(next) == i) {
      if (flags.IsNull(next)) {
        builder.UnsafeAppendNull();
      } else {
        builder.UnsafeAppend(flags.Value(next));
      }
      ++next;
    } else {
      builder.UnsafeAppendNull();
    }
  }
  return builder.Finish();
}

int64_t Decided(const ArrayPtr& state, bool deciding) {
  const int64_t trues = Booleans(state).true_count();
  return deciding ? trues : state->length() - state->null_count() - trues;
}

arrow::Result<Datum> NextTerm(const BoundNode& term, const ArrayPtr& state, bool deciding,
                              const Scope& scope) {
  const int64_t open = state->length() - Decided(state, deciding);
  const bool guard = term.can_fail && open < state->length();
  const bool worth = term.costly && open < state->length() / 4;
  if (!guard && !worth) return Evaluate(term, scope);
  ARROW_ASSIGN_OR_RAISE(ArrayPtr rows, OpenRows(state, deciding, scope.pool));
  ARROW_ASSIGN_OR_RAISE(Scope chosen, scope.Select(rows));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr values, EvaluateArray(term, chosen));
  ARROW_ASSIGN_OR_RAISE(
      ArrayPtr spread,
      Scatter(values, static_cast<const arrow::Int64Array&>(*rows), state->length(), scope.pool));
  return Datum(spread);
}

arrow::Result<Datum> EvaluateLogic(const BoundNode& node, bool deciding, const Scope& scope) {
  const char* kernel = deciding ? "or_kleene" : "and_kleene";
  ARROW_ASSIGN_OR_RAISE(Datum state, Evaluate(*node.children[0], scope));
  for (size_t i = 1; i < node.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr flags, AsArray(state, scope));
    if (Decided(flags, deciding) == scope.num_rows) return Datum(flags);
    ARROW_ASSIGN_OR_RAISE(Datum term, NextTerm(*node.children[i], flags, deciding, scope));
    ARROW_ASSIGN_OR_RAISE(state, Run(kernel, {Datum(flags), term}, scope));
  }
  return state;
}

struct Pieces {
  std::vector<ArrayPtr> values;
  std::vector<int64_t> place;  // of each row in the joined values
  int64_t size = 0;

  arrow::Status Add(const BoundNode& node, const ArrayPtr& rows, const Scope& scope) {
    const auto& numbers = static_cast<const arrow::Int64Array&>(*rows);
    if (numbers.length() == 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(Scope chosen, scope.Select(rows));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr piece, EvaluateArray(node, chosen));
    for (int64_t i = 0; i < numbers.length(); ++i) {
      place[static_cast<size_t>(numbers.Value(i))] = size + i;
    }
    size += numbers.length();
    values.push_back(std::move(piece));
    return arrow::Status::OK();
  }
};

arrow::Result<ArrayPtr> AllRows(int64_t count, arrow::MemoryPool* pool) {
  arrow::Int64Builder rows(pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(count));
  for (int64_t i = 0; i < count; ++i) rows.UnsafeAppend(i);
  return rows.Finish();
}

// Splits `rows` by the truth of `flags`, which are in the order of `rows`.
arrow::Status Split(const ArrayPtr& flags, const ArrayPtr& rows, arrow::MemoryPool* pool,
                    ArrayPtr* taken, ArrayPtr* rest) {
  const auto& values = Booleans(flags);
  const auto& numbers = static_cast<const arrow::Int64Array&>(*rows);
  arrow::Int64Builder yes(pool);
  arrow::Int64Builder no(pool);
  for (int64_t i = 0; i < numbers.length(); ++i) {
    const bool is_true = values.IsValid(i) && values.Value(i);
    ARROW_RETURN_NOT_OK((is_true ? yes : no).Append(numbers.Value(i)));
  }
  ARROW_RETURN_NOT_OK(yes.Finish(taken));
  return no.Finish(rest);
}

// children: condition, result, condition, result, …, else.
arrow::Result<Datum> EvaluateCase(const BoundNode& node, const Scope& scope) {
  Pieces pieces;
  pieces.place.resize(static_cast<size_t>(scope.num_rows));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr rest, AllRows(scope.num_rows, scope.pool));
  for (size_t i = 0; i + 1 < node.children.size() && rest->length() > 0; i += 2) {
    ARROW_ASSIGN_OR_RAISE(Scope open, scope.Select(rest));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr flags, EvaluateArray(*node.children[i], open));
    ArrayPtr taken;
    ArrayPtr left;
    ARROW_RETURN_NOT_OK(Split(flags, rest, scope.pool, &taken, &left));
    ARROW_RETURN_NOT_OK(pieces.Add(*node.children[i + 1], taken, scope));
    rest = std::move(left);
  }
  ARROW_RETURN_NOT_OK(pieces.Add(*node.children.back(), rest, scope));
  if (pieces.values.empty()) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr none, arrow::MakeEmptyArray(node.type, scope.pool));
    return Datum(none);
  }
  if (pieces.values.size() == 1) return Datum(pieces.values[0]);
  ARROW_ASSIGN_OR_RAISE(ArrayPtr joined, arrow::Concatenate(pieces.values, scope.pool));
  arrow::Int64Builder order(scope.pool);
  ARROW_RETURN_NOT_OK(order.AppendValues(pieces.place));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr rows, order.Finish());
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, TakeRows(joined, rows, scope.pool));
  return Datum(result);
}

bool IsConstant(const BoundNode& node, bool value) {
  return node.value != nullptr && node.value->is_valid &&
         static_cast<const arrow::BooleanScalar&>(*node.value).value == value;
}

}  // namespace

arrow::Result<BoundPtr> AsBoolean(const BoundPtr& node, const std::string& what,
                                  const Scope& folding) {
  if (node->type->id() == Type::BOOL) return node;
  if (node->type->id() == Type::NA) return MakeCast(node, arrow::boolean(), false, folding);
  return TypeMismatch(what, " must be boolean; ", Print(*node, 100), " is ",
                      node->type->ToString());
}

arrow::Result<BoundPtr> BindLogic(Op op, std::vector<BoundPtr> terms, const Scope& folding) {
  const bool deciding = op == Op::kOr;
  std::vector<BoundPtr> kept;
  for (BoundPtr& term : terms) {
    ARROW_ASSIGN_OR_RAISE(term, AsBoolean(term, Concat("an operand of ", OpText(op)), folding));
    if (IsConstant(*term, !deciding)) continue;
    kept.push_back(term);
    if (IsConstant(*term, deciding)) break;  // what follows is never asked
  }
  if (kept.empty()) return MakeLiteral(arrow::MakeScalar(!deciding), false);
  if (kept.size() == 1) return kept[0];
  auto node =
      MakeOperation(arrow::boolean(), std::move(kept), "(", Concat(" ", OpText(op), " "), ")");
  node->lazy = [deciding](const BoundNode& self, const Scope& scope) {
    return EvaluateLogic(self, deciding, scope);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> BindNot(const BoundPtr& term, const Scope& folding) {
  ARROW_ASSIGN_OR_RAISE(BoundPtr flag, AsBoolean(term, "the operand of NOT", folding));
  auto node = MakeOperation(arrow::boolean(), {flag}, "(NOT ", "", ")");
  node->eager = [](const Operands& operands, const Scope& scope) {
    return Run("invert", operands, scope);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> BindIs(const BoundPtr& value, IsTest test, bool negated,
                               const Scope& folding) {
  BoundPtr operand = value;
  const bool null = test == IsTest::kNull || test == IsTest::kUnknown;
  if (test != IsTest::kNull) {
    ARROW_ASSIGN_OR_RAISE(operand,
                          AsBoolean(value, "the operand of IS TRUE, FALSE or UNKNOWN", folding));
  }
  const char* word = test == IsTest::kNull    ? "NULL)"
                     : test == IsTest::kTrue  ? "TRUE)"
                     : test == IsTest::kFalse ? "FALSE)"
                                              : "UNKNOWN)";
  auto node = MakeOperation(arrow::boolean(), {operand}, "(", "",
                            Concat(negated ? " IS NOT " : " IS ", word));
  node->eager = [=](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    if (null) return Run(negated ? "is_valid" : "is_null", operands, scope);
    const bool wanted = test == IsTest::kTrue;
    // Null is neither.
    ARROW_ASSIGN_OR_RAISE(Datum known, Run("coalesce", {operands[0], Datum(!wanted)}, scope));
    return wanted == negated ? Run("invert", {known}, scope) : known;
  };
  return Finish(std::move(node), folding);
}

arrow::Result<TypePtr> TypeOfAll(const std::vector<BoundPtr>& nodes, const std::string& what,
                                 const Scope& folding) {
  TypePtr type = arrow::null();
  auto meet = [&](const BoundPtr& node) -> arrow::Status {
    TypePtr common = CommonType(type, node->type);
    if (common == nullptr) {
      return TypeMismatch(what, " have no common type: ", Print(*node, 100), " is ",
                          node->type->ToString(), ", those before are ", type->ToString());
    }
    type = std::move(common);
    return arrow::Status::OK();
  };
  for (const BoundPtr& node : nodes) {
    if (!node->flexible) ARROW_RETURN_NOT_OK(meet(node));
  }
  for (const BoundPtr& node : nodes) {
    if (!node->flexible) continue;
    if (node->value->is_valid && type->id() != Type::NA) {
      auto fit = FitLiteral(*node->value, type, folding.pool);
      if (fit.ok() && fit->kind == LiteralFit::kExact) continue;
    }
    ARROW_RETURN_NOT_OK(meet(node));
  }
  return type;
}

arrow::Result<BoundPtr> BindCase(const std::vector<BoundPtr>& conditions,
                                 const std::vector<BoundPtr>& results, const Scope& folding) {
  ARROW_ASSIGN_OR_RAISE(TypePtr type, TypeOfAll(results, "the results of CASE", folding));
  std::vector<BoundPtr> children;
  for (size_t i = 0; i < results.size(); ++i) {
    if (i < conditions.size()) {
      ARROW_ASSIGN_OR_RAISE(BoundPtr condition,
                            AsBoolean(conditions[i], "a condition of CASE", folding));
      children.push_back(std::move(condition));
    }
    ARROW_ASSIGN_OR_RAISE(BoundPtr result, MakeCast(results[i], type, false, folding));
    children.push_back(std::move(result));
  }
  auto node = MakeOperation(type, std::move(children), "CASE(", ", ", ")");
  node->lazy = [](const BoundNode& self, const Scope& scope) { return EvaluateCase(self, scope); };
  return Finish(std::move(node), folding);
}

}  // namespace glaive::expr
