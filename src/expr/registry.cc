#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

#include "expr/function.h"
#include "expr/nearest.h"

namespace glaive::expr {
namespace {

struct Registry {
  std::vector<Function> functions;
  std::vector<const Function*> sorted;
  std::unordered_map<std::string_view, const Function*> by_name;
  std::vector<std::string_view> names;

  Registry() {
    for (auto* family : {&StringFunctions, &RegexFunctions, &DigestFunctions, &MathFunctions,
                         &ConditionalFunctions, &TemporalFunctions, &ListFunctions,
                         &StructFunctions, &JsonFunctions, &VectorFunctions}) {
      std::vector<Function> made = family();
      std::move(made.begin(), made.end(), std::back_inserter(functions));
    }
    for (const Function& function : functions) {
      sorted.push_back(&function);
      Enter(function.name, &function);
      for (const std::string& alias : function.aliases) Enter(alias, &function);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const Function* a, const Function* b) { return a->name < b->name; });
    std::sort(names.begin(), names.end());
  }

  void Enter(std::string_view name, const Function* function) {
    if (by_name.emplace(name, function).second) names.push_back(name);
  }
};

const Registry& TheRegistry() {
  static const Registry* registry = new Registry;  // never destroyed: used until the very end
  return *registry;
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  const auto& by_name = TheRegistry().by_name;
  auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::string NearestFunction(std::string_view name) {
  return std::string(Nearest(name, TheRegistry().names));
}

const std::vector<const Function*>& AllFunctions() {
  return TheRegistry().sorted;
}

}  // namespace glaive::expr
