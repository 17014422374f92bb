// What tests above the table layer share: an endless table to take batches from, a directory that
// goes with the test, and checks of statuses. Test-only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

#include "base/uuid.h"

namespace glaive::testing {

#define ASSERT_OK(expression)                                     \
  do {                                                            \
    const arrow::Status ok_status_ = arrow::ToStatus(expression); \
    ASSERT_TRUE(ok_status_.ok()) << ok_status_.ToString();        \
  } while (false)

#define EXPECT_CODE(expression, code_)                                                 \
  do {                                                                                 \
    const arrow::Status code_status_ = arrow::ToStatus(expression);                    \
    EXPECT_EQ(ErrorCodeOf(code_status_), ErrorCode::code_) << code_status_.ToString(); \
  } while (false)

/// The value, or a failure of the test and an abort of the binary: for set-up that must not fail.
template <typename T>
T Must(arrow::Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return std::move(result).ValueOrDie();
}

inline constexpr int kDimension = 4;

inline std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("text", arrow::utf8()),
       arrow::field("vector", arrow::fixed_size_list(arrow::float32(), kDimension))});
}

/// Rows first .. first + count - 1 of an endless table. Every seventh text is null.
inline std::shared_ptr<arrow::RecordBatch> Rows(int64_t first, int64_t count) {
  arrow::Int64Builder ids;
  arrow::StringBuilder texts;
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder vectors(arrow::default_memory_pool(), values, kDimension);
  for (int64_t i = first; i < first + count; ++i) {
    EXPECT_TRUE(ids.Append(i).ok());
    EXPECT_TRUE((i % 7 == 3 ? texts.AppendNull() : texts.Append("text " + std::to_string(i))).ok());
    EXPECT_TRUE(vectors.Append().ok());
    for (int d = 0; d < kDimension; ++d) {
      EXPECT_TRUE(values->Append(static_cast<float>(i) + 0.25F * static_cast<float>(d)).ok());
    }
  }
  return arrow::RecordBatch::Make(
      TestSchema(), count, arrow::ArrayVector{*ids.Finish(), *texts.Finish(), *vectors.Finish()});
}

inline std::shared_ptr<arrow::RecordBatchReader> Stream(
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  auto schema = batches.front()->schema();
  return *arrow::RecordBatchReader::Make(std::move(batches), std::move(schema));
}

/// `batch` with another column in place of one.
inline std::shared_ptr<arrow::RecordBatch> With(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                int column,
                                                const std::shared_ptr<arrow::Field>& field,
                                                const std::shared_ptr<arrow::Array>& array) {
  return Must(batch->SetColumn(column, field, array));
}

/// Everything that a stream still holds, as one batch.
inline arrow::Result<std::shared_ptr<arrow::RecordBatch>> Drain(
    const arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>& reader) {
  ARROW_RETURN_NOT_OK(reader.status());
  ARROW_ASSIGN_OR_RAISE(const auto whole, (*reader)->ToTable());
  return whole->CombineChunksToBatch();
}

inline std::vector<int64_t> IdsOf(const arrow::Result<std::shared_ptr<arrow::RecordBatch>>& batch) {
  std::vector<int64_t> ids;
  if (!batch.ok()) {
    ADD_FAILURE() << batch.status().ToString();
    return ids;
  }
  const auto column = std::static_pointer_cast<arrow::Int64Array>((*batch)->GetColumnByName("id"));
  for (int64_t i = 0; i < column->length(); ++i) {
    ids.push_back(column->Value(i));
  }
  return ids;
}

inline std::vector<int64_t> Sequence(int64_t first, int64_t count) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    ids[static_cast<size_t>(i)] = first + i;
  }
  return ids;
}

/// A directory of its own below the temporary one, removed at the end. It is not made.
class ScratchDirectory {
 public:
  ScratchDirectory()
      : path_(std::filesystem::temp_directory_path() / ("glaive-" + Uuid::Random().ToString())) {}

  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Every file and directory below, by relative path.
  std::set<std::string> Listing() const {
    std::set<std::string> names;
    if (std::filesystem::exists(path_)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
        names.insert(std::filesystem::relative(entry.path(), path_).string());
      }
    }
    return names;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace glaive::testing
