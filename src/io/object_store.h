// The door to storage: objects by path under one root, read by ranges, written whole, put if absent.
// Everything above (files, manifests, deletion files) goes through here, so a test can put a
// fault-injecting store in between and later rooms can add s3, gs and azure.
//
// Paths are relative to the store's root, separated by '/', without leading '/' and without "." or ".."
// segments; a violation is kInvalidArgument.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::io {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;
};

/// An open immutable object. Thread-safe.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const std::string& path() const = 0;
  virtual uint64_t size() const = 0;

  /// Exactly [offset, offset + length). kCorruption if that reaches beyond size(). A local store returns
  /// a view of its mapping: no copy, 64-byte alignment as in the file. The buffer keeps the mapping alive.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Read(uint64_t offset, uint64_t length) = 0;

  /// As many reads as ranges, in the same order; a store may merge near ones and issue them at once.
  virtual arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadMany(
      std::span<const ByteRange> ranges);

  /// A hint that these ranges will be read soon: starts the device, does not wait.
  virtual void Prefetch(std::span<const ByteRange> ranges) {}

  /// True if Read costs no copy and no request (mapped or in memory), so small reads need not be merged.
  virtual bool zero_copy() const { return false; }
};

/// A new object: bytes are appended, and it appears under its path whole at Finish, or not at all.
/// One thread at a time. Destroying an unfinished writer aborts it.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual uint64_t position() const = 0;
  virtual arrow::Status Append(const void* data, uint64_t length) = 0;
  /// Gathers several pieces into few system calls.
  virtual arrow::Status AppendMany(std::span<const std::shared_ptr<arrow::Buffer>> pieces);
  /// Makes the object visible, and durable if the store was opened so. Returns its size.
  virtual arrow::Result<uint64_t> Finish() = 0;
  virtual arrow::Status Abort() = 0;
};

struct ObjectInfo {
  std::string path;  ///< relative to the store's root
  uint64_t size = 0;
  int64_t modified_nanos = 0;  ///< since 1970-01-01 UTC
};

enum class LockMode { kShared, kExclusive };

/// A lock on an object, given back when destroyed, or when its process dies. Advisory: it keeps out only
/// who asks for a lock, too.
class ObjectLock {
 public:
  virtual ~ObjectLock() = default;
};

/// Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// For messages, and for base paths of clones: an absolute path or URI without trailing '/'.
  virtual const std::string& root() const = 0;

  /// kNotFound if there is none. `size` may be given to save a request; a wrong one is kCorruption.
  virtual arrow::Result<std::shared_ptr<ObjectReader>> Open(const std::string& path) = 0;
  virtual arrow::Result<std::unique_ptr<ObjectWriter>> Create(const std::string& path) = 0;
  /// The whole object in memory of its own (never a mapping).
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) = 0;
  /// Writes or replaces the object in one step: a reader sees the old or the new bytes.
  virtual arrow::Status Put(const std::string& path, std::string_view bytes) = 0;
  /// As Put, but does not wait for the device, however the store was opened: for what a crash of the
  /// machine may take, because it only repeats or hints at what is stored elsewhere.
  virtual arrow::Status PutRelaxed(const std::string& path, std::string_view bytes) {
    return Put(path, bytes);
  }
  /// Writes the object only if the path is free: exactly one of several racing callers succeeds, the
  /// others get kAlreadyExists. The primitive of a commit.
  virtual arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) = 0;
  virtual arrow::Result<bool> Exists(const std::string& path) = 0;
  virtual arrow::Result<ObjectInfo> Stat(const std::string& path) = 0;
  /// Objects directly in `directory` ("" is the root), in no particular order; empty if there is none.
  /// Staging files of unfinished writes are left out.
  virtual arrow::Result<std::vector<ObjectInfo>> List(const std::string& directory) = 0;
  /// Names (not paths) of the directories directly in `directory`.
  virtual arrow::Result<std::vector<std::string>> ListDirectories(const std::string& directory) = 0;
  /// All objects below `directory`, at any depth.
  virtual arrow::Result<std::vector<ObjectInfo>> ListRecursive(const std::string& directory);
  /// Files of unfinished writes directly in `directory`, of ours and of processes that died.
  virtual arrow::Result<std::vector<ObjectInfo>> ListUnfinished(const std::string& directory) {
    return std::vector<ObjectInfo>();
  }
  /// Locks an object, or a directory, without waiting: null if a holder excludes it (of this process,
  /// too), kNotFound if it is not there. Costs few microseconds. Stores that know no locks give one
  /// that excludes nobody.
  virtual arrow::Result<std::unique_ptr<ObjectLock>> TryLock(const std::string& path, LockMode mode) {
    return std::make_unique<ObjectLock>();
  }
  /// OK also if there is none.
  virtual arrow::Status Delete(const std::string& path) = 0;
  /// Everything below `directory`; OK also if there is none.
  virtual arrow::Status DeleteTree(const std::string& directory) = 0;
  /// Removes one directory ("" is the root) if nothing is in it; OK also if there is none or it holds
  /// something. For stores without directories there is nothing to do.
  virtual arrow::Status RemoveEmptyDirectory(const std::string& directory) {
    return arrow::Status::OK();
  }
  /// Renames a directory; kAlreadyExists if `to` is taken, kNotFound if there is no `from`.
  virtual arrow::Status RenameTree(const std::string& from, const std::string& to) = 0;
  /// A store rooted at a directory of this one (which need not exist yet). Shares settings.
  virtual arrow::Result<std::shared_ptr<ObjectStore>> Sub(const std::string& directory) = 0;
};

enum class Durability {
  kNone,    ///< left to the operating system
  kSynced,  ///< an object is on the device, and its directory entry too, before Finish or Put returns
};

struct LocalStoreOptions {
  Durability durability = Durability::kSynced;
  /// Reads map files into memory. Off: every read copies, which survives a file being truncated by
  /// another program while it is open.
  bool use_mmap = true;
};

/// A directory of the local file system. The directory is made at the first write.
arrow::Result<std::shared_ptr<ObjectStore>> OpenLocalStore(const std::string& directory,
                                                           const LocalStoreOptions& options = {});

/// Objects in memory; stores opened with one non-empty name share them within the process.
arrow::Result<std::shared_ptr<ObjectStore>> OpenMemoryStore(const std::string& name = "");

/// By URI: a plain path or file://path is local, memory://name is in memory. Schemes that this build does
/// not know are kUnsupported by name.
arrow::Result<std::shared_ptr<ObjectStore>> OpenStore(const std::string& uri,
                                                      const LocalStoreOptions& options = {});

/// kInvalidArgument unless `path` obeys the rule above.
arrow::Status CheckObjectPath(std::string_view path);

}  // namespace glaive::io
