#include "encoding/shred.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

namespace glaive::encoding {

namespace {

ShreddedLeaf ShredJson(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  auto array = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  return Shred(array, LeafKind::kPrimitive, arrow::default_memory_pool()).ValueOrDie();
}

using Layers = std::vector<RepDefLayer>;
using Levels16 = std::vector<uint16_t>;

TEST(Shred, PlainValuesHaveNoLevels) {
  const auto leaf = ShredJson(arrow::int32(), "[1, 2, 3]");
  EXPECT_EQ(leaf.layers, Layers{RepDefLayer::kAllValidItem});
  EXPECT_TRUE(leaf.rep.empty());
  EXPECT_TRUE(leaf.def.empty());
  EXPECT_EQ(leaf.num_rows, 3);
  EXPECT_EQ(leaf.num_visible(), 3);
}

TEST(Shred, ListWithNullsAndEmpties) {
  const auto leaf = ShredJson(arrow::list(arrow::int32()), "[[1, 2], null, [], [3, null]]");
  EXPECT_EQ(leaf.layers, (Layers{RepDefLayer::kNullableItem, RepDefLayer::kNullAndEmptyList}));
  EXPECT_EQ(leaf.rep, (Levels16{1, 0, 1, 1, 1, 0}));
  EXPECT_EQ(leaf.def, (Levels16{0, 0, 2, 3, 0, 1}));
  EXPECT_EQ(leaf.max_visible, 1);
  EXPECT_EQ(leaf.num_visible(), 4);
  EXPECT_EQ(leaf.valid, (std::vector<uint8_t>{1, 1, 1, 0}));
  EXPECT_EQ(leaf.num_rows, 4);
}

TEST(Shred, StructNullsHideTheirChildren) {
  const auto type = arrow::struct_({arrow::field("a", arrow::int32())});
  const auto leaf = ShredJson(type, R"([{"a": 1}, null, {"a": null}, {"a": 4}])");
  EXPECT_EQ(leaf.layers, (Layers{RepDefLayer::kNullableItem, RepDefLayer::kNullableItem}));
  EXPECT_EQ(leaf.def, (Levels16{0, 2, 1, 0}));
  EXPECT_EQ(leaf.num_visible(), 4);
}

TEST(Shred, StructAroundAListTakesNoSlotWhenNull) {
  const auto type = arrow::struct_({arrow::field("a", arrow::list(arrow::int32()))});
  const auto leaf = ShredJson(type, R"([{"a": [1]}, null, {"a": null}, {"a": [4, 5]}])");
  EXPECT_EQ(leaf.layers, (Layers{RepDefLayer::kAllValidItem, RepDefLayer::kNullableList,
                                 RepDefLayer::kNullableItem}));
  EXPECT_EQ(leaf.rep, (Levels16{1, 1, 1, 1, 0}));
  EXPECT_EQ(leaf.def, (Levels16{0, 2, 1, 0, 0}));
  EXPECT_EQ(leaf.num_visible(), 3);
  EXPECT_TRUE(leaf.nullable_item_outside_list());
}

TEST(Shred, ListOfListRepeats) {
  const auto leaf = ShredJson(arrow::list(arrow::list(arrow::int8())),
                              "[[[1, 2], [3]], [], [[], [4]], [[5, 6]]]");
  EXPECT_EQ(leaf.rep, (Levels16{2, 0, 1, 2, 2, 1, 2, 0}));
  EXPECT_EQ(leaf.layers, (Layers{RepDefLayer::kAllValidItem, RepDefLayer::kEmptyableList,
                                 RepDefLayer::kEmptyableList}));
  EXPECT_EQ(leaf.def, (Levels16{0, 0, 0, 2, 1, 0, 0, 0}));
}

TEST(Shred, SlicesAndGapsAreFollowed) {
  auto type = arrow::list(arrow::int32());
  auto array = arrow::json::ArrayFromJSONString(type, "[[9], [1, 2], [3], null, [4]]").ValueOrDie();
  const auto leaf =
      Shred(array->Slice(1, 4), LeafKind::kPrimitive, arrow::default_memory_pool()).ValueOrDie();
  EXPECT_EQ(leaf.num_visible(), 4);
  EXPECT_TRUE(leaf.leaf->Equals(
      arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 2, 3, 4]").ValueOrDie()));
}

TEST(Shred, FixedSizeListOfStructFlattens) {
  const auto item = arrow::struct_({arrow::field("a", arrow::int32())});
  const auto leaf = ShredJson(arrow::fixed_size_list(item, 2),
                              R"([[{"a": 1}, null], null, [{"a": null}, {"a": 2}]])");
  EXPECT_EQ(leaf.num_rows, 6);
  EXPECT_EQ(leaf.def, (Levels16{0, 2, 3, 3, 1, 0}));
}

TEST(Shred, ListOfFixedSizeListOfStructIsRefused) {
  const auto item = arrow::struct_({arrow::field("a", arrow::int32())});
  auto array =
      arrow::json::ArrayFromJSONString(arrow::list(arrow::fixed_size_list(item, 2)), "[[]]")
          .ValueOrDie();
  EXPECT_FALSE(Shred(array, LeafKind::kPrimitive, arrow::default_memory_pool()).ok());
}

}  // namespace

}  // namespace glaive::encoding
