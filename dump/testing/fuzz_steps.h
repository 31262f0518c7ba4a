// The length and the input of the fuzz tests: some thousand steps by default, a million in ci/fuzz, or a fraction of
// either if one step is long. Fuzz tests that read whole dumps run for some seconds each in ./test.
#ifndef DUMP_TESTING_FUZZ_STEPS_H_
#define DUMP_TESTING_FUZZ_STEPS_H_

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace vmm {

inline std::optional<uint64_t> FuzzNumber(const char* name) {
  const char* const wanted = std::getenv(name);
  if (wanted == nullptr) return std::nullopt;
  return std::strtoull(wanted, nullptr, 10);
}

// The number of steps of a fuzz test: FUZZ_STEPS in the environment, or else the default.
inline uint64_t FuzzSteps(uint64_t by_default) { return FuzzNumber("FUZZ_STEPS").value_or(by_default); }

// The seed of the test with number `test`: that number, or another if FUZZ_SEED is in the environment.
inline uint64_t FuzzSeed(uint64_t test) { return test + 1000 * FuzzNumber("FUZZ_SEED").value_or(0); }

// The steps of a fuzz test, used as `while (run.Step())`. Their number is FUZZ_STEPS, or as many as fit into
// FUZZ_SECONDS, or the default.
class FuzzRun {
 public:
  // One step counts as `weight` steps of FUZZ_STEPS or of the default. `parts`: number of runs that share FUZZ_SECONDS.
  explicit FuzzRun(uint64_t by_default, uint64_t weight = 1, uint64_t parts = 1)
      : wanted_(FuzzSteps(by_default) / weight) {
    const std::optional<uint64_t> seconds = FuzzNumber("FUZZ_SECONDS");
    if (seconds.has_value() && !FuzzNumber("FUZZ_STEPS").has_value()) {
      end_ = Clock::now() + std::chrono::milliseconds(1000 * *seconds / parts);
    }
  }

  // False when the run is over.
  bool Step() {
    if (end_.has_value() ? Clock::now() >= *end_ : steps_ == wanted_) return false;
    ++steps_;
    return true;
  }

  uint64_t steps() const { return steps_; }  // steps begun so far

 private:
  using Clock = std::chrono::steady_clock;

  const uint64_t wanted_;
  std::optional<Clock::time_point> end_;
  uint64_t steps_ = 0;
};

}  // namespace vmm

#endif  // DUMP_TESTING_FUZZ_STEPS_H_
