// glaive explain URI TABLE: how a scan would be answered.
#include "cli/json.h"
#include "cli/request_arguments.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class ExplainVerb final : public Verb {
  const char* name() const override { return "explain"; }

  const char* summary() const override { return "show how a scan would be answered"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.List("columns,c", &scan_.columns, "only these columns");
    filter_.Declare(arguments);
    select_.Declare(arguments);
    arguments.Flag("distinct", &scan_.distinct, "each different row once");
    arguments.Number("limit,n", &scan_.limit, "at most this many rows");
    arguments.Number("offset", &scan_.offset, "skip this many rows first");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    scan_.filter = filter_.filter;
    ARROW_ASSIGN_OR_RAISE(scan_.parameters, filter_.parameters.Make());
    ARROW_ASSIGN_OR_RAISE(scan_.select, select_.Items());
    ARROW_ASSIGN_OR_RAISE(scan_.order_by, select_.Order());
    ARROW_ASSIGN_OR_RAISE(const std::string text, table.Explain(scan_));
    return context.Print(context.json ? Line({{"plan", text}}) : text);
  }

  ReadArguments at_;
  ScanOptions scan_;
  FilterArguments filter_;
  SelectArguments select_;
};

}  // namespace

std::unique_ptr<Verb> MakeExplainVerb() {
  return std::make_unique<ExplainVerb>();
}

}  // namespace glaive::cli
