#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/arithmetic.h"
#include "expr/function.h"

namespace glaive::expr {
namespace {

using arrow::Datum;
using arrow::Type;

arrow::Result<Datum> Kernel(const char* name, const std::vector<Datum>& arguments, const Call& call,
                            const arrow::compute::FunctionOptions* options = nullptr) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::CallFunction(name, arguments, options, &context);
}

arrow::Status NotANumber(const CallSite& site, size_t argument) {
  return TypeMismatch("argument ", argument + 1, " of ", site.name, " must be a number, not ",
                      site.types[argument]->ToString());
}

bool IsNumberOrNull(const arrow::DataType& type) {
  return IsNumber(type) || type.id() == Type::NA;
}

// Floats stay, all other numbers become doubles.
TypePtr FloatFor(const arrow::DataType& type) {
  return type.id() == Type::FLOAT || type.id() == Type::HALF_FLOAT ? arrow::float32()
                                                                   : arrow::float64();
}

arrow::Result<Signature> Floats(const CallSite& site) {
  TypePtr type = arrow::float32();
  for (size_t i = 0; i < site.types.size(); ++i) {
    if (!IsNumberOrNull(*site.types[i])) return NotANumber(site, i);
    if (FloatFor(*site.types[i])->id() == Type::DOUBLE) type = arrow::float64();
  }
  if (site.types.empty()) type = arrow::float64();
  return Signature{std::vector<TypePtr>(site.types.size(), type), type};
}

arrow::Result<Signature> Doubles(const CallSite& site) {
  for (size_t i = 0; i < site.types.size(); ++i) {
    if (!IsNumberOrNull(*site.types[i])) return NotANumber(site, i);
  }
  return Signature{std::vector<TypePtr>(site.types.size(), arrow::float64()), arrow::float64()};
}

arrow::Result<Signature> Integers(const CallSite& site) {
  for (size_t i = 0; i < site.types.size(); ++i) {
    if (!arrow::is_integer(site.types[i]->id()) && site.types[i]->id() != Type::NA) {
      return TypeMismatch("argument ", i + 1, " of ", site.name, " must be an integer, not ",
                          site.types[i]->ToString());
    }
  }
  return Signature{std::vector<TypePtr>(site.types.size(), arrow::int64()), arrow::int64()};
}

// The type of the argument, half floats widened.
arrow::Result<Signature> SameNumber(const CallSite& site) {
  TypePtr type = arrow::null();
  for (size_t i = 0; i < site.types.size(); ++i) {
    if (!IsNumberOrNull(*site.types[i])) return NotANumber(site, i);
    type = CommonType(type, site.types[i]);
  }
  if (type->id() == Type::NA) type = arrow::int64();
  if (type->id() == Type::HALF_FLOAT) type = arrow::float32();
  return Signature{std::vector<TypePtr>(site.types.size(), type), type};
}

// round, trunc: a value and perhaps how many digits to keep.
arrow::Result<Signature> Rounded(const CallSite& site) {
  CallSite value{site.name, {site.types[0]}, {site.constants[0]}};
  ARROW_ASSIGN_OR_RAISE(Signature signature, SameNumber(value));
  if (arrow::is_integer(signature.result->id()) && site.types.size() == 1) {
    signature = Signature{{arrow::float64()}, arrow::float64()};
  }
  if (site.types.size() == 2) {
    if (!arrow::is_integer(site.types[1]->id()) && site.types[1]->id() != Type::NA) {
      return TypeMismatch("argument 2 of ", site.name, " must be an integer, not ",
                          site.types[1]->ToString());
    }
    signature.arguments.push_back(arrow::int64());
  }
  return signature;
}

arrow::Result<Signature> Test(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, SameNumber(site));
  signature.result = arrow::boolean();
  return signature;
}

template <typename ArrowType, typename Compute>
arrow::Result<Datum> Map1(const Call& call, Compute&& compute) {
  using T = typename ArrowType::c_type;
  const bool scalar = call.arguments[0].is_scalar();
  const int64_t rows = scalar ? 1 : call.num_rows;
  std::shared_ptr<arrow::Array> holder;
  if (scalar) {
    ARROW_ASSIGN_OR_RAISE(holder, arrow::MakeArrayFromScalar(*call.arguments[0].scalar(), 1));
  } else {
    holder = call.arguments[0].make_array();
  }
  const auto& values = static_cast<const arrow::NumericArray<ArrowType>&>(*holder);
  arrow::NumericBuilder<ArrowType> builder(call.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(rows));
  for (int64_t i = 0; i < rows; ++i) {
    if (values.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    std::optional<T> result = compute(values.Value(i));
    GLAIVE_CHECK_ARGUMENT(result.has_value(), "overflow: no result for ", values.Value(i));
    builder.UnsafeAppend(*result);
  }
  ARROW_ASSIGN_OR_RAISE(auto result, builder.Finish());
  if (!scalar) return Datum(result);
  ARROW_ASSIGN_OR_RAISE(auto single, result->GetScalar(0));
  return Datum(single);
}

template <typename ArrowType, typename Compute>
arrow::Result<Datum> Map2(const Call& call, Compute&& compute) {
  using T = typename ArrowType::c_type;
  std::shared_ptr<arrow::Array> holders[2];
  for (size_t k = 0; k < 2; ++k) {
    if (call.arguments[k].is_scalar()) {
      ARROW_ASSIGN_OR_RAISE(holders[k], arrow::MakeArrayFromScalar(*call.arguments[k].scalar(),
                                                                   call.num_rows, call.pool));
    } else {
      holders[k] = call.arguments[k].make_array();
    }
  }
  const auto& a = static_cast<const arrow::NumericArray<ArrowType>&>(*holders[0]);
  const auto& b = static_cast<const arrow::NumericArray<ArrowType>&>(*holders[1]);
  arrow::NumericBuilder<ArrowType> builder(call.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(call.num_rows));
  for (int64_t i = 0; i < call.num_rows; ++i) {
    if (a.IsNull(i) || b.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    std::optional<T> result = compute(a.Value(i), b.Value(i));
    GLAIVE_CHECK_ARGUMENT(result.has_value(), "overflow: no result for ", a.Value(i), " and ",
                          b.Value(i));
    builder.UnsafeAppend(*result);
  }
  ARROW_ASSIGN_OR_RAISE(auto result, builder.Finish());
  return Datum(result);
}

using RealFunction = double (*)(double);

// In double precision for floats of both sizes.
Function Real(std::string name, RealFunction compute, std::string summary) {
  Function function;
  function.usage = name + "(x)";
  function.name = std::move(name);
  function.min_arguments = function.max_arguments = 1;
  function.resolve = Floats;
  function.evaluate = [compute](const Call& call) -> arrow::Result<Datum> {
    if (call.signature->result->id() == Type::FLOAT) {
      return Map1<arrow::FloatType>(call, [compute](float x) -> std::optional<float> {
        return static_cast<float>(compute(static_cast<double>(x)));
      });
    }
    return Map1<arrow::DoubleType>(
        call, [compute](double x) -> std::optional<double> { return compute(x); });
  };
  function.summary = std::move(summary);
  return function;
}

// ceil and floor: decimals keep their type.
Function Whole(std::string name, RealFunction compute, std::string summary) {
  Function function = Real(std::move(name), compute, std::move(summary));
  function.resolve = [](const CallSite& site) -> arrow::Result<Signature> {
    if (arrow::is_decimal(site.types[0]->id())) return Signature{{site.types[0]}, site.types[0]};
    return Floats(site);
  };
  function.evaluate = [kernel = function.name,
                       real = function.evaluate](const Call& call) -> arrow::Result<Datum> {
    if (!arrow::is_decimal(call.signature->result->id())) return real(call);
    arrow::compute::ExecContext context(call.pool);
    return arrow::compute::CallFunction(kernel, call.arguments, &context);
  };
  return function;
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

double Sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : x;  // NaN stays
}

double Cot(double x) {
  return 1.0 / std::tan(x);
}

double Degrees(double x) {
  return x * (180.0 / std::numbers::pi);
}

double Radians(double x) {
  return x * (std::numbers::pi / 180.0);
}

arrow::Result<Datum> RoundTo(const Call& call, arrow::compute::RoundMode mode) {
  if (call.arguments.size() == 2) {
    const arrow::compute::RoundBinaryOptions options(mode);
    ARROW_ASSIGN_OR_RAISE(Datum digits,
                          CastTo(call.arguments[1], arrow::int32(), false, call.pool));
    return Kernel("round_binary", {call.arguments[0], digits}, call, &options);
  }
  const arrow::compute::RoundOptions options(0, mode);
  return Kernel("round", call.arguments, call, &options);
}

std::optional<int64_t> Factorial(int64_t n) {
  if (n < 0 || n > 20) return std::nullopt;
  int64_t product = 1;
  for (int64_t i = 2; i <= n; ++i) product *= i;
  return product;
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
}

std::optional<int64_t> Gcd(int64_t a, int64_t b) {
  const uint64_t divisor = std::gcd(Magnitude(a), Magnitude(b));
  if (divisor > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return static_cast<int64_t>(divisor);
}

std::optional<int64_t> Lcm(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  const uint64_t divisor = std::gcd(Magnitude(a), Magnitude(b));
  uint64_t product = 0;
  if (__builtin_mul_overflow(Magnitude(a) / divisor, Magnitude(b), &product) ||
      product > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  return static_cast<int64_t>(product);
}

arrow::Result<Datum> Log(const Call& call) {
  if (call.arguments.size() == 1) {
    return Map1<arrow::DoubleType>(call,
                                   [](double x) -> std::optional<double> { return std::log10(x); });
  }
  return Map2<arrow::DoubleType>(call, [](double base, double x) -> std::optional<double> {
    if (base == 2) return std::log2(x);
    if (base == 10) return std::log10(x);
    return std::log(x) / std::log(base);
  });
}

template <typename Compute>
arrow::Result<Datum> Floats2(const Call& call, Compute&& compute) {
  if (call.signature->result->id() == Type::FLOAT) {
    return Map2<arrow::FloatType>(call, [&](float a, float b) -> std::optional<float> {
      return static_cast<float>(compute(static_cast<double>(a), static_cast<double>(b)));
    });
  }
  return Map2<arrow::DoubleType>(
      call, [&](double a, double b) -> std::optional<double> { return compute(a, b); });
}

arrow::Result<Datum> Random(const Call& call) {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  arrow::DoubleBuilder builder(call.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(call.num_rows));
  for (int64_t i = 0; i < call.num_rows; ++i) {
    builder.UnsafeAppend(static_cast<double>(generator() >> 11) * 0x1.0p-53);
  }
  ARROW_ASSIGN_OR_RAISE(auto result, builder.Finish());
  return Datum(result);
}

arrow::Result<Datum> Mod(const Call& call) {
  Scope scope;
  scope.num_rows = call.num_rows;
  scope.pool = call.pool;
  return Modulo(call.arguments[0], call.arguments[1], scope);
}

arrow::Result<Datum> IsNaN(const Call& call) {
  if (!arrow::is_floating(call.arguments[0].type()->id())) {
    ARROW_ASSIGN_OR_RAISE(Datum same,
                          Kernel("not_equal", {call.arguments[0], call.arguments[0]}, call));
    return same;
  }
  return Kernel("is_nan", call.arguments, call);
}

arrow::Result<Datum> IsZero(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(Datum zero,
                        CastTo(Datum(int64_t{0}), call.arguments[0].type(), false, call.pool));
  return Kernel("equal", {call.arguments[0], zero}, call);
}

arrow::Result<Datum> Abs(const Call& call) {
  return Kernel("abs_checked", call.arguments, call);
}

}  // namespace

std::vector<Function> MathFunctions() {
  using arrow::compute::RoundMode;
  std::vector<Function> all;
  all.push_back(Real("acos", std::acos, "The angle whose cosine is x."));
  all.push_back(Real("acosh", std::acosh, "The inverse hyperbolic cosine."));
  all.push_back(Real("asin", std::asin, "The angle whose sine is x."));
  all.push_back(Real("asinh", std::asinh, "The inverse hyperbolic sine."));
  all.push_back(Real("atan", std::atan, "The angle whose tangent is x."));
  all.push_back(Real("atanh", std::atanh, "The inverse hyperbolic tangent."));
  all.push_back(Real("cbrt", std::cbrt, "The cube root."));
  all.push_back(Real("cos", std::cos, "The cosine."));
  all.push_back(Real("cosh", std::cosh, "The hyperbolic cosine."));
  all.push_back(Real("cot", Cot, "The cotangent."));
  all.push_back(Real("degrees", Degrees, "Radians as degrees."));
  all.push_back(Real("exp", std::exp, "e to the power of x."));
  all.push_back(Real("ln", std::log, "The natural logarithm."));
  all.push_back(Real("log10", std::log10, "The logarithm to base 10."));
  all.push_back(Real("log2", std::log2, "The logarithm to base 2."));
  all.push_back(Real("radians", Radians, "Degrees as radians."));
  all.push_back(Real("signum", Sign, "-1, 0 or 1."));
  all.back().aliases = {"sign"};
  all.push_back(Real("sin", std::sin, "The sine."));
  all.push_back(Real("sinh", std::sinh, "The hyperbolic sine."));
  all.push_back(Real("sqrt", std::sqrt, "The square root; NaN of negative numbers."));
  all.push_back(Real("tan", std::tan, "The tangent."));
  all.push_back(Real("tanh", std::tanh, "The hyperbolic tangent."));
  all.push_back(Whole("ceil", std::ceil, "The least whole number not below x."));
  all.back().aliases = {"ceiling"};
  all.push_back(Whole("floor", std::floor, "The greatest whole number not above x."));
  all.push_back(Make(
      "round", {}, 1, 2, Rounded,
      [](const Call& call) -> arrow::Result<Datum> {
        return RoundTo(call, RoundMode::HALF_TOWARDS_INFINITY);
      },
      "round(x [, digits])", "The nearest number of so many digits, halves away from zero."));
  all.push_back(Make(
      "trunc", {}, 1, 2, Rounded,
      [](const Call& call) { return RoundTo(call, RoundMode::TOWARDS_ZERO); },
      "trunc(x [, digits])", "Cut off after so many digits."));
  all.push_back(Make("abs", {}, 1, 1, SameNumber, Abs, "abs(x)", "The size without the sign."));
  all.push_back(Make(
      "factorial", {}, 1, 1, Integers,
      [](const Call& call) { return Map1<arrow::Int64Type>(call, Factorial); }, "factorial(n)",
      "1 * 2 * ... * n."));
  all.push_back(Make(
      "gcd", {}, 2, 2, Integers, [](const Call& call) { return Map2<arrow::Int64Type>(call, Gcd); },
      "gcd(a, b)", "The greatest common divisor."));
  all.push_back(Make(
      "lcm", {}, 2, 2, Integers, [](const Call& call) { return Map2<arrow::Int64Type>(call, Lcm); },
      "lcm(a, b)", "The least common multiple."));
  all.push_back(Make("log", {}, 1, 2, Doubles, Log, "log([base,] x)",
                     "The logarithm to a base, 10 if none is given."));
  all.push_back(Make(
      "power", {"pow"}, 2, 2, Doubles,
      [](const Call& call) {
        return Floats2(call, [](double a, double b) { return std::pow(a, b); });
      },
      "power(x, y)", "x to the power of y."));
  all.push_back(Make(
      "atan2", {}, 2, 2, Floats,
      [](const Call& call) {
        return Floats2(call, [](double a, double b) { return std::atan2(a, b); });
      },
      "atan2(y, x)", "The angle of the point (x, y)."));
  all.push_back(Make(
      "nanvl", {}, 2, 2, Floats,
      [](const Call& call) {
        return Floats2(call, [](double a, double b) { return std::isnan(a) ? b : a; });
      },
      "nanvl(x, y)", "x, or y where x is NaN."));
  all.push_back(Make("mod", {}, 2, 2, SameNumber, Mod, "mod(a, b)",
                     "The remainder of a / b, with the sign of a."));
  all.push_back(Make("isnan", {}, 1, 1, Test, IsNaN, "isnan(x)", "True for NaN."));
  all.push_back(Make("iszero", {}, 1, 1, Test, IsZero, "iszero(x)", "True for 0."));
  all.push_back(Make(
      "pi", {}, 0, 0, Doubles,
      [](const Call&) -> arrow::Result<Datum> { return Datum(std::numbers::pi); }, "pi()",
      "The number pi."));
  all.push_back(Make("random", {}, 0, 0, Doubles, Random, "random()",
                     "A number from 0 up to 1, another for each row."));
  all.back().volatility = Volatility::kVolatile;
  return all;
}

}  // namespace glaive::expr
