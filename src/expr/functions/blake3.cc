#include "expr/functions/blake3.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace glaive::expr {
namespace {

using Words = std::array<uint32_t, 8>;

constexpr Words kStart = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                          0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
constexpr size_t kPermutation[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
constexpr size_t kBlockBytes = 64;
constexpr size_t kChunkBytes = 1024;
constexpr uint32_t kChunkStart = 1;
constexpr uint32_t kChunkEnd = 2;
constexpr uint32_t kParent = 4;
constexpr uint32_t kRoot = 8;

// The last compression of a node, which differs if the node is the root.
struct Node {
  Words chaining;
  std::array<uint32_t, 16> block{};
  uint64_t counter = 0;
  uint32_t length = kBlockBytes;
  uint32_t flags = 0;
};

void Mix(std::array<uint32_t, 16>& v, size_t a, size_t b, size_t c, size_t d, uint32_t x,
         uint32_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
}

Words Compress(const Node& node, uint32_t more_flags) {
  std::array<uint32_t, 16> v;
  std::copy(node.chaining.begin(), node.chaining.end(), v.begin());
  std::copy_n(kStart.begin(), 4, v.begin() + 8);
  v[12] = static_cast<uint32_t>(node.counter);
  v[13] = static_cast<uint32_t>(node.counter >> 32);
  v[14] = node.length;
  v[15] = node.flags | more_flags;
  std::array<uint32_t, 16> m = node.block;
  for (int round = 0; round < 7; ++round) {
    for (size_t i = 0; i < 4; ++i) Mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]);
    for (size_t i = 0; i < 4; ++i) {
      Mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i]);
    }
    std::array<uint32_t, 16> next;
    for (size_t i = 0; i < 16; ++i) next[i] = m[kPermutation[i]];
    m = next;
  }
  Words out;
  for (size_t i = 0; i < 8; ++i) out[i] = v[i] ^ v[i + 8];
  return out;
}

Node Chunk(std::string_view bytes, uint64_t counter) {
  Node node{kStart, {}, counter, 0, kChunkStart};
  for (;;) {
    const std::string_view part = bytes.substr(0, kBlockBytes);
    node.block.fill(0);
    for (size_t i = 0; i < part.size(); ++i) {
      node.block[i / 4] |= uint32_t{static_cast<uint8_t>(part[i])} << (8 * (i % 4));
    }
    node.length = static_cast<uint32_t>(part.size());
    bytes.remove_prefix(part.size());
    if (bytes.empty()) break;
    node.chaining = Compress(node, 0);
    node.flags = 0;
  }
  node.flags |= kChunkEnd;
  return node;
}

// The left part is the largest power of two of chunks that leaves something for the right one, so
// that the depth is the logarithm of the size.
Node Tree(std::string_view bytes, uint64_t counter) {
  if (bytes.size() <= kChunkBytes) return Chunk(bytes, counter);
  const size_t left = std::bit_floor((bytes.size() - 1) / kChunkBytes);
  const Words a = Compress(Tree(bytes.substr(0, left * kChunkBytes), counter), 0);
  const Words b = Compress(Tree(bytes.substr(left * kChunkBytes), counter + left), 0);
  Node node{kStart, {}, 0, kBlockBytes, kParent};
  std::copy(a.begin(), a.end(), node.block.begin());
  std::copy(b.begin(), b.end(), node.block.begin() + 8);
  return node;
}

}  // namespace

std::array<uint8_t, 32> Blake3(std::string_view bytes) {
  const Words words = Compress(Tree(bytes, 0), kRoot);
  std::array<uint8_t, 32> out;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<uint8_t>(words[i / 4] >> (8 * (i % 4)));
  }
  return out;
}

}  // namespace glaive::expr
