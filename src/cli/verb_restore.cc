// glaive restore URI TABLE VERSION|TAG: makes an older version the latest, as a new version.
#include "base/status.h"
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class RestoreVerb final : public Verb {
  const char* name() const override { return "restore"; }

  const char* summary() const override {
    return "make an older version the latest, as a new version";
  }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Positional("VERSION", &which_, "a version number or a tag");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto table, at_.OpenAt(which_, context));
    ARROW_ASSIGN_OR_RAISE(const uint64_t from, table.Version());
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, table.Restore());
    return context.Print(
        context.json ? Line({{"table", at_.table}, {"restored", from}, {"version", version}})
                     : Concat("table '", at_.table, "': version ", from, " is now also version ",
                              version, ", the latest\n"));
  }

  TableArguments at_;
  std::string which_;
};

}  // namespace

std::unique_ptr<Verb> MakeRestoreVerb() {
  return std::make_unique<RestoreVerb>();
}

}  // namespace glaive::cli
