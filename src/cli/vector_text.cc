#include "cli/vector_text.h"

#include <charconv>
#include <utility>

#include "base/status.h"

namespace glaive::cli {

namespace {

// Reads from the front of a text; every function returns false if it does not fit.
class ListParser {
 public:
  explicit ListParser(std::string_view text) : rest_(text) {}

  bool done() {
    SkipSpace();
    return rest_.empty();
  }

  bool Take(char c) {
    SkipSpace();
    if (rest_.empty() || rest_[0] != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool Number(double* number) {
    SkipSpace();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), *number);
    if (error != std::errc()) {
      return false;
    }
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }

  /// item, item, …] after the opening bracket.
  template <typename Item>
  bool Items(Item&& item) {
    if (Take(']')) {
      return true;
    }
    do {
      if (!item()) {
        return false;
      }
    } while (Take(','));
    return Take(']');
  }

  bool Numbers(std::vector<double>* numbers) {
    return Items([&] { return Number(&numbers->emplace_back()); });
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

arrow::Status Malformed(std::string_view text) {
  return InvalidArgument("vector '", text.substr(0, 60), text.size() > 60 ? "…" : "",
                         "': expected a list of numbers such as [0.1, -2, 3e-4]");
}

}  // namespace

arrow::Result<std::vector<double>> ParseVector(std::string_view text) {
  ListParser parser(text);
  std::vector<double> numbers;
  if (!parser.Take('[') || !parser.Numbers(&numbers) || !parser.done()) {
    return Malformed(text);
  }
  return numbers;
}

arrow::Result<std::vector<std::vector<double>>> ParseVectors(std::string_view text) {
  ListParser parser(text);
  std::vector<std::vector<double>> vectors;
  if (!parser.Take('[')) {
    return Malformed(text);
  }
  if (!parser.Take('[')) {
    if (!parser.Numbers(&vectors.emplace_back()) || !parser.done()) {
      return Malformed(text);
    }
    return vectors;
  }
  bool first = true;  // whose bracket is taken already
  const bool fits = parser.Items([&] {
    return (std::exchange(first, false) || parser.Take('[')) &&
           parser.Numbers(&vectors.emplace_back());
  });
  if (!fits || !parser.done()) {
    return Malformed(text);
  }
  return vectors;
}

}  // namespace glaive::cli
