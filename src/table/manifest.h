// Door: the manifest of one version, as read from bytes and as written, and the names of manifest
// files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <google/protobuf/arena.h>

#include "file/schema.h"
#include "proto/index.pb.h"
#include "proto/table.pb.h"
#include "proto/transaction.pb.h"

namespace glaive::table {

/// Feature flags of a manifest (reader and writer words).
inline constexpr uint64_t kFlagDeletionFiles = 1;
inline constexpr uint64_t kFlagStableRowIds = 2;
inline constexpr uint64_t kFlagV2Format = 4;
inline constexpr uint64_t kFlagTableConfig = 8;
inline constexpr uint64_t kFlagBasePaths = 16;
inline constexpr uint64_t kFlagNoTransactionFile = 32;
inline constexpr uint64_t kFlagDataOverlays = 64;
inline constexpr uint64_t kFlagCoveredIndices = 128;
inline constexpr uint64_t kFlagMixedFileVersions = 256;
/// What this build reads and what it may commit on top of. Overlays and bits from 512 up are
/// refused.
inline constexpr uint64_t kKnownFlags = kFlagDeletionFiles | kFlagStableRowIds | kFlagV2Format |
                                        kFlagTableConfig | kFlagBasePaths | kFlagNoTransactionFile |
                                        kFlagCoveredIndices | kFlagMixedFileVersions;
/// Field metadata: the field's place in the primary key, from 1.
inline constexpr const char* kPrimaryKeyPosition = "lance-schema:unenforced-primary-key:position";
/// Config: Glaive refuses to add rows whose primary key exists.
inline constexpr const char* kPrimaryKeyEnforced = "glaive.primary_key.enforced";

/// Names of the bits of `flags`, e.g. "data overlays (64), 1024".
std::string FlagNames(uint64_t flags);

enum class ManifestNaming { kV1, kV2 };

std::string ManifestName(uint64_t version, ManifestNaming naming);

/// nullopt for names that are no manifest of the main sequence (detached, temporary, foreign).
struct ParsedManifestName {
  uint64_t version = 0;
  ManifestNaming naming = ManifestNaming::kV2;
};

std::optional<ParsedManifestName> ParseManifestName(std::string_view name);

/// Immutable once made; shared. The protobuf message is kept, so unknown fields survive into the
/// next version.
class Manifest {
  // The message lies in an arena: every commit copies and frees thousands of fragments.
  google::protobuf::Arena arena_;
  lance::table::Manifest* message_;

 public:
  Manifest()
      : message_(google::protobuf::Arena::CreateMessage<lance::table::Manifest>(&arena_)),
        pb(*message_) {}

  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  const lance::table::Manifest& pb;

  lance::table::Manifest* mutable_pb() { return message_; }

  file::Schema schema;  ///< parsed from pb.fields
  std::vector<lance::table::IndexMetadata> indices;
  std::optional<lance::table::Transaction> transaction;  ///< of the inline section
  uint64_t file_bytes = 0;  ///< size of the manifest file, 0 if not yet written

  uint64_t version() const { return pb.version(); }

  /// What it takes in memory, about: the arena, and outside it what is as long as in the file
  /// (strings, sections).
  uint64_t memory_bytes() const { return arena_.SpaceAllocated() + 2 * file_bytes; }

  bool stable_row_ids() const { return (pb.reader_feature_flags() & kFlagStableRowIds) != 0; }
};

/// kCorruption with offset, expected and found; kUnsupported names reader flags that we don't know.
arrow::Result<std::shared_ptr<const Manifest>> ParseManifest(const arrow::Buffer& bytes,
                                                             std::string_view path);
/// Invariants of fragments and data files that readers rely on. kCorruption.
arrow::Status CheckFragments(const lance::table::Manifest& pb, std::string_view what);
/// [index section] [transaction section] manifest, footer. Fills
/// pb.index_section/transaction_section.
arrow::Result<std::string> SerializeManifest(
    lance::table::Manifest* pb, const std::vector<lance::table::IndexMetadata>& indices,
    const lance::table::Transaction* transaction);

}  // namespace glaive::table
