#include "expr/functions/list_column.h"

namespace glaive::expr {

std::vector<Function> ListFunctions() {
  std::vector<Function> functions;
  lists::AddListSearch(&functions);
  lists::AddListShape(&functions);
  lists::AddListPick(&functions);
  lists::AddListText(&functions);
  lists::AddListSets(&functions);
  lists::AddListEdits(&functions);
  lists::AddListReplace(&functions);
  lists::AddListMakers(&functions);
  return functions;
}

}  // namespace glaive::expr
