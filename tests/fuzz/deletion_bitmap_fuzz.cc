// Any bytes as a deletion file of the form BITMAP.
#include <memory>

#include <arrow/buffer.h>

#include "fuzz_target.h"
#include "table/deletion_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::make_shared<arrow::Buffer>(data, static_cast<int64_t>(size));
  auto vector = glaive::table::ParseDeletionFile(bytes, lance::table::DeletionFile::BITMAP, 9000, "fuzzed");
  if (vector.ok()) {
    if ((*vector)->cardinality() > 9000 || (*vector)->ToVector().size() != (*vector)->cardinality()) {
      __builtin_trap();
    }
    (void)(*vector)->LiveRanges(0, 9000);
    (void)(*vector)->Contains(4321);
  }
  return 0;
}
