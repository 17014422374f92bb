#include "cli/input.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/json/options.h>
#include <arrow/json/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <poll.h>
#include <unistd.h>

#include "base/status.h"

namespace glaive::cli {

namespace {

using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;
using StreamPtr = std::shared_ptr<arrow::io::InputStream>;

constexpr int32_t kCsvBlock = 4 << 20;
constexpr int32_t kJsonBlock = 8 << 20;
constexpr int64_t kParquetBatchRows = 8192;

// stdin, in reads that a stop request can end.
class StdinStream final : public arrow::io::InputStream {
 public:
  explicit StdinStream(CancelToken cancel) : cancel_(std::move(cancel)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

  bool closed() const override { return closed_; }

  arrow::Result<int64_t> Tell() const override { return position_; }

  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    int64_t done = 0;
    while (done < nbytes) {
      ARROW_RETURN_NOT_OK(WaitForBytes());
      const ssize_t got =
          read(STDIN_FILENO, static_cast<char*>(out) + done, static_cast<size_t>(nbytes - done));
      if (got == 0) {
        break;
      }
      if (got > 0) {
        done += got;
      } else if (errno != EINTR && errno != EAGAIN) {
        return IoErrorFromErrno(errno, "read", "stdin");
      }
    }
    position_ += done;
    return done;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(nbytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, Read(nbytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return buffer;
  }

 private:
  arrow::Status WaitForBytes() const {
    constexpr int kMillis = 100;
    while (true) {
      ARROW_RETURN_NOT_OK(cancel_.Check("reading stdin"));
      pollfd poll_stdin{STDIN_FILENO, POLLIN, 0};
      if (poll(&poll_stdin, 1, kMillis) > 0) {
        return arrow::Status::OK();
      }
    }
  }

  CancelToken cancel_;
  int64_t position_ = 0;
  bool closed_ = false;
};

// Keeps what a reader reads from alive.
class OwningReader final : public arrow::RecordBatchReader {
 public:
  OwningReader(ReaderPtr reader, std::shared_ptr<void> owner)
      : reader_(std::move(reader)), owner_(std::move(owner)) {}

  ~OwningReader() override { reader_.reset(); }

  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return reader_->ReadNext(batch);
  }

 private:
  ReaderPtr reader_;
  std::shared_ptr<void> owner_;
};

arrow::Result<StreamPtr> OpenStream(const std::string& path, const CancelToken& cancel) {
  if (path == "-") {
    return std::make_shared<StdinStream>(cancel);
  }
  return arrow::io::ReadableFile::Open(path);
}

arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenSeekable(const std::string& path) {
  GLAIVE_CHECK_ARGUMENT(
      path != "-",
      "stdin: this format needs a file that can be seeked; from a pipe, read CSV, JSON "
      "lines or an Arrow stream (--format arrow-stream)");
  return arrow::io::ReadableFile::Open(path);
}

arrow::Result<ReaderPtr> OpenParquet(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenSeekable(path));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kParquetBatchRows);
  properties.set_pre_buffer(false);
  properties.set_use_threads(true);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
  ARROW_ASSIGN_OR_RAISE(auto made, builder.properties(properties)->Build());
  std::shared_ptr<parquet::arrow::FileReader> reader = std::move(made);
  ARROW_ASSIGN_OR_RAISE(auto batches, reader->GetRecordBatchReader());
  return std::make_shared<OwningReader>(std::move(batches), std::move(reader));
}

// An IPC file as a stream of its batches.
class IpcFileReader final : public arrow::RecordBatchReader {
 public:
  explicit IpcFileReader(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (next_ >= file_->num_record_batches()) {
      *batch = nullptr;
      return arrow::Status::OK();
    }
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

// Both IPC forms under either ending: a file begins with "ARROW1".
arrow::Result<ReaderPtr> OpenIpc(const std::string& path, const CancelToken& cancel) {
  if (path != "-") {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenSeekable(path));
    ARROW_ASSIGN_OR_RAISE(const auto magic, file->ReadAt(0, 6));
    if (magic->ToString() == "ARROW1") {
      ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
      return std::make_shared<IpcFileReader>(std::move(reader));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenStream(path, cancel));
  return arrow::ipc::RecordBatchStreamReader::Open(std::move(stream));
}

// Types that CSV and JSON fields can be read as, when the table says what is expected.
bool IsReadableAs(const arrow::DataType& type, bool nested) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::STRING:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return true;
    case arrow::Type::DATE32:
      return !nested;  // CSV; a JSON date is read as a timestamp and cast
    case arrow::Type::LIST:
    case arrow::Type::STRUCT:
      for (const auto& field : type.fields()) {
        if (!IsReadableAs(*field->type(), nested)) {
          return false;
        }
      }
      return nested;
    default:
      return false;
  }
}

arrow::Result<ReaderPtr> OpenCsv(const InputArguments& input,
                                 const std::shared_ptr<arrow::Schema>& expected,
                                 const CancelToken& cancel) {
  const std::string delimiter = input.delimiter == "\\t" ? "\t" : input.delimiter;
  GLAIVE_CHECK_ARGUMENT(delimiter.size() == 1, "--delimiter: found '", input.delimiter,
                        "', expected one character or \\t");
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = kCsvBlock;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter[0];
  parse.newlines_in_values = true;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  // Only an empty field is null: "NA" or "null" may be somebody's name.
  convert.null_values = {""};
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  if (expected != nullptr) {
    for (const auto& field : expected->fields()) {
      if (IsReadableAs(*field->type(), false)) {
        convert.column_types[field->name()] = field->type();
      }
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenStream(input.path, cancel));
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), std::move(stream), read,
                                           parse, convert);
}

arrow::Result<ReaderPtr> OpenJson(const std::string& path,
                                  const std::shared_ptr<arrow::Schema>& expected,
                                  const CancelToken& cancel) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.block_size = kJsonBlock;
  auto parse = arrow::json::ParseOptions::Defaults();
  if (expected != nullptr) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const auto& field : expected->fields()) {
      if (IsReadableAs(*field->type(), true)) {
        fields.push_back(arrow::field(field->name(), field->type()));
      }
    }
    parse.explicit_schema = arrow::schema(std::move(fields));
  }
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenStream(path, cancel));
  return arrow::json::StreamingReader::Make(std::move(stream), read, parse);
}

arrow::Result<ReaderPtr> OpenAs(RowFormat format, const InputArguments& input,
                                const std::shared_ptr<arrow::Schema>& expected,
                                const CancelToken& cancel) {
  switch (format) {
    case RowFormat::kParquet:
      return OpenParquet(input.path);
    case RowFormat::kCsv:
      return OpenCsv(input, expected, cancel);
    case RowFormat::kJsonLines:
      return OpenJson(input.path, expected, cancel);
    default:
      return OpenIpc(input.path, cancel);
  }
}

}  // namespace

void InputArguments::Declare(Arguments& arguments) {
  arguments.Positional("FILE", &path, "the file to read, or - for stdin");
  arguments.Choice(
      "format,f", &format, {"parquet", "csv", "jsonl", "arrow", "arrow-stream"},
      "parquet, csv, jsonl, arrow (IPC file) or arrow-stream (.arrows); else by the ending");
  arguments.Text("delimiter", &delimiter, "between the fields of CSV, \\t for a tab");
}

arrow::Result<ReaderPtr> OpenInput(const InputArguments& input,
                                   const std::shared_ptr<arrow::Schema>& expected,
                                   const CancelToken& cancel) {
  ARROW_ASSIGN_OR_RAISE(const RowFormat format, RowFormatOf(input.path, input.format));
  auto reader = OpenAs(format, input, expected, cancel);
  if (!reader.ok()) {
    return WithContext(reader.status(), Concat("reading '", input.path, "'"));
  }
  return reader;
}

}  // namespace glaive::cli
