#include "file/structural_writer.h"

#include <algorithm>
#include <numeric>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/executor.h"
#include "base/status.h"
#include "encoding/page.h"
#include "file/blob_writer.h"
#include "file/container.h"
#include "file/leaf_paths.h"
#include "file/null_check.h"

namespace glaive::file {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// So many small chunks of one leaf are joined to one while they wait.
constexpr size_t kJoinChunks = 256;
/// Pieces that wait for their page are copied if they keep so many times their bytes alive.
constexpr uint64_t kMaxKeptAlive = 4;
/// Pages are encoded on several threads if together they have so many bytes.
constexpr uint64_t kShareFrom = 128 << 10;

// Values of one leaf that wait to become a page.
struct LeafState {
  Leaf leaf;
  std::unique_ptr<encoding::PageEncoder> encoder;
  arrow::ArrayVector chunks;
  size_t joined = 0;  // chunks before this one are large or results of joining
  uint64_t bytes = 0;
  uint64_t pages_end = 0;  // top-level row behind the last page written
};

// The waiting values of one leaf on their way into the file.
struct PageJob {
  size_t leaf = 0;
  arrow::ArrayVector chunks;
  std::vector<encoding::EncodedPage> pages;
};

// Bytes of memory that an array keeps from being freed: batches that come from a stream often lie
// in one buffer whole.
uint64_t KeptAlive(const arrow::ArrayData& data) {
  uint64_t bytes = 0;
  for (const auto& buffer : data.buffers) {
    const arrow::Buffer* root = buffer.get();
    while (root != nullptr && root->parent() != nullptr) {
      root = root->parent().get();
    }
    bytes += root != nullptr ? static_cast<uint64_t>(root->size()) : 0;
  }
  for (const auto& child : data.child_data) {
    bytes += KeptAlive(*child);
  }
  return bytes;
}

arrow::Status CheckVersion(const Field& field, const std::string& path, FileVersion version) {
  if (version < kVersion22) {
    const char* what = field.is_map()                         ? "a map"
                       : field.is_fixed_size_list_of_struct() ? "a fixed-size list of structs"
                       : field.is_blob_v2()                   ? "a blob v2"
                                                              : nullptr;
    if (what != nullptr) {
      return Unsupported("column '", path, "' is ", what,
                         ", which needs data file version 2.2, not ", version.ToString());
    }
  } else if (field.is_blob_v1()) {
    return Unsupported("column '", path, "' is a blob of the old kind (", kBlobKey,
                       "), which data file version ", version.ToString(), " cannot hold; use ",
                       kBlobV2Extension);
  }
  if (field.is_leaf()) {
    return arrow::Status::OK();
  }
  for (const auto& child : field.children) {
    ARROW_RETURN_NOT_OK(CheckVersion(child, path + "." + child.name, version));
  }
  return arrow::Status::OK();
}

// Storage type that a column of this field must have; blob v2 is checked on its own.
arrow::Status CheckType(const Field& field, const arrow::DataType& type) {
  if (field.is_blob_v2()) {
    if (!FitsBlobV2(type)) {
      return TypeMismatch("column '", field.name,
                          "': a blob is written as large_binary or as a struct of data "
                          "and uri, found ",
                          type.ToString());
    }
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto expected, field.ArrowType());
  if (!SameStorage(*expected, type)) {
    return TypeMismatch("column '", field.name, "': expected ", expected->ToString(), ", found ",
                        type.ToString());
  }
  return arrow::Status::OK();
}

uint64_t SizeOf(const arrow::Array& array) {
  const auto size = arrow::util::ReferencedBufferSize(array);
  // Types it does not know are counted by their whole buffers.
  return static_cast<uint64_t>(size.ok() ? *size : arrow::util::TotalBufferSize(array));
}

class StructuralWriter final : public FileWriter {
 public:
  StructuralWriter(std::unique_ptr<io::ObjectWriter> object, const Schema& schema,
                   FileWriterOptions options)
      : options_(std::move(options)),
        schema_(schema),
        stored_(Stored(schema)),
        file_(std::move(object), options_.version, stored_.LeafIds().size()),
        blobs_(&file_, options_.make_sidecar),
        pool_(options_.pool != nullptr ? options_.pool : arrow::default_memory_pool()) {}

  arrow::Status Init() {
    for (const auto& field : stored_.fields()) {
      ARROW_RETURN_NOT_OK(CheckVersion(field, field.name, options_.version));
      for (auto& leaf : LeavesOf(field)) {
        ARROW_RETURN_NOT_OK(Describe(&leaf, options_.version));
        LeafState state;
        ARROW_ASSIGN_OR_RAISE(
            state.encoder, encoding::PageEncoder::Make(leaf.descriptor, {options_.version.minor}));
        state.leaf = std::move(leaf);
        leaves_.push_back(std::move(state));
      }
      leaves_end_.push_back(leaves_.size());
    }
    return arrow::Status::OK();
  }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    ARROW_RETURN_NOT_OK(CheckBatch(batch));
    return Track(WriteChecked(batch));
  }

  uint64_t num_rows() const override { return num_rows_; }

  uint64_t EstimatedBytes() const override { return file_.position() + buffered_; }

  arrow::Result<FileSummary> Finish() override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    FileSummary summary;
    ARROW_RETURN_NOT_OK(Track(FinishAll(&summary)));
    state_ = State::kFinished;
    return summary;
  }

  arrow::Status Abort() override {
    if (state_ == State::kFinished) {
      return arrow::Status::OK();
    }
    state_ = State::kFailed;
    for (auto& leaf : leaves_) {
      leaf.chunks.clear();
    }
    const auto status = blobs_.Abort();
    ARROW_RETURN_NOT_OK(file_.Abort());
    return status;
  }

 private:
  enum class State { kOpen, kFinished, kFailed };

  static Schema Stored(const Schema& schema) {
    std::vector<Field> fields;
    for (const auto& field : schema.fields()) {
      fields.push_back(StoredField(field));
    }
    return Schema(std::move(fields), schema.metadata());
  }

  arrow::Status CheckOpen() const {
    GLAIVE_CHECK_ARGUMENT(state_ == State::kOpen, "the file writer was ",
                          state_ == State::kFinished ? "finished" : "aborted, or failed,",
                          " before");
    return arrow::Status::OK();
  }

  // After an error in the middle of a batch columns differ in length: nothing more can be written.
  arrow::Status Track(arrow::Status status) {
    if (!status.ok()) {
      state_ = State::kFailed;
    }
    return status;
  }

  arrow::Status CheckBatch(const arrow::RecordBatch& batch) const {
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
      ARROW_RETURN_NOT_OK(CheckType(field, *batch.column(i)->type()));
      ARROW_RETURN_NOT_OK(CheckNulls(field, *batch.column(i), num_rows_));
    }
    return arrow::Status::OK();
  }

  arrow::Status WriteChecked(const arrow::RecordBatch& batch) {
    if (batch.num_rows() == 0) {
      return arrow::Status::OK();
    }
    size_t leaf = 0;
    for (size_t i = 0; i < schema_.fields().size(); ++i) {
      const Field& field = schema_.fields()[i];
      auto column = batch.column(static_cast<int>(i));
      if (HoldsBlobs(field, options_.version)) {
        ARROW_ASSIGN_OR_RAISE(column, blobs_.Store(field, *column, options_.version, pool_));
      }
      for (; leaf < leaves_end_[i]; ++leaf) {
        ARROW_ASSIGN_OR_RAISE(const auto path, SplitPath(*column, leaves_[leaf].leaf));
        ARROW_RETURN_NOT_OK(AddSliced(leaf, path));
      }
    }
    num_rows_ += static_cast<uint64_t>(batch.num_rows());
    if (buffered_ > options_.max_buffered_bytes) {
      Relieve();
    }
    return RunJobs();
  }

  // Cuts an array into pieces of about a page.
  arrow::Status AddSliced(size_t leaf, const ArrayPtr& path) {
    const uint64_t bytes = SizeOf(*path);
    const auto rows = static_cast<uint64_t>(path->length());
    if (bytes <= options_.page_bytes + options_.page_bytes / 4 || rows == 1) {
      return Add(leaf, path, bytes);
    }
    const uint64_t parts = std::min(rows, (bytes - 1) / options_.page_bytes + 1);
    for (uint64_t part = 0; part < parts; ++part) {
      const uint64_t begin = rows * part / parts;
      const uint64_t end = rows * (part + 1) / parts;
      ARROW_RETURN_NOT_OK(AddSliced(
          leaf, path->Slice(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin))));
    }
    return arrow::Status::OK();
  }

  arrow::Status Add(size_t leaf, ArrayPtr piece, uint64_t bytes) {
    LeafState& state = leaves_[leaf];
    if (state.bytes > 0 && state.bytes + bytes > options_.page_bytes + options_.page_bytes / 4) {
      QueuePage(leaf);
    }
    const uint64_t full = options_.page_bytes - options_.page_bytes / 4;
    if (state.bytes + bytes < full && KeptAlive(*piece->data()) / kMaxKeptAlive > bytes) {
      ARROW_ASSIGN_OR_RAISE(piece, arrow::Concatenate({piece}, pool_));
    }
    state.chunks.push_back(std::move(piece));
    state.bytes += bytes;
    buffered_ += bytes;
    if (state.bytes >= full) {
      QueuePage(leaf);
      const size_t at_once = options_.executor != nullptr ? options_.executor->num_threads() : 1;
      return jobs_.size() >= 2 * at_once ? RunJobs() : arrow::Status::OK();
    }
    if (state.chunks.size() - state.joined >= kJoinChunks) {
      return Join(&state);
    }
    return arrow::Status::OK();
  }

  arrow::Status Join(LeafState* state) {
    const auto first = state->chunks.begin() + static_cast<ptrdiff_t>(state->joined);
    ARROW_ASSIGN_OR_RAISE(
        auto one, arrow::Concatenate(arrow::ArrayVector(first, state->chunks.end()), pool_));
    state->chunks.erase(first, state->chunks.end());
    state->chunks.push_back(std::move(one));
    state->joined = state->chunks.size();
    return arrow::Status::OK();
  }

  void QueuePage(size_t leaf) {
    LeafState& state = leaves_[leaf];
    if (state.chunks.empty()) {
      return;
    }
    jobs_.push_back({leaf, std::move(state.chunks), {}});
    queued_ += state.bytes;
    buffered_ -= state.bytes;
    state.chunks.clear();
    state.joined = 0;
    state.bytes = 0;
  }

  // Turns the leaves with the most bytes into pages early, until half of the allowed memory is
  // free.
  void Relieve() {
    std::vector<size_t> order(leaves_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return leaves_[a].bytes > leaves_[b].bytes; });
    for (const size_t leaf : order) {
      if (buffered_ <= options_.max_buffered_bytes / 2) {
        return;
      }
      QueuePage(leaf);
    }
  }

  arrow::Status RunJobs() {
    // Waking threads costs more than a few small pages.
    const size_t at_once = options_.executor != nullptr && queued_ >= kShareFrom
                               ? options_.executor->num_threads()
                               : 1;
    for (size_t begin = 0; begin < jobs_.size(); begin += at_once) {
      const size_t count = std::min(at_once, jobs_.size() - begin);
      const auto encode = [&](size_t i) { return Encode(&jobs_[begin + i]); };
      if (count > 1) {
        ARROW_RETURN_NOT_OK(options_.executor->ParallelFor(count, encode));
      } else {
        ARROW_RETURN_NOT_OK(encode(0));
      }
      for (size_t i = begin; i < begin + count; ++i) {
        ARROW_RETURN_NOT_OK(WritePages(&jobs_[i]));
      }
    }
    jobs_.clear();
    queued_ = 0;
    return arrow::Status::OK();
  }

  arrow::Status Encode(PageJob* job) {
    const LeafState& state = leaves_[job->leaf];
    auto pages = state.encoder->Encode(job->chunks, pool_);
    if (!pages.ok()) {
      return WithContext(pages.status(), Concat("column '", state.leaf.descriptor->name, "'"));
    }
    job->pages = std::move(*pages);
    return arrow::Status::OK();
  }

  arrow::Status WritePages(PageJob* job) {
    LeafState& state = leaves_[job->leaf];
    uint64_t expected = state.pages_end;
    for (const auto& chunk : job->chunks) {
      expected += static_cast<uint64_t>(chunk->length());
    }
    for (auto& encoded : job->pages) {
      PageInfo page;
      page.num_rows = encoded.num_rows;
      page.priority = state.pages_end;
      page.encoding = std::move(encoded.encoding);
      for (const auto& buffer : encoded.buffers) {
        ARROW_ASSIGN_OR_RAISE(const auto range, file_.WriteBuffer(buffer));
        page.buffers.push_back(range);
      }
      state.pages_end += encoded.num_rows / state.leaf.slots_per_row;
      file_.AddPage(job->leaf, std::move(page));
    }
    job->pages.clear();
    job->chunks.clear();
    if (state.pages_end != expected) {
      return InternalError("column '", state.leaf.descriptor->name, "': pages end at row ",
                           state.pages_end, ", expected ", expected);
    }
    return arrow::Status::OK();
  }

  arrow::Status FinishAll(FileSummary* summary) {
    for (size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
      QueuePage(leaf);
    }
    ARROW_RETURN_NOT_OK(RunJobs());
    ARROW_RETURN_NOT_OK(blobs_.Finish());
    summary->version = options_.version;
    summary->num_rows = num_rows_;
    summary->field_ids = stored_.LeafIds();
    summary->column_indices.resize(summary->field_ids.size());
    std::iota(summary->column_indices.begin(), summary->column_indices.end(), 0);
    ARROW_ASSIGN_OR_RAISE(summary->size_bytes, file_.Finish(stored_, num_rows_));
    return arrow::Status::OK();
  }

  const FileWriterOptions options_;
  const Schema schema_;
  const Schema stored_;  // leaves point into it
  ContainerWriter file_;
  BlobWriter blobs_;
  arrow::MemoryPool* pool_;
  std::vector<LeafState> leaves_;
  std::vector<size_t> leaves_end_;  // per column: the leaf behind its last
  std::vector<PageJob> jobs_;
  uint64_t num_rows_ = 0;
  uint64_t buffered_ = 0;
  uint64_t queued_ = 0;  // bytes of jobs_
  State state_ = State::kOpen;
};

}  // namespace

arrow::Result<std::unique_ptr<FileWriter>> OpenStructuralWriter(
    std::unique_ptr<io::ObjectWriter> object, const Schema& schema,
    const FileWriterOptions& options) {
  auto writer = std::make_unique<StructuralWriter>(std::move(object), schema, options);
  ARROW_RETURN_NOT_OK(writer->Init());
  return writer;
}

}  // namespace glaive::file
