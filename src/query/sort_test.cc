// Sorting, distinct rows and spill files against what a stable sort in memory gives.
#include "query/sort.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include "query/distinct.h"
#include "query/spill.h"
#include "testing/rows.h"

namespace glaive::query {
namespace {

using testing::Drain;
using testing::Must;
using testing::Stream;

/// Sorts scalars as the door says.
int Compare(const arrow::Scalar& a, const arrow::Scalar& b);

template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int OrderDoubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return Order(a, b);
}

int Compare(const arrow::Scalar& a, const arrow::Scalar& b) {
  switch (a.type->id()) {
    case arrow::Type::INT64:
      return Order(static_cast<const arrow::Int64Scalar&>(a).value,
                   static_cast<const arrow::Int64Scalar&>(b).value);
    case arrow::Type::UINT8:
      return Order(static_cast<const arrow::UInt8Scalar&>(a).value,
                   static_cast<const arrow::UInt8Scalar&>(b).value);
    case arrow::Type::BOOL:
      return Order(static_cast<const arrow::BooleanScalar&>(a).value,
                   static_cast<const arrow::BooleanScalar&>(b).value);
    case arrow::Type::TIMESTAMP:
      return Order(static_cast<const arrow::TimestampScalar&>(a).value,
                   static_cast<const arrow::TimestampScalar&>(b).value);
    case arrow::Type::DOUBLE:
      return OrderDoubles(static_cast<const arrow::DoubleScalar&>(a).value,
                          static_cast<const arrow::DoubleScalar&>(b).value);
    case arrow::Type::FLOAT:
      return OrderDoubles(static_cast<double>(static_cast<const arrow::FloatScalar&>(a).value),
                          static_cast<double>(static_cast<const arrow::FloatScalar&>(b).value));
    case arrow::Type::DECIMAL128:
      return Order(static_cast<const arrow::Decimal128Scalar&>(a).value,
                   static_cast<const arrow::Decimal128Scalar&>(b).value);
    case arrow::Type::DICTIONARY:
      return Compare(*Must(static_cast<const arrow::DictionaryScalar&>(a).GetEncodedValue()),
                     *Must(static_cast<const arrow::DictionaryScalar&>(b).GetEncodedValue()));
    default:
      return Order(static_cast<const arrow::BaseBinaryScalar&>(a).value->ToString(),
                   static_cast<const arrow::BaseBinaryScalar&>(b).value->ToString());
  }
}

std::string Text(const arrow::Array& array, int64_t row) {
  const auto value = Must(array.GetScalar(row));
  if (value->is_valid && value->type->id() == arrow::Type::DICTIONARY) {
    return Must(static_cast<const arrow::DictionaryScalar&>(*value).GetEncodedValue())->ToString();
  }
  return value->is_valid ? value->ToString() : "null";
}

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(bound));
  }

  bool OneIn(int64_t n) { return Below(n) == 0; }

  std::string Text() {
    static const std::string kPieces[] = {"",
                                          "a",
                                          "ab",
                                          std::string("\0", 1),
                                          "\xc3\xbf",
                                          "zebra",
                                          std::string("a\0b", 3),
                                          "longer than eight bytes"};
    return kPieces[Below(8)] + kPieces[Below(8)];
  }

 private:
  std::mt19937_64 engine_;
};

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> Build(Builder& builder, int64_t rows, Random& random,
                                    const Value& value) {
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE((random.OneIn(9) ? builder.AppendNull() : builder.Append(value())).ok());
  }
  return *builder.Finish();
}

std::shared_ptr<arrow::Schema> MixedSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("i", arrow::int64()),
                        arrow::field("u", arrow::uint8()), arrow::field("b", arrow::boolean()),
                        arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)),
                        arrow::field("d", arrow::float64()), arrow::field("f", arrow::float32()),
                        arrow::field("n", arrow::decimal128(20, 2)),
                        arrow::field("s", arrow::utf8()), arrow::field("x", arrow::large_binary()),
                        arrow::field("c", arrow::dictionary(arrow::int32(), arrow::utf8())),
                        arrow::field("l", arrow::list(arrow::int64()))});
}

std::shared_ptr<arrow::RecordBatch> MixedRows(int64_t first, int64_t rows, Random& random) {
  arrow::Int64Builder ids;
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(ids.Append(first + i).ok());
  }
  arrow::Int64Builder i;
  arrow::UInt8Builder u;
  arrow::BooleanBuilder b;
  arrow::TimestampBuilder t(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::DoubleBuilder d;
  arrow::FloatBuilder f;
  arrow::Decimal128Builder n(arrow::decimal128(20, 2));
  arrow::StringBuilder s;
  arrow::LargeBinaryBuilder x;
  arrow::StringDictionary32Builder c;
  auto items = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder l(arrow::default_memory_pool(), items);
  const double doubles[] = {0.0,
                            -0.0,
                            1.5,
                            -1.5,
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(),
                            std::nan(""),
                            -std::nan("")};
  arrow::ArrayVector columns;
  columns.push_back(*ids.Finish());
  columns.push_back(Build(i, rows, random, [&] { return random.Below(7) - 3; }));
  columns.push_back(
      Build(u, rows, random, [&] { return static_cast<uint8_t>(random.Below(250)); }));
  columns.push_back(Build(b, rows, random, [&] { return random.OneIn(2); }));
  columns.push_back(Build(t, rows, random, [&] { return random.Below(20) - 10; }));
  columns.push_back(Build(d, rows, random, [&] { return doubles[random.Below(8)]; }));
  columns.push_back(
      Build(f, rows, random, [&] { return static_cast<float>(doubles[random.Below(8)]); }));
  columns.push_back(
      Build(n, rows, random, [&] { return arrow::Decimal128(random.Below(30) - 15); }));
  columns.push_back(Build(s, rows, random, [&] { return random.Text(); }));
  columns.push_back(Build(x, rows, random, [&] { return random.Text(); }));
  columns.push_back(Build(c, rows, random, [&] { return random.Text(); }));
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_TRUE((random.OneIn(5) ? l.AppendNull() : l.Append()).ok());
    if (!random.OneIn(3) && row % 2 == 0) {
      EXPECT_TRUE(items->Append(random.Below(3)).ok());
    }
  }
  columns.push_back(*l.Finish());
  return arrow::RecordBatch::Make(MixedSchema(), rows, std::move(columns));
}

std::vector<int64_t> Ids(const arrow::RecordBatch& batch) {
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch.GetColumnByName("id"));
  return {ids.raw_values(), ids.raw_values() + ids.length()};
}

std::vector<int64_t> Expected(const arrow::RecordBatch& rows, const std::vector<SortKey>& keys,
                              std::optional<uint64_t> limit) {
  std::vector<std::vector<std::shared_ptr<arrow::Scalar>>> values;
  for (const auto& key : keys) {
    values.emplace_back();
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      values.back().push_back(Must(rows.column(key.column)->GetScalar(row)));
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(rows.num_rows()));
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto is_null = [](const arrow::Scalar& scalar) { return !scalar.is_valid; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    for (size_t k = 0; k < keys.size(); ++k) {
      const auto& left = *values[k][static_cast<size_t>(a)];
      const auto& right = *values[k][static_cast<size_t>(b)];
      int compared = 0;
      if (is_null(left) || is_null(right)) {
        compared = static_cast<int>(is_null(left)) - static_cast<int>(is_null(right));
        compared = keys[k].nulls_first ? -compared : compared;
      } else {
        compared = Compare(left, right);
        compared = keys[k].ascending ? compared : -compared;
      }
      if (compared != 0) {
        return compared < 0;
      }
    }
    return false;
  });
  if (limit.has_value()) {
    order.resize(std::min<size_t>(order.size(), *limit));
  }
  const auto ids = Ids(rows);
  std::vector<int64_t> expected;
  for (const int64_t row : order) {
    expected.push_back(ids[static_cast<size_t>(row)]);
  }
  return expected;
}

std::vector<std::shared_ptr<arrow::RecordBatch>> MixedBatches(int64_t rows, uint32_t seed) {
  Random random(seed);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int64_t first = 0; first < rows;) {
    const int64_t count = std::min<int64_t>(rows - first, 1 + random.Below(400));
    batches.push_back(MixedRows(first, count, random));
    first += count;
  }
  return batches;
}

TEST(Sort, EveryTypeEveryPlacementStable) {
  const auto batches = MixedBatches(2000, 7);
  const auto all = Must(Drain(Stream(batches)));
  for (int column = 1; column < 11; ++column) {
    for (const bool ascending : {true, false}) {
      for (const bool nulls_first : {true, false}) {
        SortOptions options;
        options.keys = {{column, ascending, nulls_first}};
        const auto sorted = Must(Drain(Sort(*Stream(batches), options)));
        ASSERT_OK(sorted->ValidateFull());
        EXPECT_EQ(Ids(*sorted), Expected(*all, options.keys, std::nullopt))
            << MixedSchema()->field(column)->ToString() << ascending << nulls_first;
      }
    }
  }
}

TEST(Sort, SeveralKeysLimitsAndSpilledRuns) {
  const auto batches = MixedBatches(30'000, 11);
  const auto all = Must(Drain(Stream(batches)));
  MemoryBudget tiny(256 << 10);
  MemoryBudget roomy(uint64_t{1} << 30);
  for (MemoryBudget* budget : {&tiny, &roomy}) {
    for (const std::optional<uint64_t> limit :
         {std::optional<uint64_t>(), std::optional<uint64_t>(0), std::optional<uint64_t>(1),
          std::optional<uint64_t>(10), std::optional<uint64_t>(9000),
          std::optional<uint64_t>(100'000)}) {
      SortOptions options;
      options.keys = {{8, false, true}, {1, true, false}, {5, true, false}};
      options.limit = limit;
      options.budget = budget;
      {
        const auto sorted = Must(Drain(Sort(*Stream(batches), options)));
        ASSERT_OK(sorted->ValidateFull());
        EXPECT_EQ(Ids(*sorted), Expected(*all, options.keys, limit)) << limit.value_or(77);
        // The rows come along whole.
        const auto& ids = Ids(*sorted);
        for (size_t row = 0; row < ids.size(); row += 997) {
          for (int c = 0; c < all->num_columns(); ++c) {
            EXPECT_EQ(Text(*sorted->column(c), static_cast<int64_t>(row)),
                      Text(*all->column(c), ids[row]));
          }
        }
      }
      EXPECT_EQ(budget->used_bytes(), 0U);
    }
  }
}

TEST(Sort, RefusesTypesWithoutOrder) {
  SortOptions options;
  options.keys = {{11, true, false}};
  const auto sorted = Sort(*Stream(MixedBatches(10, 1)), options);
  EXPECT_CODE(sorted.status(), kTypeMismatch);
  EXPECT_NE(sorted.status().message().find("'l'"), std::string::npos);
}

TEST(Sort, EmptyInputKeepsItsSchema) {
  SortOptions options;
  options.keys = {{1, true, false}};
  const auto sorted = Must(Sort(*Must(arrow::RecordBatchReader::Make({}, MixedSchema())), options));
  EXPECT_TRUE(sorted->schema()->Equals(*MixedSchema()));
  EXPECT_EQ(Must(Drain(sorted))->num_rows(), 0);
}

TEST(Sort, Stops) {
  SortOptions options;
  options.keys = {{1, true, false}};
  options.cancel.RequestStop();
  EXPECT_CODE(Sort(*Stream(MixedBatches(10, 1)), options), kCancelled);
}

TEST(Distinct, FirstOfEachWithAndWithoutRoom) {
  Random random(5);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::vector<std::string> expected;
  std::set<std::string> seen;
  for (int part = 0; part < 40; ++part) {
    auto whole = MixedRows(0, 500, random);
    // Lists, numbers with NaN and both zeros, text: with many equal rows.
    auto some = Must(whole->SelectColumns({1, 6, 11, 8}));
    for (int64_t row = 0; row < some->num_rows(); ++row) {
      std::string text;
      for (int c = 0; c < some->num_columns(); ++c) {
        const auto value = Must(some->column(c)->GetScalar(row));
        std::string one = value->ToString();
        if (c == 1 && value->is_valid) {
          const double number =
              static_cast<double>(static_cast<const arrow::FloatScalar&>(*value).value);
          one = std::isnan(number) ? "nan" : std::to_string(number == 0 ? 0.0 : number);
        }
        text += one + "|";
      }
      if (seen.insert(text).second) {
        expected.push_back(text);
      }
    }
    batches.push_back(some);
  }
  ASSERT_GT(expected.size(), 1000U);
  MemoryBudget tiny(128 << 10);
  MemoryBudget roomy(uint64_t{1} << 30);
  for (MemoryBudget* budget : {&tiny, &roomy}) {
    DistinctOptions options;
    options.budget = budget;
    {
      const auto rows = Must(Drain(Distinct(Stream(batches), options)));
      std::vector<std::string> found;
      for (int64_t row = 0; row < rows->num_rows(); ++row) {
        std::string text;
        for (int c = 0; c < rows->num_columns(); ++c) {
          const auto value = Must(rows->column(c)->GetScalar(row));
          std::string one = value->ToString();
          if (c == 1 && value->is_valid) {
            const double number =
                static_cast<double>(static_cast<const arrow::FloatScalar&>(*value).value);
            one = std::isnan(number) ? "nan" : std::to_string(number == 0 ? 0.0 : number);
          }
          text += one + "|";
        }
        found.push_back(text);
      }
      EXPECT_EQ(found, expected);
    }
    EXPECT_EQ(budget->used_bytes(), 0U);
  }
}

TEST(Spill, ReadsBackSeveralTimesAndLeavesNoName) {
  testing::ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path());
  const auto batches = MixedBatches(3000, 3);
  auto file = Must(SpillFile::Make(scratch.path().string(), MixedSchema()));
  for (const auto& batch : batches) {
    ASSERT_OK(file->Write(*batch));
  }
  EXPECT_CODE(file->Read(), kInvalidArgument);
  ASSERT_OK(file->Finish());
  EXPECT_CODE(file->Write(*batches[0]), kInvalidArgument);
  EXPECT_EQ(file->num_rows(), 3000U);
  EXPECT_GT(file->num_bytes(), 3000U);
  EXPECT_TRUE(scratch.Listing().empty());
  const auto first = Must(file->Read());
  const auto second = Must(file->Read());
  file.reset();
  const auto all = Must(Drain(Stream(batches)));
  const auto nans = arrow::EqualOptions::Defaults().nans_equal(true);
  EXPECT_TRUE(Must(Drain(first))->Equals(*all, false, nans));
  EXPECT_TRUE(Must(Drain(second))->Equals(*all, false, nans));
  EXPECT_CODE(SpillFile::Make((scratch.path() / "nowhere").string(), MixedSchema()), kNotFound);
}

}  // namespace
}  // namespace glaive::query
