// The files that a version names, and the versions that must stay. Private to the room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <arrow/result.h>

#include "table/versions.h"

namespace glaive::maintain {

/// Calls `visit` with the path of every data, deletion and transaction file in the table's own
/// directory, and with "_indices/<uuid>" of every index.
void ForEachFile(const table::Manifest& manifest, const std::function<void(std::string)>& visit);

/// Versions that tags name or branches stand on.
arrow::Result<std::set<uint64_t>> ProtectedVersions(const table::Versions& versions);

/// Past the session's cache: a version that is read once more before it goes is not worth a place.
arrow::Result<std::shared_ptr<const table::Manifest>> ReadManifest(
    io::ObjectStore& store, const table::VersionEntry& entry);

/// Nanoseconds since 1970; 0 if the manifest has none.
int64_t TimestampOf(const table::Manifest& manifest);

}  // namespace glaive::maintain
