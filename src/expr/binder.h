// Walks a syntax tree and makes bound nodes of it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "expr/bind.h"
#include "expr/bound_node.h"
#include "expr/syntax.h"

namespace glaive::expr {

/// A column by its path; null values of the structs around it are its own.
arrow::Result<BoundPtr> MakeColumn(const std::vector<std::string>& path, const TypePtr& type,
                                   bool nested);

class Binder {
 public:
  Binder(const arrow::Schema& schema, const BindOptions& options);

  arrow::Result<BoundPtr> Bind(const Node& node);

  const Scope& folding() const { return scope_; }

  /// Paths of the columns that were met.
  const std::set<std::vector<std::string>>& columns() const { return columns_; }

 private:
  struct Variable {
    std::string name;
    TypePtr type;
  };

  arrow::Result<BoundPtr> Dispatch(const Node& node);
  arrow::Result<std::vector<BoundPtr>> BindAll(const Node& node, size_t first);
  arrow::Result<BoundPtr> Column(const Node& node);
  arrow::Result<BoundPtr> Parameter(const Node& node);
  arrow::Result<BoundPtr> Unary(const Node& node);
  arrow::Result<BoundPtr> Binary(const Node& node);
  arrow::Result<BoundPtr> Logic(const Node& node);
  arrow::Result<BoundPtr> Between(const Node& node);
  arrow::Result<BoundPtr> Case(const Node& node);
  arrow::Result<BoundPtr> Call(const Node& node);
  arrow::Result<BoundPtr> Conditional(const Node& node, std::string_view name, bool* is_one);
  arrow::Result<BoundPtr> CallLambda(const Node& node, std::string_view name);
  arrow::Result<BoundPtr> CallRegistered(const Node& node, const std::string& name);

  const arrow::Schema& schema_;
  const BindOptions& options_;
  Scope scope_;
  std::vector<Variable> variables_;
  std::set<std::vector<std::string>> columns_;
  int depth_ = 0;
  bool placed_ = false;  ///< the error on its way up shows its place already
};

}  // namespace glaive::expr
