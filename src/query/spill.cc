#include "query/spill.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sys/types.h>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/status.h"

namespace glaive::query {

namespace {

/// A file that has no name any more. It is gone when nothing holds it.
class NamelessFile {
 public:
  static arrow::Result<std::shared_ptr<NamelessFile>> Make(const std::string& directory) {
    std::string where = directory;
    if (where.empty()) {
      const char* from_environment = std::getenv("TMPDIR");
      where = from_environment != nullptr && *from_environment != '\0' ? from_environment : "/tmp";
    }
    auto file = std::shared_ptr<NamelessFile>(new NamelessFile(where));
#ifdef O_TMPFILE
    file->descriptor_ = ::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
    if (file->descriptor_ < 0) {
      // The file system may not know of files without names.
      std::string path = where + "/glaive-spill-XXXXXX";
      file->descriptor_ = ::mkostemp(path.data(), O_CLOEXEC);
      if (file->descriptor_ < 0) {
        return IoErrorFromErrno(errno, "make a spill file in", where);
      }
      ::unlink(path.c_str());
    }
    return file;
  }

  ~NamelessFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  arrow::Status Append(const uint8_t* data, int64_t bytes) {
    while (bytes > 0) {
      const ssize_t written =
          ::pwrite(descriptor_, data, static_cast<size_t>(bytes), static_cast<off_t>(size_));
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        return IoErrorFromErrno(errno, "write a spill file in", directory_);
      }
      data += written;
      bytes -= written;
      size_ += written;
    }
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, uint8_t* out) const {
    int64_t done = 0;
    while (done < bytes) {
      const ssize_t got = ::pread(descriptor_, out + done, static_cast<size_t>(bytes - done),
                                  static_cast<off_t>(position + done));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return IoErrorFromErrno(errno, "read a spill file in", directory_);
      }
      if (got == 0) {
        break;
      }
      done += got;
    }
    return done;
  }

  int64_t size() const {
    return size_;
  }

 private:
  explicit NamelessFile(std::string directory) : directory_(std::move(directory)) {}

  const std::string directory_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

class SpillOutput final : public arrow::io::OutputStream {
 public:
  explicit SpillOutput(std::shared_ptr<NamelessFile> file) : file_(std::move(file)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Tell() const override { return file_->size(); }

  bool closed() const override { return closed_; }

  arrow::Status Write(const void* data, int64_t bytes) override {
    return file_->Append(static_cast<const uint8_t*>(data), bytes);
  }

 private:
  const std::shared_ptr<NamelessFile> file_;
  bool closed_ = false;
};

class SpillInput final : public arrow::io::InputStream {
 public:
  SpillInput(std::shared_ptr<const NamelessFile> file, arrow::MemoryPool* pool)
      : file_(std::move(file)), pool_(pool) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Tell() const override { return position_; }

  bool closed() const override { return closed_; }

  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got,
                          file_->ReadAt(position_, bytes, static_cast<uint8_t*>(out)));
    position_ += got;
    return got;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    bytes = std::min(bytes, file_->size() - position_);
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes, pool_));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, Read(bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got, /*shrink_to_fit=*/false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  const std::shared_ptr<const NamelessFile> file_;
  arrow::MemoryPool* const pool_;
  int64_t position_ = 0;
  bool closed_ = false;
};

class IpcSpillFile final : public SpillFile {
 public:
  IpcSpillFile(std::shared_ptr<NamelessFile> file, arrow::MemoryPool* pool)
      : file_(std::move(file)), pool_(pool) {}

  arrow::Status Open(const std::shared_ptr<arrow::Schema>& schema) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.memory_pool = pool_;
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(writer_, arrow::ipc::MakeStreamWriter(
                                       std::make_shared<SpillOutput>(file_), schema, options));
    return arrow::Status::OK();
  }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    GLAIVE_CHECK_ARGUMENT(writer_ != nullptr, "a finished spill file takes no more rows");
    ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(batch));
    rows_ += static_cast<uint64_t>(batch.num_rows());
    return arrow::Status::OK();
  }

  arrow::Status Finish() override {
    if (writer_ == nullptr) {
      return arrow::Status::OK();
    }
    ARROW_RETURN_NOT_OK(writer_->Close());
    writer_.reset();
    return arrow::Status::OK();
  }

  uint64_t num_bytes() const override { return static_cast<uint64_t>(file_->size()); }

  uint64_t num_rows() const override { return rows_; }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read() const override {
    GLAIVE_CHECK_ARGUMENT(writer_ == nullptr, "a spill file is read before it is finished");
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = pool_;
    options.use_threads = false;
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                                           std::make_shared<SpillInput>(file_, pool_), options));
    return std::shared_ptr<arrow::RecordBatchReader>(std::move(reader));
  }

 private:
  const std::shared_ptr<NamelessFile> file_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  uint64_t rows_ = 0;
};

}  // namespace

arrow::Result<std::unique_ptr<SpillFile>> SpillFile::Make(const std::string& directory,
                                                          std::shared_ptr<arrow::Schema> schema,
                                                          arrow::MemoryPool* pool) {
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(auto file, NamelessFile::Make(directory));
  auto spill = std::make_unique<IpcSpillFile>(std::move(file), pool);
  ARROW_RETURN_NOT_OK(spill->Open(schema));
  return std::unique_ptr<SpillFile>(std::move(spill));
}

}  // namespace glaive::query
