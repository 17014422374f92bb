#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> RegexFunctions() {
  return {};
}

}  // namespace glaive::expr
