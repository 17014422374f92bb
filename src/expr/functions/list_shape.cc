// array_length, cardinality, array_ndims, array_dims, empty.
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// Levels of lists in a type.
int Depth(const arrow::DataType& type) {
  const arrow::DataType* level = &type;
  int depth = 0;
  for (; IsList(*level); level = level->field(0)->type().get()) ++depth;
  return depth;
}

/// A list type whose levels are all list or large_list, as ListColumn reads each of them.
TypePtr Levels(const TypePtr& type) {
  return type->id() == arrow::Type::NA ? arrow::list(arrow::null())
                                       : ListArgument(type, Element(type));
}

/// The columns of all levels: the list, its child as a list, and so on.
arrow::Result<std::vector<ListColumn>> AllLevels(const Call& call) {
  std::vector<ListColumn> levels;
  ARROW_ASSIGN_OR_RAISE(ListColumn level, ListColumn::Make(call.arguments[0], call.pool));
  levels.push_back(level);
  while (IsList(*levels.back().child()->type())) {
    ARROW_ASSIGN_OR_RAISE(level, ListColumn::Make(levels.back().child(), call.pool));
    levels.push_back(level);
  }
  return levels;
}

/// Length of the lists at depth `dimension` (from 1) of a row, told by the first element of each
/// level; -1 if there is no such list.
int64_t Dimension(const std::vector<ListColumn>& levels, int64_t row, size_t dimension) {
  int64_t at = row;
  for (size_t level = 0;; ++level) {
    if (levels[level].IsNull(at)) return level == 0 ? -1 : 0;
    int64_t length = levels[level].Length(at);
    if (level + 1 == dimension) return length;
    if (length == 0) return -1;
    at = levels[level].Begin(at);
  }
}

arrow::Result<Signature> ResolveLength(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  Signature signature{{Levels(site.types[0])}, arrow::uint64()};
  if (site.types.size() == 2) {
    ARROW_RETURN_NOT_OK(NeedInteger(site, 1));
    signature.arguments.push_back(arrow::int64());
  }
  return signature;
}

arrow::Result<arrow::Datum> Length(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto levels, AllLevels(call));
  ValueColumn dimensions;
  bool has_dimension = call.arguments.size() == 2;
  if (has_dimension) {
    ARROW_ASSIGN_OR_RAISE(dimensions, ValueColumn::Make(call.arguments[1], call.pool));
  }
  arrow::UInt64Builder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    int64_t dimension = 1;
    if (has_dimension) dimension = dimensions.IsNull(row) ? 0 : dimensions.Int(row);
    int64_t length = -1;
    if (dimension >= 1 && dimension <= static_cast<int64_t>(levels.size())) {
      length = Dimension(levels, row, static_cast<size_t>(dimension));
    }
    if (length < 0) {
      out.UnsafeAppendNull();
    } else {
      out.UnsafeAppend(static_cast<uint64_t>(length));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

/// Elements that are no lists, below elements [begin, end) of the child of `level`.
int64_t CountLeaves(const std::vector<ListColumn>& levels, size_t level, int64_t begin,
                    int64_t end) {
  if (level + 1 == levels.size()) return end - begin;
  const ListColumn& below = levels[level + 1];
  int64_t leaves = 0;
  for (int64_t i = begin; i < end; ++i) {
    if (!below.IsNull(i)) leaves += CountLeaves(levels, level + 1, below.Begin(i), below.End(i));
  }
  return leaves;
}

arrow::Result<Signature> ResolveCardinality(const CallSite& site) {
  if (site.types[0]->id() == arrow::Type::MAP) {
    return Signature{{site.types[0]}, arrow::uint64()};
  }
  if (!NeedList(site, 0).ok()) return WrongType(site, 0, "a list or map");
  return Signature{{Levels(site.types[0])}, arrow::uint64()};
}

arrow::Result<arrow::Datum> Cardinality(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto levels, AllLevels(call));
  arrow::UInt64Builder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (levels[0].IsNull(row)) {
      out.UnsafeAppendNull();
    } else {
      int64_t leaves = CountLeaves(levels, 0, levels[0].Begin(row), levels[0].End(row));
      out.UnsafeAppend(static_cast<uint64_t>(leaves));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolveDepth(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  return Signature{{Levels(site.types[0])}, arrow::uint64()};
}

arrow::Result<arrow::Datum> DepthRows(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  auto depth = static_cast<uint64_t>(Depth(*call.signature->arguments[0]));
  arrow::UInt64Builder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      out.UnsafeAppendNull();
    } else {
      out.UnsafeAppend(depth);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolveDims(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  return Signature{{Levels(site.types[0])}, arrow::list(arrow::uint64())};
}

arrow::Result<arrow::Datum> Dims(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto levels, AllLevels(call));
  arrow::ListBuilder out(call.pool, std::make_shared<arrow::UInt64Builder>(call.pool),
                         call.signature->result);
  auto& dims = static_cast<arrow::UInt64Builder&>(*out.value_builder());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (levels[0].IsNull(row) || levels[0].Length(row) == 0) {
      ARROW_RETURN_NOT_OK(out.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(out.Append());
    for (size_t dimension = 1; dimension <= levels.size(); ++dimension) {
      int64_t length = Dimension(levels, row, dimension);
      ARROW_RETURN_NOT_OK(dims.Append(static_cast<uint64_t>(length < 0 ? 0 : length)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolveEmpty(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  return Signature{{ListArgument(site.types[0], Element(site.types[0]))}, arrow::boolean()};
}

arrow::Result<arrow::Datum> Empty(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  arrow::BooleanBuilder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      out.UnsafeAppendNull();
    } else {
      out.UnsafeAppend(list.Length(row) == 0);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

}  // namespace

void AddListShape(std::vector<Function>* out) {
  out->push_back(Make("array_length", {}, 1, 2, "array_length(list [, dimension])",
                      "Number of elements; of nested lists at the given dimension (from 1) that of "
                      "the first list there, null if there is none.",
                      ResolveLength, Length));
  out->push_back(Make("cardinality", {}, 1, 1, "cardinality(list_or_map)",
                      "Number of elements that are no lists, at all depths (LanceDB multiplies the "
                      "lengths of the first lists, wrong for ragged ones); of a map its entries.",
                      ResolveCardinality, Cardinality));
  out->push_back(Make("array_ndims", {}, 1, 1, "array_ndims(list)",
                      "Number of dimensions: 1, plus 1 for every list inside lists.", ResolveDepth,
                      DepthRows));
  out->push_back(Make("array_dims", {}, 1, 1, "array_dims(list)",
                      "The length at each dimension, as told by the first lists; null for an empty "
                      "list.",
                      ResolveDims, Dims));
  out->push_back(Make("empty", {"array_empty", "list_empty"}, 1, 1, "empty(list)",
                      "True if the list has no elements; null if it is null.", ResolveEmpty,
                      Empty));
}

}  // namespace glaive::expr::lists
