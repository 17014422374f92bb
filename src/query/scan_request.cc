#include "query/scan_request.h"

#include <algorithm>
#include <utility>

#include <arrow/type.h>

#include "base/clock.h"
#include "base/status.h"
#include "query/row_keys.h"

namespace glaive::query {

namespace {

/// Results up to this are read after sorting.
constexpr uint64_t kLateRows = 64 << 10;

Selection SelectionOf(const ScanOptions& options, int64_t now_nanos) {
  Selection selection;
  selection.columns = options.columns;
  selection.select = options.select;
  selection.parameters = options.parameters;
  selection.blobs = options.blobs;
  selection.with_row_id = options.with_row_id;
  selection.with_row_address = options.with_row_address;
  selection.now_nanos = now_nanos;
  return selection;
}

arrow::Status BindOrder(const table::Snapshot& snapshot, const ScanOptions& options,
                        const Selection& selection, ScanRequest* request) {
  if (options.order_by.empty()) {
    return arrow::Status::OK();
  }
  const uint64_t limit = options.limit.value_or(UINT64_MAX);
  const bool late = !options.distinct && limit <= kLateRows && options.offset <= kLateRows - limit;
  Selection sorted = selection;
  if (late) {
    sorted.columns.clear();
    sorted.select.clear();
    sorted.only_hidden = true;
    sorted.with_row_id = false;
    sorted.with_row_address = true;
  }
  sorted.hidden = options.order_by;
  ARROW_ASSIGN_OR_RAISE(request->sorted, MakeOutput(snapshot, sorted));
  request->order = late ? OrderMode::kLate : OrderMode::kCarry;
  const int first =
      request->sorted.schema->num_fields() - static_cast<int>(options.order_by.size());
  for (size_t i = 0; i < options.order_by.size(); ++i) {
    const int column = first + static_cast<int>(i);
    const auto& field = *request->sorted.schema->field(column);
    if (!IsOrdered(*field.type())) {
      return TypeMismatch("order by: ", field.name(), " of type ", field.type()->ToString(),
                          " has no order; numbers, booleans, text, binary, dates and times have");
    }
    request->keys.push_back(
        {column, options.order_by[i].ascending, options.order_by[i].nulls_first});
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<ScanRequest> BindScan(const table::Snapshot& snapshot, const ScanOptions& options) {
  const int64_t now = NowNanos();
  ScanRequest request;
  const Selection selection = SelectionOf(options, now);
  ARROW_ASSIGN_OR_RAISE(request.output, MakeOutput(snapshot, selection));
  if (!options.filter.empty()) {
    ARROW_ASSIGN_OR_RAISE(request.filter,
                          RowFilter::Make(snapshot, options.filter, options.parameters, now));
    if (request.filter->always_true()) {
      request.filter.reset();
    }
  }
  ARROW_RETURN_NOT_OK(BindOrder(snapshot, options, selection, &request));
  return request;
}

arrow::Result<ColumnSharing> ShareColumns(const table::Snapshot& snapshot, const Output& output,
                                          const RowFilter* filter) {
  ColumnSharing sharing;
  std::vector<size_t> fields;
  std::vector<Meta> metas;
  const auto& columns = output.input.projection.fields();
  const auto keep = [&](int column) {
    sharing.sources.push_back({true, static_cast<int>(sharing.keep.size())});
    sharing.keep.push_back(column);
  };
  for (size_t i = 0; i < columns.size(); ++i) {
    int found = -1;
    if (filter != nullptr) {
      const auto& read = filter->all().projection.fields();
      const auto same = std::find(read.begin(), read.end(), columns[i]);
      const auto at = static_cast<int>(same - read.begin());
      if (same != read.end() && filter->all().schema->field(at)->type()->Equals(
                                    *output.input.schema->field(static_cast<int>(i))->type())) {
        found = at;
      }
    }
    if (found >= 0) {
      keep(found);
    } else {
      sharing.sources.push_back({false, static_cast<int>(fields.size())});
      fields.push_back(i);
    }
  }
  for (const Meta meta : output.input.metas) {
    const int read = filter == nullptr ? -1 : filter->all().schema->GetFieldIndex(NameOf(meta));
    if (read >= 0) {
      keep(read);
    } else {
      sharing.sources.push_back({false, static_cast<int>(fields.size() + metas.size())});
      metas.push_back(meta);
    }
  }
  ARROW_ASSIGN_OR_RAISE(sharing.rest, PartOf(snapshot, output.input, fields, metas));
  return sharing;
}

}  // namespace glaive::query
