// The tool: parses the command line, runs one verb, reports errors.
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "glaive/error.h"
#include "glaive/version.h"

#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

// The token of the running verb, for the signal handler.
std::atomic<const CancelToken*> running{nullptr};

extern "C" void StopRunning(int) {
  if (const CancelToken* token = running.load(); token != nullptr) {
    token->RequestStop();
  }
}

// The first Ctrl-C asks the verb to stop, which leaves nothing half done; a second one ends the
// process.
void HandleInterrupts(const CancelToken& token) {
  running.store(&token);

  struct sigaction action {};

  action.sa_handler = StopRunning;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int Report(const arrow::Status& status, const Context& context) {
  const ErrorCode code = ErrorCodeOf(status);
  if (context.json) {
    const std::string line = Line({{"error", ErrorCodeName(code)},
                                   {"code", static_cast<int32_t>(code)},
                                   {"message", status.message()},
                                   {"remedy", ErrorRemedy(code)}});
    std::fwrite(line.data(), 1, line.size(), stderr);
  } else {
    std::fprintf(stderr, "error: %s: %s\n", std::string(ErrorCodeName(code)).c_str(),
                 status.message().c_str());
    std::fprintf(stderr, "remedy: %s\n", std::string(ErrorRemedy(code)).c_str());
  }
  return code == ErrorCode::kCancelled ? kInterrupted : kFailed;
}

void DescribeTool(CLI::App& app) {
  app.description(
      "glaive: versioned tables of rows and vectors in the Lance format.\n"
      "A database URI is a directory; its tables lie in it as NAME.lance.");
  app.set_version_flag("--version", GLAIVE_VERSION_STRING);
  app.require_subcommand(1);
  app.footer(
      "Exit code: 0 success, 1 error (also: verify found defects), 2 wrong usage, 130 "
      "interrupted.\n"
      "With --json every verb prints JSON, and errors are one JSON object on stderr.");
}

int RunVerb(Verb& verb, Context& context) {
  HandleInterrupts(context.cancel);
  const auto status = verb.Run(context);
  running.store(nullptr);
  return status.ok() ? context.exit_code : Report(status, context);
}

}  // namespace

std::vector<std::unique_ptr<Verb>> AllVerbs() {
  static constexpr std::array kFactories = {
      MakeTablesVerb,   MakeSchemaVerb,  MakeCountVerb,    MakeScanVerb,     MakeTakeVerb,
      MakeSearchVerb,   MakeExplainVerb, MakeImportVerb,   MakeAddVerb,      MakeUpdateVerb,
      MakeDeleteVerb,   MakeMergeVerb,   MakeUpsertVerb,   MakeExportVerb,   MakeColumnsVerb,
      MakeCreateVerb,   MakeDropVerb,    MakeRenameVerb,   MakeVersionsVerb, MakeCheckoutVerb,
      MakeRestoreVerb,  MakeTagVerb,     MakeBranchesVerb, MakeVerifyVerb,   MakeInspectVerb,
      MakeOptimizeVerb, MakeCleanupVerb, MakeVersionVerb};
  std::vector<std::unique_ptr<Verb>> verbs;
  for (const auto factory : kFactories) {
    verbs.push_back(factory());
  }
  return verbs;
}

int Main(int argc, char** argv) {
  CLI::App app;
  DescribeTool(app);
  Context context;
  const auto verbs = AllVerbs();
  for (const auto& verb : verbs) {
    CLI::App* command = app.add_subcommand(verb->name(), verb->summary());
    Arguments arguments(command);
    verb->Declare(arguments);
    arguments.Flag("json", &context.json, "machine-readable output, and errors as JSON on stderr");
    arguments.Flag("progress", &context.progress,
                   "report progress on stderr even if that is no terminal");
    arguments.Number("threads", &context.threads, "threads to use, all cores unless told");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kUsage;
  }
  for (const auto& verb : verbs) {
    if (app.got_subcommand(verb->name())) {
      return RunVerb(*verb, context);
    }
  }
  return kUsage;
}

}  // namespace glaive::cli
