#include "io/object_store.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <numeric>

#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::io {

namespace {

/// Ranges nearer than this are cheaper to read at once, gap included.
constexpr uint64_t kMergeGap = 64u << 10;

struct MergedRead {
  uint64_t start = 0;
  uint64_t end = 0;
};

bool IsSchemeChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
}

/// The scheme of "scheme://rest" (in lower case, for messages as given), or "" for a plain path.
std::string SchemeOf(const std::string& uri) {
  const size_t end = uri.find("://");
  if (end == std::string::npos || end == 0 ||
      std::isalpha(static_cast<unsigned char>(uri[0])) == 0 ||
      !std::all_of(uri.begin(), uri.begin() + static_cast<std::ptrdiff_t>(end), IsSchemeChar)) {
    return {};
  }
  std::string scheme = uri.substr(0, end);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

arrow::Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    GLAIVE_CHECK_ARGUMENT(high >= 0 && low >= 0,
                          "'%' is not followed by two hexadecimal digits in URI path '", text, "'");
    const char byte = static_cast<char>(high * 16 + low);
    GLAIVE_CHECK_ARGUMENT(byte != '\0', "URI path '", text, "' holds a NUL byte (%00)");
    decoded.push_back(byte);
    i += 2;
  }
  return decoded;
}

/// The directory of "file://[localhost]/path".
arrow::Result<std::string> PathOfFileUri(const std::string& uri) {
  std::string_view rest = std::string_view(uri).substr(7);
  const size_t slash = rest.find('/');
  const std::string_view host = rest.substr(0, slash);
  GLAIVE_CHECK_ARGUMENT(host.empty() || host == "localhost", "file URI '", uri,
                        "' names the host '", host,
                        "'; only local files can be opened (file:///path)");
  GLAIVE_CHECK_ARGUMENT(slash != std::string_view::npos, "file URI '", uri, "' has no path");
  return PercentDecode(rest.substr(slash));
}

}  // namespace

arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> ObjectReader::ReadMany(
    std::span<const ByteRange> ranges) {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(ranges.size());
  if (zero_copy() || ranges.size() == 1) {
    for (size_t i = 0; i < ranges.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(buffers[i], Read(ranges[i].offset, ranges[i].length));
    }
    return buffers;
  }
  std::vector<size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return ranges[a].offset < ranges[b].offset; });
  for (size_t i = 0; i < order.size();) {
    const ByteRange& first = ranges[order[i]];
    // Starting on a 64-byte boundary of the file keeps the alignment of buffers inside the merged
    // read.
    MergedRead merged{first.offset / 64 * 64, 0};
    size_t next = i;
    for (; next < order.size(); ++next) {
      const ByteRange& range = ranges[order[next]];
      uint64_t end = 0;
      GLAIVE_CHECK_FORMAT(CheckedAdd(range.offset, range.length, &end) && end <= size(), "object '",
                          path(), "': a read of ", range.length, " bytes at offset ", range.offset,
                          " reaches beyond its size of ", size(), " bytes");
      if (next != i && range.offset > merged.end + kMergeGap) {
        break;
      }
      merged.end = std::max({merged.end, end, merged.start});
    }
    ARROW_ASSIGN_OR_RAISE(auto whole, Read(merged.start, merged.end - merged.start));
    for (; i < next; ++i) {
      const ByteRange& range = ranges[order[i]];
      buffers[order[i]] =
          arrow::SliceBuffer(whole, static_cast<int64_t>(range.offset - merged.start),
                             static_cast<int64_t>(range.length));
    }
  }
  return buffers;
}

arrow::Status ObjectWriter::AppendMany(std::span<const std::shared_ptr<arrow::Buffer>> pieces) {
  for (const auto& piece : pieces) {
    ARROW_RETURN_NOT_OK(Append(piece->data(), static_cast<uint64_t>(piece->size())));
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<ObjectInfo>> ObjectStore::ListRecursive(const std::string& directory) {
  std::vector<ObjectInfo> all;
  std::vector<std::string> pending{directory};
  while (!pending.empty()) {
    const std::string current = std::move(pending.back());
    pending.pop_back();
    ARROW_ASSIGN_OR_RAISE(auto objects, List(current));
    std::move(objects.begin(), objects.end(), std::back_inserter(all));
    ARROW_ASSIGN_OR_RAISE(auto directories, ListDirectories(current));
    for (auto& name : directories) {
      pending.push_back(current.empty() ? name : current + "/" + name);
    }
  }
  return all;
}

arrow::Status CheckObjectPath(std::string_view path) {
  GLAIVE_CHECK_ARGUMENT(!path.empty(), "an object path is empty");
  GLAIVE_CHECK_ARGUMENT(path.find('\0') == std::string_view::npos,
                        "an object path holds a NUL byte");
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    GLAIVE_CHECK_ARGUMENT(!segment.empty() && segment != "." && segment != "..", "object path '",
                          path,
                          "' has an empty, '.' or '..' segment; paths are relative to their store");
    start = end + 1;
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<ObjectStore>> OpenStore(const std::string& uri,
                                                      const LocalStoreOptions& options) {
  GLAIVE_CHECK_ARGUMENT(!uri.empty(),
                        "the URI is empty; expected a directory, file:// or memory://");
  const std::string scheme = SchemeOf(uri);
  if (scheme.empty()) {
    return OpenLocalStore(uri, options);
  }
  if (scheme == "file") {
    ARROW_ASSIGN_OR_RAISE(const std::string path, PathOfFileUri(uri));
    return OpenLocalStore(path, options);
  }
  if (scheme == "memory") {
    return OpenMemoryStore(uri.substr(9));
  }
  return Unsupported("URI scheme '", scheme, "' of '", uri,
                     "' is not in this build; known are plain paths, file:// and memory://");
}

}  // namespace glaive::io
