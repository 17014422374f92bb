#include "cli/appending.h"

#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "cli/json.h"
#include "cli/mapped_reader.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace glaive::cli {

void WriteArguments::Declare(Arguments& arguments) {
  arguments.Number("max-rows-per-file", &max_rows_per_file,
                   "begin a new data file after this many rows");
  arguments.Choice("bad-vectors", &bad_vectors, {"error", "allow"},
                   "vectors that hold NaN or infinities: error (the default) refuses them, allow "
                   "stores them");
}

WriteOptions WriteArguments::Options(const Context& context) const {
  WriteOptions options;
  if (max_rows_per_file) {
    options.max_rows_per_file = *max_rows_per_file;
  }
  options.bad_vectors = bad_vectors == "allow" ? BadVectors::kAllow : BadVectors::kError;
  options.cancel = context.cancel;
  options.progress = MakeProgressLine(context);
  return options;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> OpenRows(const Context& context,
                                                                  const Table& table,
                                                                  const InputArguments& input) {
  ARROW_ASSIGN_OR_RAISE(const auto schema, table.Schema());
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenInput(input, schema, context.cancel));
  for (const auto& embedding : EmbeddingsOf(*schema)) {
    if (reader->schema()->GetFieldIndex(embedding.vector_column) < 0 &&
        reader->schema()->GetFieldIndex(embedding.text_column) >= 0) {
      ARROW_ASSIGN_OR_RAISE(reader, WithEmbedding(std::move(reader), embedding.text_column,
                                                  embedding.vector_column, embedding.dim));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const RowFormat format, RowFormatOf(input.path, input.format));
  if (format == RowFormat::kCsv || format == RowFormat::kJsonLines) {
    // Text knows few types; those of the other formats are the caller's, and Add judges them.
    ARROW_ASSIGN_OR_RAISE(reader, FitTo(std::move(reader), schema));
  }
  return reader;
}

arrow::Status AppendFile(const Context& context, Table& table, const InputArguments& input,
                         const WriteArguments& write) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenRows(context, table, input));
  WriteOptions options = write.Options(context);
  ARROW_ASSIGN_OR_RAISE(const auto added, table.Add(std::move(reader), options));
  options.progress = {};
  if (context.json) {
    return context.Print(
        Line({{"table", table.name()}, {"version", added.version}, {"added", added.num_rows}}));
  }
  return context.Print(Concat("table '", table.name(), "', version ", added.version, ": ",
                              WithThousands(added.num_rows), " rows added\n"));
}

}  // namespace glaive::cli
