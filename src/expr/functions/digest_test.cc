#include <string>

#include <gtest/gtest.h>

#include "expr/function_fixture.h"

namespace glaive::expr {
namespace {

using arrow::Datum;

Datum Text(const std::string& text) {
  return Datum(arrow::MakeScalar(text));
}

// As text; binary as hexadecimal.
std::string One(const std::string& name, const std::vector<Datum>& arguments) {
  auto result = CallFunction(name, arguments);
  if (!result.ok()) return "error: " + result.status().message();
  return (*result)->GetScalar(0).ValueOrDie()->ToString();
}

std::string Hex(const std::string& name, const std::vector<Datum>& arguments) {
  auto result = CallFunction(name, arguments);
  if (!result.ok()) return "error: " + result.status().message();
  return One("encode", {Datum(*result), Text("hex")});
}

void ExpectBad(const std::string& name, const std::vector<Datum>& arguments,
               const std::string& part) {
  auto result = CallFunction(name, arguments);
  ASSERT_FALSE(result.ok()) << (*result)->ToString();
  EXPECT_EQ(ErrorCodeOf(result.status()), ErrorCode::kInvalidArgument);
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().ToString();
}

TEST(DigestFunctions, KnownHashes) {
  EXPECT_EQ(One("md5", {Text("abc")}), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Hex("sha1", {Text("abc")}), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Hex("sha224", {Text("abc")}),
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(Hex("sha256", {Text("abc")}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex("sha384", {Text("abc")}).substr(0, 16), "cb00753f45a35e8b");
  EXPECT_EQ(Hex("sha512", {Text("")}).substr(0, 16), "cf83e1357eefb8bd");
}

TEST(DigestFunctions, DigestByMethod) {
  EXPECT_EQ(Hex("digest", {Text("abc"), Text("MD5")}), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Hex("digest", {Text("abc"), Text("blake2s")}).substr(0, 16), "508c5e8c327c14e2");
  EXPECT_EQ(Hex("digest", {Text("abc"), Text("blake2b")}).substr(0, 16), "ba80a53f981c4d0d");
  EXPECT_EQ(Hex("digest", {Text("héllo wörld"), Text("blake3")}),
            "20ac270b8b296c5183d1bb88a15dcb58ad4e42aa6919b6e67409c2d778d58f36");
  EXPECT_EQ(Hex("digest", {Text(""), Text("blake3")}),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  ExpectBad("digest", {Text("a"), Text("crc")}, "method 'crc'");
  ExpectBad("digest", {Text("a"), Datum(FromJson(arrow::utf8(), R"(["md5"])"))}, "constant");
}

TEST(DigestFunctions, Blake3OfSeveralChunks) {
  EXPECT_EQ(Hex("digest", {Text(std::string(5000, 'a')), Text("blake3")}),
            "09d0d29a5f2dc69dff0809823ca867836c3a3cfb00e12df06d92e3f0f70629e9");
  EXPECT_EQ(Hex("digest", {Text(std::string(1024, 'a')), Text("blake3")}),
            "5a1c9e5d85d9898297037e8e24f69bb0e604a84c91c3b3ef4784a374812900d9");
}

TEST(DigestFunctions, NullsAndBinary) {
  auto result = CallFunction("md5", {Datum(FromJson(arrow::utf8(), R"([null, "", "abc"])"))});
  EXPECT_TRUE(
      (*result)->Equals(*FromJson(arrow::utf8(), R"([null, "d41d8cd98f00b204e9800998ecf8427e",
                                         "900150983cd24fb0d6963f7d28e17f72"])")));
  EXPECT_EQ(One("md5", {Datum(FromJson(arrow::binary(), R"(["abc"])"))}),
            "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(ErrorCodeOf(CallFunction("md5", {Datum(arrow::MakeScalar(1))}).status()),
            ErrorCode::kTypeMismatch);
}

TEST(DigestFunctions, EncodeAndDecode) {
  const auto encode = [](const std::string& text, const char* form) {
    return One("encode", {Text(text), Text(form)});
  };
  const auto decode = [](const std::string& text, const char* form) {
    return Hex("decode", {Text(text), Text(form)});
  };
  EXPECT_EQ(encode(std::string("\0\xff", 2) + "ab", "hex"), "00ff6162");
  EXPECT_EQ(encode("héllo wörld", "base64"), "aMOpbGxvIHfDtnJsZA");
  EXPECT_EQ(encode("abcd", "base64pad"), "YWJjZA==");
  EXPECT_EQ(encode("abcde", "base64pad"), "YWJjZGU=");
  EXPECT_EQ(encode("", "base64"), "");
  EXPECT_EQ(decode("00fF", "hex"), "00ff");
  EXPECT_EQ(decode("aGk", "base64"), "6869");
  EXPECT_EQ(decode("aGk=", "base64"), "6869");
  EXPECT_EQ(decode("aGk=", "base64pad"), "6869");
  EXPECT_EQ(decode("AAECAwQ", "base64"), "0001020304");
  EXPECT_EQ(decode("", "base64"), "");
  ExpectBad("decode", {Text("00f"), Text("hex")}, "even");
  ExpectBad("decode", {Text("00FG"), Text("hex")}, "character 4");
  ExpectBad("decode", {Text("aGl="), Text("base64")}, "bits");
  ExpectBad("decode", {Text("a Gk"), Text("base64")}, "character 2");
  ExpectBad("decode", {Text("a"), Text("base64")}, "whole");
  EXPECT_EQ(decode("aGk", "base64pad"), "6869");
  ExpectBad("encode", {Text("a"), Text("utf8")}, "encoding 'utf8'");
}

}  // namespace
}  // namespace glaive::expr
