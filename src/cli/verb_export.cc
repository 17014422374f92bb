// glaive export URI TABLE FILE: the rows of a version as a file.
#include <arrow/record_batch.h>

#include "base/status.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class ExportVerb final : public Verb {
  const char* name() const override { return "export"; }

  const char* summary() const override { return "write the rows of a table to a file"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Positional("FILE", &path_, "the file to write, or - for stdout");
    arguments.Choice(
        "format,f", &format_, {"parquet", "csv", "jsonl", "arrow", "arrow-stream"},
        "parquet, csv, jsonl, arrow (IPC file) or arrow-stream (.arrows); else by the ending");
    arguments.List("columns,c", &scan_.columns, "only these columns");
    arguments.Number("limit,n", &scan_.limit, "at most this many rows");
    arguments.Number("offset", &scan_.offset, "skip this many rows first");
    arguments.Flag("row-id", &scan_.with_row_id, "also the column _rowid");
    arguments.Choice("blobs", &blobs_, {"descriptors", "bytes"},
                     "blob columns as where they lie (descriptors) or as their contents (bytes)");
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const RowFormat format, RowFormatOf(path_, format_));
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    scan_.blobs = blobs_ == "bytes" ? BlobRead::kBytes : BlobRead::kDescriptors;
    scan_.cancel = context.cancel;
    scan_.progress = MakeProgressLine(context);
    ARROW_ASSIGN_OR_RAISE(const auto reader, table.Scan(scan_));
    ARROW_ASSIGN_OR_RAISE(const auto sink, RowSink::Make(format, path_, reader->schema()));
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, Drain(*reader, *sink, context.cancel));
    if (path_ == "-") {
      return arrow::Status::OK();
    }
    return context.Print(context.json
                             ? Line({{"file", path_}, {"rows", rows}})
                             : Concat(WithThousands(rows), " rows written to ", path_, "\n"));
  }

  ReadArguments at_;
  std::string path_;
  std::string format_;
  ScanOptions scan_;
  std::string blobs_ = "descriptors";
};

}  // namespace

std::unique_ptr<Verb> MakeExportVerb() {
  return std::make_unique<ExportVerb>();
}

}  // namespace glaive::cli
