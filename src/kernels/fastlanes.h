// FastLanes bit packing of blocks of 1024 unsigned values (the bit order of Lance's inline and
// out-of-line bit packing). T = 8, 16, 32, 64; a packed block is 1024 * width / T words of T bits.
//
// Value order: with ORDER = {0,4,2,6,1,5,3,7} and lanes = 1024/T, the value in lane L, row r is
// logical value ORDER[r/8]*16 + (r%8)*128 + L, at bits [r*W, (r+1)*W) of the lane's own stream; bit
// b of lane L is bit b mod T of word (b div T)*lanes + L. Width T is the same permutation, width 0
// has no words.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glaive::kernels {

inline constexpr size_t kBlockValues = 1024;

/// Words of T bits in a packed block.
template <typename T>
constexpr size_t PackedWords(unsigned width) {
  return kBlockValues * width / (8 * sizeof(T));
}

/// packed: PackedWords<T>(width) words, any alignment; out: 1024 values. width <= 8*sizeof(T).
/// Chosen at run time among AVX-512, AVX2 and plain C++; all give the same values.
void UnpackBlock(unsigned width, const uint8_t* packed, uint8_t* out);
void UnpackBlock(unsigned width, const uint8_t* packed, uint16_t* out);
void UnpackBlock(unsigned width, const uint8_t* packed, uint32_t* out);
void UnpackBlock(unsigned width, const uint8_t* packed, uint64_t* out);

/// in: 1024 values, each < 2^width; packed receives PackedWords<T>(width) words.
void PackBlock(unsigned width, const uint8_t* in, uint8_t* packed);
void PackBlock(unsigned width, const uint16_t* in, uint8_t* packed);
void PackBlock(unsigned width, const uint32_t* in, uint8_t* packed);
void PackBlock(unsigned width, const uint64_t* in, uint8_t* packed);

}  // namespace glaive::kernels
