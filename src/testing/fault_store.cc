#include "testing/fault_store.h"

#include <mutex>

#include <arrow/buffer.h>

#include "base/status.h"
#include "base/uuid.h"

namespace glaive::testing {

namespace {

/// What an operation is to do.
enum class Verdict { kRun, kFail, kRunThenFail, kTear, kFull };

/// Shared by a wrapped store, its sub-stores and its writers.
struct Faults {
  std::shared_ptr<std::atomic<uint64_t>> counter;
  FaultPlan plan;
  std::shared_ptr<std::vector<std::string>> log;
  std::mutex mutex;
  std::atomic<bool> dead{false};
  /// Writers that were open at the crash: a dead process removes no staging files, so they are kept
  /// from aborting until the store goes.
  std::vector<std::unique_ptr<io::ObjectWriter>> orphans;

  static arrow::Status Error(const std::string& operation) {
    return MakeError(ErrorCode::kIo, "injected fault: " + operation);
  }

  static arrow::Status Full(const std::string& operation) {
    return ResourceExhausted("injected fault: no space left on device: ", operation);
  }

  arrow::Status CheckAlive(const std::string& operation) const {
    return dead ? Error(operation + " after the crash") : arrow::Status::OK();
  }

  Verdict Judge(const std::string& operation) {
    if (dead) {
      return Verdict::kFail;
    }
    const uint64_t number = counter->fetch_add(1);
    if (log != nullptr) {
      std::lock_guard lock(mutex);
      log->push_back(operation);
    }
    if (plan.kind == FaultKind::kNone || number != plan.at_operation) {
      return Verdict::kRun;
    }
    switch (plan.kind) {
      case FaultKind::kNone:
        return Verdict::kRun;
      case FaultKind::kError:
        return Verdict::kFail;
      case FaultKind::kCrash:
        dead = true;
        return Verdict::kFail;
      case FaultKind::kAmbiguous:
        return Verdict::kRunThenFail;
      case FaultKind::kTorn:
        dead = true;
        return Verdict::kTear;
      case FaultKind::kFull:
        return Verdict::kFull;
    }
    return Verdict::kRun;
  }

  void Orphan(std::unique_ptr<io::ObjectWriter> writer) {
    std::lock_guard lock(mutex);
    orphans.push_back(std::move(writer));
  }
};

/// Runs `body` as the verdict says; `tear` leaves what a torn write leaves.
template <typename Body, typename Tear>
arrow::Status Judged(Faults& faults, const std::string& operation, const Body& body,
                     const Tear& tear) {
  switch (faults.Judge(operation)) {
    case Verdict::kRun:
      return body();
    case Verdict::kFail:
      return Faults::Error(operation);
    case Verdict::kRunThenFail:
      ARROW_RETURN_NOT_OK(body());
      return Faults::Error(operation);
    case Verdict::kTear:
      ARROW_RETURN_NOT_OK(tear());
      return Faults::Error(operation);
    case Verdict::kFull:
      return Faults::Full(operation);
  }
  return body();
}

arrow::Status Nothing() {
  return arrow::Status::OK();
}

class FaultReader final : public io::ObjectReader {
 public:
  FaultReader(std::shared_ptr<io::ObjectReader> reader, std::shared_ptr<Faults> faults)
      : reader_(std::move(reader)), faults_(std::move(faults)) {}

  const std::string& path() const override { return reader_->path(); }

  uint64_t size() const override { return reader_->size(); }

  bool zero_copy() const override { return reader_->zero_copy(); }

  void Prefetch(std::span<const io::ByteRange> ranges) override { reader_->Prefetch(ranges); }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(uint64_t offset, uint64_t length) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Read " + path()));
    return reader_->Read(offset, length);
  }

 private:
  std::shared_ptr<io::ObjectReader> reader_;
  std::shared_ptr<Faults> faults_;
};

class FaultWriter final : public io::ObjectWriter {
 public:
  FaultWriter(std::string path, std::unique_ptr<io::ObjectWriter> writer,
              std::shared_ptr<Faults> faults)
      : path_(std::move(path)), writer_(std::move(writer)), faults_(std::move(faults)) {}

  ~FaultWriter() override {
    if (faults_->dead) {
      faults_->Orphan(std::move(writer_));
    }
  }

  uint64_t position() const override { return writer_->position(); }

  arrow::Status Append(const void* data, uint64_t length) override {
    return Judged(
        *faults_, "Append " + path_, [&] { return writer_->Append(data, length); },
        [&] { return writer_->Append(data, length / 2); });
  }

  arrow::Status AppendMany(std::span<const std::shared_ptr<arrow::Buffer>> pieces) override {
    return Judged(
        *faults_, "Append " + path_, [&] { return writer_->AppendMany(pieces); },
        [&] { return writer_->AppendMany(pieces.first(pieces.size() / 2)); });
  }

  arrow::Result<uint64_t> Finish() override {
    uint64_t size = 0;
    ARROW_RETURN_NOT_OK(Judged(
        *faults_, "Finish " + path_,
        [&] {
          ARROW_ASSIGN_OR_RAISE(size, writer_->Finish());
          return arrow::Status::OK();
        },
        Nothing));
    return size;
  }

  arrow::Status Abort() override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Abort " + path_));
    return writer_->Abort();
  }

 private:
  std::string path_;
  std::unique_ptr<io::ObjectWriter> writer_;
  std::shared_ptr<Faults> faults_;
};

}  // namespace

class FaultStore final : public io::ObjectStore {
 public:
  FaultStore(std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Faults> faults)
      : store_(std::move(store)), faults_(std::move(faults)) {}

  const std::string& root() const override { return store_->root(); }

  arrow::Result<std::shared_ptr<io::ObjectReader>> Open(const std::string& path) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Open " + path));
    ARROW_ASSIGN_OR_RAISE(auto reader, store_->Open(path));
    return std::make_shared<FaultReader>(std::move(reader), faults_);
  }

  arrow::Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string& path) override {
    std::unique_ptr<io::ObjectWriter> writer;
    ARROW_RETURN_NOT_OK(Judged(
        *faults_, "Create " + path,
        [&] {
          ARROW_ASSIGN_OR_RAISE(writer, store_->Create(path));
          return arrow::Status::OK();
        },
        Nothing));
    return std::make_unique<FaultWriter>(path, std::move(writer), faults_);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Get(const std::string& path) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Get " + path));
    return store_->Get(path);
  }

  arrow::Status Put(const std::string& path, std::string_view bytes) override {
    return Judged(
        *faults_, "Put " + path, [&] { return store_->Put(path, bytes); },
        [&] { return Tear(path, bytes); });
  }

  arrow::Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    return Judged(
        *faults_, "PutIfAbsent " + path, [&] { return store_->PutIfAbsent(path, bytes); },
        [&] { return Tear(path, bytes); });
  }

  arrow::Result<bool> Exists(const std::string& path) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Exists " + path));
    return store_->Exists(path);
  }

  arrow::Result<io::ObjectInfo> Stat(const std::string& path) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("Stat " + path));
    return store_->Stat(path);
  }

  arrow::Result<std::vector<io::ObjectInfo>> List(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("List " + directory));
    return store_->List(directory);
  }

  arrow::Result<std::vector<std::string>> ListDirectories(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("ListDirectories " + directory));
    return store_->ListDirectories(directory);
  }

  arrow::Result<std::vector<io::ObjectInfo>> ListUnfinished(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("ListUnfinished " + directory));
    return store_->ListUnfinished(directory);
  }

  arrow::Result<std::unique_ptr<io::ObjectLock>> TryLock(const std::string& path,
                                                         io::LockMode mode) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("TryLock " + path));
    return store_->TryLock(path, mode);
  }

  arrow::Status Delete(const std::string& path) override {
    return Judged(
        *faults_, "Delete " + path, [&] { return store_->Delete(path); }, Nothing);
  }

  arrow::Status DeleteTree(const std::string& directory) override {
    return Judged(
        *faults_, "DeleteTree " + directory, [&] { return store_->DeleteTree(directory); },
        Nothing);
  }

  arrow::Status RemoveEmptyDirectory(const std::string& directory) override {
    ARROW_RETURN_NOT_OK(faults_->CheckAlive("RemoveEmptyDirectory " + directory));
    return store_->RemoveEmptyDirectory(directory);
  }

  arrow::Status RenameTree(const std::string& from, const std::string& to) override {
    return Judged(
        *faults_, "RenameTree " + from, [&] { return store_->RenameTree(from, to); }, Nothing);
  }

  arrow::Result<std::shared_ptr<io::ObjectStore>> Sub(const std::string& directory) override {
    ARROW_ASSIGN_OR_RAISE(auto sub, store_->Sub(directory));
    return std::make_shared<FaultStore>(std::move(sub), faults_);
  }

 private:
  /// Half of the bytes, under a name that no reader looks at.
  arrow::Status Tear(const std::string& path, std::string_view bytes) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    return store_->Put(directory + ".tmp-" + Uuid::Random().ToString(),
                       bytes.substr(0, bytes.size() / 2));
  }

  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<Faults> faults_;
};

std::shared_ptr<io::ObjectStore> WrapWithFaults(std::shared_ptr<io::ObjectStore> store,
                                                std::shared_ptr<std::atomic<uint64_t>> counter,
                                                FaultPlan plan,
                                                std::shared_ptr<std::vector<std::string>> log) {
  auto faults = std::make_shared<Faults>();
  faults->counter =
      counter != nullptr ? std::move(counter) : std::make_shared<std::atomic<uint64_t>>(0);
  faults->plan = plan;
  faults->log = std::move(log);
  return std::make_shared<FaultStore>(std::move(store), std::move(faults));
}

}  // namespace glaive::testing
