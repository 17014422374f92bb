// Distances between vectors, which are lists of numbers: array_distance, cosine_distance,
// cosine_similarity, inner_product, array_normalize. Sums are formed in double, as in LanceDB, so
// the float sums of the kernels for vector search are not used here.
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>

#include "base/status.h"
#include "expr/functions/list_column.h"

namespace glaive::expr {

namespace {

using lists::ListColumn;

bool IsFloat(const arrow::DataType& type) {
  return arrow::is_floating(type.id());
}

/// Lists of floats are taken as they are, other numbers as doubles.
arrow::Result<TypePtr> VectorType(const CallSite& site, size_t argument) {
  const TypePtr& type = site.types[argument];
  if (type->id() == arrow::Type::NA) return arrow::list(arrow::float64());
  if (!lists::IsList(*type)) return lists::WrongType(site, argument, "a list of numbers");
  TypePtr element = lists::Element(type);
  if (IsFloat(*element)) return lists::ListArgument(type, element);
  if (IsNumber(*element) || element->id() == arrow::Type::NA) {
    return lists::ListOf(type, arrow::float64());
  }
  return lists::WrongType(site, argument, "a list of numbers");
}

arrow::Result<Signature> ResolvePair(const CallSite& site) {
  Signature signature;
  signature.result = arrow::float64();
  for (size_t i = 0; i < 2; ++i) {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, VectorType(site, i));
    signature.arguments.push_back(std::move(type));
  }
  auto fixed = [&](size_t i) {
    return site.types[i]->id() == arrow::Type::FIXED_SIZE_LIST
               ? static_cast<const arrow::FixedSizeListType&>(*site.types[i]).list_size()
               : -1;
  };
  if (fixed(0) >= 0 && fixed(1) >= 0 && fixed(0) != fixed(1)) {
    return TypeMismatch(site.name, ": the vectors have ", fixed(0), " and ", fixed(1),
                        " dimensions; they must have the same number");
  }
  return signature;
}

/// The floats of an array of any width, as doubles.
class Floats {
 public:
  explicit Floats(const arrow::Array& array) : id_(array.type_id()) {
    if (id_ == arrow::Type::FLOAT) {
      floats_ = static_cast<const arrow::FloatArray&>(array).raw_values();
    } else if (id_ == arrow::Type::DOUBLE) {
      doubles_ = static_cast<const arrow::DoubleArray&>(array).raw_values();
    } else {
      halves_ = static_cast<const arrow::HalfFloatArray&>(array).raw_values();
    }
  }

  /// The values [begin, begin + n); `scratch` holds them if they are no doubles.
  const double* Row(int64_t begin, int64_t n, std::vector<double>* scratch) const {
    if (id_ == arrow::Type::DOUBLE) return doubles_ + begin;
    scratch->resize(static_cast<size_t>(n));
    double* out = scratch->data();
    if (id_ == arrow::Type::FLOAT) {
      for (int64_t i = 0; i < n; ++i) out[i] = floats_[begin + i];
    } else {
      for (int64_t i = 0; i < n; ++i) {
        out[i] = arrow::util::Float16::FromBits(halves_[begin + i]).ToDouble();
      }
    }
    return out;
  }

 private:
  arrow::Type::type id_;
  const float* floats_ = nullptr;
  const double* doubles_ = nullptr;
  const uint16_t* halves_ = nullptr;
};

/// The rows of a vector argument.
class Vectors {
 public:
  static arrow::Result<Vectors> Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
    ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(datum, pool));
    return Vectors(std::move(list));
  }

  /// True if the row is null or has a null element.
  bool IsNull(int64_t row) const {
    if (list_.IsNull(row)) return true;
    if (list_.child()->null_count() == 0) return false;
    for (int64_t i = list_.Begin(row); i < list_.End(row); ++i) {
      if (list_.child()->IsNull(i)) return true;
    }
    return false;
  }

  int64_t Length(int64_t row) const { return list_.Length(row); }

  /// Valid until the next call.
  const double* Row(int64_t row) {
    if (list_.constant() && last_ != nullptr) return last_;
    last_ = floats_.Row(list_.Begin(row), list_.Length(row), &scratch_);
    return last_;
  }

 private:
  explicit Vectors(ListColumn list) : list_(std::move(list)), floats_(*list_.child()) {}

  ListColumn list_;
  Floats floats_;
  std::vector<double> scratch_;
  const double* last_ = nullptr;
};

/// Four sums side by side, which the compiler turns into vector instructions.
template <typename Term>
double SumOf(int64_t n, Term&& term) {
  double sums[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int64_t k = 0; k < 4; ++k) sums[k] += term(i + k);
  }
  for (; i < n; ++i) sums[0] += term(i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double Dot(const double* a, const double* b, int64_t n) {
  return SumOf(n, [a, b](int64_t i) { return a[i] * b[i]; });
}

double Euclid(const double* a, const double* b, int64_t n) {
  return std::sqrt(SumOf(n, [a, b](int64_t i) { return (a[i] - b[i]) * (a[i] - b[i]); }));
}

/// Of vectors that are not zero.
double Cosine(const double* a, const double* b, int64_t n) {
  return Dot(a, b, n) / (std::sqrt(Dot(a, a, n)) * std::sqrt(Dot(b, b, n)));
}

using Measure = double (*)(const double*, const double*, int64_t);

/// `zero_is_null`: the measure has no value for a zero vector.
arrow::Result<arrow::Datum> Pairs(const Call& call, const char* name, Measure measure,
                                  bool zero_is_null) {
  ARROW_ASSIGN_OR_RAISE(Vectors a, Vectors::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(Vectors b, Vectors::Make(call.arguments[1], call.pool));
  arrow::DoubleBuilder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (a.IsNull(row) || b.IsNull(row)) {
      out.UnsafeAppendNull();
      continue;
    }
    int64_t n = a.Length(row);
    GLAIVE_CHECK_ARGUMENT(n == b.Length(row), name, ": the vectors have ", n, " and ",
                          b.Length(row), " dimensions; they must have the same number");
    const double* x = a.Row(row);
    const double* y = b.Row(row);
    if (zero_is_null && (Dot(x, x, n) == 0 || Dot(y, y, n) == 0)) {
      out.UnsafeAppendNull();
    } else {
      out.UnsafeAppend(measure(x, y, n));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolveNormalize(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(TypePtr type, VectorType(site, 0));
  TypePtr result = lists::ListOf(type, arrow::float64());
  return Signature{{std::move(type)}, std::move(result)};
}

arrow::Result<arrow::Datum> Normalize(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(Vectors vectors, Vectors::Make(call.arguments[0], call.pool));
  arrow::DoubleBuilder values(call.pool);
  lists::Gather gather;
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (vectors.IsNull(row)) {
      gather.NullRow();
      continue;
    }
    int64_t n = vectors.Length(row);
    const double* x = vectors.Row(row);
    double length = std::sqrt(Dot(x, x, n));
    if (n > 0 && length == 0) {
      gather.NullRow();
      continue;
    }
    gather.AddRange(values.length(), values.length() + n);
    gather.EndRow();
    ARROW_RETURN_NOT_OK(values.Reserve(n));
    for (int64_t i = 0; i < n; ++i) values.UnsafeAppend(x[i] / length);
  }
  ARROW_ASSIGN_OR_RAISE(auto all, values.Finish());
  gather.AddSource(std::move(all));
  return gather.Lists(call.signature->result, call.pool);
}

Function Pair(const char* name, std::vector<std::string> aliases, std::string summary,
              Measure measure, bool zero_is_null) {
  return lists::Make(name, std::move(aliases), 2, 2, std::string(name) + "(vector, vector)",
                     std::move(summary), ResolvePair,
                     [=](const Call& call) { return Pairs(call, name, measure, zero_is_null); });
}

}  // namespace

std::vector<Function> VectorFunctions() {
  std::vector<Function> functions;
  functions.push_back(Pair("array_distance", {"l2_distance"},
                           "Euclid's distance of two vectors (the square root is drawn); null if "
                           "a vector or an element is null.",
                           Euclid, false));
  functions.push_back(Pair(
      "cosine_distance", {}, "1 minus the cosine of two vectors; null if one is null or zero.",
      [](const double* a, const double* b, int64_t n) { return 1 - Cosine(a, b, n); }, true));
  functions.push_back(Pair("cosine_similarity", {},
                           "The cosine of two vectors; null if one is null or zero. (Not in "
                           "LanceDB.)",
                           Cosine, true));
  functions.push_back(Pair("inner_product", {"dot_product"},
                           "The sum of the products of the elements of two vectors.", Dot, false));
  functions.push_back(lists::Make("array_normalize", {}, 1, 1, "array_normalize(vector)",
                                  "The vector divided by its length, as doubles; null for a zero "
                                  "vector or one with null elements.",
                                  ResolveNormalize, Normalize));
  return functions;
}

}  // namespace glaive::expr
