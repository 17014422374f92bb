#include "expr/regex.h"

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "glaive/error.h"

#include "base/status.h"
#include "expr/like.h"

namespace glaive::expr {
namespace {

std::string Reason(std::string_view pattern) {
  const auto regex = Regex::Compile(pattern, {});
  if (regex.ok()) return "compiled";
  EXPECT_EQ(ErrorCodeOf(regex.status()), ErrorCode::kInvalidArgument);
  return regex.status().message();
}

// The matched text, or why there is none.
std::string Find(std::string_view pattern, std::string_view text, RegexOptions options = {}) {
  const auto regex = Regex::Compile(pattern, options);
  if (!regex.ok()) return regex.status().message();
  std::vector<Span> groups;
  const auto found = (*regex)->Search(text, 0, &groups);
  if (!found.ok()) return found.status().message();
  if (!*found) return "(none)";
  EXPECT_EQ(groups.size(), static_cast<size_t>((*regex)->NumGroups()) + 1);
  return std::string(groups[0].Of(text));
}

void ExpectReason(std::string_view pattern, std::string_view part) {
  EXPECT_NE(Reason(pattern).find(part), std::string::npos) << pattern << ": " << Reason(pattern);
}

TEST(Regex, AnchorsAreThoseOfRust) {
  EXPECT_EQ(Find("a$", "a\n"), "(none)");
  EXPECT_EQ(Find("(?m)a$", "a\n"), "a");
  EXPECT_EQ(Find("(?m)a\\z", "a\n"), "(none)");
  EXPECT_EQ(Find("(?m)\\n^", "a\n"), "\n");  // an empty last line begins too
  EXPECT_EQ(Find("(?m)^b", "a\rb"), "(none)");
  EXPECT_EQ(Find(".+", "a\r\nb"), "a\r");
  EXPECT_EQ(Find("(?s).+", "a\r\nb"), "a\r\nb");
  EXPECT_EQ(Find("\\Ab", "ab"), "(none)");
  EXPECT_EQ(Find("^*a", "ba"), "a");
}

TEST(Regex, ClassesAreUnicode) {
  EXPECT_EQ(Find("\\w+", "-e\u0301\u0663_-"), "e\u0301\u0663_");
  EXPECT_EQ(Find("\\bf", "e\u0301f f"), "f");
  EXPECT_EQ(Find("\\d", "\u0663"), "\u0663");
  EXPECT_EQ(Find("[\\D]", "\u0663x"), "x");
  EXPECT_EQ(Find("[^\\W1]", "-1a"), "a");
  EXPECT_EQ(Find("[\\W]", "a-"), "-");
  EXPECT_EQ(Find("[[:alpha:]]", "\u00e9b"), "b");
  EXPECT_EQ(Find("[[:^alpha:]]", "b\u00e9"), "\u00e9");
  EXPECT_EQ(Find("\\s", "\u180e\u3000"), "\u3000");
  EXPECT_EQ(Find("(?i)\u00df|STRASSE", "x\u1e9e"), "\u1e9e");
  EXPECT_EQ(Find(".", "\U0001F600"), "\U0001F600");
}

TEST(Regex, Properties) {
  EXPECT_EQ(Find("\\pL+", "12ab"), "ab");
  EXPECT_EQ(Find("\\p{Greek}+", "ab\u03b1\u03b2"), "\u03b1\u03b2");
  EXPECT_EQ(Find("\\p{Script=Greek}+", "ab\u03b1\u03b2"), "\u03b1\u03b2");
  EXPECT_EQ(Find("\\p{sc!=Latin}", "ab1"), "1");
  EXPECT_EQ(Find("\\p{Lowercase_Letter}", "Ab"), "b");
  EXPECT_EQ(Find("\\P{gc=Uppercase Letter}", "Ab"), "b");
  EXPECT_EQ(Find("(?i)\\p{Lu}", "1b"), "b");
  EXPECT_EQ(Find("[\\p{Lu}\\d]+", "bA1"), "A1");
  EXPECT_EQ(Find("\\p{Emoji_Presentation}", "a\U0001F600"), "\U0001F600");
  EXPECT_EQ(Find("\\p{Assigned}\\p{ASCII}\\p{Any}", "\u00e9ab"), "\u00e9ab");
  ExpectReason("\\p{Klingon}", "unknown property of characters \\p{Klingon}");
  ExpectReason("\\p{gc=Greek}", "unknown property");
  ExpectReason("\\p{Lu", "no }");
}

TEST(Regex, ClassOperations) {
  EXPECT_EQ(Find("[a-z&&[^b]]+", "bbacb"), "ac");
  EXPECT_EQ(Find("[\\w--\\d]+", "12ab"), "ab");
  EXPECT_EQ(Find("[a-c~~b-d]+", "bcad"), "ad");
  EXPECT_EQ(Find("[^a-z&&[^b]]+", "acb1"), "b1");
  EXPECT_EQ(Find("[a-z&&b-y&&c]+", "abcc"), "cc");
  EXPECT_EQ(Find("[a[bc]]+", "xabc"), "abc");
  EXPECT_EQ(Find("[]a]+", "b]a"), "]a");
  EXPECT_EQ(Find("[^]a]", "]ab"), "b");
  EXPECT_EQ(Find("[a-]+", "b-a"), "-a");
  EXPECT_EQ(Find("[-a]+", "b-a"), "-a");
  EXPECT_EQ(Find("[\\]\\\\^]+", "a]\\^"), "]\\^");
  EXPECT_EQ(Find("[a-c-e]+", "d-e"), "-e");
  EXPECT_EQ(Find("[a&&b]", "ab"), "(none)");
  EXPECT_EQ(Find("(?x)[a b]+", " ab"), "ab");
  EXPECT_EQ(Find("[\u03b1-\u03b3]+", "a\u03b2\u03b3"), "\u03b2\u03b3");
  ExpectReason("[z-a]", "smaller end last");
  ExpectReason("[a-\\d]", "between two characters");
  ExpectReason("[a", "unclosed class");
  ExpectReason("[]", "unclosed class");
}

TEST(Regex, GroupsAndFlags) {
  EXPECT_EQ(Find("(?i:a)b", "AB Ab"), "Ab");
  EXPECT_EQ(Find("(?i)a(?-i)b|C", "AB Ab"), "Ab");
  EXPECT_EQ(Find("(?U)a+", "aaa"), "a");
  EXPECT_EQ(Find("(?U)a+?", "aaa"), "aaa");
  EXPECT_EQ(Find("(?x) a b # c\n c", "abc"), "abc");
  EXPECT_EQ(Find("(?x)a\\ b[ ]?c", "a bc"), "a bc");
  EXPECT_EQ(Find("((?x) a b) c", "ab c"), "ab c");
  const auto regex = *Regex::Compile("(?P<first>a)(?<second>b)(c)?", {});
  EXPECT_EQ(regex->GroupNamed("second"), 2);
  EXPECT_EQ(regex->GroupNamed("third"), -1);
  std::vector<Span> groups;
  EXPECT_TRUE(*regex->Search("xab", 0, &groups));
  EXPECT_EQ(groups[2].begin, 2U);
  EXPECT_FALSE(groups[3].found());
  EXPECT_FALSE(*regex->Search("xab", 2, &groups));
  ExpectReason("(?P<a>x)(?P<a>y)", "two groups are named a");
  ExpectReason("(?P<1>x)", "the name of a group");
  ExpectReason("(?R)a", "(?R is not supported");
  ExpectReason("(?-u)a", "(?u is not supported");
  ExpectReason("(?)", "flag is missing");
  ExpectReason("(?>a)", "(?> is not supported");
  ExpectReason("(a", "unclosed group");
  ExpectReason("a)", "unopened )");
}

TEST(Regex, Repetitions) {
  EXPECT_EQ(Find("a*+", "aaa"), "aaa");  // a repetition of a repetition, not a possessive one
  EXPECT_EQ(Find("a*+a", "aaa"), "aaa");
  EXPECT_EQ(Find("(?:ab)**c", "ababc"), "ababc");
  EXPECT_EQ(Find("\u00e9{2}", "\u00e9\u00e9\u00e9"), "\u00e9\u00e9");
  EXPECT_EQ(Find("a{2,}?", "aaa"), "aa");
  EXPECT_EQ(Find("a{ 1 , 2 }", "aaa"), "aa");
  EXPECT_EQ(Find("a}", "a}"), "a}");
  ExpectReason("a{", "{n}, {n,} or {n,m}");
  ExpectReason("a{,2}", "{n}, {n,} or {n,m}");
  ExpectReason("a{2,1}", "smaller count last");
  ExpectReason("a{99999}", "at most 65535");
  ExpectReason("*a", "nothing to repeat");
  ExpectReason("(*UTF)a", "nothing to repeat");
  ExpectReason("(?i)*", "nothing to repeat");
  ExpectReason("((a{1000}){1000}){1000}", "bad regular expression");
}

TEST(Regex, Escapes) {
  EXPECT_EQ(Find("\\x41\\u0042\\U00000043\\x{44}", "ABCD"), "ABCD");
  EXPECT_EQ(Find("\\v\\a\\t", "\v\a\t"), "\v\a\t");
  EXPECT_EQ(Find("a\\.b\\/\\-", "a.b/-"), "a.b/-");
  EXPECT_EQ(Find("\\b{start}b\\w*\\b{end}", "ab bc"), "bc");
  EXPECT_EQ(Find("\\<b\\w\\>", "ab bc"), "bc");
  EXPECT_EQ(Find("\\Bb", "b ab"), "b");
  EXPECT_EQ(Find("(?<=a)b(?!c)", "abc ab"), "b");
  EXPECT_EQ(Find("(.)\\1", "abb"), "bb");
  ExpectReason("\\Z", "unknown escape");
  ExpectReason("\\Qa", "unknown escape");
  ExpectReason("\\K", "unknown escape");
  ExpectReason("\\0", "unknown escape");
  ExpectReason("\\x{D800}", "surrogate");
  ExpectReason("\\x{110000}", "so large");
  ExpectReason("\\xg", "hexadecimal");
  ExpectReason("a\\", "ends in a backslash");
  ExpectReason("\xff", "not UTF-8");
  ExpectReason(std::string(100'000, 'a'), "limit");
}

TEST(Regex, BoundsTheStepsOfASearch) {
  const std::string text(40, 'a');
  EXPECT_EQ(Find("(a*)*b", text + "c"), "(none)");  // b must occur: found out at once
  EXPECT_NE(Find("(a|aa)+$", text + "b").find("too many steps on 'aaaa"), std::string::npos);
  EXPECT_NE(Find("(x+x+)+y|z$", std::string(5000, 'x')).find("too many steps"), std::string::npos);
  EXPECT_EQ(Find("(?:a|b)*c", std::string(100'000, 'a') + "c").size(), 100'001U);
}

TEST(Regex, BytesThatAreNotUtf8) {
  for (std::string_view text : {"\xff", "a\xc3", "\xe2\x82", "\x80\x80", "\xf0\x9f\x98 a", ""}) {
    for (std::string_view pattern : {".", "a", "\\W", "[^a]", "$", "^", "\\b", "(?s).*", "\\Ba"}) {
      const auto regex = *Regex::Compile(pattern, {});
      std::vector<Span> groups;
      for (size_t from = 0; from <= text.size(); ++from) {
        const auto found = regex->Search(text, from, &groups);
        if (found.ok() && *found) {
          EXPECT_LE(groups[0].end, text.size());
          EXPECT_LE(groups[0].begin, groups[0].end);
        }
      }
    }
  }
  EXPECT_EQ(Find("a.",
                 "\xff"
                 "ab\xff"),
            "ab");
  EXPECT_EQ(Find("^$", std::string_view()), "");
}

bool ILike(std::string_view text, std::string_view pattern) {
  RegexOptions options;
  options.fold = options.dot_all = options.whole = options.native = true;
  const auto regex = Regex::Compile(LikeToRegex(pattern, '\\'), options);
  EXPECT_TRUE(regex.ok()) << regex.status().ToString();
  const auto found = (*regex)->Matches(text);
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  return found.ok() && *found;
}

TEST(Regex, LikeWithoutCase) {
  EXPECT_TRUE(ILike("H\u00c9llo", "h\u00e9%o"));
  EXPECT_TRUE(ILike("abab", "%AB"));
  EXPECT_TRUE(ILike("axbxb", "a%b"));
  EXPECT_TRUE(ILike("aXbYc", "a_b_c"));
  EXPECT_TRUE(ILike("a%c", "A\\%C"));
  EXPECT_TRUE(ILike("a<b>(c)\n", "A<B>(C)_"));
  EXPECT_TRUE(ILike("", "%%"));
  EXPECT_FALSE(ILike("abc", "ab"));
  EXPECT_FALSE(ILike("abc", "%b"));
  EXPECT_FALSE(ILike("ab", "ab%b"));
  EXPECT_FALSE(ILike("", "_"));
  std::string pattern = "%";
  for (int i = 0; i < 200; ++i) pattern += "a%";
  EXPECT_FALSE(ILike(std::string(100'000, 'a'), pattern + "b"));
  EXPECT_TRUE(ILike(std::string(100'000, 'a'), pattern));
}

// All texts and patterns of few letters, against the definition.
bool LikeByDefinition(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    return LikeByDefinition(text, pattern.substr(1)) ||
           (!text.empty() && LikeByDefinition(text.substr(1), pattern));
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) &&
         LikeByDefinition(text.substr(1), pattern.substr(1));
}

std::string Word(std::string_view letters, size_t number) {
  std::string word;
  for (; number > 0; number /= letters.size() + 1) {
    word += letters[(number - 1) % letters.size()];
    if (number % (letters.size() + 1) == 0) break;
  }
  return word;
}

TEST(Regex, LikeWithoutCaseIsLikeByDefinition) {
  for (size_t p = 0; p < 500; ++p) {
    const std::string pattern = Word("ab%_", p);
    for (size_t t = 0; t < 80; ++t) {
      const std::string text = Word("ab", t);
      EXPECT_EQ(ILike(text, pattern), LikeByDefinition(text, pattern)) << text << " " << pattern;
    }
  }
}

TEST(Regex, SimilarTo) {
  const auto similar = [](std::string_view text, std::string_view pattern) {
    RegexOptions options;
    options.dot_all = options.whole = true;
    const auto regex = Regex::Compile(SimilarToRegex(pattern, '\\'), options);
    return regex.ok() ? std::string(*(*regex)->Matches(text) ? "yes" : "no")
                      : regex.status().message();
  };
  EXPECT_EQ(similar("abc", "(a|x)%c"), "yes");
  EXPECT_EQ(similar("abc", "b"), "no");
  EXPECT_EQ(similar("a.c", "a.c"), "yes");
  EXPECT_EQ(similar("abc", "a.c"), "no");
  EXPECT_EQ(similar("a<>c", "a<>c"), "yes");
  EXPECT_EQ(similar("ab1", "[[:alpha:]]{2}[0-9]"), "yes");
  EXPECT_EQ(similar("[&~", "[[&~]+"), "yes");
  EXPECT_EQ(similar("a%", "a\\%"), "yes");
}

TEST(Regex, ManyThreadsSearchWithOnePattern) {
  const auto regex = *Regex::Compile("(\\w+)@(\\w+)", {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&regex, t] {
      const std::string text = "to user" + std::to_string(t) + "@host";
      std::vector<Span> groups;
      for (int i = 0; i < 2000; ++i) {
        EXPECT_TRUE(*regex->Search(text, 0, &groups));
        EXPECT_EQ(groups[1].Of(text), "user" + std::to_string(t));
        EXPECT_TRUE(Regex::Compile("a" + std::to_string(i % 100), {}).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// Neither compiling nor searching may crash or hang, whatever the pattern.
TEST(Regex, RandomPatterns) {
  const std::vector<std::string> pieces = {
      "a",     "b",    "\u00e9", ".",    "*",          "+",        "?",  "{2}", "{0,3}",
      "(",     ")",    "|",      "[",    "]",          "^",        "$",  "\\b", "\\w",
      "\\W",   "\\d",  "-",      "&&",   "~~",         "--",       "[:", ":]",  "(?i)",
      "(?x",   "(?U:", "(?<n>",  "\\1",  "\\pL",       "\\p{Lu}",  "#",  " ",   "\n",
      "\\x41", "\\",   "(?=",    "(?<!", "{",          "}",        ",",  "\\B", "[^a",
      "a-z]",  "\\z",  "(?s-m)", "\xff", "\\b{start}", "[a&&[^b]]"};
  const std::vector<std::string> texts = {"",
                                          "ab",
                                          "aab\u00e9 b",
                                          "\xff\xc3"
                                          "a",
                                          "A\n\nb",
                                          std::string(300, 'a') + "b"};
  std::mt19937 random(7);
  int compiled = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern;
    for (size_t n = random() % 12; n > 0; --n) pattern += pieces[random() % pieces.size()];
    const auto regex = Regex::Compile(pattern, {});
    if (!regex.ok()) {
      EXPECT_EQ(ErrorCodeOf(regex.status()), ErrorCode::kInvalidArgument);
      continue;
    }
    ++compiled;
    std::vector<Span> groups;
    for (const std::string& text : texts) {
      const auto found = (*regex)->Search(text, random() % (text.size() + 1), &groups);
      if (found.ok() && *found) {
        EXPECT_LE(groups[0].end, text.size()) << pattern;
      }
    }
  }
  EXPECT_GT(compiled, 1000);
}

}  // namespace
}  // namespace glaive::expr
