#include "file/blob_writer.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/status.h"
#include "file/blob_reader.h"

namespace glaive::file {
namespace {

using DataPtr = std::shared_ptr<arrow::ArrayData>;

constexpr uint64_t kMaxInlineBytes = 64 << 10;
constexpr uint64_t kMaxPackedBytes = 4 << 20;
/// A shared sidecar that has grown to this is followed by another.
constexpr uint64_t kSidecarBytes = 1 << 30;

bool IsBytes(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

// What the values of a binary or large_binary array are.
std::string_view BytesAt(const arrow::Array& array, int64_t i) {
  return array.type_id() == arrow::Type::BINARY
             ? static_cast<const arrow::BinaryArray&>(array).GetView(i)
             : static_cast<const arrow::LargeBinaryArray&>(array).GetView(i);
}

std::shared_ptr<arrow::Array> MemberNamed(const arrow::StructArray& array, const char* name) {
  return array.GetFieldByName(name);
}

uint64_t UInt64At(const std::shared_ptr<arrow::Array>& array, int64_t i) {
  if (array == nullptr || array->type_id() != arrow::Type::UINT64 || array->IsNull(i)) {
    return 0;
  }
  return static_cast<const arrow::UInt64Array&>(*array).Value(i);
}

// The values of a child that [begin, end) of its parent covers.
template <typename Offset>
void ChildRange(const arrow::ArrayData& data, int64_t* begin, int64_t* end) {
  const auto* offsets = data.GetValues<Offset>(1);
  const int64_t first = *begin;
  *begin = offsets == nullptr || first == *end ? 0 : offsets[first];
  *end = offsets == nullptr || first == *end ? 0 : offsets[*end];
}

}  // namespace

// Builds an array of blob v2 descriptors.
class BlobWriter::Descriptors {
 public:
  explicit Descriptors(arrow::MemoryPool* pool)
      : kind_(std::make_shared<arrow::UInt8Builder>(pool)),
        position_(std::make_shared<arrow::UInt64Builder>(pool)),
        size_(std::make_shared<arrow::UInt64Builder>(pool)),
        id_(std::make_shared<arrow::UInt32Builder>(pool)),
        uri_(std::make_shared<arrow::StringBuilder>(pool)),
        all_(BlobV2DescriptorType(), pool, {kind_, position_, size_, id_, uri_}) {}

  arrow::Status Append(BlobKind kind, uint64_t position, uint64_t size, uint32_t id,
                       std::string_view uri) {
    ARROW_RETURN_NOT_OK(all_.Append());
    ARROW_RETURN_NOT_OK(kind_->Append(static_cast<uint8_t>(kind)));
    ARROW_RETURN_NOT_OK(position_->Append(position));
    ARROW_RETURN_NOT_OK(size_->Append(size));
    ARROW_RETURN_NOT_OK(id_->Append(id));
    return uri_->Append(uri);
  }

  arrow::Status AppendNull() {
    ARROW_RETURN_NOT_OK(all_.Append(false));
    ARROW_RETURN_NOT_OK(kind_->Append(0));
    ARROW_RETURN_NOT_OK(position_->Append(0));
    ARROW_RETURN_NOT_OK(size_->Append(0));
    ARROW_RETURN_NOT_OK(id_->Append(0));
    return uri_->Append(std::string_view());
  }

  arrow::Result<DataPtr> Finish() {
    ARROW_ASSIGN_OR_RAISE(const auto array, all_.Finish());
    return array->data();
  }

 private:
  std::shared_ptr<arrow::UInt8Builder> kind_;
  std::shared_ptr<arrow::UInt64Builder> position_;
  std::shared_ptr<arrow::UInt64Builder> size_;
  std::shared_ptr<arrow::UInt32Builder> id_;
  std::shared_ptr<arrow::StringBuilder> uri_;
  arrow::StructBuilder all_;
};

bool HoldsBlobs(const Field& field, FileVersion version) {
  if (field.is_blob_v2() || (field.is_blob_v1() && version < kVersion22)) {
    return true;
  }
  return std::any_of(field.children.begin(), field.children.end(),
                     [&](const Field& child) { return HoldsBlobs(child, version); });
}

Field StoredField(const Field& field) {
  Field out = field;
  if (!field.is_blob_v2()) {
    for (auto& child : out.children) {
      child = StoredField(child);
    }
    return out;
  }
  out.metadata.erase(std::string(kExtensionNameKey));
  out.metadata.erase(std::string(kExtensionMetadataKey));
  out.metadata[std::string(kBlobKey)] = "true";
  out.metadata[std::string(kPackedKey)] = "true";
  out.children.clear();
  const std::pair<const char*, const char*> members[] = {{"kind", "uint8"},
                                                         {"position", "uint64"},
                                                         {"size", "uint64"},
                                                         {"blob_id", "uint32"},
                                                         {"blob_uri", "string"}};
  for (const auto& [name, type] : members) {
    Field member;
    member.name = name;
    member.logical_type = type;
    member.nullable = false;
    out.children.push_back(std::move(member));
  }
  return out;
}

bool FitsBlobV2(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) {
    return IsBytes(type);
  }
  const auto& members = static_cast<const arrow::StructType&>(type);
  const auto data = members.GetFieldByName("data");
  const auto uri = members.GetFieldByName("uri");
  return (data != nullptr || uri != nullptr) && (data == nullptr || IsBytes(*data->type())) &&
         (uri == nullptr || uri->type()->id() == arrow::Type::STRING);
}

arrow::Result<std::shared_ptr<arrow::Array>> BlobWriter::Store(const Field& field,
                                                               const arrow::Array& column,
                                                               FileVersion version,
                                                               arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto data,
                        StoreRange(field, *column.data(), 0, column.length(), version, pool));
  return arrow::MakeArray(std::move(data));
}

// Rows [begin, end) of `data` are converted. A converted leaf has `end` rows, of which those before
// `begin` are null, so that the offsets of its parents still fit.
arrow::Result<DataPtr> BlobWriter::StoreRange(const Field& field, const arrow::ArrayData& data,
                                              int64_t begin, int64_t end, FileVersion version,
                                              arrow::MemoryPool* pool) {
  if (field.is_blob_v2()) {
    return StoreV2(*arrow::MakeArray(data.Copy()), begin, end, pool);
  }
  if (field.is_blob_v1()) {
    return StoreV1(*arrow::MakeArray(data.Copy()), begin, end, pool);
  }
  auto out = data.Copy();
  if (field.is_leaf()) {
    return out;
  }
  if (field.is_list() || field.is_map()) {
    if (data.type->id() == arrow::Type::LARGE_LIST) {
      ChildRange<int64_t>(data, &begin, &end);
    } else {
      ChildRange<int32_t>(data, &begin, &end);
    }
  } else {
    int64_t factor = 1;
    if (field.is_fixed_size_list_of_struct()) {
      factor = static_cast<const arrow::FixedSizeListType&>(*data.type).list_size();
    }
    begin = (begin + data.offset) * factor;
    end = (end + data.offset) * factor;
  }
  for (size_t i = 0; i < field.children.size(); ++i) {
    if (HoldsBlobs(field.children[i], version)) {
      ARROW_ASSIGN_OR_RAISE(out->child_data[i], StoreRange(field.children[i], *data.child_data[i],
                                                           begin, end, version, pool));
    }
  }
  return out;
}

arrow::Result<DataPtr> BlobWriter::StoreV1(const arrow::Array& values, int64_t begin, int64_t end,
                                           arrow::MemoryPool* pool) {
  auto position = std::make_shared<arrow::UInt64Builder>(pool);
  auto size = std::make_shared<arrow::UInt64Builder>(pool);
  arrow::StructBuilder all(BlobV1DescriptorType(), pool, {position, size});
  for (int64_t i = 0; i < end; ++i) {
    const bool valid = i >= begin && values.IsValid(i);
    io::ByteRange range;  // (0, 0) is the empty value
    if (const auto bytes = valid ? BytesAt(values, i) : std::string_view(); !bytes.empty()) {
      ARROW_ASSIGN_OR_RAISE(range, file_->WriteBuffer(std::make_shared<arrow::Buffer>(bytes)));
    }
    ARROW_RETURN_NOT_OK(all.Append(valid));
    ARROW_RETURN_NOT_OK(position->Append(range.offset));
    ARROW_RETURN_NOT_OK(size->Append(range.length));
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, all.Finish());
  return array->data();
}

arrow::Result<DataPtr> BlobWriter::StoreV2(const arrow::Array& values, int64_t begin, int64_t end,
                                           arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Array> data;
  std::shared_ptr<arrow::Array> uri;
  std::shared_ptr<arrow::Array> position;
  std::shared_ptr<arrow::Array> size;
  const bool is_struct = values.type_id() == arrow::Type::STRUCT;
  if (is_struct) {
    const auto& members = static_cast<const arrow::StructArray&>(values);
    data = MemberNamed(members, "data");
    uri = MemberNamed(members, "uri");
    position = MemberNamed(members, "position");
    size = MemberNamed(members, "size");
  }
  Descriptors out(pool);
  for (int64_t i = 0; i < end; ++i) {
    if (i < begin || values.IsNull(i)) {
      ARROW_RETURN_NOT_OK(out.AppendNull());
    } else if (!is_struct) {
      ARROW_RETURN_NOT_OK(StoreBytes(BytesAt(values, i), &out));
    } else if (data != nullptr && data->IsValid(i)) {
      ARROW_RETURN_NOT_OK(StoreBytes(BytesAt(*data, i), &out));
    } else if (uri != nullptr && uri->IsValid(i)) {
      ARROW_RETURN_NOT_OK(out.Append(BlobKind::kExternal, UInt64At(position, i), UInt64At(size, i),
                                     0, static_cast<const arrow::StringArray&>(*uri).GetView(i)));
    } else {
      ARROW_RETURN_NOT_OK(out.AppendNull());
    }
  }
  return out.Finish();
}

arrow::Result<std::unique_ptr<io::ObjectWriter>> BlobWriter::NextSidecar() {
  return make_sidecar_(BlobSidecarName(++last_sidecar_));
}

arrow::Status BlobWriter::StoreBytes(std::string_view bytes, Descriptors* out) {
  if (bytes.size() <= kMaxInlineBytes || !make_sidecar_) {
    // An empty one gets a position too, as the real writer gives it.
    ARROW_ASSIGN_OR_RAISE(const auto range,
                          file_->WriteBuffer(std::make_shared<arrow::Buffer>(bytes)));
    return out->Append(BlobKind::kInline, range.offset, range.length, 0, {});
  }
  if (bytes.size() > kMaxPackedBytes) {
    ARROW_ASSIGN_OR_RAISE(const auto sidecar, NextSidecar());
    ARROW_RETURN_NOT_OK(sidecar->Append(bytes.data(), bytes.size()));
    ARROW_RETURN_NOT_OK(sidecar->Finish().status());
    return out->Append(BlobKind::kDedicated, 0, bytes.size(), last_sidecar_, {});
  }
  if (packed_ != nullptr && packed_->position() + bytes.size() > kSidecarBytes) {
    ARROW_RETURN_NOT_OK(Finish());
  }
  if (packed_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(packed_, NextSidecar());
    packed_id_ = last_sidecar_;
  }
  const uint64_t position = packed_->position();
  ARROW_RETURN_NOT_OK(packed_->Append(bytes.data(), bytes.size()));
  return out->Append(BlobKind::kPacked, position, bytes.size(), packed_id_, {});
}

arrow::Status BlobWriter::Finish() {
  if (packed_ == nullptr) {
    return arrow::Status::OK();
  }
  const auto packed = std::move(packed_);
  return packed->Finish().status();
}

arrow::Status BlobWriter::Abort() {
  return packed_ == nullptr ? arrow::Status::OK() : packed_->Abort();
}

}  // namespace glaive::file
