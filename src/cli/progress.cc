#include "cli/progress.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <unistd.h>

#include "cli/text.h"

namespace glaive::cli {

namespace {

using Clock = std::chrono::steady_clock;

class ProgressLine {
 public:
  ~ProgressLine() {
    if (shown_) {
      std::fputc('\n', stderr);
    }
  }

  void Update(const Progress& progress) {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) {
      return;
    }
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::string line =
        "\r" + std::string(progress.phase) + ": " + WithThousands(progress.rows_done);
    if (progress.rows_total > 0) {
      line += " of " + WithThousands(progress.rows_total);
    }
    line +=
        " rows, " +
        WithThousands(static_cast<uint64_t>(static_cast<double>(progress.rows_done) / seconds)) +
        " rows/s";
    if (progress.bytes_done > 0) {
      line += ", " + HumanBytes(progress.bytes_done);
    }
    line += "   ";
    std::fwrite(line.data(), 1, line.size(), stderr);
    shown_ = true;
  }

 private:
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  bool shown_ = false;
};

}  // namespace

ProgressCallback MakeProgressLine(const Context& context) {
  if (!context.progress && isatty(STDERR_FILENO) == 0) {
    return {};
  }
  return [line = std::make_shared<ProgressLine>()](const Progress& progress) {
    line->Update(progress);
  };
}

}  // namespace glaive::cli
