#include "encoding/encoding_choice.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>

#include "base/status.h"
#include "encoding/fsst_encoder.h"

namespace glaive::encoding {

namespace {

using Kind = LeafValues::Kind;

constexpr std::string_view kPrefix = "lance-encoding:";
constexpr uint64_t kFullZipFrom = 256;
constexpr double kWorthPacking = 0.95;
constexpr uint64_t kFsstLeastBytes = 32 << 10;
constexpr uint64_t kFsstLeastLength = 5;
/// Text with a dictionary must be this small against its plain size to beat FSST.
constexpr double kDictionaryAgainstFsst = 0.6;
constexpr uint64_t kZstdLongValue = 32 << 10;
constexpr uint64_t kBytesPerIndexRun = 5;
constexpr int64_t kDictionaryLeastRows = 100;
constexpr uint64_t kDictionaryMostEntries = 100000;
constexpr uint64_t kDictionaryMostBytes = 16 << 20;

/// Reads the lance-encoding keys of one leaf.
class MetadataReader {
 public:
  MetadataReader(const std::map<std::string, std::string>& metadata, const std::string& column)
      : metadata_(metadata), column_(column) {}

  const std::string* Find(std::string_view key) const {
    const auto it = metadata_.find(std::string(kPrefix).append(key));
    return it == metadata_.end() ? nullptr : &it->second;
  }

  arrow::Status Refuse(std::string_view key, std::string_view allowed) const {
    return InvalidArgument("column ", column_, ": ", kPrefix, key, " is \"", *Find(key),
                           "\"; allowed: ", allowed);
  }

  template <typename T>
  arrow::Status Number(std::string_view key, std::string_view allowed,
                       std::optional<T>* out) const {
    const std::string* text = Find(key);
    if (text == nullptr) {
      return arrow::Status::OK();
    }
    T value{};
    const char* end = text->data() + text->size();
    const auto result = std::from_chars(text->data(), end, value);
    if (result.ec != std::errc() || result.ptr != end) {
      return Refuse(key, allowed);
    }
    *out = value;
    return arrow::Status::OK();
  }

 private:
  const std::map<std::string, std::string>& metadata_;
  const std::string& column_;
};

arrow::Status ParseStructure(const MetadataReader& column, EncodingWishes* wishes) {
  const auto* structure = column.Find("structural-encoding");
  if (structure == nullptr) {
    return arrow::Status::OK();
  }
  if (*structure == "miniblock") {
    wishes->structure = Structure::kMiniBlock;
  } else if (*structure == "fullzip") {
    wishes->structure = Structure::kFullZip;
  } else {
    return column.Refuse("structural-encoding", "miniblock, fullzip");
  }
  return arrow::Status::OK();
}

arrow::Status ParseCompression(const MetadataReader& leaf, EncodingWishes* wishes) {
  ARROW_RETURN_NOT_OK(leaf.Number("compression-level", "an integer", &wishes->general.level));
  const auto* name = leaf.Find("compression");
  if (name == nullptr) {
    return arrow::Status::OK();
  }
  if (*name == "none") {
    wishes->compression = CompressionWish::kNone;
  } else if (*name == "fsst") {
    wishes->compression = CompressionWish::kFsst;
  } else if (*name == "lz4" || *name == "zstd") {
    wishes->compression = CompressionWish::kGeneral;
    wishes->general.scheme = *name == "lz4" ? Scheme::kLz4 : Scheme::kZstd;
  } else {
    return leaf.Refuse("compression", "lz4, zstd, fsst, none");
  }
  return arrow::Status::OK();
}

arrow::Status ParseDictionary(const MetadataReader& leaf, EncodingWishes* wishes) {
  std::optional<uint64_t> divisor;
  ARROW_RETURN_NOT_OK(leaf.Number("dict-divisor", "an integer from 1", &divisor));
  if (divisor == uint64_t{0}) {
    return leaf.Refuse("dict-divisor", "an integer from 1");
  }
  wishes->dictionary_divisor = divisor.value_or(wishes->dictionary_divisor);
  std::optional<double> ratio;
  ARROW_RETURN_NOT_OK(leaf.Number("dict-size-ratio", "a number over 0, at most 1", &ratio));
  if (ratio.has_value() && !(*ratio > 0 && *ratio <= 1)) {
    return leaf.Refuse("dict-size-ratio", "a number over 0, at most 1");
  }
  wishes->dictionary_ratio = ratio.value_or(wishes->dictionary_ratio);
  const auto* name = leaf.Find("dict-values-compression");
  if (name != nullptr && *name == "none") {
    wishes->dictionary_compression.reset();
  } else if (name != nullptr && *name == "zstd") {
    wishes->dictionary_compression->scheme = Scheme::kZstd;
  } else if (name != nullptr && *name != "lz4") {
    return leaf.Refuse("dict-values-compression", "lz4, zstd, none");
  }
  std::optional<int> level;
  ARROW_RETURN_NOT_OK(leaf.Number("dict-values-compression-level", "an integer", &level));
  if (wishes->dictionary_compression.has_value()) {
    wishes->dictionary_compression->level = level;
  }
  return arrow::Status::OK();
}

arrow::Status ParseSplit(const MetadataReader& leaf, EncodingWishes* wishes) {
  const auto* name = leaf.Find("bss");
  if (name == nullptr || *name == "auto") {
    return arrow::Status::OK();
  }
  if (*name != "on" && *name != "off") {
    return leaf.Refuse("bss", "off, on, auto");
  }
  wishes->byte_stream_split = *name == "on" ? SplitWish::kOn : SplitWish::kOff;
  return arrow::Status::OK();
}

bool IsWord(const LeafValues& values) {
  return values.bits == 8 || values.bits == 16 || values.bits == 32 || values.bits == 64;
}

/// The best of plain, packed and run lengths.
ValueChunks EncodeWords(const LeafValues& values, const ChunkLimits& limits,
                        const EncodingWishes& wishes) {
  if (!IsWord(values) || wishes.compression == CompressionWish::kNone) {
    return EncodeFlat(values, limits);
  }
  const auto stats = MeasureFixed(values, limits);
  const auto flat = static_cast<double>(stats.flat_bytes);
  const auto packed = static_cast<double>(stats.bitpacked_bytes);
  const auto runs = static_cast<double>(stats.rle_bytes);
  const bool may_run =
      !wishes.rle_threshold.has_value() ||
      static_cast<double>(stats.runs) < *wishes.rle_threshold * static_cast<double>(values.length);
  if (may_run && runs < kWorthPacking * std::min(flat, packed)) {
    return EncodeRle(values, limits);
  }
  return packed < kWorthPacking * flat ? EncodeBitpacked(values) : EncodeFlat(values, limits);
}

arrow::Result<ValueChunks> EncodeFixed(const LeafValues& values, const ChunkLimits& limits,
                                       const EncodingWishes& wishes) {
  ValueChunks best = EncodeWords(values, limits, wishes);
  if (wishes.compression != CompressionWish::kGeneral || values.bits == 1) {
    return best;
  }
  const bool can_split = values.bits == 32 || values.bits == 64;
  ARROW_RETURN_NOT_OK(CompressChunks(wishes.general, &best));
  const auto take_smaller = [&](ValueChunks other, bool always) -> arrow::Status {
    ARROW_RETURN_NOT_OK(CompressChunks(wishes.general, &other));
    if (always || other.EncodedBytes() < best.EncodedBytes()) {
      best = std::move(other);
    }
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(take_smaller(EncodeFlat(values, limits), false));
  if (can_split && wishes.byte_stream_split != SplitWish::kOff) {
    ARROW_RETURN_NOT_OK(take_smaller(EncodeByteStreamSplit(values, limits),
                                     wishes.byte_stream_split == SplitWish::kOn));
  }
  return best;
}

bool MayUseFsst(const LeafValues& values, const EncodingWishes& wishes) {
  if (values.kind != Kind::kVariable || !values.is_text) {
    return false;
  }
  if (wishes.compression == CompressionWish::kFsst) {
    return true;
  }
  return wishes.compression == CompressionWish::kAutomatic &&
         values.total_view_bytes() + values.views.size() * values.offset_bits / 8 >=
             kFsstLeastBytes &&
         values.longest_view() >= kFsstLeastLength;
}

/// Variable(Flat offsets): what every variable-width encoding ends in.
void DescribeVariable(const LeafValues& values, lance::encodings21::CompressiveEncoding* encoding) {
  encoding->mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
      values.offset_bits);
}

LeafValues WithViews(const LeafValues& values, std::vector<std::string_view> views) {
  LeafValues coded;
  coded.kind = Kind::kVariable;
  coded.length = values.length;
  coded.offset_bits = values.offset_bits;
  coded.is_text = values.is_text;
  coded.views = std::move(views);
  return coded;
}

/// Codes and the table's message, or nothing if FSST does not pay.
struct FsstCoded {
  std::vector<std::string_view> views;
  std::string table;
};

std::optional<FsstCoded> TryFsst(const LeafValues& values, const EncodingWishes& wishes,
                                 ByteArena* arena) {
  if (!MayUseFsst(values, wishes)) {
    return std::nullopt;
  }
  const auto table = FsstTable::Train(values.views);
  FsstCoded coded;
  if (!FsstEncode(table, values.views, arena, &coded.views)) {
    return std::nullopt;
  }
  coded.table = table.Serialize();
  return coded;
}

void WrapFsst(std::string table, lance::encodings21::CompressiveEncoding* encoding) {
  lance::encodings21::CompressiveEncoding wrapped;
  wrapped.mutable_fsst()->set_symbol_table(std::move(table));
  *wrapped.mutable_fsst()->mutable_values() = std::move(*encoding);
  *encoding = std::move(wrapped);
}

arrow::Result<ValueChunks> EncodeStrings(const LeafValues& values, const ChunkLimits& limits,
                                         const EncodingWishes& wishes) {
  ByteArena arena;
  if (auto coded = TryFsst(values, wishes, &arena)) {
    auto chunks = EncodeVariable(WithViews(values, std::move(coded->views)), limits);
    WrapFsst(std::move(coded->table), &chunks.encoding);
    return chunks;
  }
  auto chunks = EncodeVariable(values, limits);
  if (wishes.compression == CompressionWish::kGeneral) {
    ARROW_RETURN_NOT_OK(CompressChunks(wishes.general, &chunks));
  }
  return chunks;
}

/// Every value compressed alone; false if that is no gain.
arrow::Result<bool> CompressViews(const GeneralCompression& compression, const LeafValues& values,
                                  CodedValues* out) {
  uint64_t before = 0;
  uint64_t after = 0;
  std::vector<std::string_view> views(values.views.size());
  for (size_t i = 0; i < views.size(); ++i) {
    const auto view = values.views[i];
    ARROW_ASSIGN_OR_RAISE(
        const Bytes frame,
        Compress(compression, {reinterpret_cast<const uint8_t*>(view.data()), view.size()},
                 &out->arena));
    views[i] = {reinterpret_cast<const char*>(frame.data()), frame.size()};
    before += view.size();
    after += frame.size();
  }
  if (after >= before) {
    return false;
  }
  out->values = WithViews(values, std::move(views));
  return true;
}

}  // namespace

arrow::Result<EncodingWishes> EncodingWishes::Parse(const LeafDescriptor& leaf) {
  EncodingWishes wishes;
  const MetadataReader column(leaf.column_metadata, leaf.name);
  const MetadataReader own(leaf.leaf_metadata, leaf.name);
  ARROW_RETURN_NOT_OK(ParseStructure(column, &wishes));
  ARROW_RETURN_NOT_OK(ParseCompression(own, &wishes));
  ARROW_RETURN_NOT_OK(ParseDictionary(own, &wishes));
  ARROW_RETURN_NOT_OK(ParseSplit(own, &wishes));
  ARROW_RETURN_NOT_OK(own.Number("rle-threshold", "a number", &wishes.rle_threshold));
  ARROW_RETURN_NOT_OK(own.Number("minichunk-size", "a number of bytes", &wishes.chunk_bytes));
  return wishes;
}

ChunkLimits EncodingWishes::FirstLimits(const LeafValues& values, uint16_t version_minor) const {
  constexpr uint64_t kMost21 = 16 << 10;
  constexpr uint64_t kMost22 = 16 << 20;
  constexpr uint64_t kLeast = 1024;
  ChunkLimits limits;
  if (values.kind == Kind::kVariable && chunk_bytes.has_value()) {
    limits.bytes = std::clamp(*chunk_bytes, kLeast, version_minor < 2 ? kMost21 : kMost22);
  }
  return limits;
}

uint64_t LargestValueBytes(const LeafValues& values) {
  switch (values.kind) {
    case Kind::kVariable:
    case Kind::kPackedVariable:
      return values.longest_view();
    case Kind::kDictionary:
      return values.bits / 8;
    default:
      return (values.bits * values.items_per_value() + 7) / 8;
  }
}

Structure ChooseStructure(const ShreddedLeaf& leaf, const LeafValues& values,
                          const EncodingWishes& wishes) {
  if (values.kind == Kind::kPackedVariable) {
    return Structure::kFullZip;
  }
  const bool odd_bits = values.bits * values.items_per_value() % 8 != 0;
  if (values.kind == Kind::kFixedSizeList && odd_bits) {
    return Structure::kMiniBlock;
  }
  Structure structure = wishes.structure;
  if (structure == Structure::kAutomatic) {
    structure =
        LargestValueBytes(values) < kFullZipFrom ? Structure::kMiniBlock : Structure::kFullZip;
  }
  if (values.kind == Kind::kVariable && leaf.nullable_item_outside_list()) {
    structure = Structure::kMiniBlock;
  }
  return structure;
}

arrow::Result<std::optional<BuiltDictionary>> ChooseDictionary(const LeafValues& values,
                                                               const std::vector<uint8_t>& valid,
                                                               const EncodingWishes& wishes,
                                                               uint16_t version_minor,
                                                               arrow::MemoryPool* pool) {
  const bool fits = values.kind == Kind::kVariable ||
                    (values.kind == Kind::kFixed &&
                     (values.bits == 128 || (values.bits == 64 && version_minor >= 2)));
  if (!fits || values.length < kDictionaryLeastRows || wishes.structure == Structure::kFullZip) {
    return std::nullopt;
  }
  const auto rows = static_cast<uint64_t>(values.length);
  double limit = wishes.dictionary_ratio;
  uint64_t plain = rows * values.bits / 8;
  if (values.kind == Kind::kVariable) {
    plain = values.total_view_bytes() + rows * values.offset_bits / 8;
    limit = MayUseFsst(values, wishes) ? std::min(limit, kDictionaryAgainstFsst) : limit;
  }
  auto most = static_cast<uint64_t>(static_cast<double>(plain) * limit);
  DictionaryBudget budget;
  if (values.bits == 64 && values.kind == Kind::kFixed) {
    const auto stats = MeasureFixed(values, wishes.FirstLimits(values, version_minor));
    most = std::min(
        most, static_cast<uint64_t>(kWorthPacking * static_cast<double>(std::min(
                                                        stats.bitpacked_bytes, stats.rle_bytes))));
    budget.index_run_bytes = stats.runs * kBytesPerIndexRun;
  }
  budget.entries = std::min(rows / wishes.dictionary_divisor, kDictionaryMostEntries);
  budget.bytes = std::min(most, kDictionaryMostBytes + rows * 4);
  return BuildDictionary(values, valid, budget, pool);
}

arrow::Result<ValueChunks> EncodeMiniBlockValues(const LeafValues& values,
                                                 const ChunkLimits& limits,
                                                 const EncodingWishes& wishes) {
  switch (values.kind) {
    case Kind::kVariable:
      return EncodeStrings(values, limits, wishes);
    case Kind::kFixed:
    case Kind::kDictionary:
      return EncodeFixed(values, limits, wishes);
    default:
      return EncodeFlat(values, limits);
  }
}

arrow::Result<CodedValues> EncodeFullZipValues(const LeafValues& values,
                                               const EncodingWishes& wishes) {
  CodedValues out;
  DescribeVariable(values, &out.encoding);
  const bool asked = wishes.compression == CompressionWish::kGeneral;
  const bool automatic =
      wishes.compression == CompressionWish::kAutomatic && values.longest_view() > kZstdLongValue;
  if (asked || automatic) {
    // Never lz4 here: other readers decompress the empty slots, too, which lz4 refuses.
    const GeneralCompression zstd{Scheme::kZstd,
                                  asked ? wishes.general.level : std::optional<int>(0)};
    ARROW_ASSIGN_OR_RAISE(const bool gained, CompressViews(zstd, values, &out));
    if (gained) {
      WrapGeneral(zstd, &out.encoding);
      return out;
    }
  }
  if (auto coded = TryFsst(values, wishes, &out.arena)) {
    out.values = WithViews(values, std::move(coded->views));
    WrapFsst(std::move(coded->table), &out.encoding);
    return out;
  }
  out.values = WithViews(values, values.views);
  return out;
}

}  // namespace glaive::encoding
