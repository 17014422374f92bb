#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> ConditionalFunctions() {
  return {};
}

}  // namespace glaive::expr
