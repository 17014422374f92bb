// Door: one version of a table as everything above sees it, and the session of caches that its
// readers share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/cancel.h"

#include "base/memory_budget.h"
#include "base/rows.h"
#include "file/file_reader.h"
#include "io/object_store.h"
#include "table/manifest.h"

namespace glaive {
class Executor;
}

namespace glaive::table {

/// What snapshots of one database share: threads and bounded caches. Thread-safe.
class Session {
 public:
  struct Options {
    size_t num_threads = 0;  ///< 0 = number of cores
    /// Of open data files with their page indices, manifests and deletion vectors together.
    uint64_t metadata_cache_bytes = uint64_t{128} << 20;
    io::LocalStoreOptions store;
    arrow::MemoryPool* pool = nullptr;
    uint64_t memory_limit_bytes = 0;  ///< 0 = a quarter of the machine's
    std::string spill_directory;      ///< empty: the system's
  };

  explicit Session(const Options& options);
  ~Session();

  const Options& options() const { return options_; }

  Executor& executor() { return *executor_; }

  /// What all work of the database may hold in memory together.
  MemoryBudget& budget() { return budget_; }

  /// An opened data file, from the cache by (root, path). Data files are immutable, so an entry
  /// never goes stale; the least recently used ones go when the cache is full, be it because a file
  /// that is open loaded more page indices.
  arrow::Result<std::shared_ptr<const file::FileReader>> OpenFile(io::ObjectStore& store,
                                                                  const std::string& path);
  /// Stores of base paths (absolute paths or URIs) of clones, opened once.
  arrow::Result<std::shared_ptr<io::ObjectStore>> OpenBase(const std::string& uri);

  /// Writers of this process that lost to another one take turns from then on, one mutex per table.
  std::shared_ptr<std::mutex> ChangeTurn(const std::string& root);

  struct Impl;  ///< private to the room

  Impl& impl() { return *impl_; }

 private:
  Options options_;
  MemoryBudget budget_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Impl> impl_;
};

/// Rows of a fragment that are gone. Immutable.
class DeletionVector {
 public:
  virtual ~DeletionVector() = default;
  virtual uint64_t cardinality() const = 0;
  virtual bool Contains(uint32_t offset) const = 0;
  /// Live rows of [start, end) as ranges, ascending.
  virtual RowRanges LiveRanges(uint64_t start, uint64_t end) const = 0;
  virtual std::vector<uint32_t> ToVector() const = 0;
  virtual uint64_t memory_bytes() const = 0;
};

/// Row ids of a fragment with stable row ids. Immutable.
class RowIdSequence {
 public:
  virtual ~RowIdSequence() = default;
  virtual uint64_t size() const = 0;
  virtual uint64_t Get(uint64_t ordinal) const = 0;
  /// The lowest and the highest id; of a non-empty sequence.
  virtual std::pair<uint64_t, uint64_t> Bounds() const = 0;
  /// The ordinal of a row id in this sequence.
  virtual std::optional<uint64_t> Find(uint64_t row_id) const = 0;
};

/// A fragment of a snapshot. Immutable; what it loads lazily is synchronized.
class Fragment {
 public:
  virtual ~Fragment() = default;
  virtual uint64_t id() const = 0;
  virtual const lance::table::DataFragment& pb() const = 0;
  virtual uint64_t physical_rows() const = 0;
  virtual uint64_t num_deleted() const = 0;

  uint64_t num_rows() const { return physical_rows() - num_deleted(); }

  /// nullptr if nothing is deleted. Checked against physical_rows and num_deleted_rows.
  virtual arrow::Result<std::shared_ptr<const DeletionVector>> deletions() const = 0;
  /// nullptr without stable row ids: then the row id is the address (fragment id << 32 | offset).
  virtual arrow::Result<std::shared_ptr<const RowIdSequence>> row_ids() const = 0;
  /// Row lineage: version at which each physical row was created / last updated; 1 where unknown.
  virtual arrow::Result<uint64_t> CreatedAt(uint64_t offset) const = 0;
  virtual arrow::Result<uint64_t> LastUpdatedAt(uint64_t offset) const = 0;
};

/// Reads columns of one fragment: joins its data files, fills columns that no file has with nulls.
/// Thread-safe.
class FragmentReader {
 public:
  virtual ~FragmentReader() = default;
  virtual const Fragment& fragment() const = 0;
  /// Physical rows (deleted ones included), sorted and disjoint, in order; columns as the
  /// projection.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(
      const RowRanges& physical_rows, const file::ReadOptions& options) const = 0;
  /// See file::FileReader; over the file that holds most of the projection's bytes.
  virtual std::vector<uint64_t> PreferredCuts() const = 0;
  virtual double BytesPerRow() const = 0;
};

/// One version of a table. Immutable, thread-safe; travels down the whole read path.
class Snapshot : public std::enable_shared_from_this<Snapshot> {
 public:
  static arrow::Result<std::shared_ptr<const Snapshot>> Make(
      std::shared_ptr<io::ObjectStore> store, std::shared_ptr<Session> session,
      std::shared_ptr<const Manifest> manifest);
  virtual ~Snapshot() = default;
  virtual const std::shared_ptr<io::ObjectStore>& store() const = 0;
  virtual const std::shared_ptr<Session>& session() const = 0;
  virtual const Manifest& manifest() const = 0;

  const file::Schema& schema() const { return manifest().schema; }

  uint64_t version() const { return manifest().version(); }

  virtual const std::shared_ptr<arrow::Schema>& arrow_schema() const = 0;
  virtual const std::vector<std::shared_ptr<const Fragment>>& fragments() const = 0;
  /// Live rows. From the manifest where it has the numbers; opens deletion files where it has not.
  virtual arrow::Result<uint64_t> CountRows() const = 0;
  /// nullptr if there is no fragment of this id.
  virtual const Fragment* FindFragment(uint64_t id) const = 0;
  /// `projection` is (a pruned copy of) this snapshot's schema.
  virtual arrow::Result<std::shared_ptr<FragmentReader>> OpenFragment(
      const Fragment& fragment, const file::Schema& projection) const = 0;
  /// Row ids (stable, or addresses) -> row addresses of live rows; nullopt where there is none.
  virtual arrow::Result<std::vector<std::optional<uint64_t>>> ResolveRowIds(
      const std::vector<uint64_t>& row_ids) const = 0;
  /// Checks everything: manifest invariants, every file, page, deletion file, row id sequence; that
  /// row ids are unique, and that files of indices are there. Calls `found` for each defect, and
  /// `progress` after each data file; the status is only for what keeps it from going on (kCancelled).
  virtual arrow::Status Verify(const std::function<void(const arrow::Status&)>& found,
                               const ProgressCallback& progress,
                               const CancelToken& cancel) const = 0;
};

}  // namespace glaive::table
