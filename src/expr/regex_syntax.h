// The syntax of Rust's regex crate brought to that of PCRE2.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>

#include "expr/regex.h"

namespace glaive::expr {

struct RegexSource {
  std::string pattern;  ///< for PCRE2 with UTF and UCP; flags are inside it
  std::vector<std::pair<std::string, int>> names;
};

/// kInvalidArgument, with place and reason, if `pattern` (UTF-8) is none. Classes are those of
/// Unicode. Class operations (&&, --, ~~), nested classes and word boundaries become assertions.
arrow::Result<RegexSource> TranslateRegex(std::string_view pattern, const RegexOptions& options);

}  // namespace glaive::expr
