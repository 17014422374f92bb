#include "write/json_fit.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>

#include "base/jsonb.h"
#include "base/status.h"

namespace glaive::write {

namespace {

bool IsBinary(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

bool IsText(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return true;
    case arrow::Type::DICTIONARY:
      return IsText(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return false;
  }
}

arrow::Status CheckDocuments(const arrow::LargeBinaryArray& documents,
                             const std::function<std::string(int64_t)>& name_row) {
  std::string text;
  for (int64_t i = 0; i < documents.length(); ++i) {
    if (documents.IsNull(i)) {
      continue;
    }
    text.clear();
    // Values that we have no text for (decimals, dates) were made by a newer writer.
    const auto status = jsonb::Decode(documents.GetView(i), &text);
    GLAIVE_CHECK_ARGUMENT(
        status.ok() || ErrorCodeOf(status) == ErrorCode::kUnsupported, name_row(i),
        ": the bytes are not JSON in its binary form (JSONB): ", status.message());
  }
  return arrow::Status::OK();
}

}  // namespace

bool IsJsonInput(const arrow::DataType& type) {
  return IsText(type) || IsBinary(type);
}

arrow::Result<std::shared_ptr<arrow::Array>> JsonFrom(
    const std::shared_ptr<arrow::Array>& input, const std::function<std::string(int64_t)>& name_row,
    arrow::MemoryPool* pool) {
  if (IsBinary(*input->type())) {
    ARROW_ASSIGN_OR_RAISE(auto documents, arrow::compute::Cast(*input, arrow::large_binary()));
    ARROW_RETURN_NOT_OK(
        CheckDocuments(static_cast<const arrow::LargeBinaryArray&>(*documents), name_row));
    return documents;
  }
  ARROW_ASSIGN_OR_RAISE(const auto large, arrow::compute::Cast(*input, arrow::large_utf8()));
  const auto& texts = static_cast<const arrow::LargeStringArray&>(*large);
  arrow::LargeBinaryBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  std::string document;
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    document.clear();
    GLAIVE_WITH_CONTEXT(jsonb::Encode(texts.GetView(i), &document), name_row(i));
    ARROW_RETURN_NOT_OK(builder.Append(document));
  }
  return builder.Finish();
}

}  // namespace glaive::write
