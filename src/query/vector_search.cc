#include "query/vector_search.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "query/scan.h"
#include "query/vector_pass.h"
#include "query/vector_request.h"

namespace glaive::query {

namespace {

constexpr char kDistanceColumn[] = "_distance";
constexpr char kRowIdColumn[] = "_rowid";
constexpr char kQueryIndexColumn[] = "query_index";

/// Which columns of the table to fetch: what the search itself appends is not one of them.
struct Wanted {
  std::vector<std::string> columns;
  bool none = false;  ///< not even one; `columns` empty means all
  bool with_row_id = false;
};

Wanted WantedColumns(const VectorQuery& query) {
  Wanted wanted;
  wanted.with_row_id = query.with_row_id;
  for (const auto& column : query.columns) {
    if (column == kRowIdColumn) {
      wanted.with_row_id = true;
    } else if (column != kDistanceColumn) {
      wanted.columns.push_back(column);
    }
  }
  wanted.none = wanted.columns.empty() && !query.columns.empty();
  return wanted;
}

template <class Builder, class Value>
arrow::Result<std::shared_ptr<arrow::Array>> BuildColumn(
    const std::vector<std::vector<Neighbor>>& nearest, arrow::MemoryPool* pool, Value value) {
  Builder builder(pool);
  for (size_t q = 0; q < nearest.size(); ++q) {
    for (const auto& neighbor : nearest[q]) {
      ARROW_RETURN_NOT_OK(builder.Append(value(q, neighbor)));
    }
  }
  return builder.Finish();
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

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SearchSnapshot(
    const std::shared_ptr<const table::Snapshot>& snapshot, const VectorQuery& query) {
  arrow::MemoryPool* pool = snapshot->session()->options().pool;
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(const auto request, BindVectorQuery(snapshot->schema(), query, pool));
  const Wanted wanted = WantedColumns(query);
  if (!wanted.columns.empty()) {
    // A misspelt column is an error before the work, not after it.
    ARROW_RETURN_NOT_OK(snapshot->schema().Project(wanted.columns).status());
  }
  ARROW_ASSIGN_OR_RAISE(const auto nearest, FindNearest(*snapshot, request, query));

  std::vector<uint64_t> addresses;
  for (const auto& neighbors : nearest) {
    for (const auto& neighbor : neighbors) {
      addresses.push_back(neighbor.address);
    }
  }
  Columns result;
  std::shared_ptr<const arrow::KeyValueMetadata> metadata;
  if (!wanted.none) {
    TakeOptions options;
    options.columns = wanted.columns;
    options.blobs = query.blobs;
    options.cancel = query.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto rows, TakeAddresses(*snapshot, addresses, options));
    result.fields = rows->schema()->fields();
    result.arrays = rows->columns();
    metadata = rows->schema()->metadata();
  }
  ARROW_ASSIGN_OR_RAISE(auto distances,
                        (BuildColumn<arrow::FloatBuilder>(
                            nearest, pool, [](size_t, const Neighbor& n) { return n.distance; })));
  result.Add(kDistanceColumn, std::move(distances), /*nullable=*/true);
  if (wanted.with_row_id) {
    ARROW_ASSIGN_OR_RAISE(auto ids,
                          (BuildColumn<arrow::UInt64Builder>(
                              nearest, pool, [](size_t, const Neighbor& n) { return n.row_id; })));
    result.Add(kRowIdColumn, std::move(ids), /*nullable=*/true);
  }
  if (request.several_queries) {
    ARROW_ASSIGN_OR_RAISE(
        auto indices,
        (BuildColumn<arrow::Int32Builder>(
            nearest, pool, [](size_t q, const Neighbor&) { return static_cast<int32_t>(q); })));
    result.Add(kQueryIndexColumn, std::move(indices), /*nullable=*/false);
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(result.fields), metadata),
                                  static_cast<int64_t>(addresses.size()), std::move(result.arrays));
}

}  // namespace glaive::query
