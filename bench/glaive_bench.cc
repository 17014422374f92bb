// The workloads of bench/bench.py on Glaive, through the public API. Prints one JSON object per measurement.
//
//   glaive_bench ingest DB TABLE DATA.arrow [none|synced] [mapped|read]   read: the source is not mapped, so that the
//                                                     peak is ours and one batch
//   glaive_bench scan DB TABLE [column,...]
//   glaive_bench take DB TABLE rows repetitions [column,...]
//   glaive_bench knn DB TABLE QUERIES.arrow batch repetitions
//   glaive_bench first DB TABLE QUERIES.arrow        open, then the first search of a fresh process
//   glaive_bench filter DB TABLE repetitions FILTER [column,... [ORDER BY expression [limit]]]
//   glaive_bench append DB TABLE DATA.arrow count [none|synced]
//   glaive_bench change DB TABLE DATA.arrow update|delete count [none|synced]   one row at a time
//   glaive_bench update DB TABLE repetitions WHERE COLUMN EXPRESSION
//   glaive_bench merge DB TABLE SOURCE.arrow KEY    each batch of the source is an upsert
//   glaive_bench compact DB TABLE DATA.arrow fragments
//   glaive_bench upkeep DB TABLE DATA.arrow writes
//   glaive_bench crowd DB TABLE DATA.arrow threads appends-each [none|synced]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include "glaive/glaive.h"

namespace {

using Clock = std::chrono::steady_clock;

double MillisSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Of all threads of this process.
double CpuMillis() {
  return static_cast<double>(std::clock()) * 1000 / CLOCKS_PER_SEC;
}

/// Of this process: what getrusage says begins with the peak of the process that started it.
double PeakMiB() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return std::stod(line.substr(6)) / 1024.0;
    }
  }
  return 0;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start < text.size()) {
    const size_t comma = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

arrow::Result<std::shared_ptr<arrow::ipc::RecordBatchFileReader>> OpenIpc(const std::string& path,
                                                                          bool mapped = true) {
  if (!mapped) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    return arrow::ipc::RecordBatchFileReader::Open(file);
  }
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  return arrow::ipc::RecordBatchFileReader::Open(file);
}

/// Yields the batches of an IPC file one after the other.
class IpcStream final : public arrow::RecordBatchReader {
 public:
  explicit IpcStream(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file) : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (next_ == file_->num_record_batches()) {
      batch->reset();
      return arrow::Status::OK();
    }
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

/// Reads one byte of every cache line of an array's buffers: what a consumer of the scan would have to do.
uint64_t Touch(const arrow::ArrayData& data) {
  uint64_t sum = 0;
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) {
      continue;
    }
    for (int64_t at = 0; at < buffer->size(); at += 64) {
      sum += buffer->data()[at];
    }
  }
  for (const auto& child : data.child_data) {
    sum += Touch(*child);
  }
  return sum;
}

glaive::DatabaseOptions Options(const std::string& sync) {
  glaive::DatabaseOptions options;
  options.sync = sync == "synced" ? glaive::SyncMode::kSynced : glaive::SyncMode::kNone;
  return options;
}

arrow::Status Ingest(const std::vector<std::string>& args) {
  const std::string sync = args.size() > 3 ? args[3] : "synced";
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2], args.size() < 5 || args[4] != "read"));
  auto stream = std::make_shared<IpcStream>(file);
  const auto start = Clock::now();
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options(sync)));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], stream, glaive::CreateMode::kOverwrite, {}));
  const double ms = MillisSince(start);
  ARROW_ASSIGN_OR_RAISE(auto rows, table.CountRows());
  std::printf("{\"ms\": %.2f, \"rows\": %llu, \"peak_mib\": %.0f}\n", ms,
              static_cast<unsigned long long>(rows), PeakMiB());
  return arrow::Status::OK();
}

arrow::Status Scan(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  glaive::ScanOptions options;
  if (args.size() > 2) {
    options.columns = Split(args[2]);
  }
  std::vector<double> times;
  int64_t rows = 0;
  uint64_t sum = 0;
  for (int repetition = 0; repetition < 7; ++repetition) {
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(auto reader, table.Scan(options));
    rows = 0;
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) {
        break;
      }
      rows += batch->num_rows();
      for (const auto& column : batch->column_data()) {
        sum += Touch(*column);
      }
    }
    times.push_back(MillisSince(start));
  }
  std::printf("{\"ms\": %.3f, \"first_ms\": %.3f, \"rows\": %lld, \"peak_mib\": %.0f, \"sum\": %llu}\n", Median(times),
              times[0], static_cast<long long>(rows), PeakMiB(), static_cast<unsigned long long>(sum));
  return arrow::Status::OK();
}

arrow::Status Take(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  ARROW_ASSIGN_OR_RAISE(auto total, table.CountRows());
  glaive::TakeOptions options;
  if (args.size() > 4) {
    options.columns = Split(args[4]);
  }
  std::mt19937_64 random(7);
  std::vector<double> times;
  uint64_t sum = 0;
  for (int repetition = 0; repetition < std::stoi(args[3]); ++repetition) {
    std::vector<uint64_t> offsets(std::stoul(args[2]));
    for (auto& offset : offsets) {
      offset = random() % total;
    }
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(auto batch, table.TakeOffsets(offsets, options));
    times.push_back(MillisSince(start));
    for (const auto& column : batch->column_data()) {
      sum += Touch(*column);
    }
  }
  std::printf("{\"ms\": %.3f, \"first_ms\": %.3f, \"sum\": %llu}\n", Median(times), times[0],
              static_cast<unsigned long long>(sum));
  return arrow::Status::OK();
}

/// A filtered scan; with an expression the rows in its order, with a limit the first of them.
arrow::Status Filter(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  glaive::ScanOptions options;
  options.filter = args[3];
  if (args.size() > 4) {
    options.columns = Split(args[4]);
  }
  if (args.size() > 5) {
    options.order_by = {{args[5]}};
  }
  if (args.size() > 6) {
    options.limit = std::stoull(args[6]);
  }
  std::vector<double> times;
  std::vector<double> cpu_times;
  int64_t rows = 0;
  uint64_t sum = 0;
  for (int repetition = 0; repetition < std::stoi(args[2]); ++repetition) {
    const double cpu_start = CpuMillis();
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(auto reader, table.Scan(options));
    rows = 0;
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) {
        break;
      }
      rows += batch->num_rows();
      for (const auto& column : batch->column_data()) {
        sum += Touch(*column);
      }
    }
    times.push_back(MillisSince(start));
    cpu_times.push_back(CpuMillis() - cpu_start);
  }
  std::printf("{\"ms\": %.3f, \"cpu_ms\": %.3f, \"first_ms\": %.3f, \"rows\": %lld, \"peak_mib\": %.0f, \"sum\": %llu}\n",
              Median(times), Median(cpu_times), times[0], static_cast<long long>(rows), PeakMiB(),
              static_cast<unsigned long long>(sum));
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::FixedSizeListArray>> ReadQueries(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(path));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  return std::static_pointer_cast<arrow::FixedSizeListArray>(batch->column(0));
}

arrow::Status Knn(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto queries, ReadQueries(args[2]));
  const int64_t per_call = std::stoll(args[3]);
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  std::vector<double> times;
  std::string ids;
  for (int repetition = 0; repetition < std::stoi(args[4]); ++repetition) {
    glaive::VectorQuery query;
    query.column = "vector";
    query.columns = {"id"};
    query.k = 10;
    const int64_t from = (repetition * per_call) % (queries->length() - per_call + 1);
    query.vectors = per_call == 1 ? queries->value_slice(from) : queries->Slice(from, per_call);
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(auto found, table.Search(query));
    times.push_back(MillisSince(start));
    if (repetition == 0) {
      const auto& column = static_cast<const arrow::Int64Array&>(*found->GetColumnByName("id"));
      for (int64_t i = 0; i < column.length(); ++i) {
        ids += (i != 0 ? ", " : "") + std::to_string(column.Value(i));
      }
    }
  }
  const double first = times[0];
  std::printf("{\"ms\": %.3f, \"first_ms\": %.3f, \"ms_per_query\": %.3f, \"peak_mib\": %.0f, \"ids\": [%s]}\n",
              Median(times), first, Median(times) / static_cast<double>(per_call), PeakMiB(), ids.c_str());
  return arrow::Status::OK();
}

arrow::Status First(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto queries, ReadQueries(args[2]));
  const auto start = Clock::now();
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  const double open_ms = MillisSince(start);
  glaive::VectorQuery query;
  query.column = "vector";
  query.columns = {"id"};
  query.vectors = queries->value_slice(0);
  ARROW_RETURN_NOT_OK(table.Search(query).status());
  std::printf("{\"open_ms\": %.3f, \"ms\": %.3f}\n", open_ms, MillisSince(start));
  return arrow::Status::OK();
}

arrow::Status Append(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  const std::string sync = args.size() > 4 ? args[4] : "synced";
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options(sync)));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch->Slice(0, 1)}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], reader, glaive::CreateMode::kOverwrite, {}));
  const int count = std::stoi(args[3]);
  std::vector<double> window;
  std::printf("{");
  for (int i = 1; i <= count; ++i) {
    const auto start = Clock::now();
    ARROW_RETURN_NOT_OK(table.Add(batch->Slice(i % batch->num_rows(), 1), {}).status());
    window.push_back(MillisSince(start));
    if (i == 10 || i == 100 || i == 1000 || i == 2500 || i == 5000 || i == count) {
      const size_t recent = std::min<size_t>(window.size(), 100);
      std::printf("\"%d\": %.3f, ", i, Median({window.end() - static_cast<int64_t>(recent), window.end()}));
    }
  }
  std::printf("\"peak_mib\": %.0f}\n", PeakMiB());
  return arrow::Status::OK();
}

/// Changes of one row of a table of 10,000, one after the other: each takes another row.
arrow::Status Change(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options(args.size() > 5 ? args[5] : "synced")));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch->Slice(0, 10'000)}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], reader, glaive::CreateMode::kOverwrite, {}));
  const int count = std::stoi(args[4]);
  std::vector<double> window;
  std::printf("{");
  for (int i = 1; i <= count; ++i) {
    const std::string where = "id = " + std::to_string(i);
    const auto start = Clock::now();
    if (args[3] == "delete") {
      static const glaive::DeleteOptions options;
      ARROW_RETURN_NOT_OK(table.Delete(where, options).status());
    } else {
      glaive::UpdateRequest request;
      request.where = where;
      request.set = {{"price", "price + 1"}};
      ARROW_RETURN_NOT_OK(table.Update(request).status());
    }
    window.push_back(MillisSince(start));
    if (i == 10 || i == 1000 || i == 5000 || i == count) {
      const size_t recent = std::min<size_t>(window.size(), 100);
      std::printf("\"%d\": %.3f, ", i, Median({window.end() - static_cast<int64_t>(recent), window.end()}));
    }
  }
  std::printf("\"peak_mib\": %.0f}\n", PeakMiB());
  return arrow::Status::OK();
}

arrow::Status Update(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options("none")));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  std::vector<double> times;
  uint64_t rows = 0;
  for (int repetition = 0; repetition < std::stoi(args[2]); ++repetition) {
    glaive::UpdateRequest request;
    request.where = args[3];
    request.set = {{args[4], args[5]}};
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(const auto done, table.Update(request));
    times.push_back(MillisSince(start));
    rows = done.num_updated_rows;
  }
  std::printf("{\"ms\": %.3f, \"first_ms\": %.3f, \"rows\": %llu, \"peak_mib\": %.0f}\n", Median(times), times[0],
              static_cast<unsigned long long>(rows), PeakMiB());
  return arrow::Status::OK();
}

arrow::Status Merge(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options("none")));
  ARROW_ASSIGN_OR_RAISE(auto table, database.OpenTable(args[1]));
  std::vector<double> times;
  uint64_t updated = 0;
  uint64_t inserted = 0;
  for (int i = 0; i < file->num_record_batches(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(i));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch}));
    const glaive::WriteOptions options;
    const auto start = Clock::now();
    ARROW_ASSIGN_OR_RAISE(const auto done, table.Upsert(reader, {args[3]}, options));
    times.push_back(MillisSince(start));
    updated += done.num_updated_rows;
    inserted += done.num_inserted_rows;
  }
  std::printf("{\"ms\": %.3f, \"first_ms\": %.3f, \"updated\": %llu, \"inserted\": %llu, \"peak_mib\": %.0f}\n",
              Median(times), times[0], static_cast<unsigned long long>(updated),
              static_cast<unsigned long long>(inserted), PeakMiB());
  return arrow::Status::OK();
}

/// `fragments` appends of 100 rows, then one compaction.
arrow::Status Compact(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  glaive::DatabaseOptions options = Options("none");
  options.upkeep.enabled = false;
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], options));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch->Slice(0, 100)}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], reader, glaive::CreateMode::kOverwrite, {}));
  for (int i = 1; i < std::stoi(args[3]); ++i) {
    const int64_t from = i * 100 % (batch->num_rows() - 99);
    ARROW_RETURN_NOT_OK(table.Add(batch->Slice(from, 100), {}).status());
  }
  glaive::OptimizeOptions compaction;
  compaction.cleanup_older_than_nanos = std::nullopt;
  const auto start = Clock::now();
  ARROW_ASSIGN_OR_RAISE(const auto done, table.Optimize(compaction));
  std::printf("{\"ms\": %.3f, \"fragments\": %llu, \"peak_mib\": %.0f}\n", MillisSince(start),
              static_cast<unsigned long long>(done.fragments_added), PeakMiB());
  return arrow::Status::OK();
}

/// Small writes for long: appends of one row, and every tenth time a delete. Then what is left on disk, and what
/// opening the table costs.
arrow::Status Upkeep(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options("none")));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch->Slice(0, 1)}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], reader, glaive::CreateMode::kOverwrite, {}));
  const auto begin = Clock::now();
  for (int i = 1; i < std::stoi(args[3]); ++i) {
    if (i % 10 != 0) {
      ARROW_RETURN_NOT_OK(table.Add(batch->Slice(i % batch->num_rows(), 1), {}).status());
      continue;
    }
    glaive::TakeOptions take;
    take.columns = {"_rowid"};
    ARROW_ASSIGN_OR_RAISE(const auto row, table.TakeOffsets({static_cast<uint64_t>(i / 10)}, take));
    const auto& ids = static_cast<const arrow::UInt64Array&>(*row->column(0));
    ARROW_RETURN_NOT_OK(table.DeleteRowIds({ids.Value(0)}).status());
  }
  const double ms = MillisSince(begin);
  ARROW_ASSIGN_OR_RAISE(const auto layout, table.Inspect());
  const std::filesystem::path root = table.location();
  uint64_t live = layout.manifest_bytes;
  uint64_t files = 0;
  for (const auto& fragment : layout.fragments) {
    for (const auto& data : fragment.files) {
      live += std::filesystem::file_size(root / data.path);
      ++files;
    }
  }
  uint64_t disk = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    disk += entry.is_regular_file() ? entry.file_size() : 0;
  }
  const auto start = Clock::now();
  ARROW_ASSIGN_OR_RAISE(auto fresh, glaive::Database::Open(args[0], {}));
  ARROW_ASSIGN_OR_RAISE(auto again, fresh.OpenTable(args[1]));
  ARROW_ASSIGN_OR_RAISE(const uint64_t rows, again.CountRows());
  std::printf("{\"ms_per_write\": %.4f, \"rows\": %llu, \"data_files\": %llu, \"live_bytes\": %llu, "
              "\"disk_ratio\": %.3f, \"open_ms\": %.3f, \"peak_mib\": %.0f}\n",
              ms / std::stod(args[3]), static_cast<unsigned long long>(rows), static_cast<unsigned long long>(files),
              static_cast<unsigned long long>(live), static_cast<double>(disk) / static_cast<double>(live),
              MillisSince(start), PeakMiB());
  return arrow::Status::OK();
}

/// Appends of one row by many threads through one handle.
arrow::Status Crowd(const std::vector<std::string>& args) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenIpc(args[2]));
  ARROW_ASSIGN_OR_RAISE(auto batch, file->ReadRecordBatch(0));
  const int threads = std::stoi(args[3]);
  const int each = std::stoi(args[4]);
  ARROW_ASSIGN_OR_RAISE(auto database, glaive::Database::Open(args[0], Options(args.size() > 5 ? args[5] : "synced")));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch->Slice(0, 1)}));
  ARROW_ASSIGN_OR_RAISE(auto table, database.CreateTable(args[1], reader, glaive::CreateMode::kOverwrite, {}));
  std::atomic<int> failed{0};
  const auto start = Clock::now();
  std::vector<std::thread> crowd;
  for (int thread = 0; thread < threads; ++thread) {
    crowd.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i) {
        failed += table.Add(batch->Slice((thread * each + i) % batch->num_rows(), 1), {}).ok() ? 0 : 1;
      }
    });
  }
  for (auto& thread : crowd) {
    thread.join();
  }
  const double ms = MillisSince(start);
  std::printf("{\"ms_per_append\": %.4f, \"failed\": %d, \"peak_mib\": %.0f}\n", ms / (threads * each),
              failed.load(), PeakMiB());
  return arrow::Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 2), argv + argc);
  const std::string verb = argc > 1 ? argv[1] : "";
  const std::vector<std::pair<std::string, std::pair<size_t, std::function<arrow::Status(const std::vector<std::string>&)>>>>
      verbs = {{"ingest", {3, Ingest}}, {"scan", {2, Scan}},   {"take", {4, Take}},
               {"filter", {4, Filter}}, {"change", {5, Change}}, {"update", {6, Update}}, {"merge", {4, Merge}},
               {"knn", {5, Knn}},       {"first", {3, First}}, {"append", {4, Append}},
               {"compact", {4, Compact}}, {"crowd", {5, Crowd}},
               {"upkeep", {4, Upkeep}}};
  for (const auto& [name, entry] : verbs) {
    if (name == verb && args.size() >= entry.first) {
      const arrow::Status status = entry.second(args);
      if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
        return 1;
      }
      return 0;
    }
  }
  std::fprintf(stderr, "usage: see the top of glaive_bench.cc\n");
  return 2;
}
