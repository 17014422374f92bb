#include "cli/text_table.h"

#include <algorithm>
#include <cstdlib>
#include <sys/ioctl.h>
#include <utility>

#include <unistd.h>

#include "cli/text.h"

namespace glaive::cli {

namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 6;  // a column is not cut below this

}  // namespace

void TextTable::AddColumn(std::string name, Align align) {
  columns_.push_back({std::move(name), align});
}

void TextTable::AddRow(std::vector<std::string> cells) {
  rows_.push_back(std::move(cells));
}

void TextTable::ChooseWidths(size_t line_width) {
  size_t widest = 0;
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].width = DisplayWidth(columns_[c].name);
    for (const auto& row : rows_) {
      columns_[c].width = std::max(columns_[c].width, DisplayWidth(row[c]));
    }
    widest = std::max(widest, columns_[c].width);
  }
  // The widest columns give way first: lower one common bound until the line fits.
  const auto total = [&](size_t bound) {
    size_t sum = kGap * (columns_.size() - 1);
    for (const auto& column : columns_) {
      sum += std::min(column.width, bound);
    }
    return sum;
  };
  size_t bound = widest;
  while (bound > kNarrowest && total(bound) > line_width) {
    --bound;
  }
  // What rounding left over goes to the first columns that were cut.
  size_t spare = line_width - std::min(line_width, total(bound));
  for (auto& column : columns_) {
    if (column.width > bound) {
      const size_t more = std::min(spare, column.width - bound);
      column.width = bound + more;
      spare -= more;
    }
  }
}

void TextTable::AppendLine(const std::vector<std::string>& cells, std::string* out) const {
  for (size_t c = 0; c < columns_.size(); ++c) {
    const auto& column = columns_[c];
    std::string cell = cells[c];
    if (DisplayWidth(cell) > column.width) {
      cell.resize(PrefixOfWidth(cell, column.width - 1));
      cell.append("…");
    }
    const std::string padding(column.width - DisplayWidth(cell), ' ');
    out->append(c > 0 ? std::string(kGap, ' ') : "");
    out->append(column.align == Align::kRight ? padding + cell : cell + padding);
  }
  out->erase(out->find_last_not_of(' ') + 1);
  out->push_back('\n');
}

std::string TextTable::Render(size_t line_width, bool with_header) {
  std::string out;
  if (columns_.empty()) {
    return out;
  }
  if (!widths_chosen_) {
    ChooseWidths(line_width);
    widths_chosen_ = true;
  }
  if (with_header) {
    std::vector<std::string> names;
    std::vector<std::string> rules;
    for (const auto& column : columns_) {
      names.push_back(column.name);
      std::string rule;
      for (size_t i = 0; i < column.width; ++i) {
        rule.append("─");
      }
      rules.push_back(std::move(rule));
    }
    AppendLine(names, &out);
    AppendLine(rules, &out);
  }
  for (const auto& row : rows_) {
    AppendLine(row, &out);
  }
  return out;
}

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const long width = std::strtol(columns, nullptr, 10);
    if (width >= 20 && width <= 10000) {
      return static_cast<size_t>(width);
    }
  }
  return 120;
}

}  // namespace glaive::cli
