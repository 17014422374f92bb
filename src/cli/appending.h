// Appending a file to a table: what `add` and `import --mode append` share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <arrow/status.h>

#include "glaive/table.h"

#include "cli/input.h"
#include "cli/verb.h"

namespace glaive::cli {

/// How rows are written: what `add` and `import` have in common.
struct WriteArguments {
  std::optional<uint64_t> max_rows_per_file;
  std::string bad_vectors = "error";

  void Declare(Arguments& arguments);
  /// With the context's cancellation and progress line.
  WriteOptions Options(const Context& context) const;
};

/// The rows of a file in the types of the table; text columns are embedded whose vectors the
/// built-in embedder made and the file lacks.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenRows(const Context& context,
                                                                  const Table& table,
                                                                  const InputArguments& input);

/// Reads the file with the types of the table, embeds the text columns whose vectors the built-in
/// embedder made and the file lacks, appends, and prints what came of it.
arrow::Status AppendFile(const Context& context, Table& table, const InputArguments& input,
                         const WriteArguments& write);

}  // namespace glaive::cli
