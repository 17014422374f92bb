#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> JsonFunctions() {
  return {};
}

}  // namespace glaive::expr
