#include "table/deletion_file.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/random.h"
#include "base/status.h"

namespace glaive::table {

namespace {

using lance::table::DeletionFile;

// Up to this many offsets the real writer keeps a list, above it a bitmap.
constexpr uint64_t kMaxListedOffsets = 5000;
// What a deletion file may unpack to, besides four bytes per row of the fragment.
constexpr int64_t kUnpackSlack = 1 << 20;
constexpr int64_t kMaxUnpackedBytes = int64_t{1} << 30;

class BitmapDeletionVector final : public DeletionVector {
 public:
  explicit BitmapDeletionVector(Bitmap bitmap)
      : bitmap_(std::move(bitmap)), count_(bitmap_.Count()) {}

  uint64_t cardinality() const override { return count_; }

  bool Contains(uint32_t offset) const override { return bitmap_.Contains(offset); }

  RowRanges LiveRanges(uint64_t start, uint64_t end) const override {
    RowRanges live;
    uint64_t next = start;
    roaring_uint32_iterator_t deleted;
    roaring_init_iterator(bitmap_.get(), &deleted);
    if (start <= UINT32_MAX && deleted.has_value) {
      roaring_move_uint32_iterator_equalorlarger(&deleted, static_cast<uint32_t>(start));
      while (deleted.has_value && deleted.current_value < end) {
        if (deleted.current_value > next) {
          live.push_back({next, deleted.current_value});
        }
        next = uint64_t{deleted.current_value} + 1;
        roaring_advance_uint32_iterator(&deleted);
      }
    }
    if (next < end) {
      live.push_back({next, end});
    }
    return live;
  }

  std::vector<uint32_t> ToVector() const override {
    std::vector<uint32_t> offsets(count_);
    if (count_ > 0) {
      roaring_bitmap_to_uint32_array(bitmap_.get(), offsets.data());
    }
    return offsets;
  }

  uint64_t memory_bytes() const override { return sizeof(*this) + bitmap_.MemoryBytes(); }

 private:
  const Bitmap bitmap_;
  const uint64_t count_;
};

// The single batch of an Arrow IPC file, its memory bounded by what so many rows can need.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(
    const std::shared_ptr<arrow::Buffer>& bytes, arrow::MemoryPool* pool, std::string_view path) {
  arrow::io::BufferReader input(bytes);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(&input, options));
  GLAIVE_CHECK_FORMAT(reader->num_record_batches() == 1, "deletion file ", path, ": ",
                      reader->num_record_batches(), " batches, expected 1");
  const auto& schema = *reader->schema();
  GLAIVE_CHECK_FORMAT(
      schema.num_fields() == 1 && schema.field(0)->type()->id() == arrow::Type::UINT32,
      "deletion file ", path, ": schema {", schema.ToString(), "}, expected one uint32 column");
  ARROW_ASSIGN_OR_RAISE(auto batch, reader->ReadRecordBatch(0));
  ARROW_RETURN_NOT_OK(batch->ValidateFull());
  return batch;
}

arrow::Result<Bitmap> ParseList(const std::shared_ptr<arrow::Buffer>& bytes, uint64_t physical_rows,
                                std::string_view path) {
  const auto rows_bytes = static_cast<int64_t>(std::min<uint64_t>(physical_rows, UINT32_MAX) * 4);
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(),
                               std::min(rows_bytes + kUnpackSlack, kMaxUnpackedBytes));
  auto batch = ReadBatch(bytes, &pool, path);
  if (!batch.ok()) {
    // Whatever Arrow calls it, the bytes are what is wrong.
    return Corruption("deletion file ", path, ": ", batch.status().message());
  }
  const auto& column = static_cast<const arrow::UInt32Array&>(*(*batch)->column(0));
  GLAIVE_CHECK_FORMAT(column.null_count() == 0, "deletion file ", path, ": ", column.null_count(),
                      " offsets are null");
  Bitmap bitmap;
  if (column.length() > 0) {
    roaring_bitmap_add_many(bitmap.get(), static_cast<size_t>(column.length()),
                            column.raw_values());
  }
  return bitmap;
}

arrow::Result<std::string> SerializeList(const std::vector<uint32_t>& offsets) {
  auto column = std::make_shared<arrow::UInt32Array>(static_cast<int64_t>(offsets.size()),
                                                     arrow::Buffer::Wrap(offsets));
  auto schema = arrow::schema({arrow::field("row_id", arrow::uint32(), /*nullable=*/false)});
  auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, schema));
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto bytes, sink->Finish());
  return bytes->ToString();
}

Bitmap BitmapOf(const std::vector<uint32_t>& offsets) {
  Bitmap bitmap;
  if (!offsets.empty()) {
    roaring_bitmap_add_many(bitmap.get(), offsets.size(), offsets.data());
  }
  return bitmap;
}

arrow::Result<DeletionFile> WriteNew(io::ObjectStore& store, uint64_t fragment_id,
                                     uint64_t read_version, DeletionFile::DeletionFileType type,
                                     const Bitmap& bitmap) {
  DeletionFile file;
  file.set_file_type(type);
  file.set_read_version(read_version);
  file.set_id(RandomU64());
  file.set_num_deleted_rows(bitmap.Count());
  std::string bytes;
  if (type == DeletionFile::BITMAP) {
    bytes = bitmap.Serialize();
  } else {
    std::vector<uint32_t> offsets(bitmap.Count());
    roaring_bitmap_to_uint32_array(bitmap.get(), offsets.data());
    ARROW_ASSIGN_OR_RAISE(bytes, SerializeList(offsets));
  }
  ARROW_RETURN_NOT_OK(store.PutIfAbsent(DeletionFilePath(fragment_id, file), bytes));
  return file;
}

}  // namespace

std::string DeletionFilePath(uint64_t fragment_id, const DeletionFile& file) {
  return Concat("_deletions/", fragment_id, "-", file.read_version(), "-", file.id(),
                file.file_type() == DeletionFile::BITMAP ? ".bin" : ".arrow");
}

arrow::Result<std::shared_ptr<const DeletionVector>> ParseDeletionFile(
    const std::shared_ptr<arrow::Buffer>& bytes, DeletionFile::DeletionFileType type,
    uint64_t physical_rows, std::string_view path) {
  Bitmap bitmap;
  switch (type) {
    case DeletionFile::BITMAP: {
      const std::string_view view(reinterpret_cast<const char*>(bytes->data()),
                                  static_cast<size_t>(bytes->size()));
      ARROW_ASSIGN_OR_RAISE(bitmap, Bitmap::Parse(view, Concat("deletion file ", path)));
      break;
    }
    case DeletionFile::ARROW_ARRAY: {
      ARROW_ASSIGN_OR_RAISE(bitmap, ParseList(bytes, physical_rows, path));
      break;
    }
    default:
      return Unsupported("deletion file ", path, ": form ", static_cast<int>(type),
                         ", this build knows 0 (Arrow) and 1 (bitmap)");
  }
  const uint64_t count = bitmap.Count();
  if (count > 0) {
    const uint64_t highest = roaring_bitmap_maximum(bitmap.get());
    GLAIVE_CHECK_FORMAT(highest < physical_rows, "deletion file ", path, ": offset ", highest,
                        " in a fragment of ", physical_rows, " rows");
  }
  return std::make_shared<const BitmapDeletionVector>(std::move(bitmap));
}

std::vector<uint32_t> UnionOf(const DeletionVector& a, const DeletionVector& b) {
  const auto left = a.ToVector();
  const auto right = b.ToVector();
  std::vector<uint32_t> merged;
  merged.reserve(left.size() + right.size());
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(merged));
  return merged;
}

arrow::Result<DeletionFile> WriteDeletionFile(io::ObjectStore& store, uint64_t fragment_id,
                                              uint64_t read_version, const DeletionVector* old,
                                              const std::vector<uint32_t>& offsets) {
  return WriteDeletionFile(store, fragment_id, read_version, old, BitmapOf(offsets));
}

arrow::Result<DeletionFile> WriteDeletionFile(io::ObjectStore& store, uint64_t fragment_id,
                                              uint64_t read_version, const DeletionVector* old,
                                              Bitmap offsets) {
  if (old != nullptr) {
    const auto before = old->ToVector();
    roaring_bitmap_add_many(offsets.get(), before.size(), before.data());
  }
  const auto type =
      offsets.Count() > kMaxListedOffsets ? DeletionFile::BITMAP : DeletionFile::ARROW_ARRAY;
  return WriteNew(store, fragment_id, read_version, type, offsets);
}

arrow::Result<DeletionFile> WriteDeletionBitmap(io::ObjectStore& store, uint64_t fragment_id,
                                                uint64_t read_version,
                                                const std::vector<uint32_t>& offsets) {
  return WriteNew(store, fragment_id, read_version, DeletionFile::BITMAP, BitmapOf(offsets));
}

}  // namespace glaive::table
