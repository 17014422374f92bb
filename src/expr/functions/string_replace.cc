// Text functions that change parts: replace, translate, overlay.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// An empty `from` is found before each character and at the end.
arrow::Status PutBetween(std::string_view text, std::string_view to, TextSink* sink) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    NextCharacter(text, &at);
    ARROW_RETURN_NOT_OK(sink->Put(to));
    ARROW_RETURN_NOT_OK(sink->Put(text.substr(begin, at - begin)));
  }
  return sink->Row(to);
}

arrow::Result<arrow::Datum> Replace(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows from(call.arguments[1]);
  const TextRows to(call.arguments[2]);
  return TextPerRow(call, "replace", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || from.IsNull(i) || to.IsNull(i)) return sink.Null();
    if (from[i].empty()) return PutBetween(text[i], to[i], &sink);
    std::string_view rest = text[i];
    for (size_t at = rest.find(from[i]); at != std::string_view::npos; at = rest.find(from[i])) {
      ARROW_RETURN_NOT_OK(sink.Put(rest.substr(0, at)));
      ARROW_RETURN_NOT_OK(sink.Put(to[i]));
      rest.remove_prefix(at + from[i].size());
    }
    return sink.Row(rest);
  });
}

// Character of `from` -> the one at the same place of `to`, empty if there is none.
using Translation = std::unordered_map<std::string_view, std::string_view>;

Translation MakeTranslation(std::string_view from, std::string_view to) {
  Translation out;
  size_t to_at = 0;
  for (size_t at = 0; at < from.size();) {
    const size_t begin = at;
    NextCharacter(from, &at);
    const size_t to_begin = to_at;
    if (to_at < to.size()) NextCharacter(to, &to_at);
    out.try_emplace(from.substr(begin, at - begin), to.substr(to_begin, to_at - to_begin));
  }
  return out;
}

arrow::Result<arrow::Datum> Translate(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows from(call.arguments[1]);
  const TextRows to(call.arguments[2]);
  const bool constant = from.is_scalar() && to.is_scalar();
  Translation table;
  if (constant && !from.IsNull(0) && !to.IsNull(0)) table = MakeTranslation(from[0], to[0]);
  return TextPerRow(call, "translate", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || from.IsNull(i) || to.IsNull(i)) return sink.Null();
    if (!constant) table = MakeTranslation(from[i], to[i]);
    const std::string_view value = text[i];
    for (size_t at = 0; at < value.size();) {
      const size_t begin = at;
      NextCharacter(value, &at);
      const std::string_view character = value.substr(begin, at - begin);
      const auto found = table.find(character);
      ARROW_RETURN_NOT_OK(sink.Put(found == table.end() ? character : found->second));
    }
    return sink.EndRow();
  });
}

arrow::Result<arrow::Datum> Overlay(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows part(call.arguments[1]);
  const ValueRows<int64_t> from(call.arguments[2]);
  const bool bounded = call.arguments.size() == 4;
  const ValueRows<int64_t> length(call.arguments[bounded ? 3 : 2]);
  return TextPerRow(call, "overlay", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || part.IsNull(i) || from.IsNull(i) || length.IsNull(i)) return sink.Null();
    GLAIVE_CHECK_ARGUMENT(from[i] >= 1, "overlay: the place is ", from[i], ", expected 1 or more");
    const std::string_view value = text[i];
    const int64_t begin = from[i] - 1;
    const int64_t count = bounded ? length[i] : CountCharacters(part[i]);
    constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
    const int64_t end = count > kMax - begin ? kMax : std::max<int64_t>(begin + count, 0);
    ARROW_RETURN_NOT_OK(sink.Put(value.substr(0, CharacterOffset(value, begin))));
    ARROW_RETURN_NOT_OK(sink.Put(part[i]));
    return sink.Row(value.substr(CharacterOffset(value, end)));
  });
}

}  // namespace

std::vector<Function> ReplaceFunctions() {
  using enum Kind;
  std::vector<Function> out;
  out.push_back({"replace",
                 {},
                 3,
                 3,
                 Volatility::kImmutable,
                 ByKinds({kText}, ResultKind::kText),
                 Replace,
                 "replace(text, from, to)",
                 "The text with each occurrence of `from` replaced; an empty `from` occurs before "
                 "each character and at the end."});
  out.push_back({"translate",
                 {},
                 3,
                 3,
                 Volatility::kImmutable,
                 ByKinds({kAnyText, kText, kText}, ResultKind::kText),
                 Translate,
                 "translate(text, from, to)",
                 "The text with each character of `from` replaced by the one at the same place of "
                 "`to`, or removed if `to` is shorter."});
  out.push_back({"overlay",
                 {},
                 3,
                 4,
                 Volatility::kImmutable,
                 ByKinds({kAnyText, kText, kInteger, kInteger}, ResultKind::kText),
                 Overlay,
                 "overlay(text, part, from [, length])",
                 "The text with `length` characters from a place on (as many as the part has) "
                 "replaced by the part."});
  return out;
}

}  // namespace glaive::expr
