// Regular expression functions.
#include <limits>

#include "expr/functions/regex_pattern.h"
#include "expr/functions/rows.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// An argument that may be missing: then null in each row.
arrow::Datum ArgumentOr(const Call& call, size_t index, const TypePtr& type) {
  if (index < call.arguments.size()) return call.arguments[index];
  return arrow::Datum(arrow::MakeNullScalar(type));
}

std::string_view FlagsAt(const TextRows& flags, int64_t row) {
  return flags.IsNull(row) ? std::string_view() : flags[row];
}

// Calls `use(groups)` for each match from the left, until it gives false. An empty match right
// behind the one before does not count.
template <typename Use>
arrow::Status ForEachMatch(const Regex& regex, std::string_view text, std::vector<Span>* groups,
                           Use&& use) {
  size_t at = 0;
  size_t last_end = Span::kNone;
  while (at <= text.size()) {
    ARROW_ASSIGN_OR_RAISE(const bool found, regex.Search(text, at, groups));
    if (!found) break;
    const Span match = groups->front();
    const bool counts = match.size() > 0 || match.begin != last_end;
    if (counts && !use(*groups)) break;
    last_end = match.end;
    at = match.end;
    if (match.size() == 0) {
      if (at >= text.size()) break;
      NextCharacter(text, &at);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> Like(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows pattern(call.arguments[1]);
  const arrow::Datum flag_values = ArgumentOr(call, 2, arrow::utf8());
  const TextRows flags(flag_values);
  RowPattern compiled("regexp_like", false);
  return ValuePerRow<bool>(call, [&](int64_t i) -> arrow::Result<std::optional<bool>> {
    if (text.IsNull(i) || pattern.IsNull(i)) return std::optional<bool>();
    ARROW_ASSIGN_OR_RAISE(const Regex* regex, compiled.Get(pattern[i], FlagsAt(flags, i)));
    const arrow::Result<bool> matches = regex->Matches(text[i]);
    if (!matches.ok()) return compiled.Named(matches.status());
    return std::optional<bool>(*matches);
  });
}

// Appends the captures of a match, or the match itself if the pattern has no groups.
arrow::Status PutMatch(std::string_view text, const std::vector<Span>& groups, TextSink* items,
                       int32_t* count) {
  for (size_t g = groups.size() == 1 ? 0 : 1; g < groups.size(); ++g) {
    if (*count == std::numeric_limits<int32_t>::max()) {
      return ResourceExhausted("regexp_match: more than ", *count, " captures in a batch");
    }
    ++*count;
    ARROW_RETURN_NOT_OK(groups[g].found() ? items->Row(groups[g].Of(text)) : items->Null());
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> Match(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows pattern(call.arguments[1]);
  const arrow::Datum flag_values = ArgumentOr(call, 2, arrow::utf8());
  const TextRows flags(flag_values);
  const auto& type = static_cast<const arrow::ListType&>(*call.signature->result);
  const int64_t rows = RowCount(call);
  RowPattern compiled("regexp_match", false);
  std::vector<Span> groups;
  TextSink items(type.value_type(), "regexp_match", call.pool);
  ARROW_RETURN_NOT_OK(items.Reserve(0));
  arrow::TypedBufferBuilder<int32_t> offsets(call.pool);
  arrow::TypedBufferBuilder<bool> validity(call.pool);
  int32_t count = 0;
  ARROW_RETURN_NOT_OK(offsets.Append(0));
  for (int64_t i = 0; i < rows; ++i) {
    bool matched = false;
    if (!text.IsNull(i) && !pattern.IsNull(i)) {
      ARROW_ASSIGN_OR_RAISE(const Regex* regex, compiled.Get(pattern[i], FlagsAt(flags, i)));
      const arrow::Result<bool> found = regex->Search(text[i], 0, &groups);
      if (!found.ok()) return compiled.Named(found.status());
      matched = *found;
      if (matched) ARROW_RETURN_NOT_OK(PutMatch(text[i], groups, &items, &count));
    }
    ARROW_RETURN_NOT_OK(validity.Append(matched));
    ARROW_RETURN_NOT_OK(offsets.Append(count));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, items.Finish());
  const int64_t nulls = validity.false_count();
  ARROW_ASSIGN_OR_RAISE(auto begins, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
  return AsResult(
      call, arrow::MakeArray(arrow::ArrayData::Make(call.signature->result, rows, {bits, begins},
                                                    {values->data()}, nulls)));
}

arrow::Result<Signature> ResolveMatch(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ByKinds({Kind::kText}, ResultKind::kText)(site));
  signature.result = arrow::list(signature.result);
  return signature;
}

arrow::Result<arrow::Datum> Replace(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows pattern(call.arguments[1]);
  const TextRows replacement(call.arguments[2]);
  const arrow::Datum no_flags(arrow::MakeScalar(""));
  const TextRows flags(call.arguments.size() == 4 ? call.arguments[3] : no_flags);
  RowPattern compiled("regexp_replace", true);
  const Regex* regex = nullptr;
  std::optional<Replacement> parts;
  std::vector<Span> groups;
  std::string out;
  return TextPerRow(call, "regexp_replace", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || pattern.IsNull(i) || replacement.IsNull(i) || flags.IsNull(i)) {
      return sink.Null();
    }
    ARROW_ASSIGN_OR_RAISE(const Regex* now, compiled.Get(pattern[i], flags[i]));
    if (now != regex || !parts.has_value() || !replacement.is_scalar()) {
      regex = now;
      parts.emplace(replacement[i], *regex);
    }
    const std::string_view value = text[i];
    size_t copied = 0;
    arrow::Status written;
    const arrow::Status searched =
        ForEachMatch(*regex, value, &groups, [&](const std::vector<Span>& match) {
          out.assign(value.substr(copied, match[0].begin - copied));
          parts->Append(value, match, &out);
          written = sink.Put(out);
          copied = match[0].end;
          return written.ok() && compiled.global();
        });
    ARROW_RETURN_NOT_OK(compiled.Named(searched));
    ARROW_RETURN_NOT_OK(written);
    return sink.Row(value.substr(copied));
  });
}

// What is left of the text from character `start`; nullopt if it ends before.
std::optional<std::string_view> From(std::string_view text, int64_t start) {
  const size_t at = CharacterOffset(text, start - 1);
  if (at == text.size() && start - 1 > CountCharacters(text)) return std::nullopt;
  return text.substr(at);
}

arrow::Result<arrow::Datum> Count(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows pattern(call.arguments[1]);
  const arrow::Datum one(arrow::MakeScalar(int64_t{1}));
  const ValueRows<int64_t> start(call.arguments.size() > 2 ? call.arguments[2] : one);
  const arrow::Datum flag_values = ArgumentOr(call, 3, arrow::utf8());
  const TextRows flags(flag_values);
  RowPattern compiled("regexp_count", false);
  std::vector<Span> groups;
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
    if (text.IsNull(i) || pattern.IsNull(i) || start.IsNull(i)) return std::optional<int64_t>();
    GLAIVE_CHECK_ARGUMENT(start[i] >= 1, "regexp_count: the start is ", start[i],
                          ", expected 1 or more");
    ARROW_ASSIGN_OR_RAISE(const Regex* regex, compiled.Get(pattern[i], FlagsAt(flags, i)));
    int64_t count = 0;
    if (const auto rest = From(text[i], start[i]); rest.has_value()) {
      ARROW_RETURN_NOT_OK(compiled.Named(ForEachMatch(
          *regex, *rest, &groups, [&](const std::vector<Span>&) { return ++count > 0; })));
    }
    return std::optional<int64_t>(count);
  });
}

// Place of capture `group` (0: the match) of match number `which`, in characters from 1; 0 if there
// is none.
arrow::Result<int64_t> PlaceOf(const Regex& regex, std::string_view text, int64_t which,
                               int64_t group) {
  if (group > regex.NumGroups()) return 0;
  std::vector<Span> groups;
  int64_t place = 0;
  ARROW_RETURN_NOT_OK(ForEachMatch(regex, text, &groups, [&](const std::vector<Span>& match) {
    if (--which > 0) return true;
    const Span& wanted = match[static_cast<size_t>(group)];
    if (wanted.found()) place = CountCharacters(text.substr(0, wanted.begin)) + 1;
    return false;
  }));
  return place;
}

arrow::Result<arrow::Datum> Instr(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows pattern(call.arguments[1]);
  const arrow::Datum one(arrow::MakeScalar(int64_t{1}));
  const arrow::Datum zero(arrow::MakeScalar(int64_t{0}));
  const ValueRows<int64_t> start(call.arguments.size() > 2 ? call.arguments[2] : one);
  const ValueRows<int64_t> which(call.arguments.size() > 3 ? call.arguments[3] : one);
  const arrow::Datum flag_values = ArgumentOr(call, 4, arrow::utf8());
  const TextRows flags(flag_values);
  const ValueRows<int64_t> group(call.arguments.size() > 5 ? call.arguments[5] : zero);
  RowPattern compiled("regexp_instr", false);
  return ValuePerRow<int64_t>(call, [&](int64_t i) -> arrow::Result<std::optional<int64_t>> {
    if (text.IsNull(i) || pattern.IsNull(i) || start.IsNull(i) || which.IsNull(i) ||
        group.IsNull(i)) {
      return std::optional<int64_t>();
    }
    GLAIVE_CHECK_ARGUMENT(start[i] >= 1 && which[i] >= 1, "regexp_instr: start ", start[i],
                          " and match ", which[i], " must both be 1 or more");
    GLAIVE_CHECK_ARGUMENT(group[i] >= 0, "regexp_instr: the group is ", group[i],
                          ", expected 0 or more");
    ARROW_ASSIGN_OR_RAISE(const Regex* regex, compiled.Get(pattern[i], FlagsAt(flags, i)));
    const auto rest = From(text[i], start[i]);
    if (!rest.has_value() || pattern[i].empty()) return std::optional<int64_t>(0);
    const arrow::Result<int64_t> place = PlaceOf(*regex, *rest, which[i], group[i]);
    if (!place.ok()) return compiled.Named(place.status());
    return std::optional<int64_t>(*place == 0 ? 0 : *place + start[i] - 1);
  });
}

}  // namespace

std::vector<Function> RegexFunctions() {
  using enum Kind;
  std::vector<Function> out;
  out.push_back({"regexp_like",
                 {},
                 2,
                 3,
                 Volatility::kImmutable,
                 ByKinds({kText}, ResultKind::kBoolean),
                 Like,
                 "regexp_like(text, pattern [, flags])",
                 "Whether the pattern occurs in the text. Flags: i no case, m ^ and $ at lines, s "
                 ". matches line ends, U lazy, x blanks and comments ignored."});
  out.push_back({"regexp_match",
                 {},
                 2,
                 3,
                 Volatility::kImmutable,
                 ResolveMatch,
                 Match,
                 "regexp_match(text, pattern [, flags])",
                 "The captures of the first match as a list, or the match if there are no groups; "
                 "null without a match. Groups that took no part are null (LanceDB leaves them "
                 "out)."});
  out.push_back({"regexp_replace",
                 {},
                 3,
                 4,
                 Volatility::kImmutable,
                 ByKinds({kText}, ResultKind::kText),
                 Replace,
                 "regexp_replace(text, pattern, replacement [, flags])",
                 "The text with the first match, or with flag g each match, replaced; $1, ${1}, "
                 "$name or \\1 stand for groups and $$ for a dollar sign."});
  out.push_back({"regexp_count",
                 {},
                 2,
                 4,
                 Volatility::kImmutable,
                 ByKinds({kText, kText, kInteger, kText}, ResultKind::kInt64),
                 Count,
                 "regexp_count(text, pattern [, start [, flags]])",
                 "Number of matches in the text from character `start` on; null for null (LanceDB "
                 "gives 0)."});
  out.push_back({"regexp_instr",
                 {},
                 2,
                 6,
                 Volatility::kImmutable,
                 ByKinds({kText, kText, kInteger, kInteger, kText, kInteger}, ResultKind::kInt64),
                 Instr,
                 "regexp_instr(text, pattern [, start [, n [, flags [, group]]]])",
                 "Place, in characters from 1, of match n from character `start` on, or of a group "
                 "of it; 0 if there is none, and for an empty pattern."});
  return out;
}

}  // namespace glaive::expr
