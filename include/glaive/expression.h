// Expressions: filters, computed columns, update values, merge conditions. Written as SQL text or
// built in C++; both make the same immutable tree. docs/expressions.md has the dialect and every
// function.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/export.h"

namespace glaive {

namespace expr {
struct Node;
}

/// A typed value of a literal or a parameter. Integers become int64 (uint64 above its range), text
/// becomes utf8; everything else as given. Immutable; thread-safe.
class GLAIVE_EXPORT Value {
 public:
  Value(std::nullptr_t);  // NOLINT: literals convert
  Value(bool value);
  Value(int value);
  Value(long value);
  Value(long long value);
  Value(unsigned value);
  Value(unsigned long value);
  Value(unsigned long long value);
  Value(double value);
  Value(const char* text);
  Value(std::string text);
  Value(std::string_view text);
  /// Any Arrow scalar: dates, timestamps, decimals, binary, lists, ...
  Value(std::shared_ptr<arrow::Scalar> scalar);
  static Value Binary(std::string bytes);

  const std::shared_ptr<arrow::Scalar>& scalar() const { return scalar_; }

 private:
  std::shared_ptr<arrow::Scalar> scalar_;
};

/// Values for the parameters of an expression: `?` and `$1` take `positional` (from 1), `:name` and
/// `$name` take `named`. They are bound as typed values, never pasted into text.
struct Parameters {
  std::vector<Value> positional;
  std::map<std::string, Value> named;
};

/// An expression tree. Empty if default-constructed. Immutable, cheap to copy, thread-safe.
class GLAIVE_EXPORT Expression {
 public:
  Expression() = default;

  explicit Expression(std::shared_ptr<const expr::Node> node) : node_(std::move(node)) {}

  /// kInvalidArgument with line, column, what was found and what was expected there. Text after the
  /// expression (also after ';') is an error.
  static arrow::Result<Expression> Parse(std::string_view sql);

  bool empty() const { return node_ == nullptr; }

  /// SQL that parses to an equal tree. Empty for an empty expression.
  std::string ToSql() const;
  /// Same tree, positions in text apart.
  bool Equals(const Expression& other) const;

  const std::shared_ptr<const expr::Node>& node() const { return node_; }

  Expression IsNull() const;
  Expression IsNotNull() const;
  Expression In(std::vector<Value> values) const;
  Expression NotIn(std::vector<Value> values) const;
  Expression Between(Expression low, Expression high) const;
  Expression Like(Value pattern) const;
  Expression ILike(Value pattern) const;
  /// Null-safe (in)equality.
  Expression IsDistinctFrom(Expression other) const;
  Expression IsNotDistinctFrom(Expression other) const;
  /// Error where a value can't be cast; TryCast gives null there.
  Expression Cast(std::shared_ptr<arrow::DataType> type) const;
  Expression TryCast(std::shared_ptr<arrow::DataType> type) const;
  /// Member of a struct.
  Expression Member(std::string name) const;
  /// Element of a list, from 1.
  Expression At(Expression index) const;

 private:
  std::shared_ptr<const expr::Node> node_;
};

/// A column by path as written in SQL: "a", "s.x", "`odd.name`". A malformed path makes an
/// expression whose use fails with kInvalidArgument.
GLAIVE_EXPORT Expression Col(std::string_view path);
/// A column by its exact names from the root.
GLAIVE_EXPORT Expression ColPath(std::vector<std::string> names);
GLAIVE_EXPORT Expression Lit(Value value);
/// A named parameter.
GLAIVE_EXPORT Expression Param(std::string name);
/// A function by its SQL name.
GLAIVE_EXPORT Expression Call(std::string function, std::vector<Expression> arguments);
/// All / any of them; of none: true / false.
GLAIVE_EXPORT Expression And(std::vector<Expression> terms);
GLAIVE_EXPORT Expression Or(std::vector<Expression> terms);

GLAIVE_EXPORT Expression operator==(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator!=(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator<(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator<=(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator>(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator>=(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator+(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator-(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator*(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator/(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator%(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator&&(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator||(const Expression& a, const Expression& b);
GLAIVE_EXPORT Expression operator!(const Expression& a);
GLAIVE_EXPORT Expression operator-(const Expression& a);

inline Expression operator==(const Expression& a, const Value& b) {
  return a == Lit(b);
}

inline Expression operator!=(const Expression& a, const Value& b) {
  return a != Lit(b);
}

inline Expression operator<(const Expression& a, const Value& b) {
  return a < Lit(b);
}

inline Expression operator<=(const Expression& a, const Value& b) {
  return a <= Lit(b);
}

inline Expression operator>(const Expression& a, const Value& b) {
  return a > Lit(b);
}

inline Expression operator>=(const Expression& a, const Value& b) {
  return a >= Lit(b);
}

inline Expression operator+(const Expression& a, const Value& b) {
  return a + Lit(b);
}

inline Expression operator-(const Expression& a, const Value& b) {
  return a - Lit(b);
}

inline Expression operator*(const Expression& a, const Value& b) {
  return a * Lit(b);
}

inline Expression operator/(const Expression& a, const Value& b) {
  return a / Lit(b);
}

inline Expression operator%(const Expression& a, const Value& b) {
  return a % Lit(b);
}

/// A type by its SQL name, as in CAST ("bigint", "timestamp(3)", "decimal(10, 2)", "int[]"), or by the name
/// that arrow_cast takes ("Timestamp(Microsecond, None)"). kInvalidArgument shows where it fails.
GLAIVE_EXPORT arrow::Result<std::shared_ptr<arrow::DataType>> ParseType(std::string_view name);

/// What a request carries where SQL allows an expression: text, or a tree. Text is parsed when the
/// request is used, and errors appear there.
class GLAIVE_EXPORT Clause {
 public:
  Clause() = default;

  Clause(const char* sql) : sql_(sql) {}  // NOLINT: requests are written as text

  Clause(std::string sql) : sql_(std::move(sql)) {}

  Clause(std::string_view sql) : sql_(sql) {}

  Clause(Expression expression) : expression_(std::move(expression)) {}

  /// True if there is neither text nor a tree. Text of blanks only is not empty, but an error when
  /// used.
  bool empty() const { return expression_.empty() && sql_.empty(); }

  arrow::Result<Expression> Parse() const;
  /// As given, or as printed.
  std::string ToSql() const;

 private:
  std::string sql_;
  Expression expression_;
};

}  // namespace glaive
