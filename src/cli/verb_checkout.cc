// glaive checkout URI TABLE VERSION|TAG: looks at an older version. A process keeps no handle, so
// this changes nothing: it shows that the version can be read, and says how to read it or to return
// to it.
#include <arrow/record_batch.h>

#include "base/status.h"
#include "cli/output.h"
#include "cli/schema_text.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class CheckoutVerb final : public Verb {
  const char* name() const override { return "checkout"; }

  const char* summary() const override { return "look at an older version (changes nothing)"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Positional("VERSION", &which_, "a version number or a tag");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto table, at_.OpenAt(which_, context));
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, table.Version());
    ARROW_ASSIGN_OR_RAISE(const auto schema, table.Schema());
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, table.CountRows());
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"version", version},
                                 {"rows", rows},
                                 {"schema", SchemaJson(*schema)}}));
    }
    ARROW_RETURN_NOT_OK(
        context.Print(Concat("table '", at_.table, "', version ", version, ": ",
                             WithThousands(rows), " rows\n\n", SchemaText(*schema), "\n")));
    ScanOptions scan;
    scan.limit = 5;
    scan.cancel = context.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto reader, table.Scan(scan));
    ARROW_ASSIGN_OR_RAISE(const auto sink, RowSink::Make(RowFormat::kTable, "-", reader->schema()));
    ARROW_RETURN_NOT_OK(Drain(*reader, *sink, context.cancel));
    return context.Print(Concat("\nRead it with --version ", version,
                                " on any reading verb; make it the latest with: glaive restore ",
                                at_.uri, " ", at_.table, " ", version, "\n"));
  }

  TableArguments at_;
  std::string which_;
};

}  // namespace

std::unique_ptr<Verb> MakeCheckoutVerb() {
  return std::make_unique<CheckoutVerb>();
}

}  // namespace glaive::cli
