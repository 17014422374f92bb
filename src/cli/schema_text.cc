#include "cli/schema_text.h"

#include <cctype>
#include <charconv>
#include <map>
#include <utility>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "base/status.h"
#include "cli/text_table.h"

namespace glaive::cli {

namespace {

constexpr int kDeepest = 32;

Json MetadataJson(const arrow::KeyValueMetadata& metadata) {
  Json json = Json::object();
  for (int64_t i = 0; i < metadata.size(); ++i) {
    json[metadata.key(i)] = metadata.value(i);
  }
  return json;
}

Json FieldJson(const arrow::Field& field) {
  Json json = {
      {"name", field.name()}, {"type", field.type()->ToString()}, {"nullable", field.nullable()}};
  if (field.metadata() != nullptr && field.metadata()->size() > 0) {
    json["metadata"] = MetadataJson(*field.metadata());
  }
  if (field.type()->num_fields() > 0) {
    for (const auto& child : field.type()->fields()) {
      json["fields"].push_back(FieldJson(*child));
    }
  }
  return json;
}

using TypePtr = std::shared_ptr<arrow::DataType>;

class SchemaParser {
 public:
  explicit SchemaParser(const std::string& text) : text_(text) {}

  arrow::Result<std::shared_ptr<arrow::Schema>> Parse() {
    ARROW_ASSIGN_OR_RAISE(auto fields, Fields(0));
    if (at_ != text_.size()) {
      return Unexpected("',' or the end");
    }
    return arrow::schema(std::move(fields));
  }

 private:
  arrow::Status Unexpected(const std::string& expected) const {
    return InvalidArgument("schema, character ", at_ + 1, ": found '", text_.substr(at_, 20),
                           "', expected ", expected);
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
  }

  bool Take(char c) {
    SkipSpace();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  arrow::Status Expect(char c) {
    return Take(c) ? arrow::Status::OK() : Unexpected(std::string("'") + c + "'");
  }

  std::string Word(const std::string& stop) {
    SkipSpace();
    const size_t start = at_;
    while (at_ < text_.size() && stop.find(text_[at_]) == std::string::npos &&
           std::isspace(static_cast<unsigned char>(text_[at_])) == 0) {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }

  arrow::Result<int32_t> Number() {
    SkipSpace();
    int32_t number = 0;
    const char* const begin = text_.data() + at_;
    const auto parsed = std::from_chars(begin, text_.data() + text_.size(), number);
    if (parsed.ec != std::errc() || number < 0) {
      return Unexpected("a number");
    }
    at_ += static_cast<size_t>(parsed.ptr - begin);
    return number;
  }

  arrow::Result<arrow::FieldVector> Fields(int depth) {
    arrow::FieldVector fields;
    do {
      const std::string name = Word(":,<>");
      if (name.empty()) {
        return Unexpected("NAME: TYPE");
      }
      ARROW_RETURN_NOT_OK(Expect(':'));
      ARROW_ASSIGN_OR_RAISE(auto type, Type(depth));
      fields.push_back(arrow::field(name, std::move(type), !TakeNotNull()));
    } while (Take(','));
    return fields;
  }

  bool TakeNotNull() {
    SkipSpace();
    constexpr std::string_view kNotNull = "not null";
    if (text_.compare(at_, kNotNull.size(), kNotNull) == 0) {
      at_ += kNotNull.size();
      SkipSpace();
      return true;
    }
    return false;
  }

  arrow::Result<TypePtr> Type(int depth) {
    if (depth > kDeepest) {
      return Unexpected(Concat("at most ", kDeepest, " levels of nesting"));
    }
    SkipSpace();
    const size_t start = at_;
    const std::string name = Word("<>[](),:");
    if (const auto simple = Simple(name); simple != nullptr) {
      return simple;
    }
    if (name == "list" || name == "large_list" || name == "fixed_size_list") {
      return ListOf(name, depth);
    }
    if (name == "struct") {
      ARROW_RETURN_NOT_OK(Expect('<'));
      ARROW_ASSIGN_OR_RAISE(auto fields, Fields(depth + 1));
      ARROW_RETURN_NOT_OK(Expect('>'));
      return arrow::struct_(std::move(fields));
    }
    if (name == "map") {
      ARROW_RETURN_NOT_OK(Expect('<'));
      ARROW_ASSIGN_OR_RAISE(auto key, Type(depth + 1));
      ARROW_RETURN_NOT_OK(Expect(','));
      ARROW_ASSIGN_OR_RAISE(auto value, Type(depth + 1));
      ARROW_RETURN_NOT_OK(Expect('>'));
      return arrow::map(std::move(key), std::move(value));
    }
    if (name == "vector" || name == "fixed_size_binary") {
      ARROW_RETURN_NOT_OK(Expect('['));
      ARROW_ASSIGN_OR_RAISE(const int32_t size, Number());
      ARROW_RETURN_NOT_OK(Expect(']'));
      return name == "vector" ? arrow::fixed_size_list(arrow::float32(), size)
                              : arrow::fixed_size_binary(size);
    }
    if (name == "decimal128") {
      ARROW_RETURN_NOT_OK(Expect('('));
      ARROW_ASSIGN_OR_RAISE(const int32_t precision, Number());
      ARROW_RETURN_NOT_OK(Expect(','));
      ARROW_ASSIGN_OR_RAISE(const int32_t scale, Number());
      ARROW_RETURN_NOT_OK(Expect(')'));
      return arrow::Decimal128Type::Make(precision, scale);
    }
    if (name == "timestamp" || name == "duration" || name == "time32" || name == "time64") {
      return Temporal(name);
    }
    at_ = start;
    return Unexpected("a type such as int64, string, list<string>, vector[256]");
  }

  arrow::Result<TypePtr> ListOf(const std::string& name, int depth) {
    ARROW_RETURN_NOT_OK(Expect('<'));
    ARROW_ASSIGN_OR_RAISE(auto item, Type(depth + 1));
    ARROW_RETURN_NOT_OK(Expect('>'));
    if (name == "list") {
      return arrow::list(std::move(item));
    }
    if (name == "large_list") {
      return arrow::large_list(std::move(item));
    }
    ARROW_RETURN_NOT_OK(Expect('['));
    ARROW_ASSIGN_OR_RAISE(const int32_t size, Number());
    ARROW_RETURN_NOT_OK(Expect(']'));
    return arrow::fixed_size_list(std::move(item), size);
  }

  arrow::Result<TypePtr> Temporal(const std::string& name) {
    static const std::map<std::string, arrow::TimeUnit::type> kUnits = {
        {"s", arrow::TimeUnit::SECOND},
        {"ms", arrow::TimeUnit::MILLI},
        {"us", arrow::TimeUnit::MICRO},
        {"ns", arrow::TimeUnit::NANO}};
    ARROW_RETURN_NOT_OK(Expect('['));
    const auto found = kUnits.find(Word("],"));
    if (found == kUnits.end()) {
      return Unexpected("s, ms, us or ns before it");
    }
    const auto unit = found->second;
    std::string zone;
    if (name == "timestamp" && Take(',')) {
      zone = Word("]");
    }
    ARROW_RETURN_NOT_OK(Expect(']'));
    const bool coarse = unit == arrow::TimeUnit::SECOND || unit == arrow::TimeUnit::MILLI;
    if ((name == "time32") != coarse && name != "timestamp" && name != "duration") {
      return InvalidArgument("schema: ", name, "[", found->first,
                             "]: time32 takes s or ms, time64 us or ns");
    }
    return name == "timestamp"  ? arrow::timestamp(unit, zone)
           : name == "duration" ? arrow::duration(unit)
           : name == "time32"   ? arrow::time32(unit)
                                : arrow::time64(unit);
  }

  static TypePtr Simple(const std::string& name) {
    static const std::map<std::string, TypePtr> kTypes = {
        {"bool", arrow::boolean()},    {"int8", arrow::int8()},
        {"int16", arrow::int16()},     {"int32", arrow::int32()},
        {"int64", arrow::int64()},     {"uint8", arrow::uint8()},
        {"uint16", arrow::uint16()},   {"uint32", arrow::uint32()},
        {"uint64", arrow::uint64()},   {"float16", arrow::float16()},
        {"float32", arrow::float32()}, {"float", arrow::float32()},
        {"float64", arrow::float64()}, {"double", arrow::float64()},
        {"string", arrow::utf8()},     {"large_string", arrow::large_utf8()},
        {"binary", arrow::binary()},   {"large_binary", arrow::large_binary()},
        {"date32", arrow::date32()},   {"date64", arrow::date64()}};
    const auto found = kTypes.find(name);
    return found == kTypes.end() ? nullptr : found->second;
  }

  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace

Json SchemaJson(const arrow::Schema& schema) {
  Json json = {{"fields", Json::array()}};
  for (const auto& field : schema.fields()) {
    json["fields"].push_back(FieldJson(*field));
  }
  if (schema.metadata() != nullptr && schema.metadata()->size() > 0) {
    json["metadata"] = MetadataJson(*schema.metadata());
  }
  return json;
}

std::string SchemaText(const arrow::Schema& schema) {
  TextTable table;
  table.AddColumn("column");
  table.AddColumn("type");
  table.AddColumn("nulls");
  table.AddColumn("metadata");
  for (const auto& field : schema.fields()) {
    std::string metadata;
    if (field->metadata() != nullptr) {
      for (int64_t i = 0; i < field->metadata()->size(); ++i) {
        metadata +=
            (i > 0 ? ", " : "") + field->metadata()->key(i) + "=" + field->metadata()->value(i);
      }
    }
    table.AddRow(
        {field->name(), field->type()->ToString(), field->nullable() ? "yes" : "no", metadata});
  }
  return table.Render(TerminalWidth(), true);
}

arrow::Result<std::shared_ptr<arrow::Schema>> ParseSchema(const std::string& text) {
  return SchemaParser(text).Parse();
}

}  // namespace glaive::cli
