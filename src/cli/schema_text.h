// A schema for people and for programs.
#pragma once

#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "cli/json.h"

namespace glaive::cli {

/// {"fields": [{"name", "type", "nullable", "metadata"?, "fields"?}], "metadata"?}
Json SchemaJson(const arrow::Schema& schema);

/// One line per column: name, type, "not null", metadata.
std::string SchemaText(const arrow::Schema& schema);

/// A schema from text: "id: int64 not null, text: string, vector: vector[256], tags: list<string>,
/// who: struct<name: string, age: int32>". Types: bool, int8 … uint64, float16, float32, float64,
/// string, large_string, binary, large_binary, date32, date64, time32[s|ms], time64[us|ns],
/// timestamp[s|ms|us|ns] or timestamp[us, UTC], duration[…], decimal128(P, S),
/// fixed_size_binary[N], list<T>, large_list<T>, fixed_size_list<T>[N], vector[N] (float32),
/// struct<…>, map<K, V>. kInvalidArgument says where it fails.
arrow::Result<std::shared_ptr<arrow::Schema>> ParseSchema(const std::string& text);

}  // namespace glaive::cli
