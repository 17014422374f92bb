#include "encoding/layout.h"

#include <utility>

#include "base/limits.h"
#include "base/status.h"
#include "proto/encodings_v2_1.pb.h"
#include "proto/file.pb.h"
#include "proto/parse.h"

namespace glaive::encoding {
namespace {

namespace wire = ::lance::encodings21;

constexpr std::string_view kPageLayoutUrl = "/lance.encodings21.PageLayout";
constexpr uint32_t kMaxEncodingDepth = 16;
// No value of fixed width is wider than this many bits (a vector of 2^27 doubles).
constexpr uint64_t kMaxBitsPerValue = uint64_t{1} << 33;

class Parser {
 public:
  explicit Parser(uint16_t version_minor) : version_minor_(version_minor) {}

  arrow::Result<EncodingPtr> Parse(const wire::CompressiveEncoding& from,
                                   uint32_t depth = 0) const {
    GLAIVE_CHECK_FORMAT(depth < kMaxEncodingDepth, "encodings nested deeper than ",
                        kMaxEncodingDepth);
    auto to = std::make_shared<Encoding>();
    ARROW_RETURN_NOT_OK(Fill(from, depth, to.get()));
    return EncodingPtr(std::move(to));
  }

 private:
  arrow::Status Fill(const wire::CompressiveEncoding& from, uint32_t depth, Encoding* to) const {
    switch (from.compression_case()) {
      case wire::CompressiveEncoding::kFlat:
        to->kind = EncodingKind::kFlat;
        to->bits = from.flat().bits_per_value();
        if (from.flat().has_data()) {
          return Unsupported("flat encoding with buffer compression");
        }
        return CheckBits(to->bits);
      case wire::CompressiveEncoding::kVariable:
        return FillVariable(from.variable(), to);
      case wire::CompressiveEncoding::kOutOfLineBitpacking:
        return FillOutOfLine(from.out_of_line_bitpacking(), depth, to);
      case wire::CompressiveEncoding::kInlineBitpacking:
        to->kind = EncodingKind::kInlineBitpacking;
        to->bits = from.inline_bitpacking().uncompressed_bits_per_value();
        if (from.inline_bitpacking().has_values()) {
          return Unsupported("inline bit packing with buffer compression");
        }
        return CheckWordBits(to->bits);
      case wire::CompressiveEncoding::kFsst:
        to->kind = EncodingKind::kFsst;
        to->symbol_table = from.fsst().symbol_table();
        return FillValues(from.fsst().has_values(), from.fsst().values(), "fsst", depth, to);
      case wire::CompressiveEncoding::kRle:
        return FillRle(from.rle(), depth, to);
      case wire::CompressiveEncoding::kByteStreamSplit:
        to->kind = EncodingKind::kByteStreamSplit;
        ARROW_RETURN_NOT_OK(FillValues(from.byte_stream_split().has_values(),
                                       from.byte_stream_split().values(), "byte stream split",
                                       depth, to));
        to->bits = to->values->bits;
        GLAIVE_CHECK_FORMAT(to->values->kind == EncodingKind::kFlat && to->bits % 8 == 0,
                            "byte stream split over ", DescribeEncoding(*to->values));
        return arrow::Status::OK();
      case wire::CompressiveEncoding::kGeneral:
        return FillGeneral(from.general(), depth, to);
      case wire::CompressiveEncoding::kFixedSizeList:
        return FillFixedSizeList(from.fixed_size_list(), depth, to);
      case wire::CompressiveEncoding::kPackedStruct:
        return FillPackedStruct(from.packed_struct(), depth, to);
      case wire::CompressiveEncoding::kVariablePackedStruct:
        return FillVariablePackedStruct(from.variable_packed_struct(), depth, to);
      case wire::CompressiveEncoding::kConstant:
        if (from.constant().has_value() || depth == 0) {
          return Unsupported("encoding 'constant' with a value inside a page");
        }
        to->kind = EncodingKind::kConstant;
        return arrow::Status::OK();
      case wire::CompressiveEncoding::kDictionary:
        return Unsupported("encoding 'dictionary' inside a page");
      case wire::CompressiveEncoding::kRange:
        return Unsupported("encoding 'range' (file version 2.3)");
      case wire::CompressiveEncoding::kDelta:
        return Unsupported("encoding 'delta' (file version 2.3)");
      case wire::CompressiveEncoding::COMPRESSION_NOT_SET:
        break;
    }
    return Unsupported("an encoding that this build does not know");
  }

  static arrow::Status CheckBits(uint64_t bits) {
    GLAIVE_CHECK_FORMAT(bits > 0 && bits <= kMaxBitsPerValue, bits, " bits per value");
    return arrow::Status::OK();
  }

  static arrow::Status CheckWordBits(uint64_t bits) {
    if (bits == 128) {
      return Unsupported("bit packing of 128-bit values (file version 2.3)");
    }
    GLAIVE_CHECK_FORMAT(bits == 8 || bits == 16 || bits == 32 || bits == 64, "bit packing of ",
                        bits, "-bit values, expected 8, 16, 32 or 64");
    return arrow::Status::OK();
  }

  arrow::Status FillValues(bool present, const wire::CompressiveEncoding& values, const char* name,
                           uint32_t depth, Encoding* to) const {
    GLAIVE_CHECK_FORMAT(present, "encoding '", name, "' without its values");
    ARROW_ASSIGN_OR_RAISE(to->values, Parse(values, depth + 1));
    return arrow::Status::OK();
  }

  static arrow::Status FillVariable(const wire::Variable& from, Encoding* to) {
    to->kind = EncodingKind::kVariable;
    if (from.has_values()) {
      return Unsupported("variable encoding with buffer compression");
    }
    GLAIVE_CHECK_FORMAT(from.offsets().has_flat(), "variable encoding without flat offsets");
    to->bits = from.offsets().flat().bits_per_value();
    GLAIVE_CHECK_FORMAT(to->bits == 32 || to->bits == 64, "offsets of ", to->bits,
                        " bits, expected 32 or 64");
    return arrow::Status::OK();
  }

  arrow::Status FillOutOfLine(const wire::OutOfLineBitpacking& from, uint32_t depth,
                              Encoding* to) const {
    to->kind = EncodingKind::kOutOfLineBitpacking;
    to->bits = from.uncompressed_bits_per_value();
    ARROW_RETURN_NOT_OK(CheckWordBits(to->bits));
    // A width of 0 bits is legal here and nowhere else.
    GLAIVE_CHECK_FORMAT(from.values().has_flat(), "out-of-line bit packing without a flat width");
    auto packed = std::make_shared<Encoding>();
    packed->bits = from.values().flat().bits_per_value();
    GLAIVE_CHECK_FORMAT(packed->bits <= to->bits, "bit packing of ", to->bits, "-bit values to ",
                        packed->bits, " bits");
    to->values = std::move(packed);
    return arrow::Status::OK();
  }

  arrow::Status FillRle(const wire::Rle& from, uint32_t depth, Encoding* to) const {
    to->kind = EncodingKind::kRle;
    ARROW_RETURN_NOT_OK(FillValues(from.has_values(), from.values(), "rle", depth, to));
    GLAIVE_CHECK_FORMAT(from.has_run_lengths(), "rle without run lengths");
    ARROW_ASSIGN_OR_RAISE(to->run_lengths, Parse(from.run_lengths(), depth + 1));
    to->bits = UncompressedBits(*to->values);
    const uint64_t length_bits = UncompressedBits(*to->run_lengths);
    GLAIVE_CHECK_FORMAT(to->bits == 8 || to->bits == 16 || to->bits == 32 || to->bits == 64,
                        "rle over ", DescribeEncoding(*to->values));
    GLAIVE_CHECK_FORMAT(length_bits == 8 || length_bits == 16 || length_bits == 32,
                        "rle lengths as ", DescribeEncoding(*to->run_lengths));
    if (version_minor_ < 3) {
      GLAIVE_CHECK_FORMAT(to->values->kind == EncodingKind::kFlat &&
                              to->run_lengths->kind == EncodingKind::kFlat && length_bits == 8,
                          "found ", DescribeEncoding(*to),
                          ", expected flat values and 8-bit lengths before version 2.3");
    }
    return arrow::Status::OK();
  }

  // Width of the values that a child of rle stands for, 0 if it can't be one.
  static uint64_t UncompressedBits(const Encoding& encoding) {
    switch (encoding.kind) {
      case EncodingKind::kFlat:
      case EncodingKind::kOutOfLineBitpacking:
        return encoding.bits;
      case EncodingKind::kGeneral:
        return UncompressedBits(*encoding.values);
      default:
        return 0;
    }
  }

  arrow::Status FillGeneral(const wire::General& from, uint32_t depth, Encoding* to) const {
    to->kind = EncodingKind::kGeneral;
    switch (from.compression().scheme()) {
      case wire::COMPRESSION_ALGORITHM_LZ4:
        to->scheme = GeneralScheme::kLz4;
        break;
      case wire::COMPRESSION_ALGORITHM_ZSTD:
        to->scheme = GeneralScheme::kZstd;
        break;
      default:
        return Unsupported("general compression scheme ",
                           static_cast<int>(from.compression().scheme()));
    }
    return FillValues(from.has_values(), from.values(), "general", depth, to);
  }

  arrow::Status FillFixedSizeList(const wire::FixedSizeList& from, uint32_t depth,
                                  Encoding* to) const {
    to->kind = EncodingKind::kFixedSizeList;
    to->items_per_value = from.items_per_value();
    to->has_validity = from.has_validity();
    GLAIVE_CHECK_FORMAT(to->items_per_value <= INT32_MAX, "fixed-size list of ",
                        to->items_per_value, " items");
    ARROW_RETURN_NOT_OK(FillValues(from.has_values(), from.values(), "fixed-size list", depth, to));
    GLAIVE_CHECK_FORMAT(to->values->kind == EncodingKind::kFlat ||
                            to->values->kind == EncodingKind::kFixedSizeList ||
                            to->values->kind == EncodingKind::kConstant,
                        "fixed-size list over ", DescribeEncoding(*to->values));
    return arrow::Status::OK();
  }

  arrow::Status FillPackedStruct(const wire::PackedStruct& from, uint32_t depth,
                                 Encoding* to) const {
    to->kind = EncodingKind::kPackedStruct;
    uint64_t sum = 0;
    for (const uint64_t bits : from.bits_per_value()) {
      ARROW_RETURN_NOT_OK(CheckBits(bits));
      sum += bits;
      to->field_bits.push_back(bits);
    }
    to->bits = sum;
    ARROW_RETURN_NOT_OK(CheckBits(sum));
    ARROW_RETURN_NOT_OK(FillValues(from.has_values(), from.values(), "packed struct", depth, to));
    GLAIVE_CHECK_FORMAT(to->values->kind == EncodingKind::kFlat && to->values->bits == sum,
                        "packed struct of ", sum, " bits over ", DescribeEncoding(*to->values));
    return arrow::Status::OK();
  }

  arrow::Status FillVariablePackedStruct(const wire::VariablePackedStruct& from, uint32_t depth,
                                         Encoding* to) const {
    to->kind = EncodingKind::kVariablePackedStruct;
    for (const auto& field : from.fields()) {
      PackedField parsed;
      GLAIVE_CHECK_FORMAT(field.has_value(), "packed struct field without an encoding");
      ARROW_ASSIGN_OR_RAISE(parsed.value, Parse(field.value(), depth + 1));
      parsed.is_variable =
          field.layout_case() == wire::VariablePackedStruct::FieldEncoding::kBitsPerLength;
      const uint64_t bits = parsed.is_variable ? field.bits_per_length() : field.bits_per_value();
      ARROW_RETURN_NOT_OK(CheckBits(bits));
      GLAIVE_CHECK_FORMAT(bits % 8 == 0 && bits <= UINT32_MAX, "packed struct field of ", bits,
                          " bits");
      GLAIVE_CHECK_FORMAT(!parsed.is_variable || bits == 32 || bits == 64,
                          "packed struct length of ", bits, " bits, expected 32 or 64");
      parsed.bits = static_cast<uint32_t>(bits);
      to->fields.push_back(std::move(parsed));
    }
    return arrow::Status::OK();
  }

  const uint16_t version_minor_;
};

template <typename Layers>
arrow::Status FillLayers(const Layers& from, Layout* to) {
  GLAIVE_CHECK_FORMAT(!from.empty(), "page layout without layers");
  GLAIVE_CHECK_FORMAT(from.size() <= static_cast<int>(kMaxNesting), "page layout with ",
                      from.size(), " layers, the limit is ", kMaxNesting);
  for (const int layer : from) {
    GLAIVE_CHECK_FORMAT(layer >= 1 && layer <= 6, "unknown layer kind ", layer);
    to->layers.push_back(static_cast<LayerKind>(layer));
  }
  return arrow::Status::OK();
}

arrow::Status FillMiniBlock(const wire::MiniBlockLayout& from, const Parser& parser,
                            uint16_t version_minor, Layout* to) {
  to->kind = LayoutKind::kMiniBlock;
  ARROW_RETURN_NOT_OK(FillLayers(from.layers(), to));
  GLAIVE_CHECK_FORMAT(from.has_value_compression(), "mini-block layout without value encoding");
  ARROW_ASSIGN_OR_RAISE(to->value, parser.Parse(from.value_compression()));
  if (from.has_rep_compression()) {
    ARROW_ASSIGN_OR_RAISE(to->rep, parser.Parse(from.rep_compression()));
  }
  if (from.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(to->def, parser.Parse(from.def_compression()));
  }
  if (from.has_dictionary()) {
    ARROW_ASSIGN_OR_RAISE(to->dictionary, parser.Parse(from.dictionary()));
  }
  to->num_dictionary_items = from.num_dictionary_items();
  to->num_buffers = from.num_buffers();
  to->repetition_index_depth = from.repetition_index_depth();
  to->num_items = from.num_items();
  to->large_chunks = from.has_large_chunk();
  GLAIVE_CHECK_FORMAT(to->num_buffers >= 1 && to->num_buffers <= 2 * kMaxNesting,
                      "mini-block layout with ", to->num_buffers, " value buffers");
  GLAIVE_CHECK_FORMAT(to->large_chunks == (version_minor >= 2), "mini-block layout with ",
                      to->large_chunks ? "32" : "16", "-bit chunk words in version 2.",
                      version_minor);
  if (to->repetition_index_depth > 1) {
    return Unsupported("mini-block repetition index of depth ", to->repetition_index_depth);
  }
  return arrow::Status::OK();
}

arrow::Status FillFullZip(const wire::FullZipLayout& from, const Parser& parser, Layout* to) {
  to->kind = LayoutKind::kFullZip;
  ARROW_RETURN_NOT_OK(FillLayers(from.layers(), to));
  GLAIVE_CHECK_FORMAT(from.has_value_compression(), "full-zip layout without value encoding");
  ARROW_ASSIGN_OR_RAISE(to->value, parser.Parse(from.value_compression()));
  to->bits_rep = from.bits_rep();
  to->bits_def = from.bits_def();
  GLAIVE_CHECK_FORMAT(to->bits_rep <= 16 && to->bits_def <= 16, "full-zip layout with ",
                      to->bits_rep, " bits of repetition and ", to->bits_def, " of definition");
  to->is_variable = from.details_case() == wire::FullZipLayout::kBitsPerOffset;
  to->bits = to->is_variable ? from.bits_per_offset() : from.bits_per_value();
  if (to->is_variable) {
    GLAIVE_CHECK_FORMAT(to->bits == 32 || to->bits == 64, "full-zip lengths of ", to->bits,
                        " bits");
  } else {
    GLAIVE_CHECK_FORMAT(to->bits % 8 == 0, "full-zip values of ", to->bits, " bits");
  }
  to->num_items = from.num_items();
  to->num_visible_items = from.num_visible_items();
  return arrow::Status::OK();
}

arrow::Status FillConstant(const wire::ConstantLayout& from, const Parser& parser,
                           uint16_t version_minor, Layout* to) {
  to->kind = LayoutKind::kConstant;
  ARROW_RETURN_NOT_OK(FillLayers(from.layers(), to));
  to->has_inline_value = from.has_inline_value();
  to->inline_value = from.inline_value();
  if (from.has_rep_compression()) {
    ARROW_ASSIGN_OR_RAISE(to->rep, parser.Parse(from.rep_compression()));
  }
  if (from.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(to->def, parser.Parse(from.def_compression()));
  }
  to->num_rep_values = from.num_rep_values();
  to->num_def_values = from.num_def_values();
  GLAIVE_CHECK_FORMAT(version_minor >= 2 || (!to->has_inline_value && !to->rep && !to->def),
                      "constant layout with a value or encoded levels in version 2.",
                      version_minor);
  return arrow::Status::OK();
}

arrow::Status FillLayout(const wire::PageLayout& from, uint16_t version_minor, uint32_t depth,
                         Layout* to) {
  const Parser parser(version_minor);
  switch (from.layout_case()) {
    case wire::PageLayout::kMiniBlockLayout:
      return FillMiniBlock(from.mini_block_layout(), parser, version_minor, to);
    case wire::PageLayout::kFullZipLayout:
      return FillFullZip(from.full_zip_layout(), parser, to);
    case wire::PageLayout::kConstantLayout:
      return FillConstant(from.constant_layout(), parser, version_minor, to);
    case wire::PageLayout::kBlobLayout: {
      GLAIVE_CHECK_FORMAT(depth == 0, "blob layout inside a blob layout");
      GLAIVE_CHECK_FORMAT(from.blob_layout().has_inner_layout(),
                          "blob layout without inner layout");
      to->kind = LayoutKind::kBlob;
      ARROW_RETURN_NOT_OK(FillLayers(from.blob_layout().layers(), to));
      auto inner = std::make_shared<Layout>();
      ARROW_RETURN_NOT_OK(
          FillLayout(from.blob_layout().inner_layout(), version_minor, depth + 1, inner.get()));
      to->inner = std::move(inner);
      return arrow::Status::OK();
    }
    case wire::PageLayout::kSparseLayout:
      return Unsupported("page layout 'sparse' (file version 2.3)");
    case wire::PageLayout::LAYOUT_NOT_SET:
      break;
  }
  return Unsupported("a page layout that this build does not know");
}

}  // namespace

std::string DescribeEncoding(const Encoding& encoding) {
  switch (encoding.kind) {
    case EncodingKind::kFlat:
      return Concat("flat", encoding.bits);
    case EncodingKind::kVariable:
      return Concat("var", encoding.bits);
    case EncodingKind::kOutOfLineBitpacking:
      return Concat("oob", encoding.bits, "to", encoding.values->bits);
    case EncodingKind::kInlineBitpacking:
      return Concat("ib", encoding.bits);
    case EncodingKind::kFsst:
      return Concat("fsst(", DescribeEncoding(*encoding.values), ")");
    case EncodingKind::kRle:
      return Concat("rle(", DescribeEncoding(*encoding.values), ", ",
                    DescribeEncoding(*encoding.run_lengths), ")");
    case EncodingKind::kByteStreamSplit:
      return Concat("bss(", DescribeEncoding(*encoding.values), ")");
    case EncodingKind::kGeneral:
      return Concat(encoding.scheme == GeneralScheme::kLz4 ? "lz4(" : "zstd(",
                    DescribeEncoding(*encoding.values), ")");
    case EncodingKind::kFixedSizeList:
      return Concat("fsl", encoding.items_per_value, encoding.has_validity ? "?" : "", "(",
                    DescribeEncoding(*encoding.values), ")");
    case EncodingKind::kConstant:
      return "constant";
    case EncodingKind::kPackedStruct:
    case EncodingKind::kVariablePackedStruct: {
      std::string text = "packed[";
      for (const uint64_t bits : encoding.field_bits) {
        text += Concat(text.back() == '[' ? "" : ", ", bits);
      }
      for (const auto& field : encoding.fields) {
        text += Concat(text.back() == '[' ? "" : ", ", DescribeEncoding(*field.value));
      }
      return text + "]";
    }
  }
  return "?";
}

arrow::Result<std::shared_ptr<const Layout>> ParseLayout(std::string_view encoding,
                                                         uint16_t version_minor) {
  ::lance::file::Any any;
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(encoding, &any), "page encoding of ", encoding.size(),
                      " bytes is not a message");
  if (any.type_url() != kPageLayoutUrl) {
    return Unsupported("page encoding of type '", any.type_url(), "', expected '", kPageLayoutUrl,
                       "'");
  }
  wire::PageLayout page;
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(any.value(), &page), "page layout is not a message");
  auto layout = std::make_shared<Layout>();
  ARROW_RETURN_NOT_OK(FillLayout(page, version_minor, 0, layout.get()));
  return std::shared_ptr<const Layout>(std::move(layout));
}

}  // namespace glaive::encoding
