// glaive import URI TABLE FILE: a table from a file.
#include <memory>
#include <utility>

#include "base/status.h"
#include "cli/appending.h"
#include "cli/input.h"
#include "cli/json.h"
#include "cli/mapped_reader.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/verb.h"

namespace glaive::cli {

namespace {

class ImportVerb final : public Verb {
  const char* name() const override { return "import"; }

  const char* summary() const override { return "make a table from a file"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    input_.Declare(arguments);
    arguments.Choice(
        "mode", &mode_, {"create", "overwrite", "append", "exist-ok"},
        "create (the default) refuses a table that exists; overwrite makes a new version "
        "of it; append adds to it, or creates it; exist-ok leaves it as it is");
    arguments.List(
        "vector-column", &vectors_,
        "make vectors (fixed_size_list<float32>) of these list columns, NAME or NAME:DIM");
    arguments.Text("embed", &embed_, "make a vector column from this text column");
    arguments.Choice("embedder", &embedder_, {"hash-ngram"},
                     "hash-ngram, built in: hashed character n-grams, no model needed");
    arguments.Number("dim", &dim_, "dimensions of the embedding, 256 unless told");
    arguments.Text("embed-into", &embed_into_,
                   "name of the embedding's column, vector unless told");
    arguments.Choice("data-storage-version", &storage_version_, {"2.0", "2.1", "2.2"},
                     "version of the data files of a new table: 2.0, 2.1, 2.2");
    arguments.Flag("stable-row-ids", &stable_row_ids_,
                   "a new table whose row ids survive compaction");
    write_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    ARROW_ASSIGN_OR_RAISE(auto database, context.Open(at_.uri, true));
    if (mode_ == "append") {
      auto existing = database.OpenTable(at_.table);
      if (existing.ok()) {
        return AppendFile(context, *existing, input_, write_);
      }
      if (ErrorCodeOf(existing.status()) != ErrorCode::kNotFound) {
        return existing.status();
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto reader, OpenReader(context));
    WriteOptions options = write_.Options(context);
    if (!storage_version_.empty()) {
      options.data_storage_version = storage_version_;
    }
    if (stable_row_ids_) {
      options.enable_stable_row_ids = true;
    }
    const CreateMode mode = mode_ == "overwrite"  ? CreateMode::kOverwrite
                            : mode_ == "exist-ok" ? CreateMode::kExistOk
                                                  : CreateMode::kCreate;
    ARROW_ASSIGN_OR_RAISE(auto table,
                          database.CreateTable(at_.table, std::move(reader), mode, options));
    options.progress = {};
    return Report(context, table);
  }

  arrow::Result<BatchReaderPtr> OpenReader(const Context& context) const {
    ARROW_ASSIGN_OR_RAISE(auto reader, OpenInput(input_, nullptr, context.cancel));
    if (!vectors_.empty()) {
      std::vector<VectorColumn> columns;
      for (const auto& text : vectors_) {
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), ParseVectorColumn(text));
      }
      ARROW_ASSIGN_OR_RAISE(reader, WithVectors(std::move(reader), std::move(columns)));
    }
    if (!embed_.empty()) {
      GLAIVE_CHECK_ARGUMENT(dim_ <= 1 << 20, "--dim: found ", dim_);
      ARROW_ASSIGN_OR_RAISE(reader, WithEmbedding(std::move(reader), embed_, embed_into_,
                                                  static_cast<int32_t>(dim_)));
    }
    return reader;
  }

  arrow::Status Report(const Context& context, const Table& table) const {
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, table.CountRows());
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, table.Version());
    if (context.json) {
      return context.Print(Line({{"table", at_.table}, {"version", version}, {"rows", rows}}));
    }
    return context.Print(
        Concat("table '", at_.table, "', version ", version, ": ", WithThousands(rows), " rows\n"));
  }

  TableArguments at_;
  InputArguments input_;
  std::string mode_ = "create";
  std::vector<std::string> vectors_;
  std::string embed_;
  std::string embedder_ = "hash-ngram";
  std::string embed_into_ = "vector";
  uint64_t dim_ = 256;
  std::string storage_version_;
  bool stable_row_ids_ = false;
  WriteArguments write_;
};

}  // namespace

std::unique_ptr<Verb> MakeImportVerb() {
  return std::make_unique<ImportVerb>();
}

}  // namespace glaive::cli
