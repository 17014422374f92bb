#include "query/vector_search.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/float16.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

#include "table/snapshot.h"

namespace glaive::query {
namespace {

using arrow::util::Float16;

template <class T>
T Must(arrow::Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return std::move(result).ValueOrDie();
}

class FakeDeletions final : public table::DeletionVector {
 public:
  explicit FakeDeletions(std::set<uint32_t> rows) : rows_(std::move(rows)) {}

  uint64_t cardinality() const override { return rows_.size(); }

  bool Contains(uint32_t offset) const override { return rows_.count(offset) > 0; }

  RowRanges LiveRanges(uint64_t start, uint64_t end) const override {
    RowRanges ranges;
    for (uint64_t row = start; row < end; ++row) {
      if (Contains(static_cast<uint32_t>(row))) {
        continue;
      }
      if (!ranges.empty() && ranges.back().end == row) {
        ++ranges.back().end;
      } else {
        ranges.push_back({row, row + 1});
      }
    }
    return ranges;
  }

  uint64_t memory_bytes() const override { return 0; }

  std::vector<uint32_t> ToVector() const override { return {rows_.begin(), rows_.end()}; }

 private:
  std::set<uint32_t> rows_;
};

class FakeRowIds final : public table::RowIdSequence {
 public:
  explicit FakeRowIds(std::vector<uint64_t> ids) : ids_(std::move(ids)) {}

  uint64_t size() const override { return ids_.size(); }

  uint64_t Get(uint64_t ordinal) const override { return ids_[ordinal]; }

  std::pair<uint64_t, uint64_t> Bounds() const override {
    const auto [low, high] = std::minmax_element(ids_.begin(), ids_.end());
    return {*low, *high};
  }

  std::optional<uint64_t> Find(uint64_t row_id) const override {
    const auto at = std::find(ids_.begin(), ids_.end(), row_id);
    return at == ids_.end() ? std::nullopt : std::optional<uint64_t>(at - ids_.begin());
  }

 private:
  std::vector<uint64_t> ids_;
};

/// Rows in memory.
class FakeFragment final : public table::Fragment {
 public:
  FakeFragment(uint64_t id, std::shared_ptr<arrow::RecordBatch> rows, std::set<uint32_t> deleted,
               std::vector<uint64_t> row_ids)
      : rows_(std::move(rows)), id_(id) {
    if (!deleted.empty()) {
      deletions_ = std::make_shared<FakeDeletions>(std::move(deleted));
    }
    if (!row_ids.empty()) {
      row_ids_ = std::make_shared<FakeRowIds>(std::move(row_ids));
    }
  }

  const std::shared_ptr<arrow::RecordBatch>& rows() const { return rows_; }

  uint64_t id() const override { return id_; }

  const lance::table::DataFragment& pb() const override { return pb_; }

  uint64_t physical_rows() const override { return static_cast<uint64_t>(rows_->num_rows()); }

  uint64_t num_deleted() const override {
    return deletions_ == nullptr ? 0 : deletions_->cardinality();
  }

  arrow::Result<std::shared_ptr<const table::DeletionVector>> deletions() const override {
    return deletions_;
  }

  arrow::Result<std::shared_ptr<const table::RowIdSequence>> row_ids() const override {
    return row_ids_;
  }

  arrow::Result<uint64_t> CreatedAt(uint64_t) const override { return 1; }

  arrow::Result<uint64_t> LastUpdatedAt(uint64_t) const override { return 1; }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
  uint64_t id_;
  lance::table::DataFragment pb_;
  std::shared_ptr<const table::DeletionVector> deletions_;
  std::shared_ptr<const table::RowIdSequence> row_ids_;
};

class FakeReader final : public table::FragmentReader {
 public:
  FakeReader(const FakeFragment& fragment, std::shared_ptr<arrow::RecordBatch> rows)
      : fragment_(fragment), rows_(std::move(rows)) {}

  const table::Fragment& fragment() const override { return fragment_; }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read(const RowRanges& ranges,
                                                          const file::ReadOptions&) const override {
    if (ranges.size() == 1) {
      return rows_->Slice(static_cast<int64_t>(ranges[0].start),
                          static_cast<int64_t>(ranges[0].size()));
    }
    arrow::ArrayVector columns;
    for (const auto& column : rows_->columns()) {
      arrow::ArrayVector pieces;
      for (const auto& range : ranges) {
        pieces.push_back(
            column->Slice(static_cast<int64_t>(range.start), static_cast<int64_t>(range.size())));
      }
      ARROW_ASSIGN_OR_RAISE(auto joined, arrow::Concatenate(pieces));
      columns.push_back(std::move(joined));
    }
    return arrow::RecordBatch::Make(rows_->schema(), static_cast<int64_t>(CountRows(ranges)),
                                    columns);
  }

  std::vector<uint64_t> PreferredCuts() const override {
    const auto rows = static_cast<uint64_t>(rows_->num_rows());
    return rows > 1500 ? std::vector<uint64_t>{700, 1500, rows} : std::vector<uint64_t>{rows};
  }

  double BytesPerRow() const override { return 1e5; }  // many pieces

 private:
  const FakeFragment& fragment_;
  std::shared_ptr<arrow::RecordBatch> rows_;
};

class FakeSnapshot final : public table::Snapshot {
 public:
  FakeSnapshot(std::vector<std::shared_ptr<const FakeFragment>> fragments, size_t threads)
      : fakes_(fragments) {
    schema_ = fakes_.front()->rows()->schema();
    manifest_.schema = Must(file::Schema::FromArrow(*schema_));
    for (const auto& fragment : fragments) {
      fragments_.push_back(fragment);
    }
    table::Session::Options options;
    options.num_threads = threads;
    session_ = std::make_shared<table::Session>(options);
  }

  const std::shared_ptr<io::ObjectStore>& store() const override { return store_; }

  const std::shared_ptr<table::Session>& session() const override { return session_; }

  const table::Manifest& manifest() const override { return manifest_; }

  const std::shared_ptr<arrow::Schema>& arrow_schema() const override { return schema_; }

  const std::vector<std::shared_ptr<const table::Fragment>>& fragments() const override {
    return fragments_;
  }

  arrow::Result<uint64_t> CountRows() const override {
    uint64_t rows = 0;
    for (const auto& fragment : fragments_) {
      rows += fragment->num_rows();
    }
    return rows;
  }

  const table::Fragment* FindFragment(uint64_t id) const override {
    for (const auto& fragment : fragments_) {
      if (fragment->id() == id) {
        return fragment.get();
      }
    }
    return nullptr;
  }

  arrow::Result<std::shared_ptr<table::FragmentReader>> OpenFragment(
      const table::Fragment& fragment, const file::Schema& projection) const override {
    const auto& fake = static_cast<const FakeFragment&>(fragment);
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const auto& field : projection.fields()) {
      auto array = fake.rows()->GetColumnByName(field.name);
      ARROW_ASSIGN_OR_RAISE(auto arrow_field, field.ArrowField());
      if (array->type_id() == arrow::Type::STRUCT) {  // pruned to its only wanted member
        const auto& parent = static_cast<const arrow::StructArray&>(*array);
        array = std::make_shared<arrow::StructArray>(
            arrow_field->type(), array->length(),
            arrow::ArrayVector{parent.GetFieldByName(field.children[0].name)},
            parent.null_bitmap());
      }
      fields.push_back(arrow_field);
      columns.push_back(array);
    }
    return std::make_shared<FakeReader>(
        fake, arrow::RecordBatch::Make(arrow::schema(fields), fake.rows()->num_rows(), columns));
  }

  arrow::Result<std::vector<std::optional<uint64_t>>> ResolveRowIds(
      const std::vector<uint64_t>&) const override {
    return arrow::Status::NotImplemented("not in this test");
  }

  arrow::Status Verify(const std::function<void(const arrow::Status&)>&, const ProgressCallback&,
                       const CancelToken&) const override {
    return arrow::Status::OK();
  }

 private:
  std::vector<std::shared_ptr<const FakeFragment>> fakes_;
  std::vector<std::shared_ptr<const table::Fragment>> fragments_;
  std::shared_ptr<io::ObjectStore> store_;
  std::shared_ptr<table::Session> session_;
  table::Manifest manifest_;
  std::shared_ptr<arrow::Schema> schema_;
};

std::shared_ptr<arrow::Array> MakeNumbers(const std::shared_ptr<arrow::DataType>& type,
                                          const std::vector<double>& values,
                                          const std::vector<bool>& valid = {}) {
  std::unique_ptr<arrow::ArrayBuilder> builder = Must(arrow::MakeBuilder(type));
  for (size_t i = 0; i < values.size(); ++i) {
    arrow::Status status;
    if (!valid.empty() && !valid[i]) {
      status = builder->AppendNull();
    } else if (type->id() == arrow::Type::HALF_FLOAT) {
      status = static_cast<arrow::HalfFloatBuilder&>(*builder).Append(
          Float16::FromDouble(values[i]).bits());
    } else if (type->id() == arrow::Type::FLOAT) {
      status = static_cast<arrow::FloatBuilder&>(*builder).Append(static_cast<float>(values[i]));
    } else if (type->id() == arrow::Type::DOUBLE) {
      status = static_cast<arrow::DoubleBuilder&>(*builder).Append(values[i]);
    } else if (type->id() == arrow::Type::UINT8) {
      status = static_cast<arrow::UInt8Builder&>(*builder).Append(static_cast<uint8_t>(values[i]));
    } else {
      status = static_cast<arrow::Int64Builder&>(*builder).Append(static_cast<int64_t>(values[i]));
    }
    EXPECT_TRUE(status.ok());
  }
  return Must(builder->Finish());
}

std::shared_ptr<arrow::Array> Vectors(const std::shared_ptr<arrow::Array>& numbers, int dims,
                                      const std::vector<bool>& valid = {}) {
  const int64_t length = numbers->length() / dims;
  std::shared_ptr<arrow::Buffer> bitmap;
  if (!valid.empty()) {
    bitmap = Must(arrow::AllocateEmptyBitmap(length));
    for (int64_t i = 0; i < length; ++i) {
      arrow::bit_util::SetBitTo(bitmap->mutable_data(), i, valid[static_cast<size_t>(i)]);
    }
  }
  return std::make_shared<arrow::FixedSizeListArray>(arrow::fixed_size_list(numbers->type(), dims),
                                                     length, numbers, bitmap);
}

/// What the test knows of a row.
struct Row {
  std::vector<double> vector;  // as stored: rounded to the element type, nulls as 0
  bool live = true;            // neither null nor deleted
  uint64_t row_id = 0;
  int64_t id = 0;
};

double Round(const arrow::DataType& type, double value) {
  if (type.id() == arrow::Type::HALF_FLOAT) {
    return Float16::FromDouble(value).ToDouble();
  }
  return type.id() == arrow::Type::FLOAT ? static_cast<double>(static_cast<float>(value)) : value;
}

double Distance(DistanceType metric, const std::vector<double>& a, const std::vector<double>& b) {
  double squares = 0, dot = 0, aa = 0, bb = 0, bits = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    squares += (a[i] - b[i]) * (a[i] - b[i]);
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    if (metric == DistanceType::kHamming) {
      bits += __builtin_popcount(static_cast<unsigned>(a[i]) ^ static_cast<unsigned>(b[i]));
    }
  }
  switch (metric) {
    case DistanceType::kL2:
      return squares;
    case DistanceType::kCosine:
      return 1 - dot / std::sqrt(aa * bb);
    case DistanceType::kDot:
      return 1 - dot;
    case DistanceType::kHamming:
      return bits;
  }
  return 0;
}

struct Table {
  std::vector<std::shared_ptr<const FakeFragment>> fragments;
  std::vector<Row> rows;

  std::shared_ptr<const table::Snapshot> Snapshot(size_t threads) const {
    return std::make_shared<FakeSnapshot>(fragments, threads);
  }
};

constexpr int kDims = 13;

/// Few distinct whole numbers, so that distances are exact and ties abound; null rows, null
/// numbers, deleted rows, zero vectors.
Table MakeTable(const std::shared_ptr<arrow::DataType>& type, bool stable_ids,
                const std::vector<int>& sizes = {2000, 3, 0, 900}) {
  std::mt19937 random(5);
  Table table;
  uint64_t fragment_id = 2;
  uint64_t next_row_id = 100'000;
  for (const int size : sizes) {
    std::vector<double> numbers;
    std::vector<bool> number_valid, row_valid;
    std::set<uint32_t> deleted;
    std::vector<uint64_t> row_ids;
    std::vector<double> ids;
    for (int i = 0; i < size; ++i) {
      Row row;
      row.id = static_cast<int64_t>(table.rows.size());
      const bool zero = random() % 50 == 0;
      for (int d = 0; d < kDims; ++d) {
        double value = zero ? 0 : static_cast<double>(random() % 3);
        const bool valid = random() % 40 != 0;
        number_valid.push_back(valid);
        numbers.push_back(value);
        row.vector.push_back(valid ? Round(*type, value) : 0);
      }
      row_valid.push_back(random() % 10 != 0);
      row.live = row_valid.back();
      if (random() % 5 == 0) {
        deleted.insert(static_cast<uint32_t>(i));
        row.live = false;
      }
      row.row_id = stable_ids ? next_row_id-- : fragment_id << 32 | static_cast<uint64_t>(i);
      row_ids.push_back(row.row_id);
      ids.push_back(static_cast<double>(row.id));
      table.rows.push_back(row);
    }
    const auto vectors = Vectors(MakeNumbers(type, numbers, number_valid), kDims, row_valid);
    const auto id = MakeNumbers(arrow::int64(), ids);
    const auto batch = arrow::RecordBatch::Make(
        arrow::schema({arrow::field("id", id->type()), arrow::field("v", vectors->type())}), size,
        {id, vectors});
    table.fragments.push_back(std::make_shared<FakeFragment>(
        fragment_id++, batch, deleted, stable_ids ? row_ids : std::vector<uint64_t>{}));
  }
  return table;
}

struct Expected {
  double distance;
  uint64_t row_id;
  int64_t id;
};

std::vector<Expected> BruteForce(const Table& table, DistanceType metric,
                                 const std::vector<double>& query, const VectorQuery& request) {
  std::vector<Expected> all;
  for (const auto& row : table.rows) {
    const double distance = Distance(metric, query, row.vector);
    if (!row.live || std::isnan(distance) ||
        (request.lower_bound && distance < *request.lower_bound) ||
        (request.upper_bound && distance >= *request.upper_bound)) {
      continue;
    }
    all.push_back({distance, row.row_id, row.id});
  }
  std::sort(all.begin(), all.end(), [](const Expected& a, const Expected& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row_id < b.row_id;
  });
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(
                                           std::min<uint64_t>(request.offset, all.size())));
  all.resize(static_cast<size_t>(std::min<uint64_t>(request.k, all.size())));
  return all;
}

template <class Array>
const Array& Column(const arrow::RecordBatch& batch, const char* name) {
  return static_cast<const Array&>(*batch.GetColumnByName(name));
}

class VectorSearchTest
    : public testing::TestWithParam<std::tuple<std::shared_ptr<arrow::DataType>, size_t, bool>> {};

TEST_P(VectorSearchTest, AgreesWithBruteForce) {
  const auto& [type, threads, stable_ids] = GetParam();
  const Table table = MakeTable(type, stable_ids);
  const auto snapshot = table.Snapshot(threads);
  std::mt19937 random(17);
  for (const DistanceType metric :
       {DistanceType::kL2, DistanceType::kCosine, DistanceType::kDot, DistanceType::kHamming}) {
    if (metric == DistanceType::kHamming && type->id() != arrow::Type::UINT8) {
      continue;
    }
    for (const size_t num_queries : {1, 3, 70}) {
      for (const auto& [k, offset] : std::vector<std::pair<uint64_t, uint64_t>>{
               {10, 0}, {1, 4}, {100'000, 0}, {50, 100'000}, {UINT64_MAX, 3}}) {
        for (const bool ranged : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << type->ToString() << " metric " << static_cast<int>(metric) << " queries "
                       << num_queries << " k " << k << " offset " << offset << " ranged "
                       << ranged);
          if (num_queries == 70 && k > 100) continue;
          std::vector<double> numbers;
          for (size_t i = 0; i < num_queries * kDims; ++i) {
            numbers.push_back(static_cast<double>(random() % 3));
          }
          VectorQuery query;
          query.column = "v";
          query.distance_type = metric;
          query.k = k;
          query.offset = offset;
          query.with_row_id = true;
          if (ranged) {
            query.lower_bound = metric == DistanceType::kCosine ? 0.30317f
                                : metric == DistanceType::kDot  ? -12.0f
                                                                : 4.0f;
            query.upper_bound = metric == DistanceType::kCosine ? 0.40713f
                                : metric == DistanceType::kDot  ? -5.0f
                                                                : 9.0f;
          }
          // int64 queries are cast to the column's type.
          const auto values = MakeNumbers(arrow::int64(), numbers);
          query.vectors = num_queries == 1 ? values : Vectors(values, kDims);
          const auto result = Must(SearchSnapshot(snapshot, query));
          ASSERT_TRUE(result->ValidateFull().ok());
          ASSERT_EQ(result->schema()->field_names(),
                    num_queries == 1 ? (std::vector<std::string>{"id", "v", "_distance", "_rowid"})
                                     : (std::vector<std::string>{"id", "v", "_distance", "_rowid",
                                                                 "query_index"}));
          int64_t at = 0;
          for (size_t q = 0; q < num_queries; ++q) {
            const std::vector<double> vector(numbers.begin() + static_cast<int>(q * kDims),
                                             numbers.begin() + static_cast<int>((q + 1) * kDims));
            for (const auto& expected : BruteForce(table, metric, vector, query)) {
              ASSERT_LT(at, result->num_rows());
              const float distance = Column<arrow::FloatArray>(*result, "_distance").Value(at);
              ASSERT_NEAR(distance, expected.distance, 1e-5);
              // Cosines are rounded: equal ones may differ by a bit, and so change places.
              if (metric != DistanceType::kCosine) {
                ASSERT_EQ(Column<arrow::UInt64Array>(*result, "_rowid").Value(at), expected.row_id);
                ASSERT_EQ(Column<arrow::Int64Array>(*result, "id").Value(at), expected.id);
              }
              if (num_queries > 1) {
                ASSERT_EQ(Column<arrow::Int32Array>(*result, "query_index").Value(at),
                          static_cast<int32_t>(q));
              }
              ++at;
            }
          }
          ASSERT_EQ(at, result->num_rows());
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, VectorSearchTest,
                         testing::Combine(testing::Values(arrow::float16(), arrow::float32(),
                                                          arrow::float64(), arrow::uint8()),
                                          testing::Values(size_t{1}, size_t{2}), testing::Bool()));

VectorQuery Query(std::vector<double> numbers) {
  VectorQuery query;
  query.vectors = MakeNumbers(arrow::float64(), numbers);
  return query;
}

std::shared_ptr<const table::Snapshot> SnapshotOf(
    const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
  Table table;
  table.fragments.push_back(
      std::make_shared<FakeFragment>(0, batch, std::set<uint32_t>{}, std::vector<uint64_t>{}));
  return table.Snapshot(1);
}

std::vector<int64_t> Ids(const arrow::RecordBatch& batch) {
  const auto& ids = Column<arrow::Int64Array>(batch, "id");
  return {ids.raw_values(), ids.raw_values() + ids.length()};
}

std::vector<float> DistancesOf(const arrow::RecordBatch& batch) {
  const auto& distances = Column<arrow::FloatArray>(batch, "_distance");
  return {distances.raw_values(), distances.raw_values() + distances.length()};
}

TEST(VectorSearch, FindsTheOnlyVectorColumnAndSkipsWhatHasNoDistance) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto snapshot = SnapshotOf(
      {{"id", MakeNumbers(arrow::int64(), {0, 1, 2, 3, 4})},
       {"v", Vectors(MakeNumbers(arrow::float32(), {0, 0, 1, 0, 0, 1, nan, 1, infinity, 1}), 2)}});
  auto query = Query({1, 0});
  const auto l2 = Must(SearchSnapshot(snapshot, query));
  EXPECT_EQ(Ids(*l2), (std::vector<int64_t>{1, 0, 2, 4}));
  EXPECT_EQ(DistancesOf(*l2), (std::vector<float>{0, 1, 2, static_cast<float>(infinity)}));
  query.distance_type = DistanceType::kCosine;
  EXPECT_EQ(Ids(*Must(SearchSnapshot(snapshot, query))), (std::vector<int64_t>{1, 2}));
  query.distance_type = DistanceType::kDot;
  EXPECT_EQ(Ids(*Must(SearchSnapshot(snapshot, query))), (std::vector<int64_t>{4, 1, 0, 2}));
}

TEST(VectorSearch, ReturnsTheColumnsAskedFor) {
  const auto snapshot = SnapshotOf({{"id", MakeNumbers(arrow::int64(), {7, 8})},
                                    {"v", Vectors(MakeNumbers(arrow::uint8(), {1, 2, 3, 4}), 2)}});
  auto query = Query({3, 5});
  query.columns = {"id"};
  auto result = Must(SearchSnapshot(snapshot, query));
  EXPECT_EQ(result->schema()->field_names(), (std::vector<std::string>{"id", "_distance"}));
  EXPECT_EQ(Ids(*result), (std::vector<int64_t>{8, 7}));
  EXPECT_EQ(DistancesOf(*result), (std::vector<float>{1, 4}));  // bits: the default of uint8
  query.columns = {"_distance", "_rowid"};
  result = Must(SearchSnapshot(snapshot, query));
  EXPECT_EQ(result->schema()->field_names(), (std::vector<std::string>{"_distance", "_rowid"}));
  EXPECT_EQ(result->num_rows(), 2);
  query.columns = {"idd"};
  EXPECT_EQ(ErrorCodeOf(SearchSnapshot(snapshot, query).status()), ErrorCode::kNotFound);
}

TEST(VectorSearch, SearchesInsideStructs) {
  const auto vectors = Vectors(MakeNumbers(arrow::float32(), {0, 0, 1, 1, 2, 2}), 2);
  const auto bitmap = Must(arrow::AllocateEmptyBitmap(3));
  bitmap->mutable_data()[0] = 0b110;
  const auto parent = std::make_shared<arrow::StructArray>(
      arrow::struct_({arrow::field("n", arrow::int64()), arrow::field("v", vectors->type())}), 3,
      arrow::ArrayVector{MakeNumbers(arrow::int64(), {4, 5, 6}), vectors},
      std::shared_ptr<arrow::Buffer>(bitmap));
  const auto snapshot = SnapshotOf({{"id", MakeNumbers(arrow::int64(), {0, 1, 2})}, {"s", parent}});
  auto query = Query({0, 0});
  query.columns = {"id"};
  EXPECT_EQ(Ids(*Must(SearchSnapshot(snapshot, query))), (std::vector<int64_t>{1, 2}));
  query.column = "s.v";
  EXPECT_EQ(Ids(*Must(SearchSnapshot(snapshot, query))), (std::vector<int64_t>{1, 2}));
}

TEST(VectorSearch, ManyVectorsPerRowTakeTheSumOfTheSmallest) {
  std::mt19937 random(23);
  constexpr int kRows = 900;
  std::vector<double> numbers;
  std::vector<int32_t> offsets = {0};
  std::vector<std::vector<std::vector<double>>> rows(kRows);
  const auto bitmap = Must(arrow::AllocateEmptyBitmap(kRows));
  for (int i = 0; i < kRows; ++i) {
    // One row holds more vectors than a block.
    const auto count = i == 400 ? 1500u : random() % 5;
    for (unsigned v = 0; v < count; ++v) {
      std::vector<double> vector;
      for (int d = 0; d < 3; ++d) {
        vector.push_back(static_cast<double>(1 + random() % 9));
      }
      numbers.insert(numbers.end(), vector.begin(), vector.end());
      rows[static_cast<size_t>(i)].push_back(vector);
    }
    offsets.push_back(static_cast<int32_t>(numbers.size() / 3));
    const bool valid = i % 7 != 0;
    arrow::bit_util::SetBitTo(bitmap->mutable_data(), i, valid);
    if (!valid) {
      rows[static_cast<size_t>(i)].clear();  // though it has vectors below its null
    }
  }
  const auto vectors = Vectors(MakeNumbers(arrow::float32(), numbers), 3);
  const auto lists = std::make_shared<arrow::ListArray>(arrow::list(vectors->type()), kRows,
                                                        arrow::Buffer::FromVector(offsets), vectors,
                                                        std::shared_ptr<arrow::Buffer>(bitmap));
  std::vector<double> ids;
  for (int i = 0; i < kRows; ++i) {
    ids.push_back(i);
  }
  const auto snapshot = SnapshotOf({{"id", MakeNumbers(arrow::int64(), ids)}, {"m", lists}});
  const std::vector<std::vector<double>> parts = {{1, 5, 2}, {7, 7, 7}, {2, 9, 4}};
  for (const DistanceType metric : {DistanceType::kL2, DistanceType::kCosine, DistanceType::kDot}) {
    std::vector<std::pair<double, int64_t>> expected;
    for (int64_t i = 0; i < kRows; ++i) {
      if (rows[static_cast<size_t>(i)].empty()) {
        continue;
      }
      double sum = 0;
      for (const auto& part : parts) {
        double best = std::numeric_limits<double>::infinity();
        for (const auto& vector : rows[static_cast<size_t>(i)]) {
          best = std::min(best, Distance(metric, part, vector));
        }
        sum += best;
      }
      expected.push_back({sum, i});
    }
    std::sort(expected.begin(), expected.end());
    VectorQuery query;
    query.distance_type = metric;
    query.vectors = Vectors(MakeNumbers(arrow::float32(), {1, 5, 2, 7, 7, 7, 2, 9, 4}), 3);
    query.k = 100'000;
    const auto result = Must(SearchSnapshot(snapshot, query));
    ASSERT_EQ(result->GetColumnByName("query_index"), nullptr);
    ASSERT_EQ(result->num_rows(), static_cast<int64_t>(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(DistancesOf(*result)[i], expected[i].first, 1e-4);
    }
    if (metric != DistanceType::kCosine) {
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(Ids(*result)[i], expected[i].second);
      }
    }
  }
}

TEST(VectorSearch, RefusesWhatItCannotAnswer) {
  const auto one = Vectors(MakeNumbers(arrow::float32(), {1, 2, 3, 4}), 2);
  const auto ids = MakeNumbers(arrow::int64(), {0, 1});
  const auto snapshot = SnapshotOf({{"id", ids}, {"v", one}});
  const auto expect = [&](const std::shared_ptr<const table::Snapshot>& in,
                          const VectorQuery& query, ErrorCode code,
                          const std::vector<std::string>& words) {
    const auto status = SearchSnapshot(in, query).status();
    EXPECT_EQ(ErrorCodeOf(status), code) << status.ToString();
    for (const auto& word : words) {
      EXPECT_NE(status.message().find(word), std::string::npos) << status.ToString();
    }
  };
  expect(snapshot, Query({1, 2, 3}), ErrorCode::kInvalidArgument, {"dimension 2", "has 3"});
  expect(snapshot, Query({1, std::nan("")}), ErrorCode::kInvalidArgument, {"nan"});
  expect(snapshot, Query({1, std::numeric_limits<double>::infinity()}), ErrorCode::kInvalidArgument,
         {"inf"});
  expect(snapshot, Query({1, 1e300}), ErrorCode::kInvalidArgument, {"float32"});
  expect(snapshot, VectorQuery{}, ErrorCode::kInvalidArgument, {"no query vector"});
  auto query = Query({1, 2});
  query.k = 0;
  expect(snapshot, query, ErrorCode::kInvalidArgument, {"k is 0"});
  query = Query({1, 2});
  query.column = "w";
  expect(snapshot, query, ErrorCode::kNotFound, {"w"});
  query.column = "id";
  expect(snapshot, query, ErrorCode::kTypeMismatch, {"int64", "fixed_size_list", "v"});
  query = Query({1, 2});
  query.distance_type = DistanceType::kHamming;
  expect(snapshot, query, ErrorCode::kInvalidArgument, {"hamming", "uint8"});
  query = Query({1, 2});
  query.upper_bound = std::nanf("");
  expect(snapshot, query, ErrorCode::kInvalidArgument, {"NaN"});
  query = Query({1, 2});
  query.vectors = MakeNumbers(arrow::float32(), {1, 2}, {true, false});
  expect(snapshot, query, ErrorCode::kInvalidArgument, {"null"});
  query.cancel.RequestStop();
  query.vectors = MakeNumbers(arrow::float32(), {1, 2});
  expect(snapshot, query, ErrorCode::kCancelled, {"vector search"});

  const auto two = SnapshotOf({{"v", one}, {"w", one}});
  expect(two, Query({1, 2}), ErrorCode::kInvalidArgument, {"v, w"});
  expect(SnapshotOf({{"id", ids}}), Query({1, 2}), ErrorCode::kInvalidArgument,
         {"no vector column"});
  const auto bytes = SnapshotOf({{"v", Vectors(MakeNumbers(arrow::uint8(), {1, 2, 3, 4}), 2)}});
  expect(bytes, Query({1, 256}), ErrorCode::kInvalidArgument, {"256", "uint8"});
  expect(bytes, Query({1, 0.5}), ErrorCode::kInvalidArgument, {"0.5", "uint8"});
}

TEST(VectorSearch, EmptyTablesAndRangesGiveNoRows) {
  const auto snapshot = SnapshotOf({{"id", MakeNumbers(arrow::int64(), {})},
                                    {"v", Vectors(MakeNumbers(arrow::float32(), {}), 2)}});
  const auto result = Must(SearchSnapshot(snapshot, Query({1, 2})));
  EXPECT_EQ(result->num_rows(), 0);
  EXPECT_EQ(result->schema()->field_names(), (std::vector<std::string>{"id", "v", "_distance"}));
}

TEST(VectorSearch, ReportsProgress) {
  const Table table = MakeTable(arrow::float32(), false);
  auto query = Query(std::vector<double>(kDims, 1));
  uint64_t done = 0;
  query.progress = [&](const Progress& progress) {
    EXPECT_GE(progress.rows_done, done);
    EXPECT_LE(progress.rows_done, progress.rows_total);
    done = progress.rows_done;
  };
  Must(SearchSnapshot(table.Snapshot(2), query));
  EXPECT_GT(done, 2800u);
}

}  // namespace
}  // namespace glaive::query
