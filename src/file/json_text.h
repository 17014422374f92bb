// JSON columns between the form that is stored (logical type "json": JSONB in large_binary,
// extension lance.json) and the form that people hand in and get (text, extension arrow.json). File
// readers and writers hold the stored form; scans and takes of tables hand out text, as Lance does.
#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::file {

/// Whether the field, not one below it, is a JSON column in its stored form.
bool IsStoredJson(const arrow::Field& field);

/// The field with all stored JSON, at any depth, as text (utf8, extension arrow.json). The same
/// pointer if there is none.
std::shared_ptr<arrow::Field> WithJsonText(const std::shared_ptr<arrow::Field>& field);
std::shared_ptr<arrow::Schema> WithJsonText(const std::shared_ptr<arrow::Schema>& schema);

/// A column of `stored` in the type of WithJsonText(stored). kCorruption and kUnsupported as in
/// jsonb::Decode, with the row.
arrow::Result<std::shared_ptr<arrow::Array>> ColumnWithJsonText(
    const arrow::Field& stored, const std::shared_ptr<arrow::Array>& column,
    arrow::MemoryPool* pool);

}  // namespace glaive::file
