#include "base/jsonb.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "base/status.h"

namespace glaive::jsonb {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string Encoded(std::string_view text) {
  std::string bytes;
  const auto status = Encode(text, &bytes);
  EXPECT_TRUE(status.ok()) << text << ": " << status.ToString();
  return bytes;
}

std::string Decoded(std::string_view bytes) {
  std::string text;
  const auto status = Decode(bytes, &text);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return text;
}

struct Case {
  std::string text;
  std::string hex;   ///< what Lance 14 stores
  std::string back;  ///< what Lance 14 reads; empty: the text itself
};

TEST(Jsonb, SameBytesAndTextAsLance) {
  const std::vector<Case> cases = {
      {"null", "2000000000000000", ""},
      {" true\n", "2000000040000000", "true"},
      {"false", "2000000030000000", ""},
      {"0", "200000002000000100", ""},
      {"-0", "200000002000000100", "0"},
      {"1", "20000000200000025001", ""},
      {"-1", "200000002000000240ff", ""},
      {"128", "20000000200000025080", ""},
      {"-128", "20000000200000024080", ""},
      {"-129", "200000002000000340ff7f", ""},
      {"32768", "2000000020000003508000", ""},
      {"65536", "20000000200000055000010000", ""},
      {"-2147483649", "200000002000000940ffffffff7fffffff", ""},
      {"9223372036854775808", "2000000020000009508000000000000000", ""},
      {"18446744073709551615", "200000002000000950ffffffffffffffff", ""},
      {"18446744073709551616", "20000000200000096043f0000000000000", "1.8446744073709552e+19"},
      {"-9223372036854775808", "2000000020000009408000000000000000", ""},
      {"-9223372036854775809", "200000002000000960c3e0000000000000", "-9.223372036854776e+18"},
      {"1.0", "2000000020000009603ff0000000000000", ""},
      {"-0.0", "2000000020000009608000000000000000", ""},
      {"1e10", "2000000020000009604202a05f20000000", "10000000000.0"},
      {"100e-2", "2000000020000009603ff0000000000000", "1.0"},
      {"1E15", "200000002000000960430c6bf526340000", "1000000000000000.0"},
      {"1.5e+16", "200000002000000960434aa535d3d0c000", "1.5e+16"},
      {"123456789.125e8", "2000000020000009604345ee2a2f0b9890", "1.23456789125e+16"},
      {"1e-5", "2000000020000009603ee4f8b588e368f1", "0.00001"},
      {"1.5e-6", "2000000020000009603eb92a737110e454", ""},
      {"5e-324", "2000000020000009600000000000000001", ""},
      {"1.7976931348623157e308", "2000000020000009607fefffffffffffff", "1.7976931348623157e+308"},
      {R"("a\u00e9\ud83d\ude00\n\t\\ \/ \" \u0000")",
       "200000001000001061c3a9f09f98800a095c202f20222000",
       "\"a\xC3\xA9\xF0\x9F\x98\x80\\n\\t\\\\ / \\\" \\u0000\""},
      {R"("\u000b\u001f\u007f\b\f\r/\u2028")", "200000001000000a0b1f7f080c0d2fe280a8",
       "\"\\u000b\\u001f\x7F\\b\\f\\r/\xE2\x80\xA8\""},
      {R"("\ud800\u0041")", "200000001000000c5c75643830305c7530303431", R"("\\ud800\\u0041")"},
      {R"("\ud800x")", "20000000100000075c756438303078", R"("\\ud800x")"},
      {"[]", "80000000", ""},
      {"{ }", "40000000", "{}"},
      {R"([1,2,"x",[null]])", "800000042000000220000002100000015000000850015002788000000100000000",
       ""},
      {R"({"b":1,"a":2,"aa":3,"":4})",
       "400000041000000010000001100000021000000120000002200000022000000220000002616161625004500250"
       "035001",
       R"({"":4,"a":2,"aa":3,"b":1})"},
      {R"({"a":{"b":[1,2,{"c":"d"}]},"x":[true,false,null,-5,70000]})",
       "400000021000000110000001500000"
       "2f5000001f6178400000011000000150000022628000000320000002200000025000000e500150024000000110"
       "00000110000001636480000005400000003000000000000000200000022000000540fb5000011170",
       ""},
  };
  for (const auto& c : cases) {
    const std::string bytes = Encoded(c.text);
    EXPECT_EQ(bytes, FromHex(c.hex)) << c.text;
    EXPECT_EQ(Decoded(bytes), c.back.empty() ? c.text : c.back);
  }
}

TEST(Jsonb, WhatIsNotJsonIsRefusedWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "byte 0: the text ends where a value is expected"},
      {" ", "byte 1"},
      {"{", "byte 1: expected a key"},
      {"[1,]", "byte 3: expected a value"},
      {"{a:1}", "byte 1"},
      {"'x'", "byte 0"},
      {"01", "byte 1: text after the end"},
      {"+1", "byte 0"},
      {".5", "byte 0"},
      {"1.", "byte 2: expected a digit after the point"},
      {"-", "byte 1: expected a digit"},
      {"1e", "byte 2: expected a digit in the exponent"},
      {"1e+", "byte 3"},
      {"NaN", "byte 0"},
      {"nul", "byte 0: expected null"},
      {"{\"a\"}", "byte 4: expected ':'"},
      {"{\"a\":1,}", "byte 7"},
      {"{\"a\":1 \"b\":2}", "byte 7: expected ',' or '}'"},
      {"[1 2]", "byte 3: expected ',' or ']'"},
      {"\"\x01\"", "byte 1: a control character"},
      {"\"a", "byte 2: the text ends inside a string"},
      {"\"\\x\"", "byte 2: unknown escape"},
      {"\"\\u12\"", "byte 3: expected four hexadecimal digits"},
      {"\"\\u-123\"", "expected four hexadecimal digits"},
      {"\"\\", "byte 2: unknown escape"},
      {"1 2", "byte 2: text after"},
      {"1e400", "beyond the range of float64"},
      {"-1" + std::string(400, '0'), "beyond the range of float64"},
      {"1e99999999999999999999", "beyond the range of float64"},
      {"{\"a\":1,\"b\":2,\"a\":3}", "key 'a' occurs more than once"},
      {"\"\xFF\"", "not UTF-8"},
      {std::string(2000, '['), "nested deeper"},
  };
  for (const auto& [text, message] : cases) {
    std::string out = "kept";
    const auto status = Encode(text, &out);
    EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kInvalidArgument) << text;
    EXPECT_NE(status.message().find(message), std::string::npos) << status.message();
    EXPECT_EQ(out, "kept");
  }
}

TEST(Jsonb, TinyNumbersBecomeZero) {
  EXPECT_EQ(Decoded(Encoded("1e-400")), "0.0");
  EXPECT_EQ(Decoded(Encoded("-1e-99999999999999999999")), "-0.0");
  EXPECT_EQ(Decoded(Encoded("0." + std::string(400, '0') + "1e5")), "0.0");
  EXPECT_EQ(Decoded(Encoded("0e99999")), "0.0");
}

TEST(Jsonb, DeepAndWideDocuments) {
  const int depth = kMaxJsonDepth - 1;
  const std::string deep = std::string(depth, '[') + "1" + std::string(depth, ']');
  EXPECT_EQ(Decoded(Encoded(deep)), deep);
  // Deeper, as others may have stored it: an array in an array in ...
  std::string bytes = FromHex("80000000");
  for (int i = 0; i < kMaxJsonDepth; ++i) {
    const auto size = static_cast<uint32_t>(bytes.size());
    std::string outer = FromHex("8000000150");
    for (int shift = 16; shift >= 0; shift -= 8) {
      outer += static_cast<char>(size >> shift);
    }
    bytes = outer + bytes;
  }
  std::string text;
  EXPECT_EQ(ErrorCodeOf(Decode(bytes, &text)), ErrorCode::kUnsupported);
  EXPECT_EQ(text, "");
  std::string wide = "[";
  for (int i = 0; i < 50000; ++i) {
    wide += (i > 0 ? "," : "") + std::to_string(i * 7);
  }
  wide += "]";
  EXPECT_EQ(Decoded(Encoded(wide)), wide);
}

TEST(Jsonb, LooksUp) {
  const std::string bytes =
      Encoded(R"({"n":-3,"u":18446744073709551615,"f":2.5,"s":"t\u00e4xt","y":true,"z":null,
                  "a":[10,{"k":"v"},[]],"":0})");
  const Value root = Value::Parse(bytes).ValueOrDie();
  const auto member = [&root](std::string_view name) { return *root.Member(name).ValueOrDie(); };
  EXPECT_EQ(root.type(), Type::kObject);
  EXPECT_EQ(root.size(), 8u);
  EXPECT_EQ(member("n").AsInt64(), -3);
  EXPECT_EQ(member("n").AsUint64(), std::nullopt);
  EXPECT_EQ(member("n").AsDouble(), -3.0);
  EXPECT_EQ(member("u").AsInt64(), std::nullopt);
  EXPECT_EQ(member("u").AsUint64(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(member("f").AsDouble(), 2.5);
  EXPECT_EQ(member("f").AsInt64(), std::nullopt);
  EXPECT_EQ(member("s").AsString(), "t\xC3\xA4xt");
  EXPECT_EQ(member("s").AsBool(), std::nullopt);
  EXPECT_EQ(member("y").AsBool(), true);
  EXPECT_TRUE(member("z").is_null());
  EXPECT_EQ(member("").AsInt64(), 0);
  EXPECT_FALSE(root.Member("nothing").ValueOrDie().has_value());
  EXPECT_FALSE(root.Element(0).ValueOrDie().has_value());
  EXPECT_TRUE(root.Elements().ValueOrDie().empty());

  const Value array = member("a");
  EXPECT_EQ(array.type(), Type::kArray);
  EXPECT_EQ(array.size(), 3u);
  EXPECT_EQ(array.Element(0).ValueOrDie()->AsInt64(), 10);
  EXPECT_EQ(array.Element(1).ValueOrDie()->Member("k").ValueOrDie()->AsString(), "v");
  EXPECT_EQ(array.Element(2).ValueOrDie()->size(), 0u);
  EXPECT_FALSE(array.Element(3).ValueOrDie().has_value());
  EXPECT_FALSE(array.Member("k").ValueOrDie().has_value());
  EXPECT_EQ(array.Elements().ValueOrDie().size(), 3u);

  std::string keys;
  std::string copies;
  for (const auto& [key, value] : root.Members().ValueOrDie()) {
    keys += std::string(key) + ",";
    std::string text;
    ASSERT_TRUE(value.AppendText(&text).ok());
    std::string document;
    value.AppendDocument(&document);
    EXPECT_EQ(document, Encoded(text));
    EXPECT_EQ(Decoded(document), text);
  }
  EXPECT_EQ(keys, ",a,f,n,s,u,y,z,");
}

/// Looks at everything in `value` that the door offers.
void Touch(const Value& value) {
  std::string text;
  (void)value.AppendText(&text);
  (void)value.AsDouble();
  (void)value.Member("a");
  (void)value.Element(3);
  const auto elements = value.Elements();
  const auto members = value.Members();
  if (elements.ok() && !elements->empty()) {
    Touch(elements->back());
  }
  if (members.ok() && !members->empty()) {
    Touch(members->back().second);
  }
}

TEST(Jsonb, ForgedBytesAreErrorsOrValues) {
  const std::string good = Encoded(
      R"({"a":{"b":[1,2.5,{"c":"d"}]},"x":[true,false,null,-5,70000,"text"],"long key":{}})");
  std::mt19937 random(7);
  for (size_t size = 0; size < good.size(); ++size) {
    std::string text;
    EXPECT_FALSE(Decode(std::string_view(good).substr(0, size), &text).ok()) << size;
  }
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 1 + round % 3; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto value = Value::Parse(bytes);
    if (value.ok()) {
      Touch(*value);
    }
  }
}

TEST(Jsonb, ForgedTextIsAnErrorOrRoundTrips) {
  const std::string good = R"({"a":{"b":[1,-2.5e3,{"c":"d\u00e9\n"}]},"x":[true,false,null]})";
  std::mt19937 random(8);
  const std::string alphabet = "{}[]\",:\\u019eE+-.tfn \x01\xC3\xA9";
  for (int round = 0; round < 20000; ++round) {
    std::string text = good;
    for (int i = 0; i < 1 + round % 3; ++i) {
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    }
    std::string bytes;
    if (Encode(text, &bytes).ok()) {
      const std::string first = Decoded(bytes);
      EXPECT_EQ(Decoded(Encoded(first)), first);
    }
  }
}

TEST(Jsonb, WhatIsNotSupportedIsNamed) {
  std::string text;
  const auto decimal = Decode(FromHex("200000002000000270") + "x", &text);
  EXPECT_EQ(ErrorCodeOf(decimal), ErrorCode::kUnsupported) << decimal.ToString();
  const auto date = Decode(FromHex("20000000600000051000000000"), &text);
  EXPECT_EQ(ErrorCodeOf(date), ErrorCode::kUnsupported) << date.ToString();
  EXPECT_EQ(Decoded(FromHex("200000002000000110")), "null");  // NaN, as Lance prints it
  EXPECT_EQ(Decoded(FromHex("200000002000000130")), "null");
}

}  // namespace
}  // namespace glaive::jsonb
