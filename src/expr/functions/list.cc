#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> ListFunctions() {
  return {};
}

}  // namespace glaive::expr
