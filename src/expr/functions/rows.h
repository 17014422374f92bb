// Arguments read row by row, and results written row by row: what functions that arrow::compute has
// no kernel for are made of. And the description of a function's arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

#include "base/status.h"
#include "expr/function.h"

namespace glaive::expr {

/// Text or bytes of an argument; a scalar is the same in each row. The datum must outlive it.
class TextRows {
 public:
  explicit TextRows(const arrow::Datum& values);

  bool IsNull(int64_t row) const {
    if (is_scalar_) return scalar_null_;
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, offset_ + row);
  }

  std::string_view operator[](int64_t row) const {
    if (is_scalar_) return scalar_;
    const int64_t at = offset_ + row;
    const int64_t begin = offsets32_ != nullptr ? offsets32_[at] : offsets64_[at];
    const int64_t end = offsets32_ != nullptr ? offsets32_[at + 1] : offsets64_[at + 1];
    return {data_ + begin, static_cast<size_t>(end - begin)};
  }

  bool is_scalar() const { return is_scalar_; }

 private:
  bool is_scalar_ = false;
  bool scalar_null_ = false;
  std::string_view scalar_;
  const uint8_t* validity_ = nullptr;
  int64_t offset_ = 0;
  const int32_t* offsets32_ = nullptr;
  const int64_t* offsets64_ = nullptr;
  const char* data_ = "";
};

/// Fixed-width values of an argument of exactly the C type `T` (also timestamps as int64_t).
template <typename T>
class ValueRows {
 public:
  explicit ValueRows(const arrow::Datum& values) {
    if (values.is_scalar()) {
      is_scalar_ = true;
      scalar_null_ = !values.scalar()->is_valid;
      if (!scalar_null_) {
        const auto& primitive =
            static_cast<const arrow::internal::PrimitiveScalarBase&>(*values.scalar());
        scalar_ = *reinterpret_cast<const T*>(primitive.data());
      }
      return;
    }
    const arrow::ArrayData& array = *values.array();
    if (array.MayHaveNulls()) validity_ = array.buffers[0]->data();
    offset_ = array.offset;
    if (array.length > 0) values_ = array.GetValues<T>(1);
  }

  bool IsNull(int64_t row) const {
    if (is_scalar_) return scalar_null_;
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, offset_ + row);
  }

  T operator[](int64_t row) const { return is_scalar_ ? scalar_ : values_[row]; }

  bool is_scalar() const { return is_scalar_; }

 private:
  bool is_scalar_ = false;
  bool scalar_null_ = false;
  T scalar_{};
  const uint8_t* validity_ = nullptr;
  int64_t offset_ = 0;
  const T* values_ = nullptr;
};

/// Builds utf8, large_utf8, binary or large_binary. A row is made of any number of Put and ended by
/// EndRow, or is Null.
class TextSink {
 public:
  TextSink(TypePtr type, std::string_view function, arrow::MemoryPool* pool);

  arrow::Status Reserve(int64_t rows);
  /// kResourceExhausted if `bytes` more would pass 2 GiB (of large text: 4 GiB) in the batch.
  arrow::Status CheckRoom(int64_t bytes) const;
  /// kInvalidArgument if a value of `bytes`, made from a smaller one, is absurdly long (64 MiB).
  arrow::Status CheckValue(int64_t bytes) const;
  arrow::Status Put(std::string_view bytes);
  /// Room for `bytes` more, to be written by the caller.
  arrow::Result<char*> Grow(int64_t bytes);

  arrow::Status EndRow() { return End(true); }

  arrow::Status Null() { return End(false); }

  arrow::Status Row(std::string_view bytes) {
    ARROW_RETURN_NOT_OK(Put(bytes));
    return EndRow();
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  arrow::Status End(bool valid);

  TypePtr type_;
  std::string_view function_;
  bool large_;
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
  arrow::BufferBuilder data_;
  arrow::TypedBufferBuilder<int32_t> offsets32_;
  arrow::TypedBufferBuilder<int64_t> offsets64_;
  arrow::TypedBufferBuilder<bool> validity_;
};

/// Whether the result is one value for all rows.
bool AllScalar(const Call& call);

/// Rows to compute: 1 if all arguments are scalars.
inline int64_t RowCount(const Call& call) {
  return AllScalar(call) ? 1 : call.num_rows;
}

/// The array as the result: its only value as a scalar if all arguments are scalars.
arrow::Result<arrow::Datum> AsResult(const Call& call, std::shared_ptr<arrow::Array> values);

/// `row(i, sink)` ends exactly one row of the sink.
template <typename RowFunction>
arrow::Result<arrow::Datum> TextPerRow(const Call& call, std::string_view function,
                                       RowFunction&& row) {
  const int64_t rows = RowCount(call);
  TextSink sink(call.signature->result, function, call.pool);
  ARROW_RETURN_NOT_OK(sink.Reserve(rows));
  for (int64_t i = 0; i < rows; ++i) ARROW_RETURN_NOT_OK(row(i, sink));
  ARROW_ASSIGN_OR_RAISE(auto values, sink.Finish());
  return AsResult(call, std::move(values));
}

/// `row(i)` gives std::optional<T> or arrow::Result of that; nullopt is null. T is the C type of
/// the result.
template <typename T, typename RowFunction>
arrow::Result<arrow::Datum> ValuePerRow(const Call& call, RowFunction&& row) {
  const int64_t rows = RowCount(call);
  arrow::TypedBufferBuilder<T> values(call.pool);
  arrow::TypedBufferBuilder<bool> validity(call.pool);
  ARROW_RETURN_NOT_OK(values.Reserve(rows));
  ARROW_RETURN_NOT_OK(validity.Reserve(rows));
  for (int64_t i = 0; i < rows; ++i) {
    std::optional<T> value;
    if constexpr (std::is_same_v<decltype(row(i)), std::optional<T>>) {
      value = row(i);
    } else {
      ARROW_ASSIGN_OR_RAISE(value, row(i));
    }
    values.UnsafeAppend(value.value_or(T{}));
    validity.UnsafeAppend(value.has_value());
  }
  const int64_t nulls = validity.false_count();
  ARROW_ASSIGN_OR_RAISE(auto data, values.Finish());
  ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
  if (nulls == 0) bits = nullptr;
  return AsResult(call, arrow::MakeArray(arrow::ArrayData::Make(call.signature->result, rows,
                                                                {bits, data}, nulls)));
}

/// What an argument may be, and what it is cast to.
enum class Kind {
  kText,     ///< text: utf8 or large_utf8
  kAnyText,  ///< text, and numbers, booleans, dates and times by their text
  kBytes,    ///< text or binary: utf8, large_utf8, binary or large_binary
  kInteger,  ///< any integer: int64
};
/// Types of results that depend on the first argument.
enum class ResultKind {
  kText,    ///< large_utf8 if the first argument is that, else utf8
  kLength,  ///< int64 if the first argument is large, else int32
  kBoolean,
  kInt64,
};

/// The type that an argument of `type` is cast to as `kind`, or nullptr if it is not of that kind.
TypePtr CastType(Kind kind, const TypePtr& type);
/// kTypeMismatch for argument `index` of a call.
arrow::Status WrongType(const CallSite& site, size_t index, std::string_view allowed);
/// The usual resolve: one kind per argument, the last repeated.
std::function<arrow::Result<Signature>(const CallSite&)> ByKinds(std::vector<Kind> kinds,
                                                                 ResultKind result);
/// The text of constant argument `index`: lower case, or an error naming it if it is not constant
/// text.
arrow::Result<std::string> ConstantText(const CallSite& site, size_t index, std::string_view what);

}  // namespace glaive::expr
