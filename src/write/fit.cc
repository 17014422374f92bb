#include "write/fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include "base/bytes.h"
#include "base/status.h"
#include "file/json_text.h"
#include "file/null_check.h"
#include "write/json_fit.h"

namespace glaive::write {

namespace {

/// What the recursion over one column carries along.
struct Place {
  std::string path;
  uint64_t first_row = 0;  ///< of the top-level column
  bool top_level = true;   ///< array positions are rows
  BadVectors bad_vectors = BadVectors::kError;
  arrow::MemoryPool* pool = nullptr;
  bool vector_item = false;

  Place Child(const std::string& name) const {
    return {path + "." + name, first_row, false, bad_vectors, pool};
  }

  Place VectorItem() const {
    Place item = Child("item");
    item.vector_item = true;
    return item;
  }

  std::string Row(int64_t position) const {
    return Concat(
        "column '", path, "', ", top_level ? "row " : "element ",
        top_level ? first_row + static_cast<uint64_t>(position) : static_cast<uint64_t>(position));
  }
};

const arrow::DataType& StorageOf(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION
             ? *static_cast<const arrow::ExtensionType&>(type).storage_type()
             : type;
}

bool HasMetadata(const arrow::Field& field, std::string_view key, std::string_view value) {
  if (field.metadata() == nullptr) {
    return false;
  }
  const auto found = field.metadata()->Get(std::string(key));
  return found.ok() && *found == value;
}

bool IsBlobV2(const arrow::Field& field) {
  return field.type()->id() == arrow::Type::STRUCT &&
         (HasMetadata(field, file::kExtensionNameKey, file::kBlobV2Extension) ||
          HasMetadata(field, file::kBlobKey, "true"));
}

bool IsListLike(arrow::Type::type id) {
  return id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST;
}

bool IsText(arrow::Type::type id) {
  return id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING ||
         id == arrow::Type::STRING_VIEW;
}

bool IsBytes(arrow::Type::type id) {
  return id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY ||
         id == arrow::Type::BINARY_VIEW;
}

bool IsNumber(arrow::Type::type id) {
  return arrow::is_integer(id) || arrow::is_floating(id) || arrow::is_decimal(id);
}

bool IsSameTimeKind(arrow::Type::type from, arrow::Type::type to) {
  return (arrow::is_time(from) && arrow::is_time(to)) ||
         (arrow::is_date(from) && arrow::is_date(to)) ||
         (from == arrow::Type::TIMESTAMP && to == arrow::Type::TIMESTAMP) ||
         (from == arrow::Type::DURATION && to == arrow::Type::DURATION);
}

/// Whether a value of `from` can be the same value as `to`; single values may still not fit.
bool IsCastable(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() == arrow::Type::DICTIONARY) {
    return IsCastable(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  if (to.id() == arrow::Type::DICTIONARY) {
    return IsCastable(from, *static_cast<const arrow::DictionaryType&>(to).value_type());
  }
  if (from.id() == arrow::Type::TIMESTAMP && to.id() == arrow::Type::TIMESTAMP) {
    // A zone says what the number means; dropping or inventing one would change it.
    return static_cast<const arrow::TimestampType&>(from).timezone().empty() ==
           static_cast<const arrow::TimestampType&>(to).timezone().empty();
  }
  return from.Equals(to) || from.id() == arrow::Type::NA ||
         (IsNumber(from.id()) && IsNumber(to.id())) || (IsText(from.id()) && IsText(to.id())) ||
         (IsBytes(from.id()) && IsBytes(to.id())) || IsSameTimeKind(from.id(), to.id());
}

arrow::Status Mismatch(const std::string& path, const arrow::DataType& from,
                       const arrow::DataType& to) {
  return TypeMismatch("column '", path, "' has type ", from.ToString(), ", but the table has ",
                      to.ToString(), ", and no lossless cast leads there");
}

arrow::Status CheckMembers(const arrow::FieldVector& members, const arrow::FieldVector& found,
                           const std::string& path);

/// Fails where no value of the type could fit.
arrow::Status CheckType(const arrow::Field& target, const arrow::DataType& given,
                        const std::string& path) {
  const arrow::DataType& from = StorageOf(given);
  const arrow::DataType& to = *target.type();
  if (IsBlobV2(target) || from.id() == arrow::Type::NA) {
    return arrow::Status::OK();  // the file writer knows the forms of a blob
  }
  if (file::IsStoredJson(target)) {
    return IsJsonInput(from)
               ? arrow::Status::OK()
               : TypeMismatch("column '", path, "' has type ", from.ToString(),
                              ", but the table has JSON there, which takes text or JSONB");
  }
  if (to.id() == arrow::Type::STRUCT && from.id() == arrow::Type::STRUCT) {
    return CheckMembers(to.fields(), from.fields(), path);
  }
  const bool from_list = IsListLike(from.id()) || from.id() == arrow::Type::FIXED_SIZE_LIST;
  const bool to_list = IsListLike(to.id()) || to.id() == arrow::Type::FIXED_SIZE_LIST;
  if (from_list && to_list) {
    if (from.id() == to.id() && to.id() == arrow::Type::FIXED_SIZE_LIST) {
      const int32_t found = static_cast<const arrow::FixedSizeListType&>(from).list_size();
      const int32_t expected = static_cast<const arrow::FixedSizeListType&>(to).list_size();
      GLAIVE_CHECK_ARGUMENT(found == expected, "column '", path, "' holds vectors of length ",
                            found, ", but the table's have length ", expected);
    }
    return CheckType(*to.field(0), *from.field(0)->type(), path + ".item");
  }
  if (to.id() == arrow::Type::MAP && from.id() == arrow::Type::MAP) {
    ARROW_RETURN_NOT_OK(CheckType(*to.field(0)->type()->field(0),
                                  *from.field(0)->type()->field(0)->type(), path + ".key"));
    return CheckType(*to.field(0)->type()->field(1), *from.field(0)->type()->field(1)->type(),
                     path + ".value");
  }
  return IsCastable(from, to) ? arrow::Status::OK() : Mismatch(path, from, to);
}

std::string NamesOf(const arrow::FieldVector& fields) {
  std::string names;
  for (const auto& field : fields) {
    names += (names.empty() ? "'" : ", '") + field->name() + "'";
  }
  return names.empty() ? "none" : names;
}

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

arrow::Status CheckMembers(const arrow::FieldVector& members, const arrow::FieldVector& found,
                           const std::string& path) {
  std::map<std::string, const arrow::Field*> given;
  for (const auto& field : found) {
    GLAIVE_CHECK_ARGUMENT(given.emplace(field->name(), field.get()).second, "column '",
                          Below(path, field->name()), "' occurs more than once in the data");
  }
  for (const auto& member : members) {
    const auto at = given.find(member->name());
    if (at == given.end()) {
      GLAIVE_CHECK_ARGUMENT(
          member->nullable(), "column '", Below(path, member->name()),
          "' is missing from the data and not nullable in the table; the data has ",
          NamesOf(found));
      continue;
    }
    ARROW_RETURN_NOT_OK(CheckType(*member, *at->second->type(), Below(path, member->name())));
    given.erase(at);
  }
  GLAIVE_CHECK_ARGUMENT(given.empty(), "column '", Below(path, given.begin()->first),
                        "' of the data is not in the table, which has ", NamesOf(members));
  return arrow::Status::OK();
}

bool IsFiniteHalf(uint16_t bits) {
  return (bits & 0x7C00) != 0x7C00;
}

template <typename T>
bool AllFinite(const T* values, int64_t count) {
  // No early exit: the loop is over in one pass of vector instructions.
  uint64_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (sizeof(T) == 2) {
      bad += IsFiniteHalf(values[i]) ? 0 : 1;
    } else {
      bad += std::abs(values[i]) <= std::numeric_limits<T>::max() ? 0 : 1;
    }
  }
  return bad == 0;
}

template <typename T>
arrow::Status CheckFinite(const arrow::FixedSizeListArray& vectors, const T* values,
                          const Place& place) {
  const int64_t dimension = vectors.list_type()->list_size();
  if (AllFinite(values + vectors.value_offset(0), vectors.length() * dimension)) {
    return arrow::Status::OK();
  }
  const auto& items = *vectors.values();
  for (int64_t row = 0; row < vectors.length(); ++row) {
    const int64_t start = vectors.value_offset(row);
    if (vectors.IsNull(row) || AllFinite(values + start, dimension)) {
      continue;
    }
    for (int64_t i = 0; i < dimension; ++i) {
      if (items.IsNull(start + i) || AllFinite(values + start + i, 1)) {
        continue;
      }
      double shown = std::numeric_limits<double>::quiet_NaN();
      if constexpr (sizeof(T) != 2) {
        shown = static_cast<double>(values[start + i]);
      }
      return InvalidArgument(place.Row(row), ": component ", i, " of the vector is ",
                             sizeof(T) == 2      ? "not finite"
                             : std::isnan(shown) ? "NaN"
                             : shown > 0         ? "infinity"
                                                 : "-infinity",
                             ", but vectors must be finite (BadVectors::kAllow, in the tool "
                             "--bad-vectors allow, stores them)");
    }
  }
  return arrow::Status::OK();
}

arrow::Status CheckVectors(const arrow::Array& array, const Place& place) {
  const auto& vectors = static_cast<const arrow::FixedSizeListArray&>(array);
  if (place.bad_vectors == BadVectors::kAllow || vectors.length() == 0) {
    return arrow::Status::OK();
  }
  const auto& items = *vectors.values();
  switch (items.type_id()) {
    case arrow::Type::FLOAT:
      return CheckFinite(vectors, static_cast<const arrow::FloatArray&>(items).raw_values(), place);
    case arrow::Type::DOUBLE:
      return CheckFinite(vectors, static_cast<const arrow::DoubleArray&>(items).raw_values(),
                         place);
    case arrow::Type::HALF_FLOAT:
      return CheckFinite(vectors, static_cast<const arrow::HalfFloatArray&>(items).raw_values(),
                         place);
    default:
      return arrow::Status::OK();
  }
}

/// Validity of `array` as a bitmap that starts at bit 0; nullptr if nothing is null.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                         arrow::MemoryPool* pool) {
  if (array.null_count() == 0 || array.null_bitmap() == nullptr) {
    return nullptr;
  }
  if (array.offset() == 0) {
    return array.null_bitmap();
  }
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

ArrayResult FitArray(const arrow::Field& target, std::shared_ptr<arrow::Array> array,
                     const Place& place);

ArrayResult FitStruct(const arrow::Field& target, const std::shared_ptr<arrow::Array>& array,
                      const Place& place) {
  const auto& given = static_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector members;
  for (const auto& member : target.type()->fields()) {
    auto found = given.GetFieldByName(member->name());
    if (found == nullptr) {
      ARROW_ASSIGN_OR_RAISE(found,
                            arrow::MakeArrayOfNull(member->type(), array->length(), place.pool));
    } else {
      Place below = place.Child(member->name());
      below.top_level = place.top_level;
      ARROW_ASSIGN_OR_RAISE(found, FitArray(*member, found, below));
    }
    members.push_back(std::move(found));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*array, place.pool));
  return std::make_shared<arrow::StructArray>(target.type(), array->length(), std::move(members),
                                              std::move(validity));
}

/// The same array with the fitted child `values` and the type of `target`.
std::shared_ptr<arrow::Array> WithValues(const arrow::Field& target, const arrow::Array& array,
                                         const std::shared_ptr<arrow::Array>& values) {
  auto data = array.data()->Copy();
  data->type = target.type();
  data->child_data = {values->data()};
  return arrow::MakeArray(data);
}

/// list -> fixed_size_list, where every list has the length.
ArrayResult ListToVectors(const arrow::Field& target, const std::shared_ptr<arrow::Array>& array,
                          const Place& place) {
  const auto& type = static_cast<const arrow::FixedSizeListType&>(*target.type());
  const int64_t dimension = type.list_size();
  std::shared_ptr<arrow::Array> items;
  arrow::Int64Builder indices(place.pool);
  ARROW_RETURN_NOT_OK(indices.Reserve(array->length() * dimension));
  bool dense = true;
  int64_t start = 0;
  const auto visit = [&](const auto& lists) -> arrow::Status {
    items = lists.values();
    start = lists.length() > 0 ? lists.value_offset(0) : 0;
    for (int64_t row = 0; row < lists.length(); ++row) {
      if (lists.IsNull(row)) {
        dense = false;
        for (int64_t i = 0; i < dimension; ++i) {
          indices.UnsafeAppendNull();
        }
        continue;
      }
      GLAIVE_CHECK_ARGUMENT(lists.value_length(row) == dimension, place.Row(row),
                            ": the vector has length ", lists.value_length(row),
                            ", but the table's have length ", dimension);
      for (int64_t i = 0; i < dimension; ++i) {
        indices.UnsafeAppend(lists.value_offset(row) + i);
      }
    }
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(array->type_id() == arrow::Type::LIST
                          ? visit(static_cast<const arrow::ListArray&>(*array))
                          : visit(static_cast<const arrow::LargeListArray&>(*array)));
  std::shared_ptr<arrow::Array> values;
  if (dense) {
    values = items->Slice(start, array->length() * dimension);
  } else {
    ARROW_ASSIGN_OR_RAISE(auto taken, indices.Finish());
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum datum, arrow::compute::Take(items, taken));
    values = datum.make_array();
  }
  ARROW_ASSIGN_OR_RAISE(values, FitArray(*type.value_field(), values, place.VectorItem()));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*array, place.pool));
  return std::make_shared<arrow::FixedSizeListArray>(target.type(), array->length(),
                                                     std::move(values), std::move(validity));
}

arrow::Status CheckNoneBecameInfinite(const arrow::Array& from, const arrow::Array& to) {
  ARROW_ASSIGN_OR_RAISE(const auto before, arrow::compute::Cast(from, arrow::float64()));
  ARROW_ASSIGN_OR_RAISE(const auto after, arrow::compute::Cast(to, arrow::float64()));
  const double* was = static_cast<const arrow::DoubleArray&>(*before).raw_values();
  const double* is = static_cast<const arrow::DoubleArray&>(*after).raw_values();
  for (int64_t i = 0; i < from.length(); ++i) {
    if (from.IsValid(i) && std::isfinite(was[i]) && !std::isfinite(is[i])) {
      return arrow::Status::Invalid(was[i], " is beyond its range");
    }
  }
  return arrow::Status::OK();
}

/// Arrow's safe cast, and two things that it lacks: decimals reach the nearest float, and no number
/// becomes an infinity (in vectors CheckVectors sees to that).
ArrayResult CastValues(const std::shared_ptr<arrow::DataType>& type,
                       std::shared_ptr<arrow::Array> array, const Place& place) {
  const auto safe = arrow::compute::CastOptions::Safe();
  if (arrow::is_decimal(array->type_id()) && arrow::is_floating(type->id())) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::compute::Cast(*array, arrow::float64(), safe));
  }
  ARROW_ASSIGN_OR_RAISE(auto cast, arrow::compute::Cast(*array, type, safe));
  if (arrow::is_floating(array->type_id()) && arrow::is_floating(type->id()) &&
      !place.vector_item) {
    ARROW_RETURN_NOT_OK(CheckNoneBecameInfinite(*array, *cast));
  }
  return cast;
}

ArrayResult CastArray(const std::shared_ptr<arrow::DataType>& type,
                      const std::shared_ptr<arrow::Array>& array, const Place& place) {
  auto cast = CastValues(type, array, place);
  if (cast.ok()) {
    return cast;
  }
  if (array->length() <= 1 || !place.top_level) {
    return InvalidArgument(
        array->length() == 1 ? place.Row(0) : Concat("column '", place.path, "'"), ": a value of ",
        array->type()->ToString(), " does not fit ", type->ToString(), ": ",
        cast.status().message());
  }
  // Find the first row that fails, for the message.
  int64_t begin = 0;
  int64_t count = array->length();
  while (count > 1) {
    const int64_t half = count / 2;
    if (CastValues(type, array->Slice(begin, half), place).ok()) {
      begin += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return InvalidArgument(place.Row(begin), ": a value of ", array->type()->ToString(),
                         " does not fit ", type->ToString(), ": ", cast.status().message());
}

/// Lists of one kind: the child is fitted whole, offsets stay. Other kinds: cast between shapes
/// first.
ArrayResult FitList(const arrow::Field& target, const std::shared_ptr<arrow::Array>& array,
                    const Place& place) {
  const auto to = target.type()->id();
  std::shared_ptr<arrow::Array> lists = array;
  if (array->type_id() != to) {
    const auto& item = array->type()->field(0);
    ARROW_ASSIGN_OR_RAISE(
        lists, CastArray(to == arrow::Type::LIST ? arrow::list(item) : arrow::large_list(item),
                         array, place));
  }
  ARROW_ASSIGN_OR_RAISE(
      auto values, FitArray(*target.type()->field(0),
                            arrow::MakeArray(lists->data()->child_data[0]), place.Child("item")));
  return WithValues(target, *lists, values);
}

ArrayResult FitVectors(const arrow::Field& target, const std::shared_ptr<arrow::Array>& array,
                       const Place& place) {
  std::shared_ptr<arrow::Array> vectors;
  if (IsListLike(array->type_id())) {
    ARROW_ASSIGN_OR_RAISE(vectors, ListToVectors(target, array, place));
  } else {
    ARROW_ASSIGN_OR_RAISE(
        auto values, FitArray(*target.type()->field(0),
                              arrow::MakeArray(array->data()->child_data[0]), place.VectorItem()));
    vectors = WithValues(target, *array, values);
  }
  ARROW_RETURN_NOT_OK(CheckVectors(*vectors, place));
  return vectors;
}

ArrayResult FitMap(const arrow::Field& target, const std::shared_ptr<arrow::Array>& array,
                   const Place& place) {
  // Names of the entries' members differ between writers: they count by position.
  const auto& entries = *target.type()->field(0);
  const auto given = arrow::MakeArray(array->data()->child_data[0]);
  const auto& pairs = static_cast<const arrow::StructArray&>(*given);
  arrow::ArrayVector members;
  for (int i = 0; i < 2; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto member, FitArray(*entries.type()->field(i), pairs.field(i),
                                                place.Child(i == 0 ? "key" : "value")));
    members.push_back(std::move(member));
  }
  auto fitted =
      std::make_shared<arrow::StructArray>(entries.type(), given->length(), std::move(members));
  return WithValues(target, *array, fitted);
}

ArrayResult FitArray(const arrow::Field& target, std::shared_ptr<arrow::Array> array,
                     const Place& place) {
  if (array->type_id() == arrow::Type::EXTENSION) {
    array = static_cast<const arrow::ExtensionArray&>(*array).storage();
  }
  const auto& type = target.type();
  if (IsBlobV2(target) && array->type_id() != arrow::Type::NA) {
    return array;
  }
  if (array->type_id() == arrow::Type::NA && type->id() != arrow::Type::NA) {
    return arrow::MakeArrayOfNull(type, array->length(), place.pool);
  }
  if (file::IsStoredJson(target)) {
    return JsonFrom(
        array, [&place](int64_t i) { return place.Row(i); }, place.pool);
  }
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return FitStruct(target, array, place);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
      return FitList(target, array, place);
    case arrow::Type::FIXED_SIZE_LIST:
      return FitVectors(target, array, place);
    case arrow::Type::MAP:
      return FitMap(target, array, place);
    default:
      return array->type()->Equals(*type) ? array : CastArray(type, array, place);
  }
}

}  // namespace

arrow::Result<BatchFitter> BatchFitter::Make(const file::Schema& schema, const arrow::Schema& input,
                                             BadVectors bad_vectors, arrow::MemoryPool* pool) {
  static const arrow::Status initialized = arrow::compute::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  BatchFitter fitter;
  fitter.fields_ = schema.fields();
  fitter.bad_vectors_ = bad_vectors;
  fitter.pool_ = pool != nullptr ? pool : arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(fitter.target_, schema.ToArrow());
  ARROW_RETURN_NOT_OK(CheckMembers(fitter.target_->fields(), input.fields(), ""));
  for (const auto& field : fitter.target_->fields()) {
    fitter.source_.push_back(input.GetFieldIndex(field->name()));
  }
  return fitter;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchFitter::Fit(const arrow::RecordBatch& batch,
                                                                    uint64_t first_row) const {
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (size_t i = 0; i < source_.size(); ++i) {
    auto field = target_->field(static_cast<int>(i));
    std::shared_ptr<arrow::Array> column;
    if (source_[i] < 0) {
      ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), batch.num_rows(), pool_));
    } else {
      GLAIVE_CHECK_ARGUMENT(source_[i] < batch.num_columns(), "a batch has ", batch.num_columns(),
                            " columns, but its stream's schema promised more");
      const Place place{field->name(), first_row, true, bad_vectors_, pool_};
      ARROW_ASSIGN_OR_RAISE(column, FitArray(*field, batch.column(source_[i]), place));
      if (!fields_[i].is_blob_v2()) {  // comes in forms of its own, which the file writer checks
        ARROW_RETURN_NOT_OK(file::CheckNulls(fields_[i], *column, first_row));
      }
    }
    // A blob column keeps the form in which it came.
    fields.push_back(column->type()->Equals(*field->type()) ? field
                                                            : field->WithType(column->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                  std::move(columns));
}

}  // namespace glaive::write
