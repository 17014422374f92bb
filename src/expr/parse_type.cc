// Types by name, for users.
#include "glaive/expression.h"

#include "base/status.h"
#include "expr/parse.h"
#include "expr/syntax.h"

namespace glaive {

arrow::Result<std::shared_ptr<arrow::DataType>> ParseType(std::string_view name) {
  auto cast = expr::Parse(Concat("CAST(NULL AS ", name, ")"));
  if (cast.ok() && (*cast)->kind == expr::NodeKind::kCast) {
    return (*cast)->type;
  }
  auto arrow_type = expr::ParseArrowTypeName(name);
  if (arrow_type.ok()) {
    return arrow_type;
  }
  return InvalidArgument("'", name, "' is no type; expected a name such as bigint, double, string, ",
                         "timestamp(3), decimal(10, 2), int[] or FixedSizeList(3, Float32)");
}

}  // namespace glaive
