// glaive delete URI TABLE: removes rows, by condition, row id or position.
#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/status.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/request_arguments.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class DeleteVerb final : public Verb {
  const char* name() const override { return "delete"; }

  const char* summary() const override { return "delete rows by condition, position or row id"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Text("where,w", &where_, "rows for which this is true; 'true' for all of them");
    parameters_.Declare(arguments);
    arguments.NumberList("row-ids", &row_ids_, "values of _rowid; those without a row are ignored");
    arguments.NumberList("offsets", &offsets_, "positions in table order, from 0");
  }

  arrow::Status Run(Context& context) override {
    const int ways =
        (where_.empty() ? 0 : 1) + (offsets_.empty() ? 0 : 1) + (row_ids_.empty() ? 0 : 1);
    GLAIVE_CHECK_ARGUMENT(ways == 1, "delete: give one of --where, --row-ids and --offsets");
    ARROW_ASSIGN_OR_RAISE(auto table, at_.Open(context));
    if (!offsets_.empty()) {
      ARROW_RETURN_NOT_OK(FindRowIds(table));
    }
    ARROW_ASSIGN_OR_RAISE(const auto deleted, Delete(context, table));
    if (context.json) {
      return context.Print(Line({{"table", at_.table},
                                 {"version", deleted.version},
                                 {"deleted", deleted.num_deleted_rows}}));
    }
    return context.Print(Concat("table '", at_.table, "', version ", deleted.version, ": ",
                                WithThousands(deleted.num_deleted_rows), " rows deleted\n"));
  }

  arrow::Result<DeleteResult> Delete(const Context& context, Table& table) const {
    if (where_.empty()) {
      return table.DeleteRowIds(row_ids_);
    }
    DeleteOptions options;
    options.cancel = context.cancel;
    options.progress = MakeProgressLine(context);
    ARROW_ASSIGN_OR_RAISE(options.parameters, parameters_.Make());
    return table.Delete(where_, options);
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
  std::string where_;
  ParameterArguments parameters_;
  std::vector<uint64_t> row_ids_;
  std::vector<uint64_t> offsets_;
};

}  // namespace

std::unique_ptr<Verb> MakeDeleteVerb() {
  return std::make_unique<DeleteVerb>();
}

}  // namespace glaive::cli
