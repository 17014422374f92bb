#include <string>

#include <gtest/gtest.h>

#include "expr/function_fixture.h"

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

std::string One(const std::string& name, const std::vector<Datum>& arguments) {
  auto result = CallFunction(name, arguments);
  if (!result.ok()) return "error: " + result.status().message();
  return (*result)->GetScalar(0).ValueOrDie()->ToString();
}

std::string Like(const char* text, const char* pattern, const char* flags = "") {
  return One("regexp_like", {Text(text), Text(pattern), Text(flags)});
}

std::string Replace(const char* pattern, const char* replacement, const char* flags) {
  return One("regexp_replace",
             {Text("héllo wörld"), Text(pattern), Text(replacement), Text(flags)});
}

void ExpectMatch(const std::vector<Datum>& arguments, const std::string& json) {
  auto result = CallFunction("regexp_match", arguments);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  ASSERT_TRUE((*result)->ValidateFull().ok());
  const auto expected = FromJson(arrow::list(arrow::utf8()), json);
  EXPECT_TRUE((*result)->Equals(*expected)) << (*result)->ToString();
}

void ExpectBad(const std::string& name, const std::vector<Datum>& arguments,
               const std::string& part) {
  auto result = CallFunction(name, arguments);
  ASSERT_FALSE(result.ok()) << (*result)->ToString();
  EXPECT_EQ(ErrorCodeOf(result.status()), ErrorCode::kInvalidArgument);
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().ToString();
}

TEST(RegexFunctions, LikeWithFlags) {
  EXPECT_EQ(Like("héllo", "l+"), "true");
  EXPECT_EQ(Like("héllo", "L+"), "false");
  EXPECT_EQ(Like("héllo", "L+", "i"), "true");
  EXPECT_EQ(Like("Ö", "ö", "i"), "true");
  EXPECT_EQ(Like("a\nb", "^b$"), "false");
  EXPECT_EQ(Like("a\nb", "^b$", "m"), "true");
  EXPECT_EQ(Like("a\nb", "a.b"), "false");
  EXPECT_EQ(Like("a\nb", "a.b", "s"), "true");
  EXPECT_EQ(Like("aXb", "a x [ b] # to the end", "ix"), "true");
  EXPECT_EQ(Like("a b", "a\\ b", "x"), "true");
  EXPECT_EQ(Like("x", "", nullptr), "true");
  EXPECT_EQ(Like(nullptr, "a"), "null");
  EXPECT_EQ(Like("a", nullptr), "null");
  EXPECT_EQ(One("regexp_like", {Text("a"), Text("a")}), "true");
}

TEST(RegexFunctions, ClassesAreUnicode) {
  EXPECT_EQ(Like("é", "^\\w$"), "true");
  EXPECT_EQ(Like("é", "^\\W$"), "false");
  EXPECT_EQ(Like("٣", "^\\d$"), "true");
  EXPECT_EQ(Like("٣", "^[\\d]$"), "true");
  EXPECT_EQ(Like("\u00a0", "^\\s$"), "true");
  EXPECT_EQ(Like("]", "^[]a]$"), "true");
  EXPECT_EQ(Like("b", "^[[:alpha:]]$"), "true");
  EXPECT_EQ(Like("ab", "(?<first>a)b"), "true");
}

TEST(RegexFunctions, BadPatternsAndFlagsAreNamed) {
  ExpectBad("regexp_like", {Text("a"), Text("(")},
            "regexp_like: bad regular expression '(', at byte 1");
  ExpectBad("regexp_like", {Text("a"), Text("a"), Text("g")}, "flag 'g'");
  ExpectBad("regexp_replace", {Text("a"), Text("a"), Text("b"), Text("q")}, "flag 'q'");
  ExpectBad("regexp_like", {Text("a"), Text(std::string(100000, 'a').c_str())}, "limit");
  ExpectBad("regexp_like", {Text("a"), Text("((a{1000}){1000}){1000}")}, "bad regular expression");
  ExpectBad("regexp_like", {Text("a"), Text("a\\")}, "bad regular expression");
}

TEST(RegexFunctions, MatchGivesCaptures) {
  const Datum text = Text("héllo");
  ExpectMatch({text, Text("l(l)(o)")}, R"([["l", "o"]])");
  ExpectMatch({text, Text("llo")}, R"([["llo"]])");
  ExpectMatch({text, Text("zz")}, "[null]");
  ExpectMatch({text, Text("(z)?l")}, "[[null]]");
  ExpectMatch({text, Text("()l")}, R"([[""]])");
  ExpectMatch({text, Text("L"), Text("i")}, R"([["l"]])");
  ExpectMatch({Text(""), Text("")}, R"([[""]])");
  ExpectMatch({Datum(FromJson(arrow::utf8(), R"(["ab", null, "", "b1"])")), Text("b(.)?")},
              R"([[null], null, null, ["1"]])");
}

TEST(RegexFunctions, ReplaceUnderstandsGroups) {
  EXPECT_EQ(Replace("l", "L", ""), "héLlo wörld");
  EXPECT_EQ(Replace("l", "L", "g"), "héLLo wörLd");
  EXPECT_EQ(Replace("(l)", "[\\1]", "g"), "hé[l][l]o wör[l]d");
  EXPECT_EQ(Replace("(l)", "[$1]", "g"), "hé[l][l]o wör[l]d");
  EXPECT_EQ(Replace("(l)", "[$1x]", "g"), "hé[][]o wör[]d");
  EXPECT_EQ(Replace("(l)", "[${1}x]", "g"), "hé[lx][lx]o wör[lx]d");
  EXPECT_EQ(Replace("(l)", "[\\0]", "g"), "hé[l][l]o wör[l]d");
  EXPECT_EQ(Replace("(l)", "[$$]", "g"), "hé[$][$]o wör[$]d");
  EXPECT_EQ(Replace("(l)", "[\\\\1]", ""), "hé[l]lo wörld");
  EXPECT_EQ(Replace("(l)", "[\\\\a]", ""), "hé[\\\\a]lo wörld");
  EXPECT_EQ(Replace("(l)", "[\\9]", "g"), "hé[][]o wör[]d");
  EXPECT_EQ(Replace("(l)", "\\a$", ""), "hé\\a$lo wörld");
  EXPECT_EQ(Replace("(?P<nn>l)", "[$nn]", "g"), "hé[l][l]o wör[l]d");
  EXPECT_EQ(Replace("", "-", "g"), "-h-é-l-l-o- -w-ö-r-l-d-");
  EXPECT_EQ(Replace("x*", "-", "g"), "-h-é-l-l-o- -w-ö-r-l-d-");
  EXPECT_EQ(Replace("l*", "-", "g"), "-h-é-o- -w-ö-r-d-");
  EXPECT_EQ(Replace("L", "-", "gi"), "hé--o wör-d");
  EXPECT_EQ(Replace("L", "-", nullptr), "null");
}

TEST(RegexFunctions, ReplaceWithPatternsOfEachRow) {
  const Datum texts(FromJson(arrow::utf8(), R"(["ab", "ab", null, ""])"));
  const Datum patterns(FromJson(arrow::utf8(), R"(["a", "b", "a", "^"])"));
  const Datum with(FromJson(arrow::utf8(), R"(["1", "2", "3", "4"])"));
  auto result = CallFunction("regexp_replace", {texts, patterns, with}).ValueOrDie();
  EXPECT_TRUE(result->Equals(*FromJson(arrow::utf8(), R"(["1b", "a2", null, "4"])")))
      << result->ToString();
}

TEST(RegexFunctions, Count) {
  const Datum text = Text("héllo wörld");
  EXPECT_EQ(One("regexp_count", {text, Text("l")}), "3");
  EXPECT_EQ(One("regexp_count", {text, Text("l"), Int(4)}), "2");
  EXPECT_EQ(One("regexp_count", {text, Text("L"), Int(1), Text("i")}), "3");
  EXPECT_EQ(One("regexp_count", {text, Text("l"), Int(100)}), "0");
  EXPECT_EQ(One("regexp_count", {text, Text("")}), "12");
  EXPECT_EQ(One("regexp_count", {Text(""), Text("")}), "1");
  EXPECT_EQ(One("regexp_count", {text, Text("^l"), Int(3)}), "1");
  EXPECT_EQ(One("regexp_count", {Text(nullptr), Text("l")}), "null");
  ExpectBad("regexp_count", {text, Text("l"), Int(0)}, "start");
}

TEST(RegexFunctions, Instr) {
  const Datum text = Text("héllo wörld");
  EXPECT_EQ(One("regexp_instr", {text, Text("l")}), "3");
  EXPECT_EQ(One("regexp_instr", {text, Text("l"), Int(5)}), "10");
  EXPECT_EQ(One("regexp_instr", {text, Text("l"), Int(1), Int(2)}), "4");
  EXPECT_EQ(One("regexp_instr", {text, Text("l"), Int(1), Int(9)}), "0");
  EXPECT_EQ(One("regexp_instr", {text, Text("(L)(l)"), Int(1), Int(1), Text("i"), Int(2)}), "4");
  EXPECT_EQ(One("regexp_instr", {text, Text("l(o) w(ö)"), Int(1), Int(1), Text(""), Int(2)}), "8");
  EXPECT_EQ(One("regexp_instr", {text, Text("l"), Int(1), Int(1), Text(""), Int(3)}), "0");
  EXPECT_EQ(One("regexp_instr", {text, Text("(z)?l"), Int(1), Int(1), Text(""), Int(1)}), "0");
  EXPECT_EQ(One("regexp_instr", {text, Text("")}), "0");
  EXPECT_EQ(One("regexp_instr", {text, Text("x*")}), "1");
  ExpectBad("regexp_instr", {text, Text("l"), Int(0)}, "start");
}

}  // namespace
}  // namespace glaive::expr
