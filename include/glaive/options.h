// Options of opening databases and of writing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "glaive/cancel.h"

namespace arrow {
class MemoryPool;
}

namespace glaive {

enum class SyncMode {
  kSynced,  ///< a returned write is on the device
  kNone,    ///< left to the operating system: faster, lost with a power cut
};

/// Upkeep that follows commits of local tables by itself. What it does never fails the write that
/// set it off.
struct UpkeepOptions {
  bool enabled = true;
  /// Compact when so many fragments are small (or have a tenth of their rows deleted).
  uint32_t max_small_fragments = 32;
  /// Versions beyond the newest this many are removed with the files that only they use, unless
  /// they are tagged, or a process of Glaive is reading them; 0 keeps all of them.
  uint32_t retain_versions = 100;
  /// Older versions go, whatever their number (but for the newest one).
  int64_t retain_nanos = int64_t{7} * 24 * 3600 * 1'000'000'000;
  /// Time that one commit may spend on upkeep; what is left waits for the next.
  int64_t time_budget_nanos = 200'000'000;
};

struct DatabaseOptions {
  /// Threads that scans, searches and writes of this database use together, the calling one
  /// included. 0 = number of cores; 1 = the calling thread only, no thread is ever started.
  size_t num_threads = 0;
  SyncMode sync = SyncMode::kSynced;
  /// Map local files instead of copying them. Turn off where other programs may truncate data
  /// files.
  bool use_mmap = true;
  /// Bytes of opened data files (their metadata and page indices), manifests and deletion vectors
  /// that are kept for the next request, at most; those used least recently go first. What a
  /// running request uses stays until it ends. 0 keeps nothing.
  uint64_t metadata_cache_bytes = uint64_t{128} << 20;
  /// Bytes that scans, sorts, merges, compaction and caches of this database may hold together.
  /// Work that needs more goes to spill files or takes smaller steps. 0 = a quarter of the
  /// machine's memory.
  uint64_t memory_limit_bytes = 0;
  /// Where spill files go; empty: the system's directory for temporary files. They have no name
  /// there, so nothing is left behind by a killed process.
  std::string spill_directory;
  /// How old what a handle knows of the latest version may be. 0: every call looks (one stat of the
  /// directory). Negative: only Table::Refresh and own writes move a handle.
  int64_t read_consistency_nanos = 0;
  UpkeepOptions upkeep;
  /// For tables that this database creates.
  std::string data_storage_version = "2.2";  ///< "2.0", "2.1", "2.2"
  bool enable_v2_manifest_paths = true;
  bool enable_stable_row_ids = false;
  arrow::MemoryPool* pool = nullptr;  ///< default pool if null
};

enum class CreateMode {
  kCreate,     ///< kAlreadyExists if there is such a table
  kOverwrite,  ///< a new version of the table with new schema and rows; older versions stay
               ///< readable
  kExistOk,    ///< opens the table if there is one (the data is then not written); its schema must
               ///< fit
};

/// What to do with vectors that hold NaN or infinities.
enum class BadVectors {
  kError,  ///< kInvalidArgument naming column and row
  kAllow,  ///< store them; searches skip NaN distances
};

struct WriteOptions {
  uint64_t max_rows_per_file = 1024 * 1024;
  uint64_t max_bytes_per_file = uint64_t{90} << 30;
  /// Overrides the version of a new table's files; existing tables keep theirs.
  std::optional<std::string> data_storage_version;
  std::optional<bool> enable_stable_row_ids;  ///< of a new table
  BadVectors bad_vectors = BadVectors::kError;
  ProgressCallback progress;
  CancelToken cancel;
  std::map<std::string, std::string> transaction_properties;
};

}  // namespace glaive
