// Tables of the Unicode character database (version 14): properties as sorted ranges, simple case
// mappings as sorted runs, and the characters whose upper case is longer than one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glaive::expr::unicode {

struct Range {
  char32_t first;
  char32_t last;
};

/// Characters first, first + stride, ... last map to themselves plus delta.
struct Mapping {
  char32_t first;
  char32_t last;
  uint32_t stride;
  int32_t delta;
};

/// Unused places are 0.
struct Expansion {
  char32_t character;
  char32_t upper[3];
};

template <typename T>
struct Table {
  const T* begin;
  size_t size;
};

extern const Table<Range> kAlphanumericTable;
extern const Table<Range> kCasedTable;
extern const Table<Range> kCaseIgnorableTable;
extern const Table<Mapping> kUpperTable;
extern const Table<Mapping> kLowerTable;
extern const Table<Expansion> kUpperExpansionTable;

}  // namespace glaive::expr::unicode
