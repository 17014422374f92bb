#include "query/vector_search.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/clock.h"
#include "base/status.h"
#include "query/compute.h"
#include "query/filter.h"
#include "query/row_keys.h"
#include "query/take.h"
#include "query/vector_pass.h"
#include "query/vector_plan.h"
#include "query/vector_request.h"

namespace glaive::query {

namespace {

constexpr char kDistanceColumn[] = "_distance";
constexpr char kQueryIndexColumn[] = "query_index";

using Neighbors = std::vector<std::vector<Neighbor>>;

template <class Builder, class Value>
arrow::Result<std::shared_ptr<arrow::Array>> BuildColumn(const Neighbors& nearest,
                                                         arrow::MemoryPool* pool, Value value) {
  Builder builder(pool);
  for (size_t q = 0; q < nearest.size(); ++q) {
    for (const auto& neighbor : nearest[q]) {
      ARROW_RETURN_NOT_OK(builder.Append(value(q, neighbor)));
    }
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> Distances(const Neighbors& nearest,
                                                       arrow::MemoryPool* pool) {
  return BuildColumn<arrow::FloatBuilder>(nearest, pool,
                                          [](size_t, const Neighbor& n) { return n.distance; });
}

/// A result under construction.
struct Columns {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;

  void Add(const char* name, std::shared_ptr<arrow::Array> array, bool nullable) {
    fields.push_back(arrow::field(name, array->type(), nullable));
    arrays.push_back(std::move(array));
  }
};

/// The places of the rows that are left, in the order of the result. `rows` ends with the hidden
/// columns: keys to order by, then, after a search over all rows, whether the filter is true.
arrow::Result<std::vector<int64_t>> Arrange(const arrow::RecordBatch& rows, const VectorPlan& plan,
                                            const Neighbors& nearest, arrow::MemoryPool* pool) {
  std::vector<int64_t> places(static_cast<size_t>(rows.num_rows()));
  std::iota(places.begin(), places.end(), int64_t{0});
  if (plan.postfilter) {
    const auto& passed =
        static_cast<const arrow::BooleanArray&>(*rows.column(rows.num_columns() - 1));
    std::erase_if(places, [&](int64_t row) { return passed.IsNull(row) || !passed.Value(row); });
  }
  if (plan.keys.empty()) {
    return places;
  }
  std::vector<size_t> query_of;
  for (size_t q = 0; q < nearest.size(); ++q) {
    query_of.insert(query_of.end(), nearest[q].size(), q);
  }
  ARROW_ASSIGN_OR_RAISE(const auto keys, EncodeOrdered(rows, plan.keys, pool));
  std::stable_sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    const auto left = static_cast<size_t>(a);
    const auto right = static_cast<size_t>(b);
    if (query_of[left] != query_of[right]) {
      return query_of[left] < query_of[right];
    }
    return keys.at(left) < keys.at(right);
  });
  return places;
}

/// The columns that are handed out, with the search's own at the end.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const VectorPlan& plan,
                                                            const arrow::RecordBatch& rows,
                                                            const Neighbors& nearest,
                                                            arrow::MemoryPool* pool) {
  Columns result;
  for (int i = 0; i < plan.num_columns; ++i) {
    result.fields.push_back(rows.schema()->field(i));
    result.arrays.push_back(rows.column(i));
  }
  if (rows.schema()->GetFieldIndex(kDistanceColumn) < 0 ||
      rows.schema()->GetFieldIndex(kDistanceColumn) >= plan.num_columns) {
    ARROW_ASSIGN_OR_RAISE(auto distances, Distances(nearest, pool));
    result.Add(kDistanceColumn, std::move(distances), /*nullable=*/true);
  }
  if (plan.with_row_id) {
    ARROW_ASSIGN_OR_RAISE(auto ids,
                          (BuildColumn<arrow::UInt64Builder>(
                              nearest, pool, [](size_t, const Neighbor& n) { return n.row_id; })));
    result.Add(kRowIdColumn, std::move(ids), /*nullable=*/true);
  }
  if (plan.request.several_queries) {
    ARROW_ASSIGN_OR_RAISE(
        auto indices,
        (BuildColumn<arrow::Int32Builder>(
            nearest, pool, [](size_t q, const Neighbor&) { return static_cast<int32_t>(q); })));
    result.Add(kQueryIndexColumn, std::move(indices), /*nullable=*/false);
  }
  return arrow::RecordBatch::Make(
      arrow::schema(std::move(result.fields), rows.schema()->metadata()), rows.num_rows(),
      std::move(result.arrays));
}

}  // namespace

arrow::Result<VectorPlan> BindSearch(const table::Snapshot& snapshot, const VectorQuery& query) {
  arrow::MemoryPool* pool = snapshot.session()->options().pool;
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  VectorPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.request, BindVectorQuery(snapshot.schema(), query, pool));
  Selection selection;
  selection.select = query.select;
  selection.hidden = query.order_by;
  selection.parameters = query.parameters;
  selection.blobs = query.blobs;
  selection.now_nanos = NowNanos();
  selection.extra = {arrow::field(kDistanceColumn, arrow::float32())};
  plan.with_row_id = query.with_row_id;
  for (const auto& column : query.columns) {
    if (column == kRowIdColumn) {
      plan.with_row_id = true;
    } else if (column != kDistanceColumn) {
      selection.columns.push_back(column);
    }
  }
  // Not even one column, where none would mean all.
  selection.only_hidden =
      selection.columns.empty() && !query.columns.empty() && query.select.empty();
  GLAIVE_CHECK_ARGUMENT(query.columns.empty() || query.select.empty(),
                        "a request names columns or select items, not both");
  if (!query.filter.empty()) {
    ARROW_ASSIGN_OR_RAISE(plan.filter, RowFilter::Make(snapshot, query.filter, query.parameters,
                                                       selection.now_nanos));
    plan.postfilter = !query.prefilter && !plan.filter->always_true();
    if (plan.postfilter) {
      selection.hidden.push_back({query.filter, true, false});
    }
    if (plan.filter->always_true()) {
      plan.filter.reset();
    }
  }
  ARROW_ASSIGN_OR_RAISE(plan.output, MakeOutput(snapshot, selection));
  plan.num_columns = plan.output.schema->num_fields() - static_cast<int>(selection.hidden.size());
  for (size_t i = 0; i < query.order_by.size(); ++i) {
    const int column = plan.num_columns + static_cast<int>(i);
    const auto& field = *plan.output.schema->field(column);
    if (!IsOrdered(*field.type())) {
      return TypeMismatch("order by: ", field.name(), " of type ", field.type()->ToString(),
                          " has no order; numbers, booleans, text, binary, dates and times have");
    }
    plan.keys.push_back({column, query.order_by[i].ascending, query.order_by[i].nulls_first});
  }
  return plan;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SearchSnapshot(
    const std::shared_ptr<const table::Snapshot>& snapshot, const VectorQuery& query) {
  arrow::MemoryPool* pool = snapshot->session()->options().pool;
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(const auto plan, BindSearch(*snapshot, query));
  ARROW_ASSIGN_OR_RAISE(auto nearest, FindNearest(*snapshot, plan.request, query,
                                                  plan.postfilter ? nullptr : plan.filter.get()));
  std::vector<uint64_t> addresses;
  std::vector<std::pair<size_t, size_t>> found;  // query, rank
  for (size_t q = 0; q < nearest.size(); ++q) {
    for (size_t rank = 0; rank < nearest[q].size(); ++rank) {
      addresses.push_back(nearest[q][rank].address);
      found.emplace_back(q, rank);
    }
  }
  std::shared_ptr<arrow::RecordBatch> rows;
  if (plan.output.input.schema->num_fields() > 0) {
    ARROW_ASSIGN_OR_RAISE(rows, TakeColumns(*snapshot, addresses, plan.output.input, query.cancel));
  } else {
    rows = arrow::RecordBatch::Make(plan.output.input.schema,
                                    static_cast<int64_t>(addresses.size()), arrow::ArrayVector{});
  }
  ARROW_ASSIGN_OR_RAISE(const auto distances, Distances(nearest, pool));
  const int at = rows->num_columns();
  if (!plan.output.as_read) {
    ARROW_ASSIGN_OR_RAISE(
        rows, rows->AddColumn(at, arrow::field(kDistanceColumn, arrow::float32()), distances));
  }
  ARROW_ASSIGN_OR_RAISE(rows, plan.output.Apply(rows));
  if (plan.postfilter || !plan.keys.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto places, Arrange(*rows, plan, nearest, pool));
    Neighbors arranged(nearest.size());
    for (const int64_t place : places) {
      const auto& [q, rank] = found[static_cast<size_t>(place)];
      arranged[q].push_back(nearest[q][rank]);
    }
    nearest = std::move(arranged);
    const auto indices = std::make_shared<arrow::Int64Array>(static_cast<int64_t>(places.size()),
                                                             arrow::Buffer::Wrap(places));
    ARROW_ASSIGN_OR_RAISE(rows, TakeRows(rows, indices, pool));
  }
  return Assemble(plan, *rows, nearest, pool);
}

}  // namespace glaive::query
