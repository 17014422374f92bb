#include "expr/syntax.h"

#include <cmath>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "expr/keywords.h"
#include "expr/lexer.h"

namespace glaive::expr {
namespace {

bool SameLiteral(const std::shared_ptr<arrow::Scalar>& a, const std::shared_ptr<arrow::Scalar>& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->Equals(*b, arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false));
}

bool SameType(const std::shared_ptr<arrow::DataType>& a,
              const std::shared_ptr<arrow::DataType>& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->Equals(*b);
}

// All but the children.
bool SameRoot(const Node& a, const Node& b) {
  return a.kind == b.kind && a.op == b.op && a.test == b.test && a.negated == b.negated &&
         a.try_cast == b.try_cast && a.has_operand == b.has_operand && a.has_else == b.has_else &&
         a.ordinal == b.ordinal && a.escape == b.escape && a.name == b.name && a.path == b.path &&
         a.children.size() == b.children.size() && SameLiteral(a.literal, b.literal) &&
         SameType(a.type, b.type);
}

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted.push_back(quote);
    quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

}  // namespace

// Children go to a queue that only the outermost destructor empties.
Node::~Node() {
  if (children.empty()) return;
  thread_local std::vector<NodePtr>* queue = nullptr;
  if (queue != nullptr) {
    for (NodePtr& child : children) queue->push_back(std::move(child));
    return;
  }
  std::vector<NodePtr> pending = std::move(children);
  queue = &pending;
  while (!pending.empty()) {
    NodePtr last = std::move(pending.back());
    pending.pop_back();
    last.reset();
  }
  queue = nullptr;
}

bool Equals(const Node& a, const Node& b) {
  std::vector<std::pair<const Node*, const Node*>> pending = {{&a, &b}};
  while (!pending.empty()) {
    const auto pair = pending.back();
    pending.pop_back();
    if (pair.first == pair.second) continue;
    if (!SameRoot(*pair.first, *pair.second)) return false;
    for (size_t i = 0; i < pair.first->children.size(); ++i) {
      pending.emplace_back(pair.first->children[i].get(), pair.second->children[i].get());
    }
  }
  return true;
}

std::string QuoteIdentifier(std::string_view name) {
  if (IsPlainIdentifier(name) && !IsReserved(LowerCase(name))) return std::string(name);
  return Quote(name, '`');
}

std::string QuoteText(std::string_view text) {
  return Quote(text, '\'');
}

}  // namespace glaive::expr
