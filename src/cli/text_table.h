// A table for people: columns padded to a common width, cells cut with '…' where the line gets too
// long.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace glaive::cli {

class TextTable {
 public:
  enum class Align { kLeft, kRight };

  void AddColumn(std::string name, Align align = Align::kLeft);
  /// As many cells as columns.
  void AddRow(std::vector<std::string> cells);

  size_t num_rows() const { return rows_.size(); }

  void ClearRows() { rows_.clear(); }

  /// The rows as lines no longer than `line_width` cells where that is possible. The widths of the
  /// first call stay, so that a long table can be printed in parts; `with_header` puts names and a
  /// rule on top.
  std::string Render(size_t line_width, bool with_header);

 private:
  struct Column {
    std::string name;
    Align align;
    size_t width = 0;
  };

  void ChooseWidths(size_t line_width);
  void AppendLine(const std::vector<std::string>& cells, std::string* out) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  bool widths_chosen_ = false;
};

/// Cells of the terminal on stdout, of $COLUMNS, or 120.
size_t TerminalWidth();

}  // namespace glaive::cli
