#include "expr/functions/json_path.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <utility>

#include "base/status.h"

namespace glaive::expr {

using jsonb::Value;

namespace {

constexpr size_t kMaxSelected = 1000000;
constexpr int kMaxPredicateDepth = 50;

}  // namespace

/// One element or a range of an array: from and to, each counted from the front or from the last.
struct Subscript {
  struct Place {
    bool from_last = false;
    int64_t number = 0;

    int64_t In(int64_t size) const { return from_last ? size - 1 + number : number; }
  };

  Place from;
  Place to;
};

struct JsonPath::Step {
  enum class Kind { kMember, kAllMembers, kSubscripts, kAllElements, kDescend, kFilter };
  Kind kind = Kind::kMember;
  std::string name;
  std::vector<Subscript> subscripts;
  int64_t min_depth = 0;  ///< of kDescend
  int64_t max_depth = jsonb::kMaxJsonDepth;
  std::shared_ptr<const Predicate> filter;
};

/// Part of a filter: a connective over parts, a comparison of two operands, or exists(path).
struct JsonPath::Predicate {
  enum class Kind { kAnd, kOr, kNot, kCompare, kExists };
  enum class Operator {
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kStartsWith
  };

  /// A path from $ or @, or a constant.
  struct Operand {
    bool is_path = false;
    bool from_root = false;
    std::vector<Step> steps;
    std::string document;  ///< JSONB of the constant
  };

  Kind kind = Kind::kCompare;
  std::vector<std::shared_ptr<const Predicate>> parts;
  Operator comparison = Operator::kEqual;
  Operand left;
  Operand right;
};

namespace {

using Step = JsonPath::Step;
using Predicate = JsonPath::Predicate;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  /// The steps of a path that may lack its $.
  arrow::Result<std::vector<Step>> Path() {
    std::vector<Step> steps;
    Spaces();
    if (!Eat("$") && !AtEnd() && (IsNameChar(Peek()) || Peek() == '"')) {
      Step first;
      ARROW_ASSIGN_OR_RAISE(first.name, Name());
      steps.push_back(std::move(first));
    }
    ARROW_RETURN_NOT_OK(Steps(0, &steps));
    return steps;
  }

  arrow::Result<std::shared_ptr<const Predicate>> Or(int depth) {
    return Connected(depth, "||", Predicate::Kind::kOr);
  }

  bool AtEnd() {
    Spaces();
    return at_ >= text_.size();
  }

  arrow::Status Error(std::string_view expected) const {
    return InvalidArgument("JSON path '", text_, "': ", expected, " expected at character ",
                           at_ + 1);
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void Spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool Eat(std::string_view token) {
    Spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  /// A word, not followed by more of a name.
  bool EatWord(std::string_view word) {
    Spaces();
    if (text_.substr(at_, word.size()) != word) return false;
    if (at_ + word.size() < text_.size() && IsNameChar(text_[at_ + word.size()])) return false;
    at_ += word.size();
    return true;
  }

  static bool IsNameChar(char c) {
    auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) || c == '_' || c == '-' || byte >= 0x80;
  }

  /// The JSON text of a string constant, with its quotes.
  arrow::Result<std::string_view> Quoted() {
    size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return Error("a closing quote");
    ++at_;
    return text_.substr(begin, at_ - begin);
  }

  arrow::Result<std::string> Name() {
    Spaces();
    if (Peek() == '"') {
      ARROW_ASSIGN_OR_RAISE(std::string_view quoted, Quoted());
      std::string document;
      ARROW_RETURN_NOT_OK(jsonb::Encode(quoted, &document));
      ARROW_ASSIGN_OR_RAISE(Value value, Value::Parse(document));
      return std::string(value.AsString().value_or(""));
    }
    size_t begin = at_;
    while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    if (at_ == begin) return Error("a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  arrow::Result<int64_t> Integer() {
    Spaces();
    int64_t number = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc() || number > (int64_t{1} << 40) || number < -(int64_t{1} << 40)) {
      return Error("an integer");
    }
    at_ = static_cast<size_t>(end - text_.data());
    return number;
  }

  arrow::Result<Subscript::Place> Place() {
    Subscript::Place place;
    if (!EatWord("last")) {
      ARROW_ASSIGN_OR_RAISE(place.number, Integer());
      return place;
    }
    place.from_last = true;
    bool minus = Eat("-");
    if (minus || Eat("+")) {
      ARROW_ASSIGN_OR_RAISE(place.number, Integer());
      if (minus) place.number = -place.number;
    }
    return place;
  }

  arrow::Result<Step> Bracket() {
    Step step;
    if (Eat("*")) {
      step.kind = Step::Kind::kAllElements;
    } else if (Spaces(); Peek() == '"') {
      ARROW_ASSIGN_OR_RAISE(step.name, Name());
    } else {
      step.kind = Step::Kind::kSubscripts;
      do {
        Subscript subscript;
        ARROW_ASSIGN_OR_RAISE(subscript.from, Place());
        subscript.to = subscript.from;
        if (EatWord("to")) {
          ARROW_ASSIGN_OR_RAISE(subscript.to, Place());
        }
        step.subscripts.push_back(subscript);
      } while (Eat(","));
    }
    if (!Eat("]")) return Error("]");
    return step;
  }

  arrow::Result<Step> Dotted() {
    Step step;
    if (Eat("**")) {
      step.kind = Step::Kind::kDescend;
      if (!Eat("{")) return step;
      ARROW_ASSIGN_OR_RAISE(step.min_depth, Integer());
      step.max_depth = step.min_depth;
      if (EatWord("to")) {
        step.max_depth = jsonb::kMaxJsonDepth;
        if (!EatWord("last")) {
          ARROW_ASSIGN_OR_RAISE(step.max_depth, Integer());
        }
      }
      if (!Eat("}")) return Error("}");
      return step;
    }
    if (Eat("*")) {
      step.kind = Step::Kind::kAllMembers;
      return step;
    }
    ARROW_ASSIGN_OR_RAISE(step.name, Name());
    return step;
  }

  arrow::Status Steps(int depth, std::vector<Step>* steps) {
    for (;;) {
      Step step;
      if (Eat(".") || Eat(":")) {
        ARROW_ASSIGN_OR_RAISE(step, Dotted());
      } else if (Eat("[")) {
        ARROW_ASSIGN_OR_RAISE(step, Bracket());
      } else if (Eat("?")) {
        if (!Eat("(")) return Error("(");
        step.kind = Step::Kind::kFilter;
        ARROW_ASSIGN_OR_RAISE(step.filter, Or(depth + 1));
        if (!Eat(")")) return Error(")");
      } else {
        return arrow::Status::OK();
      }
      steps->push_back(std::move(step));
    }
  }

  arrow::Result<std::shared_ptr<const Predicate>> Connected(int depth, std::string_view token,
                                                            Predicate::Kind kind) {
    if (depth > kMaxPredicateDepth) return Error("less nesting");
    auto all = std::make_shared<Predicate>();
    all->kind = kind;
    do {
      std::shared_ptr<const Predicate> part;
      if (kind == Predicate::Kind::kOr) {
        ARROW_ASSIGN_OR_RAISE(part, Connected(depth + 1, "&&", Predicate::Kind::kAnd));
      } else {
        ARROW_ASSIGN_OR_RAISE(part, Simple(depth + 1));
      }
      all->parts.push_back(std::move(part));
    } while (Eat(token));
    if (all->parts.size() == 1) return all->parts[0];
    return all;
  }

  arrow::Result<std::shared_ptr<const Predicate>> Simple(int depth) {
    if (depth > kMaxPredicateDepth) return Error("less nesting");
    auto made = std::make_shared<Predicate>();
    if (Eat("(")) {
      ARROW_ASSIGN_OR_RAISE(auto inner, Or(depth + 1));
      if (!Eat(")")) return Error(")");
      return inner;
    }
    Spaces();
    if (Peek() == '!' && text_.substr(at_, 2) != "!=") {
      ++at_;
      made->kind = Predicate::Kind::kNot;
      ARROW_ASSIGN_OR_RAISE(auto inner, Simple(depth + 1));
      made->parts.push_back(std::move(inner));
      return made;
    }
    if (EatWord("exists")) {
      made->kind = Predicate::Kind::kExists;
      if (!Eat("(")) return Error("(");
      ARROW_ASSIGN_OR_RAISE(made->left, Operand(depth + 1));
      if (!made->left.is_path) return Error("a path");
      if (!Eat(")")) return Error(")");
      return made;
    }
    ARROW_ASSIGN_OR_RAISE(made->left, Operand(depth + 1));
    ARROW_ASSIGN_OR_RAISE(made->comparison, Comparison());
    ARROW_ASSIGN_OR_RAISE(made->right, Operand(depth + 1));
    return made;
  }

  arrow::Result<Predicate::Operator> Comparison() {
    using Operator = Predicate::Operator;
    if (Eat("==")) return Operator::kEqual;
    if (Eat("!=") || Eat("<>")) return Operator::kNotEqual;
    if (Eat("<=")) return Operator::kLessEqual;
    if (Eat("<")) return Operator::kLess;
    if (Eat(">=")) return Operator::kGreaterEqual;
    if (Eat(">")) return Operator::kGreater;
    if (EatWord("starts") && EatWord("with")) return Operator::kStartsWith;
    return Error("a comparison");
  }

  arrow::Result<Predicate::Operand> Operand(int depth) {
    Predicate::Operand operand;
    Spaces();
    if (Peek() == '$' || Peek() == '@') {
      operand.is_path = true;
      operand.from_root = text_[at_++] == '$';
      ARROW_RETURN_NOT_OK(Steps(depth, &operand.steps));
      return operand;
    }
    std::string_view constant;
    if (Peek() == '"') {
      ARROW_ASSIGN_OR_RAISE(constant, Quoted());
    } else {
      size_t begin = at_;
      while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) ||
                                    text_[at_] == '.' || text_[at_] == '-' || text_[at_] == '+')) {
        ++at_;
      }
      constant = text_.substr(begin, at_ - begin);
    }
    if (constant.empty() || !jsonb::Encode(constant, &operand.document).ok()) {
      return Error("a path from $ or @, a string, a number, true, false or null");
    }
    return operand;
  }

  std::string_view text_;
  size_t at_ = 0;
};

class Evaluator {
 public:
  explicit Evaluator(const Value& root) : root_(root) {}

  arrow::Result<std::vector<Value>> Select(const std::vector<Step>& steps, const Value& start) {
    std::vector<Value> now{start};
    std::vector<Value> next;
    for (const Step& step : steps) {
      next.clear();
      for (const Value& value : now) {
        ARROW_RETURN_NOT_OK(Apply(step, value, &next));
        GLAIVE_CHECK_ARGUMENT(next.size() <= kMaxSelected, "a JSON path selects more than ",
                              kMaxSelected, " values of one document; use a narrower path");
      }
      now.swap(next);
    }
    return now;
  }

  arrow::Result<bool> Test(const Predicate& predicate, const Value& here) {
    switch (predicate.kind) {
      case Predicate::Kind::kAnd:
      case Predicate::Kind::kOr: {
        bool decided = predicate.kind == Predicate::Kind::kOr;
        for (const auto& part : predicate.parts) {
          ARROW_ASSIGN_OR_RAISE(bool holds, Test(*part, here));
          if (holds == decided) return decided;
        }
        return !decided;
      }
      case Predicate::Kind::kNot: {
        ARROW_ASSIGN_OR_RAISE(bool holds, Test(*predicate.parts[0], here));
        return !holds;
      }
      case Predicate::Kind::kExists: {
        ARROW_ASSIGN_OR_RAISE(auto found, Values(predicate.left, here));
        return !found.empty();
      }
      case Predicate::Kind::kCompare:
        break;
    }
    ARROW_ASSIGN_OR_RAISE(auto left, Values(predicate.left, here));
    ARROW_ASSIGN_OR_RAISE(auto right, Values(predicate.right, here));
    GLAIVE_CHECK_ARGUMENT(left.size() * right.size() <= kMaxSelected,
                          "a filter of a JSON path compares more than ", kMaxSelected,
                          " pairs of values of one document; use narrower paths");
    for (const Value& a : left) {
      for (const Value& b : right) {
        if (Holds(predicate.comparison, a, b)) return true;
      }
    }
    return false;
  }

 private:
  arrow::Result<std::vector<Value>> Values(const Predicate::Operand& operand, const Value& here) {
    if (operand.is_path) return Select(operand.steps, operand.from_root ? root_ : here);
    ARROW_ASSIGN_OR_RAISE(Value constant, Value::Parse(operand.document));
    return std::vector<Value>{constant};
  }

  /// False for values of different kinds, and for containers.
  static bool Holds(Predicate::Operator comparison, const Value& a, const Value& b) {
    using Operator = Predicate::Operator;
    if (a.type() != b.type() || a.is_container()) return false;
    if (comparison == Operator::kStartsWith) {
      return a.AsString() && a.AsString()->substr(0, b.AsString()->size()) == *b.AsString();
    }
    int order = 0;
    switch (a.type()) {
      case jsonb::Type::kString:
        order = a.AsString()->compare(*b.AsString());
        break;
      case jsonb::Type::kBool:
        order = static_cast<int>(*a.AsBool()) - static_cast<int>(*b.AsBool());
        break;
      case jsonb::Type::kNumber:
        order = CompareNumbers(a, b);
        break;
      default:
        break;
    }
    switch (comparison) {
      case Operator::kEqual:
        return order == 0;
      case Operator::kNotEqual:
        return order != 0;
      case Operator::kLess:
        return order < 0;
      case Operator::kLessEqual:
        return order <= 0;
      case Operator::kGreater:
        return order > 0;
      default:
        return order >= 0;
    }
  }

  static int CompareNumbers(const Value& a, const Value& b) {
    auto compare = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
    if (a.AsInt64() && b.AsInt64()) return compare(*a.AsInt64(), *b.AsInt64());
    if (a.AsUint64() && b.AsUint64()) return compare(*a.AsUint64(), *b.AsUint64());
    return compare(a.AsDouble().value_or(0), b.AsDouble().value_or(0));
  }

  arrow::Status Apply(const Step& step, const Value& value, std::vector<Value>* out) {
    switch (step.kind) {
      case Step::Kind::kMember: {
        ARROW_ASSIGN_OR_RAISE(auto member, value.Member(step.name));
        if (member) out->push_back(*member);
        return arrow::Status::OK();
      }
      case Step::Kind::kAllMembers: {
        ARROW_ASSIGN_OR_RAISE(auto members, value.Members());
        for (auto& member : members) out->push_back(member.second);
        return arrow::Status::OK();
      }
      case Step::Kind::kAllElements: {
        if (value.type() != jsonb::Type::kArray) {
          out->push_back(value);
          return arrow::Status::OK();
        }
        ARROW_ASSIGN_OR_RAISE(auto elements, value.Elements());
        out->insert(out->end(), elements.begin(), elements.end());
        return arrow::Status::OK();
      }
      case Step::Kind::kSubscripts:
        return Subscripts(step, value, out);
      case Step::Kind::kDescend:
        return Descend(step, value, 0, out);
      case Step::Kind::kFilter: {
        ARROW_ASSIGN_OR_RAISE(bool holds, Test(*step.filter, value));
        if (holds) out->push_back(value);
        return arrow::Status::OK();
      }
    }
    return arrow::Status::OK();
  }

  static arrow::Status Subscripts(const Step& step, const Value& value, std::vector<Value>* out) {
    if (value.type() != jsonb::Type::kArray) return arrow::Status::OK();
    int64_t size = value.size();
    for (const Subscript& subscript : step.subscripts) {
      int64_t from = std::max<int64_t>(subscript.from.In(size), 0);
      int64_t to = std::min(subscript.to.In(size), size - 1);
      if (subscript.from.In(size) < 0 && subscript.to.In(size) < 0) continue;
      if (from == to) {
        ARROW_ASSIGN_OR_RAISE(auto element, value.Element(static_cast<uint64_t>(from)));
        if (element) out->push_back(*element);
      } else if (from < to) {
        ARROW_ASSIGN_OR_RAISE(auto elements, value.Elements());
        out->insert(out->end(), elements.begin() + from, elements.begin() + to + 1);
      }
      GLAIVE_CHECK_ARGUMENT(out->size() <= kMaxSelected, "a JSON path selects more than ",
                            kMaxSelected, " values of one document; use a narrower path");
    }
    return arrow::Status::OK();
  }

  static arrow::Status Descend(const Step& step, const Value& value, int64_t depth,
                               std::vector<Value>* out) {
    if (depth >= step.min_depth && depth <= step.max_depth) out->push_back(value);
    GLAIVE_CHECK_ARGUMENT(out->size() <= kMaxSelected, "a JSON path selects more than ",
                          kMaxSelected, " values of one document; use a narrower path");
    if (depth >= std::min<int64_t>(step.max_depth, jsonb::kMaxJsonDepth)) {
      return arrow::Status::OK();
    }
    if (value.type() == jsonb::Type::kArray) {
      ARROW_ASSIGN_OR_RAISE(auto elements, value.Elements());
      for (const Value& element : elements) {
        ARROW_RETURN_NOT_OK(Descend(step, element, depth + 1, out));
      }
    } else if (value.type() == jsonb::Type::kObject) {
      ARROW_ASSIGN_OR_RAISE(auto members, value.Members());
      for (const auto& member : members) {
        ARROW_RETURN_NOT_OK(Descend(step, member.second, depth + 1, out));
      }
    }
    return arrow::Status::OK();
  }

  Value root_;
};

}  // namespace

arrow::Result<JsonPath> JsonPath::Parse(std::string_view text) {
  JsonPath path;
  Parser parser(text);
  auto steps = parser.Path();
  if (steps.ok() && parser.AtEnd()) {
    path.steps_ = std::make_shared<const std::vector<Step>>(std::move(steps).ValueUnsafe());
    return path;
  }
  arrow::Status error = steps.ok() ? parser.Error("the end or a step") : steps.status();
  Parser again(text);
  auto predicate = again.Or(0);
  if (!predicate.ok() || !again.AtEnd()) return error;
  path.predicate_ = std::move(predicate).ValueUnsafe();
  return path;
}

arrow::Result<std::vector<Value>> JsonPath::Select(const Value& document) const {
  return Evaluator(document).Select(*steps_, document);
}

arrow::Result<bool> JsonPath::Test(const Value& document) const {
  return Evaluator(document).Test(*predicate_, document);
}

}  // namespace glaive::expr
