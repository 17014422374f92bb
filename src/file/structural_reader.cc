#include "file/structural_reader.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <unordered_map>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/bytes.h"
#include "base/status.h"
#include "encoding/page.h"
#include "file/blob_reader.h"
#include "file/held_bytes.h"
#include "file/leaf_paths.h"
#include "io/object_store.h"

namespace glaive::file {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using DecoderPtr = std::shared_ptr<const encoding::PageDecoder>;

/// From this many separate ranges on, the device is told ahead what will be read.
constexpr size_t kPrefetchFrom = 4;
/// Rows that Verify reads at once, and their encoded bytes.
constexpr uint64_t kVerifyRows = 64 << 10;
constexpr double kVerifyBytes = 4 << 20;
/// Row addresses have 32 bits for the row of a file.
constexpr uint64_t kMaxFileRows = uint64_t{1} << 32;

// A physical column: where its pages begin, and the decoders of pages whose index was loaded.
struct Column {
  Leaf leaf;
  const ColumnInfo* info = nullptr;
  std::vector<uint64_t>
      starts;  // top-level row of each page's first row; the last is the row count
  uint64_t encoded_bytes = 0;
  std::vector<DecoderPtr> decoders;  // guarded by the reader's mutex; null until loaded

  uint64_t num_rows() const { return starts.back(); }
};

// Rows of one page that a request wants, and what was fetched for them.
struct Piece {
  size_t page = 0;
  RowRanges rows;  // page-relative
  DecoderPtr decoder;
  encoding::Buffers row_index;
  encoding::Buffers data;
};

struct WantedColumn {
  const Column* column = nullptr;
  std::vector<Piece> pieces;
};

// Collects byte ranges of many pages, to bring them in one request.
class Fetch {
 public:
  explicit Fetch(io::ObjectReader& object) : object_(object) {}

  arrow::Status Add(const Column& column, size_t page,
                    const std::vector<encoding::BufferRange>& needs, encoding::Buffers* out) {
    const auto& buffers = column.info->pages[page].buffers;
    for (const auto& need : needs) {
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(need.buffer < buffers.size(), "column '", column.leaf.descriptor->name,
                          "', page ", page, ": buffer ", need.buffer, " is missing, there are ",
                          buffers.size());
      const auto& buffer = buffers[need.buffer];
      GLAIVE_CHECK_FORMAT(CheckedAdd(need.offset, need.length, &end) && end <= buffer.length,
                          "column '", column.leaf.descriptor->name, "', page ", page, ", buffer ",
                          need.buffer, ": ", need.length, " bytes at ", need.offset,
                          " reach beyond its ", buffer.length);
      ranges_.push_back({buffer.offset + need.offset, need.length});
    }
    if (!needs.empty()) {
      targets_.push_back({out, needs.size()});
    }
    return arrow::Status::OK();
  }

  arrow::Status Run() {
    if (ranges_.empty()) {
      return arrow::Status::OK();
    }
    if (ranges_.size() >= kPrefetchFrom && object_.zero_copy()) {
      object_.Prefetch(ranges_);
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, object_.ReadMany(ranges_));
    size_t at = 0;
    for (const auto& [out, count] : targets_) {
      const auto first = buffers.begin() + static_cast<ptrdiff_t>(at);
      out->assign(first, first + static_cast<ptrdiff_t>(count));
      at += count;
    }
    ranges_.clear();
    targets_.clear();
    return arrow::Status::OK();
  }

 private:
  io::ObjectReader& object_;
  std::vector<io::ByteRange> ranges_;
  std::vector<std::pair<encoding::Buffers*, size_t>> targets_;
};

arrow::Status CheckRows(const RowRanges& rows, uint64_t num_rows) {
  uint64_t previous = 0;
  for (const auto& range : rows) {
    GLAIVE_CHECK_ARGUMENT(range.start < range.end && range.start >= previous,
                          "row ranges must be non-empty, sorted and disjoint; found [", range.start,
                          ", ", range.end, ") after row ", previous);
    previous = range.end;
  }
  GLAIVE_CHECK_ARGUMENT(previous <= num_rows, "rows up to ", previous,
                        " are wanted, but the file has ", num_rows);
  return arrow::Status::OK();
}

// Cuts rows at page boundaries. One pass over both.
std::vector<Piece> CutIntoPages(const Column& column, const RowRanges& rows) {
  std::vector<Piece> pieces;
  if (rows.empty()) {
    return pieces;
  }
  const auto& starts = column.starts;
  auto page = static_cast<size_t>(
      std::upper_bound(starts.begin(), starts.end(), rows.front().start) - starts.begin() - 1);
  for (const auto& range : rows) {
    for (uint64_t at = range.start; at < range.end;) {
      while (starts[page + 1] <= at) {
        ++page;
      }
      const uint64_t end = std::min(range.end, starts[page + 1]);
      if (pieces.empty() || pieces.back().page != page) {
        pieces.push_back({page, {}, nullptr, {}, {}});
      }
      pieces.back().rows.push_back({at - starts[page], end - starts[page]});
      at = end;
    }
  }
  return pieces;
}

// Keeps the members of a packed struct that `target` names.
arrow::Result<ArrayPtr> SelectMembers(const arrow::Array& array, const arrow::DataType& target,
                                      const std::string& name) {
  const auto& source = static_cast<const arrow::StructArray&>(array);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& member : target.fields()) {
    const int at = source.struct_type()->GetFieldIndex(member->name());
    GLAIVE_CHECK_FORMAT(at >= 0 && SameStorage(*source.field(at)->type(), *member->type()),
                        "column '", name, "': the file has ", array.type()->ToString(),
                        ", the schema ", target.ToString());
    children.push_back(source.data()->child_data[static_cast<size_t>(at)]);
  }
  auto data = source.data()->Copy();
  data->child_data = std::move(children);
  return arrow::MakeArray(std::move(data));
}

// Hands out leaves under the projection's types: blobs as asked for, packed structs pruned.
class Finisher final : public LeafFinisher {
 public:
  Finisher(const std::vector<WantedColumn>& wanted, std::shared_ptr<io::ObjectReader> object,
           const ReadOptions& options, arrow::MemoryPool* pool, FileVersion version)
      : wanted_(wanted),
        object_(std::move(object)),
        options_(options),
        pool_(pool),
        version_(version) {}

  arrow::Result<ArrayPtr> Finish(const Field& field, int leaf, ArrayPtr array) const override {
    const auto& stored = wanted_[static_cast<size_t>(leaf)].column->leaf;
    if (stored.field().is_blob_v2() != field.is_blob_v2()) {
      return Mismatch(stored, *array->type(), field.logical_type);
    }
    if (field.is_blob_v2()) {
      return AsBytes() ? ReadBlobsV2(*array, object_, options_, pool_) : array;
    }
    if (stored.descriptor->kind == encoding::LeafKind::kBlobV1) {
      return AsBytes() ? ReadBlobsV1(*array, *object_, pool_) : array;
    }
    ARROW_ASSIGN_OR_RAISE(auto type, field.ArrowType());
    if (field.is_struct() && field.children.empty()) {
      // Its pages hold nothing that could tell null from empty; the real reader takes them for
      // valid.
      return std::make_shared<arrow::StructArray>(type, array->length(), arrow::ArrayVector{});
    }
    if (field.is_struct() && array->type_id() == arrow::Type::STRUCT &&
        !SameStorage(*array->type(), *type)) {
      ARROW_ASSIGN_OR_RAISE(array, SelectMembers(*array, *type, stored.descriptor->name));
    } else if (!SameStorage(*array->type(), *type)) {
      return Mismatch(stored, *array->type(), type->ToString());
    }
    auto data = array->data()->Copy();
    data->type = std::move(type);
    return arrow::MakeArray(std::move(data));
  }

  arrow::Result<std::shared_ptr<arrow::DataType>> TypeOf(const Field& field) const override {
    if (field.is_blob_v2()) {
      return AsBytes() ? arrow::large_binary() : BlobV2DescriptorType();
    }
    if (field.is_blob_v1() && version_ < kVersion22) {
      return AsBytes() ? arrow::large_binary() : BlobV1DescriptorType();
    }
    return field.ArrowType();
  }

 private:
  bool AsBytes() const { return options_.blob_mode == BlobMode::kBytes; }

  static arrow::Status Mismatch(const Leaf& stored, const arrow::DataType& found,
                                std::string_view expected) {
    return Corruption("column '", stored.descriptor->name, "' has type ", found.ToString(),
                      " in the file, but ", expected, " in the schema");
  }

  const std::vector<WantedColumn>& wanted_;
  std::shared_ptr<io::ObjectReader> object_;
  const ReadOptions& options_;
  arrow::MemoryPool* pool_;
  FileVersion version_;
};

class StructuralReader final : public FileReader {
 public:
  StructuralReader(std::shared_ptr<io::ObjectReader> object, Container container,
                   HeldChanged held_changed)
      : object_(std::move(object)),
        container_(std::move(container)),
        held_(std::move(held_changed)) {}

  arrow::Status Init() {
    std::vector<Leaf> leaves;
    for (const auto& field : container_.schema.fields()) {
      auto below = LeavesOf(field);
      std::move(below.begin(), below.end(), std::back_inserter(leaves));
    }
    GLAIVE_CHECK_FORMAT(leaves.size() == container_.columns.size(), "the schema has ",
                        leaves.size(), " leaf fields, but the file ", container_.columns.size(),
                        " columns");
    GLAIVE_CHECK_FORMAT(container_.num_rows <= kMaxFileRows, "the file claims ",
                        container_.num_rows, " rows, at most ", kMaxFileRows, " are possible");
    columns_.resize(leaves.size());
    uint64_t longest = 0;
    for (size_t i = 0; i < leaves.size(); ++i) {
      Column& column = columns_[i];
      column.leaf = std::move(leaves[i]);
      column.info = &container_.columns[i];
      ARROW_RETURN_NOT_OK(InitColumn(&column));
      longest = std::max(longest, column.num_rows());
    }
    GLAIVE_CHECK_FORMAT(columns_.empty() || container_.num_rows <= longest, "the file claims ",
                        container_.num_rows, " rows, but its longest column has ", longest);
    held_.Start(sizeof(*this) + container_.memory_bytes() + ColumnBytes());
    return arrow::Status::OK();
  }

  FileVersion version() const override { return container_.version; }

  uint64_t num_rows() const override { return container_.num_rows; }

  const Schema& schema() const override { return container_.schema; }

  uint32_t num_columns() const override { return static_cast<uint32_t>(columns_.size()); }

  uint64_t size_bytes() const override { return container_.size_bytes; }

  uint64_t metadata_bytes() const override { return container_.metadata_bytes; }

  uint64_t memory_bytes() const override { return held_.total(); }

  arrow::Result<Projection> IdentityProjection() const override {
    Projection projection;
    projection.columns = container_.schema.fields();
    for (size_t i = 0; i < columns_.size(); ++i) {
      projection.column_of_field.emplace_back(columns_[i].leaf.field().id,
                                              static_cast<uint32_t>(i));
    }
    return projection;
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(
      const Projection& projection, const RowRanges& rows,
      const ReadOptions& options) const override {
    ARROW_RETURN_NOT_OK(CheckRows(rows, container_.num_rows));
    auto* pool = options.pool != nullptr ? options.pool : arrow::default_memory_pool();
    std::vector<WantedColumn> wanted;
    ARROW_ASSIGN_OR_RAISE(const auto nodes, MakeNodes(projection, &wanted));
    ARROW_RETURN_NOT_OK(FetchAll(rows, &wanted));
    const auto length = static_cast<int64_t>(CountRows(rows));
    arrow::ArrayVector paths;
    paths.reserve(wanted.size());
    for (auto& column : wanted) {
      ARROW_ASSIGN_OR_RAISE(auto path, DecodeColumn(&column, length, pool));
      paths.push_back(std::move(path));
    }
    const Finisher finisher(wanted, object_, options, pool, container_.version);
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const auto& node : nodes) {
      auto column = ZipColumn(node, &paths, length, finisher, pool);
      if (!column.ok()) {
        return InFile(column.status());
      }
      fields.push_back(arrow::field(node.field->name, (*column)->type(), node.field->nullable,
                                    ArrowMetadata(*node.field)));
      columns.push_back(std::move(*column));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), length, std::move(columns));
  }

  std::vector<uint64_t> PreferredCuts(const Projection& projection) const override {
    const Column* largest = nullptr;
    for (const auto* column : ColumnsOf(projection)) {
      if (largest == nullptr || column->encoded_bytes > largest->encoded_bytes) {
        largest = column;
      }
    }
    std::vector<uint64_t> cuts;
    if (largest != nullptr) {
      for (const uint64_t start : largest->starts) {
        if (start > (cuts.empty() ? 0 : cuts.back()) && start < container_.num_rows) {
          cuts.push_back(start);
        }
      }
    }
    if (container_.num_rows > 0) {
      cuts.push_back(container_.num_rows);
    }
    return cuts;
  }

  double BytesPerRow(const Projection& projection) const override {
    double bytes = 0;
    for (const auto* column : ColumnsOf(projection)) {
      bytes += static_cast<double>(column->encoded_bytes);
    }
    return container_.num_rows == 0 ? 0 : bytes / static_cast<double>(container_.num_rows);
  }

  arrow::Result<std::vector<ColumnSummary>> Inspect() const override {
    std::vector<ColumnSummary> out;
    for (const auto& column : columns_) {
      ColumnSummary summary;
      summary.path = column.leaf.descriptor->name;
      summary.logical_type = column.leaf.field().logical_type;
      for (size_t page = 0; page < column.info->pages.size(); ++page) {
        ARROW_ASSIGN_OR_RAISE(const auto decoder, LoadedDecoder(column, page));
        const auto& info = column.info->pages[page];
        PageSummary described{info.num_rows, {}, {}, decoder->Describe()};
        for (const auto& buffer : info.buffers) {
          described.buffer_offsets.push_back(buffer.offset);
          described.buffer_sizes.push_back(buffer.length);
        }
        summary.pages.push_back(std::move(described));
      }
      out.push_back(std::move(summary));
    }
    return out;
  }

  arrow::Status Verify() const override {
    for (const auto& column : columns_) {
      const std::string& name = column.leaf.descriptor->name;
      if (column.num_rows() != container_.num_rows) {
        return InFile(Corruption("column '", name, "' has ", column.num_rows(), " rows, the file ",
                                 container_.num_rows));
      }
      for (size_t page = 0; page < column.info->pages.size(); ++page) {
        const auto status = VerifyPage(column, page);
        if (!status.ok()) {
          return InFile(WithContext(status, Concat("column '", name, "', page ", page)));
        }
      }
    }
    return VerifyColumns();
  }

 private:
  arrow::Status InFile(const arrow::Status& status) const {
    return WithContext(status, Concat("data file ", object_->path()));
  }

  uint64_t ColumnBytes() const {
    uint64_t bytes = 0;
    for (const auto& column : columns_) {
      bytes += sizeof(column) + sizeof(encoding::LeafDescriptor) +
               column.starts.capacity() * sizeof(uint64_t) +
               column.decoders.capacity() * sizeof(DecoderPtr);
    }
    return bytes;
  }

  arrow::Status InitColumn(Column* column) {
    ARROW_RETURN_NOT_OK(Describe(&column->leaf, container_.version));
    const uint64_t slots = column->leaf.slots_per_row;
    const auto& pages = column->info->pages;
    column->starts.reserve(pages.size() + 1);
    column->starts.push_back(0);
    column->decoders.resize(pages.size());
    for (const auto& page : pages) {
      GLAIVE_CHECK_FORMAT(page.num_rows % slots == 0, "column '", column->leaf.descriptor->name,
                          "': a page has ", page.num_rows, " slots, which is no multiple of ",
                          slots);
      column->starts.push_back(column->starts.back() + page.num_rows / slots);
      for (const auto& buffer : page.buffers) {
        column->encoded_bytes += buffer.length;
      }
    }
    return arrow::Status::OK();
  }

  // ---- projection
  // -----------------------------------------------------------------------------------

  using ColumnOfField = std::unordered_map<int32_t, uint32_t>;

  static ColumnOfField IndexOf(const Projection& projection) {
    return {projection.column_of_field.begin(), projection.column_of_field.end()};
  }

  arrow::Result<std::vector<ZipNode>> MakeNodes(const Projection& projection,
                                                std::vector<WantedColumn>* wanted) const {
    const ColumnOfField column_of_field = IndexOf(projection);
    std::vector<ZipNode> nodes;
    nodes.reserve(projection.columns.size());
    for (const auto& field : projection.columns) {
      ARROW_ASSIGN_OR_RAISE(auto node, MakeNode(field, column_of_field, wanted));
      nodes.push_back(std::move(node));
    }
    return nodes;
  }

  arrow::Result<ZipNode> MakeNode(const Field& field, const ColumnOfField& column_of_field,
                                  std::vector<WantedColumn>* wanted) const {
    ZipNode node;
    node.field = &field;
    if (field.is_leaf()) {
      const auto it = column_of_field.find(field.id);
      if (it != column_of_field.end()) {
        GLAIVE_CHECK_FORMAT(it->second < columns_.size(), "data file ", object_->path(),
                            ": field '", field.name, "' should be column ", it->second,
                            ", but there are ", columns_.size());
        node.leaf = node.first_leaf = static_cast<int>(wanted->size());
        wanted->push_back({&columns_[it->second], {}});
      }
      return node;
    }
    for (const auto& child : field.children) {
      ARROW_ASSIGN_OR_RAISE(auto made, MakeNode(child, column_of_field, wanted));
      if (node.first_leaf < 0) {
        node.first_leaf = made.first_leaf;
      }
      node.children.push_back(std::move(made));
    }
    return node;
  }

  std::vector<const Column*> ColumnsOf(const Projection& projection) const {
    std::vector<const Column*> out;
    const ColumnOfField column_of_field = IndexOf(projection);
    for (const auto& field : projection.columns) {
      for (const auto& leaf : LeavesOf(field)) {
        const auto it = column_of_field.find(leaf.field().id);
        if (it != column_of_field.end() && it->second < columns_.size()) {
          out.push_back(&columns_[it->second]);
        }
      }
    }
    return out;
  }

  // ---- pages
  // ----------------------------------------------------------------------------------------

  DecoderPtr Cached(const Column& column, size_t page) const {
    const std::shared_lock lock(mutex_);
    return column.decoders[page];
  }

  // Two requests may load one page at the same time; the first to come stays.
  DecoderPtr Publish(const Column& column, size_t page, DecoderPtr decoder) const {
    {
      const std::unique_lock lock(mutex_);
      auto& slot = columns_[static_cast<size_t>(&column - columns_.data())].decoders[page];
      if (slot != nullptr) {
        return slot;
      }
      slot = decoder;
    }
    held_.Add(static_cast<int64_t>(decoder->memory_bytes()));
    return decoder;
  }

  arrow::Result<std::unique_ptr<encoding::PageDecoder>> OpenPage(const Column& column,
                                                                 size_t page) const {
    const auto& info = column.info->pages[page];
    encoding::PageDescriptor descriptor;
    descriptor.num_rows = info.num_rows;
    descriptor.encoding = info.encoding;
    descriptor.version_minor = container_.version.minor;
    for (const auto& buffer : info.buffers) {
      descriptor.buffer_sizes.push_back(buffer.length);
    }
    auto decoder = encoding::PageDecoder::Open(column.leaf.descriptor, descriptor);
    if (!decoder.ok()) {
      return InPage(decoder.status(), column, page);
    }
    const uint64_t expected = column.starts[page + 1] - column.starts[page];
    if ((*decoder)->num_rows() != expected) {
      return InPage(Corruption("expected ", expected, " rows, found ", (*decoder)->num_rows()),
                    column, page);
    }
    return decoder;
  }

  arrow::Status InPage(const arrow::Status& status, const Column& column, size_t page) const {
    return InFile(
        WithContext(status, Concat("column '", column.leaf.descriptor->name, "', page ", page)));
  }

  arrow::Result<DecoderPtr> LoadedDecoder(const Column& column, size_t page) const {
    if (auto cached = Cached(column, page)) {
      return cached;
    }
    ARROW_ASSIGN_OR_RAISE(auto decoder, OpenPage(column, page));
    encoding::Buffers index;
    Fetch fetch(*object_);
    ARROW_RETURN_NOT_OK(fetch.Add(column, page, decoder->IndexNeeds(), &index));
    ARROW_RETURN_NOT_OK(fetch.Run());
    ARROW_RETURN_NOT_OK(decoder->LoadIndex(index));
    return Publish(column, page, std::move(decoder));
  }

  // Brings the bytes of all pages of all columns in at most three rounds.
  arrow::Status FetchAll(const RowRanges& rows, std::vector<WantedColumn>* wanted) const {
    for (auto& want : *wanted) {
      const uint64_t end = rows.empty() ? 0 : rows.back().end;
      GLAIVE_CHECK_FORMAT(end <= want.column->num_rows(), "data file ", object_->path(),
                          ": column '", want.column->leaf.descriptor->name, "' has ",
                          want.column->num_rows(), " rows, but row ", end, " is wanted");
      want.pieces = CutIntoPages(*want.column, rows);
    }
    ARROW_RETURN_NOT_OK(LoadIndices(wanted));
    Fetch fetch(*object_);
    for (auto& want : *wanted) {
      for (auto& piece : want.pieces) {
        ARROW_RETURN_NOT_OK(fetch.Add(*want.column, piece.page,
                                      piece.decoder->RowIndexNeeds(piece.rows), &piece.row_index));
      }
    }
    ARROW_RETURN_NOT_OK(fetch.Run());
    for (auto& want : *wanted) {
      for (auto& piece : want.pieces) {
        auto needs = piece.decoder->DataNeeds(piece.rows, piece.row_index);
        if (!needs.ok()) {
          return InPage(needs.status(), *want.column, piece.page);
        }
        ARROW_RETURN_NOT_OK(fetch.Add(*want.column, piece.page, *needs, &piece.data));
      }
    }
    return fetch.Run();
  }

  arrow::Status LoadIndices(std::vector<WantedColumn>* wanted) const {
    struct Fresh {
      const Column* column;
      Piece* piece;
      std::unique_ptr<encoding::PageDecoder> decoder;
      encoding::Buffers index;
    };

    std::vector<std::unique_ptr<Fresh>> fresh;
    Fetch fetch(*object_);
    for (auto& want : *wanted) {
      for (auto& piece : want.pieces) {
        piece.decoder = Cached(*want.column, piece.page);
        if (piece.decoder == nullptr) {
          ARROW_ASSIGN_OR_RAISE(auto decoder, OpenPage(*want.column, piece.page));
          fresh.push_back(
              std::make_unique<Fresh>(Fresh{want.column, &piece, std::move(decoder), {}}));
          ARROW_RETURN_NOT_OK(fetch.Add(*want.column, piece.page,
                                        fresh.back()->decoder->IndexNeeds(), &fresh.back()->index));
        }
      }
    }
    ARROW_RETURN_NOT_OK(fetch.Run());
    for (auto& page : fresh) {
      const auto status = page->decoder->LoadIndex(page->index);
      if (!status.ok()) {
        return InPage(status, *page->column, page->piece->page);
      }
      page->piece->decoder = Publish(*page->column, page->piece->page, std::move(page->decoder));
    }
    return arrow::Status::OK();
  }

  arrow::Result<ArrayPtr> DecodeColumn(WantedColumn* want, int64_t length,
                                       arrow::MemoryPool* pool) const {
    arrow::ArrayVector parts;
    parts.reserve(want->pieces.size());
    int64_t found = 0;
    for (auto& piece : want->pieces) {
      auto part = piece.decoder->Decode(piece.rows, piece.row_index, piece.data, pool);
      if (!part.ok()) {
        return InPage(part.status(), *want->column, piece.page);
      }
      piece.row_index.clear();
      piece.data.clear();
      found += (*part)->length();
      parts.push_back(std::move(*part));
    }
    if (found != length) {
      return InFile(Corruption("column '", want->column->leaf.descriptor->name, "': expected ",
                               length, " rows, decoded ", found));
    }
    if (parts.empty()) {
      return arrow::MakeEmptyArray(want->column->leaf.descriptor->path_type, pool);
    }
    return parts.size() == 1 ? parts[0] : arrow::Concatenate(parts, pool);
  }

  // ---- verification
  // ---------------------------------------------------------------------------------

  arrow::Status VerifyPage(const Column& column, size_t page) const {
    ARROW_ASSIGN_OR_RAISE(const auto decoder, LoadedDecoder(column, page));
    if (decoder->num_rows() == 0) {
      return arrow::Status::OK();
    }
    const RowRanges all = {{0, decoder->num_rows()}};
    Fetch fetch(*object_);
    encoding::Buffers row_index;
    ARROW_RETURN_NOT_OK(fetch.Add(column, page, decoder->RowIndexNeeds(all), &row_index));
    ARROW_RETURN_NOT_OK(fetch.Run());
    ARROW_ASSIGN_OR_RAISE(const auto needs, decoder->DataNeeds(all, row_index));
    encoding::Buffers data;
    ARROW_RETURN_NOT_OK(fetch.Add(column, page, needs, &data));
    ARROW_RETURN_NOT_OK(fetch.Run());
    return decoder->Verify(row_index, data);
  }

  // Reads everything column by column: leaves of one column must fit together, values be valid.
  arrow::Status VerifyColumns() const {
    ARROW_ASSIGN_OR_RAISE(const auto all, IdentityProjection());
    for (const auto& field : all.columns) {
      const Projection one{{field}, all.column_of_field};
      const double fitting = kVerifyBytes / std::max(BytesPerRow(one), 1.0);
      const auto step = std::clamp<uint64_t>(static_cast<uint64_t>(fitting), 1, kVerifyRows);
      for (uint64_t at = 0; at < container_.num_rows; at += step) {
        const RowRanges rows = {{at, std::min(at + step, container_.num_rows)}};
        ARROW_ASSIGN_OR_RAISE(const auto batch, Read(one, rows, {}));
        const auto status = batch->ValidateFull();
        GLAIVE_CHECK_FORMAT(status.ok(), "data file ", object_->path(), ": column '", field.name,
                            "' holds invalid values: ", status.message());
      }
    }
    return arrow::Status::OK();
  }

  std::shared_ptr<io::ObjectReader> object_;
  Container container_;
  mutable std::shared_mutex mutex_;
  mutable std::vector<Column> columns_;
  mutable HeldBytes held_;
};

}  // namespace

arrow::Result<std::shared_ptr<FileReader>> OpenStructuralReader(
    std::shared_ptr<io::ObjectReader> object, Container container,
    FileReader::HeldChanged held_changed) {
  auto reader = std::make_shared<StructuralReader>(std::move(object), std::move(container),
                                                   std::move(held_changed));
  ARROW_RETURN_NOT_OK(reader->Init());
  return reader;
}

}  // namespace glaive::file
