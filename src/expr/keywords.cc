#include "expr/keywords.h"

#include <algorithm>
#include <iterator>

namespace glaive::expr {
namespace {

template <size_t n>
bool Contains(const std::string_view (&words)[n], std::string_view word) {
  return std::binary_search(std::begin(words), std::end(words), word);
}

// Each list is sorted.
constexpr std::string_view kKeywords[] = {
    "and", "between", "case", "distinct", "else", "end",    "exists",  "false", "ilike", "in",
    "is",  "like",    "not",  "null",     "or",   "select", "similar", "then",  "true",  "when"};

constexpr std::string_view kReserved[] = {"all",
                                          "any",
                                          "array",
                                          "at",
                                          "collate",
                                          "current_date",
                                          "current_time",
                                          "current_timestamp",
                                          "escape",
                                          "filter",
                                          "for",
                                          "from",
                                          "interval",
                                          "localtime",
                                          "localtimestamp",
                                          "over",
                                          "placing",
                                          "some",
                                          "where",
                                          "with",
                                          "within"};

constexpr std::string_view kOwnGrammar[] = {
    "all",  "any",     "array", "arrow_cast", "arrow_try_cast",
    "cast", "extract", "some",  "trim",       "try_cast"};

}  // namespace

bool IsKeyword(std::string_view word) {
  return Contains(kKeywords, word);
}

bool IsReserved(std::string_view word) {
  return IsKeyword(word) || Contains(kReserved, word);
}

bool HasOwnGrammar(std::string_view function) {
  return Contains(kOwnGrammar, function);
}

}  // namespace glaive::expr
