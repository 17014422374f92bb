// glaive merge URI TABLE FILE, glaive upsert URI TABLE FILE: rows of a file matched by key.
#include "base/status.h"
#include "cli/appending.h"
#include "cli/json.h"
#include "cli/request_arguments.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

arrow::Status PrintMerged(const Context& context, const std::string& table,
                          const MergeResult& merged) {
  if (context.json) {
    return context.Print(Line({{"table", table},
                               {"version", merged.version},
                               {"inserted", merged.num_inserted_rows},
                               {"updated", merged.num_updated_rows},
                               {"deleted", merged.num_deleted_rows},
                               {"attempts", merged.num_attempts}}));
  }
  return context.Print(Concat("table '", table, "', version ", merged.version, ": ",
                              WithThousands(merged.num_inserted_rows), " rows inserted, ",
                              WithThousands(merged.num_updated_rows), " updated, ",
                              WithThousands(merged.num_deleted_rows), " deleted\n"));
}

class MergeVerb final : public Verb {
  const char* name() const override { return "merge"; }

  const char* summary() const override { return "merge the rows of a file by key"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    input_.Declare(arguments);
    arguments.List("on", &request_.on, "the key's columns; the table's primary key unless told");
    arguments.Flag("update", &request_.update_matched, "matched rows take the file's values");
    arguments.Text("update-if", &update_if_,
                   "only matched rows for which this is true, e.g. \"source.at > target.at\"");
    arguments.Texts("set", &set_,
                    "NAME=EXPRESSION over source.x and target.x instead of the file's values");
    arguments.Flag("insert", &request_.insert_unmatched, "add rows of the file without a match");
    arguments.Flag("delete", &request_.delete_unmatched_by_source,
                   "delete rows of the table without a match");
    arguments.Text("delete-if", &delete_if_, "only those for which this is true");
    parameters_.Declare(arguments);
    write_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    request_.update_matched = request_.update_matched || !update_if_.empty() || !set_.empty();
    request_.delete_unmatched_by_source =
        request_.delete_unmatched_by_source || !delete_if_.empty();
    request_.update_condition = update_if_;
    request_.delete_condition = delete_if_;
    for (const auto& text : set_) {
      ARROW_ASSIGN_OR_RAISE(auto assignment, ParseAssignment(text, "set"));
      request_.set.emplace_back(std::move(assignment.first), Clause(std::move(assignment.second)));
    }
    ARROW_ASSIGN_OR_RAISE(request_.parameters, parameters_.Make());
    request_.write = write_.Options(context);
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(auto rows, OpenRows(context, table, input_));
    ARROW_ASSIGN_OR_RAISE(const auto merged, table.Merge(request_, std::move(rows)));
    request_.write.progress = {};
    return PrintMerged(context, at_.table, merged);
  }

  TableArguments at_;
  InputArguments input_;
  MergeRequest request_;
  std::string update_if_;
  std::string delete_if_;
  std::vector<std::string> set_;
  ParameterArguments parameters_;
  WriteArguments write_;
};

class UpsertVerb final : public Verb {
  const char* name() const override { return "upsert"; }

  const char* summary() const override { return "update or insert the rows of a file by key"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    input_.Declare(arguments);
    arguments.List("on", &on_, "the key's columns; the table's primary key unless told");
    write_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(auto rows, OpenRows(context, table, input_));
    WriteOptions options = write_.Options(context);
    ARROW_ASSIGN_OR_RAISE(const auto merged, table.Upsert(std::move(rows), on_, options));
    options.progress = {};
    return PrintMerged(context, at_.table, merged);
  }

  TableArguments at_;
  InputArguments input_;
  std::vector<std::string> on_;
  WriteArguments write_;
};

}  // namespace

std::unique_ptr<Verb> MakeMergeVerb() {
  return std::make_unique<MergeVerb>();
}

std::unique_ptr<Verb> MakeUpsertVerb() {
  return std::make_unique<UpsertVerb>();
}

}  // namespace glaive::cli
