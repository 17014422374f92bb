// Door: SQL text -> syntax tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "expr/syntax.h"

namespace glaive::expr {

/// The whole text is one expression; anything after it (a ';' included) is an error.
/// kInvalidArgument names line and column, what was found, what was expected, and shows the place.
arrow::Result<NodePtr> Parse(std::string_view sql);

/// "a", "s.x", "`odd.name`", "\"odd\"" -> names from the root.
arrow::Result<std::vector<std::string>> ParseColumnPath(std::string_view text);

/// "at line 1, column 5:\n  a + + b\n      ^" for messages about a node of `sql`.
std::string Locate(std::string_view sql, uint32_t begin, uint32_t end);

}  // namespace glaive::expr
