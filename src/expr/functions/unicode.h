// Characters of UTF-8 text: counting, walking, properties and full case mapping. A byte that is not
// part of a well-formed sequence is a character of its own, so that any bytes are safe here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace glaive::expr {

/// Number of characters: bytes that do not continue a sequence.
int64_t CountCharacters(std::string_view text);
/// Offset of the byte behind the first `count` characters; text.size() if there are fewer.
size_t CharacterOffset(std::string_view text, int64_t count);
/// Offset of the byte where the last `count` characters begin; 0 if there are fewer.
size_t CharacterOffsetFromEnd(std::string_view text, int64_t count);
/// The character at `*position` (which is below text.size()); moves behind it. A stray byte gives
/// 0xFFFD.
char32_t NextCharacter(std::string_view text, size_t* position);
void AppendCharacter(char32_t character, std::string* out);

inline bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all < 0x80;
}

/// Alphabetic or a number of any script.
bool IsAlphanumeric(char32_t character);
/// Appends the upper or lower case form. Full mappings: one character may become several, and a
/// Greek sigma that ends a word becomes a final sigma in lower case.
void AppendUpper(std::string_view text, std::string* out);
void AppendLower(std::string_view text, std::string* out);

}  // namespace glaive::expr
