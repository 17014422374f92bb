// Text functions that join and split: concat, concat_ws, string_to_array.

#include <limits>

#include "expr/functions/rows.h"
#include "expr/functions/text.h"
#include "expr/functions/unicode.h"

namespace glaive::expr {
namespace {

// Anything that has a text: also binary, which must then be UTF-8.
TypePtr JoinedType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return arrow::utf8();
    case arrow::Type::LARGE_BINARY:
      return arrow::large_utf8();
    default:
      return CastType(Kind::kAnyText, type);
  }
}

arrow::Result<Signature> ResolveJoin(const CallSite& site) {
  Signature signature;
  signature.result = arrow::utf8();
  for (size_t i = 0; i < site.types.size(); ++i) {
    TypePtr type = JoinedType(site.types[i]);
    if (type == nullptr) {
      return WrongType(site, i, "text, a number, a boolean, a date, a time or binary");
    }
    if (type->id() == arrow::Type::LARGE_STRING) signature.result = arrow::large_utf8();
    signature.arguments.push_back(std::move(type));
  }
  return signature;
}

std::vector<TextRows> AllRows(const Call& call) {
  return std::vector<TextRows>(call.arguments.begin(), call.arguments.end());
}

arrow::Result<arrow::Datum> ConcatAll(const Call& call) {
  const std::vector<TextRows> parts = AllRows(call);
  return TextPerRow(call, "concat", [&](int64_t i, TextSink& sink) -> arrow::Status {
    for (const TextRows& part : parts) {
      if (!part.IsNull(i)) ARROW_RETURN_NOT_OK(sink.Put(part[i]));
    }
    return sink.EndRow();
  });
}

arrow::Result<arrow::Datum> ConcatWithSeparator(const Call& call) {
  const std::vector<TextRows> parts = AllRows(call);
  return TextPerRow(call, "concat_ws", [&](int64_t i, TextSink& sink) -> arrow::Status {
    if (parts[0].IsNull(i)) return sink.Null();
    bool first = true;
    for (size_t p = 1; p < parts.size(); ++p) {
      if (parts[p].IsNull(i)) continue;
      if (!first) ARROW_RETURN_NOT_OK(sink.Put(parts[0][i]));
      first = false;
      ARROW_RETURN_NOT_OK(sink.Put(parts[p][i]));
    }
    return sink.EndRow();
  });
}

arrow::Result<Signature> ResolveToArray(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(Signature signature, ByKinds({Kind::kText}, ResultKind::kText)(site));
  signature.result = arrow::list(signature.result);
  return signature;
}

// Calls `use` with each item of the text.
template <typename Use>
arrow::Status ForEachItem(std::string_view text, const std::string_view* delimiter, Use&& use) {
  if (text.empty()) return arrow::Status::OK();
  if (delimiter == nullptr) {
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      NextCharacter(text, &at);
      ARROW_RETURN_NOT_OK(use(text.substr(begin, at - begin)));
    }
    return arrow::Status::OK();
  }
  size_t at = delimiter->empty() ? std::string_view::npos : text.find(*delimiter);
  while (at != std::string_view::npos) {
    ARROW_RETURN_NOT_OK(use(text.substr(0, at)));
    text.remove_prefix(at + delimiter->size());
    at = text.find(*delimiter);
  }
  return use(text);
}

// The lists of all rows: their items, and where each begins among those.
arrow::Result<arrow::Datum> StringToArray(const Call& call) {
  const TextRows text(call.arguments[0]);
  const TextRows delimiter(call.arguments[1]);
  const arrow::Datum none(arrow::MakeNullScalar(arrow::utf8()));
  const TextRows null_text(call.arguments.size() == 3 ? call.arguments[2] : none);
  const auto& type = static_cast<const arrow::ListType&>(*call.signature->result);
  const int64_t rows = RowCount(call);
  TextSink items(type.value_type(), "string_to_array", call.pool);
  ARROW_RETURN_NOT_OK(items.Reserve(0));
  arrow::TypedBufferBuilder<int32_t> offsets(call.pool);
  arrow::TypedBufferBuilder<bool> validity(call.pool);
  int32_t count = 0;
  ARROW_RETURN_NOT_OK(offsets.Append(0));
  for (int64_t i = 0; i < rows; ++i) {
    const bool valid = !text.IsNull(i);
    const std::string_view cut = delimiter.IsNull(i) ? std::string_view() : delimiter[i];
    const auto add = [&](std::string_view item) -> arrow::Status {
      if (count++ == std::numeric_limits<int32_t>::max() - 1) {
        return ResourceExhausted("string_to_array: more than ", count, " items in a batch");
      }
      return !null_text.IsNull(i) && null_text[i] == item ? items.Null() : items.Row(item);
    };
    if (valid) {
      ARROW_RETURN_NOT_OK(ForEachItem(text[i], delimiter.IsNull(i) ? nullptr : &cut, add));
    }
    ARROW_RETURN_NOT_OK(validity.Append(valid));
    ARROW_RETURN_NOT_OK(offsets.Append(count));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, items.Finish());
  const int64_t nulls = validity.false_count();
  ARROW_ASSIGN_OR_RAISE(auto begins, offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(auto bits, validity.Finish());
  return AsResult(call, arrow::MakeArray(arrow::ArrayData::Make(
                            call.signature->result, rows, {nulls == 0 ? nullptr : bits, begins},
                            {values->data()}, nulls)));
}

}  // namespace

std::vector<Function> ConcatFunctions() {
  std::vector<Function> out;
  out.push_back({"concat",
                 {},
                 1,
                 -1,
                 Volatility::kImmutable,
                 ResolveJoin,
                 ConcatAll,
                 "concat(value, ...)",
                 "The texts of all values joined; nulls are left out."});
  out.push_back({"concat_ws",
                 {},
                 2,
                 -1,
                 Volatility::kImmutable,
                 ResolveJoin,
                 ConcatWithSeparator,
                 "concat_ws(separator, value, ...)",
                 "The texts of the values joined with a separator between them; nulls are left "
                 "out, a null separator gives null."});
  out.push_back({"string_to_array",
                 {"string_to_list"},
                 2,
                 3,
                 Volatility::kImmutable,
                 ResolveToArray,
                 StringToArray,
                 "string_to_array(text, delimiter [, null_text])",
                 "The pieces of the text between delimiters as a list; its characters for a null "
                 "delimiter; pieces equal to `null_text` become null; an empty text gives an empty "
                 "list."});
  return out;
}

}  // namespace glaive::expr
