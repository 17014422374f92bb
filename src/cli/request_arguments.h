// Options that requests share on the command line: filters, computed columns, order, parameters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>

#include "glaive/query.h"

#include "cli/arguments.h"

namespace glaive::cli {

/// --param NAME=VALUE, several times.
struct ParameterArguments {
  std::vector<std::string> texts;

  void Declare(Arguments& arguments);
  arrow::Result<Parameters> Make() const;
};

/// --filter, and its parameters.
struct FilterArguments {
  std::string filter;
  ParameterArguments parameters;

  void Declare(Arguments& arguments);
};

/// --select and --order-by.
struct SelectArguments {
  std::vector<std::string> select;
  std::string order_by;

  void Declare(Arguments& arguments);
  arrow::Result<std::vector<SelectItem>> Items() const;
  arrow::Result<std::vector<OrderBy>> Order() const;
};

/// "name=expression" -> its two parts; kInvalidArgument names the option.
arrow::Result<std::pair<std::string, std::string>> ParseAssignment(std::string_view text,
                                                                   std::string_view option);
/// The value of a parameter: JSON (numbers, true, false, null, "text", lists of one kind); anything
/// else is text as it stands.
arrow::Result<Value> ParseValue(std::string_view text);
/// "a, lower(b) DESC NULLS FIRST": the parts between commas outside of brackets and quotes.
arrow::Result<std::vector<OrderBy>> ParseOrder(std::string_view text);

}  // namespace glaive::cli
