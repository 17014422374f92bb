// Functions on JSON documents: Lance's binary form in (large) binary, or text.
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/jsonb.h"
#include "base/status.h"
#include "expr/functions/json_path.h"
#include "expr/functions/list_column.h"

namespace glaive::expr {

namespace {

using jsonb::Value;
using lists::ValueColumn;

/// The documents of an argument; text is encoded row by row.
class Documents {
 public:
  static arrow::Result<Documents> Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
    Documents documents;
    ARROW_ASSIGN_OR_RAISE(documents.column_, ValueColumn::Make(datum, pool));
    return documents;
  }

  bool IsNull(int64_t row) const { return column_.IsNull(row); }

  /// Valid until the next call.
  arrow::Result<Value> At(int64_t row) {
    if (column_.array()->type_id() != arrow::Type::STRING) {
      return Value::Parse(static_cast<const arrow::LargeBinaryArray&>(*column_.array())
                              .GetView(column_.Index(row)));
    }
    if (!column_.constant() || encoded_.empty()) {
      encoded_.clear();
      GLAIVE_WITH_CONTEXT(jsonb::Encode(column_.Text(row), &encoded_), "row ", row);
    }
    return Value::Parse(encoded_);
  }

 private:
  ValueColumn column_;
  std::string encoded_;
};

/// The paths of an argument, each parsed once in a row.
class Paths {
 public:
  static arrow::Result<Paths> Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
    Paths paths;
    ARROW_ASSIGN_OR_RAISE(paths.column_, ValueColumn::Make(datum, pool));
    return paths;
  }

  bool IsNull(int64_t row) const { return column_.IsNull(row); }

  arrow::Result<const JsonPath*> At(int64_t row) {
    std::string_view text = column_.Text(row);
    if (!path_ || text != parsed_) {
      ARROW_ASSIGN_OR_RAISE(path_, JsonPath::Parse(text));
      parsed_ = text;
    }
    return &*path_;
  }

 private:
  ValueColumn column_;
  std::string parsed_;
  std::optional<JsonPath> path_;
};

arrow::Result<TypePtr> DocumentType(const CallSite& site) {
  const arrow::DataType& type = *site.types[0];
  if (type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY ||
      type.id() == arrow::Type::NA) {
    return arrow::large_binary();
  }
  if (IsText(type)) return arrow::utf8();
  return lists::WrongType(site, 0, "a JSON column (large_binary) or JSON text");
}

/// {document, text...} -> result.
arrow::Result<Signature> ResolvePath(const CallSite& site, const TypePtr& result) {
  ARROW_ASSIGN_OR_RAISE(TypePtr document, DocumentType(site));
  Signature signature{{document}, result};
  for (size_t i = 1; i < site.types.size(); ++i) {
    if (i == 1) ARROW_RETURN_NOT_OK(lists::NeedText(site, i));
    signature.arguments.push_back(arrow::utf8());
  }
  return signature;
}

/// {document, name or index} -> result.
arrow::Result<Signature> ResolveKey(const CallSite& site, const TypePtr& result) {
  ARROW_ASSIGN_OR_RAISE(TypePtr document, DocumentType(site));
  if (!lists::NeedText(site, 1).ok() && !lists::NeedInteger(site, 1).ok()) {
    return lists::WrongType(site, 1, "the name of a member or the index of an element");
  }
  return Signature{{document, arrow::utf8()}, result};
}

template <typename Builder>
arrow::Result<arrow::Datum> FinishBuilder(Builder* out) {
  std::shared_ptr<arrow::Array> array;
  ARROW_RETURN_NOT_OK(out->Finish(&array));
  return arrow::Datum(array);
}

/// Calls `append(document, path)` for the rows that are not null.
template <typename Builder, typename Append>
arrow::Result<arrow::Datum> PathRows(const Call& call, Builder* out, Append&& append) {
  ARROW_ASSIGN_OR_RAISE(Documents documents, Documents::Make(call.arguments[0], call.pool));
  arrow::Datum whole = arrow::MakeScalar(std::string("$"));
  ARROW_ASSIGN_OR_RAISE(
      Paths paths, Paths::Make(call.arguments.size() > 1 ? call.arguments[1] : whole, call.pool));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (documents.IsNull(row) || paths.IsNull(row)) {
      ARROW_RETURN_NOT_OK(out->AppendNull());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const JsonPath* path, paths.At(row));
    ARROW_ASSIGN_OR_RAISE(Value document, documents.At(row));
    ARROW_RETURN_NOT_OK(append(document, *path, row));
  }
  return FinishBuilder(out);
}

/// The text of what a path selects: one value as it is, several as an array.
arrow::Status AppendSelected(const std::vector<Value>& selected, std::string* text) {
  if (selected.size() != 1) text->push_back('[');
  for (size_t i = 0; i < selected.size(); ++i) {
    if (i > 0) text->push_back(',');
    ARROW_RETURN_NOT_OK(selected[i].AppendText(text));
  }
  if (selected.size() != 1) text->push_back(']');
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> Extract(const Call& call) {
  arrow::StringBuilder out(call.pool);
  std::string text;
  return PathRows(call, &out, [&](const Value& document, const JsonPath& path, int64_t) {
    if (path.is_predicate()) {
      ARROW_ASSIGN_OR_RAISE(bool holds, path.Test(document));
      return out.Append(holds ? "true" : "false");
    }
    ARROW_ASSIGN_OR_RAISE(auto selected, path.Select(document));
    if (selected.empty()) return out.AppendNull();
    text.clear();
    ARROW_RETURN_NOT_OK(AppendSelected(selected, &text));
    return out.Append(text);
  });
}

arrow::Result<arrow::Datum> Exists(const Call& call) {
  arrow::BooleanBuilder out(call.pool);
  return PathRows(call, &out, [&](const Value& document, const JsonPath& path, int64_t) {
    if (path.is_predicate()) {
      ARROW_ASSIGN_OR_RAISE(bool holds, path.Test(document));
      return out.Append(holds);
    }
    ARROW_ASSIGN_OR_RAISE(auto selected, path.Select(document));
    return out.Append(!selected.empty());
  });
}

/// True if the value is the string `wanted`, or is written like it.
arrow::Result<bool> IsWritten(const Value& value, std::string_view wanted) {
  if (value.AsString() && *value.AsString() == wanted) return true;
  std::string text;
  ARROW_RETURN_NOT_OK(value.AppendText(&text));
  return text == wanted;
}

arrow::Result<arrow::Datum> ArrayContains(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueColumn wanted, ValueColumn::Make(call.arguments[2], call.pool));
  arrow::BooleanBuilder out(call.pool);
  return PathRows(call, &out, [&](const Value& document, const JsonPath& path, int64_t row) {
    if (wanted.IsNull(row)) return out.AppendNull();
    if (path.is_predicate()) return out.Append(false);
    ARROW_ASSIGN_OR_RAISE(auto selected, path.Select(document));
    bool found = false;
    if (selected.size() == 1) {
      ARROW_ASSIGN_OR_RAISE(auto elements, selected[0].Elements());
      for (size_t i = 0; i < elements.size() && !found; ++i) {
        ARROW_ASSIGN_OR_RAISE(found, IsWritten(elements[i], wanted.Text(row)));
      }
    }
    return out.Append(found);
  });
}

arrow::Result<arrow::Datum> ArrayLength(const Call& call) {
  arrow::Int64Builder out(call.pool);
  return PathRows(call, &out, [&](const Value& document, const JsonPath& path, int64_t) {
    if (path.is_predicate()) return out.AppendNull();
    ARROW_ASSIGN_OR_RAISE(auto selected, path.Select(document));
    if (selected.empty()) return out.AppendNull();
    bool is_array = selected.size() == 1 && selected[0].type() == jsonb::Type::kArray;
    return out.Append(is_array ? static_cast<int64_t>(selected[0].size()) : 0);
  });
}

/// The member of an object, or the element of an array whose index the key is.
arrow::Result<std::optional<Value>> Get(const Value& document, std::string_view key) {
  if (document.type() == jsonb::Type::kObject) return document.Member(key);
  uint64_t index = 0;
  auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc() || end != key.data() + key.size()) return std::optional<Value>();
  return document.Element(index);
}

/// Calls `append(value)` for what is found under the key; null otherwise.
template <typename Builder, typename Append>
arrow::Result<arrow::Datum> KeyRows(const Call& call, Builder* out, Append&& append) {
  ARROW_ASSIGN_OR_RAISE(Documents documents, Documents::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn keys, ValueColumn::Make(call.arguments[1], call.pool));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    std::optional<Value> value;
    if (!documents.IsNull(row) && !keys.IsNull(row)) {
      ARROW_ASSIGN_OR_RAISE(Value document, documents.At(row));
      ARROW_ASSIGN_OR_RAISE(value, Get(document, keys.Text(row)));
    }
    if (value) {
      ARROW_RETURN_NOT_OK(append(*value));
    } else {
      ARROW_RETURN_NOT_OK(out->AppendNull());
    }
  }
  return FinishBuilder(out);
}

arrow::Result<arrow::Datum> GetDocument(const Call& call) {
  arrow::LargeBinaryBuilder out(call.pool);
  std::string document;
  return KeyRows(call, &out, [&](const Value& value) {
    document.clear();
    value.AppendDocument(&document);
    return out.Append(document);
  });
}

arrow::Result<arrow::Datum> GetString(const Call& call) {
  arrow::StringBuilder out(call.pool);
  std::string text;
  return KeyRows(call, &out, [&](const Value& value) {
    if (value.AsString()) return out.Append(*value.AsString());
    if (value.is_null() || value.is_container()) return out.AppendNull();
    text.clear();
    ARROW_RETURN_NOT_OK(value.AppendText(&text));
    return out.Append(text);
  });
}

/// A number out of a whole text.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int64_t> Rounded(std::optional<double> number) {
  if (!number || !(std::abs(*number) < 9223372036854774784.0)) return std::nullopt;
  return static_cast<int64_t>(std::round(*number));
}

std::optional<double> AsDouble(const Value& value) {
  if (value.AsBool()) return *value.AsBool() ? 1 : 0;
  if (value.AsString()) return ParseNumber<double>(*value.AsString());
  return value.AsDouble();
}

std::optional<int64_t> AsInt(const Value& value) {
  if (value.AsInt64()) return value.AsInt64();
  if (value.AsUint64()) return std::nullopt;  // more than int64 holds
  if (value.AsString()) {
    if (auto exact = ParseNumber<int64_t>(*value.AsString())) return exact;
  }
  return Rounded(AsDouble(value));
}

std::optional<bool> AsBool(const Value& value) {
  if (!value.AsString()) return value.AsBool();
  std::string text(*value.AsString());
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return std::nullopt;
}

template <typename Builder, typename Convert>
arrow::Result<arrow::Datum> GetAs(const Call& call, Convert convert) {
  Builder out(call.pool);
  return KeyRows(call, &out, [&](const Value& value) {
    auto converted = convert(value);
    return converted ? out.Append(*converted) : out.AppendNull();
  });
}

using Evaluate = arrow::Result<arrow::Datum> (*)(const Call&);

Function PathFunction(const char* name, int min_arguments, int max_arguments, const char* usage,
                      const char* summary, TypePtr result, Evaluate evaluate) {
  return lists::Make(
      name, {}, min_arguments, max_arguments, usage, summary,
      [result](const CallSite& site) { return ResolvePath(site, result); }, evaluate);
}

Function KeyFunction(const std::string& name, const char* summary, TypePtr result,
                     Evaluate evaluate) {
  return lists::Make(
      name, {}, 2, 2, name + "(json, name_or_index)", summary,
      [result](const CallSite& site) { return ResolveKey(site, result); }, evaluate);
}

}  // namespace

std::vector<Function> JsonFunctions() {
  std::vector<Function> functions;
  functions.push_back(PathFunction("json_extract", 2, 2, "json_extract(json, path)",
                                   "The JSON text of what a path ('$.a.b[0]') selects: of several "
                                   "values an array, null if there "
                                   "is none.",
                                   arrow::utf8(), Extract));
  functions.push_back(PathFunction("json_exists", 2, 2, "json_exists(json, path)",
                                   "True if a path selects anything.", arrow::boolean(), Exists));
  functions.push_back(PathFunction(
      "json_array_contains", 3, 3, "json_array_contains(json, path, value)",
      "True if the path leads to an array that has a string equal to value, or an element whose "
      "JSON text is value.",
      arrow::boolean(), ArrayContains));
  functions.push_back(PathFunction(
      "json_array_length", 1, 2, "json_array_length(json [, path])",
      "Number of elements of the array that the path leads to; 0 if it is no array, null if there "
      "is nothing.",
      arrow::int64(), ArrayLength));
  functions.push_back(KeyFunction("json_get",
                                  "The member of an object or the element of an array (from 0) as "
                                  "a JSON document; null if there is none.",
                                  arrow::large_binary(), GetDocument));
  functions.push_back(KeyFunction("json_get_string",
                                  "A member or element as text; null for null, objects and arrays "
                                  "(the last two are errors in LanceDB).",
                                  arrow::utf8(), GetString));
  functions.push_back(KeyFunction(
      "json_get_int",
      "A member or element as an integer: numbers are rounded, booleans are 1 and 0, text is read; "
      "null for all else (an error in LanceDB).",
      arrow::int64(), [](const Call& call) { return GetAs<arrow::Int64Builder>(call, AsInt); }));
  functions.push_back(KeyFunction(
      "json_get_float",
      "A member or element as a double: booleans are 1 and 0, text is read; null for all else (an "
      "error in LanceDB).",
      arrow::float64(),
      [](const Call& call) { return GetAs<arrow::DoubleBuilder>(call, AsDouble); }));
  functions.push_back(KeyFunction(
      "json_get_bool",
      "A member or element as a boolean, also from the texts true, yes, false and no; null for all else (an "
      "error in LanceDB).",
      arrow::boolean(),
      [](const Call& call) { return GetAs<arrow::BooleanBuilder>(call, AsBool); }));
  return functions;
}

}  // namespace glaive::expr
