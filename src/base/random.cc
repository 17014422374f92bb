#include "base/random.h"

#include <unistd.h>

#include <random>

namespace glaive {

namespace {

struct Generator {
  uint64_t state;
  pid_t pid;
};

uint64_t Entropy() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) ^ device();
}

Generator& ThreadGenerator() {
  thread_local Generator generator{Entropy(), getpid()};
  return generator;
}

}  // namespace

uint64_t RandomU64() {
  Generator& generator = ThreadGenerator();
  // A forked child must not repeat its parent's names.
  if (generator.pid != getpid()) {
    generator = {Entropy(), getpid()};
  }
  // splitmix64 (Steele, Lea, Flood 2014).
  uint64_t z = (generator.state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void SeedRandomForTest(uint64_t seed) { ThreadGenerator() = {seed, getpid()}; }

}  // namespace glaive
