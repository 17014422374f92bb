#include "expr/functions/unicode.h"

#include <algorithm>

#include "expr/functions/unicode_tables.h"

namespace glaive::expr {
namespace {

using unicode::Expansion;
using unicode::Mapping;
using unicode::Range;
using unicode::Table;

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kCapitalIWithDot = 0x130;

bool Continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

bool Contains(const Table<Range>& table, char32_t character) {
  const Range* end = table.begin + table.size;
  const Range* found = std::lower_bound(table.begin, end, character,
                                        [](const Range& r, char32_t c) { return r.last < c; });
  return found != end && found->first <= character;
}

char32_t Map(const Table<Mapping>& table, char32_t character) {
  const Mapping* end = table.begin + table.size;
  const Mapping* found = std::lower_bound(table.begin, end, character,
                                          [](const Mapping& m, char32_t c) { return m.last < c; });
  if (found == end || found->first > character) return character;
  if ((character - found->first) % found->stride != 0) return character;
  return static_cast<char32_t>(static_cast<int64_t>(character) + found->delta);
}

const Expansion* FindExpansion(char32_t character) {
  const Table<Expansion>& table = unicode::kUpperExpansionTable;
  const Expansion* end = table.begin + table.size;
  const Expansion* found = std::lower_bound(
      table.begin, end, character, [](const Expansion& e, char32_t c) { return e.character < c; });
  return found != end && found->character == character ? found : nullptr;
}

// Whether the first character from `position` that is not skipped in case matters has case.
bool CasedFollows(std::string_view text, size_t position) {
  while (position < text.size()) {
    const char32_t character = NextCharacter(text, &position);
    if (Contains(unicode::kCaseIgnorableTable, character)) continue;
    return Contains(unicode::kCasedTable, character);
  }
  return false;
}

void AppendAsciiCase(std::string_view text, char first, std::string* out) {
  const size_t begin = out->size();
  out->append(text);
  for (size_t i = begin; i < out->size(); ++i) {
    const char c = (*out)[i];
    const bool flip = c >= first && c <= first + 25;
    (*out)[i] = static_cast<char>(flip ? c ^ 0x20 : c);
  }
}

// A byte that is no character keeps its value.
void AppendMapped(std::string_view text, size_t begin, size_t end, char32_t from, char32_t to,
                  std::string* out) {
  if (from == to) {
    out->append(text.substr(begin, end - begin));
  } else {
    AppendCharacter(to, out);
  }
}

}  // namespace

int64_t CountCharacters(std::string_view text) {
  int64_t continued = 0;
  for (char c : text) continued += Continues(c) ? 1 : 0;
  return static_cast<int64_t>(text.size()) - continued;
}

size_t CharacterOffset(std::string_view text, int64_t count) {
  if (count < 0) return 0;
  if (static_cast<uint64_t>(count) >= text.size()) return text.size();
  size_t at = 0;
  while (at < text.size()) {
    if (!Continues(text[at]) && count-- == 0) break;
    ++at;
  }
  return at;
}

size_t CharacterOffsetFromEnd(std::string_view text, int64_t count) {
  if (count <= 0) return text.size();
  if (static_cast<uint64_t>(count) >= text.size()) return 0;
  size_t at = text.size();
  while (at > 0) {
    --at;
    if (!Continues(text[at]) && --count == 0) return at;
  }
  return 0;
}

char32_t NextCharacter(std::string_view text, size_t* position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t at = (*position)++;
  const unsigned char lead = byte(at);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 && lead < 0xF5   ? 3
                   : lead >= 0xE0 && lead < 0xF0 ? 2
                   : lead >= 0xC2 && lead < 0xE0 ? 1
                                                 : 0;
  if (more == 0 || at + static_cast<size_t>(more) >= text.size()) return kReplacement;
  char32_t value = lead & (0x3Fu >> more);
  for (int i = 1; i <= more; ++i) {
    if (!Continues(text[at + static_cast<size_t>(i)])) return kReplacement;
    value = (value << 6) | (byte(at + static_cast<size_t>(i)) & 0x3Fu);
  }
  const bool overlong = (more == 2 && value < 0x800) || (more == 3 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return kReplacement;
  *position = at + 1 + static_cast<size_t>(more);
  return value;
}

void AppendCharacter(char32_t character, std::string* out) {
  const auto put = [&](char32_t value) { out->push_back(static_cast<char>(value)); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0 | (character >> 6));
    put(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    put(0xE0 | (character >> 12));
    put(0x80 | ((character >> 6) & 0x3F));
    put(0x80 | (character & 0x3F));
  } else {
    put(0xF0 | (character >> 18));
    put(0x80 | ((character >> 12) & 0x3F));
    put(0x80 | ((character >> 6) & 0x3F));
    put(0x80 | (character & 0x3F));
  }
}

bool IsAlphanumeric(char32_t character) {
  if (character < 0x80) {
    const char32_t lower = character | 0x20;
    return (character >= '0' && character <= '9') || (lower >= 'a' && lower <= 'z');
  }
  return Contains(unicode::kAlphanumericTable, character);
}

void AppendUpper(std::string_view text, std::string* out) {
  if (IsAscii(text)) return AppendAsciiCase(text, 'a', out);
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t character = NextCharacter(text, &at);
    if (character < 0x80) {
      AppendAsciiCase(text.substr(begin, 1), 'a', out);
    } else if (const Expansion* longer = FindExpansion(character); longer != nullptr) {
      for (char32_t part : longer->upper) {
        if (part != 0) AppendCharacter(part, out);
      }
    } else {
      AppendMapped(text, begin, at, character, Map(unicode::kUpperTable, character), out);
    }
  }
}

void AppendLower(std::string_view text, std::string* out) {
  if (IsAscii(text)) return AppendAsciiCase(text, 'A', out);
  bool after_cased = false;  // a letter with case, and since then only characters that are skipped
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t character = NextCharacter(text, &at);
    if (character < 0x80) {
      AppendAsciiCase(text.substr(begin, 1), 'A', out);
    } else if (character == kCapitalSigma) {
      AppendCharacter(after_cased && !CasedFollows(text, at) ? kFinalSigma : kSmallSigma, out);
    } else if (character == kCapitalIWithDot) {
      out->append("i\xCC\x87");
    } else {
      AppendMapped(text, begin, at, character, Map(unicode::kLowerTable, character), out);
    }
    if (!Contains(unicode::kCaseIgnorableTable, character)) {
      after_cased = Contains(unicode::kCasedTable, character);
    }
  }
}

}  // namespace glaive::expr
