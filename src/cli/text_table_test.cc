#include "cli/text_table.h"

#include <gtest/gtest.h>

#include "cli/text.h"

namespace glaive::cli {
namespace {

TEST(TextTableTest, PadsAndAligns) {
  TextTable table;
  table.AddColumn("name");
  table.AddColumn("n", TextTable::Align::kRight);
  table.AddRow({"é", "1"});
  table.AddRow({"日本語", "200"});
  EXPECT_EQ(table.Render(80, true),
            "name      n\n"
            "──────  ───\n"
            "é         1\n"
            "日本語  200\n");
}

TEST(TextTableTest, CutsTheWidestColumnToFit) {
  TextTable table;
  table.AddColumn("id");
  table.AddColumn("text");
  table.AddRow({"1", std::string(100, 'x')});
  const std::string text = table.Render(40, true);
  EXPECT_NE(text.find("1   " + std::string(35, 'x') + "…\n"), std::string::npos) << text;
}

TEST(TextTableTest, KeepsWidthsAcrossParts) {
  TextTable table;
  table.AddColumn("a");
  table.AddColumn("b");
  table.AddRow({"long cell", "1"});
  table.Render(80, true);
  table.ClearRows();
  table.AddRow({"a much longer cell", "2"});
  EXPECT_EQ(table.Render(80, false), "a much l…  2\n");
}

TEST(TextTableTest, NoColumnsNoText) {
  EXPECT_EQ(TextTable().Render(80, true), "");
}

}  // namespace
}  // namespace glaive::cli
