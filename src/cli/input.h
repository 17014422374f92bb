// Where rows come from: Parquet, CSV, JSON lines, Arrow IPC files and streams, read batch by batch.
#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "cli/arguments.h"
#include "cli/output.h"

namespace glaive::cli {

/// FILE and how to read it.
struct InputArguments {
  std::string path;
  std::string format;  ///< by the ending of `path` if empty
  std::string delimiter = ",";

  void Declare(Arguments& arguments);
};

/// A stream over the file, or over stdin for "-" (not for Parquet and IPC files, which need
/// seeking). Types of CSV and JSON columns are those of `expected`, if given, where the column is
/// named there and the format can hold the type; else they are inferred from the first block.
/// Memory: some blocks or batches.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenInput(
    const InputArguments& input, const std::shared_ptr<arrow::Schema>& expected,
    const CancelToken& cancel);

}  // namespace glaive::cli
