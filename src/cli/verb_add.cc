// glaive add URI TABLE FILE: appends a file to a table.
#include "cli/appending.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class AddVerb final : public Verb {
  const char* name() const override { return "add"; }

  const char* summary() const override { return "append a file to a table"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    input_.Declare(arguments);
    arguments.Number("max-rows-per-file", &max_rows_per_file_,
                     "begin a new data file after this many rows");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    return AppendFile(context, table, input_, max_rows_per_file_);
  }

  TableArguments at_;
  InputArguments input_;
  std::optional<uint64_t> max_rows_per_file_;
};

}  // namespace

std::unique_ptr<Verb> MakeAddVerb() {
  return std::make_unique<AddVerb>();
}

}  // namespace glaive::cli
