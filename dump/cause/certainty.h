// How sure a finding is, and the memory that shows it.
#ifndef DUMP_CAUSE_CERTAINTY_H_
#define DUMP_CAUSE_CERTAINTY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

enum class Certainty {
  kSure,   // the kernel's own data structures say so, and they agree with each other
  kGuess,  // likely; a leftover in memory could look the same
};

constexpr std::string_view CertaintyName(Certainty certainty) {
  return certainty == Certainty::kSure ? "sure" : "guess";
}

// A place in the kernel's memory that a reader can look at to check a finding.
struct Evidence {
  std::string what;  // "its waiter on the stack"
  uint64_t address = 0;

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

}  // namespace vmm

#endif  // DUMP_CAUSE_CERTAINTY_H_
