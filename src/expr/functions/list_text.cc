// array_to_string.
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/list_column.h"

namespace glaive::expr::lists {

namespace {

/// The list type with text in the place of the innermost elements, or with the floats that
/// AppendFloat writes.
TypePtr WithLeaves(const TypePtr& type) {
  if (IsList(*type)) return ListOf(type, WithLeaves(Plain(type->field(0)->type())));
  if (type->id() == arrow::Type::FLOAT || type->id() == arrow::Type::DOUBLE) return type;
  if (type->id() == arrow::Type::HALF_FLOAT) return arrow::float32();
  return arrow::utf8();
}

bool IsWritable(const TypePtr& type) {
  if (IsList(*type)) return IsWritable(Plain(type->field(0)->type()));
  switch (type->id()) {
    case arrow::Type::STRUCT:
    case arrow::Type::MAP:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return false;
    default:
      return true;
  }
}

arrow::Result<Signature> Resolve(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  for (size_t i = 1; i < site.types.size(); ++i) ARROW_RETURN_NOT_OK(NeedText(site, i));
  if (!IsWritable(site.types[0])) return WrongType(site, 0, "a list of text, numbers or times");
  TypePtr list = site.types[0]->id() == arrow::Type::NA ? arrow::list(arrow::utf8())
                                                        : WithLeaves(site.types[0]);
  Signature signature{{list}, arrow::utf8()};
  signature.arguments.insert(signature.arguments.end(), site.types.size() - 1, arrow::utf8());
  return signature;
}

/// The shortest digits that read back as the value, never with an exponent.
template <typename Float>
void AppendFloat(Float value, std::string* out) {
  if (std::isnan(value)) {
    out->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    out->append(value < 0 ? "-inf" : "inf");
    return;
  }
  char buffer[512];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed).ptr;
  out->append(buffer, end);
}

/// Writes the elements of one row after the other.
class Writer {
 public:
  Writer(std::string_view delimiter, const std::string_view* null_text, std::string* out)
      : delimiter_(delimiter), null_text_(null_text), out_(out) {}

  void Elements(const std::vector<ListColumn>& levels, size_t level, int64_t begin, int64_t end) {
    const arrow::Array& child = *levels[level].child();
    for (int64_t i = begin; i < end; ++i) {
      if (child.IsNull(i)) {
        if (null_text_ != nullptr) Begin()->append(*null_text_);
      } else if (level + 1 < levels.size()) {
        Elements(levels, level + 1, levels[level + 1].Begin(i), levels[level + 1].End(i));
      } else {
        Element(child, i);
      }
    }
  }

 private:
  std::string* Begin() {
    if (any_) out_->append(delimiter_);
    any_ = true;
    return out_;
  }

  void Element(const arrow::Array& child, int64_t i) {
    if (child.type_id() == arrow::Type::FLOAT) {
      AppendFloat(static_cast<const arrow::FloatArray&>(child).Value(i), Begin());
    } else if (child.type_id() == arrow::Type::DOUBLE) {
      AppendFloat(static_cast<const arrow::DoubleArray&>(child).Value(i), Begin());
    } else {
      Begin()->append(static_cast<const arrow::StringArray&>(child).GetView(i));
    }
  }

  std::string_view delimiter_;
  const std::string_view* null_text_;
  std::string* out_;
  bool any_ = false;
};

arrow::Result<arrow::Datum> Evaluate(const Call& call) {
  std::vector<ListColumn> levels;
  ARROW_ASSIGN_OR_RAISE(ListColumn level, ListColumn::Make(call.arguments[0], call.pool));
  levels.push_back(level);
  while (IsList(*levels.back().child()->type())) {
    ARROW_ASSIGN_OR_RAISE(level, ListColumn::Make(levels.back().child(), call.pool));
    levels.push_back(level);
  }
  ARROW_ASSIGN_OR_RAISE(ValueColumn delimiters, ValueColumn::Make(call.arguments[1], call.pool));
  ValueColumn null_texts;
  bool has_null_text = call.arguments.size() == 3;
  if (has_null_text) {
    ARROW_ASSIGN_OR_RAISE(null_texts, ValueColumn::Make(call.arguments[2], call.pool));
  }
  arrow::StringBuilder out(call.pool);
  std::string text;
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (levels[0].IsNull(row) || delimiters.IsNull(row)) {
      ARROW_RETURN_NOT_OK(out.AppendNull());
      continue;
    }
    text.clear();
    std::string_view null_text;
    bool write_nulls = has_null_text && !null_texts.IsNull(row);
    if (write_nulls) null_text = null_texts.Text(row);
    Writer writer(delimiters.Text(row), write_nulls ? &null_text : nullptr, &text);
    writer.Elements(levels, 0, levels[0].Begin(row), levels[0].End(row));
    ARROW_RETURN_NOT_OK(out.Append(text));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

}  // namespace

void AddListText(std::vector<Function>* out) {
  out->push_back(Make("array_to_string", {"array_join", "list_join"}, 2, 3,
                      "array_to_string(list, delimiter [, null_text])",
                      "The elements, at all depths, as text with the delimiter in between; null "
                      "elements are left out unless a text for them is given.",
                      Resolve, Evaluate));
}

}  // namespace glaive::expr::lists
