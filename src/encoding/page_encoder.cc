#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/byte_size.h>

#include "base/bytes.h"
#include "base/status.h"
#include "encoding/constant_encoder.h"
#include "encoding/dictionary_encoder.h"
#include "encoding/encoding_choice.h"
#include "encoding/full_zip_encoder.h"
#include "encoding/mini_block_encoder.h"
#include "encoding/page.h"
#include "encoding/page_parts.h"
#include "encoding/shred.h"

namespace glaive::encoding {

namespace {

/// Chunks of vectors of this size get a page of their own rather than a copy into one page.
constexpr int64_t kOwnPageBytes = int64_t{1} << 20;
/// More than this of values that must be copied is split into several pages.
constexpr int64_t kMaxPageBytes = int64_t{64} << 20;
/// Level entries that a constant page with a value may have: they are stored plain.
constexpr int64_t kMaxConstantEntries = 256;
constexpr uint64_t kSmallestChunkBytes = 1024;
/// Entries without a value that fit into a chunk next to those with one: of 65,535 at most.
constexpr size_t kEntriesBesideValues = 61'000;

bool HasFixedSizeListOfStruct(const arrow::DataType& type, LeafKind kind) {
  if (IsLeafType(type, kind)) {
    return false;
  }
  return type.id() == arrow::Type::FIXED_SIZE_LIST ||
         std::any_of(type.fields().begin(), type.fields().end(), [&](const auto& field) {
           return HasFixedSizeListOfStruct(*field->type(), kind);
         });
}

/// The slot whose value all counting slots share, if they do.
std::optional<size_t> SharedValue(const LeafValues& values, const std::vector<uint8_t>& valid) {
  const auto first = static_cast<size_t>(
      valid.empty() ? 0 : std::find(valid.begin(), valid.end(), uint8_t{1}) - valid.begin());
  const auto count = static_cast<size_t>(values.length);
  const auto all_equal = [&](auto equal) {
    for (size_t i = first + 1; i < count; ++i) {
      if ((valid.empty() || valid[i]) && !equal(i)) {
        return false;
      }
    }
    return true;
  };
  bool shared = false;
  if (values.kind == LeafValues::Kind::kVariable) {
    shared = all_equal([&](size_t i) { return values.views[i] == values.views[first]; });
  } else if (values.bits == 1) {
    const uint8_t* bits = values.data->data();
    const bool bit = arrow::bit_util::GetBit(bits, static_cast<int64_t>(first));
    shared = all_equal(
        [&](size_t i) { return arrow::bit_util::GetBit(bits, static_cast<int64_t>(i)) == bit; });
  } else {
    const size_t width = values.bits / 8;
    const uint8_t* data = values.data->data();
    shared = all_equal(
        [&](size_t i) { return std::memcmp(data + i * width, data + first * width, width) == 0; });
  }
  return shared ? std::optional<size_t>(first) : std::nullopt;
}

/// Where to cut a page that is too large: in the middle, or in a long stretch of entries without
/// values. Beside values the levels of such entries are packed; in a page of their own version 2.1
/// stores them plain. So the part with values keeps as many as a chunk can hold.
int64_t SplitRow(const ShreddedLeaf& leaf) {
  const int64_t half = leaf.num_rows / 2;
  if (leaf.rep.empty() || leaf.def.empty()) {
    return half;
  }
  const auto entries = static_cast<size_t>(leaf.num_entries);
  size_t begin = 0;  // of the longest stretch
  size_t end = 0;
  for (size_t i = 0, start = 0; i <= entries; ++i) {
    if (i < entries && leaf.def[i] > leaf.max_visible) {
      continue;
    }
    if (i - start > end - begin) {
      begin = start;
      end = i;
    }
    start = i + 1;
  }
  // Shorter ones could not be cut off for ever, and many of them must not make many cuts.
  if (end - begin <= std::max(kEntriesBesideValues, entries / 8)) {
    return half;
  }
  const size_t at = begin > 0 ? begin + kEntriesBesideValues : end - kEntriesBesideValues;
  const auto starts =
      std::count(leaf.rep.begin(), leaf.rep.begin() + static_cast<ptrdiff_t>(at), leaf.max_rep);
  return std::clamp<int64_t>(starts, 1, leaf.num_rows - 1);
}

class Encoder final : public PageEncoder {
 public:
  Encoder(std::shared_ptr<const LeafDescriptor> leaf, const EncoderOptions& options,
          EncodingWishes wishes)
      : leaf_(std::move(leaf)), options_(options), wishes_(std::move(wishes)) {}

  arrow::Result<std::vector<EncodedPage>> Encode(const arrow::ArrayVector& chunks,
                                                 arrow::MemoryPool* pool) const override {
    std::vector<EncodedPage> pages;
    arrow::ArrayVector small;
    int64_t gathered = 0;
    const auto flush = [&]() -> arrow::Status {
      gathered = 0;
      if (small.empty()) {
        return arrow::Status::OK();
      }
      auto whole = small[0];
      if (small.size() > 1) {
        ARROW_ASSIGN_OR_RAISE(whole, arrow::Concatenate(small, pool));
      }
      small.clear();
      return EncodeRows(whole, pool, &pages);
    };
    for (const auto& chunk : chunks) {
      GLAIVE_CHECK_ARGUMENT(chunk->type()->Equals(*leaf_->path_type), "column ", leaf_->name,
                            " has type ", leaf_->path_type->ToString(), ", not ",
                            chunk->type()->ToString());
      if (chunk->length() == 0) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*chunk));
      const bool alone = bytes >= kOwnPageBytes && chunk->type_id() == arrow::Type::FIXED_SIZE_LIST;
      if (alone || gathered + bytes > kMaxPageBytes) {
        ARROW_RETURN_NOT_OK(flush());
      }
      small.push_back(chunk);
      gathered += bytes;
      if (alone) {
        ARROW_RETURN_NOT_OK(flush());
      }
    }
    ARROW_RETURN_NOT_OK(flush());
    return pages;
  }

 private:
  arrow::Status EncodeRows(const std::shared_ptr<arrow::Array>& rows, arrow::MemoryPool* pool,
                           std::vector<EncodedPage>* pages) const {
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*rows));
    if (bytes > kMaxPageBytes && rows->length() > 1 &&
        rows->type_id() != arrow::Type::FIXED_SIZE_LIST) {
      return EncodeParts(rows, rows->length() / 2, pool, pages);
    }
    ARROW_ASSIGN_OR_RAISE(const auto shredded, Shred(rows, leaf_->kind, pool));
    ARROW_ASSIGN_OR_RAISE(auto page, EncodeShredded(shredded, rows->length() == 1, pool));
    if (!page.has_value()) {
      return EncodeParts(rows, SplitRow(shredded), pool, pages);
    }
    pages->push_back(*std::move(page));
    return arrow::Status::OK();
  }

  arrow::Status EncodeParts(const std::shared_ptr<arrow::Array>& rows, int64_t first,
                            arrow::MemoryPool* pool, std::vector<EncodedPage>* pages) const {
    ARROW_RETURN_NOT_OK(EncodeRows(rows->Slice(0, first), pool, pages));
    return EncodeRows(rows->Slice(first), pool, pages);
  }

  /// Nothing if the page must be split.
  arrow::Result<std::optional<EncodedPage>> EncodeShredded(const ShreddedLeaf& shredded,
                                                           bool single_row,
                                                           arrow::MemoryPool* pool) const {
    if (leaf_->kind == LeafKind::kBlobV1) {
      return EncodeBlob(shredded, pool);
    }
    if (shredded.num_visible() == 0 || shredded.all_null()) {
      return Some(EncodeNulls(shredded, options_.version_minor, pool));
    }
    ARROW_ASSIGN_OR_RAISE(const auto values,
                          MakeLeafValues(shredded.leaf, shredded.valid, leaf_->kind, pool));
    const bool comparable =
        values.kind == LeafValues::Kind::kFixed || values.kind == LeafValues::Kind::kVariable;
    const bool few_levels = (shredded.rep.empty() && shredded.def.empty()) ||
                            shredded.num_entries <= kMaxConstantEntries;
    if (options_.version_minor >= 2 && comparable && few_levels) {
      if (const auto slot = SharedValue(values, shredded.valid)) {
        return Some(EncodeConstant(shredded, values, *slot, pool));
      }
    }
    if (values.kind == LeafValues::Kind::kDictionary) {
      ARROW_ASSIGN_OR_RAISE(auto page,
                            TryMiniBlock(shredded, values, values.dictionary.get(), pool));
      GLAIVE_CHECK_ARGUMENT(page.has_value() || !single_row, "column ", leaf_->name, ": a row of ",
                            shredded.num_entries, " entries does not fit a page with a dictionary");
      return page;
    }
    ARROW_ASSIGN_OR_RAISE(const auto built, ChooseDictionary(values, shredded.valid, wishes_,
                                                             options_.version_minor, pool));
    if (built.has_value()) {
      ARROW_ASSIGN_OR_RAISE(auto page, TryMiniBlock(shredded, built->indices, &built->items, pool));
      if (page.has_value() || !single_row) {
        return page;
      }
    }
    if (ChooseStructure(shredded, values, wishes_) == Structure::kFullZip) {
      return Some(EncodeFullZip(shredded, values, pool));
    }
    ARROW_ASSIGN_OR_RAISE(auto page, TryMiniBlock(shredded, values, nullptr, pool));
    if (page.has_value() || !single_row) {
      return page;
    }
    // A row cannot be split. Only the full-zip layout has no limits of its own.
    return Some(EncodeFullZip(shredded, values, pool));
  }

  static arrow::Result<std::optional<EncodedPage>> Some(arrow::Result<EncodedPage> page) {
    ARROW_RETURN_NOT_OK(page.status());
    return std::optional<EncodedPage>(*std::move(page));
  }

  /// Values as they are, or indices with their dictionary.
  arrow::Result<std::optional<EncodedPage>> TryMiniBlock(const ShreddedLeaf& shredded,
                                                         const LeafValues& values,
                                                         const LeafValues* items,
                                                         arrow::MemoryPool* pool) const {
    ByteArena arena;
    std::optional<EncodedDictionary> dictionary;
    if (items != nullptr) {
      ARROW_ASSIGN_OR_RAISE(dictionary,
                            EncodeDictionary(*items, wishes_.dictionary_compression, &arena));
    }
    for (auto limits = wishes_.FirstLimits(values, options_.version_minor);
         limits.bytes >= kSmallestChunkBytes && limits.values >= 2;
         limits.bytes /= 4, limits.values /= 4) {
      ARROW_ASSIGN_OR_RAISE(const auto chunks, EncodeMiniBlockValues(values, limits, wishes_));
      ARROW_ASSIGN_OR_RAISE(auto page,
                            EncodeMiniBlock(shredded, chunks, dictionary ? &*dictionary : nullptr,
                                            options_.version_minor, pool));
      if (page.has_value()) {
        return page;
      }
    }
    return std::nullopt;
  }

  arrow::Result<EncodedPage> EncodeFullZip(const ShreddedLeaf& shredded, const LeafValues& values,
                                           arrow::MemoryPool* pool) const {
    switch (values.kind) {
      case LeafValues::Kind::kVariable: {
        ARROW_ASSIGN_OR_RAISE(const auto coded, EncodeFullZipValues(values, wishes_));
        return EncodeFullZipVariable(shredded, coded.values, coded.encoding, pool);
      }
      case LeafValues::Kind::kPackedVariable: {
        if (options_.version_minor < 2) {
          return Unsupported("column ", leaf_->name,
                             ": a packed struct with variable members needs file version 2.2");
        }
        lance::encodings21::CompressiveEncoding encoding;
        DescribePackedVariable(values, &encoding);
        return EncodeFullZipVariable(shredded, values, encoding, pool);
      }
      default:
        return EncodeFullZipFixed(shredded, values, pool);
    }
  }

  static void DescribePackedVariable(const LeafValues& values,
                                     lance::encodings21::CompressiveEncoding* encoding) {
    auto* packed = encoding->mutable_variable_packed_struct();
    for (const auto& member : values.members) {
      auto* field = packed->add_fields();
      if (member.variable) {
        field->mutable_value()
            ->mutable_variable()
            ->mutable_offsets()
            ->mutable_flat()
            ->set_bits_per_value(member.bits);
        field->set_bits_per_length(member.bits);
      } else {
        auto* value = field->mutable_value();
        uint64_t items = 1;
        for (uint64_t dimension : member.dimensions) {
          value->mutable_fixed_size_list()->set_items_per_value(dimension);
          value = value->mutable_fixed_size_list()->mutable_values();
          items *= dimension;
        }
        value->mutable_flat()->set_bits_per_value(member.bits);
        field->set_bits_per_value(member.bits * items);
      }
    }
  }

  /// Positions and sizes as a packed mini-block page without levels; what has no payload carries
  /// its levels in the position.
  arrow::Result<std::optional<EncodedPage>> EncodeBlob(const ShreddedLeaf& shredded,
                                                       arrow::MemoryPool* pool) const {
    ARROW_ASSIGN_OR_RAISE(const auto stored,
                          MakeLeafValues(shredded.leaf, shredded.valid, leaf_->kind, pool));
    GLAIVE_CHECK_ARGUMENT(stored.kind == LeafValues::Kind::kPackedFixed && stored.bits == 128,
                          "blob column ", leaf_->name, " must hold struct<position, size>, not ",
                          shredded.leaf->type()->ToString());
    LeafValues rows;
    rows.kind = stored.kind;
    rows.bits = stored.bits;
    rows.members = stored.members;
    rows.length = shredded.num_entries;
    ARROW_ASSIGN_OR_RAISE(rows.data, arrow::AllocateBuffer(rows.length * 16, pool));
    size_t slot = 0;
    for (size_t entry = 0; entry < static_cast<size_t>(rows.length); ++entry) {
      const uint64_t def = shredded.def.empty() ? 0 : shredded.def[entry];
      const uint64_t rep = shredded.rep.empty() ? 0 : shredded.rep[entry];
      uint8_t* to = rows.data->mutable_data() + entry * 16;
      if (def == 0) {
        std::memcpy(to, stored.data->data() + slot * 16, 16);
      } else {
        StoreLe<uint64_t>(to, (def << 16) | rep);
        StoreLe<uint64_t>(to + 8, 0);
      }
      slot += def <= shredded.max_visible ? 1 : 0;
    }
    ShreddedLeaf flat;
    flat.layers = {RepDefLayer::kAllValidItem};
    flat.num_entries = rows.length;
    flat.num_rows = rows.length;
    ARROW_ASSIGN_OR_RAISE(flat.leaf, arrow::MakeArrayOfNull(arrow::null(), rows.length, pool));
    ARROW_ASSIGN_OR_RAISE(auto page, TryMiniBlock(flat, rows, nullptr, pool));
    GLAIVE_CHECK_ARGUMENT(page.has_value(), "blob column ", leaf_->name, ": page too large");
    ARROW_RETURN_NOT_OK(WrapBlob(shredded, &*page));
    return page;
  }

  static arrow::Status WrapBlob(const ShreddedLeaf& shredded, EncodedPage* page) {
    lance::encodings21::PageLayout layout;
    auto* blob = layout.mutable_blob_layout();
    if (!UnwrapLayout(page->encoding, blob->mutable_inner_layout())) {
      return InternalError("a page layout just written cannot be parsed");
    }
    AddLayers(shredded.layers, blob->mutable_layers());
    page->num_rows = static_cast<uint64_t>(shredded.num_rows);
    page->encoding = WrapLayout(layout);
    return arrow::Status::OK();
  }

  std::shared_ptr<const LeafDescriptor> leaf_;
  EncoderOptions options_;
  EncodingWishes wishes_;
};

}  // namespace

arrow::Result<std::unique_ptr<PageEncoder>> PageEncoder::Make(
    std::shared_ptr<const LeafDescriptor> leaf, const EncoderOptions& options) {
  GLAIVE_CHECK_ARGUMENT(leaf != nullptr && leaf->path_type != nullptr, "leaf without a type");
  if (options.version_minor != 1 && options.version_minor != 2) {
    return Unsupported("encoding pages of file version 2.", options.version_minor);
  }
  if (options.version_minor < 2 && HasFixedSizeListOfStruct(*leaf->path_type, leaf->kind)) {
    return Unsupported("column ", leaf->name, ": fixed_size_list of struct needs file version 2.2");
  }
  if (options.version_minor >= 2 && leaf->kind == LeafKind::kBlobV1) {
    return Unsupported("column ", leaf->name, ": blob layout in file version 2.2; use blob v2");
  }
  ARROW_ASSIGN_OR_RAISE(auto wishes, EncodingWishes::Parse(*leaf));
  return std::make_unique<Encoder>(std::move(leaf), options, std::move(wishes));
}

}  // namespace glaive::encoding
