#include <limits>

#include <gtest/gtest.h>

#include "expr/function_fixture.h"
#include "expr/functions/rows.h"

namespace glaive::expr {
namespace {

using arrow::Datum;

Datum Text(const char* text) {
  return Datum(text == nullptr ? arrow::MakeNullScalar(arrow::utf8())
                               : arrow::MakeScalar(std::string(text)));
}

Datum Int(int64_t value) {
  return Datum(arrow::MakeScalar(value));
}

Datum Texts(const std::string& json) {
  return Datum(FromJson(arrow::utf8(), json));
}

// The result as text, as arrow prints a scalar.
std::string One(const std::string& name, const std::vector<Datum>& arguments) {
  auto result = CallFunction(name, arguments);
  if (!result.ok()) return "error: " + result.status().message();
  return (*result)->GetScalar(0).ValueOrDie()->ToString();
}

void ExpectRows(const std::string& name, const std::vector<Datum>& arguments, const TypePtr& type,
                const std::string& json) {
  auto result = CallFunction(name, arguments);
  ASSERT_TRUE(result.ok()) << name << ": " << result.status().ToString();
  ASSERT_TRUE((*result)->ValidateFull().ok()) << (*result)->ValidateFull().ToString();
  const auto expected = FromJson(type, json);
  EXPECT_TRUE((*result)->Equals(*expected))
      << name << ": " << (*result)->ToString() << "\nexpected " << expected->ToString();
}

void ExpectError(const std::string& name, const std::vector<Datum>& arguments, ErrorCode code,
                 const std::string& part) {
  auto result = CallFunction(name, arguments);
  ASSERT_FALSE(result.ok()) << name << " gave " << (*result)->ToString();
  EXPECT_EQ(ErrorCodeOf(result.status()), code) << result.status().ToString();
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().ToString();
}

const char* kTexts = R"(["héllo wörld", "", null, "日本", "a😀b"])";

TEST(StringFunctions, MeasuresCountCharactersAndBytes) {
  ExpectRows("length", {Texts(kTexts)}, arrow::int32(), "[11, 0, null, 2, 3]");
  ExpectRows("char_length", {Texts(kTexts)}, arrow::int32(), "[11, 0, null, 2, 3]");
  ExpectRows("octet_length", {Texts(kTexts)}, arrow::int32(), "[13, 0, null, 6, 6]");
  ExpectRows("bit_length", {Texts(kTexts)}, arrow::int32(), "[104, 0, null, 48, 48]");
  ExpectRows("length", {Datum(FromJson(arrow::large_utf8(), R"(["abc"])"))}, arrow::int64(), "[3]");
  ExpectRows("length", {Datum(FromJson(arrow::int64(), "[-12, null]"))}, arrow::int32(),
             "[3, null]");
  ExpectRows("octet_length", {Datum(FromJson(arrow::binary(), R"(["ab", ""])"))}, arrow::int32(),
             "[2, 0]");
}

TEST(StringFunctions, SlicedInputsAreReadFromTheirOffset) {
  const auto sliced = Texts(kTexts).make_array()->Slice(2);
  ExpectRows("length", {Datum(sliced)}, arrow::int32(), "[null, 2, 3]");
  ExpectRows("upper", {Datum(sliced)}, arrow::utf8(), R"([null, "日本", "A😀B"])");
}

TEST(StringFunctions, CaseFollowsUnicode) {
  EXPECT_EQ(One("upper", {Text("straße ŉ ǆ ﬁ İ ΐ և")}),
            "STRASSE ʼN Ǆ FI İ \xCE\x99\xCC\x88\xCC\x81 ԵՒ");
  EXPECT_EQ(One("lower", {Text("ΑΣ İ Σ ΣΑ ÄÖ")}), "ας i̇ σ σα äö");
  EXPECT_EQ(One("initcap", {Text("hello wORLD-foo_bar a1b éa ß")}),
            "Hello World-Foo_Bar A1b Éa SS");
  ExpectRows("lower", {Texts(R"(["ABC", null, "", "Éa"])")}, arrow::utf8(),
             R"(["abc", null, "", "éa"])");
  ExpectRows("lower", {Datum(FromJson(arrow::large_utf8(), R"(["AB"])"))}, arrow::large_utf8(),
             R"(["ab"])");
  ExpectError("lower", {Int(1)}, ErrorCode::kTypeMismatch, "lower: argument 1 is int64");
}

TEST(StringFunctions, CaseOfEveryCharacterRoundTripsWhereItIsSimple) {
  EXPECT_EQ(One("upper", {Text("абвгд ѐ ա ꭰ ᏸ")}), "АБВГД Ѐ Ա Ꭰ Ᏸ");
  EXPECT_EQ(One("lower", {Text("АБВГД Ѐ Ա Ꭰ Ᏸ Ⅷ")}), "абвгд ѐ ա ꭰ ᏸ ⅷ");
}

TEST(StringFunctions, DictionariesAreText) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto values =
      arrow::DictionaryArray::FromArrays(type, FromJson(arrow::int8(), "[0, 1, null, 0]"),
                                         FromJson(arrow::utf8(), R"(["ab", "c"])"))
          .ValueOrDie();
  ExpectRows("upper", {Datum(values)}, arrow::utf8(), R"(["AB", "C", null, "AB"])");
}

TEST(StringFunctions, BytesThatAreNoTextAreSafe) {
  for (const char* bytes : {"\xff", "a\xc3", "\xed\xa0\x80", "\xf0\x9f", "\x80\x80"}) {
    for (const char* name : {"upper", "lower", "initcap", "reverse", "length", "ascii"}) {
      EXPECT_TRUE(CallFunction(name, {Text(bytes)}).ok()) << name;
    }
    EXPECT_TRUE(CallFunction("left", {Text(bytes), Int(1)}).ok());
    EXPECT_TRUE(CallFunction("lpad", {Text("x"), Int(5), Text(bytes)}).ok());
    EXPECT_TRUE(CallFunction("translate", {Text(bytes), Text(bytes), Text("a")}).ok());
  }
}

TEST(StringFunctions, Pieces) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const Datum text = Text("héllo wörld");
  EXPECT_EQ(One("left", {text, Int(3)}), "hél");
  EXPECT_EQ(One("left", {text, Int(-3)}), "héllo wö");
  EXPECT_EQ(One("left", {text, Int(-100)}), "");
  EXPECT_EQ(One("left", {text, Int(0)}), "");
  EXPECT_EQ(One("left", {text, Int(kMax)}), "héllo wörld");
  EXPECT_EQ(One("left", {text, Int(kMin)}), "");
  EXPECT_EQ(One("right", {text, Int(3)}), "rld");
  EXPECT_EQ(One("right", {text, Int(-3)}), "lo wörld");
  EXPECT_EQ(One("right", {text, Int(kMin)}), "");
  EXPECT_EQ(One("right", {Int(1), Int(1)}), "1");
  EXPECT_EQ(One("substr", {text, Int(2)}), "éllo wörld");
  EXPECT_EQ(One("substr", {text, Int(2), Int(3)}), "éll");
  EXPECT_EQ(One("substring", {text, Int(0), Int(3)}), "hé");
  EXPECT_EQ(One("substr", {text, Int(kMin), Int(kMax)}), "");
  EXPECT_EQ(One("substr", {text, Int(2), Int(kMax)}), "éllo wörld");
  EXPECT_EQ(One("substr", {text, Int(kMin)}), "héllo wörld");
  EXPECT_EQ(One("substr", {text, Int(100)}), "");
  ExpectError("substr", {text, Int(1), Int(-1)}, ErrorCode::kInvalidArgument, "length is -1");
  ExpectRows("left", {Texts(kTexts), Int(1)}, arrow::utf8(), R"(["h", "", null, "日", "a"])");
}

TEST(StringFunctions, SplitPart) {
  const auto split = [](const char* text, const char* delimiter, int64_t n) {
    return One("split_part", {Text(text), Text(delimiter), Int(n)});
  };
  EXPECT_EQ(split("a,b,c", ",", 2), "b");
  EXPECT_EQ(split("a,b,c", ",", -1), "c");
  EXPECT_EQ(split("a.b.c", ".", -2), "b");
  EXPECT_EQ(split("a,b,c", ",", 9), "");
  EXPECT_EQ(split("abc", "", 1), "abc");
  EXPECT_EQ(split("abc", "", 2), "");
  EXPECT_EQ(split("abc", "", -1), "abc");
  EXPECT_EQ(split("", ",", 1), "");
  EXPECT_EQ(split("aaa", "aa", -1), "");
  EXPECT_EQ(split("a", ",", std::numeric_limits<int64_t>::min()), "");
  ExpectError("split_part", {Text("a"), Text(","), Int(0)}, ErrorCode::kInvalidArgument, "piece");
}

TEST(StringFunctions, SubstrIndex) {
  const auto index = [](const char* text, const char* delimiter, int64_t n) {
    return One("substr_index", {Text(text), Text(delimiter), Int(n)});
  };
  EXPECT_EQ(index("www.a.b", ".", 2), "www.a");
  EXPECT_EQ(index("www.a.b", ".", -2), "a.b");
  EXPECT_EQ(index("www.a.b", ".", 0), "");
  EXPECT_EQ(index("www.a.b", "", 1), "");
  EXPECT_EQ(index("aaaaa", "aa", 1), "");
  EXPECT_EQ(index("aaaaa", "aa", -2), "aa");
  EXPECT_EQ(index("a.b", ".", std::numeric_limits<int64_t>::max()), "a.b");
  EXPECT_EQ(index("a.b", ".", std::numeric_limits<int64_t>::min()), "a.b");
}

TEST(StringFunctions, PadAndTrim) {
  const Datum text = Text("héllo");
  EXPECT_EQ(One("lpad", {text, Int(8)}), "   héllo");
  EXPECT_EQ(One("lpad", {text, Int(8), Text("é1")}), "é1éhéllo");
  EXPECT_EQ(One("lpad", {text, Int(3), Text("xy")}), "hél");
  EXPECT_EQ(One("lpad", {text, Int(9), Text("")}), "héllo");
  EXPECT_EQ(One("lpad", {text, Int(-1)}), "");
  EXPECT_EQ(One("lpad", {text, Int(9), Text(nullptr)}), "null");
  EXPECT_EQ(One("rpad", {text, Int(8), Text("é1")}), "hélloé1é");
  EXPECT_EQ(One("lpad", {Int(7), Int(3), Text("0")}), "007");
  EXPECT_EQ(One("ltrim", {Text("\ta ")}), "\ta ");
  EXPECT_EQ(One("trim", {Text("  a ")}), "a");
  EXPECT_EQ(One("btrim", {Text("xxyayx"), Text("xy")}), "a");
  EXPECT_EQ(One("ltrim", {Text("ééaé"), Text("é")}), "aé");
  EXPECT_EQ(One("rtrim", {Text("ééaé"), Text("é")}), "ééa");
  EXPECT_EQ(One("rtrim", {Text("   ")}), "");
  EXPECT_EQ(One("rtrim", {Text("a"), Text("")}), "a");
  EXPECT_EQ(One("rtrim", {Text("a"), Text(nullptr)}), "null");
}

TEST(StringFunctions, AbsurdLengthsAreRefused) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const char* name : {"lpad", "rpad"}) {
    ExpectError(name, {Text("a"), Int(kMax)}, ErrorCode::kInvalidArgument, name);
    ExpectError(name, {Text("a"), Int(2147483647)}, ErrorCode::kInvalidArgument, name);
  }
  ExpectError("repeat", {Text("ab"), Int(kMax)}, ErrorCode::kInvalidArgument, "repeat");
  EXPECT_EQ(One("repeat", {Text(""), Int(kMax)}), "");
}

TEST(StringFunctions, BatchesOfMoreThanTwoGibibytesAreRefused) {
  TextSink sink(arrow::utf8(), "repeat", arrow::default_memory_pool());
  ASSERT_TRUE(sink.Reserve(1).ok());
  ASSERT_TRUE(sink.Put("x").ok());
  EXPECT_TRUE(sink.CheckRoom((int64_t{1} << 31) - 2).ok());
  EXPECT_EQ(ErrorCodeOf(sink.CheckRoom((int64_t{1} << 31) - 1)), ErrorCode::kResourceExhausted);
}

TEST(StringFunctions, RepeatAndReverse) {
  EXPECT_EQ(One("repeat", {Text("hé"), Int(3)}), "héhéhé");
  EXPECT_EQ(One("repeat", {Text("hé"), Int(0)}), "");
  EXPECT_EQ(One("repeat", {Text("hé"), Int(-5)}), "");
  EXPECT_EQ(One("reverse", {Text("aé日😀")}), "😀日éa");
}

TEST(StringFunctions, Search) {
  const auto call = [](const char* name, const char* a, const char* b) {
    return One(name, {Text(a), Text(b)});
  };
  EXPECT_EQ(call("strpos", "héllo", "l"), "3");
  EXPECT_EQ(call("instr", "héllo", "z"), "0");
  EXPECT_EQ(call("position", "", ""), "1");
  EXPECT_EQ(call("find_in_set", "b", "a,b,c"), "2");
  EXPECT_EQ(call("find_in_set", "", "a,b,c"), "0");
  EXPECT_EQ(call("find_in_set", "", ""), "1");
  EXPECT_EQ(call("find_in_set", "a,b", "a,b,c"), "0");
  EXPECT_EQ(call("levenshtein", "kitten", "sitting"), "3");
  EXPECT_EQ(call("levenshtein", "é", "e"), "1");
  EXPECT_EQ(call("levenshtein", "", "héllo wörld"), "11");
  EXPECT_EQ(call("starts_with", "héllo", "hé"), "true");
  EXPECT_EQ(call("starts_with", "h", "hé"), "false");
  EXPECT_EQ(call("ends_with", "héllo", "llo"), "true");
  EXPECT_EQ(call("contains", "héllo", ""), "true");
  EXPECT_EQ(call("contains", nullptr, "a"), "null");
  ExpectRows("contains", {Texts(kTexts), Text("本")}, arrow::boolean(),
             "[false, false, null, true, false]");
}

TEST(StringFunctions, LevenshteinRefusesWhatWouldTakeForever) {
  ExpectError("levenshtein",
              {Text(std::string(100000, 'a').c_str()), Text(std::string(100000, 'b').c_str())},
              ErrorCode::kInvalidArgument, "too long");
}

TEST(StringFunctions, ContainsTokens) {
  const auto call = [](const char* a, const char* b) {
    return One("contains_tokens", {Text(a), Text(b)});
  };
  EXPECT_EQ(call("the quick brown", "quick the"), "true");
  EXPECT_EQ(call("the quick brown", "qui"), "false");
  EXPECT_EQ(call("the, quick-brown", "quick"), "true");
  EXPECT_EQ(call("The", "the"), "false");
  EXPECT_EQ(call("a", ""), "true");
  EXPECT_EQ(call("", "a"), "false");
  EXPECT_EQ(call("a_b c", "b"), "true");
  EXPECT_EQ(call("日本 x", "日"), "false");
  EXPECT_EQ(call("héllo wörld", "wörld"), "true");
}

TEST(StringFunctions, Replace) {
  const auto replace = [](const char* a, const char* b, const char* c) {
    return One("replace", {Text(a), Text(b), Text(c)});
  };
  EXPECT_EQ(replace("aaa", "aa", "b"), "ba");
  EXPECT_EQ(replace("hé", "", "x"), "xhxéx");
  EXPECT_EQ(replace("hé", "é", ""), "h");
  EXPECT_EQ(replace("hé", nullptr, ""), "null");
  EXPECT_EQ(One("translate", {Text("12345"), Text("143"), Text("ax")}), "a2x5");
  EXPECT_EQ(One("translate", {Text("abc"), Text("aab"), Text("xyz")}), "xzc");
  ExpectRows("translate", {Texts(R"(["é", null])"), Texts(R"(["é", "a"])"), Text("日")},
             arrow::utf8(), R"(["日", null])");
}

TEST(StringFunctions, Overlay) {
  const Datum text = Text("Txxxxas");
  EXPECT_EQ(One("overlay", {text, Text("hom"), Int(2), Int(4)}), "Thomas");
  EXPECT_EQ(One("overlay", {text, Text("hom"), Int(2)}), "Thomxas");
  EXPECT_EQ(One("overlay", {text, Text("hom"), Int(20), Int(4)}), "Txxxxashom");
  EXPECT_EQ(One("overlay", {text, Text("hom"), Int(2), Int(-1)}), "ThomTxxxxas");
  EXPECT_EQ(One("overlay", {text, Text("hom"), Int(1), Int(-100)}), "homTxxxxas");
  EXPECT_EQ(One("overlay", {text, Text("h"), Int(std::numeric_limits<int64_t>::max()),
                            Int(std::numeric_limits<int64_t>::max())}),
            "Txxxxash");
  ExpectError("overlay", {text, Text("h"), Int(0)}, ErrorCode::kInvalidArgument, "place");
}

TEST(StringFunctions, Concat) {
  EXPECT_EQ(One("concat", {Text("a"), Int(1), Text(nullptr), Datum(arrow::MakeScalar(true))}),
            "a1true");
  EXPECT_EQ(One("concat", {Text(nullptr), Text(nullptr)}), "");
  EXPECT_EQ(One("concat_ws", {Text(","), Text("a"), Text(nullptr), Text("b"), Int(1)}), "a,b,1");
  EXPECT_EQ(One("concat_ws", {Text(nullptr), Text("a")}), "null");
  EXPECT_EQ(One("concat_ws", {Text(","), Text(""), Text("")}), ",");
  ExpectRows("concat",
             {Texts(kTexts), Datum(FromJson(arrow::large_utf8(), R"(["1","2","3","4",null])"))},
             arrow::large_utf8(), R"(["héllo wörld1", "2", "3", "日本4", "a😀b"])");
  ExpectError("concat", {Datum(FromJson(arrow::list(arrow::int8()), "[[1]]"))},
              ErrorCode::kTypeMismatch, "concat");
}

TEST(StringFunctions, StringToArray) {
  const auto type = arrow::list(arrow::utf8());
  ExpectRows("string_to_array", {Texts(R"(["a,,b", "", null, "x"])"), Text(",")}, type,
             R"([["a", "", "b"], [], null, ["x"]])");
  ExpectRows("string_to_array", {Text("é1"), Text(nullptr), Text("1")}, type, R"([["é", null]])");
  ExpectRows("string_to_array", {Text("a,b"), Text("")}, type, R"([["a,b"]])");
  ExpectRows("string_to_list", {Text("a,,b"), Text(","), Text("")}, type, R"([["a", null, "b"]])");
}

TEST(StringFunctions, CodePoints) {
  EXPECT_EQ(One("ascii", {Text("é")}), "233");
  EXPECT_EQ(One("ascii", {Text("")}), "0");
  EXPECT_EQ(One("chr", {Int(128512)}), "😀");
  EXPECT_EQ(One("chr", {Datum(arrow::MakeNullScalar(arrow::int64()))}), "null");
  for (int64_t bad : {int64_t{-1}, int64_t{0x110000}, int64_t{0xD800}}) {
    ExpectError("chr", {Int(bad)}, ErrorCode::kInvalidArgument, "no Unicode character");
  }
  EXPECT_EQ(One("to_hex", {Int(255)}), "ff");
  EXPECT_EQ(One("to_hex", {Int(0)}), "0");
  EXPECT_EQ(One("to_hex", {Int(-1)}), "ffffffffffffffff");
  EXPECT_EQ(One("to_hex", {Datum(arrow::MakeScalar(uint64_t{1} << 63))}), "8000000000000000");
}

TEST(StringFunctions, UuidsDiffer) {
  auto one = CallFunction("uuid", {}).ValueOrDie();
  auto two = CallFunction("uuid", {}).ValueOrDie();
  EXPECT_FALSE(one->Equals(*two));
  EXPECT_EQ(one->GetScalar(0).ValueOrDie()->ToString().size(), 36u);
}

}  // namespace
}  // namespace glaive::expr
