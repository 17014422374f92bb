// glaive tag list|create|update|delete URI TABLE [NAME] [VERSION]: names for versions.
#include <charconv>

#include "base/status.h"
#include "cli/json.h"
#include "cli/text_table.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class TagVerb final : public Verb {
  const char* name() const override { return "tag"; }

  const char* summary() const override { return "name versions: list, create, update, delete"; }

  void Declare(Arguments& arguments) override {
    arguments.Positional("ACTION", &action_, "list, create, update or delete");
    at_.Declare(arguments);
    arguments.OptionalPositional("NAME", &tag_, "the tag");
    arguments.OptionalPositional("VERSION", &version_,
                                 "the version it names; the latest unless told");
  }

  arrow::Status Run(Context& context) override {
    const bool known =
        action_ == "list" || action_ == "create" || action_ == "update" || action_ == "delete";
    GLAIVE_CHECK_ARGUMENT(known, "tag: found '", action_,
                          "', expected list, create, update or delete");
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    if (action_ == "list") {
      return List(context, table);
    }
    GLAIVE_CHECK_ARGUMENT(!tag_.empty(), "tag ", action_, ": give the NAME of the tag");
    if (action_ == "delete") {
      ARROW_RETURN_NOT_OK(table.DeleteTag(tag_));
      return context.Print(context.json ? Line({{"deleted", tag_}})
                                        : Concat("tag '", tag_, "' deleted\n"));
    }
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, ChosenVersion(table));
    ARROW_RETURN_NOT_OK(action_ == "create" ? table.CreateTag(tag_, version)
                                            : table.UpdateTag(tag_, version));
    return context.Print(context.json ? Line({{"name", tag_}, {"version", version}})
                                      : Concat("tag '", tag_, "' names version ", version, "\n"));
  }

  arrow::Result<uint64_t> ChosenVersion(const Table& table) const {
    if (version_.empty()) {
      return table.Version();
    }
    uint64_t version = 0;
    const char* const end = version_.data() + version_.size();
    const auto parsed = std::from_chars(version_.data(), end, version);
    GLAIVE_CHECK_ARGUMENT(parsed.ec == std::errc() && parsed.ptr == end, "VERSION: found '",
                          version_, "', expected a number");
    return version;
  }

  static arrow::Status List(const Context& context, const Table& table) {
    ARROW_ASSIGN_OR_RAISE(const auto tags, table.ListTags());
    std::string lines;
    TextTable out;
    out.AddColumn("tag");
    out.AddColumn("version", TextTable::Align::kRight);
    out.AddColumn("branch");
    out.AddColumn("created");
    for (const auto& tag : tags) {
      Json line = {{"name", tag.name}, {"version", tag.version}};
      line["branch"] = tag.branch ? Json(*tag.branch) : Json();
      line["created_at"] = tag.created_at;
      lines += Line(line);
      out.AddRow({tag.name, std::to_string(tag.version), tag.branch.value_or(""), tag.created_at});
    }
    return context.Print(context.json ? lines : out.Render(TerminalWidth(), true));
  }

  TableArguments at_;
  std::string action_;
  std::string tag_;
  std::string version_;
};

}  // namespace

std::unique_ptr<Verb> MakeTagVerb() {
  return std::make_unique<TagVerb>();
}

}  // namespace glaive::cli
