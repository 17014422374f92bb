#include "table/row_ids.h"

#include <numeric>

#include "base/random.h"
#include "proto/rowids.pb.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

using lance::table::RowIdSequence;

void ExpectHolds(const std::string& bytes, const std::vector<uint64_t>& ids) {
  auto sequence = Must(ParseRowIds(bytes, ids.size(), "test"));
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(sequence->Get(i), ids[i]) << i;
    ASSERT_EQ(sequence->Find(ids[i]), std::optional<uint64_t>(i));
  }
  for (uint64_t id : ids) {
    if (std::find(ids.begin(), ids.end(), id + 1) == ids.end()) {
      ASSERT_EQ(sequence->Find(id + 1), std::nullopt);
    }
  }
}

lance::table::U64Segment::SegmentCase FormOf(const std::string& bytes) {
  RowIdSequence pb;
  EXPECT_TRUE(pb.ParseFromString(bytes));
  return pb.segments(0).segment_case();
}

TEST(RowIds, RangeIsTheBytesOfTheRealWriter) {
  // segments { range { end: 3 } }: a start of 0 is omitted
  EXPECT_EQ(SerializeRowIdRange(0, 3), std::string("\x0a\x04\x0a\x02\x10\x03", 6));
}

TEST(RowIds, BitmapHasLeastSignificantBitFirst) {
  // 0..8 without 1, 3 and 5 is d5 in the real writer's bytes.
  RowIdSequence pb;
  auto* range = pb.add_segments()->mutable_range_with_bitmap();
  range->set_end(8);
  range->set_bitmap("\xd5");
  ExpectHolds(pb.SerializeAsString(), {0, 2, 4, 6, 7});
}

TEST(RowIds, EveryFormIsChosenAndReadBack) {
  using Segment = lance::table::U64Segment;
  std::vector<uint64_t> all(1000);
  std::iota(all.begin(), all.end(), 500);
  EXPECT_EQ(FormOf(SerializeRowIds(all)), Segment::kRange);
  ExpectHolds(SerializeRowIds(all), all);

  auto holes = all;
  holes.erase(holes.begin() + 700);
  holes.erase(holes.begin() + 3);
  EXPECT_EQ(FormOf(SerializeRowIds(holes)), Segment::kRangeWithHoles);
  ExpectHolds(SerializeRowIds(holes), holes);

  std::vector<uint64_t> half;
  for (uint64_t id : all) {
    if (id % 3 != 0) {
      half.push_back(id);
    }
  }
  EXPECT_EQ(FormOf(SerializeRowIds(half)), Segment::kRangeWithBitmap);
  ExpectHolds(SerializeRowIds(half), half);

  for (uint64_t step : {uint64_t{100}, uint64_t{70000}, uint64_t{1} << 40}) {
    std::vector<uint64_t> sparse;
    for (uint64_t i = 0; i < 50; ++i) {
      sparse.push_back(7 + i * step);
    }
    EXPECT_EQ(FormOf(SerializeRowIds(sparse)), Segment::kSortedArray);
    ExpectHolds(SerializeRowIds(sparse), sparse);
    std::swap(sparse[3], sparse[40]);
    EXPECT_EQ(FormOf(SerializeRowIds(sparse)), Segment::kArray);
    ExpectHolds(SerializeRowIds(sparse), sparse);
  }
  const std::vector<uint64_t> last = {5, UINT64_MAX};
  EXPECT_EQ(Must(ParseRowIds(SerializeRowIds(last), 2, "test"))->Get(1), UINT64_MAX);
}

TEST(RowIds, SequencesConcatenate) {
  const std::string bytes = AppendRowIdRange(SerializeRowIds({9, 3, 5}), 100, 4);
  ExpectHolds(bytes, {9, 3, 5, 100, 101, 102, 103});
  EXPECT_EQ(Must(CountRowIds(bytes, "test")), 7u);
}

TEST(RowIds, ForgedSizesAreRefusedWithoutAllocation) {
  const auto refused = [](const RowIdSequence& pb, uint64_t rows) {
    return CodeOf(ParseRowIds(pb.SerializeAsString(), rows, "test")) == ErrorCode::kCorruption;
  };
  RowIdSequence huge;
  huge.add_segments()->mutable_range()->set_end(UINT64_MAX);
  EXPECT_TRUE(refused(huge, 10));
  *huge.add_segments() = huge.segments(0);
  EXPECT_TRUE(refused(huge, 10));  // sum overflows

  RowIdSequence backwards;
  backwards.add_segments()->mutable_range()->set_start(5);
  EXPECT_TRUE(refused(backwards, 0));

  RowIdSequence bitmap;
  bitmap.add_segments()->mutable_range_with_bitmap()->set_end(uint64_t{1} << 62);
  EXPECT_TRUE(refused(bitmap, 10));

  RowIdSequence holes;
  holes.add_segments()->mutable_range_with_holes()->set_end(10);
  holes.mutable_segments(0)
      ->mutable_range_with_holes()
      ->mutable_holes()
      ->mutable_u16_array()
      ->set_base(10);
  holes.mutable_segments(0)
      ->mutable_range_with_holes()
      ->mutable_holes()
      ->mutable_u16_array()
      ->set_offsets(std::string(2, '\0'));
  EXPECT_TRUE(refused(holes, 9));  // a hole behind the end

  RowIdSequence odd;
  odd.add_segments()->mutable_array()->mutable_u64_array()->set_values("1234567");
  EXPECT_TRUE(refused(odd, 1));
  RowIdSequence overflow;
  auto* array = overflow.add_segments()->mutable_array()->mutable_u16_array();
  array->set_base(UINT64_MAX);
  array->set_offsets(std::string("\x01\x00", 2));
  EXPECT_TRUE(refused(overflow, 1));
  RowIdSequence empty;
  empty.add_segments();
  EXPECT_TRUE(refused(empty, 0));
}

TEST(RowIds, MutatedBytesNeverCrash) {
  SeedRandomForTest(7);
  const std::string good = AppendRowIdRange(
      SerializeRowIds({1, 2, 3, 5, 9, 11, 12, 14}) + SerializeRowIds({9, 3, 70000}), 7, 5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (uint64_t flips = RandomU64() % 3 + 1; flips > 0; --flips) {
      bytes[RandomU64() % bytes.size()] = static_cast<char>(RandomU64());
    }
    bytes.resize(bytes.size() - RandomU64() % 3);
    auto count = CountRowIds(bytes, "test");
    if (count.ok()) {
      auto sequence = Must(ParseRowIds(bytes, *count, "test"));
      if (*count > 0) {
        const auto [lowest, highest] = sequence->Bounds();
        sequence->Get(0);
        sequence->Get(*count - 1);
        sequence->Find(lowest);
        sequence->Find(highest);
      }
    }
  }
}

TEST(RowVersions, RunsAreReadBack) {
  const std::vector<uint64_t> versions = {1, 1, 1, 4, 4, 2};
  auto parsed = Must(RowVersions::Parse(SerializeVersions(versions), 6, "test"));
  for (size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(parsed->Get(i), versions[i]);
  }
  EXPECT_EQ(CodeOf(RowVersions::Parse(SerializeVersions(versions), 7, "test")),
            ErrorCode::kCorruption);
  EXPECT_EQ(Must(RowVersions::Parse(SerializeVersionRun(9, 3), 9, "test"))->Get(8), 3u);
}

}  // namespace
}  // namespace glaive::table
