#include "base/jsonb.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/jsonb_format.h"
#include "base/status.h"

namespace glaive::jsonb {

namespace {

/// A big-endian number of 1, 2, 4 or 8 bytes.
uint64_t LoadBig(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) {
    value = value << 8 | static_cast<uint8_t>(c);
  }
  return value;
}

bool IsNumberWidth(size_t bytes) {
  return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

void AppendQuoted(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  size_t plain = 0;  // start of the run that needs no escape
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    out->append(text, plain, i - plain);
    plain = i + 1;
    *out += '\\';
    switch (c) {
      case '\b':
        *out += 'b';
        break;
      case '\f':
        *out += 'f';
        break;
      case '\n':
        *out += 'n';
        break;
      case '\r':
        *out += 'r';
        break;
      case '\t':
        *out += 't';
        break;
      case '"':
      case '\\':
        *out += static_cast<char>(c);
        break;
      default:
        *out += "u00";
        *out += kHex[c >> 4];
        *out += kHex[c & 15];
    }
  }
  out->append(text, plain);
  *out += '"';
}

template <typename Integer>
void AppendInteger(Integer value, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out->append(digits, static_cast<size_t>(end - digits));
}

/// Plain digits between 1e-5 and 1e16, otherwise one digit, point and exponent: as Lance prints.
void AppendFloat(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  char text[64];
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-5 && size < 1e16);
  const auto end = std::to_chars(text, text + sizeof(text), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  const std::string_view digits(text, static_cast<size_t>(end - text));
  if (plain) {
    *out += digits;
    if (digits.find('.') == std::string_view::npos) {
      *out += ".0";
    }
    return;
  }
  // "1.5e-07" and "1e+16" lose the zeros in front of the exponent.
  const size_t exponent = digits.find('e') + 2;
  out->append(digits, 0, exponent);
  const size_t first = digits.find_first_not_of('0', exponent);
  out->append(digits, first);
}

std::string_view TypeName(uint32_t header) {
  switch (header & kHeaderKindMask) {
    case kScalarHeader:
      return "scalar";
    case kObjectHeader:
      return "object";
    case kArrayHeader:
      return "array";
    default:
      return "unknown";
  }
}

}  // namespace

/// Walks over values of a container in their order.
struct Value::Cursor {
  std::string_view bytes;  ///< of the container
  size_t entry = 0;        ///< where the next entry is
  size_t payload = 0;      ///< where its value's bytes begin

  arrow::Result<std::pair<uint32_t, std::string_view>> NextBytes() {
    const uint32_t word = LoadBe32(bytes.data() + entry);
    const size_t length = word & kMaxLength;
    GLAIVE_CHECK_FORMAT(length <= bytes.size() - payload, "a JSON value has ", length,
                        " bytes, but its container only ", bytes.size() - payload, " more");
    std::pair<uint32_t, std::string_view> found(word, bytes.substr(payload, length));
    entry += 4;
    payload += length;
    return found;
  }

  arrow::Result<Value> Next() {
    ARROW_ASSIGN_OR_RAISE(const auto found, NextBytes());
    return FromEntry(found.first, found.second);
  }

  arrow::Result<std::string_view> NextKey() {
    ARROW_ASSIGN_OR_RAISE(const auto found, NextBytes());
    GLAIVE_CHECK_FORMAT((found.first & kEntryKindMask) == kStringEntry,
                        "a key of a JSON object is no string");
    return found.second;
  }
};

arrow::Result<Value::Number> Value::ParseNumber(std::string_view bytes) {
  GLAIVE_CHECK_FORMAT(!bytes.empty(), "a number in JSON has no bytes");
  Number number;
  const auto kind = static_cast<uint8_t>(bytes[0]);
  const auto payload = bytes.substr(1);
  switch (kind) {
    case kZero:
    case kNaN:
    case kInfinity:
    case kMinusInfinity:
      GLAIVE_CHECK_FORMAT(payload.empty(), "a special number in JSON has ", bytes.size(),
                          " bytes, expected 1");
      if (kind != kZero) {
        number.kind = Number::Kind::kFloat;
        number.as_float = kind == kNaN        ? std::numeric_limits<double>::quiet_NaN()
                          : kind == kInfinity ? std::numeric_limits<double>::infinity()
                                              : -std::numeric_limits<double>::infinity();
      }
      return number;
    case kSigned:
    case kUnsigned: {
      GLAIVE_CHECK_FORMAT(IsNumberWidth(payload.size()), "an integer in JSON has ", payload.size(),
                          " bytes, expected 1, 2, 4 or 8");
      number.as_unsigned = LoadBig(payload);
      if (kind == kSigned) {
        const size_t unused = 64 - 8 * payload.size();
        number.kind = Number::Kind::kSigned;
        number.as_signed = static_cast<int64_t>(number.as_unsigned << unused) >> unused;
      }
      return number;
    }
    case kFloat: {
      GLAIVE_CHECK_FORMAT(payload.size() == 8, "a float in JSON has ", payload.size(),
                          " bytes, expected 8");
      const uint64_t bits = LoadBig(payload);
      number.kind = Number::Kind::kFloat;
      std::memcpy(&number.as_float, &bits, sizeof(bits));
      return number;
    }
    case kDecimal:
      return Unsupported("decimal numbers in JSON columns are not supported");
    default:
      return Corruption("a number in JSON has kind ", static_cast<int>(kind));
  }
}

arrow::Result<Value> Value::Container(std::string_view bytes) {
  GLAIVE_CHECK_FORMAT(bytes.size() >= 4, "a JSON container has ", bytes.size(),
                      " bytes, expected at least 4");
  const uint32_t header = LoadBe32(bytes.data());
  Value value;
  value.count_ = header & kMaxCount;
  value.bytes_ = bytes;
  value.entry_ = kContainerEntry | static_cast<uint32_t>(bytes.size() & kMaxLength);
  const uint32_t kind = header & kHeaderKindMask;
  GLAIVE_CHECK_FORMAT(kind == kArrayHeader || kind == kObjectHeader, "a JSON value is of kind ",
                      TypeName(header), ", expected array or object");
  value.type_ = kind == kArrayHeader ? Type::kArray : Type::kObject;
  const uint64_t entries = uint64_t{value.count_} * (kind == kArrayHeader ? 1 : 2);
  GLAIVE_CHECK_FORMAT(entries <= (bytes.size() - 4) / 4, "a JSON ", TypeName(header), " of ",
                      value.count_, " values does not fit into its ", bytes.size(), " bytes");
  return value;
}

arrow::Result<Value> Value::FromEntry(uint32_t entry, std::string_view bytes) {
  const uint32_t kind = entry & kEntryKindMask;
  if (kind == kContainerEntry) {
    return Container(bytes);
  }
  Value value;
  value.entry_ = entry;
  value.bytes_ = bytes;
  switch (kind) {
    case kStringEntry:
      value.type_ = Type::kString;
      return value;
    case kNumberEntry: {
      value.type_ = Type::kNumber;
      ARROW_ASSIGN_OR_RAISE(value.number_, ParseNumber(bytes));
      return value;
    }
    case kNullEntry:
    case kTrueEntry:
    case kFalseEntry:
      GLAIVE_CHECK_FORMAT(bytes.empty(), "a JSON value without content has ", bytes.size(),
                          " bytes");
      value.type_ = kind == kNullEntry ? Type::kNull : Type::kBool;
      value.bool_ = kind == kTrueEntry;
      return value;
    case kExtensionEntry:
      return Unsupported("extension values (dates, binary) in JSON columns are not supported");
    default:
      return Corruption("a JSON value has the unknown kind ", kind >> 28);
  }
}

arrow::Result<Value> Value::Parse(std::string_view document) {
  GLAIVE_CHECK_FORMAT(document.size() >= 4, "a JSON document has ", document.size(),
                      " bytes, expected at least 4");
  const uint32_t header = LoadBe32(document.data());
  if ((header & kHeaderKindMask) != kScalarHeader) {
    return Container(document);
  }
  GLAIVE_CHECK_FORMAT(document.size() >= 8, "a JSON scalar has ", document.size(),
                      " bytes, expected at least 8");
  const uint32_t entry = LoadBe32(document.data() + 4);
  GLAIVE_CHECK_FORMAT((entry & kEntryKindMask) != kContainerEntry,
                      "a JSON scalar holds a container");
  GLAIVE_CHECK_FORMAT((entry & kMaxLength) == document.size() - 8, "a JSON scalar has ",
                      document.size() - 8, " bytes, its entry says ", entry & kMaxLength);
  return FromEntry(entry, document.substr(8));
}

std::optional<bool> Value::AsBool() const {
  return type_ == Type::kBool ? std::optional(bool_) : std::nullopt;
}

std::optional<int64_t> Value::AsInt64() const {
  if (type_ != Type::kNumber || number_.kind == Number::Kind::kFloat) {
    return std::nullopt;
  }
  if (number_.kind == Number::Kind::kSigned) {
    return number_.as_signed;
  }
  return number_.as_unsigned <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
             ? std::optional(static_cast<int64_t>(number_.as_unsigned))
             : std::nullopt;
}

std::optional<uint64_t> Value::AsUint64() const {
  if (type_ != Type::kNumber || number_.kind == Number::Kind::kFloat) {
    return std::nullopt;
  }
  if (number_.kind == Number::Kind::kUnsigned) {
    return number_.as_unsigned;
  }
  return number_.as_signed >= 0 ? std::optional(static_cast<uint64_t>(number_.as_signed))
                                : std::nullopt;
}

std::optional<double> Value::AsDouble() const {
  if (type_ != Type::kNumber) {
    return std::nullopt;
  }
  switch (number_.kind) {
    case Number::Kind::kSigned:
      return static_cast<double>(number_.as_signed);
    case Number::Kind::kUnsigned:
      return static_cast<double>(number_.as_unsigned);
    default:
      return number_.as_float;
  }
}

std::optional<std::string_view> Value::AsString() const {
  return type_ == Type::kString ? std::optional(bytes_) : std::nullopt;
}

arrow::Result<std::optional<Value>> Value::Member(std::string_view name) const {
  if (type_ != Type::kObject) {
    return std::nullopt;
  }
  // Keys are sorted, but only the sum of the lengths before it says where one begins.
  Cursor cursor{bytes_, 4, 4 + size_t{count_} * 8};
  uint32_t place = 0;
  bool found = false;
  for (uint32_t i = 0; i < count_; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto key, cursor.NextKey());
    if (!found && key == name) {
      found = true;
      place = i;
    }
  }
  if (!found) {
    return std::nullopt;
  }
  for (uint32_t i = 0; i < place; ++i) {
    ARROW_RETURN_NOT_OK(cursor.NextBytes());
  }
  ARROW_ASSIGN_OR_RAISE(const auto value, cursor.Next());
  return value;
}

arrow::Result<std::optional<Value>> Value::Element(uint64_t index) const {
  if (type_ != Type::kArray || index >= count_) {
    return std::nullopt;
  }
  Cursor cursor{bytes_, 4, 4 + size_t{count_} * 4};
  for (uint64_t i = 0; i < index; ++i) {
    ARROW_RETURN_NOT_OK(cursor.NextBytes());
  }
  ARROW_ASSIGN_OR_RAISE(const auto value, cursor.Next());
  return value;
}

arrow::Result<std::vector<Value>> Value::Elements() const {
  std::vector<Value> elements;
  if (type_ != Type::kArray) {
    return elements;
  }
  Cursor cursor{bytes_, 4, 4 + size_t{count_} * 4};
  for (uint32_t i = 0; i < count_; ++i) {
    ARROW_ASSIGN_OR_RAISE(elements.emplace_back(), cursor.Next());
  }
  return elements;
}

arrow::Result<std::vector<std::pair<std::string_view, Value>>> Value::Members() const {
  std::vector<std::pair<std::string_view, Value>> members;
  if (type_ != Type::kObject) {
    return members;
  }
  Cursor cursor{bytes_, 4, 4 + size_t{count_} * 8};
  for (uint32_t i = 0; i < count_; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto key, cursor.NextKey());
    members.emplace_back(key, Value());
  }
  for (auto& member : members) {
    ARROW_ASSIGN_OR_RAISE(member.second, cursor.Next());
  }
  return members;
}

arrow::Status Value::AppendText(int depth, std::string* out) const {
  if (depth >= kMaxJsonDepth) {
    return Unsupported("JSON that is nested deeper than ", kMaxJsonDepth, " is not supported");
  }
  switch (type_) {
    case Type::kNull:
      *out += "null";
      break;
    case Type::kBool:
      *out += bool_ ? "true" : "false";
      break;
    case Type::kString:
      AppendQuoted(bytes_, out);
      break;
    case Type::kNumber:
      switch (number_.kind) {
        case Number::Kind::kSigned:
          AppendInteger(number_.as_signed, out);
          break;
        case Number::Kind::kUnsigned:
          AppendInteger(number_.as_unsigned, out);
          break;
        default:
          AppendFloat(number_.as_float, out);
      }
      break;
    case Type::kArray: {
      Cursor cursor{bytes_, 4, 4 + size_t{count_} * 4};
      *out += '[';
      for (uint32_t i = 0; i < count_; ++i) {
        *out += i > 0 ? "," : "";
        ARROW_ASSIGN_OR_RAISE(const auto element, cursor.Next());
        ARROW_RETURN_NOT_OK(element.AppendText(depth + 1, out));
      }
      *out += ']';
      break;
    }
    case Type::kObject: {
      Cursor keys{bytes_, 4, 4 + size_t{count_} * 8};
      Cursor values = keys;
      for (uint32_t i = 0; i < count_; ++i) {
        ARROW_RETURN_NOT_OK(values.NextKey());
      }
      *out += '{';
      for (uint32_t i = 0; i < count_; ++i) {
        *out += i > 0 ? "," : "";
        ARROW_ASSIGN_OR_RAISE(const auto key, keys.NextKey());
        AppendQuoted(key, out);
        *out += ':';
        ARROW_ASSIGN_OR_RAISE(const auto member, values.Next());
        ARROW_RETURN_NOT_OK(member.AppendText(depth + 1, out));
      }
      *out += '}';
      break;
    }
  }
  return arrow::Status::OK();
}

arrow::Status Value::AppendText(std::string* out) const {
  const size_t before = out->size();
  arrow::Status status = AppendText(0, out);
  if (!status.ok()) {
    out->resize(before);
  }
  return status;
}

void Value::AppendDocument(std::string* out) const {
  if (!is_container()) {
    char words[8];
    StoreBe32(words, kScalarHeader);
    StoreBe32(words + 4, entry_);
    out->append(words, sizeof(words));
  }
  *out += bytes_;
}

arrow::Status Decode(std::string_view bytes, std::string* out) {
  ARROW_ASSIGN_OR_RAISE(const auto value, Value::Parse(bytes));
  return value.AppendText(out);
}

}  // namespace glaive::jsonb
