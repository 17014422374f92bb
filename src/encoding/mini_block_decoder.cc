// Pages of chunks of a few KiB: a chunk is read and decoded as a whole.
//
// Buffers: chunk words, chunks, [dictionary], [repetition index].
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/block_decoder.h"
#include "encoding/layout_decoders.h"
#include "encoding/value_decoder.h"

namespace glaive::encoding {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr uint64_t kMaxChunkValues = 32768;
constexpr size_t kMaxBuffers = 2 * kMaxNesting;
constexpr uint32_t kWordsBuffer = 0;
constexpr uint32_t kChunksBuffer = 1;

Bytes AsBytes(const arrow::Buffer& buffer) {
  return Bytes(buffer.data(), static_cast<size_t>(buffer.size()));
}

// What to decode of a chunk. Without lists: values [from, to). With lists: from the entry at which
// the row number `from` (counted among those that start in the chunk) starts, to that of row `to`.
struct Part {
  static constexpr uint64_t kFirstEntry =
      UINT64_MAX;  // `from`: also entries before the first row start
  static constexpr uint64_t kLastEntry = UINT64_MAX;  // `to`: up to the end of the chunk
  size_t chunk = 0;
  uint64_t from = 0;
  uint64_t to = 0;
};

// A chunk taken apart.
struct Chunk {
  uint64_t num_levels = 0;
  Bytes rep;
  Bytes def;
  std::array<Bytes, kMaxBuffers> buffers;
};

// Reads the parts of a chunk one after the other, each 8-aligned.
class ChunkReader {
 public:
  explicit ChunkReader(Bytes chunk) : chunk_(chunk) {}

  template <typename T>
  arrow::Result<uint64_t> Number() {
    GLAIVE_CHECK_FORMAT(chunk_.size() - at_ >= sizeof(T), "a chunk of ", chunk_.size(),
                        " bytes that ends within its header");
    const auto value = static_cast<uint64_t>(LoadLe<T>(chunk_.data() + at_));
    at_ += sizeof(T);
    return value;
  }

  void Align() { at_ = std::min<uint64_t>(PadTo(at_, 8), chunk_.size()); }

  arrow::Result<Bytes> Take(uint64_t size) {
    GLAIVE_CHECK_FORMAT(size <= chunk_.size() - at_, "a chunk of ", chunk_.size(), " bytes with ",
                        size, " bytes at ", at_);
    const Bytes part = chunk_.subspan(at_, size);
    at_ += size;
    Align();
    return part;
  }

 private:
  const Bytes chunk_;
  uint64_t at_ = 0;
};

class MiniBlockDecoder final : public LayoutDecoder {
 public:
  explicit MiniBlockDecoder(OpenedPage page) : LayoutDecoder(std::move(page)) {}

  arrow::Status Init();

  std::string Describe() const override;
  std::vector<BufferRange> IndexNeeds() const override;
  arrow::Status LoadIndex(const Buffers& index) override;
  arrow::Result<std::vector<BufferRange>> DataNeeds(const RowRanges& rows,
                                                    const Buffers& row_index) const override;
  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const RowRanges& rows,
                                                      const Buffers& row_index, const Buffers& data,
                                                      arrow::MemoryPool* pool) const override;

 protected:
  uint64_t IndexBytes() const override;

 private:
  class Run;

  const Layout& layout() const { return *page_.layout; }

  size_t num_chunks() const { return byte_starts_.empty() ? 0 : byte_starts_.size() - 1; }

  uint64_t chunk_values(size_t chunk) const {
    return value_starts_[chunk + 1] - value_starts_[chunk];
  }

  uint64_t chunk_bytes(size_t chunk) const { return byte_starts_[chunk + 1] - byte_starts_[chunk]; }

  arrow::Status LoadWords(Bytes words);
  arrow::Status LoadRepetitionIndex(Bytes index);
  std::vector<Part> Plan(const RowRanges& rows) const;
  void PlanList(const RowRange& rows, std::vector<Part>* parts) const;
  std::vector<BufferRange> NeedsOf(const std::vector<Part>& parts) const;
  arrow::Status ParseChunk(Bytes bytes, Chunk* chunk) const;
  ValueDecoder::Context ValueContext() const;

  std::optional<FsstDecoder> fsst_;
  LeafShape dictionary_shape_;
  std::shared_ptr<arrow::Array> dictionary_;
  std::vector<uint64_t> byte_starts_;   // num_chunks + 1
  std::vector<uint64_t> value_starts_;  // num_chunks + 1
  // Lists: rows that start before chunk k (num_chunks + 1), rows that finish before it.
  std::vector<uint64_t> rows_started_;
  std::vector<uint64_t> rows_finished_;
};

arrow::Status MiniBlockDecoder::Init() {
  const bool has_dictionary = layout().dictionary != nullptr;
  const size_t expected =
      2u + (has_dictionary ? 1u : 0u) + (layout().repetition_index_depth > 0 ? 1u : 0u);
  GLAIVE_CHECK_FORMAT(page_.buffer_sizes.size() == expected, "mini-block page of ",
                      page_.buffer_sizes.size(), " buffers, expected ", expected);
  GLAIVE_CHECK_FORMAT(page_.has_lists() == (layout().rep != nullptr), "mini-block page with ",
                      page_.layers.num_lists, " list layers ", layout().rep ? "with" : "without",
                      " repetition levels");
  GLAIVE_CHECK_FORMAT(!page_.has_lists() || layout().repetition_index_depth == 1,
                      "mini-block page with lists but without repetition index");
  if (!page_.has_lists()) {
    GLAIVE_CHECK_FORMAT(layout().num_items == page_.page_rows, "mini-block page of ",
                        page_.page_rows, " rows with ", layout().num_items, " items");
  }
  if (const Encoding* fsst = FindFsst(*layout().value)) {
    ARROW_ASSIGN_OR_RAISE(fsst_, FsstDecoder::Make(fsst->symbol_table));
  }
  if (has_dictionary) {
    const LeafShape& leaf = page_.shape->leaf;
    if (leaf.storage == LeafStorage::kDictionary) {
      const auto& type = static_cast<const arrow::DictionaryType&>(*leaf.type);
      ARROW_ASSIGN_OR_RAISE(dictionary_shape_,
                            MakeLeafShape(type.value_type(), LeafKind::kPrimitive));
    } else {
      dictionary_shape_ = leaf;
    }
  }
  // Refuses here what can't be decoded later.
  return ValueDecoder::Make(*layout().value, page_.shape->leaf, layout().num_buffers,
                            ValueContext())
      .status();
}

ValueDecoder::Context MiniBlockDecoder::ValueContext() const {
  return {layout().dictionary != nullptr, fsst_ ? &*fsst_ : nullptr, dictionary_.get()};
}

std::string MiniBlockDecoder::Describe() const {
  std::string text = "mini-block ";
  if (layout().dictionary) {
    text += Concat("dict[", layout().num_dictionary_items, "] ",
                   DescribeEncoding(*layout().dictionary), ", ");
  }
  text += DescribeEncoding(*layout().value);
  if (layout().rep) {
    text += Concat(", rep ", DescribeEncoding(*layout().rep));
  }
  if (layout().def) {
    text += Concat(", def ", DescribeEncoding(*layout().def));
  }
  const uint64_t chunks = page_.buffer_sizes[kWordsBuffer] / (layout().large_chunks ? 4 : 2);
  return text + Concat(", ", chunks, chunks == 1 ? " chunk" : " chunks");
}

std::vector<BufferRange> MiniBlockDecoder::IndexNeeds() const {
  std::vector<BufferRange> needs;
  for (uint32_t buffer = 0; buffer < page_.buffer_sizes.size(); ++buffer) {
    if (buffer != kChunksBuffer) {
      needs.push_back({buffer, 0, page_.buffer_sizes[buffer]});
    }
  }
  return needs;
}

arrow::Status MiniBlockDecoder::LoadIndex(const Buffers& index) {
  ARROW_RETURN_NOT_OK(CheckBuffers(IndexNeeds(), index));
  size_t next = 0;
  ARROW_RETURN_NOT_OK(LoadWords(AsBytes(*index[next++]).first(page_.buffer_sizes[kWordsBuffer])));
  if (layout().dictionary) {
    const Bytes block = AsBytes(*index[next++]);
    ARROW_ASSIGN_OR_RAISE(
        dictionary_, DecodeDictionary(*layout().dictionary, block, layout().num_dictionary_items,
                                      dictionary_shape_, arrow::default_memory_pool()));
  }
  if (page_.has_lists()) {
    ARROW_RETURN_NOT_OK(
        LoadRepetitionIndex(AsBytes(*index[next]).first(page_.buffer_sizes.back())));
  }
  index_loaded_ = true;
  return arrow::Status::OK();
}

uint64_t MiniBlockDecoder::IndexBytes() const {
  const uint64_t numbers = byte_starts_.capacity() + value_starts_.capacity() +
                           rows_started_.capacity() + rows_finished_.capacity();
  const int64_t dictionary = dictionary_ ? arrow::util::TotalBufferSize(*dictionary_) : 0;
  return sizeof(*this) + numbers * sizeof(uint64_t) + static_cast<uint64_t>(dictionary);
}

arrow::Status MiniBlockDecoder::LoadWords(Bytes words) {
  const size_t word_bytes = layout().large_chunks ? 4 : 2;
  GLAIVE_CHECK_FORMAT(words.size() % word_bytes == 0, "chunk words of ", words.size(), " bytes");
  const size_t count = words.size() / word_bytes;
  byte_starts_.assign(1, 0);
  value_starts_.assign(1, 0);
  byte_starts_.reserve(count + 1);
  value_starts_.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t word = layout().large_chunks ? LoadLe<uint32_t>(words.data() + 4 * i)
                                                : LoadLe<uint16_t>(words.data() + 2 * i);
    const uint64_t log = word & 15;
    const uint64_t bytes = ((word >> 4) + 1) * 8;
    const uint64_t before = value_starts_.back();
    uint64_t values = uint64_t{1} << log;
    if (i + 1 == count) {
      GLAIVE_CHECK_FORMAT(before <= layout().num_items, "chunks before the last hold ", before,
                          " values, the page ", layout().num_items);
      values = layout().num_items - before;
      GLAIVE_CHECK_FORMAT(values <= kMaxChunkValues, "last chunk of ", values, " values");
    } else {
      GLAIVE_CHECK_FORMAT(log != 0, "chunk ", i, " of ", count, " without a value count");
    }
    byte_starts_.push_back(byte_starts_.back() + bytes);
    value_starts_.push_back(before + values);
  }
  GLAIVE_CHECK_FORMAT(value_starts_.back() == layout().num_items, "chunks hold ",
                      value_starts_.back(), " values, the page ", layout().num_items);
  GLAIVE_CHECK_FORMAT(byte_starts_.back() <= page_.buffer_sizes[kChunksBuffer], "chunks of ",
                      byte_starts_.back(), " bytes in a buffer of ",
                      page_.buffer_sizes[kChunksBuffer]);
  return arrow::Status::OK();
}

arrow::Status MiniBlockDecoder::LoadRepetitionIndex(Bytes index) {
  const size_t chunks = num_chunks();
  GLAIVE_CHECK_FORMAT(index.size() == 16 * chunks, "repetition index of ", index.size(),
                      " bytes for ", chunks, " chunks, expected ", 16 * chunks);
  rows_started_.assign(1, 0);
  rows_finished_.assign(1, 0);
  for (size_t i = 0; i < chunks; ++i) {
    const auto finished = LoadLe<uint64_t>(index.data() + 16 * i);
    const auto left = LoadLe<uint64_t>(index.data() + 16 * i + 8);
    uint64_t total = 0;
    GLAIVE_CHECK_FORMAT(
        CheckedAdd(rows_finished_.back(), finished, &total) && total <= page_.page_rows,
        "repetition index with more rows than the page's ", page_.page_rows);
    // A row that goes on into the next chunk has started without finishing.
    const uint64_t started = total + (left > 0 ? 1 : 0);
    GLAIVE_CHECK_FORMAT(started >= rows_started_.back() && started <= page_.page_rows,
                        "repetition index whose chunk ", i, " loses a row");
    rows_finished_.push_back(total);
    rows_started_.push_back(started);
  }
  GLAIVE_CHECK_FORMAT(
      rows_finished_.back() == page_.page_rows && rows_started_.back() == page_.page_rows,
      "repetition index of ", rows_finished_.back(), " rows, the page has ", page_.page_rows);
  return arrow::Status::OK();
}

std::vector<Part> MiniBlockDecoder::Plan(const RowRanges& rows) const {
  std::vector<Part> parts;
  parts.reserve(rows.size());
  for (const auto& range : PageRows(rows)) {
    if (page_.has_lists()) {
      PlanList(range, &parts);
      continue;
    }
    auto at = std::upper_bound(value_starts_.begin(), value_starts_.end(), range.start) - 1;
    for (auto chunk = static_cast<size_t>(at - value_starts_.begin());
         chunk < num_chunks() && value_starts_[chunk] < range.end; ++chunk) {
      const uint64_t start = value_starts_[chunk];
      const uint64_t from = std::max(range.start, start) - start;
      const uint64_t to = std::min(range.end, value_starts_[chunk + 1]) - start;
      if (from < to) {
        parts.push_back({chunk, from, to});
      }
    }
  }
  return parts;
}

void MiniBlockDecoder::PlanList(const RowRange& rows, std::vector<Part>* parts) const {
  // Row x starts in the last chunk with rows_started_[k] <= x, and finishes in the first one with
  // rows_finished_[k + 1] > x.
  const auto first =
      static_cast<size_t>(std::upper_bound(rows_started_.begin(), rows_started_.end(), rows.start) -
                          rows_started_.begin() - 1);
  const auto last = static_cast<size_t>(
      std::upper_bound(rows_finished_.begin(), rows_finished_.end(), rows.end - 1) -
      rows_finished_.begin() - 1);
  for (size_t chunk = first; chunk <= last && chunk < num_chunks(); ++chunk) {
    Part part;
    part.chunk = chunk;
    part.from = chunk == first ? rows.start - rows_started_[chunk] : Part::kFirstEntry;
    part.to =
        rows.end < rows_started_[chunk + 1] ? rows.end - rows_started_[chunk] : Part::kLastEntry;
    parts->push_back(part);
  }
}

std::vector<BufferRange> MiniBlockDecoder::NeedsOf(const std::vector<Part>& parts) const {
  std::vector<BufferRange> needs;
  size_t previous = SIZE_MAX;
  for (const auto& part : parts) {
    if (part.chunk == previous) {
      continue;
    }
    if (!needs.empty() && part.chunk == previous + 1) {
      needs.back().length += chunk_bytes(part.chunk);
    } else {
      needs.push_back({kChunksBuffer, byte_starts_[part.chunk], chunk_bytes(part.chunk)});
    }
    previous = part.chunk;
  }
  return needs;
}

arrow::Result<std::vector<BufferRange>> MiniBlockDecoder::DataNeeds(const RowRanges& rows,
                                                                    const Buffers&) const {
  ARROW_RETURN_NOT_OK(CheckRequest(rows));
  return NeedsOf(Plan(rows));
}

arrow::Status MiniBlockDecoder::ParseChunk(Bytes bytes, Chunk* chunk) const {
  ChunkReader reader(bytes);
  ARROW_ASSIGN_OR_RAISE(chunk->num_levels, reader.Number<uint16_t>());
  uint64_t rep_bytes = 0;
  uint64_t def_bytes = 0;
  if (layout().rep) {
    ARROW_ASSIGN_OR_RAISE(rep_bytes, reader.Number<uint16_t>());
  }
  if (layout().def) {
    ARROW_ASSIGN_OR_RAISE(def_bytes, reader.Number<uint16_t>());
  }
  std::array<uint64_t, kMaxBuffers> sizes;
  for (size_t i = 0; i < layout().num_buffers; ++i) {
    ARROW_ASSIGN_OR_RAISE(
        sizes[i], layout().large_chunks ? reader.Number<uint32_t>() : reader.Number<uint16_t>());
  }
  reader.Align();
  ARROW_ASSIGN_OR_RAISE(chunk->rep, reader.Take(rep_bytes));
  ARROW_ASSIGN_OR_RAISE(chunk->def, reader.Take(def_bytes));
  for (size_t i = 0; i < layout().num_buffers; ++i) {
    ARROW_ASSIGN_OR_RAISE(chunk->buffers[i], reader.Take(sizes[i]));
  }
  return arrow::Status::OK();
}

// One Decode: the chunk at hand, what was read of it, what came out so far.
class MiniBlockDecoder::Run {
 public:
  Run(const MiniBlockDecoder& page, std::unique_ptr<ValueDecoder> values, LeafBuilder* builder)
      : page_(page), layers_(page.page_.layers), values_(std::move(values)), builder_(builder) {}

  arrow::Status Load(size_t chunk, Bytes bytes) {
    num_values_ = page_.chunk_values(chunk);
    values_loaded_ = false;
    at_ = {};
    ARROW_RETURN_NOT_OK(page_.ParseChunk(bytes, &chunk_));
    if (!page_.layout().rep && !page_.layout().def) {
      num_entries_ = num_values_;
      return arrow::Status::OK();
    }
    num_entries_ = chunk_.num_levels;
    if (page_.layout().rep) {
      rep_.resize(num_entries_);
      ARROW_RETURN_NOT_OK(DecodeBlock(*page_.layout().rep, chunk_.rep, num_entries_, rep_.data()));
    }
    if (page_.layout().def) {
      def_.resize(num_entries_);
      ARROW_RETURN_NOT_OK(DecodeBlock(*page_.layout().def, chunk_.def, num_entries_, def_.data()));
    }
    if (!page_.layout().rep) {
      GLAIVE_CHECK_FORMAT(num_entries_ == num_values_, "a chunk of ", num_values_, " values with ",
                          num_entries_, " levels");
    }
    return CheckLevels(rep_, def_, layers_);
  }

  arrow::Status Append(const Part& part) {
    if (!page_.page_.has_lists()) {
      return AppendEntries(part.from, part.to, part.from, part.to);
    }
    ARROW_RETURN_NOT_OK(part.from == Part::kFirstEntry ? arrow::Status::OK() : SeekRow(part.from));
    const Position start = at_;
    ARROW_RETURN_NOT_OK(part.to == Part::kLastEntry ? SeekEnd() : SeekRow(part.to));
    return AppendEntries(start.entry, at_.entry, start.value, at_.value);
  }

  const Levels& levels() const { return levels_; }

 private:
  struct Position {
    uint64_t entry = 0;
    uint64_t value = 0;
    uint64_t row_starts = 0;  // among the entries before
  };

  // Counts values among entries up to `entry`, and takes them.
  void MoveTo(uint64_t entry, uint64_t row_starts) {
    const uint64_t entries = entry - at_.entry;
    at_.value += def_.empty() ? entries
                              : CountVisible(std::span(def_).subspan(at_.entry, entries),
                                             layers_.max_visible);
    at_.entry = entry;
    at_.row_starts = row_starts;
  }

  // To the entry at which the row number `row` of those that start in the chunk starts.
  arrow::Status SeekRow(uint64_t row) {
    uint64_t entry = at_.entry;
    uint64_t seen = at_.row_starts;
    for (; entry < num_entries_; ++entry) {
      if (rep_[entry] == layers_.num_lists) {
        if (seen == row) {
          MoveTo(entry, seen);
          return arrow::Status::OK();
        }
        ++seen;
      }
    }
    return Corruption("a chunk in which ", seen,
                      " rows start, the repetition index says more than ", row);
  }

  arrow::Status SeekEnd() {
    MoveTo(num_entries_, at_.row_starts);
    GLAIVE_CHECK_FORMAT(at_.value == num_values_, "a chunk of ", num_values_,
                        " values whose levels say ", at_.value);
    return arrow::Status::OK();
  }

  arrow::Status AppendEntries(uint64_t entry_from, uint64_t entry_to, uint64_t value_from,
                              uint64_t value_to) {
    levels_.num_entries += entry_to - entry_from;
    if (page_.layout().rep) {
      levels_.rep.insert(levels_.rep.end(), rep_.data() + entry_from, rep_.data() + entry_to);
    }
    if (page_.layout().def) {
      levels_.def.insert(levels_.def.end(), def_.data() + entry_from, def_.data() + entry_to);
    }
    if (value_from == value_to) {
      return arrow::Status::OK();
    }
    GLAIVE_CHECK_FORMAT(value_to <= num_values_, "a chunk of ", num_values_,
                        " values whose levels say ", value_to);
    if (!values_loaded_) {
      ARROW_RETURN_NOT_OK(values_->Load(
          std::span<const Bytes>(chunk_.buffers.data(), page_.layout().num_buffers), num_values_));
      values_loaded_ = true;
    }
    return values_->Append(value_from, value_to - value_from, builder_);
  }

  const MiniBlockDecoder& page_;
  const Layers& layers_;
  std::unique_ptr<ValueDecoder> values_;
  LeafBuilder* builder_;
  Levels levels_;

  Chunk chunk_;
  uint64_t num_values_ = 0;
  uint64_t num_entries_ = 0;
  bool values_loaded_ = false;
  std::vector<uint16_t> rep_;
  std::vector<uint16_t> def_;
  Position at_;
};

arrow::Result<std::shared_ptr<arrow::Array>> MiniBlockDecoder::Decode(
    const RowRanges& rows, const Buffers&, const Buffers& data, arrow::MemoryPool* pool) const {
  ARROW_RETURN_NOT_OK(CheckRequest(rows));
  const std::vector<Part> parts = Plan(rows);
  ARROW_RETURN_NOT_OK(CheckBuffers(NeedsOf(parts), data));
  LeafBuilder builder(page_.shape->leaf, pool);
  builder.set_dictionary(dictionary_);
  const uint64_t num_rows = CountRows(rows);
  if (!page_.has_lists()) {
    ARROW_RETURN_NOT_OK(builder.Reserve(num_rows * page_.shape->slots_per_row));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, ValueDecoder::Make(*layout().value, page_.shape->leaf,
                                                        layout().num_buffers, ValueContext()));
  Run run(*this, std::move(values), &builder);
  // Buffers of `data` hold runs of adjacent chunks.
  size_t buffer = 0;
  uint64_t offset = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t chunk = parts[i].chunk;
    if (i == 0 || chunk != parts[i - 1].chunk) {
      if (i > 0) {
        const bool adjacent = chunk == parts[i - 1].chunk + 1;
        offset = adjacent ? offset + chunk_bytes(parts[i - 1].chunk) : 0;
        buffer += adjacent ? 0 : 1;
      }
      ARROW_RETURN_NOT_OK(
          run.Load(chunk, AsBytes(*data[buffer]).subspan(offset, chunk_bytes(chunk))));
    }
    ARROW_RETURN_NOT_OK(run.Append(parts[i]));
  }
  return Assemble(run.levels(), &builder, num_rows, pool);
}

}  // namespace

arrow::Result<std::unique_ptr<PageDecoder>> MakeMiniBlockDecoder(OpenedPage page) {
  auto decoder = std::make_unique<MiniBlockDecoder>(std::move(page));
  ARROW_RETURN_NOT_OK(decoder->Init());
  return decoder;
}

}  // namespace glaive::encoding
