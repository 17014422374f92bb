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

struct DatabaseOptions {
  /// Threads that scans, searches and writes of this database use together, the calling one included.
  /// 0 = number of cores; 1 = the calling thread only, no thread is ever started.
  size_t num_threads = 0;
  SyncMode sync = SyncMode::kSynced;
  /// Map local files instead of copying them. Turn off where other programs may truncate data files.
  bool use_mmap = true;
  /// Opened data files (with their page indices) that are kept, at most.
  uint64_t metadata_cache_entries = 4096;
  /// For tables that this database creates.
  std::string data_storage_version = "2.2";  ///< "2.0", "2.1", "2.2"
  bool enable_v2_manifest_paths = true;
  bool enable_stable_row_ids = false;
  arrow::MemoryPool* pool = nullptr;  ///< default pool if null
};

enum class CreateMode {
  kCreate,     ///< kAlreadyExists if there is such a table
  kOverwrite,  ///< a new version of the table with new schema and rows; older versions stay readable
  kExistOk,    ///< opens the table if there is one (the data is then not written); its schema must fit
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
