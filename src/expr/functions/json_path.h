// Paths into JSON documents: $.name, ."name", ["name"], [0], [last - 1], [1 to 3], [0, 2], [*],
// .*, .**, and filters ?(@.price < 10 && exists(@.name)). The leading $ may be left out; a whole
// predicate ($.a == 1) is a path to a boolean. Lax: a step that does not apply selects nothing, and
// [*] of anything but an array is the value itself.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "base/jsonb.h"

namespace glaive::expr {

class JsonPath {
 public:
  struct Step;
  struct Predicate;

  /// kInvalidArgument names the path and the place of the error.
  static arrow::Result<JsonPath> Parse(std::string_view text);

  /// True if the path is a predicate: then Test answers, not Select.
  bool is_predicate() const { return predicate_ != nullptr; }

  /// The values that the path leads to, in document order. kInvalidArgument for more than a
  /// million.
  arrow::Result<std::vector<jsonb::Value>> Select(const jsonb::Value& document) const;
  arrow::Result<bool> Test(const jsonb::Value& document) const;

 private:
  std::shared_ptr<const std::vector<Step>> steps_;
  std::shared_ptr<const Predicate> predicate_;
};

}  // namespace glaive::expr
