// JSON documents that verbs print: objects keep the order of their keys.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace glaive::cli {

using Json = nlohmann::ordered_json;

/// One line with a line end. Bytes that are not UTF-8 become U+FFFD.
inline std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Indented, for documents with many levels.
inline std::string Pretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace glaive::cli
