// glaive update URI TABLE --set NAME=EXPRESSION … [--where CONDITION]: new values in rows.
#include "base/status.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/request_arguments.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class UpdateVerb final : public Verb {
  const char* name() const override { return "update"; }

  const char* summary() const override { return "change values in rows"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Texts("set", &set_, "NAME=EXPRESSION over the old row; several times");
    arguments.Text("where,w", &where_, "only rows for which this is true; all rows unless told");
    parameters_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    UpdateRequest request;
    request.where = where_;
    for (const auto& text : set_) {
      ARROW_ASSIGN_OR_RAISE(auto assignment, ParseAssignment(text, "set"));
      request.set.emplace_back(std::move(assignment.first), Clause(std::move(assignment.second)));
    }
    ARROW_ASSIGN_OR_RAISE(request.parameters, parameters_.Make());
    request.cancel = context.cancel;
    request.progress = MakeProgressLine(context);
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto updated, table.Update(request));
    request.progress = {};
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"version", updated.version},
                                 {"updated", updated.num_updated_rows}}));
    }
    return context.Print(Concat("table '", at_.table, "', version ", updated.version, ": ",
                                WithThousands(updated.num_updated_rows), " rows updated\n"));
  }

  TableArguments at_;
  std::vector<std::string> set_;
  std::string where_;
  ParameterArguments parameters_;
};

}  // namespace

std::unique_ptr<Verb> MakeUpdateVerb() {
  return std::make_unique<UpdateVerb>();
}

}  // namespace glaive::cli
