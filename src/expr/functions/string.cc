// Text functions: measures, case, and the list of the family.
#include <openssl/rand.h>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// One number per text, of the type that resolve promised (int32 or int64).
template <typename Measure>
arrow::Result<arrow::Datum> LengthPerRow(const Call& call, Measure&& measure) {
  const TextRows text(call.arguments[0]);
  if (call.signature->result->id() == arrow::Type::INT64) {
    return ValuePerRow<int64_t>(call, [&](int64_t i) -> std::optional<int64_t> {
      if (text.IsNull(i)) return std::nullopt;
      return measure(text[i]);
    });
  }
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> std::optional<int32_t> {
    if (text.IsNull(i)) return std::nullopt;
    return static_cast<int32_t>(measure(text[i]));
  });
}

arrow::Result<arrow::Datum> Length(const Call& call) {
  return LengthPerRow(call, [](std::string_view text) { return CountCharacters(text); });
}

arrow::Result<arrow::Datum> OctetLength(const Call& call) {
  return LengthPerRow(call,
                      [](std::string_view text) { return static_cast<int64_t>(text.size()); });
}

arrow::Result<arrow::Datum> BitLength(const Call& call) {
  const TextRows text(call.arguments[0]);
  for (int64_t i = 0; i < RowCount(call); ++i) {
    if (call.signature->result->id() == arrow::Type::INT64 || text.IsNull(i)) continue;
    if (text[i].size() >= (uint64_t{1} << 28)) {
      return InvalidArgument("bit_length: a text of ", text[i].size(),
                             " bytes has more bits than an int counts");
    }
  }
  return LengthPerRow(
      call, [](std::string_view value) { return static_cast<int64_t>(value.size()) * 8; });
}

template <typename Append>
arrow::Result<arrow::Datum> Mapped(const Call& call, std::string_view name, Append&& append) {
  const TextRows text(call.arguments[0]);
  std::string buffer;
  return TextPerRow(call, name, [&](int64_t i, TextSink& sink) {
    if (text.IsNull(i)) return sink.Null();
    buffer.clear();
    append(text[i], &buffer);
    return sink.Row(buffer);
  });
}

arrow::Result<arrow::Datum> Lower(const Call& call) {
  return Mapped(call, "lower", AppendLower);
}

arrow::Result<arrow::Datum> Upper(const Call& call) {
  return Mapped(call, "upper", AppendUpper);
}

void AppendInitcap(std::string_view text, std::string* out) {
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t character = NextCharacter(text, &at);
    const std::string_view bytes = text.substr(begin, at - begin);
    if (in_word) {
      AppendLower(bytes, out);
    } else {
      AppendUpper(bytes, out);
    }
    in_word = IsAlphanumeric(character);
  }
}

arrow::Result<arrow::Datum> Initcap(const Call& call) {
  return Mapped(call, "initcap", AppendInitcap);
}

arrow::Result<arrow::Datum> Reverse(const Call& call) {
  return Mapped(call, "reverse", [](std::string_view text, std::string* out) {
    for (size_t end = text.size(); end > 0;) {
      const size_t begin = CharacterOffsetFromEnd(text.substr(0, end), 1);
      out->append(text.substr(begin, end - begin));
      end = begin;
    }
  });
}

arrow::Result<arrow::Datum> Ascii(const Call& call) {
  const TextRows text(call.arguments[0]);
  return ValuePerRow<int32_t>(call, [&](int64_t i) -> std::optional<int32_t> {
    if (text.IsNull(i)) return std::nullopt;
    size_t at = 0;
    return text[i].empty() ? 0 : static_cast<int32_t>(NextCharacter(text[i], &at));
  });
}

arrow::Result<Signature> ResolveAscii(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ByKinds({Kind::kText}, ResultKind::kInt64)(site));
  signature.result = arrow::int32();
  return signature;
}

arrow::Result<arrow::Datum> Chr(const Call& call) {
  const ValueRows<int64_t> codes(call.arguments[0]);
  std::string buffer;
  return TextPerRow(call, "chr", [&](int64_t i, TextSink& sink) {
    if (codes.IsNull(i)) return sink.Null();
    const int64_t code = codes[i];
    GLAIVE_CHECK_ARGUMENT(code >= 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF),
                          "chr: ", code, " is no Unicode character (0 to 1114111, no surrogates)");
    buffer.clear();
    AppendCharacter(static_cast<char32_t>(code), &buffer);
    return sink.Row(buffer);
  });
}

arrow::Result<arrow::Datum> ToHex(const Call& call) {
  const ValueRows<uint64_t> values(call.arguments[0]);
  return TextPerRow(call, "to_hex", [&](int64_t i, TextSink& sink) {
    if (values.IsNull(i)) return sink.Null();
    char digits[16];
    char* begin = digits + 16;
    uint64_t value = values[i];
    do {
      *--begin = "0123456789abcdef"[value & 15];
      value >>= 4;
    } while (value != 0);
    return sink.Row({begin, static_cast<size_t>(digits + 16 - begin)});
  });
}

arrow::Result<Signature> ResolveToHex(const CallSite& site) {
  const arrow::Type::type id = site.types[0]->id();
  if (id != arrow::Type::NA && !arrow::is_integer(id)) return WrongType(site, 0, "an integer");
  return Signature{{id == arrow::Type::UINT64 ? arrow::uint64() : arrow::int64()}, arrow::utf8()};
}

arrow::Result<arrow::Datum> Uuid(const Call& call) {
  TextSink sink(arrow::utf8(), "uuid", call.pool);
  ARROW_RETURN_NOT_OK(sink.Reserve(call.num_rows));
  for (int64_t i = 0; i < call.num_rows; ++i) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
      return InternalError("uuid: the system gave no random bytes");
    }
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
    char text[36];
    char* out = text;
    for (int b = 0; b < 16; ++b) {
      if (b == 4 || b == 6 || b == 8 || b == 10) *out++ = '-';
      *out++ = "0123456789abcdef"[bytes[b] >> 4];
      *out++ = "0123456789abcdef"[bytes[b] & 15];
    }
    ARROW_RETURN_NOT_OK(sink.Row({text, sizeof(text)}));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, sink.Finish());
  return arrow::Datum(std::move(values));
}

std::vector<Function> MeasureFunctions() {
  using enum Kind;
  const auto text = ByKinds({kText}, ResultKind::kText);
  std::vector<Function> out;
  out.push_back({"length",
                 {"char_length", "character_length", "len"},
                 1,
                 1,
                 Volatility::kImmutable,
                 ByKinds({kAnyText}, ResultKind::kLength),
                 Length,
                 "length(text)",
                 "Number of characters (code points) of the text."});
  out.push_back({"octet_length",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ByKinds({kBytes}, ResultKind::kLength),
                 OctetLength,
                 "octet_length(text)",
                 "Number of bytes of a text or binary value."});
  out.push_back({"bit_length",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ByKinds({kBytes}, ResultKind::kLength),
                 BitLength,
                 "bit_length(text)",
                 "Number of bits of a text or binary value."});
  out.push_back({"lower",
                 {"lcase"},
                 1,
                 1,
                 Volatility::kImmutable,
                 text,
                 Lower,
                 "lower(text)",
                 "The text in lower case, by Unicode's full mapping."});
  out.push_back({"upper",
                 {"ucase"},
                 1,
                 1,
                 Volatility::kImmutable,
                 text,
                 Upper,
                 "upper(text)",
                 "The text in upper case, by Unicode's full mapping: a sharp s becomes SS."});
  out.push_back({"initcap",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 text,
                 Initcap,
                 "initcap(text)",
                 "The text with the first letter of each word (run of letters and digits) in upper "
                 "case and the others in lower case."});
  out.push_back({"reverse",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ByKinds({kAnyText}, ResultKind::kText),
                 Reverse,
                 "reverse(text)",
                 "The characters (code points) of the text in reverse order."});
  out.push_back({"ascii",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ResolveAscii,
                 Ascii,
                 "ascii(text)",
                 "Code point of the first character; 0 for an empty text."});
  out.push_back({"chr",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ByKinds({kInteger}, ResultKind::kText),
                 Chr,
                 "chr(code)",
                 "The character with a code point; an error if there is no such character."});
  out.push_back({"to_hex",
                 {},
                 1,
                 1,
                 Volatility::kImmutable,
                 ResolveToHex,
                 ToHex,
                 "to_hex(integer)",
                 "The integer in hexadecimal; negative ones as 64-bit two's complement."});
  out.push_back({"uuid",
                 {},
                 0,
                 0,
                 Volatility::kVolatile,
                 [](const CallSite&) -> arrow::Result<Signature> {
                   return Signature{{}, arrow::utf8()};
                 },
                 Uuid,
                 "uuid()",
                 "A new random UUID (version 4) for each row."});
  return out;
}

}  // namespace

std::vector<Function> StringFunctions() {
  std::vector<Function> out = MeasureFunctions();
  for (auto family :
       {PieceFunctions, PadFunctions, SearchFunctions, ReplaceFunctions, ConcatFunctions}) {
    for (Function& function : family()) out.push_back(std::move(function));
  }
  return out;
}

}  // namespace glaive::expr
