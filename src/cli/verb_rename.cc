// glaive rename URI TABLE NEW_NAME.
#include "base/status.h"
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class RenameVerb final : public Verb {
  const char* name() const override { return "rename"; }

  const char* summary() const override { return "give a table another name"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Positional("NEW_NAME", &to_, "its new name");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto database, context.Open(at_.uri));
    ARROW_RETURN_NOT_OK(database.RenameTable(at_.table, to_));
    return context.Print(context.json ? Line({{"from", at_.table}, {"to", to_}})
                                      : Concat("table '", at_.table, "' is now '", to_, "'\n"));
  }

  TableArguments at_;
  std::string to_;
};

}  // namespace

std::unique_ptr<Verb> MakeRenameVerb() {
  return std::make_unique<RenameVerb>();
}

}  // namespace glaive::cli
