// Whole files of version 2.0: there and back again, evolved projections, refusals, broken bytes.
#include <functional>
#include <random>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

#include "file/file_reader.h"
#include "file/file_writer.h"
#include "io/object_store.h"

namespace glaive::file {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

class V20File : public ::testing::Test {
 protected:
  std::shared_ptr<io::ObjectStore> store_ = io::OpenMemoryStore().ValueOrDie();

  arrow::Result<FileSummary> Write(const arrow::RecordBatchVector& batches,
                                   uint64_t page_bytes = 8u << 20) {
    ARROW_ASSIGN_OR_RAISE(const auto schema, Schema::FromArrow(*batches[0]->schema()));
    ARROW_ASSIGN_OR_RAISE(auto object, store_->Create("f.lance"));
    FileWriterOptions options;
    options.version = kVersion20;
    options.page_bytes = page_bytes;
    ARROW_ASSIGN_OR_RAISE(auto writer, FileWriter::Open(std::move(object), schema, options));
    for (const auto& batch : batches) {
      ARROW_RETURN_NOT_OK(writer->Write(*batch));
    }
    return writer->Finish();
  }

  arrow::Result<std::shared_ptr<FileReader>> Open() {
    ARROW_ASSIGN_OR_RAISE(auto object, store_->Open("f.lance"));
    return FileReader::Open(std::move(object));
  }

  static arrow::Result<BatchPtr> ReadAll(const FileReader& reader, BlobMode mode) {
    ARROW_ASSIGN_OR_RAISE(const auto projection, reader.IdentityProjection());
    RowRanges rows;
    if (reader.num_rows() > 0) {
      rows.push_back({0, reader.num_rows()});
    }
    ReadOptions options;
    options.blob_mode = mode;
    return reader.Read(projection, rows, options);
  }
};

arrow::FieldVector Fields() {
  const auto item =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", arrow::utf8())});
  const auto packed =
      arrow::struct_({arrow::field("p", arrow::int8()),
                      arrow::field("q", arrow::fixed_size_list(arrow::float32(), 2))});
  return {
      arrow::field("i", arrow::int64()),
      arrow::field("b", arrow::boolean()),
      arrow::field("s", arrow::utf8()),
      arrow::field("low", arrow::utf8()),
      arrow::field("v", arrow::fixed_size_list(arrow::float32(), 3)),
      arrow::field("d", arrow::dictionary(arrow::int16(), arrow::utf8())),
      arrow::field("l", arrow::list(item)),
      arrow::field("ll", arrow::list(arrow::large_list(arrow::utf8()))),
      arrow::field("st", item, false),
      arrow::field("pk", packed, false,
                   arrow::key_value_metadata({"lance-encoding:packed"}, {"true"})),
      arrow::field("z", arrow::utf8(), true,
                   arrow::key_value_metadata({"lance-encoding:compression"}, {"zstd"})),
      arrow::field("blob", arrow::large_binary(), true,
                   arrow::key_value_metadata({"lance-encoding:blob"}, {"true"})),
  };
}

BatchPtr MakeBatch(int64_t rows, double nulls, uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](uint32_t n) { return std::to_string(random() % n); };
  const auto or_null = [&](std::string value) {
    return static_cast<double>(random() % 1000) < nulls * 1000 ? std::string("null") : value;
  };
  const auto item = [&] {
    return "{\"x\":" + or_null(pick(9)) + ",\"y\":" + or_null("\"y" + pick(50) + "\"") + "}";
  };
  const auto many = [&](auto&& one) {
    std::string out = "[";
    for (uint32_t n = random() % 4; n > 0; --n) {
      out += one() + (n > 1 ? "," : "");
    }
    return out + "]";
  };
  const std::vector<std::function<std::string()>> makers = {
      [&] { return or_null(pick(1u << 30)); },
      [&] { return or_null(random() % 2 == 0 ? "true" : "false"); },
      [&] { return or_null("\"s" + pick(1u << 20) + "\""); },
      [&] { return or_null("\"low" + pick(10) + "\""); },
      [&] { return or_null("[" + or_null("1.5") + ",2," + pick(9) + "]"); },
      [&] { return or_null("\"d" + pick(20) + "\""); },
      [&] { return or_null(many(item)); },
      [&] {
        return or_null(
            many([&] { return or_null(many([&] { return or_null("\"" + pick(99) + "\""); })); }));
      },
      item,
      [&] { return "{\"p\":" + pick(100) + ",\"q\":[1," + pick(9) + "]}"; },
      [&] { return or_null("\"a text that repeats, " + pick(5) + "\""); },
      [&] { return or_null("\"" + std::string(random() % 60, 'x') + "\""); },
  };
  const auto fields = Fields();
  arrow::ArrayVector columns;
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string json = "[";
    for (int64_t row = 0; row < rows; ++row) {
      json += (row > 0 ? "," : "") + makers[i]();
    }
    columns.push_back(arrow::json::ArrayFromJSONString(fields[i]->type(), json + "]").ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, columns);
}

void ExpectSame(const arrow::RecordBatch& expected, const arrow::RecordBatch& got) {
  ASSERT_TRUE(got.ValidateFull().ok()) << got.ValidateFull();
  for (int i = 0; i < expected.num_columns(); ++i) {
    // As text: dictionaries may be ordered otherwise.
    if (expected.column(i)->type_id() == arrow::Type::DICTIONARY) {
      for (int64_t row = 0; row < expected.num_rows(); ++row) {
        const auto a = expected.column(i)->GetScalar(row).ValueOrDie();
        const auto b = got.column(i)->GetScalar(row).ValueOrDie();
        ASSERT_EQ(a->is_valid, b->is_valid) << row;
        if (a->is_valid) {
          ASSERT_TRUE(static_cast<const arrow::DictionaryScalar&>(*a)
                          .GetEncodedValue()
                          .ValueOrDie()
                          ->Equals(*static_cast<const arrow::DictionaryScalar&>(*b)
                                        .GetEncodedValue()
                                        .ValueOrDie()))
              << row;
        }
      }
    } else {
      EXPECT_TRUE(expected.column(i)->Equals(*got.column(i))) << expected.column_name(i);
    }
  }
}

TEST_F(V20File, RoundTrips) {
  for (const int64_t rows : {0, 1, 7, 1023, 1025}) {
    for (const double nulls : {0.0, 0.3, 1.0}) {
      for (const uint64_t page_bytes : {uint64_t{8} << 20, uint64_t{2000}}) {
        SCOPED_TRACE(testing::Message() << rows << " rows, nulls " << nulls << ", " << page_bytes);
        const auto batch = MakeBatch(rows, nulls, 7);
        const auto summary = Write({batch->Slice(0, rows / 3), batch->Slice(rows / 3)}, page_bytes);
        ASSERT_TRUE(summary.ok()) << summary.status();
        EXPECT_EQ(summary->num_rows, static_cast<uint64_t>(rows));
        EXPECT_EQ(summary->field_ids.size(),
                  19u);  // the members of the packed struct own no column
        const auto reader = Open().ValueOrDie();
        EXPECT_EQ(reader->version(), kVersion20);
        ASSERT_TRUE(reader->Verify().ok()) << reader->Verify();
        const auto got = ReadAll(*reader, BlobMode::kBytes);
        ASSERT_TRUE(got.ok()) << got.status();
        ExpectSame(*batch, **got);
      }
    }
  }
}

TEST_F(V20File, ReadsScatteredRows) {
  const auto batch = MakeBatch(3000, 0.2, 11);
  ASSERT_TRUE(Write({batch}, 3000).ok());
  const auto reader = Open().ValueOrDie();
  const auto projection = reader->IdentityProjection().ValueOrDie();
  ReadOptions options;
  options.blob_mode = BlobMode::kBytes;
  const RowRanges rows{{0, 1}, {2, 3}, {3, 9}, {700, 1800}, {2998, 3000}};
  const auto got = reader->Read(projection, rows, options).ValueOrDie();
  int64_t at = 0;
  for (const auto& range : rows) {
    const auto size = static_cast<int64_t>(range.size());
    ExpectSame(*batch->Slice(static_cast<int64_t>(range.start), size), *got->Slice(at, size));
    at += size;
  }
  const auto cuts = reader->PreferredCuts(projection);
  ASSERT_GT(cuts.size(), 2u);
  EXPECT_EQ(cuts.back(), 3000u);
  EXPECT_GT(reader->BytesPerRow(projection), 10);
  const auto beyond = reader->Read(projection, {{2999, 3001}}, {});
  EXPECT_EQ(ErrorCodeOf(beyond.status()), ErrorCode::kInvalidArgument);
}

TEST_F(V20File, TheReaderTellsWhatItHolds) {
  ASSERT_TRUE(Write({MakeBatch(3000, 0.2, 11)}, 3000).ok());
  int64_t change = 0;
  const auto reader = FileReader::Open(store_->Open("f.lance").ValueOrDie(), [&](int64_t bytes) {
                        change += bytes;
                      }).ValueOrDie();
  const uint64_t opened = reader->memory_bytes();
  EXPECT_GT(opened, reader->metadata_bytes());
  ASSERT_TRUE(ReadAll(*reader, BlobMode::kBytes).ok());
  const uint64_t read = reader->memory_bytes();
  EXPECT_GT(read, opened);
  EXPECT_EQ(static_cast<int64_t>(read - opened), change);
  // Decompressed pages are kept one a column, so another read holds no more.
  ASSERT_TRUE(ReadAll(*reader, BlobMode::kBytes).ok());
  EXPECT_EQ(reader->memory_bytes(), read);
}

TEST_F(V20File, ReadsMissingFieldsAsNull) {
  const auto batch = MakeBatch(10, 0, 3);
  ASSERT_TRUE(Write({batch}).ok());
  const auto reader = Open().ValueOrDie();
  auto projection = reader->IdentityProjection().ValueOrDie();
  Field added;
  added.id = 999;
  added.name = "new";
  added.logical_type = "int32";
  projection.columns = {added, projection.columns[8]};
  projection.columns[1].children.insert(projection.columns[1].children.begin(), added);
  projection.columns[1].children[0].id = 998;
  const auto got = reader->Read(projection, {{2, 6}}, {}).ValueOrDie();
  EXPECT_EQ(got->column(0)->null_count(), 4);
  const auto& st = static_cast<const arrow::StructArray&>(*got->column(1));
  EXPECT_EQ(st.null_count(), 0);
  EXPECT_EQ(st.field(0)->null_count(), 4);
  const auto& original = static_cast<const arrow::StructArray&>(*batch->column(8));
  EXPECT_TRUE(st.field(1)->Equals(original.field(0)->Slice(2, 4)));
}

TEST_F(V20File, RefusesNullStructsByColumnAndRow) {
  const auto type = arrow::struct_({arrow::field("x", arrow::int32())});
  const auto field = arrow::field("l", arrow::list(type));
  const auto column =
      arrow::json::ArrayFromJSONString(field->type(), R"([[], [{"x": 1}], [{"x": 2}, null]])")
          .ValueOrDie();
  const auto status =
      Write({arrow::RecordBatch::Make(arrow::schema({field}), 3, {column})}).status();
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported) << status;
  EXPECT_NE(status.message().find("row 2"), std::string::npos) << status;
  EXPECT_NE(status.message().find("l.item"), std::string::npos) << status;
  const auto map = arrow::field("m", arrow::map(arrow::utf8(), arrow::int32()));
  const auto empty = arrow::RecordBatch::MakeEmpty(arrow::schema({map})).ValueOrDie();
  EXPECT_EQ(ErrorCodeOf(Write({empty}).status()), ErrorCode::kUnsupported);
}

TEST_F(V20File, RefusesNullsInVectorsOfPackedStructsByColumnAndRow) {
  const auto type =
      arrow::struct_({arrow::field("v", arrow::fixed_size_list(arrow::float32(), 2), false)});
  const auto field = arrow::field("p", type, false,
                                  arrow::key_value_metadata({"lance-encoding:packed"}, {"true"}));
  const auto column = [&](const char* json) {
    return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  };
  const auto batch = [&](const std::shared_ptr<arrow::Array>& array) {
    return arrow::RecordBatch::Make(arrow::schema({field}), array->length(), {array});
  };
  const auto good = column(R"([{"v": [1, 2]}, {"v": [3, 4]}])");
  const auto bad = column(R"([{"v": [1, 2]}, {"v": [3, 4]}, {"v": [5, null]}])");
  const auto status = Write({batch(good), batch(bad->Slice(1))}).status();
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported) << status;
  EXPECT_NE(status.message().find("column 'p.v', row 3: item 1"), std::string::npos) << status;
  EXPECT_TRUE(Write({batch(good), batch(bad->Slice(0, 2))}).ok());
}

TEST_F(V20File, NullsOfDictionariesNeedAKey) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto make = [&](int64_t items, bool null_item, int64_t rows, int64_t most_used) {
    arrow::StringBuilder names;
    for (int64_t i = 0; i < items; ++i) {
      EXPECT_TRUE(
          (null_item && i == 3 ? names.AppendNull() : names.Append(std::to_string(i))).ok());
    }
    arrow::Int8Builder keys;
    for (int64_t row = 0; row < rows; ++row) {
      EXPECT_TRUE(
          (row % 5 == 1 ? keys.AppendNull() : keys.Append(static_cast<int8_t>(row % most_used)))
              .ok());
    }
    return arrow::DictionaryArray::FromArrays(type, *keys.Finish(), *names.Finish()).ValueOrDie();
  };
  const auto field = arrow::field("d", type);
  const auto full = make(128, false, 10, 10);
  const auto status =
      Write({arrow::RecordBatch::Make(arrow::schema({field}), full->length(), {full})}).status();
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported) << status;
  EXPECT_NE(status.message().find("column d: a dictionary of 128 items"), std::string::npos);
  // A null item has a key already.
  for (const auto& array : {make(127, false, 1000, 127), make(128, true, 1000, 128)}) {
    const auto batch = arrow::RecordBatch::Make(arrow::schema({field}), array->length(), {array});
    const auto written = Write({batch});
    ASSERT_TRUE(written.ok()) << written.status();
    const auto reader = Open().ValueOrDie();
    EXPECT_TRUE(reader->Verify().ok());
    int64_t rows = 0;
    for (const uint64_t cut : reader->PreferredCuts(reader->IdentityProjection().ValueOrDie())) {
      const auto end = static_cast<int64_t>(cut);
      const auto got = reader
                           ->Read(reader->IdentityProjection().ValueOrDie(),
                                  {{static_cast<uint64_t>(rows), cut}}, {})
                           .ValueOrDie();
      const auto& found = static_cast<const arrow::DictionaryArray&>(*got->column(0));
      const auto& items = static_cast<const arrow::StringArray&>(*found.dictionary());
      const auto& names = static_cast<const arrow::StringArray&>(
          *static_cast<const arrow::DictionaryArray&>(*array).dictionary());
      for (int64_t i = 0; rows < end; ++i, ++rows) {
        const auto& given = static_cast<const arrow::DictionaryArray&>(*array);
        const bool null = given.IsNull(rows) || names.IsNull(given.GetValueIndex(rows));
        const bool is_null = found.IsNull(i) || items.IsNull(found.GetValueIndex(i));
        ASSERT_EQ(is_null, null) << rows;
        if (!null) {
          ASSERT_EQ(items.GetView(found.GetValueIndex(i)),
                    names.GetView(given.GetValueIndex(rows)));
        }
      }
    }
    EXPECT_EQ(rows, array->length());
  }
}

TEST_F(V20File, SurvivesBrokenFiles) {
  ASSERT_TRUE(Write({MakeBatch(150, 0.2, 5)}, 4000).ok());
  const std::string good = store_->Get("f.lance").ValueOrDie()->ToString();
  std::mt19937 random(2);
  for (int round = 0; round < 600; ++round) {
    std::string bytes = good;
    const size_t tail = 6000;  // mostly metadata
    for (uint32_t flips = random() % 3 + 1; flips > 0; --flips) {
      const size_t span = random() % 2 == 0 ? std::min(tail, bytes.size()) : bytes.size();
      bytes[bytes.size() - 1 - random() % span] ^= static_cast<char>(1u << (random() % 8));
    }
    if (random() % 8 == 0) {
      bytes.erase(0, random() % 500);
    }
    ASSERT_TRUE(store_->Put("f.lance", bytes).ok());
    const auto reader = Open();
    if (!reader.ok()) {
      continue;
    }
    static_cast<void>((*reader)->Verify());
    static_cast<void>((*reader)->Inspect());
    if ((*reader)->num_rows() <= 1000) {
      static_cast<void>(ReadAll(**reader, BlobMode::kBytes));
    }
  }
}

}  // namespace
}  // namespace glaive::file
