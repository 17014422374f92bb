#include "file/schema.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "file/logical_type.h"
#include "proto/file.pb.h"

namespace glaive::file {
namespace {

using arrow::field;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ProtoFields = google::protobuf::RepeatedPtrField<lance::file::Field>;

std::shared_ptr<const arrow::KeyValueMetadata> Meta(std::vector<std::string> keys,
                                                    std::vector<std::string> values) {
  return arrow::key_value_metadata(std::move(keys), std::move(values));
}

Schema MakeSchema(arrow::FieldVector fields) {
  return Schema::FromArrow(*arrow::schema(std::move(fields))).ValueOrDie();
}

struct TypeCase {
  std::shared_ptr<arrow::DataType> type;
  std::string logical;
};

std::vector<TypeCase> LeafTypes() {
  return {
      {arrow::null(), "null"},
      {arrow::boolean(), "bool"},
      {arrow::int8(), "int8"},
      {arrow::uint64(), "uint64"},
      {arrow::float16(), "halffloat"},
      {arrow::float32(), "float"},
      {arrow::float64(), "double"},
      {arrow::utf8(), "string"},
      {arrow::large_utf8(), "large_string"},
      {arrow::binary(), "binary"},
      {arrow::large_binary(), "large_binary"},
      {arrow::date32(), "date32:day"},
      {arrow::date64(), "date64:ms"},
      {arrow::time32(arrow::TimeUnit::MILLI), "time32:ms"},
      {arrow::time64(arrow::TimeUnit::NANO), "time64:ns"},
      {arrow::timestamp(arrow::TimeUnit::MICRO), "timestamp:us:-"},
      {arrow::timestamp(arrow::TimeUnit::NANO, "+01:00"), "timestamp:ns:+01:00"},
      {arrow::timestamp(arrow::TimeUnit::SECOND, "Europe/Berlin"), "timestamp:s:Europe/Berlin"},
      {arrow::duration(arrow::TimeUnit::SECOND), "duration:s"},
      {arrow::decimal128(38, 10), "decimal:128:38:10"},
      {arrow::decimal128(5, -2), "decimal:128:5:-2"},
      {arrow::decimal256(76, 0), "decimal:256:76:0"},
      {arrow::fixed_size_binary(16), "fixed_size_binary:16"},
      {arrow::fixed_size_list(arrow::float32(), 128), "fixed_size_list:float:128"},
      {arrow::fixed_size_list(arrow::fixed_size_list(arrow::float32(), 2), 3),
       "fixed_size_list:fixed_size_list:float:2:3"},
      {arrow::fixed_size_list(arrow::timestamp(arrow::TimeUnit::MILLI, "-08:00"), 2),
       "fixed_size_list:timestamp:ms:-08:00:2"},
      {arrow::dictionary(arrow::int32(), arrow::utf8()), "dict:string:int32:false"},
      {arrow::dictionary(arrow::uint8(), arrow::timestamp(arrow::TimeUnit::MILLI, "+02:00"), true),
       "dict:timestamp:ms:+02:00:uint8:true"},
  };
}

TEST(LogicalType, EveryLeafTypeGoesBothWays) {
  for (const auto& [type, logical] : LeafTypes()) {
    EXPECT_EQ(LogicalTypeOf(*type, "c").ValueOrDie(), logical);
    const auto back = ParseLogicalType(logical);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE((*back)->Equals(type)) << (*back)->ToString();
  }
}

TEST(LogicalType, ForgedParametersAreCorruption) {
  for (const char* text :
       {"timestamp:us", "timestamp:year:-", "decimal:128:0:0", "decimal:128:39:0", "decimal:64:3:1",
        "decimal:128:x:1", "fixed_size_binary:-1", "fixed_size_binary:99999999999",
        "fixed_size_list:float:0", "fixed_size_list:float:-3", "fixed_size_list:float",
        "dict:string:int32", "dict:string:float:false", "dict:string:int32:maybe"}) {
    EXPECT_EQ(ErrorCodeOf(ParseLogicalType(text).status()), ErrorCode::kCorruption) << text;
  }
  std::string deep = "float";
  for (int i = 0; i < 200; ++i) {
    deep = "fixed_size_list:" + deep + ":1";
  }
  EXPECT_EQ(ErrorCodeOf(ParseLogicalType(deep).status()), ErrorCode::kCorruption);
  const auto unknown = ParseLogicalType("quaternion").status();
  EXPECT_EQ(ErrorCodeOf(unknown), ErrorCode::kUnsupported);
  EXPECT_THAT(unknown.message(), HasSubstr("quaternion"));
}

TEST(LogicalType, Bfloat16ItemsKeepTheirName) {
  const auto item = field("item", arrow::fixed_size_binary(2), true,
                          Meta({"ARROW:extension:name"}, {"lance.bfloat16"}));
  const auto type = arrow::fixed_size_list(item, 4);
  EXPECT_EQ(LogicalTypeOf(*type, "c").ValueOrDie(), "fixed_size_list:lance.bfloat16:4");
  const auto back = ParseLogicalType("fixed_size_list:lance.bfloat16:4").ValueOrDie();
  EXPECT_TRUE(back->Equals(*type, /*check_metadata=*/true));
}

arrow::FieldVector NestedFields() {
  return {
      field("id", arrow::int32(), false),
      field("st", arrow::struct_({field("x", arrow::int8()), field("y", arrow::utf8())})),
      field("lst",
            arrow::list(field("item", arrow::struct_({field("p", arrow::int64()),
                                                      field("q", arrow::list(arrow::utf8()))})))),
      field("fsl", arrow::fixed_size_list(arrow::float32(), 3)),
      field("m", arrow::map(arrow::utf8(), arrow::int32())),
      field("fs", arrow::fixed_size_list(arrow::struct_({field("a", arrow::int8())}), 3)),
      field("pk", arrow::struct_({field("a", arrow::int8()), field("b", arrow::int16())}), true,
            Meta({"lance-encoding:packed"}, {"true"})),
      field("es", arrow::struct_(arrow::FieldVector{})),
      field("ll", arrow::large_list(arrow::float64())),
  };
}

TEST(Schema, IdsAreInPreOrderAndLeavesAreWhatOwnsAColumn) {
  const Schema schema = MakeSchema(NestedFields());
  EXPECT_EQ(schema.AllIds().size(), 23u);
  EXPECT_EQ(schema.max_field_id(), 22);
  for (size_t i = 0; i < schema.AllIds().size(); ++i) {
    EXPECT_EQ(schema.AllIds()[i], static_cast<int32_t>(i));
  }
  // id, st.x, st.y, lst.p, lst.q, fsl, m.key, m.value, fs.a, pk, es, ll
  EXPECT_THAT(schema.LeafIds(), ElementsAre(0, 2, 3, 6, 8, 9, 12, 13, 16, 17, 20, 22));
}

TEST(Schema, ArrowAndWireGoBothWays) {
  const Schema schema = MakeSchema(NestedFields());
  const auto arrow_schema = schema.ToArrow().ValueOrDie();
  EXPECT_TRUE(arrow_schema->Equals(*arrow::schema(NestedFields()), true))
      << arrow_schema->ToString(true);
  ProtoFields wire;
  schema.ToProto(&wire);
  EXPECT_EQ(Schema::FromProto(wire, {}).ValueOrDie(), schema);
}

TEST(Schema, WireHoldsWhatTheRealWriterWrites) {
  // name, logical type, encoding: as read from a file of the real writer.
  const Schema schema = MakeSchema({
      field("i", arrow::int32()),
      field("s", arrow::utf8()),
      field("n", arrow::null()),
      field("l", arrow::large_list(arrow::struct_({field("a", arrow::int8())}))),
      field("m", arrow::map(arrow::utf8(), arrow::int32())),
      field("d", arrow::dictionary(arrow::int8(), arrow::utf8())),
      field("fs", arrow::fixed_size_list(arrow::struct_({field("q", arrow::int8())}), 3)),
  });
  ProtoFields wire;
  schema.ToProto(&wire);
  std::vector<std::string> found;
  for (const auto& proto : wire) {
    found.push_back(Concat(proto.name(), " ", proto.id(), " ", proto.parent_id(), " ",
                           proto.logical_type(), " ", proto.nullable(), " ", proto.encoding()));
  }
  EXPECT_THAT(found,
              ElementsAre("i 0 -1 int32 1 1", "s 1 -1 string 1 2", "n 2 -1 null 1 0",
                          "l 3 -1 large_list.struct 1 1", "item 4 3 struct 1 0", "a 5 4 int8 1 1",
                          "m 6 -1 map 1 1", "entries 7 6 struct 0 0", "key 8 7 string 0 2",
                          "value 9 7 int32 1 1", "d 10 -1 dict:string:int8:false 1 3",
                          "fs 11 -1 fixed_size_list:struct:3 1 1", "item 12 11 struct 1 0",
                          "q 13 12 int8 1 1"));
}

TEST(Schema, JsonExtensionBecomesLanceJson) {
  const Schema schema =
      MakeSchema({field("j", arrow::utf8(), true, Meta({"ARROW:extension:name"}, {"arrow.json"}))});
  EXPECT_EQ(schema.fields()[0].logical_type, "json");
  const auto back = schema.ToArrow().ValueOrDie();
  EXPECT_TRUE(back->field(0)->type()->Equals(arrow::large_binary()));
  EXPECT_EQ(back->field(0)->metadata()->Get("ARROW:extension:name").ValueOrDie(), "lance.json");
}

TEST(Schema, UnsupportedTypesAreRefusedByColumnAndType) {
  const std::vector<std::shared_ptr<arrow::DataType>> types = {
      arrow::month_interval(),
      arrow::dense_union({field("a", arrow::int8())}),
      arrow::list_view(arrow::int8()),
      arrow::run_end_encoded(arrow::int32(), arrow::utf8()),
      arrow::utf8_view(),
      arrow::fixed_size_list(arrow::utf8(), 2),
      arrow::fixed_size_list(arrow::float32(), 0),
      arrow::fixed_size_list(arrow::list(arrow::int8()), 2)};
  for (const auto& type : types) {
    const auto status =
        Schema::FromArrow(*arrow::schema({field("col", arrow::struct_({field("m", type)}))}))
            .status();
    EXPECT_EQ(ErrorCodeOf(status), ErrorCode::kUnsupported) << type->ToString();
    EXPECT_THAT(status.message(), HasSubstr("'col.m'"));
  }
}

TEST(Schema, BadNamesAreInvalid) {
  const auto code = [](arrow::FieldVector fields) {
    return ErrorCodeOf(Schema::FromArrow(*arrow::schema(std::move(fields))).status());
  };
  EXPECT_EQ(code({field("", arrow::int8())}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("a.b", arrow::int8())}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("_rowid", arrow::int8())}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("a", arrow::int8()), field("a", arrow::int8())}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      code({field("s", arrow::struct_({field("a", arrow::int8()), field("a", arrow::int8())}))}),
      ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("_distance", arrow::float32())}), ErrorCode::kOk);
  EXPECT_EQ(code({field("a\xff", arrow::int8())}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("s", arrow::struct_({field("\xc3", arrow::int8())}))}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("a", arrow::int8(), true, arrow::key_value_metadata({"\xff"}, {"x"}))}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({field("\xc3\xa4", arrow::int8())}), ErrorCode::kOk);
}

TEST(Schema, PrimaryKeyComesFromMetadata) {
  const Schema schema = MakeSchema({field(
      "k", arrow::int32(), false, Meta({"lance-schema:unenforced-primary-key:position"}, {"2"}))});
  EXPECT_TRUE(schema.fields()[0].unenforced_primary_key);
  EXPECT_EQ(schema.fields()[0].primary_key_position, 2u);
}

lance::file::Field* Add(ProtoFields* wire, const std::string& name, int32_t id, int32_t parent,
                        const std::string& logical) {
  auto* proto = wire->Add();
  proto->set_name(name);
  proto->set_id(id);
  proto->set_parent_id(parent);
  proto->set_logical_type(logical);
  return proto;
}

TEST(Schema, BlobDescriptorMembersHaveNoIds) {
  ProtoFields wire;
  Add(&wire, "id", 0, -1, "int64");
  auto* blob = Add(&wire, "b", 1, -1, "struct");
  (*blob->mutable_metadata())["lance-encoding:blob"] = "true";
  (*blob->mutable_metadata())["lance-encoding:packed"] = "true";
  Add(&wire, "kind", -1, -1, "uint8");
  Add(&wire, "position", -1, -1, "uint64");
  Add(&wire, "size", -1, -1, "uint64");
  Add(&wire, "blob_id", -1, -1, "uint32");
  Add(&wire, "blob_uri", -1, -1, "string");
  Add(&wire, "z", 2, -1, "int8");
  const auto schema = Schema::FromProto(wire, {}).ValueOrDie();
  ASSERT_EQ(schema.fields().size(), 3u);
  EXPECT_TRUE(schema.fields()[1].is_blob_v2());
  EXPECT_TRUE(schema.fields()[1].ArrowType().ValueOrDie()->Equals(*BlobV2DescriptorType()));
  EXPECT_THAT(schema.LeafIds(), ElementsAre(0, 1, 2));
  ProtoFields again;
  schema.ToProto(&again);
  EXPECT_EQ(again[2].id(), -1);
  EXPECT_EQ(again[2].parent_id(), -1);
  EXPECT_EQ(Schema::FromProto(again, {}).ValueOrDie(), schema);
}

TEST(Schema, ForgedTreesAreCorruption) {
  const auto code = [](const ProtoFields& wire) {
    return ErrorCodeOf(Schema::FromProto(wire, {}).status());
  };
  ProtoFields orphan;
  Add(&orphan, "a", 0, 7, "int8");
  EXPECT_EQ(code(orphan), ErrorCode::kCorruption);
  ProtoFields own_parent;
  Add(&own_parent, "a", 3, 3, "struct");
  EXPECT_EQ(code(own_parent), ErrorCode::kCorruption);
  ProtoFields duplicate;
  Add(&duplicate, "a", 3, -1, "int8");
  Add(&duplicate, "b", 3, -1, "int8");
  EXPECT_EQ(code(duplicate), ErrorCode::kCorruption);
  ProtoFields stray;
  Add(&stray, "a", -1, -1, "int8");
  EXPECT_EQ(code(stray), ErrorCode::kCorruption);
  ProtoFields child_of_int;
  Add(&child_of_int, "a", 0, -1, "int8");
  Add(&child_of_int, "b", 1, 0, "int8");
  EXPECT_EQ(code(child_of_int), ErrorCode::kCorruption);
  ProtoFields empty_list;
  Add(&empty_list, "a", 0, -1, "list");
  EXPECT_EQ(code(empty_list), ErrorCode::kCorruption);
  ProtoFields deep;
  for (int32_t i = 0; i < 100000; ++i) {
    Add(&deep, "a", i, i - 1, "struct");
  }
  EXPECT_EQ(code(deep), ErrorCode::kCorruption);
  ProtoFields unknown;
  Add(&unknown, "colour", 0, -1, "hue");
  EXPECT_EQ(code(unknown), ErrorCode::kUnsupported);
}

TEST(Schema, PathsStepThroughStructsListsAndMaps) {
  const Schema schema = MakeSchema(NestedFields());
  const auto id = [&](std::string_view path) { return schema.FindByPath(path).ValueOrDie()->id; };
  EXPECT_EQ(id("id"), 0);
  EXPECT_EQ(id("st.y"), 3);
  EXPECT_EQ(id("lst"), 4);
  EXPECT_EQ(id("lst.p"), 6);
  EXPECT_EQ(id("lst.item"), 5);
  EXPECT_EQ(id("lst.item.p"), 6);
  EXPECT_EQ(id("lst.q.item"), 8);
  EXPECT_EQ(id("m.key"), 12);
  EXPECT_EQ(id("m.entries.value"), 13);
  EXPECT_EQ(id("fs.a"), 16);
  EXPECT_EQ(id("`st`.`y`"), 3);
}

TEST(Schema, MissingNamesSuggestTheNearest) {
  const Schema schema =
      MakeSchema({field("embedding", arrow::int8()), field("Text", arrow::utf8())});
  const auto near = schema.FindByPath("embeding").status();
  EXPECT_EQ(ErrorCodeOf(near), ErrorCode::kNotFound);
  EXPECT_THAT(near.message(), HasSubstr("did you mean 'embedding'"));
  EXPECT_THAT(schema.FindByPath("text").status().message(), HasSubstr("did you mean 'Text'"));
  EXPECT_THAT(schema.FindByPath("quite_different").status().message(), HasSubstr("'Text'"));
  EXPECT_EQ(ErrorCodeOf(schema.FindByPath("`text").status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(schema.FindByPath("a..b").status()), ErrorCode::kInvalidArgument);
}

TEST(Schema, QuotedSegmentsMayHoldDots) {
  Schema schema = MakeSchema({field("s", arrow::struct_({field("a.b", arrow::int8())}))});
  EXPECT_EQ(schema.FindByPath("s.`a.b`").ValueOrDie()->id, 1);
}

TEST(Schema, ProjectionPrunesAndKeepsSchemaOrderWithinParents) {
  const Schema schema = MakeSchema(NestedFields());
  const auto projected = schema.Project({"lst.q", "st.y", "st.x", "m.value", "id"}).ValueOrDie();
  ASSERT_EQ(projected.fields().size(), 4u);
  EXPECT_EQ(projected.fields()[0].name, "lst");
  EXPECT_EQ(projected.fields()[1].name, "st");
  EXPECT_THAT(projected.LeafIds(), ElementsAre(8, 2, 3, 12, 13, 0));
  EXPECT_EQ(ErrorCodeOf(schema.Project({"id", "id"}).status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(schema.Project({""}).status()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOf(schema.Project({"nope"}).status()), ErrorCode::kNotFound);
}

TEST(FileVersionText, Parses) {
  EXPECT_EQ(FileVersion::Parse("2.1").ValueOrDie(), kVersion21);
  EXPECT_EQ(FileVersion::Parse("stable").ValueOrDie(), kVersion22);
  EXPECT_EQ(ErrorCodeOf(FileVersion::Parse("legacy").status()), ErrorCode::kUnsupported);
  EXPECT_EQ(ErrorCodeOf(FileVersion::Parse("9").status()), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace glaive::file
