#include "file/file_writer.h"

#include "base/status.h"
#include "file/structural_writer.h"
#include "file/v20.h"

namespace glaive::file {

arrow::Result<std::unique_ptr<FileWriter>> FileWriter::Open(
    std::unique_ptr<io::ObjectWriter> object, const Schema& schema,
    const FileWriterOptions& options) {
  GLAIVE_CHECK_ARGUMENT(options.page_bytes > 0, "page_bytes must not be 0");
  if (options.version == kVersion20) {
    return OpenV20Writer(std::move(object), schema, options);
  }
  if (options.version == kVersion21 || options.version == kVersion22) {
    return OpenStructuralWriter(std::move(object), schema, options);
  }
  return Unsupported("data file version ", options.version.ToString(),
                     " cannot be written; use 2.0, 2.1 or 2.2");
}

}  // namespace glaive::file
