#include "file/logical_type.h"

#include <charconv>
#include <optional>
#include <vector>

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/key_value_metadata.h>

#include "base/limits.h"
#include "base/status.h"
#include "file/schema.h"

namespace glaive::file {
namespace {

using arrow::Type;
using TypePtr = std::shared_ptr<arrow::DataType>;

// The names without parameters. Reading knows a few more than writing.
constexpr std::string_view kBlobName = "blob";
constexpr std::string_view kJsonName = "json";

const std::vector<std::pair<std::string_view, TypePtr>>& PlainTypes() {
  static const std::vector<std::pair<std::string_view, TypePtr>> types = {
      {"null", arrow::null()},
      {"bool", arrow::boolean()},
      {"int8", arrow::int8()},
      {"int16", arrow::int16()},
      {"int32", arrow::int32()},
      {"int64", arrow::int64()},
      {"uint8", arrow::uint8()},
      {"uint16", arrow::uint16()},
      {"uint32", arrow::uint32()},
      {"uint64", arrow::uint64()},
      {"halffloat", arrow::float16()},
      {"float", arrow::float32()},
      {"double", arrow::float64()},
      {"string", arrow::utf8()},
      {"large_string", arrow::large_utf8()},
      {"binary", arrow::binary()},
      {"large_binary", arrow::large_binary()},
      {"date32:day", arrow::date32()},
      {"date64:ms", arrow::date64()},
      {"time32:s", arrow::time32(arrow::TimeUnit::SECOND)},
      {"time32:ms", arrow::time32(arrow::TimeUnit::MILLI)},
      {"time64:us", arrow::time64(arrow::TimeUnit::MICRO)},
      {"time64:ns", arrow::time64(arrow::TimeUnit::NANO)},
      {"duration:s", arrow::duration(arrow::TimeUnit::SECOND)},
      {"duration:ms", arrow::duration(arrow::TimeUnit::MILLI)},
      {"duration:us", arrow::duration(arrow::TimeUnit::MICRO)},
      {"duration:ns", arrow::duration(arrow::TimeUnit::NANO)},
  };
  return types;
}

std::string_view UnitName(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return "s";
    case arrow::TimeUnit::MILLI:
      return "ms";
    case arrow::TimeUnit::MICRO:
      return "us";
    case arrow::TimeUnit::NANO:
      return "ns";
  }
  return "?";
}

std::optional<arrow::TimeUnit::type> UnitOf(std::string_view name) {
  for (const auto unit : {arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI, arrow::TimeUnit::MICRO,
                          arrow::TimeUnit::NANO}) {
    if (UnitName(unit) == name) {
      return unit;
    }
  }
  return std::nullopt;
}

std::optional<int32_t> ParseInt(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) {
    return false;
  }
  text->remove_prefix(prefix.size());
  return true;
}

// Cuts the part behind the last ':' off.
std::optional<std::string_view> TakeLast(std::string_view* text) {
  const auto colon = text->rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view last = text->substr(colon + 1);
  *text = text->substr(0, colon);
  return last;
}

arrow::Status BadParameters(std::string_view logical_type) {
  return Corruption("logical type '", logical_type, "': its parameters make no type");
}

arrow::Result<TypePtr> Parse(std::string_view text, uint32_t depth);

arrow::Result<TypePtr> ParseTimestamp(std::string_view whole, std::string_view rest) {
  const auto colon = rest.find(':');
  const auto unit = UnitOf(rest.substr(0, colon));
  if (!unit || colon == std::string_view::npos) {
    return BadParameters(whole);
  }
  const std::string_view zone = rest.substr(colon + 1);  // may hold ':' itself
  return arrow::timestamp(*unit, zone == "-" ? std::string() : std::string(zone));
}

arrow::Result<TypePtr> ParseDecimal(std::string_view whole, std::string_view rest) {
  const auto scale_text = TakeLast(&rest);
  const auto precision_text = TakeLast(&rest);
  if (!scale_text || !precision_text) {
    return BadParameters(whole);
  }
  const auto scale = ParseInt(*scale_text);
  const auto precision = ParseInt(*precision_text);
  const bool wide = rest == "256";
  const int32_t max =
      wide ? arrow::Decimal256Type::kMaxPrecision : arrow::Decimal128Type::kMaxPrecision;
  if (!scale || !precision || *precision < 1 || *precision > max || (!wide && rest != "128")) {
    return BadParameters(whole);
  }
  return wide ? arrow::decimal256(*precision, *scale) : arrow::decimal128(*precision, *scale);
}

arrow::Result<TypePtr> ParseFixedSizeList(std::string_view whole, std::string_view rest,
                                          uint32_t depth) {
  const auto size_text = TakeLast(&rest);
  const auto size = size_text ? ParseInt(*size_text) : std::nullopt;
  if (!size || *size <= 0) {
    return BadParameters(whole);
  }
  if (rest == kBfloat16) {
    const auto metadata =
        arrow::key_value_metadata({std::string(kExtensionNameKey)}, {std::string(kBfloat16)});
    return arrow::fixed_size_list(arrow::field("item", arrow::fixed_size_binary(2), true, metadata),
                                  *size);
  }
  ARROW_ASSIGN_OR_RAISE(auto item, Parse(rest, depth + 1));
  return arrow::fixed_size_list(arrow::field("item", std::move(item)), *size);
}

arrow::Result<TypePtr> ParseDictionary(std::string_view whole, std::string_view rest,
                                       uint32_t depth) {
  const auto ordered = TakeLast(&rest);
  const auto index_name = TakeLast(&rest);  // an integer name: never holds ':'
  if (!ordered || !index_name || (*ordered != "true" && *ordered != "false")) {
    return BadParameters(whole);
  }
  ARROW_ASSIGN_OR_RAISE(auto index, Parse(*index_name, depth + 1));
  ARROW_ASSIGN_OR_RAISE(auto value, Parse(rest, depth + 1));
  if (!arrow::is_integer(index->id())) {
    return BadParameters(whole);
  }
  return arrow::dictionary(std::move(index), std::move(value), *ordered == "true");
}

arrow::Result<TypePtr> Parse(std::string_view text, uint32_t depth) {
  GLAIVE_CHECK_FORMAT(depth <= kMaxNesting, "logical type is nested deeper than ", kMaxNesting);
  for (const auto& [name, type] : PlainTypes()) {
    if (name == text) {
      return type;
    }
  }
  if (text == kBlobName || text == kJsonName) {
    return arrow::large_binary();
  }
  std::string_view rest = text;
  if (ConsumePrefix(&rest, "timestamp:")) {
    return ParseTimestamp(text, rest);
  }
  if (ConsumePrefix(&rest, "decimal:")) {
    return ParseDecimal(text, rest);
  }
  if (ConsumePrefix(&rest, "fixed_size_binary:")) {
    const auto width = ParseInt(rest);
    if (!width || *width < 0) {
      return BadParameters(text);
    }
    return arrow::fixed_size_binary(*width);
  }
  if (ConsumePrefix(&rest, "fixed_size_list:")) {
    return ParseFixedSizeList(text, rest, depth);
  }
  if (ConsumePrefix(&rest, "dict:")) {
    return ParseDictionary(text, rest, depth);
  }
  return Unsupported("logical type '", text, "' is not known");
}

bool IsBfloat16(const arrow::Field& field) {
  if (field.type()->id() != Type::FIXED_SIZE_BINARY || !field.metadata()) {
    return false;
  }
  const auto name = field.metadata()->Get(std::string(kExtensionNameKey));
  return name.ok() && *name == kBfloat16;
}

arrow::Status CannotHold(const arrow::DataType& type, const std::string& path) {
  return Unsupported("column '", path, "' has type ", type.ToString(), ", which Lance cannot hold");
}

arrow::Result<std::string> FixedSizeListName(const arrow::FixedSizeListType& type,
                                             const std::string& path) {
  const auto& item = *type.value_field();
  std::string inner;
  if (type.list_size() <= 0) {
    return CannotHold(type, path);
  }
  if (IsBfloat16(item)) {
    inner = kBfloat16;
  } else if (item.type()->id() == Type::STRUCT) {
    inner = "struct";
  } else if (item.type()->id() == Type::FIXED_SIZE_LIST) {
    ARROW_ASSIGN_OR_RAISE(
        inner, FixedSizeListName(static_cast<const arrow::FixedSizeListType&>(*item.type()), path));
    if (inner.find(":struct:") != std::string::npos) {
      return CannotHold(type, path);
    }
  } else if (arrow::is_fixed_width(item.type()->id()) && item.type()->id() != Type::DICTIONARY) {
    ARROW_ASSIGN_OR_RAISE(inner, LogicalTypeOf(*item.type(), path));
  } else {
    return CannotHold(type, path);
  }
  return Concat("fixed_size_list:", inner, ":", type.list_size());
}

arrow::Result<std::string> ListName(const arrow::BaseListType& type, std::string_view name) {
  return Concat(name, type.value_type()->id() == Type::STRUCT ? ".struct" : "");
}

}  // namespace

arrow::Result<std::string> LogicalTypeOf(const arrow::DataType& type, const std::string& path) {
  for (const auto& [name, known] : PlainTypes()) {
    if (known->Equals(type)) {
      return std::string(name);
    }
  }
  switch (type.id()) {
    case Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      const std::string_view zone = timestamp.timezone();
      return Concat("timestamp:", UnitName(timestamp.unit()), ":", zone.empty() ? "-" : zone);
    }
    case Type::DECIMAL128:
    case Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return Concat("decimal:", type.id() == Type::DECIMAL128 ? 128 : 256, ":", decimal.precision(),
                    ":", decimal.scale());
    }
    case Type::FIXED_SIZE_BINARY:
      return Concat("fixed_size_binary:",
                    static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width());
    case Type::FIXED_SIZE_LIST:
      return FixedSizeListName(static_cast<const arrow::FixedSizeListType&>(type), path);
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
      if (dictionary.value_type()->num_fields() > 0 ||
          dictionary.value_type()->id() == Type::DICTIONARY) {
        return CannotHold(type, path);
      }
      ARROW_ASSIGN_OR_RAISE(const auto value, LogicalTypeOf(*dictionary.value_type(), path));
      ARROW_ASSIGN_OR_RAISE(const auto index, LogicalTypeOf(*dictionary.index_type(), path));
      return Concat("dict:", value, ":", index, ":", dictionary.ordered() ? "true" : "false");
    }
    case Type::STRUCT:
      return std::string("struct");
    case Type::LIST:
      return ListName(static_cast<const arrow::BaseListType&>(type), "list");
    case Type::LARGE_LIST:
      return ListName(static_cast<const arrow::BaseListType&>(type), "large_list");
    case Type::MAP:
      return std::string("map");
    default:
      return CannotHold(type, path);
  }
}

arrow::Result<TypePtr> ParseLogicalType(std::string_view logical_type) {
  return Parse(logical_type, 0);
}

arrow::Result<int32_t> FixedSizeListOfStructDimension(std::string_view logical_type) {
  std::string_view rest = logical_type;
  const bool matches = ConsumePrefix(&rest, kFixedSizeListOfStructPrefix);
  const auto size = ParseInt(rest);
  if (!matches || !size || *size <= 0) {
    return BadParameters(logical_type);
  }
  return *size;
}

}  // namespace glaive::file
