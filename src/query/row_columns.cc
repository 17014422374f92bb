#include "query/row_columns.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_run_reader.h>
#include <arrow/util/bit_util.h>

#include "base/status.h"
#include "query/gather.h"

namespace glaive::query {

namespace {

template <typename Fill>
arrow::Result<std::shared_ptr<arrow::Array>> MakeUint64(const RowRanges& rows,
                                                        arrow::MemoryPool* pool, const Fill& fill) {
  const auto count = static_cast<int64_t>(CountRows(rows));
  ARROW_ASSIGN_OR_RAISE(
      auto values, arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(uint64_t)), pool));
  auto* out = reinterpret_cast<uint64_t*>(values->mutable_data());
  for (const auto& range : rows) {
    ARROW_RETURN_NOT_OK(fill(range, out));
    out += range.size();
  }
  return std::make_shared<arrow::UInt64Array>(count,
                                              std::shared_ptr<arrow::Buffer>(std::move(values)));
}

template <typename ValueOf>
auto EachRow(const ValueOf& value_of) {
  return [value_of](const RowRange& range, uint64_t* out) {
    for (uint64_t row = range.start; row < range.end; ++row) {
      *out++ = value_of(row);
    }
    return arrow::Status::OK();
  };
}

arrow::Result<std::shared_ptr<arrow::Array>> Addresses(const table::Fragment& fragment,
                                                       const RowRanges& rows,
                                                       arrow::MemoryPool* pool) {
  const uint64_t base = fragment.id() << 32;
  return MakeUint64(rows, pool, EachRow([base](uint64_t row) { return base | row; }));
}

arrow::Result<std::shared_ptr<arrow::Array>> RowIds(const table::Fragment& fragment,
                                                    const RowRanges& rows,
                                                    arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto ids, fragment.row_ids());
  if (ids == nullptr) {
    return Addresses(fragment, rows, pool);
  }
  GLAIVE_CHECK_FORMAT(rows.empty() || rows.back().end <= ids->size(), "fragment ", fragment.id(),
                      " has ", ids->size(), " row ids, but ", fragment.physical_rows(), " rows");
  return MakeUint64(rows, pool, EachRow([&ids](uint64_t row) { return ids->Get(row); }));
}

/// Positions among the live rows of the table.
arrow::Result<std::shared_ptr<arrow::Array>> Offsets(const ReadSet& set,
                                                     const table::Fragment& fragment,
                                                     const RowRanges& rows,
                                                     arrow::MemoryPool* pool) {
  const uint64_t before = set.live_before->at(fragment.id());
  std::shared_ptr<const table::DeletionVector> deletions;
  if (fragment.num_deleted() > 0) {
    ARROW_ASSIGN_OR_RAISE(deletions, fragment.deletions());
  }
  if (deletions == nullptr || rows.empty()) {
    return MakeUint64(rows, pool, EachRow([before](uint64_t row) { return before + row; }));
  }
  const RowRanges live = deletions->LiveRanges(0, rows.back().end);
  size_t at = 0;
  uint64_t passed = 0;  // live rows in the ranges before `at`
  return MakeUint64(rows, pool, [&](const RowRange& range, uint64_t* out) {
    for (uint64_t row = range.start; row < range.end; ++row) {
      while (at < live.size() && live[at].end <= row) {
        passed += live[at++].size();
      }
      *out++ =
          before + passed + (at < live.size() && row > live[at].start ? row - live[at].start : 0);
    }
    return arrow::Status::OK();
  });
}

arrow::Result<std::shared_ptr<arrow::Array>> Versions(const table::Fragment& fragment, bool created,
                                                      const RowRanges& rows,
                                                      arrow::MemoryPool* pool) {
  return MakeUint64(rows, pool, [&](const RowRange& range, uint64_t* out) -> arrow::Status {
    for (uint64_t row = range.start; row < range.end; ++row) {
      ARROW_ASSIGN_OR_RAISE(*out++,
                            created ? fragment.CreatedAt(row) : fragment.LastUpdatedAt(row));
    }
    return arrow::Status::OK();
  });
}

/// True if reading everything between the first and the last row, and thinning that out, is cheaper
/// than reading the ranges. The costs are nanoseconds as measured: a range has one of its own, and
/// narrow columns are decoded in chunks of some KiB, so ranges that lie close cost what everything
/// between them costs.
bool IsDense(const RowRanges& rows, double row_bytes, size_t num_columns) {
  constexpr size_t kFewRanges = 16;
  constexpr double kRangeCost = 120;
  constexpr double kThinningCost = 7;
  constexpr double kByteCost = 0.05;
  constexpr double kChunkBytes = 16 << 10;
  constexpr double kChunkedRowBytes = 512;
  if (rows.size() <= kFewRanges) {
    return false;
  }
  const auto hull = static_cast<double>(rows.back().end - rows.front().start);
  const auto ranges = static_cast<double>(rows.size());
  const auto columns = static_cast<double>(num_columns);
  const double range_bytes = row_bytes < kChunkedRowBytes
                                 ? ranges * kChunkBytes
                                 : static_cast<double>(CountRows(rows)) * row_bytes;
  const double apart =
      ranges * columns * kRangeCost + std::min(hull * row_bytes, range_bytes) * kByteCost;
  const double together = hull * row_bytes * kByteCost + hull * columns * kThinningCost;
  return together < apart;
}

/// The rows of the ranges, counted from the first.
std::vector<uint32_t> PlacesOf(const RowRanges& rows) {
  // Most ranges are short; so many rows are written at once, and the next range writes over what is
  // too much.
  constexpr uint32_t kAtOnce = 4;
  const uint64_t start = rows.front().start;
  const uint64_t count = CountRows(rows);
  std::vector<uint32_t> places(count + kAtOnce);
  uint32_t* out = places.data();
  for (const auto& range : rows) {
    const auto first = static_cast<uint32_t>(range.start - start);
    for (uint32_t i = 0; i < kAtOnce; ++i) {
      out[i] = first + i;
    }
    const auto size = static_cast<uint32_t>(range.size());
    for (uint32_t i = kAtOnce; i < size; ++i) {
      out[i] = first + i;
    }
    out += size;
  }
  places.resize(count);
  return places;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadColumns(const ReadSet& set,
                                                               FragmentAccess* access,
                                                               const RowRanges& rows,
                                                               arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, access->Reader(set));
  file::ReadOptions options;
  options.pool = pool;
  options.blob_mode = set.blob_mode;
  if (set.blob_mode == file::BlobMode::kBytes ||
      !IsDense(rows, reader->BytesPerRow(), set.projection.fields().size())) {
    return reader->Read(rows, options);
  }
  ARROW_ASSIGN_OR_RAISE(const auto hull,
                        reader->Read({{rows.front().start, rows.back().end}}, options));
  const auto places = PlacesOf(rows);
  arrow::ArrayVector columns;
  for (const auto& column : hull->columns()) {
    ARROW_ASSIGN_OR_RAISE(auto kept, Gather(column, places, pool));
    columns.push_back(std::move(kept));
  }
  return arrow::RecordBatch::Make(hull->schema(), static_cast<int64_t>(places.size()),
                                  std::move(columns));
}

}  // namespace

arrow::Result<std::shared_ptr<table::FragmentReader>> FragmentAccess::Reader(const ReadSet& set) {
  if (!set.reads_files()) {
    return nullptr;
  }
  std::lock_guard lock(mutex_);
  for (const auto& opened : opened_) {
    if (opened.set == &set) {
      return opened.reader;
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, snapshot_.OpenFragment(fragment_, set.projection));
  opened_.push_back({&set, reader});
  return reader;
}

arrow::Result<std::shared_ptr<arrow::Array>> MetaValues(const ReadSet& set, Meta meta,
                                                        const table::Fragment& fragment,
                                                        const RowRanges& rows,
                                                        arrow::MemoryPool* pool) {
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  switch (meta) {
    case Meta::kRowId:
      return RowIds(fragment, rows, pool);
    case Meta::kRowAddress:
      return Addresses(fragment, rows, pool);
    case Meta::kRowOffset:
      return Offsets(set, fragment, rows, pool);
    case Meta::kCreatedAt:
      return Versions(fragment, /*created=*/true, rows, pool);
    case Meta::kUpdatedAt:
      return Versions(fragment, /*created=*/false, rows, pool);
  }
  return InternalError("unknown meta column");
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const ReadSet& set,
                                                            FragmentAccess* access,
                                                            const RowRanges& rows,
                                                            arrow::MemoryPool* pool) {
  const table::Fragment& fragment = access->fragment();
  pool = pool != nullptr ? pool : arrow::default_memory_pool();
  if (rows.empty()) {
    return arrow::RecordBatch::MakeEmpty(set.schema, pool);
  }
  arrow::ArrayVector columns;
  if (set.reads_files()) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, ReadColumns(set, access, rows, pool));
    columns = batch->columns();
  }
  for (const Meta meta : set.metas) {
    ARROW_ASSIGN_OR_RAISE(auto values, MetaValues(set, meta, fragment, rows, pool));
    columns.push_back(std::move(values));
  }
  if (columns.size() != static_cast<size_t>(set.schema->num_fields())) {
    return InternalError("fragment ", fragment.id(), " gave ", columns.size(),
                         " columns, expected ", set.schema->num_fields());
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& field = *set.schema->field(static_cast<int>(i));
    GLAIVE_CHECK_FORMAT(columns[i]->type()->Equals(*field.type()), "fragment ", fragment.id(),
                        ": column '", field.name(), "' has type ", columns[i]->type()->ToString(),
                        ", expected ", field.type()->ToString());
  }
  return arrow::RecordBatch::Make(set.schema, static_cast<int64_t>(CountRows(rows)),
                                  std::move(columns));
}

RowRanges SelectRows(const RowRanges& rows, const arrow::BooleanArray& mask) {
  RowRanges selected;
  if (mask.length() == 0) {
    return selected;
  }
  arrow::internal::SetBitRunReader runs(mask.values()->data(), mask.offset(), mask.length());
  if (rows.size() == 1) {
    const uint64_t start = rows[0].start;
    for (auto run = runs.NextRun(); run.length != 0; run = runs.NextRun()) {
      const uint64_t first = start + static_cast<uint64_t>(run.position);
      selected.push_back({first, first + static_cast<uint64_t>(run.length)});
    }
    return selected;
  }
  size_t at = 0;
  uint64_t before = 0;  // rows in the ranges before `at`
  for (;;) {
    const auto run = runs.NextRun();
    if (run.length == 0) {
      return selected;
    }
    auto first = static_cast<uint64_t>(run.position);
    const uint64_t end = first + static_cast<uint64_t>(run.length);
    while (first < end) {
      while (first >= before + rows[at].size()) {
        before += rows[at++].size();
      }
      const uint64_t until = std::min(end, before + rows[at].size());
      const uint64_t start = rows[at].start + (first - before);
      const uint64_t stop = rows[at].start + (until - before);
      if (!selected.empty() && selected.back().end == start) {
        selected.back().end = stop;
      } else {
        selected.push_back({start, stop});
      }
      first = until;
    }
  }
}

RowRanges SliceRows(const RowRanges& rows, uint64_t first, uint64_t count) {
  RowRanges sliced;
  for (const auto& range : rows) {
    if (first >= range.size()) {
      first -= range.size();
      continue;
    }
    const uint64_t start = range.start + first;
    first = 0;
    const uint64_t taken = std::min(range.end - start, count);
    if (taken == 0) {
      break;
    }
    sliced.push_back({start, start + taken});
    count -= taken;
  }
  return sliced;
}

}  // namespace glaive::query
