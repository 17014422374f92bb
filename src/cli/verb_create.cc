// glaive create URI TABLE: an empty table.
#include <utility>

#include "base/status.h"
#include "cli/json.h"
#include "cli/schema_text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class CreateVerb final : public Verb {
  const char* name() const override { return "create"; }

  const char* summary() const override { return "make an empty table"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Text("schema", &schema_,
                   "columns, e.g. \"id: int64 not null, text: string, vector: vector[256]\"");
    arguments.Text("like", &like_, "the columns of this table of the same database");
    arguments.Choice("mode", &mode_, {"create", "overwrite", "exist-ok"}, "if the table exists");
    arguments.Choice("data-storage-version", &storage_version_, {"2.0", "2.1", "2.2"},
                     "version of the data files: 2.0, 2.1, 2.2");
    arguments.Flag("stable-row-ids", &stable_row_ids_, "row ids survive compaction");
    arguments.Footer(
        "Types: bool int8…int64 uint8…uint64 float16 float32 float64 string large_string binary\n"
        "large_binary date32 date64 time32[ms] time64[us] timestamp[us] timestamp[us, UTC] "
        "duration[ms]\n"
        "decimal128(20, 4) fixed_size_binary[16] list<T> large_list<T> fixed_size_list<T>[N] "
        "vector[N]\n"
        "struct<name: T, …> map<K, V>; 'not null' after a type forbids nulls.");
  }

  arrow::Status Run(Context& context) override {
    GLAIVE_CHECK_ARGUMENT(schema_.empty() != like_.empty(),
                          "create: give either --schema or --like");
    ARROW_ASSIGN_OR_RAISE(auto database, context.Open(at_.uri, like_.empty()));
    std::shared_ptr<arrow::Schema> schema;
    if (like_.empty()) {
      ARROW_ASSIGN_OR_RAISE(schema, ParseSchema(schema_));
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto model, database.OpenTable(like_));
      ARROW_ASSIGN_OR_RAISE(schema, model.Schema());
    }
    WriteOptions options;
    if (!storage_version_.empty()) {
      options.data_storage_version = storage_version_;
    }
    if (stable_row_ids_) {
      options.enable_stable_row_ids = true;
    }
    const CreateMode mode = mode_ == "overwrite"  ? CreateMode::kOverwrite
                            : mode_ == "exist-ok" ? CreateMode::kExistOk
                                                  : CreateMode::kCreate;
    ARROW_ASSIGN_OR_RAISE(const auto table, database.CreateTable(at_.table, schema, mode, options));
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, table.Version());
    return context.Print(context.json ? Line({{"table", at_.table}, {"version", version}})
                                      : Concat("table '", at_.table, "', version ", version, "\n"));
  }

  TableArguments at_;
  std::string schema_;
  std::string like_;
  std::string mode_ = "create";
  std::string storage_version_;
  bool stable_row_ids_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeCreateVerb() {
  return std::make_unique<CreateVerb>();
}

}  // namespace glaive::cli
