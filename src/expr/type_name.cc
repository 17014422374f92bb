// Types by Arrow's names, as arrow_cast takes them, and their names in SQL.
#include <charconv>
#include <optional>

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include "base/status.h"
#include "expr/sql_type.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;
using arrow::TimeUnit;
using arrow::internal::checked_cast;

struct PlainName {
  std::string_view name;
  arrow::Type::type id;
  TypePtr (*make)();
};

const PlainName kPlainNames[] = {
    {"Null", arrow::Type::NA, [] { return arrow::null(); }},
    {"Boolean", arrow::Type::BOOL, [] { return arrow::boolean(); }},
    {"Int8", arrow::Type::INT8, [] { return arrow::int8(); }},
    {"Int16", arrow::Type::INT16, [] { return arrow::int16(); }},
    {"Int32", arrow::Type::INT32, [] { return arrow::int32(); }},
    {"Int64", arrow::Type::INT64, [] { return arrow::int64(); }},
    {"UInt8", arrow::Type::UINT8, [] { return arrow::uint8(); }},
    {"UInt16", arrow::Type::UINT16, [] { return arrow::uint16(); }},
    {"UInt32", arrow::Type::UINT32, [] { return arrow::uint32(); }},
    {"UInt64", arrow::Type::UINT64, [] { return arrow::uint64(); }},
    {"Float16", arrow::Type::HALF_FLOAT, [] { return arrow::float16(); }},
    {"Float32", arrow::Type::FLOAT, [] { return arrow::float32(); }},
    {"Float64", arrow::Type::DOUBLE, [] { return arrow::float64(); }},
    {"Utf8", arrow::Type::STRING, [] { return arrow::utf8(); }},
    {"LargeUtf8", arrow::Type::LARGE_STRING, [] { return arrow::large_utf8(); }},
    {"Utf8View", arrow::Type::STRING_VIEW, [] { return arrow::utf8_view(); }},
    {"Binary", arrow::Type::BINARY, [] { return arrow::binary(); }},
    {"LargeBinary", arrow::Type::LARGE_BINARY, [] { return arrow::large_binary(); }},
    {"BinaryView", arrow::Type::BINARY_VIEW, [] { return arrow::binary_view(); }},
    {"Date32", arrow::Type::DATE32, [] { return arrow::date32(); }},
    {"Date64", arrow::Type::DATE64, [] { return arrow::date64(); }},
};

struct UnitName {
  std::string_view name;
  std::string_view brief;
  TimeUnit::type unit;
  int digits;
};

constexpr UnitName kUnits[] = {{"Second", "s", TimeUnit::SECOND, 0},
                               {"Millisecond", "ms", TimeUnit::MILLI, 3},
                               {"Microsecond", "us", TimeUnit::MICRO, 6},
                               {"Nanosecond", "ns", TimeUnit::NANO, 9}};

const UnitName& NameOf(TimeUnit::type unit) {
  for (const UnitName& name : kUnits) {
    if (name.unit == unit) return name;
  }
  return kUnits[0];
}

// Recursive descent over one type's name.
class TypeNameParser {
 public:
  explicit TypeNameParser(std::string_view text) : text_(text) {}

  arrow::Result<TypePtr> Parse() {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, Type());
    SkipBlanks();
    if (at_ != text_.size()) return Fail("the end");
    return type;
  }

 private:
  arrow::Status Fail(std::string_view expected) const {
    return InvalidArgument("\"", text_.substr(0, 200), "\" is no Arrow type: expected ", expected,
                           " at character ", at_ + 1,
                           " (types are written as Int64, Utf8, Timestamp(Microsecond, None), "
                           "List(Int32), Decimal128(10, 2), ..)");
  }

  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool Accept(std::string_view symbol) {
    SkipBlanks();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }

  arrow::Status Expect(std::string_view symbol) {
    return Accept(symbol) ? arrow::Status::OK() : Fail(Concat("\"", symbol, "\""));
  }

  std::string_view Word() {
    SkipBlanks();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           ((text_[at_] >= 'a' && text_[at_] <= 'z') || (text_[at_] >= 'A' && text_[at_] <= 'Z') ||
            (text_[at_] >= '0' && text_[at_] <= '9'))) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  arrow::Result<int32_t> Number(int32_t least, int32_t most) {
    SkipBlanks();
    int32_t number = 0;
    const char* begin = text_.data() + at_;
    const auto parsed = std::from_chars(begin, text_.data() + text_.size(), number);
    if (parsed.ec != std::errc() || number < least || number > most) {
      return Fail(Concat("a number from ", least, " to ", most));
    }
    at_ += static_cast<size_t>(parsed.ptr - begin);
    return number;
  }

  arrow::Result<TimeUnit::type> Unit() {
    const size_t begin = at_;
    const std::string_view word = Word();
    for (const UnitName& unit : kUnits) {
      if (word == unit.name || word == unit.brief) return unit.unit;
    }
    at_ = begin;
    return Fail("Second, Millisecond, Microsecond or Nanosecond");
  }

  // "text" with \" and \\.
  arrow::Result<std::string> Text() {
    ARROW_RETURN_NOT_OK(Expect("\""));
    std::string text;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      text.push_back(text_[at_++]);
    }
    ARROW_RETURN_NOT_OK(Expect("\""));
    return text;
  }

  arrow::Result<TypePtr> Timestamp() {
    ARROW_ASSIGN_OR_RAISE(const TimeUnit::type unit, Unit());
    std::string zone;
    if (Accept(",") && !Accept("None")) {
      ARROW_RETURN_NOT_OK(Expect("Some"));
      ARROW_RETURN_NOT_OK(Expect("("));
      ARROW_ASSIGN_OR_RAISE(zone, Text());
      ARROW_RETURN_NOT_OK(Expect(")"));
    }
    return arrow::timestamp(unit, zone);
  }

  arrow::Result<TypePtr> Time(bool wide) {
    const size_t begin = at_;
    ARROW_ASSIGN_OR_RAISE(const TimeUnit::type unit, Unit());
    if ((unit == TimeUnit::MICRO || unit == TimeUnit::NANO) != wide) {
      at_ = begin;
      return Fail(wide ? "Microsecond or Nanosecond" : "Second or Millisecond");
    }
    return wide ? arrow::time64(unit) : arrow::time32(unit);
  }

  arrow::Result<TypePtr> Interval() {
    const size_t begin = at_;
    const std::string_view word = Word();
    if (word == "YearMonth") return arrow::month_interval();
    if (word == "DayTime") return arrow::day_time_interval();
    if (word == "MonthDayNano") return arrow::month_day_nano_interval();
    at_ = begin;
    return Fail("YearMonth, DayTime or MonthDayNano");
  }

  arrow::Result<TypePtr> Decimal(std::string_view name) {
    const int32_t most = name == "Decimal32"    ? 9
                         : name == "Decimal64"  ? 18
                         : name == "Decimal128" ? 38
                                                : 76;
    ARROW_ASSIGN_OR_RAISE(const int32_t precision, Number(1, most));
    ARROW_RETURN_NOT_OK(Expect(","));
    ARROW_ASSIGN_OR_RAISE(const int32_t scale, Number(-most, precision));
    if (most == 9) return arrow::decimal32(precision, scale);
    if (most == 18) return arrow::decimal64(precision, scale);
    if (most == 38) return arrow::decimal128(precision, scale);
    return arrow::decimal256(precision, scale);
  }

  // A type, with "nullable" or "non-null" in front where a field stands.
  arrow::Result<std::shared_ptr<arrow::Field>> Element(std::string name) {
    const bool required = Accept("non-null ");
    if (!required) Accept("nullable ");
    ARROW_ASSIGN_OR_RAISE(TypePtr type, Type());
    return arrow::field(std::move(name), std::move(type), !required);
  }

  arrow::Result<TypePtr> FixedSizeList() {
    ARROW_ASSIGN_OR_RAISE(const int32_t size, Number(0, INT32_MAX));
    if (!Accept(",") && !Accept("x ")) return Fail("\",\"");
    ARROW_ASSIGN_OR_RAISE(auto element, Element("item"));
    return arrow::fixed_size_list(element, size);
  }

  arrow::Result<TypePtr> Dictionary() {
    ARROW_ASSIGN_OR_RAISE(TypePtr index, Type());
    if (!arrow::is_integer(index->id())) return Fail("an integer type as index");
    ARROW_RETURN_NOT_OK(Expect(","));
    ARROW_ASSIGN_OR_RAISE(TypePtr values, Type());
    return arrow::dictionary(index, values);
  }

  arrow::Result<TypePtr> Map() {
    ARROW_ASSIGN_OR_RAISE(TypePtr key, Type());
    ARROW_RETURN_NOT_OK(Expect(","));
    ARROW_ASSIGN_OR_RAISE(TypePtr value, Type());
    return arrow::map(key, value);
  }

  arrow::Result<TypePtr> Struct() {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == ')') return arrow::struct_(fields);
    do {
      ARROW_ASSIGN_OR_RAISE(std::string name, Text());
      ARROW_RETURN_NOT_OK(Expect(":"));
      ARROW_ASSIGN_OR_RAISE(auto field, Element(std::move(name)));
      fields.push_back(std::move(field));
    } while (Accept(","));
    return arrow::struct_(fields);
  }

  arrow::Result<TypePtr> Parametric(std::string_view name) {
    if (name == "Timestamp") return Timestamp();
    if (name == "Time32") return Time(false);
    if (name == "Time64") return Time(true);
    if (name == "Interval") return Interval();
    if (name.substr(0, 7) == "Decimal") return Decimal(name);
    if (name == "FixedSizeList") return FixedSizeList();
    if (name == "Dictionary") return Dictionary();
    if (name == "Map") return Map();
    if (name == "Struct") return Struct();
    if (name == "Duration") {
      ARROW_ASSIGN_OR_RAISE(const TimeUnit::type unit, Unit());
      return arrow::duration(unit);
    }
    if (name == "FixedSizeBinary") {
      ARROW_ASSIGN_OR_RAISE(const int32_t width, Number(0, INT32_MAX));
      return arrow::fixed_size_binary(width);
    }
    ARROW_ASSIGN_OR_RAISE(auto element, Element("item"));
    return name == "List" ? arrow::list(element) : arrow::large_list(element);
  }

  arrow::Result<TypePtr> Type() {
    const size_t begin = at_;
    const std::string_view name = Word();
    for (const PlainName& plain : kPlainNames) {
      if (name == plain.name) return plain.make();
    }
    static constexpr std::string_view kParametric[] = {
        "Timestamp",  "Time32",          "Time64",        "Interval",   "Decimal32", "Decimal64",
        "Decimal128", "Decimal256",      "FixedSizeList", "Dictionary", "Map",       "Struct",
        "Duration",   "FixedSizeBinary", "List",          "LargeList"};
    for (const std::string_view parametric : kParametric) {
      if (name != parametric) continue;
      if (depth_ == kMaxTypeDepth) return Fail("a type that is nested less deeply");
      ++depth_;
      ARROW_RETURN_NOT_OK(Expect("("));
      ARROW_ASSIGN_OR_RAISE(TypePtr type, Parametric(name));
      ARROW_RETURN_NOT_OK(Expect(")"));
      --depth_;
      return type;
    }
    at_ = begin;
    SkipBlanks();
    return Fail("the name of a type");
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

std::string QuoteZone(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string ElementName(const arrow::Field& field) {
  return Concat(field.nullable() ? "" : "non-null ", ArrowTypeName(*field.type()));
}

std::string StructName(const arrow::DataType& type) {
  std::string name = "Struct(";
  for (int i = 0; i < type.num_fields(); ++i) {
    name += Concat(i == 0 ? "" : ", ", QuoteZone(type.field(i)->name()), ": ",
                   ElementName(*type.field(i)));
  }
  return name + ")";
}

std::string TimestampName(const arrow::TimestampType& type) {
  const std::string_view unit = NameOf(type.unit()).name;
  if (type.timezone().empty()) return Concat("Timestamp(", unit, ", None)");
  return Concat("Timestamp(", unit, ", Some(", QuoteZone(type.timezone()), "))");
}

std::string SqlTimestampName(const arrow::TimestampType& type) {
  if (!type.timezone().empty() && type.timezone() != "UTC") return "";
  std::string name = "timestamp";
  if (type.unit() != TimeUnit::MICRO) name += Concat("(", NameOf(type.unit()).digits, ")");
  return type.timezone().empty() ? name : name + " with time zone";
}

std::string SqlDecimalName(const arrow::DecimalType& type, bool wide) {
  if (wide != (type.precision() > 38)) return "";
  return Concat("decimal(", type.precision(), ", ", type.scale(), ")");
}

}  // namespace

arrow::Result<TypePtr> ParseArrowTypeName(std::string_view text) {
  return TypeNameParser(text).Parse();
}

std::string SqlTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return "tinyint";
    case arrow::Type::INT16:
      return "smallint";
    case arrow::Type::INT32:
      return "int";
    case arrow::Type::INT64:
      return "bigint";
    case arrow::Type::UINT8:
      return "tinyint unsigned";
    case arrow::Type::UINT16:
      return "smallint unsigned";
    case arrow::Type::UINT32:
      return "int unsigned";
    case arrow::Type::UINT64:
      return "bigint unsigned";
    case arrow::Type::FLOAT:
      return "float";
    case arrow::Type::DOUBLE:
      return "double";
    case arrow::Type::STRING:
      return "string";
    case arrow::Type::BINARY:
      return "binary";
    case arrow::Type::BOOL:
      return "boolean";
    case arrow::Type::DATE32:
      return "date";
    case arrow::Type::TIME32:
    case arrow::Type::TIME64: {
      const TimeUnit::type unit = checked_cast<const arrow::TimeType&>(type).unit();
      return unit == TimeUnit::NANO ? "time" : Concat("time(", NameOf(unit).digits, ")");
    }
    case arrow::Type::TIMESTAMP:
      return SqlTimestampName(checked_cast<const arrow::TimestampType&>(type));
    case arrow::Type::DECIMAL128:
      return SqlDecimalName(checked_cast<const arrow::DecimalType&>(type), false);
    case arrow::Type::DECIMAL256:
      return SqlDecimalName(checked_cast<const arrow::DecimalType&>(type), true);
    case arrow::Type::LIST: {
      const auto& list = checked_cast<const arrow::ListType&>(type);
      const std::string element = SqlTypeName(*list.value_type());
      return element.empty() || !list.value_field()->nullable() ? "" : element + "[]";
    }
    default:
      return "";
  }
}

std::string ArrowTypeName(const arrow::DataType& type) {
  for (const PlainName& plain : kPlainNames) {
    if (plain.id == type.id()) return std::string(plain.name);
  }
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return TimestampName(checked_cast<const arrow::TimestampType&>(type));
    case arrow::Type::TIME32:
      return Concat("Time32(", NameOf(checked_cast<const arrow::TimeType&>(type).unit()).name, ")");
    case arrow::Type::TIME64:
      return Concat("Time64(", NameOf(checked_cast<const arrow::TimeType&>(type).unit()).name, ")");
    case arrow::Type::DURATION:
      return Concat("Duration(", NameOf(checked_cast<const arrow::DurationType&>(type).unit()).name,
                    ")");
    case arrow::Type::INTERVAL_MONTHS:
      return "Interval(YearMonth)";
    case arrow::Type::INTERVAL_DAY_TIME:
      return "Interval(DayTime)";
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return "Interval(MonthDayNano)";
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = checked_cast<const arrow::DecimalType&>(type);
      return Concat("Decimal", decimal.byte_width() * 8, "(", decimal.precision(), ", ",
                    decimal.scale(), ")");
    }
    case arrow::Type::FIXED_SIZE_BINARY:
      return Concat("FixedSizeBinary(",
                    checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width(), ")");
    case arrow::Type::LIST:
      return Concat("List(", ElementName(*type.field(0)), ")");
    case arrow::Type::LARGE_LIST:
      return Concat("LargeList(", ElementName(*type.field(0)), ")");
    case arrow::Type::FIXED_SIZE_LIST:
      return Concat("FixedSizeList(",
                    checked_cast<const arrow::FixedSizeListType&>(type).list_size(), ", ",
                    ElementName(*type.field(0)), ")");
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryType&>(type);
      return Concat("Dictionary(", ArrowTypeName(*dictionary.index_type()), ", ",
                    ArrowTypeName(*dictionary.value_type()), ")");
    }
    case arrow::Type::MAP: {
      const auto& map = checked_cast<const arrow::MapType&>(type);
      return Concat("Map(", ArrowTypeName(*map.key_type()), ", ", ArrowTypeName(*map.item_type()),
                    ")");
    }
    case arrow::Type::STRUCT:
      return StructName(type);
    default:
      return type.ToString();
  }
}

}  // namespace glaive::expr
