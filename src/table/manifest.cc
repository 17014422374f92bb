#include "table/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>
#include <utility>

#include <arrow/buffer.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "io/object_store.h"
#include "proto/parse.h"

namespace glaive::table {

namespace {

constexpr std::string_view kSuffix = ".manifest";
constexpr std::string_view kMagic = "LANC";
constexpr uint64_t kFooterBytes = 16;
constexpr uint64_t kLengthBytes = 4;
constexpr uint16_t kMajor = 0;
constexpr uint16_t kMinor = 2;
constexpr size_t kV2Digits = 20;
// Versions with this bit are detached: outside of the main sequence.
constexpr uint64_t kDetachedBit = uint64_t{1} << 63;

constexpr std::array<std::pair<uint64_t, std::string_view>, 9> kFlagNames = {{
    {kFlagDeletionFiles, "deletion files"},
    {kFlagStableRowIds, "stable row ids"},
    {kFlagV2Format, "v2 format"},
    {kFlagTableConfig, "table config"},
    {kFlagBasePaths, "base paths"},
    {kFlagNoTransactionFile, "no transaction file"},
    {kFlagDataOverlays, "data overlays"},
    {kFlagCoveredIndices, "covered index metadata"},
    {kFlagMixedFileVersions, "mixed file versions"},
}};

// A message with its length in front, at `offset` of the file, wholly before `limit`.
arrow::Result<std::string_view> Section(std::string_view file, uint64_t offset, uint64_t limit,
                                        std::string_view kind, std::string_view path) {
  uint64_t begin = 0;
  GLAIVE_CHECK_FORMAT(CheckedAdd(offset, kLengthBytes, &begin) && begin <= limit, "manifest ", path,
                      ": ", kind, " at offset ", offset, " reaches beyond ", limit);
  const uint64_t length = LoadLe<uint32_t>(file.data() + offset);
  GLAIVE_CHECK_FORMAT(length <= limit - begin, "manifest ", path, ": ", kind, " at offset ", offset,
                      " has ", length, " bytes, but only ", limit - begin, " are left");
  return file.substr(begin, length);
}

template <typename Message>
arrow::Status Parse(std::string_view bytes, Message* pb, std::string_view kind,
                    std::string_view path) {
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(bytes, pb), "manifest ", path, ": ", kind, " of ",
                      bytes.size(), " bytes is no valid message");
  return arrow::Status::OK();
}

arrow::Status CheckDataFile(const lance::table::DataFile& file, std::vector<int32_t>* seen) {
  GLAIVE_CHECK_FORMAT(io::CheckObjectPath(file.path()).ok(), "data file has the path \"",
                      file.path(), "\"");
  const bool legacy = file.file_major_version() < 2;
  GLAIVE_CHECK_FORMAT(file.column_indices_size() == file.fields_size() ||
                          (legacy && file.column_indices_size() == 0),
                      "data file ", file.path(), " lists ", file.fields_size(), " fields, but ",
                      file.column_indices_size(), " columns");
  for (int i = 0; i < file.fields_size(); ++i) {
    const int32_t id = file.fields(i);
    GLAIVE_CHECK_FORMAT(id >= -2, "data file ", file.path(), " lists the field id ", id);
    GLAIVE_CHECK_FORMAT(legacy || file.column_indices(i) >= -1, "data file ", file.path(),
                        " lists the column ", file.column_indices(i));
    if (id >= 0) {
      seen->push_back(id);
    }
  }
  return arrow::Status::OK();
}

arrow::Status CheckFragment(const lance::table::DataFragment& fragment,
                            std::vector<int32_t>* seen) {
  GLAIVE_CHECK_FORMAT(fragment.id() <= UINT32_MAX, "its id is beyond ", UINT32_MAX);
  GLAIVE_CHECK_FORMAT(fragment.physical_rows() <= uint64_t{UINT32_MAX} + 1, "it has ",
                      fragment.physical_rows(), " rows, beyond what row addresses can hold");
  if (fragment.has_deletion_file() && fragment.physical_rows() > 0) {
    GLAIVE_CHECK_FORMAT(fragment.deletion_file().num_deleted_rows() <= fragment.physical_rows(),
                        "it has ", fragment.deletion_file().num_deleted_rows(), " deleted of ",
                        fragment.physical_rows(), " rows");
  }
  seen->clear();
  for (const auto& file : fragment.files()) {
    ARROW_RETURN_NOT_OK(CheckDataFile(file, seen));
  }
  std::sort(seen->begin(), seen->end());
  const auto twice = std::adjacent_find(seen->begin(), seen->end());
  GLAIVE_CHECK_FORMAT(twice == seen->end(), "its data files hold the field ", *twice, " twice");
  return arrow::Status::OK();
}

void AppendU32(uint32_t value, std::string* out) {
  char bytes[sizeof(value)];
  StoreLe(bytes, value);
  out->append(bytes, sizeof(bytes));
}

// Appends length and message; maps in key order, so that equal messages have equal bytes.
arrow::Status AppendSection(const google::protobuf::MessageLite& message, std::string_view kind,
                            std::string* out) {
  const size_t length = message.ByteSizeLong();
  if (length > INT32_MAX) {
    return ResourceExhausted("manifest: ", kind, " of ", length, " bytes, at most ", INT32_MAX);
  }
  AppendU32(static_cast<uint32_t>(length), out);
  google::protobuf::io::StringOutputStream stream(out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&coded);
  return arrow::Status::OK();
}

arrow::Status ParseSections(std::string_view file, uint64_t limit, std::string_view path,
                            Manifest* out) {
  if (out->pb.has_index_section()) {
    ARROW_ASSIGN_OR_RAISE(auto bytes,
                          Section(file, out->pb.index_section(), limit, "index section", path));
    lance::table::IndexSection section;
    ARROW_RETURN_NOT_OK(Parse(bytes, &section, "index section", path));
    for (auto& index : *section.mutable_indices()) {
      out->indices.push_back(std::move(index));
    }
  }
  if (out->pb.has_transaction_section()) {
    ARROW_ASSIGN_OR_RAISE(auto bytes, Section(file, out->pb.transaction_section(), limit,
                                              "transaction section", path));
    ARROW_RETURN_NOT_OK(Parse(bytes, &out->transaction.emplace(), "transaction", path));
  }
  return arrow::Status::OK();
}

}  // namespace

std::string FlagNames(uint64_t flags) {
  std::string names;
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t flag = uint64_t{1} << bit;
    if ((flags & flag) == 0) {
      continue;
    }
    if (!names.empty()) {
      names += ", ";
    }
    const auto known = std::find_if(kFlagNames.begin(), kFlagNames.end(),
                                    [flag](const auto& entry) { return entry.first == flag; });
    names +=
        known == kFlagNames.end() ? std::to_string(flag) : Concat(known->second, " (", flag, ")");
  }
  return names;
}

std::string ManifestName(uint64_t version, ManifestNaming naming) {
  if (naming == ManifestNaming::kV1) {
    return std::to_string(version) + std::string(kSuffix);
  }
  std::string digits = std::to_string(UINT64_MAX - version);
  return std::string(kV2Digits - digits.size(), '0') + digits + std::string(kSuffix);
}

std::optional<ParsedManifestName> ParseManifestName(std::string_view name) {
  if (name.size() <= kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  ParsedManifestName parsed;
  parsed.naming = digits.size() == kV2Digits ? ManifestNaming::kV2 : ManifestNaming::kV1;
  parsed.version = parsed.naming == ManifestNaming::kV2 ? UINT64_MAX - number : number;
  if ((parsed.version & kDetachedBit) != 0 || ManifestName(parsed.version, parsed.naming) != name) {
    return std::nullopt;
  }
  return parsed;
}

arrow::Status CheckFragments(const lance::table::Manifest& pb, std::string_view what) {
  std::unordered_set<uint64_t> ids;
  std::vector<int32_t> seen;
  bool ascending = true;
  for (int i = 0; i < pb.fragments_size(); ++i) {
    const auto& fragment = pb.fragments(i);
    const arrow::Status checked = CheckFragment(fragment, &seen);
    if (!checked.ok()) {
      return WithContext(checked, Concat(what, ", fragment ", fragment.id()));
    }
    ascending = ascending && (i == 0 || pb.fragments(i - 1).id() < fragment.id());
  }
  if (ascending) {
    return arrow::Status::OK();
  }
  for (const auto& fragment : pb.fragments()) {
    GLAIVE_CHECK_FORMAT(ids.insert(fragment.id()).second, what, ": fragment ", fragment.id(),
                        " is listed twice");
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<const Manifest>> ParseManifest(const arrow::Buffer& bytes,
                                                             std::string_view path) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()),
                              static_cast<size_t>(bytes.size()));
  GLAIVE_CHECK_FORMAT(file.size() >= kFooterBytes + kLengthBytes, "manifest ", path, ": ",
                      file.size(), " bytes, expected at least ", kFooterBytes + kLengthBytes);
  GLAIVE_CHECK_FORMAT(file.size() <= kMaxManifestBytes, "manifest ", path, ": ", file.size(),
                      " bytes, at most ", kMaxManifestBytes);
  GLAIVE_CHECK_FORMAT(file.ends_with(kMagic), "manifest ", path, ": does not end with \"LANC\"");
  const uint64_t limit = file.size() - kFooterBytes;
  const auto position = LoadLe<uint64_t>(file.data() + limit);
  const auto major = LoadLe<uint16_t>(file.data() + limit + 8);
  const auto minor = LoadLe<uint16_t>(file.data() + limit + 10);
  if (major != kMajor || minor > kMinor) {
    return Unsupported("manifest ", path, ": format version ", major, ".", minor,
                       ", this build knows ", kMajor, ".", kMinor);
  }
  ARROW_ASSIGN_OR_RAISE(auto message, Section(file, position, limit, "manifest message", path));
  GLAIVE_CHECK_FORMAT(message.size() == limit - position - kLengthBytes, "manifest ", path,
                      ": message at offset ", position, " has ", message.size(),
                      " bytes, expected ", limit - position - kLengthBytes);
  auto out = std::make_shared<Manifest>();
  ARROW_RETURN_NOT_OK(Parse(message, out->mutable_pb(), "manifest message", path));
  const uint64_t unknown = out->pb.reader_feature_flags() & ~kKnownFlags;
  if (unknown != 0) {
    return Unsupported("manifest ", path,
                       ": the table needs features that this build lacks: ", FlagNames(unknown));
  }
  ARROW_RETURN_NOT_OK(ParseSections(file, limit, path, out.get()));
  ARROW_RETURN_NOT_OK(CheckFragments(out->pb, Concat("manifest ", path)));
  std::map<std::string, std::string> metadata(out->pb.schema_metadata().begin(),
                                              out->pb.schema_metadata().end());
  auto schema = file::Schema::FromProto(out->pb.fields(), std::move(metadata));
  if (!schema.ok()) {
    return WithContext(schema.status(), Concat("manifest ", path));
  }
  out->schema = std::move(schema).ValueUnsafe();
  out->file_bytes = file.size();
  return std::shared_ptr<const Manifest>(std::move(out));
}

arrow::Result<std::string> SerializeManifest(
    lance::table::Manifest* pb, const std::vector<lance::table::IndexMetadata>& indices,
    const lance::table::Transaction* transaction) {
  std::string out;
  pb->clear_index_section();
  pb->clear_transaction_section();
  if (!indices.empty()) {
    lance::table::IndexSection section;
    for (const auto& index : indices) {
      *section.add_indices() = index;
    }
    pb->set_index_section(0);
    ARROW_RETURN_NOT_OK(AppendSection(section, "index section", &out));
  }
  if (transaction != nullptr) {
    pb->set_transaction_section(out.size());
    ARROW_RETURN_NOT_OK(AppendSection(*transaction, "transaction", &out));
  }
  const uint64_t position = out.size();
  ARROW_RETURN_NOT_OK(AppendSection(*pb, "manifest message", &out));
  char footer[kFooterBytes];
  StoreLe(footer, position);
  StoreLe(footer + 8, kMajor);
  StoreLe(footer + 10, kMinor);
  std::memcpy(footer + 12, kMagic.data(), kMagic.size());
  out.append(footer, kFooterBytes);
  return out;
}

}  // namespace glaive::table
