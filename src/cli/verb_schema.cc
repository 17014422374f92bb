// glaive schema URI TABLE: columns and types of a version.
#include "cli/schema_text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class SchemaVerb final : public Verb {
  const char* name() const override { return "schema"; }

  const char* summary() const override { return "show the columns of a table"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto schema, table.Schema());
    return context.Print(context.json ? Line(SchemaJson(*schema)) : SchemaText(*schema));
  }

  ReadArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeSchemaVerb() {
  return std::make_unique<SchemaVerb>();
}

}  // namespace glaive::cli
