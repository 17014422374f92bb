#include "db/table_impl.h"
#include "query/scan.h"
#include "query/vector_search.h"

namespace glaive {

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::Search(const VectorQuery& query) const {
  return impl_->WithCurrent(
      [&](const auto& snapshot) { return query::SearchSnapshot(snapshot, query); });
}

arrow::Result<uint64_t> Table::CountRows(const CountOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return query::CountSnapshot(snapshot, options);
}

arrow::Result<std::string> Table::Explain(const ScanOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return query::ExplainScan(*snapshot, options);
}

arrow::Result<std::string> Table::Explain(const VectorQuery& query) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return query::ExplainSearch(*snapshot, query);
}

}  // namespace glaive
