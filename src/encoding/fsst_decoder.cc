#include "encoding/fsst_decoder.h"

#include <cstring>

#include "base/bytes.h"
#include "base/status.h"

namespace glaive::encoding {
namespace {

constexpr uint32_t kMagic = 0x46535354;
constexpr size_t kHeaderBytes = 8;

}  // namespace

arrow::Result<FsstDecoder> FsstDecoder::Make(std::string_view table) {
  GLAIVE_CHECK_FORMAT(table.size() == kTableBytes, "fsst symbol table of ", table.size(),
                      " bytes, expected ", kTableBytes);
  const auto header = LoadLe<uint64_t>(table.data());
  GLAIVE_CHECK_FORMAT((header >> 32) == kMagic, "fsst symbol table without its magic number");
  FsstDecoder decoder;
  decoder.is_encoded_ = ((header >> 24) & 1) != 0;
  const size_t count = header & 0xFF;
  const char* symbols = table.data() + kHeaderBytes;
  const char* lengths = symbols + 8 * count;
  for (size_t code = 0; code < count; ++code) {
    const auto length = static_cast<uint8_t>(lengths[code]);
    GLAIVE_CHECK_FORMAT(length >= 1 && length <= 8, "fsst symbol ", code, " of ", int{length},
                        " bytes");
    decoder.symbols_[code] = LoadLe<uint64_t>(symbols + 8 * code);
    decoder.lengths_[code] = length;
  }
  return decoder;
}

uint8_t* FsstDecoder::Decode(const uint8_t* in, const uint8_t* end, uint8_t* out) const {
  uint32_t unknown = 0;
  const auto put = [&](uint8_t code) {
    const uint32_t length = lengths_[code];
    StoreLe(out, symbols_[code]);
    out += length;
    unknown |= length - 1;  // the top bit is set only for length 0
  };
  // Four codes at a time while none of them is the escape.
  while (end - in >= 4) {
    const auto four = LoadLe<uint32_t>(in);
    const uint32_t escapes = ((four & 0x7F7F7F7Fu) + 0x01010101u) & four & 0x80808080u;
    if (escapes == 0) {
      put(in[0]);
      put(in[1]);
      put(in[2]);
      put(in[3]);
      in += 4;
      continue;
    }
    // Up to and including the escaped byte.
    while (*in != kEscape) {
      put(*in++);
    }
    if (end - in < 2) {
      return nullptr;
    }
    *out++ = in[1];
    in += 2;
  }
  while (in < end) {
    if (*in == kEscape) {
      if (end - in < 2) {
        return nullptr;
      }
      *out++ = in[1];
      in += 2;
    } else {
      put(*in++);
    }
  }
  return (unknown >> 31) != 0 ? nullptr : out;
}

}  // namespace glaive::encoding
