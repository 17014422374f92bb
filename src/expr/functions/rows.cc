#include "expr/functions/rows.h"

#include <algorithm>
#include <limits>

namespace glaive::expr {
namespace {

constexpr int64_t kMaxBytes = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxLargeBytes = int64_t{4} << 30;
constexpr int64_t kMaxValue = int64_t{64} << 20;

bool IsLarge(const arrow::DataType& type) {
  return type.id() == arrow::Type::LARGE_STRING || type.id() == arrow::Type::LARGE_BINARY;
}

TypePtr TextType(const TypePtr& type) {
  if (type->id() == arrow::Type::NA) return arrow::utf8();
  if (!IsText(*type)) return nullptr;
  if (type->id() == arrow::Type::DICTIONARY) {
    return TextType(static_cast<const arrow::DictionaryType&>(*type).value_type());
  }
  return IsLarge(*type) ? arrow::large_utf8() : arrow::utf8();
}

bool HasText(const arrow::DataType& type) {
  return IsNumber(type) || type.id() == arrow::Type::BOOL || arrow::is_temporal(type.id());
}

TypePtr BytesType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::LARGE_BINARY:
      return arrow::large_binary();
    default:
      return TextType(type);
  }
}

std::string_view Describe(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return "text";
    case Kind::kAnyText:
      return "text, a number, a boolean, a date or a time";
    case Kind::kBytes:
      return "text or binary";
    case Kind::kInteger:
      return "an integer";
  }
  return "";
}

TypePtr ResultType(ResultKind kind, const arrow::DataType& first) {
  switch (kind) {
    case ResultKind::kText:
      return IsLarge(first) ? arrow::large_utf8() : arrow::utf8();
    case ResultKind::kLength:
      return IsLarge(first) ? arrow::int64() : arrow::int32();
    case ResultKind::kBoolean:
      return arrow::boolean();
    case ResultKind::kInt64:
      return arrow::int64();
  }
  return nullptr;
}

}  // namespace

TextRows::TextRows(const arrow::Datum& values) {
  if (values.is_scalar()) {
    is_scalar_ = true;
    scalar_null_ = !values.scalar()->is_valid;
    if (!scalar_null_) {
      scalar_ = static_cast<const arrow::BaseBinaryScalar&>(*values.scalar()).view();
    }
    return;
  }
  const arrow::ArrayData& array = *values.array();
  if (array.MayHaveNulls()) validity_ = array.buffers[0]->data();
  offset_ = array.offset;
  if (array.length == 0) return;
  if (IsLarge(*array.type)) {
    offsets64_ = array.GetValues<int64_t>(1, 0);
  } else {
    offsets32_ = array.GetValues<int32_t>(1, 0);
  }
  if (array.buffers[2] != nullptr && array.buffers[2]->size() > 0) {
    data_ = reinterpret_cast<const char*>(array.buffers[2]->data());
  }
}

TextSink::TextSink(TypePtr type, std::string_view function, arrow::MemoryPool* pool)
    : type_(std::move(type)),
      function_(function),
      large_(IsLarge(*type_)),
      data_(pool),
      offsets32_(pool),
      offsets64_(pool),
      validity_(pool) {}

arrow::Status TextSink::Reserve(int64_t rows) {
  ARROW_RETURN_NOT_OK(validity_.Reserve(rows));
  if (large_) {
    ARROW_RETURN_NOT_OK(offsets64_.Reserve(rows + 1));
    return offsets64_.Append(0);
  }
  ARROW_RETURN_NOT_OK(offsets32_.Reserve(rows + 1));
  return offsets32_.Append(0);
}

arrow::Status TextSink::CheckRoom(int64_t bytes) const {
  const int64_t limit = large_ ? kMaxLargeBytes : kMaxBytes;
  if (bytes <= limit - data_.length()) return arrow::Status::OK();
  return ResourceExhausted(function_, ": the results of a batch pass ", limit, " bytes (",
                           data_.length(), " + ", bytes,
                           "); make the values shorter or the batches smaller");
}

arrow::Status TextSink::CheckValue(int64_t bytes) const {
  if (bytes <= kMaxValue) return arrow::Status::OK();
  return InvalidArgument(function_, ": a result of ", bytes, " bytes is asked for, the limit is ",
                         kMaxValue, " bytes");
}

arrow::Status TextSink::Put(std::string_view bytes) {
  if (bytes.empty()) return arrow::Status::OK();  // its pointer may be null
  const auto size = static_cast<int64_t>(bytes.size());
  ARROW_RETURN_NOT_OK(CheckRoom(size));
  return data_.Append(bytes.data(), size);
}

arrow::Result<char*> TextSink::Grow(int64_t bytes) {
  ARROW_RETURN_NOT_OK(CheckRoom(bytes));
  ARROW_RETURN_NOT_OK(data_.Reserve(bytes));
  char* place = reinterpret_cast<char*>(data_.mutable_data()) + data_.length();
  data_.UnsafeAdvance(bytes);
  return place;
}

arrow::Status TextSink::End(bool valid) {
  ++rows_;
  nulls_ += valid ? 0 : 1;
  ARROW_RETURN_NOT_OK(validity_.Append(valid));
  return large_ ? offsets64_.Append(data_.length())
                : offsets32_.Append(static_cast<int32_t>(data_.length()));
}

arrow::Result<std::shared_ptr<arrow::Array>> TextSink::Finish() {
  ARROW_ASSIGN_OR_RAISE(auto data, data_.Finish());
  std::shared_ptr<arrow::Buffer> offsets;
  if (large_) {
    ARROW_ASSIGN_OR_RAISE(offsets, offsets64_.Finish());
  } else {
    ARROW_ASSIGN_OR_RAISE(offsets, offsets32_.Finish());
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, validity_.Finish());
  if (nulls_ == 0) validity = nullptr;
  return arrow::MakeArray(arrow::ArrayData::Make(type_, rows_, {validity, offsets, data}, nulls_));
}

bool AllScalar(const Call& call) {
  return std::all_of(call.arguments.begin(), call.arguments.end(),
                     [](const arrow::Datum& argument) { return argument.is_scalar(); });
}

arrow::Result<arrow::Datum> AsResult(const Call& call, std::shared_ptr<arrow::Array> values) {
  if (!AllScalar(call)) return arrow::Datum(std::move(values));
  ARROW_ASSIGN_OR_RAISE(auto scalar, values->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

TypePtr CastType(Kind kind, const TypePtr& type) {
  switch (kind) {
    case Kind::kText:
      return TextType(type);
    case Kind::kAnyText:
      return HasText(*type) ? arrow::utf8() : TextType(type);
    case Kind::kBytes:
      return BytesType(type);
    case Kind::kInteger:
      return type->id() == arrow::Type::NA || arrow::is_integer(type->id()) ? arrow::int64()
                                                                            : nullptr;
  }
  return nullptr;
}

arrow::Status WrongType(const CallSite& site, size_t index, std::string_view allowed) {
  return TypeMismatch(site.name, ": argument ", index + 1, " is ", site.types[index]->ToString(),
                      ", expected ", allowed);
}

std::function<arrow::Result<Signature>(const CallSite&)> ByKinds(std::vector<Kind> kinds,
                                                                 ResultKind result) {
  return [kinds = std::move(kinds), result](const CallSite& site) -> arrow::Result<Signature> {
    Signature signature;
    for (size_t i = 0; i < site.types.size(); ++i) {
      const Kind kind = kinds[std::min(i, kinds.size() - 1)];
      TypePtr type = CastType(kind, site.types[i]);
      if (type == nullptr) return WrongType(site, i, Describe(kind));
      signature.arguments.push_back(std::move(type));
    }
    signature.result = ResultType(result, *signature.arguments[0]);
    return signature;
  };
}

arrow::Result<std::string> ConstantText(const CallSite& site, size_t index, std::string_view what) {
  const std::shared_ptr<arrow::Scalar>& value = site.constants[index];
  if (value == nullptr || !value->is_valid || !IsText(*value->type)) {
    return InvalidArgument(site.name, ": argument ", index + 1, " must be ", what,
                           " as a constant text");
  }
  std::shared_ptr<arrow::Scalar> plain = value;
  if (value->type->id() == arrow::Type::DICTIONARY) {
    ARROW_ASSIGN_OR_RAISE(plain,
                          static_cast<const arrow::DictionaryScalar&>(*value).GetEncodedValue());
  }
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*plain).view());
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return text;
}

}  // namespace glaive::expr
