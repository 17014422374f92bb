#include <cmath>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/utf8.h>

#include "glaive/expression.h"

#include "base/status.h"
#include "expr/lexer.h"
#include "expr/literal.h"
#include "expr/parse.h"
#include "expr/syntax.h"

namespace glaive {
namespace {

using arrow::internal::checked_cast;
using expr::Node;
using expr::NodeKind;
using expr::NodePtr;
using expr::Op;
using expr::ScalarPtr;

std::shared_ptr<Node> MakeNode(NodeKind kind) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  return node;
}

Expression MakeError(std::string message) {
  auto node = MakeNode(NodeKind::kError);
  node->name = std::move(message);
  return Expression(std::move(node));
}

// The tree of an operand; an empty expression is an error where it is used.
NodePtr TreeOf(const Expression& expression) {
  if (!expression.empty()) return expression.node();
  return MakeError("an operand is an empty expression").node();
}

Expression MakeUnary(Op op, const Expression& operand) {
  auto node = MakeNode(NodeKind::kUnary);
  node->op = op;
  node->children = {TreeOf(operand)};
  return Expression(std::move(node));
}

Expression MakeBinary(Op op, const Expression& a, const Expression& b) {
  auto node = MakeNode(NodeKind::kBinary);
  node->op = op;
  node->children = {TreeOf(a), TreeOf(b)};
  return Expression(std::move(node));
}

// As the parser does for text without parentheses: `a && b && c` is one node.
Expression MakeLogical(Op op, const Expression& a, const Expression& b) {
  const NodePtr left = TreeOf(a);
  auto node = MakeNode(NodeKind::kBinary);
  node->op = op;
  if (left->kind == NodeKind::kBinary && left->op == op) {
    node->children.reserve(left->children.size() + 1);
    node->children = left->children;
  } else {
    node->children.push_back(left);
  }
  node->children.push_back(TreeOf(b));
  return Expression(std::move(node));
}

Expression MakeAll(Op op, std::vector<Expression> terms) {
  if (terms.empty()) return Lit(op == Op::kAnd);
  if (terms.size() == 1) return Expression(TreeOf(terms[0]));
  auto node = MakeNode(NodeKind::kBinary);
  node->op = op;
  node->children.reserve(terms.size());
  for (const Expression& term : terms) node->children.push_back(TreeOf(term));
  return Expression(std::move(node));
}

Expression MakeIs(const Expression& operand, bool negated) {
  auto node = MakeNode(NodeKind::kIs);
  node->test = expr::IsTest::kNull;
  node->negated = negated;
  node->children = {TreeOf(operand)};
  return Expression(std::move(node));
}

Expression MakeIn(const Expression& operand, std::vector<Value> values, bool negated) {
  auto node = MakeNode(NodeKind::kIn);
  node->negated = negated;
  node->children.reserve(values.size() + 1);
  node->children.push_back(TreeOf(operand));
  for (Value& value : values) node->children.push_back(Lit(std::move(value)).node());
  return Expression(std::move(node));
}

Expression MakeLike(const Expression& operand, Op op, Value pattern) {
  auto node = MakeNode(NodeKind::kLike);
  node->op = op;
  node->children = {TreeOf(operand), Lit(std::move(pattern)).node()};
  return Expression(std::move(node));
}

Expression MakeCast(const Expression& operand, std::shared_ptr<arrow::DataType> type,
                    bool try_cast) {
  if (type == nullptr) return MakeError("a cast has no type");
  auto node = MakeNode(NodeKind::kCast);
  node->try_cast = try_cast;
  node->type = std::move(type);
  node->children = {TreeOf(operand)};
  return Expression(std::move(node));
}

Expression MakeLiteral(ScalarPtr scalar) {
  auto node = MakeNode(NodeKind::kLiteral);
  node->literal = std::move(scalar);
  return Expression(std::move(node));
}

// --- values of types that have no literals: as casts of what has

Expression ListLiteral(const arrow::BaseListScalar& scalar) {
  auto node = MakeNode(NodeKind::kArray);
  for (int64_t i = 0; i < scalar.value->length(); ++i) {
    auto element = scalar.value->GetScalar(i);
    if (!element.ok()) return MakeError(element.status().message());
    node->children.push_back(Lit(Value(*element)).node());
  }
  return MakeCast(Expression(std::move(node)), scalar.type, false);
}

Expression StructLiteral(const arrow::StructScalar& scalar) {
  std::vector<Expression> arguments;
  for (size_t i = 0; i < scalar.value.size(); ++i) {
    arguments.push_back(Lit(scalar.type->field(static_cast<int>(i))->name()));
    arguments.push_back(Lit(Value(scalar.value[i])));
  }
  return MakeCast(Call("named_struct", std::move(arguments)), scalar.type, false);
}

Expression BytesLiteral(const arrow::BaseBinaryScalar& scalar) {
  const std::string_view bytes = scalar.view();
  const bool text =
      arrow::is_string(scalar.type->id()) || scalar.type->id() == arrow::Type::STRING_VIEW;
  if (text && !arrow::util::ValidateUTF8(bytes)) {
    return MakeError("a text value is not UTF-8: use Value::Binary for bytes");
  }
  return MakeCast(MakeLiteral(text ? expr::TextLiteral(bytes) : expr::BinaryLiteral(bytes)),
                  scalar.type, false);
}

Expression DictionaryLiteral(const arrow::DictionaryScalar& scalar) {
  auto value = scalar.GetEncodedValue();
  if (!value.ok()) return MakeError(value.status().message());
  return MakeCast(Lit(Value(*value)), scalar.type, false);
}

// Dates and times that text can't hold (with a zone, beyond year 9999, durations): by their number.
Expression CountLiteral(const arrow::Scalar& scalar) {
  int64_t count = 0;
  if (const auto* wide = dynamic_cast<const arrow::TemporalScalar<arrow::Date64Type>*>(&scalar)) {
    count = wide->value;
  } else if (scalar.type->id() == arrow::Type::TIMESTAMP) {
    count = checked_cast<const arrow::TimestampScalar&>(scalar).value;
  } else if (scalar.type->id() == arrow::Type::DURATION) {
    count = checked_cast<const arrow::DurationScalar&>(scalar).value;
  } else if (scalar.type->id() == arrow::Type::TIME64) {
    count = checked_cast<const arrow::Time64Scalar&>(scalar).value;
  } else {  // DATE32, TIME32
    const int32_t value = scalar.type->id() == arrow::Type::DATE32
                              ? checked_cast<const arrow::Date32Scalar&>(scalar).value
                              : checked_cast<const arrow::Time32Scalar&>(scalar).value;
    return MakeCast(MakeLiteral(std::make_shared<arrow::Int32Scalar>(value)), scalar.type, false);
  }
  return MakeCast(MakeLiteral(std::make_shared<arrow::Int64Scalar>(count)), scalar.type, false);
}

Expression IntervalValue(int32_t months, int32_t days, int64_t nanos) {
  return MakeLiteral(std::make_shared<arrow::MonthDayNanoIntervalScalar>(
      arrow::MonthDayNanoIntervalType::MonthDayNanos{months, days, nanos}));
}

// What has no text of its own.
Expression CastLiteral(const ScalarPtr& scalar) {
  switch (scalar->type->id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return ListLiteral(checked_cast<const arrow::BaseListScalar&>(*scalar));
    case arrow::Type::STRUCT:
      return StructLiteral(checked_cast<const arrow::StructScalar&>(*scalar));
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return BytesLiteral(checked_cast<const arrow::BaseBinaryScalar&>(*scalar));
    case arrow::Type::DICTIONARY:
      return DictionaryLiteral(checked_cast<const arrow::DictionaryScalar&>(*scalar));
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return CountLiteral(*scalar);
    case arrow::Type::INTERVAL_MONTHS:
      return IntervalValue(checked_cast<const arrow::MonthIntervalScalar&>(*scalar).value, 0, 0);
    case arrow::Type::INTERVAL_DAY_TIME: {
      const auto value = checked_cast<const arrow::DayTimeIntervalScalar&>(*scalar).value;
      return IntervalValue(0, value.days, int64_t{value.milliseconds} * 1'000'000);
    }
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return MakeCast(MakeLiteral(expr::TextLiteral(scalar->ToString())), scalar->type, false);
    default:
      return MakeError(Concat("values of type ", scalar->type->ToString(),
                              " can't stand in an expression: pass them as parameters"));
  }
}

}  // namespace

Value::Value(std::nullptr_t) : scalar_(std::make_shared<arrow::NullScalar>()) {}

Value::Value(bool value) : scalar_(std::make_shared<arrow::BooleanScalar>(value)) {}

Value::Value(int value) : Value(static_cast<long long>(value)) {}

Value::Value(long value) : Value(static_cast<long long>(value)) {}

Value::Value(long long value) : scalar_(std::make_shared<arrow::Int64Scalar>(value)) {}

Value::Value(unsigned value) : Value(static_cast<unsigned long long>(value)) {}

Value::Value(unsigned long value) : Value(static_cast<unsigned long long>(value)) {}

Value::Value(unsigned long long value) {
  if (value > static_cast<unsigned long long>(INT64_MAX)) {
    scalar_ = std::make_shared<arrow::UInt64Scalar>(value);
  } else {
    scalar_ = std::make_shared<arrow::Int64Scalar>(static_cast<int64_t>(value));
  }
}

Value::Value(double value) : scalar_(std::make_shared<arrow::DoubleScalar>(value)) {}

Value::Value(const char* text) {
  if (text == nullptr) {
    scalar_ = std::make_shared<arrow::NullScalar>();
  } else {
    scalar_ = expr::TextLiteral(text);
  }
}

Value::Value(std::string text) : scalar_(std::make_shared<arrow::StringScalar>(std::move(text))) {}

Value::Value(std::string_view text) : scalar_(expr::TextLiteral(text)) {}

Value::Value(std::shared_ptr<arrow::Scalar> scalar) : scalar_(std::move(scalar)) {
  if (scalar_ == nullptr) scalar_ = std::make_shared<arrow::NullScalar>();
}

Value Value::Binary(std::string bytes) {
  return Value(ScalarPtr(
      std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::move(bytes)))));
}

arrow::Result<Expression> Expression::Parse(std::string_view sql) {
  ARROW_ASSIGN_OR_RAISE(NodePtr node, expr::Parse(sql));
  return Expression(std::move(node));
}

std::string Expression::ToSql() const {
  return empty() ? "" : expr::ToSql(*node_);
}

bool Expression::Equals(const Expression& other) const {
  if (empty() || other.empty()) return empty() && other.empty();
  return expr::Equals(*node_, *other.node_);
}

Expression Expression::IsNull() const {
  return MakeIs(*this, false);
}

Expression Expression::IsNotNull() const {
  return MakeIs(*this, true);
}

Expression Expression::In(std::vector<Value> values) const {
  return MakeIn(*this, std::move(values), false);
}

Expression Expression::NotIn(std::vector<Value> values) const {
  return MakeIn(*this, std::move(values), true);
}

Expression Expression::Between(Expression low, Expression high) const {
  auto node = MakeNode(NodeKind::kBetween);
  node->children = {TreeOf(*this), TreeOf(low), TreeOf(high)};
  return Expression(std::move(node));
}

Expression Expression::Like(Value pattern) const {
  return MakeLike(*this, Op::kLike, std::move(pattern));
}

Expression Expression::ILike(Value pattern) const {
  return MakeLike(*this, Op::kILike, std::move(pattern));
}

Expression Expression::IsDistinctFrom(Expression other) const {
  return MakeBinary(Op::kDistinct, *this, other);
}

Expression Expression::IsNotDistinctFrom(Expression other) const {
  return MakeBinary(Op::kNotDistinct, *this, other);
}

Expression Expression::Cast(std::shared_ptr<arrow::DataType> type) const {
  return MakeCast(*this, std::move(type), false);
}

Expression Expression::TryCast(std::shared_ptr<arrow::DataType> type) const {
  return MakeCast(*this, std::move(type), true);
}

Expression Expression::Member(std::string name) const {
  auto node = MakeNode(NodeKind::kMember);
  node->name = std::move(name);
  node->children = {TreeOf(*this)};
  return Expression(std::move(node));
}

Expression Expression::At(Expression index) const {
  auto node = MakeNode(NodeKind::kSubscript);
  node->children = {TreeOf(*this), TreeOf(index)};
  return Expression(std::move(node));
}

Expression Col(std::string_view path) {
  auto names = expr::ParseColumnPath(path);
  if (!names.ok()) {
    return MakeError(Concat("malformed path of a column: ", names.status().message()));
  }
  return ColPath(*std::move(names));
}

Expression ColPath(std::vector<std::string> names) {
  if (names.empty()) return MakeError("the path of a column is empty");
  for (const std::string& name : names) {
    if (name.empty()) return MakeError("a name in the path of a column is empty");
  }
  auto node = MakeNode(NodeKind::kColumn);
  node->path = std::move(names);
  return Expression(std::move(node));
}

Expression Lit(Value value) {
  const ScalarPtr& scalar = value.scalar();
  if (scalar->type->id() == arrow::Type::EXTENSION) {
    return Lit(Value(checked_cast<const arrow::ExtensionScalar&>(*scalar).value));
  }
  if (!scalar->is_valid) {
    Expression null = MakeLiteral(std::make_shared<arrow::NullScalar>());
    return scalar->type->id() == arrow::Type::NA ? null : MakeCast(null, scalar->type, false);
  }
  if (scalar->type->id() == arrow::Type::STRING &&
      !arrow::util::ValidateUTF8(checked_cast<const arrow::StringScalar&>(*scalar).view())) {
    return MakeError("a text value is not UTF-8: use Value::Binary for bytes");
  }
  return expr::LiteralText(*scalar).empty() ? CastLiteral(scalar) : MakeLiteral(scalar);
}

Expression Param(std::string name) {
  if (name.empty()) return MakeError("the name of a parameter is empty");
  auto node = MakeNode(NodeKind::kParameter);
  node->name = std::move(name);
  return Expression(std::move(node));
}

Expression Call(std::string function, std::vector<Expression> arguments) {
  if (function.empty()) return MakeError("the name of a function is empty");
  auto node = MakeNode(NodeKind::kCall);
  node->name = expr::LowerCase(function);
  if (node->name == "trim") node->name = "btrim";  // as the parser does
  node->children.reserve(arguments.size());
  for (const Expression& argument : arguments) node->children.push_back(TreeOf(argument));
  return Expression(std::move(node));
}

Expression And(std::vector<Expression> terms) {
  return MakeAll(Op::kAnd, std::move(terms));
}

Expression Or(std::vector<Expression> terms) {
  return MakeAll(Op::kOr, std::move(terms));
}

Expression operator==(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kEq, a, b);
}

Expression operator!=(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kNe, a, b);
}

Expression operator<(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kLt, a, b);
}

Expression operator<=(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kLe, a, b);
}

Expression operator>(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kGt, a, b);
}

Expression operator>=(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kGe, a, b);
}

Expression operator+(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kAdd, a, b);
}

Expression operator-(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kSubtract, a, b);
}

Expression operator*(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kMultiply, a, b);
}

Expression operator/(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kDivide, a, b);
}

Expression operator%(const Expression& a, const Expression& b) {
  return MakeBinary(Op::kModulo, a, b);
}

Expression operator&&(const Expression& a, const Expression& b) {
  return MakeLogical(Op::kAnd, a, b);
}

Expression operator||(const Expression& a, const Expression& b) {
  return MakeLogical(Op::kOr, a, b);
}

Expression operator!(const Expression& a) {
  return MakeUnary(Op::kNot, a);
}

Expression operator-(const Expression& a) {
  return MakeUnary(Op::kNegate, a);
}

arrow::Result<Expression> Clause::Parse() const {
  if (!expression_.empty()) return expression_;
  return Expression::Parse(sql_);
}

std::string Clause::ToSql() const {
  return expression_.empty() ? sql_ : expression_.ToSql();
}

}  // namespace glaive
