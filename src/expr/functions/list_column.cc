#include "expr/functions/list_column.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "base/status.h"

namespace glaive::expr::lists {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::Datum& datum,
                                                     arrow::MemoryPool* pool) {
  if (datum.is_scalar()) return arrow::MakeArrayFromScalar(*datum.scalar(), 1, pool);
  if (datum.is_array()) return datum.make_array();
  return InternalError("a function on lists was given neither an array nor a scalar");
}

}  // namespace

arrow::Result<ListColumn> ListColumn::Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
  ListColumn column;
  column.constant_ = datum.is_scalar();
  ARROW_ASSIGN_OR_RAISE(column.array_, ArrayOf(datum, pool));
  const arrow::Array& array = *column.array_;
  column.has_nulls_ = array.null_count() > 0;
  std::shared_ptr<arrow::Array> values;
  switch (array.type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      column.offsets32_ = list.raw_value_offsets();
      values = list.values();
      break;
    }
    case arrow::Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(array);
      column.offsets64_ = list.raw_value_offsets();
      values = list.values();
      break;
    }
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      column.fixed_size_ = list.value_length();
      column.fixed_offset_ = list.offset();
      values = list.values();
      break;
    }
    default:
      return InternalError("a function on lists was given ", array.type()->ToString());
  }
  if (array.length() == 0) {
    column.child_ = values->Slice(0, 0);
    return column;
  }
  column.first_ = column.At(0);
  column.child_ = values->Slice(column.first_, column.At(array.length()) - column.first_);
  return column;
}

bool ListColumn::IsNull(int64_t row) const {
  return has_nulls_ && array_->IsNull(constant_ ? 0 : row);
}

arrow::Result<ValueColumn> ValueColumn::Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
  ValueColumn column;
  column.constant_ = datum.is_scalar();
  ARROW_ASSIGN_OR_RAISE(column.array_, ArrayOf(datum, pool));
  return column;
}

bool ValueColumn::IsNull(int64_t row) const {
  return array_->IsNull(Index(row));
}

int64_t ValueColumn::Int(int64_t row) const {
  return static_cast<const arrow::Int64Array&>(*array_).Value(Index(row));
}

std::string_view ValueColumn::Text(int64_t row) const {
  return static_cast<const arrow::StringArray&>(*array_).GetView(Index(row));
}

int64_t Gather::AddSource(std::shared_ptr<arrow::Array> source) {
  int64_t base = next_base_;
  next_base_ += source->length();
  sources_.push_back(std::move(source));
  return base;
}

void Gather::AddRange(int64_t begin, int64_t end) {
  if (end <= begin) return;
  size_t old = indices_.size();
  indices_.resize(old + static_cast<size_t>(end - begin));
  std::iota(indices_.begin() + static_cast<std::ptrdiff_t>(old), indices_.end(), begin);
}

void Gather::NullRow() {
  null_rows_.push_back(static_cast<int64_t>(offsets_.size()) - 1);
  indices_.resize(static_cast<size_t>(offsets_.back()));
  EndRow();
}

arrow::Result<std::shared_ptr<arrow::Array>> Gather::Values(arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Array> all;
  if (sources_.size() == 1) {
    all = sources_[0];
  } else {
    ARROW_ASSIGN_OR_RAISE(all, arrow::Concatenate(sources_, pool));
  }
  auto length = static_cast<int64_t>(indices_.size());
  int64_t nulls = std::count(indices_.begin(), indices_.end(), kNull);
  std::shared_ptr<arrow::Buffer> validity;
  if (nulls > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateBitmap(length, pool));
    uint8_t* bits = validity->mutable_data();
    for (int64_t i = 0; i < length; ++i) {
      arrow::bit_util::SetBitTo(bits, i, indices_[static_cast<size_t>(i)] != kNull);
    }
    std::replace(indices_.begin(), indices_.end(), kNull, int64_t{0});
  }
  auto data = arrow::ArrayData::Make(arrow::int64(), length,
                                     {validity, arrow::Buffer::Wrap(indices_)}, nulls);
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum taken,
      arrow::compute::Take(arrow::Datum(all), arrow::Datum(data),
                           arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return taken.make_array();
}

arrow::Result<arrow::Datum> Gather::Lists(const TypePtr& type, arrow::MemoryPool* pool) {
  auto rows = static_cast<int64_t>(offsets_.size()) - 1;
  std::shared_ptr<arrow::Buffer> offsets;
  if (type->id() == arrow::Type::LARGE_LIST) {
    ARROW_ASSIGN_OR_RAISE(offsets, arrow::AllocateBuffer((rows + 1) * 8, pool));
    std::copy(offsets_.begin(), offsets_.end(), offsets->mutable_data_as<int64_t>());
  } else {
    GLAIVE_CHECK_ARGUMENT(offsets_.back() <= std::numeric_limits<int32_t>::max(),
                          "the lists of one batch hold ", offsets_.back(),
                          " elements, more than a list column can; use a large_list column");
    ARROW_ASSIGN_OR_RAISE(offsets, arrow::AllocateBuffer((rows + 1) * 4, pool));
    std::transform(offsets_.begin(), offsets_.end(), offsets->mutable_data_as<int32_t>(),
                   [](int64_t offset) { return static_cast<int32_t>(offset); });
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (!null_rows_.empty()) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateBitmap(rows, pool));
    uint8_t* bits = validity->mutable_data();
    arrow::bit_util::SetBitsTo(bits, 0, rows, true);
    for (int64_t row : null_rows_) arrow::bit_util::ClearBit(bits, row);
  }
  ARROW_ASSIGN_OR_RAISE(auto values, Values(pool));
  return arrow::Datum(arrow::ArrayData::Make(type, rows, {validity, offsets}, {values->data()},
                                             static_cast<int64_t>(null_rows_.size())));
}

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

namespace {

std::shared_ptr<arrow::Field> PlainField(const arrow::Field& field) {
  return field.WithType(Plain(field.type()));
}

}  // namespace

TypePtr Plain(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return Plain(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::EXTENSION:
      return Plain(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case arrow::Type::LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::list(PlainField(*type->field(0)));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(PlainField(*type->field(0)));
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(PlainField(*field));
      return arrow::struct_(std::move(fields));
    }
    default:
      return type;
  }
}

TypePtr Element(const TypePtr& list) {
  return IsList(*list) ? Plain(list->field(0)->type()) : arrow::null();
}

TypePtr ListOf(const TypePtr& list, const TypePtr& element) {
  return list->id() == arrow::Type::LARGE_LIST ? arrow::large_list(element) : arrow::list(element);
}

TypePtr ListArgument(const TypePtr& list, const TypePtr& element) {
  if (IsList(*list) && list->field(0)->type()->Equals(*element)) return list;
  return ListOf(list, element);
}

TypePtr Common(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (a->id() == arrow::Type::NA) return b;
  if (b->id() == arrow::Type::NA) return a;
  if (IsList(*a) && IsList(*b)) {
    TypePtr element = Common(a->field(0)->type(), b->field(0)->type());
    if (element == nullptr) return nullptr;
    return ListOf(a->id() == arrow::Type::LARGE_LIST ? a : b, element);
  }
  if (a->id() == arrow::Type::STRUCT && b->id() == arrow::Type::STRUCT) {
    if (a->num_fields() != b->num_fields()) return nullptr;
    arrow::FieldVector fields;
    for (int i = 0; i < a->num_fields(); ++i) {
      if (a->field(i)->name() != b->field(i)->name()) return nullptr;
      TypePtr type = Common(a->field(i)->type(), b->field(i)->type());
      if (type == nullptr) return nullptr;
      fields.push_back(arrow::field(a->field(i)->name(), type));
    }
    return arrow::struct_(std::move(fields));
  }
  return CommonType(a, b);
}

TypePtr CommonWithConstant(const TypePtr& element, const TypePtr& other,
                           const std::shared_ptr<arrow::Scalar>& constant, const TypePtr& target) {
  TypePtr common = Common(element, other);
  if (common == nullptr || common->Equals(*element)) return common;
  if (constant == nullptr || !constant->is_valid || element->id() == arrow::Type::NA) return common;
  auto there = CastTo(constant, target, true, arrow::default_memory_pool());
  if (!there.ok() || !there->scalar()->is_valid) return common;
  auto back = CastTo(*there, constant->type, true, arrow::default_memory_pool());
  return back.ok() && back->scalar()->Equals(*constant) ? element : common;
}

arrow::Status WrongType(const CallSite& site, size_t argument, std::string_view allowed) {
  return TypeMismatch(site.name, ": argument ", argument + 1, " is ",
                      site.types[argument]->ToString(), "; ", allowed, " is needed");
}

arrow::Status NeedList(const CallSite& site, size_t argument) {
  const arrow::DataType& type = *site.types[argument];
  if (IsList(type) || type.id() == arrow::Type::NA) return arrow::Status::OK();
  return WrongType(site, argument, "a list");
}

arrow::Status NeedInteger(const CallSite& site, size_t argument) {
  const arrow::DataType& type = *site.types[argument];
  if (arrow::is_integer(type.id()) || type.id() == arrow::Type::NA) return arrow::Status::OK();
  return WrongType(site, argument, "an integer");
}

arrow::Status NeedText(const CallSite& site, size_t argument) {
  const arrow::DataType& type = *site.types[argument];
  if (IsText(type) || type.id() == arrow::Type::NA) return arrow::Status::OK();
  return WrongType(site, argument, "text");
}

Function Make(std::string name, std::vector<std::string> aliases, int min_arguments,
              int max_arguments, std::string usage, std::string summary,
              std::function<arrow::Result<Signature>(const CallSite&)> resolve,
              std::function<arrow::Result<arrow::Datum>(const Call&)> evaluate) {
  Function function;
  if (name.rfind("array_", 0) == 0) {
    std::string alias = "list_" + name.substr(6);
    if (std::find(aliases.begin(), aliases.end(), alias) == aliases.end()) {
      aliases.push_back(std::move(alias));
    }
  }
  function.name = std::move(name);
  function.aliases = std::move(aliases);
  function.min_arguments = min_arguments;
  function.max_arguments = max_arguments;
  function.resolve = std::move(resolve);
  function.evaluate = std::move(evaluate);
  function.usage = std::move(usage);
  function.summary = std::move(summary);
  return function;
}

}  // namespace glaive::expr::lists
