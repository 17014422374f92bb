// Rows by index, and the first rows of an order against a stable sort.
#include "query/gather.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/initialize.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "query/top_rows.h"

namespace glaive::query {
namespace {

std::shared_ptr<arrow::Array> Parsed(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& text) {
  return arrow::json::ArrayFromJSONString(type, text).ValueOrDie();
}

std::vector<std::shared_ptr<arrow::Array>> Samples() {
  const std::string words =
      R"(["", "a", null, "a text of more than thirty-two bytes, so that it is copied apart", "b", "cc"])";
  const auto item =
      arrow::struct_({arrow::field("x", arrow::int16()), arrow::field("y", arrow::utf8())});
  return {
      Parsed(arrow::int8(), "[1, 2, null, 4, 5, 6]"),
      Parsed(arrow::uint16(), "[1, 2, 3, 4, 5, 6]"),
      Parsed(arrow::float32(), "[1, null, 3, 4, 5, 6]"),
      Parsed(arrow::int64(), "[1, 2, 3, 4, 5, null]"),
      Parsed(arrow::decimal128(9, 2), R"(["1.00", "2.00", null, "4.00", "5.00", "6.00"])"),
      Parsed(arrow::fixed_size_binary(3), R"(["abc", "def", null, "ghi", "jkl", "mno"])"),
      Parsed(arrow::boolean(), "[true, false, null, true, true, false]"),
      Parsed(arrow::null(), "[null, null, null, null, null, null]"),
      Parsed(arrow::utf8(), words),
      Parsed(arrow::large_utf8(), words),
      Parsed(arrow::utf8_view(), words),
      Parsed(arrow::dictionary(arrow::int8(), arrow::utf8()), words),
      Parsed(arrow::list(arrow::int32()),
             "[[1, 2], [], null, [3], [4, 5, 6, 7, 8, 9, 10, 11, 12], [13]]"),
      Parsed(arrow::list(arrow::int32()), "[[1, null], [], null, [3], [4], [null]]"),
      Parsed(arrow::large_list(arrow::utf8()), R"([["a", "b"], [], null, ["c", null], ["d"], []])"),
      Parsed(arrow::list(item),
             R"([[{"x": 1, "y": "a"}], null, [null, {"x": null, "y": "b"}], [], [], []])"),
      Parsed(
          item,
          R"([{"x": 1, "y": "a"}, null, {"x": 3, "y": null}, {"x": 4, "y": "d"}, null, {"x": 6, "y": "f"}])"),
      Parsed(arrow::fixed_size_list(arrow::float32(), 3),
             "[[1,2,3], [4,5,6], [7,8,9], [1,1,1], [2,2,2], [3,3,3]]"),
      Parsed(arrow::fixed_size_list(arrow::float32(), 2),
             "[[1,2], null, [3,null], [1,1], [2,2], [3,3]]"),
      Parsed(arrow::map(arrow::utf8(), arrow::int32()),
             R"([[["a", 1]], [], null, [["b", 2], ["c", 3]], [], []])"),
  };
}

TEST(Gather, TakesTheRowsOfAnyType) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  std::mt19937 random(1);
  for (const auto& whole : Samples()) {
    for (const auto& array : {whole, whole->Slice(1), whole->Slice(2, 3)}) {
      for (const size_t count : {0, 1, 5, 40}) {
        std::vector<uint32_t> rows(count);
        for (auto& row : rows) {
          row = static_cast<uint32_t>(random() % static_cast<uint64_t>(array->length()));
        }
        const auto gathered = Gather(array, rows, nullptr).ValueOrDie();
        ASSERT_TRUE(gathered->ValidateFull().ok()) << array->type()->ToString();
        ASSERT_TRUE(gathered->type()->Equals(*array->type()));
        ASSERT_EQ(gathered->length(), static_cast<int64_t>(count));
        for (size_t i = 0; i < count; ++i) {
          const auto at = static_cast<int64_t>(i);
          EXPECT_TRUE(gathered->RangeEquals(*array, at, at + 1, rows[i]))
              << array->type()->ToString() << gathered->ToString() << array->ToString();
        }
      }
    }
  }
}

TEST(Gather, RowsOfAMask) {
  std::mt19937 random(2);
  arrow::BooleanBuilder builder;
  std::vector<bool> bits;
  for (int i = 0; i < 300; ++i) {
    bits.push_back(random() % 3 == 0);
    ASSERT_TRUE(builder.Append(bits.back()).ok());
  }
  const auto mask = std::static_pointer_cast<arrow::BooleanArray>(builder.Finish().ValueOrDie());
  for (const int64_t first : {0, 1, 8, 63, 77, 299, 300}) {
    const auto part = std::static_pointer_cast<arrow::BooleanArray>(mask->Slice(first));
    std::vector<uint32_t> expected;
    for (int64_t i = first; i < 300; ++i) {
      if (bits[static_cast<size_t>(i)]) {
        expected.push_back(static_cast<uint32_t>(i - first));
      }
    }
    EXPECT_EQ(RowsOf(*part), expected) << first;
  }
}

/// Places of the first `limit` keys, in a stable order by the encoded keys.
std::vector<int64_t> FirstOf(const arrow::RecordBatch& batch, const std::vector<KeyColumn>& keys,
                             size_t limit) {
  const auto encoded = EncodeOrdered(batch, keys, nullptr).ValueOrDie();
  std::vector<int64_t> order(static_cast<size_t>(batch.num_rows()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return encoded.at(static_cast<size_t>(a)) < encoded.at(static_cast<size_t>(b));
  });
  order.resize(std::min(order.size(), limit));
  return order;
}

/// In whatever order the parts come, the first rows of what is left are those of the whole.
TEST(TopRows, KeepsTheFirstRowsInWhateverOrderPartsCome) {
  std::mt19937_64 random(3);
  constexpr int64_t kRows = 600;
  const auto make = [&](auto builder, const auto& value) {
    for (int64_t i = 0; i < kRows; ++i) {
      EXPECT_TRUE((random() % 13 == 0 ? builder.AppendNull() : builder.Append(value())).ok());
    }
    return builder.Finish().ValueOrDie();
  };
  const auto doubles = [&]() -> double {
    switch (random() % 12) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return -0.0;
      case 2:
        return 0.0;
      case 3:
        return -std::numeric_limits<double>::infinity();
      default:
        return static_cast<double>(random() % 100) - 50;
    }
  };
  arrow::Int64Builder place;
  for (int64_t i = 0; i < kRows; ++i) {
    ASSERT_TRUE(place.Append(i).ok());
  }
  const arrow::ArrayVector columns = {
      make(arrow::DoubleBuilder(), doubles),
      make(arrow::FloatBuilder(), [&] { return static_cast<float>(doubles()); }),
      make(arrow::Int32Builder(), [&] { return static_cast<int32_t>(random() % 20) - 10; }),
      make(arrow::UInt64Builder(), [&] { return random(); }),
      make(arrow::BooleanBuilder(), [&] { return random() % 2 == 0; }),
  };
  const auto places = place.Finish().ValueOrDie();
  const auto schema_of = [](const std::shared_ptr<arrow::Array>& a,
                            const std::shared_ptr<arrow::Array>& b) {
    return arrow::schema({arrow::field("place", arrow::int64()), arrow::field("a", a->type()),
                          arrow::field("b", b->type())});
  };
  for (size_t at = 0; at < columns.size(); ++at) {
    const auto& second = columns[(at + 2) % columns.size()];
    const auto whole = arrow::RecordBatch::Make(schema_of(columns[at], second), kRows,
                                                {places, columns[at], second});
    for (const bool ascending : {true, false}) {
      for (const bool nulls_first : {true, false}) {
        for (const size_t limit : {size_t{1}, size_t{7}, size_t{150}}) {
          for (const bool two : {false, true}) {
            std::vector<KeyColumn> keys = {{1, ascending, nulls_first}};
            if (two) {
              keys.push_back({2, !ascending, nulls_first});
            }
            TopRows top(keys, limit, nullptr);
            std::vector<int64_t> starts = {0, 100, 200, 300, 400, 500};
            std::shuffle(starts.begin(), starts.end(), random);
            std::vector<std::vector<int64_t>> left(6);
            for (const int64_t start : starts) {
              const auto kept = top.Reduce(whole->Slice(start, 100)).ValueOrDie();
              const auto& values = static_cast<const arrow::Int64Array&>(*kept->column(0));
              left[static_cast<size_t>(start) / 100].assign(values.raw_values(),
                                                            values.raw_values() + values.length());
              EXPECT_LE(values.length(),
                        static_cast<int64_t>(std::max<size_t>(limit, limit >= 100 ? 100 : 0)));
            }
            std::vector<uint32_t> together;
            for (const auto& part : left) {
              together.insert(together.end(), part.begin(), part.end());
            }
            EXPECT_TRUE(std::is_sorted(together.begin(), together.end()));
            arrow::ArrayVector some;
            for (const auto& column : whole->columns()) {
              some.push_back(Gather(column, together, nullptr).ValueOrDie());
            }
            const auto rest = arrow::RecordBatch::Make(whole->schema(),
                                                       static_cast<int64_t>(together.size()), some);
            std::vector<int64_t> found;
            for (const int64_t row : FirstOf(*rest, keys, limit)) {
              found.push_back(together[static_cast<size_t>(row)]);
            }
            EXPECT_EQ(found, FirstOf(*whole, keys, limit))
                << at << ascending << nulls_first << limit << two;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace glaive::query
