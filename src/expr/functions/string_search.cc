// Text functions that look for or compare: strpos, starts_with, contains_tokens, levenshtein ...
#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

template <typename Test>
arrow::Result<arrow::Datum> TestPerRow(const Call& call, Test&& test) {
  const TextRows a(call.arguments[0]);
  const TextRows b(call.arguments[1]);
  return ValuePerRow<bool>(call, [&](int64_t i) -> std::optional<bool> {
    if (a.IsNull(i) || b.IsNull(i)) return std::nullopt;
    return test(a[i], b[i]);
  });
}

// A number of two texts, of the type that resolve promised (int32 or int64).
template <typename Measure>
arrow::Result<arrow::Datum> MeasurePerRow(const Call& call, Measure&& measure) {
  const TextRows a(call.arguments[0]);
  const TextRows b(call.arguments[1]);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    return ValuePerRow<T>(call, [&](int64_t i) -> arrow::Result<std::optional<T>> {
      if (a.IsNull(i) || b.IsNull(i)) return std::optional<T>();
      ARROW_ASSIGN_OR_RAISE(int64_t value, measure(a[i], b[i]));
      return std::optional<T>(static_cast<T>(value));
    });
  };
  return call.signature->result->id() == arrow::Type::INT64 ? run(int64_t{0}) : run(int32_t{0});
}

arrow::Result<int64_t> Position(std::string_view text, std::string_view part) {
  const size_t at = text.find(part);
  return at == std::string_view::npos ? 0 : CountCharacters(text.substr(0, at)) + 1;
}

arrow::Result<int64_t> PlaceInSet(std::string_view text, std::string_view set) {
  if (text.find(',') != std::string_view::npos) return 0;
  for (int64_t place = 1;; ++place) {
    const size_t comma = set.find(',');
    if (set.substr(0, comma) == text) return place;
    if (comma == std::string_view::npos) return 0;
    set.remove_prefix(comma + 1);
  }
}

std::u32string Characters(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) out.push_back(NextCharacter(text, &at));
  return out;
}

arrow::Result<int64_t> EditDistance(std::string_view left, std::string_view right) {
  const std::u32string a_text = Characters(left);
  const std::u32string b_text = Characters(right);
  std::u32string_view a = a_text;
  std::u32string_view b = b_text;
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
  if (a.size() < b.size()) std::swap(a, b);
  if (b.empty()) return static_cast<int64_t>(a.size());
  constexpr size_t kMaxSteps = size_t{1} << 30;  // some seconds
  if (a.size() > kMaxSteps / b.size()) {
    return InvalidArgument("levenshtein: texts of ", a.size(), " and ", b.size(),
                           " characters are too long to compare");
  }
  std::vector<uint32_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t diagonal = row[0];
    row[0] = static_cast<uint32_t>(i) + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const uint32_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// Calls `use` with each run of letters and digits, until it gives false.
template <typename Use>
void ForEachToken(std::string_view text, Use&& use) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t before = at;
    if (IsAlphanumeric(NextCharacter(text, &at))) continue;
    if (before > begin && !use(text.substr(begin, before - begin))) return;
    begin = at;
  }
  if (text.size() > begin) use(text.substr(begin));
}

bool HasTokens(std::string_view text, std::string_view wanted) {
  std::unordered_set<std::string_view> missing;
  ForEachToken(wanted, [&](std::string_view token) {
    missing.insert(token);
    return true;
  });
  if (missing.empty()) return true;
  ForEachToken(text, [&](std::string_view token) {
    missing.erase(token);
    return !missing.empty();
  });
  return missing.empty();
}

}  // namespace

std::vector<Function> SearchFunctions() {
  using enum Kind;
  const auto test = ByKinds({kText}, ResultKind::kBoolean);
  const auto measure = ByKinds({kText}, ResultKind::kLength);
  std::vector<Function> out;
  out.push_back({"strpos",
                 {"instr", "position"},
                 2,
                 2,
                 Volatility::kImmutable,
                 measure,
                 [](const Call& call) { return MeasurePerRow(call, Position); },
                 "strpos(text, part)",
                 "Place of the first character of the first occurrence of a part, from 1; 0 if it "
                 "does not occur."});
  out.push_back({"find_in_set",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ByKinds({kAnyText}, ResultKind::kLength),
                 [](const Call& call) { return MeasurePerRow(call, PlaceInSet); },
                 "find_in_set(text, list)",
                 "Place of the text, from 1, in a text of items separated by commas; 0 if it is "
                 "not in there."});
  out.push_back({"levenshtein",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 measure,
                 [](const Call& call) { return MeasurePerRow(call, EditDistance); },
                 "levenshtein(a, b)",
                 "Smallest number of characters to insert, delete or replace that makes one text "
                 "the other."});
  out.push_back({"starts_with",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 test,
                 [](const Call& call) {
                   return TestPerRow(call, [](std::string_view text, std::string_view part) {
                     return text.substr(0, part.size()) == part;
                   });
                 },
                 "starts_with(text, prefix)",
                 "Whether the text begins with the prefix."});
  out.push_back({"ends_with",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 test,
                 [](const Call& call) {
                   return TestPerRow(call, [](std::string_view text, std::string_view part) {
                     return text.size() >= part.size() &&
                            text.substr(text.size() - part.size()) == part;
                   });
                 },
                 "ends_with(text, suffix)",
                 "Whether the text ends with the suffix."});
  out.push_back({"contains",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 test,
                 [](const Call& call) {
                   return TestPerRow(call, [](std::string_view text, std::string_view part) {
                     return text.find(part) != std::string_view::npos;
                   });
                 },
                 "contains(text, part)",
                 "Whether the part occurs in the text."});
  out.push_back({"contains_tokens",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ByKinds({kAnyText}, ResultKind::kBoolean),
                 [](const Call& call) { return TestPerRow(call, HasTokens); },
                 "contains_tokens(text, tokens)",
                 "Whether each token (run of letters and digits) of `tokens` is a token of the "
                 "text, in any order, case mattering."});
  return out;
}

}  // namespace glaive::expr
