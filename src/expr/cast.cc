#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/cast_text.h"
#include "expr/function.h"

namespace glaive::expr {
namespace {

using arrow::Type;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr int kMaxTypeDepth = 64;

struct Caster {
  bool try_cast;
  bool lossless = false;  // as assignments are: no fraction or part of a moment is dropped
  arrow::MemoryPool* pool;
  arrow::compute::ExecContext context;

  Caster(bool try_in, arrow::MemoryPool* pool_in)
      : try_cast(try_in), pool(pool_in), context(pool_in) {}

  arrow::Result<ArrayPtr> Cast(const ArrayPtr& from, const TypePtr& to, int depth);
  arrow::Result<ArrayPtr> Values(const ArrayPtr& from, const TypePtr& to, int depth);
  arrow::Result<ArrayPtr> Arrow(const ArrayPtr& from, const TypePtr& to);
  arrow::Result<ArrayPtr> Call(const char* name, const ArrayPtr& from,
                               const arrow::compute::FunctionOptions* options = nullptr);
  arrow::Result<ArrayPtr> Struct(const arrow::StructArray& from, const TypePtr& to, int depth);
  arrow::Result<ArrayPtr> List(const ArrayPtr& from, const TypePtr& to, int depth);
  arrow::Result<ArrayPtr> ToFixedSizeList(const ArrayPtr& from, const TypePtr& to, int depth);
  arrow::Result<ArrayPtr> Timestamp(const ArrayPtr& from, const TypePtr& to);
  arrow::Result<ArrayPtr> Piecewise(const ArrayPtr& from, const TypePtr& to);
};

bool IsListLike(const arrow::DataType& type) {
  return type.id() == Type::LIST || type.id() == Type::LARGE_LIST || type.id() == Type::MAP;
}

arrow::Status NoCast(const arrow::DataType& from, const arrow::DataType& to) {
  return TypeMismatch("no cast leads from ", from.ToString(), " to ", to.ToString());
}

arrow::Result<ArrayPtr> Caster::Call(const char* name, const ArrayPtr& from,
                                     const arrow::compute::FunctionOptions* options) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum result,
                        arrow::compute::CallFunction(name, {from}, options, &context));
  return result.make_array();
}

arrow::Result<ArrayPtr> Caster::Arrow(const ArrayPtr& from, const TypePtr& to) {
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(to);
  options.allow_time_truncate = !lossless;
  options.allow_decimal_truncate = !lossless;
  // Large integers become the nearest float.
  options.allow_float_truncate = arrow::is_floating(to->id());
  ArrayPtr source = from;
  if (arrow::is_floating(from->type_id()) && arrow::is_integer(to->id()) && !lossless) {
    // Arrow checks the range only where it checks for fractions too: so cut them off first.
    if (from->type_id() == Type::HALF_FLOAT) {
      ARROW_ASSIGN_OR_RAISE(source, Arrow(from, arrow::float32()));
    }
    ARROW_ASSIGN_OR_RAISE(source, Call("trunc", source));
  } else if (arrow::is_decimal(from->type_id()) && arrow::is_decimal(to->id()) && !lossless) {
    const int scale = static_cast<const arrow::DecimalType&>(*to).scale();
    if (scale < static_cast<const arrow::DecimalType&>(*from->type()).scale()) {
      arrow::compute::RoundOptions round(scale, arrow::compute::RoundMode::HALF_TOWARDS_INFINITY);
      ARROW_ASSIGN_OR_RAISE(source, Call("round", source, &round));
    }
    options.allow_decimal_truncate = false;
  }
  arrow::Result<arrow::Datum> cast = arrow::compute::Cast(source, options, &context);
  if (cast.ok()) return cast->make_array();
  if (cast.status().IsNotImplemented()) return NoCast(*from->type(), *to);
  if (try_cast) return Piecewise(from, to);
  return InvalidArgument("can't cast ", from->type()->ToString(), " to ", to->ToString(), ": ",
                         cast.status().message());
}

// Null where a value can't be cast: halves that fail are halved again.
arrow::Result<ArrayPtr> Caster::Piecewise(const ArrayPtr& from, const TypePtr& to) {
  if (from->length() <= 1) return arrow::MakeArrayOfNull(to, from->length(), pool);
  const int64_t half = from->length() / 2;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr left, Arrow(from->Slice(0, half), to));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr right, Arrow(from->Slice(half), to));
  return arrow::Concatenate({left, right}, pool);
}

// A clock without a zone shows local time of the zone that it is brought to, and back.
arrow::Result<ArrayPtr> Caster::Timestamp(const ArrayPtr& from, const TypePtr& to) {
  const auto& to_stamp = static_cast<const arrow::TimestampType&>(*to);
  ArrayPtr source = from;
  std::string zone;
  if (from->type_id() == Type::TIMESTAMP) {
    zone = static_cast<const arrow::TimestampType&>(*from->type()).timezone();
  }
  if (!zone.empty() && to_stamp.timezone().empty()) {
    ARROW_ASSIGN_OR_RAISE(source, Call("local_timestamp", source));
    return Arrow(source, to);
  }
  if (!zone.empty() || to_stamp.timezone().empty()) return Arrow(source, to);
  ARROW_ASSIGN_OR_RAISE(source, Arrow(source, arrow::timestamp(to_stamp.unit())));
  arrow::compute::AssumeTimezoneOptions options(
      to_stamp.timezone(), arrow::compute::AssumeTimezoneOptions::AMBIGUOUS_EARLIEST,
      arrow::compute::AssumeTimezoneOptions::NONEXISTENT_EARLIEST);
  return Call("assume_timezone", source, &options);
}

arrow::Result<ArrayPtr> Caster::Struct(const arrow::StructArray& from, const TypePtr& to,
                                       int depth) {
  const auto& wanted = static_cast<const arrow::StructType&>(*to);
  std::vector<ArrayPtr> children;
  for (const auto& field : wanted.fields()) {
    const int at = from.struct_type()->GetFieldIndex(field->name());
    if (at < 0) {
      if (!field->nullable() || from.struct_type()->GetAllFieldIndices(field->name()).size() > 1) {
        return TypeMismatch("no cast leads from ", from.type()->ToString(), " to ", to->ToString(),
                            ": the first has no single member '", field->name(), "'");
      }
      ARROW_ASSIGN_OR_RAISE(ArrayPtr nulls,
                            arrow::MakeArrayOfNull(field->type(), from.length(), pool));
      children.push_back(std::move(nulls));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ArrayPtr child, Cast(from.field(at), field->type(), depth + 1));
    children.push_back(std::move(child));
  }
  for (const auto& field : from.struct_type()->fields()) {
    if (wanted.GetFieldIndex(field->name()) < 0) {
      return TypeMismatch("no cast leads from ", from.type()->ToString(), " to ", to->ToString(),
                          ": the second has no member '", field->name(), "'");
    }
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (from.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr valid, Call("is_valid", from.Slice(0)));
    validity = valid->data()->buffers[1];
    if (valid->offset() != 0) {
      ARROW_ASSIGN_OR_RAISE(ArrayPtr whole, arrow::Concatenate({valid}, pool));
      validity = whole->data()->buffers[1];
    }
  }
  return std::make_shared<arrow::StructArray>(to, from.length(), std::move(children), validity);
}

// Lists of every kind as large_list with the elements that are in use, in order.
arrow::Result<ArrayPtr> Caster::ToFixedSizeList(const ArrayPtr& from, const TypePtr& to,
                                                int depth) {
  const auto& fixed = static_cast<const arrow::FixedSizeListType&>(*to);
  const int64_t size = fixed.list_size();
  if (from->type_id() == Type::FIXED_SIZE_LIST) {
    const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*from);
    if (lists.list_type()->list_size() != size) return NoCast(*from->type(), *to);
    const int64_t first = lists.offset() * size;
    ARROW_ASSIGN_OR_RAISE(ArrayPtr values, Cast(lists.values()->Slice(first, lists.length() * size),
                                                fixed.value_type(), depth + 1));
    ArrayPtr result = std::make_shared<arrow::FixedSizeListArray>(to, lists.length(), values);
    if (from->null_count() == 0) return result;
    ARROW_ASSIGN_OR_RAISE(ArrayPtr valid, Call("is_valid", from));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr copy, arrow::Concatenate({valid}, pool));
    return std::make_shared<arrow::FixedSizeListArray>(to, lists.length(), values,
                                                       copy->data()->buffers[1]);
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr lengths, Call("list_value_length", from));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr wide, Arrow(lengths, arrow::int64()));
  const auto& sizes = static_cast<const arrow::Int64Array&>(*wide);
  arrow::Int64Builder take(pool);
  arrow::TypedBufferBuilder<bool> validity(pool);
  int64_t next = 0;
  for (int64_t i = 0; i < sizes.length(); ++i) {
    bool fits = sizes.IsValid(i) && sizes.Value(i) == size;
    if (sizes.IsValid(i) && !fits && !try_cast) {
      return InvalidArgument("a list of ", sizes.Value(i), " elements can't become ",
                             to->ToString(), ", which has ", size);
    }
    ARROW_RETURN_NOT_OK(validity.Append(fits));
    for (int64_t k = 0; k < size; ++k) {
      ARROW_RETURN_NOT_OK(fits ? take.Append(next + k) : take.AppendNull());
    }
    if (sizes.IsValid(i)) next += sizes.Value(i);
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr flat, Call("list_flatten", from));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr cast, Cast(flat, fixed.value_type(), depth + 1));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr indices, take.Finish());
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum values,
      arrow::compute::Take(cast, indices, arrow::compute::TakeOptions::Defaults(), &context));
  ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
  return std::make_shared<arrow::FixedSizeListArray>(to, sizes.length(), values.make_array(), bits);
}

arrow::Result<ArrayPtr> WithOffsets(const arrow::Array& lengths, const ArrayPtr& values,
                                    const TypePtr& to, arrow::MemoryPool* pool) {
  const auto& sizes = static_cast<const arrow::Int64Array&>(lengths);
  const bool large = to->id() == Type::LARGE_LIST;
  const int64_t width = large ? 8 : 4;
  ARROW_ASSIGN_OR_RAISE(auto offsets, arrow::AllocateBuffer((sizes.length() + 1) * width, pool));
  arrow::TypedBufferBuilder<bool> validity(pool);
  int64_t at = 0;
  auto put = [&](int64_t row) {
    if (large) {
      reinterpret_cast<int64_t*>(offsets->mutable_data())[row] = at;
    } else {
      reinterpret_cast<int32_t*>(offsets->mutable_data())[row] = static_cast<int32_t>(at);
    }
  };
  for (int64_t i = 0; i < sizes.length(); ++i) {
    put(i);
    ARROW_RETURN_NOT_OK(validity.Append(sizes.IsValid(i)));
    if (sizes.IsValid(i)) at += sizes.Value(i);
    if (!large && at > INT32_MAX) {
      return InvalidArgument("too many elements for ", to->ToString(), "; cast to a large list");
    }
  }
  put(sizes.length());
  ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
  return arrow::MakeArray(arrow::ArrayData::Make(
      to, sizes.length(), {bits, std::shared_ptr<arrow::Buffer>(std::move(offsets))},
      {values->data()}));
}

arrow::Result<ArrayPtr> Caster::List(const ArrayPtr& from, const TypePtr& to, int depth) {
  ArrayPtr source = from;
  if (source->type_id() == Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*from->type());
    ARROW_ASSIGN_OR_RAISE(source, from->View(arrow::list(map.value_field())));
  }
  if (to->id() == Type::FIXED_SIZE_LIST) return ToFixedSizeList(source, to, depth);
  ARROW_ASSIGN_OR_RAISE(ArrayPtr lengths, Call("list_value_length", source));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr wide, Arrow(lengths, arrow::int64()));
  ARROW_ASSIGN_OR_RAISE(ArrayPtr flat, Call("list_flatten", source));
  const TypePtr element = to->field(0)->type();
  ARROW_ASSIGN_OR_RAISE(ArrayPtr values, Cast(flat, element, depth + 1));
  return WithOffsets(*wide, values, to, pool);
}

arrow::Result<ArrayPtr> Caster::Values(const ArrayPtr& from, const TypePtr& to, int depth) {
  const Type::type source = from->type_id();
  const bool lists = IsListLike(*from->type()) || source == Type::FIXED_SIZE_LIST;
  if (lists && (IsListLike(*to) || to->id() == Type::FIXED_SIZE_LIST)) {
    return List(from, to, depth);
  }
  if (source == Type::STRUCT && to->id() == Type::STRUCT) {
    return Struct(static_cast<const arrow::StructArray&>(*from), to, depth);
  }
  if (lists || source == Type::STRUCT) return NoCast(*from->type(), *to);
  if (source == Type::STRING_VIEW) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr text, Arrow(from, arrow::large_utf8()));
    return Cast(text, to, depth + 1);
  }
  const bool text = source == Type::STRING || source == Type::LARGE_STRING;
  if (text && CastsFromText(*to)) return CastFromText(*from, to, try_cast, pool);
  if (IsText(*to) && CastsToText(*from->type())) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr printed, CastToText(*from, pool));
    return Cast(printed, to, depth + 1);
  }
  if (source == Type::HALF_FLOAT && to->id() != Type::FLOAT) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr wide, Arrow(from, arrow::float32()));
    return Cast(wide, to, depth + 1);
  }
  if (to->id() == Type::TIMESTAMP &&
      (source == Type::TIMESTAMP || source == Type::DATE32 || source == Type::DATE64)) {
    return Timestamp(from, to);
  }
  const bool temporal = arrow::is_temporal(to->id()) && to->id() != Type::DURATION;
  if (temporal && arrow::is_integer(source) && from->type()->bit_width() != to->bit_width()) {
    ARROW_ASSIGN_OR_RAISE(
        ArrayPtr sized, Arrow(from, static_cast<const arrow::FixedWidthType&>(*to).bit_width() == 32
                                        ? arrow::int32()
                                        : arrow::int64()));
    return Arrow(sized, to);
  }
  return Arrow(from, to);
}

arrow::Result<ArrayPtr> Caster::Cast(const ArrayPtr& from, const TypePtr& to, int depth) {
  GLAIVE_CHECK_ARGUMENT(depth <= kMaxTypeDepth, "a type is nested deeper than ", kMaxTypeDepth,
                        " levels");
  if (from->type()->Equals(*to)) return from;
  if (from->type_id() == Type::NA) return arrow::MakeArrayOfNull(to, from->length(), pool);
  if (from->type_id() == Type::DICTIONARY) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*from->type());
    ARROW_ASSIGN_OR_RAISE(arrow::Datum plain,
                          arrow::compute::Cast(from, type.value_type(),
                                               arrow::compute::CastOptions::Safe(), &context));
    return Cast(plain.make_array(), to, depth + 1);
  }
  if (from->type_id() == Type::EXTENSION) {
    return Cast(static_cast<const arrow::ExtensionArray&>(*from).storage(), to, depth + 1);
  }
  if (to->id() == Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*to);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr storage, Cast(from, extension.storage_type(), depth + 1));
    return arrow::ExtensionType::WrapArray(to, storage);
  }
  if (to->id() == Type::DICTIONARY) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*to);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr plain, Cast(from, type.value_type(), depth + 1));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr encoded, Call("dictionary_encode", plain));
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*encoded);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr indices, Arrow(dictionary.indices(), type.index_type()));
    return arrow::DictionaryArray::FromArrays(to, indices, dictionary.dictionary());
  }
  return Values(from, to, depth);
}

arrow::Result<arrow::Datum> CastDatum(const arrow::Datum& values, const TypePtr& type,
                                      Caster* caster) {
  if (values.type()->Equals(*type)) return values;
  if (values.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr one,
                          arrow::MakeArrayFromScalar(*values.scalar(), 1, caster->pool));
    ARROW_ASSIGN_OR_RAISE(ArrayPtr cast, caster->Cast(one, type, 0));
    ARROW_ASSIGN_OR_RAISE(auto scalar, cast->GetScalar(0));
    return arrow::Datum(std::move(scalar));
  }
  GLAIVE_CHECK_ARGUMENT(values.is_array(), "only arrays and scalars can be cast");
  ARROW_ASSIGN_OR_RAISE(ArrayPtr cast, caster->Cast(values.make_array(), type, 0));
  return arrow::Datum(std::move(cast));
}

}  // namespace

arrow::Result<arrow::Datum> CastTo(const arrow::Datum& values, const TypePtr& type, bool try_cast,
                                   arrow::MemoryPool* pool) {
  if (pool == nullptr) pool = arrow::default_memory_pool();
  Caster caster(try_cast, pool);
  return CastDatum(values, type, &caster);
}

arrow::Result<arrow::Datum> AssignTo(const arrow::Datum& values, const TypePtr& type,
                                     arrow::MemoryPool* pool) {
  if (pool == nullptr) pool = arrow::default_memory_pool();
  Caster caster(false, pool);
  caster.lossless = true;
  return CastDatum(values, type, &caster);
}

}  // namespace glaive::expr
