// Types as SQL names them: in casts and before typed literals. Private to the parser.
#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "expr/lexer.h"

namespace glaive::expr {

/// The type at the cursor, which ends behind it.
arrow::Result<std::shared_ptr<arrow::DataType>> ParseSqlType(Cursor* cursor);
/// Whether the word names a type (of one word or more).
bool StartsSqlType(std::string_view word);

/// Types nest no deeper than this.
inline constexpr int kMaxTypeDepth = 32;

}  // namespace glaive::expr
