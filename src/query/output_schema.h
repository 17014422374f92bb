// What a request hands out: the projected fields and their Arrow schema. Private to the room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "glaive/query.h"

#include "file/file_reader.h"
#include "file/schema.h"
#include "table/snapshot.h"

namespace glaive::query {

inline constexpr char kRowIdColumn[] = "_rowid";
inline constexpr char kRowAddressColumn[] = "_rowaddr";

/// A value.
struct Output {
  file::Schema projection;
  file::BlobMode blob_mode = file::BlobMode::kDescriptors;
  bool with_row_id = false;
  bool with_row_address = false;
  std::vector<std::shared_ptr<arrow::Field>> stored;  ///< of the projection, with JSON as stored
  bool holds_json = false;                            ///< which `schema` has as text
  std::shared_ptr<arrow::Schema> schema;  ///< of the batches, row id and address at the end
};

/// `columns` are paths, empty means all; "_rowid" and "_rowaddr" among them ask for those.
/// kNotFound with the nearest name.
arrow::Result<Output> MakeOutput(const table::Snapshot& snapshot,
                                 const std::vector<std::string>& columns, BlobRead blobs,
                                 bool with_row_id, bool with_row_address);

}  // namespace glaive::query
