#include "db/table_impl.h"
#include "query/vector_search.h"

namespace glaive {

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::Search(const VectorQuery& query) const {
  return impl_->WithCurrent(
      [&](const auto& snapshot) { return query::SearchSnapshot(snapshot, query); });
}

}  // namespace glaive
