// LIKE, ILIKE, SIMILAR TO and the regex operators.
#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

/// `escape` 0 is a backslash.
arrow::Result<BoundPtr> BindLike(Op op, const BoundPtr& value, const BoundPtr& pattern, char escape,
                                 bool negated, const Scope& folding);

/// A LIKE pattern as a regular expression of RE2 that must match the whole text.
std::string LikeToRegex(std::string_view pattern, char escape);
/// The same of a pattern of SIMILAR TO.
std::string SimilarToRegex(std::string_view pattern, char escape);

}  // namespace glaive::expr
