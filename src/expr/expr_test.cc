#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "expr/function.h"

namespace glaive::expr {
namespace {

TEST(Functions, AreCompleteAndHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Function* function : AllFunctions()) {
    EXPECT_TRUE(names.insert(function->name).second) << function->name;
    for (const std::string& alias : function->aliases) {
      EXPECT_TRUE(names.insert(alias).second) << alias << " of " << function->name;
    }
    EXPECT_TRUE(function->resolve && function->evaluate) << function->name;
    EXPECT_FALSE(function->usage.empty()) << function->name;
    EXPECT_FALSE(function->summary.empty()) << function->name;
    EXPECT_EQ(FindFunction(function->name), function);
  }
}

constexpr char kDocument[] = GLAIVE_SOURCE_DIR "/docs/expressions.md";
constexpr char kBegin[] = "<!-- functions: written by expr_test -->\n";
constexpr char kEnd[] = "<!-- end of functions -->\n";

/// A cell of a table in Markdown.
std::string Cell(const std::string& text, bool code) {
  std::string cell;
  for (const char c : text) {
    cell += c == '|' ? "\\|" : std::string(1, c);
  }
  return code && !cell.empty() ? "`" + cell + "`" : cell;
}

std::string TableOfFunctions() {
  std::string table = "| Call | Also | |\n|---|---|---|\n";
  for (const Function* function : AllFunctions()) {
    std::string aliases;
    for (const std::string& alias : function->aliases) {
      aliases += (aliases.empty() ? "" : ", ") + Cell(alias, true);
    }
    table += "| " + Cell(function->usage, true) + " | " + aliases + " | " +
             Cell(function->summary, false) + " |\n";
  }
  return table;
}

// The document's table is this one; GLAIVE_WRITE_DOCS=1 writes it.
TEST(Functions, AreDocumented) {
  std::ifstream file(kDocument);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end) << kDocument;
  const size_t first = begin + sizeof(kBegin) - 1;
  const std::string expected = TableOfFunctions();
  if (std::getenv("GLAIVE_WRITE_DOCS") != nullptr) {
    std::ofstream(kDocument) << text.substr(0, first) << expected << text.substr(end);
    return;
  }
  EXPECT_EQ(text.substr(first, end - first), expected)
      << "run this test with GLAIVE_WRITE_DOCS=1 to write the table anew";
}

}  // namespace
}  // namespace glaive::expr
