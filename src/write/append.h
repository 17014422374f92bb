// Door: turning streams of batches into fragments, and the transactions that publish them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/options.h"

#include "file/file_writer.h"
#include "file/schema.h"
#include "proto/table.pb.h"
#include "table/snapshot.h"

namespace glaive::write {

/// Data files written, not yet committed. Delete() removes them again.
struct WrittenFragments {
  std::vector<lance::table::DataFragment> fragments;  ///< id 0 = unassigned
  uint64_t num_rows = 0;
  std::vector<std::string> paths;  ///< everything that was created, for clean-up after a failure
};

/// Writes `data` as fragments in `store` (a table directory). The batches are fitted to `schema`
/// first: matched by name, missing nullable columns filled, lossless casts made, vectors checked;
/// see Table::Add for the errors. On an error everything written is removed again.
arrow::Result<WrittenFragments> WriteFragments(io::ObjectStore& store, table::Session& session,
                                               const file::Schema& schema,
                                               file::FileVersion version,
                                               arrow::RecordBatchReader& data,
                                               const WriteOptions& options);

/// How data files of the session's database are written: its threads and pool, and buffers and
/// pages that shrink with its memory budget.
file::FileWriterOptions FileOptions(table::Session& session, file::FileVersion version);

/// OK if batches of `input` could be fitted to `schema`; else the errors of WriteFragments.
arrow::Status CheckFits(const file::Schema& schema, const arrow::Schema& input);

/// Removes the files of fragments that were not committed, and directories left empty.
void RemoveFragments(io::ObjectStore& store, const WrittenFragments& written);

}  // namespace glaive::write
