#include "query/top_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "query/gather.h"

namespace glaive::query {

namespace {

using arrow::Type;

constexpr uint8_t kNullFirst = 0;
constexpr uint8_t kValue = 1;
constexpr uint8_t kNullLast = 2;

/// A number that orders as the values do: NaN last, -0 equal to 0.
template <typename T>
uint64_t Ordered(T value) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  if constexpr (std::is_floating_point_v<T>) {
    const double wide = value == 0 ? 0.0 : double{value};
    if (std::isnan(wide)) {
      return std::numeric_limits<uint64_t>::max();
    }
    uint64_t bits = 0;
    std::memcpy(&bits, &wide, sizeof(bits));
    return (bits & kSign) != 0 ? ~bits : bits | kSign;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<uint64_t>(int64_t{value}) ^ kSign;
  } else {
    return uint64_t{value};
  }
}

}  // namespace

template <typename T>
void TopRows::Numbers(const arrow::Array& array, const Bound* bound,
                      std::vector<Candidate>* found) const {
  const T* values = array.data()->GetValues<T>(1);
  const uint64_t flip = keys_[0].ascending ? 0 : std::numeric_limits<uint64_t>::max();
  const auto rows = static_cast<uint32_t>(array.length());
  if (array.null_count() > 0) {
    const uint8_t null_rank = keys_[0].nulls_first ? kNullFirst : kNullLast;
    for (uint32_t row = 0; row < rows; ++row) {
      const Key key =
          array.IsNull(row) ? Key{null_rank, 0, {}} : Key{kValue, Ordered(values[row]) ^ flip, {}};
      if (bound == nullptr || !(bound->key < key)) {
        found->push_back({key, row});
      }
    }
    return;
  }
  if (bound != nullptr && bound->key.rank < kValue) {
    return;
  }
  const uint64_t most = bound == nullptr || bound->key.rank > kValue
                            ? std::numeric_limits<uint64_t>::max()
                            : bound->key.number;
  for (uint32_t row = 0; row < rows; ++row) {
    const uint64_t number = Ordered(values[row]) ^ flip;
    if (number <= most) {
      found->push_back({{kValue, number, {}}, row});
    }
  }
}

/// False if the column's values are no numbers of at most eight bytes.
bool TopRows::FindByNumber(const arrow::Array& array, const Bound* bound,
                           std::vector<Candidate>* found) const {
  switch (array.type_id()) {
    case Type::INT8:
      Numbers<int8_t>(array, bound, found);
      return true;
    case Type::UINT8:
      Numbers<uint8_t>(array, bound, found);
      return true;
    case Type::INT16:
      Numbers<int16_t>(array, bound, found);
      return true;
    case Type::UINT16:
      Numbers<uint16_t>(array, bound, found);
      return true;
    case Type::INT32:
    case Type::DATE32:
    case Type::TIME32:
      Numbers<int32_t>(array, bound, found);
      return true;
    case Type::UINT32:
      Numbers<uint32_t>(array, bound, found);
      return true;
    case Type::INT64:
    case Type::DATE64:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
      Numbers<int64_t>(array, bound, found);
      return true;
    case Type::UINT64:
      Numbers<uint64_t>(array, bound, found);
      return true;
    case Type::FLOAT:
      Numbers<float>(array, bound, found);
      return true;
    case Type::DOUBLE:
      Numbers<double>(array, bound, found);
      return true;
    default:
      return false;
  }
}

void TopRows::Tighten(const Key& worst) {
  auto bound = std::make_shared<Bound>();
  bound->bytes = std::string(worst.bytes);
  bound->key = worst;
  bound->key.bytes = bound->bytes;
  std::lock_guard lock(mutex_);
  if (bound_ == nullptr || bound->key < bound_->key) {
    bound_ = std::move(bound);
  }
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TopRows::Reduce(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto rows = static_cast<uint64_t>(batch->num_rows());
  if (rows == 0 || rows > std::numeric_limits<uint32_t>::max()) {
    return batch;
  }
  std::shared_ptr<const Bound> bound;
  {
    std::lock_guard lock(mutex_);
    bound = bound_;
  }
  std::vector<Candidate> found;
  RowKeys encoded;
  if (keys_.size() != 1 || !FindByNumber(*batch->column(keys_[0].column), bound.get(), &found)) {
    ARROW_ASSIGN_OR_RAISE(encoded, EncodeOrdered(*batch, keys_, pool_));
    for (uint32_t row = 0; row < rows; ++row) {
      const Key key{kValue, 0, encoded.at(row)};
      if (bound == nullptr || !(bound->key < key)) {
        found.push_back({key, row});
      }
    }
  }
  if (found.size() > limit_) {
    const auto end = found.begin() + static_cast<ptrdiff_t>(limit_);
    std::nth_element(found.begin(), end - 1, found.end());
    Tighten((end - 1)->key);
    found.erase(end, found.end());
    std::sort(found.begin(), found.end(),
              [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
  }
  if (found.size() == rows) {
    return batch;
  }
  std::vector<uint32_t> kept;
  kept.reserve(found.size());
  for (const auto& candidate : found) {
    kept.push_back(candidate.row);
  }
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) {
    ARROW_ASSIGN_OR_RAISE(auto values, Gather(column, kept, pool_));
    columns.push_back(std::move(values));
  }
  return arrow::RecordBatch::Make(batch->schema(), static_cast<int64_t>(kept.size()),
                                  std::move(columns));
}

}  // namespace glaive::query
