// Columns seen as leaves: which leaves a schema has, the type of a column seen through one leaf
// alone (its path array, see encoding/page.h), splitting columns into path arrays and zipping them
// again.
//
// In path arrays a map is a list of its entries struct (which then has one member).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encoding/page.h"
#include "file/schema.h"

namespace glaive::file {

/// A field that owns a physical column in files of 2.1 and later.
struct Leaf {
  std::vector<const Field*>
      chain;  ///< from the top-level field down to the leaf, owned by the schema
  uint64_t slots_per_row =
      1;  ///< product of the dimensions of fixed-size lists of structs above it
  std::shared_ptr<const encoding::LeafDescriptor> descriptor;

  const Field& field() const { return *chain.back(); }

  std::string Path() const;
};

/// Field chains of all leaves below `field`, in pre-order; without descriptors.
std::vector<Leaf> LeavesOf(const Field& field);

/// Fills in what the page coders must know.
arrow::Status Describe(Leaf* leaf, FileVersion version);

/// The part of a column that `leaf` sees: shares all buffers with `column`.
arrow::Result<std::shared_ptr<arrow::Array>> SplitPath(const arrow::Array& column,
                                                       const Leaf& leaf);

/// True if values of one type can be taken for the other: same storage, whatever the children of
/// lists and maps are called and whatever is nullable.
bool SameStorage(const arrow::DataType& a, const arrow::DataType& b);

/// Arrow metadata of a field; null if there is none.
std::shared_ptr<const arrow::KeyValueMetadata> ArrowMetadata(const Field& field);

/// A tree of projected fields, with the request's number of each leaf that the file has.
struct ZipNode {
  const Field* field = nullptr;
  std::vector<ZipNode> children;
  int leaf = -1;        ///< for a leaf that the file has: index of its path array
  int first_leaf = -1;  ///< the first leaf at or below that the file has; -1: reads as null
};

/// Turns the array of a leaf into what is handed out (blobs, pruned packed structs).
class LeafFinisher {
 public:
  virtual ~LeafFinisher() = default;
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Finish(
      const Field& field, int leaf, std::shared_ptr<arrow::Array> array) const = 0;
  /// The type that Finish makes for a field.
  virtual arrow::Result<std::shared_ptr<arrow::DataType>> TypeOf(const Field& field) const = 0;
};

/// Combines path arrays (all of `length` rows, indexed by ZipNode::leaf) into the column of `node`.
/// Takes the arrays of its leaves out of `paths`. kCorruption if leaves of one struct or list
/// disagree in length.
arrow::Result<std::shared_ptr<arrow::Array>> ZipColumn(const ZipNode& node,
                                                       arrow::ArrayVector* paths, int64_t length,
                                                       const LeafFinisher& finisher,
                                                       arrow::MemoryPool* pool);

}  // namespace glaive::file
