// Any bytes as a data file: opened, inspected, verified, read whole and by rows. An error or values, never a
// crash, a hang or an allocation out of proportion.
#include <memory>

#include <arrow/api.h>

#include "file/file_reader.h"
#include "fuzz_target.h"
#include "io/object_store.h"
#include "soundness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto store = glaive::io::OpenMemoryStore("").ValueOrDie();
  if (!store->Put("f.lance", {reinterpret_cast<const char*>(data), size}).ok()) {
    return 0;
  }
  auto object = store->Open("f.lance");
  if (!object.ok()) {
    return 0;
  }
  auto reader = glaive::file::FileReader::Open(*object);
  if (!reader.ok()) {
    return 0;
  }
  (void)(*reader)->Inspect();
  (void)(*reader)->Verify();
  auto projection = (*reader)->IdentityProjection();
  if (!projection.ok()) {
    return 0;
  }
  const uint64_t rows = (*reader)->num_rows();
  glaive::RowRanges all;
  if (rows > 0 && rows < (1u << 20)) {
    all.push_back({0, rows});
    auto batch = (*reader)->Read(*projection, all, {});
    if (batch.ok()) {
      RequireSound((*batch)->ValidateFull());
    }
    glaive::RowRanges some = {{0, 1}};
    if (rows > 2) {
      some.push_back({rows / 2, rows / 2 + 1});
      if (rows / 2 + 1 < rows - 1) {
        some.push_back({rows - 1, rows});
      }
    }
    (void)(*reader)->Read(*projection, some, {});
  }
  return 0;
}
