#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> StructFunctions() {
  return {};
}

}  // namespace glaive::expr
