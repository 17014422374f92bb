#include "expr/sql_type.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <arrow/type.h>

#include "base/status.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

struct SimpleType {
  std::string_view name;
  TypePtr (*make)();
  TypePtr (*make_unsigned)();
};

// Float32 and Float64 as LanceDB has them: float and real are the small one.
const SimpleType kSimpleTypes[] = {
    {"tinyint", [] { return arrow::int8(); }, [] { return arrow::uint8(); }},
    {"smallint", [] { return arrow::int16(); }, [] { return arrow::uint16(); }},
    {"int", [] { return arrow::int32(); }, [] { return arrow::uint32(); }},
    {"integer", [] { return arrow::int32(); }, [] { return arrow::uint32(); }},
    {"bigint", [] { return arrow::int64(); }, [] { return arrow::uint64(); }},
    {"float", [] { return arrow::float32(); }, nullptr},
    {"real", [] { return arrow::float32(); }, nullptr},
    {"double", [] { return arrow::float64(); }, nullptr},
    {"string", [] { return arrow::utf8(); }, nullptr},
    {"text", [] { return arrow::utf8(); }, nullptr},
    {"binary", [] { return arrow::binary(); }, nullptr},
    {"varbinary", [] { return arrow::binary(); }, nullptr},
    {"bytea", [] { return arrow::binary(); }, nullptr},
    {"boolean", [] { return arrow::boolean(); }, nullptr},
    {"bool", [] { return arrow::boolean(); }, nullptr},
    {"date", [] { return arrow::date32(); }, nullptr},
};

const SimpleType* FindSimple(std::string_view name) {
  const auto* found = std::find_if(std::begin(kSimpleTypes), std::end(kSimpleTypes),
                                   [&](const SimpleType& type) { return type.name == name; });
  return found == std::end(kSimpleTypes) ? nullptr : found;
}

bool IsParametric(std::string_view name) {
  static constexpr std::string_view kNames[] = {"varchar",   "char",     "character", "time",
                                                "timestamp", "datetime", "decimal",   "numeric"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// "(n)" or nothing.
arrow::Result<std::optional<int>> ParseLength(Cursor* cursor, int most) {
  ARROW_ASSIGN_OR_RAISE(const bool open, cursor->AcceptSymbol("("));
  if (!open) return std::nullopt;
  if (cursor->token().kind != TokenKind::kInteger) return cursor->Unexpected("a number");
  if (cursor->token().text.size() > 9 || std::stoi(cursor->token().text) > most) {
    return cursor->Fail(Concat("a type's number is out of range (at most ", most, ")"));
  }
  const int number = std::stoi(cursor->token().text);
  ARROW_RETURN_NOT_OK(cursor->Advance());
  ARROW_RETURN_NOT_OK(cursor->ExpectSymbol(")"));
  return number;
}

arrow::Result<arrow::TimeUnit::type> ParsePrecision(Cursor* cursor,
                                                    arrow::TimeUnit::type fallback) {
  const uint32_t begin = cursor->token().begin;
  ARROW_ASSIGN_OR_RAISE(const std::optional<int> digits, ParseLength(cursor, 9));
  if (!digits.has_value()) return fallback;
  switch (*digits) {
    case 0:
      return arrow::TimeUnit::SECOND;
    case 3:
      return arrow::TimeUnit::MILLI;
    case 6:
      return arrow::TimeUnit::MICRO;
    case 9:
      return arrow::TimeUnit::NANO;
    default:
      return SyntaxError(cursor->sql(), begin, cursor->last_end(),
                         "the precision of a time is 0, 3, 6 or 9 digits of a second");
  }
}

// "with time zone" (true), "without time zone" or nothing (false).
arrow::Result<bool> ParseZone(Cursor* cursor) {
  if (!cursor->IsWord("with") && !cursor->IsWord("without")) return false;
  const bool with = cursor->IsWord("with");
  ARROW_RETURN_NOT_OK(cursor->Advance());
  ARROW_RETURN_NOT_OK(cursor->ExpectWord("time"));
  ARROW_RETURN_NOT_OK(cursor->ExpectWord("zone"));
  return with;
}

arrow::Result<TypePtr> ParseDecimal(Cursor* cursor) {
  const uint32_t begin = cursor->token().begin;
  ARROW_ASSIGN_OR_RAISE(const bool open, cursor->AcceptSymbol("("));
  if (!open) return arrow::decimal128(38, 10);
  int numbers[2] = {0, 0};
  for (int& number : numbers) {
    ARROW_ASSIGN_OR_RAISE(const bool minus, cursor->AcceptSymbol("-"));
    if (cursor->token().kind != TokenKind::kInteger || cursor->token().text.size() > 4) {
      return cursor->Unexpected("the precision and scale of a decimal, as in decimal(10, 2)");
    }
    number = std::stoi(cursor->token().text) * (minus ? -1 : 1);
    ARROW_RETURN_NOT_OK(cursor->Advance());
    if (cursor->IsSymbol(")")) break;
    ARROW_RETURN_NOT_OK(cursor->ExpectSymbol(","));
  }
  ARROW_RETURN_NOT_OK(cursor->ExpectSymbol(")"));
  if (numbers[0] < 1 || numbers[0] > 76 || numbers[1] > numbers[0] || numbers[1] < -76) {
    return SyntaxError(cursor->sql(), begin, cursor->last_end(),
                       "a decimal has 1 to 76 digits and no more of them behind the point");
  }
  if (numbers[0] <= 38) return arrow::decimal128(numbers[0], numbers[1]);
  return arrow::decimal256(numbers[0], numbers[1]);
}

arrow::Result<TypePtr> ParseParametric(Cursor* cursor, std::string_view name) {
  if (name == "decimal" || name == "numeric") return ParseDecimal(cursor);
  if (name == "time") {
    ARROW_ASSIGN_OR_RAISE(const auto unit, ParsePrecision(cursor, arrow::TimeUnit::NANO));
    const Token at = cursor->token();
    ARROW_ASSIGN_OR_RAISE(const bool zone, ParseZone(cursor));
    if (zone) return SyntaxError(cursor->sql(), at.begin, at.end, "a time of day has no time zone");
    const bool narrow = unit == arrow::TimeUnit::SECOND || unit == arrow::TimeUnit::MILLI;
    return narrow ? arrow::time32(unit) : arrow::time64(unit);
  }
  if (name == "timestamp" || name == "datetime") {
    ARROW_ASSIGN_OR_RAISE(const auto unit, ParsePrecision(cursor, arrow::TimeUnit::MICRO));
    ARROW_ASSIGN_OR_RAISE(const bool zone, ParseZone(cursor));
    return zone ? arrow::timestamp(unit, "UTC") : arrow::timestamp(unit);
  }
  if (name != "varchar") {
    ARROW_RETURN_NOT_OK(cursor->AcceptWord("varying"));
  }
  ARROW_RETURN_NOT_OK(ParseLength(cursor, 999'999'999));
  return arrow::utf8();
}

}  // namespace

bool StartsSqlType(std::string_view word) {
  return FindSimple(word) != nullptr || IsParametric(word);
}

arrow::Result<TypePtr> ParseSqlType(Cursor* cursor) {
  const std::string name = cursor->token().word;
  if (name == "int2" || name == "int4" || name == "int8") {
    return cursor->Fail(Concat(name, " counts bytes in some dialects and bits in others: write ",
                               name == "int2"   ? "smallint"
                               : name == "int4" ? "int"
                                                : "bigint or tinyint"));
  }
  if (cursor->token().kind != TokenKind::kWord || !StartsSqlType(name)) {
    return cursor->Unexpected(
        "the name of a type (int, bigint, double, string, binary, boolean, date, time, timestamp, "
        "decimal(p, s), ..; arrow_cast takes Arrow's names)");
  }
  ARROW_RETURN_NOT_OK(cursor->Advance());
  TypePtr type;
  if (const SimpleType* simple = FindSimple(name); simple != nullptr) {
    bool is_unsigned = false;
    if (simple->make_unsigned != nullptr) {
      ARROW_ASSIGN_OR_RAISE(is_unsigned, cursor->AcceptWord("unsigned"));
    }
    type = is_unsigned ? simple->make_unsigned() : simple->make();
    if (name == "double") {
      ARROW_RETURN_NOT_OK(cursor->AcceptWord("precision"));
    } else if (name == "varbinary" || name == "binary") {
      ARROW_RETURN_NOT_OK(ParseLength(cursor, 999'999'999));
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(type, ParseParametric(cursor, name));
  }
  for (int lists = 0; cursor->IsSymbol("["); ++lists) {
    Cursor ahead = *cursor;
    ARROW_RETURN_NOT_OK(ahead.Advance());
    if (!ahead.IsSymbol("]")) break;
    if (lists == kMaxTypeDepth) return cursor->Fail("a type is nested too deeply");
    ARROW_RETURN_NOT_OK(ahead.Advance());
    *cursor = ahead;
    type = arrow::list(type);
  }
  return type;
}

}  // namespace glaive::expr
