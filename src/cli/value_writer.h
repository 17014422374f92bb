// Values of an Arrow array as text: as JSON, as plain text (CSV) and shortened (tables on a
// terminal).
//
// JSON: integers with all digits, floats with the fewest digits that read back equal, NaN and
// infinities as the strings "NaN", "Infinity", "-Infinity", binary as base64, decimals as strings,
// dates, times, timestamps and durations in ISO 8601 (a timestamp with a zone is shown in UTC and
// ends with 'Z'), intervals as ISO 8601 periods, lists and vectors as arrays, structs as objects,
// maps as arrays of [key, value] pairs. Dictionary and run-end encoded values appear as what they
// stand for, extension types as their storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::cli {

/// Writes values of one array. Immutable; keeps the array alive.
class ValueWriter {
 public:
  virtual ~ValueWriter() = default;

  /// kUnsupported for a type that has no JSON form here.
  static arrow::Result<std::unique_ptr<ValueWriter>> Make(
      const std::shared_ptr<arrow::Array>& array);

  /// Appends value i as JSON, "null" for a null.
  void Json(int64_t i, std::string* out) const;
  /// As Json, but strings, dates and the like without quotes, and nothing for a null.
  void Text(int64_t i, std::string* out) const;
  /// One line for a person: long strings and lists cut, floats rounded; "null" for a null.
  void Short(int64_t i, std::string* out) const;
  bool IsNull(int64_t i) const;

 protected:
  explicit ValueWriter(const std::shared_ptr<arrow::Array>& array) : array_(array) {}

  virtual void JsonValue(int64_t i, std::string* out) const = 0;

  virtual void TextValue(int64_t i, std::string* out) const { JsonValue(i, out); }

  virtual void ShortValue(int64_t i, std::string* out) const { TextValue(i, out); }

 private:
  std::shared_ptr<arrow::Array> array_;
};

/// The rows of record batches as JSON objects, one per line.
class JsonRows {
 public:
  explicit JsonRows(const arrow::Schema& schema);
  arrow::Status Append(const arrow::RecordBatch& batch, std::string* out) const;

 private:
  std::vector<std::string> keys_;  // '"name":' of each column
};

}  // namespace glaive::cli
