// What the functions on lists share: reading any kind of list row by row, building lists by
// picking elements, and deciding argument types.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "expr/function.h"

namespace glaive::expr::lists {

/// More elements than this in one value that a function makes up (range, array_repeat,
/// array_resize) are refused.
inline constexpr int64_t kMaxMadeElements = int64_t{64} << 20;

/// A list, large_list, fixed_size_list or map argument: one range of `child` per row. A scalar is
/// one range for all rows. Only the part of the child that the rows use is kept.
class ListColumn {
 public:
  static arrow::Result<ListColumn> Make(const arrow::Datum& datum, arrow::MemoryPool* pool);

  bool constant() const { return constant_; }

  const std::shared_ptr<arrow::Array>& child() const { return child_; }

  bool IsNull(int64_t row) const;

  /// First element of the row in child(); meaningless for null rows.
  int64_t Begin(int64_t row) const { return At(constant_ ? 0 : row) - first_; }

  int64_t End(int64_t row) const { return At((constant_ ? 0 : row) + 1) - first_; }

  int64_t Length(int64_t row) const { return End(row) - Begin(row); }

 private:
  int64_t At(int64_t i) const {
    if (offsets32_ != nullptr) return offsets32_[i];
    if (offsets64_ != nullptr) return offsets64_[i];
    return (i + fixed_offset_) * fixed_size_;
  }

  std::shared_ptr<arrow::Array> array_;
  std::shared_ptr<arrow::Array> child_;
  const int32_t* offsets32_ = nullptr;
  const int64_t* offsets64_ = nullptr;
  int64_t fixed_size_ = 0;
  int64_t fixed_offset_ = 0;
  int64_t first_ = 0;
  bool constant_ = false;
  bool has_nulls_ = false;
};

/// An argument of plain values: an array, or one value for all rows.
class ValueColumn {
 public:
  static arrow::Result<ValueColumn> Make(const arrow::Datum& datum, arrow::MemoryPool* pool);

  bool constant() const { return constant_; }

  const std::shared_ptr<arrow::Array>& array() const { return array_; }

  int64_t Index(int64_t row) const { return constant_ ? 0 : row; }

  bool IsNull(int64_t row) const;

  /// Of an int64 or utf8 column.
  int64_t Int(int64_t row) const;
  std::string_view Text(int64_t row) const;

 private:
  std::shared_ptr<arrow::Array> array_;
  bool constant_ = false;
};

/// Builds lists (or single values) out of elements of several arrays of one type. Elements are
/// named by their position in the concatenation of the arrays.
class Gather {
 public:
  static constexpr int64_t kNull = -1;

  /// The position of the first element of the array that is added; arrays must be of the element
  /// type of the result.
  int64_t AddSource(std::shared_ptr<arrow::Array> source);

  void Add(int64_t index) { indices_.push_back(index); }

  void AddRange(int64_t begin, int64_t end);

  void AddTimes(int64_t index, int64_t times) { indices_.insert(indices_.end(), times, index); }

  void EndRow() { offsets_.push_back(static_cast<int64_t>(indices_.size())); }

  void NullRow();

  /// Elements of the row begun but not ended.
  int64_t* open_row() { return indices_.data() + offsets_.back(); }

  int64_t open_size() const { return static_cast<int64_t>(indices_.size()) - offsets_.back(); }

  /// Lists, one per ended row. `type` is a list or large_list.
  arrow::Result<arrow::Datum> Lists(const TypePtr& type, arrow::MemoryPool* pool);
  /// The elements themselves, without rows.
  arrow::Result<std::shared_ptr<arrow::Array>> Values(arrow::MemoryPool* pool);

 private:
  std::vector<std::shared_ptr<arrow::Array>> sources_;
  int64_t next_base_ = 0;
  std::vector<int64_t> indices_;
  std::vector<int64_t> offsets_{0};
  std::vector<int64_t> null_rows_;
};

/// True of list, large_list and fixed_size_list.
bool IsList(const arrow::DataType& type);
/// The element type of a list, as functions take it: dictionaries and views unpacked at every
/// depth. null() for null().
TypePtr Element(const TypePtr& list);
/// The type without dictionaries, views, extensions and fixed-size lists inside.
TypePtr Plain(const TypePtr& type);
/// As `list`, a list or large_list (for all other lists) of `element`.
TypePtr ListOf(const TypePtr& list, const TypePtr& element);
/// The type to cast a list argument to for its elements to be of type `element`: as it is, if they
/// are.
TypePtr ListArgument(const TypePtr& list, const TypePtr& element);
/// CommonType extended to lists and structs of the same shape; nullptr if there is none.
TypePtr Common(const TypePtr& a, const TypePtr& b);
/// The element type to compare elements of `element` with a value of `other`: `element` itself if a
/// constant fits without loss, so that the column need not be cast.
TypePtr CommonWithConstant(const TypePtr& element, const TypePtr& other,
                           const std::shared_ptr<arrow::Scalar>& constant, const TypePtr& target);

/// kTypeMismatch: "function: argument n is FOUND; ALLOWED is needed".
arrow::Status WrongType(const CallSite& site, size_t argument, std::string_view allowed);
/// Fails unless the argument is a list (or NULL).
arrow::Status NeedList(const CallSite& site, size_t argument);
/// Fails unless the argument is an integer, or a number without fraction (or NULL).
arrow::Status NeedInteger(const CallSite& site, size_t argument);
arrow::Status NeedText(const CallSite& site, size_t argument);

/// A function with its list_ alias for an array_ name.
Function Make(std::string name, std::vector<std::string> aliases, int min_arguments,
              int max_arguments, std::string usage, std::string summary,
              std::function<arrow::Result<Signature>(const CallSite&)> resolve,
              std::function<arrow::Result<arrow::Datum>(const Call&)> evaluate);

/// The groups of the family.
void AddListSearch(std::vector<Function>* out);
void AddListShape(std::vector<Function>* out);
void AddListPick(std::vector<Function>* out);
void AddListText(std::vector<Function>* out);
void AddListSets(std::vector<Function>* out);
void AddListEdits(std::vector<Function>* out);
void AddListReplace(std::vector<Function>* out);
void AddListMakers(std::vector<Function>* out);

}  // namespace glaive::expr::lists
