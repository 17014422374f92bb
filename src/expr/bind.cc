#include "expr/bind.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/binder.h"
#include "expr/bound_expression.h"
#include "expr/logic.h"

namespace glaive::expr {
namespace {

arrow::Status StartKernels() {
  static std::once_flag once;
  static arrow::Status* status = new arrow::Status;
  std::call_once(once, [] { *status = arrow::compute::Initialize(); });
  return *status;
}

BindOptions WithClock(BindOptions options) {
  if (options.now_nanos == 0) {
    options.now_nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  }
  return options;
}

bool StartsWith(const std::vector<std::string>& path, const std::vector<std::string>& start) {
  return path.size() >= start.size() && std::equal(start.begin(), start.end(), path.begin());
}

// Sorted paths: those below another follow it.
std::vector<std::vector<std::string>> Outermost(const std::set<std::vector<std::string>>& all) {
  std::vector<std::vector<std::string>> kept;
  for (const auto& path : all) {
    if (kept.empty() || !StartsWith(path, kept.back())) kept.push_back(path);
  }
  return kept;
}

template <typename Shape>
arrow::Result<BoundExpression> BindWith(const NodePtr& tree, const arrow::Schema& schema,
                                        const BindOptions& options_in, Shape&& shape) {
  GLAIVE_CHECK_ARGUMENT(tree != nullptr, "the expression is empty");
  ARROW_RETURN_NOT_OK(StartKernels());
  const BindOptions options = WithClock(options_in);
  Binder binder(schema, options);
  ARROW_ASSIGN_OR_RAISE(BoundPtr root, binder.Bind(*tree));
  ARROW_ASSIGN_OR_RAISE(root, shape(root, binder.folding()));
  auto impl = std::make_shared<BoundExpression::Impl>();
  impl->root = std::move(root);
  impl->columns = Outermost(binder.columns());
  impl->now_nanos = options.now_nanos;
  impl->pool = binder.folding().pool;
  return BoundExpression(std::move(impl));
}

}  // namespace

arrow::Result<BoundExpression> Bind(const NodePtr& tree, const arrow::Schema& schema,
                                    const BindOptions& options) {
  return BindWith(
      tree, schema, options,
      [](const BoundPtr& root, const Scope&) -> arrow::Result<BoundPtr> { return root; });
}

arrow::Result<BoundExpression> BindFilter(const NodePtr& tree, const arrow::Schema& schema,
                                          const BindOptions& options) {
  return BindWith(tree, schema, options, [](const BoundPtr& root, const Scope& folding) {
    return AsBoolean(root, "a filter", folding);
  });
}

arrow::Result<BoundExpression> BindAs(const NodePtr& tree, const arrow::Schema& schema,
                                      const std::shared_ptr<arrow::DataType>& type,
                                      const BindOptions& options) {
  return BindWith(tree, schema, options, [&](const BoundPtr& root, const Scope& folding) {
    return MakeAssignment(root, type, folding);
  });
}

std::set<std::string> ParameterNames(const NodePtr& tree) {
  std::set<std::string> names;
  std::vector<const Node*> open;
  if (tree != nullptr) open.push_back(tree.get());
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node->kind == NodeKind::kParameter) {
      names.insert(node->name.empty() ? "$" + std::to_string(node->ordinal) : node->name);
    }
    for (const NodePtr& child : node->children) open.push_back(child.get());
  }
  return names;
}

NodePtr Conjunction(const NodePtr& left, const NodePtr& right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  auto node = std::make_shared<Node>();
  node->kind = NodeKind::kBinary;
  node->op = Op::kAnd;
  node->children = {left, right};
  return node;
}

std::vector<NodePtr> SplitConjunction(const NodePtr& tree) {
  std::vector<NodePtr> terms;
  std::vector<NodePtr> open;
  if (tree != nullptr) open.push_back(tree);
  while (!open.empty()) {
    const NodePtr node = open.back();
    open.pop_back();
    if (node->kind != NodeKind::kBinary || node->op != Op::kAnd) {
      terms.push_back(node);
      continue;
    }
    for (size_t i = node->children.size(); i-- > 0;) open.push_back(node->children[i]);
  }
  return terms;
}

}  // namespace glaive::expr
