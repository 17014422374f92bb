// The local file system. Reads are views of mappings; writes go to a staging name in the directory
// of the object and move to their path when they are whole (and synced).
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif
#include <unordered_set>

#include <arrow/buffer.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/status.h"
#include "base/uuid.h"
#include "io/object_store.h"

namespace glaive::io {

namespace {

/// Names with this prefix are unfinished writes, ours or those of other writers of the format.
constexpr std::string_view kStagingPrefix = ".tmp";
/// Small appends gather up to this many bytes before they are written.
constexpr size_t kWriteBuffer = 256u << 10;
/// After so many bytes the device is asked to start, so that the final sync has little left to do.
constexpr uint64_t kWritebackStep = 16u << 20;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;

  explicit Descriptor(int fd) : fd_(fd) {}

  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  int get() const { return fd_; }

  /// Closes now; false leaves the reason in errno.
  bool Close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_ = -1;
};

template <typename Call>
auto Uninterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

bool IsStagingName(std::string_view name) {
  return name.substr(0, kStagingPrefix.size()) == kStagingPrefix;
}

int64_t NanosOf(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

arrow::Status ReadFully(int fd, const std::string& path, uint64_t offset, uint8_t* out,
                        uint64_t length) {
  uint64_t done = 0;
  while (done < length) {
    const ssize_t got = Uninterrupted(
        [&] { return ::pread(fd, out + done, length - done, static_cast<off_t>(offset + done)); });
    if (got < 0) {
      return IoErrorFromErrno(errno, "read", path);
    }
    GLAIVE_CHECK_FORMAT(got > 0, "object '", path, "' ends at byte ", offset + done,
                        ", but a read of ", length, " bytes at offset ", offset,
                        " was promised: it was truncated while open");
    done += static_cast<uint64_t>(got);
  }
  return arrow::Status::OK();
}

arrow::Status CheckRange(const std::string& path, uint64_t size, uint64_t offset, uint64_t length) {
  uint64_t end = 0;
  GLAIVE_CHECK_FORMAT(CheckedAdd(offset, length, &end) && end <= size, "object '", path,
                      "': a read of ", length, " bytes at offset ", offset,
                      " reaches beyond its size of ", size, " bytes");
  return arrow::Status::OK();
}

/// A whole file, mapped; unmapped when the last buffer that views it goes.
class Mapping final : public arrow::Buffer {
 public:
  Mapping(uint8_t* data, int64_t size) : arrow::Buffer(data, size) {}

  ~Mapping() override {
    if (size() > 0) {
      ::munmap(const_cast<uint8_t*>(data()), static_cast<size_t>(size()));
    }
  }
};

class MappedReader final : public ObjectReader {
 public:
  MappedReader(std::string path, std::shared_ptr<arrow::Buffer> mapping)
      : path_(std::move(path)), mapping_(std::move(mapping)) {}

  const std::string& path() const override { return path_; }

  uint64_t size() const override { return static_cast<uint64_t>(mapping_->size()); }

  bool zero_copy() const override { return true; }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(uint64_t offset, uint64_t length) override {
    ARROW_RETURN_NOT_OK(CheckRange(path_, size(), offset, length));
    return arrow::SliceBuffer(mapping_, static_cast<int64_t>(offset), static_cast<int64_t>(length));
  }

  void Prefetch(std::span<const ByteRange> ranges) override {
    static const uint64_t kPage = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    std::vector<ByteRange> pages;  // offset and end, in whole pages
    for (const auto& range : ranges) {
      if (range.length == 0 || !CheckRange(path_, size(), range.offset, range.length).ok()) {
        continue;
      }
      pages.push_back({range.offset / kPage * kPage, range.offset + range.length});
    }
    std::sort(pages.begin(), pages.end(),
              [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
    for (size_t i = 0; i < pages.size();) {
      const uint64_t start = pages[i].offset;
      uint64_t end = pages[i].length;
      for (++i; i < pages.size() && pages[i].offset <= end + kPage; ++i) {
        end = std::max(end, pages[i].length);
      }
      // Only a hint: a failure costs nothing but time.
      ::madvise(const_cast<uint8_t*>(mapping_->data()) + start, end - start, MADV_WILLNEED);
    }
  }

 private:
  std::string path_;
  std::shared_ptr<arrow::Buffer> mapping_;
};

class CopyingReader final : public ObjectReader {
 public:
  CopyingReader(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  const std::string& path() const override { return path_; }

  uint64_t size() const override { return size_; }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(uint64_t offset, uint64_t length) override {
    ARROW_RETURN_NOT_OK(CheckRange(path_, size_, offset, length));
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(static_cast<int64_t>(length)));
    ARROW_RETURN_NOT_OK(ReadFully(file_.get(), path_, offset, buffer->mutable_data(), length));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  void Prefetch(std::span<const ByteRange> ranges) override {
    for (const auto& range : ranges) {
      ::posix_fadvise(file_.get(), static_cast<off_t>(range.offset),
                      static_cast<off_t>(range.length), POSIX_FADV_WILLNEED);
    }
  }

 private:
  std::string path_;
  Descriptor file_;
  uint64_t size_;
};

struct OpenedFile {
  Descriptor file;

  struct stat info {};
};

arrow::Result<OpenedFile> OpenForRead(const std::string& full) {
  OpenedFile opened;
  opened.file =
      Descriptor(Uninterrupted([&] { return ::open(full.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (opened.file.get() < 0) {
    return errno == ENOTDIR ? NotFound("there is no object '", full, "'")
                            : IoErrorFromErrno(errno, "open", full);
  }
  if (::fstat(opened.file.get(), &opened.info) != 0) {
    return IoErrorFromErrno(errno, "stat", full);
  }
  if (!S_ISREG(opened.info.st_mode)) {
    return NotFound("there is no object '", full, "': that is not a regular file");
  }
  return opened;
}

arrow::Status SyncDirectory(const std::string& directory) {
  Descriptor handle(
      Uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (handle.get() < 0) {
    return IoErrorFromErrno(errno, "open directory", directory);
  }
  // Some file systems cannot sync directories and say EINVAL: there is nothing to be done about it.
  if (::fsync(handle.get()) != 0 && errno != EINVAL) {
    return IoErrorFromErrno(errno, "sync directory", directory);
  }
  return arrow::Status::OK();
}

std::string ParentOf(const std::string& full) {
  const size_t slash = full.rfind('/');
  return slash == 0 ? "/" : full.substr(0, slash);
}

/// Directories known to exist, so that a write costs no mkdir. An entry may be stale (another
/// process removed the directory): whoever then gets ENOENT forgets it and asks again.
class Directories {
 public:
  explicit Directories(Durability durability) : durability_(durability) {}

  arrow::Status Ensure(const std::string& directory) {
    {
      std::lock_guard lock(mutex_);
      if (known_.count(directory) != 0) {
        return arrow::Status::OK();
      }
    }
    ARROW_RETURN_NOT_OK(Make(directory, 0));
    std::lock_guard lock(mutex_);
    if (known_.size() >= kMaxKnown) {
      known_.clear();
    }
    known_.insert(directory);
    return arrow::Status::OK();
  }

  void Forget() {
    std::lock_guard lock(mutex_);
    known_.clear();
  }

 private:
  static constexpr size_t kMaxKnown = 4096;

  arrow::Status Make(const std::string& directory, int depth) {
    if (::mkdir(directory.c_str(), 0777) == 0) {
      return durability_ == Durability::kSynced ? SyncDirectory(ParentOf(directory))
                                                : arrow::Status::OK();
    }
    if (errno == EEXIST) {
      struct stat info {};

      if (::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        return arrow::Status::OK();
      }
      return IoErrorFromErrno(ENOTDIR, "make directory", directory);
    }
    if (errno != ENOENT || directory == "/" || depth > PATH_MAX) {
      return IoErrorFromErrno(errno, "make directory", directory);
    }
    ARROW_RETURN_NOT_OK(Make(ParentOf(directory), depth + 1));
    return Make(directory, depth + 1);
  }

  const Durability durability_;
  std::mutex mutex_;
  std::unordered_set<std::string> known_;
};

/// Moves `from` to `to` only if `to` is free. AlreadyExists if it is not.
arrow::Status MoveIfAbsent(const std::string& from, const std::string& to) {
#ifdef RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return arrow::Status::OK();
  }
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
    return errno == EEXIST ? AlreadyExists("object '", to, "' exists already")
                           : IoErrorFromErrno(errno, "rename to", to);
  }
#endif
  if (::link(from.c_str(), to.c_str()) != 0) {
    return errno == EEXIST ? AlreadyExists("object '", to, "' exists already")
                           : IoErrorFromErrno(errno, "link to", to);
  }
  ::unlink(from.c_str());
  return arrow::Status::OK();
}

class LocalWriter final : public ObjectWriter {
 public:
  /// `one_sync`: the object may be visible before it is durable, on a file system that needs no more
  /// than one sync for both.
  LocalWriter(Descriptor file, std::string staging, std::string full, Durability durability,
              bool one_sync)
      : file_(std::move(file)),
        staging_(std::move(staging)),
        full_(std::move(full)),
        durability_(durability),
        one_sync_(one_sync && durability == Durability::kSynced) {}

  ~LocalWriter() override { Discard(); }

  uint64_t position() const override { return position_; }

  arrow::Status Append(const void* data, uint64_t length) override {
    if (buffer_.size() + length <= kWriteBuffer) {
      ARROW_RETURN_NOT_OK(CheckOpen());
      buffer_.append(static_cast<const char*>(data), length);
      position_ += length;
      return arrow::Status::OK();
    }
    iovec piece{const_cast<void*>(data), length};
    return Gather({&piece, 1}, length);
  }

  arrow::Status AppendMany(std::span<const std::shared_ptr<arrow::Buffer>> pieces) override {
    uint64_t total = 0;
    for (const auto& piece : pieces) {
      total += static_cast<uint64_t>(piece->size());
    }
    if (buffer_.size() + total <= kWriteBuffer) {
      return ObjectWriter::AppendMany(pieces);
    }
    std::vector<iovec> parts;
    parts.reserve(pieces.size());
    for (const auto& piece : pieces) {
      if (piece->size() > 0) {
        parts.push_back({const_cast<uint8_t*>(piece->data()), static_cast<size_t>(piece->size())});
      }
    }
    return Gather(parts, total);
  }

  arrow::Result<uint64_t> Finish() override {
    if (one_sync_) {
      return FinishWithOneSync();
    }
    arrow::Status status = Seal();
    if (status.ok() && ::rename(staging_.c_str(), full_.c_str()) != 0) {
      status = IoErrorFromErrno(errno, "rename to", full_);
    }
    return Conclude(std::move(status));
  }

  /// As Finish, but only if the path is free.
  arrow::Result<uint64_t> FinishIfAbsent() {
    arrow::Status status = Seal();
    if (status.ok()) {
      status = MoveIfAbsent(staging_, full_);
    }
    return Conclude(std::move(status));
  }

  arrow::Status Abort() override {
    Discard();
    return arrow::Status::OK();
  }

 private:
  arrow::Status CheckOpen() const {
    if (staging_.empty()) {
      return PreconditionFailed("the writer of '", full_, "' was finished or aborted before");
    }
    return failed_;
  }

  arrow::Status Gather(std::span<const iovec> pieces, uint64_t length) {
    ARROW_RETURN_NOT_OK(CheckOpen());
    std::vector<iovec> parts;
    parts.reserve(pieces.size() + 1);
    if (!buffer_.empty()) {
      parts.push_back({buffer_.data(), buffer_.size()});
    }
    parts.insert(parts.end(), pieces.begin(), pieces.end());
    failed_ = WriteAll(parts);
    buffer_.clear();
    ARROW_RETURN_NOT_OK(failed_);
    position_ += length;
    StartWriteback();
    return arrow::Status::OK();
  }

  arrow::Status WriteAll(std::vector<iovec>& parts) {
    size_t at = 0;
    while (at < parts.size()) {
      const int count = static_cast<int>(std::min<size_t>(parts.size() - at, IOV_MAX));
      const ssize_t wrote = Uninterrupted([&] { return ::writev(file_.get(), &parts[at], count); });
      if (wrote < 0) {
        return IoErrorFromErrno(errno, "write", full_);
      }
      auto left = static_cast<size_t>(wrote);
      while (at < parts.size() && left >= parts[at].iov_len) {
        left -= parts[at++].iov_len;
      }
      if (left > 0) {
        parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + left;
        parts[at].iov_len -= left;
      }
    }
    return arrow::Status::OK();
  }

  void StartWriteback() {
#ifdef SYNC_FILE_RANGE_WRITE
    if (durability_ == Durability::kSynced && position_ - writeback_ >= kWritebackStep) {
      ::sync_file_range(file_.get(), static_cast<off_t>(writeback_),
                        static_cast<off_t>(position_ - writeback_), SYNC_FILE_RANGE_WRITE);
      writeback_ = position_;
    }
#endif
  }

  /// Everything is in the file, synced if asked, and the file closed.
  arrow::Status Seal() {
    ARROW_RETURN_NOT_OK(CheckOpen());
    ARROW_RETURN_NOT_OK(Gather({}, 0));
    if (durability_ == Durability::kSynced && ::fdatasync(file_.get()) != 0) {
      return IoErrorFromErrno(errno, "sync", full_);
    }
    // Network file systems report late write errors here.
    return file_.Close() ? arrow::Status::OK() : IoErrorFromErrno(errno, "close", full_);
  }

  /// Syncing the file after its move makes the move durable, too: both changed the file, and the
  /// journal keeps their order.
  arrow::Result<uint64_t> FinishWithOneSync() {
    ARROW_RETURN_NOT_OK(CheckOpen());
    ARROW_RETURN_NOT_OK(Gather({}, 0));
    if (::rename(staging_.c_str(), full_.c_str()) != 0) {
      const arrow::Status failed = IoErrorFromErrno(errno, "rename to", full_);
      Discard();
      return failed;
    }
    staging_.clear();
    if (::fsync(file_.get()) != 0) {
      return IoErrorFromErrno(errno, "sync", full_);
    }
    if (!file_.Close()) {
      return IoErrorFromErrno(errno, "close", full_);
    }
    return position_;
  }

  arrow::Result<uint64_t> Conclude(arrow::Status moved) {
    if (!moved.ok()) {
      Discard();
      return moved;
    }
    staging_.clear();
    if (durability_ == Durability::kSynced) {
      ARROW_RETURN_NOT_OK(SyncDirectory(ParentOf(full_)));
    }
    return position_;
  }

  void Discard() {
    if (!staging_.empty()) {
      ::unlink(staging_.c_str());
      staging_.clear();
    }
  }

  Descriptor file_;
  std::string staging_;  // empty once finished or aborted
  std::string full_;
  Durability durability_;
  bool one_sync_;
  std::string buffer_;
  uint64_t position_ = 0;
  uint64_t writeback_ = 0;
  arrow::Status failed_;
};

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

using DirectoryHandle = std::unique_ptr<DIR, DirectoryCloser>;

/// Held by the open file, so it goes with the process.
class FileLock final : public ObjectLock {
 public:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

class LocalStore final : public ObjectStore {
 public:
  LocalStore(std::string root, const LocalStoreOptions& options)
      : root_(std::move(root)),
        prefix_(root_ == "/" ? "" : root_),
        options_(options),
        directories_(options.durability) {}

  const std::string& root() const override { return root_; }

  arrow::Result<std::shared_ptr<ObjectReader>> Open(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    std::string full = Full(path);
    ARROW_ASSIGN_OR_RAISE(auto opened, OpenForRead(full));
    const auto size = static_cast<uint64_t>(opened.info.st_size);
    if (!options_.use_mmap) {
      return std::make_shared<CopyingReader>(std::move(full), std::move(opened.file), size);
    }
    uint8_t* data = nullptr;
    if (size > 0) {
      void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, opened.file.get(), 0);
      if (mapped == MAP_FAILED) {
        return std::make_shared<CopyingReader>(std::move(full), std::move(opened.file), size);
      }
      data = static_cast<uint8_t*>(mapped);
    }
    return std::make_shared<MappedReader>(
        std::move(full), std::make_shared<Mapping>(data, static_cast<int64_t>(size)));
  }

  arrow::Result<std::unique_ptr<ObjectWriter>> Create(const std::string& path) override {
    // A new object is not referred to before it is finished, and then it is durable; see Put, which
    // may replace one that is.
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<ObjectWriter> writer,
                          Stage(path, options_.durability, OrdersItsJournal()));
    return writer;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string full = Full(path);
    ARROW_ASSIGN_OR_RAISE(auto opened, OpenForRead(full));
    const auto size = static_cast<uint64_t>(opened.info.st_size);
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(static_cast<int64_t>(size)));
    ARROW_RETURN_NOT_OK(ReadFully(opened.file.get(), full, 0, buffer->mutable_data(), size));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  arrow::Status Put(const std::string& path, std::string_view bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, Stage(path));
    ARROW_RETURN_NOT_OK(writer->Append(bytes.data(), bytes.size()));
    return writer->Finish().status();
  }

  arrow::Status PutRelaxed(const std::string& path, std::string_view bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, Stage(path, Durability::kNone));
    ARROW_RETURN_NOT_OK(writer->Append(bytes.data(), bytes.size()));
    return writer->Finish().status();
  }

  arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, Stage(path));
    ARROW_RETURN_NOT_OK(writer->Append(bytes.data(), bytes.size()));
    return writer->FinishIfAbsent().status();
  }

  arrow::Result<bool> Exists(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string full = Full(path);

    struct stat info {};

    if (::stat(full.c_str(), &info) == 0) {
      return S_ISREG(info.st_mode);
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    return IoErrorFromErrno(errno, "stat", full);
  }

  arrow::Result<ObjectInfo> Stat(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string full = Full(path);

    struct stat info {};

    if (::stat(full.c_str(), &info) != 0) {
      return errno == ENOTDIR ? NotFound("there is no object '", full, "'")
                              : IoErrorFromErrno(errno, "stat", full);
    }
    if (!S_ISREG(info.st_mode)) {
      return NotFound("there is no object '", full, "': that is not a regular file");
    }
    return ObjectInfo{path, static_cast<uint64_t>(info.st_size), NanosOf(info.st_mtim)};
  }

  arrow::Result<std::vector<ObjectInfo>> List(const std::string& directory) override {
    std::vector<ObjectInfo> objects;
    ARROW_RETURN_NOT_OK(ForEachEntry(directory, [&](int handle, const dirent& entry) {
      struct stat info {};
      if (entry.d_type == DT_DIR || IsStagingName(entry.d_name) ||
          ::fstatat(handle, entry.d_name, &info, 0) != 0 || !S_ISREG(info.st_mode)) {
        return;  // gone since, or no object
      }
      objects.push_back({directory.empty() ? entry.d_name : directory + "/" + entry.d_name,
                         static_cast<uint64_t>(info.st_size), NanosOf(info.st_mtim)});
    }));
    return objects;
  }

  arrow::Result<std::vector<std::string>> ListDirectories(const std::string& directory) override {
    std::vector<std::string> names;
    ARROW_RETURN_NOT_OK(ForEachEntry(directory, [&](int handle, const dirent& entry) {
      bool is_directory = entry.d_type == DT_DIR;
      if (entry.d_type == DT_UNKNOWN || entry.d_type == DT_LNK) {
        struct stat info {};
        is_directory = ::fstatat(handle, entry.d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
      }
      if (is_directory) {
        names.emplace_back(entry.d_name);
      }
    }));
    return names;
  }

  arrow::Result<std::vector<ObjectInfo>> ListUnfinished(const std::string& directory) override {
    std::vector<ObjectInfo> objects;
    ARROW_RETURN_NOT_OK(ForEachEntry(directory, [&](int handle, const dirent& entry) {
      struct stat info {};
      if (!IsStagingName(entry.d_name) ||
          ::fstatat(handle, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG(info.st_mode)) {
        return;
      }
      objects.push_back({directory.empty() ? entry.d_name : directory + "/" + entry.d_name,
                         static_cast<uint64_t>(info.st_size), NanosOf(info.st_mtim)});
    }));
    return objects;
  }

  arrow::Result<std::unique_ptr<ObjectLock>> TryLock(const std::string& path,
                                                     LockMode mode) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string full = Full(path);
    Descriptor file(Uninterrupted([&] { return ::open(full.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (file.get() < 0) {
      return IoErrorFromErrno(errno, "open", full);
    }
    const int operation = (mode == LockMode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    if (Uninterrupted([&] { return ::flock(file.get(), operation); }) != 0) {
      if (errno == EWOULDBLOCK) {
        return nullptr;
      }
      if (errno == ENOLCK || errno == ENOTSUP || errno == EINVAL) {
        return std::make_unique<ObjectLock>();  // a file system without locks
      }
      return IoErrorFromErrno(errno, "lock", full);
    }
    // Whoever removed it held the lock until then.
    struct stat info {};

    if (::fstat(file.get(), &info) != 0 || info.st_nlink == 0) {
      return NotFound("there is no object '", full, "'");
    }
    return std::make_unique<FileLock>(std::move(file));
  }

  arrow::Status Delete(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string full = Full(path);
    if (::unlink(full.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
      return IoErrorFromErrno(errno, "delete", full);
    }
    return arrow::Status::OK();
  }

  arrow::Status DeleteTree(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    directories_.Forget();
    const std::string full = Full(directory);

    struct stat info {};

    if (::lstat(full.c_str(), &info) != 0) {
      return errno == ENOENT || errno == ENOTDIR ? arrow::Status::OK()
                                                 : IoErrorFromErrno(errno, "stat", full);
    }
    if (!S_ISDIR(info.st_mode)) {
      // A link to a directory: the link goes, what it points at lies outside this store.
      return S_ISLNK(info.st_mode) ? Delete(directory) : arrow::Status::OK();
    }
    // A writer in another process may add files meanwhile; a few rounds outlast it.
    arrow::Status status;
    for (int round = 0; round < 5; ++round) {
      status = RemoveTree(AT_FDCWD, full.c_str(), full, 0);
      if (status.ok()) {
        break;
      }
    }
    ARROW_RETURN_NOT_OK(status);
    return options_.durability == Durability::kSynced ? SyncDirectory(ParentOf(full))
                                                      : arrow::Status::OK();
  }

  arrow::Status RemoveEmptyDirectory(const std::string& directory) override {
    if (!directory.empty()) {
      ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    }
    const std::string full = directory.empty() ? root_ : Full(directory);
    directories_.Forget();
    if (::rmdir(full.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST &&
        errno != ENOTDIR) {
      return IoErrorFromErrno(errno, "remove directory", full);
    }
    return arrow::Status::OK();
  }

  arrow::Status RenameTree(const std::string& from, const std::string& to) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(from));
    ARROW_RETURN_NOT_OK(CheckObjectPath(to));
    directories_.Forget();
    const std::string full_from = Full(from);
    const std::string full_to = Full(to);

    struct stat info {};

    if (::stat(full_from.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      return NotFound("there is no directory '", full_from, "'");
    }
    ARROW_RETURN_NOT_OK(directories_.Ensure(ParentOf(full_to)));
    ARROW_RETURN_NOT_OK(MoveDirectory(full_from, full_to));
    if (options_.durability == Durability::kSynced) {
      ARROW_RETURN_NOT_OK(SyncDirectory(ParentOf(full_from)));
      ARROW_RETURN_NOT_OK(SyncDirectory(ParentOf(full_to)));
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<ObjectStore>> Sub(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    return std::make_shared<LocalStore>(Full(directory), options_);
  }

 private:
  std::string Full(const std::string& path) const { return prefix_ + "/" + path; }

  arrow::Result<std::unique_ptr<LocalWriter>> Stage(const std::string& path) {
    return Stage(path, options_.durability);
  }

  arrow::Result<std::unique_ptr<LocalWriter>> Stage(const std::string& path,
                                                    Durability durability, bool one_sync = false) {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    std::string full = Full(path);
    const std::string directory = ParentOf(full);
    std::string staging = Concat(directory == "/" ? "" : directory, "/", kStagingPrefix, "-",
                                 Uuid::Random().ToString());
    for (int attempt = 0;; ++attempt) {
      ARROW_RETURN_NOT_OK(directories_.Ensure(directory));
      Descriptor file(Uninterrupted(
          [&] { return ::open(staging.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
      if (file.get() >= 0) {
        return std::make_unique<LocalWriter>(std::move(file), std::move(staging), std::move(full),
                                             durability, one_sync);
      }
      if (errno != ENOENT || attempt >= 3) {
        return IoErrorFromErrno(errno, "create", full);
      }
      directories_.Forget();
    }
  }

  /// True on file systems of which it is known that syncing a file makes its own last rename
  /// durable. Others get a sync of the directory as well.
  bool OrdersItsJournal() {
#ifdef __linux__
    int known = journal_.load(std::memory_order_relaxed);
    if (known < 0) {
      struct statfs info {};

      if (::statfs(root_.c_str(), &info) != 0) {
        return false;  // not made yet
      }
      constexpr uint32_t kExt4 = 0xEF53;
      constexpr uint32_t kXfs = 0x58465342;
      constexpr uint32_t kBtrfs = 0x9123683E;
      const auto type = static_cast<uint32_t>(info.f_type);
      known = type == kExt4 || type == kXfs || type == kBtrfs ? 1 : 0;
      journal_.store(known, std::memory_order_relaxed);
    }
    return known == 1;
#else
    return false;
#endif
  }

  template <typename Visit>
  arrow::Status ForEachEntry(const std::string& directory, const Visit& visit) {
    if (!directory.empty()) {
      ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    }
    const std::string full = directory.empty() ? root_ : Full(directory);
    DirectoryHandle handle(::opendir(full.c_str()));
    if (handle == nullptr) {
      return errno == ENOENT || errno == ENOTDIR ? arrow::Status::OK()
                                                 : IoErrorFromErrno(errno, "list", full);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(handle.get());
      if (entry == nullptr) {
        return errno == 0 ? arrow::Status::OK() : IoErrorFromErrno(errno, "list", full);
      }
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        visit(::dirfd(handle.get()), *entry);
      }
    }
  }

  /// Never follows links, so it cannot leave the directory.
  static arrow::Status RemoveTree(int parent, const char* name, const std::string& full,
                                  int depth) {
    GLAIVE_CHECK_ARGUMENT(depth < 256, "directory '", full, "' is nested more than 256 deep");
    Descriptor handle(Uninterrupted(
        [&] { return ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (handle.get() < 0) {
      return errno == ENOENT ? arrow::Status::OK()
                             : IoErrorFromErrno(errno, "open directory", full);
    }
    const int fd = handle.get();
    DirectoryHandle entries(::fdopendir(::dup(fd)));
    if (entries == nullptr) {
      return IoErrorFromErrno(errno, "list", full);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(entries.get());
      if (entry == nullptr) {
        if (errno != 0) {
          return IoErrorFromErrno(errno, "list", full);
        }
        break;
      }
      const std::string_view child = entry->d_name;
      if (child == "." || child == ".." || ::unlinkat(fd, entry->d_name, 0) == 0 ||
          errno == ENOENT) {
        continue;
      }
      if (errno != EISDIR && errno != EPERM) {
        return IoErrorFromErrno(errno, "delete", full + "/" + entry->d_name);
      }
      ARROW_RETURN_NOT_OK(RemoveTree(fd, entry->d_name, full + "/" + entry->d_name, depth + 1));
    }
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
      return IoErrorFromErrno(errno, "delete directory", full);
    }
    return arrow::Status::OK();
  }

  static arrow::Status MoveDirectory(const std::string& from, const std::string& to) {
#ifdef RENAME_NOREPLACE
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return arrow::Status::OK();
    }
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
      return errno == EEXIST ? AlreadyExists("directory '", to, "' exists already")
                             : IoErrorFromErrno(errno, "rename to", to);
    }
#endif
    struct stat info {};

    if (::lstat(to.c_str(), &info) == 0) {
      return AlreadyExists("directory '", to, "' exists already");
    }
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return errno == ENOTEMPTY || errno == EEXIST
                 ? AlreadyExists("directory '", to, "' exists already")
                 : IoErrorFromErrno(errno, "rename to", to);
    }
    return arrow::Status::OK();
  }

  const std::string root_;
  const std::string prefix_;
  const LocalStoreOptions options_;
  Directories directories_;
  std::atomic<int> journal_{-1};  // -1: not looked at yet
};

}  // namespace

arrow::Result<std::shared_ptr<ObjectStore>> OpenLocalStore(const std::string& directory,
                                                           const LocalStoreOptions& options) {
  GLAIVE_CHECK_ARGUMENT(!directory.empty(), "the directory of a store is empty");
  GLAIVE_CHECK_ARGUMENT(directory.find('\0') == std::string::npos,
                        "the directory of a store holds a NUL byte");
  std::error_code error;
  std::string root = std::filesystem::absolute(directory, error).lexically_normal().string();
  if (error) {
    return IoErrorFromErrno(error.value(), "find the working directory for", directory);
  }
  while (root.size() > 1 && root.back() == '/') {
    root.pop_back();
  }

  struct stat info {};

  if (::stat(root.c_str(), &info) == 0) {
    GLAIVE_CHECK_ARGUMENT(S_ISDIR(info.st_mode), "'", root, "' is not a directory");
  } else if (errno != ENOENT) {
    return errno == ENOTDIR ? InvalidArgument("a parent of '", root, "' is not a directory")
                            : IoErrorFromErrno(errno, "stat", root);
  }
  return std::make_shared<LocalStore>(std::move(root), options);
}

}  // namespace glaive::io
