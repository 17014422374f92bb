// glaive optimize URI TABLE: merges small fragments, drops deleted rows, removes old versions.
#include "base/status.h"
#include "cli/instant.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class OptimizeVerb final : public Verb {
  const char* name() const override { return "optimize"; }

  const char* summary() const override {
    return "merge small fragments, drop deleted rows, remove old versions";
  }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Number("target-rows", &options_.target_rows_per_fragment,
                     "rows that a fragment should have");
    arguments.Number("max-bytes", &options_.max_bytes_per_fragment,
                     "bytes that a fragment may have");
    arguments.Text("older-than", &older_than_,
                   "remove versions older than this: 90s, 15m, 12h, 7d, 2w or 0");
    arguments.Flag("no-compact", &no_compact_, "only remove old versions");
    arguments.Flag("no-cleanup", &no_cleanup_, "only compact");
  }

  arrow::Status Run(Context& context) override {
    GLAIVE_CHECK_ARGUMENT(!no_cleanup_ || !older_than_.has_value(),
                          "optimize: --older-than and --no-cleanup exclude each other");
    options_.compact = !no_compact_;
    if (older_than_.has_value()) {
      ARROW_ASSIGN_OR_RAISE(options_.cleanup_older_than_nanos, ParseDuration(*older_than_));
    }
    if (no_cleanup_) {
      options_.cleanup_older_than_nanos = std::nullopt;
    }
    options_.progress = MakeProgressLine(context);
    options_.cancel = context.cancel;
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto done, table.Optimize(options_));
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"version", done.version},
                                 {"fragments_removed", done.fragments_removed},
                                 {"fragments_added", done.fragments_added},
                                 {"files_removed", done.files_removed},
                                 {"files_added", done.files_added},
                                 {"versions_removed", done.versions_removed},
                                 {"bytes_removed", done.bytes_removed}}));
    }
    return context.Print(Concat("table '", at_.table, "', version ", done.version, ": ",
                                WithThousands(done.fragments_removed), " fragments became ",
                                WithThousands(done.fragments_added), "; ",
                                WithThousands(done.versions_removed), " old versions removed, ",
                                HumanBytes(done.bytes_removed), " freed\n"));
  }

  TableArguments at_;
  OptimizeOptions options_;
  std::optional<std::string> older_than_;
  bool no_compact_ = false;
  bool no_cleanup_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeOptimizeVerb() {
  return std::make_unique<OptimizeVerb>();
}

}  // namespace glaive::cli
