// Any bytes as a manifest: parsed, made a snapshot of, counted, its row id sequences resolved.
#include <memory>

#include <arrow/buffer.h>

#include "fuzz_target.h"
#include "table/snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const arrow::Buffer bytes(data, static_cast<int64_t>(size));
  auto manifest = glaive::table::ParseManifest(bytes, "fuzzed");
  if (!manifest.ok()) {
    return 0;
  }
  auto store = glaive::io::OpenMemoryStore("").ValueOrDie();
  glaive::table::Session::Options options;
  options.num_threads = 1;
  auto session = std::make_shared<glaive::table::Session>(options);
  auto snapshot = glaive::table::Snapshot::Make(store, session, *manifest);
  if (!snapshot.ok()) {
    return 0;
  }
  (void)(*snapshot)->CountRows();
  for (const auto& fragment : (*snapshot)->fragments()) {
    auto ids = fragment->row_ids();
    if (ids.ok() && *ids != nullptr && (*ids)->size() > 0) {
      (void)(*ids)->Get((*ids)->size() - 1);
      (void)(*ids)->Find(7);
    }
    (void)fragment->CreatedAt(0);
    (void)fragment->LastUpdatedAt(0);
    (void)fragment->deletions();
  }
  (void)(*snapshot)->ResolveRowIds({0, 5, uint64_t{1} << 33});
  (void)(*snapshot)->Verify([](const arrow::Status&) {}, {}, {});
  return 0;
}
