// Updating rows: matched rows are deleted where they are and written anew, as LanceDB does.
#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "base/status.h"
#include "expr/bind.h"
#include "expr/parse.h"
#include "query/scan.h"
#include "write/change.h"
#include "write/fit.h"
#include "write/moved_rows.h"

namespace glaive::write {

namespace {

/// One column's new value. A value.
struct Assignment {
  std::vector<std::string> path;  ///< exact names from the root
  expr::BoundExpression value;
};

/// `array` with the member at `path` (from its second name on) replaced.
arrow::Result<std::shared_ptr<arrow::Array>> ReplaceMember(
    const std::shared_ptr<arrow::Array>& array, const std::vector<std::string>& path, size_t depth,
    const std::shared_ptr<arrow::Array>& value) {
  if (depth == path.size()) {
    return value;
  }
  const auto& parent = static_cast<const arrow::StructArray&>(*array);
  const auto& type = static_cast<const arrow::StructType&>(*parent.type());
  const int index = type.GetFieldIndex(path[depth]);
  if (index < 0) {
    return InternalError("struct has no member '", path[depth], "'");
  }
  arrow::ArrayVector members = parent.fields();
  ARROW_ASSIGN_OR_RAISE(members[static_cast<size_t>(index)],
                        ReplaceMember(members[static_cast<size_t>(index)], path, depth + 1, value));
  // The members above are already cut to the parent's rows; its validity is not.
  std::shared_ptr<arrow::Buffer> validity = parent.null_bitmap();
  if (validity != nullptr && parent.offset() != 0) {
    ARROW_ASSIGN_OR_RAISE(
        validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), validity->data(),
                                              parent.offset(), parent.length()));
  }
  return arrow::StructArray::Make(members, type.fields(), validity, parent.null_count());
}

/// Matched rows with their new values; notes where they come from.
class UpdatedRows final : public arrow::RecordBatchReader {
 public:
  UpdatedRows(std::shared_ptr<arrow::RecordBatchReader> matched,
              std::shared_ptr<arrow::Schema> schema, std::vector<Assignment> assignments,
              BatchFitter fitter, MovedRows* moved)
      : matched_(std::move(matched)),
        schema_(std::move(schema)),
        assignments_(std::move(assignments)),
        fitter_(std::move(fitter)),
        moved_(moved) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    std::shared_ptr<arrow::RecordBatch> old;
    ARROW_RETURN_NOT_OK(matched_->ReadNext(&old));
    batch->reset();
    if (old == nullptr) {
      return arrow::Status::OK();
    }
    arrow::ArrayVector columns(old->columns().begin(),
                               old->columns().begin() + schema_->num_fields());
    for (const Assignment& assignment : assignments_) {
      const int index = schema_->GetFieldIndex(assignment.path.front());
      const auto value = assignment.value.Evaluate(*old);
      if (!value.ok()) {
        return value.status().WithMessage("column '", assignment.path.front(),
                                          "': ", value.status().message());
      }
      auto& column = columns[static_cast<size_t>(index)];
      ARROW_ASSIGN_OR_RAISE(column, ReplaceMember(column, assignment.path, 1, *value));
    }
    ARROW_RETURN_NOT_OK(CheckNewValues(columns, old->num_rows()));
    const int ids = schema_->num_fields();
    moved_->Add(static_cast<const arrow::UInt64Array&>(*old->column(ids)),
                static_cast<const arrow::UInt64Array&>(*old->column(ids + 1)));
    *batch = arrow::RecordBatch::Make(schema_, old->num_rows(), std::move(columns));
    return arrow::Status::OK();
  }

 private:
  // Old values stay as they are, also vectors that would be refused today; new ones are checked.
  arrow::Status CheckNewValues(const arrow::ArrayVector& columns, int64_t num_rows) {
    arrow::FieldVector fields;
    arrow::ArrayVector values;
    for (const Assignment& assignment : assignments_) {
      const int index = schema_->GetFieldIndex(assignment.path.front());
      if (std::none_of(fields.begin(), fields.end(), [&](const auto& field) {
            return field->name() == assignment.path.front();
          })) {
        fields.push_back(schema_->field(index));
        values.push_back(columns[static_cast<size_t>(index)]);
      }
    }
    const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), num_rows, values);
    ARROW_RETURN_NOT_OK(fitter_.Fit(*batch, rows_).status());
    rows_ += static_cast<uint64_t>(num_rows);
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::RecordBatchReader> matched_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<Assignment> assignments_;
  const BatchFitter fitter_;  ///< of the columns that are set
  MovedRows* const moved_;
  uint64_t rows_ = 0;
};

arrow::Result<std::vector<std::string>> ExactPath(const file::Schema& schema,
                                                  const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto* field, schema.FindByPath(path));
  ARROW_ASSIGN_OR_RAISE(auto names, expr::ParseColumnPath(path));
  const std::vector<file::Field>* level = &schema.fields();
  for (size_t i = 0; i < names.size(); ++i) {
    const auto at = std::find_if(level->begin(), level->end(),
                                 [&](const auto& member) { return member.name == names[i]; });
    GLAIVE_CHECK_ARGUMENT(at != level->end() && (i + 1 == names.size() || at->is_struct()), "'",
                          path,
                          "' lies inside a list or a map; only whole columns and "
                          "members of structs can be set");
    level = &at->children;
  }
  GLAIVE_CHECK_ARGUMENT(!field->is_blob_v1() && !field->is_blob_v2(), "blob column '", path,
                        "' can't be set by an expression; merge the rows with new payloads");
  return names;
}

bool Overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::equal(a.begin(), a.begin() + static_cast<ptrdiff_t>(std::min(a.size(), b.size())),
                    b.begin());
}

arrow::Result<std::vector<Assignment>> BindAssignments(const table::Snapshot& snapshot,
                                                       const arrow::Schema& rows,
                                                       const UpdateRequest& request) {
  GLAIVE_CHECK_ARGUMENT(!request.set.empty(), "an update needs at least one column to set");
  std::vector<Assignment> assignments;
  expr::BindOptions options;
  options.parameters = &request.parameters;
  options.pool = snapshot.session()->options().pool;
  for (const auto& [path, clause] : request.set) {
    ARROW_ASSIGN_OR_RAISE(auto names, ExactPath(snapshot.schema(), path));
    for (const Assignment& other : assignments) {
      GLAIVE_CHECK_ARGUMENT(!Overlap(names, other.path), "column '", path, "' is set twice");
    }
    ARROW_ASSIGN_OR_RAISE(const auto* field, snapshot.schema().FindByPath(path));
    ARROW_ASSIGN_OR_RAISE(const auto type, field->ArrowType());
    ARROW_ASSIGN_OR_RAISE(const auto tree, clause.Parse());
    GLAIVE_CHECK_ARGUMENT(!tree.empty(), "column '", path, "' is set to an empty expression");
    auto bound = expr::BindAs(tree.node(), rows, type, options);
    if (!bound.ok()) {
      return bound.status().WithMessage("column '", path, "': ", bound.status().message());
    }
    assignments.push_back({std::move(names), std::move(*bound)});
  }
  return assignments;
}

/// Checks values of the columns that are set.
arrow::Result<BatchFitter> FitterOf(const table::Snapshot& snapshot,
                                    const arrow::FieldVector& fields,
                                    const std::vector<Assignment>& assignments,
                                    BadVectors bad_vectors) {
  std::vector<file::Field> set;
  arrow::FieldVector input;
  for (const Assignment& assignment : assignments) {
    const auto is_it = [&](const auto& field) { return field.name == assignment.path.front(); };
    if (std::any_of(set.begin(), set.end(), is_it)) {
      continue;
    }
    const auto& all = snapshot.schema().fields();
    const auto at = std::find_if(all.begin(), all.end(), is_it);
    set.push_back(*at);
    input.push_back(fields[static_cast<size_t>(at - all.begin())]);
  }
  return BatchFitter::Make(file::Schema(std::move(set), {}), *arrow::schema(std::move(input)),
                           bad_vectors, snapshot.session()->options().pool);
}

}  // namespace

ChangeResult MakeUpdate(const std::shared_ptr<const table::Snapshot>& snapshot,
                        const UpdateRequest& request) {
  ScanOptions scan;
  scan.filter = request.where;
  scan.with_row_id = true;
  scan.with_row_address = true;
  scan.blobs = BlobRead::kBytes;
  scan.progress = request.progress;
  scan.cancel = request.cancel;
  // Parameters belong to the filter and to the values alike; each part takes those that it names.
  scan.parameters = request.parameters;
  ARROW_ASSIGN_OR_RAISE(auto matched, query::ScanSnapshot(snapshot, scan));
  const auto rows = matched->schema();
  ARROW_ASSIGN_OR_RAISE(auto assignments, BindAssignments(*snapshot, *rows, request));
  arrow::FieldVector fields(rows->fields().begin(), rows->fields().end() - 2);
  ARROW_ASSIGN_OR_RAISE(auto fitter, FitterOf(*snapshot, fields, assignments, request.bad_vectors));
  MovedRows moved;
  moved.keeps_row_ids = snapshot->manifest().stable_row_ids();
  UpdatedRows updated(std::move(matched), arrow::schema(std::move(fields)), std::move(assignments),
                      std::move(fitter), &moved);
  WriteOptions options;
  options.bad_vectors = BadVectors::kAllow;
  options.cancel = request.cancel;
  return WriteMoved(*snapshot, updated, options, &moved);
}

}  // namespace glaive::write
