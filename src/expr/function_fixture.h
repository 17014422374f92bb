// For tests of functions: calls one by its SQL name on arrays written as JSON. Test-only.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/function.h"

namespace glaive::expr {

/// An array from JSON, e.g. FromJson(arrow::int32(), "[1, null, 3]").
inline std::shared_ptr<arrow::Array> FromJson(const TypePtr& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// Resolves, casts the arguments as the binder does, evaluates, and gives the result as an array.
inline arrow::Result<std::shared_ptr<arrow::Array>> CallFunction(
    const std::string& name, const std::vector<arrow::Datum>& arguments, int64_t now_nanos = 0) {
  static const bool initialized = arrow::compute::Initialize().ok();
  if (!initialized) return arrow::Status::UnknownError("arrow::compute::Initialize failed");
  const Function* function = FindFunction(name);
  if (function == nullptr) return arrow::Status::KeyError("no function ", name);
  CallSite site;
  site.name = function->name;
  int64_t rows = 1;
  for (const arrow::Datum& argument : arguments) {
    site.types.push_back(argument.type());
    site.constants.push_back(argument.is_scalar() ? argument.scalar() : nullptr);
    if (argument.is_array()) rows = argument.length();
  }
  ARROW_ASSIGN_OR_RAISE(Signature signature, function->resolve(site));
  Call call;
  call.signature = &signature;
  call.num_rows = rows;
  call.now_nanos = now_nanos;
  call.pool = arrow::default_memory_pool();
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].type()->Equals(*signature.arguments[i])) {
      call.arguments.push_back(arguments[i]);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(arrow::Datum cast,
                          CastTo(arguments[i], signature.arguments[i], false, call.pool));
    call.arguments.push_back(std::move(cast));
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum result, function->evaluate(call));
  if (!result.type()->Equals(*signature.result)) {
    return arrow::Status::TypeError("result is ", result.type()->ToString(), ", promised ",
                                    signature.result->ToString());
  }
  if (result.is_scalar()) return arrow::MakeArrayFromScalar(*result.scalar(), rows);
  return result.make_array();
}

}  // namespace glaive::expr
