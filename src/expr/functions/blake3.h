// The BLAKE3 hash of bytes in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace glaive::expr {

std::array<uint8_t, 32> Blake3(std::string_view bytes);

}  // namespace glaive::expr
