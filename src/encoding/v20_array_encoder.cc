#include "encoding/v20_array_encoder.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "encoding/v20_compression.h"
#include "proto/encodings_v2_0.pb.h"
#include "proto/file.pb.h"

namespace glaive::encoding {
namespace {

namespace pb = lance::encodings;
using arrow::Array;
using arrow::Buffer;
using arrow::DataType;
using arrow::MemoryPool;
using arrow::Result;
using arrow::Status;
using arrow::Type;

using ArrayPtr = std::shared_ptr<Array>;
using BufferPtr = std::shared_ptr<Buffer>;

/// A string column becomes a dictionary if a page has at least so many rows and fewer distinct
/// values.
constexpr int64_t kMinDictionaryRows = 100;
constexpr size_t kMaxDictionaryItems = 100;

std::string SerializeAny(std::string_view type_url, std::string value) {
  lance::file::Any any;
  any.set_type_url(std::string(type_url));
  any.set_value(std::move(value));
  return any.SerializeAsString();
}

std::string Serialize(const pb::ArrayEncoding& encoding) {
  return SerializeAny("/lance.encodings.ArrayEncoding", encoding.SerializeAsString());
}

/// Compression of the bytes of strings, as the field's metadata asks.
struct Compression {
  GeneralScheme scheme;
  std::string name;
  std::optional<int> level;
};

std::optional<Compression> CompressionOf(const std::map<std::string, std::string>& metadata) {
  const auto it = metadata.find("lance-encoding:compression");
  if (it == metadata.end() || (it->second != "lz4" && it->second != "zstd")) {
    return std::nullopt;
  }
  Compression out{it->second == "lz4" ? GeneralScheme::kLz4 : GeneralScheme::kZstd, it->second, {}};
  if (const auto level = metadata.find("lance-encoding:compression-level");
      level != metadata.end()) {
    int value = 0;
    const char* end = level->second.data() + level->second.size();
    if (std::from_chars(level->second.data(), end, value).ptr == end) {
      out.level = value;
    }
  }
  return out;
}

bool IsLarge(const DataType& type) {
  return type.id() == Type::LARGE_STRING || type.id() == Type::LARGE_BINARY;
}

bool IsVariable(const DataType& type) {
  return IsLarge(type) || type.id() == Type::STRING || type.id() == Type::BINARY;
}

bool IsFixedWidth(const DataType& type) {
  return type.id() != Type::DICTIONARY && type.id() != Type::NA && type.id() != Type::EXTENSION &&
         type.num_fields() == 0 && type.bit_width() > 0;
}

/// kUnsupported unless a leaf of this type can be written.
Status CheckType(const DataType& type, const std::string& name) {
  if (type.id() == Type::NA || IsFixedWidth(type) || IsVariable(type)) {
    return Status::OK();
  }
  if (type.id() == Type::DICTIONARY) {
    return CheckType(*static_cast<const arrow::DictionaryType&>(type).value_type(), name);
  }
  if (type.id() == Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    const auto& item = *list.value_type();
    if (list.list_size() > 0 && (IsFixedWidth(item) || item.id() == Type::FIXED_SIZE_LIST)) {
      return CheckType(item, name);
    }
  }
  return Unsupported("column ", name, ": type ", type.ToString(),
                     " cannot be written to a data file of version 2.0; use version 2.1 or later");
}

Status CheckPackedType(const DataType& type, const std::string& name) {
  for (const auto& field : type.fields()) {
    const DataType* item = field->type().get();
    while (item->id() == Type::FIXED_SIZE_LIST) {
      item = static_cast<const arrow::FixedSizeListType&>(*item).value_type().get();
    }
    if (!IsFixedWidth(*item) || item->bit_width() % 8 != 0) {
      return Unsupported("column ", name, ": member ", field->name(), " of type ",
                         field->type()->ToString(),
                         " cannot be packed in a data file of version 2.0");
    }
  }
  if (type.num_fields() == 0) {
    return Unsupported("column ", name, ": a packed struct without members");
  }
  return Status::OK();
}

/// The key that stands for null: that of a null item, or the one behind the last item; nothing if
/// the key type has none left.
std::optional<uint64_t> NullKey(const arrow::DictionaryArray& array) {
  const Array& items = *array.dictionary();
  const auto length = static_cast<uint64_t>(items.length());
  if (items.null_count() > 0) {
    for (int64_t i = 0; i < items.length(); ++i) {
      if (items.IsNull(i)) {
        return static_cast<uint64_t>(i);
      }
    }
  }
  const auto& type = static_cast<const arrow::DictionaryType&>(*array.type());
  const int bits = type.bit_width() - (arrow::is_signed_integer(type.index_type()->id()) ? 1 : 0);
  const uint64_t most = ~uint64_t{0} >> (64 - bits);
  return length <= most && length < uint64_t{1} << 32 ? std::optional(length) : std::nullopt;
}

/// Encodes one array: collects the page's buffers while it builds the encoding's message.
class ArrayEncoder {
 public:
  ArrayEncoder(const LeafDescriptor& leaf, MemoryPool* pool) : leaf_(leaf), pool_(pool) {}

  Result<pb::ArrayEncoding> Encode(const Array& array) {
    switch (array.type_id()) {
      case Type::NA:
        return AllNulls();
      case Type::EXTENSION:
        return Encode(*static_cast<const arrow::ExtensionArray&>(array).storage());
      case Type::DICTIONARY:
        return EncodeArrowDictionary(static_cast<const arrow::DictionaryArray&>(array));
      case Type::FIXED_SIZE_LIST:
        return EncodeFixedSizeList(static_cast<const arrow::FixedSizeListArray&>(array));
      case Type::STRUCT:
        return EncodePackedStruct(static_cast<const arrow::StructArray&>(array));
      case Type::STRING: {
        if (array.length() >= kMinDictionaryRows) {
          ARROW_ASSIGN_OR_RAISE(auto encoded,
                                TryHiddenDictionary(static_cast<const arrow::StringArray&>(array)));
          if (encoded.has_value()) {
            return *std::move(encoded);
          }
        }
        return EncodeBinary<arrow::BinaryType>(array);
      }
      case Type::BINARY:
        return EncodeBinary<arrow::BinaryType>(array);
      case Type::LARGE_STRING:
      case Type::LARGE_BINARY:
        return EncodeBinary<arrow::LargeBinaryType>(array);
      default:
        return EncodeFixedWidth(array);
    }
  }

  Result<pb::ArrayEncoding> EncodeBlobDescriptors(const arrow::StructArray& array) {
    const uint64_t rows = static_cast<uint64_t>(array.length());
    ARROW_ASSIGN_OR_RAISE(auto buffer,
                          arrow::AllocateBuffer(static_cast<int64_t>(rows * 16), pool_));
    const auto position = array.field(0);
    const auto size = array.field(1);
    for (int64_t row = 0; row < array.length(); ++row) {
      uint8_t* at = buffer->mutable_data() + row * 16;
      const bool null = array.IsNull(row);
      StoreLe(at,
              null ? uint64_t{1} : static_cast<const arrow::UInt64Array&>(*position).Value(row));
      StoreLe(at + 8,
              null ? uint64_t{0} : static_cast<const arrow::UInt64Array&>(*size).Value(row));
    }
    pb::ArrayEncoding encoding;
    for (int i = 0; i < 2; ++i) {
      auto* flat =
          encoding.mutable_packed_struct()->add_inner()->mutable_nullable()->mutable_no_nulls();
      SetFlat(64, 0, flat->mutable_values());
    }
    encoding.mutable_packed_struct()->mutable_buffer();
    buffers_.push_back(std::move(buffer));
    return encoding;
  }

  Buffers TakeBuffers() { return std::move(buffers_); }

 private:
  static pb::ArrayEncoding AllNulls() {
    pb::ArrayEncoding encoding;
    encoding.mutable_nullable()->mutable_all_nulls();
    return encoding;
  }

  static void SetFlat(uint64_t bits, size_t buffer, pb::ArrayEncoding* encoding) {
    auto* flat = encoding->mutable_flat();
    flat->set_bits_per_value(bits);
    flat->mutable_buffer()->set_buffer_index(static_cast<uint32_t>(buffer));
  }

  /// Adds a buffer of values and returns its encoding.
  pb::ArrayEncoding AddFlat(uint64_t bits, BufferPtr values) {
    pb::ArrayEncoding encoding;
    SetFlat(bits, buffers_.size(), &encoding);
    buffers_.push_back(std::move(values));
    return encoding;
  }

  static pb::ArrayEncoding NoNulls(pb::ArrayEncoding values) {
    pb::ArrayEncoding encoding;
    *encoding.mutable_nullable()->mutable_no_nulls()->mutable_values() = std::move(values);
    return encoding;
  }

  /// The bits [offset, offset + length) from bit 0 on, zeros behind them.
  Result<BufferPtr> CopyBits(const Buffer& bits, int64_t offset, int64_t length) {
    ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateEmptyBitmap(length, pool_));
    arrow::internal::CopyBitmap(bits.data(), offset, length, out->mutable_data(), 0);
    return arrow::SliceBuffer(std::move(out), 0, (length + 7) / 8);
  }

  /// Validity (if there are nulls) and then values, for arrays whose values have a place under
  /// nulls.
  template <typename EncodeValues>
  Result<pb::ArrayEncoding> WithValidity(const Array& array, EncodeValues&& encode_values) {
    if (array.null_count() == array.length()) {
      return AllNulls();
    }
    if (array.null_count() == 0) {
      ARROW_ASSIGN_OR_RAISE(auto values, encode_values());
      return NoNulls(std::move(values));
    }
    pb::ArrayEncoding encoding;
    auto* some = encoding.mutable_nullable()->mutable_some_nulls();
    ARROW_ASSIGN_OR_RAISE(auto validity,
                          CopyBits(*array.null_bitmap(), array.offset(), array.length()));
    *some->mutable_validity() = AddFlat(1, std::move(validity));
    ARROW_ASSIGN_OR_RAISE(*some->mutable_values(), encode_values());
    return encoding;
  }

  /// The values of a fixed width array, null slots included.
  Result<BufferPtr> FixedValues(const Array& array) {
    const auto& data = *array.data();
    const auto bits = static_cast<int64_t>(array.type()->bit_width());
    if (array.length() == 0 || data.buffers[1] == nullptr) {
      return std::make_shared<Buffer>(nullptr, 0);
    }
    if (bits % 8 != 0) {
      return CopyBits(*data.buffers[1], data.offset * bits, data.length * bits);
    }
    return arrow::SliceBuffer(data.buffers[1], data.offset * bits / 8, data.length * bits / 8);
  }

  Result<pb::ArrayEncoding> EncodeFixedWidth(const Array& array) {
    if (!IsFixedWidth(*array.type())) {
      return Unsupported("column ", leaf_.name, ": type ", array.type()->ToString(),
                         " cannot be written to a data file of version 2.0");
    }
    return WithValidity(array, [&]() -> Result<pb::ArrayEncoding> {
      ARROW_ASSIGN_OR_RAISE(auto values, FixedValues(array));
      return AddFlat(static_cast<uint64_t>(array.type()->bit_width()), std::move(values));
    });
  }

  Result<pb::ArrayEncoding> EncodeFixedSizeList(const arrow::FixedSizeListArray& array) {
    return WithValidity(array, [&]() -> Result<pb::ArrayEncoding> {
      const int64_t dimension = array.list_type()->list_size();
      pb::ArrayEncoding encoding;
      auto* list = encoding.mutable_fixed_size_list();
      list->set_dimension(static_cast<uint32_t>(dimension));
      const auto items =
          array.values()->Slice(array.offset() * dimension, array.length() * dimension);
      ARROW_ASSIGN_OR_RAISE(*list->mutable_items(), Encode(*items));
      return encoding;
    });
  }

  // ---- Strings

  template <typename ArrowType>
  Result<pb::ArrayEncoding> EncodeBinary(const Array& array) {
    using offset_type = typename ArrowType::offset_type;
    const auto& data = *array.data();
    const auto rows = static_cast<size_t>(array.length());
    std::vector<std::string_view> pieces;  // runs of bytes that belong to valid rows
    ARROW_ASSIGN_OR_RAISE(
        auto indices, arrow::AllocateBuffer(static_cast<int64_t>(rows * sizeof(uint64_t)), pool_));
    const offset_type* offsets = rows == 0 ? nullptr : data.GetValues<offset_type>(1);
    const char* bytes =
        data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
    uint64_t total = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (array.IsValid(static_cast<int64_t>(row))) {
        const std::string_view value(bytes + offsets[row],
                                     static_cast<size_t>(offsets[row + 1] - offsets[row]));
        total += value.size();
        AddPiece(value, &pieces);
      }
      StoreLe(indices->mutable_data() + row * sizeof(uint64_t), total);
    }
    MarkNulls(array, total + 1, indices->mutable_data());
    pb::ArrayEncoding encoding;
    auto* binary = encoding.mutable_binary();
    *binary->mutable_indices() = NoNulls(AddFlat(64, std::move(indices)));
    ARROW_ASSIGN_OR_RAISE(auto joined, Join(pieces, total, data.buffers[2]));
    ARROW_ASSIGN_OR_RAISE(*binary->mutable_bytes(), AddBytes(std::move(joined)));
    binary->set_null_adjustment(total + 1);
    return encoding;
  }

  static void AddPiece(std::string_view value, std::vector<std::string_view>* pieces) {
    if (value.empty()) {
      return;
    }
    if (!pieces->empty() && pieces->back().data() + pieces->back().size() == value.data()) {
      pieces->back() = {pieces->back().data(), pieces->back().size() + value.size()};
    } else {
      pieces->push_back(value);
    }
  }

  static void MarkNulls(const Array& array, uint64_t adjustment, uint8_t* indices) {
    if (array.null_count() == 0) {
      return;
    }
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        uint8_t* at = indices + static_cast<size_t>(row) * sizeof(uint64_t);
        StoreLe(at, LoadLe<uint64_t>(at) + adjustment);
      }
    }
  }

  /// One piece stays where it is; more are copied together.
  Result<BufferPtr> Join(const std::vector<std::string_view>& pieces, uint64_t total,
                         const BufferPtr& source) {
    if (pieces.empty()) {
      return std::make_shared<Buffer>(nullptr, 0);
    }
    if (pieces.size() == 1) {
      const auto* start = reinterpret_cast<const uint8_t*>(pieces[0].data());
      return arrow::SliceBuffer(source, start - source->data(),
                                static_cast<int64_t>(pieces[0].size()));
    }
    ARROW_ASSIGN_OR_RAISE(auto out, arrow::AllocateBuffer(static_cast<int64_t>(total), pool_));
    uint8_t* at = out->mutable_data();
    for (const auto& piece : pieces) {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
    }
    return BufferPtr(std::move(out));
  }

  /// Bytes of strings, compressed if the field asks for it.
  Result<pb::ArrayEncoding> AddBytes(BufferPtr bytes) {
    const auto compression = CompressionOf(leaf_.leaf_metadata);
    if (!compression.has_value() || bytes->size() == 0) {
      return AddFlat(8, std::move(bytes));
    }
    ARROW_ASSIGN_OR_RAISE(auto packed,
                          v20::Compress(compression->scheme, compression->level, *bytes, pool_));
    auto encoding = AddFlat(8, std::move(packed));
    encoding.mutable_flat()->mutable_compression()->set_scheme(compression->name);
    if (compression->level.has_value()) {
      encoding.mutable_flat()->mutable_compression()->set_level(*compression->level);
    }
    return encoding;
  }

  // ---- Dictionaries

  /// u8 indices from 1 into the distinct values, 0 for null; nothing if there are too many of them.
  Result<std::optional<pb::ArrayEncoding>> TryHiddenDictionary(const arrow::StringArray& array) {
    std::unordered_map<std::string_view, uint8_t> index_of;
    arrow::StringBuilder items(pool_);
    ARROW_ASSIGN_OR_RAISE(auto indices, arrow::AllocateBuffer(array.length(), pool_));
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        indices->mutable_data()[row] = 0;
        continue;
      }
      const auto next = static_cast<uint8_t>(index_of.size() + 1);
      const auto [it, is_new] = index_of.emplace(array.GetView(row), next);
      if (is_new) {
        if (index_of.size() >= kMaxDictionaryItems) {
          return std::nullopt;
        }
        ARROW_RETURN_NOT_OK(items.Append(it->first));
      }
      indices->mutable_data()[row] = it->second;
    }
    if (index_of.empty()) {
      ARROW_RETURN_NOT_OK(items.Append(""));  // a dictionary has at least one item
    }
    ARROW_ASSIGN_OR_RAISE(const auto distinct, items.Finish());
    return EncodeDictionary(8, std::move(indices), *distinct);
  }

  Result<pb::ArrayEncoding> EncodeDictionary(uint64_t bits, BufferPtr indices, const Array& items) {
    pb::ArrayEncoding encoding;
    auto* dictionary = encoding.mutable_dictionary();
    *dictionary->mutable_indices() = NoNulls(AddFlat(bits, std::move(indices)));
    ARROW_ASSIGN_OR_RAISE(*dictionary->mutable_items(), items.type_id() == Type::STRING
                                                            ? EncodeBinary<arrow::BinaryType>(items)
                                                            : Encode(items));
    dictionary->set_num_dictionary_items(static_cast<uint32_t>(items.length()));
    return encoding;
  }

  /// Nulls become an item of the dictionary that is null itself.
  Result<pb::ArrayEncoding> EncodeArrowDictionary(const arrow::DictionaryArray& array) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*array.type());
    const auto bits = static_cast<uint64_t>(type.bit_width());
    ArrayPtr items = array.dictionary();
    const auto& indices = *array.indices();
    if (indices.null_count() == 0 && items->length() > 0) {
      ARROW_ASSIGN_OR_RAISE(auto values, FixedValues(indices));
      return EncodeDictionary(bits, std::move(values), *items);
    }
    const auto null_key = NullKey(array);
    if (!null_key.has_value()) {
      return Unsupported("column ", leaf_.name, ": a dictionary of ", items->length(),
                         " items leaves no key of type ", type.index_type()->ToString(),
                         " for nulls, which data file version 2.0 needs (write version 2.1 or "
                         "later, or a wider key type)");
    }
    const uint64_t null_item = *null_key;
    if (null_item == static_cast<uint64_t>(items->length())) {
      ARROW_ASSIGN_OR_RAISE(const auto null, arrow::MakeArrayOfNull(type.value_type(), 1, pool_));
      ARROW_ASSIGN_OR_RAISE(items, arrow::Concatenate({items, null}, pool_));
    }
    ARROW_ASSIGN_OR_RAISE(auto values, FixedValues(indices));
    ARROW_ASSIGN_OR_RAISE(auto keys, values->CopySlice(0, values->size(), pool_));
    for (int64_t row = 0; row < indices.length(); ++row) {
      if (indices.IsNull(row)) {
        std::memcpy(keys->mutable_data() + static_cast<uint64_t>(row) * bits / 8, &null_item,
                    bits / 8);
      }
    }
    return EncodeDictionary(bits, std::move(keys), *items);
  }

  // ---- Packed structs

  Status CheckNoNulls(const Array& array) const {
    if (array.null_count() > 0) {
      return Unsupported(
          "column ", leaf_.name,
          ": nulls in a packed struct cannot be written to a data file of version 2.0");
    }
    return Status::OK();
  }

  /// The bytes of a member's values, `width` each, and its encoding.
  Result<BufferPtr> PackedMember(const Array& array, uint64_t* width, pb::ArrayEncoding* encoding) {
    ARROW_RETURN_NOT_OK(CheckNoNulls(array));
    auto* values = encoding->mutable_nullable()->mutable_no_nulls()->mutable_values();
    if (array.type_id() == Type::FIXED_SIZE_LIST) {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      const int64_t dimension = list.list_type()->list_size();
      values->mutable_fixed_size_list()->set_dimension(static_cast<uint32_t>(dimension));
      const auto items = list.values()->Slice(list.offset() * dimension, list.length() * dimension);
      ARROW_ASSIGN_OR_RAISE(
          auto bytes,
          PackedMember(*items, width, values->mutable_fixed_size_list()->mutable_items()));
      *width *= static_cast<uint64_t>(dimension);
      return bytes;
    }
    SetFlat(static_cast<uint64_t>(array.type()->bit_width()), 0, values);
    *width = static_cast<uint64_t>(array.type()->bit_width()) / 8;
    return FixedValues(array);
  }

  Result<pb::ArrayEncoding> EncodePackedStruct(const arrow::StructArray& array) {
    ARROW_RETURN_NOT_OK(CheckNoNulls(array));
    pb::ArrayEncoding encoding;
    auto* packed = encoding.mutable_packed_struct();
    std::vector<BufferPtr> members;
    std::vector<uint64_t> widths;
    uint64_t stride = 0;
    for (int i = 0; i < array.num_fields(); ++i) {
      uint64_t width = 0;
      ARROW_ASSIGN_OR_RAISE(auto member,
                            PackedMember(*array.field(i), &width, packed->add_inner()));
      members.push_back(std::move(member));
      widths.push_back(width);
      stride += width;
    }
    packed->mutable_buffer()->set_buffer_index(static_cast<uint32_t>(buffers_.size()));
    const auto rows = static_cast<uint64_t>(array.length());
    ARROW_ASSIGN_OR_RAISE(auto out,
                          arrow::AllocateBuffer(static_cast<int64_t>(rows * stride), pool_));
    uint64_t at = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      for (uint64_t row = 0; row < rows; ++row) {
        std::memcpy(out->mutable_data() + row * stride + at, members[i]->data() + row * widths[i],
                    widths[i]);
      }
      at += widths[i];
    }
    buffers_.push_back(std::move(out));
    return encoding;
  }

  const LeafDescriptor& leaf_;
  MemoryPool* pool_;
  Buffers buffers_;
};

class LeafEncoder final : public PageEncoder {
 public:
  explicit LeafEncoder(std::shared_ptr<const LeafDescriptor> leaf) : leaf_(std::move(leaf)) {}

  Result<std::vector<EncodedPage>> Encode(const arrow::ArrayVector& chunks,
                                          MemoryPool* pool) const override {
    pool = pool == nullptr ? arrow::default_memory_pool() : pool;
    for (const auto& chunk : chunks) {
      if (!chunk->type()->Equals(*leaf_->path_type)) {
        return TypeMismatch("column ", leaf_->name, ": values of type ", chunk->type()->ToString(),
                            ", expected ", leaf_->path_type->ToString());
      }
    }
    std::vector<EncodedPage> pages;
    if (chunks.empty()) {
      ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::MakeEmptyArray(leaf_->path_type, pool));
      ARROW_ASSIGN_OR_RAISE(auto page, EncodeOne(*empty, pool));
      pages.push_back(std::move(page));
      return pages;
    }
    ARROW_ASSIGN_OR_RAISE(const auto arrays, Joined(chunks, pool));
    for (const auto& array : arrays) {
      ARROW_ASSIGN_OR_RAISE(auto page, EncodeOne(*array, pool));
      pages.push_back(std::move(page));
    }
    return pages;
  }

 private:
  Result<arrow::ArrayVector> Joined(const arrow::ArrayVector& chunks, MemoryPool* pool) const {
    if (chunks.size() == 1) {
      return chunks;
    }
    auto joined = arrow::Concatenate(chunks, pool);
    if (joined.ok()) {
      return arrow::ArrayVector{*std::move(joined)};
    }
    // Dictionaries that cannot be united, or strings beyond 2^31 bytes: a page for each chunk.
    if (joined.status().IsOutOfMemory()) {
      return joined.status();
    }
    return chunks;
  }

  Result<EncodedPage> EncodeOne(const Array& array, MemoryPool* pool) const {
    ArrayEncoder encoder(*leaf_, pool);
    ARROW_ASSIGN_OR_RAISE(
        const auto encoding,
        leaf_->kind == LeafKind::kBlobV1
            ? encoder.EncodeBlobDescriptors(static_cast<const arrow::StructArray&>(array))
            : encoder.Encode(array));
    return EncodedPage{encoder.TakeBuffers(), static_cast<uint64_t>(array.length()),
                       Serialize(encoding)};
  }

  std::shared_ptr<const LeafDescriptor> leaf_;
};

}  // namespace

Result<std::unique_ptr<PageEncoder>> MakeV20PageEncoder(
    std::shared_ptr<const LeafDescriptor> leaf) {
  switch (leaf->kind) {
    case LeafKind::kPrimitive:
      ARROW_RETURN_NOT_OK(CheckType(*leaf->path_type, leaf->name));
      break;
    case LeafKind::kPackedStruct:
      ARROW_RETURN_NOT_OK(CheckPackedType(*leaf->path_type, leaf->name));
      break;
    case LeafKind::kBlobV1:
      break;
  }
  return std::make_unique<LeafEncoder>(std::move(leaf));
}

Result<EncodedPage> EncodeV20Lists(const std::vector<uint64_t>& lengths,
                                   const std::vector<bool>& valid, MemoryPool* pool) {
  uint64_t items = 0;
  for (const uint64_t length : lengths) {
    items += length;
  }
  ARROW_ASSIGN_OR_RAISE(
      auto offsets,
      arrow::AllocateBuffer(static_cast<int64_t>(lengths.size() * sizeof(uint64_t)), pool));
  uint64_t end = 0;
  for (size_t row = 0; row < lengths.size(); ++row) {
    end += lengths[row];
    StoreLe(offsets->mutable_data() + row * sizeof(uint64_t), valid[row] ? end : end + items + 1);
  }
  pb::ArrayEncoding encoding;
  auto* list = encoding.mutable_list();
  auto* flat = list->mutable_offsets()
                   ->mutable_nullable()
                   ->mutable_no_nulls()
                   ->mutable_values()
                   ->mutable_flat();
  flat->set_bits_per_value(64);
  flat->mutable_buffer();
  list->set_null_offset_adjustment(items + 1);
  list->set_num_items(items);
  return EncodedPage{{std::move(offsets)}, lengths.size(), Serialize(encoding)};
}

EncodedPage EncodeV20Struct(uint64_t num_rows) {
  pb::ArrayEncoding encoding;
  encoding.mutable_struct_();
  return EncodedPage{{}, num_rows, Serialize(encoding)};
}

std::string V20BlobColumnEncoding() {
  pb::ColumnEncoding encoding;
  encoding.mutable_blob()->mutable_inner()->mutable_values();
  return SerializeAny("/lance.encodings.ColumnEncoding", encoding.SerializeAsString());
}

}  // namespace glaive::encoding
