// Merging rows by key: matched rows are written anew, others inserted, rows of the table without a
// match deleted; all as one Update.
#include <algorithm>
#include <map>
#include <set>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/bind.h"
#include "expr/parse.h"
#include "query/compute.h"
#include "query/scan.h"
#include "write/change.h"
#include "write/deletions.h"
#include "write/key_index.h"
#include "write/merge_source.h"
#include "write/moved_rows.h"
#include "write/row_batches.h"

namespace glaive::write {

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr char kSource[] = "source";
constexpr char kTarget[] = "target";
constexpr int64_t kRowsPerSlice = 8192;
/// The part of the memory budget that such rows may hold.
constexpr uint64_t kSliceShare = 32;
/// Up to so many inserted keys a transaction names them one by one.
constexpr size_t kMostExactKeys = 64 << 10;
/// The only size of filter that other writers compare with theirs.
constexpr uint32_t kFilterBytes = 32 << 10;
constexpr uint64_t kFilterItems = 8192;
constexpr double kFilterProbability = 0.00057;

/// A row of the table and the source row of its key.
struct Match {
  int64_t source = 0;
  uint64_t address = 0;
  uint64_t row_id = 0;
};

/// What the request says, bound to the table and the source. Immutable.
struct MergePlan {
  std::optional<expr::BoundExpression> condition;
  std::map<std::string, expr::BoundExpression> set;
  std::vector<std::string> target_columns;  ///< needed of matched rows, in the table's order
  expr::NodePtr delete_condition;
};

arrow::Status CheckClauses(const MergeRequest& request) {
  GLAIVE_CHECK_ARGUMENT(request.update_matched || request.insert_unmatched ||
                            request.delete_unmatched_by_source || request.fail_on_match,
                        "the merge says nothing to do: ask to update matched rows, insert others, "
                        "or delete rows that the source lacks");
  GLAIVE_CHECK_ARGUMENT(
      request.update_matched || (request.set.empty() && request.update_condition.empty()),
      "update_condition and set need update_matched");
  GLAIVE_CHECK_ARGUMENT(!(request.update_matched && request.fail_on_match),
                        "a merge either updates matched rows or fails on them");
  GLAIVE_CHECK_ARGUMENT(request.delete_unmatched_by_source || request.delete_condition.empty(),
                        "delete_condition needs delete_unmatched_by_source");
  return arrow::Status::OK();
}

/// A source without a column that may not be null can't be inserted.
arrow::Status CheckInsertable(const table::Snapshot& snapshot, const KeptSource& source) {
  for (const auto& field : snapshot.arrow_schema()->fields()) {
    GLAIVE_CHECK_ARGUMENT(
        field->nullable() || source.schema()->GetFieldIndex(field->name()) >= 0,
        "rows without column '", field->name(),
        "', which is not nullable, can't be inserted; add the column to the source");
  }
  return arrow::Status::OK();
}

/// The tree with target.x written as x.
expr::NodePtr WithoutTarget(const expr::NodePtr& node) {
  auto copy = std::make_shared<expr::Node>(*node);
  if (copy->kind == expr::NodeKind::kColumn && copy->path.size() > 1 && copy->path[0] == kTarget) {
    copy->path.erase(copy->path.begin());
  }
  for (auto& child : copy->children) {
    child = WithoutTarget(child);
  }
  return copy;
}

arrow::Result<MergePlan> MakePlan(const table::Snapshot& snapshot, const MergeRequest& request,
                                  const KeptSource& source) {
  MergePlan plan;
  const auto both = arrow::schema({
      arrow::field(kSource, arrow::struct_(source.schema()->fields())),
      arrow::field(kTarget, arrow::struct_(snapshot.arrow_schema()->fields())),
  });
  expr::BindOptions options;
  options.parameters = &request.parameters;
  options.pool = snapshot.session()->options().pool;
  std::set<std::string> needed;
  const auto note = [&needed](const expr::BoundExpression& bound) {
    for (const auto& path : bound.columns()) {
      if (path[0] == kTarget && path.size() > 1) {
        needed.insert(path[1]);
      }
    }
  };
  if (!request.update_condition.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto tree, request.update_condition.Parse());
    ARROW_ASSIGN_OR_RAISE(plan.condition, expr::BindFilter(tree.node(), *both, options));
    note(*plan.condition);
  }
  for (const auto& [path, clause] : request.set) {
    ARROW_ASSIGN_OR_RAISE(const auto names, expr::ParseColumnPath(path));
    ARROW_ASSIGN_OR_RAISE(const auto* field, snapshot.schema().FindByPath(path));
    GLAIVE_CHECK_ARGUMENT(names.size() == 1, "'", path,
                          "' is part of a column; a merge sets whole columns");
    GLAIVE_CHECK_ARGUMENT(plan.set.count(names[0]) == 0, "column '", path, "' is set twice");
    ARROW_ASSIGN_OR_RAISE(const auto type, field->ArrowType());
    ARROW_ASSIGN_OR_RAISE(const auto tree, clause.Parse());
    ARROW_ASSIGN_OR_RAISE(auto value, expr::BindAs(tree.node(), *both, type, options));
    note(value);
    plan.set.emplace(names[0], std::move(value));
  }
  for (const auto& field : snapshot.arrow_schema()->fields()) {
    const bool kept = plan.set.empty() ? source.schema()->GetFieldIndex(field->name()) < 0
                                       : plan.set.count(field->name()) == 0;
    if (kept || needed.count(field->name()) != 0) {
      plan.target_columns.push_back(field->name());
    }
  }
  if (!request.delete_condition.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto tree, request.delete_condition.Parse());
    const bool has_target = snapshot.arrow_schema()->GetFieldIndex(kTarget) >= 0;
    plan.delete_condition = has_target ? tree.node() : WithoutTarget(tree.node());
  }
  return plan;
}

arrow::Result<BatchPtr> KeysOf(const arrow::RecordBatch& batch,
                               const std::vector<std::string>& key) {
  std::vector<int> columns;
  for (const auto& name : key) {
    columns.push_back(batch.schema()->GetFieldIndex(name));
  }
  return batch.SelectColumns(columns);
}

arrow::Result<std::shared_ptr<arrow::Array>> Indices(const std::vector<int64_t>& rows,
                                                     arrow::MemoryPool* pool) {
  arrow::Int64Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.AppendValues(rows));
  return builder.Finish();
}

/// The rows to be written: first those that replace rows of the table, then new ones. Fills
/// `moved`.
class MergedRows final : public arrow::RecordBatchReader {
 public:
  MergedRows(std::shared_ptr<const table::Snapshot> snapshot, const MergeRequest& request,
             const KeptSource& source, const MergePlan& plan, MovedRows* moved)
      : snapshot_(std::move(snapshot)),
        request_(request),
        source_(source),
        plan_(plan),
        moved_(moved),
        schema_(arrow::schema(snapshot_->arrow_schema()->fields())) {
    pool_ = snapshot_->session()->options().pool;
    pool_ = pool_ != nullptr ? pool_ : arrow::default_memory_pool();
  }

  arrow::Status Start() {
    if (source_.spilled()) {
      ARROW_RETURN_NOT_OK(source_.CheckUnique(*snapshot_));
    }
    ARROW_ASSIGN_OR_RAISE(chunks_, source_.Chunks());
    uint64_t bytes = 0;
    uint64_t rows = 1;
    for (const auto& fragment : snapshot_->fragments()) {
      rows += fragment->physical_rows();
      for (const auto& file : fragment->pb().files()) {
        bytes += file.file_size_bytes();
      }
    }
    table_row_bytes_ = plan_.target_columns.empty() ? 0 : bytes / rows;
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* batch) override {
    batch->reset();
    while (*batch == nullptr && phase_ != Phase::kDone) {
      ARROW_RETURN_NOT_OK(request_.write.cancel.Check("merge"));
      ARROW_RETURN_NOT_OK(phase_ == Phase::kMatch ? NextUpdated(batch) : NextInserted(batch));
    }
    return arrow::Status::OK();
  }

  /// Hashes of the inserted keys; empty and `many` if they are too many to be named.
  const std::vector<uint64_t>& inserted_hashes() const { return inserted_hashes_; }

  bool many_inserted() const { return many_inserted_; }

 private:
  enum class Phase { kMatch, kInsert, kDone };

  /// Rows of the chunk that are handed on at once: wide ones in small steps.
  void SizeSlices() {
    const uint64_t budget = snapshot_->session()->budget().limit_bytes();
    const auto rows = std::max<uint64_t>(static_cast<uint64_t>(chunk_->num_rows()), 1);
    const uint64_t row_bytes = query::BatchBytes(*chunk_) / rows + table_row_bytes_ + 1;
    slice_rows_ = static_cast<int64_t>(std::clamp<uint64_t>(budget / kSliceShare / row_bytes, 1,
                                                            static_cast<uint64_t>(kRowsPerSlice)));
  }

  // ---- matched rows ----

  arrow::Status NextUpdated(BatchPtr* batch) {
    if (done_matches_ < matches_.size()) {
      const size_t count =
          std::min<size_t>(matches_.size() - done_matches_, static_cast<size_t>(slice_rows_));
      const auto first = matches_.begin() + static_cast<ptrdiff_t>(done_matches_);
      done_matches_ += count;
      return Updated({first, first + static_cast<ptrdiff_t>(count)}, batch);
    }
    chunk_ = nullptr;  // before another one takes its room
    ARROW_RETURN_NOT_OK(chunks_->ReadNext(&chunk_));
    if (chunk_ != nullptr) {
      return MatchChunk();
    }
    if (request_.delete_unmatched_by_source) {
      ARROW_RETURN_NOT_OK(DropUnmatched());
    }
    phase_ = request_.insert_unmatched ? Phase::kInsert : Phase::kDone;
    ARROW_ASSIGN_OR_RAISE(chunks_, source_.Chunks());
    return arrow::Status::OK();
  }

  arrow::Status MatchChunk() {
    SizeSlices();
    matches_.clear();
    done_matches_ = 0;
    ARROW_ASSIGN_OR_RAISE(const auto keys, KeysOf(*chunk_, source_.key()));
    ARROW_ASSIGN_OR_RAISE(const auto index, KeyIndex::Make(*keys, pool_));
    std::vector<bool> matched(static_cast<size_t>(chunk_->num_rows()));
    ScanOptions scan;
    for (const auto& name : source_.key()) {
      scan.columns.push_back(expr::QuoteIdentifier(name));
    }
    scan.with_row_id = true;
    scan.with_row_address = true;
    scan.cancel = request_.write.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto reader, query::ScanSnapshot(snapshot_, scan));
    for (;;) {
      BatchPtr batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) {
        break;
      }
      ARROW_RETURN_NOT_OK(MatchBatch(*batch, index, &matched));
    }
    return request_.insert_unmatched ? NoteUnmatched(index, matched) : arrow::Status::OK();
  }

  arrow::Status MatchBatch(const arrow::RecordBatch& batch, const KeyIndex& index,
                           std::vector<bool>* matched) {
    const int width = batch.num_columns() - 2;
    const auto& ids = static_cast<const arrow::UInt64Array&>(*batch.column(width));
    const auto& addresses = static_cast<const arrow::UInt64Array&>(*batch.column(width + 1));
    ARROW_ASSIGN_OR_RAISE(const auto keys, KeysOf(batch, source_.key()));
    ARROW_ASSIGN_OR_RAISE(const auto found, index.Find(*keys, pool_));
    for (size_t row = 0; row < found.size(); ++row) {
      if (found[row] == KeyIndex::kNone) {
        continue;
      }
      const auto at = static_cast<int64_t>(row);
      if (request_.fail_on_match) {
        return AlreadyExists("the table holds a row with the key ",
                             KeyText(*chunk_, source_.key(), found[row]));
      }
      GLAIVE_CHECK_ARGUMENT(!request_.update_matched || index.NextOf(found[row]) == KeyIndex::kNone,
                            "two rows of the source have the key ",
                            KeyText(*chunk_, source_.key(), found[row]),
                            ", and one row of the table matches them; keep one of them");
      for (int64_t next = found[row]; next != KeyIndex::kNone; next = index.NextOf(next)) {
        (*matched)[static_cast<size_t>(next)] = true;
      }
      if (request_.update_matched) {
        matches_.push_back({found[row], addresses.Value(at), ids.Value(at)});
      }
      if (request_.delete_unmatched_by_source) {
        matched_rows_.Add(addresses.Value(at));
      }
    }
    return arrow::Status::OK();
  }

  /// Source rows of the chunk to be inserted.
  arrow::Status NoteUnmatched(const KeyIndex& index, const std::vector<bool>& matched) {
    for (size_t row = 0; row < matched.size(); ++row) {
      const auto at = static_cast<int64_t>(row);
      unmatched_.push_back(!matched[row]);
      if (matched[row]) {
        continue;
      }
      GLAIVE_CHECK_ARGUMENT(index.IsFirst(at), "two rows of the source have the key ",
                            KeyText(*chunk_, source_.key(), at),
                            "; only one of them can be inserted");
      many_inserted_ = many_inserted_ || inserted_hashes_.size() >= kMostExactKeys;
      if (!many_inserted_) {
        inserted_hashes_.push_back(index.HashOf(at));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Updated(std::vector<Match> matches, BatchPtr* batch) {
    ARROW_ASSIGN_OR_RAISE(auto source, SourceRows(matches));
    ARROW_ASSIGN_OR_RAISE(auto target, TargetRows(matches));
    if (plan_.condition.has_value()) {
      ARROW_ASSIGN_OR_RAISE(const auto both, Both(*source, *target));
      ARROW_ASSIGN_OR_RAISE(const auto mask, plan_.condition->EvaluateFilter(*both));
      ARROW_ASSIGN_OR_RAISE(source, query::FilterRows(source, mask, pool_));
      ARROW_ASSIGN_OR_RAISE(target, query::FilterRows(target, mask, pool_));
      std::vector<Match> passed;
      for (size_t i = 0; i < matches.size(); ++i) {
        if (mask->Value(static_cast<int64_t>(i))) {
          passed.push_back(matches[i]);
        }
      }
      matches = std::move(passed);
    }
    if (matches.empty()) {
      return arrow::Status::OK();
    }
    for (const Match& match : matches) {
      moved_->Add(match.row_id, match.address);
    }
    ARROW_ASSIGN_OR_RAISE(auto columns, NewColumns(*source, *target));
    *batch =
        arrow::RecordBatch::Make(schema_, static_cast<int64_t>(matches.size()), std::move(columns));
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> NewColumns(const arrow::RecordBatch& source,
                                               const arrow::RecordBatch& target) {
    BatchPtr both;
    if (!plan_.set.empty()) {
      ARROW_ASSIGN_OR_RAISE(both, Both(source, target));
    }
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      if (const auto set = plan_.set.find(field->name()); set != plan_.set.end()) {
        ARROW_ASSIGN_OR_RAISE(auto value, set->second.Evaluate(*both));
        columns.push_back(std::move(value));
        continue;
      }
      auto column = plan_.set.empty() ? source.GetColumnByName(field->name()) : nullptr;
      columns.push_back(column != nullptr ? std::move(column)
                                          : target.GetColumnByName(field->name()));
    }
    return columns;
  }

  arrow::Result<BatchPtr> SourceRows(const std::vector<Match>& matches) const {
    std::vector<int64_t> rows;
    rows.reserve(matches.size());
    for (const Match& match : matches) {
      rows.push_back(match.source);
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, Indices(rows, pool_));
    return query::TakeRows(chunk_, indices, pool_);
  }

  arrow::Result<BatchPtr> TargetRows(const std::vector<Match>& matches) const {
    if (plan_.target_columns.empty()) {
      return arrow::RecordBatch::Make(arrow::schema({}), static_cast<int64_t>(matches.size()),
                                      arrow::ArrayVector{});
    }
    TakeOptions options;
    for (const auto& name : plan_.target_columns) {
      options.columns.push_back(expr::QuoteIdentifier(name));
    }
    options.blobs = BlobRead::kBytes;
    std::vector<uint64_t> addresses;
    addresses.reserve(matches.size());
    for (const Match& match : matches) {
      addresses.push_back(match.address);
    }
    return query::TakeAddresses(*snapshot_, addresses, options);
  }

  static arrow::Result<BatchPtr> Both(const arrow::RecordBatch& source,
                                      const arrow::RecordBatch& target) {
    ARROW_ASSIGN_OR_RAISE(const auto left, source.ToStructArray());
    ARROW_ASSIGN_OR_RAISE(const auto right, target.ToStructArray());
    return arrow::RecordBatch::Make(
        arrow::schema({arrow::field(kSource, left->type()), arrow::field(kTarget, right->type())}),
        source.num_rows(), arrow::ArrayVector{left, right});
  }

  // ---- rows of the table without a match ----

  arrow::Status DropUnmatched() {
    ScanOptions scan;
    scan.columns = {"_rowaddr"};
    if (plan_.delete_condition != nullptr) {
      scan.filter = Expression(plan_.delete_condition);
    }
    scan.parameters = request_.parameters;
    scan.cancel = request_.write.cancel;
    ARROW_ASSIGN_OR_RAISE(const auto reader, query::ScanSnapshot(snapshot_, scan));
    for (;;) {
      BatchPtr batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) {
        return arrow::Status::OK();
      }
      const auto& addresses = static_cast<const arrow::UInt64Array&>(*batch->column(0));
      for (int64_t i = 0; i < addresses.length(); ++i) {
        if (!matched_rows_.Contains(addresses.Value(i))) {
          moved_->Drop(addresses.Value(i));
        }
      }
    }
  }

  // ---- new rows ----

  arrow::Status NextInserted(BatchPtr* batch) {
    if (chunk_ == nullptr || chunk_row_ >= chunk_->num_rows()) {
      chunk_ = nullptr;
      ARROW_RETURN_NOT_OK(chunks_->ReadNext(&chunk_));
      chunk_row_ = 0;
      if (chunk_ == nullptr) {
        phase_ = Phase::kDone;
      } else {
        SizeSlices();
      }
      return arrow::Status::OK();
    }
    std::vector<int64_t> rows;
    while (chunk_row_ < chunk_->num_rows() && static_cast<int64_t>(rows.size()) < slice_rows_) {
      if (unmatched_[inserted_from_++]) {
        rows.push_back(chunk_row_);
      }
      ++chunk_row_;
    }
    if (rows.empty()) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto indices, Indices(rows, pool_));
    ARROW_ASSIGN_OR_RAISE(const auto source, query::TakeRows(chunk_, indices, pool_));
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      auto column = source->GetColumnByName(field->name());
      if (column == nullptr) {
        ARROW_ASSIGN_OR_RAISE(column,
                              arrow::MakeArrayOfNull(field->type(), source->num_rows(), pool_));
      }
      columns.push_back(std::move(column));
    }
    moved_->num_inserted += rows.size();
    *batch = arrow::RecordBatch::Make(schema_, source->num_rows(), std::move(columns));
    return arrow::Status::OK();
  }

  const std::shared_ptr<const table::Snapshot> snapshot_;
  const MergeRequest& request_;
  const KeptSource& source_;
  const MergePlan& plan_;
  MovedRows* const moved_;
  const std::shared_ptr<arrow::Schema> schema_;
  arrow::MemoryPool* pool_ = nullptr;

  Phase phase_ = Phase::kMatch;
  std::shared_ptr<arrow::RecordBatchReader> chunks_;
  BatchPtr chunk_;
  std::vector<Match> matches_;  ///< of the chunk, in the order of their addresses
  size_t done_matches_ = 0;
  uint64_t table_row_bytes_ = 0;  ///< as stored; 0 if nothing is read of matched rows
  int64_t slice_rows_ = kRowsPerSlice;
  RowSet matched_rows_;          ///< of the table
  std::vector<bool> unmatched_;  ///< by row of the whole source
  std::vector<uint64_t> inserted_hashes_;
  bool many_inserted_ = false;
  int64_t chunk_row_ = 0;
  size_t inserted_from_ = 0;
};

/// Which keys the change inserts, so that no other change that inserts one of them can land beside
/// it.
void NameInsertedKeys(const table::Snapshot& snapshot, const KeptSource& source,
                      const MergedRows& rows, lance::table::Transaction::Update* update) {
  auto* filter = update->mutable_inserted_rows();
  for (const auto& name : source.key()) {
    for (const auto& field : snapshot.schema().fields()) {
      if (field.name == name) {
        filter->add_field_ids(field.id);
      }
    }
  }
  if (!rows.many_inserted()) {
    const auto& hashes = rows.inserted_hashes();
    filter->mutable_exact()->mutable_key_hashes()->Assign(hashes.begin(), hashes.end());
    return;
  }
  auto* bloom = filter->mutable_bloom();
  bloom->set_bitmap(std::string(kFilterBytes, '\xff'));
  bloom->set_num_bits(kFilterBytes * 8);
  bloom->set_number_of_items(kFilterItems);
  bloom->set_probability(kFilterProbability);
}

}  // namespace

ChangeResult MakeMerge(const std::shared_ptr<const table::Snapshot>& snapshot,
                       const MergeRequest& request, MergeSource& source) {
  const auto& kept = static_cast<const KeptSource&>(source);
  ARROW_RETURN_NOT_OK(CheckClauses(request));
  ARROW_RETURN_NOT_OK(kept.CheckStillFits(*snapshot));
  if (request.insert_unmatched) {
    ARROW_RETURN_NOT_OK(CheckInsertable(*snapshot, kept));
  }
  ARROW_ASSIGN_OR_RAISE(const auto plan, MakePlan(*snapshot, request, kept));
  MovedRows moved;
  moved.keeps_row_ids = snapshot->manifest().stable_row_ids();
  MergedRows rows(snapshot, request, kept, plan, &moved);
  ARROW_RETURN_NOT_OK(rows.Start());
  WriteOptions options = request.write;
  if (request.set.empty()) {
    // The source was checked when it was read, and old vectors stay as they are.
    options.bad_vectors = BadVectors::kAllow;
  }
  ARROW_ASSIGN_OR_RAISE(auto change, WriteMoved(*snapshot, rows, options, &moved));
  if (change.has_value()) {
    change->num_source = kept.num_rows();
    auto* update = change->transaction.mutable_update();
    for (const int32_t id : snapshot->schema().AllIds()) {
      update->add_fields_for_preserving_frag_bitmap(static_cast<uint32_t>(id));
    }
    if (change->num_inserted > 0) {
      NameInsertedKeys(*snapshot, kept, rows, update);
    }
  }
  return change;
}

}  // namespace glaive::write
