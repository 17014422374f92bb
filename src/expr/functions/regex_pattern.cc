#include "expr/functions/regex_pattern.h"

#include <algorithm>

#include "base/status.h"

namespace glaive::expr {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsNameByte(char c) {
  return c == '_' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

arrow::Result<RegexOptions> RowPattern::ParseFlags(std::string_view flags) {
  RegexOptions options;
  global_ = false;
  for (char flag : flags) {
    if (flag == 'i') {
      options.fold = true;
    } else if (flag == 'm') {
      options.lines = true;
    } else if (flag == 's') {
      options.dot_all = true;
    } else if (flag == 'U') {
      options.lazy = true;
    } else if (flag == 'x') {
      options.verbose = true;
    } else if (flag == 'g' && allow_global_) {
      global_ = true;
    } else {
      return InvalidArgument("flag '", std::string(1, flag), "' in ", ShowText(flags),
                             " is unknown, expected ", allow_global_ ? "g, " : "",
                             "i, m, s, U or x");
    }
  }
  return options;
}

arrow::Status RowPattern::Named(const arrow::Status& status) const {
  return status.ok() ? status : WithContext(status, function_);
}

arrow::Result<const Regex*> RowPattern::Get(std::string_view pattern, std::string_view flags) {
  if (compiled_ != nullptr && pattern == last_pattern_ && flags == last_flags_) {
    return compiled_.get();
  }
  auto options = ParseFlags(flags);
  if (!options.ok()) return Named(options.status());
  auto compiled = Regex::Compile(pattern, *options);
  if (!compiled.ok()) return Named(compiled.status());
  compiled_ = *std::move(compiled);
  last_pattern_ = pattern;
  last_flags_ = flags;
  return compiled_.get();
}

void Replacement::AddText(std::string_view text) {
  if (parts_.empty() || parts_.back().group >= 0) parts_.push_back({});
  parts_.back().text += text;
}

void Replacement::AddGroup(std::string_view name, const Regex& regex) {
  const bool number = !name.empty() && std::all_of(name.begin(), name.end(), IsDigit);
  int group = regex.GroupNamed(name);
  if (number) group = name.size() < 9 ? std::stoi(std::string(name)) : -1;
  if (group >= 0) parts_.push_back({"", group});
}

Replacement::Replacement(std::string_view text, const Regex& regex) {
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    size_t end = at + 1;
    // LanceDB reads \\1 as \1.
    const size_t digits = c == '\\' && next == '\\' ? at + 2 : at + 1;
    if (c == '\\' && digits < text.size() && IsDigit(text[digits])) {
      end = digits;
      while (end < text.size() && IsDigit(text[end])) ++end;
      AddGroup(text.substr(digits, end - digits), regex);
    } else if (c == '$' && next == '$') {
      AddText("$");
      ++end;
    } else if (c == '$' && next == '{' && text.find('}', at) != std::string_view::npos) {
      end = text.find('}', at) + 1;
      AddGroup(text.substr(at + 2, end - at - 3), regex);
    } else if (c == '$' && IsNameByte(next)) {
      while (end < text.size() && IsNameByte(text[end])) ++end;
      AddGroup(text.substr(at + 1, end - at - 1), regex);
    } else {
      AddText(text.substr(at, 1));
    }
    at = end;
  }
}

void Replacement::Append(std::string_view text, const std::vector<Span>& groups,
                         std::string* out) const {
  for (const Part& part : parts_) {
    if (part.group < 0) {
      out->append(part.text);
    } else if (static_cast<size_t>(part.group) < groups.size()) {
      const Span& group = groups[static_cast<size_t>(part.group)];
      if (group.found()) out->append(group.Of(text));
    }
  }
}

}  // namespace glaive::expr
