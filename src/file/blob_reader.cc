#include "file/blob_reader.h"

#include <map>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "io/object_store.h"

namespace glaive::file {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

// The payload of one row: a range of one of the objects, or nothing.
struct Payload {
  int64_t row = 0;
  io::ByteRange range;
};

// Payloads of one batch, grouped by the object that holds them.
class PayloadReader {
 public:
  explicit PayloadReader(int64_t rows) : parts_(static_cast<size_t>(rows)) {}

  arrow::Status Read(io::ObjectReader& object, const std::vector<Payload>& payloads) {
    std::vector<io::ByteRange> ranges;
    ranges.reserve(payloads.size());
    for (const auto& payload : payloads) {
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(
          CheckedAdd(payload.range.offset, payload.range.length, &end) && end <= object.size(),
          "blob of ", payload.range.length, " bytes at ", payload.range.offset,
          " reaches beyond the ", object.size(), " bytes of ", object.path());
      total_ += payload.range.length;
      if (total_ > kMaxDecompressedBytes) {
        return ResourceExhausted("blobs of one batch have more than ", kMaxDecompressedBytes,
                                 " bytes; read fewer rows at once");
      }
      ranges.push_back(payload.range);
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, object.ReadMany(ranges));
    for (size_t i = 0; i < payloads.size(); ++i) {
      parts_[static_cast<size_t>(payloads[i].row)] = std::move(buffers[i]);
    }
    return arrow::Status::OK();
  }

  // A large_binary array; `validity` may be null.
  arrow::Result<ArrayPtr> Finish(std::shared_ptr<arrow::Buffer> validity, arrow::MemoryPool* pool) {
    const auto rows = static_cast<int64_t>(parts_.size());
    ARROW_ASSIGN_OR_RAISE(
        auto offsets,
        arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int64_t)), pool));
    ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::AllocateBuffer(static_cast<int64_t>(total_), pool));
    auto* offset = reinterpret_cast<int64_t*>(offsets->mutable_data());
    int64_t at = 0;
    for (const auto& part : parts_) {
      *offset++ = at;
      if (part != nullptr && part->size() > 0) {
        std::memcpy(bytes->mutable_data() + at, part->data(), static_cast<size_t>(part->size()));
        at += part->size();
      }
    }
    *offset = at;
    return arrow::MakeArray(arrow::ArrayData::Make(
        arrow::large_binary(), rows,
        {std::move(validity), std::shared_ptr<arrow::Buffer>(std::move(offsets)),
         std::shared_ptr<arrow::Buffer>(std::move(bytes))}));
  }

 private:
  std::vector<std::shared_ptr<arrow::Buffer>> parts_;
  uint64_t total_ = 0;
};

arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                         arrow::MemoryPool* pool) {
  if (array.null_count() == 0) {
    return nullptr;
  }
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

template <typename Array>
std::shared_ptr<Array> Member(const arrow::StructArray& descriptors, int i) {
  return std::static_pointer_cast<Array>(descriptors.field(i));
}

arrow::Result<std::shared_ptr<io::ObjectReader>> OpenExternal(const std::string& uri) {
  const std::string scheme = "file://";
  const std::string path = uri.rfind(scheme, 0) == 0 ? uri.substr(scheme.size()) : uri;
  if (path.empty() || path[0] != '/') {
    return Unsupported("external blob '", uri, "': only file:// and absolute paths can be read");
  }
  const auto slash = path.rfind('/');
  ARROW_ASSIGN_OR_RAISE(auto store, io::OpenStore(slash == 0 ? "/" : path.substr(0, slash)));
  return store->Open(path.substr(slash + 1));
}

/// `path` comes from the table's bytes: it must not lead out of the base.
arrow::Result<std::shared_ptr<io::ObjectReader>> OpenInBase(uint32_t base_id,
                                                            const std::string& path,
                                                            const ReadOptions& options) {
  if (!options.open_in_base) {
    return Unsupported("external blob '", path, "' is relative to base path ", base_id,
                       ", which a file alone cannot resolve");
  }
  const std::string slashed = "/" + path + "/";
  GLAIVE_CHECK_FORMAT(!path.empty() && slashed.find("//") == std::string::npos &&
                          slashed.find("/../") == std::string::npos &&
                          slashed.find("/./") == std::string::npos,
                      "external blob '", path, "' is no path below its base path ", base_id);
  return options.open_in_base(base_id, path);
}

// Payloads by the object that holds them, as the descriptors say.
struct Groups {
  std::vector<Payload> in_file;
  std::map<uint32_t, std::vector<Payload>> by_sidecar;
  /// By base path (0: none, the URI is absolute) and URI.
  std::map<std::pair<uint32_t, std::string>, std::vector<Payload>> external;
};

arrow::Result<Groups> GroupPayloads(const arrow::StructArray& descriptors) {
  const auto kinds = Member<arrow::UInt8Array>(descriptors, 0);
  const auto positions = Member<arrow::UInt64Array>(descriptors, 1);
  const auto sizes = Member<arrow::UInt64Array>(descriptors, 2);
  const auto ids = Member<arrow::UInt32Array>(descriptors, 3);
  const auto uris = Member<arrow::StringArray>(descriptors, 4);
  Groups groups;
  for (int64_t i = 0; i < descriptors.length(); ++i) {
    if (descriptors.IsNull(i)) {
      continue;
    }
    const Payload payload{i, {positions->Value(i), sizes->Value(i)}};
    switch (static_cast<BlobKind>(kinds->Value(i))) {
      case BlobKind::kInline:
        if (payload.range.length > 0) {
          groups.in_file.push_back(payload);
        }
        break;
      case BlobKind::kPacked:
      case BlobKind::kDedicated:
        groups.by_sidecar[ids->Value(i)].push_back(payload);
        break;
      case BlobKind::kExternal:
        groups.external[{ids->Value(i), uris->GetString(i)}].push_back(payload);
        break;
      default:
        return Unsupported("blob kind ", static_cast<int>(kinds->Value(i)), " is not known");
    }
  }
  return groups;
}

}  // namespace

std::string BlobSidecarName(uint32_t blob_id) {
  std::string name(32, '0');
  for (size_t bit = 0; bit < 32; ++bit) {
    name[bit] = (blob_id >> bit & 1) != 0 ? '1' : '0';
  }
  return name + ".blob";
}

arrow::Result<ArrayPtr> ReadBlobsV1(const arrow::Array& array, io::ObjectReader& object,
                                    arrow::MemoryPool* pool) {
  const auto& descriptors = static_cast<const arrow::StructArray&>(array);
  const auto positions = Member<arrow::UInt64Array>(descriptors, 0);
  const auto sizes = Member<arrow::UInt64Array>(descriptors, 1);
  std::vector<Payload> payloads;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i) && sizes->Value(i) > 0) {
      payloads.push_back({i, {positions->Value(i), sizes->Value(i)}});
    }
  }
  PayloadReader reader(array.length());
  ARROW_RETURN_NOT_OK(reader.Read(object, payloads));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(array, pool));
  return reader.Finish(std::move(validity), pool);
}

arrow::Result<ArrayPtr> ReadBlobsV2(const arrow::Array& array,
                                    std::shared_ptr<io::ObjectReader> object,
                                    const ReadOptions& options, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto groups, GroupPayloads(static_cast<const arrow::StructArray&>(array)));
  PayloadReader reader(array.length());
  ARROW_RETURN_NOT_OK(reader.Read(*object, groups.in_file));
  for (const auto& [id, payloads] : groups.by_sidecar) {
    const std::string name = BlobSidecarName(id);
    if (!options.open_sidecar) {
      return Unsupported("blob in sidecar ", name,
                         ": the data file was opened without its directory");
    }
    ARROW_ASSIGN_OR_RAISE(const auto sidecar, options.open_sidecar(name));
    ARROW_RETURN_NOT_OK(reader.Read(*sidecar, payloads));
  }
  for (auto& [place, payloads] : groups.external) {
    ARROW_ASSIGN_OR_RAISE(const auto external,
                          place.first == 0 ? OpenExternal(place.second)
                                           : OpenInBase(place.first, place.second, options));
    for (auto& payload : payloads) {
      if (payload.range.length == 0 && payload.range.offset <= external->size()) {
        payload.range.length = external->size() - payload.range.offset;  // 0 stands for the rest
      }
    }
    ARROW_RETURN_NOT_OK(reader.Read(*external, payloads));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(array, pool));
  return reader.Finish(std::move(validity), pool);
}

}  // namespace glaive::file
