// glaive version: of the tool and of what it was built with.
#include <arrow/config.h>

#include "glaive/version.h"

#include "base/status.h"
#include "cli/json.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class VersionVerb final : public Verb {
  const char* name() const override { return "version"; }

  const char* summary() const override { return "show the version of the tool"; }

  void Declare(Arguments&) override {}

  arrow::Status Run(Context& context) override {
    const std::string arrow = arrow::GetBuildInfo().version_string;
    return context.Print(context.json ? Line({{"glaive", GLAIVE_VERSION_STRING},
                                              {"arrow", arrow},
                                              {"data_storage_versions", {"2.0", "2.1", "2.2"}}})
                                      : Concat("glaive ", GLAIVE_VERSION_STRING, " (Arrow ", arrow,
                                               ", Lance data files 2.0, 2.1, 2.2)\n"));
  }
};

}  // namespace

std::unique_ptr<Verb> MakeVersionVerb() {
  return std::make_unique<VersionVerb>();
}

}  // namespace glaive::cli
