#include "glaive/table.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/status.h"
#include "db/table_impl.h"
#include "file/json_text.h"
#include "query/scan.h"

namespace glaive {

namespace {

/// A scan whose version stays until it is gone.
class LeasedReader final : public arrow::RecordBatchReader {
 public:
  LeasedReader(std::shared_ptr<arrow::RecordBatchReader> rows,
               std::shared_ptr<io::ObjectLock> lease)
      : lease_(std::move(lease)), rows_(std::move(rows)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return rows_->ReadNext(batch);
  }

  arrow::Status Close() override {
    ARROW_RETURN_NOT_OK(rows_->Close());
    lease_ = nullptr;
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<io::ObjectLock> lease_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;
};

}  // namespace

Table::Table(std::shared_ptr<db::TableImpl> impl) : impl_(std::move(impl)) {}

Table::~Table() = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

const std::string& Table::name() const {
  return impl_->name();
}

std::string Table::location() const {
  return impl_->versions().store()->root();
}

arrow::Result<uint64_t> Table::Version() const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return snapshot->version();
}

arrow::Result<std::shared_ptr<arrow::Schema>> Table::Schema() const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return file::WithJsonText(snapshot->arrow_schema());
}

arrow::Result<uint64_t> Table::CountRows() const {
  return impl_->WithCurrent([](const auto& snapshot) { return snapshot->CountRows(); });
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Table::Scan(
    const ScanOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(auto current, impl_->CurrentLeased());
  ARROW_ASSIGN_OR_RAISE(auto rows, query::ScanSnapshot(std::move(current.snapshot), options));
  return std::make_shared<LeasedReader>(std::move(rows), std::move(current.lease));
}

arrow::Status Table::ScanToCStream(const ScanOptions& options, struct ArrowArrayStream* out) const {
  GLAIVE_CHECK_ARGUMENT(out != nullptr, "the stream to fill is null");
  ARROW_ASSIGN_OR_RAISE(auto reader, Scan(options));
  return arrow::ExportRecordBatchReader(std::move(reader), out);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::TakeOffsets(
    const std::vector<uint64_t>& offsets, const TakeOptions& options) const {
  return impl_->WithCurrent(
      [&](const auto& snapshot) { return query::TakeOffsets(*snapshot, offsets, options); });
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::TakeRowIds(
    const std::vector<uint64_t>& row_ids, const TakeOptions& options) const {
  return impl_->WithCurrent(
      [&](const auto& snapshot) { return query::TakeRowIds(*snapshot, row_ids, options); });
}

arrow::Result<AddResult> Table::Add(std::shared_ptr<arrow::RecordBatchReader> data,
                                    const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(data != nullptr, "the data to add is null");
  return impl_->Add(*data, options);
}

arrow::Result<AddResult> Table::Add(std::shared_ptr<arrow::RecordBatch> batch,
                                    const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(batch != nullptr, "the batch to add is null");
  auto schema = batch->schema();
  ARROW_ASSIGN_OR_RAISE(const auto data,
                        arrow::RecordBatchReader::Make({std::move(batch)}, std::move(schema)));
  return impl_->Add(*data, options);
}

arrow::Result<AddResult> Table::AddFromCStream(struct ArrowArrayStream* stream,
                                               const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(stream != nullptr && stream->release != nullptr,
                        "the stream to add is null or released");
  ARROW_ASSIGN_OR_RAISE(const auto data, arrow::ImportRecordBatchReader(stream));
  return impl_->Add(*data, options);
}

arrow::Result<AddResult> Table::Overwrite(std::shared_ptr<arrow::RecordBatchReader> data,
                                          const WriteOptions& options) {
  GLAIVE_CHECK_ARGUMENT(data != nullptr, "the data to overwrite with is null");
  return impl_->Overwrite(*data, options);
}

arrow::Result<std::vector<VersionInfo>> Table::ListVersions(uint64_t limit) const {
  return impl_->ListVersions(limit);
}

arrow::Status Table::Checkout(uint64_t version) {
  return impl_->Pin(impl_->versions(), version);
}

arrow::Status Table::CheckoutTag(const std::string& tag) {
  return impl_->CheckoutTag(tag);
}

arrow::Status Table::CheckoutAsOf(int64_t nanos_since_epoch) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->versions().OpenAsOf(nanos_since_epoch));
  return impl_->Pin(impl_->versions(), snapshot->version());
}

arrow::Status Table::CheckoutLatest() {
  impl_->Unpin();
  return impl_->Refresh();
}

arrow::Status Table::Refresh() {
  return impl_->Refresh();
}

bool Table::is_checked_out() const {
  return impl_->pinned();
}

arrow::Result<uint64_t> Table::Restore() {
  return impl_->Restore();
}

arrow::Result<std::vector<TagInfo>> Table::ListTags() const {
  ARROW_ASSIGN_OR_RAISE(const auto tags, impl_->versions().ListTags());
  std::vector<TagInfo> infos;
  infos.reserve(tags.size());
  for (const auto& tag : tags) {
    infos.push_back({tag.name, tag.version, tag.branch, tag.created_at});
  }
  return infos;
}

arrow::Status Table::CreateTag(const std::string& tag, uint64_t version) {
  return impl_->versions().CreateTag(tag, version);
}

arrow::Status Table::UpdateTag(const std::string& tag, uint64_t version) {
  return impl_->versions().UpdateTag(tag, version);
}

arrow::Status Table::DeleteTag(const std::string& tag) {
  return impl_->versions().DeleteTag(tag);
}

arrow::Result<std::vector<std::string>> Table::ListBranches() const {
  ARROW_ASSIGN_OR_RAISE(const auto branches, impl_->versions().ListBranches());
  std::vector<std::string> names;
  names.reserve(branches.size());
  for (const auto& branch : branches) {
    names.push_back(branch.name);
  }
  return names;
}

arrow::Result<Table> Table::OpenBranch(const std::string& branch) const {
  ARROW_ASSIGN_OR_RAISE(auto versions, impl_->versions().OpenBranch(branch));
  auto table = std::make_shared<db::TableImpl>(impl_->name(), std::move(versions), UpkeepOptions(),
                                               impl_->read_consistency_nanos());
  ARROW_RETURN_NOT_OK(table->Current().status());
  return Table(std::move(table));
}

arrow::Result<TableLayout> Table::Inspect() const {
  return impl_->Inspect();
}

arrow::Result<VerifyReport> Table::Verify(const ProgressCallback& progress,
                                          const CancelToken& cancel) const {
  return impl_->Verify(progress, cancel);
}

}  // namespace glaive
