// The shape of a path array: the nodes on the way and how the values of the leaf are stored.
// Private to the encoding room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"

namespace glaive::encoding {

enum class NodeKind : uint8_t { kStruct, kList, kLargeList, kFixedSizeList };

/// A structural node on the way to the leaf. Each has one layer in the pages of the leaf.
struct PathNode {
  NodeKind kind = NodeKind::kStruct;
  std::shared_ptr<arrow::DataType> type;
  int32_t dimension = 1;  ///< fixed-size list: slots below per slot

  bool is_list() const { return kind == NodeKind::kList || kind == NodeKind::kLargeList; }
};

enum class LeafStorage : uint8_t {
  kFixed,
  kFixedSizeList,
  kVariable,
  kDictionary,
  kNull,
  kEmptyStruct,
  kStruct,  ///< packed row by row, blob descriptors included
};

/// A value: how one slot of a leaf is stored.
struct LeafShape {
  std::shared_ptr<arrow::DataType> type;
  LeafStorage storage = LeafStorage::kFixed;
  uint64_t bits = 0;  ///< fixed, list of fixed size (without validity), dictionary (index); struct
                      ///< of fixed fields
  uint64_t item_bits = 0;           ///< list of fixed size: of the innermost item
  std::vector<int32_t> dimensions;  ///< list of fixed size: outer to inner
  uint32_t offset_bits = 0;         ///< variable
  bool is_utf8 = false;             ///< variable
  std::vector<LeafShape> fields;    ///< struct

  uint64_t items_per_slot() const {
    uint64_t items = 1;
    for (const int32_t dimension : dimensions) {
      items *= static_cast<uint64_t>(dimension);
    }
    return items;
  }
};

/// A value: a path array as a whole.
struct PathShape {
  std::vector<PathNode> nodes;  ///< outer to inner, the leaf not included
  LeafShape leaf;
  /// Page.length counts this many slots per row: product of the fixed-size lists outside all lists.
  uint64_t slots_per_row = 1;
  /// What Page.length counts per row: the same, with the fixed-size lists below lists too.
  uint64_t length_per_row = 1;
};

/// Shape of a leaf type alone. kUnsupported names a type that no leaf can have.
arrow::Result<LeafShape> MakeLeafShape(const std::shared_ptr<arrow::DataType>& type, LeafKind kind);
arrow::Result<PathShape> MakePathShape(const LeafDescriptor& leaf);

}  // namespace glaive::encoding
