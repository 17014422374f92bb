// Door: the syntax tree of an expression, and how it prints back to SQL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

enum class NodeKind {
  kLiteral,     ///< literal; integers int64 (uint64, then decimal above), text utf8
  kColumn,      ///< path
  kParameter,   ///< name, or, if that is empty, ordinal
  kUnary,       ///< op, children[0]
  kBinary,      ///< op, children[0..1]; kAnd and kOr: any number of children from two on
  kBetween,     ///< negated; children: value, low, high
  kIn,          ///< negated; children[0] in children[1..]
  kInList,      ///< negated; children[0] in the elements of the list children[1]
  kLike,        ///< op kLike/kILike/kSimilarTo/kRegex…; negated; escape; children: value, pattern
  kIs,          ///< test, negated; children[0]
  kQuantified,  ///< children[0] op ANY/ALL (list children[1]); negated means ALL
  kCast,        ///< type, try_cast; children[0]
  kCall,   ///< name, children = arguments; also EXTRACT, SUBSTRING, … under their function's name
  kCase,   ///< has_operand, has_else; children: [operand,] when, then, …, [else]
  kArray,  ///< [a, b, …]
  kMember,     ///< children[0].name; also children[0]['name'], of a struct or a map
  kSubscript,  ///< children[0][children[1]], where the index is not just a text literal
  kLambda,     ///< parameters `path` -> children[0]; only as an argument of list functions
  kError,      ///< made by the builder from malformed input; name = message; binding fails with it
};

enum class Op {
  kNone,
  kOr,
  kAnd,
  kNot,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kDistinct,
  kNotDistinct,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kPlus,
  kConcat,
  kBitAnd,
  kBitOr,
  kBitXor,
  kBitNot,
  kShiftLeft,
  kShiftRight,
  kLike,
  kILike,
  kSimilarTo,
  kRegex,
  kRegexFold,  ///< kRegex is ~, kRegexFold is ~*
};

enum class IsTest { kNull, kTrue, kFalse, kUnknown };

/// Immutable once made. Which members count is said at NodeKind.
///
/// A chain of AND or OR, however long, is one node: `a AND b AND c` has three children. Parentheses
/// keep their grouping: `(a AND b) AND c` has two. Chains of other operators lean to the left and
/// may be deeper than kMaxDepth on that side only; printing, comparing and destroying take no stack
/// for them, but the binder refuses them.
struct Node {
  Node() = default;
  Node(const Node&) = default;
  Node& operator=(const Node&) = default;
  ~Node();  ///< takes no stack, however deep the tree

  NodeKind kind = NodeKind::kLiteral;
  Op op = Op::kNone;
  IsTest test = IsTest::kNull;
  bool negated = false;
  bool try_cast = false;
  bool has_operand = false;
  bool has_else = false;
  int32_t ordinal = 0;  ///< of a positional parameter, from 1
  char escape = 0;      ///< 0: the default, backslash
  uint32_t begin = 0;   ///< bytes of the text it came from; both 0 if built
  uint32_t end = 0;
  std::shared_ptr<const std::string> source;  ///< that text, for messages; null if built
  std::string name;
  std::vector<std::string> path;
  std::shared_ptr<arrow::Scalar> literal;
  std::shared_ptr<arrow::DataType> type;
  std::vector<NodePtr> children;
};

/// Deeper trees are refused by the parser (chains that lean to the left apart), the builder's users
/// and the binder alike.
inline constexpr int kMaxDepth = 256;
/// Longer texts are refused.
inline constexpr size_t kMaxTextBytes = 16u << 20;

/// Positions are not compared. Literals are equal by type and value; NaN equals NaN.
bool Equals(const Node& a, const Node& b);

/// SQL that Parse turns into an equal tree.
std::string ToSql(const Node& node);
/// A name as it must be written: bare, or in back-ticks if it is no plain identifier or a reserved
/// word.
std::string QuoteIdentifier(std::string_view name);
/// 'text' with quotes doubled.
std::string QuoteText(std::string_view text);

/// Types by SQL name, as in CAST: int, bigint unsigned, timestamp(3), decimal(10, 2), … and, in
/// `arrow_cast`, by Arrow's name: Timestamp(Microsecond, Some("UTC")), List(Int32), …
arrow::Result<std::shared_ptr<arrow::DataType>> ParseArrowTypeName(std::string_view text);
/// The SQL text of a type for CAST; empty if only arrow_cast can name it.
std::string SqlTypeName(const arrow::DataType& type);
/// The name that arrow_cast takes.
std::string ArrowTypeName(const arrow::DataType& type);

}  // namespace glaive::expr
