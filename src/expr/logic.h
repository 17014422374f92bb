// AND, OR, NOT, IS tests and CASE, in three-valued logic. Terms that can fail are evaluated only
// for rows that the terms before leave open.
#pragma once

#include <string>
#include <vector>

#include <arrow/result.h>

#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

/// `terms` are boolean (or null).
arrow::Result<BoundPtr> BindLogic(Op op, std::vector<BoundPtr> terms, const Scope& folding);
arrow::Result<BoundPtr> BindNot(const BoundPtr& term, const Scope& folding);
arrow::Result<BoundPtr> BindIs(const BoundPtr& value, IsTest test, bool negated,
                               const Scope& folding);
/// conditions[i] THEN results[i]; results has one more for ELSE.
arrow::Result<BoundPtr> BindCase(const std::vector<BoundPtr>& conditions,
                                 const std::vector<BoundPtr>& results, const Scope& folding);
/// `node` as boolean; kTypeMismatch naming `what` if it is none.
arrow::Result<BoundPtr> AsBoolean(const BoundPtr& node, const std::string& what,
                                  const Scope& folding);
/// The type that all of them are brought to; literals give way. kTypeMismatch naming `what`.
arrow::Result<TypePtr> TypeOfAll(const std::vector<BoundPtr>& nodes, const std::string& what,
                                 const Scope& folding);

}  // namespace glaive::expr
