// Reading data files of version 2.0.
//
// A read is a tree of tasks that mirrors the projected columns. All tasks of a read say together
// what they need next, the ranges are read at once, and so on until no task needs more: strings and
// lists take two such rounds (offsets, then what they point to), everything else one.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/v20_array_decoder.h"
#include "file/held_bytes.h"
#include "file/v20.h"

namespace glaive::file {
namespace {

using arrow::ArrayData;
using arrow::Buffer;
using arrow::MemoryPool;
using arrow::Result;
using arrow::Status;
using encoding::BufferRange;
using encoding::Buffers;
using encoding::LeafDescriptor;
using encoding::LeafKind;
using encoding::PageDescriptor;
using encoding::V20ListPage;
using encoding::V20Lists;
using encoding::V20PageDecoder;

using ArrayDataPtr = std::shared_ptr<ArrayData>;
using BufferPtr = std::shared_ptr<Buffer>;
using ColumnOfField = std::unordered_map<int32_t, uint32_t>;

PageDescriptor DescriptorOf(const PageInfo& info) {
  PageDescriptor page;
  page.num_rows = info.num_rows;
  for (const auto& buffer : info.buffers) {
    page.buffer_sizes.push_back(buffer.length);
  }
  page.encoding = info.encoding;
  page.version_minor = 0;
  return page;
}

/// Appends ranges of a page's buffers as ranges of the file. The decoder kept them within the
/// buffers.
Status AppendFileRanges(const PageInfo& info, const std::vector<BufferRange>& needs,
                        std::vector<io::ByteRange>* out) {
  for (const auto& need : needs) {
    uint64_t end = 0;
    if (need.buffer >= info.buffers.size() || !CheckedAdd(need.offset, need.length, &end) ||
        end > info.buffers[need.buffer].length) {
      return InternalError("a page decoder asks for bytes [", need.offset, ", ", end,
                           ") of buffer ", need.buffer);
    }
    out->push_back({info.buffers[need.buffer].offset + need.offset, need.length});
  }
  return Status::OK();
}

/// Reads ranges of which some may be empty.
Result<Buffers> ReadRanges(io::ObjectReader& object, const std::vector<io::ByteRange>& ranges) {
  std::vector<io::ByteRange> wanted;
  for (const auto& range : ranges) {
    if (range.length > 0) {
      wanted.push_back(range);
    }
  }
  Buffers read;
  if (!wanted.empty()) {
    ARROW_ASSIGN_OR_RAISE(read, object.ReadMany(wanted));
  }
  if (wanted.size() == ranges.size()) {
    return read;
  }
  Buffers all;
  size_t next = 0;
  for (const auto& range : ranges) {
    all.push_back(range.length > 0 ? read[next++] : std::make_shared<Buffer>(nullptr, 0));
  }
  return all;
}

// ---- Columns

/// A page of list offsets with its decoder, about.
constexpr uint64_t kListPageBytes = 512;

enum class ColumnKind { kLeaf, kBlob, kList, kStruct };

/// A page of a leaf column with its decoder, which is made when the page is first read and then
/// stays.
class LeafPage {
 public:
  LeafPage(const PageInfo* info, HeldBytes* held) : info_(info), held_(held) {}

  const PageInfo& info() const { return *info_; }

  Result<const V20PageDecoder*> Decoder(const std::shared_ptr<const LeafDescriptor>& leaf) {
    std::lock_guard lock(mutex_);
    if (decoder_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(decoder_, V20PageDecoder::Open(leaf, DescriptorOf(*info_)));
      index_loaded_.store(decoder_->index_loaded(), std::memory_order_release);
    }
    return decoder_.get();
  }

  bool index_loaded() const { return index_loaded_.load(std::memory_order_acquire); }

  Status LoadIndex(const Buffers& index) {
    std::lock_guard lock(mutex_);
    if (!index_loaded()) {
      ARROW_RETURN_NOT_OK(decoder_->LoadIndex(index));
      index_loaded_.store(true, std::memory_order_release);
    }
    return Status::OK();
  }

  void ReleaseDecompressed() {
    std::lock_guard lock(mutex_);
    if (decoder_ != nullptr) {
      decoder_->ReleaseDecompressed();
    }
  }

  /// Tells what the page holds now.
  void Count() {
    int64_t change = 0;
    {
      std::lock_guard lock(mutex_);
      const int64_t bytes = decoder_ ? static_cast<int64_t>(decoder_->memory_bytes()) : 0;
      change = bytes - counted_;
      counted_ = bytes;
    }
    held_->Add(change);
  }

 private:
  const PageInfo* info_;
  HeldBytes* held_;
  int64_t counted_ = 0;
  std::mutex mutex_;
  std::unique_ptr<V20PageDecoder> decoder_;
  std::atomic<bool> index_loaded_ = false;
};

/// A physical column: the data of one field.
struct Column {
  ColumnKind kind = ColumnKind::kLeaf;
  const Field* field = nullptr;  // of the file's schema
  std::string path;
  bool rows_are_file_rows = true;  // no list above
  const ColumnInfo* info = nullptr;
  std::vector<uint64_t> first_row{0};   // of each page, and the number of rows behind the last
  std::vector<uint64_t> first_item{0};  // lists: the same for the column below
  std::shared_ptr<const LeafDescriptor> leaf;
  std::vector<std::unique_ptr<LeafPage>> leaf_pages;
  std::vector<std::unique_ptr<V20ListPage>> list_pages;
  std::vector<uint32_t> children;  // physical columns of the fields below
  uint64_t bytes = 0;              // of all page buffers
  std::atomic<size_t> warm_page = 0;

  uint64_t num_rows() const { return first_row.back(); }
};

struct PagePart {
  size_t page = 0;
  RowRanges rows;  // relative to the page
};

/// Rows of a column as rows of its pages.
Result<std::vector<PagePart>> SplitRows(const Column& column, const RowRanges& rows) {
  std::vector<PagePart> parts;
  GLAIVE_CHECK_FORMAT(rows.empty() || rows.back().end <= column.num_rows(), "column ", column.path,
                      " has ", column.num_rows(), " rows, expected at least ",
                      rows.empty() ? 0 : rows.back().end);
  size_t page = 0;
  for (const auto& range : rows) {
    uint64_t start = range.start;
    while (start < range.end) {
      page = static_cast<size_t>(
          std::upper_bound(column.first_row.begin() + static_cast<ptrdiff_t>(page),
                           column.first_row.end(), start) -
          column.first_row.begin() - 1);
      const uint64_t first = column.first_row[page];
      const uint64_t end = std::min(range.end, column.first_row[page + 1]);
      if (parts.empty() || parts.back().page != page) {
        parts.push_back({page, {}});
      }
      parts.back().rows.push_back({start - first, end - first});
      start = end;
    }
  }
  return parts;
}

// ---- Tasks

/// One column of a read. Plan and Take alternate until Plan asks for nothing; then Finish.
class Task {
 public:
  virtual ~Task() = default;
  /// Appends what must be read next.
  virtual Status Plan(std::vector<io::ByteRange>* needs) = 0;
  /// What the last Plan asked for.
  virtual Status Take(std::span<const BufferPtr> buffers) = 0;
  virtual Result<ArrayDataPtr> Finish() = 0;
};

using TaskPtr = std::unique_ptr<Task>;

Result<ArrayDataPtr> NullArray(const std::shared_ptr<arrow::DataType>& type, uint64_t rows,
                               MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeArrayOfNull(type, static_cast<int64_t>(rows), pool));
  return array->data();
}

/// A column that the file does not have.
class NullTask final : public Task {
 public:
  NullTask(std::shared_ptr<arrow::DataType> type, uint64_t rows, MemoryPool* pool)
      : type_(std::move(type)), rows_(rows), pool_(pool) {}

  Status Plan(std::vector<io::ByteRange>*) override { return Status::OK(); }

  Status Take(std::span<const BufferPtr>) override { return Status::OK(); }

  Result<ArrayDataPtr> Finish() override { return NullArray(type_, rows_, pool_); }

 private:
  std::shared_ptr<arrow::DataType> type_;
  uint64_t rows_;
  MemoryPool* pool_;
};

class LeafTask final : public Task {
 public:
  LeafTask(Column* column, std::vector<PagePart> parts, MemoryPool* pool)
      : column_(column), pool_(pool) {
    for (auto& part : parts) {
      parts_.push_back({column->leaf_pages[part.page].get(), part.page, std::move(part.rows)});
    }
  }

  Status Plan(std::vector<io::ByteRange>* needs) override {
    while (stage_ != Stage::kDone) {
      const size_t before = needs->size();
      for (auto& part : parts_) {
        std::vector<BufferRange> ranges;
        ARROW_RETURN_NOT_OK(PlanPart(&part, &ranges));
        part.asked = ranges.size();
        ARROW_RETURN_NOT_OK(AppendFileRanges(part.page->info(), ranges, needs));
      }
      if (needs->size() > before) {
        return Status::OK();
      }
      ARROW_RETURN_NOT_OK(Take({}));
    }
    return Status::OK();
  }

  Status Take(std::span<const BufferPtr> buffers) override {
    size_t next = 0;
    for (auto& part : parts_) {
      Buffers mine(buffers.begin() + static_cast<ptrdiff_t>(next),
                   buffers.begin() + static_cast<ptrdiff_t>(next + part.asked));
      next += part.asked;
      switch (stage_) {
        case Stage::kIndex:
          if (!part.page->index_loaded()) {
            ARROW_RETURN_NOT_OK(part.page->LoadIndex(mine));
          }
          break;
        case Stage::kRowIndex:
          part.row_index = std::move(mine);
          break;
        default:
          part.data = std::move(mine);
      }
    }
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    return Status::OK();
  }

  Result<ArrayDataPtr> Finish() override {
    if (parts_.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeEmptyArray(column_->leaf->path_type, pool_));
      return empty->data();
    }
    arrow::ArrayVector arrays;
    for (auto& part : parts_) {
      ARROW_ASSIGN_OR_RAISE(auto array,
                            part.decoder->Decode(part.rows, part.row_index, part.data, pool_));
      arrays.push_back(std::move(array));
    }
    Release();
    if (arrays.size() == 1) {
      return arrays[0]->data();
    }
    auto all = arrow::Concatenate(arrays, pool_);
    if (!all.ok()) {
      return ResourceExhausted("column ", column_->path,
                               ": the pages of one read do not fit one array (",
                               all.status().message(), "); read fewer rows at a time");
    }
    return (*all)->data();
  }

 private:
  enum class Stage { kIndex, kRowIndex, kData, kDone };

  struct Part {
    LeafPage* page;
    size_t number;
    RowRanges rows;
    const V20PageDecoder* decoder = nullptr;
    size_t asked = 0;
    Buffers row_index = {};
    Buffers data = {};
  };

  Status PlanPart(Part* part, std::vector<BufferRange>* ranges) {
    switch (stage_) {
      case Stage::kIndex: {
        ARROW_ASSIGN_OR_RAISE(part->decoder, part->page->Decoder(column_->leaf));
        if (!part->page->index_loaded()) {
          *ranges = part->decoder->IndexNeeds();
        }
        return Status::OK();
      }
      case Stage::kRowIndex:
        *ranges = part->decoder->RowIndexNeeds(part->rows);
        return Status::OK();
      default:
        return part->decoder->DataNeeds(part->rows, part->row_index).Value(ranges);
    }
  }

  /// Of the pages compressed as a whole only the last one read stays decompressed, for the next
  /// read.
  void Release() {
    for (size_t i = 0; i + 1 < parts_.size(); ++i) {
      parts_[i].page->ReleaseDecompressed();
      parts_[i].page->Count();
    }
    parts_.back().page->Count();
    const size_t last = parts_.back().number;
    const size_t before = column_->warm_page.exchange(last);
    if (before != last) {
      column_->leaf_pages[before]->ReleaseDecompressed();
      column_->leaf_pages[before]->Count();
    }
  }

  Column* column_;
  MemoryPool* pool_;
  Stage stage_ = Stage::kIndex;
  std::vector<Part> parts_;
};

/// A packed struct of which some members are projected.
class MembersTask final : public Task {
 public:
  MembersTask(TaskPtr all, std::shared_ptr<arrow::DataType> type, std::vector<int> members)
      : all_(std::move(all)), type_(std::move(type)), members_(std::move(members)) {}

  Status Plan(std::vector<io::ByteRange>* needs) override { return all_->Plan(needs); }

  Status Take(std::span<const BufferPtr> buffers) override { return all_->Take(buffers); }

  Result<ArrayDataPtr> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto all, all_->Finish());
    std::vector<ArrayDataPtr> children;
    for (const int member : members_) {
      children.push_back(all->child_data[static_cast<size_t>(member)]);
    }
    return ArrayData::Make(type_, all->length, all->buffers, std::move(children), all->null_count,
                           all->offset);
  }

 private:
  TaskPtr all_;
  std::shared_ptr<arrow::DataType> type_;
  std::vector<int> members_;
};

/// Blobs (v1): stored descriptors, and the bytes they point to if wanted.
class BlobTask final : public Task {
 public:
  BlobTask(TaskPtr descriptors, BlobMode mode, std::shared_ptr<arrow::DataType> type,
           uint64_t file_size, std::string name, MemoryPool* pool)
      : descriptors_(std::move(descriptors)),
        mode_(mode),
        type_(std::move(type)),
        file_size_(file_size),
        name_(std::move(name)),
        pool_(pool) {}

  Status Plan(std::vector<io::ByteRange>* needs) override {
    if (stored_ == nullptr) {
      const size_t before = needs->size();
      ARROW_RETURN_NOT_OK(descriptors_->Plan(needs));
      if (needs->size() > before) {
        return Status::OK();
      }
      ARROW_ASSIGN_OR_RAISE(stored_, descriptors_->Finish());
      ARROW_RETURN_NOT_OK(CheckDescriptors());
    }
    if (mode_ == BlobMode::kBytes && !planned_) {
      planned_ = true;
      for (int64_t row = 0; row < stored_->length; ++row) {
        if (Size(row) > 0) {
          needs->push_back({Position(row), Size(row)});
        }
      }
    }
    return Status::OK();
  }

  Status Take(std::span<const BufferPtr> buffers) override {
    if (stored_ == nullptr) {
      return descriptors_->Take(buffers);
    }
    payloads_.assign(buffers.begin(), buffers.end());
    return Status::OK();
  }

  Result<ArrayDataPtr> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto validity, arrow::AllocateEmptyBitmap(stored_->length, pool_));
    int64_t null_count = 0;
    for (int64_t row = 0; row < stored_->length; ++row) {
      arrow::bit_util::SetBitTo(validity->mutable_data(), row, !IsNull(row));
      null_count += IsNull(row) ? 1 : 0;
    }
    BufferPtr bitmap = null_count > 0 ? std::move(validity) : nullptr;
    if (mode_ == BlobMode::kDescriptors) {
      return ArrayData::Make(BlobV1DescriptorType(), stored_->length, {std::move(bitmap)},
                             stored_->child_data, null_count);
    }
    return Bytes(std::move(bitmap), null_count);
  }

 private:
  uint64_t Member(size_t member, int64_t row) const {
    return stored_->child_data[member]->GetValues<uint64_t>(1)[row];
  }

  uint64_t Position(int64_t row) const { return Member(0, row); }

  uint64_t Size(int64_t row) const { return Member(1, row); }

  bool IsNull(int64_t row) const { return Size(row) == 0 && Position(row) != 0; }

  Status CheckDescriptors() const {
    for (int64_t row = 0; row < stored_->length; ++row) {
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(
          Size(row) == 0 || (CheckedAdd(Position(row), Size(row), &end) && end <= file_size_),
          "column ", name_, ": a blob of ", Size(row), " bytes at ", Position(row),
          " reaches beyond the file's ", file_size_, " bytes");
    }
    return Status::OK();
  }

  Result<ArrayDataPtr> Bytes(BufferPtr bitmap, int64_t null_count) const {
    uint64_t total = 0;
    for (int64_t row = 0; row < stored_->length; ++row) {
      total += Size(row);
    }
    const bool large = type_->id() == arrow::Type::LARGE_BINARY;
    if (total > (large ? uint64_t{1} << 40 : uint64_t{0x7FFFFFFF})) {
      return ResourceExhausted("column ", name_, ": ", total, " bytes of blobs in one read of ",
                               stored_->length, " rows; read fewer rows at a time");
    }
    const int64_t width = large ? 8 : 4;
    ARROW_ASSIGN_OR_RAISE(auto offsets,
                          arrow::AllocateBuffer((stored_->length + 1) * width, pool_));
    ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::AllocateBuffer(static_cast<int64_t>(total), pool_));
    uint64_t end = 0;
    size_t next = 0;
    for (int64_t row = 0; row <= stored_->length; ++row) {
      uint8_t* at = offsets->mutable_data() + row * width;
      large ? StoreLe(at, static_cast<int64_t>(end)) : StoreLe(at, static_cast<int32_t>(end));
      if (row < stored_->length && Size(row) > 0) {
        std::memcpy(bytes->mutable_data() + end, payloads_[next]->data(), Size(row));
        end += Size(row);
        ++next;
      }
    }
    return ArrayData::Make(
        type_, stored_->length,
        {std::move(bitmap), BufferPtr(std::move(offsets)), BufferPtr(std::move(bytes))},
        null_count);
  }

  TaskPtr descriptors_;
  BlobMode mode_;
  std::shared_ptr<arrow::DataType> type_;
  uint64_t file_size_;
  std::string name_;
  MemoryPool* pool_;
  ArrayDataPtr stored_;
  bool planned_ = false;
  Buffers payloads_;
};

/// Several tasks side by side: the members of a struct, or the columns of a read.
class GroupTask {
 public:
  void Add(TaskPtr task) { tasks_.push_back({std::move(task)}); }

  Status Plan(std::vector<io::ByteRange>* needs) {
    for (auto& member : tasks_) {
      const size_t before = needs->size();
      ARROW_RETURN_NOT_OK(member.task->Plan(needs));
      member.asked = needs->size() - before;
    }
    return Status::OK();
  }

  Status Take(std::span<const BufferPtr> buffers) {
    for (auto& member : tasks_) {
      if (member.asked > 0) {
        ARROW_RETURN_NOT_OK(member.task->Take(buffers.first(member.asked)));
        buffers = buffers.subspan(member.asked);
      }
    }
    return Status::OK();
  }

  Result<std::vector<ArrayDataPtr>> Finish() {
    std::vector<ArrayDataPtr> arrays;
    for (auto& member : tasks_) {
      ARROW_ASSIGN_OR_RAISE(auto array, member.task->Finish());
      arrays.push_back(std::move(array));
    }
    return arrays;
  }

 private:
  struct Member {
    TaskPtr task;
    size_t asked = 0;
  };

  std::vector<Member> tasks_;
};

class StructTask final : public Task {
 public:
  StructTask(std::shared_ptr<arrow::DataType> type, uint64_t rows, GroupTask members)
      : type_(std::move(type)), rows_(rows), members_(std::move(members)) {}

  Status Plan(std::vector<io::ByteRange>* needs) override { return members_.Plan(needs); }

  Status Take(std::span<const BufferPtr> buffers) override { return members_.Take(buffers); }

  Result<ArrayDataPtr> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto children, members_.Finish());
    return ArrayData::Make(type_, static_cast<int64_t>(rows_), {nullptr}, std::move(children), 0);
  }

 private:
  std::shared_ptr<arrow::DataType> type_;
  uint64_t rows_;
  GroupTask members_;
};

/// The offsets of a list, and then its items.
class ListTask final : public Task {
 public:
  using MakeItems = std::function<Result<TaskPtr>(const RowRanges&)>;

  ListTask(Column* column, std::shared_ptr<arrow::DataType> type, std::vector<PagePart> parts,
           MakeItems make_items, MemoryPool* pool)
      : column_(column),
        type_(std::move(type)),
        parts_(std::move(parts)),
        make_items_(std::move(make_items)),
        pool_(pool) {}

  Status Plan(std::vector<io::ByteRange>* needs) override {
    if (items_ == nullptr) {
      const size_t before = needs->size();
      asked_.clear();
      for (const auto& part : parts_) {
        const auto ranges = column_->list_pages[part.page]->DataNeeds(part.rows);
        asked_.push_back(ranges.size());
        ARROW_RETURN_NOT_OK(AppendFileRanges(column_->info->pages[part.page], ranges, needs));
      }
      if (needs->size() > before) {
        return Status::OK();
      }
      ARROW_RETURN_NOT_OK(TakeOffsets({}));
    }
    return items_->Plan(needs);
  }

  Status Take(std::span<const BufferPtr> buffers) override {
    return items_ == nullptr ? TakeOffsets(buffers) : items_->Take(buffers);
  }

  Result<ArrayDataPtr> Finish() override {
    ARROW_ASSIGN_OR_RAISE(auto items, items_->Finish());
    const bool large = type_->id() == arrow::Type::LARGE_LIST;
    const auto rows = static_cast<int64_t>(lists_.lengths.size());
    if (!large && items->length > std::numeric_limits<int32_t>::max()) {
      return ResourceExhausted("column ", column_->path, ": ", items->length, " items in ", rows,
                               " lists do not fit one array; read fewer rows at a time");
    }
    const int64_t width = large ? 8 : 4;
    ARROW_ASSIGN_OR_RAISE(auto offsets, arrow::AllocateBuffer((rows + 1) * width, pool_));
    BufferPtr validity;
    if (lists_.null_count > 0) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(rows, pool_));
    }
    uint64_t end = 0;
    for (int64_t row = 0; row <= rows; ++row) {
      uint8_t* at = offsets->mutable_data() + row * width;
      large ? StoreLe(at, static_cast<int64_t>(end)) : StoreLe(at, static_cast<int32_t>(end));
      if (row < rows) {
        end += lists_.lengths[static_cast<size_t>(row)];
        if (validity != nullptr) {
          arrow::bit_util::SetBitTo(validity->mutable_data(), row,
                                    lists_.valid[static_cast<size_t>(row)]);
        }
      }
    }
    return ArrayData::Make(type_, rows, {std::move(validity), BufferPtr(std::move(offsets))},
                           {std::move(items)}, static_cast<int64_t>(lists_.null_count));
  }

 private:
  Status TakeOffsets(std::span<const BufferPtr> buffers) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      const auto mine = buffers.first(asked_[i]);
      buffers = buffers.subspan(asked_[i]);
      ARROW_RETURN_NOT_OK(column_->list_pages[parts_[i].page]->Decode(
          parts_[i].rows, Buffers(mine.begin(), mine.end()), column_->first_item[parts_[i].page],
          pool_, &lists_));
    }
    return make_items_(lists_.items).Value(&items_);
  }

  Column* column_;
  std::shared_ptr<arrow::DataType> type_;
  std::vector<PagePart> parts_;
  MakeItems make_items_;
  MemoryPool* pool_;
  std::vector<size_t> asked_;
  V20Lists lists_;
  TaskPtr items_;
};

// ---- The reader

class V20Reader final : public FileReader {
 public:
  V20Reader(std::shared_ptr<io::ObjectReader> object, Container container, HeldChanged held_changed)
      : object_(std::move(object)),
        container_(std::move(container)),
        held_(std::move(held_changed)) {}

  Status Init() {
    for (const auto& field : container_.schema.fields()) {
      ARROW_RETURN_NOT_OK(AddColumns(field, field.name, 0, true));
    }
    GLAIVE_CHECK_FORMAT(columns_.size() == container_.columns.size(), "the file has ",
                        container_.columns.size(), " columns, expected ", columns_.size(),
                        " for its schema");
    held_.Start(sizeof(*this) + container_.memory_bytes() + ColumnBytes());
    return Status::OK();
  }

  FileVersion version() const override { return container_.version; }

  uint64_t num_rows() const override { return container_.num_rows; }

  const Schema& schema() const override { return container_.schema; }

  uint32_t num_columns() const override { return static_cast<uint32_t>(columns_.size()); }

  uint64_t size_bytes() const override { return container_.size_bytes; }

  uint64_t metadata_bytes() const override { return container_.metadata_bytes; }

  uint64_t memory_bytes() const override { return held_.total(); }

  Result<Projection> IdentityProjection() const override {
    Projection projection;
    projection.columns = container_.schema.fields();
    for (uint32_t i = 0; i < columns_.size(); ++i) {
      projection.column_of_field.emplace_back(columns_[i]->field->id, i);
    }
    return projection;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Read(const Projection& projection,
                                                   const RowRanges& rows,
                                                   const ReadOptions& options) const override {
    GLAIVE_CHECK_ARGUMENT(rows.empty() || rows.back().end <= num_rows(), "rows up to ",
                          rows.back().end, " of a file of ", num_rows());
    const Request request{
        ColumnOfField(projection.column_of_field.begin(), projection.column_of_field.end()),
        options, options.pool != nullptr ? options.pool : arrow::default_memory_pool()};
    GroupTask tasks;
    arrow::FieldVector fields;
    for (const auto& field : projection.columns) {
      ARROW_ASSIGN_OR_RAISE(auto arrow_field, OutputField(field, options.blob_mode));
      ARROW_ASSIGN_OR_RAISE(auto task, MakeTask(field, arrow_field->type(), rows, request));
      fields.push_back(std::move(arrow_field));
      tasks.Add(std::move(task));
    }
    ARROW_RETURN_NOT_OK(Drive(&tasks));
    ARROW_ASSIGN_OR_RAISE(auto arrays, tasks.Finish());
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)),
                                    static_cast<int64_t>(CountRows(rows)), std::move(arrays));
  }

  std::vector<uint64_t> PreferredCuts(const Projection& projection) const override {
    const Column* largest = nullptr;
    uint64_t most = 0;
    for (const Column* column : RowColumns(projection)) {
      const uint64_t bytes = column->kind == ColumnKind::kList ? TreeBytes(*column) : column->bytes;
      if (column->kind != ColumnKind::kStruct && bytes >= most) {
        largest = column;
        most = bytes;
      }
    }
    std::vector<uint64_t> cuts;
    if (largest != nullptr) {
      for (const uint64_t row : largest->first_row) {
        if (row > (cuts.empty() ? 0 : cuts.back()) && row < num_rows()) {
          cuts.push_back(row);
        }
      }
    }
    if (num_rows() > 0) {
      cuts.push_back(num_rows());
    }
    return cuts;
  }

  double BytesPerRow(const Projection& projection) const override {
    const ColumnOfField column_of(projection.column_of_field.begin(),
                                  projection.column_of_field.end());
    uint64_t bytes = 0;
    for (const auto& field : projection.columns) {
      bytes += FieldBytes(field, column_of);
    }
    return num_rows() == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(num_rows());
  }

  Result<std::vector<ColumnSummary>> Inspect() const override {
    std::vector<ColumnSummary> summaries;
    for (const auto& column : columns_) {
      ColumnSummary summary;
      summary.path = column->path;
      summary.logical_type = column->field->logical_type;
      for (size_t i = 0; i < column->info->pages.size(); ++i) {
        const auto& info = column->info->pages[i];
        PageSummary page;
        page.num_rows = info.num_rows;
        for (const auto& buffer : info.buffers) {
          page.buffer_offsets.push_back(buffer.offset);
          page.buffer_sizes.push_back(buffer.length);
        }
        ARROW_ASSIGN_OR_RAISE(page.encoding, DescribePage(*column, i));
        summary.pages.push_back(std::move(page));
      }
      summaries.push_back(std::move(summary));
    }
    return summaries;
  }

  Status Verify() const override {
    for (const auto& column : columns_) {
      if (column->rows_are_file_rows) {
        GLAIVE_CHECK_FORMAT(column->num_rows() == num_rows(), "column ", column->path, " has ",
                            column->num_rows(), " rows, the file ", num_rows());
      }
      for (size_t page = 0; page < column->info->pages.size(); ++page) {
        GLAIVE_WITH_CONTEXT(VerifyPage(column.get(), page), "column ", column->path, ", page ",
                            page);
      }
      ARROW_RETURN_NOT_OK(VerifyItems(*column));
    }
    return Status::OK();
  }

 private:
  struct Request {
    ColumnOfField column_of;
    ReadOptions options;
    MemoryPool* pool;
  };

  // ---- Opening

  uint64_t ColumnBytes() const {
    uint64_t bytes = 0;
    for (const auto& column : columns_) {
      bytes += sizeof(*column) + sizeof(LeafDescriptor) +
               (column->first_row.capacity() + column->first_item.capacity()) * sizeof(uint64_t) +
               column->leaf_pages.size() * sizeof(LeafPage) +
               column->list_pages.size() * kListPageBytes;
    }
    return bytes;
  }

  Status AddColumns(const Field& field, const std::string& path, uint32_t depth,
                    bool rows_are_file_rows) {
    GLAIVE_CHECK_FORMAT(depth < kMaxNesting, "column ", path, " is nested deeper than ",
                        kMaxNesting);
    const size_t number = columns_.size();
    GLAIVE_CHECK_FORMAT(number < container_.columns.size(), "the file has ",
                        container_.columns.size(), " columns, too few for its schema (column ",
                        path, ")");
    columns_.push_back(std::make_unique<Column>());
    Column* column = columns_.back().get();
    column->field = &field;
    column->path = path;
    column->rows_are_file_rows = rows_are_file_rows;
    column->info = &container_.columns[number];
    for (const auto& page : column->info->pages) {
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(CheckedAdd(column->num_rows(), page.num_rows, &end), "column ", path,
                          ": the pages claim more than 2^64 rows");
      column->first_row.push_back(end);
      for (const auto& buffer : page.buffers) {
        column->bytes += buffer.length;
      }
    }
    ARROW_RETURN_NOT_OK(AddKind(column));
    if (column->kind == ColumnKind::kLeaf || column->kind == ColumnKind::kBlob) {
      return Status::OK();
    }
    for (const auto& child : field.children) {
      column->children.push_back(static_cast<uint32_t>(columns_.size()));
      ARROW_RETURN_NOT_OK(AddColumns(child, path + "." + child.name, depth + 1,
                                     rows_are_file_rows && column->kind == ColumnKind::kStruct));
    }
    return Status::OK();
  }

  Status AddKind(Column* column) {
    const Field& field = *column->field;
    ARROW_ASSIGN_OR_RAISE(const bool blob, encoding::IsV20BlobColumn(column->info->encoding));
    if (field.is_list()) {
      column->kind = ColumnKind::kList;
      return OpenListPages(column);
    }
    if (field.is_struct() && !field.is_packed()) {
      column->kind = ColumnKind::kStruct;
      return CheckStructPages(*column);
    }
    if (field.is_map() || field.is_fixed_size_list_of_struct()) {
      return Unsupported("column ", column->path, ": type ", field.logical_type,
                         " in a file of version 2.0");
    }
    auto leaf = std::make_shared<LeafDescriptor>();
    leaf->name = column->path;
    if (blob || field.is_blob_v1()) {
      column->kind = ColumnKind::kBlob;
      leaf->kind = LeafKind::kBlobV1;
      leaf->path_type = BlobV1DescriptorType();
    } else {
      leaf->kind = field.is_packed() ? LeafKind::kPackedStruct : LeafKind::kPrimitive;
      ARROW_ASSIGN_OR_RAISE(leaf->path_type, field.ArrowType());
    }
    column->leaf = std::move(leaf);
    for (const auto& page : column->info->pages) {
      column->leaf_pages.push_back(std::make_unique<LeafPage>(&page, &held_));
    }
    return Status::OK();
  }

  static Status OpenListPages(Column* column) {
    for (const auto& info : column->info->pages) {
      ARROW_ASSIGN_OR_RAISE(auto page, V20ListPage::Open(DescriptorOf(info), column->path));
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(CheckedAdd(column->first_item.back(), page->num_items(), &end), "column ",
                          column->path, ": the pages claim more than 2^64 items");
      column->first_item.push_back(end);
      column->list_pages.push_back(std::move(page));
    }
    return Status::OK();
  }

  static Status CheckStructPages(const Column& column) {
    for (const auto& info : column.info->pages) {
      ARROW_RETURN_NOT_OK(encoding::CheckV20StructPage(DescriptorOf(info), column.path));
    }
    return Status::OK();
  }

  // ---- Projecting

  /// The Arrow field of a projected field: blobs come out as bytes or as descriptors.
  static Result<std::shared_ptr<arrow::Field>> OutputField(const Field& field, BlobMode mode) {
    ARROW_ASSIGN_OR_RAISE(auto out, field.ArrowField());
    ARROW_ASSIGN_OR_RAISE(auto type, OutputType(field, out->type(), mode));
    return out->WithType(std::move(type));
  }

  static Result<std::shared_ptr<arrow::DataType>> OutputType(
      const Field& field, const std::shared_ptr<arrow::DataType>& stored, BlobMode mode) {
    if (field.is_blob_v1()) {
      return mode == BlobMode::kBytes
                 ? (stored->id() == arrow::Type::BINARY ? stored : arrow::large_binary())
                 : BlobV1DescriptorType();
    }
    if (field.is_packed() || field.children.empty()) {
      return stored;
    }
    arrow::FieldVector children;
    for (const auto& child : field.children) {
      ARROW_ASSIGN_OR_RAISE(auto out, OutputField(child, mode));
      children.push_back(std::move(out));
    }
    switch (stored->id()) {
      case arrow::Type::STRUCT:
        return arrow::struct_(std::move(children));
      case arrow::Type::LIST:
        return arrow::list(children[0]);
      case arrow::Type::LARGE_LIST:
        return arrow::large_list(children[0]);
      default:
        return stored;
    }
  }

  static bool HasAny(const Field& field, const ColumnOfField& column_of) {
    return column_of.contains(field.id) ||
           std::any_of(field.children.begin(), field.children.end(),
                       [&](const Field& child) { return HasAny(child, column_of); });
  }

  /// The column of a field, nullptr if the file has none.
  Result<Column*> ColumnOf(const Field& field, const ColumnOfField& column_of) const {
    const auto it = column_of.find(field.id);
    if (it == column_of.end()) {
      return nullptr;
    }
    GLAIVE_CHECK_FORMAT(it->second < columns_.size(), "field ", field.id, " (", field.name,
                        ") is said to lie in column ", it->second, ", the file has ",
                        columns_.size());
    return columns_[it->second].get();
  }

  Result<TaskPtr> MakeTask(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                           const RowRanges& rows, const Request& request) const {
    ARROW_ASSIGN_OR_RAISE(Column* const column, ColumnOf(field, request.column_of));
    if (field.is_struct() && !field.is_packed()) {
      return MakeStruct(field, type, column, rows, request);
    }
    if (column == nullptr) {
      return std::make_unique<NullTask>(type, CountRows(rows), request.pool);
    }
    if (field.is_list()) {
      return MakeList(field, type, column, rows, request);
    }
    return MakeLeaf(field, type, column, rows, request);
  }

  Result<TaskPtr> MakeStruct(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                             const Column* column, const RowRanges& rows,
                             const Request& request) const {
    if (column == nullptr && !HasAny(field, request.column_of)) {
      return std::make_unique<NullTask>(type, CountRows(rows), request.pool);
    }
    GLAIVE_CHECK_FORMAT(column == nullptr || column->kind == ColumnKind::kStruct, "column ",
                        column->path, ": the file holds ", column->field->logical_type,
                        ", expected a struct");
    GroupTask members;
    for (size_t i = 0; i < field.children.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(
          auto task,
          MakeTask(field.children[i], type->field(static_cast<int>(i))->type(), rows, request));
      members.Add(std::move(task));
    }
    return std::make_unique<StructTask>(type, CountRows(rows), std::move(members));
  }

  Result<TaskPtr> MakeList(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                           Column* column, const RowRanges& rows, const Request& request) const {
    GLAIVE_CHECK_FORMAT(column->kind == ColumnKind::kList, "column ", column->path,
                        ": the file holds ", column->field->logical_type, ", expected a list");
    GLAIVE_CHECK_FORMAT(field.children.size() == 1, "column ", column->path, ": a list of ",
                        field.children.size(), " children");
    ARROW_ASSIGN_OR_RAISE(auto parts, SplitRows(*column, rows));
    auto make_items = [this, &field, type, &request](const RowRanges& items) {
      return MakeTask(field.children[0], type->field(0)->type(), items, request);
    };
    return std::make_unique<ListTask>(column, type, std::move(parts), std::move(make_items),
                                      request.pool);
  }

  Result<TaskPtr> MakeLeaf(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                           Column* column, const RowRanges& rows, const Request& request) const {
    GLAIVE_CHECK_FORMAT(column->leaf != nullptr, "column ", column->path, ": the file holds ",
                        column->field->logical_type, ", expected ", field.logical_type);
    ARROW_ASSIGN_OR_RAISE(auto parts, SplitRows(*column, rows));
    TaskPtr task = std::make_unique<LeafTask>(column, std::move(parts), request.pool);
    if (column->kind == ColumnKind::kBlob) {
      if (!field.is_blob_v1()) {
        return Corruption("column ", column->path, ": the file holds blobs, expected ",
                          field.logical_type);
      }
      return std::make_unique<BlobTask>(std::move(task), request.options.blob_mode, type,
                                        container_.size_bytes, column->path, request.pool);
    }
    if (column->leaf->kind == LeafKind::kPackedStruct) {
      return MakeMembers(field, type, *column, std::move(task));
    }
    GLAIVE_CHECK_FORMAT(column->leaf->path_type->Equals(*type), "column ", column->path,
                        ": the file holds ", column->leaf->path_type->ToString(), ", expected ",
                        type->ToString());
    return task;
  }

  static Result<TaskPtr> MakeMembers(const Field& field,
                                     const std::shared_ptr<arrow::DataType>& type,
                                     const Column& column, TaskPtr task) {
    std::vector<int> members;
    for (size_t i = 0; i < field.children.size(); ++i) {
      const auto& stored = column.field->children;
      const auto it = std::find_if(stored.begin(), stored.end(), [&](const Field& candidate) {
        return candidate.id == field.children[i].id;
      });
      GLAIVE_CHECK_FORMAT(it != stored.end() && it->logical_type == field.children[i].logical_type,
                          "column ", column.path, ": the packed struct has no member ",
                          field.children[i].name, " of type ", field.children[i].logical_type);
      members.push_back(static_cast<int>(it - stored.begin()));
    }
    return std::make_unique<MembersTask>(std::move(task), type, std::move(members));
  }

  Status Drive(GroupTask* tasks) const {
    std::vector<io::ByteRange> needs;
    while (true) {
      needs.clear();
      ARROW_RETURN_NOT_OK(tasks->Plan(&needs));
      if (needs.empty()) {
        return Status::OK();
      }
      ARROW_ASSIGN_OR_RAISE(const auto buffers, ReadRanges(*object_, needs));
      ARROW_RETURN_NOT_OK(tasks->Take(buffers));
    }
  }

  // ---- Sizes

  uint64_t TreeBytes(const Column& column) const {
    uint64_t bytes = column.bytes;
    for (const uint32_t child : column.children) {
      bytes += TreeBytes(*columns_[child]);
    }
    return bytes;
  }

  uint64_t FieldBytes(const Field& field, const ColumnOfField& column_of) const {
    uint64_t bytes = 0;
    const auto it = column_of.find(field.id);
    if (it != column_of.end() && it->second < columns_.size()) {
      bytes += columns_[it->second]->bytes;
    }
    for (const auto& child : field.children) {
      bytes += FieldBytes(child, column_of);
    }
    return bytes;
  }

  /// The projected columns whose rows are the file's rows.
  std::vector<const Column*> RowColumns(const Projection& projection) const {
    const ColumnOfField column_of(projection.column_of_field.begin(),
                                  projection.column_of_field.end());
    std::vector<const Column*> out;
    std::vector<const Field*> open;
    for (const auto& field : projection.columns) {
      open.push_back(&field);
    }
    while (!open.empty()) {
      const Field* field = open.back();
      open.pop_back();
      const auto it = column_of.find(field->id);
      if (it != column_of.end() && it->second < columns_.size()) {
        out.push_back(columns_[it->second].get());
      }
      if (field->is_struct() && !field->is_packed()) {
        for (const auto& child : field->children) {
          open.push_back(&child);
        }
      }
    }
    return out;
  }

  // ---- Verifying

  Result<std::string> DescribePage(const Column& column, size_t page) const {
    switch (column.kind) {
      case ColumnKind::kStruct:
        return std::string("struct");
      case ColumnKind::kList:
        return column.list_pages[page]->Describe();
      default: {
        ARROW_ASSIGN_OR_RAISE(const auto* decoder, column.leaf_pages[page]->Decoder(column.leaf));
        return (column.kind == ColumnKind::kBlob ? "blob " : "") + decoder->Describe();
      }
    }
  }

  /// Columns below a list or struct must have as many rows as that has items.
  Status VerifyItems(const Column& column) const {
    const uint64_t expected =
        column.kind == ColumnKind::kList ? column.first_item.back() : column.num_rows();
    for (const uint32_t child : column.children) {
      GLAIVE_CHECK_FORMAT(columns_[child]->num_rows() == expected, "column ", columns_[child]->path,
                          " has ", columns_[child]->num_rows(), " rows, expected ", expected);
    }
    return Status::OK();
  }

  Status VerifyPage(Column* column, size_t page) const {
    const auto& info = column->info->pages[page];
    if (info.num_rows == 0 || info.buffers.empty()) {
      return Status::OK();
    }
    const RowRanges rows{{0, info.num_rows}};
    if (column->kind == ColumnKind::kList) {
      std::vector<io::ByteRange> needs;
      ARROW_RETURN_NOT_OK(
          AppendFileRanges(info, column->list_pages[page]->DataNeeds(rows), &needs));
      ARROW_ASSIGN_OR_RAISE(const auto buffers, ReadRanges(*object_, needs));
      V20Lists lists;
      ARROW_RETURN_NOT_OK(
          column->list_pages[page]->Decode(rows, buffers, 0, arrow::default_memory_pool(), &lists));
      return Status::OK();
    }
    if (column->kind == ColumnKind::kStruct) {
      return Status::OK();
    }
    return VerifyLeafPage(column, page, rows);
  }

  Status VerifyLeafPage(Column* column, size_t page, const RowRanges& rows) const {
    GroupTask tasks;
    std::vector<PagePart> parts{{page, rows}};
    TaskPtr task =
        std::make_unique<LeafTask>(column, std::move(parts), arrow::default_memory_pool());
    if (column->kind == ColumnKind::kBlob) {
      task = std::make_unique<BlobTask>(std::move(task), BlobMode::kDescriptors,
                                        BlobV1DescriptorType(), container_.size_bytes, column->path,
                                        arrow::default_memory_pool());
    }
    tasks.Add(std::move(task));
    ARROW_RETURN_NOT_OK(Drive(&tasks));
    ARROW_ASSIGN_OR_RAISE(const auto arrays, tasks.Finish());
    const Status valid = arrow::MakeArray(arrays[0])->ValidateFull();
    GLAIVE_CHECK_FORMAT(valid.ok(), valid.message());
    return Status::OK();
  }

  std::shared_ptr<io::ObjectReader> object_;
  Container container_;
  HeldBytes held_;
  std::vector<std::unique_ptr<Column>> columns_;
};

}  // namespace

Result<std::shared_ptr<FileReader>> OpenV20Reader(std::shared_ptr<io::ObjectReader> object,
                                                  Container container,
                                                  FileReader::HeldChanged held_changed) {
  auto reader =
      std::make_shared<V20Reader>(std::move(object), std::move(container), std::move(held_changed));
  ARROW_RETURN_NOT_OK(reader->Init());
  return reader;
}

}  // namespace glaive::file
