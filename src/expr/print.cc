#include <utility>

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/status.h"
#include "expr/keywords.h"
#include "expr/lexer.h"
#include "expr/literal.h"
#include "expr/precedence.h"
#include "expr/syntax.h"

namespace glaive::expr {
namespace {

// What a tree begins with, below members and subscripts.
const Node& First(const Node& node) {
  const Node* first = &node;
  while (first->kind == NodeKind::kMember || first->kind == NodeKind::kSubscript) {
    first = first->children[0].get();
  }
  return *first;
}

// Whether "-" in front of its text would become part of a number.
bool StartsWithNumber(const Node& node) {
  const Node& first = First(node);
  if (first.kind != NodeKind::kLiteral) return false;
  const std::string text = LiteralText(*first.literal);
  return !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
}

bool IsTextLiteral(const Node& node) {
  return node.kind == NodeKind::kLiteral && node.literal->is_valid &&
         node.literal->type->id() == arrow::Type::STRING;
}

// A literal that has no text of its own is shown as the cast that it amounts to.
std::string AnyLiteralText(const arrow::Scalar& scalar) {
  const std::string text = LiteralText(scalar);
  if (!text.empty()) return text;
  const std::string value = scalar.is_valid ? QuoteText(scalar.ToString()) : "NULL";
  const std::string type = SqlTypeName(*scalar.type);
  if (!type.empty()) return Concat("CAST(", value, " AS ", type, ")");
  return Concat("arrow_cast(", value, ", ", QuoteText(ArrowTypeName(*scalar.type)), ")");
}

std::string FunctionText(const std::string& name) {
  if (IsPlainIdentifier(name) && !IsKeyword(name) && !HasOwnGrammar(name)) return name;
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string("``") : std::string(1, c);
  return quoted + "`";
}

std::string ParameterText(const Node& node) {
  if (node.name.empty()) return Concat("$", node.ordinal);
  return ":" + (IsPlainIdentifier(node.name) ? node.name : FunctionText(node.name));
}

std::string ColumnText(const Node& node) {
  std::string text;
  for (const std::string& name : node.path) {
    if (!text.empty()) text += ".";
    text += QuoteIdentifier(name);
  }
  return text;
}

std::string_view IsText(const Node& node) {
  switch (node.test) {
    case IsTest::kNull:
      return node.negated ? " IS NOT NULL" : " IS NULL";
    case IsTest::kTrue:
      return node.negated ? " IS NOT TRUE" : " IS TRUE";
    case IsTest::kFalse:
      return node.negated ? " IS NOT FALSE" : " IS FALSE";
    case IsTest::kUnknown:
      break;
  }
  return node.negated ? " IS NOT UNKNOWN" : " IS UNKNOWN";
}

// A list that can stand behind IN without being taken for the parentheses of IN (..).
bool IsPlainList(const Node& node) {
  const NodeKind first = First(node).kind;
  return first == NodeKind::kColumn || first == NodeKind::kParameter || first == NodeKind::kCall ||
         first == NodeKind::kArray || first == NodeKind::kCast;
}

// Writes with a list of work in place of recursion, so that depth takes no stack.
class Printer {
 public:
  std::string Print(const Node& root) {
    work_.push_back({&root, kLowest, {}});
    while (!work_.empty()) {
      Piece piece = std::move(work_.back());
      work_.pop_back();
      if (piece.node == nullptr) {
        out_ += piece.text;
      } else if (PrecedenceOf(*piece.node) < piece.least) {
        work_.push_back({nullptr, 0, ")"});
        work_.push_back({piece.node, kLowest, {}});
        out_ += "(";
      } else {
        Expand(*piece.node);
        // The pieces of a node, first on top.
        for (; !pieces_.empty(); pieces_.pop_back()) work_.push_back(std::move(pieces_.back()));
      }
    }
    return std::move(out_);
  }

 private:
  struct Piece {
    const Node* node;
    int least;
    std::string text;
  };

  void Text(std::string text) { pieces_.push_back({nullptr, 0, std::move(text)}); }

  void Child(const Node& node, size_t i, int least) {
    pieces_.push_back({node.children[i].get(), least, {}});
  }

  void List(const Node& node, size_t from) {
    for (size_t i = from; i < node.children.size(); ++i) {
      if (i > from) Text(", ");
      Child(node, i, kLowest);
    }
  }

  void Expand(const Node& node) {
    switch (node.kind) {
      case NodeKind::kLiteral:
        return Text(AnyLiteralText(*node.literal));
      case NodeKind::kColumn:
        return Text(ColumnText(node));
      case NodeKind::kParameter:
        return Text(ParameterText(node));
      case NodeKind::kUnary:
        return Unary(node);
      case NodeKind::kBinary:
        return Binary(node);
      case NodeKind::kBetween:
        Child(node, 0, LeftPrecedence(node));
        Text(node.negated ? " NOT BETWEEN " : " BETWEEN ");
        Child(node, 1, kPrecedenceBitOr);
        Text(" AND ");
        return Child(node, 2, kPrecedenceBitOr);
      case NodeKind::kIn:
        Child(node, 0, LeftPrecedence(node));
        Text(node.negated ? " NOT IN (" : " IN (");
        List(node, 1);
        return Text(")");
      case NodeKind::kInList:
        return InList(node);
      case NodeKind::kLike:
        Child(node, 0, LeftPrecedence(node));
        Text(Concat(" ", OperatorText(node.op, node.negated), " "));
        Child(node, 1, kPrecedenceBitOr);
        if (node.escape != 0) Text(" ESCAPE " + QuoteText(std::string(1, node.escape)));
        return;
      case NodeKind::kIs:
        Child(node, 0, LeftPrecedence(node));
        return Text(std::string(IsText(node)));
      case NodeKind::kQuantified:
        Child(node, 0, LeftPrecedence(node));
        Text(Concat(" ", OperatorText(node.op), node.negated ? " ALL(" : " ANY("));
        Child(node, 1, kLowest);
        return Text(")");
      case NodeKind::kCast:
        return Cast(node);
      case NodeKind::kCall:
        Text(FunctionText(node.name) + "(");
        List(node, 0);
        return Text(")");
      case NodeKind::kCase:
        return Case(node);
      case NodeKind::kArray:
        Text("[");
        List(node, 0);
        return Text("]");
      case NodeKind::kMember:
        Child(node, 0, LeftPrecedence(node));
        return Text("[" + QuoteText(node.name) + "]");
      case NodeKind::kSubscript:
        return Subscript(node);
      case NodeKind::kLambda:
        return Lambda(node);
      case NodeKind::kError:
        return Text("<" + node.name + ">");
    }
  }

  void Unary(const Node& node) {
    if (node.op == Op::kNot) {
      Text("NOT ");
      return Child(node, 0, kPrecedenceNot);
    }
    Text(std::string(node.op == Op::kNegate ? "-" : node.op == Op::kPlus ? "+" : "~"));
    const Node& operand = *node.children[0];
    // "-5" is a literal, and "--" begins a comment.
    const bool apart =
        node.op == Op::kNegate && (StartsWithNumber(operand) ||
                                   (operand.kind == NodeKind::kUnary && operand.op == Op::kNegate));
    Child(node, 0, apart ? kPrecedencePrimary + 1 : kPrecedenceUnary);
  }

  void Binary(const Node& node) {
    const bool chain = node.op == Op::kAnd || node.op == Op::kOr;
    const int right = chain                                         ? LeftPrecedence(node)
                      : PrecedenceOf(node.op) == kPrecedenceCompare ? int{kPrecedenceBitOr}
                                                                    : PrecedenceOf(node.op) + 1;
    const std::string op = Concat(" ", OperatorText(node.op), " ");
    Child(node, 0, LeftPrecedence(node));
    for (size_t i = 1; i < node.children.size(); ++i) {
      Text(op);
      Child(node, i, right);
    }
  }

  void InList(const Node& node) {
    Child(node, 0, LeftPrecedence(node));
    if (IsPlainList(*node.children[1])) {
      Text(node.negated ? " NOT IN " : " IN ");
      return Child(node, 1, kPrecedencePostfix);
    }
    Text(node.negated ? " <> ALL(" : " = ANY(");  // means the same
    Child(node, 1, kLowest);
    Text(")");
  }

  void Cast(const Node& node) {
    const std::string type = SqlTypeName(*node.type);
    if (!type.empty()) {
      Text(node.try_cast ? "TRY_CAST(" : "CAST(");
      Child(node, 0, kLowest);
      return Text(" AS " + type + ")");
    }
    Text(node.try_cast ? "arrow_try_cast(" : "arrow_cast(");
    Child(node, 0, kLowest);
    Text(", " + QuoteText(ArrowTypeName(*node.type)) + ")");
  }

  void Case(const Node& node) {
    size_t i = 0;
    Text("CASE");
    if (node.has_operand) {
      Text(" ");
      Child(node, i++, kLowest);
    }
    const size_t end = node.children.size() - (node.has_else ? 1 : 0);
    for (; i + 1 < end; i += 2) {
      Text(" WHEN ");
      Child(node, i, kLowest);
      Text(" THEN ");
      Child(node, i + 1, kLowest);
    }
    if (node.has_else) {
      Text(" ELSE ");
      Child(node, end, kLowest);
    }
    Text(" END");
  }

  void Subscript(const Node& node) {
    Child(node, 0, LeftPrecedence(node));
    Text("[");
    // A bare text would be a member.
    Child(node, 1, IsTextLiteral(*node.children[1]) ? kPrecedencePrimary + 1 : int{kLowest});
    Text("]");
  }

  void Lambda(const Node& node) {
    std::string names;
    for (const std::string& name : node.path) {
      names += (names.empty() ? "" : ", ") + QuoteIdentifier(name);
    }
    Text(node.path.size() == 1 ? names + " -> " : "(" + names + ") -> ");
    Child(node, 0, kLowest);
  }

  std::string out_;
  std::vector<Piece> work_;
  std::vector<Piece> pieces_;
};

}  // namespace

Precedence PrecedenceOf(Op op) {
  switch (op) {
    case Op::kOr:
      return kPrecedenceOr;
    case Op::kAnd:
      return kPrecedenceAnd;
    case Op::kNot:
      return kPrecedenceNot;
    case Op::kDistinct:
    case Op::kNotDistinct:
      return kPrecedenceIs;
    case Op::kEq:
    case Op::kNe:
    case Op::kLt:
    case Op::kLe:
    case Op::kGt:
    case Op::kGe:
    case Op::kLike:
    case Op::kILike:
    case Op::kSimilarTo:
    case Op::kRegex:
    case Op::kRegexFold:
      return kPrecedenceCompare;
    case Op::kBitOr:
      return kPrecedenceBitOr;
    case Op::kBitXor:
      return kPrecedenceBitXor;
    case Op::kBitAnd:
      return kPrecedenceBitAnd;
    case Op::kShiftLeft:
    case Op::kShiftRight:
      return kPrecedenceShift;
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kConcat:
      return kPrecedenceAdd;
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
      return kPrecedenceMultiply;
    case Op::kNegate:
    case Op::kPlus:
    case Op::kBitNot:
      return kPrecedenceUnary;
    case Op::kNone:
      break;
  }
  return kPrecedencePrimary;
}

Precedence PrecedenceOf(const Node& node) {
  switch (node.kind) {
    case NodeKind::kUnary:
    case NodeKind::kBinary:
      return PrecedenceOf(node.op);
    case NodeKind::kBetween:
    case NodeKind::kIn:
    case NodeKind::kInList:
    case NodeKind::kLike:
    case NodeKind::kQuantified:
      return kPrecedenceCompare;
    case NodeKind::kIs:
      return kPrecedenceIs;
    case NodeKind::kMember:
    case NodeKind::kSubscript:
      return kPrecedencePostfix;
    case NodeKind::kLiteral:  // "-5"
      if (arrow::is_base_binary_like(node.literal->type->id())) return kPrecedencePrimary;
      return LiteralText(*node.literal).substr(0, 1) == "-" ? kPrecedenceUnary : kPrecedencePrimary;
    default:
      return kPrecedencePrimary;
  }
}

Precedence LeftPrecedence(const Node& node) {
  switch (node.kind) {
    case NodeKind::kBinary: {
      const Precedence own = PrecedenceOf(node.op);
      // Comparisons don't chain, and nested ANDs are not the same node as one AND.
      const bool apart = own <= kPrecedenceCompare;
      return apart ? static_cast<Precedence>(own + 1) : own;
    }
    case NodeKind::kBetween:
    case NodeKind::kIn:
    case NodeKind::kInList:
    case NodeKind::kLike:
    case NodeKind::kQuantified:
      return kPrecedenceBitOr;
    case NodeKind::kIs:
      return kPrecedenceCompare;
    case NodeKind::kMember:
    case NodeKind::kSubscript:
      return kPrecedencePostfix;
    default:
      return kLowest;
  }
}

std::string_view OperatorText(Op op, bool negated) {
  switch (op) {
    case Op::kOr:
      return "OR";
    case Op::kAnd:
      return "AND";
    case Op::kNot:
      return "NOT";
    case Op::kEq:
      return "=";
    case Op::kNe:
      return "<>";
    case Op::kLt:
      return "<";
    case Op::kLe:
      return "<=";
    case Op::kGt:
      return ">";
    case Op::kGe:
      return ">=";
    case Op::kDistinct:
      return "IS DISTINCT FROM";
    case Op::kNotDistinct:
      return "IS NOT DISTINCT FROM";
    case Op::kAdd:
    case Op::kPlus:
      return "+";
    case Op::kSubtract:
    case Op::kNegate:
      return "-";
    case Op::kMultiply:
      return "*";
    case Op::kDivide:
      return "/";
    case Op::kModulo:
      return "%";
    case Op::kConcat:
      return "||";
    case Op::kBitAnd:
      return "&";
    case Op::kBitOr:
      return "|";
    case Op::kBitXor:
      return "^";
    case Op::kBitNot:
      return "~";
    case Op::kShiftLeft:
      return "<<";
    case Op::kShiftRight:
      return ">>";
    case Op::kLike:
      return negated ? "NOT LIKE" : "LIKE";
    case Op::kILike:
      return negated ? "NOT ILIKE" : "ILIKE";
    case Op::kSimilarTo:
      return negated ? "NOT SIMILAR TO" : "SIMILAR TO";
    case Op::kRegex:
      return negated ? "!~" : "~";
    case Op::kRegexFold:
      return negated ? "!~*" : "~*";
    case Op::kNone:
      break;
  }
  return "";
}

std::string ToSql(const Node& node) {
  return Printer().Print(node);
}

}  // namespace glaive::expr
