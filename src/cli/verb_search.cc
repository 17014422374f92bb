// glaive search URI TABLE: the rows nearest to a vector or a text, exactly.
#include <cerrno>
#include <fstream>

#include <arrow/array.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "cli/mapped_reader.h"
#include "cli/output.h"
#include "cli/request_arguments.h"
#include "cli/vector_text.h"
#include "cli/verb.h"
#include "embed/ngram_embedder.h"

namespace glaive::cli {

namespace {

class SearchVerb final : public Verb {
  const char* name() const override { return "search"; }

  const char* summary() const override { return "find the rows nearest to a vector or a text"; }

  void Declare(Arguments& arguments) override {
    at_.Declare(arguments);
    arguments.Text("vector", &vector_,
                   "the query, e.g. \"[0.1, 0.2]\"; several as a list of lists");
    arguments.Text("vector-file", &vector_file_, "a file with a query like --vector on every line");
    arguments.Text(
        "text", &text_,
        "the query as text, for vectors that 'import --embed' made: embedded in the same way");
    arguments.Text("column", &query_.column, "the vector column, if there are several");
    arguments.Choice("metric", &metric_, {"l2", "cosine", "dot", "hamming"},
                     "l2 (squared), cosine, dot or hamming");
    arguments.Number("k,k", &query_.k, "rows per query, 10 unless told");
    arguments.Number("offset", &query_.offset, "best rows to skip");
    arguments.Number("lower-bound", &query_.lower_bound, "only distances of at least this");
    arguments.Number("upper-bound", &query_.upper_bound, "only distances below this");
    arguments.List("columns,c", &query_.columns, "only these columns (and _distance)");
    filter_.Declare(arguments);
    select_.Declare(arguments);
    arguments.Flag("postfilter", &postfilter_, "filter the k nearest instead of the candidates");
    arguments.Flag("row-id", &query_.with_row_id, "also the column _rowid");
    output_.Declare(arguments);
  }

  arrow::Status Run(Context& context) override {
    const int ways = (vector_ ? 1 : 0) + (vector_file_ ? 1 : 0) + (text_ ? 1 : 0);
    GLAIVE_CHECK_ARGUMENT(ways == 1, "search: give one of --vector, --vector-file and --text");
    ARROW_ASSIGN_OR_RAISE(const RowFormat format, output_.Format(context));
    ARROW_ASSIGN_OR_RAISE(const auto table, at_.Open(context));
    if (vector_) {
      ARROW_ASSIGN_OR_RAISE(const auto vectors, ParseVectors(*vector_));
      ARROW_ASSIGN_OR_RAISE(query_.vectors, ArrayOf(vectors, "--vector"));
    } else if (vector_file_) {
      ARROW_ASSIGN_OR_RAISE(const auto vectors, VectorsOfFile());
      ARROW_ASSIGN_OR_RAISE(query_.vectors, ArrayOf(vectors, "file '" + *vector_file_ + "'"));
    } else {
      ARROW_ASSIGN_OR_RAISE(query_.vectors, EmbedText(table));
    }
    if (!metric_.empty()) {
      query_.distance_type = metric_ == "l2"       ? DistanceType::kL2
                             : metric_ == "cosine" ? DistanceType::kCosine
                             : metric_ == "dot"    ? DistanceType::kDot
                                                   : DistanceType::kHamming;
    }
    query_.cancel = context.cancel;
    query_.filter = filter_.filter;
    query_.prefilter = !postfilter_;
    ARROW_ASSIGN_OR_RAISE(query_.parameters, filter_.parameters.Make());
    ARROW_ASSIGN_OR_RAISE(query_.select, select_.Items());
    ARROW_ASSIGN_OR_RAISE(query_.order_by, select_.Order());
    ARROW_ASSIGN_OR_RAISE(const auto found, table.Search(query_));
    ARROW_ASSIGN_OR_RAISE(const auto sink, RowSink::Make(format, output_.output, found->schema()));
    ARROW_RETURN_NOT_OK(sink->Write(found));
    return sink->Finish();
  }

  using Vectors = std::vector<std::vector<double>>;

  static arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const std::vector<double>& numbers) {
    arrow::DoubleBuilder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(numbers));
    return builder.Finish();
  }

  // One vector as its numbers, several as a fixed_size_list.
  static arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const Vectors& vectors,
                                                              const std::string& source) {
    GLAIVE_CHECK_ARGUMENT(!vectors.empty(), source, ": found no vector");
    if (vectors.size() == 1) {
      return ArrayOf(vectors[0]);
    }
    auto values = std::make_shared<arrow::DoubleBuilder>();
    arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values,
                                        static_cast<int32_t>(vectors[0].size()));
    for (size_t i = 0; i < vectors.size(); ++i) {
      GLAIVE_CHECK_ARGUMENT(vectors[i].size() == vectors[0].size(), source, ", vector ", i + 1,
                            ": found ", vectors[i].size(), " numbers, expected ", vectors[0].size(),
                            " as in the first");
      ARROW_RETURN_NOT_OK(builder.Append());
      ARROW_RETURN_NOT_OK(values->AppendValues(vectors[i]));
    }
    return builder.Finish();
  }

  arrow::Result<Vectors> VectorsOfFile() const {
    std::ifstream file(*vector_file_);
    if (!file) {
      return IoErrorFromErrno(errno, "open", *vector_file_);
    }
    Vectors vectors;
    for (std::string line; std::getline(file, line);) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) {
        ARROW_ASSIGN_OR_RAISE(auto more, ParseVectors(line));
        vectors.insert(vectors.end(), more.begin(), more.end());
      }
    }
    return vectors;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> EmbedText(const Table& table) {
    ARROW_ASSIGN_OR_RAISE(const auto schema, table.Schema());
    for (const auto& embedding : EmbeddingsOf(*schema)) {
      if (query_.column.empty() || query_.column == embedding.vector_column) {
        query_.column = embedding.vector_column;
        ARROW_ASSIGN_OR_RAISE(auto embedder, embed::NgramEmbedder::Make(embedding.dim));
        std::vector<float> numbers(static_cast<size_t>(embedding.dim));
        GLAIVE_CHECK_ARGUMENT(embedder.Embed(*text_, numbers), "--text '", *text_,
                              "' has no letters or digits to search for");
        return ArrayOf(std::vector<double>(numbers.begin(), numbers.end()));
      }
    }
    return InvalidArgument(
        "--text: ",
        query_.column.empty() ? "no vector column of this table" : "column '" + query_.column + "'",
        query_.column.empty() ? " was" : " was not",
        " made by the built-in embedder (import --embed): search with --vector or --vector-file");
  }

  ReadArguments at_;
  std::optional<std::string> vector_;
  std::optional<std::string> vector_file_;
  std::optional<std::string> text_;
  std::string metric_;
  VectorQuery query_;
  FilterArguments filter_;
  SelectArguments select_;
  bool postfilter_ = false;
  OutputArguments output_;
};

}  // namespace

std::unique_ptr<Verb> MakeSearchVerb() {
  return std::make_unique<SearchVerb>();
}

}  // namespace glaive::cli
