#include "cli/request_arguments.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "cli/json.h"

namespace glaive::cli {

namespace {

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// The parts between commas that are outside of brackets and quotes.
std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      quote = c == quote ? 0 : quote;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == '(' || c == '[') {
      ++depth;
    } else if (c == ')' || c == ']') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.push_back(Trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(Trim(text.substr(begin)));
  return parts;
}

/// Takes `word` off the end of `text`, whatever its case, if it stands there by itself.
bool TakeLastWord(std::string_view word, std::string_view* text) {
  if (text->size() <= word.size()) {
    return false;
  }
  const std::string_view end = text->substr(text->size() - word.size());
  const bool same = std::equal(end.begin(), end.end(), word.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
  if (!same ||
      std::isspace(static_cast<unsigned char>((*text)[text->size() - word.size() - 1])) == 0) {
    return false;
  }
  *text = Trim(text->substr(0, text->size() - word.size()));
  return true;
}

arrow::Result<OrderBy> ParseOrderItem(std::string_view text) {
  OrderBy order;
  std::string_view rest = text;
  std::string_view without = rest;
  if (TakeLastWord("first", &without) && TakeLastWord("nulls", &without)) {
    order.nulls_first = true;
    rest = without;
  } else {
    without = rest;
    if (TakeLastWord("last", &without) && TakeLastWord("nulls", &without)) {
      rest = without;
    }
  }
  if (TakeLastWord("desc", &rest)) {
    order.ascending = false;
  } else {
    TakeLastWord("asc", &rest);
  }
  GLAIVE_CHECK_ARGUMENT(!rest.empty(), "--order-by: found '", text,
                        "', expected an expression, then ASC or DESC, then NULLS FIRST or LAST");
  order.expression = std::string(rest);
  return order;
}

template <typename Builder, typename Take>
arrow::Result<Value> ListOf(const Json& json, const Take& take) {
  Builder builder;
  for (const auto& item : json) {
    ARROW_RETURN_NOT_OK(item.is_null() ? builder.AppendNull() : builder.Append(take(item)));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, builder.Finish());
  return Value(std::make_shared<arrow::ListScalar>(std::move(values)));
}

arrow::Result<Value> ListValue(const Json& json, std::string_view text) {
  const auto all = [&json](auto is) {
    return std::all_of(json.begin(), json.end(),
                       [&](const Json& item) { return item.is_null() || is(item); });
  };
  if (all([](const Json& item) { return item.is_boolean(); })) {
    return ListOf<arrow::BooleanBuilder>(json, [](const Json& item) { return item.get<bool>(); });
  }
  if (all([](const Json& item) { return item.is_number_integer(); })) {
    return ListOf<arrow::Int64Builder>(json, [](const Json& item) { return item.get<int64_t>(); });
  }
  if (all([](const Json& item) { return item.is_number(); })) {
    return ListOf<arrow::DoubleBuilder>(json, [](const Json& item) { return item.get<double>(); });
  }
  if (all([](const Json& item) { return item.is_string(); })) {
    return ListOf<arrow::StringBuilder>(json,
                                        [](const Json& item) { return item.get<std::string>(); });
  }
  return InvalidArgument("--param: found ", text,
                         ", expected a list of numbers, of texts or of true and false");
}

}  // namespace

arrow::Result<std::pair<std::string, std::string>> ParseAssignment(std::string_view text,
                                                                   std::string_view option) {
  const size_t equals = text.find('=');
  GLAIVE_CHECK_ARGUMENT(equals != std::string_view::npos && !Trim(text.substr(0, equals)).empty(),
                        "--", option, ": found '", text, "', expected NAME=VALUE");
  return std::pair(std::string(Trim(text.substr(0, equals))),
                   std::string(Trim(text.substr(equals + 1))));
}

arrow::Result<Value> ParseValue(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  switch (json.type()) {
    case Json::value_t::null:
      return Value(nullptr);
    case Json::value_t::boolean:
      return Value(json.get<bool>());
    case Json::value_t::number_integer:
      return Value(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      return Value(json.get<uint64_t>());
    case Json::value_t::number_float:
      return Value(json.get<double>());
    case Json::value_t::string:
      return Value(json.get<std::string>());
    case Json::value_t::array:
      return ListValue(json, text);
    default:
      return Value(std::string(text));
  }
}

arrow::Result<std::vector<OrderBy>> ParseOrder(std::string_view text) {
  std::vector<OrderBy> order;
  if (!Trim(text).empty()) {
    for (const std::string_view part : SplitList(text)) {
      ARROW_ASSIGN_OR_RAISE(auto item, ParseOrderItem(part));
      order.push_back(std::move(item));
    }
  }
  return order;
}

void ParameterArguments::Declare(Arguments& arguments) {
  arguments.Texts(
      "param", &texts,
      "NAME=VALUE for :NAME in expressions (1=VALUE for $1); numbers, true, false, null, "
      "\"text\" and [lists] as in JSON, else text");
}

arrow::Result<Parameters> ParameterArguments::Make() const {
  Parameters parameters;
  for (const auto& text : texts) {
    ARROW_ASSIGN_OR_RAISE(const auto assignment, ParseAssignment(text, "param"));
    const auto& [name, value_text] = assignment;
    ARROW_ASSIGN_OR_RAISE(auto value, ParseValue(value_text));
    size_t position = 0;
    const char* const end = name.data() + name.size();
    const auto number = std::from_chars(name.data(), end, position);
    if (number.ec != std::errc() || number.ptr != end) {
      GLAIVE_CHECK_ARGUMENT(parameters.named.emplace(name, std::move(value)).second, "--param: '",
                            name, "' is given twice");
      continue;
    }
    GLAIVE_CHECK_ARGUMENT(position >= 1 && position <= texts.size(), "--param: found number ",
                          position, ", expected 1 to ", texts.size(), ", each once");
    if (parameters.positional.size() < position) {
      parameters.positional.resize(position, Value(nullptr));
    }
    parameters.positional[position - 1] = std::move(value);
  }
  return parameters;
}

void FilterArguments::Declare(Arguments& arguments) {
  arguments.Text("filter,f", &filter, "only rows for which this is true, e.g. \"size > 100\"");
  parameters.Declare(arguments);
}

void SelectArguments::Declare(Arguments& arguments) {
  arguments.Texts("select", &select,
                  "NAME=EXPRESSION: a computed column instead of --columns; several times");
  arguments.Text("order-by", &order_by, "e.g. \"size DESC, name NULLS FIRST\"");
}

arrow::Result<std::vector<SelectItem>> SelectArguments::Items() const {
  std::vector<SelectItem> items;
  for (const auto& text : select) {
    ARROW_ASSIGN_OR_RAISE(auto assignment, ParseAssignment(text, "select"));
    items.push_back({std::move(assignment.first), Clause(std::move(assignment.second))});
  }
  return items;
}

arrow::Result<std::vector<OrderBy>> SelectArguments::Order() const {
  return ParseOrder(order_by);
}

}  // namespace glaive::cli
