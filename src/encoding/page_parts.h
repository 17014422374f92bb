// What all layouts share when a page is put together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/level_encoder.h"
#include "encoding/page.h"
#include "encoding/shred.h"
#include "proto/encodings_v2_1.pb.h"

namespace glaive::encoding {

/// The serialized Any around a page layout: what DirectEncoding.encoding holds.
std::string WrapLayout(const lance::encodings21::PageLayout& layout);

/// The layout inside what WrapLayout made; false if it is anything else.
bool UnwrapLayout(std::string_view any, lance::encodings21::PageLayout* layout);

arrow::Result<std::shared_ptr<arrow::Buffer>> CopyToBuffer(Bytes bytes, arrow::MemoryPool* pool);

/// Appends `layers` to a layout's field.
template <typename Repeated>
void AddLayers(const std::vector<RepDefLayer>& layers, Repeated* field) {
  for (RepDefLayer layer : layers) {
    field->Add(static_cast<int>(layer));
  }
}

}  // namespace glaive::encoding
