// How tightly operators bind, for parser and printer. Private.
#pragma once

#include <string_view>

#include "expr/syntax.h"

namespace glaive::expr {

enum Precedence : int {
  kLowest = 0,
  kPrecedenceOr,
  kPrecedenceAnd,
  kPrecedenceNot,
  kPrecedenceIs,
  kPrecedenceCompare,
  kPrecedenceBitOr,
  kPrecedenceBitXor,
  kPrecedenceBitAnd,
  kPrecedenceShift,
  kPrecedenceAdd,
  kPrecedenceMultiply,
  kPrecedenceUnary,
  kPrecedencePostfix,
  kPrecedencePrimary,
};

/// Of an operator with two operands.
Precedence PrecedenceOf(Op op);
/// Of a tree as it is printed.
Precedence PrecedenceOf(const Node& node);
/// What the left operand of the operator at the root must at least have to stand without
/// parentheses; kLowest if it has no operand on its left.
Precedence LeftPrecedence(const Node& node);
/// As printed: "+", "AND", "IS DISTINCT FROM".
std::string_view OperatorText(Op op, bool negated = false);

}  // namespace glaive::expr
