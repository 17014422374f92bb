// Writing and reading whole data files of 2.1 and 2.2.
#include <thread>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/json/from_string.h>
#include <arrow/pretty_print.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/executor.h"
#include "base/status.h"
#include "file/blob_reader.h"
#include "file/file_reader.h"
#include "file/file_writer.h"
#include "file/random_arrays.h"
#include "io/object_store.h"

namespace glaive::file {
namespace {

using arrow::field;
using ::testing::HasSubstr;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using TypePtr = std::shared_ptr<arrow::DataType>;

std::shared_ptr<const arrow::KeyValueMetadata> Meta(const std::string& key,
                                                    const std::string& value) {
  return arrow::key_value_metadata({key}, {value});
}

class FileTest : public ::testing::Test {
 protected:
  std::shared_ptr<io::ObjectStore> store_ = io::OpenMemoryStore().ValueOrDie();
  FileWriterOptions options_;
  FileSummary summary_;

  arrow::Status Write(const std::vector<BatchPtr>& batches, const std::string& path = "f.lance") {
    ARROW_ASSIGN_OR_RAISE(const auto schema, Schema::FromArrow(*batches.at(0)->schema()));
    ARROW_ASSIGN_OR_RAISE(auto object, store_->Create(path));
    ARROW_ASSIGN_OR_RAISE(const auto writer, FileWriter::Open(std::move(object), schema, options_));
    for (const auto& batch : batches) {
      ARROW_RETURN_NOT_OK(writer->Write(*batch));
    }
    ARROW_ASSIGN_OR_RAISE(summary_, writer->Finish());
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<FileReader>> Open(const std::string& path = "f.lance") {
    ARROW_ASSIGN_OR_RAISE(auto object, store_->Open(path));
    return FileReader::Open(std::move(object));
  }

  static arrow::Result<BatchPtr> ReadRows(const FileReader& reader, const RowRanges& rows,
                                          const ReadOptions& options = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto projection, reader.IdentityProjection());
    return reader.Read(projection, rows, options);
  }
};

BatchPtr OneColumn(const std::shared_ptr<arrow::Field>& column, const ArrayPtr& values) {
  return arrow::RecordBatch::Make(arrow::schema({column}), values->length(), {values});
}

ArrayPtr Select(const ArrayPtr& array, const RowRanges& rows) {
  arrow::ArrayVector parts;
  for (const auto& range : rows) {
    parts.push_back(
        array->Slice(static_cast<int64_t>(range.start), static_cast<int64_t>(range.size())));
  }
  return arrow::Concatenate(parts).ValueOrDie();
}

std::string Shown(const arrow::Array& array) {
  std::string text;
  EXPECT_TRUE(arrow::PrettyPrint(array, {0, 5}, &text).ok());
  return text;
}

// Equal values; a dictionary may be coded differently.
void ExpectSame(const arrow::Array& found, const arrow::Array& expected, const std::string& what) {
  ASSERT_EQ(found.length(), expected.length()) << what;
  const auto valid = found.ValidateFull();
  ASSERT_TRUE(valid.ok()) << what << ": " << valid;
  if (expected.type_id() == arrow::Type::DICTIONARY) {
    ASSERT_TRUE(found.type()->Equals(expected.type())) << what;
    for (int64_t i = 0; i < expected.length(); ++i) {
      const auto text = [&](const arrow::Array& array) {
        const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
        const auto scalar =
            array.IsNull(i) ? nullptr
                            : coded.dictionary()->GetScalar(coded.GetValueIndex(i)).ValueOrDie();
        return scalar == nullptr || !scalar->is_valid ? std::string("null") : scalar->ToString();
      };
      ASSERT_EQ(text(found), text(expected)) << what << ", row " << i;
    }
    return;
  }
  ASSERT_TRUE(found.Equals(expected, arrow::EqualOptions::Defaults().nans_equal(true)))
      << what << "\nfound " << found.type()->ToString() << Shown(found) << "\nexpected "
      << expected.type()->ToString() << Shown(expected);
}

// Whole, a middle, first and last row, and scattered ones.
std::vector<RowRanges> SomeRows(uint64_t n) {
  std::vector<RowRanges> out = {{{0, n}}, {{0, 1}}, {{n - 1, n}}, {{n / 3, n / 3 + (n + 2) / 3}}};
  RowRanges scattered;
  for (uint64_t at = n / 7; at < n; at += 1 + at / 2) {
    scattered.push_back({at, at + 1});
  }
  if (!scattered.empty()) {
    out.push_back(scattered);
  }
  return out;
}

std::vector<std::shared_ptr<arrow::Field>> AllTypes() {
  const auto inner = arrow::struct_({field("a", arrow::int32()), field("s", arrow::utf8())});
  const TypePtr types[] = {
      arrow::null(),
      arrow::boolean(),
      arrow::int8(),
      arrow::uint16(),
      arrow::int32(),
      arrow::int64(),
      arrow::uint64(),
      arrow::float16(),
      arrow::float32(),
      arrow::float64(),
      arrow::utf8(),
      arrow::large_utf8(),
      arrow::binary(),
      arrow::large_binary(),
      arrow::date32(),
      arrow::date64(),
      arrow::time32(arrow::TimeUnit::SECOND),
      arrow::time64(arrow::TimeUnit::MICRO),
      arrow::timestamp(arrow::TimeUnit::MICRO, "+01:00"),
      arrow::duration(arrow::TimeUnit::NANO),
      arrow::decimal128(20, 3),
      arrow::decimal256(50, 3),
      arrow::fixed_size_binary(1),
      arrow::fixed_size_binary(16),
      arrow::fixed_size_binary(300),
      arrow::fixed_size_list(arrow::float32(), 4),
      arrow::fixed_size_list(arrow::float32(), 128),
      arrow::fixed_size_list(arrow::boolean(), 8),
      arrow::fixed_size_list(arrow::fixed_size_list(arrow::int16(), 2), 3),
      arrow::dictionary(arrow::int8(), arrow::utf8()),
      arrow::dictionary(arrow::int32(), arrow::int64()),
      arrow::list(arrow::int32()),
      arrow::list(arrow::utf8()),
      arrow::large_list(arrow::float64()),
      arrow::list(arrow::list(arrow::int16())),
      arrow::list(arrow::fixed_size_list(arrow::float32(), 4)),
      inner,
      arrow::struct_(
          {field("x", inner), field("y", arrow::list(inner)), field("z", arrow::boolean(), false)}),
      arrow::list(inner),
      arrow::list(
          arrow::struct_({field("l", arrow::list(arrow::utf8())), field("v", arrow::int64())})),
  };
  std::vector<std::shared_ptr<arrow::Field>> out;
  for (const auto& type : types) {
    out.push_back(field("c", type));
  }
  out.push_back(field(
      "c", arrow::struct_({field("a", arrow::int32(), false), field("b", arrow::float64(), false)}),
      true, Meta("lance-encoding:packed", "true")));
  return out;
}

std::vector<std::shared_ptr<arrow::Field>> TypesOf22() {
  const auto inner = arrow::struct_({field("a", arrow::int32()), field("s", arrow::utf8())});
  return {
      field("c", arrow::map(arrow::utf8(), arrow::int32())),
      field("c", arrow::map(arrow::int32(), inner)),
      field("c", arrow::list(arrow::map(arrow::utf8(), arrow::int32()))),
      field("c", arrow::fixed_size_list(inner, 3)),
      field("c",
            arrow::struct_({field("a", arrow::int32(), false), field("b", arrow::utf8(), false)}),
            true, Meta("lance-encoding:packed", "true"))};
}

class RoundTrip : public FileTest {
 protected:
  void Check(const std::shared_ptr<arrow::Field>& column, int64_t rows, const ValueShape& shape) {
    const std::string what = Concat(options_.version.ToString(), " ", column->type()->ToString(),
                                    ", ", rows, " rows, nulls ", shape.nulls, ", distinct ",
                                    shape.distinct, ", bytes ", shape.max_bytes);
    RandomArrays random(static_cast<uint64_t>(rows) * 7 + 1, shape);
    const auto values = random.Make(column->type(), rows);
    const int64_t cut = rows / 3;
    const auto status =
        Write({OneColumn(column, values->Slice(0, cut)), OneColumn(column, values->Slice(cut))});
    ASSERT_TRUE(status.ok()) << what << ": " << status;
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << what << ": " << opened.status();
    const auto& reader = **opened;
    ASSERT_EQ(reader.num_rows(), static_cast<uint64_t>(rows));
    for (const auto& some : SomeRows(static_cast<uint64_t>(rows))) {
      const auto batch = ReadRows(reader, some);
      ASSERT_TRUE(batch.ok()) << what << ": " << batch.status();
      ExpectSame(*(*batch)->column(0), *Select(values, some), what);
    }
    const auto verified = reader.Verify();
    ASSERT_TRUE(verified.ok()) << what << ": " << verified;
  }

  void CheckAll(const std::vector<std::shared_ptr<arrow::Field>>& columns) {
    for (const auto& column : columns) {
      for (const double nulls : {0.0, 0.2, 1.0}) {
        for (const int64_t rows : {1, 3, 1024, 3001}) {
          Check(column, rows, {nulls, 0, 12, 5});
        }
      }
      Check(column, 1500, {0.001, 0, 12, 3});
      Check(column, 1500, {0.1, 3, 12, 4});
      Check(column, 700, {0.1, 1, 0, 0});
      Check(column, 300, {0.1, 0, 900, 4});
      if (HasFatalFailure()) {
        return;
      }
    }
  }
};

TEST_F(RoundTrip, EveryTypeIn21) {
  options_.version = kVersion21;
  options_.page_bytes = 16 << 10;
  CheckAll(AllTypes());
}

TEST_F(RoundTrip, EveryTypeIn22) {
  options_.page_bytes = 16 << 10;
  CheckAll(AllTypes());
}

TEST_F(RoundTrip, TypesThatNeed22) {
  options_.page_bytes = 16 << 10;
  CheckAll(TypesOf22());
}

TEST_F(RoundTrip, ManyColumnsEncodedInParallel) {
  Executor executor(4);
  options_.executor = &executor;
  options_.page_bytes = 4 << 10;
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  RandomArrays random(5, {0.1, 0, 30, 4});
  for (const auto& column : AllTypes()) {
    fields.push_back(column->WithName(Concat("c", fields.size())));
    columns.push_back(random.Make(column->type(), 2000));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), 2000, columns);
  const auto status = Write({batch});
  ASSERT_TRUE(status.ok()) << status;
  const auto reader = Open().ValueOrDie();
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const RowRanges rows = {{t * 100, t * 100 + 50}, {1000 + t, 1900 + t}};
      const auto found = ReadRows(*reader, rows).ValueOrDie();
      for (int i = 0; i < found->num_columns(); ++i) {
        ExpectSame(*found->column(i), *Select(columns[static_cast<size_t>(i)], rows),
                   fields[static_cast<size_t>(i)]->ToString());
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(summary_.num_rows, 2000u);
  EXPECT_EQ(summary_.size_bytes, reader->size_bytes());
  EXPECT_EQ(summary_.field_ids.size(), reader->num_columns());
  EXPECT_EQ(reader->Inspect().ValueOrDie().size(), reader->num_columns());
}

TEST_F(FileTest, VectorsComeBackWithoutACopy) {
  RandomArrays random(3, {});
  const auto vectors =
      random.Make(arrow::fixed_size_list(field("item", arrow::float32(), false), 256), 1000);
  ASSERT_TRUE(Write({OneColumn(field("v", vectors->type(), false), vectors)}).ok());
  const auto object = store_->Open("f.lance").ValueOrDie();
  if (!object->zero_copy()) {
    GTEST_SKIP() << "the store copies";
  }
  const auto whole = object->Read(0, object->size()).ValueOrDie();
  const auto reader = FileReader::Open(object).ValueOrDie();
  const auto batch = ReadRows(*reader, {{0, 1000}}).ValueOrDie();
  const auto& values = *static_cast<const arrow::FixedSizeListArray&>(*batch->column(0)).values();
  const auto* data = values.data()->buffers[1]->data();
  EXPECT_TRUE(data >= whole->data() && data < whole->data() + whole->size());
  EXPECT_EQ(reader->BytesPerRow(reader->IdentityProjection().ValueOrDie()), 1024.0);
}

TEST_F(FileTest, PagesAreCutByBytes) {
  options_.page_bytes = 64 << 10;
  RandomArrays random(3, {});
  const auto values =
      random.Make(arrow::fixed_size_list(field("item", arrow::float32(), false), 256), 1000);
  ASSERT_TRUE(Write({OneColumn(field("v", values->type(), false), values)}).ok());
  const auto reader = Open().ValueOrDie();
  const auto pages = reader->Inspect().ValueOrDie().at(0).pages;
  EXPECT_GE(pages.size(), 12u);
  for (const auto& page : pages) {
    EXPECT_LE(page.num_rows * 1024, options_.page_bytes * 3 / 2);
  }
  const auto cuts = reader->PreferredCuts(reader->IdentityProjection().ValueOrDie());
  EXPECT_EQ(cuts.size(), pages.size());
  EXPECT_EQ(cuts.back(), 1000u);
}

TEST_F(FileTest, BufferedBytesAreBounded) {
  options_.max_buffered_bytes = 100 << 10;
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  RandomArrays random(3, {});
  for (int i = 0; i < 50; ++i) {
    fields.push_back(field(Concat("c", i), arrow::int64()));
    columns.push_back(random.Make(arrow::int64(), 1000));
  }
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), 1000, columns);
  const auto writer = FileWriter::Open(store_->Create("f.lance").ValueOrDie(),
                                       Schema::FromArrow(*batch->schema()).ValueOrDie(), options_)
                          .ValueOrDie();
  ASSERT_TRUE(writer->Write(*batch).ok());
  EXPECT_GT(writer->EstimatedBytes(), 300u << 10);
  ASSERT_TRUE(writer->Write(*batch).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const auto reader = Open().ValueOrDie();
  ExpectSame(*ReadRows(*reader, {{1000, 2000}}).ValueOrDie()->column(7), *columns[7], "c7");
}

TEST_F(FileTest, AnEmptyFileHasNoRows) {
  const auto batch = OneColumn(field("c", arrow::list(arrow::utf8())),
                               arrow::MakeEmptyArray(arrow::list(arrow::utf8())).ValueOrDie());
  ASSERT_TRUE(Write({batch}).ok());
  const auto reader = Open().ValueOrDie();
  EXPECT_EQ(reader->num_rows(), 0u);
  EXPECT_TRUE(reader->PreferredCuts(reader->IdentityProjection().ValueOrDie()).empty());
  ExpectSame(*ReadRows(*reader, {}).ValueOrDie()->column(0), *batch->column(0), "empty");
  EXPECT_TRUE(reader->Verify().ok());
  EXPECT_EQ(ErrorCodeOf(ReadRows(*reader, {{0, 1}}).status()), ErrorCode::kInvalidArgument);
}

TEST_F(FileTest, RowsMustBeSortedAndThere) {
  RandomArrays random(3, {});
  ASSERT_TRUE(Write({OneColumn(field("c", arrow::int32()), random.Make(arrow::int32(), 10))}).ok());
  const auto reader = Open().ValueOrDie();
  for (const RowRanges& rows :
       {RowRanges{{0, 11}}, RowRanges{{3, 3}}, RowRanges{{5, 4}}, RowRanges{{4, 6}, {5, 7}},
        RowRanges{{6, 7}, {1, 2}}, RowRanges{{0, ~uint64_t{0}}}}) {
    EXPECT_EQ(ErrorCodeOf(ReadRows(*reader, rows).status()), ErrorCode::kInvalidArgument);
  }
}

TEST_F(FileTest, NullsWhereNoneAreAllowedAreNamed) {
  const auto column = field("s", arrow::struct_({field("a", arrow::int32(), false)}));
  arrow::Int32Builder builder;
  ASSERT_TRUE(builder.AppendValues({1, 2}).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto child = builder.Finish().ValueOrDie();
  const auto make = [&](uint8_t validity) {
    const auto data = arrow::ArrayData::Make(
        column->type(), 3, {arrow::Buffer::FromString(std::string(1, static_cast<char>(validity)))},
        {child->data()});
    return OneColumn(column, arrow::MakeArray(data));
  };
  const auto status = Write({make(7), make(7)});
  EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'s.a'"));
  EXPECT_THAT(status.message(), HasSubstr("row 2"));
  EXPECT_TRUE(Write({make(3)}).ok());  // the null child has a null parent
  const auto top = Write({OneColumn(field("c", arrow::int32(), false), child)});
  EXPECT_THAT(top.message(), HasSubstr("'c'"));
}

TEST_F(FileTest, BatchesThatDoNotFitAreRefused) {
  RandomArrays random(3, {});
  const auto batch = OneColumn(field("c", arrow::int32()), random.Make(arrow::int32(), 3));
  const auto schema = Schema::FromArrow(*batch->schema()).ValueOrDie();
  const auto writer =
      FileWriter::Open(store_->Create("f.lance").ValueOrDie(), schema, options_).ValueOrDie();
  EXPECT_EQ(ErrorCodeOf(writer->Write(*OneColumn(field("d", arrow::int32()), batch->column(0)))),
            ErrorCode::kTypeMismatch);
  const auto wrong =
      writer->Write(*OneColumn(field("c", arrow::int64()), random.Make(arrow::int64(), 3)));
  EXPECT_EQ(ErrorCodeOf(wrong), ErrorCode::kTypeMismatch);
  EXPECT_THAT(wrong.message(), HasSubstr("expected int32, found int64"));
  ASSERT_TRUE(writer->Write(*batch).ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(ErrorCodeOf(writer->Write(*batch)), ErrorCode::kInvalidArgument);
}

TEST_F(FileTest, VersionsRefuseWhatTheyCannotHold) {
  options_.version = kVersion21;
  RandomArrays random(3, {});
  for (const auto& column : TypesOf22()) {
    const auto status = Write({OneColumn(column, random.Make(column->type(), 3))});
    EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported) << column->ToString();
    EXPECT_THAT(status.message(), HasSubstr("'c"));
  }
  options_.version = kVersion22;
  const auto blob = field("b", arrow::large_binary(), true, Meta("lance-encoding:blob", "true"));
  EXPECT_EQ(ErrorCodeOf(Write({OneColumn(blob, random.Make(blob->type(), 3))})),
            ErrorCode::kUnsupported);
}

TEST_F(FileTest, MissingColumnsReadAsNull) {
  RandomArrays random(3, {0.2, 0, 12, 4});
  const auto type =
      arrow::struct_({field("x", arrow::int32()), field("y", arrow::list(arrow::utf8()))});
  const auto values = random.Make(type, 500);
  ASSERT_TRUE(Write({OneColumn(field("s", type), values)}).ok());
  const auto reader = Open().ValueOrDie();
  // The table has since got s.z, t and a map.
  const auto wider =
      Schema::FromArrow(
          *arrow::schema(
              {field("s", arrow::struct_(
                              {field("x", arrow::int32()), field("y", arrow::list(arrow::utf8())),
                               field("z", arrow::struct_({field("w", arrow::float64())}))})),
               field("t", arrow::fixed_size_list(arrow::float32(), 3)),
               field("m", arrow::map(arrow::utf8(), arrow::int32()))}))
          .ValueOrDie();
  Projection projection{wider.fields(), {{1, 0}, {3, 1}}};
  const auto batch = reader->Read(projection, {{10, 20}, {400, 401}}, {}).ValueOrDie();
  ASSERT_TRUE(batch->ValidateFull().ok());
  const auto expected = Select(values, {{10, 20}, {400, 401}});
  const auto& found = static_cast<const arrow::StructArray&>(*batch->column(0));
  ExpectSame(*found.GetFlattenedField(1).ValueOrDie(),
             *static_cast<const arrow::StructArray&>(*expected).GetFlattenedField(1).ValueOrDie(),
             "s.y");
  EXPECT_EQ(found.null_count(), expected->null_count());
  EXPECT_EQ(found.field(2)->null_count(), 11);
  EXPECT_EQ(batch->column(1)->null_count(), 11);
  EXPECT_EQ(batch->column(2)->null_count(), 11);
  EXPECT_TRUE(batch->column(2)->type()->Equals(arrow::map(arrow::utf8(), arrow::int32())));
  // Only a part of the struct.
  const auto pruned = reader->schema().Project({"s.y"}).ValueOrDie();
  const auto part = reader->Read({pruned.fields(), {{1, 0}, {3, 1}}}, {{0, 500}}, {}).ValueOrDie();
  EXPECT_EQ(part->column(0)->type()->num_fields(), 1);
  // A column the file does not have, or of another type.
  EXPECT_EQ(ErrorCodeOf(reader->Read({pruned.fields(), {{3, 9}}}, {{0, 1}}, {}).status()),
            ErrorCode::kCorruption);
  EXPECT_EQ(ErrorCodeOf(reader->Read({wider.fields(), {{6, 0}}}, {{0, 1}}, {}).status()),
            ErrorCode::kCorruption);
}

TEST_F(FileTest, RepeatedReadsUseTheCachedIndex) {
  RandomArrays random(9, {0.1, 0, 40, 4});
  const auto values = random.Make(arrow::utf8(), 5000);
  ASSERT_TRUE(Write({OneColumn(field("c", arrow::utf8()), values)}).ok());
  const auto reader = Open().ValueOrDie();
  RowRanges rows;
  for (uint64_t i = 0; i < 2000; ++i) {
    rows.push_back({i * 2, i * 2 + 1});
  }
  for (int i = 0; i < 3; ++i) {
    ExpectSame(*ReadRows(*reader, rows).ValueOrDie()->column(0), *Select(values, rows), "take");
  }
}

TEST_F(FileTest, TheReaderTellsWhatItHolds) {
  RandomArrays random(9, {0.1, 0, 40, 4});
  options_.page_bytes = 4 << 10;
  ASSERT_TRUE(Write({OneColumn(field("c", arrow::utf8()), random.Make(arrow::utf8(), 5000))}).ok());
  int64_t change = 0;
  const auto reader = FileReader::Open(store_->Open("f.lance").ValueOrDie(), [&](int64_t bytes) {
                        change += bytes;
                      }).ValueOrDie();
  const uint64_t opened = reader->memory_bytes();
  EXPECT_GT(opened, reader->metadata_bytes());
  ASSERT_TRUE(ReadRows(*reader, {{0, 1}}).ok());
  const uint64_t one_page = reader->memory_bytes();
  EXPECT_GT(one_page, opened);
  EXPECT_EQ(static_cast<int64_t>(one_page - opened), change);
  ASSERT_TRUE(ReadRows(*reader, {{0, 1}}).ok());
  EXPECT_EQ(reader->memory_bytes(), one_page);
  ASSERT_TRUE(ReadRows(*reader, {{0, 5000}}).ok());
  EXPECT_GT(reader->memory_bytes(), opened + 3 * (one_page - opened));
  EXPECT_EQ(static_cast<int64_t>(reader->memory_bytes() - opened), change);
}

ArrayPtr Bytes(const std::vector<std::string>& values, size_t null_at) {
  arrow::LargeBinaryBuilder builder;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_TRUE((i == null_at ? builder.AppendNull() : builder.Append(values[i])).ok());
  }
  return builder.Finish().ValueOrDie();
}

TEST_F(FileTest, OldBlobsIn21) {
  options_.version = kVersion21;
  const auto column = field("b", arrow::large_binary(), true, Meta("lance-encoding:blob", "true"));
  const auto values = Bytes({"one", "", "null", std::string(100000, 'x'), "last"}, 2);
  ASSERT_TRUE(
      Write({OneColumn(column, values->Slice(0, 2)), OneColumn(column, values->Slice(2))}).ok());
  const auto reader = Open().ValueOrDie();
  ReadOptions bytes;
  bytes.blob_mode = BlobMode::kBytes;
  ExpectSame(*ReadRows(*reader, {{0, 5}}, bytes).ValueOrDie()->column(0), *values, "bytes");
  ExpectSame(*ReadRows(*reader, {{1, 2}, {3, 4}}, bytes).ValueOrDie()->column(0),
             *Select(values, {{1, 2}, {3, 4}}), "some bytes");
  const auto descriptors = ReadRows(*reader, {{0, 5}}).ValueOrDie()->column(0);
  EXPECT_TRUE(descriptors->type()->Equals(BlobV1DescriptorType()));
  EXPECT_EQ(descriptors->null_count(), 1);
  EXPECT_TRUE(reader->Verify().ok());
}

TEST_F(FileTest, BlobsGoInlineOrToSidecars) {
  const auto type =
      arrow::struct_({field("data", arrow::large_binary()), field("uri", arrow::utf8())});
  const auto column = field("b", type, true, Meta("ARROW:extension:name", "lance.blob.v2"));
  const std::vector<std::string> texts = {"small",
                                          "",
                                          "null",
                                          std::string(70000, 'p'),
                                          std::string(90000, 'q'),
                                          std::string(5 << 20, 'd'),
                                          std::string(65536, 'i')};
  const auto values = Bytes(texts, 2);
  const auto uris = arrow::MakeArrayOfNull(arrow::utf8(), values->length()).ValueOrDie();
  const auto blobs = arrow::StructArray::Make({values, uris}, type->fields()).ValueOrDie();
  std::vector<std::string> sidecars;
  options_.make_sidecar = [&](const std::string& name) {
    sidecars.push_back(name);
    return store_->Create("f/" + name);
  };
  ASSERT_TRUE(Write({OneColumn(column, blobs)}).ok());
  EXPECT_THAT(sidecars, ::testing::ElementsAre("10000000000000000000000000000000.blob",
                                               "01000000000000000000000000000000.blob"));
  EXPECT_EQ(summary_.field_ids, std::vector<int32_t>{0});
  const auto reader = Open().ValueOrDie();
  const auto found = ReadRows(*reader, {{0, 7}}).ValueOrDie()->column(0);
  ASSERT_TRUE(found->type()->Equals(BlobV2DescriptorType())) << found->type()->ToString();
  const auto& kinds = static_cast<const arrow::UInt8Array&>(
      *static_cast<const arrow::StructArray&>(*found).field(0));
  EXPECT_TRUE(found->IsNull(2));
  EXPECT_EQ(kinds.Value(0), 0);
  EXPECT_EQ(kinds.Value(3), 1);
  EXPECT_EQ(kinds.Value(5), 2);
  EXPECT_EQ(kinds.Value(6), 0);
  ReadOptions bytes;
  bytes.blob_mode = BlobMode::kBytes;
  EXPECT_EQ(ErrorCodeOf(ReadRows(*reader, {{0, 7}}, bytes).status()), ErrorCode::kUnsupported);
  bytes.open_sidecar = [&](const std::string& name) { return store_->Open("f/" + name); };
  ExpectSame(*ReadRows(*reader, {{0, 7}}, bytes).ValueOrDie()->column(0), *values, "bytes");
  ExpectSame(*ReadRows(*reader, {{4, 6}}, bytes).ValueOrDie()->column(0), *values->Slice(4, 2),
             "bytes");
  // The table's schema has the logical struct; a missing blob column reads as null bytes.
  const auto table = Schema::FromArrow(*arrow::schema({column})).ValueOrDie();
  ExpectSame(*reader->Read({table.fields(), {{0, 0}}}, {{0, 7}}, bytes).ValueOrDie()->column(0),
             *values, "table");
  EXPECT_EQ(
      reader->Read({table.fields(), {}}, {{0, 7}}, bytes).ValueOrDie()->column(0)->null_count(), 7);
  EXPECT_TRUE(reader->Verify().ok());
  // Plain bytes are taken for the column too; without sidecars all is inline.
  options_.make_sidecar = nullptr;
  const auto writer =
      FileWriter::Open(store_->Create("g.lance").ValueOrDie(), table, options_).ValueOrDie();
  ASSERT_TRUE(writer->Write(*OneColumn(field("b", arrow::large_binary()), values)).ok());
  ASSERT_TRUE(writer->Finish().ok());
  ExpectSame(*ReadRows(*Open("g.lance").ValueOrDie(), {{0, 7}}, bytes).ValueOrDie()->column(0),
             *values, "inline");
}

TEST_F(FileTest, ExternalBlobsBelowABasePath) {
  ASSERT_TRUE(store_->Put("base/sub/a.bin", "0123456789").ok());
  ASSERT_TRUE(store_->Put("file", "inline").ok());
  const auto descriptors = [](const std::string& json) {
    return arrow::json::ArrayFromJSONString(BlobV2DescriptorType(), json).ValueOrDie();
  };
  const auto good = descriptors(R"([[3, 0, 0, 7, "sub/a.bin"], null, [0, 0, 6, 0, ""],
                                    [3, 2, 3, 7, "sub/a.bin"]])");
  const auto object = store_->Open("file").ValueOrDie();
  ReadOptions options;
  const auto read = [&](const std::shared_ptr<arrow::Array>& array) {
    return ReadBlobsV2(*array, object, options, arrow::default_memory_pool());
  };
  EXPECT_EQ(ErrorCodeOf(read(good).status()), ErrorCode::kUnsupported);
  options.open_in_base = [&](uint32_t base, const std::string& path) {
    EXPECT_EQ(base, 7u);
    return store_->Open("base/" + path);
  };
  const auto found = read(good).ValueOrDie();
  const auto& blobs = static_cast<const arrow::LargeBinaryArray&>(*found);
  EXPECT_EQ(blobs.GetView(0), "0123456789");
  EXPECT_TRUE(blobs.IsNull(1));
  EXPECT_EQ(blobs.GetView(2), "inline");
  EXPECT_EQ(blobs.GetView(3), "234");
  for (const auto* path : {"../file", "sub/../../file", "/file", "", "sub//a.bin", "./file", ".."}) {
    const auto bad = read(descriptors(Concat("[[3, 0, 0, 7, \"", path, "\"]]")));
    EXPECT_EQ(ErrorCodeOf(bad.status()), ErrorCode::kCorruption) << path;
  }
}

TEST_F(FileTest, EmptyStructsCannotBeNull) {
  const auto type = arrow::struct_(arrow::FieldVector{});
  const auto valid = std::make_shared<arrow::StructArray>(type, 5, arrow::ArrayVector{});
  ASSERT_TRUE(Write({OneColumn(field("e", type), valid)}).ok());
  const auto reader = Open().ValueOrDie();
  ExpectSame(*ReadRows(*reader, {{0, 5}}).ValueOrDie()->column(0), *valid, "empty structs");
  EXPECT_TRUE(reader->Verify().ok());
  const auto nulls = arrow::MakeArrayOfNull(type, 2).ValueOrDie();
  EXPECT_EQ(ErrorCodeOf(Write({OneColumn(field("e", type), nulls)})), ErrorCode::kUnsupported);
}

TEST_F(FileTest, BlobsInsideLists) {
  const auto blob = field(
      "item", arrow::struct_({field("data", arrow::large_binary()), field("uri", arrow::utf8())}),
      true, Meta("ARROW:extension:name", "lance.blob.v2"));
  const auto values = Bytes({"a", "bb", "", "dddd", "e"}, 9);
  const auto uris = arrow::MakeArrayOfNull(arrow::utf8(), 5).ValueOrDie();
  const auto blobs = arrow::StructArray::Make({values, uris}, blob->type()->fields()).ValueOrDie();
  arrow::Int32Builder builder;
  ASSERT_TRUE(builder.AppendValues({0, 2, 2, 5}).ok());
  const auto lists = std::make_shared<arrow::ListArray>(
      arrow::list(blob), 3,
      std::static_pointer_cast<arrow::Int32Array>(builder.Finish().ValueOrDie())->values(), blobs);
  ASSERT_TRUE(Write({OneColumn(field("l", lists->type()), lists->Slice(1))}).ok());
  ReadOptions bytes;
  bytes.blob_mode = BlobMode::kBytes;
  const auto found = ReadRows(*Open().ValueOrDie(), {{0, 2}}, bytes).ValueOrDie()->column(0);
  const auto& list = static_cast<const arrow::ListArray&>(*found);
  EXPECT_EQ(list.value_length(0), 0);
  ExpectSame(*list.value_slice(1), *values->Slice(2), "items");
}

TEST_F(FileTest, ForgedFilesNeverCrash) {
  RandomArrays random(4, {0.2, 20, 30, 4});
  const auto inner = arrow::struct_({field("a", arrow::int32()), field("s", arrow::utf8())});
  const arrow::FieldVector fields = {field("i", arrow::int32()),
                                     field("s", arrow::utf8()),
                                     field("l", arrow::list(inner)),
                                     field("v", arrow::fixed_size_list(arrow::float32(), 70)),
                                     field("d", arrow::dictionary(arrow::int8(), arrow::utf8())),
                                     field("m", arrow::map(arrow::utf8(), arrow::int64()))};
  arrow::ArrayVector columns;
  for (const auto& column : fields) {
    columns.push_back(random.Make(column->type(), 60));
  }
  ASSERT_TRUE(Write({arrow::RecordBatch::Make(arrow::schema(fields), 60, columns)}).ok());
  const auto good = store_->Get("f.lance").ValueOrDie()->ToString();
  const auto read_all = [&](const std::string& bytes) {
    ASSERT_TRUE(store_->Put("bad.lance", bytes).ok());
    const auto reader = Open("bad.lance");
    if (!reader.ok()) {
      EXPECT_NE(ErrorCodeOf(reader.status()), ErrorCode::kInternal) << reader.status();
      return;
    }
    const auto rows = (*reader)->num_rows();
    if (rows > 0 && rows < 1000000) {
      (void)ReadRows(**reader, {{0, rows}});
      (void)ReadRows(**reader, {{rows / 2, rows / 2 + 1}});
    }
    if (rows < 100000) {
      (void)(*reader)->Verify();
      (void)(*reader)->Inspect();
    }
  };
  std::mt19937_64 numbers(1);
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = good;
    const size_t at = numbers() % bytes.size();
    switch (numbers() % 3) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (numbers() % 8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(numbers() % 3 == 0 ? 0xff : numbers());
        break;
      default:
        for (size_t k = at; k < std::min(at + 4, bytes.size()); ++k) {
          bytes[k] = static_cast<char>(0xff);
        }
    }
    read_all(bytes);
  }
  for (size_t length = 0; length < good.size(); length += 97) {
    read_all(good.substr(0, length));
    read_all(good.substr(length));
  }
}

}  // namespace
}  // namespace glaive::file
