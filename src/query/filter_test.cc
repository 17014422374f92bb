// Filtered, ordered, distinct and computed scans through tables, against brute force over the rows
// in memory.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>

#include <arrow/array.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/scalar.h>
#include <arrow/table_builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glaive/database.h"

#include "testing/rows.h"

namespace glaive::query {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IdsOf;
using testing::Must;

using Ids = std::vector<int64_t>;

struct Row {
  int64_t id = 0;
  std::optional<int32_t> k;
  std::optional<double> d;
  std::optional<std::string> s;
  int64_t t = 0;  // microseconds
  std::optional<std::vector<std::string>> tags;
  std::optional<int32_t> x;
  std::string y;
  float v = 0;
  uint64_t offset = 0;  // among the live rows
};

std::shared_ptr<arrow::Schema> RowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("k", arrow::int32()), arrow::field("d", arrow::float64()),
                        arrow::field("s", arrow::utf8()),
                        arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)),
                        arrow::field("tags", arrow::list(arrow::utf8())),
                        arrow::field("st", arrow::struct_({arrow::field("x", arrow::int32()),
                                                           arrow::field("y", arrow::utf8())})),
                        arrow::field("v", arrow::fixed_size_list(arrow::float32(), 4))});
}

std::vector<Row> MakeRows(int64_t count) {
  std::mt19937 random(42);
  const auto below = [&](uint32_t n) { return random() % n; };
  const double doubles[] = {
      0.0, -0.0, 2.5, -7.0, 1e300, std::nan(""), std::numeric_limits<double>::infinity()};
  std::vector<Row> rows(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    Row& row = rows[static_cast<size_t>(i)];
    row.id = i;
    if (below(8) != 0) {
      row.k = static_cast<int32_t>(below(100));
    }
    if (below(8) != 0) {
      row.d = doubles[below(7)];
    }
    if (below(8) != 0) {
      row.s = "text " + std::to_string(below(500)) + std::string(below(40), 'z');
    }
    row.t = 1'700'000'000'000'000 + i * 1'000'000;
    if (below(8) != 0) {
      row.tags.emplace();
      for (uint32_t n = below(4); n > 0; --n) {
        row.tags->push_back(std::string(1, static_cast<char>('a' + below(5))));
      }
    }
    if (below(5) != 0) {
      row.x = static_cast<int32_t>(below(10));
    }
    row.y = "y" + std::to_string(below(20));
    row.v = static_cast<float>(below(10'000));
  }
  return rows;
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<Row>& rows) {
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  std::unique_ptr<arrow::RecordBatchBuilder> builder =
      Must(arrow::RecordBatchBuilder::Make(RowSchema(), pool));
  const auto ok = [](const arrow::Status& status) { EXPECT_TRUE(status.ok()); };
  for (const Row& row : rows) {
    ok(builder->GetFieldAs<arrow::Int64Builder>(0)->Append(row.id));
    auto* k = builder->GetFieldAs<arrow::Int32Builder>(1);
    ok(row.k.has_value() ? k->Append(*row.k) : k->AppendNull());
    auto* d = builder->GetFieldAs<arrow::DoubleBuilder>(2);
    ok(row.d.has_value() ? d->Append(*row.d) : d->AppendNull());
    auto* text = builder->GetFieldAs<arrow::StringBuilder>(3);
    ok(row.s.has_value() ? text->Append(*row.s) : text->AppendNull());
    ok(builder->GetFieldAs<arrow::TimestampBuilder>(4)->Append(row.t));
    auto* tags = builder->GetFieldAs<arrow::ListBuilder>(5);
    ok(row.tags.has_value() ? tags->Append() : tags->AppendNull());
    for (const auto& tag : row.tags.value_or(std::vector<std::string>())) {
      ok(static_cast<arrow::StringBuilder*>(tags->value_builder())->Append(tag));
    }
    auto* members = builder->GetFieldAs<arrow::StructBuilder>(6);
    ok(members->Append());
    auto* x = static_cast<arrow::Int32Builder*>(members->field_builder(0));
    ok(row.x.has_value() ? x->Append(*row.x) : x->AppendNull());
    ok(static_cast<arrow::StringBuilder*>(members->field_builder(1))->Append(row.y));
    auto* vector = builder->GetFieldAs<arrow::FixedSizeListBuilder>(7);
    ok(vector->Append());
    for (int i = 0; i < 4; ++i) {
      ok(static_cast<arrow::FloatBuilder*>(vector->value_builder())->Append(row.v));
    }
  }
  return Must(builder->Flush());
}

using Predicate = std::function<bool(const Row&)>;

struct Case {
  std::string sql;
  Predicate predicate;
};

std::vector<Case> Cases() {
  return {
      {"id = 1234", [](const Row& r) { return r.id == 1234; }},
      {"k < 50", [](const Row& r) { return r.k.has_value() && *r.k < 50; }},
      {"k = 7", [](const Row& r) { return r.k == 7; }},
      {"NOT (k = 7)", [](const Row& r) { return r.k.has_value() && *r.k != 7; }},
      {"k IS NULL", [](const Row& r) { return !r.k.has_value(); }},
      {"k IN (1, 2, 3) AND s LIKE 'text 1%'",
       [](const Row& r) {
         return r.k.has_value() && *r.k >= 1 && *r.k <= 3 && r.s.has_value() &&
                r.s->rfind("text 1", 0) == 0;
       }},
      {"s LIKE '%z' OR id BETWEEN 100 AND 120",
       [](const Row& r) {
         return (r.s.has_value() && r.s->back() == 'z') || (r.id >= 100 && r.id <= 120);
       }},
      {"st.x = 3 AND st.y = 'y4'", [](const Row& r) { return r.x == 3 && r.y == "y4"; }},
      {"st.x = 3 AND k > 90 AND id > 1000",
       [](const Row& r) { return r.x == 3 && r.k.has_value() && *r.k > 90 && r.id > 1000; }},
      {"k <> 0 AND id / k > 100",
       [](const Row& r) { return r.k.has_value() && *r.k != 0 && r.id / *r.k > 100; }},
      {"t >= timestamp '2023-11-14 23:00:00'",
       [](const Row& r) { return r.t >= 1'700'002'800'000'000; }},
      {"array_has(tags, 'c')",
       [](const Row& r) {
         return r.tags.has_value() &&
                std::find(r.tags->begin(), r.tags->end(), "c") != r.tags->end();
       }},
      {"_rowoffset >= 40 AND _rowoffset < 900",
       [](const Row& r) { return r.offset >= 40 && r.offset < 900; }},
      {"_rowoffset % 100 = 3 AND k > 10",
       [](const Row& r) { return r.offset % 100 == 3 && r.k.has_value() && *r.k > 10; }},
      {"id >= 0", [](const Row&) { return true; }},
      {"id < 0", [](const Row&) { return false; }},
      {"true", [](const Row&) { return true; }},
      {"1 = 2 AND id > 3", [](const Row&) { return false; }},
      {"NULL", [](const Row&) { return false; }},
  };
}

struct Setting {
  const char* name;
  size_t threads;
  bool stable;
  uint64_t memory;
};

class FilterTest : public ::testing::TestWithParam<Setting> {
 protected:
  static constexpr int64_t kRows = 6000;

  FilterTest() : db_(Open()), table_(Create()) {}

  static Database Open() {
    DatabaseOptions options;
    options.num_threads = GetParam().threads;
    options.enable_stable_row_ids = GetParam().stable;
    options.memory_limit_bytes = GetParam().memory;
    return Must(Database::Open("memory://", options));
  }

  /// Fragments of 700 rows and one of 5,000, some of them with deletions.
  Table Create() {
    rows_ = MakeRows(kRows);
    all_ = BatchOf(rows_);
    WriteOptions options;
    options.max_rows_per_file = 700;
    Table table = Must(db_.CreateTable("t", testing::Stream({all_->Slice(0, 1400)}),
                                       CreateMode::kCreate, options));
    options.max_rows_per_file = 5000;
    EXPECT_TRUE(table.Add(all_->Slice(1400), options).ok());
    ScanOptions scan;
    scan.columns = {"id", "_rowid"};
    const auto ids = Must(Drain(table.Scan(scan)));
    const auto& row_ids = static_cast<const arrow::UInt64Array&>(*ids->column(1));
    std::vector<uint64_t> deleted;
    for (int64_t i = 0; i < kRows; ++i) {
      if (i % 13 == 5 || (i > 2000 && i < 2100) || (i >= 700 && i < 760)) {
        deleted.push_back(row_ids.Value(i));
      } else {
        rows_[static_cast<size_t>(i)].offset = live_.size();
        live_.push_back(rows_[static_cast<size_t>(i)]);
      }
    }
    EXPECT_TRUE(table.DeleteRowIds(deleted).ok());
    return table;
  }

  Ids Expected(const Predicate& predicate) const {
    Ids ids;
    for (const Row& row : live_) {
      if (predicate(row)) {
        ids.push_back(row.id);
      }
    }
    return ids;
  }

  /// Every column of every row is that of the row with its id.
  void ExpectWholeRows(const arrow::RecordBatch& batch) const {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch.GetColumnByName("id"));
    for (int c = 0; c < batch.num_columns(); ++c) {
      const auto source = all_->GetColumnByName(batch.schema()->field(c)->name());
      if (source == nullptr) {
        continue;
      }
      for (int64_t row = 0; row < batch.num_rows(); row += 7) {
        ASSERT_TRUE(batch.column(c)->RangeEquals(*source, row, row + 1, ids.Value(row),
                                                 arrow::EqualOptions::Defaults().nans_equal(true)))
            << batch.schema()->field(c)->name() << " of row " << ids.Value(row);
      }
    }
  }

  static Ids Window(const Ids& ids, uint64_t offset, uint64_t limit) {
    const size_t first = std::min<size_t>(ids.size(), offset);
    const size_t count = std::min<size_t>(ids.size() - first, limit);
    return {ids.begin() + static_cast<ptrdiff_t>(first),
            ids.begin() + static_cast<ptrdiff_t>(first + count)};
  }

  Database db_;
  std::vector<Row> rows_;
  std::vector<Row> live_;
  std::shared_ptr<arrow::RecordBatch> all_;
  Table table_;
};

INSTANTIATE_TEST_SUITE_P(Settings, FilterTest,
                         ::testing::Values(Setting{"One", 1, false, 0},
                                           Setting{"OneStable", 1, true, 0},
                                           Setting{"Four", 4, false, 0},
                                           Setting{"FourStableTiny", 4, true, uint64_t{16} << 20}),
                         [](const auto& setting) { return setting.param.name; });

TEST_P(FilterTest, SameRowsAsBruteForce) {
  for (const auto& [sql, predicate] : Cases()) {
    const Ids expected = Expected(predicate);
    ScanOptions options;
    options.filter = sql;
    const auto whole = Must(Drain(table_.Scan(options)));
    ASSERT_OK(whole->ValidateFull());
    EXPECT_TRUE(whole->schema()->Equals(*RowSchema())) << sql;
    EXPECT_EQ(IdsOf(whole), expected) << sql;
    ExpectWholeRows(*whole);
    CountOptions count;
    count.filter = sql;
    EXPECT_EQ(Must(table_.CountRows(count)), expected.size()) << sql;
    for (const std::vector<std::string>& columns :
         {std::vector<std::string>{"id"}, {"k", "id"}, {"st.y", "id"}, {"v", "id", "st", "tags"}}) {
      for (const uint64_t batch_rows : {0, 5}) {
        options.columns = columns;
        options.batch_rows = batch_rows;
        options.offset = 3;
        options.limit = 50;
        const auto some = Must(Drain(table_.Scan(options)));
        EXPECT_EQ(IdsOf(some), Window(expected, 3, 50)) << sql;
        if (columns[0] != "st.y") {
          ExpectWholeRows(*some);
        }
      }
    }
  }
}

TEST_P(FilterTest, FewBatches) {
  ScanOptions options;
  options.columns = {"id", "s"};
  options.filter = "k = 7";
  const auto reader = Must(table_.Scan(options));
  int batches = 0;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) {
      break;
    }
    EXPECT_GT(batch->num_rows(), 0);
    ++batches;
  }
  EXPECT_LE(batches, 4);
}

TEST_P(FilterTest, RowsByNumber) {
  ScanOptions options;
  options.columns = {"id", "_rowid", "_rowaddr", "_rowoffset"};
  const auto all = Must(Drain(table_.Scan(options)));
  const auto& row_ids = static_cast<const arrow::UInt64Array&>(*all->column(1));
  const auto& addresses = static_cast<const arrow::UInt64Array&>(*all->column(2));
  const auto& offsets = static_cast<const arrow::UInt64Array&>(*all->column(3));
  for (int64_t i = 0; i < all->num_rows(); ++i) {
    ASSERT_EQ(offsets.Value(i), static_cast<uint64_t>(i));
  }
  options.filter = "_rowid = " + std::to_string(row_ids.Value(77));
  EXPECT_EQ(IdsOf(Drain(table_.Scan(options))), (Ids{live_[77].id}));
  options.filter = Col("_rowid").In(
      {Value(row_ids.Value(4000)), Value(row_ids.Value(9)), Value(uint64_t{1} << 60)});
  EXPECT_EQ(IdsOf(Drain(table_.Scan(options))), (Ids{live_[9].id, live_[4000].id}));
  EXPECT_THAT(Must(table_.Explain(options)), HasSubstr("names rows: at most 2"));
  options.filter = "_rowaddr = :a AND k IS NOT NULL";
  options.parameters.named = {{"a", Value(addresses.Value(123))}};
  EXPECT_EQ(IdsOf(Drain(table_.Scan(options))),
            live_[123].k.has_value() ? Ids{live_[123].id} : Ids{});
}

TEST_P(FilterTest, OrderedByManyKeys) {
  const auto less = [](const Row& a, const Row& b) {
    // k descending, nulls first; then s ascending, nulls last.
    if (a.k.has_value() != b.k.has_value()) {
      return !a.k.has_value();
    }
    if (a.k != b.k) {
      return *a.k > *b.k;
    }
    if (a.s.has_value() != b.s.has_value()) {
      return a.s.has_value();
    }
    return a.s.has_value() && *a.s < *b.s;
  };
  for (const bool filtered : {false, true}) {
    std::vector<Row> sorted;
    for (const Row& row : live_) {
      if (!filtered || row.id >= 500) {
        sorted.push_back(row);
      }
    }
    std::stable_sort(sorted.begin(), sorted.end(), less);
    Ids expected;
    for (const Row& row : sorted) {
      expected.push_back(row.id);
    }
    ScanOptions options;
    options.order_by = {{"k", false, true}, {"s", true, false}};
    if (filtered) {
      options.filter = "id >= 500";
    }
    EXPECT_EQ(IdsOf(Drain(table_.Scan(options))), expected);
    options.offset = 5;
    for (const uint64_t limit : {0, 1, 100, 100'000}) {
      options.limit = limit;
      const auto page = Must(Drain(table_.Scan(options)));
      EXPECT_EQ(IdsOf(page), Window(expected, 5, limit));
      ExpectWholeRows(*page);
    }
    // Keys that are not returned, and members of a struct of which another part is.
    options.limit.reset();
    options.columns = {"id", "st.x"};
    options.order_by.push_back({"st.y", true, false});
    const auto rows = Must(Drain(table_.Scan(options)));
    EXPECT_EQ(rows->num_columns(), 2);
    EXPECT_EQ(rows->column(1)->type()->num_fields(), 1);
    ASSERT_OK(rows->ValidateFull());
  }
}

TEST_P(FilterTest, OrderByExpressionAndNan) {
  ScanOptions options;
  options.columns = {"id", "d"};
  options.filter = "d IS NOT NULL";
  options.order_by = {{"d"}, {"id % 10", false}};
  const auto rows = Must(Drain(table_.Scan(options)));
  const auto& values = static_cast<const arrow::DoubleArray&>(*rows->column(1));
  bool seen_nan = false;
  for (int64_t i = 1; i < values.length(); ++i) {
    seen_nan = seen_nan || std::isnan(values.Value(i - 1));
    EXPECT_TRUE(std::isnan(values.Value(i)) ||
                (!seen_nan && values.Value(i - 1) <= values.Value(i)));
  }
  EXPECT_TRUE(seen_nan);
}

TEST_P(FilterTest, SelectsExpressions) {
  ScanOptions options;
  options.select = {
      {"id", "id"}, {"twice", "id * 2"}, {"y", "st.y"}, {"one", "1"}, {"at", "_rowoffset"}};
  options.filter = "k < 5";
  const Ids expected = Expected([](const Row& r) { return r.k.has_value() && *r.k < 5; });
  for (const bool ordered : {false, true}) {
    if (ordered) {
      options.order_by = {{"t"}};
    }
    const auto rows = Must(Drain(table_.Scan(options)));
    EXPECT_EQ(IdsOf(rows), expected);
    EXPECT_EQ(rows->schema()->ToString(/*show_metadata=*/false).substr(0, 8), "id: int6");
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const Row& row = rows_[static_cast<size_t>(expected[static_cast<size_t>(i)])];
      EXPECT_EQ(static_cast<const arrow::Int64Array&>(*rows->column(1)).Value(i), row.id * 2);
      EXPECT_EQ(static_cast<const arrow::StringArray&>(*rows->column(2)).GetView(i), row.y);
      EXPECT_EQ(static_cast<const arrow::UInt64Array&>(*rows->column(4)).Value(i), row.offset);
    }
  }
  TakeOptions take;
  take.select = {{"id", "id"}, {"sum", "id + 1"}};
  const auto taken = Must(table_.TakeOffsets({9, 3}, take));
  EXPECT_EQ(IdsOf(taken), (Ids{live_[9].id, live_[3].id}));
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*taken->column(1)).Value(0), live_[9].id + 1);
}

TEST_P(FilterTest, Distinct) {
  ScanOptions options;
  options.columns = {"k"};
  options.distinct = true;
  std::vector<std::optional<int32_t>> expected;
  std::set<std::optional<int32_t>> seen;
  for (const Row& row : live_) {
    if (seen.insert(row.k).second) {
      expected.push_back(row.k);
    }
  }
  const auto values_of = [](const arrow::RecordBatch& rows) {
    std::vector<std::optional<int32_t>> values;
    const auto& column = static_cast<const arrow::Int32Array&>(*rows.column(0));
    for (int64_t i = 0; i < column.length(); ++i) {
      values.push_back(column.IsNull(i) ? std::nullopt : std::optional<int32_t>(column.Value(i)));
    }
    return values;
  };
  EXPECT_EQ(values_of(*Must(Drain(table_.Scan(options)))), expected);
  options.order_by = {{"k", true, true}};
  options.offset = 2;
  options.limit = 10;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(values_of(*Must(Drain(table_.Scan(options)))),
            (std::vector<std::optional<int32_t>>(expected.begin() + 2, expected.begin() + 12)));
}

TEST_P(FilterTest, VersionsOfRows) {
  ScanOptions options;
  options.columns = {"id", "_row_created_at_version", "_row_last_updated_at_version"};
  options.filter = "_row_created_at_version >= 1";
  const auto rows = Must(Drain(table_.Scan(options)));
  EXPECT_EQ(static_cast<size_t>(rows->num_rows()), live_.size());
  if (GetParam().stable) {
    options.filter = "_row_created_at_version = 2";
    EXPECT_EQ(IdsOf(Drain(table_.Scan(options))),
              Expected([](const Row& row) { return row.id >= 1400; }));
  }
}

TEST_P(FilterTest, VectorSearchBeforeAndAfterTheFilter) {
  arrow::FloatBuilder query;
  ASSERT_OK(query.AppendValues({5000, 5000, 5000, 5000}));
  const auto vector = Must(query.Finish());
  const auto nearest = [&](const Predicate& predicate, size_t k) {
    std::vector<const Row*> found;
    for (const Row& row : live_) {
      if (predicate(row)) {
        found.push_back(&row);
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const Row* a, const Row* b) {
      return std::abs(a->v - 5000) < std::abs(b->v - 5000);
    });
    found.resize(std::min(k, found.size()));
    return found;
  };
  for (const auto& [sql, predicate] : Cases()) {
    VectorQuery request;
    request.vectors = vector;
    request.k = 25;
    request.columns = {"id", "k"};
    request.filter = sql;
    Ids expected;
    for (const Row* row : nearest(predicate, 25)) {
      expected.push_back(row->id);
    }
    const auto before = Must(table_.Search(request));
    EXPECT_EQ(IdsOf(before), expected) << sql;
    EXPECT_EQ(before->schema()->field_names(), (std::vector<std::string>{"id", "k", "_distance"}));
    request.prefilter = false;
    expected.clear();
    for (const Row* row : nearest([](const Row&) { return true; }, 25)) {
      if (predicate(*row)) {
        expected.push_back(row->id);
      }
    }
    EXPECT_EQ(IdsOf(table_.Search(request)), expected) << sql;
  }
  VectorQuery request;
  request.vectors = vector;
  request.k = 10;
  request.select = {{"id", "id"}, {"score", "1 / (1 + _distance)"}};
  request.order_by = {{"id", false}};
  Ids expected;
  for (const Row* row : nearest([](const Row&) { return true; }, 10)) {
    expected.push_back(row->id);
  }
  std::sort(expected.rbegin(), expected.rend());
  const auto rows = Must(table_.Search(request));
  EXPECT_EQ(IdsOf(rows), expected);
  EXPECT_EQ(rows->schema()->field_names(), (std::vector<std::string>{"id", "score", "_distance"}));
  request.order_by = {{"_distance", false}};
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(static_cast<size_t>(Must(table_.Search(request))->num_rows()), expected.size());
  EXPECT_THAT(Must(table_.Explain(request)), HasSubstr("coverage: index none, scanned all"));
}

TEST_P(FilterTest, Explains) {
  ScanOptions options;
  options.columns = {"id", "v"};
  options.filter = "s LIKE 'text%' AND k = 5.0";
  options.order_by = {{"t", false}};
  options.limit = 10;
  const std::string text = Must(table_.Explain(options));
  EXPECT_THAT(text, HasSubstr("phase 1: reads k int32"));
  EXPECT_THAT(text, HasSubstr("phase 2: reads s string for the rows that are left"));
  EXPECT_THAT(text, HasSubstr("keep the best 10 rows"));
  EXPECT_THAT(text, HasSubstr("fragments"));
}

TEST_P(FilterTest, Refuses) {
  const auto fails = [&](const ScanOptions& options, const std::string& message) {
    const auto status = table_.Scan(options).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(status.message(), HasSubstr(message));
  };
  ScanOptions options;
  options.filter = "kk > 1";
  fails(options, "kk");
  options.filter = "k >";
  fails(options, "filter");
  options.filter = "id + 1";
  fails(options, "filter");
  options.filter = {};
  options.order_by = {{"tags"}};
  fails(options, "tags");
  options.order_by = {};
  options.columns = {"id"};
  options.select = {{"x", "id"}};
  fails(options, "select");
  options.columns = {};
  options.select = {{"x", "id"}, {"x", "k"}};
  fails(options, "'x'");
  options.select = {{"x", "nothing"}};
  fails(options, "nothing");
}

TEST_P(FilterTest, StopsAndReportsProgress) {
  ScanOptions options;
  options.filter = "k > 50";
  uint64_t done = 0;
  options.progress = [&](const Progress& progress) { done = progress.rows_done; };
  ASSERT_OK(Drain(table_.Scan(options)));
  EXPECT_EQ(done, live_.size());
  options.cancel.RequestStop();
  EXPECT_CODE(Drain(table_.Scan(options)), kCancelled);
  options.order_by = {{"k"}};
  EXPECT_CODE(Drain(table_.Scan(options)), kCancelled);
  CountOptions count;
  count.filter = "k > 50";
  count.cancel.RequestStop();
  EXPECT_CODE(table_.CountRows(count), kCancelled);
}

TEST(Spilling, SortsMoreThanTheBudget) {
  DatabaseOptions options;
  options.memory_limit_bytes = uint64_t{16} << 20;
  Database db = Must(Database::Open("memory://", options));
  const int64_t rows = 400'000;
  std::mt19937_64 random(9);
  arrow::Int64Builder ids;
  arrow::Int64Builder keys;
  arrow::StringBuilder texts;
  std::vector<std::pair<int64_t, int64_t>> expected;
  for (int64_t i = 0; i < rows; ++i) {
    const auto key = static_cast<int64_t>(random() % 50'000);
    ASSERT_OK(ids.Append(i));
    ASSERT_OK(keys.Append(key));
    ASSERT_OK(texts.Append("some text that makes rows wide " + std::to_string(key)));
    expected.emplace_back(key, i);
  }
  std::sort(expected.begin(), expected.end());
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("key", arrow::int64()),
                     arrow::field("text", arrow::utf8())});
  Table table = Must(db.CreateTable(
      "t",
      testing::Stream({arrow::RecordBatch::Make(
          schema, rows, arrow::ArrayVector{*ids.Finish(), *keys.Finish(), *texts.Finish()})}),
      CreateMode::kCreate, {}));
  ScanOptions scan;
  scan.order_by = {{"key"}};
  const auto sorted = Must(Drain(table.Scan(scan)));
  const auto found = IdsOf(sorted);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i], expected[i].second);
  }
  scan.columns = {"key", "text"};
  scan.distinct = true;
  scan.order_by = {};
  EXPECT_EQ(Must(Drain(table.Scan(scan)))->num_rows(), [&] {
    std::set<int64_t> distinct;
    for (const auto& [key, id] : expected) {
      distinct.insert(key);
    }
    return static_cast<int64_t>(distinct.size());
  }());
}

}  // namespace
}  // namespace glaive::query
