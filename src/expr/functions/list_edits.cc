// Lists rearranged, cut and joined: array_sort, array_reverse, array_slice, array_pop_back,
// array_pop_front, array_compact, array_concat, array_append, array_prepend, array_resize, flatten.
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// {list} -> list.
arrow::Result<Signature> ResolveSame(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr element = Element(site.types[0]);
  return Signature{{ListArgument(site.types[0], element)}, ListOf(site.types[0], element)};
}

/// Lists made row by row; `edit(list, row, &gather)` adds the elements of a row that is not null.
template <typename Edit>
arrow::Result<arrow::Datum> EditRows(const Call& call, Edit&& edit) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  Gather gather;
  gather.AddSource(list.child());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      gather.NullRow();
    } else {
      edit(list, row, &gather);
      gather.EndRow();
    }
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<arrow::Datum> Reverse(const Call& call) {
  return EditRows(call, [](const ListColumn& list, int64_t row, Gather* gather) {
    for (int64_t i = list.End(row); i > list.Begin(row); --i) gather->Add(i - 1);
  });
}

arrow::Result<arrow::Datum> PopBack(const Call& call) {
  return EditRows(call, [](const ListColumn& list, int64_t row, Gather* gather) {
    gather->AddRange(list.Begin(row), list.End(row) - 1);
  });
}

arrow::Result<arrow::Datum> PopFront(const Call& call) {
  return EditRows(call, [](const ListColumn& list, int64_t row, Gather* gather) {
    gather->AddRange(list.Begin(row) + 1, list.End(row));
  });
}

arrow::Result<arrow::Datum> Compact(const Call& call) {
  return EditRows(call, [](const ListColumn& list, int64_t row, Gather* gather) {
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (list.child()->IsValid(i)) gather->Add(i);
    }
  });
}

arrow::Result<Signature> ResolveSort(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ResolveSame(site));
  if (!IsOrdered(*Element(site.types[0]))) return WrongType(site, 0, "a list of ordered values");
  for (size_t i = 1; i < site.types.size(); ++i) {
    ARROW_RETURN_NOT_OK(NeedText(site, i));
    signature.arguments.push_back(arrow::utf8());
  }
  return signature;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

/// True for `second`, false for `first`.
arrow::Result<bool> OneOf(std::string_view text, std::string_view first, std::string_view second) {
  std::string upper = Upper(text);
  GLAIVE_CHECK_ARGUMENT(upper == first || upper == second, "array_sort: '", text, "' is neither '",
                        first, "' nor '", second, "'");
  return upper == second;
}

arrow::Result<arrow::Datum> Sort(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  std::vector<ValueColumn> how(call.arguments.size() - 1);
  for (size_t i = 0; i < how.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(how[i], ValueColumn::Make(call.arguments[i + 1], call.pool));
  }
  Gather gather;
  gather.AddSource(list.child());
  const arrow::Array& child = *list.child();
  for (int64_t row = 0; row < call.num_rows; ++row) {
    bool unknown = std::any_of(how.begin(), how.end(),
                               [row](const ValueColumn& column) { return column.IsNull(row); });
    if (list.IsNull(row) || unknown) {
      gather.NullRow();
      continue;
    }
    bool descending = false;
    bool nulls_last = false;
    if (!how.empty()) {
      ARROW_ASSIGN_OR_RAISE(descending, OneOf(how[0].Text(row), "ASC", "DESC"));
    }
    if (how.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(nulls_last, OneOf(how[1].Text(row), "NULLS FIRST", "NULLS LAST"));
    }
    gather.AddRange(list.Begin(row), list.End(row));
    int64_t* begin = gather.open_row();
    int64_t* end = begin + gather.open_size();
    // Nulls to their end first, then the others among themselves.
    int64_t* border =
        std::stable_partition(begin, end, [&](int64_t i) { return child.IsNull(i) != nulls_last; });
    int64_t* from = nulls_last ? begin : border;
    int64_t* to = nulls_last ? border : end;
    std::stable_sort(from, to, [&](int64_t i, int64_t j) {
      return descending ? CompareElements(child, j, child, i) < 0
                        : CompareElements(child, i, child, j) < 0;
    });
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveSlice(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ResolveSame(site));
  for (size_t i = 1; i < site.types.size(); ++i) {
    ARROW_RETURN_NOT_OK(NeedInteger(site, i));
    signature.arguments.push_back(arrow::int64());
  }
  return signature;
}

/// Adds elements from..to (1-based, negative from the end, both included) of [begin, end).
void AddSlice(int64_t begin, int64_t end, int64_t from, int64_t to, int64_t stride,
              Gather* gather) {
  int64_t length = end - begin;
  int64_t first = from < 0 ? std::max(from, -length) + length : std::max<int64_t>(from, 1) - 1;
  int64_t last = to < 0 ? (to < -length ? -1 : to + length) : std::min(to, length) - 1;
  if (first >= length || last < 0) return;
  if (stride > 0) {
    for (int64_t i = first; i <= last; i += stride) {
      gather->Add(begin + i);
      if (stride > last - i) break;
    }
  } else {
    for (int64_t i = first; i >= last; i += stride) {
      gather->Add(begin + i);
      if (stride < last - i) break;
    }
  }
}

arrow::Result<arrow::Datum> Slice(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  std::vector<ValueColumn> numbers(call.arguments.size() - 1);
  for (size_t i = 0; i < numbers.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(numbers[i], ValueColumn::Make(call.arguments[i + 1], call.pool));
  }
  Gather gather;
  gather.AddSource(list.child());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    bool unknown = std::any_of(numbers.begin(), numbers.end(),
                               [row](const ValueColumn& column) { return column.IsNull(row); });
    if (list.IsNull(row) || unknown) {
      gather.NullRow();
      continue;
    }
    int64_t stride = numbers.size() == 3 ? numbers[2].Int(row) : 1;
    GLAIVE_CHECK_ARGUMENT(stride != 0,
                          "array_slice: the stride is 0; it must be positive, or "
                          "negative to go backwards");
    int64_t to = numbers.size() > 1 ? numbers[1].Int(row) : list.Length(row);
    AddSlice(list.Begin(row), list.End(row), numbers[0].Int(row), to, stride, &gather);
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

int Depth(const TypePtr& type) {
  const arrow::DataType* level = type.get();
  int depth = 0;
  for (; IsList(*level); level = level->field(0)->type().get()) ++depth;
  return depth;
}

/// The type that all lists have in common; a list of one dimension less is taken as an element.
arrow::Result<Signature> ResolveConcat(const CallSite& site) {
  int deepest = 0;
  for (size_t i = 0; i < site.types.size(); ++i) {
    ARROW_RETURN_NOT_OK(NeedList(site, i));
    deepest = std::max(deepest, Depth(site.types[i]));
  }
  TypePtr element = arrow::null();
  bool large = false;
  for (size_t i = 0; i < site.types.size(); ++i) {
    const TypePtr& type = site.types[i];
    large = large || type->id() == arrow::Type::LARGE_LIST;
    bool as_element = Depth(type) + 1 == deepest && type->id() != arrow::Type::NA && deepest > 1 &&
                      Element(type)->id() != arrow::Type::NA;
    TypePtr common = Common(element, as_element ? Plain(type) : Element(type));
    if (common == nullptr) {
      return WrongType(site, i,
                       Concat("a list that can be joined to one of ", element->ToString()));
    }
    element = common;
  }
  Signature signature;
  signature.result = large ? arrow::large_list(element) : arrow::list(element);
  for (const TypePtr& type : site.types) {
    bool as_element = Depth(type) + 1 == deepest && type->id() != arrow::Type::NA && deepest > 1 &&
                      Element(type)->id() != arrow::Type::NA;
    signature.arguments.push_back(as_element ? element : ListArgument(type, element));
  }
  return signature;
}

/// What a row of the result is joined of: lists and single elements.
struct Piece {
  bool is_list = false;
  ListColumn list;
  ValueColumn value;
  int64_t base = 0;
};

arrow::Result<arrow::Datum> Concatenated(const Call& call) {
  const TypePtr& element = call.signature->result->field(0)->type();
  Gather gather;
  std::vector<Piece> pieces(call.arguments.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    const arrow::DataType& type = *call.signature->arguments[i];
    piece.is_list = IsList(type) && type.field(0)->type()->Equals(*element);
    if (piece.is_list) {
      ARROW_ASSIGN_OR_RAISE(piece.list, ListColumn::Make(call.arguments[i], call.pool));
      piece.base = gather.AddSource(piece.list.child());
    } else {
      ARROW_ASSIGN_OR_RAISE(piece.value, ValueColumn::Make(call.arguments[i], call.pool));
      piece.base = gather.AddSource(piece.value.array());
    }
  }
  for (int64_t row = 0; row < call.num_rows; ++row) {
    bool any = false;
    for (const Piece& piece : pieces) {
      if (!piece.is_list) {
        gather.Add(piece.base + piece.value.Index(row));
        any = true;
      } else if (!piece.list.IsNull(row)) {
        gather.AddRange(piece.base + piece.list.Begin(row), piece.base + piece.list.End(row));
        any = true;
      }
    }
    if (any) {
      gather.EndRow();
    } else {
      gather.NullRow();
    }
  }
  return gather.Lists(call.signature->result, call.pool);
}

/// {list, value} with the list at argument `list`.
arrow::Result<Signature> ResolveAdd(const CallSite& site, size_t list) {
  ARROW_RETURN_NOT_OK(NeedList(site, list));
  TypePtr own = Element(site.types[list]);
  TypePtr element =
      CommonWithConstant(own, Plain(site.types[1 - list]), site.constants[1 - list], own);
  if (element == nullptr) {
    return WrongType(site, 1 - list, Concat("a value that can be cast to ", own->ToString()));
  }
  Signature signature;
  signature.arguments.resize(2);
  signature.arguments[list] = ListArgument(site.types[list], element);
  signature.arguments[1 - list] = element;
  signature.result = ListOf(site.types[list], element);
  return signature;
}

arrow::Result<arrow::Datum> AddOne(const Call& call, size_t list_argument) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list,
                        ListColumn::Make(call.arguments[list_argument], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn values,
                        ValueColumn::Make(call.arguments[1 - list_argument], call.pool));
  Gather gather;
  gather.AddSource(list.child());
  int64_t base = gather.AddSource(values.array());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list_argument == 1) gather.Add(base + values.Index(row));
    if (!list.IsNull(row)) gather.AddRange(list.Begin(row), list.End(row));
    if (list_argument == 0) gather.Add(base + values.Index(row));
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveResize(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  ARROW_RETURN_NOT_OK(NeedInteger(site, 1));
  TypePtr element = Element(site.types[0]);
  if (site.types.size() == 3) {
    TypePtr common = CommonWithConstant(element, Plain(site.types[2]), site.constants[2], element);
    if (common == nullptr) {
      return WrongType(site, 2, Concat("a value that can be cast to ", element->ToString()));
    }
    element = common;
  }
  Signature signature{{ListArgument(site.types[0], element), arrow::int64()},
                      ListOf(site.types[0], element)};
  if (site.types.size() == 3) signature.arguments.push_back(element);
  return signature;
}

arrow::Result<arrow::Datum> Resize(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn sizes, ValueColumn::Make(call.arguments[1], call.pool));
  Gather gather;
  gather.AddSource(list.child());
  ValueColumn fill;
  int64_t base = 0;
  if (call.arguments.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(fill, ValueColumn::Make(call.arguments[2], call.pool));
    base = gather.AddSource(fill.array());
  }
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row) || sizes.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    int64_t size = sizes.Int(row);
    GLAIVE_CHECK_ARGUMENT(size >= 0 && size <= kMaxMadeElements, "array_resize: size ", size,
                          " is not between 0 and ", kMaxMadeElements);
    int64_t kept = std::min(size, list.Length(row));
    gather.AddRange(list.Begin(row), list.Begin(row) + kept);
    gather.AddTimes(call.arguments.size() == 3 ? base + fill.Index(row) : Gather::kNull,
                    size - kept);
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveFlatten(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ResolveSame(site));
  TypePtr inner = Element(site.types[0]);
  if (IsList(*inner)) {
    bool large = site.types[0]->id() == arrow::Type::LARGE_LIST;
    signature.result = ListOf(large ? site.types[0] : inner, Element(inner));
  }
  return signature;
}

arrow::Result<arrow::Datum> Flatten(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  if (!IsList(*list.child()->type())) {
    return EditRows(call, [](const ListColumn& same, int64_t row, Gather* gather) {
      gather->AddRange(same.Begin(row), same.End(row));
    });
  }
  ARROW_ASSIGN_OR_RAISE(ListColumn inner, ListColumn::Make(list.child(), call.pool));
  Gather gather;
  gather.AddSource(inner.child());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (!inner.IsNull(i)) gather.AddRange(inner.Begin(i), inner.End(i));
    }
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

}  // namespace

void AddListEdits(std::vector<Function>* out) {
  out->push_back(Make("array_sort", {}, 1, 3,
                      "array_sort(list [, 'ASC' | 'DESC' [, 'NULLS FIRST' "
                      "| 'NULLS LAST']])",
                      "The list sorted, by default ascending with nulls first; NaN is greater than "
                      "all numbers.",
                      ResolveSort, Sort));
  out->push_back(Make("array_reverse", {}, 1, 1, "array_reverse(list)",
                      "The list with its elements in reverse order.", ResolveSame, Reverse));
  out->push_back(Make("array_slice", {}, 2, 4, "array_slice(list, from [, to [, stride]])",
                      "The elements at positions from to to, both included, counted from 1 or from "
                      "the end if negative; a negative stride goes backwards.",
                      ResolveSlice, Slice));
  out->push_back(Make("array_pop_back", {}, 1, 1, "array_pop_back(list)",
                      "The list without its last element.", ResolveSame, PopBack));
  out->push_back(Make("array_pop_front", {}, 1, 1, "array_pop_front(list)",
                      "The list without its first element.", ResolveSame, PopFront));
  out->push_back(Make("array_compact", {}, 1, 1, "array_compact(list)",
                      "The list without its null elements.", ResolveSame, Compact));
  out->push_back(Make("array_concat", {"array_cat", "list_cat"}, 1, -1, "array_concat(list, ...)",
                      "The elements of all lists; null lists are passed over, a list of one "
                      "dimension less is an element. Null if all lists are null.",
                      ResolveConcat, Concatenated));
  out->push_back(Make(
      "array_append", {"array_push_back", "list_push_back"}, 2, 2, "array_append(list, value)",
      "The list with the value at its end; a null list counts as an empty one.",
      [](const CallSite& site) { return ResolveAdd(site, 0); },
      [](const Call& call) { return AddOne(call, 0); }));
  out->push_back(Make(
      "array_prepend", {"array_push_front", "list_push_front"}, 2, 2, "array_prepend(value, list)",
      "The list with the value at its front; a null list counts as an empty one.",
      [](const CallSite& site) { return ResolveAdd(site, 1); },
      [](const Call& call) { return AddOne(call, 1); }));
  out->push_back(Make("array_resize", {}, 2, 3, "array_resize(list, size [, fill])",
                      "The list cut, or filled up with a value (null if not given), to a size; "
                      "null for a null size (LanceDB: an empty list).",
                      ResolveResize, Resize));
  out->push_back(Make("flatten", {"array_flatten", "list_flatten"}, 1, 1, "flatten(list)",
                      "The elements of all lists inside the list, one level down; null lists are "
                      "passed over. A list without lists stays as it is.",
                      ResolveFlatten, Flatten));
}

}  // namespace glaive::expr::lists
