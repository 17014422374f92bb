// Data files of version 2.0: every field owns a column, pages are trees of array encodings. The
// doors of file_reader.h and file_writer.h come here when the version says so.
#pragma once

#include <memory>

#include <arrow/result.h>

#include "file/container.h"
#include "file/file_reader.h"
#include "file/file_writer.h"

namespace glaive::file {

/// `container` was read from `object` and has version 2.0.
arrow::Result<std::shared_ptr<FileReader>> OpenV20Reader(std::shared_ptr<io::ObjectReader> object,
                                                         Container container,
                                                         FileReader::HeldChanged held_changed);

arrow::Result<std::unique_ptr<FileWriter>> OpenV20Writer(std::unique_ptr<io::ObjectWriter> object,
                                                         const Schema& schema,
                                                         const FileWriterOptions& options);

}  // namespace glaive::file
