// Objects in memory. Directories are prefixes of paths: they exist as long as something is in them.
#include <map>
#include <mutex>
#include <utility>

#include <arrow/buffer.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/uuid.h"
#include "io/object_store.h"

namespace glaive::io {

namespace {

struct Object {
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t modified_nanos = 0;
};

/// All objects of one name. Thread-safe under its mutex.
struct Space {
  std::mutex mutex;
  std::map<std::string, Object> objects;
  std::map<std::string, int> locks;  // how many share an object; -1: one has it alone
};

class SpaceLock final : public ObjectLock {
 public:
  SpaceLock(std::shared_ptr<Space> space, std::string key)
      : space_(std::move(space)), key_(std::move(key)) {}

  ~SpaceLock() override {
    std::lock_guard lock(space_->mutex);
    const auto held = space_->locks.find(key_);
    if (held->second <= 1) {
      space_->locks.erase(held);
    } else {
      --held->second;
    }
  }

 private:
  std::shared_ptr<Space> space_;
  std::string key_;
};

class MemoryReader final : public ObjectReader {
 public:
  MemoryReader(std::string path, std::shared_ptr<arrow::Buffer> bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)) {}

  const std::string& path() const override { return path_; }

  uint64_t size() const override { return static_cast<uint64_t>(bytes_->size()); }

  bool zero_copy() const override { return true; }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(uint64_t offset, uint64_t length) override {
    uint64_t end = 0;
    GLAIVE_CHECK_FORMAT(CheckedAdd(offset, length, &end) && end <= size(), "object '", path_,
                        "': a read of ", length, " bytes at offset ", offset,
                        " reaches beyond its size of ", size(), " bytes");
    return arrow::SliceBuffer(bytes_, static_cast<int64_t>(offset), static_cast<int64_t>(length));
  }

 private:
  std::string path_;
  std::shared_ptr<arrow::Buffer> bytes_;
};

arrow::Result<std::shared_ptr<arrow::Buffer>> CopyOf(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(auto copy, arrow::AllocateBuffer(static_cast<int64_t>(bytes.size())));
  std::copy(bytes.begin(), bytes.end(), copy->mutable_data());
  return std::shared_ptr<arrow::Buffer>(std::move(copy));
}

class MemoryWriter final : public ObjectWriter {
 public:
  MemoryWriter(std::shared_ptr<Space> space, std::string key)
      : space_(std::move(space)), key_(std::move(key)) {}

  uint64_t position() const override { return bytes_.size(); }

  arrow::Status Append(const void* data, uint64_t length) override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    bytes_.append(static_cast<const char*>(data), length);
    return arrow::Status::OK();
  }

  arrow::Result<uint64_t> Finish() override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    ARROW_ASSIGN_OR_RAISE(auto copy, CopyOf(bytes_));
    const uint64_t size = bytes_.size();
    std::lock_guard lock(space_->mutex);
    space_->objects[key_] = {std::move(copy), NowNanos()};
    open_ = false;
    return size;
  }

  arrow::Status Abort() override {
    open_ = false;
    bytes_.clear();
    return arrow::Status::OK();
  }

 private:
  arrow::Status CheckOpen() const {
    return open_ ? arrow::Status::OK()
                 : PreconditionFailed("the writer of '", key_, "' was finished or aborted before");
  }

  std::shared_ptr<Space> space_;
  std::string key_;
  std::string bytes_;
  bool open_ = true;
};

class MemoryStore final : public ObjectStore {
 public:
  /// `prefix` is empty or ends with '/'.
  MemoryStore(std::string name, std::shared_ptr<Space> space, std::string prefix)
      : name_(std::move(name)), space_(std::move(space)), prefix_(std::move(prefix)) {
    root_ = "memory://" + name_;
    if (!prefix_.empty()) {
      root_ += "/" + prefix_.substr(0, prefix_.size() - 1);
    }
  }

  const std::string& root() const override { return root_; }

  arrow::Result<std::shared_ptr<ObjectReader>> Open(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Find(path));
    return std::make_shared<MemoryReader>(root_ + "/" + path, std::move(object.bytes));
  }

  arrow::Result<std::unique_ptr<ObjectWriter>> Create(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    return std::make_unique<MemoryWriter>(space_, prefix_ + path);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Find(path));
    return std::move(object.bytes);
  }

  arrow::Status Put(const std::string& path, std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    ARROW_ASSIGN_OR_RAISE(auto copy, CopyOf(bytes));
    std::lock_guard lock(space_->mutex);
    space_->objects[prefix_ + path] = {std::move(copy), NowNanos()};
    return arrow::Status::OK();
  }

  arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    ARROW_ASSIGN_OR_RAISE(auto copy, CopyOf(bytes));
    std::lock_guard lock(space_->mutex);
    const bool inserted =
        space_->objects.try_emplace(prefix_ + path, Object{std::move(copy), NowNanos()}).second;
    return inserted ? arrow::Status::OK()
                    : AlreadyExists("object '", root_, "/", path, "' exists already");
  }

  arrow::Result<bool> Exists(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    std::lock_guard lock(space_->mutex);
    return space_->objects.count(prefix_ + path) != 0;
  }

  arrow::Result<ObjectInfo> Stat(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto object, Find(path));
    return ObjectInfo{path, static_cast<uint64_t>(object.bytes->size()), object.modified_nanos};
  }

  arrow::Result<std::vector<ObjectInfo>> List(const std::string& directory) override {
    std::vector<ObjectInfo> objects;
    ARROW_RETURN_NOT_OK(ForEachBelow(directory, [&](std::string_view below, const auto& entry) {
      if (below.find('/') == std::string_view::npos) {
        objects.push_back({entry.first.substr(prefix_.size()),
                           static_cast<uint64_t>(entry.second.bytes->size()),
                           entry.second.modified_nanos});
      }
    }));
    return objects;
  }

  arrow::Result<std::vector<std::string>> ListDirectories(const std::string& directory) override {
    std::vector<std::string> names;
    ARROW_RETURN_NOT_OK(ForEachBelow(directory, [&](std::string_view below, const auto&) {
      const size_t slash = below.find('/');
      if (slash == std::string_view::npos) {
        return;
      }
      const std::string_view name = below.substr(0, slash);
      if (names.empty() ||
          names.back() != name) {  // keys are sorted, so equal names are neighbours
        names.emplace_back(name);
      }
    }));
    return names;
  }

  arrow::Result<std::unique_ptr<ObjectLock>> TryLock(const std::string& path,
                                                     LockMode mode) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    const std::string key = prefix_ + path;
    std::lock_guard lock(space_->mutex);
    const auto at = space_->objects.lower_bound(key);
    if (at == space_->objects.end() || (at->first != key && !at->first.starts_with(key + "/"))) {
      return NotFound("there is no object '", root_, "/", path, "'");
    }
    const auto held = space_->locks.find(key);
    if (held != space_->locks.end() && (mode == LockMode::kExclusive || held->second < 0)) {
      return nullptr;
    }
    space_->locks[key] += mode == LockMode::kExclusive ? -1 : 1;
    return std::make_unique<SpaceLock>(space_, key);
  }

  arrow::Status Delete(const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    std::lock_guard lock(space_->mutex);
    space_->objects.erase(prefix_ + path);
    return arrow::Status::OK();
  }

  arrow::Status DeleteTree(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    std::lock_guard lock(space_->mutex);
    const auto [begin, end] = Below(prefix_ + directory + "/");
    space_->objects.erase(begin, end);
    return arrow::Status::OK();
  }

  arrow::Status RenameTree(const std::string& from, const std::string& to) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(from));
    ARROW_RETURN_NOT_OK(CheckObjectPath(to));
    const std::string old_prefix = prefix_ + from + "/";
    const std::string new_prefix = prefix_ + to + "/";
    std::lock_guard lock(space_->mutex);
    const auto [taken, taken_end] = Below(new_prefix);
    const auto [begin, end] = Below(old_prefix);
    if (begin == end) {
      return NotFound("there is no directory '", root_, "/", from, "'");
    }
    if (taken != taken_end) {
      return AlreadyExists("directory '", root_, "/", to, "' exists already");
    }
    std::vector<std::pair<std::string, Object>> moved(begin, end);
    space_->objects.erase(begin, end);
    for (auto& [key, object] : moved) {
      space_->objects[new_prefix + key.substr(old_prefix.size())] = std::move(object);
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<ObjectStore>> Sub(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
    return std::make_shared<MemoryStore>(name_, space_, prefix_ + directory + "/");
  }

 private:
  using Iterator = std::map<std::string, Object>::iterator;

  /// The keys that begin with `prefix`; the mutex is held. A prefix ends with '/', so its last
  /// character can be counted up to find the end.
  std::pair<Iterator, Iterator> Below(const std::string& prefix) {
    if (prefix.empty()) {
      return {space_->objects.begin(), space_->objects.end()};
    }
    std::string end = prefix;
    ++end.back();
    return {space_->objects.lower_bound(prefix), space_->objects.lower_bound(end)};
  }

  template <typename Visit>
  arrow::Status ForEachBelow(const std::string& directory, const Visit& visit) {
    std::string prefix = prefix_;
    if (!directory.empty()) {
      ARROW_RETURN_NOT_OK(CheckObjectPath(directory));
      prefix += directory + "/";
    }
    std::lock_guard lock(space_->mutex);
    const auto [begin, end] = Below(prefix);
    for (auto it = begin; it != end; ++it) {
      visit(std::string_view(it->first).substr(prefix.size()), *it);
    }
    return arrow::Status::OK();
  }

  arrow::Result<Object> Find(const std::string& path) {
    ARROW_RETURN_NOT_OK(CheckObjectPath(path));
    std::lock_guard lock(space_->mutex);
    const auto it = space_->objects.find(prefix_ + path);
    if (it == space_->objects.end()) {
      return NotFound("there is no object '", root_, "/", path, "'");
    }
    return it->second;
  }

  std::string name_;
  std::shared_ptr<Space> space_;
  std::string prefix_;
  std::string root_;
};

/// The space of a name, alive as long as a store uses it.
std::shared_ptr<Space> SpaceOf(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Space>> spaces;
  std::lock_guard lock(mutex);
  auto& slot = spaces[name];
  auto space = slot.lock();
  if (space == nullptr) {
    space = std::make_shared<Space>();
    slot = space;
  }
  return space;
}

}  // namespace

arrow::Result<std::shared_ptr<ObjectStore>> OpenMemoryStore(const std::string& name) {
  if (name.empty()) {
    // The root must tell stores apart: caches use it as a key.
    return std::make_shared<MemoryStore>(Uuid::Random().ToString(), std::make_shared<Space>(), "");
  }
  std::string trimmed = name;
  while (!trimmed.empty() && trimmed.back() == '/') {
    trimmed.pop_back();
  }
  GLAIVE_CHECK_ARGUMENT(CheckObjectPath(trimmed).ok(), "'", name, "' is no name of a memory store");
  const size_t slash = trimmed.find('/');
  std::string prefix = slash == std::string::npos ? "" : trimmed.substr(slash + 1) + "/";
  std::string space_name = trimmed.substr(0, slash);
  auto space = SpaceOf(space_name);
  return std::make_shared<MemoryStore>(std::move(space_name), std::move(space), std::move(prefix));
}

}  // namespace glaive::io
