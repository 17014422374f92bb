// Text functions that pad, trim and repeat.
#include <algorithm>
#include <cstring>
#include <limits>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// Writes `part` over and over, by doubling what is there; `bytes` is a multiple of its size.
void FillWith(std::string_view part, int64_t bytes, char* out) {
  if (bytes == 0) return;
  const auto total = static_cast<size_t>(bytes);
  std::memcpy(out, part.data(), part.size());
  for (size_t done = part.size(); done < total; done *= 2) {
    std::memcpy(out + done, out, std::min(done, total - done));
  }
}

// `count` characters of `fill`, repeated and cut.
arrow::Status PutFill(std::string_view fill, int64_t count, TextSink* sink) {
  const int64_t fill_count = CountCharacters(fill);
  const int64_t whole = count / fill_count;
  const std::string_view rest = fill.substr(0, CharacterOffset(fill, count % fill_count));
  const auto size = static_cast<int64_t>(fill.size());
  ARROW_RETURN_NOT_OK(
      sink->CheckValue(whole > (int64_t{1} << 32) / size ? int64_t{1} << 32 : whole * size));
  ARROW_ASSIGN_OR_RAISE(char* out, sink->Grow(whole * size));
  FillWith(fill, whole * size, out);
  return sink->Put(rest);
}

arrow::Result<arrow::Datum> Pad(const Call& call, std::string_view name, bool left) {
  const TextRows text(call.arguments[0]);
  const ValueRows<int64_t> length(call.arguments[1]);
  const arrow::Datum space(arrow::MakeScalar(" "));
  const TextRows fill(call.arguments.size() == 3 ? call.arguments[2] : space);
  return TextPerRow(call, name, [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || length.IsNull(i) || fill.IsNull(i)) return sink.Null();
    const std::string_view value = text[i];
    const int64_t wanted = std::max<int64_t>(length[i], 0);
    GLAIVE_CHECK_ARGUMENT(wanted <= std::numeric_limits<int32_t>::max(), name, ": the length is ",
                          wanted, ", the limit is ", std::numeric_limits<int32_t>::max());
    const int64_t missing = wanted - CountCharacters(value);
    if (missing <= 0) return sink.Row(value.substr(0, CharacterOffset(value, wanted)));
    // An empty text counts as no fill, and so do bytes that are no characters.
    if (CountCharacters(fill[i]) == 0) return sink.Row(value);
    if (!left) ARROW_RETURN_NOT_OK(sink.Put(value));
    ARROW_RETURN_NOT_OK(PutFill(fill[i], missing, &sink));
    if (left) ARROW_RETURN_NOT_OK(sink.Put(value));
    return sink.EndRow();
  });
}

bool IsOneOf(std::string_view characters, std::string_view character) {
  size_t at = 0;
  while (at < characters.size()) {
    const size_t begin = at;
    NextCharacter(characters, &at);
    if (characters.substr(begin, at - begin) == character) return true;
  }
  return false;
}

std::string_view TrimLeft(std::string_view text, std::string_view characters) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t begin = at;
    NextCharacter(text, &at);
    if (!IsOneOf(characters, text.substr(begin, at - begin))) return text.substr(begin);
  }
  return {};
}

std::string_view TrimRight(std::string_view text, std::string_view characters) {
  while (!text.empty()) {
    const size_t begin = CharacterOffsetFromEnd(text, 1);
    if (!IsOneOf(characters, text.substr(begin))) break;
    text = text.substr(0, begin);
  }
  return text;
}

arrow::Result<arrow::Datum> Trim(const Call& call, std::string_view name, bool left, bool right) {
  const TextRows text(call.arguments[0]);
  const arrow::Datum space(arrow::MakeScalar(" "));
  const TextRows characters(call.arguments.size() == 2 ? call.arguments[1] : space);
  return TextPerRow(call, name, [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || characters.IsNull(i)) return sink.Null();
    std::string_view value = text[i];
    if (left) value = TrimLeft(value, characters[i]);
    if (right) value = TrimRight(value, characters[i]);
    return sink.Row(value);
  });
}

arrow::Result<arrow::Datum> Repeat(const Call& call) {
  const TextRows text(call.arguments[0]);
  const ValueRows<int64_t> count(call.arguments[1]);
  return TextPerRow(call, "repeat", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (text.IsNull(i) || count.IsNull(i)) return sink.Null();
    const auto size = static_cast<int64_t>(text[i].size());
    const int64_t times = size == 0 ? 0 : std::max<int64_t>(count[i], 0);
    constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
    const int64_t bytes = times != 0 && size > kMax / times ? kMax : size * times;
    ARROW_RETURN_NOT_OK(sink.CheckValue(bytes));
    ARROW_ASSIGN_OR_RAISE(char* out, sink.Grow(bytes));
    FillWith(text[i], bytes, out);
    return sink.EndRow();
  });
}

}  // namespace

std::vector<Function> PadFunctions() {
  using enum Kind;
  const auto pad = ByKinds({kAnyText, kInteger, kText}, ResultKind::kText);
  const auto trim = ByKinds({kText}, ResultKind::kText);
  const auto add = [](std::vector<Function>* out, std::string name,
                      std::vector<std::string> aliases, auto resolve, auto evaluate,
                      std::string usage, std::string summary, int max_arguments) {
    out->push_back({std::move(name), std::move(aliases), max_arguments - 1, max_arguments,
                    Volatility::kImmutable, resolve, evaluate, std::move(usage),
                    std::move(summary)});
  };
  std::vector<Function> out;
  add(
      &out, "lpad", {}, pad, [](const Call& call) { return Pad(call, "lpad", true); },
      "lpad(text, length [, fill])",
      "The text brought to a length: filled at the left with spaces or `fill`, or cut at the "
      "right.",
      3);
  add(
      &out, "rpad", {}, pad, [](const Call& call) { return Pad(call, "rpad", false); },
      "rpad(text, length [, fill])",
      "The text brought to a length: filled with spaces or `fill`, or cut, at the right.", 3);
  add(
      &out, "btrim", {"trim"}, trim,
      [](const Call& call) { return Trim(call, "btrim", true, true); },
      "btrim(text [, characters])",
      "The text without spaces, or any of the characters, at both ends.", 2);
  add(
      &out, "ltrim", {}, trim, [](const Call& call) { return Trim(call, "ltrim", true, false); },
      "ltrim(text [, characters])",
      "The text without spaces, or any of the characters, at the left.", 2);
  add(
      &out, "rtrim", {}, trim, [](const Call& call) { return Trim(call, "rtrim", false, true); },
      "rtrim(text [, characters])",
      "The text without spaces, or any of the characters, at the right.", 2);
  out.push_back({"repeat",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ByKinds({kText, kInteger}, ResultKind::kText),
                 Repeat,
                 "repeat(text, n)",
                 "The text n times; empty for n below 1. Refused beyond 64 MiB."});
  return out;
}

}  // namespace glaive::expr
