// One element out of each list: array_element, array_any_value, array_max, array_min, array_sum.
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// {list} -> element.
arrow::Result<Signature> ResolvePick(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr element = Element(site.types[0]);
  return Signature{{ListArgument(site.types[0], element)}, element};
}

arrow::Result<Signature> ResolveOrdered(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ResolvePick(site));
  if (!IsOrdered(*signature.result)) return WrongType(site, 0, "a list of ordered values");
  return signature;
}

/// The element that `choose(list, row)` names, or null for Gather::kNull.
template <typename Choose>
arrow::Result<arrow::Datum> Pick(const Call& call, Choose&& choose) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  Gather gather;
  gather.AddSource(list.child());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    gather.Add(list.IsNull(row) ? Gather::kNull : choose(list, row));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, gather.Values(call.pool));
  return arrow::Datum(values);
}

arrow::Result<Signature> ResolveElement(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedInteger(site, 1));
  ARROW_ASSIGN_OR_RAISE(Signature signature, ResolvePick(site));
  signature.arguments.push_back(arrow::int64());
  return signature;
}

arrow::Result<arrow::Datum> ElementAt(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueColumn positions, ValueColumn::Make(call.arguments[1], call.pool));
  return Pick(call, [&](const ListColumn& list, int64_t row) {
    if (positions.IsNull(row)) return Gather::kNull;
    int64_t position = positions.Int(row);
    int64_t length = list.Length(row);
    if (position >= 1 && position <= length) return list.Begin(row) + position - 1;
    if (position < 0 && position >= -length) return list.End(row) + position;
    return Gather::kNull;
  });
}

arrow::Result<arrow::Datum> AnyValue(const Call& call) {
  return Pick(call, [](const ListColumn& list, int64_t row) {
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (list.child()->IsValid(i)) return i;
    }
    return Gather::kNull;
  });
}

/// The greatest element (sign 1) or the least (sign -1) that is not null.
arrow::Result<arrow::Datum> Extreme(const Call& call, int sign) {
  return Pick(call, [sign](const ListColumn& list, int64_t row) {
    const arrow::Array& child = *list.child();
    int64_t best = Gather::kNull;
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (child.IsNull(i)) continue;
      if (best == Gather::kNull || CompareElements(child, i, child, best) * sign > 0) best = i;
    }
    return best;
  });
}

arrow::Result<Signature> ResolveSum(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr element = Element(site.types[0]);
  TypePtr sum = arrow::float64();
  if (arrow::is_unsigned_integer(element->id())) {
    sum = arrow::uint64();
  } else if (arrow::is_integer(element->id()) || element->id() == arrow::Type::NA) {
    sum = arrow::int64();
  } else if (!IsNumber(*element)) {
    return WrongType(site, 0, "a list of numbers");
  }
  return Signature{{ListArgument(site.types[0], sum)}, sum};
}

template <typename ArrowType>
arrow::Result<arrow::Datum> SumAs(const Call& call) {
  using Value = typename ArrowType::c_type;
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  const auto& child = static_cast<const arrow::NumericArray<ArrowType>&>(*list.child());
  arrow::NumericBuilder<ArrowType> out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    Value sum = 0;
    bool any = false;
    for (int64_t i = list.Begin(row); !list.IsNull(row) && i < list.End(row); ++i) {
      if (child.IsNull(i)) continue;
      any = true;
      if constexpr (std::is_integral_v<Value>) {
        GLAIVE_CHECK_ARGUMENT(!__builtin_add_overflow(sum, child.Value(i), &sum),
                              "array_sum: the sum of row ", row, " does not fit ",
                              call.signature->result->ToString(),
                              "; cast the list to a list of doubles");
      } else {
        sum += child.Value(i);
      }
    }
    if (any) {
      out.UnsafeAppend(sum);
    } else {
      out.UnsafeAppendNull();
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<arrow::Datum> Sum(const Call& call) {
  switch (call.signature->result->id()) {
    case arrow::Type::INT64:
      return SumAs<arrow::Int64Type>(call);
    case arrow::Type::UINT64:
      return SumAs<arrow::UInt64Type>(call);
    default:
      return SumAs<arrow::DoubleType>(call);
  }
}

}  // namespace

void AddListPick(std::vector<Function>* out) {
  out->push_back(Make("array_element", {"array_extract", "list_extract"}, 2, 2,
                      "array_element(list, position)",
                      "The element at a position from 1, or from the end if negative; null "
                      "outside the list.",
                      ResolveElement, ElementAt));
  out->push_back(Make("array_any_value", {}, 1, 1, "array_any_value(list)",
                      "The first element that is not null.", ResolvePick, AnyValue));
  out->push_back(Make("array_max", {}, 1, 1, "array_max(list)",
                      "The greatest element; nulls are passed over, NaN is greater than all "
                      "numbers.",
                      ResolveOrdered, [](const Call& call) { return Extreme(call, 1); }));
  out->push_back(Make("array_min", {}, 1, 1, "array_min(list)",
                      "The least element; nulls are passed over.", ResolveOrdered,
                      [](const Call& call) { return Extreme(call, -1); }));
  out->push_back(Make("array_sum", {}, 1, 1, "array_sum(list)",
                      "The sum of the elements that are not null; null if there is none. (Not in "
                      "LanceDB.)",
                      ResolveSum, Sum));
}

}  // namespace glaive::expr::lists
