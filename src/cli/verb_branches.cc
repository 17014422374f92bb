// glaive branches URI TABLE: the branches of a table.
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class BranchesVerb final : public Verb {
  const char* name() const override { return "branches"; }

  const char* summary() const override { return "list the branches of a table"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto names, table.ListBranches());
    std::string text;
    for (const auto& name : names) {
      text += context.json ? Line({{"name", name}}) : name + "\n";
    }
    return context.Print(text.empty() && !context.json ? "no branches beside main\n" : text);
  }

  TableArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeBranchesVerb() {
  return std::make_unique<BranchesVerb>();
}

}  // namespace glaive::cli
