#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> TemporalFunctions() {
  return {};
}

}  // namespace glaive::expr
