// Literals: their text -> scalar, and scalar -> text. Private to parser, printer and builder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// Digits: int64, above it uint64, above it decimal of as many digits, above 76 double.
arrow::Result<ScalarPtr> IntegerLiteral(std::string_view digits, bool negative);
/// A number with point or exponent: double.
arrow::Result<ScalarPtr> DecimalLiteral(std::string_view digits, bool negative);
ScalarPtr TextLiteral(std::string_view text);
ScalarPtr BinaryLiteral(std::string_view bytes);

/// `type 'text'`, as in date '2024-01-31', smallint '5', decimal(5, 2) '1.50', double 'NaN'. A
/// timestamp or time without precision keeps what its fraction needs.
arrow::Result<ScalarPtr> TypedLiteral(const std::shared_ptr<arrow::DataType>& type,
                                      std::string_view text);
/// "1 year 2 months 3 days 04:05:06.7"; if `unit` is given, "3" counts that unit.
arrow::Result<ScalarPtr> IntervalLiteral(std::string_view text, std::string_view unit);

/// The text of a literal that parses to an equal scalar; empty if there is none.
std::string LiteralText(const arrow::Scalar& scalar);

}  // namespace glaive::expr
