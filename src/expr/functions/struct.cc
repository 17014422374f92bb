// Structs and maps: get_field, named_struct, struct, map and what is in them.
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/status.h"
#include "expr/functions/element_keys.h"
#include "expr/functions/list_column.h"

namespace glaive::expr {

namespace {

using lists::Gather;
using lists::ListColumn;
using lists::ValueColumn;

/// The text of a constant argument, or an error.
arrow::Result<std::string> ConstantText(const CallSite& site, size_t argument) {
  const auto& constant = site.constants[argument];
  if (constant == nullptr || !constant->is_valid || !IsText(*constant->type)) {
    return lists::WrongType(site, argument, "the name of a field, a constant text,");
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum text,
                        CastTo(constant, arrow::utf8(), false, arrow::default_memory_pool()));
  std::string name = text.scalar()->ToString();
  if (name.empty()) return InvalidArgument(site.name, ": the name of a field is empty");
  return name;
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// The field of that name, or the only one whose name differs by case alone; -1 if there is none.
int FieldIndex(const arrow::DataType& type, std::string_view name) {
  int found = -1;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() == name) return i;
  }
  for (int i = 0; i < type.num_fields(); ++i) {
    if (!SameIgnoringCase(type.field(i)->name(), name)) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

std::string FieldNames(const arrow::DataType& type) {
  std::string names;
  for (const auto& field : type.fields()) {
    names += (names.empty() ? "" : ", ") + field->name();
  }
  return names;
}

TypePtr KeyType(const arrow::DataType& map) {
  return static_cast<const arrow::MapType&>(map).key_type();
}

TypePtr ItemType(const arrow::DataType& map) {
  return static_cast<const arrow::MapType&>(map).item_type();
}

/// The element found for a key in each row of a map, or Gather::kNull; -2 where map or key is null.
arrow::Result<std::vector<int64_t>> FindKeys(const ListColumn& map, const ValueColumn& keys,
                                             int64_t rows) {
  const auto& entries = static_cast<const arrow::StructArray&>(*map.child());
  std::shared_ptr<arrow::Array> own = entries.field(0);
  ARROW_ASSIGN_OR_RAISE(lists::Codes codes, lists::EncodeElements({own.get(), keys.array().get()}));
  std::vector<int64_t> found(static_cast<size_t>(rows), Gather::kNull);
  for (int64_t row = 0; row < rows; ++row) {
    if (map.IsNull(row)) {
      found[static_cast<size_t>(row)] = -2;
      continue;
    }
    if (keys.IsNull(row)) continue;
    int32_t key = codes.of[1][static_cast<size_t>(keys.Index(row))];
    for (int64_t i = map.Begin(row); i < map.End(row); ++i) {
      if (codes.of[0][static_cast<size_t>(i)] == key) found[static_cast<size_t>(row)] = i;
    }
  }
  return found;
}

arrow::Result<Signature> ResolveGetField(const CallSite& site) {
  TypePtr type = site.types[0];
  Signature signature;
  signature.arguments.push_back(type);
  for (size_t i = 1; i < site.types.size(); ++i) {
    if (type->id() == arrow::Type::STRUCT) {
      ARROW_ASSIGN_OR_RAISE(std::string name, ConstantText(site, i));
      int index = FieldIndex(*type, name);
      if (index < 0) {
        return NotFound(site.name, ": no field named '", name, "' in a struct with the fields ",
                        FieldNames(*type));
      }
      signature.arguments.push_back(arrow::utf8());
      type = type->field(index)->type();
    } else if (type->id() == arrow::Type::MAP) {
      signature.arguments.push_back(KeyType(*type));
      type = ItemType(*type);
    } else if (type->id() == arrow::Type::NA) {
      signature.arguments.push_back(site.types[i]);
    } else {
      return TypeMismatch(site.name, ": argument ", i, " is ", type->ToString(),
                          "; a struct or map is needed");
    }
  }
  signature.result = type;
  return signature;
}

arrow::Result<arrow::Datum> GetField(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ValueColumn first, ValueColumn::Make(call.arguments[0], call.pool));
  bool constant = first.constant();
  std::shared_ptr<arrow::Array> values = first.array();
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ValueColumn keys, ValueColumn::Make(call.arguments[i], call.pool));
    if (values->type_id() == arrow::Type::STRUCT) {
      int index = FieldIndex(*values->type(), keys.Text(0));
      if (index < 0) return InternalError("get_field: the field is gone");
      ARROW_ASSIGN_OR_RAISE(
          values,
          static_cast<const arrow::StructArray&>(*values).GetFlattenedField(index, call.pool));
    } else if (values->type_id() == arrow::Type::MAP) {
      arrow::Datum datum(values);
      if (constant) {
        ARROW_ASSIGN_OR_RAISE(auto scalar, values->GetScalar(0));
        datum = arrow::Datum(scalar);
      }
      ARROW_ASSIGN_OR_RAISE(ListColumn map, ListColumn::Make(datum, call.pool));
      constant = constant && keys.constant();
      int64_t rows = constant ? 1 : call.num_rows;
      ARROW_ASSIGN_OR_RAISE(auto found, FindKeys(map, keys, rows));
      Gather gather;
      gather.AddSource(static_cast<const arrow::StructArray&>(*map.child()).field(1));
      for (int64_t index : found) gather.Add(std::max(index, Gather::kNull));
      ARROW_ASSIGN_OR_RAISE(values, gather.Values(call.pool));
    }
  }
  if (!constant) return arrow::Datum(values);
  ARROW_ASSIGN_OR_RAISE(auto scalar, values->GetScalar(0));
  return arrow::Datum(scalar);
}

arrow::Result<Signature> ResolveNamedStruct(const CallSite& site) {
  if (site.types.size() % 2 != 0) {
    return InvalidArgument(site.name, ": ", site.types.size(),
                           " arguments; names and values must alternate");
  }
  Signature signature;
  arrow::FieldVector fields;
  for (size_t i = 0; i < site.types.size(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(std::string name, ConstantText(site, i));
    for (const auto& field : fields) {
      if (field->name() == name) {
        return InvalidArgument(site.name, ": the name '", name, "' is given twice");
      }
    }
    fields.push_back(arrow::field(name, site.types[i + 1]));
    signature.arguments.push_back(arrow::utf8());
    signature.arguments.push_back(site.types[i + 1]);
  }
  signature.result = arrow::struct_(std::move(fields));
  return signature;
}

arrow::Result<Signature> ResolveStruct(const CallSite& site) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < site.types.size(); ++i) {
    fields.push_back(arrow::field("c" + std::to_string(i), site.types[i]));
  }
  return Signature{site.types, arrow::struct_(std::move(fields))};
}

/// A struct of every `step`-th argument.
arrow::Result<arrow::Datum> MakeStruct(const Call& call, size_t first, size_t step) {
  arrow::ArrayVector fields;
  for (size_t i = first; i < call.arguments.size(); i += step) {
    const arrow::Datum& argument = call.arguments[i];
    if (argument.is_scalar()) {
      ARROW_ASSIGN_OR_RAISE(
          auto array, arrow::MakeArrayFromScalar(*argument.scalar(), call.num_rows, call.pool));
      fields.push_back(std::move(array));
    } else {
      fields.push_back(argument.make_array());
    }
  }
  return arrow::Datum(std::static_pointer_cast<arrow::Array>(std::make_shared<arrow::StructArray>(
      call.signature->result, call.num_rows, std::move(fields))));
}

arrow::Result<Signature> ResolveMap(const CallSite& site) {
  ARROW_RETURN_NOT_OK(lists::NeedList(site, 0));
  ARROW_RETURN_NOT_OK(lists::NeedList(site, 1));
  TypePtr key = lists::Element(site.types[0]);
  TypePtr item = lists::Element(site.types[1]);
  return Signature{
      {lists::ListArgument(site.types[0], key), lists::ListArgument(site.types[1], item)},
      arrow::map(key, item)};
}

/// Where the entries of maps come from: positions of keys and of values, row by row.
struct Entries {
  Gather keys;
  Gather items;
};

/// Checks that keys are neither null nor twice in one row, and makes the maps.
arrow::Result<arrow::Datum> FinishMaps(const Call& call, const std::vector<int64_t>& offsets,
                                       Entries* entries, const std::vector<bool>& null_rows) {
  ARROW_ASSIGN_OR_RAISE(auto keys, entries->keys.Values(call.pool));
  ARROW_ASSIGN_OR_RAISE(auto items, entries->items.Values(call.pool));
  if (keys->null_count() > 0) return InvalidArgument("map: a key is null");
  ARROW_ASSIGN_OR_RAISE(lists::Codes codes, lists::EncodeElements({keys.get()}));
  std::vector<int64_t> last_row(static_cast<size_t>(codes.count), -1);
  for (size_t row = 0; row + 1 < offsets.size(); ++row) {
    for (int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      int64_t& last = last_row[static_cast<size_t>(codes.of[0][static_cast<size_t>(i)])];
      if (last == static_cast<int64_t>(row)) {
        ARROW_ASSIGN_OR_RAISE(auto key, keys->GetScalar(i));
        return InvalidArgument("map: the key ", key->ToString(),
                               " is twice in one map; keys must be unique");
      }
      last = static_cast<int64_t>(row);
    }
  }
  auto structs = std::make_shared<arrow::StructArray>(
      call.signature->result->field(0)->type(), keys->length(), arrow::ArrayVector{keys, items});
  Gather rows;
  rows.AddSource(structs);
  for (size_t row = 0; row + 1 < offsets.size(); ++row) {
    if (null_rows[row]) {
      rows.NullRow();
    } else {
      rows.AddRange(offsets[row], offsets[row + 1]);
      rows.EndRow();
    }
  }
  return rows.Lists(call.signature->result, call.pool);
}

arrow::Result<arrow::Datum> Map(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn keys, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ListColumn items, ListColumn::Make(call.arguments[1], call.pool));
  Entries entries;
  entries.keys.AddSource(keys.child());
  entries.items.AddSource(items.child());
  std::vector<int64_t> offsets{0};
  std::vector<bool> null_rows(static_cast<size_t>(call.num_rows));
  for (int64_t row = 0; row < call.num_rows; ++row) {
    int64_t length = 0;
    null_rows[static_cast<size_t>(row)] = keys.IsNull(row) || items.IsNull(row);
    if (!null_rows[static_cast<size_t>(row)]) {
      length = keys.Length(row);
      GLAIVE_CHECK_ARGUMENT(length == items.Length(row), "map: ", length, " keys and ",
                            items.Length(row), " values; there must be as many");
      entries.keys.AddRange(keys.Begin(row), keys.End(row));
      entries.items.AddRange(items.Begin(row), items.End(row));
    }
    offsets.push_back(offsets.back() + length);
  }
  return FinishMaps(call, offsets, &entries, null_rows);
}

arrow::Result<Signature> ResolveMakeMap(const CallSite& site) {
  if (site.types.size() % 2 != 0) {
    return InvalidArgument(site.name, ": ", site.types.size(),
                           " arguments; keys and values must alternate");
  }
  TypePtr common[2] = {arrow::null(), arrow::null()};
  for (size_t i = 0; i < site.types.size(); ++i) {
    TypePtr type = lists::Common(common[i % 2], lists::Plain(site.types[i]));
    if (type == nullptr) {
      return lists::WrongType(site, i,
                              Concat("a value of one type with ", common[i % 2]->ToString()));
    }
    common[i % 2] = type;
  }
  Signature signature{{}, arrow::map(common[0], common[1])};
  for (size_t i = 0; i < site.types.size(); ++i) signature.arguments.push_back(common[i % 2]);
  return signature;
}

arrow::Result<arrow::Datum> MakeMap(const Call& call) {
  Entries entries;
  std::vector<std::pair<ValueColumn, int64_t>> parts;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ValueColumn part, ValueColumn::Make(call.arguments[i], call.pool));
    int64_t base = (i % 2 == 0 ? entries.keys : entries.items).AddSource(part.array());
    parts.emplace_back(std::move(part), base);
  }
  std::vector<int64_t> offsets{0};
  for (int64_t row = 0; row < call.num_rows; ++row) {
    for (size_t i = 0; i < parts.size(); ++i) {
      int64_t index = parts[i].second + parts[i].first.Index(row);
      (i % 2 == 0 ? entries.keys : entries.items).Add(index);
    }
    offsets.push_back(offsets.back() + static_cast<int64_t>(parts.size() / 2));
  }
  return FinishMaps(call, offsets, &entries, std::vector<bool>(static_cast<size_t>(call.num_rows)));
}

arrow::Status NeedMap(const CallSite& site) {
  if (site.types[0]->id() == arrow::Type::MAP) return arrow::Status::OK();
  return lists::WrongType(site, 0, "a map");
}

enum class Part { kKeys, kValues, kEntries };

arrow::Result<Signature> ResolvePart(const CallSite& site, Part part) {
  ARROW_RETURN_NOT_OK(NeedMap(site));
  TypePtr key = KeyType(*site.types[0]);
  TypePtr item = ItemType(*site.types[0]);
  TypePtr element = part == Part::kKeys ? key : item;
  if (part == Part::kEntries) element = site.types[0]->field(0)->type();
  return Signature{{site.types[0]}, arrow::list(element)};
}

arrow::Result<arrow::Datum> MapPart(const Call& call, Part part) {
  ARROW_ASSIGN_OR_RAISE(ListColumn map, ListColumn::Make(call.arguments[0], call.pool));
  const auto& entries = static_cast<const arrow::StructArray&>(*map.child());
  Gather gather;
  if (part == Part::kEntries) {
    gather.AddSource(map.child());
  } else {
    gather.AddSource(entries.field(part == Part::kKeys ? 0 : 1));
  }
  for (int64_t row = 0; row < call.num_rows; ++row) {
    if (map.IsNull(row)) {
      gather.NullRow();
    } else {
      gather.AddRange(map.Begin(row), map.End(row));
      gather.EndRow();
    }
  }
  return gather.Lists(call.signature->result, call.pool);
}

arrow::Result<Signature> ResolveExtract(const CallSite& site) {
  ARROW_RETURN_NOT_OK(NeedMap(site));
  return Signature{{site.types[0], KeyType(*site.types[0])}, arrow::list(ItemType(*site.types[0]))};
}

arrow::Result<arrow::Datum> Extract(const Call& call) {
  ARROW_ASSIGN_OR_RAISE(ListColumn map, ListColumn::Make(call.arguments[0], call.pool));
  ARROW_ASSIGN_OR_RAISE(ValueColumn keys, ValueColumn::Make(call.arguments[1], call.pool));
  ARROW_ASSIGN_OR_RAISE(auto found, FindKeys(map, keys, call.num_rows));
  Gather gather;
  gather.AddSource(static_cast<const arrow::StructArray&>(*map.child()).field(1));
  for (int64_t index : found) {
    if (index == -2) {
      gather.NullRow();
      continue;
    }
    if (index >= 0) gather.Add(index);
    gather.EndRow();
  }
  return gather.Lists(call.signature->result, call.pool);
}

Function PartFunction(const char* name, const char* summary, Part part) {
  return lists::Make(
      name, {}, 1, 1, std::string(name) + "(map)", summary,
      [part](const CallSite& site) { return ResolvePart(site, part); },
      [part](const Call& call) { return MapPart(call, part); });
}

}  // namespace

std::vector<Function> StructFunctions() {
  std::vector<Function> functions;
  functions.push_back(lists::Make("get_field", {}, 2, -1, "get_field(struct_or_map, name, ...)",
                                  "A field of a struct, or the value of a key of a map; more names "
                                  "go deeper. Null where the struct is null or the key is missing.",
                                  ResolveGetField, GetField));
  functions.push_back(lists::Make("named_struct", {}, 2, -1, "named_struct(name, value, ...)",
                                  "A struct of the values, named by constant texts.",
                                  ResolveNamedStruct,
                                  [](const Call& call) { return MakeStruct(call, 1, 2); }));
  functions.push_back(lists::Make("struct", {"row"}, 1, -1, "struct(value, ...)",
                                  "A struct of the values, with the names c0, c1 and so on.",
                                  ResolveStruct,
                                  [](const Call& call) { return MakeStruct(call, 0, 1); }));
  functions.push_back(lists::Make("map", {}, 2, 2, "map(keys, values)",
                                  "A map out of a list of keys, without nulls and repetitions, and "
                                  "a list of as many values.",
                                  ResolveMap, Map));
  functions.push_back(lists::Make("make_map", {}, 2, -1, "make_map(key, value, ...)",
                                  "A map of the keys and values that are given in turn.",
                                  ResolveMakeMap, MakeMap));
  functions.push_back(PartFunction("map_keys", "The keys of a map as a list.", Part::kKeys));
  functions.push_back(PartFunction("map_values", "The values of a map as a list.", Part::kValues));
  functions.push_back(PartFunction(
      "map_entries", "The entries of a map as a list of structs (key, value).", Part::kEntries));
  functions.push_back(lists::Make("map_extract", {"element_at"}, 2, 2, "map_extract(map, key)",
                                  "A list with the value of the key, or without elements if the "
                                  "key is missing (LanceDB, for a key that is a column: a list "
                                  "with null).",
                                  ResolveExtract, Extract));
  return functions;
}

}  // namespace glaive::expr
