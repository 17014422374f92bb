// Parsing of wire messages that may be damaged: quietly, and only if they are small enough for
// protobuf.
#pragma once

#include <cstdint>
#include <string_view>

#include <google/protobuf/message_lite.h>
#include <google/protobuf/stubs/logging.h>

namespace glaive::proto {

/// False if the bytes are no valid message. A library has no business on the standard error stream,
/// where protobuf would report broken text.
inline bool ParseMessage(std::string_view bytes, google::protobuf::MessageLite* message) {
  const google::protobuf::LogSilencer silencer;
  return bytes.size() <= INT32_MAX &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace glaive::proto
