// A set of integers or texts that rows are looked up in; made once per expression. Private to the
// room.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace glaive::expr {

/// Immutable once made; thread-safe.
class MemberSet {
 public:
  virtual ~MemberSet() = default;

  /// nullptr for types that have no set here. `members` has no nulls.
  static std::shared_ptr<const MemberSet> Make(std::shared_ptr<arrow::Array> members);

  /// For each value whether it is a member; null for null.
  arrow::Result<std::shared_ptr<arrow::Array>> Contains(const arrow::Array& values,
                                                        arrow::MemoryPool* pool) const;

 protected:
  /// Sets the bits of the members among `values`; what it says of nulls does not matter.
  virtual void Find(const arrow::Array& values, uint8_t* bits) const = 0;
};

}  // namespace glaive::expr
