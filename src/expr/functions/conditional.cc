#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/function.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

using arrow::Datum;

arrow::Result<TypePtr> CommonOf(const CallSite& site, size_t first) {
  TypePtr type = arrow::null();
  for (size_t i = first; i < site.types.size(); ++i) {
    TypePtr common = CommonType(type, site.types[i]);
    if (common == nullptr) {
      return TypeMismatch("argument ", i + 1, " of ", site.name, " is ", site.types[i]->ToString(),
                          ", which has no common type with those before, ", type->ToString());
    }
    type = std::move(common);
  }
  return type;
}

arrow::Result<Signature> AllAlike(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(TypePtr type, CommonOf(site, 0));
  return Signature{std::vector<TypePtr>(site.types.size(), type), type};
}

arrow::Result<Signature> Ordered(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, AllAlike(site));
  if (arrow::is_nested(signature.result->id())) {
    return TypeMismatch("argument 1 of ", site.name, " is ", signature.result->ToString(),
                        "; values of that type have no order");
  }
  return signature;
}

arrow::Result<Datum> Kernel(const char* name, const std::vector<Datum>& arguments, const Call& call,
                            const arrow::compute::FunctionOptions* options = nullptr) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::CallFunction(name, arguments, options, &context);
}

arrow::Result<Datum> Coalesce(const Call& call) {
  if (call.signature->result->id() == arrow::Type::NA) return call.arguments[0];
  return Kernel("coalesce", call.arguments, call);
}

// One after the other, as CASE does it: nulls are skipped.
arrow::Result<Datum> Extreme(const Call& call, bool greatest) {
  if (call.signature->result->id() == arrow::Type::NA) return call.arguments[0];
  Datum best = call.arguments[0];
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    const Datum& next = call.arguments[i];
    const bool is_float = arrow::is_floating(next.type()->id());
    // NaN is the greatest of all.
    ARROW_ASSIGN_OR_RAISE(Datum better, Kernel(greatest ? "greater" : "less", {next, best}, call));
    if (is_float) {
      ARROW_ASSIGN_OR_RAISE(Datum nan, Kernel("is_nan", {greatest ? next : best}, call));
      ARROW_ASSIGN_OR_RAISE(better, Kernel("or_kleene", {better, nan}, call));
    }
    ARROW_ASSIGN_OR_RAISE(Datum none, Kernel("is_null", {best}, call));
    ARROW_ASSIGN_OR_RAISE(better, Kernel("coalesce", {better, Datum(false)}, call));
    ARROW_ASSIGN_OR_RAISE(Datum take, Kernel("or", {better, none}, call));
    ARROW_ASSIGN_OR_RAISE(best, Kernel("if_else", {take, next, best}, call));
  }
  return best;
}

arrow::Result<Signature> ResolveNvl2(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(TypePtr type, CommonOf(site, 1));
  return Signature{{site.types[0], type, type}, type};
}

arrow::Result<Datum> Nvl2(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(Datum known, Kernel("is_valid", {call.arguments[0]}, call));
  return Kernel("if_else", {known, call.arguments[1], call.arguments[2]}, call);
}

arrow::Result<Signature> ResolveIf(const CallSite& site) {
  if (site.types[0]->id() != arrow::Type::BOOL && site.types[0]->id() != arrow::Type::NA) {
    return TypeMismatch("argument 1 of ", site.name, " must be boolean, not ",
                        site.types[0]->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(TypePtr type, CommonOf(site, 1));
  Signature signature{{arrow::boolean(), type}, type};
  if (site.types.size() == 3) signature.arguments.push_back(type);
  return signature;
}

arrow::Result<Datum> If(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(Datum known, Kernel("coalesce", {call.arguments[0], Datum(false)}, call));
  Datum other(arrow::MakeNullScalar(call.signature->result));
  if (call.arguments.size() == 3) other = call.arguments[2];
  return Kernel("if_else", {known, call.arguments[1], other}, call);
}

arrow::Result<Datum> NullIf(const Call& call) {
  if (call.signature->result->id() == arrow::Type::NA) return call.arguments[0];
  ARROW_ASSIGN_OR_RAISE(Datum same, Kernel("equal", call.arguments, call));
  ARROW_ASSIGN_OR_RAISE(Datum known, Kernel("coalesce", {same, Datum(false)}, call));
  const Datum null(arrow::MakeNullScalar(call.signature->result));
  return Kernel("if_else", {known, null, call.arguments[0]}, call);
}

arrow::Result<Signature> ResolveArrowCast(const CallSite& site) {
  const auto& name = site.constants[1];
  if (name == nullptr || !name->is_valid || !arrow::is_base_binary_like(name->type->id())) {
    return TypeMismatch("argument 2 of arrow_cast must be a constant text such as 'Int32'");
  }
  ARROW_ASSIGN_OR_RAISE(
      TypePtr type, ParseArrowTypeName(static_cast<const arrow::BaseBinaryScalar&>(*name).view()));
  ARROW_ASSIGN_OR_RAISE(auto none, arrow::MakeEmptyArray(site.types[0]));
  ARROW_RETURN_NOT_OK(CastTo(none, type, false, nullptr));
  return Signature{site.types, type};
}

arrow::Result<Signature> ResolveTypeOf(const CallSite& site) {
  return Signature{site.types, arrow::utf8()};
}

Function Make(std::string name, std::vector<std::string> aliases, int least, int most,
              arrow::Result<Signature> (*resolve)(const CallSite&),
              std::function<arrow::Result<Datum>(const Call&)> evaluate, std::string usage,
              std::string summary) {
  Function function;
  function.name = std::move(name);
  function.aliases = std::move(aliases);
  function.min_arguments = least;
  function.max_arguments = most;
  function.resolve = resolve;
  function.evaluate = std::move(evaluate);
  function.usage = std::move(usage);
  function.summary = std::move(summary);
  return function;
}

}  // namespace

std::vector<Function> ConditionalFunctions() {
  std::vector<Function> all;
  all.push_back(Make("coalesce", {}, 1, -1, AllAlike, Coalesce, "coalesce(a, ...)",
                     "The first argument that is not null."));
  all.push_back(
      Make("nvl", {"ifnull"}, 2, 2, AllAlike, Coalesce, "nvl(a, b)", "a, or b where a is null."));
  all.push_back(
      Make("nvl2", {}, 3, 3, ResolveNvl2, Nvl2, "nvl2(a, b, c)", "b where a is not null, else c."));
  all.push_back(
      Make("nullif", {}, 2, 2, AllAlike, NullIf, "nullif(a, b)", "Null where a equals b, else a."));
  all.push_back(Make("if", {"iff"}, 2, 3, ResolveIf, If, "if(condition, a [, b])",
                     "a where the condition is true, else b or null."));
  all.push_back(Make(
      "greatest", {}, 1, -1, Ordered, [](const Call& call) { return Extreme(call, true); },
      "greatest(a, ...)", "The greatest of the arguments that are not null."));
  all.push_back(Make(
      "least", {}, 1, -1, Ordered, [](const Call& call) { return Extreme(call, false); },
      "least(a, ...)", "The least of the arguments that are not null."));
  all.push_back(Make(
      "arrow_cast", {}, 2, 2, ResolveArrowCast,
      [](const Call& call) {
        return CastTo(call.arguments[0], call.signature->result, false, call.pool);
      },
      "arrow_cast(value, 'Type')", "The value cast to a type by its Arrow name."));
  all.push_back(Make(
      "arrow_typeof", {}, 1, 1, ResolveTypeOf,
      [](const Call& call) -> arrow::Result<Datum> {
        return Datum(ArrowTypeName(*call.signature->arguments[0]));
      },
      "arrow_typeof(value)", "The Arrow name of the value's type."));
  return all;
}

}  // namespace glaive::expr
