#include "query/vector_request.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>

#include "base/status.h"

namespace glaive::query {

namespace {

using arrow::util::Float16;
using kernels::ElementType;
using kernels::Metric;

std::optional<ElementType> ElementTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::HALF_FLOAT:
      return ElementType::kF16;
    case arrow::Type::FLOAT:
      return ElementType::kF32;
    case arrow::Type::DOUBLE:
      return ElementType::kF64;
    case arrow::Type::UINT8:
      return ElementType::kU8;
    default:
      return std::nullopt;
  }
}

size_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kF16:
      return 2;
    case ElementType::kF32:
      return 4;
    case ElementType::kF64:
      return 8;
    case ElementType::kU8:
      return 1;
  }
  return 0;
}

const char* MetricName(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return "l2";
    case Metric::kCosine:
      return "cosine";
    case Metric::kDot:
      return "dot";
    case Metric::kHamming:
      return "hamming";
  }
  return "unknown";
}

/// What a column of vectors looks like.
struct VectorType {
  ElementType element_type = ElementType::kF32;
  size_t dims = 0;
  bool multivector = false;
};

/// nullopt if columns of this type can't be searched.
std::optional<VectorType> VectorTypeOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST) {
    auto item = VectorTypeOf(*type.field(0)->type());
    if (!item.has_value() || item->multivector) {
      return std::nullopt;
    }
    item->multivector = true;
    return item;
  }
  if (type.id() != arrow::Type::FIXED_SIZE_LIST) {
    return std::nullopt;
  }
  const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
  const auto element_type = ElementTypeOf(*list.value_type());
  if (!element_type.has_value() || list.list_size() <= 0) {
    return std::nullopt;
  }
  return VectorType{*element_type, static_cast<size_t>(list.list_size()), false};
}

std::string QuotedName(const std::string& name) {
  return name.find('.') == std::string::npos ? name : "`" + name + "`";
}

/// Paths of all searchable columns, through structs.
void CollectVectorColumns(const std::vector<file::Field>& fields, const std::string& prefix,
                          std::vector<std::string>* paths) {
  for (const auto& field : fields) {
    const std::string path = prefix + QuotedName(field.name);
    if (field.is_struct()) {
      CollectVectorColumns(field.children, path + ".", paths);
      continue;
    }
    const auto type = field.ArrowType();
    if (type.ok() && VectorTypeOf(**type).has_value()) {
      paths->push_back(path);
    }
  }
}

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const auto& name : names) {
    joined += (joined.empty() ? "" : ", ") + name;
  }
  return joined;
}

arrow::Result<std::string> ChooseColumn(const file::Schema& schema, const std::string& wanted) {
  if (!wanted.empty()) {
    return wanted;
  }
  std::vector<std::string> candidates;
  CollectVectorColumns(schema.fields(), "", &candidates);
  GLAIVE_CHECK_ARGUMENT(
      !candidates.empty(),
      "no vector column to search: expected a fixed_size_list of float16, float32, "
      "float64 or uint8, or a list of such");
  GLAIVE_CHECK_ARGUMENT(candidates.size() == 1,
                        "name the column to search, there are several: ", Join(candidates));
  return candidates.front();
}

arrow::Result<Metric> ChooseMetric(const VectorQuery& query, const std::string& column,
                                   ElementType type) {
  if (!query.distance_type.has_value()) {
    return type == ElementType::kU8 ? Metric::kHamming : Metric::kL2;
  }
  switch (*query.distance_type) {
    case DistanceType::kL2:
      return Metric::kL2;
    case DistanceType::kCosine:
      return Metric::kCosine;
    case DistanceType::kDot:
      return Metric::kDot;
    case DistanceType::kHamming:
      GLAIVE_CHECK_ARGUMENT(type == ElementType::kU8, "distance ", MetricName(Metric::kHamming),
                            " needs a column of uint8 vectors, which column ", column, " is not");
      return Metric::kHamming;
  }
  return InvalidArgument("unknown distance type ", static_cast<int>(*query.distance_type));
}

/// The number at `i`, whatever numeric type it has; nullopt for other types.
std::optional<double> NumberAt(const arrow::Array& array, int64_t i) {
  switch (array.type_id()) {
    case arrow::Type::DOUBLE:
      return static_cast<const arrow::DoubleArray&>(array).Value(i);
    case arrow::Type::FLOAT:
      return static_cast<const arrow::FloatArray&>(array).Value(i);
    case arrow::Type::HALF_FLOAT:
      return Float16::FromBits(static_cast<const arrow::HalfFloatArray&>(array).Value(i))
          .ToDouble();
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Array&>(array).Value(i);
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(array).Value(i);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(array).Value(i);
    case arrow::Type::INT64:
      return static_cast<double>(static_cast<const arrow::Int64Array&>(array).Value(i));
    case arrow::Type::UINT8:
      return static_cast<const arrow::UInt8Array&>(array).Value(i);
    case arrow::Type::UINT16:
      return static_cast<const arrow::UInt16Array&>(array).Value(i);
    case arrow::Type::UINT32:
      return static_cast<const arrow::UInt32Array&>(array).Value(i);
    case arrow::Type::UINT64:
      return static_cast<double>(static_cast<const arrow::UInt64Array&>(array).Value(i));
    default:
      return std::nullopt;
  }
}

/// Writes `value` as an element; false if the type can't hold it.
bool StoreElement(double value, ElementType type, uint8_t* to) {
  switch (type) {
    case ElementType::kF16: {
      const Float16 half = Float16::FromDouble(value);
      half.ToBytes(to);
      return half.is_finite();
    }
    case ElementType::kF32: {
      if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
        return false;
      }
      const float single = static_cast<float>(value);
      std::memcpy(to, &single, sizeof(single));
      return true;
    }
    case ElementType::kF64:
      std::memcpy(to, &value, sizeof(value));
      return true;
    case ElementType::kU8:
      if (!(value >= 0 && value <= 255) || value != std::floor(value)) {
        return false;
      }
      *to = static_cast<uint8_t>(value);
      return true;
  }
  return false;
}

const char* ElementTypeName(ElementType type) {
  switch (type) {
    case ElementType::kF16:
      return "float16";
    case ElementType::kF32:
      return "float32";
    case ElementType::kF64:
      return "float64";
    case ElementType::kU8:
      return "uint8";
  }
  return "unknown";
}

/// `count` numbers from `first` on, cast to the elements of the column.
arrow::Status CastNumbers(const arrow::Array& numbers, int64_t first, int64_t count,
                          const VectorRequest& request, uint8_t* to) {
  for (int64_t i = 0; i < count; ++i) {
    GLAIVE_CHECK_ARGUMENT(!numbers.IsNull(first + i), "the query vector has a null at place ", i);
    const auto value = NumberAt(numbers, first + i);
    if (!value.has_value()) {
      return TypeMismatch("a query vector must hold numbers, not ", numbers.type()->ToString());
    }
    GLAIVE_CHECK_ARGUMENT(std::isfinite(*value), "the query vector has ", *value, " at place ", i,
                          "; only finite numbers can be searched for");
    GLAIVE_CHECK_ARGUMENT(
        StoreElement(*value, request.element_type,
                     to + static_cast<size_t>(i) * ElementBytes(request.element_type)),
        "the query vector has ", *value, " at place ", i, ", which column ", request.column, " of ",
        ElementTypeName(request.element_type), " vectors can't hold");
  }
  return arrow::Status::OK();
}

arrow::Status CheckDimension(const VectorRequest& request, int64_t found) {
  GLAIVE_CHECK_ARGUMENT(found >= 0 && static_cast<size_t>(found) == request.dims, "column ",
                        request.column, " has vectors of dimension ", request.dims,
                        ", the query has ", found);
  return arrow::Status::OK();
}

arrow::Status CastVectors(const arrow::Array& vectors, arrow::MemoryPool* pool,
                          VectorRequest* request) {
  const bool many = vectors.type_id() == arrow::Type::FIXED_SIZE_LIST;
  request->num_vectors = many ? static_cast<size_t>(vectors.length()) : 1;
  request->several_queries = many && !request->multivector;
  GLAIVE_CHECK_ARGUMENT(request->num_vectors > 0, "the request has no query vector");
  const size_t bytes = request->vector_bytes();
  GLAIVE_CHECK_ARGUMENT(
      request->num_vectors <= static_cast<size_t>(std::numeric_limits<int32_t>::max()) &&
          request->num_vectors <= std::numeric_limits<int64_t>::max() / bytes,
      "too many query vectors: ", request->num_vectors);
  if (!many) {
    ARROW_RETURN_NOT_OK(CheckDimension(*request, vectors.length()));
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> buffer,
      arrow::AllocateBuffer(static_cast<int64_t>(request->num_vectors * bytes), pool));
  uint8_t* to = buffer->mutable_data();
  if (many) {
    const auto& list = static_cast<const arrow::FixedSizeListArray&>(vectors);
    const int64_t size = list.list_type()->list_size();
    ARROW_RETURN_NOT_OK(CheckDimension(*request, size));
    for (int64_t i = 0; i < list.length(); ++i) {
      GLAIVE_CHECK_ARGUMENT(!list.IsNull(i), "query vector ", i, " is null");
      ARROW_RETURN_NOT_OK(CastNumbers(*list.values(), list.value_offset(i), size, *request,
                                      to + static_cast<size_t>(i) * bytes));
    }
  } else {
    ARROW_RETURN_NOT_OK(CastNumbers(vectors, 0, vectors.length(), *request, to));
  }
  request->vectors = std::move(buffer);
  return arrow::Status::OK();
}

}  // namespace

size_t VectorRequest::vector_bytes() const {
  return dims * ElementBytes(element_type);
}

arrow::Result<VectorRequest> BindVectorQuery(const file::Schema& schema, const VectorQuery& query,
                                             arrow::MemoryPool* pool) {
  GLAIVE_CHECK_ARGUMENT(query.vectors != nullptr, "the request has no query vector");
  GLAIVE_CHECK_ARGUMENT(query.k > 0, "k is 0, expected at least 1");
  GLAIVE_CHECK_ARGUMENT(!query.lower_bound.has_value() || !std::isnan(*query.lower_bound),
                        "the lower bound of the distance is NaN");
  GLAIVE_CHECK_ARGUMENT(!query.upper_bound.has_value() || !std::isnan(*query.upper_bound),
                        "the upper bound of the distance is NaN");
  VectorRequest request;
  ARROW_ASSIGN_OR_RAISE(request.column, ChooseColumn(schema, query.column));
  ARROW_ASSIGN_OR_RAISE(const file::Field* field, schema.FindByPath(request.column));
  ARROW_ASSIGN_OR_RAISE(const auto type, field->ArrowType());
  const auto vector_type = VectorTypeOf(*type);
  if (!vector_type.has_value()) {
    std::vector<std::string> candidates;
    CollectVectorColumns(schema.fields(), "", &candidates);
    return TypeMismatch(
        "column ", request.column, " has type ", type->ToString(),
        ", expected a fixed_size_list of float16, float32, float64 or uint8, or a list "
        "of such; columns of that kind: ",
        candidates.empty() ? "none" : Join(candidates));
  }
  request.element_type = vector_type->element_type;
  request.dims = vector_type->dims;
  request.multivector = vector_type->multivector;
  ARROW_ASSIGN_OR_RAISE(request.metric, ChooseMetric(query, request.column, request.element_type));
  ARROW_ASSIGN_OR_RAISE(request.projection, schema.Project({request.column}));
  ARROW_RETURN_NOT_OK(CastVectors(*query.vectors, pool, &request));
  return request;
}

}  // namespace glaive::query
