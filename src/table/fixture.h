// What the tests of this room share: schemas, fragments and transactions made by hand. Test-only.
#pragma once

#include <string>
#include <vector>

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "glaive/error.h"

#include "table/committer.h"

namespace glaive::table {

#define ASSERT_OK(expression)                                        \
  do {                                                               \
    const ::arrow::Status status_for_test = (expression);            \
    ASSERT_TRUE(status_for_test.ok()) << status_for_test.ToString(); \
  } while (false)

/// The value, or a failure of the test and an abort of the binary: for set-up that must not fail.
template <typename T>
T Must(arrow::Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return std::move(result).ValueOrDie();
}

template <typename T>
ErrorCode CodeOf(const arrow::Result<T>& result) {
  return ErrorCodeOf(result.status());
}

inline file::Schema TwoColumns() {
  return Must(file::Schema::FromArrow(*arrow::schema(
      {arrow::field("id", arrow::int32(), false), arrow::field("s", arrow::utf8())})));
}

/// A fragment of one file that holds both columns.
inline lance::table::DataFragment NewFragment(const std::string& file, uint64_t rows) {
  lance::table::DataFragment fragment;
  fragment.set_physical_rows(rows);
  auto* data = fragment.add_files();
  data->set_path(file);
  data->add_fields(0);
  data->add_fields(1);
  data->add_column_indices(0);
  data->add_column_indices(1);
  data->set_file_major_version(2);
  data->set_file_minor_version(2);
  return fragment;
}

inline lance::table::Transaction CreateTransaction(
    const std::vector<lance::table::DataFragment>& fragments) {
  auto transaction = NewTransaction(0);
  auto* overwrite = transaction.mutable_overwrite();
  for (const auto& fragment : fragments) {
    *overwrite->add_fragments() = fragment;
  }
  TwoColumns().ToProto(overwrite->mutable_schema());
  return transaction;
}

inline lance::table::Transaction AppendTransaction(uint64_t read_version, const std::string& file,
                                                   uint64_t rows) {
  auto transaction = NewTransaction(read_version);
  *transaction.mutable_append()->add_fragments() = NewFragment(file, rows);
  return transaction;
}

inline Versions NewVersions(std::shared_ptr<io::ObjectStore> store) {
  Session::Options options;
  options.num_threads = 1;
  return Versions(std::move(store), std::make_shared<Session>(options));
}

}  // namespace glaive::table
