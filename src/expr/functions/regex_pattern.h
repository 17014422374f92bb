// What the regular expression functions share: flags as text, the pattern of a row, replacements.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "expr/regex.h"

namespace glaive::expr {

/// The pattern of each row with its flags: any of i (no case), m (^ and $ at lines), s (. matches
/// \n), U (lazy), x (blanks and comments ignored), and g where `allow_global`. Compiles only where
/// pattern or flags differ from those of the row before. Errors begin with the function's name.
class RowPattern {
 public:
  RowPattern(std::string_view function, bool allow_global)
      : function_(function), allow_global_(allow_global) {}

  /// The same pointer again for the same pattern and flags.
  arrow::Result<const Regex*> Get(std::string_view pattern, std::string_view flags);

  /// Whether the flags of the last Get have a g.
  bool global() const { return global_; }

  /// `status` of a search with the function's name in front.
  arrow::Status Named(const arrow::Status& status) const;

 private:
  arrow::Result<RegexOptions> ParseFlags(std::string_view flags);

  std::string_view function_;
  bool allow_global_;
  bool global_ = false;
  std::string last_pattern_;
  std::string last_flags_;
  std::shared_ptr<const Regex> compiled_;
};

/// What takes the place of a match: text and groups, by $1, ${1}, $name, ${name} or \1; $$ is a
/// dollar sign. Groups that there are not, or that took no part, are empty.
class Replacement {
 public:
  Replacement(std::string_view text, const Regex& regex);
  /// `groups` are of a match in `text`.
  void Append(std::string_view text, const std::vector<Span>& groups, std::string* out) const;

 private:
  struct Part {
    std::string text;
    int group = -1;  // -1: the text
  };

  void AddText(std::string_view text);
  void AddGroup(std::string_view name, const Regex& regex);

  std::vector<Part> parts_;
};

}  // namespace glaive::expr
