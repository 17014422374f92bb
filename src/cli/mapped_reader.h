// Streams of batches whose columns are made from another stream: vectors out of lists, embeddings
// out of text, casts to the types of a table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::cli {

using BatchReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

/// A stream of `schema` that hands every batch of `source` through `map`, which is also told the
/// number of rows that went before.
BatchReaderPtr MapBatches(BatchReaderPtr source, std::shared_ptr<arrow::Schema> schema,
                          std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(
                              const std::shared_ptr<arrow::RecordBatch>&, uint64_t first_row)>
                              map);

/// A column to turn into fixed_size_list<float32>[dim]; dim 0 means that of the first vector.
struct VectorColumn {
  std::string name;
  int32_t dim = 0;
};

/// "name" or "name:dim".
arrow::Result<VectorColumn> ParseVectorColumn(const std::string& text);

/// Turns lists of numbers, or strings like "[0.5, 1]", into vectors. While the stream is read: a
/// vector of another length, a null among its numbers or text that is no list is kInvalidArgument,
/// naming column and row. kNotFound for a column that is not there.
arrow::Result<BatchReaderPtr> WithVectors(BatchReaderPtr source, std::vector<VectorColumn> columns);

/// Appends the column `vector_column` with the hash-ngram embedding of the text column
/// `text_column`. The field says so in its metadata (see Embedding).
arrow::Result<BatchReaderPtr> WithEmbedding(BatchReaderPtr source, const std::string& text_column,
                                            const std::string& vector_column, int32_t dim);

/// What the field of an embedded column says about how it was made, in its metadata under the keys
/// "glaive:embedder" ("hash-ngram/1") and "glaive:embedded_column".
struct Embedding {
  std::string vector_column;
  std::string text_column;
  int32_t dim = 0;
};

/// The columns of `schema` that the built-in embedder made.
std::vector<Embedding> EmbeddingsOf(const arrow::Schema& schema);

/// Casts columns to the types that `table` has under the same names, where they differ; other
/// columns pass. Text for a binary column is taken as base64. Only casts that keep every value (but
/// the rounding of numbers to float32); otherwise kInvalidArgument naming the column, while the
/// stream is read.
arrow::Result<BatchReaderPtr> FitTo(BatchReaderPtr source,
                                    const std::shared_ptr<arrow::Schema>& table);

}  // namespace glaive::cli
