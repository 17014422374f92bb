// glaive drop URI TABLE: removes a table with all its versions.
#include "base/status.h"
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class DropVerb final : public Verb {
  const char* name() const override { return "drop"; }

  const char* summary() const override { return "remove a table with all its versions"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto database, context.Open(at_.uri));
    ARROW_RETURN_NOT_OK(database.DropTable(at_.table));
    return context.Print(context.json ? Line({{"dropped", at_.table}})
                                      : Concat("table '", at_.table, "' dropped\n"));
  }

  TableArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeDropVerb() {
  return std::make_unique<DropVerb>();
}

}  // namespace glaive::cli
