// How far apart two names are: for messages that suggest the name that was meant.
#pragma once

#include <cstddef>
#include <string_view>

namespace glaive {

/// Characters to insert, remove or replace to get from one to the other, letters compared without
/// case (ASCII). Costs the product of the lengths.
size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace glaive
