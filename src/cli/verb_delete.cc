// glaive delete URI TABLE: removes rows, by row id or by position.
#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/status.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class DeleteVerb final : public Verb {
  const char* name() const override { return "delete"; }

  const char* summary() const override { return "delete rows by position or row id"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.NumberList("row-ids", &row_ids_, "values of _rowid; those without a row are ignored");
    arguments.NumberList("offsets", &offsets_, "positions in table order, from 0");
  }

  arrow::Status Run(Context& context) override {
    GLAIVE_CHECK_ARGUMENT(offsets_.empty() != row_ids_.empty(),
                          "delete: give either --row-ids or --offsets");
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    if (!offsets_.empty()) {
      ARROW_RETURN_NOT_OK(FindRowIds(table));
    }
    ARROW_ASSIGN_OR_RAISE(const auto deleted, table.DeleteRowIds(row_ids_));
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"version", deleted.version},
                                 {"deleted", deleted.num_deleted_rows}}));
    }
    return context.Print(Concat("table '", at_.table, "', version ", deleted.version, ": ",
                                WithThousands(deleted.num_deleted_rows), " rows deleted\n"));
  }

  arrow::Status FindRowIds(const Table& table) {
    TakeOptions take;
    take.with_row_id = true;
    ARROW_ASSIGN_OR_RAISE(const auto batch, table.TakeOffsets(offsets_, take));
    const auto column =
        std::dynamic_pointer_cast<arrow::UInt64Array>(batch->GetColumnByName("_rowid"));
    if (column == nullptr) {
      return InternalError("the rows taken have no _rowid");
    }
    row_ids_.assign(column->raw_values(), column->raw_values() + column->length());
    return arrow::Status::OK();
  }

  TableArguments at_;
  std::vector<uint64_t> row_ids_;
  std::vector<uint64_t> offsets_;
};

}  // namespace

std::unique_ptr<Verb> MakeDeleteVerb() {
  return std::make_unique<DeleteVerb>();
}

}  // namespace glaive::cli
