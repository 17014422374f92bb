// Lists and structs inside expressions: array literals, members, subscripts, ANY and ALL, and the
// functions that take a lambda.
#pragma once

#include <string>
#include <vector>

#include <arrow/result.h>

#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

/// [a, b, …]
arrow::Result<BoundPtr> BindArray(const std::vector<BoundPtr>& elements, const Scope& folding);
/// value.name of a struct, or the value of that key of a map.
arrow::Result<BoundPtr> BindMember(const BoundPtr& value, const std::string& name,
                                   const Scope& folding);
/// value[index]: element of a list from 1, from the end if negative; member of a struct; value of a
/// map's key. Null where there is none.
arrow::Result<BoundPtr> BindSubscript(const BoundPtr& value, const BoundPtr& index,
                                      const Scope& folding);
/// left op ANY (list), left op ALL (list).
arrow::Result<BoundPtr> BindQuantified(Op op, bool all, const BoundPtr& left, const BoundPtr& list,
                                       const Scope& folding);
/// Type of the elements of a list type; null if it is none.
TypePtr ElementType(const arrow::DataType& type);

enum class LambdaKind { kFilter, kTransform, kAny, kAll };

/// `body` reads the element as variable number `depth`.
arrow::Result<BoundPtr> BindOverElements(LambdaKind kind, const BoundPtr& list,
                                         const BoundPtr& body, size_t depth, const Scope& folding);

}  // namespace glaive::expr
