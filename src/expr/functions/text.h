// The parts of the text family, one source each.
#pragma once

#include <vector>

#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> PieceFunctions();    ///< left, substr, split_part ...
std::vector<Function> PadFunctions();      ///< lpad, trim, repeat ...
std::vector<Function> SearchFunctions();   ///< strpos, starts_with, levenshtein ...
std::vector<Function> ReplaceFunctions();  ///< replace, translate, overlay
std::vector<Function> ConcatFunctions();   ///< concat, concat_ws, string_to_array

}  // namespace glaive::expr
