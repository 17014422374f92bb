// Regular expressions: the syntax and meaning of Rust's regex crate, run by PCRE2. Only this source
// knows PCRE2. Beyond Rust's, look-around and back-references are understood.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>

namespace glaive::expr {

struct RegexOptions {
  bool fold = false;     ///< i: no case
  bool lines = false;    ///< m: ^ and $ at each line
  bool dot_all = false;  ///< s: . matches \n
  bool lazy = false;     ///< U: repetitions are lazy, and greedy with ?
  bool verbose = false;  ///< x: blanks and comments are ignored
  bool whole = false;    ///< matches only the whole text
  bool native = false;   ///< the pattern is PCRE2's own syntax, made by us
};

/// A range of bytes of the text searched.
struct Span {
  static constexpr size_t kNone = static_cast<size_t>(-1);

  bool found() const { return begin != kNone; }

  size_t size() const { return end - begin; }

  std::string_view Of(std::string_view text) const { return text.substr(begin, end - begin); }

  size_t begin = kNone;
  size_t end = kNone;
};

/// A compiled pattern. Immutable; any number of threads may search with it.
class Regex {
 public:
  /// The same pattern compiled lately comes from a cache. kInvalidArgument with the reason and the
  /// pattern if it is no regular expression.
  static arrow::Result<std::shared_ptr<const Regex>> Compile(std::string_view pattern,
                                                             const RegexOptions& options);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  /// The first match that begins at byte `from` or behind, which must be where a character begins.
  /// `groups` becomes NumGroups() + 1 spans, the first of the match itself; those of groups that
  /// took no part are not found(). kInvalidArgument if the search needs too many steps. Bytes that
  /// are not UTF-8 match nothing.
  arrow::Result<bool> Search(std::string_view text, size_t from, std::vector<Span>* groups) const;
  arrow::Result<bool> Matches(std::string_view text) const;

  int NumGroups() const { return num_groups_; }

  /// Number of the group of that name; -1 if there is none.
  int GroupNamed(std::string_view name) const;

 private:
  struct Code;

  Regex() = default;
  static arrow::Result<std::shared_ptr<const Regex>> Make(std::string_view pattern,
                                                          const RegexOptions& options);
  arrow::Result<bool> Run(std::string_view text, size_t from, size_t** found) const;

  std::unique_ptr<Code> code_;
  int num_groups_ = 0;
  std::vector<std::pair<std::string, int>> names_;
  std::string shown_;  // the pattern, cut, for messages
};

/// The text with each character that means something in a pattern escaped.
std::string QuoteRegex(std::string_view text);

/// `text` in quotes for a message, cut after some 60 bytes.
std::string ShowText(std::string_view text);

/// Whether PCRE2 knows \p{name}.
bool IsCharacterProperty(const std::string& name);

}  // namespace glaive::expr
