#include "cli/value_writer.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>

#include "glaive/error.h"

#include "cli/text.h"

namespace glaive::cli {

namespace {

constexpr size_t kShortText = 200;  // bytes of a string that a table cell can need
constexpr int64_t kShortList = 4;   // elements of a list that a table cell shows

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1000;
    case arrow::TimeUnit::MICRO:
      return 1000000;
    default:
      return 1000000000;
  }
}

template <typename ArrayType>
class Of : public ValueWriter {
 public:
  explicit Of(const std::shared_ptr<arrow::Array>& array)
      : ValueWriter(array), values_(static_cast<const ArrayType&>(*array)) {}

 protected:
  const ArrayType& values_;
};

class NullWriter final : public Of<arrow::Array> {
  using Of::Of;

  void JsonValue(int64_t, std::string* out) const override { out->append("null"); }
};

class BooleanWriter final : public Of<arrow::BooleanArray> {
  using Of::Of;

  void JsonValue(int64_t i, std::string* out) const override {
    out->append(values_.Value(i) ? "true" : "false");
  }
};

template <typename ArrayType>
class IntegerWriter final : public Of<ArrayType> {
  using Of<ArrayType>::Of;

  void JsonValue(int64_t i, std::string* out) const override {
    const auto value = this->values_.Value(i);
    if constexpr (std::is_signed_v<decltype(value)>) {
      AppendInt(value, out);
    } else {
      AppendUnsigned(value, out);
    }
  }
};

// Float16Array holds bits; the others numbers.
float Number(const arrow::HalfFloatArray& array, int64_t i) {
  return arrow::util::Float16::FromBits(array.Value(i)).ToFloat();
}

float Number(const arrow::FloatArray& array, int64_t i) {
  return array.Value(i);
}

double Number(const arrow::DoubleArray& array, int64_t i) {
  return array.Value(i);
}

template <typename ArrayType>
class FloatWriter final : public Of<ArrayType> {
  using Of<ArrayType>::Of;

  void TextValue(int64_t i, std::string* out) const override {
    const auto value = Number(this->values_, i);
    if constexpr (std::is_same_v<std::remove_const_t<decltype(value)>, double>) {
      AppendDouble(value, out);
    } else {
      AppendFloat(value, out);
    }
  }

  void JsonValue(int64_t i, std::string* out) const override {
    const auto value = Number(this->values_, i);
    const bool finite = value - value == 0;
    if (!finite) {
      out->push_back('"');
    }
    TextValue(i, out);
    if (!finite) {
      out->push_back('"');
    }
  }

  void ShortValue(int64_t i, std::string* out) const override {
    char buffer[48];
    std::snprintf(buffer, sizeof(buffer), "%.6g", static_cast<double>(Number(this->values_, i)));
    out->append(buffer);
  }
};

template <typename ArrayType>
class StringWriter final : public Of<ArrayType> {
  using Of<ArrayType>::Of;

  void JsonValue(int64_t i, std::string* out) const override {
    AppendJsonString(this->values_.GetView(i), out);
  }

  void TextValue(int64_t i, std::string* out) const override {
    out->append(this->values_.GetView(i));
  }

  void ShortValue(int64_t i, std::string* out) const override {
    const auto view = this->values_.GetView(i);
    for (const char c : view.substr(0, kShortText)) {
      out->push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
    }
    if (view.size() > kShortText) {
      while (!out->empty() && (static_cast<unsigned char>(out->back()) & 0xC0) == 0x80) {
        out->pop_back();  // a character may have been cut in the middle: drop it
      }
      if (!out->empty() && static_cast<unsigned char>(out->back()) >= 0xC0) {
        out->pop_back();
      }
      out->append("…");
    }
  }
};

// Values whose text needs no escaping: JSON is the text in quotes.
template <typename ArrayType>
class QuotedWriter : public Of<ArrayType> {
 public:
  using Of<ArrayType>::Of;

 protected:
  void JsonValue(int64_t i, std::string* out) const final {
    out->push_back('"');
    this->TextValue(i, out);
    out->push_back('"');
  }
};

template <typename ArrayType>
class BinaryWriter final : public QuotedWriter<ArrayType> {
  using QuotedWriter<ArrayType>::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    AppendBase64(this->values_.GetView(i), out);
  }

  void ShortValue(int64_t i, std::string* out) const override {
    const auto view = this->values_.GetView(i);
    AppendBase64(view.substr(0, 24), out);
    if (view.size() > 24) {
      out->append("… " + HumanBytes(view.size()));
    }
  }
};

template <typename ArrayType>
class DecimalWriter final : public QuotedWriter<ArrayType> {
  using QuotedWriter<ArrayType>::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    out->append(this->values_.FormatValue(i));
  }
};

class Date32Writer final : public QuotedWriter<arrow::Date32Array> {
  using QuotedWriter::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override { AppendDate(values_.Value(i), out); }
};

class Date64Writer final : public QuotedWriter<arrow::Date64Array> {
  using QuotedWriter::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    constexpr int64_t kMillisPerDay = 86400000;
    const int64_t value = values_.Value(i);
    AppendDate(value / kMillisPerDay - (value % kMillisPerDay < 0 ? 1 : 0), out);
  }
};

class TimestampWriter final : public QuotedWriter<arrow::TimestampArray> {
 public:
  explicit TimestampWriter(const std::shared_ptr<arrow::Array>& array) : QuotedWriter(array) {
    const auto& type = static_cast<const arrow::TimestampType&>(*array->type());
    units_ = UnitsPerSecond(type.unit());
    has_zone_ = !type.timezone().empty();
  }

 private:
  void TextValue(int64_t i, std::string* out) const override {
    AppendTimestamp(values_.Value(i), units_, out);
    if (has_zone_) {
      out->push_back('Z');
    }
  }

  int64_t units_;
  bool has_zone_;
};

template <typename ArrayType, typename Type, auto kAppend>
class UnitWriter final : public QuotedWriter<ArrayType> {
 public:
  explicit UnitWriter(const std::shared_ptr<arrow::Array>& array)
      : QuotedWriter<ArrayType>(array),
        units_(UnitsPerSecond(static_cast<const Type&>(*array->type()).unit())) {}

 private:
  void TextValue(int64_t i, std::string* out) const override {
    kAppend(this->values_.Value(i), units_, out);
  }

  int64_t units_;
};

using Time32Writer = UnitWriter<arrow::Time32Array, arrow::Time32Type, AppendTimeOfDay>;
using Time64Writer = UnitWriter<arrow::Time64Array, arrow::Time64Type, AppendTimeOfDay>;
using DurationWriter = UnitWriter<arrow::DurationArray, arrow::DurationType, AppendDuration>;

class MonthIntervalWriter final : public QuotedWriter<arrow::MonthIntervalArray> {
  using QuotedWriter::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    out->push_back('P');
    AppendInt(values_.Value(i), out);
    out->push_back('M');
  }
};

// "P1M2DT3.5S" with a sign on each part, since the parts of an interval are independent.
void AppendPeriod(int64_t months, int64_t days, int64_t value, int64_t units, std::string* out) {
  out->push_back('P');
  if (months != 0) {
    AppendInt(months, out);
    out->push_back('M');
  }
  AppendInt(days, out);
  out->push_back('D');
  if (value != 0) {
    std::string time;
    AppendDuration(value, units, &time);
    if (time[0] == '-') {
      time.replace(0, 3, "T-");
    } else {
      time.erase(0, 1);
    }
    out->append(time);
  }
}

class DayTimeIntervalWriter final : public QuotedWriter<arrow::DayTimeIntervalArray> {
  using QuotedWriter::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    const auto value = values_.GetValue(i);
    AppendPeriod(0, value.days, value.milliseconds, 1000, out);
  }
};

class MonthDayNanoWriter final : public QuotedWriter<arrow::MonthDayNanoIntervalArray> {
  using QuotedWriter::QuotedWriter;

  void TextValue(int64_t i, std::string* out) const override {
    const auto value = values_.GetValue(i);
    AppendPeriod(value.months, value.days, value.nanoseconds, 1000000000, out);
  }
};

using WriterPtr = std::unique_ptr<ValueWriter>;

template <typename ArrayType>
class ListWriter final : public Of<ArrayType> {
 public:
  ListWriter(const std::shared_ptr<arrow::Array>& array, WriterPtr items)
      : Of<ArrayType>(array), items_(std::move(items)) {}

 private:
  void JsonValue(int64_t i, std::string* out) const override {
    const int64_t start = this->values_.value_offset(i);
    const int64_t end = start + this->values_.value_length(i);
    out->push_back('[');
    for (int64_t at = start; at < end; ++at) {
      if (at > start) {
        out->push_back(',');
      }
      items_->Json(at, out);
    }
    out->push_back(']');
  }

  void ShortValue(int64_t i, std::string* out) const override {
    const int64_t start = this->values_.value_offset(i);
    const int64_t length = this->values_.value_length(i);
    out->push_back('[');
    for (int64_t at = 0; at < std::min(length, kShortList); ++at) {
      out->append(at > 0 ? ", " : "");
      items_->Short(start + at, out);
    }
    if (length > kShortList) {
      out->append(", … " + std::to_string(length));
    }
    out->push_back(']');
  }

  WriterPtr items_;
};

class MapWriter final : public Of<arrow::MapArray> {
 public:
  MapWriter(const std::shared_ptr<arrow::Array>& array, WriterPtr keys, WriterPtr items)
      : Of(array), keys_(std::move(keys)), items_(std::move(items)) {}

 private:
  void JsonValue(int64_t i, std::string* out) const override {
    const int64_t start = values_.value_offset(i);
    const int64_t end = start + values_.value_length(i);
    out->push_back('[');
    for (int64_t at = start; at < end; ++at) {
      out->append(at > start ? ",[" : "[");
      keys_->Json(at, out);
      out->push_back(',');
      items_->Json(at, out);
      out->push_back(']');
    }
    out->push_back(']');
  }

  void ShortValue(int64_t i, std::string* out) const override {
    const int64_t start = values_.value_offset(i);
    const int64_t length = values_.value_length(i);
    out->push_back('{');
    for (int64_t at = 0; at < std::min(length, kShortList); ++at) {
      out->append(at > 0 ? ", " : "");
      keys_->Short(start + at, out);
      out->append(": ");
      items_->Short(start + at, out);
    }
    out->append(length > kShortList ? ", … " + std::to_string(length) + "}" : "}");
  }

  WriterPtr keys_;
  WriterPtr items_;
};

class StructWriter final : public Of<arrow::StructArray> {
 public:
  StructWriter(const std::shared_ptr<arrow::Array>& array, std::vector<WriterPtr> fields)
      : Of(array), fields_(std::move(fields)) {
    for (const auto& field : array->type()->fields()) {
      std::string key;
      AppendJsonString(field->name(), &key);
      keys_.push_back(key + ":");
    }
  }

 private:
  void JsonValue(int64_t i, std::string* out) const override {
    out->push_back('{');
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (f > 0) {
        out->push_back(',');
      }
      out->append(keys_[f]);
      fields_[f]->Json(i, out);
    }
    out->push_back('}');
  }

  void ShortValue(int64_t i, std::string* out) const override {
    out->push_back('{');
    for (size_t f = 0; f < fields_.size(); ++f) {
      out->append(f > 0 ? ", " : "");
      out->append(values_.type()->field(static_cast<int>(f))->name()).append(": ");
      fields_[f]->Short(i, out);
    }
    out->push_back('}');
  }

  std::vector<WriterPtr> fields_;
  std::vector<std::string> keys_;
};

// An array whose value i is value At(i) of another array.
class IndirectWriter : public ValueWriter {
 public:
  IndirectWriter(const std::shared_ptr<arrow::Array>& array, WriterPtr target)
      : ValueWriter(array), target_(std::move(target)) {}

 private:
  virtual int64_t At(int64_t i) const { return i; }

  void JsonValue(int64_t i, std::string* out) const override { target_->Json(At(i), out); }

  void TextValue(int64_t i, std::string* out) const override { target_->Text(At(i), out); }

  void ShortValue(int64_t i, std::string* out) const override { target_->Short(At(i), out); }

  WriterPtr target_;
};

class DictionaryWriter final : public IndirectWriter {
 public:
  DictionaryWriter(const std::shared_ptr<arrow::Array>& array, WriterPtr values)
      : IndirectWriter(array, std::move(values)),
        array_(static_cast<const arrow::DictionaryArray&>(*array)) {}

 private:
  int64_t At(int64_t i) const override { return array_.GetValueIndex(i); }

  const arrow::DictionaryArray& array_;
};

template <typename RunEnds>
class RunEndWriter final : public IndirectWriter {
 public:
  RunEndWriter(const std::shared_ptr<arrow::Array>& array, WriterPtr values)
      : IndirectWriter(array, std::move(values)),
        ends_(static_cast<const arrow::RunEndEncodedArray&>(*array).run_ends()),
        offset_(array->offset()) {}

 private:
  int64_t At(int64_t i) const override {
    const auto& ends = static_cast<const RunEnds&>(*ends_);
    const auto* first = ends.raw_values();
    return std::upper_bound(first, first + ends.length(), offset_ + i) - first;
  }

  std::shared_ptr<arrow::Array> ends_;
  int64_t offset_;
};

class UnionWriter final : public Of<arrow::UnionArray> {
 public:
  UnionWriter(const std::shared_ptr<arrow::Array>& array, std::vector<WriterPtr> children)
      : Of(array), children_(std::move(children)) {}

 private:
  const ValueWriter& Child(int64_t i) const {
    return *children_[static_cast<size_t>(values_.child_id(i))];
  }

  int64_t At(int64_t i) const {
    return values_.mode() == arrow::UnionMode::DENSE
               ? static_cast<const arrow::DenseUnionArray&>(values_).value_offset(i)
               : i;
  }

  void JsonValue(int64_t i, std::string* out) const override { Child(i).Json(At(i), out); }

  void TextValue(int64_t i, std::string* out) const override { Child(i).Text(At(i), out); }

  void ShortValue(int64_t i, std::string* out) const override { Child(i).Short(At(i), out); }

  std::vector<WriterPtr> children_;
};

using MadeWriter = arrow::Result<WriterPtr>;

template <typename Writer>
MadeWriter Plain(const std::shared_ptr<arrow::Array>& array) {
  return std::make_unique<Writer>(array);
}

template <typename ArrayType>
MadeWriter MakeList(const std::shared_ptr<arrow::Array>& array) {
  ARROW_ASSIGN_OR_RAISE(auto items,
                        ValueWriter::Make(static_cast<const ArrayType&>(*array).values()));
  return std::make_unique<ListWriter<ArrayType>>(array, std::move(items));
}

MadeWriter MakeMap(const std::shared_ptr<arrow::Array>& array) {
  const auto& map = static_cast<const arrow::MapArray&>(*array);
  ARROW_ASSIGN_OR_RAISE(auto keys, ValueWriter::Make(map.keys()));
  ARROW_ASSIGN_OR_RAISE(auto items, ValueWriter::Make(map.items()));
  return std::make_unique<MapWriter>(array, std::move(keys), std::move(items));
}

MadeWriter MakeStruct(const std::shared_ptr<arrow::Array>& array) {
  std::vector<WriterPtr> fields;
  for (const auto& field : static_cast<const arrow::StructArray&>(*array).fields()) {
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), ValueWriter::Make(field));
  }
  return std::make_unique<StructWriter>(array, std::move(fields));
}

MadeWriter MakeUnion(const std::shared_ptr<arrow::Array>& array) {
  const auto& values = static_cast<const arrow::UnionArray&>(*array);
  std::vector<WriterPtr> children;
  for (int child = 0; child < values.num_fields(); ++child) {
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(), ValueWriter::Make(values.field(child)));
  }
  return std::make_unique<UnionWriter>(array, std::move(children));
}

MadeWriter MakeDictionary(const std::shared_ptr<arrow::Array>& array) {
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array).dictionary();
  ARROW_ASSIGN_OR_RAISE(auto values, ValueWriter::Make(dictionary));
  return std::make_unique<DictionaryWriter>(array, std::move(values));
}

MadeWriter MakeRunEnd(const std::shared_ptr<arrow::Array>& array) {
  const auto& encoded = static_cast<const arrow::RunEndEncodedArray&>(*array);
  ARROW_ASSIGN_OR_RAISE(auto values, ValueWriter::Make(encoded.values()));
  switch (encoded.run_ends()->type_id()) {
    case arrow::Type::INT16:
      return std::make_unique<RunEndWriter<arrow::Int16Array>>(array, std::move(values));
    case arrow::Type::INT32:
      return std::make_unique<RunEndWriter<arrow::Int32Array>>(array, std::move(values));
    default:
      return std::make_unique<RunEndWriter<arrow::Int64Array>>(array, std::move(values));
  }
}

MadeWriter MakeExtension(const std::shared_ptr<arrow::Array>& array) {
  const auto& storage = static_cast<const arrow::ExtensionArray&>(*array).storage();
  ARROW_ASSIGN_OR_RAISE(auto writer, ValueWriter::Make(storage));
  return std::make_unique<IndirectWriter>(array, std::move(writer));
}

using Maker = MadeWriter (*)(const std::shared_ptr<arrow::Array>&);

Maker MakerOf(arrow::Type::type type) {
  using arrow::Type;
  switch (type) {  // clang-format off
    case Type::NA: return Plain<NullWriter>;
    case Type::BOOL: return Plain<BooleanWriter>;
    case Type::INT8: return Plain<IntegerWriter<arrow::Int8Array>>;
    case Type::INT16: return Plain<IntegerWriter<arrow::Int16Array>>;
    case Type::INT32: return Plain<IntegerWriter<arrow::Int32Array>>;
    case Type::INT64: return Plain<IntegerWriter<arrow::Int64Array>>;
    case Type::UINT8: return Plain<IntegerWriter<arrow::UInt8Array>>;
    case Type::UINT16: return Plain<IntegerWriter<arrow::UInt16Array>>;
    case Type::UINT32: return Plain<IntegerWriter<arrow::UInt32Array>>;
    case Type::UINT64: return Plain<IntegerWriter<arrow::UInt64Array>>;
    case Type::HALF_FLOAT: return Plain<FloatWriter<arrow::HalfFloatArray>>;
    case Type::FLOAT: return Plain<FloatWriter<arrow::FloatArray>>;
    case Type::DOUBLE: return Plain<FloatWriter<arrow::DoubleArray>>;
    case Type::STRING: return Plain<StringWriter<arrow::StringArray>>;
    case Type::LARGE_STRING: return Plain<StringWriter<arrow::LargeStringArray>>;
    case Type::STRING_VIEW: return Plain<StringWriter<arrow::StringViewArray>>;
    case Type::BINARY: return Plain<BinaryWriter<arrow::BinaryArray>>;
    case Type::LARGE_BINARY: return Plain<BinaryWriter<arrow::LargeBinaryArray>>;
    case Type::BINARY_VIEW: return Plain<BinaryWriter<arrow::BinaryViewArray>>;
    case Type::FIXED_SIZE_BINARY: return Plain<BinaryWriter<arrow::FixedSizeBinaryArray>>;
    case Type::DECIMAL32: return Plain<DecimalWriter<arrow::Decimal32Array>>;
    case Type::DECIMAL64: return Plain<DecimalWriter<arrow::Decimal64Array>>;
    case Type::DECIMAL128: return Plain<DecimalWriter<arrow::Decimal128Array>>;
    case Type::DECIMAL256: return Plain<DecimalWriter<arrow::Decimal256Array>>;
    case Type::DATE32: return Plain<Date32Writer>;
    case Type::DATE64: return Plain<Date64Writer>;
    case Type::TIMESTAMP: return Plain<TimestampWriter>;
    case Type::TIME32: return Plain<Time32Writer>;
    case Type::TIME64: return Plain<Time64Writer>;
    case Type::DURATION: return Plain<DurationWriter>;
    case Type::INTERVAL_MONTHS: return Plain<MonthIntervalWriter>;
    case Type::INTERVAL_DAY_TIME: return Plain<DayTimeIntervalWriter>;
    case Type::INTERVAL_MONTH_DAY_NANO: return Plain<MonthDayNanoWriter>;
    case Type::LIST: return MakeList<arrow::ListArray>;
    case Type::LARGE_LIST: return MakeList<arrow::LargeListArray>;
    case Type::LIST_VIEW: return MakeList<arrow::ListViewArray>;
    case Type::LARGE_LIST_VIEW: return MakeList<arrow::LargeListViewArray>;
    case Type::FIXED_SIZE_LIST: return MakeList<arrow::FixedSizeListArray>;
    case Type::MAP: return MakeMap;
    case Type::STRUCT: return MakeStruct;
    case Type::SPARSE_UNION: return MakeUnion;
    case Type::DENSE_UNION: return MakeUnion;
    case Type::DICTIONARY: return MakeDictionary;
    case Type::RUN_END_ENCODED: return MakeRunEnd;
    case Type::EXTENSION: return MakeExtension;
    default: return nullptr;
  }  // clang-format on
}

}  // namespace

arrow::Result<std::unique_ptr<ValueWriter>> ValueWriter::Make(
    const std::shared_ptr<arrow::Array>& array) {
  const auto maker = MakerOf(array->type_id());
  if (maker == nullptr) {
    return MakeError(ErrorCode::kUnsupported,
                     "values of type " + array->type()->ToString() + " have no text form");
  }
  return maker(array);
}

bool ValueWriter::IsNull(int64_t i) const {
  return array_->IsNull(i);
}

void ValueWriter::Json(int64_t i, std::string* out) const {
  if (array_->IsNull(i)) {
    out->append("null");
  } else {
    JsonValue(i, out);
  }
}

void ValueWriter::Text(int64_t i, std::string* out) const {
  if (!array_->IsNull(i)) {
    TextValue(i, out);
  }
}

void ValueWriter::Short(int64_t i, std::string* out) const {
  if (array_->IsNull(i)) {
    out->append("null");
  } else {
    ShortValue(i, out);
  }
}

JsonRows::JsonRows(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    std::string key;
    AppendJsonString(field->name(), &key);
    keys_.push_back(key + ":");
  }
}

arrow::Status JsonRows::Append(const arrow::RecordBatch& batch, std::string* out) const {
  std::vector<WriterPtr> columns;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), ValueWriter::Make(column));
  }
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    out->push_back('{');
    for (size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) {
        out->push_back(',');
      }
      out->append(keys_[c]);
      columns[c]->Json(row, out);
    }
    out->append("}\n");
  }
  return arrow::Status::OK();
}

}  // namespace glaive::cli
