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
    write_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    return AppendFile(context, table, input_, write_);
  }

  TableArguments at_;
  InputArguments input_;
  WriteArguments write_;
};

}  // namespace

std::unique_ptr<Verb> MakeAddVerb() {
  return std::make_unique<AddVerb>();
}

}  // namespace glaive::cli
