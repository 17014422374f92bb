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

/// A LIKE pattern as a regular expression of PCRE2 where . matches anything, that must match the
/// whole text. Takes no more steps than length of text times length of pattern.
std::string LikeToRegex(std::string_view pattern, char escape);
/// A pattern of SIMILAR TO as one of Rust, otherwise the same.
std::string SimilarToRegex(std::string_view pattern, char escape);

}  // namespace glaive::expr
