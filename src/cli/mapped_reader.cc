#include "cli/mapped_reader.h"

#include <charconv>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>

#include "base/status.h"
#include "cli/vector_text.h"
#include "embed/ngram_embedder.h"

namespace glaive::cli {

namespace {

constexpr char kEmbedderKey[] = "glaive:embedder";
constexpr char kEmbeddedColumnKey[] = "glaive:embedded_column";
constexpr char kEmbedderValue[] = "hash-ngram/1";

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using MapBatch = std::function<arrow::Result<BatchPtr>(const BatchPtr&, uint64_t)>;

class MappedReader final : public arrow::RecordBatchReader {
 public:
  MappedReader(BatchReaderPtr source, std::shared_ptr<arrow::Schema> schema, MapBatch map)
      : source_(std::move(source)), schema_(std::move(schema)), map_(std::move(map)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* out) override {
    ARROW_ASSIGN_OR_RAISE(const auto batch, source_->Next());
    if (batch == nullptr) {
      *out = nullptr;
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(*out, map_(batch, rows_));
    rows_ += static_cast<uint64_t>(batch->num_rows());
    return arrow::Status::OK();
  }

 private:
  BatchReaderPtr source_;
  std::shared_ptr<arrow::Schema> schema_;
  MapBatch map_;
  uint64_t rows_ = 0;
};

// A stream whose first batches were looked at already.
class ReplayReader final : public arrow::RecordBatchReader {
 public:
  ReplayReader(std::vector<BatchPtr> first, BatchReaderPtr rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rest_->schema(); }

  arrow::Status ReadNext(BatchPtr* out) override {
    if (next_ < first_.size()) {
      *out = std::move(first_[next_++]);
      return arrow::Status::OK();
    }
    return rest_->ReadNext(out);
  }

 private:
  std::vector<BatchPtr> first_;
  BatchReaderPtr rest_;
  size_t next_ = 0;
};

arrow::compute::ExecContext* ComputeContext() {
  static arrow::Status initialized = arrow::compute::Initialize();
  return initialized.ok() ? arrow::compute::default_exec_context() : nullptr;
}

arrow::Result<ArrayPtr> CastArray(const arrow::Array& array,
                                  const std::shared_ptr<arrow::DataType>& type) {
  auto* context = ComputeContext();
  if (context == nullptr) {
    return InternalError("Arrow's compute functions could not be initialized");
  }
  return arrow::compute::Cast(array, type, arrow::compute::CastOptions::Safe(), context);
}

arrow::Result<int> ColumnIndex(const arrow::Schema& schema, const std::string& name) {
  const int index = schema.GetFieldIndex(name);
  if (index < 0) {
    std::string names;
    for (const auto& field : schema.fields()) {
      names += (names.empty() ? "" : ", ") + field->name();
    }
    return NotFound("column '", name, "' of the input; it has: ", names);
  }
  return index;
}

// ---- vectors

struct ListRange {
  int64_t start;
  int64_t length;
};

template <typename ListArrayType>
std::vector<ListRange> RangesOf(const ListArrayType& lists) {
  std::vector<ListRange> ranges;
  ranges.reserve(static_cast<size_t>(lists.length()));
  for (int64_t i = 0; i < lists.length(); ++i) {
    ranges.push_back({lists.value_offset(i), lists.value_length(i)});
  }
  return ranges;
}

// The lists of an array, whatever kind of list, as ranges of float32 values.
struct FloatLists {
  std::vector<ListRange> ranges;
  std::shared_ptr<arrow::FloatArray> values;
};

template <typename ListArrayType>
arrow::Result<FloatLists> FloatListsOf(const arrow::Array& array) {
  const auto& lists = static_cast<const ListArrayType&>(array);
  ARROW_ASSIGN_OR_RAISE(auto values, CastArray(*lists.values(), arrow::float32()));
  return FloatLists{RangesOf(lists), std::static_pointer_cast<arrow::FloatArray>(values)};
}

arrow::Result<FloatLists> FloatListsOfText(const arrow::StringArray& texts, uint64_t first_row,
                                           const std::string& column) {
  FloatLists lists;
  arrow::FloatBuilder values;
  for (int64_t i = 0; i < texts.length(); ++i) {
    std::vector<double> numbers;
    if (texts.IsValid(i)) {
      auto parsed = ParseVector(texts.GetView(i));
      if (!parsed.ok()) {
        return WithContext(parsed.status(), Concat("column '", column, "', row ",
                                                   first_row + static_cast<uint64_t>(i)));
      }
      numbers = *std::move(parsed);
    }
    lists.ranges.push_back({values.length(), static_cast<int64_t>(numbers.size())});
    for (const double number : numbers) {
      ARROW_RETURN_NOT_OK(values.Append(static_cast<float>(number)));
    }
  }
  ARROW_RETURN_NOT_OK(values.Finish(&lists.values));
  return lists;
}

arrow::Result<FloatLists> ToFloatLists(const arrow::Array& array, uint64_t first_row,
                                       const std::string& column) {
  switch (array.type_id()) {
    case arrow::Type::LIST:
      return FloatListsOf<arrow::ListArray>(array);
    case arrow::Type::LARGE_LIST:
      return FloatListsOf<arrow::LargeListArray>(array);
    case arrow::Type::FIXED_SIZE_LIST:
      return FloatListsOf<arrow::FixedSizeListArray>(array);
    case arrow::Type::STRING:
      return FloatListsOfText(static_cast<const arrow::StringArray&>(array), first_row, column);
    case arrow::Type::NA:
      return FloatLists{std::vector<ListRange>(static_cast<size_t>(array.length())), nullptr};
    default:
      return InvalidArgument("column '", column, "': found ", array.type()->ToString(),
                             ", expected lists of numbers (or text like \"[0.5, 1]\")");
  }
}

arrow::Result<ArrayPtr> MakeVectors(const arrow::Array& array, const VectorColumn& column,
                                    uint64_t first_row) {
  ARROW_ASSIGN_OR_RAISE(const auto lists, ToFloatLists(array, first_row, column.name));
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, column.dim);
  ARROW_RETURN_NOT_OK(values->Reserve(array.length() * column.dim));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const auto [start, length] = lists.ranges[static_cast<size_t>(i)];
    const uint64_t row = first_row + static_cast<uint64_t>(i);
    GLAIVE_CHECK_ARGUMENT(length == column.dim, "column '", column.name, "', row ", row,
                          ": found a vector of ", length, " numbers, expected ", column.dim);
    for (int64_t at = start; at < start + length; ++at) {
      GLAIVE_CHECK_ARGUMENT(lists.values->IsValid(at), "column '", column.name, "', row ", row,
                            ": found null as number ", at - start, " of a vector");
    }
    ARROW_RETURN_NOT_OK(builder.Append());
    ARROW_RETURN_NOT_OK(values->AppendValues(lists.values->raw_values() + start, length));
  }
  return builder.Finish();
}

// The length of the first vector among the batches read ahead, 0 if there is none.
arrow::Result<int32_t> FirstLength(const arrow::Array& array, const std::string& column) {
  ARROW_ASSIGN_OR_RAISE(const auto lists, ToFloatLists(array, 0, column));
  for (int64_t i = 0; i < array.length(); ++i) {
    const int64_t length = lists.ranges[static_cast<size_t>(i)].length;
    if (array.IsValid(i)) {
      GLAIVE_CHECK_ARGUMENT(length > 0 && length <= std::numeric_limits<int32_t>::max(), "column '",
                            column, "', row ", i, ": found a vector of ", length, " numbers");
      return static_cast<int32_t>(length);
    }
  }
  return 0;
}

arrow::Result<BatchReaderPtr> InferDims(BatchReaderPtr source, std::vector<VectorColumn>* columns) {
  constexpr size_t kMostBatches = 16;
  std::vector<BatchPtr> ahead;
  for (auto& column : *columns) {
    ARROW_ASSIGN_OR_RAISE(const int index, ColumnIndex(*source->schema(), column.name));
    for (size_t b = 0; column.dim == 0 && b < kMostBatches; ++b) {
      if (b == ahead.size()) {
        ARROW_ASSIGN_OR_RAISE(auto batch, source->Next());
        if (batch == nullptr) {
          break;
        }
        ahead.push_back(std::move(batch));
      }
      ARROW_ASSIGN_OR_RAISE(column.dim, FirstLength(*ahead[b]->column(index), column.name));
    }
    GLAIVE_CHECK_ARGUMENT(
        column.dim > 0, "column '", column.name,
        "': no vector at the beginning of the input to take the dimension from; give "
        "--vector-column ",
        column.name, ":DIM");
  }
  return std::make_shared<ReplayReader>(std::move(ahead), std::move(source));
}

// ---- casts

arrow::Result<ArrayPtr> DecodeBase64(const arrow::StringArray& texts,
                                     const std::shared_ptr<arrow::DataType>& type) {
  arrow::BinaryBuilder builder;
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto bytes, arrow::util::base64_decode(texts.GetView(i)));
      ARROW_RETURN_NOT_OK(builder.Append(bytes));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto binary, builder.Finish());
  return CastArray(*binary, type);
}

arrow::Result<ArrayPtr> FitColumn(const ArrayPtr& array, const arrow::Field& field,
                                  uint64_t first_row) {
  const auto& type = field.type();
  if (array->type()->Equals(type)) {
    return array;
  }
  if (type->id() == arrow::Type::FIXED_SIZE_LIST &&
      type->field(0)->type()->id() == arrow::Type::FLOAT) {
    const auto dim = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
    ARROW_ASSIGN_OR_RAISE(auto vectors, MakeVectors(*array, {field.name(), dim}, first_row));
    return vectors->type()->Equals(type) ? vectors : CastArray(*vectors, type);
  }
  const bool is_binary = type->id() == arrow::Type::BINARY ||
                         type->id() == arrow::Type::LARGE_BINARY ||
                         type->id() == arrow::Type::FIXED_SIZE_BINARY;
  auto cast = is_binary && array->type_id() == arrow::Type::STRING
                  ? DecodeBase64(static_cast<const arrow::StringArray&>(*array), type)
                  : CastArray(*array, type);
  if (!cast.ok()) {
    return InvalidArgument("column '", field.name(), "', rows from ", first_row, ": found ",
                           array->type()->ToString(), ", expected ", type->ToString(), ": ",
                           cast.status().message());
  }
  return cast;
}

}  // namespace

BatchReaderPtr MapBatches(BatchReaderPtr source, std::shared_ptr<arrow::Schema> schema,
                          MapBatch map) {
  return std::make_shared<MappedReader>(std::move(source), std::move(schema), std::move(map));
}

arrow::Result<VectorColumn> ParseVectorColumn(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) {
    return VectorColumn{text, 0};
  }
  VectorColumn column{text.substr(0, colon), 0};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, column.dim);
  GLAIVE_CHECK_ARGUMENT(parsed.ec == std::errc() && parsed.ptr == end && column.dim > 0,
                        "--vector-column: found '", text, "', expected NAME or NAME:DIM");
  return column;
}

arrow::Result<BatchReaderPtr> WithVectors(BatchReaderPtr source,
                                          std::vector<VectorColumn> columns) {
  ARROW_ASSIGN_OR_RAISE(source, InferDims(std::move(source), &columns));
  auto schema = source->schema();
  std::vector<int> indices;
  for (const auto& column : columns) {
    const int index = schema->GetFieldIndex(column.name);
    indices.push_back(index);
    const auto type = arrow::fixed_size_list(arrow::float32(), column.dim);
    ARROW_ASSIGN_OR_RAISE(schema, schema->SetField(index, schema->field(index)->WithType(type)));
  }
  return MapBatches(std::move(source), schema,
                    [schema, columns = std::move(columns), indices = std::move(indices)](
                        const BatchPtr& batch, uint64_t first_row) -> arrow::Result<BatchPtr> {
                      auto arrays = batch->columns();
                      for (size_t c = 0; c < columns.size(); ++c) {
                        auto& array = arrays[static_cast<size_t>(indices[c])];
                        ARROW_ASSIGN_OR_RAISE(array, MakeVectors(*array, columns[c], first_row));
                      }
                      return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays));
                    });
}

arrow::Result<BatchReaderPtr> WithEmbedding(BatchReaderPtr source, const std::string& text_column,
                                            const std::string& vector_column, int32_t dim) {
  ARROW_ASSIGN_OR_RAISE(const int index, ColumnIndex(*source->schema(), text_column));
  GLAIVE_CHECK_ARGUMENT(source->schema()->GetFieldIndex(vector_column) < 0, "column '",
                        vector_column, "' to embed into: the input has such a column already");
  ARROW_ASSIGN_OR_RAISE(auto made, embed::NgramEmbedder::Make(dim));
  auto embedder = std::make_shared<embed::NgramEmbedder>(std::move(made));
  const auto metadata =
      arrow::key_value_metadata({kEmbedderKey, kEmbeddedColumnKey}, {kEmbedderValue, text_column});
  const auto field =
      arrow::field(vector_column, arrow::fixed_size_list(arrow::float32(), dim), true, metadata);
  ARROW_ASSIGN_OR_RAISE(auto schema,
                        source->schema()->AddField(source->schema()->num_fields(), field));
  return MapBatches(
      std::move(source), schema,
      [schema, embedder, index](const BatchPtr& batch, uint64_t) -> arrow::Result<BatchPtr> {
        auto arrays = batch->columns();
        ARROW_ASSIGN_OR_RAISE(auto vectors, embedder->Embed(*batch->column(index)));
        arrays.push_back(std::move(vectors));
        return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays));
      });
}

std::vector<Embedding> EmbeddingsOf(const arrow::Schema& schema) {
  std::vector<Embedding> embeddings;
  for (const auto& field : schema.fields()) {
    if (field->metadata() == nullptr || field->type()->id() != arrow::Type::FIXED_SIZE_LIST) {
      continue;
    }
    const auto embedder = field->metadata()->Get(kEmbedderKey);
    const auto text = field->metadata()->Get(kEmbeddedColumnKey);
    if (embedder.ok() && *embedder == kEmbedderValue && text.ok()) {
      const auto& type = static_cast<const arrow::FixedSizeListType&>(*field->type());
      embeddings.push_back({field->name(), *text, type.list_size()});
    }
  }
  return embeddings;
}

arrow::Result<BatchReaderPtr> FitTo(BatchReaderPtr source,
                                    const std::shared_ptr<arrow::Schema>& table) {
  auto schema = source->schema();
  bool fits = true;
  for (int c = 0; c < schema->num_fields(); ++c) {
    const auto field = table->GetFieldByName(schema->field(c)->name());
    if (field != nullptr && !field->type()->Equals(schema->field(c)->type())) {
      fits = false;
      ARROW_ASSIGN_OR_RAISE(schema, schema->SetField(c, schema->field(c)->WithType(field->type())));
    }
  }
  if (fits) {
    return source;
  }
  return MapBatches(std::move(source), schema,
                    [schema](const BatchPtr& batch, uint64_t first_row) -> arrow::Result<BatchPtr> {
                      auto arrays = batch->columns();
                      for (int c = 0; c < schema->num_fields(); ++c) {
                        auto& array = arrays[static_cast<size_t>(c)];
                        ARROW_ASSIGN_OR_RAISE(array,
                                              FitColumn(array, *schema->field(c), first_row));
                      }
                      return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays));
                    });
}

}  // namespace glaive::cli
