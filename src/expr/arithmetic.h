// Arithmetic on numbers, moments, durations and intervals; bit operators; || on text.
#pragma once

#include <arrow/result.h>

#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

/// + - * / % || & | ^ << >>. Integers that overflow and integer division by zero are errors.
arrow::Result<BoundPtr> BindArithmetic(Op op, const BoundPtr& left, const BoundPtr& right,
                                       const Scope& folding);
/// Unary - + ~.
arrow::Result<BoundPtr> BindSign(Op op, const BoundPtr& operand, const Scope& folding);
/// a modulo b with the sign of a, of values of one numeric type.
arrow::Result<arrow::Datum> Modulo(const arrow::Datum& left, const arrow::Datum& right,
                                   const Scope& scope);

}  // namespace glaive::expr
