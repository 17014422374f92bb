// Comparisons: of columns with literals without casting the column, of everything else in the
// common type. NaN equals itself and is greater than all other numbers.
#pragma once

#include <vector>

#include <arrow/result.h>

#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

const char* OpText(Op op);

/// One of = <> < <= > >= and IS [NOT] DISTINCT FROM. kTypeMismatch with both types.
arrow::Result<BoundPtr> BindComparison(Op op, const BoundPtr& left, const BoundPtr& right,
                                       const Scope& folding);
/// value [NOT] IN (members…).
arrow::Result<BoundPtr> BindIn(const BoundPtr& value, const std::vector<BoundPtr>& members,
                               bool negated, const Scope& folding);
/// The comparison itself, of values of one type. At least one of them is an array.
arrow::Result<arrow::Datum> CompareValues(Op op, const arrow::Datum& left,
                                          const arrow::Datum& right, const Scope& scope);
/// The types in which a and b are compared; null if they can't be.
TypePtr ComparisonType(const TypePtr& a, const TypePtr& b);

}  // namespace glaive::expr
