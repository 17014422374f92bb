#include "table/row_ids.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "proto/parse.h"
#include "proto/rowids.pb.h"

namespace glaive::table {

namespace {

using lance::table::EncodedU64Array;
using lance::table::U64Segment;

// Ids below the bitmap's bit 512 * i are counted in ranks[i].
constexpr uint64_t kRankBits = 512;

enum class Form { kRange, kHoles, kBitmap, kSorted, kUnsorted };

// A parsed segment. Memory is proportional to its bytes, never to the span that a range claims.
struct Segment {
  Form form = Form::kRange;
  uint64_t start = 0;            // ranges: first slot
  uint64_t end = 0;              // ranges: after the last slot
  uint64_t size = 0;             // ids
  uint64_t lowest = 0;           // of the ids; undefined if empty
  uint64_t highest = 0;          // of the ids, inclusive
  std::vector<uint64_t> values;  // holes, or the ids of an array
  std::vector<uint32_t> order;   // unsorted array: positions by ascending id
  std::string bitmap;
  std::vector<uint64_t> ranks;

  uint64_t Get(uint64_t ordinal) const;
  std::optional<uint64_t> Find(uint64_t id) const;

 private:
  uint64_t SelectBit(uint64_t ordinal) const;
  uint64_t RankOfBit(uint64_t bit) const;
};

// The ordinal-th set bit.
uint64_t Segment::SelectBit(uint64_t ordinal) const {
  const auto after = std::upper_bound(ranks.begin(), ranks.end(), ordinal);
  const auto block = static_cast<uint64_t>(after - ranks.begin()) - 1;
  uint64_t left = ordinal - ranks[block];
  for (uint64_t byte = block * kRankBits / 8; byte < bitmap.size(); ++byte) {
    auto bits = static_cast<uint8_t>(bitmap[byte]);
    const auto count = static_cast<uint64_t>(std::popcount(bits));
    if (left >= count) {
      left -= count;
      continue;
    }
    for (; left > 0; --left) {
      bits = static_cast<uint8_t>(bits & (bits - 1));
    }
    return byte * 8 + static_cast<uint64_t>(std::countr_zero(bits));
  }
  return 0;  // not reached: ordinal < size
}

uint64_t Segment::RankOfBit(uint64_t bit) const {
  const uint64_t block = bit / kRankBits;
  uint64_t rank = ranks[block];
  for (uint64_t byte = block * kRankBits / 8; byte < bit / 8; ++byte) {
    rank += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(bitmap[byte])));
  }
  const auto mask = static_cast<uint8_t>((1u << (bit % 8)) - 1);
  return rank + static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(bitmap[bit / 8] & mask)));
}

uint64_t Segment::Get(uint64_t ordinal) const {
  switch (form) {
    case Form::kRange:
      return start + ordinal;
    case Form::kHoles: {
      // Before hole i lie (hole - start - i) ids; count the holes that precede the ordinal-th id.
      size_t low = 0;
      size_t high = values.size();
      while (low < high) {
        const size_t middle = (low + high) / 2;
        if (values[middle] - start - middle <= ordinal) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return start + ordinal + low;
    }
    case Form::kBitmap:
      return start + SelectBit(ordinal);
    case Form::kSorted:
    case Form::kUnsorted:
      break;
  }
  return values[ordinal];
}

std::optional<uint64_t> Segment::Find(uint64_t id) const {
  if (size == 0 || id < lowest || id > highest) {
    return std::nullopt;
  }
  switch (form) {
    case Form::kRange:
      return id - start;
    case Form::kHoles: {
      const auto at = std::lower_bound(values.begin(), values.end(), id);
      if (at != values.end() && *at == id) {
        return std::nullopt;
      }
      return id - start - static_cast<uint64_t>(at - values.begin());
    }
    case Form::kBitmap: {
      const uint64_t bit = id - start;
      if (((static_cast<uint8_t>(bitmap[bit / 8]) >> (bit % 8)) & 1) == 0) {
        return std::nullopt;
      }
      return RankOfBit(bit);
    }
    case Form::kSorted: {
      const auto at = std::lower_bound(values.begin(), values.end(), id);
      if (at == values.end() || *at != id) {
        return std::nullopt;
      }
      return static_cast<uint64_t>(at - values.begin());
    }
    case Form::kUnsorted:
      break;
  }
  const auto at =
      std::lower_bound(order.begin(), order.end(), id,
                       [this](uint32_t position, uint64_t key) { return values[position] < key; });
  if (at == order.end() || values[*at] != id) {
    return std::nullopt;
  }
  return *at;
}

template <typename T>
arrow::Result<std::vector<uint64_t>> DecodeOffsets(uint64_t base, std::string_view bytes,
                                                   std::string_view what) {
  GLAIVE_CHECK_FORMAT(bytes.size() % sizeof(T) == 0, what, ": row id array of ", bytes.size(),
                      " bytes, expected a multiple of ", sizeof(T));
  std::vector<uint64_t> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t offset = LoadLe<T>(bytes.data() + i * sizeof(T));
    GLAIVE_CHECK_FORMAT(CheckedAdd(base, offset, &values[i]), what, ": row id ", base, " + ",
                        offset, " exceeds 64 bits");
  }
  return values;
}

arrow::Result<std::vector<uint64_t>> DecodeArray(const EncodedU64Array& array,
                                                 std::string_view what) {
  switch (array.array_case()) {
    case EncodedU64Array::kU16Array:
      return DecodeOffsets<uint16_t>(array.u16_array().base(), array.u16_array().offsets(), what);
    case EncodedU64Array::kU32Array:
      return DecodeOffsets<uint32_t>(array.u32_array().base(), array.u32_array().offsets(), what);
    case EncodedU64Array::kU64Array:
      return DecodeOffsets<uint64_t>(0, array.u64_array().values(), what);
    case EncodedU64Array::ARRAY_NOT_SET:
      break;
  }
  return Corruption(what, ": row id array of unknown form");
}

arrow::Status CheckAscending(const std::vector<uint64_t>& values, std::string_view what) {
  for (size_t i = 1; i < values.size(); ++i) {
    GLAIVE_CHECK_FORMAT(values[i - 1] < values[i], what,
                        ": row ids of a sorted array not ascending: ", values[i - 1], " before ",
                        values[i]);
  }
  return arrow::Status::OK();
}

template <typename RangeMessage>
arrow::Status SetRange(const RangeMessage& range, Segment* out, std::string_view what) {
  GLAIVE_CHECK_FORMAT(range.start() <= range.end(), what, ": row id range starts at ",
                      range.start(), " and ends at ", range.end());
  out->start = range.start();
  out->end = range.end();
  out->size = range.end() - range.start();
  out->lowest = out->start;
  out->highest = out->end == 0 ? 0 : out->end - 1;
  return arrow::Status::OK();
}

arrow::Status SetHoles(const U64Segment::RangeWithHoles& range, Segment* out,
                       std::string_view what) {
  out->form = Form::kHoles;
  ARROW_RETURN_NOT_OK(SetRange(range, out, what));
  if (!range.has_holes()) {
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(out->values, DecodeArray(range.holes(), what));
  // The real writer lists holes in order, but the format does not say that it must.
  std::sort(out->values.begin(), out->values.end());
  ARROW_RETURN_NOT_OK(CheckAscending(out->values, what));
  if (!out->values.empty()) {
    GLAIVE_CHECK_FORMAT(out->values.front() >= out->start && out->values.back() < out->end, what,
                        ": holes ", out->values.front(), "..", out->values.back(),
                        " outside of the row id range ", out->start, "..", out->end);
  }
  out->size -= out->values.size();
  return arrow::Status::OK();
}

arrow::Status SetBitmap(const U64Segment::RangeWithBitmap& range, Segment* out,
                        std::string_view what) {
  out->form = Form::kBitmap;
  ARROW_RETURN_NOT_OK(SetRange(range, out, what));
  const uint64_t slots = out->size;
  const uint64_t bytes = slots / 8 + (slots % 8 != 0 ? 1 : 0);
  GLAIVE_CHECK_FORMAT(range.bitmap().size() == bytes, what, ": row id bitmap of ",
                      range.bitmap().size(), " bytes, expected ", bytes, " for ", slots, " slots");
  out->bitmap = range.bitmap();
  if (slots % 8 != 0) {
    out->bitmap.back() = static_cast<char>(static_cast<uint8_t>(out->bitmap.back()) &
                                           static_cast<uint8_t>((1u << (slots % 8)) - 1));
  }
  uint64_t rank = 0;
  for (uint64_t byte = 0; byte < bytes; ++byte) {
    if (byte % (kRankBits / 8) == 0) {
      out->ranks.push_back(rank);
    }
    rank += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(out->bitmap[byte])));
  }
  out->size = rank;
  return arrow::Status::OK();
}

arrow::Status SetArray(const EncodedU64Array& array, Form form, Segment* out,
                       std::string_view what) {
  out->form = form;
  ARROW_ASSIGN_OR_RAISE(out->values, DecodeArray(array, what));
  out->size = out->values.size();
  if (out->values.empty()) {
    return arrow::Status::OK();
  }
  GLAIVE_CHECK_FORMAT(out->size <= UINT32_MAX, what, ": row id array of ", out->size,
                      " ids, a fragment has at most ", UINT32_MAX);
  if (form == Form::kSorted) {
    ARROW_RETURN_NOT_OK(CheckAscending(out->values, what));
    out->lowest = out->values.front();
    out->highest = out->values.back();
    return arrow::Status::OK();
  }
  out->order.resize(out->values.size());
  std::iota(out->order.begin(), out->order.end(), 0u);
  std::sort(out->order.begin(), out->order.end(),
            [out](uint32_t a, uint32_t b) { return out->values[a] < out->values[b]; });
  out->lowest = out->values[out->order.front()];
  out->highest = out->values[out->order.back()];
  return arrow::Status::OK();
}

arrow::Result<Segment> ParseSegment(const U64Segment& pb, std::string_view what) {
  Segment segment;
  switch (pb.segment_case()) {
    case U64Segment::kRange:
      ARROW_RETURN_NOT_OK(SetRange(pb.range(), &segment, what));
      return segment;
    case U64Segment::kRangeWithHoles:
      ARROW_RETURN_NOT_OK(SetHoles(pb.range_with_holes(), &segment, what));
      return segment;
    case U64Segment::kRangeWithBitmap:
      ARROW_RETURN_NOT_OK(SetBitmap(pb.range_with_bitmap(), &segment, what));
      return segment;
    case U64Segment::kSortedArray:
      ARROW_RETURN_NOT_OK(SetArray(pb.sorted_array(), Form::kSorted, &segment, what));
      return segment;
    case U64Segment::kArray:
      ARROW_RETURN_NOT_OK(SetArray(pb.array(), Form::kUnsorted, &segment, what));
      return segment;
    case U64Segment::SEGMENT_NOT_SET:
      break;
  }
  return Corruption(what, ": row id segment of unknown form");
}

struct ParsedSequence {
  std::vector<Segment> segments;  // without empty ones
  std::vector<uint64_t> ends;     // ordinals after each segment
  uint64_t size = 0;
};

arrow::Result<ParsedSequence> ParseSequence(std::string_view bytes, std::string_view what) {
  lance::table::RowIdSequence pb;
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(bytes, &pb), what, ": row id sequence of ", bytes.size(),
                      " bytes is no valid message");
  ParsedSequence out;
  for (const auto& segment_pb : pb.segments()) {
    ARROW_ASSIGN_OR_RAISE(auto segment, ParseSegment(segment_pb, what));
    if (segment.size == 0) {
      continue;
    }
    GLAIVE_CHECK_FORMAT(CheckedAdd(out.size, segment.size, &out.size), what,
                        ": row id sequence longer than 64 bits can count");
    out.ends.push_back(out.size);
    out.segments.push_back(std::move(segment));
  }
  return out;
}

class ParsedRowIds final : public RowIdSequence {
 public:
  explicit ParsedRowIds(ParsedSequence sequence) : sequence_(std::move(sequence)) {
    const auto& segments = sequence_.segments;
    by_lowest_.resize(segments.size());
    std::iota(by_lowest_.begin(), by_lowest_.end(), size_t{0});
    std::sort(by_lowest_.begin(), by_lowest_.end(),
              [&](size_t a, size_t b) { return segments[a].lowest < segments[b].lowest; });
    uint64_t highest = 0;
    for (size_t index : by_lowest_) {
      highest = std::max(highest, segments[index].highest);
      highest_so_far_.push_back(highest);
    }
  }

  uint64_t size() const override { return sequence_.size; }

  uint64_t Get(uint64_t ordinal) const override {
    const auto at = std::upper_bound(sequence_.ends.begin(), sequence_.ends.end(), ordinal);
    const auto index = static_cast<size_t>(at - sequence_.ends.begin());
    const uint64_t begin = index == 0 ? 0 : sequence_.ends[index - 1];
    return sequence_.segments[index].Get(ordinal - begin);
  }

  std::pair<uint64_t, uint64_t> Bounds() const override {
    return {sequence_.segments[by_lowest_.front()].lowest, highest_so_far_.back()};
  }

  std::optional<uint64_t> Find(uint64_t row_id) const override {
    const auto after = std::upper_bound(
        by_lowest_.begin(), by_lowest_.end(), row_id,
        [this](uint64_t id, size_t index) { return id < sequence_.segments[index].lowest; });
    for (auto i = static_cast<size_t>(after - by_lowest_.begin()); i > 0; --i) {
      if (highest_so_far_[i - 1] < row_id) {
        break;
      }
      const size_t index = by_lowest_[i - 1];
      if (const auto found = sequence_.segments[index].Find(row_id)) {
        return *found + (index == 0 ? 0 : sequence_.ends[index - 1]);
      }
    }
    return std::nullopt;
  }

 private:
  ParsedSequence sequence_;
  std::vector<size_t> by_lowest_;
  std::vector<uint64_t> highest_so_far_;  // over by_lowest_
};

template <typename T>
std::string PackOffsets(const std::vector<uint64_t>& values, uint64_t base) {
  std::string bytes(values.size() * sizeof(T), '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    StoreLe(bytes.data() + i * sizeof(T), static_cast<T>(values[i] - base));
  }
  return bytes;
}

void EncodeArray(const std::vector<uint64_t>& values, EncodedU64Array* out) {
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const uint64_t base = values.empty() ? 0 : *lowest;
  const uint64_t span = values.empty() ? 0 : *highest - base;
  if (span <= UINT16_MAX) {
    out->mutable_u16_array()->set_base(base);
    out->mutable_u16_array()->set_offsets(PackOffsets<uint16_t>(values, base));
  } else if (span <= UINT32_MAX) {
    out->mutable_u32_array()->set_base(base);
    out->mutable_u32_array()->set_offsets(PackOffsets<uint32_t>(values, base));
  } else {
    out->mutable_u64_array()->set_values(PackOffsets<uint64_t>(values, 0));
  }
}

void EncodeHoles(const std::vector<uint64_t>& ids, U64Segment* out) {
  auto* range = out->mutable_range_with_holes();
  range->set_start(ids.front());
  range->set_end(ids.back() + 1);
  std::vector<uint64_t> holes;
  for (size_t i = 1; i < ids.size(); ++i) {
    for (uint64_t hole = ids[i - 1] + 1; hole < ids[i]; ++hole) {
      holes.push_back(hole);
    }
  }
  EncodeArray(holes, range->mutable_holes());
}

void EncodeBitmap(const std::vector<uint64_t>& ids, U64Segment* out) {
  auto* range = out->mutable_range_with_bitmap();
  range->set_start(ids.front());
  range->set_end(ids.back() + 1);
  std::string bitmap((ids.back() - ids.front()) / 8 + 1, '\0');
  for (uint64_t id : ids) {
    const uint64_t bit = id - ids.front();
    bitmap[bit / 8] = static_cast<char>(static_cast<uint8_t>(bitmap[bit / 8]) | (1u << (bit % 8)));
  }
  range->set_bitmap(std::move(bitmap));
}

bool StrictlyAscending(const std::vector<uint64_t>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

void EncodeIds(const std::vector<uint64_t>& ids, U64Segment* out) {
  if (ids.empty()) {
    out->mutable_range();
    return;
  }
  // The last id of all can't be followed by an exclusive end.
  if (!StrictlyAscending(ids) || ids.back() == UINT64_MAX) {
    EncodeArray(ids, StrictlyAscending(ids) ? out->mutable_sorted_array() : out->mutable_array());
    return;
  }
  const uint64_t slots = ids.back() - ids.front() + 1;
  const uint64_t holes = slots - ids.size();
  if (holes == 0) {
    out->mutable_range()->set_start(ids.front());
    out->mutable_range()->set_end(ids.back() + 1);
    return;
  }
  const uint64_t array_cost = 24 + 2 * uint64_t{ids.size()};
  const uint64_t bitmap_cost = 24 + slots / 8 + (slots % 8 != 0 ? 1 : 0);
  const uint64_t holes_cost = holes > UINT64_MAX / 8 ? UINT64_MAX : 24 + 4 * holes;
  if (holes_cost <= bitmap_cost && holes_cost <= array_cost) {
    EncodeHoles(ids, out);
  } else if (bitmap_cost <= array_cost) {
    EncodeBitmap(ids, out);
  } else {
    EncodeArray(ids, out->mutable_sorted_array());
  }
}

}  // namespace

arrow::Result<std::shared_ptr<const RowIdSequence>> ParseRowIds(std::string_view bytes,
                                                                uint64_t rows,
                                                                std::string_view what) {
  ARROW_ASSIGN_OR_RAISE(auto sequence, ParseSequence(bytes, what));
  GLAIVE_CHECK_FORMAT(sequence.size == rows, what, ": row id sequence holds ", sequence.size,
                      " ids, expected ", rows);
  return std::make_shared<const ParsedRowIds>(std::move(sequence));
}

arrow::Result<uint64_t> CountRowIds(std::string_view bytes, std::string_view what) {
  ARROW_ASSIGN_OR_RAISE(auto sequence, ParseSequence(bytes, what));
  return sequence.size;
}

std::string SerializeRowIdRange(uint64_t start, uint64_t count) {
  return AppendRowIdRange({}, start, count);
}

std::string AppendRowIdRange(std::string_view bytes, uint64_t start, uint64_t count) {
  lance::table::RowIdSequence pb;
  auto* range = pb.add_segments()->mutable_range();
  range->set_start(start);
  range->set_end(start + count);
  // Repeated fields of two serialized messages concatenate.
  return std::string(bytes) + pb.SerializeAsString();
}

std::string SerializeRowIds(const std::vector<uint64_t>& ids) {
  lance::table::RowIdSequence pb;
  EncodeIds(ids, pb.add_segments());
  return pb.SerializeAsString();
}

arrow::Result<std::shared_ptr<const RowVersions>> RowVersions::Parse(std::string_view bytes,
                                                                     uint64_t rows,
                                                                     std::string_view what) {
  lance::table::RowDatasetVersionSequence pb;
  GLAIVE_CHECK_FORMAT(proto::ParseMessage(bytes, &pb), what, ": row version sequence of ",
                      bytes.size(), " bytes is no valid message");
  auto out = std::make_shared<RowVersions>();
  uint64_t end = 0;
  for (const auto& run : pb.runs()) {
    ARROW_ASSIGN_OR_RAISE(auto span, ParseSegment(run.span(), what));
    GLAIVE_CHECK_FORMAT(CheckedAdd(end, span.size, &end), what,
                        ": row version sequence longer than 64 bits can count");
    out->ends_.push_back(end);
    out->versions_.push_back(run.version());
  }
  GLAIVE_CHECK_FORMAT(end == rows, what, ": row version sequence covers ", end, " rows, expected ",
                      rows);
  return std::shared_ptr<const RowVersions>(std::move(out));
}

uint64_t RowVersions::Get(uint64_t offset) const {
  const auto at = std::upper_bound(ends_.begin(), ends_.end(), offset);
  return versions_[static_cast<size_t>(at - ends_.begin())];
}

std::string SerializeVersions(const std::vector<uint64_t>& versions) {
  lance::table::RowDatasetVersionSequence pb;
  for (size_t begin = 0; begin < versions.size();) {
    size_t end = begin + 1;
    while (end < versions.size() && versions[end] == versions[begin]) {
      ++end;
    }
    auto* run = pb.add_runs();
    run->mutable_span()->mutable_range()->set_start(begin);
    run->mutable_span()->mutable_range()->set_end(end);
    run->set_version(versions[begin]);
    begin = end;
  }
  return pb.SerializeAsString();
}

std::string SerializeVersionRun(uint64_t rows, uint64_t version) {
  lance::table::RowDatasetVersionSequence pb;
  auto* run = pb.add_runs();
  run->mutable_span()->mutable_range()->set_end(rows);
  run->set_version(version);
  return pb.SerializeAsString();
}

}  // namespace glaive::table
