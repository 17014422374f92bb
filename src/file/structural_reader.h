// Data files of version 2.1 to 2.3: only leaves own columns, pages are structural layouts.
#pragma once

#include <memory>

#include <arrow/result.h>

#include "file/container.h"
#include "file/file_reader.h"

namespace glaive::file {

/// `container` was read from `object` and has version 2.1 or later.
arrow::Result<std::shared_ptr<FileReader>> OpenStructuralReader(
    std::shared_ptr<io::ObjectReader> object, Container container,
    FileReader::HeldChanged held_changed);

}  // namespace glaive::file
