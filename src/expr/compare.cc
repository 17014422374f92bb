#include "expr/compare.h"

#include <algorithm>
#include <cmath>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/literal_fit.h"
#include "expr/logic.h"
#include "expr/member_set.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

bool IsNullSafe(Op op) {
  return op == Op::kDistinct || op == Op::kNotDistinct;
}

Op Mirrored(Op op) {
  switch (op) {
    case Op::kLt:
      return Op::kGt;
    case Op::kLe:
      return Op::kGe;
    case Op::kGt:
      return Op::kLt;
    case Op::kGe:
      return Op::kLe;
    default:
      return op;
  }
}

const char* KernelOf(Op op) {
  switch (op) {
    case Op::kEq:
      return "equal";
    case Op::kNe:
      return "not_equal";
    case Op::kLt:
      return "less";
    case Op::kLe:
      return "less_equal";
    case Op::kGt:
      return "greater";
    default:
      return "greater_equal";
  }
}

// Stored form of text and the like: what kernels work on.
TypePtr Plain(const TypePtr& type) {
  switch (type->id()) {
    case Type::DICTIONARY:
      return Plain(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case Type::EXTENSION:
      return Plain(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case Type::STRING_VIEW:
      return arrow::large_utf8();
    case Type::BINARY_VIEW:
      return arrow::large_binary();
    case Type::HALF_FLOAT:
      return arrow::float32();
    default:
      return type;
  }
}

bool IsNested(const arrow::DataType& type) {
  return arrow::is_nested(type.id()) || arrow::is_interval(type.id());
}

bool IsNaN(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return false;
  if (scalar.type->id() == Type::DOUBLE) {
    return std::isnan(static_cast<const arrow::DoubleScalar&>(scalar).value);
  }
  return scalar.type->id() == Type::FLOAT &&
         std::isnan(static_cast<const arrow::FloatScalar&>(scalar).value);
}

// Rows of lists, structs and maps are equal or not; they have no order.
arrow::Result<Datum> CompareNested(Op op, const Datum& left, const Datum& right,
                                   const Scope& scope) {
  Scope rows = scope;
  rows.num_rows = left.is_array() ? left.length() : right.is_array() ? right.length() : 1;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr a, AsArray(left, rows));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr b, AsArray(right, rows));
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  arrow::BooleanBuilder builder(scope.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(a->length()));
  for (int64_t i = 0; i < a->length(); ++i) {
    if (a->IsNull(i) || b->IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      const bool equal = a->RangeEquals(*b, i, i + 1, i, options);
      builder.UnsafeAppend(equal == (op == Op::kEq));
    }
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

arrow::Result<Datum> OnlyNaN(Op op, const Datum& values, const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(Datum nan, Run("is_nan", {values}, scope));
  switch (op) {
    case Op::kEq:
    case Op::kGe:
      return nan;
    case Op::kNe:
    case Op::kLt:
      return Run("invert", {nan}, scope);
    case Op::kLe:
      return Run("or", {nan, Datum(true)}, scope);
    default:
      return Run("and", {nan, Datum(false)}, scope);
  }
}

// IEEE's comparison with a number that is no NaN is right for all but "greater": written as "not
// less or equal", that holds for NaN.
arrow::Result<Datum> CompareWithNumber(Op op, const Datum& values, const Datum& number,
                                       const Scope& scope) {
  if (op != Op::kGt && op != Op::kGe) return Run(KernelOf(op), {values, number}, scope);
  ARROW_ASSIGN_OR_RAISE(Datum less,
                        Run(op == Op::kGt ? "less_equal" : "less", {values, number}, scope));
  return Run("invert", {less}, scope);
}

arrow::Result<Datum> CompareFloats(Op op, const Datum& left, const Datum& right,
                                   const Scope& scope) {
  if (right.is_scalar()) {
    if (IsNaN(*right.scalar())) return OnlyNaN(op, left, scope);
    return CompareWithNumber(op, left, right, scope);
  }
  if (left.is_scalar()) return CompareFloats(Mirrored(op), right, left, scope);
  if (op == Op::kGt || op == Op::kGe) return CompareFloats(Mirrored(op), right, left, scope);
  ARROW_ASSIGN_OR_RAISE(Datum plain, Run(KernelOf(op), {left, right}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum left_nan, Run("is_nan", {left}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum right_nan, Run("is_nan", {right}, scope));
  if (op == Op::kLe) return Run("or", {plain, right_nan}, scope);
  if (op == Op::kLt) {
    ARROW_ASSIGN_OR_RAISE(Datum only_right, Run("and_not", {right_nan, left_nan}, scope));
    return Run("or", {plain, only_right}, scope);
  }
  ARROW_ASSIGN_OR_RAISE(Datum both, Run("and", {left_nan, right_nan}, scope));
  if (op == Op::kEq) return Run("or", {plain, both}, scope);
  return Run("and_not", {plain, both}, scope);
}

arrow::Result<Datum> NullSafe(Op op, const Datum& left, const Datum& right, const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(Datum equal, CompareValues(Op::kEq, left, right, scope));
  ARROW_ASSIGN_OR_RAISE(Datum left_null, Run("is_null", {left}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum right_null, Run("is_null", {right}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum both_null, Run("and", {left_null, right_null}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum known, Run("coalesce", {equal, Datum(false)}, scope));
  ARROW_ASSIGN_OR_RAISE(Datum same, Run("or", {known, both_null}, scope));
  if (op == Op::kNotDistinct) return same;
  return Run("invert", {same}, scope);
}

arrow::Status NotComparable(Op op, const BoundNode& left, const BoundNode& right) {
  return TypeMismatch("can't compare ", Print(left, 100), " (", left.type->ToString(), ") ",
                      OpText(op), " ", Print(right, 100), " (", right.type->ToString(),
                      "); CAST one of them to the other's type");
}

BoundPtr Comparison(Op op, const BoundPtr& left, const BoundPtr& right, const Scope& folding) {
  auto node =
      MakeOperation(arrow::boolean(), {left, right}, "(", Concat(" ", OpText(op), " "), ")");
  node->eager = [op](const Operands& operands, const Scope& scope) {
    return CompareValues(op, operands[0], operands[1], scope);
  };
  return Finish(std::move(node), folding);
}

// `answer` where `value` is not null, else null.
BoundPtr AnswerUnlessNull(const BoundPtr& value, bool answer, const Scope& folding) {
  auto node = MakeOperation(arrow::boolean(), {value}, answer ? "(NULL OR " : "(NULL AND ", "",
                            answer ? " IS NOT NULL)" : " IS NULL)");
  node->eager = [answer](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(Datum valid, Run("is_valid", {operands[0]}, scope));
    const auto unknown = arrow::MakeNullScalar(arrow::boolean());
    return Run("if_else", {valid, Datum(answer), Datum(unknown)}, scope);
  };
  return Finish(std::move(node), folding);
}

BoundPtr WithFit(Op op, const BoundPtr& column, const LiteralFit& fit, const Scope& folding) {
  auto answer = [&](bool value) {
    if (IsNullSafe(op)) return MakeLiteral(arrow::MakeScalar(op == Op::kDistinct), false);
    return AnswerUnlessNull(column, value, folding);
  };
  if (op == Op::kEq) return answer(false);
  if (op == Op::kNe || IsNullSafe(op)) return answer(true);
  const bool less = op == Op::kLt || op == Op::kLe;
  if (fit.kind == LiteralFit::kAbove) return answer(less);
  if (fit.kind == LiteralFit::kBelow) return answer(!less);
  return Comparison(less ? Op::kLe : Op::kGt, column, MakeLiteral(fit.value, false), folding);
}

arrow::Result<BoundPtr> InCommonType(Op op, const BoundPtr& left, const BoundPtr& right,
                                     const Scope& folding) {
  const TypePtr type = ComparisonType(left->type, right->type);
  if (type == nullptr) return NotComparable(op, *left, *right);
  if (IsNested(*type) && op != Op::kEq && op != Op::kNe && !IsNullSafe(op)) {
    return TypeMismatch("values of type ", type->ToString(), " have no order, so ", OpText(op),
                        " can't compare ", Print(*left, 100), " with ", Print(*right, 100));
  }
  ARROW_ASSIGN_OR_RAISE(BoundPtr a, MakeCast(left, type, false, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr b, MakeCast(right, type, false, folding));
  return Comparison(op, a, b, folding);
}

bool IsKnown(const BoundNode& node) {
  return node.value != nullptr && node.value->is_valid;
}

}  // namespace

const char* OpText(Op op) {
  switch (op) {
    case Op::kOr:
      return "OR";
    case Op::kAnd:
      return "AND";
    case Op::kNot:
      return "NOT";
    case Op::kEq:
      return "=";
    case Op::kNe:
      return "<>";
    case Op::kLt:
      return "<";
    case Op::kLe:
      return "<=";
    case Op::kGt:
      return ">";
    case Op::kGe:
      return ">=";
    case Op::kDistinct:
      return "IS DISTINCT FROM";
    case Op::kNotDistinct:
      return "IS NOT DISTINCT FROM";
    case Op::kAdd:
      return "+";
    case Op::kSubtract:
      return "-";
    case Op::kMultiply:
      return "*";
    case Op::kDivide:
      return "/";
    case Op::kModulo:
      return "%";
    case Op::kNegate:
      return "-";
    case Op::kPlus:
      return "+";
    case Op::kConcat:
      return "||";
    case Op::kBitAnd:
      return "&";
    case Op::kBitOr:
      return "|";
    case Op::kBitXor:
      return "^";
    case Op::kBitNot:
      return "~";
    case Op::kShiftLeft:
      return "<<";
    case Op::kShiftRight:
      return ">>";
    case Op::kLike:
      return "LIKE";
    case Op::kILike:
      return "ILIKE";
    case Op::kSimilarTo:
      return "SIMILAR TO";
    case Op::kRegex:
      return "~";
    case Op::kRegexFold:
      return "~*";
    case Op::kNone:
      break;
  }
  return "?";
}

TypePtr ComparisonType(const TypePtr& a, const TypePtr& b) {
  const TypePtr x = Plain(a);
  const TypePtr y = Plain(b);
  // Texts are compared with moments only where they are literals; see WithFit.
  return CommonType(x, y);
}

arrow::Result<Datum> CompareValues(Op op, const Datum& left, const Datum& right,
                                   const Scope& scope) {
  if (IsNullSafe(op)) return NullSafe(op, left, right, scope);
  if (left.type()->id() == Type::NA) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr nulls,
                          arrow::MakeArrayOfNull(arrow::boolean(), scope.num_rows, scope.pool));
    return Datum(nulls);
  }
  if (IsNested(*left.type())) return CompareNested(op, left, right, scope);
  if (arrow::is_floating(left.type()->id())) return CompareFloats(op, left, right, scope);
  return Run(KernelOf(op), {left, right}, scope);
}

arrow::Result<BoundPtr> BindComparison(Op op, const BoundPtr& left, const BoundPtr& right,
                                       const Scope& folding) {
  if (IsKnown(*left) && !IsKnown(*right)) return BindComparison(Mirrored(op), right, left, folding);
  const bool literal = IsKnown(*right) && left->value == nullptr;
  const bool both_literal = IsKnown(*right) && IsKnown(*left) && right->flexible;
  if (!literal && !both_literal) return InCommonType(op, left, right, folding);
  const TypePtr plain = Plain(left->type);
  TypePtr stored = plain;
  if (left->type->id() == Type::HALF_FLOAT) stored = left->type;
  ARROW_ASSIGN_OR_RAISE(LiteralFit fit, FitLiteral(*right->value, stored, folding.pool));
  if (fit.kind == LiteralFit::kNone) return InCommonType(op, left, right, folding);
  ARROW_ASSIGN_OR_RAISE(BoundPtr value, MakeCast(left, plain, false, folding));
  if (fit.kind != LiteralFit::kExact) return WithFit(op, value, fit, folding);
  ARROW_ASSIGN_OR_RAISE(BoundPtr exact,
                        MakeCast(MakeLiteral(fit.value, true), plain, false, folding));
  return InCommonType(op, value, exact, folding);
}

namespace {

// The members as one array of the value's type, or nothing if that can't be.
arrow::Result<ArrayPtr> MembersOf(const BoundPtr& value, const std::vector<BoundPtr>& members,
                                  bool* has_null, const Scope& folding) {
  *has_null = false;
  const TypePtr plain = Plain(value->type);
  if (IsNested(*plain) || plain->id() == Type::NA) return ArrayPtr();
  arrow::ScalarVector known;
  for (const BoundPtr& member : members) {
    if (member->value == nullptr) return ArrayPtr();
    if (!member->value->is_valid) {
      *has_null = true;
      continue;
    }
    const TypePtr& stored = value->type->id() == Type::HALF_FLOAT ? value->type : plain;
    ARROW_ASSIGN_OR_RAISE(LiteralFit fit, FitLiteral(*member->value, stored, folding.pool));
    if (fit.kind == LiteralFit::kNone) return ArrayPtr();
    if (fit.kind == LiteralFit::kExact) known.push_back(fit.value);
  }
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(
      folding.pool, value->type->id() == Type::HALF_FLOAT ? value->type : plain, &builder));
  ARROW_RETURN_NOT_OK(builder->AppendScalars(known));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr set, builder->Finish());
  ARROW_ASSIGN_OR_RAISE(Datum cast, CastTo(set, plain, false, folding.pool));
  return cast.make_array();
}

arrow::Result<Datum> LookUp(const Datum& values, const ArrayPtr& set, const MemberSet* fast,
                            bool has_null, bool negated, const Scope& scope) {
  Datum found;
  constexpr int64_t kFew = 4;  // comparing is cheaper than hashing
  if (fast != nullptr && values.is_array()) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr flags, fast->Contains(*values.make_array(), scope.pool));
    found = Datum(flags);
  } else if (set->length() > 0 && set->length() <= kFew && arrow::is_primitive(set->type_id())) {
    for (int64_t i = 0; i < set->length(); ++i) {
      ARROW_ASSIGN_OR_RAISE(ScalarPtr member, set->GetScalar(i));
      ARROW_ASSIGN_OR_RAISE(Datum equal, CompareValues(Op::kEq, values, member, scope));
      if (i == 0) {
        found = equal;
      } else {
        ARROW_ASSIGN_OR_RAISE(found, Run("or", {found, equal}, scope));
      }
    }
  } else {
    arrow::compute::SetLookupOptions options(
        set, arrow::compute::SetLookupOptions::NullMatchingBehavior::INCONCLUSIVE);
    ARROW_ASSIGN_OR_RAISE(found, Run("is_in", {values}, scope, &options));
  }
  const Datum unknown(arrow::MakeNullScalar(arrow::boolean()));
  if (has_null) {
    ARROW_ASSIGN_OR_RAISE(found, Run("or_kleene", {found, unknown}, scope));
  }
  return negated ? Run("invert", {found}, scope) : found;
}

}  // namespace

arrow::Result<BoundPtr> BindIn(const BoundPtr& value, const std::vector<BoundPtr>& members,
                               bool negated, const Scope& folding) {
  bool has_null = false;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr set, MembersOf(value, members, &has_null, folding));
  if (set != nullptr) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr plain, MakeCast(value, Plain(value->type), false, folding));
    std::string list;
    for (size_t i = 0; i < members.size() && list.size() < 1000; ++i) {
      list += (i == 0 ? "" : ", ") + Print(*members[i], 200);
    }
    auto node = MakeOperation(arrow::boolean(), {plain}, "(", "",
                              Concat(negated ? " NOT IN (" : " IN (", list, "))"));
    node->eager = [set, fast = MemberSet::Make(set), has_null, negated](const Operands& operands,
                                                                        const Scope& scope) {
      return LookUp(operands[0], set, fast.get(), has_null, negated, scope);
    };
    return Finish(std::move(node), folding);
  }
  std::vector<BoundPtr> terms;
  for (const BoundPtr& member : members) {
    ARROW_ASSIGN_OR_RAISE(BoundPtr term,
                          BindComparison(negated ? Op::kNe : Op::kEq, value, member, folding));
    terms.push_back(std::move(term));
  }
  return BindLogic(negated ? Op::kAnd : Op::kOr, std::move(terms), folding);
}

}  // namespace glaive::expr
