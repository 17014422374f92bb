#include "file/container.h"

#include <array>
#include <cstring>
#include <limits>

#include <arrow/buffer.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "proto/file.pb.h"
#include "proto/parse.h"

namespace glaive::file {
namespace {

constexpr uint64_t kFooterBytes = 40;
constexpr uint64_t kTableEntryBytes = 16;
constexpr uint64_t kAlignment = 64;
constexpr uint8_t kPadByte = 0x48;
constexpr char kMagic[] = {'L', 'A', 'N', 'C'};
/// What the first read of a file fetches: for most files all of the metadata.
constexpr uint64_t kTailBytes = 64 << 10;
/// A front part of the metadata up to here is fetched in one read with the rest.
constexpr uint64_t kMaxPreloadBytes = 64u << 20;

struct Footer {
  uint64_t column_metadata_start = 0;
  uint64_t column_table = 0;
  uint64_t global_table = 0;
  uint32_t num_global_buffers = 0;
  uint32_t num_columns = 0;
  FileVersion version;
};

// The end of a file, of which parts are handed out without further reads.
class Tail {
 public:
  explicit Tail(io::ObjectReader& object) : object_(object), start_(object.size()) {}

  arrow::Status LoadFrom(uint64_t start) {
    if (start < start_) {
      ARROW_ASSIGN_OR_RAISE(bytes_, object_.Read(start, object_.size() - start));
      start_ = start;
    }
    return arrow::Status::OK();
  }

  // `range` was checked to lie within the file.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const io::ByteRange& range) {
    if (range.offset >= start_) {
      return arrow::SliceBuffer(bytes_, static_cast<int64_t>(range.offset - start_),
                                static_cast<int64_t>(range.length));
    }
    return object_.Read(range.offset, range.length);
  }

 private:
  io::ObjectReader& object_;
  uint64_t start_;
  std::shared_ptr<arrow::Buffer> bytes_;
};

arrow::Status CheckRange(const io::ByteRange& range, uint64_t file_size, const char* what,
                         uint64_t number) {
  uint64_t end = 0;
  GLAIVE_CHECK_FORMAT(CheckedAdd(range.offset, range.length, &end) && end <= file_size, what, " ",
                      number, ": ", range.length, " bytes at ", range.offset,
                      " reach beyond the file's ", file_size, " bytes");
  return arrow::Status::OK();
}

arrow::Result<FileVersion> CheckVersion(uint16_t major, uint16_t minor) {
  if ((major == 0 && minor == 3) || (major == 2 && minor == 0)) {
    return kVersion20;
  }
  if (major == 2 && minor <= 3) {
    return FileVersion{major, minor};
  }
  if (major == 0) {
    return Unsupported("data file version ", major, ".", minor,
                       " (legacy) is not supported; 2.0 to 2.3 are");
  }
  return Unsupported("data file version ", major, ".", minor, " is not known; 2.0 to 2.3 are");
}

arrow::Result<Footer> ParseFooter(const uint8_t* at) {
  GLAIVE_CHECK_FORMAT(std::memcmp(at + 36, kMagic, sizeof(kMagic)) == 0,
                      "not a Lance file: the last four bytes are not 'LANC'");
  Footer footer;
  footer.column_metadata_start = LoadLe<uint64_t>(at);
  footer.column_table = LoadLe<uint64_t>(at + 8);
  footer.global_table = LoadLe<uint64_t>(at + 16);
  footer.num_global_buffers = LoadLe<uint32_t>(at + 24);
  footer.num_columns = LoadLe<uint32_t>(at + 28);
  ARROW_ASSIGN_OR_RAISE(footer.version,
                        CheckVersion(LoadLe<uint16_t>(at + 32), LoadLe<uint16_t>(at + 34)));
  GLAIVE_CHECK_FORMAT(footer.num_columns <= kMaxColumns, "footer claims ", footer.num_columns,
                      " columns, at most ", kMaxColumns, " are allowed");
  GLAIVE_CHECK_FORMAT(footer.num_global_buffers >= 1, "footer has no global buffer for the schema");
  return footer;
}

arrow::Status CheckFileSize(uint64_t size) {
  GLAIVE_CHECK_FORMAT(size >= kFooterBytes, "not a Lance file: ", size,
                      " bytes are less than the footer's ", kFooterBytes);
  return arrow::Status::OK();
}

// An offset table: count entries of position and length, which all lie within the file.
arrow::Result<std::vector<io::ByteRange>> ReadTable(Tail* tail, uint64_t position, uint64_t count,
                                                    uint64_t file_size, const char* what) {
  const io::ByteRange table{position, count * kTableEntryBytes};
  ARROW_RETURN_NOT_OK(CheckRange(table, file_size, "offset table of", count));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, tail->Get(table));
  std::vector<io::ByteRange> ranges(count);
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t* entry = bytes->data() + i * kTableEntryBytes;
    ranges[i] = {LoadLe<uint64_t>(entry), LoadLe<uint64_t>(entry + 8)};
    ARROW_RETURN_NOT_OK(CheckRange(ranges[i], file_size, what, i));
    total += ranges[i].length;  // each at most the file's size, and at most 2^32 of them
    GLAIVE_CHECK_FORMAT(total <= file_size, what, "s claim more bytes than the file's ", file_size);
  }
  return ranges;
}

template <typename Message>
arrow::Status ParseMessage(const arrow::Buffer& bytes, const char* what, uint64_t number,
                           Message* out) {
  GLAIVE_CHECK_FORMAT(static_cast<uint64_t>(bytes.size()) <= kMaxFileMetadataBytes &&
                          proto::ParseMessage(std::string_view(bytes), out),
                      what, " ", number, " is not the protobuf message it should be");
  return arrow::Status::OK();
}

arrow::Result<std::string> TakeEncoding(bool present, lance::file::Encoding* encoding,
                                        uint64_t column) {
  GLAIVE_CHECK_FORMAT(present, "column ", column, ": an encoding is missing");
  if (encoding->has_indirect()) {
    return Unsupported("column ", column, ": an encoding is kept outside the metadata");
  }
  GLAIVE_CHECK_FORMAT(encoding->has_direct(), "column ", column, ": an encoding is empty");
  return std::move(*encoding->mutable_direct()->mutable_encoding());
}

template <typename Message>
arrow::Result<std::vector<io::ByteRange>> TakeBuffers(const Message& message, uint64_t column,
                                                      bool aligned, uint64_t file_size) {
  GLAIVE_CHECK_FORMAT(message.buffer_offsets_size() == message.buffer_sizes_size(), "column ",
                      column, ": ", message.buffer_offsets_size(), " buffer offsets, but ",
                      message.buffer_sizes_size(), " sizes");
  std::vector<io::ByteRange> ranges;
  ranges.reserve(static_cast<size_t>(message.buffer_offsets_size()));
  for (int i = 0; i < message.buffer_offsets_size(); ++i) {
    ranges.push_back({message.buffer_offsets(i), message.buffer_sizes(i)});
    ARROW_RETURN_NOT_OK(CheckRange(ranges.back(), file_size, "a buffer of column", column));
    GLAIVE_CHECK_FORMAT(!aligned || ranges.back().offset % kAlignment == 0, "column ", column,
                        ": a buffer starts at ", ranges.back().offset, ", which is no multiple of ",
                        kAlignment);
  }
  return ranges;
}

arrow::Result<ColumnInfo> TakeColumn(lance::file::ColumnMetadata* message, uint64_t number,
                                     bool aligned, uint64_t file_size) {
  ColumnInfo column;
  ARROW_ASSIGN_OR_RAISE(column.encoding,
                        TakeEncoding(message->has_encoding(), message->mutable_encoding(), number));
  ARROW_ASSIGN_OR_RAISE(column.buffers, TakeBuffers(*message, number, false, file_size));
  uint64_t rows = 0;
  column.pages.reserve(static_cast<size_t>(message->pages_size()));
  for (auto& proto : *message->mutable_pages()) {
    PageInfo page;
    page.num_rows = proto.length();
    page.priority = proto.priority();
    GLAIVE_CHECK_FORMAT(CheckedAdd(rows, page.num_rows, &rows), "column ", number,
                        ": the page lengths overflow");
    ARROW_ASSIGN_OR_RAISE(page.buffers, TakeBuffers(proto, number, aligned, file_size));
    ARROW_ASSIGN_OR_RAISE(page.encoding,
                          TakeEncoding(proto.has_encoding(), proto.mutable_encoding(), number));
    column.pages.push_back(std::move(page));
  }
  return column;
}

arrow::Status TakeDescriptor(const arrow::Buffer& bytes, Container* out) {
  lance::file::FileDescriptor descriptor;
  ARROW_RETURN_NOT_OK(ParseMessage(bytes, "global buffer", 0, &descriptor));
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : descriptor.schema().metadata()) {
    metadata.emplace(key, value);
  }
  ARROW_ASSIGN_OR_RAISE(out->schema,
                        Schema::FromProto(descriptor.schema().fields(), std::move(metadata)));
  out->num_rows = descriptor.length();
  return arrow::Status::OK();
}

// Maps in a fixed order, so that equal files have equal bytes.
std::string Serialize(const google::protobuf::MessageLite& message) {
  std::string out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return out;
}

void AppendLe(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

void AppendTable(std::string* out, const std::vector<io::ByteRange>& ranges) {
  for (const auto& range : ranges) {
    AppendLe(out, range.offset, 8);
    AppendLe(out, range.length, 8);
  }
}

template <typename Message>
void SetBuffers(const std::vector<io::ByteRange>& ranges, Message* out) {
  for (const auto& range : ranges) {
    out->add_buffer_offsets(range.offset);
    out->add_buffer_sizes(range.length);
  }
}

std::string SerializeColumn(const ColumnInfo& column) {
  lance::file::ColumnMetadata message;
  message.mutable_encoding()->mutable_direct()->set_encoding(column.encoding);
  SetBuffers(column.buffers, &message);
  for (const auto& page : column.pages) {
    auto* proto = message.add_pages();
    SetBuffers(page.buffers, proto);
    proto->set_length(page.num_rows);
    proto->set_priority(page.priority);
    proto->mutable_encoding()->mutable_direct()->set_encoding(page.encoding);
  }
  return Serialize(message);
}

std::string SerializeDescriptor(const Schema& schema, uint64_t num_rows) {
  lance::file::FileDescriptor descriptor;
  schema.ToProto(descriptor.mutable_schema()->mutable_fields());
  for (const auto& [key, value] : schema.metadata()) {
    (*descriptor.mutable_schema()->mutable_metadata())[key] = value;
  }
  descriptor.set_length(num_rows);
  return Serialize(descriptor);
}

}  // namespace

uint64_t Container::memory_bytes() const {
  // The schema's text is most of what metadata_bytes has besides the pages.
  uint64_t bytes = sizeof(*this) + 2 * metadata_bytes;
  for (const auto& column : columns) {
    bytes += sizeof(column) + column.pages.capacity() * sizeof(PageInfo);
    for (const auto& page : column.pages) {
      bytes += page.buffers.capacity() * sizeof(io::ByteRange);
    }
  }
  return bytes;
}

arrow::Result<FileVersion> ReadFileVersion(io::ObjectReader& object) {
  ARROW_RETURN_NOT_OK(CheckFileSize(object.size()));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, object.Read(object.size() - kFooterBytes, kFooterBytes));
  ARROW_ASSIGN_OR_RAISE(const auto footer, ParseFooter(bytes->data()));
  return footer.version;
}

arrow::Result<Container> ReadContainer(io::ObjectReader& object) {
  Container out;
  out.size_bytes = object.size();
  ARROW_RETURN_NOT_OK(CheckFileSize(out.size_bytes));
  Tail tail(object);
  ARROW_RETURN_NOT_OK(tail.LoadFrom(out.size_bytes - std::min(out.size_bytes, kTailBytes)));
  ARROW_ASSIGN_OR_RAISE(const auto footer_bytes,
                        tail.Get({out.size_bytes - kFooterBytes, kFooterBytes}));
  ARROW_ASSIGN_OR_RAISE(const Footer footer, ParseFooter(footer_bytes->data()));
  out.version = footer.version;
  const bool aligned = footer.version >= kVersion21;

  ARROW_ASSIGN_OR_RAISE(out.global_buffers,
                        ReadTable(&tail, footer.global_table, footer.num_global_buffers,
                                  out.size_bytes, "global buffer"));
  for (size_t i = 0; i < out.global_buffers.size(); ++i) {
    GLAIVE_CHECK_FORMAT(!aligned || out.global_buffers[i].offset % kAlignment == 0,
                        "global buffer ", i, " starts at ", out.global_buffers[i].offset,
                        ", which is no multiple of ", kAlignment);
  }
  const uint64_t metadata_start = out.global_buffers[0].offset;
  out.metadata_bytes = out.size_bytes - metadata_start;
  if (out.metadata_bytes <= kMaxPreloadBytes) {
    ARROW_RETURN_NOT_OK(tail.LoadFrom(metadata_start));
  }
  ARROW_ASSIGN_OR_RAISE(const auto descriptor, tail.Get(out.global_buffers[0]));
  ARROW_RETURN_NOT_OK(TakeDescriptor(*descriptor, &out));

  ARROW_ASSIGN_OR_RAISE(const auto columns,
                        ReadTable(&tail, footer.column_table, footer.num_columns, out.size_bytes,
                                  "metadata of column"));
  out.columns.reserve(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, tail.Get(columns[i]));
    lance::file::ColumnMetadata message;
    ARROW_RETURN_NOT_OK(ParseMessage(*bytes, "metadata of column", i, &message));
    ARROW_ASSIGN_OR_RAISE(auto column, TakeColumn(&message, i, aligned, out.size_bytes));
    out.columns.push_back(std::move(column));
  }
  return out;
}

std::string WrapAny(std::string_view type_url, std::string value) {
  lance::file::Any any;
  any.set_type_url(std::string(type_url));
  any.set_value(std::move(value));
  return any.SerializeAsString();
}

ContainerWriter::ContainerWriter(std::unique_ptr<io::ObjectWriter> object, FileVersion version,
                                 size_t num_columns)
    : object_(std::move(object)), version_(version), columns_(num_columns) {
  // ColumnEncoding{values: {}}
  const std::string values = WrapAny("/lance.encodings.ColumnEncoding", std::string("\x0a\x00", 2));
  for (auto& column : columns_) {
    column.encoding = values;
  }
}

arrow::Status ContainerWriter::Pad() {
  static const std::array<uint8_t, kAlignment> padding = [] {
    std::array<uint8_t, kAlignment> bytes{};
    bytes.fill(kPadByte);
    return bytes;
  }();
  const uint64_t position = object_->position();
  const uint64_t missing = PadTo(position, kAlignment) - position;
  return missing == 0 ? arrow::Status::OK() : object_->Append(padding.data(), missing);
}

arrow::Result<io::ByteRange> ContainerWriter::WriteBuffer(
    const std::shared_ptr<arrow::Buffer>& buffer) {
  ARROW_RETURN_NOT_OK(Pad());
  const io::ByteRange range{object_->position(), static_cast<uint64_t>(buffer->size())};
  if (range.length > 0) {
    ARROW_RETURN_NOT_OK(object_->Append(buffer->data(), range.length));
  }
  return range;
}

void ContainerWriter::AddPage(size_t column, PageInfo page) {
  columns_[column].pages.push_back(std::move(page));
}

void ContainerWriter::SetColumnEncoding(size_t column, std::string encoding) {
  columns_[column].encoding = std::move(encoding);
}

arrow::Result<uint64_t> ContainerWriter::Finish(const Schema& schema, uint64_t num_rows) {
  ARROW_RETURN_NOT_OK(Pad());
  const uint64_t start = object_->position();
  std::string out = SerializeDescriptor(schema, num_rows);
  const std::vector<io::ByteRange> globals = {{start, out.size()}};
  const uint64_t column_metadata_start = start + out.size();
  std::vector<io::ByteRange> columns;
  columns.reserve(columns_.size());
  for (const auto& column : columns_) {
    const std::string bytes = SerializeColumn(column);
    columns.push_back({start + out.size(), bytes.size()});
    out += bytes;
  }
  const uint64_t column_table = start + out.size();
  AppendTable(&out, columns);
  const uint64_t global_table = start + out.size();
  AppendTable(&out, globals);
  AppendLe(&out, column_metadata_start, 8);
  AppendLe(&out, column_table, 8);
  AppendLe(&out, global_table, 8);
  AppendLe(&out, globals.size(), 4);
  AppendLe(&out, columns.size(), 4);
  const FileVersion footer_version = version_ == kVersion20 ? FileVersion{0, 3} : version_;
  AppendLe(&out, footer_version.major, 2);
  AppendLe(&out, footer_version.minor, 2);
  out.append(kMagic, sizeof(kMagic));
  ARROW_RETURN_NOT_OK(object_->Append(out.data(), out.size()));
  return object_->Finish();
}

}  // namespace glaive::file
