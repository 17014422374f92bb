// Writing data files of version 2.0.
#include <algorithm>
#include <numeric>
#include <utility>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/extension_type.h>
#include <arrow/util/byte_size.h>

#include "base/status.h"
#include "encoding/v20_array_encoder.h"
#include "file/blob_writer.h"
#include "file/leaf_paths.h"
#include "file/null_check.h"
#include "file/v20.h"

namespace glaive::file {
namespace {

using arrow::Result;
using arrow::Status;
using encoding::EncodedPage;
using encoding::LeafDescriptor;
using encoding::LeafKind;

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// So many small chunks of one leaf are joined to one while they wait.
constexpr size_t kJoinChunks = 256;

enum class ColumnKind { kLeaf, kList, kStruct };

/// A physical column and its values that wait to become a page.
struct Column {
  ColumnKind kind = ColumnKind::kLeaf;
  const Field* field = nullptr;
  std::string path;
  std::vector<size_t> children;
  bool has_pages = false;
  uint64_t bytes = 0;
  // Leaves.
  std::shared_ptr<const LeafDescriptor> leaf;
  std::unique_ptr<encoding::PageEncoder> encoder;
  arrow::ArrayVector chunks;
  size_t joined = 0;  // chunks before this one are large or results of joining
  // Lists.
  std::vector<uint64_t> lengths;
  std::vector<bool> valid;
  // Structs.
  uint64_t rows = 0;
};

/// The field with every struct required: 2.0 has no place for their validity, and packed structs
/// have none for their members' either.
Field WithRequiredStructs(const Field& field, bool in_packed) {
  Field out = field;
  const bool packed = field.is_struct() && field.is_packed();
  out.nullable = !field.is_struct() && !in_packed;
  if (packed) {
    out.metadata.clear();  // its members are looked at, too
  }
  for (auto& child : out.children) {
    child = WithRequiredStructs(child, in_packed || packed);
  }
  return out;
}

ArrayPtr StorageOf(ArrayPtr array) {
  while (array->type_id() == arrow::Type::EXTENSION) {
    array = static_cast<const arrow::ExtensionArray&>(*array).storage();
  }
  return array;
}

/// Fails where an item of a fixed-size list in a packed struct is null: 2.0 has no place for that.
/// `rows` says whether positions in `given` are rows.
Status CheckPackedItems(const Field& field, const arrow::Array& given, const std::string& path,
                        uint64_t first_row, bool in_packed, bool rows) {
  const ArrayPtr array = StorageOf(arrow::MakeArray(given.data()));
  const auto children = [&](const arrow::Array& values, size_t i, bool packed, bool same_rows) {
    const Field& child = field.children[i];
    return CheckPackedItems(child, values, path + "." + child.name, same_rows ? first_row : 0,
                            packed, same_rows);
  };
  switch (array->type_id()) {
    case arrow::Type::STRUCT: {
      const auto& members = static_cast<const arrow::StructArray&>(*array);
      for (size_t i = 0; i < field.children.size(); ++i) {
        ARROW_RETURN_NOT_OK(
            children(*members.field(static_cast<int>(i)), i, in_packed || field.is_packed(), rows));
      }
      return Status::OK();
    }
    case arrow::Type::LIST:
      return children(*static_cast<const arrow::ListArray&>(*array).values(), 0, in_packed, false);
    case arrow::Type::LARGE_LIST:
      return children(*static_cast<const arrow::LargeListArray&>(*array).values(), 0, in_packed,
                      false);
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*array);
      const arrow::Array& items = *lists.values();
      if (!in_packed || items.null_count() == 0) {
        return Status::OK();
      }
      const int64_t size = lists.list_type()->list_size();
      for (int64_t i = 0; i < lists.length() * size; ++i) {
        if (items.IsNull(lists.value_offset(0) + i)) {
          return Unsupported("column '", path, "', ", rows ? "row " : "element ",
                             first_row + static_cast<uint64_t>(i / size), ": item ", i % size,
                             " is null, but a packed struct in a data file of version 2.0 cannot "
                             "hold nulls (write version 2.2)");
        }
      }
      return Status::OK();
    }
    default:
      return Status::OK();
  }
}

uint64_t SizeOf(const arrow::Array& array) {
  const auto size = arrow::util::ReferencedBufferSize(array);
  return static_cast<uint64_t>(size.ok() ? *size : arrow::util::TotalBufferSize(array));
}

class V20Writer final : public FileWriter {
 public:
  V20Writer(std::unique_ptr<io::ObjectWriter> object, const Schema& schema,
            FileWriterOptions options, size_t num_columns)
      : options_(std::move(options)),
        schema_(schema),
        file_(std::move(object), kVersion20, num_columns),
        blobs_(&file_, nullptr),
        pool_(options_.pool != nullptr ? options_.pool : arrow::default_memory_pool()) {}

  /// Physical columns below a field: one for itself and those of its children.
  static size_t CountColumns(const Field& field) {
    size_t columns = 1;
    if (!field.is_packed()) {
      for (const auto& child : field.children) {
        columns += CountColumns(child);
      }
    }
    return columns;
  }

  Status Init() {
    for (const auto& field : schema_.fields()) {
      roots_.push_back(columns_.size());
      ARROW_RETURN_NOT_OK(AddColumns(field, field.name));
      strict_.push_back(WithRequiredStructs(field, false));
    }
    return Status::OK();
  }

  Status Write(const arrow::RecordBatch& batch) override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    ARROW_RETURN_NOT_OK(CheckBatch(batch));
    return Track(WriteChecked(batch));
  }

  uint64_t num_rows() const override { return num_rows_; }

  uint64_t EstimatedBytes() const override { return file_.position() + buffered_; }

  Result<FileSummary> Finish() override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    FileSummary summary;
    ARROW_RETURN_NOT_OK(Track(FinishAll(&summary)));
    state_ = State::kFinished;
    return summary;
  }

  Status Abort() override {
    if (state_ == State::kFinished) {
      return Status::OK();
    }
    state_ = State::kFailed;
    columns_.clear();
    return file_.Abort();
  }

 private:
  enum class State { kOpen, kFinished, kFailed };

  // ---- Opening

  Status AddColumns(const Field& field, const std::string& path) {
    const size_t number = columns_.size();
    columns_.emplace_back();
    columns_[number].field = &field;
    columns_[number].path = path;
    if (field.is_map() || field.is_fixed_size_list_of_struct() || field.is_blob_v2()) {
      return Unsupported("column ", path, ": ",
                         field.is_map()       ? "a map"
                         : field.is_blob_v2() ? "a blob v2"
                                              : "a fixed-size list of structs",
                         " cannot be written to a data file of version 2.0; use version 2.2");
    }
    if (field.is_list() || (field.is_struct() && !field.is_packed())) {
      columns_[number].kind = field.is_list() ? ColumnKind::kList : ColumnKind::kStruct;
      for (const auto& child : field.children) {
        columns_[number].children.push_back(columns_.size());
        ARROW_RETURN_NOT_OK(AddColumns(child, path + "." + child.name));
      }
      return Status::OK();
    }
    return AddLeafColumn(field, number);
  }

  Status AddLeafColumn(const Field& field, size_t number) {
    auto leaf = std::make_shared<LeafDescriptor>();
    leaf->name = columns_[number].path;
    leaf->leaf_metadata = field.metadata;
    if (field.is_blob_v1()) {
      leaf->kind = LeafKind::kBlobV1;
      leaf->path_type = BlobV1DescriptorType();
      file_.SetColumnEncoding(number, encoding::V20BlobColumnEncoding());
    } else {
      leaf->kind = field.is_packed() ? LeafKind::kPackedStruct : LeafKind::kPrimitive;
      ARROW_ASSIGN_OR_RAISE(leaf->path_type, field.ArrowType());
    }
    columns_[number].leaf = leaf;
    return encoding::MakeV20PageEncoder(std::move(leaf)).Value(&columns_[number].encoder);
  }

  // ---- Checking

  Status CheckOpen() const {
    GLAIVE_CHECK_ARGUMENT(state_ == State::kOpen, "the file writer was ",
                          state_ == State::kFinished ? "finished" : "aborted, or failed,",
                          " before");
    return Status::OK();
  }

  // After an error in the middle of a batch columns differ in length: nothing more can be written.
  Status Track(Status status) {
    if (!status.ok()) {
      state_ = State::kFailed;
    }
    return status;
  }

  Status CheckBatch(const arrow::RecordBatch& batch) const {
    const auto& fields = schema_.fields();
    if (static_cast<size_t>(batch.num_columns()) != fields.size()) {
      return TypeMismatch("the batch has ", batch.num_columns(), " columns, the schema ",
                          fields.size());
    }
    for (int i = 0; i < batch.num_columns(); ++i) {
      const Field& field = fields[static_cast<size_t>(i)];
      if (batch.column_name(i) != field.name) {
        return TypeMismatch("column ", i, " of the batch is '", batch.column_name(i),
                            "', expected '", field.name, "'");
      }
      ARROW_ASSIGN_OR_RAISE(const auto expected, field.ArrowType());
      if (!SameStorage(*expected, *batch.column(i)->type())) {
        return TypeMismatch("column '", field.name, "': expected ", expected->ToString(),
                            ", found ", batch.column(i)->type()->ToString());
      }
      const auto storage = StorageOf(batch.column(i));
      ARROW_RETURN_NOT_OK(CheckNulls(field, *storage, num_rows_));
      const Status structs = CheckNulls(strict_[static_cast<size_t>(i)], *storage, num_rows_);
      if (!structs.ok()) {
        return Unsupported("a data file of version 2.0 cannot hold null structs: ",
                           structs.message(), " (write version 2.1 or later)");
      }
      ARROW_RETURN_NOT_OK(
          CheckPackedItems(field, *storage, field.name, num_rows_, false, /*rows=*/true));
    }
    return Status::OK();
  }

  // ---- Splitting columns

  Status WriteChecked(const arrow::RecordBatch& batch) {
    if (batch.num_rows() == 0) {
      return Status::OK();
    }
    for (size_t i = 0; i < roots_.size(); ++i) {
      auto column = StorageOf(batch.column(static_cast<int>(i)));
      const Field& field = schema_.fields()[i];
      if (HoldsBlobs(field, kVersion20)) {
        ARROW_ASSIGN_OR_RAISE(column, blobs_.Store(field, *column, kVersion20, pool_));
      }
      ARROW_RETURN_NOT_OK(Split(roots_[i], column));
    }
    num_rows_ += static_cast<uint64_t>(batch.num_rows());
    return buffered_ > options_.max_buffered_bytes ? Relieve() : Status::OK();
  }

  Status Split(size_t number, const ArrayPtr& given) {
    const ArrayPtr array = StorageOf(given);
    Column& column = columns_[number];
    switch (column.kind) {
      case ColumnKind::kLeaf:
        return AddSliced(number, array);
      case ColumnKind::kStruct: {
        column.rows += static_cast<uint64_t>(array->length());
        const auto& members = static_cast<const arrow::StructArray&>(*array);
        for (size_t i = 0; i < column.children.size(); ++i) {
          ARROW_RETURN_NOT_OK(Split(column.children[i], members.field(static_cast<int>(i))));
        }
        return Status::OK();
      }
      case ColumnKind::kList:
        if (array->type_id() == arrow::Type::LIST) {
          return SplitList(number, static_cast<const arrow::ListArray&>(*array));
        }
        return SplitList(number, static_cast<const arrow::LargeListArray&>(*array));
    }
    return Status::OK();
  }

  /// Notes the lists and passes on their items; items under null lists are left out.
  template <typename ListArray>
  Status SplitList(size_t number, const ListArray& array) {
    const size_t items = columns_[number].children[0];
    int64_t start = 0;  // items [start, end) are still to be passed on
    int64_t end = 0;
    const auto pass_on = [&] {
      return end > start ? Split(items, array.values()->Slice(start, end - start)) : Status::OK();
    };
    for (int64_t row = 0; row < array.length(); ++row) {
      const bool valid = array.IsValid(row);
      const int64_t length = valid ? array.value_length(row) : 0;
      if (length > 0) {
        if (array.value_offset(row) != end) {
          ARROW_RETURN_NOT_OK(pass_on());
          start = array.value_offset(row);
        }
        end = array.value_offset(row) + length;
      }
      columns_[number].lengths.push_back(static_cast<uint64_t>(length));
      columns_[number].valid.push_back(valid);
      columns_[number].bytes += sizeof(uint64_t);
      buffered_ += sizeof(uint64_t);
      if (columns_[number].bytes >= options_.page_bytes) {
        ARROW_RETURN_NOT_OK(Flush(number));
      }
    }
    return pass_on();
  }

  /// Cuts an array into pieces of about a page.
  Status AddSliced(size_t number, const ArrayPtr& array) {
    const uint64_t bytes = SizeOf(*array);
    const auto rows = static_cast<uint64_t>(array->length());
    if (bytes <= options_.page_bytes + options_.page_bytes / 4 || rows <= 1 ||
        array->type_id() == arrow::Type::DICTIONARY) {
      return Add(number, array, bytes);
    }
    const uint64_t parts = std::min(rows, (bytes - 1) / options_.page_bytes + 1);
    for (uint64_t part = 0; part < parts; ++part) {
      const uint64_t begin = rows * part / parts;
      const uint64_t end = rows * (part + 1) / parts;
      ARROW_RETURN_NOT_OK(AddSliced(
          number, array->Slice(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin))));
    }
    return Status::OK();
  }

  Status Add(size_t number, const ArrayPtr& piece, uint64_t bytes) {
    Column& column = columns_[number];
    if (column.bytes > 0 && column.bytes + bytes > options_.page_bytes + options_.page_bytes / 4) {
      ARROW_RETURN_NOT_OK(Flush(number));
    }
    // Children of lists may be called otherwise than in the schema: the same storage all the same.
    auto data = piece->data()->Copy();
    data->type = column.leaf->path_type;
    column.chunks.push_back(arrow::MakeArray(std::move(data)));
    column.bytes += bytes;
    buffered_ += bytes;
    if (column.bytes >= options_.page_bytes - options_.page_bytes / 4) {
      return Flush(number);
    }
    if (column.chunks.size() - column.joined >= kJoinChunks) {
      return JoinChunks(&column);
    }
    return Status::OK();
  }

  Status JoinChunks(Column* column) {
    const auto first = column->chunks.begin() + static_cast<ptrdiff_t>(column->joined);
    auto one = arrow::Concatenate(arrow::ArrayVector(first, column->chunks.end()), pool_);
    if (one.ok()) {
      column->chunks.erase(first, column->chunks.end());
      column->chunks.push_back(*std::move(one));
    } else if (one.status().IsOutOfMemory()) {
      return one.status();
    }
    column->joined = column->chunks.size();  // dictionaries that cannot be united stay apart
    return Status::OK();
  }

  // ---- Writing pages

  /// Writes what waits in a column, if anything.
  Status Flush(size_t number) {
    Column& column = columns_[number];
    std::vector<EncodedPage> pages;
    if (column.kind == ColumnKind::kList && !column.lengths.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto page,
                            encoding::EncodeV20Lists(column.lengths, column.valid, pool_));
      pages.push_back(std::move(page));
      column.lengths.clear();
      column.valid.clear();
    } else if (column.kind == ColumnKind::kLeaf && !column.chunks.empty()) {
      ARROW_ASSIGN_OR_RAISE(pages, column.encoder->Encode(column.chunks, pool_));
      column.chunks.clear();
      column.joined = 0;
    }
    buffered_ -= column.bytes;
    column.bytes = 0;
    return WritePages(number, std::move(pages));
  }

  Status WritePages(size_t number, std::vector<EncodedPage> pages) {
    for (auto& encoded : pages) {
      PageInfo page;
      page.num_rows = encoded.num_rows;
      page.encoding = std::move(encoded.encoding);
      for (const auto& buffer : encoded.buffers) {
        ARROW_ASSIGN_OR_RAISE(const auto range, file_.WriteBuffer(buffer));
        page.buffers.push_back(range);
      }
      file_.AddPage(number, std::move(page));
      columns_[number].has_pages = true;
    }
    return Status::OK();
  }

  /// Writes the columns with the most bytes early, until half of the allowed memory is free.
  Status Relieve() {
    std::vector<size_t> order(columns_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return columns_[a].bytes > columns_[b].bytes; });
    for (const size_t number : order) {
      if (buffered_ <= options_.max_buffered_bytes / 2) {
        return Status::OK();
      }
      ARROW_RETURN_NOT_OK(Flush(number));
    }
    return Status::OK();
  }

  /// The pages that need not hold rows: struct headers, and columns whose lists are all empty.
  Status WriteFinalPages(size_t number) {
    Column& column = columns_[number];
    ARROW_RETURN_NOT_OK(Flush(number));
    std::vector<EncodedPage> pages;
    if (column.kind == ColumnKind::kStruct) {
      pages.push_back(encoding::EncodeV20Struct(column.rows));
    } else if (!column.has_pages && num_rows_ > 0) {
      if (column.kind == ColumnKind::kList) {
        ARROW_ASSIGN_OR_RAISE(auto page, encoding::EncodeV20Lists({}, {}, pool_));
        pages.push_back(std::move(page));
      } else {
        ARROW_ASSIGN_OR_RAISE(pages, column.encoder->Encode({}, pool_));
      }
    }
    return WritePages(number, std::move(pages));
  }

  Status FinishAll(FileSummary* summary) {
    for (size_t number = 0; number < columns_.size(); ++number) {
      ARROW_RETURN_NOT_OK(WriteFinalPages(number));
      summary->field_ids.push_back(columns_[number].field->id);
      summary->column_indices.push_back(static_cast<int32_t>(number));
    }
    summary->version = kVersion20;
    summary->num_rows = num_rows_;
    return file_.Finish(schema_, num_rows_).Value(&summary->size_bytes);
  }

  const FileWriterOptions options_;
  const Schema schema_;  // columns point into it
  std::vector<Field> strict_;
  ContainerWriter file_;
  BlobWriter blobs_;
  arrow::MemoryPool* pool_;
  std::vector<Column> columns_;
  std::vector<size_t> roots_;  // the column of each top-level field
  uint64_t num_rows_ = 0;
  uint64_t buffered_ = 0;
  State state_ = State::kOpen;
};

}  // namespace

Result<std::unique_ptr<FileWriter>> OpenV20Writer(std::unique_ptr<io::ObjectWriter> object,
                                                  const Schema& schema,
                                                  const FileWriterOptions& options) {
  size_t num_columns = 0;
  for (const auto& field : schema.fields()) {
    num_columns += V20Writer::CountColumns(field);
  }
  auto writer = std::make_unique<V20Writer>(std::move(object), schema, options, num_columns);
  ARROW_RETURN_NOT_OK(writer->Init());
  return writer;
}

}  // namespace glaive::file
