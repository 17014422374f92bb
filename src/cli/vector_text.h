// Vectors as people type them.
#pragma once

#include <string_view>
#include <vector>

#include <arrow/result.h>

namespace glaive::cli {

/// The numbers of one list as JSON writes it: "[1, 2.5, -3e-4]". kInvalidArgument for anything
/// else.
arrow::Result<std::vector<double>> ParseVector(std::string_view text);

/// One list of numbers, or a list of such lists: "[[1, 2], [3, 4]]".
arrow::Result<std::vector<std::vector<double>>> ParseVectors(std::string_view text);

}  // namespace glaive::cli
