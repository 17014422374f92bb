// Words with a meaning of their own. Private to parser and printer.
#pragma once

#include <string_view>

namespace glaive::expr {

/// Words (in lower case) that are no column or function unless quoted.
bool IsKeyword(std::string_view word);
/// Words that the printer quotes: keywords, and those that are keywords at some places.
bool IsReserved(std::string_view word);
/// Functions whose call has a grammar of its own: their plain call is printed with quotes.
bool HasOwnGrammar(std::string_view function);

}  // namespace glaive::expr
