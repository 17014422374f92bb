// Data files of version 2.1 and 2.2: only leaves own columns, pages are structural layouts.
#pragma once

#include <memory>

#include <arrow/result.h>

#include "file/file_writer.h"

namespace glaive::file {

/// options.version is 2.1 or 2.2.
arrow::Result<std::unique_ptr<FileWriter>> OpenStructuralWriter(
    std::unique_ptr<io::ObjectWriter> object, const Schema& schema,
    const FileWriterOptions& options);

}  // namespace glaive::file
