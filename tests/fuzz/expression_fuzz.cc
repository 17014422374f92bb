// Any bytes as the text of an expression: an error, or a tree that prints to text that parses to an
// equal tree. The same bytes as the path of a column and as the name of an Arrow type.
#include <string_view>

#include "expr/parse.h"
#include "expr/syntax.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto tree = glaive::expr::Parse(text);
  if (tree.ok()) {
    auto again = glaive::expr::Parse(glaive::expr::ToSql(**tree));
    if (!again.ok() || !glaive::expr::Equals(**tree, **again)) {
      __builtin_trap();
    }
  }
  (void)glaive::expr::ParseColumnPath(text);
  auto type = glaive::expr::ParseArrowTypeName(text);
  if (type.ok()) {
    (void)glaive::expr::SqlTypeName(**type);
    if (!glaive::expr::ParseArrowTypeName(glaive::expr::ArrowTypeName(**type)).ok()) {
      __builtin_trap();
    }
  }
  return 0;
}
