#include "encoding/page_parts.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>

#include "proto/parse.h"

namespace glaive::encoding {

namespace {

constexpr std::string_view kLayoutUrl = "/lance.encodings21.PageLayout";

void AppendDelimited(char tag, std::string_view bytes, std::string* out) {
  out->push_back(tag);
  uint64_t size = bytes.size();
  while (size >= 0x80) {
    out->push_back(static_cast<char>(size | 0x80));
    size >>= 7;
  }
  out->push_back(static_cast<char>(size));
  out->append(bytes);
}

}  // namespace

std::string WrapLayout(const lance::encodings21::PageLayout& layout) {
  // google.protobuf.Any: type_url is field 1, value field 2.
  std::string any;
  AppendDelimited(0x0a, kLayoutUrl, &any);
  AppendDelimited(0x12, layout.SerializeAsString(), &any);
  return any;
}

bool UnwrapLayout(std::string_view any, lance::encodings21::PageLayout* layout) {
  const size_t url_end = 2 + kLayoutUrl.size();
  if (any.size() < url_end || any.substr(2, kLayoutUrl.size()) != kLayoutUrl) {
    return false;
  }
  size_t at = url_end + 1;
  while (at < any.size() && (static_cast<uint8_t>(any[at]) & 0x80) != 0) {
    ++at;
  }
  const auto value = any.substr(std::min(at + 1, any.size()));
  return proto::ParseMessage(value, layout);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CopyToBuffer(Bytes bytes, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(static_cast<int64_t>(bytes.size()), pool));
  if (!bytes.empty()) {
    std::memcpy(buffer->mutable_data(), bytes.data(), bytes.size());
  }
  return buffer;
}

}  // namespace glaive::encoding
