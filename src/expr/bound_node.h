// What the binder makes of a syntax tree: nodes with known types that evaluate themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/compute/function_options.h>
#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "expr/function.h"

namespace glaive::expr {

struct BoundNode;
using BoundPtr = std::shared_ptr<const BoundNode>;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using Operands = std::vector<arrow::Datum>;

/// The rows that are being evaluated.
struct Scope {
  const arrow::RecordBatch* batch = nullptr;  ///< null while folding constants
  int64_t num_rows = 0;
  ArrayPtr selection;                   ///< int64 rows of the batch; null: all of them in order
  std::vector<arrow::Datum> variables;  ///< of lambdas, outermost first
  int64_t now_nanos = 0;
  arrow::MemoryPool* pool = nullptr;

  /// The rows `rows` (int64, without nulls) of this scope.
  arrow::Result<Scope> Select(const ArrayPtr& rows) const;
};

/// One operation. Immutable once made.
struct BoundNode {
  TypePtr type;
  std::vector<BoundPtr> children;
  ScalarPtr value;           ///< if it is constant
  bool flexible = false;     ///< a literal: takes the type of what it meets
  bool can_fail = false;     ///< for some values; so it is evaluated only for rows that matter
  bool is_volatile = false;  ///< a new value per row
  bool costly = false;       ///< worth skipping rows
  std::vector<std::string> column;  ///< exact path, if it is a column
  /// It prints as opening, children with separators between, closing.
  std::string opening;
  std::string separator;
  std::string closing;
  /// Given the values of the children …
  std::function<arrow::Result<arrow::Datum>(const Operands&, const Scope&)> eager;
  /// … or evaluates them as it likes.
  std::function<arrow::Result<arrow::Datum>(const BoundNode&, const Scope&)> lazy;
};

/// An array of scope.num_rows values or a scalar.
arrow::Result<arrow::Datum> Evaluate(const BoundNode& node, const Scope& scope);
/// The same, always as an array.
arrow::Result<ArrayPtr> EvaluateArray(const BoundNode& node, const Scope& scope);
arrow::Result<ArrayPtr> AsArray(const arrow::Datum& datum, const Scope& scope);
/// As SQL; cut off after about `limit` bytes.
std::string Print(const BoundNode& node, size_t limit);

/// Finishes a node: inherits flags from its children and folds it if all of them are constant.
BoundPtr Finish(std::shared_ptr<BoundNode> node, const Scope& folding);
BoundPtr MakeLiteral(ScalarPtr value, bool flexible);
/// `node` cast to `type`; itself if it has that type. kTypeMismatch if there is no such cast.
arrow::Result<BoundPtr> MakeCast(const BoundPtr& node, const TypePtr& type, bool try_cast,
                                 const Scope& folding);
/// `node` in `type` as an assignment makes it: a cast that fails where it would lose something.
arrow::Result<BoundPtr> MakeAssignment(const BoundPtr& node, const TypePtr& type,
                                       const Scope& folding);
/// An operation written a op b, or op(a, b).
std::shared_ptr<BoundNode> MakeOperation(TypePtr type, std::vector<BoundPtr> children,
                                         std::string opening, std::string separator,
                                         std::string closing);

/// An Arrow kernel by name.
arrow::Result<arrow::Datum> Run(const char* name, const Operands& operands, const Scope& scope,
                                const arrow::compute::FunctionOptions* options = nullptr);
arrow::Result<ArrayPtr> TakeRows(const ArrayPtr& values, const ArrayPtr& rows,
                                 arrow::MemoryPool* pool);
/// A scalar of SQL as text for messages.
std::string LiteralText(const arrow::Scalar& scalar);

}  // namespace glaive::expr
