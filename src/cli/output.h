// Where rows go: a table on the terminal, JSON lines, CSV, Arrow IPC or Parquet, to stdout or a
// file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "cli/verb.h"

namespace glaive::cli {

enum class RowFormat { kTable, kJsonLines, kCsv, kArrowStream, kArrowFile, kParquet };

/// The format of a file by its ending, or by `name` if that is not empty ("parquet", "csv",
/// "jsonl", "arrow", "arrow-stream"). kInvalidArgument if neither tells.
arrow::Result<RowFormat> RowFormatOf(const std::string& path, const std::string& name);

/// Takes batches of one schema. A file appears under its name only when Finish succeeded.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// `path`: a file, or "-" for stdout.
  static arrow::Result<std::unique_ptr<RowSink>> Make(RowFormat format, const std::string& path,
                                                      const std::shared_ptr<arrow::Schema>& schema);
  virtual arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual arrow::Status Finish() = 0;
};

/// Moves every batch of `reader` to `sink`, asks `cancel` between batches, and finishes the sink.
/// Returns the number of rows.
arrow::Result<uint64_t> Drain(arrow::RecordBatchReader& reader, RowSink& sink,
                              const CancelToken& cancel);

/// --csv, --arrow, --parquet, --output of verbs that print rows.
struct OutputArguments {
  bool csv = false;
  bool arrow = false;
  bool parquet = false;
  std::string output = "-";

  void Declare(Arguments& arguments);
  arrow::Result<RowFormat> Format(const Context& context) const;
};

}  // namespace glaive::cli
