// glaive scan URI TABLE: rows in table order. On a terminal the first rows only, unless --limit
// says more.
#include <cstdio>
#include <utility>

#include <arrow/record_batch.h>

#include "cli/output.h"
#include "cli/request_arguments.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

constexpr uint64_t kTableRows = 20;

class ScanVerb final : public Verb {
  const char* name() const override { return "scan"; }

  const char* summary() const override { return "print the rows of a table"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.List("columns,c", &scan_.columns, "only these columns, e.g. id,owner.name");
    filter_.Declare(arguments);
    select_.Declare(arguments);
    arguments.Flag("distinct", &scan_.distinct, "each different row once");
    arguments.Number("limit,n", &scan_.limit,
                     "at most this many rows (a table shows 20 unless told)");
    arguments.Number("offset", &scan_.offset, "skip this many rows first");
    arguments.Flag("row-id", &scan_.with_row_id, "also the column _rowid");
    arguments.Flag("row-address", &scan_.with_row_address, "also the column _rowaddr");
    arguments.Choice("blobs", &blobs_, {"descriptors", "bytes"},
                     "blob columns as where they lie (descriptors) or as their contents (bytes)");
    output_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(const RowFormat format, output_.Format(context));
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    const bool asked_limit = scan_.limit.has_value();
    if (format == RowFormat::kTable && !asked_limit) {
      scan_.limit = kTableRows;
    }
    scan_.blobs = blobs_ == "bytes" ? BlobRead::kBytes : BlobRead::kDescriptors;
    scan_.cancel = context.cancel;
    scan_.filter = filter_.filter;
    ARROW_ASSIGN_OR_RAISE(scan_.parameters, filter_.parameters.Make());
    ARROW_ASSIGN_OR_RAISE(scan_.select, select_.Items());
    ARROW_ASSIGN_OR_RAISE(scan_.order_by, select_.Order());
    ARROW_ASSIGN_OR_RAISE(const auto reader, table.Scan(scan_));
    ARROW_ASSIGN_OR_RAISE(const auto sink, RowSink::Make(format, output_.output, reader->schema()));
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, Drain(*reader, *sink, context.cancel));
    if (format != RowFormat::kTable || output_.output != "-") {
      return arrow::Status::OK();
    }
    if (!scan_.filter.empty() || scan_.distinct) {
      const bool cut = !asked_limit && rows == kTableRows;
      return context.Print(WithThousands(rows) +
                           (cut ? " rows, maybe more (--limit N, or all with --json or --csv)\n"
                            : rows == 1 ? " row\n"
                                        : " rows\n"));
    }
    ARROW_ASSIGN_OR_RAISE(const uint64_t total, table.CountRows());
    std::string line = WithThousands(rows) + " of " + WithThousands(total) + " rows";
    if (rows + scan_.offset < total && !asked_limit) {
      line += " (more with --limit N, all with --json or --csv)";
    }
    return context.Print(line + "\n");
  }

  ReadArguments at_;
  ScanOptions scan_;
  FilterArguments filter_;
  SelectArguments select_;
  std::string blobs_ = "descriptors";
  OutputArguments output_;
};

}  // namespace

std::unique_ptr<Verb> MakeScanVerb() {
  return std::make_unique<ScanVerb>();
}

}  // namespace glaive::cli
