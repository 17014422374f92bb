// Drives a fuzz target over its corpus and over seeded mutations of it: truncations, flipped bits, forged
// lengths, spliced pieces. Bounded by runs, and by address space, so that an allocation that follows a forged
// number fails loudly.
//
//   replay CORPUS_DIRECTORY [mutations per file] [seed]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz_target.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes Load(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Bytes Mutate(const Bytes& original, const Bytes& other, std::mt19937_64& random) {
  Bytes bytes = original;
  const size_t edits = 1 + random() % 4;
  for (size_t e = 0; e < edits && !bytes.empty(); ++e) {
    const size_t at = random() % bytes.size();
    switch (random() % 6) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] ^= static_cast<uint8_t>(1U << (random() % 8));
        break;
      case 2:
        bytes[at] = static_cast<uint8_t>(random());
        break;
      case 3: {  // a forged number of 2, 4 or 8 bytes
        const uint64_t values[] = {0, 1, 0xFFFFFFFFFFFFFFFFULL, 0x7FFFFFFFFFFFFFFFULL, 0x80000000ULL, random()};
        const uint64_t value = values[random() % 6];
        const size_t width = size_t{2} << (random() % 3);
        std::memcpy(bytes.data() + at, &value, std::min(width, bytes.size() - at));
        break;
      }
      case 4: {  // a piece of another file
        const size_t length = std::min<size_t>(1 + random() % 64, std::min(other.size(), bytes.size() - at));
        if (length > 0) {
          std::memcpy(bytes.data() + at, other.data() + random() % (other.size() - length + 1), length);
        }
        break;
      }
      default: {  // near the end, where footers and metadata are
        const size_t tail = std::min<size_t>(bytes.size(), 300);
        bytes[bytes.size() - 1 - random() % tail] = static_cast<uint8_t>(random());
        break;
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: replay CORPUS [mutations] [seed]\n");
    return 2;
  }
  const size_t mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200;
  const uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 20261121;
#ifndef __SANITIZE_ADDRESS__
  rlimit limit{};
  limit.rlim_cur = limit.rlim_max = rlim_t{6} << 30;
  setrlimit(RLIMIT_AS, &limit);
#endif
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const auto& path : paths) {
    corpus.push_back(Load(path));
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  size_t runs = 0;
  const std::string crash = std::string(argv[0]) + ".input";
  for (size_t i = 0; i < corpus.size(); ++i) {
    LLVMFuzzerTestOneInput(corpus[i].data(), corpus[i].size());
    ++runs;
    for (size_t m = 0; m < mutations; ++m) {
      const Bytes bytes = Mutate(corpus[i], corpus[random() % corpus.size()], random);
      if (std::getenv("GLAIVE_FUZZ_KEEP") != nullptr) {  // leaves the input of a crash behind
        std::ofstream(crash, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()),
                                                     static_cast<std::streamsize>(bytes.size()));
      }
      // A copy of its own, so that the sanitizer sees reads behind the end.
      const Bytes exact(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(exact.data(), exact.size());
      ++runs;
    }
  }
  std::printf("%zu passed, 0 failed\n", runs);
  return corpus.empty() ? 1 : 0;
}
