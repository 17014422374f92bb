#include "cli/output.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/text_table.h"
#include "cli/value_writer.h"

namespace glaive::cli {

namespace {

constexpr size_t kTextBlock = size_t{1} << 20;  // bytes of text collected before a write
constexpr size_t kTableBlock = 1000;            // rows of a table whose widths are chosen together

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// stdout, which may be a pipe and then knows no position of its own.
class StdoutStream final : public arrow::io::OutputStream {
 public:
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

  bool closed() const override { return closed_; }

  arrow::Result<int64_t> Tell() const override { return position_; }

  arrow::Status Write(const void* data, int64_t nbytes) override {
    int64_t done = 0;
    while (done < nbytes) {
      const ssize_t wrote = write(STDOUT_FILENO, static_cast<const char*>(data) + done,
                                  static_cast<size_t>(nbytes - done));
      if (wrote >= 0) {
        done += wrote;
      } else if (errno != EINTR) {
        return IoErrorFromErrno(errno, "write", "stdout");
      }
    }
    position_ += done;
    return arrow::Status::OK();
  }

 private:
  int64_t position_ = 0;
  bool closed_ = false;
};

// A file that gets its name when it is complete, or stdout.
class Destination {
 public:
  static arrow::Result<std::unique_ptr<Destination>> Open(const std::string& path) {
    auto destination = std::unique_ptr<Destination>(new Destination(path));
    if (path == "-") {
      destination->stream_ = std::make_shared<StdoutStream>();
    } else {
      destination->partial_ = path + ".partial-" + std::to_string(getpid());
      ARROW_ASSIGN_OR_RAISE(destination->stream_,
                            arrow::io::FileOutputStream::Open(destination->partial_));
    }
    return destination;
  }

  ~Destination() {
    if (!partial_.empty()) {
      std::remove(partial_.c_str());
    }
  }

  const std::shared_ptr<arrow::io::OutputStream>& stream() const { return stream_; }

  arrow::Status Finish() {
    ARROW_RETURN_NOT_OK(stream_->Close());
    if (!partial_.empty()) {
      std::error_code error;
      std::filesystem::rename(partial_, path_, error);
      if (error) {
        return IoErrorFromErrno(error.value(), "rename", path_);
      }
      partial_.clear();
    }
    return arrow::Status::OK();
  }

 private:
  explicit Destination(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::string partial_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
};

using DestinationPtr = std::unique_ptr<Destination>;

class JsonSink final : public RowSink {
 public:
  JsonSink(DestinationPtr to, const arrow::Schema& schema) : to_(std::move(to)), rows_(schema) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    // In slices, so that wide rows do not pile up as text.
    for (int64_t at = 0; at < batch->num_rows(); at += 256) {
      ARROW_RETURN_NOT_OK(rows_.Append(*batch->Slice(at, 256), &text_));
      if (text_.size() >= kTextBlock) {
        ARROW_RETURN_NOT_OK(Flush());
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish() override {
    ARROW_RETURN_NOT_OK(Flush());
    return to_->Finish();
  }

 private:
  arrow::Status Flush() {
    ARROW_RETURN_NOT_OK(to_->stream()->Write(text_.data(), static_cast<int64_t>(text_.size())));
    text_.clear();
    return arrow::Status::OK();
  }

  DestinationPtr to_;
  JsonRows rows_;
  std::string text_;
};

// RFC 4180 with "\n" line ends. A null is an empty field, an empty string is "".
class CsvSink final : public RowSink {
 public:
  CsvSink(DestinationPtr to, const arrow::Schema& schema) : to_(std::move(to)) {
    for (int c = 0; c < schema.num_fields(); ++c) {
      text_.append(c > 0 ? "," : "");
      AppendField(schema.field(c)->name());
    }
    text_.push_back('\n');
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    std::vector<std::unique_ptr<ValueWriter>> columns;
    for (const auto& column : batch->columns()) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), ValueWriter::Make(column));
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (size_t c = 0; c < columns.size(); ++c) {
        text_.append(c > 0 ? "," : "");
        if (!columns[c]->IsNull(row)) {
          field_.clear();
          columns[c]->Text(row, &field_);
          AppendField(field_);
        }
      }
      text_.push_back('\n');
      if (text_.size() >= kTextBlock) {
        ARROW_RETURN_NOT_OK(Flush());
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish() override {
    ARROW_RETURN_NOT_OK(Flush());
    return to_->Finish();
  }

 private:
  void AppendField(const std::string& field) {
    if (!field.empty() && field.find_first_of(",\"\r\n") == std::string::npos) {
      text_.append(field);
      return;
    }
    text_.push_back('"');
    for (const char c : field) {
      text_.append(c == '"' ? 2 : 1, c);
    }
    text_.push_back('"');
  }

  arrow::Status Flush() {
    ARROW_RETURN_NOT_OK(to_->stream()->Write(text_.data(), static_cast<int64_t>(text_.size())));
    text_.clear();
    return arrow::Status::OK();
  }

  DestinationPtr to_;
  std::string text_;
  std::string field_;
};

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

class TableSink final : public RowSink {
 public:
  TableSink(DestinationPtr to, const arrow::Schema& schema) : to_(std::move(to)) {
    for (const auto& field : schema.fields()) {
      table_.AddColumn(field->name(), IsNumber(*field->type()) ? TextTable::Align::kRight
                                                               : TextTable::Align::kLeft);
    }
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    std::vector<std::unique_ptr<ValueWriter>> columns;
    for (const auto& column : batch->columns()) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), ValueWriter::Make(column));
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::vector<std::string> cells(columns.size());
      for (size_t c = 0; c < columns.size(); ++c) {
        columns[c]->Short(row, &cells[c]);
      }
      table_.AddRow(std::move(cells));
      if (table_.num_rows() >= kTableBlock) {
        ARROW_RETURN_NOT_OK(Flush());
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish() override {
    if (table_.num_rows() > 0 || !header_written_) {
      ARROW_RETURN_NOT_OK(Flush());
    }
    return to_->Finish();
  }

 private:
  arrow::Status Flush() {
    const std::string text = table_.Render(TerminalWidth(), !header_written_);
    header_written_ = true;
    table_.ClearRows();
    return to_->stream()->Write(text.data(), static_cast<int64_t>(text.size()));
  }

  DestinationPtr to_;
  TextTable table_;
  bool header_written_ = false;
};

// Rows through one of Arrow's writers, which is held as `WriterPtr`.
template <typename WriterPtr>
class ArrowSink final : public RowSink {
 public:
  ArrowSink(DestinationPtr to, WriterPtr writer) : to_(std::move(to)), writer_(std::move(writer)) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    return writer_->WriteRecordBatch(*batch);
  }

  arrow::Status Finish() override {
    ARROW_RETURN_NOT_OK(writer_->Close());
    return to_->Finish();
  }

 private:
  DestinationPtr to_;
  WriterPtr writer_;
};

using IpcSink = ArrowSink<std::shared_ptr<arrow::ipc::RecordBatchWriter>>;
using ParquetSink = ArrowSink<std::unique_ptr<parquet::arrow::FileWriter>>;

arrow::Result<std::unique_ptr<RowSink>> MakeIpcSink(DestinationPtr to, bool file,
                                                    const std::shared_ptr<arrow::Schema>& schema) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  if (file) {
    options.unify_dictionaries = true;
  }
  ARROW_ASSIGN_OR_RAISE(auto writer,
                        file ? arrow::ipc::MakeFileWriter(to->stream(), schema, options)
                             : arrow::ipc::MakeStreamWriter(to->stream(), schema, options));
  return std::make_unique<IpcSink>(std::move(to), std::move(writer));
}

arrow::Result<std::unique_ptr<RowSink>> MakeParquetSink(
    DestinationPtr to, const std::shared_ptr<arrow::Schema>& schema) {
  auto properties =
      parquet::WriterProperties::Builder().compression(arrow::Compression::ZSTD)->build();
  auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  ARROW_ASSIGN_OR_RAISE(
      auto writer, parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(),
                                                    to->stream(), properties, arrow_properties));
  return std::make_unique<ParquetSink>(std::move(to), std::move(writer));
}

}  // namespace

arrow::Result<RowFormat> RowFormatOf(const std::string& path, const std::string& name) {
  const std::string kind = name.empty() ? "." + path : "." + name;
  for (const char* end : {".parquet", ".pq"}) {
    if (EndsWith(kind, end)) {
      return RowFormat::kParquet;
    }
  }
  for (const char* end : {".jsonl", ".ndjson", ".json"}) {
    if (EndsWith(kind, end)) {
      return RowFormat::kJsonLines;
    }
  }
  if (EndsWith(kind, ".csv")) {
    return RowFormat::kCsv;
  }
  if (EndsWith(kind, ".arrows") || name == "arrow-stream") {
    return RowFormat::kArrowStream;
  }
  for (const char* end : {".arrow", ".ipc", ".feather"}) {
    if (EndsWith(kind, end)) {
      return RowFormat::kArrowFile;
    }
  }
  return InvalidArgument(
      "format of '", path,
      "': give --format parquet, csv, jsonl, arrow or arrow-stream, or a file name "
      "that ends in .parquet, .csv, .jsonl, .arrow or .arrows");
}

arrow::Result<std::unique_ptr<RowSink>> RowSink::Make(
    RowFormat format, const std::string& path, const std::shared_ptr<arrow::Schema>& schema) {
  ARROW_ASSIGN_OR_RAISE(auto to, Destination::Open(path));
  switch (format) {
    case RowFormat::kJsonLines:
      return std::make_unique<JsonSink>(std::move(to), *schema);
    case RowFormat::kCsv:
      return std::make_unique<CsvSink>(std::move(to), *schema);
    case RowFormat::kArrowStream:
      return MakeIpcSink(std::move(to), false, schema);
    case RowFormat::kArrowFile:
      return MakeIpcSink(std::move(to), true, schema);
    case RowFormat::kParquet:
      return MakeParquetSink(std::move(to), schema);
    case RowFormat::kTable:
      break;
  }
  return std::make_unique<TableSink>(std::move(to), *schema);
}

arrow::Result<uint64_t> Drain(arrow::RecordBatchReader& reader, RowSink& sink,
                              const CancelToken& cancel) {
  uint64_t rows = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(cancel.Check("writing rows"));
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader.Next());
    if (batch == nullptr) {
      break;
    }
    ARROW_RETURN_NOT_OK(sink.Write(batch));
    rows += static_cast<uint64_t>(batch->num_rows());
  }
  ARROW_RETURN_NOT_OK(sink.Finish());
  return rows;
}

void OutputArguments::Declare(Arguments& arguments) {
  arguments.Flag("csv", &csv, "print CSV");
  arguments.Flag("arrow", &arrow, "write an Arrow IPC stream");
  arguments.Flag("parquet", &parquet, "write Parquet (with --output)");
  arguments.Text("output,o", &output, "write to this file instead of stdout");
}

arrow::Result<RowFormat> OutputArguments::Format(const Context& context) const {
  GLAIVE_CHECK_ARGUMENT(int{csv} + int{arrow} + int{parquet} + int{context.json} <= 1,
                        "--json, --csv, --arrow and --parquet: give only one of them");
  const bool binary = arrow || parquet;
  GLAIVE_CHECK_ARGUMENT(!binary || output != "-" || isatty(STDOUT_FILENO) == 0,
                        "binary rows do not belong on a terminal: give --output FILE or a pipe");
  return csv            ? RowFormat::kCsv
         : arrow        ? RowFormat::kArrowStream
         : parquet      ? RowFormat::kParquet
         : context.json ? RowFormat::kJsonLines
                        : RowFormat::kTable;
}

}  // namespace glaive::cli
