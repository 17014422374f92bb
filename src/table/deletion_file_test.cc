#include "table/deletion_file.h"

#include <numeric>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include "base/random.h"
#include "table/bitmap.h"
#include "table/fixture.h"

namespace glaive::table {
namespace {

using lance::table::DeletionFile;

std::shared_ptr<const DeletionVector> Load(io::ObjectStore& store, uint64_t fragment,
                                           const DeletionFile& file, uint64_t rows) {
  const std::string path = DeletionFilePath(fragment, file);
  return Must(ParseDeletionFile(Must(store.Get(path)), file.file_type(), rows, path));
}

std::string IpcFile(const std::shared_ptr<arrow::Array>& column, bool zstd) {
  auto schema = arrow::schema({arrow::field("row_id", column->type(), false)});
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  if (zstd) {
    options.codec = Must(arrow::util::Codec::Create(arrow::Compression::ZSTD));
  }
  auto sink = Must(arrow::io::BufferOutputStream::Create());
  auto writer = Must(arrow::ipc::MakeFileWriter(sink, schema, options));
  EXPECT_TRUE(
      writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, column->length(), {column})).ok());
  EXPECT_TRUE(writer->Close().ok());
  return Must(sink->Finish())->ToString();
}

std::shared_ptr<arrow::Array> Offsets(const std::vector<uint32_t>& offsets) {
  return std::make_shared<arrow::UInt32Array>(static_cast<int64_t>(offsets.size()),
                                              arrow::Buffer::FromVector(offsets));
}

TEST(DeletionFile, WritesTheFormOfTheRealWriter) {
  auto store = Must(io::OpenMemoryStore());
  std::vector<uint32_t> offsets(5000);
  std::iota(offsets.begin(), offsets.end(), 10u);
  auto file = Must(WriteDeletionFile(*store, 3, 7, nullptr, offsets));
  EXPECT_EQ(file.file_type(), DeletionFile::ARROW_ARRAY);
  EXPECT_EQ(file.num_deleted_rows(), 5000u);
  EXPECT_EQ(DeletionFilePath(3, file), "_deletions/3-7-" + std::to_string(file.id()) + ".arrow");
  auto old = Load(*store, 3, file, 6000);
  EXPECT_EQ(old->cardinality(), 5000u);
  EXPECT_TRUE(old->Contains(10));
  EXPECT_FALSE(old->Contains(9));

  auto more = Must(WriteDeletionFile(*store, 3, 8, old.get(), {1, 10}));
  EXPECT_EQ(more.file_type(), DeletionFile::BITMAP);
  EXPECT_EQ(more.num_deleted_rows(), 5001u);
  EXPECT_EQ(DeletionFilePath(3, more), "_deletions/3-8-" + std::to_string(more.id()) + ".bin");
  EXPECT_EQ(Load(*store, 3, more, 6000)->LiveRanges(0, 20), (RowRanges{{0, 1}, {2, 10}}));
}

TEST(DeletionFile, LiveRangesAreWhatIsNotDeleted) {
  auto store = Must(io::OpenMemoryStore());
  auto file = Must(WriteDeletionFile(*store, 0, 1, nullptr, {0, 3, 4, 9}));
  auto vector = Load(*store, 0, file, 10);
  EXPECT_EQ(vector->LiveRanges(0, 10), (RowRanges{{1, 3}, {5, 9}}));
  EXPECT_EQ(vector->LiveRanges(4, 7), (RowRanges{{5, 7}}));
  EXPECT_EQ(vector->LiveRanges(3, 5), RowRanges{});
  EXPECT_EQ(vector->LiveRanges(2, 2), RowRanges{});
  EXPECT_EQ(vector->ToVector(), (std::vector<uint32_t>{0, 3, 4, 9}));
}

TEST(DeletionFile, ReadsUnsortedAndCompressedLists) {
  std::vector<uint32_t> offsets(3000);
  std::iota(offsets.begin(), offsets.end(), 0u);
  std::swap(offsets[0], offsets[2999]);
  for (const bool zstd : {false, true}) {
    auto vector = Must(ParseDeletionFile(arrow::Buffer::FromString(IpcFile(Offsets(offsets), zstd)),
                                         DeletionFile::ARROW_ARRAY, 3000, "d"));
    EXPECT_EQ(vector->cardinality(), 3000u);
    EXPECT_EQ(vector->LiveRanges(0, 3000), RowRanges{});
  }
}

TEST(DeletionFile, RefusesWhatCantBeRight) {
  const auto code = [](const std::string& bytes, DeletionFile::DeletionFileType type,
                       uint64_t rows) {
    return CodeOf(ParseDeletionFile(arrow::Buffer::FromString(bytes), type, rows, "d"));
  };
  EXPECT_EQ(code(IpcFile(Offsets({1, 10}), false), DeletionFile::ARROW_ARRAY, 10),
            ErrorCode::kCorruption);
  auto wide =
      std::make_shared<arrow::UInt64Array>(1, arrow::Buffer::FromVector(std::vector<uint64_t>{1}));
  EXPECT_EQ(code(IpcFile(wide, false), DeletionFile::ARROW_ARRAY, 10), ErrorCode::kCorruption);
  EXPECT_EQ(code("", DeletionFile::ARROW_ARRAY, 10), ErrorCode::kCorruption);
  EXPECT_EQ(code("", DeletionFile::BITMAP, 10), ErrorCode::kCorruption);
  Bitmap bitmap;
  bitmap.Add(10);
  EXPECT_EQ(code(bitmap.Serialize(), DeletionFile::BITMAP, 11), ErrorCode::kOk);
  EXPECT_EQ(code(bitmap.Serialize(), DeletionFile::BITMAP, 10), ErrorCode::kCorruption);
  EXPECT_EQ(code(bitmap.Serialize() + "x", DeletionFile::BITMAP, 11), ErrorCode::kCorruption);
}

TEST(Bitmap, ReadsBothCookies) {
  Bitmap bitmap;
  roaring_bitmap_add_range(bitmap.get(), 100, 90000);
  for (uint32_t v = 200000; v < 330000; v += 3) {
    bitmap.Add(v);
  }
  bitmap.Add(4000000000u);
  roaring_bitmap_remove_run_compression(bitmap.get());
  const std::string plain = bitmap.Serialize();
  ASSERT_TRUE(roaring_bitmap_run_optimize(bitmap.get()));
  const std::string runs = bitmap.Serialize();
  EXPECT_TRUE(plain != runs);
  for (const auto& bytes : {plain, runs}) {
    auto parsed = Must(Bitmap::Parse(bytes, "b"));
    EXPECT_TRUE(roaring_bitmap_equals(parsed.get(), bitmap.get()));
    for (size_t length = 0; length < std::min<size_t>(bytes.size(), 200); ++length) {
      ASSERT_EQ(CodeOf(Bitmap::Parse(bytes.substr(0, length), "b")), ErrorCode::kCorruption)
          << length;
    }
  }
}

TEST(DeletionFile, MutatedBytesNeverCrash) {
  SeedRandomForTest(11);
  Bitmap bitmap;
  roaring_bitmap_add_range(bitmap.get(), 5, 60);
  bitmap.Add(70000);
  const std::string plain = bitmap.Serialize();
  roaring_bitmap_run_optimize(bitmap.get());
  const std::vector<std::pair<std::string, DeletionFile::DeletionFileType>> seeds = {
      {plain, DeletionFile::BITMAP},
      {bitmap.Serialize(), DeletionFile::BITMAP},
      {IpcFile(Offsets({1, 2, 3}), false), DeletionFile::ARROW_ARRAY},
      {IpcFile(Offsets(std::vector<uint32_t>(2000, 7)), true), DeletionFile::ARROW_ARRAY}};
  for (int i = 0; i < 8000; ++i) {
    auto [bytes, type] = seeds[RandomU64() % seeds.size()];
    bytes[RandomU64() % bytes.size()] = static_cast<char>(RandomU64());
    if (RandomU64() % 4 == 0) {
      bytes.resize(RandomU64() % bytes.size());
    }
    auto vector = ParseDeletionFile(arrow::Buffer::FromString(bytes), type, 80000, "d");
    if (vector.ok()) {
      ASSERT_LE((*vector)->cardinality(), 80000u);
      ASSERT_EQ(CountRows((*vector)->LiveRanges(0, 80000)), 80000 - (*vector)->cardinality());
    }
  }
}

}  // namespace
}  // namespace glaive::table
