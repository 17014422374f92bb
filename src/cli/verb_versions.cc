// glaive versions URI TABLE: the history of a table.
#include <map>

#include "cli/instant.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/text_table.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class VersionsVerb final : public Verb {
  const char* name() const override { return "versions"; }

  const char* summary() const override { return "list the versions of a table"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Number("limit,n", &limit_, "only the newest so many");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto versions, table.ListVersions(limit_));
    ARROW_ASSIGN_OR_RAISE(const auto tags, table.ListTags());
    std::map<uint64_t, std::vector<std::string>> names;
    for (const auto& tag : tags) {
      if (!tag.branch) {
        names[tag.version].push_back(tag.name);
      }
    }
    return context.json ? PrintJson(context, versions, names)
                        : PrintTable(context, versions, names);
  }

  using Names = std::map<uint64_t, std::vector<std::string>>;

  static arrow::Status PrintJson(const Context& context, const std::vector<VersionInfo>& versions,
                                 Names& names) {
    std::string lines;
    for (const auto& version : versions) {
      lines += Line({{"version", version.version},
                     {"timestamp", FormatInstant(version.timestamp_nanos)},
                     {"operation", version.operation},
                     {"rows", version.num_rows},
                     {"deleted_rows", version.num_deleted_rows},
                     {"fragments", version.num_fragments},
                     {"data_files", version.num_data_files},
                     {"tags", names[version.version]},
                     {"properties", version.properties}});
    }
    return context.Print(lines);
  }

  static arrow::Status PrintTable(const Context& context, const std::vector<VersionInfo>& versions,
                                  Names& names) {
    TextTable out;
    out.AddColumn("version", TextTable::Align::kRight);
    out.AddColumn("time");
    out.AddColumn("operation");
    for (const char* number : {"rows", "deleted", "fragments", "files"}) {
      out.AddColumn(number, TextTable::Align::kRight);
    }
    out.AddColumn("tags");
    for (const auto& version : versions) {
      std::string tags;
      for (const auto& tag : names[version.version]) {
        tags += (tags.empty() ? "" : ", ") + tag;
      }
      out.AddRow({std::to_string(version.version), FormatInstant(version.timestamp_nanos),
                  version.operation, WithThousands(version.num_rows),
                  WithThousands(version.num_deleted_rows), WithThousands(version.num_fragments),
                  WithThousands(version.num_data_files), tags});
    }
    return context.Print(out.Render(TerminalWidth(), true));
  }

  TableArguments at_;
  uint64_t limit_ = 0;
};

}  // namespace

std::unique_ptr<Verb> MakeVersionsVerb() {
  return std::make_unique<VersionsVerb>();
}

}  // namespace glaive::cli
