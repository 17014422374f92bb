// Hashes and text forms of bytes.
#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "expr/functions/blake3.h"
#include "expr/functions/rows.h"

namespace glaive::expr {
namespace {

struct Hash {
  std::string_view name;
  const EVP_MD* (*make)();  ///< nullptr: BLAKE3, which OpenSSL has not
};

constexpr Hash kHashes[] = {
    {"md5", EVP_md5},
    {"sha1", EVP_sha1},
    {"sha224", EVP_sha224},
    {"sha256", EVP_sha256},
    {"sha384", EVP_sha384},
    {"sha512", EVP_sha512},
    {"blake2s", EVP_blake2s256},
    {"blake2b", EVP_blake2b512},
    {"blake3", nullptr},
};

constexpr char kHexDigits[] = "0123456789abcdef";

const Hash* FindHash(std::string_view name) {
  const auto* found = std::find_if(std::begin(kHashes), std::end(kHashes),
                                   [&](const Hash& hash) { return hash.name == name; });
  return found == std::end(kHashes) ? nullptr : found;
}

struct DigestBytes {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

arrow::Status Compute(const Hash& hash, std::string_view value, DigestBytes* out) {
  if (hash.make == nullptr) {
    const auto digest = Blake3(value);
    std::copy(digest.begin(), digest.end(), out->bytes.begin());
    out->size = static_cast<unsigned int>(digest.size());
    return arrow::Status::OK();
  }
  if (EVP_Digest(value.data(), value.size(), out->bytes.data(), &out->size, hash.make(), nullptr) !=
      1) {
    return Unsupported("OpenSSL of this machine does not offer ", hash.name);
  }
  return arrow::Status::OK();
}

void PutHex(std::string_view bytes, char* out) {
  for (char c : bytes) {
    *out++ = kHexDigits[static_cast<unsigned char>(c) >> 4];
    *out++ = kHexDigits[static_cast<unsigned char>(c) & 15];
  }
}

arrow::Result<arrow::Datum> HashRows(const Call& call, const Hash& hash) {
  const TextRows values(call.arguments[0]);
  const bool hex = call.signature->result->id() == arrow::Type::STRING;
  DigestBytes digest;
  return TextPerRow(call, hash.name, [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (values.IsNull(i)) return sink.Null();
    ARROW_RETURN_NOT_OK(Compute(hash, values[i], &digest));
    if (!hex) return sink.Row(digest.view());
    ARROW_ASSIGN_OR_RAISE(char* out, sink.Grow(2 * int64_t{digest.size}));
    PutHex(digest.view(), out);
    return sink.EndRow();
  });
}

Function HashFunction(const Hash& hash) {
  const bool hex = hash.name == "md5";
  const std::string name(hash.name);
  Function out;
  out.name = name;
  out.min_arguments = out.max_arguments = 1;
  out.resolve = [hex](const CallSite& site) -> arrow::Result<Signature> {
    ARROW_ASSIGN_OR_RAISE(Signature signature, ByKinds({Kind::kBytes}, ResultKind::kText)(site));
    signature.result = hex ? arrow::utf8() : arrow::binary();
    return signature;
  };
  out.evaluate = [&hash](const Call& call) { return HashRows(call, hash); };
  out.usage = name + "(value)";
  out.summary = "The " + name + " hash of the bytes of a text or binary value, as " +
                (hex ? "hexadecimal text." : "binary.");
  return out;
}

arrow::Result<Signature> ResolveDigest(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature,
                        ByKinds({Kind::kBytes, Kind::kText}, ResultKind::kText)(site));
  ARROW_ASSIGN_OR_RAISE(const std::string method, ConstantText(site, 1, "the method"));
  if (FindHash(method) == nullptr) {
    return InvalidArgument("digest: method '", method,
                           "' is unknown, expected md5, sha1, sha224, sha256, sha384, sha512, "
                           "blake2s, blake2b or blake3");
  }
  signature.result = arrow::binary();
  return signature;
}

std::string LowerScalar(const arrow::Datum& text) {
  const TextRows rows(text);
  std::string out(rows[0]);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

arrow::Result<arrow::Datum> Digest(const Call& call) {
  const Hash* hash = FindHash(LowerScalar(call.arguments[1]));
  return hash == nullptr ? arrow::Result<arrow::Datum>(InternalError("digest: method lost"))
                         : HashRows(call, *hash);
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::array<int8_t, 256> Base64Values() {
  std::array<int8_t, 256> out;
  out.fill(-1);
  for (int8_t i = 0; i < 64; ++i) out[static_cast<unsigned char>(kBase64[i])] = i;
  return out;
}

arrow::Status EncodeBase64(std::string_view bytes, bool pad, TextSink* sink) {
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t rest = size % 3;
  const int64_t tail = rest == 0 ? 0 : pad ? 4 : rest + 1;
  ARROW_ASSIGN_OR_RAISE(char* out, sink->Grow(size / 3 * 4 + tail));
  const auto byte = [&](size_t i) {
    return i < bytes.size() ? uint32_t{static_cast<unsigned char>(bytes[i])} : 0u;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    const size_t digits = std::min<size_t>(bytes.size() - i, 3) + 1;
    for (size_t d = 0; d < 4; ++d) {
      if (d < digits) {
        *out++ = kBase64[three >> (18 - 6 * d) & 63];
      } else if (pad) {
        *out++ = '=';
      }
    }
  }
  return sink->EndRow();
}

arrow::Status DecodeBase64(std::string_view text, TextSink* sink) {
  static const std::array<int8_t, 256> kValues = Base64Values();
  const size_t padded = text.size();
  if (padded % 4 == 0) {
    if (text.ends_with('=')) text.remove_suffix(1);
    if (text.ends_with('=')) text.remove_suffix(1);
  }
  GLAIVE_CHECK_ARGUMENT(text.size() % 4 != 1, "decode: ", padded,
                        " characters are no whole base64 text");
  ARROW_ASSIGN_OR_RAISE(char* out, sink->Grow(static_cast<int64_t>(text.size() * 3 / 4)));
  uint32_t bits = 0;
  int count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const int8_t value = kValues[static_cast<unsigned char>(text[i])];
    GLAIVE_CHECK_ARGUMENT(value >= 0, "decode: character ", i + 1, " is not of base64");
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xFFFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      *out++ = static_cast<char>(bits >> count);
    }
  }
  GLAIVE_CHECK_ARGUMENT((bits & ((1u << count) - 1)) == 0,
                        "decode: the last base64 character has bits that no byte takes");
  return sink->EndRow();
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

arrow::Status DecodeHex(std::string_view text, TextSink* sink) {
  GLAIVE_CHECK_ARGUMENT(text.size() % 2 == 0, "decode: ", text.size(),
                        " hexadecimal digits, expected an even number");
  ARROW_ASSIGN_OR_RAISE(char* out, sink->Grow(static_cast<int64_t>(text.size() / 2)));
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    GLAIVE_CHECK_ARGUMENT(high >= 0 && low >= 0, "decode: character ", high < 0 ? i + 1 : i + 2,
                          " is no hexadecimal digit");
    *out++ = static_cast<char>(high << 4 | low);
  }
  return sink->EndRow();
}

arrow::Status EncodeHex(std::string_view bytes, TextSink* sink) {
  ARROW_ASSIGN_OR_RAISE(char* out, sink->Grow(2 * static_cast<int64_t>(bytes.size())));
  PutHex(bytes, out);
  return sink->EndRow();
}

arrow::Result<Signature> ResolveCode(const CallSite& site, bool encode) {
  ARROW_ASSIGN_OR_RAISE(Signature signature,
                        ByKinds({Kind::kBytes, Kind::kText}, ResultKind::kText)(site));
  ARROW_ASSIGN_OR_RAISE(const std::string form, ConstantText(site, 1, "the encoding"));
  if (form != "base64" && form != "base64pad" && form != "hex") {
    return InvalidArgument(site.name, ": encoding '", form,
                           "' is unknown, expected base64, base64pad or hex");
  }
  const arrow::Type::type id = signature.arguments[0]->id();
  const bool large = id == arrow::Type::LARGE_STRING || id == arrow::Type::LARGE_BINARY;
  signature.result = encode ? (large ? arrow::large_utf8() : arrow::utf8())
                            : (large ? arrow::large_binary() : arrow::binary());
  return signature;
}

arrow::Result<arrow::Datum> Encode(const Call& call) {
  const TextRows values(call.arguments[0]);
  const std::string form = LowerScalar(call.arguments[1]);
  return TextPerRow(call, "encode", [&](int64_t i, TextSink& sink) {
    if (values.IsNull(i)) return sink.Null();
    if (form == "hex") return EncodeHex(values[i], &sink);
    return EncodeBase64(values[i], form == "base64pad", &sink);
  });
}

arrow::Result<arrow::Datum> Decode(const Call& call) {
  const TextRows values(call.arguments[0]);
  const std::string form = LowerScalar(call.arguments[1]);
  return TextPerRow(call, "decode", [&](int64_t i, TextSink& sink) {
    if (values.IsNull(i)) return sink.Null();
    if (form == "hex") return DecodeHex(values[i], &sink);
    return DecodeBase64(values[i], &sink);
  });
}

}  // namespace

std::vector<Function> DigestFunctions() {
  std::vector<Function> out;
  for (const Hash& hash : kHashes) {
    if (hash.name.substr(0, 5) != "blake") out.push_back(HashFunction(hash));
  }
  out.push_back({"digest",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 ResolveDigest,
                 Digest,
                 "digest(value, method)",
                 "The hash of a text or binary value as binary, by md5, sha1, sha224, sha256, "
                 "sha384, sha512, blake2s, blake2b or blake3."});
  out.push_back({"encode",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 [](const CallSite& site) { return ResolveCode(site, true); },
                 Encode,
                 "encode(value, encoding)",
                 "The bytes of a text or binary value as base64 (without padding), base64pad or "
                 "hex."});
  out.push_back({"decode",
                 {},
                 2,
                 2,
                 Volatility::kImmutable,
                 [](const CallSite& site) { return ResolveCode(site, false); },
                 Decode,
                 "decode(text, encoding)",
                 "The bytes that a text in base64 (padded or not), base64pad or hex stands for."});
  return out;
}

}  // namespace glaive::expr
