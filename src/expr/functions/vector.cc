#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> VectorFunctions() {
  return {};
}

}  // namespace glaive::expr
