// JSON in the binary form (JSONB) that Lance stores in columns of logical type "json": text to
// bytes, bytes to text, and look-ups in the bytes without decoding the rest.
//
// All numbers are big-endian. A document is a container: a header (kind in the upper 3 bits, count
// in the lower 29), one 4-byte entry per value (kind, 28 bits of length), then the values' bytes.
// An object has the entries of its keys, sorted by their bytes, then those of its values. A scalar
// document is a container of kind scalar with one entry.
//
// Everything is bounds-checked; nesting deeper than kMaxJsonDepth is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

namespace glaive::jsonb {

inline constexpr int kMaxJsonDepth = 1000;

/// Appends the document that `text` (RFC 8259) stands for. kInvalidArgument names what is wrong and
/// the byte: not JSON, not UTF-8, a key twice in one object, a number beyond float64. Integers of
/// 64 bits are exact, other numbers become float64. Half of a surrogate pair stays as its escape,
/// as in Lance. After an error `out` is as it was.
arrow::Status Encode(std::string_view text, std::string* out);

/// Appends the text of a document: no spaces, keys sorted, shortest numbers (floats keep a point or
/// an exponent). NaN and infinities become null. kCorruption if `bytes` are no document,
/// kUnsupported for decimals, extension values and too deep nesting. After an error `out` is as it
/// was.
arrow::Status Decode(std::string_view bytes, std::string* out);

enum class Type : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

/// A view of one value inside a document, whose bytes must outlive it. A value (copied freely).
/// Making one looks only at its own header; errors below it (kCorruption) show when it is looked
/// into.
class Value {
 public:
  /// The whole document.
  static arrow::Result<Value> Parse(std::string_view document);

  Type type() const { return type_; }

  bool is_null() const { return type_ == Type::kNull; }

  bool is_container() const { return type_ == Type::kArray || type_ == Type::kObject; }

  /// Elements of an array, members of an object, otherwise 0.
  uint32_t size() const { return count_; }

  /// The value of that kind, nullopt for values of other kinds. AsInt64 and AsUint64 only of stored
  /// integers that fit; AsDouble of every number, rounded to nearest.
  std::optional<bool> AsBool() const;
  std::optional<int64_t> AsInt64() const;
  std::optional<uint64_t> AsUint64() const;
  std::optional<double> AsDouble() const;
  std::optional<std::string_view> AsString() const;

  /// The member of an object; nullopt if there is none or the value is no object.
  arrow::Result<std::optional<Value>> Member(std::string_view name) const;

  /// The element of an array; nullopt beyond the end or if the value is no array.
  arrow::Result<std::optional<Value>> Element(uint64_t index) const;

  /// All elements; empty if the value is no array.
  arrow::Result<std::vector<Value>> Elements() const;

  /// All members in the order of their keys' bytes; empty if the value is no object.
  arrow::Result<std::vector<std::pair<std::string_view, Value>>> Members() const;

  /// Appends the value as text, as Decode does.
  arrow::Status AppendText(std::string* out) const;

  /// Appends the value as a document of its own.
  void AppendDocument(std::string* out) const;

 private:
  struct Number {
    enum class Kind : uint8_t { kSigned, kUnsigned, kFloat } kind = Kind::kUnsigned;
    int64_t as_signed = 0;
    uint64_t as_unsigned = 0;
    double as_float = 0;
  };
  struct Cursor;

  static arrow::Result<Value> FromEntry(uint32_t entry, std::string_view bytes);
  static arrow::Result<Value> Container(std::string_view bytes);
  static arrow::Result<Number> ParseNumber(std::string_view bytes);

  arrow::Status AppendText(int depth, std::string* out) const;

  Type type_ = Type::kNull;
  bool bool_ = false;
  uint32_t count_ = 0;
  Number number_;
  std::string_view bytes_;  ///< of a string its text, of a container all of it, else its payload
  uint32_t entry_ = 0;      ///< as stored in the container around it
};

}  // namespace glaive::jsonb
