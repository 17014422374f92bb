#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/status.h"
#include "cli/instant.h"
#include "cli/verb.h"

namespace glaive::cli {

arrow::Result<Database> Context::Open(const std::string& uri, bool create) const {
  const bool is_path = uri.find("://") == std::string::npos;
  std::error_code ignored;
  if (!create && is_path && !std::filesystem::is_directory(uri, ignored)) {
    return NotFound("database '", uri, "': there is no such directory");
  }
  DatabaseOptions options;
  options.num_threads = threads;
  return Database::Open(uri, options);
}

arrow::Status Context::Print(std::string_view text) const {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return MakeError(ErrorCode::kIo, Concat("writing to stdout: ", std::strerror(errno)));
  }
  return arrow::Status::OK();
}

void TableArguments::Declare(Arguments& arguments) {
  arguments.Positional("URI", &uri, "the database: a directory");
  arguments.Positional("TABLE", &table, "the table");
}

arrow::Result<Table> TableArguments::Open(const Context& context) const {
  ARROW_ASSIGN_OR_RAISE(auto database, context.Open(uri));
  return database.OpenTable(table);
}

arrow::Result<Table> TableArguments::OpenAt(const std::string& number_or_tag,
                                            const Context& context) const {
  ARROW_ASSIGN_OR_RAISE(auto opened, Open(context));
  uint64_t number = 0;
  const char* const end = number_or_tag.data() + number_or_tag.size();
  const auto parsed = std::from_chars(number_or_tag.data(), end, number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end;
  ARROW_RETURN_NOT_OK(is_number ? opened.Checkout(number) : opened.CheckoutTag(number_or_tag));
  return opened;
}

void ReadArguments::Declare(Arguments& arguments) {
  at.Declare(arguments);
  arguments.Number("version", &version, "read this version instead of the latest");
  arguments.Text("tag", &tag, "read the version of this tag");
  arguments.Text("as-of", &as_of,
                 "read the newest version at or before this time: 2026-01-31, "
                 "2026-01-31T12:00:05Z, @SECONDS");
  arguments.Text("branch", &branch, "read the latest version of this branch");
}

arrow::Result<Table> ReadArguments::Open(const Context& context) const {
  const int ways = (version ? 1 : 0) + (tag.empty() ? 0 : 1) + (as_of.empty() ? 0 : 1);
  GLAIVE_CHECK_ARGUMENT(ways <= 1, "--version, --tag and --as-of: give only one of them");
  ARROW_ASSIGN_OR_RAISE(auto table, at.Open(context));
  if (!branch.empty()) {
    ARROW_ASSIGN_OR_RAISE(table, table.OpenBranch(branch));
  }
  if (version) {
    ARROW_RETURN_NOT_OK(table.Checkout(*version));
  } else if (!tag.empty()) {
    ARROW_RETURN_NOT_OK(table.CheckoutTag(tag));
  } else if (!as_of.empty()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t nanos, ParseInstant(as_of));
    ARROW_RETURN_NOT_OK(table.CheckoutAsOf(nanos));
  }
  return table;
}

}  // namespace glaive::cli
