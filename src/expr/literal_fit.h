// A literal in the type of the column that it is compared with, so that the column is not cast.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "expr/bound_node.h"

namespace glaive::expr {

struct LiteralFit {
  enum Kind {
    kNone,     ///< the types do not go together this way
    kExact,    ///< `value` is the literal
    kBelow,    ///< less than all values of the type
    kAbove,    ///< greater than all values of the type
    kBetween,  ///< no value of the type, but `value` is the next less one
  };

  Kind kind = kNone;
  ScalarPtr value;
};

/// `literal` is not null. An error if it is text that is no moment for a temporal `type`.
arrow::Result<LiteralFit> FitLiteral(const arrow::Scalar& literal, const TypePtr& type,
                                     arrow::MemoryPool* pool);

}  // namespace glaive::expr
