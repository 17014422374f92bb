#include "file/file_reader.h"

#include "base/status.h"
#include "file/container.h"
#include "file/structural_reader.h"
#include "file/v20.h"
#include "io/object_store.h"

namespace glaive::file {
namespace {

arrow::Result<std::shared_ptr<FileReader>> OpenByVersion(std::shared_ptr<io::ObjectReader> object,
                                                         FileReader::HeldChanged held_changed) {
  ARROW_ASSIGN_OR_RAISE(auto container, ReadContainer(*object));
  if (container.version == kVersion20) {
    return OpenV20Reader(std::move(object), std::move(container), std::move(held_changed));
  }
  return OpenStructuralReader(std::move(object), std::move(container), std::move(held_changed));
}

}  // namespace

arrow::Result<std::shared_ptr<FileReader>> FileReader::Open(
    std::shared_ptr<io::ObjectReader> object, HeldChanged held_changed) {
  const std::string path = object->path();
  auto reader = OpenByVersion(std::move(object), std::move(held_changed));
  if (!reader.ok()) {
    return WithContext(reader.status(), Concat("data file ", path));
  }
  return reader;
}

}  // namespace glaive::file
