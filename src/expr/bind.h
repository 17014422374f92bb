// Door: a syntax tree bound to a schema: names resolved, types checked and coerced, parameters and
// constants folded. And its evaluation over batches.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/expression.h"

#include "expr/syntax.h"

namespace glaive::expr {

/// What an expression is bound with.
struct BindOptions {
  const Parameters* parameters = nullptr;
  /// now(), current_date: one moment per request. 0 takes the clock when binding.
  int64_t now_nanos = 0;
  arrow::MemoryPool* pool = nullptr;  ///< default pool if null
};

/// Immutable; thread-safe.
class BoundExpression {
 public:
  struct Impl;

  explicit BoundExpression(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  const std::shared_ptr<arrow::DataType>& type() const;
  /// Paths of the columns that it reads, as exact names from the root; sorted, without duplicates
  /// and without paths below others of them. Each ends where the expression takes the whole value.
  const std::vector<std::vector<std::string>>& columns() const;
  /// True if it is the same for every row (then Evaluate gives a scalar). random() and uuid() are
  /// not.
  bool is_constant() const;
  /// True if it is just one column by its path; then no evaluation is needed to hand that column
  /// out.
  bool is_column() const;

  /// One value per row of `batch`, which has at least columns(), by name, in any order, pruned
  /// structs allowed: an array of the batch's length (contiguous), never a scalar. kInvalidArgument
  /// for values that have no result (integer division by zero, overflow, failed cast); the message
  /// holds the expression.
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const arrow::RecordBatch& batch) const;
  /// Of a boolean expression: rows where it is true (not null, not false), as an array without
  /// nulls.
  arrow::Result<std::shared_ptr<arrow::BooleanArray>> EvaluateFilter(
      const arrow::RecordBatch& batch) const;
  /// As SQL, columns by their exact names, coercions shown.
  std::string ToString() const;

  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// `schema` names everything that may be used: the table's columns and, appended by the caller,
/// meta columns such as _rowid. Names match exactly first, then without case if that is
/// unambiguous. Errors, all kInvalidArgument or kTypeMismatch with the place in `sql` (if given):
/// unknown column or function with the nearest name, both types of a mismatch, missing parameters.
/// Parameters that the tree does not use are no error: the expressions of a request share them.
arrow::Result<BoundExpression> Bind(const NodePtr& tree, const arrow::Schema& schema,
                                    const BindOptions& options);
/// The same, and kTypeMismatch unless it is boolean (null counts as boolean).
arrow::Result<BoundExpression> BindFilter(const NodePtr& tree, const arrow::Schema& schema,
                                          const BindOptions& options);
/// The same, cast to `type` as an assignment does: safe casts, no loss of range or precision of
/// integers, decimals and text; kTypeMismatch where no such cast leads from one type to the other.
arrow::Result<BoundExpression> BindAs(const NodePtr& tree, const arrow::Schema& schema,
                                      const std::shared_ptr<arrow::DataType>& type,
                                      const BindOptions& options);

/// The names of the parameters that the tree uses; "$1", "$2", … for positional ones.
std::set<std::string> ParameterNames(const NodePtr& tree);

/// `left` AND `right`; either may be null.
NodePtr Conjunction(const NodePtr& left, const NodePtr& right);
/// The terms of a conjunction, flattened.
std::vector<NodePtr> SplitConjunction(const NodePtr& tree);

}  // namespace glaive::expr
