// Door: deletion files: reading both forms, writing the form that the real writer would choose.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "proto/table.pb.h"
#include "table/bitmap.h"
#include "table/snapshot.h"

namespace glaive::table {

/// Path below the table directory: _deletions/<fragment>-<read version>-<id>.<arrow|bin>.
std::string DeletionFilePath(uint64_t fragment_id, const lance::table::DeletionFile& file);

arrow::Result<std::shared_ptr<const DeletionVector>> ParseDeletionFile(
    const std::shared_ptr<arrow::Buffer>& bytes, lance::table::DeletionFile::DeletionFileType type,
    uint64_t physical_rows, std::string_view path);

/// What a file of `deleted` offsets would give; for a merge of two vectors.
std::vector<uint32_t> UnionOf(const DeletionVector& a, const DeletionVector& b);

/// Writes the union of `old` (may be null) and `offsets` as a new file; fills and returns its
/// message. Arrow form up to 5000 offsets, roaring bitmap above.
arrow::Result<lance::table::DeletionFile> WriteDeletionFile(io::ObjectStore& store,
                                                            uint64_t fragment_id,
                                                            uint64_t read_version,
                                                            const DeletionVector* old,
                                                            const std::vector<uint32_t>& offsets);

/// The same for offsets that are a bitmap already.
arrow::Result<lance::table::DeletionFile> WriteDeletionFile(io::ObjectStore& store,
                                                            uint64_t fragment_id,
                                                            uint64_t read_version,
                                                            const DeletionVector* old,
                                                            Bitmap offsets);

/// Writes `offsets` in the roaring form whatever their number: what the real writer does after a
/// rebase.
arrow::Result<lance::table::DeletionFile> WriteDeletionBitmap(io::ObjectStore& store,
                                                              uint64_t fragment_id,
                                                              uint64_t read_version,
                                                              const std::vector<uint32_t>& offsets);

}  // namespace glaive::table
