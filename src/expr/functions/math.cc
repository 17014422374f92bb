#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> MathFunctions() {
  return {};
}

}  // namespace glaive::expr
