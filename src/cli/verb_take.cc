// glaive take URI TABLE: single rows by position or by row id.
#include <arrow/record_batch.h>

#include "base/status.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class TakeVerb final : public Verb {
  const char* name() const override { return "take"; }

  const char* summary() const override { return "print rows by position or row id"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.NumberList("offsets", &offsets_, "positions in table order, from 0");
    arguments.NumberList("row-ids", &row_ids_,
                         "values of _rowid; those without a row are left out");
    arguments.List("columns,c", &take_.columns, "only these columns");
    arguments.Flag("row-id", &take_.with_row_id, "also the column _rowid");
    arguments.Choice("blobs", &blobs_, {"descriptors", "bytes"},
                     "blob columns as where they lie (descriptors) or as their contents (bytes)");
    output_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    GLAIVE_CHECK_ARGUMENT(offsets_.empty() != row_ids_.empty(),
                          "take: give either --offsets or --row-ids");
    ARROW_ASSIGN_OR_RAISE(const RowFormat format, output_.Format(context));
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    take_.blobs = blobs_ == "bytes" ? BlobRead::kBytes : BlobRead::kDescriptors;
    take_.cancel = context.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto batch, offsets_.empty() ? table.TakeRowIds(row_ids_, take_)
                                                             : table.TakeOffsets(offsets_, take_));
    ARROW_ASSIGN_OR_RAISE(const auto sink, RowSink::Make(format, output_.output, batch->schema()));
    ARROW_RETURN_NOT_OK(sink->Write(batch));
    return sink->Finish();
  }

  ReadArguments at_;
  std::vector<uint64_t> offsets_;
  std::vector<uint64_t> row_ids_;
  TakeOptions take_;
  std::string blobs_ = "descriptors";
  OutputArguments output_;
};

}  // namespace

std::unique_ptr<Verb> MakeTakeVerb() {
  return std::make_unique<TakeVerb>();
}

}  // namespace glaive::cli
