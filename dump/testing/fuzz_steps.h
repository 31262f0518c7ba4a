// How long the fuzz tests run: some thousand steps in ./test, a million by ci/fuzz, or a fraction of either where one
// step is long; and on which input.
#ifndef DUMP_TESTING_FUZZ_STEPS_H_
#define DUMP_TESTING_FUZZ_STEPS_H_

#include <cstdint>
#include <cstdlib>

namespace vmm {

// How often a fuzz test runs: FUZZ_STEPS in the environment, or else the default.
inline uint64_t FuzzSteps(uint64_t by_default) {
  const char* const wanted = std::getenv("FUZZ_STEPS");
  return wanted == nullptr ? by_default : std::strtoull(wanted, nullptr, 10);
}

// The seed of a test that has the number `test`: that, or another with FUZZ_SEED in the environment.
inline uint64_t FuzzSeed(uint64_t test) {
  const char* const wanted = std::getenv("FUZZ_SEED");
  return wanted == nullptr ? test : test + 1000 * std::strtoull(wanted, nullptr, 10);
}

}  // namespace vmm

#endif  // DUMP_TESTING_FUZZ_STEPS_H_
