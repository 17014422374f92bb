// glaive tables URI: the names of the tables.
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class TablesVerb final : public Verb {
  const char* name() const override { return "tables"; }

  const char* summary() const override { return "list the tables of a database"; }

  void Declare(Arguments& arguments) override {
    arguments.Positional("URI", &uri_, "the database: a directory");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto database, context.Open(uri_));
    ARROW_ASSIGN_OR_RAISE(const auto names, database.ListTables());
    std::string text;
    for (const auto& name : names) {
      text += context.json ? Line({{"name", name}}) : name + "\n";
    }
    return context.Print(text);
  }

  std::string uri_;
};

}  // namespace

std::unique_ptr<Verb> MakeTablesVerb() {
  return std::make_unique<TablesVerb>();
}

}  // namespace glaive::cli
