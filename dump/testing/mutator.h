// Pseudo-random changes to bytes, the same ones in every run, for tests that feed a parser unexpected input.
#ifndef DUMP_TESTING_MUTATOR_H_
#define DUMP_TESTING_MUTATOR_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

namespace vmm {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // A number in [0, limit).
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Numbers at which checks are likely to be off by one, and others.
  uint64_t Number() {
    constexpr uint64_t kEdges[] = {0,          1,          2,          4,          8,          0x3f,         0x40,
                                   0xfff,      0x1000,     0x1001,     0xffff,     0x10000,    0x7fffffff,   0x80000000,
                                   0xffffffff, 1ull << 32, 1ull << 51, 1ull << 52, 1ull << 63, ~0ull - 4095, ~0ull};
    switch (Below(4)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return (uint64_t{1} << Below(64)) - Below(3);
      case 2: return Below(0x10000);
      default: return random_();
    }
  }

  // Makes one to eight changes: a flipped bit, a number of some width at some place, or bytes copied from elsewhere.
  void Change(std::string& bytes) {
    for (uint64_t i = 1 + Below(8); i > 0 && !bytes.empty(); --i) {
      const uint64_t at = Below(bytes.size());
      const uint64_t width = std::min<uint64_t>(uint64_t{1} << Below(4), bytes.size() - at);
      switch (Below(4)) {
        case 0: bytes[at] = static_cast<char>(bytes[at] ^ 1 << Below(8)); break;
        case 1: {
          const uint64_t from = Below(bytes.size() - width + 1);
          std::memmove(bytes.data() + at, bytes.data() + from, width);
          break;
        }
        default: {
          const uint64_t number = Number();
          // Fields are aligned to their width more often than not.
          const uint64_t place = Below(4) == 0 ? at : at - at % width;
          std::memcpy(bytes.data() + place, &number, std::min<uint64_t>(width, bytes.size() - place));
        }
      }
    }
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace vmm

#endif  // DUMP_TESTING_MUTATOR_H_
