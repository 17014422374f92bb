// glaive columns add|alter|drop URI TABLE …: the columns of a table.
#include "base/status.h"
#include "cli/json.h"
#include "cli/request_arguments.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class ColumnsVerb final : public Verb {
  const char* name() const override { return "columns"; }

  const char* summary() const override { return "add, alter or drop columns"; }

  void Declare(Arguments& arguments) override {
    arguments.Positional("ACTION", &action_, "add, alter or drop");
    at_.Declare(arguments);
    arguments.Positionals("COLUMN", &columns_,
                          "add: NAME=EXPRESSION, e.g. \"total=price * 2\" or "
                          "\"note=CAST(NULL AS string)\"; alter: one path; drop: paths");
    arguments.Text("rename", &rename_, "alter: the new name");
    arguments.Text("type", &type_, "alter: the new type, e.g. bigint, double, timestamp(3)");
    arguments.Choice("nulls", &nulls_, {"allow", "refuse"}, "alter: whether it may be null");
    parameters_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    GLAIVE_CHECK_ARGUMENT(action_ == "add" || action_ == "alter" || action_ == "drop",
                          "columns: found '", action_, "', expected add, alter or drop");
    GLAIVE_CHECK_ARGUMENT(!columns_.empty(), "columns ", action_, ": give at least one COLUMN");
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto changed, action_ == "add"     ? Add(table)
                                              : action_ == "alter" ? Alter(table)
                                                                   : table.DropColumns(columns_));
    if (context.json) {
      return context.Print(Line({{"table", at_.table}, {"version", changed.version}}));
    }
    return context.Print(Concat("table '", at_.table, "', version ", changed.version, "\n"));
  }

  arrow::Result<SchemaChangeResult> Add(Table& table) const {
    std::vector<NewColumn> added;
    for (const auto& text : columns_) {
      ARROW_ASSIGN_OR_RAISE(auto assignment, ParseAssignment(text, "columns add"));
      added.push_back({std::move(assignment.first), Clause(std::move(assignment.second))});
    }
    ARROW_ASSIGN_OR_RAISE(const auto parameters, parameters_.Make());
    return table.AddColumns(added, parameters);
  }

  arrow::Result<SchemaChangeResult> Alter(Table& table) const {
    GLAIVE_CHECK_ARGUMENT(columns_.size() == 1, "columns alter: found ", columns_.size(),
                          " columns, expected one");
    ColumnAlteration alteration;
    alteration.path = columns_[0];
    if (!rename_.empty()) {
      alteration.rename = rename_;
    }
    if (!type_.empty()) {
      ARROW_ASSIGN_OR_RAISE(alteration.type, ParseType(type_));
    }
    if (!nulls_.empty()) {
      alteration.nullable = nulls_ == "allow";
    }
    return table.AlterColumns({alteration});
  }

  TableArguments at_;
  std::string action_;
  std::vector<std::string> columns_;
  std::string rename_;
  std::string type_;
  std::string nulls_;
  ParameterArguments parameters_;
};

}  // namespace

std::unique_ptr<Verb> MakeColumnsVerb() {
  return std::make_unique<ColumnsVerb>();
}

}  // namespace glaive::cli
