#include "expr/function.h"

namespace glaive::expr {

std::vector<Function> GeoFunctions() {
  return {};
}

}  // namespace glaive::expr
