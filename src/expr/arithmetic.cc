#include "expr/arithmetic.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <type_traits>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/compare.h"
#include "expr/literal_fit.h"
#include "expr/temporal_text.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;
using Interval = arrow::MonthDayNanoIntervalType::MonthDayNanos;

TypePtr Plain(const TypePtr& type) {
  if (type->id() == Type::DICTIONARY) {
    return static_cast<const arrow::DictionaryType&>(*type).value_type();
  }
  if (type->id() == Type::HALF_FLOAT) return arrow::float32();
  return type;
}

bool IsMoment(const arrow::DataType& type) {
  return type.id() == Type::DATE32 || type.id() == Type::DATE64 || type.id() == Type::TIMESTAMP;
}

bool IsInterval(const arrow::DataType& type) {
  return arrow::is_interval(type.id());
}

bool IsBitwise(Op op) {
  return op == Op::kBitAnd || op == Op::kBitOr || op == Op::kBitXor || op == Op::kShiftLeft ||
         op == Op::kShiftRight;
}

arrow::Status NoSuch(Op op, const BoundNode& left, const BoundNode& right) {
  return TypeMismatch("no operation ", left.type->ToString(), " ", OpText(op), " ",
                      right.type->ToString(), ", as in ", Print(left, 100), " ", OpText(op), " ",
                      Print(right, 100));
}

template <typename ArrowType>
arrow::Result<Datum> ModuloOf(const arrow::Array& left, const arrow::Array& right,
                              arrow::MemoryPool* pool) {
  using T = typename ArrowType::c_type;
  const auto& a = static_cast<const arrow::NumericArray<ArrowType>&>(left);
  const auto& b = static_cast<const arrow::NumericArray<ArrowType>&>(right);
  arrow::NumericBuilder<ArrowType> builder(left.type(), pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(a.length()));
  for (int64_t i = 0; i < a.length(); ++i) {
    if (a.IsNull(i) || b.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const T x = a.Value(i);
    const T y = b.Value(i);
    if constexpr (std::is_floating_point_v<T>) {
      builder.UnsafeAppend(std::fmod(x, y));
    } else {
      GLAIVE_CHECK_ARGUMENT(y != 0, "divide by zero");
      bool minus_one = false;
      if constexpr (std::is_signed_v<T>) minus_one = y == -1;  // the least by -1 would trap
      builder.UnsafeAppend(minus_one ? T{0} : static_cast<T>(x % y));
    }
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

// a - trunc(a / b) * b would need more digits than there are.
arrow::Result<Datum> ModuloOfDecimals(const arrow::Array& left, const arrow::Array& right,
                                      arrow::MemoryPool* pool) {
  if (left.type_id() != Type::DECIMAL128) {
    return TypeMismatch("no operation % on ", left.type()->ToString());
  }
  const auto& a = static_cast<const arrow::Decimal128Array&>(left);
  const auto& b = static_cast<const arrow::Decimal128Array&>(right);
  arrow::Decimal128Builder builder(left.type(), pool);
  for (int64_t i = 0; i < a.length(); ++i) {
    if (a.IsNull(i) || b.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const arrow::Decimal128 divisor(b.Value(i));
    GLAIVE_CHECK_ARGUMENT(divisor != arrow::Decimal128(0), "divide by zero");
    ARROW_ASSIGN_OR_RAISE(auto parts, arrow::Decimal128(a.Value(i)).Divide(divisor));
    ARROW_RETURN_NOT_OK(builder.Append(parts.second));
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

const char* KernelOf(Op op, const arrow::DataType& type) {
  const bool is_float = arrow::is_floating(type.id());
  switch (op) {
    case Op::kAdd:
      return is_float ? "add" : "add_checked";
    case Op::kSubtract:
      return is_float ? "subtract" : "subtract_checked";
    case Op::kMultiply:
      return is_float ? "multiply" : "multiply_checked";
    case Op::kDivide:
      return is_float ? "divide" : "divide_checked";
    case Op::kBitAnd:
      return "bit_wise_and";
    case Op::kBitOr:
      return "bit_wise_or";
    case Op::kBitXor:
      return "bit_wise_xor";
    case Op::kShiftLeft:
      return "shift_left_checked";
    default:
      return "shift_right_checked";
  }
}

arrow::Result<BoundPtr> Kernel(Op op, const BoundPtr& left, const BoundPtr& right,
                               const Scope& folding) {
  // What Arrow makes of these types, asked with no rows.
  auto run = [op](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    if (op == Op::kModulo) return Modulo(operands[0], operands[1], scope);
    return Run(KernelOf(op, *operands[0].type()), operands, scope);
  };
  ARROW_ASSIGN_OR_RAISE(ArrayPtr a, arrow::MakeEmptyArray(left->type, folding.pool));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr b, arrow::MakeEmptyArray(right->type, folding.pool));
  Scope none = folding;
  none.num_rows = 0;
  auto probe = run({a, b}, none);
  if (!probe.ok()) return NoSuch(op, *left, *right);
  auto node = MakeOperation(probe->type(), {left, right}, "(", Concat(" ", OpText(op), " "), ")");
  node->can_fail = !arrow::is_floating(left->type->id());
  node->eager = run;
  return Finish(std::move(node), folding);
}

// A literal beside a column takes the column's type if it is exact there.
arrow::Result<BoundPtr> Adapt(const BoundPtr& literal, const BoundPtr& other,
                              const Scope& folding) {
  if (!literal->flexible || other->flexible || !literal->value->is_valid) return literal;
  const bool whole = arrow::is_integer(literal->type->id());
  if (!whole && arrow::is_integer(other->type->id())) return literal;
  if (!whole && arrow::is_decimal(other->type->id())) return literal;
  const TypePtr type = Plain(other->type);
  ARROW_ASSIGN_OR_RAISE(LiteralFit fit, FitLiteral(*literal->value, type, folding.pool));
  if (fit.kind != LiteralFit::kExact) return literal;
  return MakeLiteral(fit.value, false);
}

arrow::Result<BoundPtr> Numbers(Op op, const BoundPtr& left_in, const BoundPtr& right_in,
                                const Scope& folding) {
  ARROW_ASSIGN_OR_RAISE(BoundPtr left, Adapt(left_in, right_in, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr right, Adapt(right_in, left_in, folding));
  TypePtr type = CommonType(Plain(left->type), Plain(right->type));
  if (type == nullptr || type->id() == Type::NA) type = arrow::int64();
  if (IsBitwise(op) && !arrow::is_integer(type->id())) return NoSuch(op, *left, *right);
  if ((op == Op::kShiftLeft || op == Op::kShiftRight) && arrow::is_integer(left->type->id())) {
    type = left->type;
  }
  const bool decimals = arrow::is_decimal(type->id());
  const bool one_scale = op == Op::kModulo;
  auto cast = [&](const BoundPtr& node) -> arrow::Result<BoundPtr> {
    if (decimals && !one_scale && arrow::is_decimal(node->type->id())) return node;
    if (!decimals || one_scale) return MakeCast(node, type, false, folding);
    return MakeCast(node, CommonType(arrow::decimal128(1, 0), node->type), false, folding);
  };
  ARROW_ASSIGN_OR_RAISE(left, cast(left));
  ARROW_ASSIGN_OR_RAISE(right, cast(right));
  BoundPtr result;
  ARROW_ASSIGN_OR_RAISE(result, Kernel(op, left, right, folding));
  // Constants stay as willing as literals: -1, 2 * 3.
  if (result->value != nullptr && left_in->flexible && right_in->flexible) {
    return MakeLiteral(result->value, true);
  }
  return result;
}

// Whole months clip to the last day of the month, as everywhere in SQL.
bool AddMonths(int64_t* days, int64_t months) {
  constexpr int64_t kMostDays = 11000000;
  if (*days > kMostDays || *days < -kMostDays || months > 400000 || months < -400000) return false;
  using std::chrono::sys_days;
  using std::chrono::year_month_day;
  const year_month_day date{sys_days{std::chrono::days{static_cast<int32_t>(*days)}}};
  const int64_t index = int64_t{static_cast<int>(date.year())} * 12 +
                        static_cast<unsigned>(date.month()) - 1 + months;
  const int64_t year = index >= 0 ? index / 12 : -((-index + 11) / 12);
  if (year > 32767 || year < -32767) return false;
  const std::chrono::year_month month{
      std::chrono::year{static_cast<int>(year)},
      std::chrono::month{static_cast<unsigned>(index - year * 12 + 1)}};
  const std::chrono::day last = (month / std::chrono::last).day();
  *days = sys_days{month / std::min(date.day(), last)}.time_since_epoch().count();
  return true;
}

// `value` counts `unit`s of which there are `per_day`.
bool Shifted(int64_t value, const Interval& by, int64_t sign, int64_t per_day,
             int64_t nanos_per_unit, int64_t* result) {
  int64_t days = value / per_day;
  int64_t rest = value % per_day;
  if (rest < 0) {
    rest += per_day;
    --days;
  }
  if (by.months != 0 && !AddMonths(&days, sign * by.months)) return false;
  days += sign * by.days;
  const int64_t units = by.nanoseconds / nanos_per_unit;
  const __int128 shifted =
      static_cast<__int128>(days) * per_day + rest + static_cast<__int128>(sign) * units;
  *result = static_cast<int64_t>(shifted);
  return *result == shifted;
}

template <typename ArrowType>
arrow::Result<Datum> ShiftAll(const arrow::Array& moments, const arrow::Array& intervals,
                              int64_t sign, int64_t per_day, int64_t nanos_per_unit,
                              arrow::MemoryPool* pool) {
  using T = typename ArrowType::c_type;
  const auto& values = static_cast<const arrow::NumericArray<ArrowType>&>(moments);
  const auto& steps = static_cast<const arrow::MonthDayNanoIntervalArray&>(intervals);
  arrow::NumericBuilder<ArrowType> builder(moments.type(), pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i) || steps.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    int64_t shifted = 0;
    const bool fits =
        Shifted(values.Value(i), steps.GetValue(i), sign, per_day, nanos_per_unit, &shifted) &&
        shifted <= std::numeric_limits<T>::max() && shifted >= std::numeric_limits<T>::min();
    GLAIVE_CHECK_ARGUMENT(fits, "overflow: the moment does not fit ", moments.type()->ToString());
    builder.UnsafeAppend(static_cast<T>(shifted));
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
  return Datum(result);
}

// In a zone, days and months go by its clocks.
arrow::Result<Datum> ShiftByInterval(const Datum& moment, const Datum& interval, int64_t sign,
                                     const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(ArrayPtr steps, AsArray(interval, scope));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr values, AsArray(moment, scope));
  constexpr int64_t kDay = 86400;
  if (values->type_id() == Type::DATE32) {
    return ShiftAll<arrow::Date32Type>(*values, *steps, sign, 1, kDay * 1000000000, scope.pool);
  }
  if (values->type_id() == Type::DATE64) {
    return ShiftAll<arrow::Date64Type>(*values, *steps, sign, kDay * 1000, 1000000, scope.pool);
  }
  const TypePtr type = values->type();
  const auto& stamp = static_cast<const arrow::TimestampType&>(*type);
  const int64_t per_second = UnitsPerSecond(stamp.unit());
  if (!stamp.timezone().empty()) {
    ARROW_ASSIGN_OR_RAISE(Datum local,
                          CastTo(values, arrow::timestamp(stamp.unit()), false, scope.pool));
    values = local.make_array();
  }
  ARROW_ASSIGN_OR_RAISE(Datum shifted,
                        ShiftAll<arrow::TimestampType>(*values, *steps, sign, kDay * per_second,
                                                       1000000000 / per_second, scope.pool));
  return CastTo(shifted, type, false, scope.pool);
}

arrow::Result<BoundPtr> MomentAndInterval(Op op, const BoundPtr& moment_in,
                                          const BoundPtr& interval_in, const Scope& folding) {
  BoundPtr moment = moment_in;
  ARROW_ASSIGN_OR_RAISE(BoundPtr interval,
                        MakeCast(interval_in, arrow::month_day_nano_interval(), false, folding));
  const auto* constant =
      static_cast<const arrow::MonthDayNanoIntervalScalar*>(interval->value.get());
  const bool in_days = constant != nullptr && constant->value.nanoseconds == 0;
  if (moment->type->id() != Type::TIMESTAMP && !in_days) {
    ARROW_ASSIGN_OR_RAISE(
        moment, MakeCast(moment, arrow::timestamp(arrow::TimeUnit::MICRO), false, folding));
  }
  const int64_t sign = op == Op::kAdd ? 1 : -1;
  auto node =
      MakeOperation(moment->type, {moment, interval}, "(", Concat(" ", OpText(op), " "), ")");
  node->can_fail = true;
  node->eager = [sign](const Operands& operands, const Scope& scope) {
    return ShiftByInterval(operands[0], operands[1], sign, scope);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> DateAndDays(Op op, const BoundPtr& date, const BoundPtr& days,
                                    const Scope& folding) {
  ARROW_ASSIGN_OR_RAISE(BoundPtr whole, MakeCast(days, arrow::int64(), false, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr start, MakeCast(date, arrow::date32(), false, folding));
  auto node =
      MakeOperation(arrow::date32(), {start, whole}, "(", Concat(" ", OpText(op), " "), ")");
  node->can_fail = true;
  node->eager = [op](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(Datum day, CastTo(operands[0], arrow::int32(), false, scope.pool));
    ARROW_ASSIGN_OR_RAISE(day, CastTo(day, arrow::int64(), false, scope.pool));
    ARROW_ASSIGN_OR_RAISE(Datum moved, Run(op == Op::kAdd ? "add_checked" : "subtract_checked",
                                           {day, operands[1]}, scope));
    return CastTo(moved, arrow::date32(), false, scope.pool);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> MomentsApart(const BoundPtr& left, const BoundPtr& right,
                                     const Scope& folding) {
  TypePtr type = CommonType(left->type, right->type);
  const bool dates = type->id() != Type::TIMESTAMP;
  if (dates) type = arrow::date32();
  ARROW_ASSIGN_OR_RAISE(BoundPtr a, MakeCast(left, type, false, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr b, MakeCast(right, type, false, folding));
  if (!dates) return Kernel(Op::kSubtract, a, b, folding);
  // Days, as a number.
  for (BoundPtr* day : {&a, &b}) {
    ARROW_ASSIGN_OR_RAISE(*day, MakeCast(*day, arrow::int32(), false, folding));
    ARROW_ASSIGN_OR_RAISE(*day, MakeCast(*day, arrow::int64(), false, folding));
  }
  return Kernel(Op::kSubtract, a, b, folding);
}

arrow::Result<BoundPtr> Moments(Op op, const BoundPtr& left_in, const BoundPtr& right_in,
                                const Scope& folding) {
  BoundPtr left = left_in;
  BoundPtr right = right_in;
  const bool add = op == Op::kAdd;
  if (!add && op != Op::kSubtract) return NoSuch(op, *left, *right);
  if (add && !IsMoment(*left->type)) std::swap(left, right);
  const TypePtr& other = right->type;
  if (!IsMoment(*left->type)) {
    if (IsText(*left->type) && left->flexible) {
      ARROW_ASSIGN_OR_RAISE(left, MakeCast(left, right->type, false, folding));
      return MomentsApart(left, right, folding);
    }
    return NoSuch(op, *left_in, *right_in);
  }
  if (IsInterval(*other)) return MomentAndInterval(op, left, right, folding);
  if (other->id() == Type::DURATION) {
    if (left->type->id() == Type::TIMESTAMP) return Kernel(op, left, right, folding);
    ARROW_ASSIGN_OR_RAISE(left,
                          MakeCast(left, arrow::timestamp(arrow::TimeUnit::MICRO), false, folding));
    return Kernel(op, left, right, folding);
  }
  if (arrow::is_integer(other->id()) && left->type->id() != Type::TIMESTAMP) {
    return DateAndDays(op, left, right, folding);
  }
  if (!add && IsText(*other) && right->flexible) {
    ARROW_ASSIGN_OR_RAISE(right, MakeCast(right, left->type, false, folding));
  }
  if (!add && IsMoment(*right->type)) return MomentsApart(left, right, folding);
  return NoSuch(op, *left_in, *right_in);
}

// interval + interval, interval - interval, member by member.
arrow::Result<BoundPtr> Intervals(Op op, const BoundPtr& left, const BoundPtr& right,
                                  const Scope& folding) {
  const int64_t sign = op == Op::kAdd ? 1 : -1;
  if ((op != Op::kAdd && op != Op::kSubtract) || !IsInterval(*left->type) ||
      !IsInterval(*right->type)) {
    return NoSuch(op, *left, *right);
  }
  const TypePtr type = arrow::month_day_nano_interval();
  ARROW_ASSIGN_OR_RAISE(BoundPtr a, MakeCast(left, type, false, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr b, MakeCast(right, type, false, folding));
  auto node = MakeOperation(type, {a, b}, "(", Concat(" ", OpText(op), " "), ")");
  node->can_fail = true;
  node->eager = [sign](const Operands& operands, const Scope& scope) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr x, AsArray(operands[0], scope));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr y, AsArray(operands[1], scope));
    arrow::MonthDayNanoIntervalBuilder builder(scope.pool);
    for (int64_t i = 0; i < x->length(); ++i) {
      if (x->IsNull(i) || y->IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      const Interval p = static_cast<const arrow::MonthDayNanoIntervalArray&>(*x).GetValue(i);
      const Interval q = static_cast<const arrow::MonthDayNanoIntervalArray&>(*y).GetValue(i);
      const int64_t months = p.months + sign * q.months;
      const int64_t days = p.days + sign * q.days;
      int64_t nanos = 0;
      const bool overflow = sign > 0 ? __builtin_add_overflow(p.nanoseconds, q.nanoseconds, &nanos)
                                     : __builtin_sub_overflow(p.nanoseconds, q.nanoseconds, &nanos);
      const bool fits =
          !overflow && months == static_cast<int32_t>(months) && days == static_cast<int32_t>(days);
      GLAIVE_CHECK_ARGUMENT(fits, "overflow of an interval");
      ARROW_RETURN_NOT_OK(builder.Append(
          Interval{static_cast<int32_t>(months), static_cast<int32_t>(days), nanos}));
    }
    ARROW_ASSIGN_OR_RAISE(ArrayPtr result, builder.Finish());
    return Datum(result);
  };
  return Finish(std::move(node), folding);
}

arrow::Result<BoundPtr> Durations(Op op, const BoundPtr& left, const BoundPtr& right,
                                  const Scope& folding) {
  BoundPtr a = left;
  BoundPtr b = right;
  if (IsNumber(*left->type) || IsNumber(*right->type)) {
    // A duration times or by a whole number.
    BoundPtr& number = IsNumber(*left->type) ? a : b;
    ARROW_ASSIGN_OR_RAISE(number, MakeCast(number, arrow::int64(), false, folding));
    return Kernel(op, a, b, folding);
  }
  const TypePtr type = CommonType(left->type, right->type);
  if (type == nullptr || op == Op::kModulo) return NoSuch(op, *left, *right);
  ARROW_ASSIGN_OR_RAISE(a, MakeCast(left, type, false, folding));
  ARROW_ASSIGN_OR_RAISE(b, MakeCast(right, type, false, folding));
  return Kernel(op, a, b, folding);
}

arrow::Result<BoundPtr> Join(const BoundPtr& left, const BoundPtr& right, const Scope& folding) {
  const bool nested = arrow::is_nested(left->type->id()) || arrow::is_nested(right->type->id());
  const TypePtr common = CommonType(Plain(left->type), Plain(right->type));
  TypePtr type = arrow::utf8();
  if (common != nullptr && arrow::is_base_binary_like(common->id())) type = common;
  if (common != nullptr && common->id() == Type::STRING_VIEW) type = arrow::large_utf8();
  if (left->type->id() == Type::LARGE_STRING || right->type->id() == Type::LARGE_STRING) {
    type = arrow::large_utf8();
  }
  const bool any_text =
      IsText(*left->type) || IsText(*right->type) ||
      (common != nullptr && (common->id() == Type::NA || arrow::is_base_binary_like(common->id())));
  if (nested || !any_text) return NoSuch(Op::kConcat, *left, *right);
  ARROW_ASSIGN_OR_RAISE(BoundPtr a, MakeCast(left, type, false, folding));
  ARROW_ASSIGN_OR_RAISE(BoundPtr b, MakeCast(right, type, false, folding));
  auto node = MakeOperation(type, {a, b}, "(", " || ", ")");
  ARROW_ASSIGN_OR_RAISE(Datum nothing, CastTo(Datum(std::string()), type, false, folding.pool));
  node->eager = [nothing](const Operands& operands, const Scope& scope) {
    arrow::compute::JoinOptions options(arrow::compute::JoinOptions::EMIT_NULL);
    return Run("binary_join_element_wise", {operands[0], operands[1], nothing}, scope, &options);
  };
  return Finish(std::move(node), folding);
}

}  // namespace

arrow::Result<Datum> Modulo(const Datum& left, const Datum& right, const Scope& scope) {
  ARROW_ASSIGN_OR_RAISE(ArrayPtr a, AsArray(left, scope));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr b, AsArray(right, scope));
  arrow::MemoryPool* pool = scope.pool;
  switch (a->type_id()) {
    case Type::INT8:
      return ModuloOf<arrow::Int8Type>(*a, *b, pool);
    case Type::INT16:
      return ModuloOf<arrow::Int16Type>(*a, *b, pool);
    case Type::INT32:
      return ModuloOf<arrow::Int32Type>(*a, *b, pool);
    case Type::INT64:
      return ModuloOf<arrow::Int64Type>(*a, *b, pool);
    case Type::UINT8:
      return ModuloOf<arrow::UInt8Type>(*a, *b, pool);
    case Type::UINT16:
      return ModuloOf<arrow::UInt16Type>(*a, *b, pool);
    case Type::UINT32:
      return ModuloOf<arrow::UInt32Type>(*a, *b, pool);
    case Type::UINT64:
      return ModuloOf<arrow::UInt64Type>(*a, *b, pool);
    case Type::FLOAT:
      return ModuloOf<arrow::FloatType>(*a, *b, pool);
    case Type::DOUBLE:
      return ModuloOf<arrow::DoubleType>(*a, *b, pool);
    default:
      return ModuloOfDecimals(*a, *b, pool);
  }
}

arrow::Result<BoundPtr> BindArithmetic(Op op, const BoundPtr& left, const BoundPtr& right,
                                       const Scope& folding) {
  if (op == Op::kConcat) return Join(left, right, folding);
  auto number = [](const BoundPtr& node) {
    return IsNumber(*Plain(node->type)) || node->type->id() == Type::NA;
  };
  auto either = [&](auto&& test) { return test(*left->type) || test(*right->type); };
  if (number(left) && number(right)) return Numbers(op, left, right, folding);
  if (either(IsMoment)) return Moments(op, left, right, folding);
  if (either(IsInterval)) return Intervals(op, left, right, folding);
  if (either([](const arrow::DataType& type) { return type.id() == Type::DURATION; })) {
    return Durations(op, left, right, folding);
  }
  auto is_time = [](const arrow::DataType& type) { return arrow::is_time(type.id()); };
  if (is_time(*left->type) && is_time(*right->type) && op == Op::kSubtract) {
    return Durations(op, left, right, folding);
  }
  return NoSuch(op, *left, *right);
}

arrow::Result<BoundPtr> BindSign(Op op, const BoundPtr& operand, const Scope& folding) {
  const bool number = IsNumber(*operand->type) || operand->type->id() == Type::DURATION;
  if (operand->type->id() == Type::NA) return operand;
  if (op == Op::kPlus && number) return operand;
  if (op == Op::kBitNot && arrow::is_integer(operand->type->id())) {
    auto node = MakeOperation(operand->type, {operand}, "(~", "", ")");
    node->eager = [](const Operands& operands, const Scope& scope) {
      return Run("bit_wise_not", operands, scope);
    };
    return Finish(std::move(node), folding);
  }
  if (op != Op::kNegate || (!number && !IsInterval(*operand->type))) {
    return TypeMismatch("no operation ", OpText(op), operand->type->ToString(), ", as in ",
                        OpText(op), Print(*operand, 100));
  }
  if (IsInterval(*operand->type)) {
    const Interval zero{0, 0, 0};
    auto nothing = MakeLiteral(std::make_shared<arrow::MonthDayNanoIntervalScalar>(zero), false);
    return Intervals(Op::kSubtract, nothing, operand, folding);
  }
  // The least int64 is written as minus a number that only uint64 holds.
  if (operand->flexible && operand->type->id() == Type::UINT64 && operand->value->is_valid &&
      static_cast<const arrow::UInt64Scalar&>(*operand->value).value == uint64_t{1} << 63) {
    return MakeLiteral(arrow::MakeScalar(std::numeric_limits<int64_t>::min()), true);
  }
  BoundPtr value = operand;
  if (arrow::is_unsigned_integer(operand->type->id())) {
    const TypePtr wide = CommonType(operand->type, arrow::int8());
    ARROW_ASSIGN_OR_RAISE(value, MakeCast(operand, wide, false, folding));
  }
  if (operand->type->id() == Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(value, MakeCast(operand, arrow::float32(), false, folding));
  }
  auto node = MakeOperation(value->type, {value}, "(-", "", ")");
  node->can_fail = arrow::is_integer(value->type->id());
  node->eager = [](const Operands& operands, const Scope& scope) {
    return Run("negate_checked", operands, scope);
  };
  BoundPtr result = Finish(std::move(node), folding);
  if (result->value != nullptr && operand->flexible) return MakeLiteral(result->value, true);
  return result;
}

}  // namespace glaive::expr
