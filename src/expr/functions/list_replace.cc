// Elements removed or replaced by value: array_remove, array_replace and their _n and _all forms.
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// How many of the equal elements are meant.
enum class Times { kFirst, kCounted, kAll };

/// {list, value..., [count]}, values brought to the type of the elements.
arrow::Result<Signature> Resolve(const CallSite& site, size_t values, Times times) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr element = Element(site.types[0]);
  for (size_t i = 1; i <= values; ++i) {
    TypePtr common = CommonWithConstant(element, Plain(site.types[i]), site.constants[i], element);
    if (common == nullptr) {
      return WrongType(site, i, Concat("a value that compares with ", element->ToString()));
    }
    element = common;
  }
  Signature signature{{ListArgument(site.types[0], element)}, ListOf(site.types[0], element)};
  signature.arguments.insert(signature.arguments.end(), values, element);
  if (times == Times::kCounted) {
    ARROW_RETURN_NOT_OK(NeedInteger(site, values + 1));
    signature.arguments.push_back(arrow::int64());
  }
  return signature;
}

/// What is put in the place of an element: nothing, or a value of the row.
struct Replacement {
  ValueColumn values;
  int64_t base = 0;
};

arrow::Result<arrow::Datum> Rewrite(const Call& call, bool replace, Times times) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn wanted, ValueColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get(), wanted.array().get()}));
  Gather gather;
  gather.AddSource(list.child());
  Replacement replacement;
  if (replace) {
    ARROW_ASSIGN_OR_RAISE(replacement.values, ValueColumn::Make(call.arguments[2], call.pool));
    replacement.base = gather.AddSource(replacement.values.array());
  }
  ValueColumn counts;
  if (times == Times::kCounted) {
    ARROW_ASSIGN_OR_RAISE(counts, ValueColumn::Make(call.arguments.back(), call.pool));
  }
  for (int64_t row = 0; row < call.num_rows; ++row) {
    bool unknown =
        (!replace && wanted.IsNull(row)) || (times == Times::kCounted && counts.IsNull(row));
    if (list.IsNull(row) || unknown) {
      gather.NullRow();
      continue;
    }
    int64_t left = times == Times::kFirst ? 1 : std::numeric_limits<int64_t>::max();
    if (times == Times::kCounted) left = counts.Int(row);
    int32_t code = codes.of[1][static_cast<size_t>(wanted.Index(row))];
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (left <= 0 || codes.of[0][static_cast<size_t>(i)] != code) {
        gather.Add(i);
        continue;
      }
      --left;
      if (replace) gather.Add(replacement.base + replacement.values.Index(row));
    }
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

void AddPair(const std::string& suffix, Times times, const std::string& which,
             std::vector<Function>* out) {
  int counted = times == Times::kCounted ? 1 : 0;
  std::string count = counted == 1 ? ", n)" : ")";
  out->push_back(Make(
      "array_remove" + suffix, {}, 2 + counted, 2 + counted,
      "array_remove" + suffix + "(list, value" + count,
      "The list without " + which + " equal to the value; null if the value is null.",
      [times](const CallSite& site) { return Resolve(site, 1, times); },
      [times](const Call& call) { return Rewrite(call, false, times); }));
  out->push_back(Make(
      "array_replace" + suffix, {}, 3 + counted, 3 + counted,
      "array_replace" + suffix + "(list, from, to" + count,
      "The list with " + which + " equal to from replaced by to; null replaces nulls.",
      [times](const CallSite& site) { return Resolve(site, 2, times); },
      [times](const Call& call) { return Rewrite(call, true, times); }));
}

}  // namespace

void AddListReplace(std::vector<Function>* out) {
  AddPair("", Times::kFirst, "the first element", out);
  AddPair("_n", Times::kCounted, "the first n elements", out);
  AddPair("_all", Times::kAll, "all elements", out);
}

}  // namespace glaive::expr::lists
