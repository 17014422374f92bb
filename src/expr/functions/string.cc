#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> StringFunctions() {
  return {};
}

}  // namespace glaive::expr
