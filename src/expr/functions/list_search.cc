// array_has, array_has_any, array_has_all, array_position, array_positions.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"
#include "expr/member_set.h"

namespace glaive::expr::lists {

namespace {

/// Booleans of a batch, one at a time.
class BoolRows {
 public:
  static arrow::Result<BoolRows> Make(int64_t rows, arrow::MemoryPool* pool) {
    BoolRows made;
    made.rows_ = rows;
    ARROW_ASSIGN_OR_RAISE(made.values_, arrow::AllocateEmptyBitmap(rows, pool));
    ARROW_ASSIGN_OR_RAISE(made.valid_, arrow::AllocateEmptyBitmap(rows, pool));
    arrow::bit_util::SetBitsTo(made.valid_->mutable_data(), 0, rows, true);
    return made;
  }

  void Set(int64_t row, bool value) {
    if (value) arrow::bit_util::SetBit(values_->mutable_data(), row);
  }

  void SetNull(int64_t row) {
    arrow::bit_util::ClearBit(valid_->mutable_data(), row);
    ++nulls_;
  }

  arrow::Datum Finish() {
    return arrow::ArrayData::Make(arrow::boolean(), rows_, {nulls_ > 0 ? valid_ : nullptr, values_},
                                  nulls_);
  }

 private:
  std::shared_ptr<arrow::Buffer> values_;
  std::shared_ptr<arrow::Buffer> valid_;
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
};

/// Elements of an array of numbers whose bytes decide equality (no floats: -0.0, NaN).
template <typename T>
struct Numbers {
  using Value = T;
  const T* values;

  explicit Numbers(const arrow::Array& array) : values(array.data()->GetValues<T>(1)) {}

  T operator[](int64_t i) const { return values[i]; }
};

struct Texts {
  using Value = std::string_view;
  const int32_t* offsets;
  const char* bytes;

  explicit Texts(const arrow::Array& array)
      : offsets(static_cast<const arrow::BinaryArray&>(array).raw_value_offsets()),
        bytes(reinterpret_cast<const char*>(
            static_cast<const arrow::BinaryArray&>(array).raw_data())) {}

  std::string_view operator[](int64_t i) const {
    return {bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

/// Calls `visit` with the type of accessor for the elements of a type; false for types that are
/// compared by their codes.
template <typename Visit>
bool VisitPlainType(const arrow::DataType& type, Visit&& visit) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      visit(static_cast<Numbers<uint8_t>*>(nullptr));
      return true;
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      visit(static_cast<Numbers<uint16_t>*>(nullptr));
      return true;
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      visit(static_cast<Numbers<uint32_t>*>(nullptr));
      return true;
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::DATE64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      visit(static_cast<Numbers<uint64_t>*>(nullptr));
      return true;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      visit(static_cast<Texts*>(nullptr));
      return true;
    default:
      return false;
  }
}

/// Codes as an accessor: the null code stands for null.
struct CodeValues {
  using Value = int32_t;
  const int32_t* codes;

  int32_t operator[](int64_t i) const { return codes[i]; }
};

/// row -> is `needle(row)` among the elements. Null elements never match.
template <typename Values>
void HasRows(const ListColumn& list, const Values& elements, const ValueColumn& needles,
             const Values& wanted, int64_t rows, BoolRows* out) {
  const arrow::Array* nulls = list.child()->null_count() > 0 ? list.child().get() : nullptr;
  for (int64_t row = 0; row < rows; ++row) {
    if (list.IsNull(row) || needles.IsNull(row)) {
      out->SetNull(row);
      continue;
    }
    typename Values::Value needle = wanted[needles.Index(row)];
    int64_t end = list.End(row);
    bool found = false;
    for (int64_t i = list.Begin(row); i < end && !found; ++i) {
      found = elements[i] == needle && (nulls == nullptr || nulls->IsValid(i));
    }
    out->Set(row, found);
  }
}

arrow::Result<arrow::Datum> Has(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn needles, ValueColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(BoolRows out, BoolRows::Make(call.num_rows, call.pool));
  bool plain = VisitPlainType(*list.child()->type(), [&](auto* tag) {
    using Values = std::remove_pointer_t<decltype(tag)>;
    HasRows(list, Values(*list.child()), needles, Values(*needles.array()), call.num_rows, &out);
  });
  if (!plain) {
    ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get(), needles.array().get()}));
    HasRows(list, CodeValues{codes.of[0].data()}, needles, CodeValues{codes.of[1].data()},
            call.num_rows, &out);
  }
  return out.Finish();
}

/// The distinct values of one constant list, to find others in: each has an ordinal. A handful is
/// looked through, more are hashed.
template <typename Value>
class NeedleSet {
 public:
  template <typename Values>
  NeedleSet(const ListColumn& list, const Values& values) {
    for (int64_t i = list.Begin(0); i < list.End(0); ++i) {
      if (list.child()->IsNull(i)) {
        has_null_ = true;
      } else if (ordinals_.emplace(values[i], static_cast<int32_t>(values_.size())).second) {
        values_.push_back(values[i]);
      }
    }
  }

  int32_t size() const { return static_cast<int32_t>(values_.size()) + (has_null_ ? 1 : 0); }

  /// -1 if null is not among them.
  int32_t OfNull() const { return has_null_ ? static_cast<int32_t>(values_.size()) : -1; }

  int32_t Of(const Value& value) const {
    if (values_.size() <= 8) {
      for (size_t k = 0; k < values_.size(); ++k) {
        if (values_[k] == value) return static_cast<int32_t>(k);
      }
      return -1;
    }
    auto found = ordinals_.find(value);
    return found == ordinals_.end() ? -1 : found->second;
  }

 private:
  std::vector<Value> values_;
  std::unordered_map<Value, int32_t> ordinals_;
  bool has_null_ = false;
};

/// Counts the distinct needles met in one row.
class Met {
 public:
  explicit Met(int32_t needles) : last_row_(static_cast<size_t>(needles), -1) {}

  /// True if the needle was not met before in this row.
  bool First(int32_t needle, int64_t row) {
    int64_t& last = last_row_[static_cast<size_t>(needle)];
    if (last == row) return false;
    last = row;
    return true;
  }

 private:
  std::vector<int64_t> last_row_;
};

/// How many distinct needles the row must hold: any, or all of them.
enum class Quantifier { kAny, kAll };

template <typename Values>
void HasConstants(const ListColumn& list, const Values& elements, const ListColumn& constants,
                  const Values& wanted, Quantifier quantifier, int64_t rows, BoolRows* out) {
  NeedleSet<typename Values::Value> needles(constants, wanted);
  Met met(needles.size());
  const arrow::Array* nulls = list.child()->null_count() > 0 ? list.child().get() : nullptr;
  int32_t goal = quantifier == Quantifier::kAll ? needles.size() : 1;
  for (int64_t row = 0; row < rows; ++row) {
    if (list.IsNull(row)) {
      out->SetNull(row);
      continue;
    }
    int32_t found = 0;
    int64_t end = list.End(row);
    for (int64_t i = list.Begin(row); i < end && found < goal; ++i) {
      bool null = nulls != nullptr && nulls->IsNull(i);
      int32_t needle = null ? needles.OfNull() : needles.Of(elements[i]);
      if (needle >= 0 && (goal == 1 || met.First(needle, row))) ++found;
    }
    out->Set(row, found >= goal);
  }
}

/// row -> is any of its elements a member. False if the constants need more than a set.
arrow::Result<bool> HasMember(const ListColumn& list, const ListColumn& constants, const Call& call,
                              BoolRows* out) {
  const auto members = constants.child()->Slice(constants.Begin(0), constants.Length(0));
  const auto set = members->null_count() == 0 ? MemberSet::Make(members) : nullptr;
  if (set == nullptr) return false;
  ARROW_ASSIGN_OR_RAISE(const auto met, set->Contains(*list.child(), call.pool));
  const auto& flags = static_cast<const arrow::BooleanArray&>(*met);
  const uint8_t* bits = flags.values()->data();
  const bool nulls = flags.null_count() > 0;
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      out->SetNull(row);
      continue;
    }
    bool found = false;
    const int64_t end = list.End(row);
    for (int64_t i = list.Begin(row); i < end && !found; ++i) {
      found = arrow::bit_util::GetBit(bits, i) && (!nulls || flags.IsValid(i));
    }
    out->Set(row, found);
  }
  return true;
}

/// Both lists change from row to row; nulls are equal to each other.
void HasLists(const ListColumn& list, const int32_t* elements, const ListColumn& needles,
              const int32_t* wanted, int32_t codes, Quantifier quantifier, int64_t rows,
              BoolRows* out) {
  std::vector<int64_t> last_row(static_cast<size_t>(codes), -1);
  for (int64_t row = 0; row < rows; ++row) {
    if (list.IsNull(row) || needles.IsNull(row)) {
      out->SetNull(row);
      continue;
    }
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      last_row[static_cast<size_t>(elements[i])] = row;
    }
    auto held = [&](int32_t code) { return last_row[static_cast<size_t>(code)] == row; };
    const int32_t* begin = wanted + needles.Begin(row);
    const int32_t* end = wanted + needles.End(row);
    out->Set(row, quantifier == Quantifier::kAny ? std::any_of(begin, end, held)
                                                 : std::all_of(begin, end, held));
  }
}

arrow::Result<arrow::Datum> HasMany(const Call& call, Quantifier quantifier) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn needles, ListColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(BoolRows out, BoolRows::Make(call.num_rows, call.pool));
  if (quantifier == Quantifier::kAny && list.constant()) std::swap(list, needles);  // symmetric
  if (needles.constant() && !needles.IsNull(0)) {
    if (quantifier == Quantifier::kAny) {
      ARROW_ASSIGN_OR_RAISE(const bool done, HasMember(list, needles, call, &out));
      if (done) return out.Finish();
    }
    bool plain = VisitPlainType(*list.child()->type(), [&](auto* tag) {
      using Values = std::remove_pointer_t<decltype(tag)>;
      HasConstants(list, Values(*list.child()), needles, Values(*needles.child()), quantifier,
                   call.num_rows, &out);
    });
    if (plain) return out.Finish();
  }
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get(), needles.child().get()}));
  HasLists(list, codes.of[0].data(), needles, codes.of[1].data(), codes.count, quantifier,
           call.num_rows, &out);
  return out.Finish();
}

arrow::Result<Signature> ResolveHasMany(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  ARROW_RETURN_NOT_OK(NeedList(site, 1));
  // The one constant, if any, adapts to the column.
  size_t constant = site.constants[1] != nullptr ? 1 : 0;
  TypePtr column = Element(site.types[1 - constant]);
  TypePtr other = Element(site.types[constant]);
  TypePtr element = CommonWithConstant(column, other, site.constants[constant],
                                       ListOf(site.types[1 - constant], column));
  if (element == nullptr) {
    return TypeMismatch(site.name, ": elements of ", site.types[0]->ToString(), " and ",
                        site.types[1]->ToString(), " cannot be compared; cast one of them");
  }
  return Signature{{ListArgument(site.types[0], element), ListArgument(site.types[1], element)},
                   arrow::boolean()};
}

/// List and needle brought to one type: {list, needle}.
arrow::Result<std::vector<TypePtr>> ListAndNeedle(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedList(site, 0));
  TypePtr own = Element(site.types[0]);
  TypePtr element = CommonWithConstant(own, Plain(site.types[1]), site.constants[1], own);
  if (element == nullptr) {
    return WrongType(site, 1, Concat("a value that compares with ", own->ToString()));
  }
  return std::vector<TypePtr>{ListArgument(site.types[0], element), element};
}

arrow::Result<Signature> ResolveHas(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(auto types, ListAndNeedle(site));
  return Signature{std::move(types), arrow::boolean()};
}

arrow::Result<Signature> ResolvePosition(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(auto types, ListAndNeedle(site));
  if (site.types.size() == 3) {
    ARROW_RETURN_NOT_OK(NeedInteger(site, 2));
    types.push_back(arrow::int64());
  }
  return Signature{std::move(types), arrow::uint64()};
}

arrow::Result<arrow::Datum> Position(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn needles, ValueColumn::Make(call.arguments[1], call.pool));
  ValueColumn starts;
  bool has_start = call.arguments.size() == 3;
  if (has_start) {
    ARROW_ASSIGN_OR_RAISE(starts, ValueColumn::Make(call.arguments[2], call.pool));
  }
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get(), needles.array().get()}));
  arrow::UInt64Builder out(call.pool);
  ARROW_RETURN_NOT_OK(out.Reserve(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    int64_t start = 1;
    if (has_start) start = starts.IsNull(row) ? 0 : starts.Int(row);
    if (list.IsNull(row) || start < 1 || start > list.Length(row)) {
      out.UnsafeAppendNull();
      continue;
    }
    const int32_t* begin = codes.of[0].data() + list.Begin(row);
    const int32_t* end = codes.of[0].data() + list.End(row);
    const int32_t* found =
        std::find(begin + (start - 1), end, codes.of[1][static_cast<size_t>(needles.Index(row))]);
    if (found == end) {
      out.UnsafeAppendNull();
    } else {
      out.UnsafeAppend(static_cast<uint64_t>(found - begin) + 1);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

arrow::Result<Signature> ResolvePositions(const CallSite& site) {
  ARROW_ASSIGN_OR_RAISE(auto types, ListAndNeedle(site));
  return Signature{std::move(types), arrow::list(arrow::uint64())};
}

arrow::Result<arrow::Datum> Positions(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn list, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn needles, ValueColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(Codes codes, EncodeElements({list.child().get(), needles.array().get()}));
  arrow::ListBuilder out(call.pool, std::make_shared<arrow::UInt64Builder>(call.pool),
                         call.signature->result);
  auto& positions = static_cast<arrow::UInt64Builder&>(*out.value_builder());
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (list.IsNull(row)) {
      ARROW_RETURN_NOT_OK(out.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(out.Append());
    int32_t wanted = codes.of[1][static_cast<size_t>(needles.Index(row))];
    for (int64_t i = list.Begin(row); i < list.End(row); ++i) {
      if (codes.of[0][static_cast<size_t>(i)] != wanted) continue;
      ARROW_RETURN_NOT_OK(positions.Append(static_cast<uint64_t>(i - list.Begin(row)) + 1));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, out.Finish());
  return arrow::Datum(array);
}

}  // namespace

void AddListSearch(std::vector<Function>* out) {
  out->push_back(Make("array_has", {"array_contains", "list_contains"}, 2, 2,
                      "array_has(list, value)",
                      "True if the list holds the value; null if either is null, while null "
                      "elements match nothing.",
                      ResolveHas, Has));
  out->push_back(Make("array_has_any", {"arrays_overlap"}, 2, 2, "array_has_any(list, list)",
                      "True if the lists have an element in common, null counting as a value; null "
                      "if either list is null (LanceDB: false if the other list is a constant "
                      "without elements).",
                      ResolveHasMany,
                      [](const Call& call) { return HasMany(call, Quantifier::kAny); }));
  out->push_back(Make("array_has_all", {}, 2, 2, "array_has_all(list, values)",
                      "True if every element of the second list is in the first, null counting as "
                      "a value; null if either list is null (LanceDB: true if the second list is a "
                      "constant without elements).",
                      ResolveHasMany,
                      [](const Call& call) { return HasMany(call, Quantifier::kAll); }));
  out->push_back(Make("array_position", {"array_indexof", "list_indexof"}, 2, 3,
                      "array_position(list, value [, start])",
                      "Position (from 1) of the first element equal to the value, at or after "
                      "start; null finds null. Null if there is none or start is outside the list "
                      "(an error in LanceDB).",
                      ResolvePosition, Position));
  out->push_back(Make("array_positions", {}, 2, 2, "array_positions(list, value)",
                      "Positions (from 1) of all elements equal to the value; null finds nulls.",
                      ResolvePositions, Positions));
}

}  // namespace glaive::expr::lists
