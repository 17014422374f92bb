// Text functions that give a part of a text: left, right, substr, split_part, substr_index.
#include <algorithm>
#include <limits>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

int64_t Magnitude(int64_t negative) {
  return negative == std::numeric_limits<int64_t>::min() ? kMaxInt64 : -negative;
}

arrow::Result<arrow::Datum> Left(const Call& call) {
  const TextRows text(call.arguments[0]);
  const ValueRows<int64_t> count(call.arguments[1]);
  return TextPerRow(call, "left", [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || count.IsNull(i)) return sink.Null();
    const std::string_view value = text[i];
    const size_t end = count[i] >= 0 ? CharacterOffset(value, count[i])
                                     : CharacterOffsetFromEnd(value, Magnitude(count[i]));
    return sink.Row(value.substr(0, end));
  });
}

arrow::Result<arrow::Datum> Right(const Call& call) {
  const TextRows text(call.arguments[0]);
  const ValueRows<int64_t> count(call.arguments[1]);
  return TextPerRow(call, "right", [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || count.IsNull(i)) return sink.Null();
    const std::string_view value = text[i];
    const size_t begin = count[i] >= 0 ? CharacterOffsetFromEnd(value, count[i])
                                       : CharacterOffset(value, Magnitude(count[i]));
    return sink.Row(value.substr(begin));
  });
}

// Characters [from, from + length) counted from 1; places before the text count, but are empty.
std::string_view Substring(std::string_view text, int64_t from, int64_t length) {
  int64_t end = length > kMaxInt64 - std::max<int64_t>(from, 0) ? kMaxInt64 : from + length;
  end = std::max<int64_t>(end, 1);
  const int64_t begin = std::max<int64_t>(from, 1);
  if (end <= begin) return {};
  text.remove_prefix(CharacterOffset(text, begin - 1));
  return text.substr(0, CharacterOffset(text, end - begin));
}

arrow::Result<arrow::Datum> Substr(const Call& call) {
  const TextRows text(call.arguments[0]);
  const ValueRows<int64_t> from(call.arguments[1]);
  const bool bounded = call.arguments.size() == 3;
  const ValueRows<int64_t> length(call.arguments[bounded ? 2 : 1]);
  return TextPerRow(call, "substr", [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || from.IsNull(i) || length.IsNull(i)) return sink.Null();
    if (!bounded) return sink.Row(Substring(text[i], std::max<int64_t>(from[i], 1), kMaxInt64));
    GLAIVE_CHECK_ARGUMENT(length[i] >= 0, "substr: the length is ", length[i],
                          ", expected 0 or more");
    return sink.Row(Substring(text[i], from[i], length[i]));
  });
}

// Piece `number` (from 1, or from -1 at the end) of the text cut at the delimiter.
std::string_view Piece(std::string_view text, std::string_view delimiter, int64_t number) {
  if (delimiter.empty()) return number == 1 || number == -1 ? text : std::string_view();
  if (number > 0) {
    for (;;) {
      const size_t at = text.find(delimiter);
      if (--number == 0) return text.substr(0, at);
      if (at == std::string_view::npos) return {};
      text.remove_prefix(at + delimiter.size());
    }
  }
  for (;;) {
    const size_t at = text.rfind(delimiter);
    const bool last = at == std::string_view::npos;
    if (++number == 0) return last ? text : text.substr(at + delimiter.size());
    if (last) return {};
    text = text.substr(0, at);
  }
}

arrow::Result<arrow::Datum> SplitPart(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows delimiter(call.arguments[1]);
  const ValueRows<int64_t> number(call.arguments[2]);
  return TextPerRow(call, "split_part", [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || delimiter.IsNull(i) || number.IsNull(i)) return sink.Null();
    GLAIVE_CHECK_ARGUMENT(number[i] != 0,
                          "split_part: the piece is 0, but pieces count from 1, or from -1 at "
                          "the end");
    return sink.Row(Piece(text[i], delimiter[i], number[i]));
  });
}

// What is before the count-th delimiter, or for a negative count behind that from the end.
std::string_view UpToDelimiter(std::string_view text, std::string_view delimiter, int64_t count) {
  if (count == 0 || delimiter.empty()) return {};
  size_t at = count > 0 ? 0 : text.size();
  while (count > 0) {
    const size_t found = text.find(delimiter, at);
    if (found == std::string_view::npos) return text;
    if (--count == 0) return text.substr(0, found);
    at = found + delimiter.size();
  }
  while (count < 0) {
    const size_t found = text.substr(0, at).rfind(delimiter);
    if (found == std::string_view::npos) return text;
    if (++count == 0) return text.substr(found + delimiter.size());
    at = found;
  }
  return {};
}

arrow::Result<arrow::Datum> SubstrIndex(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows delimiter(call.arguments[1]);
  const ValueRows<int64_t> count(call.arguments[2]);
  return TextPerRow(call, "substr_index", [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i) || delimiter.IsNull(i) || count.IsNull(i)) return sink.Null();
    return sink.Row(UpToDelimiter(text[i], delimiter[i], count[i]));
  });
}

}  // namespace

std::vector<Function> PieceFunctions() {
  using enum Kind;
  const auto counted = ByKinds({kAnyText, kInteger}, ResultKind::kText);
  std::vector<Function> out;
  out.push_back({"left",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 counted,
                 Left,
                 "left(text, n)",
                 "The first n characters; all but the last -n for a negative n."});
  out.push_back({"right",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 counted,
                 Right,
                 "right(text, n)",
                 "The last n characters; all but the first -n for a negative n."});
  out.push_back({"substr",
                 {"substring"},
                 2,
                 3,
                 Volatility::kImmutable,
                 counted,
                 Substr,
                 "substr(text, from [, length])",
                 "Characters from a place (the first is 1) to the end, or `length` of them; places "
                 "before the first are empty, but count."});
  out.push_back({"split_part",
                 {},
                 3,
                 3,
                 Volatility::kImmutable,
                 ByKinds({kText, kText, kInteger}, ResultKind::kText),
                 SplitPart,
                 "split_part(text, delimiter, n)",
                 "Piece n of the text cut at the delimiter, from the end for a negative n; empty "
                 "if there is none."});
  out.push_back({"substr_index",
                 {"substring_index"},
                 3,
                 3,
                 Volatility::kImmutable,
                 ByKinds({kAnyText, kText, kInteger}, ResultKind::kText),
                 SubstrIndex,
                 "substr_index(text, delimiter, n)",
                 "What comes before the n-th delimiter, or for a negative n behind the n-th from "
                 "the end; the whole text if there are fewer."});
  return out;
}

}  // namespace glaive::expr
