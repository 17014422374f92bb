// Lists as sets: array_distinct, array_except, array_intersect, array_union. Nulls are equal to
// each other; the order of first occurrence stays.
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// Two sets of codes that are emptied for every row at no cost.
class RowSet {
 public:
  explicit RowSet(int32_t codes) : last_row_(static_cast<size_t>(codes), -1) {}

  bool Has(int32_t code, int64_t row) const { return last_row_[static_cast<size_t>(code)] == row; }

  /// True if it was not in.
  bool Insert(int32_t code, int64_t row) {
    if (Has(code, row)) return false;
    last_row_[static_cast<size_t>(code)] = row;
    return true;
  }

 private:
  std::vector<int64_t> last_row_;
};

arrow::Result<Signature> ResolveDistinct(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr element = Element(site.types[0]);
  return Signature{{ListArgument(site.types[0], element)}, ListOf(site.types[0], element)};
}

arrow::Result<arrow::Datum> Distinct(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get()}));
  RowSet seen(codes.count);
  Gather gather;
  gather.AddSource(list.child());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (seen.Insert(codes.of[0][static_cast<size_t>(i)], row)) gather.Add(i);
    }
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolvePair(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  ARROW_RETURN_NOT_OK(NeedList(site, 1));
  TypePtr element = Common(Element(site.types[0]), Element(site.types[1]));
  if (element == nullptr) {
    return TypeMismatch(site.name, ": elements of ", site.types[0]->ToString(), " and ",
                        site.types[1]->ToString(), " have no common type; cast one of them");
  }
  bool large = site.types[1]->id() == arrow::Type::LARGE_LIST;
  return Signature{{ListArgument(site.types[0], element), ListArgument(site.types[1], element)},
                   ListOf(large ? site.types[1] : site.types[0], element)};
}

enum class Operation { kExcept, kIntersect, kUnion };

arrow::Result<arrow::Datum> Combine(const Call& call, Operation operation) {
  ARROW_ASSIGN_OR_RAISE(ListColumn left, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn right, ListColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({left.child().get(), right.child().get()}));
  RowSet taken(codes.count);
  RowSet in_right(codes.count);
  Gather gather;
  gather.AddSource(left.child());
  int64_t right_base =
      operation == Operation::kUnion ? gather.AddSource(right.child()) : int64_t{0};
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (left.IsNull(row) || right.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    for (int64_t i = right.Begin(row); operation != Operation::kUnion && i < right.End(row); ++i) {
      in_right.Insert(codes.of[1][static_cast<size_t>(i)], row);
    }
    for (int64_t i = left.Begin(row); i < left.End(row); ++i) {
      int32_t code = codes.of[0][static_cast<size_t>(i)];
      if (operation != Operation::kUnion &&
          in_right.Has(code, row) != (operation == Operation::kIntersect)) {
        continue;
      }
      if (taken.Insert(code, row)) gather.Add(i);
    }
    for (int64_t i = right.Begin(row); operation == Operation::kUnion && i < right.End(row); ++i) {
      if (taken.Insert(codes.of[1][static_cast<size_t>(i)], row)) gather.Add(right_base + i);
    }
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

}  // namespace

void AddListSets(std::vector<Function>* out) {
  out->push_back(Make("array_distinct", {}, 1, 1, "array_distinct(list)",
                      "The list without repeated elements, in the order of their first "
                      "occurrence; null counts as a value.",
                      ResolveDistinct, Distinct));
  out->push_back(Make("array_except", {}, 2, 2, "array_except(list, list)",
                      "The distinct elements of the first list that are not in the second; null "
                      "if either is null.",
                      ResolvePair,
                      [](const Call& call) { return Combine(call, Operation::kExcept); }));
  out->push_back(Make("array_intersect", {}, 2, 2, "array_intersect(list, list)",
                      "The distinct elements of the first list that are also in the second; null "
                      "if either is null.",
                      ResolvePair,
                      [](const Call& call) { return Combine(call, Operation::kIntersect); }));
  out->push_back(Make("array_union", {}, 2, 2, "array_union(list, list)",
                      "The distinct elements of both lists; null if either is null.", ResolvePair,
                      [](const Call& call) { return Combine(call, Operation::kUnion); }));
}

}  // namespace glaive::expr::lists
