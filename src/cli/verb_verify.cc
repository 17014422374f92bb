// glaive verify URI TABLE: reads everything and reports every defect. Exit code 1 if there is one.
#include "base/status.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class VerifyVerb final : public Verb {
  const char* name() const override { return "verify"; }

  const char* summary() const override { return "read everything and report defects"; }

  void Declare(Arguments& arguments) override { at_.Declare(arguments); }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    ARROW_ASSIGN_OR_RAISE(const auto report,
                          table.Verify(MakeProgressLine(context), context.cancel));
    context.exit_code = report.defects.empty() ? kSuccess : kFailed;
    if (context.json) {
      Json defects = Json::array();
      for (const auto& defect : report.defects) {
        defects.push_back(
            {{"code", ErrorCodeName(ErrorCodeOf(defect))}, {"message", defect.message()}});
      }
      return context.Print(Line({{"sound", report.defects.empty()},
                                 {"fragments", report.num_fragments},
                                 {"files", report.num_files},
                                 {"rows", report.num_rows},
                                 {"bytes", report.num_bytes},
                                 {"defects", defects}}));
    }
    std::string text =
        Concat("checked ", WithThousands(report.num_rows), " rows in ",
               WithThousands(report.num_files), " files of ", WithThousands(report.num_fragments),
               " fragments, ", HumanBytes(report.num_bytes), "\n");
    for (const auto& defect : report.defects) {
      text += Concat("defect: ", ErrorCodeName(ErrorCodeOf(defect)), ": ", defect.message(), "\n");
    }
    text += report.defects.empty() ? "sound: no defects found\n"
                                   : Concat(report.defects.size(), " defects found\n");
    return context.Print(text);
  }

  ReadArguments at_;
};

}  // namespace

std::unique_ptr<Verb> MakeVerifyVerb() {
  return std::make_unique<VerifyVerb>();
}

}  // namespace glaive::cli
