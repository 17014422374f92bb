// glaive count URI TABLE: the number of live rows of a version, or of those a filter keeps.
#include "cli/json.h"
#include "cli/request_arguments.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class CountVerb final : public Verb {
  const char* name() const override { return "count"; }

  const char* summary() const override { return "count the rows of a table"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    filter_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    CountOptions count;
    count.filter = filter_.filter;
    count.cancel = context.cancel;
    ARROW_ASSIGN_OR_RAISE(count.parameters, filter_.parameters.Make());
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, table.CountRows(count));
    return context.Print(context.json ? Line({{"rows", rows}}) : std::to_string(rows) + "\n");
  }

  ReadArguments at_;
  FilterArguments filter_;
};

}  // namespace

std::unique_ptr<Verb> MakeCountVerb() {
  return std::make_unique<CountVerb>();
}

}  // namespace glaive::cli
