// Door: a verb of the tool, and what all verbs share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "glaive/cancel.h"
#include "glaive/database.h"

#include "cli/arguments.h"

namespace glaive::cli {

/// What the process does with a finished verb's exit code: 0 success, 1 error, 2 wrong usage, 130
/// interrupted.
enum ExitCode : int { kSuccess = 0, kFailed = 1, kUsage = 2, kInterrupted = 130 };

/// What a verb sees of the process.
struct Context {
  bool json = false;         ///< --json: machine-readable output, and errors as JSON on stderr
  bool progress = false;     ///< report progress on stderr
  uint64_t threads = 0;      ///< --threads
  CancelToken cancel;        ///< Ctrl-C
  int exit_code = kSuccess;  ///< of a verb that ran well; verify sets kFailed

  /// The database at `uri`; `create` false refuses a directory that is not there.
  arrow::Result<Database> Open(const std::string& uri, bool create = false) const;
  /// Writes to stdout; kIo if that fails.
  arrow::Status Print(std::string_view text) const;
};

/// One verb: declares its arguments, then runs once.
class Verb {
 public:
  virtual ~Verb() = default;
  virtual const char* name() const = 0;
  virtual const char* summary() const = 0;
  virtual void Declare(Arguments& arguments) = 0;
  virtual arrow::Status Run(Context& context) = 0;
};

/// URI TABLE, for verbs that change a table.
struct TableArguments {
  std::string uri;
  std::string table;

  void Declare(Arguments& arguments);
  arrow::Result<Table> Open(const Context& context) const;
  /// At a version, named by its number or by a tag.
  arrow::Result<Table> OpenAt(const std::string& number_or_tag, const Context& context) const;
};

/// URI TABLE and --version, --tag, --as-of, --branch, for verbs that read one.
struct ReadArguments {
  TableArguments at;
  std::optional<uint64_t> version;
  std::string tag;
  std::string as_of;
  std::string branch;

  void Declare(Arguments& arguments);
  arrow::Result<Table> Open(const Context& context) const;
};

/// Every verb, in the order of the help text.
std::vector<std::unique_ptr<Verb>> AllVerbs();

// One factory per file verb_<name>.cc.
std::unique_ptr<Verb> MakeAddVerb();
std::unique_ptr<Verb> MakeBranchesVerb();
std::unique_ptr<Verb> MakeCheckoutVerb();
std::unique_ptr<Verb> MakeCleanupVerb();
std::unique_ptr<Verb> MakeColumnsVerb();
std::unique_ptr<Verb> MakeCountVerb();
std::unique_ptr<Verb> MakeCreateVerb();
std::unique_ptr<Verb> MakeDeleteVerb();
std::unique_ptr<Verb> MakeDropVerb();
std::unique_ptr<Verb> MakeExplainVerb();
std::unique_ptr<Verb> MakeExportVerb();
std::unique_ptr<Verb> MakeImportVerb();
std::unique_ptr<Verb> MakeInspectVerb();
std::unique_ptr<Verb> MakeMergeVerb();
std::unique_ptr<Verb> MakeOptimizeVerb();
std::unique_ptr<Verb> MakeRenameVerb();
std::unique_ptr<Verb> MakeRestoreVerb();
std::unique_ptr<Verb> MakeScanVerb();
std::unique_ptr<Verb> MakeSchemaVerb();
std::unique_ptr<Verb> MakeSearchVerb();
std::unique_ptr<Verb> MakeTablesVerb();
std::unique_ptr<Verb> MakeTagVerb();
std::unique_ptr<Verb> MakeTakeVerb();
std::unique_ptr<Verb> MakeUpdateVerb();
std::unique_ptr<Verb> MakeUpsertVerb();
std::unique_ptr<Verb> MakeVerifyVerb();
std::unique_ptr<Verb> MakeVersionVerb();
std::unique_ptr<Verb> MakeVersionsVerb();

/// The tool: parses, runs, reports. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace glaive::cli
