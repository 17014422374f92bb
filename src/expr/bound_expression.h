// What a bound expression holds.
#pragma once

#include <string>
#include <vector>

#include "expr/bind.h"
#include "expr/bound_node.h"

namespace glaive::expr {

struct BoundExpression::Impl {
  BoundPtr root;
  std::vector<std::vector<std::string>> columns;
  int64_t now_nanos = 0;
  arrow::MemoryPool* pool = nullptr;
};

}  // namespace glaive::expr
