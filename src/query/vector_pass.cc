#include "query/vector_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "base/executor.h"
#include "base/status.h"

namespace glaive::query {

namespace {

/// What one task reads: small enough to share work evenly, large enough that starting it costs
/// nothing.
constexpr double kTaskBytes = 8 << 20;
constexpr uint64_t kMinTaskRows = 1024;
/// Fragments whose readers are open at the same time.
constexpr size_t kFragmentsAtOnce = 64;
/// Rows whose distances are formed in one go: their bytes stay in the second-level cache for all
/// queries.
constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kMaxBlockRows = 512;
constexpr size_t kMinBlockRows = 16;
/// Queries whose distances to a block are formed in one go.
constexpr size_t kQueriesAtOnce = 64;

/// Vectors that lie one behind the other.
struct VectorBlock {
  const uint8_t* bytes = nullptr;
  size_t stride = 0;
};

/// Physical rows of a fragment to search.
struct Task {
  size_t fragment = 0;  // among those that are open
  RowRange rows;
};

struct OpenFragment {
  const table::Fragment* fragment = nullptr;
  std::shared_ptr<const table::DeletionVector> deletions;  // nullptr: nothing is deleted
  std::shared_ptr<const table::RowIdSequence> row_ids;     // nullptr: ids are addresses
  std::shared_ptr<table::FragmentReader> reader;
  std::vector<RowRange> pieces;
  std::unique_ptr<FragmentAccess> access;  // for the filter's columns
};

/// The rows of a batch of vectors: from `start` on, one after the other, or those at `offsets`.
struct PieceRows {
  uint64_t start = 0;
  uint64_t count = 0;
  std::vector<uint64_t> offsets;  // empty: consecutive
  std::vector<bool> wanted;       // of consecutive ones; empty: all

  uint64_t size() const { return count; }

  uint64_t Offset(uint64_t i) const { return offsets.empty() ? start + i : offsets[i]; }

  bool Wants(uint64_t i) const { return wanted.empty() || wanted[i]; }
};

/// The vector array of a column that may lie in structs, and the structs around it, whose nulls
/// count.
struct VectorColumn {
  std::vector<std::shared_ptr<arrow::Array>> parents;
  std::shared_ptr<arrow::Array> vectors;

  bool IsNull(int64_t row) const {
    if (vectors->IsNull(row)) {
      return true;
    }
    return std::any_of(parents.begin(), parents.end(),
                       [row](const auto& parent) { return parent->IsNull(row); });
  }
};

arrow::Result<VectorColumn> DescendToVectors(std::shared_ptr<arrow::Array> array) {
  VectorColumn column;
  while (array->type_id() == arrow::Type::STRUCT) {
    const auto& parent = static_cast<const arrow::StructArray&>(*array);
    GLAIVE_CHECK_FORMAT(parent.num_fields() == 1, "a vector column was read with ",
                        parent.num_fields(), " members, expected 1");
    column.parents.push_back(array);
    array = parent.field(0);
  }
  column.vectors = std::move(array);
  return column;
}

class Searcher {
 public:
  /// What one thread works with. States are reused from task to task.
  struct State {
    std::vector<NearestK> nearest;  // per query
    std::vector<float> distances;
    std::vector<float> row_distances;  // of a multivector column
    std::vector<float> minima;
    std::vector<uint32_t> selected;
    std::vector<uint8_t> filled;  // vectors with nulls replaced by zeros
  };

  Searcher(const table::Snapshot& snapshot, const VectorRequest& request, const VectorQuery& query,
           const RowFilter* filter, uint64_t total_rows)
      : snapshot_(snapshot),
        request_(request),
        query_(query),
        filter_(filter),
        total_rows_(total_rows),
        // Ranks beyond the number of rows can't be filled, so k may be as large as it likes.
        keep_(static_cast<size_t>(
            std::min(total_rows, query.offset + std::min(query.k, UINT64_MAX - query.offset)))) {
    block_rows_ = std::clamp(kBlockBytes / request.vector_bytes(), kMinBlockRows, kMaxBlockRows);
    read_options_.pool = snapshot.session()->options().pool;
    if (query.upper_bound.has_value()) {
      // Half-open: the largest float below.
      upper_ = std::nextafter(*query.upper_bound, -std::numeric_limits<float>::infinity());
      empty_ = *query.upper_bound == -std::numeric_limits<float>::infinity();
    }
  }

  arrow::Status Run() {
    const auto& fragments = snapshot_.fragments();
    for (size_t first = 0; first < fragments.size() && !empty_; first += kFragmentsAtOnce) {
      const size_t count = std::min(kFragmentsAtOnce, fragments.size() - first);
      ARROW_RETURN_NOT_OK(SearchFragments(first, count));
    }
    return arrow::Status::OK();
  }

  std::vector<std::vector<Neighbor>> Results() const {
    std::vector<std::vector<Neighbor>> results;
    for (size_t q = 0; q < request_.num_queries(); ++q) {
      std::vector<const NearestK*> parts;
      for (const auto& state : states_) {
        parts.push_back(&state->nearest[q]);
      }
      results.push_back(MergeNearest(parts, query_.offset, query_.k));
    }
    return results;
  }

 private:
  arrow::Status SearchFragments(size_t first, size_t count) {
    Executor& executor = snapshot_.session()->executor();
    std::vector<OpenFragment> open(count);
    ARROW_RETURN_NOT_OK(executor.ParallelFor(count, [&](size_t i) -> arrow::Status {
      ARROW_RETURN_NOT_OK(query_.cancel.Check("vector search"));
      return Open(*snapshot_.fragments()[first + i], &open[i]);
    }));
    std::vector<Task> tasks;
    for (size_t i = 0; i < count; ++i) {
      for (const auto& rows : open[i].pieces) {
        tasks.push_back({i, rows});
      }
    }
    return executor.ParallelFor(tasks.size(), [&](size_t i) -> arrow::Status {
      ARROW_RETURN_NOT_OK(query_.cancel.Check("vector search"));
      const Task& task = tasks[i];
      std::shared_ptr<State> state = AcquireState();
      const arrow::Status status = SearchPiece(open[task.fragment], task.rows, state.get());
      ReleaseState(std::move(state), status.ok() ? task.rows.size() : 0);
      return status;
    });
  }

  arrow::Status Open(const table::Fragment& fragment, OpenFragment* open) const {
    open->fragment = &fragment;
    if (fragment.physical_rows() == 0) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(open->deletions, fragment.deletions());
    ARROW_ASSIGN_OR_RAISE(open->row_ids, fragment.row_ids());
    GLAIVE_CHECK_FORMAT(
        open->row_ids == nullptr || open->row_ids->size() >= fragment.physical_rows(), "fragment ",
        fragment.id(), " has ", open->row_ids->size(), " row ids for ", fragment.physical_rows(),
        " rows");
    ARROW_ASSIGN_OR_RAISE(open->reader, snapshot_.OpenFragment(fragment, request_.projection));
    open->access = std::make_unique<FragmentAccess>(snapshot_, fragment);
    Cut(open);
    return arrow::Status::OK();
  }

  /// Pieces end where pages end, because a read across pages copies, and where they get too large.
  void Cut(OpenFragment* open) const {
    const uint64_t rows = open->fragment->physical_rows();
    const double bytes_per_row =
        std::max(open->reader->BytesPerRow(), static_cast<double>(request_.vector_bytes()) / 8);
    const auto limit =
        std::max(kMinTaskRows, static_cast<uint64_t>(kTaskBytes / std::max(bytes_per_row, 1.0)));
    std::vector<uint64_t> cuts = open->reader->PreferredCuts();
    cuts.push_back(rows);
    uint64_t start = 0;
    for (uint64_t cut : cuts) {
      cut = std::min(cut, rows);
      // A page just over the limit is halved, not left with a crumb.
      const uint64_t parts = (std::max(cut, start) - start + limit - 1) / limit;
      for (uint64_t part = parts; part > 0; --part) {
        const uint64_t end = start + (cut - start + part - 1) / part;
        AddPiece(open, {start, end});
        start = end;
      }
    }
  }

  static void AddPiece(OpenFragment* open, RowRange rows) {
    // Long runs of deleted rows at either end need not be read.
    if (open->deletions != nullptr) {
      const RowRanges live = open->deletions->LiveRanges(rows.start, rows.end);
      if (live.empty()) {
        return;
      }
      rows = {live.front().start, live.back().end};
    }
    open->pieces.push_back(rows);
  }

  std::shared_ptr<State> AcquireState() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) {
      auto state = std::make_shared<State>();
      state->nearest.assign(request_.num_queries(), NearestK(keep_));
      states_.push_back(state);
      return state;
    }
    auto state = std::move(free_.back());
    free_.pop_back();
    return state;
  }

  void ReleaseState(std::shared_ptr<State> state, uint64_t rows) {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(state));
    rows_done_ += rows;
    if (query_.progress && rows > 0) {
      Progress progress;
      progress.phase = "vector search";
      progress.rows_done = std::min(rows_done_, total_rows_);
      progress.rows_total = total_rows_;
      query_.progress(progress);
    }
  }

  arrow::Status SearchPiece(const OpenFragment& open, RowRange range, State* state) const {
    RowRanges read{range};
    PieceRows rows{range.start, range.size(), {}, {}};
    if (filter_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(read, FilteredRows(open, range, &rows));
      if (read.empty()) {
        return arrow::Status::OK();
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto batch, open.reader->Read(read, read_options_));
    GLAIVE_CHECK_FORMAT(
        batch->num_columns() == 1 && static_cast<uint64_t>(batch->num_rows()) == rows.size(),
        "fragment ", open.fragment->id(), ": reading rows ", range.start, "..", range.end,
        " of column ", request_.column, " gave ", batch->num_rows(), " rows");
    ARROW_ASSIGN_OR_RAISE(const auto column, DescendToVectors(batch->column(0)));
    if (column.vectors->null_count() == column.vectors->length()) {
      return arrow::Status::OK();
    }
    if (!request_.multivector) {
      return SearchVectors(open, rows, column, state);
    }
    if (column.vectors->type_id() == arrow::Type::LIST) {
      return SearchLists<arrow::ListArray>(open, rows, column, state);
    }
    return SearchLists<arrow::LargeListArray>(open, rows, column, state);
  }

  /// The rows to read for those of a piece that pass the filter: just these, or, where they are
  /// many, everything between the first and the last.
  arrow::Result<RowRanges> FilteredRows(const OpenFragment& open, RowRange range,
                                        PieceRows* rows) const {
    RowRanges live{range};
    if (open.deletions != nullptr) {
      live = open.deletions->LiveRanges(range.start, range.end);
    }
    ARROW_ASSIGN_OR_RAISE(auto left,
                          filter_->Apply(open.access.get(), live, {}, read_options_.pool));
    if (left.num_rows == 0) {
      return RowRanges{};
    }
    const RowRange hull{left.rows.front().start, left.rows.back().end};
    rows->start = hull.start;
    if (left.num_rows == hull.size()) {
      rows->count = hull.size();
      return RowRanges{hull};
    }
    if (left.num_rows < hull.size() / 2) {
      rows->count = left.num_rows;
      rows->offsets.reserve(left.num_rows);
      for (const auto& part : left.rows) {
        for (uint64_t row = part.start; row < part.end; ++row) {
          rows->offsets.push_back(row);
        }
      }
      return std::move(left.rows);
    }
    rows->count = hull.size();
    rows->wanted.resize(hull.size(), false);
    for (const auto& part : left.rows) {
      std::fill(rows->wanted.begin() + static_cast<ptrdiff_t>(part.start - hull.start),
                rows->wanted.begin() + static_cast<ptrdiff_t>(part.end - hull.start), true);
    }
    return RowRanges{hull};
  }

  arrow::Status CheckVectors(const arrow::Array& array) const {
    GLAIVE_CHECK_FORMAT(array.type_id() == arrow::Type::FIXED_SIZE_LIST, "column ", request_.column,
                        " was read as ", array.type()->ToString());
    const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
    const auto size = static_cast<size_t>(list.list_type()->list_size());
    GLAIVE_CHECK_FORMAT(size == request_.dims, "column ", request_.column,
                        " has vectors of dimension ", request_.dims, ", but ", size, " was read");
    return arrow::Status::OK();
  }

  /// `count` vectors from `first` on: in place, or a copy with zeros where single numbers are null.
  VectorBlock Block(const arrow::FixedSizeListArray& list, int64_t first, size_t count,
                    State* state) const {
    const arrow::Array& values = *list.values();
    const size_t stride = request_.vector_bytes();
    const size_t width = stride / request_.dims;
    const int64_t start = list.value_offset(first);
    const uint8_t* bytes =
        values.data()->buffers[1]->data() + static_cast<size_t>(values.offset() + start) * width;
    if (values.null_count() == 0) {
      return {bytes, stride};
    }
    const size_t numbers = count * request_.dims;
    state->filled.assign(bytes, bytes + numbers * width);
    for (size_t i = 0; i < numbers; ++i) {
      if (values.IsNull(start + static_cast<int64_t>(i))) {
        std::memset(state->filled.data() + i * width, 0, width);
      }
    }
    return {state->filled.data(), stride};
  }

  /// Distances of `num_vectors` of the request's vectors from `first` on: distances[q * count + i].
  void Measure(size_t first, size_t num_vectors, const VectorBlock& block, size_t count,
               float* distances) const {
    const size_t stride = request_.vector_bytes();
    kernels::DistancesMany(request_.metric, request_.element_type,
                           request_.vectors->data() + first * stride, stride, num_vectors,
                           request_.dims, block.bytes, block.stride, count, distances);
  }

  arrow::Status SearchVectors(const OpenFragment& open, const PieceRows& rows,
                              const VectorColumn& column, State* state) const {
    ARROW_RETURN_NOT_OK(CheckVectors(*column.vectors));
    const auto& list = static_cast<const arrow::FixedSizeListArray&>(*column.vectors);
    const size_t num_queries = request_.num_vectors;
    for (uint64_t at = 0; at < rows.size(); at += block_rows_) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(block_rows_, rows.size() - at));
      const VectorBlock block = Block(list, static_cast<int64_t>(at), count, state);
      for (size_t q = 0; q < num_queries; q += kQueriesAtOnce) {
        const size_t several = std::min(kQueriesAtOnce, num_queries - q);
        state->distances.resize(several * count);
        Measure(q, several, block, count, state->distances.data());
        for (size_t i = 0; i < several; ++i) {
          Select(open, rows, at, column, state->distances.data() + i * count, count,
                 &state->nearest[q + i], state);
        }
      }
    }
    return arrow::Status::OK();
  }

  /// Lists of vectors: the sum over the query's vectors of the smallest distance to any of the row.
  template <class List>
  arrow::Status SearchLists(const OpenFragment& open, const PieceRows& rows,
                            const VectorColumn& column, State* state) const {
    const auto& list = static_cast<const List&>(*column.vectors);
    ARROW_RETURN_NOT_OK(CheckVectors(*list.values()));
    const auto& vectors = static_cast<const arrow::FixedSizeListArray&>(*list.values());
    const size_t parts = request_.num_vectors;
    state->row_distances.assign(rows.size(), std::numeric_limits<float>::quiet_NaN());
    // Blocks of vectors run across rows; `row` is the one whose vectors are looked at.
    const auto total = static_cast<int64_t>(rows.size());
    int64_t row = 0;
    state->minima.assign(parts, std::numeric_limits<float>::quiet_NaN());
    const int64_t end = list.value_offset(total);
    for (int64_t first = list.value_offset(0); first < end;) {
      const auto count =
          static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(block_rows_), end - first));
      const VectorBlock block = Block(vectors, first, count, state);
      state->distances.resize(parts * count);
      for (size_t q = 0; q < parts; q += kQueriesAtOnce) {
        Measure(q, std::min(kQueriesAtOnce, parts - q), block, count,
                state->distances.data() + q * count);
      }
      const int64_t block_end = first + static_cast<int64_t>(count);
      int64_t at = first;
      while (at < block_end) {
        const int64_t row_end = list.value_offset(row + 1);
        const int64_t until = std::min(row_end, block_end);
        for (; at < until; ++at) {
          if (vectors.IsValid(at)) {
            AddMinima(static_cast<size_t>(at - first), count, state);
          }
        }
        if (at >= row_end) {
          FinishRow(row++, state);
        }
      }
      first = block_end;
    }
    Select(open, rows, 0, column, state->row_distances.data(), rows.size(), &state->nearest[0],
           state);
    return arrow::Status::OK();
  }

  static void AddMinima(size_t i, size_t count, State* state) {
    for (size_t part = 0; part < state->minima.size(); ++part) {
      const float distance = state->distances[part * count + i];
      // A NaN minimum is none yet; a NaN distance never gets in.
      if (!(state->minima[part] <= distance) && !std::isnan(distance)) {
        state->minima[part] = distance;
      }
    }
  }

  static void FinishRow(int64_t row, State* state) {
    double sum = 0;
    for (float& minimum : state->minima) {
      sum += static_cast<double>(minimum);
      minimum = std::numeric_limits<float>::quiet_NaN();
    }
    state->row_distances[static_cast<size_t>(row)] = static_cast<float>(sum);
  }

  /// Offers those of the rows (from `at` of the piece on) that can still be among the nearest.
  void Select(const OpenFragment& open, const PieceRows& rows, uint64_t at,
              const VectorColumn& column, const float* distances, size_t count, NearestK* nearest,
              State* state) const {
    state->selected.resize(std::max(state->selected.size(), count));
    const size_t found = kernels::SelectAtMost(distances, count, std::min(nearest->bound(), upper_),
                                               state->selected.data());
    for (size_t k = 0; k < found; ++k) {
      const size_t i = state->selected[k];
      const float distance = distances[i];
      const uint64_t offset = rows.Offset(at + i);
      if (distance > nearest->bound() || !rows.Wants(at + i) ||
          (query_.lower_bound.has_value() && distance < *query_.lower_bound) ||
          column.IsNull(static_cast<int64_t>(at + i)) ||
          (open.deletions != nullptr && open.deletions->Contains(static_cast<uint32_t>(offset)))) {
        continue;
      }
      const uint64_t address = open.fragment->id() << 32 | offset;
      const uint64_t row_id = open.row_ids == nullptr ? address : open.row_ids->Get(offset);
      nearest->Offer({distance, row_id, address});
    }
  }

  const table::Snapshot& snapshot_;
  const VectorRequest& request_;
  const VectorQuery& query_;
  const RowFilter* const filter_;  // nullptr: all rows
  const uint64_t total_rows_;
  const size_t keep_;
  size_t block_rows_ = kMinBlockRows;
  float upper_ = std::numeric_limits<float>::infinity();
  bool empty_ = false;
  file::ReadOptions read_options_;

  std::mutex mutex_;
  std::vector<std::shared_ptr<State>> states_;
  std::vector<std::shared_ptr<State>> free_;
  uint64_t rows_done_ = 0;
};

}  // namespace

arrow::Result<std::vector<std::vector<Neighbor>>> FindNearest(const table::Snapshot& snapshot,
                                                              const VectorRequest& request,
                                                              const VectorQuery& query,
                                                              const RowFilter* filter) {
  uint64_t total_rows = 0;
  for (const auto& fragment : snapshot.fragments()) {
    total_rows += fragment->physical_rows();
  }
  if (filter != nullptr && filter->always_false()) {
    return std::vector<std::vector<Neighbor>>(request.num_queries());
  }
  Searcher searcher(snapshot, request, query, filter, total_rows);
  ARROW_RETURN_NOT_OK(searcher.Run());
  return searcher.Results();
}

}  // namespace glaive::query
