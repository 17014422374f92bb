#include "db/table_impl.h"
#include "query/vector_search.h"

namespace glaive {

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::Search(const VectorQuery& query) const {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, impl_->Current());
  return query::SearchSnapshot(snapshot, query);
}

}  // namespace glaive
