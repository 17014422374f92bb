// glaive cleanup URI TABLE: removes old versions and the files that only they use.
#include "base/status.h"
#include "cli/instant.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class CleanupVerb final : public Verb {
  const char* name() const override { return "cleanup"; }

  const char* summary() const override { return "remove old versions and what only they use"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Text("older-than", &older_than_,
                   "versions of this age: 90s, 15m, 12h, 7d (the default), 2w or 0");
    arguments.Number("before-version", &options_.before_version, "only versions below this one");
    arguments.Number("keep", &options_.keep_newest, "keep so many of the newest versions");
    arguments.Flag(
        "delete-unverified", &options_.delete_unverified,
        "also files younger than 7 days that no version names; only while nobody writes");
    arguments.Flag("error-if-tagged", &options_.error_if_tagged_old_versions,
                   "fail if a tag keeps an old version");
    arguments.Flag("dry-run", &options_.dry_run, "only tell what would be removed");
    arguments.Footer(
        "The latest version, tagged ones, and those that Glaive is reading always stay.");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(options_.older_than_nanos, ParseDuration(older_than_));
    options_.progress = MakeProgressLine(context);
    options_.cancel = context.cancel;
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto done, table.Cleanup(options_));
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"dry_run", options_.dry_run},
                                 {"versions_removed", done.versions_removed},
                                 {"data_files_removed", done.data_files_removed},
                                 {"deletion_files_removed", done.deletion_files_removed},
                                 {"index_files_removed", done.index_files_removed},
                                 {"transaction_files_removed", done.transaction_files_removed},
                                 {"bytes_removed", done.bytes_removed}}));
    }
    return context.Print(Concat(
        "table '", at_.table, "': ", WithThousands(done.versions_removed), " versions ",
        options_.dry_run ? "would be removed, with " : "removed, with ",
        WithThousands(done.data_files_removed), " data files, ",
        WithThousands(done.deletion_files_removed), " deletion files, ",
        WithThousands(done.index_files_removed), " index files; ", HumanBytes(done.bytes_removed),
        options_.dry_run ? " would be freed\n" : " freed\n"));
  }

  TableArguments at_;
  CleanupOptions options_;
  std::string older_than_ = "7d";
};

}  // namespace

std::unique_ptr<Verb> MakeCleanupVerb() {
  return std::make_unique<CleanupVerb>();
}

}  // namespace glaive::cli
