// The valid name that a mistyped one most likely meant.
#pragma once

#include <string_view>
#include <vector>

namespace glaive::expr {

/// The one of `names` with the fewest edits from `name`, case not counted; empty if all are far.
std::string_view Nearest(std::string_view name, const std::vector<std::string_view>& names);

}  // namespace glaive::expr
