// How requests would be answered, as text for people: one step per line, the last one first.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <arrow/type.h>

#include "base/executor.h"
#include "base/status.h"
#include "query/filter.h"
#include "query/scan.h"
#include "query/scan_request.h"
#include "query/vector_plan.h"
#include "query/vector_search.h"

namespace glaive::query {

namespace {

class Tree {
 public:
  /// A step below the one before.
  template <typename... Args>
  void Step(Args&&... args) {
    ++depth_;
    Line(std::forward<Args>(args)...);
  }

  /// A remark on the last step.
  template <typename... Args>
  void Note(Args&&... args) {
    ++depth_;
    Line("- ", std::forward<Args>(args)...);
    --depth_;
  }

  std::string Text() const { return out_.str(); }

 private:
  template <typename... Args>
  void Line(Args&&... args) {
    out_ << std::string(static_cast<size_t>(2 * std::max(0, depth_ - 1)), ' ');
    (out_ << ... << std::forward<Args>(args)) << "\n";
  }

  int depth_ = 0;
  std::ostringstream out_;
};

std::string Names(const arrow::Schema& schema, int count) {
  std::string names;
  for (int i = 0; i < count; ++i) {
    names += Concat(i > 0 ? ", " : "", schema.field(i)->name(), " ",
                    schema.field(i)->type()->ToString());
  }
  return names.empty() ? "nothing" : names;
}

std::string Names(const ReadSet& set) {
  return Names(*set.schema, set.schema->num_fields());
}

std::string Megabytes(uint64_t bytes) {
  return Concat((bytes + (1 << 19)) >> 20, " MiB");
}

arrow::Status NoteTable(const table::Snapshot& snapshot, Tree* tree) {
  ARROW_ASSIGN_OR_RAISE(const uint64_t rows, snapshot.CountRows());
  uint64_t deleted = 0;
  for (const auto& fragment : snapshot.fragments()) {
    deleted += fragment->num_deleted();
  }
  tree->Note("version ", snapshot.version(), ": ", snapshot.fragments().size(), " fragments, ",
             rows, " live rows, ", deleted, " deleted");
  return arrow::Status::OK();
}

void NoteMemory(const table::Snapshot& snapshot, Tree* tree) {
  auto& session = *snapshot.session();
  tree->Note("threads: ", session.executor().num_threads(),
             "; memory limit: ", Megabytes(session.budget().limit_bytes()), ", in use ",
             Megabytes(session.budget().used_bytes()));
}

void NoteFilter(const RowFilter& filter, Tree* tree) {
  tree->Note("filter: ", filter.text());
  if (filter.always_false()) {
    tree->Note("is never true: nothing is read");
    return;
  }
  if (filter.addresses().has_value()) {
    tree->Note("names rows: at most ", filter.addresses()->size(), " are looked at");
  }
  size_t number = 0;
  for (const auto& step : filter.steps()) {
    std::string terms;
    for (const auto& term : step.terms) {
      terms += Concat(terms.empty() ? "" : " AND ", term.ToString());
    }
    ++number;
    tree->Note("phase ", number, ": reads ", Names(step.adds),
               number == 1 ? "" : " for the rows that are left", "; keeps ", terms);
  }
}

void NoteOrder(const std::vector<OrderBy>& order_by, const arrow::Schema& schema, int first,
               Tree* tree) {
  for (size_t i = 0; i < order_by.size(); ++i) {
    const auto& field = *schema.field(first + static_cast<int>(i));
    tree->Note("by ", field.name(), order_by[i].ascending ? " ascending" : " descending",
               order_by[i].nulls_first ? ", nulls first" : ", nulls last");
  }
}

arrow::Status ExplainRead(const table::Snapshot& snapshot, const Output& output,
                          const RowFilter* filter, Tree* tree) {
  ARROW_ASSIGN_OR_RAISE(const auto sharing, ShareColumns(snapshot, output, filter));
  tree->Step("scan in table order");
  ARROW_RETURN_NOT_OK(NoteTable(snapshot, tree));
  tree->Note("coverage: index none, scanned all");
  if (filter == nullptr) {
    tree->Note("reads ", Names(sharing.rest));
  } else {
    NoteFilter(*filter, tree);
    if (!filter->always_false()) {
      tree->Note("for the rows that pass: reads ", Names(sharing.rest));
    }
  }
  NoteMemory(snapshot, tree);
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::string> ExplainScan(const table::Snapshot& snapshot,
                                       const ScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto request, BindScan(snapshot, options));
  Tree tree;
  tree.Step("result: ", Names(*request.output.schema, request.output.schema->num_fields()));
  if (options.limit.has_value() || options.offset > 0) {
    tree.Step("rows from ", options.offset, ", ",
              options.limit.has_value() ? Concat("at most ", *options.limit) : "to the end");
  }
  if (options.distinct) {
    tree.Step("distinct rows, the first of each");
    tree.Note("their keys take a quarter of the memory limit at most, the rest is sorted on disk");
  }
  const int first_key = request.keys.empty() ? 0 : request.keys.front().column;
  if (request.order == OrderMode::kLate) {
    tree.Step("read the columns of the rows that are left: ", Names(request.output.input));
    tree.Step("keep the best ", options.offset + *options.limit, " rows");
    NoteOrder(options.order_by, *request.sorted.schema, first_key, &tree);
  } else if (request.order == OrderMode::kCarry) {
    tree.Step("sort whole rows, in runs on disk where they exceed the memory limit");
    NoteOrder(options.order_by, *request.sorted.schema, first_key, &tree);
  }
  const Output& read = request.order == OrderMode::kTable ? request.output : request.sorted;
  ARROW_RETURN_NOT_OK(ExplainRead(snapshot, read, request.filter.get(), &tree));
  return tree.Text();
}

arrow::Result<std::string> ExplainSearch(const table::Snapshot& snapshot,
                                         const VectorQuery& query) {
  ARROW_ASSIGN_OR_RAISE(const auto plan, BindSearch(snapshot, query));
  static constexpr const char* kMetrics[] = {"l2", "cosine", "dot", "hamming"};
  Tree tree;
  tree.Step("result: ", Names(*plan.output.schema, plan.num_columns),
            plan.num_columns > 0 ? ", " : "", "_distance float",
            plan.with_row_id ? ", _rowid uint64" : "",
            plan.request.several_queries ? ", query_index int32" : "");
  if (!plan.keys.empty()) {
    tree.Step("order the rows of each query");
    NoteOrder(query.order_by, *plan.output.schema, plan.num_columns, &tree);
  }
  if (plan.postfilter) {
    tree.Step("filter the nearest: ", plan.filter->text());
    tree.Note("fewer than k rows may be left");
  }
  tree.Step("read the columns of the rows found: ", Names(plan.output.input));
  tree.Step("nearest rows by ", kMetrics[static_cast<size_t>(plan.request.metric)], ": k ", query.k,
            ", offset ", query.offset, ", ", plan.request.num_queries(), " queries over ",
            plan.request.column, " of ", plan.request.dims, " dimensions");
  ARROW_RETURN_NOT_OK(NoteTable(snapshot, &tree));
  tree.Note("coverage: index none, scanned all");
  if (plan.filter != nullptr && !plan.postfilter) {
    NoteFilter(*plan.filter, &tree);
    tree.Note("vectors are read for the rows that pass");
  }
  NoteMemory(snapshot, &tree);
  return tree.Text();
}

}  // namespace glaive::query
