#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> DigestFunctions() {
  return {};
}

}  // namespace glaive::expr
