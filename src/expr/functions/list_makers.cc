// Lists out of values: make_array, range, generate_series, array_repeat, arrays_zip.
#include <algorithm>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

arrow::Result<Signature> ResolveMakeArray(const CallSite& site) {
  TypePtr element = arrow::null();
  for (size_t i = 0; i < site.types.size(); ++i) {
    TypePtr common = Common(element, Plain(site.types[i]));
    if (common == nullptr) {
      return WrongType(site, i, Concat("a value of one type with ", element->ToString()));
    }
    element = common;
  }
  return Signature{std::vector<TypePtr>(site.types.size(), element), arrow::list(element)};
}

arrow::Result<arrow::Datum> MakeArray(const Call& call) {
  Gather gather;
  std::vector<std::pair<ValueColumn, int64_t>> parts;
  for (const arrow::Datum& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(ValueColumn part, ValueColumn::Make(argument, call.pool));
    int64_t base = gather.AddSource(part.array());
    parts.emplace_back(std::move(part), base);
  }
  if (parts.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        auto nothing,
        arrow::MakeArrayOfNull(call.signature->result->field(0)->type(), 0, call.pool));
    gather.AddSource(std::move(nothing));
  }
  for (int64_t row = 0; row < call.num_rows; ++row) {
    for (const auto& [part, base] : parts) gather.Add(base + part.Index(row));
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveRange(const CallSite& site) {
  for (size_t i = 0; i < site.types.size(); ++i) ARROW_RETURN_NOT_OK(NeedInteger(site, i));
  return Signature{std::vector<TypePtr>(site.types.size(), arrow::int64()),
                   arrow::list(arrow::int64())};
}

/// How many numbers there are from start in steps up to stop, which is included if `closed`.
uint64_t CountRange(int64_t start, int64_t stop, int64_t step, bool closed) {
  bool up = step > 0;
  if (start == stop) return closed ? 1 : 0;
  if ((start < stop) != up) return 0;
  uint64_t distance = up ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                         : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  uint64_t stride = up ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  return (closed ? distance : distance - 1) / stride + 1;
}

arrow::Result<arrow::Datum> Range(const Call& call, const char* name, bool closed) {
  std::vector<ValueColumn> numbers(call.arguments.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(numbers[i], ValueColumn::Make(call.arguments[i], call.pool));
  }
  arrow::ListBuilder out(call.pool, std::make_shared<arrow::Int64Builder>(call.pool),
                         call.signature->result);
  auto& values = static_cast<arrow::Int64Builder&>(*out.value_builder());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    bool unknown = std::any_of(numbers.begin(), numbers.end(),
                               [row](const ValueColumn& column) { return column.IsNull(row); });
    if (unknown) {
      ARROW_RETURN_NOT_OK(out.AppendNull());
      continue;
    }
    int64_t start = numbers.size() == 1 ? 0 : numbers[0].Int(row);
    int64_t stop = numbers[numbers.size() == 1 ? 0 : 1].Int(row);
    int64_t step = numbers.size() == 3 ? numbers[2].Int(row) : 1;
    GLAIVE_CHECK_ARGUMENT(step != 0, name, ": the step is 0; it must be positive or negative");
    uint64_t count = CountRange(start, stop, step, closed);
    GLAIVE_CHECK_ARGUMENT(count <= static_cast<uint64_t>(kMaxMadeElements), name, ": ", count,
                          " elements are more than the ", kMaxMadeElements, " of one list");
    ARROW_RETURN_NOT_OK(out.Append());
    ARROW_RETURN_NOT_OK(values.Reserve(static_cast<int64_t>(count)));
    uint64_t value = static_cast<uint64_t>(start);
    for (uint64_t i = 0; i < count; ++i, value += static_cast<uint64_t>(step)) {
      values.UnsafeAppend(static_cast<int64_t>(value));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolveRepeat(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedInteger(site, 1));
  TypePtr element = Plain(site.types[0]);
  return Signature{{element, arrow::int64()}, arrow::list(element)};
}

arrow::Result<arrow::Datum> Repeat(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueColumn values, ValueColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn counts, ValueColumn::Make(call.arguments[1], call.pool));
  Gather gather;
  gather.AddSource(values.array());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (counts.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    int64_t count = counts.Int(row);
    GLAIVE_CHECK_ARGUMENT(count <= kMaxMadeElements, "array_repeat: ", count,
                          " elements are more than the ", kMaxMadeElements, " of one list");
    gather.AddTimes(values.Index(row), std::max<int64_t>(count, 0));
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveZip(const CallSite& site) {
  Signature signature;
  arrow::FieldVector fields;
  for (size_t i = 0; i < site.types.size(); ++i) {
    ARROW_RETURN_NOT_OK(NeedList(site, i));
    TypePtr element = Element(site.types[i]);
    signature.arguments.push_back(ListArgument(site.types[i], element));
    fields.push_back(arrow::field(std::to_string(i + 1), element));
  }
  signature.result = arrow::list(arrow::struct_(std::move(fields)));
  return signature;
}

arrow::Result<arrow::Datum> Zip(const Call& call) {
  size_t width = call.arguments.size();
  std::vector<ListColumn> lists(width);
  std::vector<Gather> columns(width);
  for (size_t i = 0; i < width; ++i) {
    ARROW_ASSIGN_OR_RAISE(lists[i], ListColumn::Make(call.arguments[i], call.pool));
    columns[i].AddSource(lists[i].child());
  }
  Gather rows;  // picks the structs in their order: gives offsets and nulls
  int64_t total = 0;
  for (int64_t row = 0; row < call.num_rows; ++row) {
    int64_t longest = -1;
    for (const ListColumn& list : lists) {
      if (!list.IsNull(row)) longest = std::max(longest, list.Length(row));
    }
    for (size_t i = 0; i < width; ++i) {
      int64_t own = lists[i].IsNull(row) ? 0 : lists[i].Length(row);
      int64_t begin = own == 0 ? 0 : lists[i].Begin(row);
      columns[i].AddRange(begin, begin + own);
      columns[i].AddTimes(Gather::kNull, std::max<int64_t>(longest, 0) - own);
    }
    if (longest < 0) {
      rows.NullRow();
      continue;
    }
    rows.AddRange(total, total + longest);
    rows.EndRow();
    total += longest;
  }
  arrow::ArrayVector fields(width);
  for (size_t i = 0; i < width; ++i) {
    ARROW_ASSIGN_OR_RAISE(fields[i], columns[i].Values(call.pool));
  }
  const TypePtr& element = call.signature->result->field(0)->type();
  rows.AddSource(std::make_shared<arrow::StructArray>(element, total, std::move(fields)));
  return rows.Lists(call.signature->result, call.pool);
}

}  // namespace

void AddListMakers(std::vector<Function>* out) {
  out->push_back(Make("make_array", {"make_list"}, 0, -1, "make_array(value, ...)",
                      "A list of the values, brought to one type.", ResolveMakeArray, MakeArray));
  out->push_back(Make("range", {}, 1, 3, "range(stop) or range(start, stop [, step])",
                      "The integers from start (or 0) to before stop.", ResolveRange,
                      [](const Call& call) { return Range(call, "range", false); }));
  out->push_back(Make("generate_series", {}, 1, 3,
                      "generate_series(stop) or generate_series(start, stop [, step])",
                      "The integers from start (or 0) to stop, which is included.", ResolveRange,
                      [](const Call& call) { return Range(call, "generate_series", true); }));
  out->push_back(Make("array_repeat", {}, 2, 2, "array_repeat(value, count)",
                      "A list that holds the value count times; null for a null count.",
                      ResolveRepeat, Repeat));
  out->push_back(Make("arrays_zip", {"list_zip"}, 1, -1, "arrays_zip(list, ...)",
                      "A list of structs with fields 1, 2, ... of the lists' elements side by "
                      "side; shorter and null lists are filled up with null.",
                      ResolveZip, Zip));
}

}  // namespace glaive::expr::lists
