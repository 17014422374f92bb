#include "expr/parse.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include "base/status.h"
#include "expr/keywords.h"
#include "expr/lexer.h"
#include "expr/literal.h"
#include "expr/precedence.h"
#include "expr/sql_type.h"

namespace glaive::expr {
namespace {

// Calls of the parser within each other, with those for mere parentheses: the printer writes at
// most one pair per level of a tree.
constexpr int kMaxNesting = 2 * kMaxDepth + 2;
constexpr int kMaxOrdinal = 65'535;

// A tree and its depth as seen from the printed text: a left operand without parentheses adds none.
// It depends on the tree alone, so that what is accepted is accepted again when printed.
struct Parsed {
  NodePtr node;
  int depth = 0;
};

std::shared_ptr<Node> MakeNode(NodeKind kind) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  return node;
}

struct InfixOperator {
  std::string_view symbol;
  Op op;
  bool negated;
};

constexpr InfixOperator kInfix[] = {
    {"=", Op::kEq, false},          {"==", Op::kEq, false},        {"!=", Op::kNe, false},
    {"<>", Op::kNe, false},         {"<", Op::kLt, false},         {"<=", Op::kLe, false},
    {">", Op::kGt, false},          {">=", Op::kGe, false},        {"+", Op::kAdd, false},
    {"-", Op::kSubtract, false},    {"*", Op::kMultiply, false},   {"/", Op::kDivide, false},
    {"%", Op::kModulo, false},      {"||", Op::kConcat, false},    {"&", Op::kBitAnd, false},
    {"|", Op::kBitOr, false},       {"^", Op::kBitXor, false},     {"<<", Op::kShiftLeft, false},
    {">>", Op::kShiftRight, false}, {"~", Op::kRegex, false},      {"~*", Op::kRegexFold, false},
    {"!~", Op::kRegex, true},       {"!~*", Op::kRegexFold, true},
};

// What SQL has behind an expression and this dialect has not.
struct Refused {
  std::string_view word;
  std::string_view what;
};

constexpr Refused kRefusedBehind[] = {
    {"collate", "COLLATE is not supported: text compares by its UTF-8 bytes"},
    {"over", "window functions (OVER) are not supported in expressions"},
    {"filter", "aggregates (FILTER) are not supported in expressions"},
    {"within", "aggregates (WITHIN GROUP) are not supported in expressions"},
    {"at", "AT TIME ZONE is not supported: cast with arrow_cast(x, 'Timestamp(..)')"},
    {"regexp", "REGEXP is not supported: write a ~ 'regex'"},
    {"rlike", "RLIKE is not supported: write a ~ 'regex'"},
    {"glob", "GLOB is not supported: write LIKE or ~"},
    {"as", "AS is not part of an expression: aliases are given apart"},
};

class Parser {
 public:
  explicit Parser(std::string_view sql) : cursor_(sql) {}

  arrow::Result<NodePtr> ParseAll() {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    if (cursor_.token().kind == TokenKind::kEnd) {
      return cursor_.Fail("syntax error: the expression is empty");
    }
    ARROW_ASSIGN_OR_RAISE(Parsed parsed, Expression(kLowest));
    if (cursor_.token().kind != TokenKind::kEnd) return Behind();
    return parsed.node;
  }

  arrow::Result<std::vector<std::string>> ParsePath() {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    if (!cursor_.IsName()) return cursor_.Unexpected("the name of a column");
    std::vector<std::string> path;
    ARROW_RETURN_NOT_OK(PathFromHere(&path));
    if (cursor_.token().kind != TokenKind::kEnd) {
      return cursor_.Unexpected("\".\" or the end of the column's name");
    }
    return path;
  }

 private:
  // --- making nodes

  arrow::Result<Parsed> Finish(std::shared_ptr<Node> node, uint32_t begin, int depth) {
    node->begin = begin;
    node->end = cursor_.last_end();
    if (depth > kMaxDepth) {
      return SyntaxError(
          cursor_.sql(), node->begin, node->end,
          Concat("the expression is nested too deeply (at most ", kMaxDepth, " levels)"));
    }
    return Parsed{std::move(node), depth};
  }

  arrow::Result<Parsed> FinishLiteral(arrow::Result<ScalarPtr> scalar, uint32_t begin) {
    if (!scalar.ok()) {
      return SyntaxError(cursor_.sql(), begin, cursor_.last_end(), scalar.status().message());
    }
    auto node = MakeNode(NodeKind::kLiteral);
    node->literal = *std::move(scalar);
    return Finish(std::move(node), begin, 1);
  }

  // Adds an operand that is not the left one.
  static void Add(const std::shared_ptr<Node>& node, Parsed child, int* depth) {
    *depth = std::max(*depth, child.depth + 1);
    node->children.push_back(std::move(child.node));
  }

  // Adds the left operand: `kind`, and for a binary `op`, have to be set before.
  static void AddLeft(const std::shared_ptr<Node>& node, Parsed left, int* depth) {
    const bool apart = PrecedenceOf(*left.node) < LeftPrecedence(*node);
    *depth = std::max({*depth, left.depth + (apart ? 1 : 0), 1});
    node->children.push_back(std::move(left.node));
  }

  arrow::Status Behind() const {
    for (const Refused& refused : kRefusedBehind) {
      if (cursor_.IsWord(refused.word)) return cursor_.Fail(refused.what);
    }
    if (cursor_.IsSymbol(";")) {
      return cursor_.Unexpected("the end (an expression is one, not a list of statements)");
    }
    return cursor_.Unexpected("an operator or the end");
  }

  // --- operators

  arrow::Result<Parsed> Expression(int least) {
    if (nesting_ >= kMaxNesting || nesting_ - parentheses_ > kMaxDepth) {
      return cursor_.Fail(
          Concat("the expression is nested too deeply (at most ", kMaxDepth, " levels)"));
    }
    ++nesting_;
    arrow::Result<Parsed> result = Operators(least);
    --nesting_;
    return result;
  }

  arrow::Result<Parsed> Operators(int least) {
    const uint32_t begin = cursor_.token().begin;
    ARROW_ASSIGN_OR_RAISE(Parsed left, Prefix());
    for (;;) {
      bool more = false;
      ARROW_RETURN_NOT_OK(Infix(least, begin, &left, &more));
      if (!more) return left;
    }
  }

  // One operator behind `left`, if there is one that binds at least as tightly as `least`.
  arrow::Status Infix(int least, uint32_t begin, Parsed* left, bool* more) {
    const Token& token = cursor_.token();
    if (token.kind == TokenKind::kSymbol) {
      if (token.text == "[" || token.text == "." || token.text == "::") {
        *more = true;
        return Postfix(begin, left);
      }
      for (const InfixOperator& infix : kInfix) {
        if (infix.symbol != token.text) continue;
        if (PrecedenceOf(infix.op) < least) return arrow::Status::OK();
        *more = true;
        return SymbolOperator(infix, begin, left);
      }
      return arrow::Status::OK();
    }
    return token.kind == TokenKind::kWord ? WordOperator(least, begin, left, more)
                                          : arrow::Status::OK();
  }

  arrow::Status SymbolOperator(const InfixOperator& infix, uint32_t begin, Parsed* left) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    const Precedence precedence = PrecedenceOf(infix.op);
    if (infix.op == Op::kRegex || infix.op == Op::kRegexFold) {
      return Like(infix.op, infix.negated, begin, left);
    }
    if (precedence == kPrecedenceCompare && IsQuantifier()) {
      return Quantified(infix.op, begin, left);
    }
    auto node = MakeNode(NodeKind::kBinary);
    node->op = infix.op;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(Parsed right, Expression(precedence + 1));
    Add(node, std::move(right), &depth);
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  arrow::Status WordOperator(int least, uint32_t begin, Parsed* left, bool* more) {
    const std::string& word = cursor_.token().word;
    if (word == "and" || word == "or") {
      const Op op = word == "and" ? Op::kAnd : Op::kOr;
      *more = PrecedenceOf(op) >= least;
      return *more ? Chain(op, begin, left) : arrow::Status::OK();
    }
    if (word == "is") {
      *more = kPrecedenceIs >= least;
      return *more ? Is(begin, left) : arrow::Status::OK();
    }
    static constexpr std::string_view kComparisons[] = {"not",  "between", "in",
                                                        "like", "ilike",   "similar"};
    if (kPrecedenceCompare < least || std::find(std::begin(kComparisons), std::end(kComparisons),
                                                word) == std::end(kComparisons)) {
      return arrow::Status::OK();
    }
    *more = true;
    ARROW_ASSIGN_OR_RAISE(const bool negated, cursor_.AcceptWord("not"));
    ARROW_ASSIGN_OR_RAISE(const bool between, cursor_.AcceptWord("between"));
    if (between) return Between(negated, begin, left);
    ARROW_ASSIGN_OR_RAISE(const bool in, cursor_.AcceptWord("in"));
    if (in) return In(negated, begin, left);
    ARROW_ASSIGN_OR_RAISE(const bool like, cursor_.AcceptWord("like"));
    if (like) return Like(Op::kLike, negated, begin, left);
    ARROW_ASSIGN_OR_RAISE(const bool ilike, cursor_.AcceptWord("ilike"));
    if (ilike) return Like(Op::kILike, negated, begin, left);
    ARROW_ASSIGN_OR_RAISE(const bool similar, cursor_.AcceptWord("similar"));
    if (!similar) return cursor_.Unexpected("BETWEEN, IN, LIKE, ILIKE or SIMILAR TO behind NOT");
    ARROW_RETURN_NOT_OK(cursor_.ExpectWord("to"));
    return Like(Op::kSimilarTo, negated, begin, left);
  }

  // a AND b AND c ..: one node.
  arrow::Status Chain(Op op, uint32_t begin, Parsed* left) {
    const std::string_view word = op == Op::kAnd ? "and" : "or";
    auto node = MakeNode(NodeKind::kBinary);
    node->op = op;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const bool more, cursor_.AcceptWord(word));
      if (!more) break;
      ARROW_ASSIGN_OR_RAISE(Parsed term, Expression(PrecedenceOf(op) + 1));
      Add(node, std::move(term), &depth);
    }
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  arrow::Status Is(uint32_t begin, Parsed* left) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ARROW_ASSIGN_OR_RAISE(const bool negated, cursor_.AcceptWord("not"));
    ARROW_ASSIGN_OR_RAISE(const bool distinct, cursor_.AcceptWord("distinct"));
    int depth = 0;
    if (distinct) {
      ARROW_RETURN_NOT_OK(cursor_.ExpectWord("from"));
      auto node = MakeNode(NodeKind::kBinary);
      node->op = negated ? Op::kNotDistinct : Op::kDistinct;
      AddLeft(node, std::move(*left), &depth);
      ARROW_ASSIGN_OR_RAISE(Parsed right, Expression(kPrecedenceCompare));
      Add(node, std::move(right), &depth);
      ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
      return arrow::Status::OK();
    }
    auto node = MakeNode(NodeKind::kIs);
    node->negated = negated;
    static constexpr std::pair<std::string_view, IsTest> kTests[] = {{"null", IsTest::kNull},
                                                                     {"true", IsTest::kTrue},
                                                                     {"false", IsTest::kFalse},
                                                                     {"unknown", IsTest::kUnknown}};
    const auto* test = std::find_if(std::begin(kTests), std::end(kTests),
                                    [&](const auto& t) { return cursor_.IsWord(t.first); });
    if (test == std::end(kTests)) {
      return cursor_.Unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM behind IS");
    }
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    node->test = test->second;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  arrow::Status Between(bool negated, uint32_t begin, Parsed* left) {
    auto node = MakeNode(NodeKind::kBetween);
    node->negated = negated;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(Parsed low, Expression(kPrecedenceBitOr));
    Add(node, std::move(low), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectWord("and"));
    ARROW_ASSIGN_OR_RAISE(Parsed high, Expression(kPrecedenceBitOr));
    Add(node, std::move(high), &depth);
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  arrow::Status In(bool negated, uint32_t begin, Parsed* left) {
    const bool items = cursor_.IsSymbol("(");
    auto node = MakeNode(items ? NodeKind::kIn : NodeKind::kInList);
    node->negated = negated;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    if (items) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      ARROW_RETURN_NOT_OK(Items(node, ")", &depth));
    } else {
      const Token& token = cursor_.token();
      const bool list = cursor_.IsSymbol("[") || token.kind == TokenKind::kNamed ||
                        token.kind == TokenKind::kPositional ||
                        (cursor_.IsName() && !IsKeyword(token.word));
      if (!list) return cursor_.Unexpected("\"(\" or a list behind IN");
      ARROW_ASSIGN_OR_RAISE(Parsed right, Expression(kPrecedencePostfix));
      Add(node, std::move(right), &depth);
      // `interval '..'` and other typed literals are names too.
      if (node->children[1]->kind == NodeKind::kLiteral) {
        return SyntaxError(cursor_.sql(), node->children[1]->begin, node->children[1]->end,
                           "syntax error: expected \"(\" or a list behind IN");
      }
    }
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  // Expressions with commas up to and with `close`.
  arrow::Status Items(const std::shared_ptr<Node>& node, std::string_view close, int* depth) {
    if (!cursor_.IsSymbol(close)) {
      for (;;) {
        ARROW_ASSIGN_OR_RAISE(Parsed item, Expression(kLowest));
        Add(node, std::move(item), depth);
        ARROW_ASSIGN_OR_RAISE(const bool more, cursor_.AcceptSymbol(","));
        if (!more) break;
      }
    }
    if (!cursor_.IsSymbol(close)) {
      return cursor_.Unexpected(Concat("\",\" or \"", close, "\""));
    }
    *depth = std::max(*depth, 1);
    return cursor_.Advance();
  }

  arrow::Status Like(Op op, bool negated, uint32_t begin, Parsed* left) {
    auto node = MakeNode(NodeKind::kLike);
    node->op = op;
    node->negated = negated;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(Parsed pattern, Expression(kPrecedenceBitOr));
    Add(node, std::move(pattern), &depth);
    const bool regex = op == Op::kRegex || op == Op::kRegexFold;
    ARROW_ASSIGN_OR_RAISE(const bool escape, regex ? false : cursor_.AcceptWord("escape"));
    if (escape) {
      const Token& token = cursor_.token();
      const bool one =
          token.kind == TokenKind::kText && token.text.size() == 1 && token.text[0] > 0;
      if (!one) return cursor_.Unexpected("one ASCII character in quotes behind ESCAPE");
      if (token.text != "\\") node->escape = token.text[0];
      ARROW_RETURN_NOT_OK(cursor_.Advance());
    }
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  bool IsQuantifier() const {
    if (!cursor_.IsWord("any") && !cursor_.IsWord("all") && !cursor_.IsWord("some")) return false;
    Cursor ahead = cursor_;
    return ahead.Advance().ok() && ahead.IsSymbol("(");
  }

  arrow::Status Quantified(Op op, uint32_t begin, Parsed* left) {
    auto node = MakeNode(NodeKind::kQuantified);
    node->op = op;
    node->negated = cursor_.IsWord("all");
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    ARROW_ASSIGN_OR_RAISE(Parsed list, Expression(kLowest));
    Add(node, std::move(list), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  // x::type, x[..], x.name
  arrow::Status Postfix(uint32_t begin, Parsed* left) {
    if (cursor_.IsSymbol("::")) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      auto node = MakeNode(NodeKind::kCast);
      int depth = 0;
      Add(node, std::move(*left), &depth);
      ARROW_ASSIGN_OR_RAISE(node->type, ParseSqlType(&cursor_));
      ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
      return arrow::Status::OK();
    }
    if (cursor_.IsSymbol(".")) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      if (!cursor_.IsName()) return cursor_.Unexpected("the name of a member");
      const std::string name = cursor_.token().text;
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      return Member(name, begin, left);
    }
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    if (cursor_.token().kind == TokenKind::kText) {
      Cursor ahead = cursor_;
      ARROW_RETURN_NOT_OK(ahead.Advance());
      if (ahead.IsSymbol("]")) {
        const std::string name = cursor_.token().text;
        ARROW_RETURN_NOT_OK(ahead.Advance());
        cursor_ = ahead;
        return Member(name, begin, left);
      }
    }
    auto node = MakeNode(NodeKind::kSubscript);
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(Parsed index, Expression(kLowest));
    Add(node, std::move(index), &depth);
    if (cursor_.IsSymbol(":")) {
      return cursor_.Fail("slices [a:b] are not supported: write array_slice(list, a, b)");
    }
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("]"));
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  arrow::Status Member(const std::string& name, uint32_t begin, Parsed* left) {
    auto node = MakeNode(NodeKind::kMember);
    node->name = name;
    int depth = 0;
    AddLeft(node, std::move(*left), &depth);
    ARROW_ASSIGN_OR_RAISE(*left, Finish(std::move(node), begin, depth));
    return arrow::Status::OK();
  }

  // --- operands

  arrow::Result<Parsed> Prefix() {
    const Token& token = cursor_.token();
    const uint32_t begin = token.begin;
    if (token.kind == TokenKind::kSymbol) {
      if (token.text == "-") return Minus(begin);
      if (token.text == "+") return Unary(Op::kPlus, kPrecedenceUnary, begin);
      if (token.text == "~") return Unary(Op::kBitNot, kPrecedenceUnary, begin);
      if (token.text == "!") return Unary(Op::kNot, kPrecedenceUnary, begin);
    }
    if (cursor_.IsWord("not")) return Unary(Op::kNot, kPrecedenceNot, begin);
    return Primary();
  }

  arrow::Result<Parsed> Unary(Op op, int operand, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    auto node = MakeNode(NodeKind::kUnary);
    node->op = op;
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed child, Expression(operand));
    Add(node, std::move(child), &depth);
    return Finish(std::move(node), begin, depth);
  }

  // A minus right before a number belongs to it: -9223372036854775808 is an int64.
  arrow::Result<Parsed> Minus(uint32_t begin) {
    Cursor ahead = cursor_;
    ARROW_RETURN_NOT_OK(ahead.Advance());
    const TokenKind kind = ahead.token().kind;
    if (kind != TokenKind::kInteger && kind != TokenKind::kDecimal) {
      return Unary(Op::kNegate, kPrecedenceUnary, begin);
    }
    cursor_ = ahead;
    return Number(true, begin);
  }

  arrow::Result<Parsed> Number(bool negative, uint32_t begin) {
    const Token token = cursor_.token();
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    return FinishLiteral(token.kind == TokenKind::kInteger ? IntegerLiteral(token.text, negative)
                                                           : DecimalLiteral(token.text, negative),
                         begin);
  }

  arrow::Result<Parsed> Primary() {
    const Token& token = cursor_.token();
    const uint32_t begin = token.begin;
    switch (token.kind) {
      case TokenKind::kInteger:
      case TokenKind::kDecimal:
        return Number(false, begin);
      case TokenKind::kText:
      case TokenKind::kBinary: {
        ScalarPtr scalar =
            token.kind == TokenKind::kText ? TextLiteral(token.text) : BinaryLiteral(token.text);
        ARROW_RETURN_NOT_OK(cursor_.Advance());
        return FinishLiteral(std::move(scalar), begin);
      }
      case TokenKind::kPositional:
      case TokenKind::kNamed:
        return Parameter(begin);
      case TokenKind::kQuoted:
        return Name(begin);
      case TokenKind::kWord:
        return Word(begin);
      case TokenKind::kSymbol:
        if (token.text == "(") return Parentheses();
        if (token.text == "[") return Array(begin);
        if (token.text == "*") {
          return cursor_.Fail("syntax error: \"*\" stands for all columns, which is no expression");
        }
        break;
      case TokenKind::kEnd:
        break;
    }
    return cursor_.Unexpected("an expression");
  }

  arrow::Result<Parsed> Parentheses() {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ++parentheses_;
    ARROW_ASSIGN_OR_RAISE(Parsed inner, Expression(kLowest));
    --parentheses_;
    if (cursor_.IsSymbol(",")) {
      return cursor_.Fail("tuples are not supported: write struct(a, b), or compare each part");
    }
    if (!cursor_.IsSymbol(")")) return cursor_.Unexpected("an operator or \")\"");
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    return inner;
  }

  arrow::Result<Parsed> Array(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("["));
    auto node = MakeNode(NodeKind::kArray);
    int depth = 1;
    ARROW_RETURN_NOT_OK(Items(node, "]", &depth));
    return Finish(std::move(node), begin, depth);
  }

  arrow::Result<Parsed> Parameter(uint32_t begin) {
    const Token token = cursor_.token();
    auto node = MakeNode(NodeKind::kParameter);
    if (token.kind == TokenKind::kNamed) {
      node->name = token.text;
    } else {
      bool& other = token.text.empty() ? numbered_ : counted_;
      (token.text.empty() ? counted_ : numbered_) = true;
      if (other) return cursor_.Fail("\"?\" and \"$1\" can't be mixed in one expression");
      node->ordinal = token.text.empty()      ? ++last_ordinal_
                      : token.text.size() > 6 ? kMaxOrdinal + 1
                                              : std::stoi(token.text);
      if (node->ordinal < 1 || node->ordinal > kMaxOrdinal) {
        return cursor_.Fail(Concat("parameters are numbered from 1 to ", kMaxOrdinal));
      }
    }
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    return Finish(std::move(node), begin, 1);
  }

  // --- names, calls and what begins with a word

  arrow::Result<Parsed> Word(uint32_t begin) {
    const std::string word = cursor_.token().word;
    if (word == "true" || word == "false") {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      return FinishLiteral(ScalarPtr(std::make_shared<arrow::BooleanScalar>(word == "true")),
                           begin);
    }
    if (word == "null") {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      return FinishLiteral(ScalarPtr(std::make_shared<arrow::NullScalar>()), begin);
    }
    if (word == "case") return Case(begin);
    if (word == "select") return cursor_.Fail("subqueries (SELECT) are not supported");
    if (word == "exists") return cursor_.Fail("subqueries (EXISTS) are not supported");
    if (IsKeyword(word)) return cursor_.Unexpected("an expression");

    Cursor ahead = cursor_;
    ARROW_RETURN_NOT_OK(ahead.Advance());
    if (word == "interval") {
      const TokenKind next = ahead.token().kind;
      if (next == TokenKind::kText) return Interval(begin);
    }
    if (word == "array" && ahead.IsSymbol("[")) {
      cursor_ = ahead;
      return Array(begin);
    }
    if (ahead.IsSymbol("(")) {
      if (StartsSqlType(word)) {
        ARROW_ASSIGN_OR_RAISE(std::optional<Parsed> typed, Typed(begin));
        if (typed.has_value()) return *std::move(typed);
      }
      return SpecialCall(word, begin);
    }
    static constexpr std::string_view kMoments[] = {"current_timestamp", "current_date",
                                                    "current_time", "localtimestamp", "localtime"};
    if (std::find(std::begin(kMoments), std::end(kMoments), word) != std::end(kMoments)) {
      auto node = MakeNode(NodeKind::kCall);
      node->name = word;
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      return Finish(std::move(node), begin, 1);
    }
    if (StartsSqlType(word) &&
        (ahead.token().kind == TokenKind::kText || ahead.token().kind == TokenKind::kWord)) {
      ARROW_ASSIGN_OR_RAISE(std::optional<Parsed> typed, Typed(begin));
      if (typed.has_value()) return *std::move(typed);
    }
    return Name(begin);
  }

  // date '2024-01-31', decimal(5, 2) '1.50'; nothing if there is no text behind the type.
  arrow::Result<std::optional<Parsed>> Typed(uint32_t begin) {
    Cursor ahead = cursor_;
    auto type = ParseSqlType(&ahead);
    if (!type.ok() || ahead.token().kind != TokenKind::kText) return std::nullopt;
    const std::string text = ahead.token().text;
    cursor_ = ahead;
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ARROW_ASSIGN_OR_RAISE(Parsed literal, FinishLiteral(TypedLiteral(*type, text), begin));
    return literal;
  }

  // interval '1 day 2 hours', interval '3' month
  arrow::Result<Parsed> Interval(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    const std::string text = cursor_.token().text;
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    std::string unit;
    if (cursor_.token().kind == TokenKind::kWord &&
        IntervalLiteral("1", cursor_.token().word).ok()) {
      unit = cursor_.token().word;
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      if (cursor_.IsWord("to")) {
        return cursor_.Fail(
            "intervals by a range of units are not supported: write interval '1 day "
            "02:30:00'");
      }
    }
    return FinishLiteral(IntervalLiteral(text, unit), begin);
  }

  arrow::Status PathFromHere(std::vector<std::string>* path) {
    for (;;) {
      path->push_back(cursor_.token().text);
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      ARROW_ASSIGN_OR_RAISE(const bool more, cursor_.AcceptSymbol("."));
      if (!more) return arrow::Status::OK();
      if (!cursor_.IsName()) return cursor_.Unexpected("a name behind \".\"");
    }
  }

  // A column, or the call of a function.
  arrow::Result<Parsed> Name(uint32_t begin) {
    std::vector<std::string> path;
    ARROW_RETURN_NOT_OK(PathFromHere(&path));
    if (cursor_.IsSymbol("(")) {
      if (path.size() > 1) {
        return SyntaxError(cursor_.sql(), begin, cursor_.last_end(),
                           "syntax error: the name of a function has no \".\"");
      }
      return Call(LowerCase(path[0]), begin);
    }
    if (cursor_.token().kind == TokenKind::kText) {
      return cursor_.Unexpected("an operator or the end (text behind a name means nothing here)");
    }
    auto node = MakeNode(NodeKind::kColumn);
    node->path = std::move(path);
    return Finish(std::move(node), begin, 1);
  }

  // The cursor is at "(".
  arrow::Result<Parsed> Call(std::string name, uint32_t begin) {
    auto node = MakeNode(NodeKind::kCall);
    node->name = std::move(name);
    int depth = 1;
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ARROW_RETURN_NOT_OK(Arguments(node, &depth));
    return Finish(std::move(node), begin, depth);
  }

  // Up to and with ")"; may continue arguments that `node` already has.
  arrow::Status Arguments(const std::shared_ptr<Node>& node, int* depth) {
    if (cursor_.IsWord("distinct") || (cursor_.IsSymbol("*") && node->children.empty())) {
      return cursor_.Fail("aggregates are not supported in expressions");
    }
    if (!cursor_.IsSymbol(")")) {
      for (;;) {
        ARROW_ASSIGN_OR_RAISE(Parsed argument, Argument());
        Add(node, std::move(argument), depth);
        ARROW_ASSIGN_OR_RAISE(const bool more, cursor_.AcceptSymbol(","));
        if (!more) break;
      }
    }
    if (!cursor_.IsSymbol(")")) return cursor_.Unexpected("an operator, \",\" or \")\"");
    return cursor_.Advance();
  }

  arrow::Result<Parsed> Argument() {
    ARROW_ASSIGN_OR_RAISE(std::optional<std::vector<std::string>> names, LambdaNames());
    if (!names.has_value()) return Expression(kLowest);
    auto node = MakeNode(NodeKind::kLambda);
    const uint32_t begin = lambda_begin_;
    node->path = *std::move(names);
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed body, Expression(kLowest));
    Add(node, std::move(body), &depth);
    return Finish(std::move(node), begin, depth);
  }

  // "x ->" or "(x, y) ->", which the cursor steps over; nothing if something else is here.
  arrow::Result<std::optional<std::vector<std::string>>> LambdaNames() {
    lambda_begin_ = cursor_.token().begin;
    const auto is_name = [](const Cursor& at) {
      return at.IsName() && !(at.token().kind == TokenKind::kWord && IsKeyword(at.token().word));
    };
    Cursor ahead = cursor_;
    std::vector<std::string> names;
    const bool several = ahead.IsSymbol("(");
    if (several && !ahead.Advance().ok()) return std::nullopt;
    for (;;) {
      if (!is_name(ahead)) return std::nullopt;
      names.push_back(ahead.token().text);
      if (!ahead.Advance().ok()) return std::nullopt;
      if (!several || !ahead.IsSymbol(",")) break;
      if (!ahead.Advance().ok()) return std::nullopt;
    }
    if (several && (!ahead.IsSymbol(")") || !ahead.Advance().ok())) return std::nullopt;
    if (!ahead.IsSymbol("->")) return std::nullopt;
    ARROW_RETURN_NOT_OK(ahead.Advance());
    cursor_ = ahead;
    return names;
  }

  arrow::Result<Parsed> Case(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    auto node = MakeNode(NodeKind::kCase);
    int depth = 0;
    if (!cursor_.IsWord("when")) {
      node->has_operand = true;
      ARROW_ASSIGN_OR_RAISE(Parsed operand, Expression(kLowest));
      Add(node, std::move(operand), &depth);
    }
    if (!cursor_.IsWord("when")) return cursor_.Unexpected("WHEN");
    while (cursor_.IsWord("when")) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      ARROW_ASSIGN_OR_RAISE(Parsed when, Expression(kLowest));
      Add(node, std::move(when), &depth);
      ARROW_RETURN_NOT_OK(cursor_.ExpectWord("then"));
      ARROW_ASSIGN_OR_RAISE(Parsed then, Expression(kLowest));
      Add(node, std::move(then), &depth);
    }
    ARROW_ASSIGN_OR_RAISE(node->has_else, cursor_.AcceptWord("else"));
    if (node->has_else) {
      ARROW_ASSIGN_OR_RAISE(Parsed otherwise, Expression(kLowest));
      Add(node, std::move(otherwise), &depth);
    }
    if (!cursor_.IsWord("end")) {
      return cursor_.Unexpected(node->has_else ? "END" : "WHEN, ELSE or END");
    }
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    return Finish(std::move(node), begin, depth);
  }

  // --- calls with a grammar of their own; the cursor is at the name, "(" is next

  arrow::Result<Parsed> SpecialCall(const std::string& word, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    if (word == "cast" || word == "try_cast") return Cast(word == "try_cast", begin);
    if (word == "arrow_cast" || word == "arrow_try_cast") {
      return ArrowCast(word == "arrow_try_cast", begin);
    }
    if (word == "extract") return Extract(begin);
    if (word == "trim") return Trim(begin);
    if (word == "substring" || word == "substr") return Substring(word, begin);
    if (word == "position") return Position(begin);
    if (word == "overlay") return Overlay(begin);
    if (word == "ceil" || word == "floor") return CeilOrFloor(word, begin);
    if (word == "any" || word == "all" || word == "some") {
      return SyntaxError(cursor_.sql(), begin, cursor_.last_end(),
                         "syntax error: ANY, SOME and ALL stand behind a comparison, as in a = "
                         "ANY(list)");
    }
    return Call(word, begin);
  }

  arrow::Result<Parsed> Cast(bool try_cast, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCast);
    node->try_cast = try_cast;
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed value, Expression(kLowest));
    Add(node, std::move(value), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectWord("as"));
    ARROW_ASSIGN_OR_RAISE(node->type, ParseSqlType(&cursor_));
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    return Finish(std::move(node), begin, depth);
  }

  arrow::Result<Parsed> ArrowCast(bool try_cast, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCast);
    node->try_cast = try_cast;
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed value, Expression(kLowest));
    Add(node, std::move(value), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(","));
    if (cursor_.token().kind != TokenKind::kText) {
      return cursor_.Unexpected("an Arrow type in quotes, as in arrow_cast(x, 'Int64')");
    }
    auto type = ParseArrowTypeName(cursor_.token().text);
    if (!type.ok()) return cursor_.Fail(type.status().message());
    node->type = *std::move(type);
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    return Finish(std::move(node), begin, depth);
  }

  // A text literal made from a keyword, as the first argument of a call.
  arrow::Result<Parsed> KeywordText(std::string_view text, uint32_t begin) {
    return FinishLiteral(TextLiteral(text), begin);
  }

  // EXTRACT(part FROM x) -> date_part('part', x)
  arrow::Result<Parsed> Extract(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    if (!cursor_.IsName() && cursor_.token().kind != TokenKind::kText) {
      return cursor_.Unexpected("a part of a date, as in EXTRACT(year FROM x)");
    }
    const std::string part = LowerCase(cursor_.token().text);
    const uint32_t part_begin = cursor_.token().begin;
    ARROW_RETURN_NOT_OK(cursor_.Advance());
    auto node = MakeNode(NodeKind::kCall);
    node->name = "date_part";
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed text, KeywordText(part, part_begin));
    Add(node, std::move(text), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectWord("from"));
    ARROW_ASSIGN_OR_RAISE(Parsed value, Expression(kLowest));
    Add(node, std::move(value), &depth);
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    return Finish(std::move(node), begin, depth);
  }

  // TRIM([BOTH | LEADING | TRAILING] [chars] FROM s), TRIM(s), TRIM(s, chars)
  arrow::Result<Parsed> Trim(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCall);
    node->name = "btrim";
    ARROW_RETURN_NOT_OK(TrimSide(node.get()));
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(const bool from, cursor_.AcceptWord("from"));
    ARROW_ASSIGN_OR_RAISE(Parsed first, Expression(kLowest));
    if (!from && cursor_.IsWord("from")) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      ARROW_ASSIGN_OR_RAISE(Parsed value, Expression(kLowest));
      Add(node, std::move(value), &depth);
      Add(node, std::move(first), &depth);
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
      return Finish(std::move(node), begin, depth);
    }
    Add(node, std::move(first), &depth);
    ARROW_RETURN_NOT_OK(Rest(node, &depth));
    return Finish(std::move(node), begin, depth);
  }

  // BOTH, LEADING or TRAILING; not if it is a column, as in TRIM(leading).
  arrow::Status TrimSide(Node* node) {
    static constexpr std::pair<std::string_view, std::string_view> kSides[] = {
        {"both", "btrim"}, {"leading", "ltrim"}, {"trailing", "rtrim"}};
    for (const auto& side : kSides) {
      if (!cursor_.IsWord(side.first)) continue;
      Cursor ahead = cursor_;
      ARROW_RETURN_NOT_OK(ahead.Advance());
      const TokenKind kind = ahead.token().kind;
      if (kind == TokenKind::kSymbol && !ahead.IsSymbol("(")) break;
      node->name = side.second;
      cursor_ = ahead;
      break;
    }
    return arrow::Status::OK();
  }

  // ", more arguments)" or ")".
  arrow::Status Rest(const std::shared_ptr<Node>& node, int* depth) {
    ARROW_ASSIGN_OR_RAISE(const bool more, cursor_.AcceptSymbol(","));
    if (more) return Arguments(node, depth);
    if (!cursor_.IsSymbol(")")) return cursor_.Unexpected("an operator, \",\" or \")\"");
    return cursor_.Advance();
  }

  // The first argument, and further ones behind keywords; else a plain call.
  arrow::Result<Parsed> Keyworded(std::shared_ptr<Node> node, uint32_t begin,
                                  const std::vector<std::string_view>& keywords) {
    if (cursor_.IsSymbol(")")) {
      ARROW_RETURN_NOT_OK(cursor_.Advance());
      return Finish(std::move(node), begin, 1);
    }
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed first, Argument());
    Add(node, std::move(first), &depth);
    bool any = false;
    for (const std::string_view keyword : keywords) {
      ARROW_ASSIGN_OR_RAISE(const bool here, cursor_.AcceptWord(keyword));
      if (!here) continue;
      any = true;
      ARROW_ASSIGN_OR_RAISE(Parsed argument, Expression(kLowest));
      Add(node, std::move(argument), &depth);
    }
    if (any) {
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    } else {
      ARROW_RETURN_NOT_OK(Rest(node, &depth));
    }
    return Finish(std::move(node), begin, depth);
  }

  // SUBSTRING(s FROM a [FOR b]), SUBSTRING(s FOR b)
  arrow::Result<Parsed> Substring(const std::string& word, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCall);
    node->name = word;
    if (cursor_.IsSymbol(")")) return Keyworded(std::move(node), begin, {});
    int depth = 0;
    ARROW_ASSIGN_OR_RAISE(Parsed text, Argument());
    Add(node, std::move(text), &depth);
    ARROW_ASSIGN_OR_RAISE(const bool from, cursor_.AcceptWord("from"));
    if (from) {
      ARROW_ASSIGN_OR_RAISE(Parsed start, Expression(kLowest));
      Add(node, std::move(start), &depth);
    }
    const uint32_t here = cursor_.token().begin;
    ARROW_ASSIGN_OR_RAISE(const bool length, cursor_.AcceptWord("for"));
    if (length) {
      if (!from) {
        ARROW_ASSIGN_OR_RAISE(
            Parsed one, FinishLiteral(ScalarPtr(std::make_shared<arrow::Int64Scalar>(1)), here));
        Add(node, std::move(one), &depth);
      }
      ARROW_ASSIGN_OR_RAISE(Parsed count, Expression(kLowest));
      Add(node, std::move(count), &depth);
    }
    if (from || length) {
      node->name = "substr";
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    } else {
      ARROW_RETURN_NOT_OK(Rest(node, &depth));
    }
    return Finish(std::move(node), begin, depth);
  }

  // POSITION(a IN b) -> strpos(b, a)
  arrow::Result<Parsed> Position(uint32_t begin) {
    Cursor ahead = cursor_;
    ARROW_RETURN_NOT_OK(ahead.Advance());
    if (ahead.IsSymbol(")")) return Call("position", begin);
    cursor_ = ahead;
    auto node = MakeNode(NodeKind::kCall);
    node->name = "strpos";
    // `a` binds tighter than IN.
    ARROW_ASSIGN_OR_RAISE(Parsed part, Expression(kPrecedenceBitOr));
    ARROW_ASSIGN_OR_RAISE(const bool in, cursor_.AcceptWord("in"));
    int depth = 0;
    if (in) {
      ARROW_ASSIGN_OR_RAISE(Parsed text, Expression(kLowest));
      Add(node, std::move(text), &depth);
      Add(node, std::move(part), &depth);
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    } else {
      node->name = "position";
      Add(node, std::move(part), &depth);
      ARROW_RETURN_NOT_OK(Rest(node, &depth));
    }
    return Finish(std::move(node), begin, depth);
  }

  // OVERLAY(s PLACING t FROM a [FOR b])
  arrow::Result<Parsed> Overlay(uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCall);
    node->name = "overlay";
    return Keyworded(std::move(node), begin, {"placing", "from", "for"});
  }

  arrow::Result<Parsed> CeilOrFloor(const std::string& word, uint32_t begin) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    auto node = MakeNode(NodeKind::kCall);
    node->name = word;
    int depth = 1;
    if (cursor_.IsSymbol(")")) return Keyworded(std::move(node), begin, {});
    ARROW_ASSIGN_OR_RAISE(Parsed first, Argument());
    Add(node, std::move(first), &depth);
    if (cursor_.IsWord("to")) {
      return cursor_.Fail(Concat(word, "(x TO unit) is not supported: use date_trunc('unit', x)"));
    }
    ARROW_RETURN_NOT_OK(Rest(node, &depth));
    return Finish(std::move(node), begin, depth);
  }

  Cursor cursor_;
  int nesting_ = 0;
  int parentheses_ = 0;
  int last_ordinal_ = 0;
  bool counted_ = false;   // `?` seen
  bool numbered_ = false;  // `$1` seen
  uint32_t lambda_begin_ = 0;
};

arrow::Status CheckText(std::string_view sql) {
  GLAIVE_CHECK_ARGUMENT(sql.size() <= kMaxTextBytes, "the text of an expression has ", sql.size(),
                        " bytes: at most ", kMaxTextBytes,
                        " are allowed (pass large values as parameters)");
  static const bool initialized = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  GLAIVE_CHECK_ARGUMENT(initialized && arrow::util::ValidateUTF8(sql),
                        "the text of an expression is not UTF-8");
  return arrow::Status::OK();
}

}  // namespace

namespace {

// Nodes remember their text, so that whoever binds a part of the tree can still show its place.
NodePtr WithSource(std::shared_ptr<Node> root, std::string_view sql) {
  const auto source = std::make_shared<const std::string>(sql);
  std::vector<Node*> open = {root.get()};
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    node->source = source;
    for (const NodePtr& child : node->children) {
      open.push_back(const_cast<Node*>(child.get()));  // just made, and nobody else's yet
    }
  }
  return root;
}

}  // namespace

arrow::Result<NodePtr> Parse(std::string_view sql) {
  ARROW_RETURN_NOT_OK(CheckText(sql));
  ARROW_ASSIGN_OR_RAISE(const NodePtr root, Parser(sql).ParseAll());
  return WithSource(std::const_pointer_cast<Node>(root), sql);
}

arrow::Result<std::vector<std::string>> ParseColumnPath(std::string_view text) {
  ARROW_RETURN_NOT_OK(CheckText(text));
  return Parser(text).ParsePath();
}

}  // namespace glaive::expr
