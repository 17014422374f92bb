#include "encoding/level_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "kernels/fastlanes.h"

namespace glaive::encoding {

namespace {

constexpr size_t kBlock = kernels::kBlockValues;
constexpr size_t kLevelBits = 16;
constexpr size_t kLongestRun = 255;

enum class Form { kFlat, kOutOfLine, kInline, kRle };

size_t CountRuns(LevelSpan levels) {
  size_t runs = 0;
  for (size_t i = 0; i < levels.size();) {
    size_t end = i + 1;
    while (end < levels.size() && levels[end] == levels[i]) {
      ++end;
    }
    runs += (end - i + kLongestRun - 1) / kLongestRun;
    i = end;
  }
  return runs;
}

/// The tail of an out-of-line buffer is packed when that is smaller than its plain values.
bool PacksTail(size_t tail, size_t width) {
  return width * (kBlock - tail) < (kLevelBits - width) * tail;
}

size_t OutOfLineBytes(size_t count, size_t width) {
  const size_t tail = count % kBlock;
  const size_t block_bytes = kBlock / 8 * width;
  size_t bytes = count / kBlock * block_bytes;
  if (tail > 0) {
    bytes += PacksTail(tail, width) ? block_bytes : tail * 2;
  }
  return bytes;
}

size_t WidthOf(LevelSpan levels) {
  uint16_t all = 0;
  for (uint16_t level : levels) {
    all |= level;
  }
  return static_cast<size_t>(std::bit_width(all));
}

size_t InlineBytes(LevelSpan levels) {
  return 2 + kBlock / 8 * WidthOf(levels);
}

size_t FormBytes(Form form, LevelSpan levels, size_t width) {
  switch (form) {
    case Form::kFlat:
      return 2 * levels.size();
    case Form::kOutOfLine:
      return OutOfLineBytes(levels.size(), width);
    case Form::kInline:
      return InlineBytes(levels);
    case Form::kRle:
      return 8 + 3 * CountRuns(levels);
  }
  return 0;
}

uint8_t* PackBlockOf(LevelSpan levels, size_t width, uint8_t* to) {
  uint16_t block[kBlock];
  std::copy(levels.begin(), levels.end(), block);
  std::fill(block + levels.size(), block + kBlock, uint16_t{0});
  kernels::PackBlock(static_cast<unsigned>(width), block, to);
  return to + kBlock / 8 * width;
}

void WriteOutOfLine(LevelSpan levels, size_t width, uint8_t* to) {
  size_t i = 0;
  for (; i + kBlock <= levels.size(); i += kBlock) {
    to = PackBlockOf(levels.subspan(i, kBlock), width, to);
  }
  const LevelSpan tail = levels.subspan(i);
  if (!tail.empty() && PacksTail(tail.size(), width)) {
    PackBlockOf(tail, width, to);
  } else if (!tail.empty()) {
    std::memcpy(to, tail.data(), tail.size() * 2);
  }
}

void WriteRle(LevelSpan levels, uint8_t* to) {
  const size_t runs = CountRuns(levels);
  StoreLe<uint64_t>(to, runs * 2);
  uint8_t* values = to + 8;
  uint8_t* lengths = values + runs * 2;
  for (size_t i = 0; i < levels.size();) {
    size_t end = i + 1;
    while (end < levels.size() && end - i < kLongestRun && levels[end] == levels[i]) {
      ++end;
    }
    StoreLe<uint16_t>(values, levels[i]);
    values += 2;
    *lengths++ = static_cast<uint8_t>(end - i);
    i = end;
  }
}

void Write(Form form, LevelSpan levels, size_t width, uint8_t* to) {
  switch (form) {
    case Form::kFlat:
      if (!levels.empty()) {
        std::memcpy(to, levels.data(), levels.size() * 2);
      }
      return;
    case Form::kOutOfLine:
      return WriteOutOfLine(levels, width, to);
    case Form::kInline: {
      const size_t own_width = WidthOf(levels);
      StoreLe<uint16_t>(to, static_cast<uint16_t>(own_width));
      PackBlockOf(levels, own_width, to + 2);
      return;
    }
    case Form::kRle:
      return WriteRle(levels, to);
  }
}

void Describe(Form form, size_t width, lance::encodings21::CompressiveEncoding* encoding) {
  switch (form) {
    case Form::kFlat:
      encoding->mutable_flat()->set_bits_per_value(kLevelBits);
      return;
    case Form::kOutOfLine: {
      auto* packed = encoding->mutable_out_of_line_bitpacking();
      packed->set_uncompressed_bits_per_value(kLevelBits);
      packed->mutable_values()->mutable_flat()->set_bits_per_value(width);
      return;
    }
    case Form::kInline:
      encoding->mutable_inline_bitpacking()->set_uncompressed_bits_per_value(kLevelBits);
      return;
    case Form::kRle:
      encoding->mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(kLevelBits);
      encoding->mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
      return;
  }
}

}  // namespace

bool EncodeLevels(LevelSpan levels, const std::vector<EntryRange>& ranges, uint16_t max_level,
                  bool allow_rle, size_t limit, ByteArena* arena, EncodedLevels* out) {
  const auto width = static_cast<size_t>(std::max(1, static_cast<int>(std::bit_width(max_level))));
  const bool single_blocks =
      std::all_of(ranges.begin(), ranges.end(), [](const auto& r) { return r.size() <= kBlock; });
  std::vector<Form> forms = {Form::kFlat, Form::kOutOfLine};
  if (single_blocks) {
    forms.push_back(Form::kInline);
  }
  if (allow_rle) {
    forms.push_back(Form::kRle);
  }
  bool found = false;
  Form best = Form::kFlat;
  size_t best_bytes = 0;
  for (Form form : forms) {
    size_t total = 0;
    size_t largest = 0;
    for (const auto& range : ranges) {
      const size_t bytes = FormBytes(form, levels.subspan(range.start, range.size()), width);
      largest = std::max(largest, bytes);
      total += PadTo(bytes, 8);
    }
    if (largest <= limit && (!found || total < best_bytes)) {
      found = true;
      best = form;
      best_bytes = total;
    }
  }
  if (!found) {
    return false;
  }
  Describe(best, width, &out->encoding);
  out->chunks.clear();
  for (const auto& range : ranges) {
    const LevelSpan part = levels.subspan(range.start, range.size());
    const size_t bytes = FormBytes(best, part, width);
    uint8_t* to = arena->Allocate(bytes);
    Write(best, part, width, to);
    out->chunks.emplace_back(to, bytes);
  }
  return true;
}

}  // namespace glaive::encoding
