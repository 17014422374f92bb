#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "base/status.h"
#include "expr/bind.h"
#include "expr/bound_expression.h"

namespace glaive::expr {
namespace {

constexpr size_t kLongestPrint = 1 << 20;

Scope RowsOf(const arrow::RecordBatch& batch, const BoundExpression::Impl& impl) {
  Scope scope;
  scope.batch = &batch;
  scope.num_rows = batch.num_rows();
  scope.now_nanos = impl.now_nanos;
  scope.pool = impl.pool;
  return scope;
}

}  // namespace

const std::shared_ptr<arrow::DataType>& BoundExpression::type() const {
  return impl_->root->type;
}

const std::vector<std::vector<std::string>>& BoundExpression::columns() const {
  return impl_->columns;
}

bool BoundExpression::is_constant() const {
  return impl_->root->value != nullptr;
}

bool BoundExpression::is_column() const {
  return !impl_->root->column.empty();
}

arrow::Result<std::shared_ptr<arrow::Array>> BoundExpression::Evaluate(
    const arrow::RecordBatch& batch) const {
  const Scope scope = RowsOf(batch, *impl_);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum datum, expr::Evaluate(*impl_->root, scope));
  if (datum.is_chunked_array()) {
    return arrow::Concatenate(datum.chunked_array()->chunks(), scope.pool);
  }
  return AsArray(datum, scope);
}

arrow::Result<std::shared_ptr<arrow::BooleanArray>> BoundExpression::EvaluateFilter(
    const arrow::RecordBatch& batch) const {
  if (type()->id() != arrow::Type::BOOL) {
    return TypeMismatch("a filter must be boolean, not ", type()->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(auto array, Evaluate(batch));
  auto flags = std::static_pointer_cast<arrow::BooleanArray>(array);
  if (flags->null_count() == 0) {
    if (flags->data()->buffers[0] == nullptr) return flags;
    return std::make_shared<arrow::BooleanArray>(flags->length(), flags->values(), nullptr, 0,
                                                 flags->offset());
  }
  ARROW_ASSIGN_OR_RAISE(
      auto both,
      arrow::internal::BitmapAnd(impl_->pool, flags->values()->data(), flags->offset(),
                                 flags->null_bitmap_data(), flags->offset(), flags->length(), 0));
  return std::make_shared<arrow::BooleanArray>(flags->length(), both, nullptr, 0);
}

std::string BoundExpression::ToString() const {
  return Print(*impl_->root, kLongestPrint);
}

}  // namespace glaive::expr
