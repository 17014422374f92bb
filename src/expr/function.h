// Door: the functions of the dialect. One source per family in functions/; the registry finds them
// by name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// A call as the binder sees it.
struct CallSite {
  std::string_view name;       ///< lower case, as registered
  std::vector<TypePtr> types;  ///< of the arguments as written; null() for NULL
  /// Value of each argument that is constant, else nullptr: for functions whose type depends on a
  /// value.
  std::vector<std::shared_ptr<arrow::Scalar>> constants;
};

/// What resolve decides: the type that each argument is cast to before the call (the binder inserts
/// the casts), and the type of the result.
struct Signature {
  std::vector<TypePtr> arguments;
  TypePtr result;
};

/// What evaluate is given. Arguments are arrays of `num_rows` values or scalars, of exactly the
/// types that resolve decided. The result is an array of num_rows values or a scalar, of exactly
/// the result type.
struct Call {
  const Signature* signature = nullptr;
  std::vector<arrow::Datum> arguments;
  int64_t num_rows = 0;
  int64_t now_nanos = 0;
  arrow::MemoryPool* pool = nullptr;
};

enum class Volatility {
  kImmutable,  ///< folded if all arguments are constant
  kVolatile,   ///< a new value per row: random, uuid
};

/// A function of the dialect. `resolve` fails with kTypeMismatch naming function, argument number,
/// the type found and the types allowed; `evaluate` with kInvalidArgument for values without a
/// result.
struct Function {
  std::string name;                  ///< lower case
  std::vector<std::string> aliases;  ///< lower case
  int min_arguments = 0;
  int max_arguments = 0;  ///< -1: any number
  Volatility volatility = Volatility::kImmutable;
  std::function<arrow::Result<Signature>(const CallSite&)> resolve;
  std::function<arrow::Result<arrow::Datum>(const Call&)> evaluate;
  std::string usage;    ///< "lpad(text, length [, fill])", for messages and docs
  std::string summary;  ///< one sentence, for docs
};

/// nullptr if there is none. `name` in lower case.
const Function* FindFunction(std::string_view name);
/// The registered name (or alias) nearest to `name`, or empty.
std::string NearestFunction(std::string_view name);
/// All, sorted by name.
const std::vector<const Function*>& AllFunctions();

/// The families. Each returns its functions; called once.
std::vector<Function> StringFunctions();
std::vector<Function> RegexFunctions();
std::vector<Function> DigestFunctions();
std::vector<Function> MathFunctions();
std::vector<Function> ConditionalFunctions();
std::vector<Function> TemporalFunctions();
std::vector<Function> ListFunctions();
std::vector<Function> StructFunctions();
std::vector<Function> JsonFunctions();
std::vector<Function> VectorFunctions();

/// A cast as CAST does it (`safe`: failure is an error; else null), also used for coercion.
/// `values` is an array or a scalar. Text <-> temporal, numbers, binary; lists, structs and maps
/// element by element.
arrow::Result<arrow::Datum> CastTo(const arrow::Datum& values, const TypePtr& type, bool try_cast,
                                   arrow::MemoryPool* pool);
/// The same for an assignment: an error where a fraction or part of a moment would be lost.
arrow::Result<arrow::Datum> AssignTo(const arrow::Datum& values, const TypePtr& type,
                                     arrow::MemoryPool* pool);
/// The type that both sides of a comparison, branches of CASE, or elements of a list are brought
/// to; nullptr if there is none. null() gives way to anything; numbers widen without loss of range
/// (int64 with uint64: decimal128(20, 0) for comparison is the caller's business); text meets dates
/// and timestamps.
TypePtr CommonType(const TypePtr& a, const TypePtr& b);
bool IsText(const arrow::DataType& type);  ///< utf8, large_utf8, string_view, dictionaries of them
bool IsNumber(const arrow::DataType& type);  ///< integers, floats, decimals

}  // namespace glaive::expr
