// glaive count URI TABLE: the number of live rows of a version.
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class CountVerb final : public Verb {
  const char* name() const override { return "count"; }

  const char* summary() const override { return "count the rows of a table"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, table.CountRows());
    return context.Print(context.json ? Line({{"rows", rows}}) : std::to_string(rows) + "\n");
  }

  ReadArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeCountVerb() {
  return std::make_unique<CountVerb>();
}

}  // namespace glaive::cli
